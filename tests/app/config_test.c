/* Settings: defaults, every key of the file, what no single key can tell. */
#include "app/config.h"

#include "app_support.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/os.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sn_config config;
static struct sn_err err;

static int set_up(void **state) {
    (void)state;
    sn_config_init(&config);
    err = (struct sn_err){.status = SN_OK};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    sn_config_release(&config);
    return 0;
}

static sn_status parse(const char *text) {
    return sn_config_parse(&config, "sonde.yml", sn_str_from(text), &err);
}

static void the_defaults_are_safe(void **state) {
    (void)state;
    assert_string_equal(config.listen, "127.0.0.1:9464");
    assert_string_equal(config.data, "/var/lib/sonde");
    assert_int_equal(config.access, SN_API_ACCESS_REQUIRED);
    assert_int_equal(config.log_level, SN_LOG_INFO);
    assert_int_equal(config.durability, SN_STORE_STRICT);
    assert_int_equal(config.retention_ms, INT64_C(15) * 86400000);
    assert_int_equal(config.collect_interval_ms, 15000);
    assert_null(config.instance);
    assert_int_equal(config.override_count, 0);
    assert_int_equal(sn_config_check(&config, &err), SN_OK);
}

static void the_database_of_the_records_has_a_short_form(void **state) {
    (void)state;
    assert_int_equal(parse("records: postgres://db.example/sonde\n"), SN_OK);
    assert_string_equal(config.records_database, "postgres://db.example/sonde");
    assert_int_equal(parse("records: [postgres://db.example/sonde]\n"), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "records: expected a map of keys"));
}

static void every_key_reaches_its_field(void **state) {
    (void)state;
    if (parse(
            "listen: '[::1]:1'\ndata: /d\naccess: open\nlog: {level: error}\n"
            "storage:\n  retention: 2h\n  retention_rules: {'{a=\"b\"}': {retention: 1h}}\n  retention_size: 5GB\n  durability: relaxed\n  log_size: 2MiB\n"
            "  flush_interval: 5s\n  out_of_order_window: 0\n  series_max: 7\n"
            "http: {threads: 3, body_max: 1MiB}\n"
            "query: {experimental: false, cors: false}\n"
            "collect:\n  interval: 1s\n  instance: me\n  sources:\n"
            "    cpu: {interval: 5s}\n    netdev: {disabled: true}\n    time:\n") != SN_OK)
        fail_msg("%s", err.text);
    assert_string_equal(config.listen, "[::1]:1");
    assert_string_equal(config.data, "/d");
    assert_int_equal(config.access, SN_API_ACCESS_OPEN);
    assert_int_equal(config.log_level, SN_LOG_ERROR);
    assert_int_equal(config.retention_ms, 7200000);
    assert_int_equal(config.retention_bytes_max, INT64_C(5000000000));
    assert_int_equal(config.retention_rule_count, 1);
    assert_string_equal(config.retention_rules[0].match, "{a=\"b\"}");
    assert_int_equal(config.retention_rules[0].retention_ms, 3600000);
    assert_int_equal(config.durability, SN_STORE_RELAXED);
    assert_int_equal(config.log_bytes_max, 2 << 20);
    assert_int_equal(config.flush_interval_ms, 5000);
    assert_int_equal(config.out_of_order_window_ms, 0);
    assert_int_equal(config.series_max, 7);
    assert_int_equal(config.http_threads, 3);
    assert_int_equal(config.body_bytes_max, 1 << 20);
    assert_false(config.query_experimental || config.query_shared);
    assert_int_equal(config.collect_interval_ms, 1000);
    assert_string_equal(config.instance, "me");
    assert_int_equal(config.override_count, 3);
    assert_string_equal(config.overrides[0].name, "cpu");
    assert_int_equal(config.overrides[0].interval_ms, 5000);
    assert_false(config.overrides[0].is_disabled);
    assert_string_equal(config.overrides[1].name, "netdev");
    assert_true(config.overrides[1].is_disabled);
    assert_int_equal(config.overrides[2].interval_ms, 0);
}

static void the_store_is_opened_with_the_same_limits_everywhere(void **state) {
    (void)state;
    assert_int_equal(parse("data: /d\nstorage: {retention: 2h, rollup_retention: 3h, "
                           "retention_size: 5GB, series_max: 7}\n"),
                     SN_OK);
    struct sn_store_options options = sn_config_store_options(&config);
    assert_string_equal(options.dir, "/d");
    assert_int_equal(options.retention_ms, 7200000);
    assert_int_equal(options.retention_bytes_max, UINT64_C(5000000000));
    assert_int_equal(options.series_max, 7);
    assert_int_equal(options.rollup_retention_ms, 10800000);
    assert_false(options.without_rollups);
    assert_int_equal(parse("storage: {rollup_retention: 0}\n"), SN_OK);
    options = sn_config_store_options(&config);
    assert_true(options.without_rollups); /* and those there are go with the samples */
    assert_int_equal(options.rollup_retention_ms, options.retention_ms);
}

static void every_choice_is_known(void **state) {
    (void)state;
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    for (int i = SN_LOG_DEBUG; i <= SN_LOG_ERROR; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "log: {level: %s}\n", levels[i]);
        assert_int_equal(parse(text), SN_OK);
        assert_int_equal(config.log_level, i);
    }
    assert_int_equal(parse("storage: {durability: strict}\n"), SN_OK);
    assert_int_equal(config.durability, SN_STORE_STRICT);
}

static void numbers_have_two_ends(void **state) {
    (void)state;
    static const struct {
        const char *map;
        const char *key;
        const char *good[2];
        const char *bad[2];
    } cases[] = {
        {"storage", "retention", {"1h", "100y"}, {"59m", "101y"}},
        {"storage", "retention_size", {"0", "1024TiB"}, {"-1", "1125899906842625"}},
        {"storage", "rollup_retention", {"0s", "100y"}, {"-1s", "101y"}},
        {"storage", "log_size", {"1MiB", "4GiB"}, {"1048575", "4294967297"}},
        {"storage", "flush_interval", {"1s", "1d"}, {"999ms", "25h"}},
        {"storage", "out_of_order_window", {"0", "30d"}, {"-1s", "31d"}},
        {"storage", "series_max", {"1", "100000000"}, {"0", "100000001"}},
        {"storage", "series_per_metric_max", {"0", "100000000"}, {"-1", "100000001"}},
        {"storage", "labels_max", {"16", "128"}, {"15", "129"}},
        {"storage", "label_name_size_max", {"32", "1KiB"}, {"31", "1025"}},
        {"storage", "label_value_size_max", {"128", "8KiB"}, {"127", "8193"}},
        {"storage", "labels_size_max", {"1KiB", "32KiB"}, {"1023", "32769"}},
        {"storage", "future_max", {"1s", "10y"}, {"999ms", "11y"}},
        {"storage", "exemplars_max", {"0", "100000000"}, {"-1", "100000001"}},
        {"http", "threads", {"0", "64"}, {"-1", "65"}},
        {"http", "body_max", {"1KiB", "1GiB"}, {"1023", "1073741825"}},
        {"collect", "interval", {"100ms", "1h"}, {"99ms", "61m"}},
        {"collect", "sources: {cpu: {interval", {"100ms", "1h"}, {"99ms", "61m"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t side = 0; side < 2; side++) {
            char text[128];
            const char *end = strchr(cases[i].key, '{') ? "}}}" : "}";
            (void)snprintf(text, sizeof text, "%s: {%s: %s%s\n", cases[i].map, cases[i].key,
                           cases[i].good[side], end);
            if (parse(text) != SN_OK)
                fail_msg("%s: %s", text, err.text);
            (void)snprintf(text, sizeof text, "%s: {%s: %s%s\n", cases[i].map, cases[i].key,
                           cases[i].bad[side], end);
            assert_int_equal(parse(text), SN_ERR_INVALID);
            assert_int_equal(strncmp(err.text, "sonde.yml:1:", 12), 0);
        }
}

static void sources_are_limited_and_named_by_plain_text(void **state) {
    (void)state;
    assert_int_equal(parse("collect: {sources: {\"cpu\\0x\": {disabled: yes}}}\n"), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "NUL"));
    char text[4096] = "collect:\n  sources:\n";
    for (int i = 0; i < SN_COLLECT_SOURCES_MAX; i++) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len, "    s%d: {interval: 1s}\n", i);
    }
    assert_int_equal(parse(text), SN_OK);
    assert_int_equal(config.override_count, SN_COLLECT_SOURCES_MAX);
    tear_down(NULL);
    sn_config_init(&config);
    size_t len = strlen(text);
    (void)snprintf(text + len, sizeof text - len, "    more:\n");
    assert_int_equal(parse(text), SN_ERR_LIMIT);
    assert_non_null(strstr(err.text, "more than 32 sources"));
}

static void open_access_needs_a_loopback_address(void **state) {
    (void)state;
    static const struct {
        const char *listen;
        bool is_good;
    } cases[] = {
        {"127.0.0.1:0", true}, {"127.9.9.9:1", true},          {"[::1]:9464", true},
        {"localhost:1", true}, {"0.0.0.0:0", false},           {"[::]:0", false},
        {"10.0.0.1:1", false}, {"[::ffff:10.0.0.1]:1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        config.listen = cases[i].listen;
        config.access = SN_API_ACCESS_OPEN;
        assert_int_equal(sn_config_check(&config, &err), cases[i].is_good ? SN_OK : SN_ERR_INVALID);
        config.access = SN_API_ACCESS_REQUIRED;
        assert_int_equal(sn_config_check(&config, &err), SN_OK);
    }
    config.listen = "nonsense";
    assert_int_equal(sn_config_check(&config, &err), SN_ERR_INVALID);
}

static void access_is_one_of_two_words(void **state) {
    (void)state;
    enum sn_api_access access = SN_API_ACCESS_REQUIRED;
    assert_int_equal(sn_config_parse_access(SN_STR("open"), &access, &err), SN_OK);
    assert_int_equal(access, SN_API_ACCESS_OPEN);
    assert_int_equal(sn_config_parse_access(SN_STR("required"), &access, &err), SN_OK);
    assert_int_equal(access, SN_API_ACCESS_REQUIRED);
    assert_int_equal(sn_config_parse_access(SN_STR("Open"), &access, &err), SN_ERR_INVALID);
    assert_string_equal(err.text, "\"Open\" is neither \"required\" nor \"open\"");
}

/* ---- files ---- */

static void a_file_is_read_and_named(void **state) {
    (void)state;
    char *dir = make_temp_dir();
    char *good = make_file(dir, "good.yml", "data: /x\n");
    char *bad = make_file(dir, "bad.yml", "daat: /x\n");
    char start[512];
    assert_int_equal(sn_config_load(&config, good, &err), SN_OK);
    assert_string_equal(config.data, "/x");
    assert_int_equal(sn_config_load(&config, bad, &err), SN_ERR_INVALID);
    (void)snprintf(start, sizeof start, "%s:1:1: unknown key \"daat\", did you mean \"data\"?",
                   bad);
    assert_string_equal(err.text, start);
    free(good);
    free(bad);
    remove_temp_dir(dir);
}

static void files_that_cannot_be_read_have_their_status(void **state) {
    (void)state;
    char *dir = make_temp_dir();
    char *path = make_file(dir, "f.yml", "");
    assert_int_equal(sn_config_load(&config, "/nonexistent/f.yml", &err), SN_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nonexistent/f.yml"));
    assert_int_equal(sn_config_load(&config, dir, &err), SN_ERR_IO);
#ifdef SN_FAULTS
    sn_fault_arm(SN_FAULT_READ, 1, 1, EIO);
    assert_int_equal(sn_config_load(&config, path, &err), SN_ERR_IO);
    sn_fault_arm(SN_FAULT_OPEN, 1, 1, EACCES);
    assert_int_equal(sn_config_load(&config, path, &err), SN_ERR_DENIED);
#endif
    free(path);
    remove_temp_dir(dir);
}

static void a_file_that_is_too_large_is_refused(void **state) {
    (void)state;
    char *dir = make_temp_dir();
    char *text = calloc(1, 3 * SN_CONFIG_BYTES_MAX);
    assert_non_null(text);
    static const size_t sizes[] = {SN_CONFIG_BYTES_MAX, SN_CONFIG_BYTES_MAX + 1,
                                   SN_CONFIG_BYTES_MAX + 2, 2 * SN_CONFIG_BYTES_MAX};
    memset(text, '\n', 2 * SN_CONFIG_BYTES_MAX);
    for (size_t i = sizeof sizes / sizeof sizes[0]; i-- > 0;) {
        text[sizes[i]] = '\0';
        char *path = make_file(dir, "f.yml", text);
        assert_int_equal(sn_config_load(&config, path, &err), i == 0 ? SN_OK : SN_ERR_LIMIT);
        free(path);
    }
    free(text);
    remove_temp_dir(dir);
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
#ifdef SN_FAULTS
    int64_t blocks = sn_mem_block_count();
    bool has_fired = true;
    for (uint64_t n = 1; has_fired; n++) {
        struct sn_config other;
        sn_config_init(&other);
        sn_mem_fail_nth(n);
        sn_status status = sn_config_parse(
            &other, "f", SN_STR("data: /x\ncollect: {sources: {cpu: {disabled: yes}}}\n"), &err);
        has_fired = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_fired ? SN_ERR_NO_MEMORY : SN_OK);
        sn_config_release(&other);
        assert_int_equal(sn_mem_block_count(), blocks);
        assert_true(n < 100);
    }
#endif
}

/* The example of docs/CONFIGURATION.md, which shows every key: NULL-terminated, for free(). */
static char *documented_example(void) {
    static char path[1024];
    const char *source = getenv("SONDE_SOURCE");
    (void)snprintf(path, sizeof path, "%s/docs/CONFIGURATION.md", source ? source : ".");
    struct sn_buf file;
    sn_buf_init(&file, 0);
    assert_int_equal(sn_os_read_file(path, &file, NULL), SN_OK);
    sn_buf_put_byte(&file, 0);
    char *begin = strstr((char *)file.ptr, "```yaml\n");
    assert_non_null(begin);
    begin += strlen("```yaml\n");
    char *end = strstr(begin, "```");
    assert_non_null(end);
    *end = '\0';
    char *copy = malloc((size_t)(end - begin) + 1);
    assert_non_null(copy);
    memcpy(copy, begin, (size_t)(end - begin) + 1);
    sn_buf_release(&file);
    return copy;
}

static void the_documented_example_is_valid_and_shows_the_defaults(void **state) {
    (void)state;
    char *text = documented_example();
    struct sn_config defaults;
    sn_config_init(&defaults);
    if (parse(text) != SN_OK)
        fail_msg("%s", err.text);
    assert_string_equal(config.listen, defaults.listen);
    assert_string_equal(config.data, defaults.data);
    assert_int_equal(config.access, defaults.access);
    assert_int_equal(config.log_level, defaults.log_level);
    assert_int_equal(config.retention_ms, defaults.retention_ms);
    assert_int_equal(config.durability, defaults.durability);
    assert_int_equal(config.log_bytes_max, defaults.log_bytes_max);
    assert_int_equal(config.flush_interval_ms, defaults.flush_interval_ms);
    assert_int_equal(config.out_of_order_window_ms, defaults.out_of_order_window_ms);
    assert_int_equal(config.series_max, defaults.series_max);
    assert_int_equal(config.exemplars_max, defaults.exemplars_max);
    assert_int_equal(config.http_threads, defaults.http_threads);
    assert_int_equal(config.body_bytes_max, defaults.body_bytes_max);
    assert_int_equal(config.collect_interval_ms, defaults.collect_interval_ms);
    assert_string_equal(config.instance, "web1");
    assert_int_equal(config.override_count, 2);
    sn_config_release(&defaults);
    free(text);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_defaults_are_safe),
        TEST(the_documented_example_is_valid_and_shows_the_defaults),
        TEST(every_key_reaches_its_field),
        TEST(the_database_of_the_records_has_a_short_form),
        TEST(the_store_is_opened_with_the_same_limits_everywhere),
        TEST(every_choice_is_known),
        TEST(numbers_have_two_ends),
        TEST(sources_are_limited_and_named_by_plain_text),
        TEST(open_access_needs_a_loopback_address),
        TEST(access_is_one_of_two_words),
        TEST(a_file_is_read_and_named),
        TEST(files_that_cannot_be_read_have_their_status),
        TEST(a_file_that_is_too_large_is_refused),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
