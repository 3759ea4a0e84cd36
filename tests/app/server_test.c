/* The whole server in this process: start, reload, stop, and starts that fail. */
#include "app/server.h"

#include "app_support.h"
#include "base/mem.h"
#include "base/os.h"
#include "engine/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct sn_label label = {SN_STR("__name__"), SN_STR("kept")};

struct fixture {
    char *dir;
    char data[256];
    struct sn_config config;
    struct sn_server server;
    struct sn_err err;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    f->dir = make_temp_dir();
    (void)snprintf(f->data, sizeof f->data, "%s/data", f->dir);
    sn_config_init(&f->config);
    f->config.listen = "127.0.0.1:0";
    f->config.data = f->data;
    f->config.access = SN_API_ACCESS_OPEN;
    f->config.http_threads = 2;
    f->config.collect_interval_ms = 3600000;
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    sn_config_release(&f->config);
    remove_temp_dir(f->dir);
    free(f);
    return 0;
}

static void start(struct fixture *f) {
    if (sn_server_start(&f->server, &f->config, &f->err) != SN_OK)
        fail_msg("%s", f->err.text);
}

/* Stop, and check that it was quick and that nothing is left in the struct. */
static void stop(struct fixture *f) {
    static const struct sn_server empty;
    int64_t start_ns = sn_clock_mono_ns(sn_clock_system());
    sn_server_stop(&f->server);
    assert_true(sn_clock_mono_ns(sn_clock_system()) - start_ns < INT64_C(2000000000));
    assert_memory_equal(&f->server, &empty, sizeof empty);
}

static void push(struct fixture *f, int64_t time_ms, double value) {
    struct sn_batch_builder builder;
    struct sn_push_result result;
    sn_batch_builder_init(&builder, 0);
    assert_int_equal(
        sn_batch_builder_add(&builder, (struct sn_labels){&label, 1}, time_ms, value, NULL), SN_OK);
    struct sn_batch batch = sn_batch_builder_view(&builder);
    assert_int_equal(sn_sink_push_wait(sn_store_sink(f->server.store), &batch, &result, &f->err),
                     SN_OK);
    assert_int_equal(result.accepted_count, 1);
    sn_batch_builder_release(&builder);
}

/* Number of samples in a minute of a metric; *ret_last: the newest value. */
static uint64_t count(struct fixture *f, const char *name, int64_t start_ms, double *ret_last) {
    const struct sn_history_source source = {
        .querier = sn_query_engine_querier(f->server.query_engine), .clock = sn_clock_system()};
    const struct sn_history_query query = {
        .expression = sn_str_from(name), .range = {start_ms, start_ms + 59999}, .step_ms = 60000};
    struct sn_arena arena;
    struct sn_history history;
    uint64_t total = 0;
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_history_read(&source, &query, &arena, &history, &f->err), SN_OK);
    for (size_t i = 0; i < history.series_count; i++) {
        total += history.series[i].columns.count[0];
        *ret_last = history.series[i].columns.max[0];
    }
    sn_arena_release(&arena);
    return total;
}

static size_t open_file_count(void) {
    size_t total = 0;
    char path[64];
    for (int fd = 0; fd < 256; fd++) {
        struct stat facts;
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        total += lstat(path, &facts) == 0;
    }
    return total;
}

/* ---- life ---- */

static void it_starts_and_stops_again_and_again(void **state) {
    struct fixture *f = *state;
    start(f);
    stop(f);
    size_t files = open_file_count();
    int64_t blocks = sn_mem_block_count();
    for (int i = 0; i < 3; i++) {
        start(f);
        assert_int_equal(strncmp(sn_http_server_address(f->server.http), "127.0.0.1:", 10), 0);
        stop(f);
    }
    assert_int_equal(open_file_count(), files);
    assert_int_equal(sn_mem_block_count(), blocks);
}

static void what_was_pushed_is_there_after_a_restart(void **state) {
    struct fixture *f = *state;
    int64_t now_ms = sn_clock_wall_ms(sn_clock_system());
    double value = 0;
    start(f);
    push(f, now_ms, 42.5);
    stop(f);
    start(f);
    assert_int_equal(count(f, "kept", now_ms, &value), 1);
    assert_true(value == 42.5);
    stop(f);
}

static void reload_changes_the_collectors_and_keeps_the_data(void **state) {
    struct fixture *f = *state;
    int64_t now_ms = sn_clock_wall_ms(sn_clock_system());
    double value = 0;
    struct sn_config next = f->config;
    bool needs_restart = true;
    next.collect_interval_ms = SN_COLLECT_INTERVAL_MS_MIN;
    start(f);
    push(f, now_ms, 1);
    assert_int_equal(sn_server_reload(&f->server, &next, &needs_restart, &f->err), SN_OK);
    assert_false(needs_restart);
    /* Four passes of 100 ms each: more than one start of the collectors alone can give. */
    while (count(f, "node_load1", now_ms, &value) < 4)
        sn_clock_system()->sleep_ns(NULL, 10000000);
    assert_int_equal(count(f, "kept", now_ms, &value), 1);
    stop(f);
}

static void reload_says_what_needs_a_restart(void **state) {
    struct fixture *f = *state;
    start(f);
#define CHANGED(member, new_value, expected)                                                       \
    do {                                                                                           \
        struct sn_config next = f->config;                                                         \
        bool needs_restart = !(expected);                                                          \
        next.member = (new_value);                                                                 \
        assert_int_equal(sn_server_reload(&f->server, &next, &needs_restart, &f->err), SN_OK);     \
        assert_int_equal(needs_restart, (expected));                                               \
        assert_int_equal(sn_server_reload(&f->server, &f->config, &needs_restart, &f->err),        \
                         SN_OK);                                                                   \
    } while (0)
    CHANGED(log_level, SN_LOG_ERROR, false);
    CHANGED(instance, "other", false);
    CHANGED(listen, "127.0.0.1:1", true);
    CHANGED(data, "/elsewhere", true);
    CHANGED(access, SN_API_ACCESS_REQUIRED, true);
    CHANGED(retention_ms, 3600000, true);
    CHANGED(durability, SN_STORE_RELAXED, true);
    CHANGED(body_bytes_max, 1024, true);
    stop(f);
}

static void a_bad_reload_changes_nothing(void **state) {
    struct fixture *f = *state;
    struct sn_config next = f->config;
    bool needs_restart = false;
    next.overrides[0] = (struct sn_collect_override){.name = "nonsense"};
    next.override_count = 1;
    start(f);
    struct sn_collect *before = f->server.collect;
    assert_int_equal(sn_server_reload(&f->server, &next, &needs_restart, &f->err), SN_ERR_INVALID);
    assert_non_null(strstr(f->err.text, "nonsense"));
    assert_ptr_equal(f->server.collect, before);
    assert_ptr_equal(f->server.config, &f->config);
    stop(f);
}

/* ---- starts that fail ---- */

static void assert_start_fails(struct fixture *f, sn_status status, const char *words) {
    static const struct sn_server empty;
    assert_int_equal(sn_server_start(&f->server, &f->config, &f->err), status);
    assert_non_null(strstr(f->err.text, words));
    assert_memory_equal(&f->server, &empty, sizeof empty);
}

static void a_port_in_use_is_named_and_leaves_nothing(void **state) {
    struct fixture *f = *state;
    static struct sn_server other;
    struct sn_config other_config = f->config;
    char data[300], listen[64];
    (void)snprintf(data, sizeof data, "%s-other", f->data);
    other_config.data = data;
    assert_int_equal(sn_server_start(&other, &other_config, &f->err), SN_OK);
    (void)snprintf(listen, sizeof listen, "%s", sn_http_server_address(other.http));
    f->config.listen = listen;
    assert_start_fails(f, SN_ERR_EXISTS, listen);
    sn_server_stop(&other);
    start(f);
    stop(f);
}

static void a_directory_in_use_is_named_with_its_process(void **state) {
    struct fixture *f = *state;
    static struct sn_server other;
    char pid[32];
    assert_int_equal(sn_server_start(&other, &f->config, &f->err), SN_OK);
    (void)snprintf(pid, sizeof pid, "%d", sn_os_pid());
    assert_start_fails(f, SN_ERR_BUSY, pid);
    sn_server_stop(&other);
}

static void a_directory_that_cannot_be_used_is_named(void **state) {
    struct fixture *f = *state;
    free(make_file(f->dir, "data", "a file"));
    struct sn_err err = {.status = SN_OK};
    assert_int_not_equal(sn_server_start(&f->server, &f->config, &err), SN_OK);
    assert_non_null(strstr(err.text, f->data));
}

static void an_unknown_source_is_named(void **state) {
    struct fixture *f = *state;
    f->config.overrides[0] = (struct sn_collect_override){.name = "nonsense"};
    f->config.override_count = 1;
    size_t files = open_file_count();
    assert_start_fails(f, SN_ERR_INVALID, "nonsense");
    assert_int_equal(open_file_count(), files);
}

static void a_failing_allocation_leaves_nothing_behind(void **state) {
    struct fixture *f = *state;
#ifdef SN_FAULTS
    start(f); /* What libsonde registers once stays. */
    stop(f);
    int64_t blocks = sn_mem_block_count();
    size_t files = open_file_count();
    bool has_fired = true;
    /* Every one of the first, then a growing stride: a start makes thousands. */
    for (uint64_t n = 1; has_fired && n < 20000; n += 1 + n / 12) {
        sn_mem_fail_nth(n);
        sn_status status = sn_server_start(&f->server, &f->config, &f->err);
        has_fired = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        if (status == SN_OK)
            sn_server_stop(&f->server);
        else
            assert_true(status == SN_ERR_NO_MEMORY && f->err.text[0] != '\0');
        assert_int_equal(open_file_count(), files);
        assert_int_equal(sn_mem_block_count(), blocks);
    }
    assert_false(has_fired);
#else
    (void)f;
#endif
}

static void a_failing_system_call_leaves_nothing_behind(void **state) {
    struct fixture *f = *state;
#ifdef SN_FAULTS
    start(f);
    stop(f);
    int64_t blocks = sn_mem_block_count();
    size_t files = open_file_count();
    for (uint64_t n = 1; n < 200; n += 1 + n / 16) {
        sn_fault_arm(SN_FAULT_ANY, n, 1, EIO);
        sn_status status = sn_server_start(&f->server, &f->config, &f->err);
        sn_fault_disarm_all();
        if (status == SN_OK)
            sn_server_stop(&f->server);
        else
            assert_true(f->err.text[0] != '\0');
        assert_int_equal(open_file_count(), files);
        assert_int_equal(sn_mem_block_count(), blocks);
    }
    start(f); /* and the directory is in order */
    stop(f);
#else
    (void)f;
#endif
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_starts_and_stops_again_and_again),
        TEST(what_was_pushed_is_there_after_a_restart),
        TEST(reload_changes_the_collectors_and_keeps_the_data),
        TEST(reload_says_what_needs_a_restart),
        TEST(a_bad_reload_changes_nothing),
        TEST(a_port_in_use_is_named_and_leaves_nothing),
        TEST(a_directory_in_use_is_named_with_its_process),
        TEST(a_directory_that_cannot_be_used_is_named),
        TEST(an_unknown_source_is_named),
        TEST(a_failing_allocation_leaves_nothing_behind),
        TEST(a_failing_system_call_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
