/* Tests of encoders. */
#include "client/encoder_priv.h"

#include "client_support.h"

static void frames_queue_and_sessions_are_shown(void **state) {
    (void)state;
    struct sn_fake_clock clock;
    sn_fake_clock_init(&clock, INT64_C(50000000000), 0);
    sonde_registry *registry = new_registry();
    sonde_error error;
    sonde_encoder *encoder = sn_encoder_new(registry, "h264", &clock.clock, &error);
    assert_int_equal(error.status, SONDE_OK);
    sonde_encoder_session_begin(encoder);
    sonde_encoder_session_begin(encoder);
    sonde_encoder_session_end(encoder);
    sonde_encoder_queue_set(encoder, 12);
    for (int i = 0; i < 120; i++) {
        sonde_encoder_frames(encoder, 1);
        sn_fake_clock_advance_ms(&clock, 25);
    }
    sonde_encoder_dropped(encoder, 3);
    assert_true(has_line(registry, "encoder_frames_total{encoder=\"h264\"} 120"));
    assert_true(has_line(registry, "encoder_frames_dropped_total{encoder=\"h264\"} 3"));
    assert_true(has_line(registry, "encoder_frames_per_second{encoder=\"h264\"} 40"));
    assert_true(has_line(registry, "encoder_queue_length{encoder=\"h264\"} 12"));
    assert_true(has_line(registry, "encoder_sessions_active{encoder=\"h264\"} 1"));
    sonde_encoder_queue_add(encoder, -2);
    sonde_encoder_stats stats;
    sonde_encoder_read(encoder, &stats);
    assert_int_equal(stats.frames, 120);
    assert_int_equal(stats.dropped, 3);
    assert_true(stats.frames_per_second == 40);
    assert_true(stats.queue_length == 10);
    assert_true(stats.sessions_active == 1);
    (void)sonde_encoder_free(encoder);
    (void)sonde_registry_free(registry);
}

static void a_name_belongs_to_one_encoder_at_a_time(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_error error;
    sonde_encoder *first = sonde_encoder_new(registry, "av1", &error);
    sonde_encoder *other = sonde_encoder_new(registry, "vp9", &error);
    assert_non_null(other);
    assert_null(sonde_encoder_new(registry, "av1", &error));
    assert_int_equal(error.status, SONDE_ERR_EXISTS);
    sonde_encoder_frames(first, 5);
    (void)sonde_encoder_free(first);
    char *page = page_of(registry);
    assert_true(value_of(page, "encoder_frames_total{encoder=\"av1\"}") == 5);
    assert_null(strstr(page, "encoder_frames_per_second{encoder=\"av1\"}"));
    sonde_free(page);
    first = sonde_encoder_new(registry, "av1", &error);
    sonde_encoder_frames(first, 1);
    assert_true(has_line(registry, "encoder_frames_total{encoder=\"av1\"} 6"));
    (void)sonde_encoder_free(first);
    (void)sonde_encoder_free(other);
    (void)sonde_registry_free(registry);
}

static void no_encoder_is_harmless(void **state) {
    (void)state;
    sonde_encoder_stats stats = {.frames = 1};
    sonde_encoder_frames(NULL, 1);
    sonde_encoder_dropped(NULL, 1);
    sonde_encoder_queue_set(NULL, 1);
    sonde_encoder_queue_add(NULL, 1);
    sonde_encoder_session_begin(NULL);
    sonde_encoder_session_end(NULL);
    sonde_encoder_read(NULL, &stats);
    assert_int_equal(stats.frames, 0);
    assert_null(sonde_encoder_free(NULL));
}

static void names_that_are_not_text_and_taken_families_are_errors(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_error error;
    assert_null(sonde_encoder_new(registry, "\xff", &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    (void)sonde_gauge_new(registry, &(sonde_metric){.name = "encoder_queue_length"}, NULL);
    assert_null(sonde_encoder_new(registry, "x", &error));
    assert_int_equal(error.status, SONDE_ERR_EXISTS);
    assert_null(sonde_encoder_new(registry, "x", NULL));
    (void)sonde_registry_free(registry);
}

static void without_memory_there_is_an_error_and_no_leak(void **state) {
    (void)state;
    warm_up();
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1;; n++) {
        sonde_registry *registry = new_registry();
        sn_mem_fail_nth(n);
        sonde_encoder *encoder = sonde_encoder_new(registry, "x", NULL);
        sonde_encoder_frames(encoder, 1);
        sonde_encoder_queue_set(encoder, 1);
        sonde_encoder_session_begin(encoder);
        int fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        char *page = page_of(registry);
        sonde_free(page);
        (void)sonde_encoder_free(encoder);
        (void)sonde_registry_free(registry);
        assert_int_equal(sn_mem_block_count(), before);
        if (!fired)
            break;
    }
}

static void recording_does_not_allocate(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_encoder *encoder = sonde_encoder_new(registry, "x", NULL);
    for (int i = 0; i < 1001; i++) {
        if (i == 1)
            sn_mem_fail_from(1);
        sonde_encoder_frames(encoder, 1);
        sonde_encoder_dropped(encoder, 1);
        sonde_encoder_queue_set(encoder, 4);
        sonde_encoder_session_begin(encoder);
    }
    int fired = sn_mem_fail_fired();
    sn_mem_fail_from(0);
    assert_false(fired);
    assert_true(has_line(registry, "encoder_frames_total{encoder=\"x\"} 1001"));
    (void)sonde_encoder_free(encoder);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_queue_and_sessions_are_shown),
        cmocka_unit_test(a_name_belongs_to_one_encoder_at_a_time),
        cmocka_unit_test(no_encoder_is_harmless),
        cmocka_unit_test(names_that_are_not_text_and_taken_families_are_errors),
        cmocka_unit_test(without_memory_there_is_an_error_and_no_leak),
        cmocka_unit_test(recording_does_not_allocate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
