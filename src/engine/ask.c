/*
 * Asking PromQL. See ask.h.
 */
#include "engine/ask.h"

#include <math.h>

static sn_status run(const struct sn_ask *ask, struct sn_range range, int64_t step_ms,
                     struct sn_query_result *ret_result, const char *format, va_list args)
    SN_PRINTF(5, 0);
static sn_status run(const struct sn_ask *ask, struct sn_range range, int64_t step_ms,
                     struct sn_query_result *ret_result, const char *format, va_list args) {
    struct sn_buf buf;
    sn_buf_init(&buf, SN_ASK_EXPRESSION_BYTES_MAX);
    sn_buf_vprintf(&buf, format, args);
    const struct sn_query query = {
        .expression = sn_buf_str(&buf),
        .range = range,
        .step_ms = step_ms,
        .timeout_ns = ask->timeout_ns,
    };
    sn_status status = sn_buf_status(&buf, ask->err);
    if (status == SN_OK)
        status = ask->querier.query(ask->querier.ctx, &query, ask->arena, ret_result, ask->err);
    sn_buf_release(&buf);
    return status;
}

sn_status sn_ask_at(const struct sn_ask *ask, int64_t time_ms, struct sn_query_result *ret_result,
                    const char *format, ...) {
    va_list args;
    va_start(args, format);
    const struct sn_range now = {time_ms, time_ms};
    sn_status status = run(ask, now, 0, ret_result, format, args);
    va_end(args);
    return status;
}

sn_status sn_ask_over(const struct sn_ask *ask, struct sn_range range, int64_t step_ms,
                      struct sn_query_result *ret_result, const char *format, ...) {
    va_list args;
    va_start(args, format);
    sn_status status = run(ask, range, step_ms, ret_result, format, args);
    va_end(args);
    return status;
}

/* ---- quoting ---- */

/* Text as a PromQL string in the arena. A NUL would end it for printf: it is written as Go does. */
const char *sn_ask_quote(struct sn_arena *arena, struct sn_str text) {
    struct sn_buf buf, safe;
    struct sn_str copy = {NULL, 0};
    sn_buf_init(&buf, SN_ASK_EXPRESSION_BYTES_MAX);
    sn_buf_init(&safe, SN_ASK_EXPRESSION_BYTES_MAX);
    sn_text_put_quoted(&buf, text);
    for (size_t i = 0; i < buf.len; i++)
        if (buf.ptr[i] != '\0')
            sn_buf_put_byte(&safe, buf.ptr[i]);
        else
            sn_buf_put_text(&safe, "\\x00");
    sn_buf_put_byte(&safe, '\0');
    if (buf.status != SN_OK || safe.status != SN_OK ||
        !sn_arena_copy(arena, sn_buf_str(&safe), &copy))
        copy.ptr = NULL;
    sn_buf_release(&buf);
    sn_buf_release(&safe);
    return copy.ptr;
}

static void put_literal(struct sn_buf *buf, struct sn_str text) {
    static const char special[] = "\\.+*?()|[]{}^$";
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\0' && strchr(special, text.ptr[i]) != NULL)
            sn_buf_put_byte(buf, '\\');
        sn_buf_put_byte(buf, (uint8_t)text.ptr[i]);
    }
}

const char *sn_ask_quote_any(struct sn_arena *arena, const struct sn_str *texts, size_t count) {
    struct sn_buf buf;
    sn_buf_init(&buf, SN_ASK_EXPRESSION_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            sn_buf_put_byte(&buf, '|');
        put_literal(&buf, texts[i]);
    }
    const char *quoted = buf.status == SN_OK ? sn_ask_quote(arena, sn_buf_str(&buf)) : NULL;
    sn_buf_release(&buf);
    return quoted;
}

double sn_ask_value(const struct sn_query_result *result, size_t i) {
    const struct sn_result_series *series = &result->series[i];
    return series->count > 0 ? series->value[series->count - 1] : (double)NAN;
}

int64_t sn_ask_time_ms(double seconds) {
    bool is_time = seconds > 0 && seconds < (double)SN_TIME_MS_MAX / 1e3; /* also no NaN */
    return is_time ? (int64_t)(seconds * 1e3 + 0.5) : 0;
}

/* ---- rows by name ---- */

void sn_row_index_init(struct sn_row_index *index, size_t count_max) {
    index->count = 0;
    sn_map_init(&index->map, count_max, 0);
}

void sn_row_index_release(struct sn_row_index *index) {
    sn_map_release(&index->map);
}

size_t sn_row_index_find(const struct sn_row_index *index, struct sn_str name) {
    uint64_t at;
    return sn_map_get(&index->map, name, &at) ? (size_t)at : SIZE_MAX;
}

sn_status sn_row_index_add(struct sn_row_index *index, struct sn_str name, size_t *ret_at) {
    size_t at = sn_row_index_find(index, name);
    if (at == SIZE_MAX) {
        at = index->count;
        SN_TRY(sn_map_put(&index->map, name, at));
        index->count++;
    }
    *ret_at = at;
    return SN_OK;
}
