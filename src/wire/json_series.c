/* Samples as JSON lines: see json_series.h. */
#include "wire/json_series.h"

#include "base/limits.h"
#include "codec/json_read.h"
#include "codec/json_write.h"
#include "wire/json_histogram_priv.h"
#include "wire/json_value_priv.h"

enum { COUNT_FIRST = 64 };

/* Behind so many bytes of histograms a line ends. With one more, and what surrounds them, it has a third of
 * what it may have. */
#define HISTOGRAM_BYTES ((size_t)512 << 10)

/* ---- writing ---- */

static void write_times(struct sn_json_writer *json, struct sn_str key, const int64_t *times,
                        size_t first, size_t count) {
    sn_json_write_key(json, key);
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < count; i++)
        sn_json_write_int64(json, times[first + i]);
    sn_json_write_array_end(json);
}

static void write_begin(struct sn_json_writer *json, struct sn_labels labels, struct sn_buf *buf) {
    sn_json_write_init(json, buf, SN_JSON_NON_FINITE_TEXT);
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("metric"));
    sn_json_write_object_begin(json);
    for (size_t i = 0; i < labels.count; i++)
        sn_json_write_key_string(json, labels.items[i].name, labels.items[i].value);
    sn_json_write_object_end(json);
}

void sn_json_series_write(struct sn_labels labels, const struct sn_samples *samples, size_t first,
                          size_t count, struct sn_buf *buf) {
    struct sn_json_writer json;
    write_begin(&json, labels, buf);
    sn_json_write_key(&json, SN_STR("values"));
    sn_json_write_array_begin(&json);
    for (size_t i = 0; i < count; i++)
        sn_json_value_write(&json, samples->value[first + i]);
    sn_json_write_array_end(&json);
    write_times(&json, SN_STR("timestamps"), samples->time_ms, first, count);
    if (samples->has_start)
        write_times(&json, SN_STR("starts"), samples->start_ms, first, count);
    sn_json_write_object_end(&json);
    sn_buf_put_byte(buf, '\n');
}

size_t sn_json_series_write_histograms(struct sn_labels labels,
                                       const struct sn_histograms *histograms, size_t first,
                                       struct sn_buf *buf) {
    struct sn_json_writer json;
    size_t count = 0;
    bool has_start = false;
    write_begin(&json, labels, buf);
    sn_json_write_key(&json, SN_STR("histograms"));
    sn_json_write_array_begin(&json);
    size_t before = buf->len;
    do {
        sn_json_histogram_write(&json, &histograms->items[first + count]);
        has_start |= histograms->start_ms[first + count++] != 0;
    } while (first + count < histograms->count && count < SN_JSON_SERIES_SAMPLES_MAX &&
             buf->len - before < HISTOGRAM_BYTES);
    sn_json_write_array_end(&json);
    write_times(&json, SN_STR("timestamps"), histograms->time_ms, first, count);
    if (has_start)
        write_times(&json, SN_STR("starts"), histograms->start_ms, first, count);
    sn_json_write_object_end(&json);
    sn_buf_put_byte(buf, '\n');
    return count;
}

/* ---- reading ---- */

/* One line while it is read. */
struct reading {
    struct sn_json_reader json;
    struct sn_arena *arena;
    struct sn_json_series series;
    double *values;
    struct sn_histogram *histograms;
    struct sn_json_histogram_room room;
    int64_t *times;
    int64_t *starts;
    size_t value_count, time_count, start_count; /* histograms are values as well */
    bool has_metric, has_values;
};

static void *grow(struct reading *reading, void *items, size_t count, size_t size) {
    /* Powers of two from COUNT_FIRST on: what is there is full exactly at those. */
    if (count != 0 && (count < COUNT_FIRST || (count & (count - 1)) != 0))
        return items;
    size_t capacity = count == 0 ? COUNT_FIRST : count * 2;
    void *grown = sn_arena_alloc(reading->arena, capacity * size);
    if (!grown) {
        sn_json_read_fail(&reading->json, sn_arena_failure(reading->arena, capacity * size, NULL),
                          "no memory for %zu samples", capacity);
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

static bool begin_values(struct reading *reading) {
    if (reading->has_values)
        sn_json_read_fail(&reading->json, SN_ERR_INVALID,
                          "a line has values or histograms, not both");
    reading->has_values = true;
    return sn_json_read_array(&reading->json);
}

static void read_values(struct reading *reading) {
    struct sn_json_reader *json = &reading->json;
    if (!begin_values(reading))
        return;
    while (sn_json_read_element(json) && has_room(reading, reading->value_count)) {
        reading->values =
            grow(reading, reading->values, reading->value_count, sizeof *reading->values);
        double value = sn_json_value_read(json);
        if (sn_json_read_failed(json))
            return;
        reading->values[reading->value_count++] = value;
    }
}

static void read_histograms(struct reading *reading) {
    struct sn_json_reader *json = &reading->json;
    if (!begin_values(reading))
        return;
    while (sn_json_read_element(json) && has_room(reading, reading->value_count)) {
        struct sn_histogram histogram;
        reading->histograms =
            grow(reading, reading->histograms, reading->value_count, sizeof histogram);
        sn_json_histogram_read(json, &reading->room, &histogram);
        if (sn_json_read_failed(json))
            return;
        reading->histograms[reading->value_count++] = histogram;
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
        else if (sn_str_equal(key, SN_STR("histograms")))
            read_histograms(reading);
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
        return sn_err_set(err, SN_ERR_INVALID, "%zu %s and %zu timestamps", reading->value_count,
                          reading->histograms ? "histograms" : "values", reading->time_count);
    if (reading->start_count != 0 && reading->start_count != reading->time_count)
        return sn_err_set(err, SN_ERR_INVALID, "%zu starts and %zu timestamps",
                          reading->start_count, reading->time_count);
    return SN_OK;
}

sn_status sn_json_series_read(struct sn_str line, struct sn_arena *arena,
                              struct sn_json_series *ret_series, struct sn_err *err) {
    struct reading reading = {.arena = arena, .room = {.arena = arena}};
    if (line.len > SN_JSON_SERIES_BYTES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "the line has %zu bytes, the limit is %zu", line.len,
                          SN_JSON_SERIES_BYTES_MAX);
    sn_json_read_init(&reading.json, line, &(struct sn_json_options){.arena = arena});
    read_members(&reading);
    SN_TRY(sn_json_read_finish(&reading.json, err));
    SN_TRY(check(&reading, err));
    reading.series.value = reading.values;
    reading.series.histograms = reading.histograms;
    reading.series.time_ms = reading.times;
    reading.series.start_ms = reading.start_count > 0 ? reading.starts : NULL;
    reading.series.count = reading.value_count;
    *ret_series = reading.series;
    return SN_OK;
}
