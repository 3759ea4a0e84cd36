/*
 * Parameters of GET /api/v1/stream, a line each: name=value. Property: what is taken has a topic, a
 * tempo of a second at least, names that are unique, and events of no more steps than are allowed.
 */
#include "api/stream_params.h"

#include "base/check.h"

#define NOW_MS INT64_C(1700000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* ctx: the text; the cursor counts its bytes. */
static bool next_line(const void *ctx, size_t *cursor, struct sn_str *ret_name,
                      struct sn_str *ret_value) {
    const struct sn_str *text = ctx;
    struct sn_str line, rest;
    if (*cursor >= text->len)
        return false;
    (void)sn_str_cut(sn_str_make(text->ptr + *cursor, text->len - *cursor), '\n', &line, &rest);
    *cursor += line.len + 1;
    (void)sn_str_cut(line, '=', ret_name, ret_value);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static struct sn_stream_spec spec;
    struct sn_str text = sn_str_make(data, len);
    struct sn_buf key;
    if (sn_stream_spec_parse(next_line, &text, &spec, NULL) != SN_OK)
        return 0;
    SN_CHECK(spec.wants[SN_STREAM_TICK] || spec.wants[SN_STREAM_OVERVIEW] ||
             spec.wants[SN_STREAM_HISTORY]);
    SN_CHECK(spec.tempo_ms >= 1000 && spec.tempo_ms <= 3600000 && spec.step_ms >= 1000 &&
             spec.range_ms > 0);
    SN_CHECK(spec.item_count <= SN_STREAM_QUERIES_MAX);
    for (size_t i = 0; i < spec.item_count; i++)
        for (size_t j = 0; j < i; j++)
            SN_CHECK(!sn_str_equal(spec.items[i].id, spec.items[j].id));
    for (int64_t last_ms = 0; last_ms < 2 * NOW_MS; last_ms += NOW_MS / 3) {
        size_t step_count = 0;
        struct sn_range range = sn_stream_event_range(&spec, last_ms, NOW_MS);
        SN_CHECK(sn_history_count_steps(range, spec.step_ms, &step_count, NULL) == SN_OK);
        SN_CHECK(step_count <= SN_STREAM_RESUME_STEPS_MAX + 3);
    }
    sn_buf_init(&key, 0);
    sn_stream_spec_key(&spec, SN_STREAM_HISTORY, &key);
    sn_buf_release(&key);
    return 0;
}
