/* Clients and channels: what is shared, what a slow client misses, what is limited. The worker runs in
 * a thread of its own; net is played by the test, which pulls. */
#include "api/stream_hub.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1700000000000)
#define SECOND_NS INT64_C(1000000000)
enum { CLIENTS = 200, PAD_BYTES = 1000 };

struct fixture {
    struct sn_fake_clock clock;
    struct sn_stream_hub *hub;
    struct sn_worker worker;
    struct sn_thread thread;
    struct sn_mutex mu; /* guards what is below */
    struct sn_cond changed;
    size_t write_count, wake_count;
    sn_status write_status;
    int64_t last_ms;
};

static sn_status write_data(void *ctx, const struct sn_stream_event *event,
                            struct sn_json_writer *json, struct sn_err *ret_err) {
    static char pad[PAD_BYTES];
    struct fixture *f = ctx;
    memset(pad, 'x', sizeof pad);
    sn_mutex_lock(&f->mu);
    size_t number = ++f->write_count;
    sn_status status = f->write_status;
    f->last_ms = event->last_ms;
    sn_cond_broadcast(&f->changed);
    sn_mutex_unlock(&f->mu);
    if (status != SN_OK)
        return sn_err_set(ret_err, status, "the writer said no");
    sn_json_write_object_begin(json);
    sn_json_write_key_uint64(json, SN_STR("number"), number);
    sn_json_write_key_string(json, SN_STR("pad"), sn_str_make(pad, sizeof pad));
    sn_json_write_object_end(json);
    return SN_OK;
}

/* The fixture stands in for the request: nothing else is known of it here. */
static void wake(struct sn_http_request *request) {
    struct fixture *f = (struct fixture *)(void *)request;
    sn_mutex_lock(&f->mu);
    f->wake_count++;
    sn_cond_broadcast(&f->changed);
    sn_mutex_unlock(&f->mu);
}

static int set_up(void **state) {
    static struct fixture fixture;
    struct fixture *f = &fixture;
    *f = (struct fixture){.write_status = SN_OK};
    sn_fake_clock_init(&f->clock, SECOND_NS, NOW_MS);
    sn_mutex_init(&f->mu, SN_RANK_EVENT, "test");
    sn_cond_init(&f->changed);
    const struct sn_stream_hub_options options = {
        .clock = &f->clock.clock, .write = write_data, .ctx = f, .wake = wake};
    if (sn_stream_hub_open(&options, &f->hub, NULL) != SN_OK)
        return -1;
    f->worker = sn_stream_hub_worker(f->hub);
    *state = f;
    return 0;
}

static void start_worker(struct fixture *f) {
    assert_int_equal(
        sn_thread_start(&f->thread, f->worker.name, f->worker.run, f->worker.ctx, NULL), SN_OK);
}

static void stop_worker(struct fixture *f) {
    f->worker.stop(f->worker.ctx);
    sn_thread_join(&f->thread);
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    (void)sn_stream_hub_close(f->hub); /* NULL, always */
    sn_cond_release(&f->changed);
    sn_mutex_release(&f->mu);
    return 0;
}

static void await_wakes(struct fixture *f, size_t count) {
    sn_mutex_lock(&f->mu);
    while (f->wake_count < count)
        sn_cond_wait(&f->changed, &f->mu);
    sn_mutex_unlock(&f->mu);
}

static void pass_seconds(struct fixture *f, int64_t seconds) {
    sn_fake_clock_advance_ms(&f->clock, seconds * 1000);
}

static struct sn_stream_spec spec_of(enum sn_stream_topic topic) {
    struct sn_stream_spec spec = {.range_ms = 3600000, .step_ms = 1000, .tempo_ms = 1000};
    spec.wants[topic] = true;
    if (topic == SN_STREAM_HISTORY)
        spec.items[spec.item_count++] =
            (struct sn_history_item){.id = SN_STR("a"), .expression = SN_STR("1")};
    return spec;
}

static sn_status join_as(struct fixture *f, const struct sn_stream_spec *spec, int64_t user_id,
                         int64_t last_ms, struct sn_http_stream *ret_stream, struct sn_err *err) {
    const struct sn_stream_join join = {
        .request = (struct sn_http_request *)(void *)f, .user_id = user_id, .last_ms = last_ms};
    return sn_stream_hub_join(f->hub, spec, &join, ret_stream, err);
}

static struct sn_http_stream join(struct fixture *f, enum sn_stream_topic topic) {
    struct sn_http_stream stream;
    struct sn_stream_spec spec = spec_of(topic);
    assert_int_equal(join_as(f, &spec, 0, 0, &stream, NULL), SN_OK);
    return stream;
}

/* Everything that can be read now, and how it ends. */
static enum sn_http_stream_step read_all(const struct sn_http_stream *stream, char *text,
                                         size_t size) {
    size_t len = 0, got = 0;
    enum sn_http_stream_step step;
    while ((step = stream->pull(stream->ctx, (uint8_t *)text + len, (size - len - 1) % 97 + 1,
                                &got)) == SN_HTTP_STREAM_DATA) {
        len += got;
        assert_true(len < size - 1);
    }
    text[len] = '\0';
    return step;
}

static void assert_starts_with(const char *text, const char *start) {
    if (strncmp(text, start, strlen(start)) != 0)
        fail_msg("wanted %s..., got %s", start, text);
}

static struct sn_stream_stats stats_of(struct fixture *f) {
    struct sn_stream_stats stats;
    sn_stream_hub_stats(f->hub, &stats);
    return stats;
}

static void an_event_comes_at_once_and_then_in_its_tempo(void **state) {
    struct fixture *f = *state;
    char text[8192];
    struct sn_http_stream stream = join(f, SN_STREAM_TICK);
    assert_string_equal(stream.content_type, "text/event-stream");
    assert_true(stream.is_endless);
    assert_int_equal(read_all(&stream, text, sizeof text), SN_HTTP_STREAM_WAIT);
    assert_string_equal(text, "retry: 2000\n\n");
    start_worker(f);
    await_wakes(f, 1);
    assert_int_equal(read_all(&stream, text, sizeof text), SN_HTTP_STREAM_WAIT);
    assert_starts_with(text, "event: tick\ndata: {\"number\":1,");
    assert_string_equal(text + strlen(text) - 2, "\n\n");
    pass_seconds(f, 1);
    await_wakes(f, 2);
    assert_int_equal(read_all(&stream, text, sizeof text), SN_HTTP_STREAM_WAIT);
    assert_non_null(strstr(text, "{\"number\":2,"));
    stream.closed(stream.ctx, true);
    stop_worker(f);
    assert_int_equal(stats_of(f).bytes_now, 0);
    assert_int_equal(stats_of(f).sent_total, 2);
    assert_int_equal(stats_of(f).dropped_total, 0);
}

static void clients_with_one_question_share_it(void **state) {
    struct fixture *f = *state;
    char text[8192];
    struct sn_http_stream streams[10];
    for (size_t i = 0; i < 10; i++)
        streams[i] = join(f, i < 9 ? SN_STREAM_OVERVIEW : SN_STREAM_TICK);
    assert_int_equal(stats_of(f).channels_now, 2);
    start_worker(f);
    await_wakes(f, 10);
    assert_int_equal(stats_of(f).events_total, 2);
    struct sn_http_stream late = join(f, SN_STREAM_OVERVIEW);
    (void)read_all(&late, text, sizeof text); /* the newest event is there */
    assert_non_null(strstr(text, "event: overview"));
    late.closed(late.ctx, false);
    for (size_t i = 0; i < 10; i++)
        streams[i].closed(streams[i].ctx, false);
    stop_worker(f);
    assert_int_equal(stats_of(f).channels_now, 0);
    assert_int_equal(stats_of(f).clients_now, 0);
}

/* Two hundred clients that read nothing but the beginning of one event. */
static void slow_clients_cost_one_frame_each_at_most(void **state) {
    struct fixture *f = *state;
    static struct sn_http_stream streams[CLIENTS];
    uint8_t byte;
    size_t len = 0;
    for (size_t i = 0; i < CLIENTS; i++)
        streams[i] = join(f, SN_STREAM_OVERVIEW);
    start_worker(f);
    await_wakes(f, CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++)
        for (size_t j = 0; j < sizeof "retry: 2000\n\n"; j++)
            assert_int_equal(streams[i].pull(streams[i].ctx, &byte, 1, &len), SN_HTTP_STREAM_DATA);
    for (size_t turn = 2; turn < 10; turn++) {
        pass_seconds(f, 1);
        await_wakes(f, CLIENTS * turn);
        /* The frame that all of them hold, and the newest. */
        assert_true(stats_of(f).bytes_now < 4 * (PAD_BYTES + 200));
    }
    char text[8192];
    for (size_t i = 0; i < CLIENTS; i++) {
        (void)read_all(&streams[i], text, sizeof text);
        assert_null(strstr(text, "lag")); /* an overview is whole: nothing is lost */
        streams[i].closed(streams[i].ctx, false);
    }
    stop_worker(f);
    assert_int_equal(stats_of(f).dropped_total, CLIENTS * 7);
    assert_int_equal(stats_of(f).bytes_now, 0);
}

static void who_misses_steps_of_history_is_told(void **state) {
    struct fixture *f = *state;
    char text[8192];
    struct sn_http_stream stream = join(f, SN_STREAM_HISTORY);
    start_worker(f);
    await_wakes(f, 1);
    (void)read_all(&stream, text, sizeof text);
    assert_non_null(strstr(text, "id: 1700000000000\nevent: history\n"));
    for (size_t i = 0; i < 2; i++) { /* the newest event has the step of the one before as well */
        pass_seconds(f, 1);
        await_wakes(f, 2 + i);
    }
    (void)read_all(&stream, text, sizeof text);
    assert_null(strstr(text, "lag"));
    for (size_t i = 0; i < 4; i++) {
        pass_seconds(f, 1);
        await_wakes(f, 4 + i);
    }
    (void)read_all(&stream, text, sizeof text);
    assert_starts_with(text, "event: lag\ndata: {\"topic\":\"history\",\"dropped\":3}\n\nid: ");
    stream.closed(stream.ctx, false);
    stop_worker(f);
    assert_int_equal(stats_of(f).dropped_total, 4);
}

static void who_comes_back_gets_what_it_missed_first(void **state) {
    struct fixture *f = *state;
    char text[8192];
    struct sn_http_stream stream;
    struct sn_stream_spec spec = spec_of(SN_STREAM_HISTORY);
    assert_int_equal(join_as(f, &spec, 0, NOW_MS - 60000, &stream, NULL), SN_OK);
    assert_int_equal(f->last_ms, NOW_MS - 60000);
    (void)read_all(&stream, text, sizeof text);
    assert_starts_with(text, "retry: 2000\n\nid: 1700000000000\nevent: history\n");
    stream.closed(stream.ctx, true);
    f->write_status = SN_ERR_IO;
    assert_int_equal(join_as(f, &spec, 0, NOW_MS - 60000, &stream, NULL), SN_OK);
    (void)read_all(&stream, text, sizeof text);
    assert_non_null(strstr(text, "event: failure\ndata: {\"topic\":\"history\",\"error\":"
                                 "\"the writer said no\"}\n\n"));
    stream.closed(stream.ctx, true);
    assert_int_equal(stats_of(f).bytes_now, 0);
}

static void silence_is_broken_by_heartbeats(void **state) {
    struct fixture *f = *state;
    char text[8192];
    struct sn_stream_spec spec = spec_of(SN_STREAM_TICK);
    struct sn_http_stream stream;
    spec.tempo_ms = 3600000;
    assert_int_equal(join_as(f, &spec, 0, 0, &stream, NULL), SN_OK);
    start_worker(f);
    await_wakes(f, 1);
    (void)read_all(&stream, text, sizeof text);
    pass_seconds(f, 15);
    await_wakes(f, 2);
    assert_int_equal(read_all(&stream, text, sizeof text), SN_HTTP_STREAM_WAIT);
    assert_string_equal(text, ": heartbeat\n\n");
    stream.closed(stream.ctx, false);
    stop_worker(f);
}

static void a_stream_ends_after_its_life(void **state) {
    struct fixture *f = *state;
    char text[8192];
    struct sn_http_stream stream = join(f, SN_STREAM_TICK);
    start_worker(f);
    await_wakes(f, 1);
    (void)read_all(&stream, text, sizeof text);
    pass_seconds(f, SN_STREAM_LIFE_NS / SECOND_NS);
    await_wakes(f, 2);
    assert_int_equal(read_all(&stream, text, sizeof text), SN_HTTP_STREAM_END);
    stream.closed(stream.ctx, true);
    stop_worker(f);
}

static void clients_are_limited_in_all_and_per_user(void **state) {
    struct fixture *f = *state;
    static struct sn_http_stream streams[SN_STREAM_CLIENTS_MAX + 1];
    struct sn_stream_spec spec = spec_of(SN_STREAM_TICK);
    struct sn_err err = {.status = SN_OK};
    size_t count = 0;
    for (size_t i = 0; i < SN_STREAM_CLIENTS_PER_USER_MAX; i++)
        assert_int_equal(join_as(f, &spec, 7, 0, &streams[count++], &err), SN_OK);
    assert_int_equal(join_as(f, &spec, 7, 0, &streams[count], &err), SN_ERR_BUSY);
    assert_string_equal(err.text, "you have 32 streams open, which is the limit: close other tabs");
    assert_int_equal(join_as(f, &spec, 8, 0, &streams[count++], &err), SN_OK);
    while (count < SN_STREAM_CLIENTS_MAX)
        assert_int_equal(join_as(f, &spec, 0, 0, &streams[count++], &err), SN_OK);
    assert_int_equal(join_as(f, &spec, 0, 0, &streams[count], &err), SN_ERR_BUSY);
    assert_string_equal(err.text, "512 streams are open, which is the limit");
    assert_int_equal(stats_of(f).refused_total, 2);
    while (count > 0) {
        count--;
        streams[count].closed(streams[count].ctx, false);
    }
    assert_int_equal(stats_of(f).clients_now, 0);
}

static void channels_are_limited(void **state) {
    struct fixture *f = *state;
    static struct sn_http_stream streams[SN_STREAM_CHANNELS_MAX + 1];
    struct sn_stream_spec spec = spec_of(SN_STREAM_OVERVIEW);
    struct sn_err err = {.status = SN_OK};
    for (size_t i = 0; i < SN_STREAM_CHANNELS_MAX; i++) {
        spec.range_ms = (int64_t)i + 1;
        assert_int_equal(join_as(f, &spec, 0, 0, &streams[i], &err), SN_OK);
    }
    spec.wants[SN_STREAM_TICK] = true; /* one that could be made, and the overview that cannot */
    spec.range_ms = 9999;
    assert_int_equal(join_as(f, &spec, 0, 0, &streams[SN_STREAM_CHANNELS_MAX], &err), SN_ERR_BUSY);
    assert_non_null(strstr(err.text, "128 different things"));
    for (size_t i = 0; i < SN_STREAM_CHANNELS_MAX; i++)
        streams[i].closed(streams[i].ctx, false);
    assert_int_equal(stats_of(f).channels_now, 0);
}

static void a_stopped_hub_takes_nobody(void **state) {
    struct fixture *f = *state;
    struct sn_http_stream stream;
    struct sn_stream_spec spec = spec_of(SN_STREAM_TICK);
    start_worker(f);
    stop_worker(f);
    assert_int_equal(join_as(f, &spec, 0, 0, &stream, NULL), SN_ERR_CLOSED);
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
#ifdef SN_FAULTS
    struct fixture *f = *state;
    struct sn_stream_spec spec = spec_of(SN_STREAM_HISTORY);
    int64_t blocks = sn_mem_block_count();
    bool has_fired = true;
    for (uint64_t n = 1; has_fired; n++) {
        struct sn_http_stream stream;
        sn_mem_fail_nth(n);
        sn_status status = join_as(f, &spec, 0, NOW_MS - 5000, &stream, NULL);
        has_fired = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        if (status == SN_OK)
            stream.closed(stream.ctx, false);
        else
            assert_true(has_fired && status == SN_ERR_NO_MEMORY);
        assert_int_equal(sn_mem_block_count(), blocks);
        assert_true(n < 100);
    }
#endif
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_event_comes_at_once_and_then_in_its_tempo),
        TEST(clients_with_one_question_share_it),
        TEST(slow_clients_cost_one_frame_each_at_most),
        TEST(who_misses_steps_of_history_is_told),
        TEST(who_comes_back_gets_what_it_missed_first),
        TEST(silence_is_broken_by_heartbeats),
        TEST(a_stream_ends_after_its_life),
        TEST(clients_are_limited_in_all_and_per_user),
        TEST(channels_are_limited),
        TEST(a_stopped_hub_takes_nobody),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests_name("stream_hub", tests, NULL, NULL);
}
