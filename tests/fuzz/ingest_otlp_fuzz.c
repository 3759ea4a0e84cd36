/*
 * OTLP bodies, in JSON when the first byte is 'j', in Protobuf otherwise, through ingest. Properties: what is
 * pushed are valid label sets with a name, histograms that are valid, times in range; the points that are
 * rejected are not more than there are; a body that is refused pushes nothing. Logs are counted.
 */
#include "ingest/otlp.h"

#include "base/check.h"
#include "base/limits.h"
#include "wire/otlp_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_series(const struct sn_batch *batch) {
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    for (size_t i = 0; i < batch->series_count; i++) {
        struct sn_labels labels;
        sn_arena_reset(&arena);
        SN_CHECK(sn_labels_decode(batch->series[i].labels, &arena, &labels, NULL) == SN_OK);
        SN_CHECK(sn_labels_get(labels, SN_LABEL_METRIC_NAME).len > 0);
    }
    sn_arena_release(&arena);
}

static sn_status checking_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                               struct sn_push_result *ret_result, struct sn_err *err) {
    bool *is_pushed = ctx;
    (void)err;
    *is_pushed = true;
    check_series(batch);
    for (size_t i = 0; i < batch->sample_count; i++) {
        SN_CHECK(batch->samples[i].series < batch->series_count);
        SN_CHECK(batch->samples[i].time_ms >= SN_TIME_MS_MIN);
        SN_CHECK(batch->samples[i].time_ms <= SN_TIME_MS_MAX);
        SN_CHECK(batch->samples[i].start_time_ms <= batch->samples[i].time_ms);
    }
    for (size_t i = 0; i < batch->histogram_count; i++) {
        SN_CHECK(sn_histogram_validate(&batch->histograms[i].histogram, NULL) == SN_OK);
    }
    for (size_t i = 0; i < batch->exemplar_count; i++) {
        SN_CHECK(sn_labels_validate(batch->exemplars[i].exemplar.labels, NULL) == SN_OK);
    }
    *ret_result =
        (struct sn_push_result){.accepted_count = batch->sample_count + batch->histogram_count};
    if (done.fn != NULL) {
        done.fn(done.ctx, SN_OK, NULL);
    }
    return SN_OK;
}

static void take(struct sn_str body) {
    bool is_pushed = false;
    struct sn_ingest ingest;
    struct sn_otlp_deltas deltas;
    struct sn_ingest_otlp_result result;
    const struct sn_push_done nobody = {.fn = NULL};
    uint64_t records;
    sn_ingest_init(&ingest, (struct sn_sink){.ctx = &is_pushed, .push = checking_push});
    sn_otlp_deltas_init(&deltas, 8);
    sn_status status = sn_ingest_otlp_metrics(&ingest, &deltas, body, 1, nobody, &result, NULL);
    SN_CHECK(is_pushed == (status == SN_OK));
    if (status == SN_OK) {
        SN_CHECK(result.rejected_point_count <= result.point_count);
    } else {
        SN_CHECK(status == SN_ERR_INVALID || status == SN_ERR_LIMIT);
    }
    status = sn_ingest_otlp_logs(&ingest, body, &records, NULL);
    SN_CHECK(status == SN_OK || status == SN_ERR_INVALID);
    sn_otlp_deltas_release(&deltas);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    if (len == 0 || data[0] != 'j') {
        take(sn_str_make(data, len));
        return 0;
    }
    for (int signal = SN_OTLP_METRICS; signal <= SN_OTLP_LOGS; signal++) {
        struct sn_arena arena;
        struct sn_buf body;
        sn_arena_init(&arena, 0);
        sn_buf_init(&body, 0);
        if (sn_otlp_from_json((enum sn_otlp_signal)signal, sn_str_make(data + 1, len - 1), 1,
                              &arena, &body, NULL) == SN_OK) {
            take(sn_buf_str(&body));
        }
        sn_buf_release(&body);
        sn_arena_release(&arena);
    }
    return 0;
}
