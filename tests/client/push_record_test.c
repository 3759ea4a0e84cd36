/* Tests of the calls that record: what each becomes, what is invalid, how much is too long. */
#include "push_support.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>

static struct sn_fake_clock fake;
static sonde_collector *push;

static int setup(void **state) {
    const sonde_collector_options options = {
        .service = "s\"1", .instance = "i", .url = "http://127.0.0.1:1"};
    (void)state;
    sn_fake_clock_init(&fake, 0, 1000);
    push = sn_push_open(&options, &fake.clock, false, NULL);
    return push == NULL;
}

static int teardown(void **state) {
    (void)state;
    push = sonde_collector_free(push);
    return 0;
}

static const char *buffered(void) {
    static char text[65536];
    sn_buf_reset(&push->batch);
    sn_push_ring_begin(&push->ring);
    (void)sn_push_ring_take(&push->ring, &push->batch, 1000);
    memcpy(text, push->batch.ptr, push->batch.len);
    text[push->batch.len] = '\0';
    sn_push_ring_done(&push->ring);
    sn_fake_clock_advance_ms(&fake, 1000);
    return text;
}

#define LABELS "service=\"s\\\"1\",instance=\"i\",metric_type="

static void every_call_becomes_its_samples(void **state) {
    (void)state;
    const sonde_metadata metadata[] = {{"size class", "large"}, {"2d", "a\nb"}};
    sonde_collector_track_operation(push, "re-size", 0.25, NULL);
    sonde_collector_track_operation(push, "resize", 0, "disk full");
    sonde_collector_track_processing_time(push, "upload", 1e-9, metadata, 2);
    sonde_collector_track_processing_time(push, "total", 1e300, NULL, 0);
    sonde_collector_record_success_rate(push, "job", 0, 0);
    sonde_collector_record_queue_depth(push, "in", 7, 1.5);
    assert_string_equal(buffered(),
                        "re_size_seconds{" LABELS "\"processing_time\",outcome=\"ok\"} 0.25 1000\n"
                        "resize_seconds{" LABELS
                        "\"processing_time\",outcome=\"error\",error=\"disk full\"} 0 1000\n"
                        "upload_seconds{" LABELS
                        "\"processing_time\",size_class=\"large\",_2d=\"a\\nb\"} 1e-09 1000\n"
                        "total_seconds{" LABELS "\"processing_time\"} 1e+300 1000\n"
                        "job_succeeded{" LABELS "\"success_rate\"} 0 1000\n"
                        "job_attempted{" LABELS "\"success_rate\"} 0 1000\n"
                        "in_depth{" LABELS "\"queue_metrics\"} 7 1000\n"
                        "in_wait_seconds{" LABELS "\"queue_metrics\"} 1.5 1000\n");
}

static void what_makes_no_sense_is_counted(void **state) {
    (void)state;
    sonde_metadata metadata[SONDE_PUSH_METADATA_MAX + 1] = {{"a", "b"}, {"a", "c"}};
    const double wrong[] = {(double)NAN, (double)INFINITY, -0.5};
    sonde_collector_stats stats;
    for (size_t i = 0; i < 3; i++) {
        sonde_collector_track_operation(push, "x", wrong[i], NULL);
        sonde_collector_track_processing_time(push, "x", wrong[i], NULL, 0);
        sonde_collector_record_queue_depth(push, "x", 1, wrong[i]);
    }
    sonde_collector_track_operation(push, NULL, 1, NULL);
    sonde_collector_track_operation(push, "x", 1, "\xff");
    sonde_collector_track_processing_time(push, "x", 1, metadata, 2);
    sonde_collector_track_processing_time(push, "x", 1, metadata, SONDE_PUSH_METADATA_MAX + 1);
    sonde_collector_track_processing_time(push, "x", 1, NULL, 1);
    sonde_collector_track_processing_time(push, "x", 1, &(sonde_metadata){"service", "x"}, 1);
    sonde_collector_track_processing_time(push, "x", 1, &(sonde_metadata){"x", NULL}, 1);
    sonde_collector_record_success_rate(push, "x", 2, 1);
    sonde_collector_read(push, &stats);
    assert_int_equal(stats.dropped_invalid, 12 + 7 + 2);
    assert_int_equal(stats.submitted, stats.dropped_invalid);
    assert_string_equal(buffered(), "");
}

static void metadata_is_limited_at_n_and_n_plus_1(void **state) {
    (void)state;
    sonde_metadata metadata[SONDE_PUSH_METADATA_MAX];
    char keys[SONDE_PUSH_METADATA_MAX][8];
    static char value[SONDE_PUSH_RECORD_BYTES_MAX];
    sonde_collector_stats stats;
    for (size_t i = 0; i < SONDE_PUSH_METADATA_MAX; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%zu", i);
        metadata[i] = (sonde_metadata){keys[i], "v"};
    }
    sonde_collector_track_processing_time(push, "x", 1, metadata, SONDE_PUSH_METADATA_MAX);
    assert_int_equal(push_count_lines(buffered()), 1);
    memset(value, 'v', sizeof value - 1);
    static const char around[] =
        "x_seconds{" LABELS "\"processing_time\",k=\"\"} 1"; /* as the line, without the value */
    value[sizeof value - sizeof around + 1] = '\0';
    sonde_collector_track_processing_time(push, "x", 1, &(sonde_metadata){"k", value}, 1);
    assert_int_equal(push_count_lines(buffered()), 1);
    sonde_collector_track_processing_time(push, "xy", 1, &(sonde_metadata){"k", value}, 1);
    sonde_collector_read(push, &stats);
    assert_int_equal(stats.dropped_too_long, 1);
}

static void messages_are_cut_and_counted(void **state) {
    (void)state;
    char message[SONDE_PUSH_ERROR_BYTES_MAX + 8];
    memset(message, 'm', sizeof message);
    memcpy(message + SONDE_PUSH_ERROR_BYTES_MAX - 1, "\xc3\xa4", 3);
    sonde_collector_track_operation(push, "x", 1, message);
    message[SONDE_PUSH_ERROR_BYTES_MAX - 1] = '\0';
    const char *text = buffered();
    const char *at = strstr(text, "error=\"m");
    assert_non_null(at);
    assert_memory_equal(at + 7, message, SONDE_PUSH_ERROR_BYTES_MAX - 1);
    assert_int_equal(at[7 + SONDE_PUSH_ERROR_BYTES_MAX - 1], '"');
    for (int i = 1; i < SONDE_PUSH_ERRORS_MAX; i++) {
        (void)snprintf(message, sizeof message, "e%d", i);
        sonde_collector_track_operation(push, "x", 1, message);
    }
    assert_null(strstr(buffered(), SONDE_OTHER));
    sonde_collector_track_operation(push, "x", 1, "one more");
    assert_non_null(strstr(buffered(), "error=\"__other__\""));
    sonde_collector_track_operation(push, "x", 1, "e1");
    assert_non_null(strstr(buffered(), "error=\"e1\""));
}

static void without_a_collector_nothing_happens(void **state) {
    (void)state;
    sonde_collector_track_operation(NULL, "x", 1, NULL);
    sonde_collector_track_processing_time(NULL, "x", 1, NULL, 0);
    sonde_collector_record_success_rate(NULL, "x", 1, 1);
    sonde_collector_record_queue_depth(NULL, "x", 1, 1);
}

static void recording_takes_no_memory(void **state) {
    (void)state;
    int64_t before = sn_mem_block_count();
    size_t cap = push->ring.cap;
    for (int i = 0; i < 200000; i++) {
        sonde_collector_record_queue_depth(push, "in", 7, 1.5);
        sn_fake_clock_advance_ms(&fake, 1);
    }
    assert_int_equal(sn_mem_block_count(), before);
    assert_int_equal(push->ring.cap, cap);
    assert_true(push->ring.used <= cap && push->ring.count <= 100000);
    assert_int_equal(sonde_collector_dropped_count(push), 400000 - push->ring.count);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_call_becomes_its_samples, setup, teardown),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(metadata_is_limited_at_n_and_n_plus_1, setup, teardown),
        cmocka_unit_test_setup_teardown(messages_are_cut_and_counted, setup, teardown),
        cmocka_unit_test(without_a_collector_nothing_happens),
        cmocka_unit_test_setup_teardown(recording_takes_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
