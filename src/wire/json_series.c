/* Samples as JSON lines: see json_series.h. */
#include "wire/json_series.h"

#include "base/limits.h"
#include "codec/json_read.h"
#include "codec/json_write.h"

#include <math.h>

#define GO_NAN_BITS UINT64_C(0x7ff8000000000001) /* what parsers of numbers make of "NaN" */
enum { HEX_DIGITS = 16, COUNT_FIRST = 64 };
static const struct sn_str nan_prefix = SN_STR("nan:");

/* ---- writing ---- */

static void write_nan(struct sn_json_writer *json, uint64_t bits) {
    static const char digits[] = "0123456789abcdef";
    char text[4 + HEX_DIGITS];
    if (bits == SN_STALE_NAN_BITS) {
        sn_json_write_string(json, SN_STR("stale"));
        return;
    }
    if (bits == GO_NAN_BITS) {
        sn_json_write_string(json, SN_STR("NaN"));
        return;
    }
    memcpy(text, nan_prefix.ptr, nan_prefix.len);
    for (int i = 0; i < HEX_DIGITS; i++)
        text[4 + i] = digits[(bits >> (60 - 4 * i)) & 15];
    sn_json_write_string(json, sn_str_make(text, sizeof text));
}

static void write_value(struct sn_json_writer *json, double value) {
    if (isnan(value))
        write_nan(json, sn_double_bits(value));
    else
        sn_json_write_double(json, value);
}

static void write_times(struct sn_json_writer *json, struct sn_str key, const int64_t *times,
                        size_t count) {
    sn_json_write_key(json, key);
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < count; i++)
        sn_json_write_int64(json, times[i]);
    sn_json_write_array_end(json);
}

void sn_json_series_write(struct sn_labels labels, const struct sn_samples *samples, size_t first,
                          size_t count, struct sn_buf *buf) {
    struct sn_json_writer json;
    sn_json_write_init(&json, buf, SN_JSON_NON_FINITE_TEXT);
    sn_json_write_object_begin(&json);
    sn_json_write_key(&json, SN_STR("metric"));
    sn_json_write_object_begin(&json);
    for (size_t i = 0; i < labels.count; i++)
        sn_json_write_key_string(&json, labels.items[i].name, labels.items[i].value);
    sn_json_write_object_end(&json);
    sn_json_write_key(&json, SN_STR("values"));
    sn_json_write_array_begin(&json);
    for (size_t i = 0; i < count; i++)
        write_value(&json, samples->value[first + i]);
    sn_json_write_array_end(&json);
    write_times(&json, SN_STR("timestamps"), samples->time_ms + first, count);
    if (samples->has_start)
        write_times(&json, SN_STR("starts"), samples->start_ms + first, count);
    sn_json_write_object_end(&json);
    sn_buf_put_byte(buf, '\n');
}

/* ---- reading ---- */

/* One line while it is read. */
struct reading {
    struct sn_json_reader json;
    struct sn_arena *arena;
    struct sn_json_series series;
    double *values;
    int64_t *times;
    int64_t *starts;
    size_t value_count, time_count, start_count;
    bool has_metric;
};

static void *grow(struct reading *reading, void *items, size_t count, size_t size) {
    /* Powers of two from COUNT_FIRST on: what is there is full exactly at those. */
    if (count != 0 && (count < COUNT_FIRST || (count & (count - 1)) != 0))
        return items;
    size_t capacity = count == 0 ? COUNT_FIRST : count * 2;
    void *grown = sn_arena_alloc(reading->arena, capacity * size);
    if (!grown) {
        sn_json_read_fail(&reading->json, SN_ERR_LIMIT, "no memory for %zu samples", capacity);
        return NULL;
    }
    if (count > 0)
        memcpy(grown, items, count * size);
    return grown;
}

static bool has_room(struct reading *reading, size_t count) {
    if (count < SN_JSON_SERIES_SAMPLES_MAX)
        return true;
    sn_json_read_fail(&reading->json, SN_ERR_LIMIT, "more than %d samples on a line",
                      SN_JSON_SERIES_SAMPLES_MAX);
    return false;
}

static bool parse_hex(struct sn_str text, uint64_t *ret_bits) {
    uint64_t bits = 0;
    if (text.len != HEX_DIGITS)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 16;
        if (digit > 15)
            return false;
        bits = bits << 4 | digit;
    }
    *ret_bits = bits;
    return isnan(sn_double_from_bits(bits));
}

static double read_text_value(struct reading *reading) {
    static const struct {
        struct sn_str text;
        uint64_t bits;
    } words[] = {
        {SN_STR("NaN"), GO_NAN_BITS},
        {SN_STR("stale"), SN_STALE_NAN_BITS},
        {SN_STR("+Inf"), UINT64_C(0x7ff0000000000000)},
        {SN_STR("Inf"), UINT64_C(0x7ff0000000000000)},
        {SN_STR("Infinity"), UINT64_C(0x7ff0000000000000)},
        {SN_STR("-Inf"), UINT64_C(0xfff0000000000000)},
        {SN_STR("-Infinity"), UINT64_C(0xfff0000000000000)},
    };
    struct sn_str text = sn_json_read_string(&reading->json);
    uint64_t bits;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (sn_str_equal(text, words[i].text))
            return sn_double_from_bits(words[i].bits);
    }
    if (sn_str_starts_with(text, nan_prefix) &&
        parse_hex(sn_str_make(text.ptr + nan_prefix.len, text.len - nan_prefix.len), &bits))
        return sn_double_from_bits(bits);
    sn_json_read_fail(&reading->json, SN_ERR_INVALID, "\"%.*s\" is not a value",
                      (int)(text.len < 40 ? text.len : 40), text.ptr);
    return 0;
}

static double read_value(struct reading *reading) {
    if (sn_json_read_null_if(&reading->json))
        return sn_double_from_bits(GO_NAN_BITS);
    if (sn_json_read_peek(&reading->json) == SN_JSON_STRING)
        return read_text_value(reading);
    return sn_json_read_double(&reading->json);
}

static void read_values(struct reading *reading) {
    struct sn_json_reader *json = &reading->json;
    if (!sn_json_read_array(json))
        return;
    while (sn_json_read_element(json) && has_room(reading, reading->value_count)) {
        reading->values =
            grow(reading, reading->values, reading->value_count, sizeof *reading->values);
        double value = read_value(reading);
        if (sn_json_read_failed(json))
            return;
        reading->values[reading->value_count++] = value;
    }
}

static void read_times(struct reading *reading, int64_t **times, size_t *count) {
    struct sn_json_reader *json = &reading->json;
    if (!sn_json_read_array(json))
        return;
    while (sn_json_read_element(json) && has_room(reading, *count)) {
        *times = grow(reading, *times, *count, sizeof **times);
        int64_t time_ms = sn_json_read_int64(json);
        if (sn_json_read_failed(json))
            return;
        (*times)[(*count)++] = time_ms;
    }
}

static void read_labels(struct reading *reading) {
    struct sn_json_reader *json = &reading->json;
    struct sn_json_series *series = &reading->series;
    struct sn_str name;
    series->labels = sn_arena_alloc_zero(reading->arena, SN_LABELS_MAX, sizeof *series->labels);
    if (!series->labels)
        sn_json_read_fail(json, SN_ERR_NO_MEMORY, "no memory for labels");
    reading->has_metric = true;
    if (!sn_json_read_object(json))
        return;
    while (sn_json_read_key(json, &name)) {
        struct sn_str value = sn_json_read_string(json);
        if (sn_json_read_failed(json))
            return;
        if (series->label_count == SN_LABELS_MAX) {
            sn_json_read_fail(json, SN_ERR_LIMIT, "more than %d labels", SN_LABELS_MAX);
            return;
        }
        series->labels[series->label_count++] = (struct sn_label){name, value};
    }
}

static void read_members(struct reading *reading) {
    struct sn_json_reader *json = &reading->json;
    struct sn_str key;
    if (!sn_json_read_object(json))
        return;
    while (sn_json_read_key(json, &key)) {
        if (sn_str_equal(key, SN_STR("metric")))
            read_labels(reading);
        else if (sn_str_equal(key, SN_STR("values")))
            read_values(reading);
        else if (sn_str_equal(key, SN_STR("timestamps")))
            read_times(reading, &reading->times, &reading->time_count);
        else if (sn_str_equal(key, SN_STR("starts")))
            read_times(reading, &reading->starts, &reading->start_count);
        else
            sn_json_read_fail(json, SN_ERR_INVALID, "unknown member \"%.*s\"",
                              (int)(key.len < 40 ? key.len : 40), key.ptr);
    }
}

static sn_status check(const struct reading *reading, struct sn_err *err) {
    if (!reading->has_metric)
        return sn_err_set(err, SN_ERR_INVALID, "there is no \"metric\"");
    if (reading->value_count != reading->time_count)
        return sn_err_set(err, SN_ERR_INVALID, "%zu values and %zu timestamps",
                          reading->value_count, reading->time_count);
    if (reading->start_count != 0 && reading->start_count != reading->time_count)
        return sn_err_set(err, SN_ERR_INVALID, "%zu starts and %zu timestamps",
                          reading->start_count, reading->time_count);
    return SN_OK;
}

sn_status sn_json_series_read(struct sn_str line, struct sn_arena *arena,
                              struct sn_json_series *ret_series, struct sn_err *err) {
    struct reading reading = {.arena = arena};
    if (line.len > SN_JSON_SERIES_BYTES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "the line has %zu bytes, the limit is %zu", line.len,
                          SN_JSON_SERIES_BYTES_MAX);
    sn_json_read_init(&reading.json, line, &(struct sn_json_options){.arena = arena});
    read_members(&reading);
    SN_TRY(sn_json_read_finish(&reading.json, err));
    SN_TRY(check(&reading, err));
    reading.series.value = reading.values;
    reading.series.time_ms = reading.times;
    reading.series.start_ms = reading.start_count > 0 ? reading.starts : NULL;
    reading.series.count = reading.value_count;
    *ret_series = reading.series;
    return SN_OK;
}
