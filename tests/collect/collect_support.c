#include "collect_support.h"

#include "base/mem.h"
#include "codec/number.h"

#include <stdio.h>
#include <stdlib.h>

void capture_init(struct capture *capture) {
    memset(capture, 0, sizeof *capture);
    sn_buf_init(&capture->text, 0);
}

void capture_release(struct capture *capture) {
    sn_buf_release(&capture->text);
}

void capture_clear(struct capture *capture) {
    sn_buf_reset(&capture->text);
}

static void append_batch(struct capture *capture, const struct sn_batch *batch) {
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    for (size_t i = 0; i < batch->sample_count; i++) {
        const struct sn_batch_sample *sample = &batch->samples[i];
        struct sn_labels labels;
        char number[SN_DOUBLE_TEXT_SIZE];
        /* Without memory the line is missing, and a test that looks for it fails. */
        if (sn_labels_decode(batch->series[sample->series].labels, &arena, &labels, NULL) != SN_OK)
            break;
        sn_labels_format(labels, &capture->text);
        size_t len = sn_double_format(sample->value, SN_DOUBLE_API, number);
        sn_buf_put_byte(&capture->text, ' ');
        sn_buf_put(&capture->text, number, len);
        sn_buf_put_byte(&capture->text, '\n');
        capture->last_time_ms = sample->time_ms;
    }
    sn_arena_release(&arena);
}

static sn_status push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                      struct sn_push_result *ret_result, struct sn_err *err) {
    struct capture *capture = ctx;
    if (capture->refuse_with != SN_OK)
        return sn_err_set(err, capture->refuse_with, "the test sink refuses");
    append_batch(capture, batch);
    capture->push_count++;
    capture->sample_count += batch->sample_count;
    capture->metadata_count += batch->metadata_count;
    memset(ret_result, 0, sizeof *ret_result);
    ret_result->accepted_count = batch->sample_count - capture->reject_count;
    ret_result->rejected_count[SN_REJECT_TOO_NEW] = capture->reject_count;
    if (done.fn != NULL)
        done.fn(done.ctx, SN_OK, NULL);
    if (capture->pushed != NULL)
        sn_event_set(capture->pushed, SN_OK, NULL);
    return SN_OK;
}

struct sn_sink capture_sink(struct capture *capture) {
    return (struct sn_sink){capture, push};
}

const char *capture_text(struct capture *capture) {
    uint8_t *end = sn_buf_reserve(&capture->text, 1);
    if (end == NULL)
        abort();
    *end = 0;
    return (const char *)capture->text.ptr;
}

bool capture_has(const struct capture *capture, const char *line) {
    struct sn_str rest = sn_buf_str(&capture->text), head;
    while (rest.len > 0) {
        struct sn_str tail;
        (void)sn_str_cut(rest, '\n', &head, &tail);
        if (sn_str_equal(head, sn_str_from(line)))
            return true;
        rest = tail;
    }
    return false;
}

static const char *fixture_name = "proc";

void fixture_proc(const char *name) {
    fixture_name = name;
}

struct sn_collect_roots fixture_roots(void) {
    static char proc[512];
    const char *source = getenv("SONDE_SOURCE");
    (void)snprintf(proc, sizeof proc, "%s/tests/collect/fixtures/%s", source ? source : ".",
                   fixture_name);
    return (struct sn_collect_roots){proc, "/sys"};
}

static int64_t fixed_wall(void *ctx) {
    (void)ctx;
    return FIXED_TIME_MS;
}

sn_status gather_fixture(const struct sn_source *source, struct capture *capture, void **state,
                         struct sn_err *err) {
    static const struct sn_clock clock = {.wall_ms = fixed_wall};
    struct sn_gather gather = {
        .roots = fixture_roots(),
        .clock = &clock,
        .time_ms = FIXED_TIME_MS,
        .job = SN_STR("j"),
        .instance = SN_STR("i"),
    };
    sn_batch_builder_init(&gather.batch, 0);
    sn_buf_init(&gather.file, SN_COLLECT_FILE_BYTES_MAX);
    sn_status status = source->collect(&gather, state, err);
    if (status == SN_OK) {
        struct sn_batch batch = sn_batch_builder_view(&gather.batch);
        append_batch(capture, &batch);
    }
    sn_batch_builder_release(&gather.batch);
    sn_buf_release(&gather.file);
    return status;
}
