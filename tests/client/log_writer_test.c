/*
 * Tests of draining: order over threads, time from ticks and from the clock, the thread itself.
 */
#include "log_support.h"

#include "client/ticks_priv.h"

#include <pthread.h>

struct task {
    struct log_fixture *f;
    int number;
};

/* Lines number, number + 4, ... by a thread of its own, each at its own millisecond. */
static void *log_every_fourth(void *ctx) {
    struct task *task = ctx;
    sonde_logger *logger = sonde_logger_get(task->f->log, NULL);
    for (int i = 0; i < 25; i++) {
        sn_fake_clock_init(&task->f->clock, INT64_C(1000000) * (task->number + 4 * i), LOG_TIME_MS);
        SONDE_LOG_INFO(logger, "line", SONDE_I64("i", task->number + 4 * i));
    }
    return NULL;
}

static void lines_of_threads_are_in_order_of_time(void **state) {
    struct log_fixture *f = *state;
    char expected[32];
    log_open_callback(f, SONDE_LOG_FORMAT_LOGFMT);
    /* One after the other, so that the clock is theirs alone; a ring each, as they overlap. */
    for (int number = 3; number >= 0; number--) {
        struct task task = {f, number};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, log_every_fourth, &task), 0);
        (void)pthread_join(thread, NULL);
        /* Keep the next thread from taking this one's ring over. */
        for (size_t i = 0; i < f->log->ring_count; i++) {
            if (sn_log_load(&f->log->rings[i].pushed) > 0)
                (void)sn_log_ring_claim(&f->log->rings[i]);
        }
    }
    sn_fake_clock_init(&f->clock, 100000000, LOG_TIME_MS);
    const char *text = log_lines(f);
    assert_int_equal(log_count_char(text, '\n'), 100);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(expected, sizeof expected, " i=%d\n", i);
        text = strstr(text, expected);
        assert_non_null(text);
    }
}

static void time_counts_back_from_the_moment_of_writing(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_LOGFMT);
    SONDE_LOG_INFO(sonde_logger_get(f->log, NULL), "line");
    sn_fake_clock_advance_ms(&f->clock, 60000);
    assert_string_equal(log_lines(f), "ts=" LOG_TIME_6 " level=info msg=line\n");
}

static void ticks_become_time(void **state) {
    (void)state;
    const struct sn_log_moment moment = {.tick = 1000000,
                                         .tick_scale = UINT64_C(1) << 31, /* half a nanosecond */
                                         .mono_ns = 500,
                                         .wall_ns = 1000000000};
    struct sn_log_record record = {.flags = SN_LOG_RECORD_TICK, .stamp = 999000};
    assert_int_equal(sn_log_time_of(&moment, &record), 1000000000 - 500);
    record.stamp = 1000100;
    assert_int_equal(sn_log_time_of(&moment, &record), 1000000000 + 50);
    record.flags = 0;
    record.stamp = 400;
    assert_int_equal(sn_log_time_of(&moment, &record), 1000000000 - 100);
}

static int keep_time(void *ctx, const sonde_log_entry *entry) {
    *(int64_t *)ctx = entry->time_ns;
    return 0;
}

/* Whatever the stamp was, the line has the time at which it was logged. */
static void the_real_clock_is_right(void **state) {
    struct log_fixture *f = *state;
    int64_t time_ns = 0;
    const sonde_log_sink sink = {.type = SONDE_SINK_CALLBACK, .write = keep_time, .ctx = &time_ns};
    f->log = sn_log_system_open(&(sonde_log_options){.sinks = &sink, .sink_count = 1},
                                sn_clock_system(), false, NULL);
    for (int i = 0; i < 3; i++) {
        int64_t before_ns = sn_clock_system_wall_ns();
        SONDE_LOG_INFO(sonde_logger_get(f->log, NULL), "line");
        int64_t after_ns = sn_clock_system_wall_ns();
        sn_clock_system()->sleep_ns(NULL, 25000000); /* the counter is calibrated meanwhile */
        assert_true(sonde_log_flush(f->log, 1000));
        assert_in_range(time_ns, before_ns - 1000000, after_ns + 1000000);
    }
}

static int count_line(void *ctx, const sonde_log_entry *entry) {
    (void)entry;
    atomic_fetch_add((_Atomic int *)ctx, 1);
    return 0;
}

static void the_thread_writes_without_being_asked(void **state) {
    struct log_fixture *f = *state;
    _Atomic int count = 0;
    const sonde_log_sink sink = {.type = SONDE_SINK_CALLBACK, .write = count_line, .ctx = &count};
    f->log = sonde_log_open(&(sonde_log_options){.sinks = &sink, .sink_count = 1}, NULL);
    SONDE_LOG_INFO(sonde_logger_get(f->log, NULL), "line");
    for (int i = 0; i < 1000 && atomic_load(&count) == 0; i++)
        sn_clock_system()->sleep_ns(NULL, 10000000);
    assert_int_equal(atomic_load(&count), 1);
    SONDE_LOG_INFO(sonde_logger_get(f->log, NULL), "line");
    assert_true(sonde_log_flush(f->log, 10000));
    assert_int_equal(atomic_load(&count), 2);
}

static void more_than_a_ring_full_is_written_in_parts(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_LOGFMT);
    sonde_logger *logger = sonde_logger_get(f->log, NULL);
    static char text[9001];
    memset(text, 'x', sizeof text - 1);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 7; i++)
            SONDE_LOG_INFO(logger, text);
        assert_int_equal(log_count_char(log_lines(f), '\n'), 7);
    }
    assert_int_equal(sonde_log_dropped_count(f->log), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_of_threads_are_in_order_of_time, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(time_counts_back_from_the_moment_of_writing, log_setup,
                                        log_teardown),
        cmocka_unit_test(ticks_become_time),
        cmocka_unit_test_setup_teardown(the_real_clock_is_right, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(the_thread_writes_without_being_asked, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(more_than_a_ring_full_is_written_in_parts, log_setup,
                                        log_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
