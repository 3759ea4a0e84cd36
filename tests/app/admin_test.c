/* `sonde admin`: what it says and does, with its exit codes. */
#include "app/command.h"

#include "app_support.h"
#include "postgres_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *dir;

static int set_up(void **state) {
    (void)state;
    dir = make_temp_dir();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    remove_temp_dir(dir);
    return 0;
}

/* Run `sonde admin WORDS --data dir`, with that text on stdin; both streams together. */
static char *admin(const char *words, const char *input, int *ret_code) {
    char line[512], *argv[24] = {0};
    int argc = 0, pipe_fds[2], saved_fd = dup(0);
    (void)snprintf(line, sizeof line, "admin %s --data %s", words, dir);
    char *rest = line;
    for (char *word = strsep(&rest, " "); word != NULL && argc < 23; word = strsep(&rest, " "))
        argv[argc++] = word;
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(write(pipe_fds[1], input, strlen(input)), (ssize_t)strlen(input));
    assert_int_equal(close(pipe_fds[1]), 0);
    assert_int_equal(dup2(pipe_fds[0], 0), 0);
    assert_int_equal(close(pipe_fds[0]), 0);
    struct capture out, err;
    capture_begin(&out, 1);
    capture_begin(&err, 2);
    *ret_code = sn_command_admin(argc, argv);
    char *err_text = capture_end(&err), *out_text = capture_end(&out), *both = NULL;
    assert_int_equal(dup2(saved_fd, 0), 0);
    assert_int_equal(close(saved_fd), 0);
    assert_true(asprintf(&both, "%s%s", out_text, err_text) >= 0);
    free(err_text);
    free(out_text);
    return both;
}

static void expect(const char *words, const char *input, int code, const char *said) {
    int got = 0;
    char *text = admin(words, input, &got);
    if (got != code || strstr(text, said) == NULL)
        fail_msg("admin %s: %d %s", words, got, text);
    free(text);
}

static void users_come_change_and_go(void **state) {
    (void)state;
    expect("user add ann --role admin", "correct horse\n", 0, "user ann added as admin");
    expect("user add ann", "correct horse\n", 1, "there is a user \"ann\" already");
    expect("user add bob", "short\n", 6, "10 to 256");
    expect("user add bob", "", 6, "no password");
    expect("user add bob", "correct horse", 0, "user bob added as user");
    expect("user list", "", 0, "bob                      user");
    expect("user role bob admin", "", 0, "bob is admin now");
    expect("user role bob king", "", 6, "king");
    expect("user password bob", "another password\n", 0, "sessions ended");
    expect("user remove ann", "", 0, "removed");
    expect("user remove ann", "", 5, "no user \"ann\"");
    expect("user remove bob", "", 6, "only administrator");
    expect("audit", "", 0, "command line");
}

static void tokens_come_and_go(void **state) {
    (void)state;
    expect("user add ann", "correct horse\n", 0, "added");
    expect("token add ci --user ann --scopes ingest,read --expires 30d", "", 0, "snt_");
    expect("token add ci --user ann", "", 6, "--scopes");
    expect("token add ci --user ann --scopes admin", "", 6, "not more than the user may do");
    expect("token add ci --user nobody --scopes read", "", 5, "nobody");
    expect("token list", "", 0, "ingest,read");
    expect("token remove 1", "", 0, "removed");
    expect("token remove 1", "", 5, "no token 1");
    expect("token remove one", "", 6, "no token id");
}

static void a_setup_link_is_printed(void **state) {
    (void)state;
    expect("setup-link", "", 0, "http://127.0.0.1:9464/#/setup/");
    expect("setup-link --url https://sonde.example", "", 0, "https://sonde.example/#/setup/");
}

static void mistakes_of_use_are_exit_2(void **state) {
    (void)state;
    expect("user", "", 2, "sonde admin --help");
    expect("user add", "", 2, "sonde admin --help");
    expect("user ad ann", "", 2, "sonde admin --help");
    expect("nothing", "", 2, "sonde admin --help");
    expect("audit --nonsense", "", 2, "nonsense");
    expect("--help", "", 0, "usage: sonde admin");
}

static void a_missing_directory_is_named(void **state) {
    (void)state;
    int code = 0;
    char name[] = "admin", word[] = "audit", data[] = "--data=/nonexistent/sonde";
    char *argv[] = {name, word, data, NULL};
    struct capture err;
    capture_begin(&err, 2);
    code = sn_command_admin(3, argv);
    char *text = capture_end(&err);
    assert_int_equal(code, 5);
    assert_non_null(strstr(text, "/nonexistent/sonde"));
    free(text);
}

static void accounts_are_where_the_configuration_says(void **state) {
    struct test_postgres server;
    char text[256], path[256], words[512];
    (void)state;
    if (!test_postgres_wanted(false))
        return;
    test_postgres_init(&server);
    (void)snprintf(text, sizeof text, "records: '%s'\n", server.url);
    char *config = make_file(dir, "sonde.yml", text);
    (void)snprintf(words, sizeof words, "user add ann --role admin --config %s", config);
    expect(words, "correct horse\n", 0, "user ann added as admin");
    (void)snprintf(words, sizeof words, "token add ci --user ann --scopes read --config %s",
                   config);
    expect(words, "", 0, "snt_");
    (void)snprintf(words, sizeof words, "audit --config %s", config);
    expect(words, "", 0, "token-add");
    (void)snprintf(words, sizeof words, "user remove ann --config %s", config);
    expect(words, "", 6, "only administrator");
    (void)snprintf(path, sizeof path, "%s/records.db", dir);
    assert_int_not_equal(access(path, F_OK), 0); /* the data directory has none of it */
    expect("user list", "", 0, "NAME");
    test_postgres_stop(&server);
    (void)snprintf(words, sizeof words, "user list --config %s", config);
    expect(words, "", 1, "the database is away");
    test_postgres_release(&server);
    expect("user list --config /nonexistent/sonde.yml", "", 5, "/nonexistent/sonde.yml");
    free(config);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(users_come_change_and_go),     TEST(tokens_come_and_go),
        TEST(a_setup_link_is_printed),      TEST(mistakes_of_use_are_exit_2),
        TEST(a_missing_directory_is_named), TEST(accounts_are_where_the_configuration_says),
    };
    return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
