/* Command line of `serve`, and that it wins over the file. */
#include "app/options.h"

#include "app_support.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORDS_MAX = 8 };

/* Parse up to WORDS_MAX words behind "serve". */
static sn_status parse(struct sn_serve_options *ret_options, struct sn_err *err,
                       const char *const *words) {
    static char copies[WORDS_MAX + 1][64] = {"serve"}; /* getopt may move argv, not its text */
    char *argv[WORDS_MAX + 2] = {copies[0]};
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++) {
        (void)snprintf(copies[argc], sizeof copies[argc], "%s", words[argc - 1]);
        argv[argc] = copies[argc];
    }
    *err = (struct sn_err){.status = SN_OK};
    return sn_serve_options_parse(argc, argv, ret_options, err);
}
#define PARSE(...) parse(&options, &err, (const char *const[]){__VA_ARGS__, NULL})

static struct sn_serve_options options;
static struct sn_err err;

static void options_may_come_in_any_form(void **state) {
    (void)state;
    assert_int_equal(PARSE("--listen", "a:1", "--data=d", "--config", "c", "--access", "open"),
                     SN_OK);
    assert_string_equal(options.listen, "a:1");
    assert_string_equal(options.data, "d");
    assert_string_equal(options.config_path, "c");
    assert_string_equal(options.access, "open");
    assert_false(options.wants_help);
}

static void nothing_given_is_nothing(void **state) {
    (void)state;
    const struct sn_serve_options none = {.listen = NULL};
    assert_int_equal(parse(&options, &err, (const char *const[]){NULL}), SN_OK);
    assert_memory_equal(&options, &none, sizeof none);
}

static void help_can_be_asked_for(void **state) {
    (void)state;
    assert_int_equal(PARSE("-h"), SN_OK);
    assert_true(options.wants_help);
    assert_int_equal(PARSE("--data", "x", "--help"), SN_OK);
    assert_true(options.wants_help);
}

static void the_last_of_two_wins(void **state) {
    (void)state;
    assert_int_equal(PARSE("--data", "a", "--data", "b"), SN_OK);
    assert_string_equal(options.data, "b");
}

static void mistakes_name_the_word(void **state) {
    (void)state;
    static const struct {
        const char *words[4];
        const char *sentence;
    } cases[] = {
        {{"--lisen", "x"}, "unknown option --lisen"},
        {{"--data", "x", "-q"}, "unknown option -q"},
        {{"-qh"}, "unknown option -q"},
        {{"-hq"}, "unknown option -q"},
        {{"--help=5"}, "unknown option --help=5"},
        {{"--data"}, "option --data needs a value"},
        {{"here"}, "unexpected argument \"here\""},
        {{"--", "--data"}, "unexpected argument \"--data\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sn_serve_options before = {.data = "untouched"};
        options = before;
        assert_int_equal(parse(&options, &err, cases[i].words), SN_ERR_INVALID);
        assert_string_equal(err.text, cases[i].sentence);
        assert_memory_equal(&options, &before, sizeof before);
    }
}

/* ---- with the file ---- */

static void the_command_line_wins_over_the_file_over_the_defaults(void **state) {
    (void)state;
    char *dir = make_temp_dir();
    char *path = make_file(dir, "s.yml", "listen: 127.0.0.1:1\ndata: /file\nlog: {level: warn}\n");
    struct sn_config config;
    const struct sn_serve_options given = {.config_path = path, .data = "/line", .access = "open"};
    assert_int_equal(sn_serve_options_apply(&given, &config, &err), SN_OK);
    assert_string_equal(config.listen, "127.0.0.1:1");
    assert_string_equal(config.data, "/line");
    assert_int_equal(config.access, SN_API_ACCESS_OPEN);
    assert_int_equal(config.log_level, SN_LOG_WARN);
    assert_int_equal(config.collect_interval_ms, SN_COLLECT_INTERVAL_MS_DEFAULT);
    sn_config_release(&config);
    free(path);
    remove_temp_dir(dir);
}

static void both_are_checked_together(void **state) {
    (void)state;
    char *dir = make_temp_dir();
    char *path = make_file(dir, "s.yml", "access: open\n");
    const struct sn_serve_options cases[] = {
        {.config_path = path, .listen = "0.0.0.0:0"},
        {.access = "none"},
        {.listen = "nowhere"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_config config;
        assert_int_equal(sn_serve_options_apply(&cases[i], &config, &err), SN_ERR_INVALID);
        assert_true(err.text[0] != '\0');
        sn_config_release(&config);
    }
    const struct sn_serve_options missing = {.config_path = "/nonexistent"};
    struct sn_config config;
    assert_int_equal(sn_serve_options_apply(&missing, &config, &err), SN_ERR_NOT_FOUND);
    sn_config_release(&config);
    free(path);
    remove_temp_dir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_may_come_in_any_form),
        cmocka_unit_test(nothing_given_is_nothing),
        cmocka_unit_test(help_can_be_asked_for),
        cmocka_unit_test(the_last_of_two_wins),
        cmocka_unit_test(mistakes_name_the_word),
        cmocka_unit_test(the_command_line_wins_over_the_file_over_the_defaults),
        cmocka_unit_test(both_are_checked_together),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
