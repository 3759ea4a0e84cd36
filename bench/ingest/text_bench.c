/*
 * How fast a page of the text format becomes a batch: reading, labels, canonical bytes, everything
 * but the sink. The page is like that of node_exporter: 100 bytes and 2 labels per sample.
 *
 *   bench_ingest_text [samples]
 */
#include "ingest/ingest.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/rng.h"

#include <inttypes.h>
#include <stdlib.h>

enum { ROUNDS = 7, SAMPLES_DEFAULT = 100000, SAMPLES_PER_FAMILY = 16 };

static void put_page(struct sn_buf *page, uint64_t samples) {
    struct sn_rng rng;
    sn_rng_init(&rng, 1);
    for (uint64_t i = 0; i < samples; i++) {
        uint64_t family = i / SAMPLES_PER_FAMILY;
        if (i % SAMPLES_PER_FAMILY == 0) {
            sn_buf_printf(page, "# HELP node_metric_%" PRIu64 "_total What somebody counted.\n",
                          family);
            sn_buf_printf(page, "# TYPE node_metric_%" PRIu64 "_total counter\n", family);
        }
        sn_buf_printf(page,
                      "node_metric_%" PRIu64 "_total{device=\"disk-%" PRIu64
                      "\",mode=\"mode_%" PRIu64 "\"} %" PRIu64 ".%02" PRIu64 "\n",
                      family, i % SAMPLES_PER_FAMILY, i % 7, sn_rng_below(&rng, 1000000),
                      sn_rng_below(&rng, 100));
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
static int64_t take_page(struct sn_ingest *ingest, struct sn_str page, uint64_t samples) {
    struct sn_ingest_options options = {.default_time_ms = 1};
    struct sn_ingest_result result;
    int64_t start_ns = sn_clock_mono_ns(sn_clock_system());
    sn_status status =
        sn_ingest_text(ingest, page, &options, (struct sn_push_done){.fn = NULL}, &result, NULL);
    if (status != SN_OK || result.accepted_count != samples) {
        abort();
    }
    return sn_clock_mono_ns(sn_clock_system()) - start_ns;
}

int main(int argc, char **argv) {
    char *end = NULL;
    uint64_t samples = argc > 1 ? strtoull(argv[1], &end, 10) : SAMPLES_DEFAULT;
    if (samples == 0 || samples > SN_INGEST_SAMPLES_MAX || (end != NULL && *end != '\0')) {
        fprintf(stderr, "usage: bench_ingest_text [samples]\n");
        return EXIT_FAILURE;
    }
    struct sn_buf page;
    struct sn_ingest ingest;
    int64_t best_ns = INT64_MAX;
    sn_buf_init(&page, 0);
    put_page(&page, samples);
    sn_ingest_init(&ingest, (struct sn_sink){.ctx = NULL, .push = taking_push});
    for (int i = 0; i < ROUNDS; i++) {
        int64_t took_ns = take_page(&ingest, sn_buf_str(&page), samples);
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    printf("page to batch %7.0f MB/s %7.1f ns/sample %6.2f M samples/s\n",
           (double)page.len * 1e3 / (double)best_ns, (double)best_ns / (double)samples,
           (double)samples * 1e3 / (double)best_ns);
    sn_buf_release(&page);
    return EXIT_SUCCESS;
}
