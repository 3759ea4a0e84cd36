/* Native histograms in JSON lines: see json_histogram_priv.h. */
#include "wire/json_histogram_priv.h"

#include "model/sample.h"
#include "wire/json_value_priv.h"

#include <string.h>

static const struct sn_str hint_names[] = {
    [SN_RESET_UNKNOWN] = SN_STR("unknown"),
    [SN_RESET_YES] = SN_STR("reset"),
    [SN_RESET_NO] = SN_STR("not_reset"),
    [SN_RESET_GAUGE] = SN_STR("gauge"),
};
enum { HINT_COUNT = sizeof hint_names / sizeof *hint_names };

/* ---- writing ---- */

static void write_number(struct sn_json_writer *json, struct sn_str key, double value) {
    if (sn_double_bits(value) == 0)
        return;
    sn_json_write_key(json, key);
    sn_json_value_write(json, value);
}

static void write_numbers(struct sn_json_writer *json, struct sn_str key, const double *values,
                          size_t count) {
    if (count == 0)
        return;
    sn_json_write_key(json, key);
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < count; i++)
        sn_json_value_write(json, values[i]);
    sn_json_write_array_end(json);
}

static void write_spans(struct sn_json_writer *json, struct sn_str key,
                        const struct sn_bucket_span *spans, size_t count) {
    if (count == 0)
        return;
    sn_json_write_key(json, key);
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < count; i++) {
        sn_json_write_array_begin(json);
        sn_json_write_int64(json, spans[i].offset);
        sn_json_write_int64(json, spans[i].length);
        sn_json_write_array_end(json);
    }
    sn_json_write_array_end(json);
}

void sn_json_histogram_write(struct sn_json_writer *json, const struct sn_histogram *histogram) {
    const struct sn_histogram *h = histogram;
    sn_json_write_object_begin(json);
    sn_json_write_key_int64(json, SN_STR("schema"), h->schema);
    sn_json_write_key(json, SN_STR("count"));
    sn_json_value_write(json, h->count);
    sn_json_write_key(json, SN_STR("sum"));
    sn_json_value_write(json, h->sum);
    write_number(json, SN_STR("zero_threshold"), h->zero_threshold);
    write_number(json, SN_STR("zero_count"), h->zero_count);
    write_spans(json, SN_STR("positive_spans"), h->positive_spans, h->positive_span_count);
    write_numbers(json, SN_STR("positive_counts"), h->positive_counts, h->positive_bucket_count);
    write_spans(json, SN_STR("negative_spans"), h->negative_spans, h->negative_span_count);
    write_numbers(json, SN_STR("negative_counts"), h->negative_counts, h->negative_bucket_count);
    write_numbers(json, SN_STR("custom_bounds"), h->custom_bounds, h->custom_bound_count);
    if (h->reset_hint != SN_RESET_UNKNOWN)
        sn_json_write_key_string(json, SN_STR("counter_reset_hint"), hint_names[h->reset_hint]);
    sn_json_write_object_end(json);
}

/* ---- reading ---- */

/* A number and a span are 8 bytes each. */
#define ROOM_BYTES ((size_t)SN_HISTOGRAM_BUCKETS_MAX * 8)
_Static_assert(sizeof(double) == 8 && sizeof(struct sn_bucket_span) == 8, "ROOM_BYTES");

static bool make_room(struct sn_json_reader *json, struct sn_json_histogram_room *room) {
    if (!room->numbers)
        room->numbers = sn_arena_alloc(room->arena, ROOM_BYTES);
    if (!room->spans)
        room->spans = sn_arena_alloc(room->arena, ROOM_BYTES);
    if (!room->numbers || !room->spans)
        sn_json_read_fail(json, sn_arena_failure(room->arena, ROOM_BYTES, NULL),
                          "no memory for a histogram");
    return room->numbers && room->spans;
}

static bool has_room(struct sn_json_reader *json, size_t count) {
    if (count < SN_HISTOGRAM_BUCKETS_MAX)
        return true;
    sn_json_read_fail(json, SN_ERR_LIMIT, "an array of a histogram has more than %d items",
                      SN_HISTOGRAM_BUCKETS_MAX);
    return false;
}

/* A copy that is as long as it needs to be; NULL: there are none, or the reader has failed. */
static const void *keep(struct sn_json_reader *json, struct sn_json_histogram_room *room,
                        const void *items, size_t bytes) {
    if (bytes == 0 || sn_json_read_failed(json))
        return NULL;
    void *kept = sn_arena_alloc(room->arena, bytes);
    if (!kept) {
        sn_json_read_fail(json, sn_arena_failure(room->arena, bytes, NULL),
                          "no memory for a histogram");
        return NULL;
    }
    memcpy(kept, items, bytes);
    return kept;
}

static const double *read_numbers(struct sn_json_reader *json, struct sn_json_histogram_room *room,
                                  uint32_t *ret_count) {
    uint32_t count = 0;
    *ret_count = 0;
    if (!sn_json_read_array(json))
        return NULL;
    while (sn_json_read_element(json) && has_room(json, count))
        room->numbers[count++] = sn_json_value_read(json);
    const double *kept = keep(json, room, room->numbers, count * sizeof *room->numbers);
    *ret_count = kept ? count : 0;
    return kept;
}

static int64_t read_within(struct sn_json_reader *json, const char *what, int64_t min,
                           int64_t max) {
    int64_t number = sn_json_read_int64(json);
    if (number >= min && number <= max)
        return number;
    sn_json_read_fail(json, SN_ERR_INVALID, "%s %lld is not within %lld and %lld", what,
                      (long long)number, (long long)min, (long long)max);
    return 0;
}

static struct sn_bucket_span read_span(struct sn_json_reader *json) {
    struct sn_bucket_span span = {.offset = 0};
    int count = 0;
    if (!sn_json_read_array(json))
        return span;
    for (; sn_json_read_element(json); count++) {
        if (count == 0)
            span.offset = (int32_t)read_within(json, "the offset", INT32_MIN, INT32_MAX);
        else if (count == 1)
            span.length = (uint32_t)read_within(json, "the length", 0, UINT32_MAX);
        else
            sn_json_read_skip(json);
    }
    if (count != 2)
        sn_json_read_fail(json, SN_ERR_INVALID, "a span is [offset, length], not %d numbers",
                          count);
    return span;
}

static const struct sn_bucket_span *read_spans(struct sn_json_reader *json,
                                               struct sn_json_histogram_room *room,
                                               uint32_t *ret_count) {
    uint32_t count = 0;
    *ret_count = 0;
    if (!sn_json_read_array(json))
        return NULL;
    while (sn_json_read_element(json) && has_room(json, count))
        room->spans[count++] = read_span(json);
    const struct sn_bucket_span *kept = keep(json, room, room->spans, count * sizeof *room->spans);
    *ret_count = kept ? count : 0;
    return kept;
}

static enum sn_counter_reset_hint read_hint(struct sn_json_reader *json) {
    struct sn_str name = sn_json_read_string(json);
    for (int i = 0; i < HINT_COUNT; i++) {
        if (sn_str_equal(name, hint_names[i]))
            return (enum sn_counter_reset_hint)i;
    }
    sn_json_read_fail(json, SN_ERR_INVALID, "\"%.*s\" is none of unknown, reset, not_reset, gauge",
                      (int)(name.len < 40 ? name.len : 40), name.ptr);
    return SN_RESET_UNKNOWN;
}

/* Arrays. False: no such member. */
static bool read_array(struct sn_json_reader *json, struct sn_json_histogram_room *room,
                       struct sn_str key, struct sn_histogram *h) {
    if (sn_str_equal(key, SN_STR("positive_spans")))
        h->positive_spans = read_spans(json, room, &h->positive_span_count);
    else if (sn_str_equal(key, SN_STR("positive_counts")))
        h->positive_counts = read_numbers(json, room, &h->positive_bucket_count);
    else if (sn_str_equal(key, SN_STR("negative_spans")))
        h->negative_spans = read_spans(json, room, &h->negative_span_count);
    else if (sn_str_equal(key, SN_STR("negative_counts")))
        h->negative_counts = read_numbers(json, room, &h->negative_bucket_count);
    else if (sn_str_equal(key, SN_STR("custom_bounds")))
        h->custom_bounds = read_numbers(json, room, &h->custom_bound_count);
    else
        return false;
    return true;
}

/* What must be there, as bits. */
enum { HAS_SCHEMA = 1, HAS_COUNT = 2, HAS_SUM = 4, HAS_ALL = 7 };

/* Returns the bit of the member. */
static unsigned read_member(struct sn_json_reader *json, struct sn_json_histogram_room *room,
                            struct sn_str key, struct sn_histogram *h) {
    if (sn_str_equal(key, SN_STR("schema"))) {
        h->schema = (int32_t)read_within(json, "the schema", INT32_MIN, INT32_MAX);
        return HAS_SCHEMA;
    }
    if (sn_str_equal(key, SN_STR("count"))) {
        h->count = sn_json_value_read(json);
        return HAS_COUNT;
    }
    if (sn_str_equal(key, SN_STR("sum"))) {
        h->sum = sn_json_value_read(json);
        return HAS_SUM;
    }
    if (sn_str_equal(key, SN_STR("zero_threshold")))
        h->zero_threshold = sn_json_value_read(json);
    else if (sn_str_equal(key, SN_STR("zero_count")))
        h->zero_count = sn_json_value_read(json);
    else if (sn_str_equal(key, SN_STR("counter_reset_hint")))
        h->reset_hint = read_hint(json);
    else if (!read_array(json, room, key, h))
        sn_json_read_fail(json, SN_ERR_INVALID, "unknown member \"%.*s\" of a histogram",
                          (int)(key.len < 40 ? key.len : 40), key.ptr);
    return 0;
}

void sn_json_histogram_read(struct sn_json_reader *json, struct sn_json_histogram_room *room,
                            struct sn_histogram *ret_histogram) {
    struct sn_str key;
    unsigned has = 0;
    *ret_histogram = (struct sn_histogram){.schema = 0};
    if (!make_room(json, room) || !sn_json_read_object(json))
        return;
    while (sn_json_read_key(json, &key))
        has |= read_member(json, room, key, ret_histogram);
    if (has != HAS_ALL)
        sn_json_read_fail(json, SN_ERR_INVALID, "a histogram without schema, count or sum");
}
