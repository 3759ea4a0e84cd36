/* Tests of what happens to samples on their way into the buffer: timestamps that no two samples of
 * a series share, a clock that is set back, calls faster than the clock, all or none of a call. */
#include "push_support.h"

struct fixture {
    struct sn_fake_clock clock;
    sonde_collector *push;
};

static int setup(void **state) {
    static struct fixture fixture;
    const sonde_collector_options options = {.service = "s", .url = "http://127.0.0.1:1"};
    sn_fake_clock_init(&fixture.clock, 0, 1000000);
    fixture.push = sn_push_open(&options, &fixture.clock.clock, false, NULL);
    *state = &fixture;
    return fixture.push == NULL;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    f->push = sonde_collector_free(f->push);
    return 0;
}

static void submit(struct fixture *f, const char *text, size_t slot) {
    char copy[64];
    struct sn_push_entry entry = {.line = {.ptr = copy, .cap = sizeof copy}, .slot = slot};
    sn_push_line_raw_name(&entry.line, sn_str_from(text));
    sn_push_submit(f->push, &entry, 1);
}

static const char *buffered(struct fixture *f) {
    static char text[65536];
    struct sn_buf *batch = &f->push->batch;
    sn_buf_reset(batch);
    sn_push_ring_begin(&f->push->ring);
    (void)sn_push_ring_take(&f->push->ring, batch, 1000);
    assert_true(batch->len < sizeof text);
    memcpy(text, batch->ptr, batch->len);
    text[batch->len] = '\0';
    sn_push_ring_done(&f->push->ring);
    return text;
}

static void samples_of_a_series_never_share_a_millisecond(void **state) {
    struct fixture *f = *state;
    submit(f, "a", 1);
    submit(f, "b", 2);
    submit(f, "a", 1);
    submit(f, "a", 1);
    sn_fake_clock_advance_ms(&f->clock, 1);
    submit(f, "a", 1);
    submit(f, "b", 2);
    sn_fake_clock_advance_ms(&f->clock, 100);
    submit(f, "a", 1);
    assert_string_equal(buffered(f), "a 1000000\nb 1000000\na 1000001\na 1000002\na 1000003\n"
                                     "b 1000001\na 1000101\n");
}

static void a_series_faster_than_the_clock_loses_beyond_a_bound(void **state) {
    struct fixture *f = *state;
    for (int i = 0; i < SONDE_PUSH_AHEAD_MS + 1; i++)
        submit(f, "a", 1);
    assert_int_equal(sonde_collector_dropped_count(f->push), 0);
    submit(f, "a", 1);
    submit(f, "b", 2);
    sonde_collector_stats stats;
    sonde_collector_read(f->push, &stats);
    assert_int_equal(stats.dropped_rate, 1);
    assert_int_equal(stats.submitted, SONDE_PUSH_AHEAD_MS + 3);
    assert_int_equal(stats.queued, SONDE_PUSH_AHEAD_MS + 2);
    sn_fake_clock_advance_ms(&f->clock, 1);
    submit(f, "a", 1);
    assert_int_equal(sonde_collector_dropped_count(f->push), 1);
}

static void a_clock_that_is_set_back_is_followed(void **state) {
    struct fixture *f = *state;
    submit(f, "a", 1);
    sn_fake_clock_advance_ms(&f->clock, -1000);
    submit(f, "a", 1);
    sn_fake_clock_advance_ms(&f->clock, -100000);
    submit(f, "a", 1);
    assert_string_equal(buffered(f), "a 1000000\na 1000001\na 899000\n");
}

static void all_or_none_of_a_call_is_taken(void **state) {
    struct fixture *f = *state;
    char text[2][16];
    sonde_collector_stats stats;
    struct sn_push_entry entries[2] = {{.line = {.ptr = text[0], .cap = 16}, .slot = 1},
                                       {.line = {.ptr = text[1], .cap = 16}, .slot = 2}};
    sn_push_line_raw_name(&entries[0].line, SN_STR("a"));
    sn_push_line_raw_name(&entries[1].line, SN_STR("b"));
    submit(f, "b", 2);
    sn_push_submit(f->push, entries, 2);
    assert_string_equal(buffered(f), "b 1000000\na 1000001\nb 1000001\n");
    entries[1].line.status = SN_ERR_LIMIT;
    sn_push_submit(f->push, entries, 2);
    entries[1].line.status = SN_ERR_INVALID;
    sn_push_submit(f->push, entries, 2);
    sn_push_submit_at(f->push, &entries[1].line, 5);
    sonde_collector_read(f->push, &stats);
    assert_int_equal(stats.dropped_too_long, 2);
    assert_int_equal(stats.dropped_invalid, 3);
    assert_int_equal(stats.submitted, 8);
    assert_int_equal(stats.queued, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(samples_of_a_series_never_share_a_millisecond, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_series_faster_than_the_clock_loses_beyond_a_bound, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_clock_that_is_set_back_is_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(all_or_none_of_a_call_is_taken, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
