/*
 * How fast a remote write request becomes a batch: Protobuf, labels, canonical bytes, everything
 * but snappy and the sink. Requests are as Prometheus sends them: 10
 * labels per series, one sample each (what a scrape gives) or many (what a backlog gives).
 *
 *   bench_ingest_remote_write [series]
 */
#include "ingest/ingest.h"

#include "base/buf.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdlib.h>

enum { ROUNDS = 9, SERIES_DEFAULT = 2000, LABELS = 10, SAMPLES_MANY = 20 };

static void put_varint(struct sn_buf *buf, uint64_t value) {
    uint8_t bytes[SN_VARINT_BYTES_MAX];
    sn_buf_put(buf, bytes, (size_t)(sn_varint_put(bytes, value) - bytes));
}

static void put_bytes(struct sn_buf *buf, uint32_t number, struct sn_str bytes) {
    put_varint(buf, number << 3 | SN_PROTOBUF_BYTES);
    put_varint(buf, bytes.len);
    sn_buf_put_str(buf, bytes);
}

/* Name or value of a label of a series; label 0 is the metric name. */
static int text_of(char text[64], uint64_t series, int label, bool is_value) {
    static const char *const names[LABELS] = {"__name__", "cluster", "code",      "env",  "handler",
                                              "instance", "job",     "namespace", "path", "pod"};
    if (!is_value) {
        return snprintf(text, 64, "%s", names[label]);
    }
    if (label == 0) {
        return snprintf(text, 64, "http_request_duration_seconds_%" PRIu64 "_total", series / 50);
    }
    return snprintf(text, 64, "%s-value-%" PRIu64, names[label],
                    label == 9 ? series : series % (uint64_t)(label + 3));
}

static void put_labels(struct sn_buf *message, uint64_t series) {
    for (int i = 0; i < LABELS; i++) {
        struct sn_buf label;
        char text[64];
        sn_buf_init(&label, 0);
        for (int part = 0; part < 2; part++) {
            int len = text_of(text, series, i, part == 1);
            put_bytes(&label, (uint32_t)part + 1, sn_str_make(text, (size_t)len));
        }
        put_bytes(message, 1, sn_buf_str(&label));
        sn_buf_release(&label);
    }
}

/* 2.0: as if no two texts were equal, which is the worst case for the symbols. */
static void put_references(struct sn_buf *request, struct sn_buf *message, uint64_t series) {
    struct sn_buf references;
    char text[64];
    sn_buf_init(&references, 0);
    for (int i = 0; i < 2 * LABELS; i++) {
        int len = text_of(text, series, i / 2, i % 2 == 1);
        put_bytes(request, 4, sn_str_make(text, (size_t)len));
        put_varint(&references, series * 2 * LABELS + (uint64_t)i);
    }
    put_bytes(message, 1, sn_buf_str(&references));
    sn_buf_release(&references);
}

static void put_samples(struct sn_buf *message, uint64_t series, int count) {
    for (int i = 0; i < count; i++) {
        struct sn_buf sample;
        sn_buf_init(&sample, 0);
        sn_buf_put_byte(&sample, 1 << 3 | SN_PROTOBUF_FIXED64);
        sn_buf_put_u64le(&sample, sn_double_bits((double)(series * 7 + (uint64_t)i)));
        sn_buf_put_byte(&sample, 2 << 3 | SN_PROTOBUF_VARINT);
        put_varint(&sample, UINT64_C(1700000000000) + (uint64_t)i * 15000);
        put_bytes(message, 2, sn_buf_str(&sample));
        sn_buf_release(&sample);
    }
}

static void put_request(struct sn_buf *request, enum sn_remote_write_version version,
                        uint64_t series_count, int sample_count) {
    for (uint64_t series = 0; series < series_count; series++) {
        struct sn_buf message;
        sn_buf_init(&message, 0);
        if (version == SN_REMOTE_WRITE_1) {
            put_labels(&message, series);
        } else {
            put_references(request, &message, series);
        }
        put_samples(&message, series, sample_count);
        put_bytes(request, version == SN_REMOTE_WRITE_1 ? 1 : 5, sn_buf_str(&message));
        sn_buf_release(&message);
    }
}

static sn_status taking_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                             struct sn_push_result *ret_result, struct sn_err *err) {
    (void)ctx;
    (void)err;
    *ret_result = (struct sn_push_result){.accepted_count = batch->sample_count};
    done.fn(done.ctx, SN_OK, NULL);
    return SN_OK;
}

/* Nanoseconds of one request. */
static int64_t take(struct sn_ingest *ingest, struct sn_str body,
                    enum sn_remote_write_version version, uint64_t samples) {
    struct sn_ingest_options options = {.samples_max = 0};
    struct sn_ingest_result result;
    int64_t start_ns = sn_clock_mono_ns(sn_clock_system());
    sn_status status = sn_ingest_remote_write(ingest, body, version, &options,
                                              (struct sn_push_done){.fn = NULL}, &result, NULL);
    if (status != SN_OK || result.accepted_count != samples) {
        abort();
    }
    return sn_clock_mono_ns(sn_clock_system()) - start_ns;
}

static void run(enum sn_remote_write_version version, uint64_t series_count, int sample_count) {
    struct sn_buf body;
    struct sn_ingest ingest;
    uint64_t samples = series_count * (uint64_t)sample_count;
    int64_t best_ns = INT64_MAX;
    sn_buf_init(&body, 0);
    put_request(&body, version, series_count, sample_count);
    sn_ingest_init(&ingest, (struct sn_sink){.ctx = NULL, .push = taking_push});
    for (int i = 0; i < ROUNDS; i++) {
        int64_t took_ns = take(&ingest, sn_buf_str(&body), version, samples);
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    printf("remote write %d.0, %2d samples/series %6.0f MB/s %7.1f ns/sample %6.2f M samples/s\n",
           (int)version, sample_count, (double)body.len * 1e3 / (double)best_ns,
           (double)best_ns / (double)samples, (double)samples * 1e3 / (double)best_ns);
    sn_buf_release(&body);
}

int main(int argc, char **argv) {
    char *end = NULL;
    uint64_t series = argc > 1 ? strtoull(argv[1], &end, 10) : SERIES_DEFAULT;
    if (series == 0 || series > SN_INGEST_SAMPLES_MAX / SAMPLES_MANY ||
        (end != NULL && *end != '\0')) {
        fprintf(stderr, "usage: bench_ingest_remote_write [series]\n");
        return EXIT_FAILURE;
    }
    run(SN_REMOTE_WRITE_1, series, 1);
    run(SN_REMOTE_WRITE_1, series, SAMPLES_MANY);
    run(SN_REMOTE_WRITE_2, series, 1);
    run(SN_REMOTE_WRITE_2, series, SAMPLES_MANY);
    return EXIT_SUCCESS;
}
