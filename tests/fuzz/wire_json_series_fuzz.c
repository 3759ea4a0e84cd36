/*
 * Samples as JSON lines. Properties: what is read is within the limits; written again as samples, or as
 * histograms, and read again, it is the same, bit for bit.
 */
#include "wire/json_series.h"

#include "base/check.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool read_labels(const struct sn_json_series *series, struct sn_label items[SN_LABELS_MAX],
                        struct sn_labels *ret_labels) {
    memcpy(items, series->labels, series->label_count * sizeof *items);
    return sn_labels_make(items, series->label_count, ret_labels, NULL) == SN_OK;
}

/* Whatever was read is written on as many lines as it takes. */
static void check_histograms_again(const struct sn_json_series *series) {
    struct sn_label items[SN_LABELS_MAX];
    struct sn_labels labels;
    struct sn_histograms histograms;
    if (!read_labels(series, items, &labels))
        return;
    sn_histograms_init(&histograms, 0);
    SN_CHECK(sn_histograms_reserve(&histograms, series->count) == SN_OK);
    for (size_t i = 0; i < series->count; i++) {
        histograms.time_ms[i] = series->time_ms[i];
        histograms.start_ms[i] = series->start_ms ? series->start_ms[i] : 0;
        histograms.items[i] = series->histograms[i];
    }
    histograms.count = series->count;
    for (size_t at = 0; at < histograms.count;) {
        struct sn_json_series again;
        struct sn_arena arena;
        struct sn_buf buf;
        sn_buf_init(&buf, 0);
        sn_arena_init(&arena, 0);
        size_t count = sn_json_series_write_histograms(labels, &histograms, at, &buf);
        SN_CHECK(buf.status == SN_OK && count > 0);
        SN_CHECK(sn_json_series_read(sn_str_make(buf.ptr, buf.len - 1), &arena, &again, NULL) ==
                 SN_OK);
        SN_CHECK(again.count == count && again.histograms);
        for (size_t i = 0; i < count; i++, at++) {
            SN_CHECK(sn_histogram_equal(&again.histograms[i], &histograms.items[at]));
            SN_CHECK(again.time_ms[i] == histograms.time_ms[at]);
            SN_CHECK((again.start_ms ? again.start_ms[i] : 0) == histograms.start_ms[at]);
        }
        sn_arena_release(&arena);
        sn_buf_release(&buf);
    }
    sn_histograms_release(&histograms);
}

static void check_again(const struct sn_json_series *series) {
    struct sn_label items[SN_LABELS_MAX];
    struct sn_labels labels;
    if (!read_labels(series, items, &labels))
        return;
    union {
        const double *from;
        double *to;
    } value = {.from = series->value};
    union {
        const int64_t *from;
        int64_t *to;
    } times = {.from = series->time_ms}, starts = {.from = series->start_ms};
    const struct sn_samples samples = {.time_ms = times.to,
                                       .value = value.to,
                                       .start_ms = starts.to,
                                       .has_start = starts.from != NULL,
                                       .count = series->count};
    struct sn_json_series again;
    struct sn_arena arena;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_arena_init(&arena, 0);
    sn_json_series_write(labels, &samples, 0, samples.count, &buf);
    SN_CHECK(buf.status == SN_OK);
    SN_CHECK(sn_json_series_read(sn_str_make(buf.ptr, buf.len - 1), &arena, &again, NULL) == SN_OK);
    SN_CHECK(again.count == series->count && again.label_count == labels.count);
    for (size_t i = 0; i < again.count; i++) {
        SN_CHECK(sn_double_bits(again.value[i]) == sn_double_bits(series->value[i]));
        SN_CHECK(again.time_ms[i] == series->time_ms[i]);
        SN_CHECK(!series->start_ms || again.start_ms[i] == series->start_ms[i]);
    }
    sn_arena_release(&arena);
    sn_buf_release(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_json_series series;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    if (sn_json_series_read(sn_str_make(data, len), &arena, &series, NULL) == SN_OK) {
        SN_CHECK(series.count <= SN_JSON_SERIES_SAMPLES_MAX);
        SN_CHECK(series.label_count <= SN_LABELS_MAX);
        if (series.histograms)
            check_histograms_again(&series);
        else
            check_again(&series);
    }
    sn_arena_release(&arena);
    return 0;
}
