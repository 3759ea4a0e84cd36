/*
 * Pages of text through ingest. Properties: every sample of a page that is taken is either pushed
 * or rejected for a reason; every series of the batch is a valid label set with a metric name;
 * every time is in range; a page that is refused pushes nothing.
 */
#include "ingest/ingest.h"

#include "base/check.h"
#include "base/limits.h"
#include "wire/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { SAMPLES_MAX = 5 }; /* small, so that the limit of a request is met */

static void check_series(const struct sn_batch *batch) {
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    for (size_t i = 0; i < batch->series_count; i++) {
        struct sn_labels labels;
        SN_CHECK(sn_labels_decode(batch->series[i].labels, &arena, &labels, NULL) == SN_OK);
        SN_CHECK(sn_labels_get(labels, SN_LABEL_METRIC_NAME).len > 0);
        SN_CHECK(sn_str_equal(sn_labels_get(labels, SN_STR("job")), SN_STR("fuzz")));
    }
    sn_arena_release(&arena);
}

static sn_status checking_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                               struct sn_push_result *ret_result, struct sn_err *err) {
    bool *is_pushed = ctx;
    (void)err;
    *is_pushed = true;
    SN_CHECK(batch->sample_count <= SAMPLES_MAX);
    for (size_t i = 0; i < batch->sample_count; i++) {
        SN_CHECK(batch->samples[i].series < batch->series_count);
        SN_CHECK(batch->samples[i].time_ms >= SN_TIME_MS_MIN);
        SN_CHECK(batch->samples[i].time_ms <= SN_TIME_MS_MAX);
    }
    for (size_t i = 0; i < batch->metadata_count; i++) {
        SN_CHECK(batch->metadata[i].metric_name.len > 0);
    }
    check_series(batch);
    *ret_result = (struct sn_push_result){.accepted_count = batch->sample_count};
    done.fn(done.ctx, SN_OK, NULL);
    return SN_OK;
}

/* Samples of a page that reads well. */
static uint64_t count_samples(struct sn_str page) {
    static struct sn_text_reader reader;
    struct sn_text_entry entry;
    uint64_t count = 0;
    sn_text_reader_init(&reader, page);
    do {
        SN_CHECK(sn_text_reader_next(&reader, &entry, NULL) == SN_OK);
        count += entry.kind == SN_TEXT_SAMPLE;
    } while (entry.kind != SN_TEXT_END);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    bool is_pushed = false;
    struct sn_label job = {SN_STR("job"), SN_STR("fuzz")};
    struct sn_str page = sn_str_make(data, len);
    struct sn_ingest ingest;
    struct sn_ingest_result result;
    struct sn_ingest_options options = {
        .extra_labels = {&job, 1}, .default_time_ms = 1, .samples_max = SAMPLES_MAX};
    sn_ingest_init(&ingest, (struct sn_sink){.ctx = &is_pushed, .push = checking_push});
    sn_status status = sn_ingest_text_wait(&ingest, page, &options, &result, NULL);
    SN_CHECK(is_pushed == (status == SN_OK));
    if (status == SN_OK) {
        uint64_t rejected = 0;
        for (unsigned i = 0; i < SN_INGEST_REASON_COUNT; i++) {
            rejected += i != SN_INGEST_METADATA_LIMIT ? result.rejected_count[i] : 0;
        }
        SN_CHECK(result.accepted_count + rejected == count_samples(page));
        SN_CHECK(sn_ingest_read_counters(&ingest).ingested_count[0] == result.accepted_count);
    } else {
        SN_CHECK(status == SN_ERR_INVALID);
    }
    return 0;
}
