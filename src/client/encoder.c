/*
 * Encoders: the calls behind sonde/encoder.h. Counters and gauges of the registry, and a rate that
 * the registry asks for when it is read.
 */
#include "client/encoder_priv.h"

#include "base/mem.h"
#include "client/callback_priv.h"
#include "client/error_priv.h"
#include "client/rate_priv.h"
#include "sonde/counter.h"
#include "sonde/gauge.h"

#define NS_PER_S INT64_C(1000000000)

struct sonde_encoder {
    const struct sn_clock *clock;
    sonde_counter *frames;
    sonde_counter *dropped;
    sonde_gauge *queue;
    sonde_gauge *sessions;
    sonde_callback *frame_rate; /* owned */
    struct sn_series *in_file;  /* its series when the rate goes into a file; else NULL */
    _Atomic int64_t file_s;     /* second of the rate there */
    struct sn_rate rate;
};

static const char *const labels[] = {"encoder"};

/* The first error of several calls stays. */
static sonde_error *next_error(sonde_error *first, sonde_error *next) {
    if (next->status != SONDE_OK && first->status == SONDE_OK)
        *first = *next;
    return first;
}

static sonde_counter *counter(sonde_registry *registry, const sonde_metric *metric,
                              const char *name, sonde_error *error) {
    sonde_error own;
    sonde_counter_family *family = sonde_counter_family_new(registry, metric, &own);
    return next_error(error, &own)->status == SONDE_OK ? sonde_counter_family_get(family, &name, 1)
                                                       : NULL;
}

static sonde_gauge *gauge(sonde_registry *registry, const sonde_metric *metric, const char *name,
                          sonde_error *error) {
    sonde_error own;
    sonde_gauge_family *family = sonde_gauge_family_new(registry, metric, &own);
    return next_error(error, &own)->status == SONDE_OK ? sonde_gauge_family_get(family, &name, 1)
                                                       : NULL;
}

static double read_rate(void *ctx) {
    const sonde_encoder *encoder = ctx;
    return sn_rate_read(&encoder->rate, sn_clock_mono_ns(encoder->clock));
}

/* The callback comes first: it tells whether the name is taken. */
static void make_series(sonde_encoder *encoder, sonde_registry *registry, const char *name,
                        sonde_error *error) {
    sonde_metric metric = {.name = "encoder_frames_per_second",
                           .help = "Frames encoded per second, over the last 10 seconds.",
                           .label_names = labels,
                           .label_count = 1};
    sonde_callback_options rate = {
        .metric = metric, .label_values = &name, .read = read_rate, .ctx = encoder};
    encoder->frame_rate = sonde_callback_new(registry, &rate, error);
    if (error->status != SONDE_OK)
        return;
    struct sn_series *series = (struct sn_series *)(void *)encoder->frame_rate;
    encoder->in_file = sn_callback_is_in_file(series) ? series : NULL;
    metric.name = "encoder_frames_total";
    metric.help = "Frames encoded.";
    encoder->frames = counter(registry, &metric, name, error);
    metric.name = "encoder_frames_dropped_total";
    metric.help = "Frames given up.";
    encoder->dropped = counter(registry, &metric, name, error);
    metric.name = "encoder_queue_length";
    metric.help = "Frames or jobs that wait for the encoder.";
    encoder->queue = gauge(registry, &metric, name, error);
    metric.name = "encoder_sessions_active";
    metric.help = "Encoding sessions that are open.";
    encoder->sessions = gauge(registry, &metric, name, error);
}

sonde_encoder *sn_encoder_new(sonde_registry *registry, const char *name,
                              const struct sn_clock *clock, sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    sonde_error own = {SONDE_OK, ""};
    sonde_encoder *encoder = sn_alloc_zero(1, sizeof *encoder);
    if (encoder == NULL) {
        sn_status status = sn_err_set(&err, SN_ERR_NO_MEMORY, "no memory for an encoder");
        (void)sn_public_error(error, (sonde_status)status, &err);
        return NULL;
    }
    encoder->clock = clock;
    make_series(encoder, registry, name, &own);
    if (error != NULL)
        *error = own;
    return own.status == SONDE_OK ? encoder : sonde_encoder_free(encoder);
}

sonde_encoder *sonde_encoder_new(sonde_registry *registry, const char *name, sonde_error *error) {
    return sn_encoder_new(registry, name, sn_clock_system(), error);
}

sonde_encoder *sonde_encoder_free(sonde_encoder *encoder) {
    if (encoder == NULL)
        return NULL;
    (void)sonde_callback_free(encoder->frame_rate);
    sn_free(encoder);
    return NULL;
}

/* The rate is one of whole seconds: once in each is enough. */
static void refresh_rate(sonde_encoder *encoder, int64_t now_s) {
    if (atomic_load_explicit(&encoder->file_s, memory_order_relaxed) == now_s)
        return;
    atomic_store_explicit(&encoder->file_s, now_s, memory_order_relaxed);
    sn_callback_refresh(encoder->in_file);
}

void sonde_encoder_frames(sonde_encoder *encoder, uint32_t n) {
    if (encoder == NULL)
        return;
    int64_t now_ns = sn_clock_mono_ns(encoder->clock);
    sonde_counter_add(encoder->frames, n);
    sn_rate_add(&encoder->rate, now_ns, n);
    if (encoder->in_file != NULL)
        refresh_rate(encoder, now_ns / NS_PER_S);
}

void sonde_encoder_dropped(sonde_encoder *encoder, uint32_t n) {
    if (encoder != NULL)
        sonde_counter_add(encoder->dropped, n);
}

void sonde_encoder_queue_set(sonde_encoder *encoder, uint64_t length) {
    if (encoder != NULL)
        sonde_gauge_set(encoder->queue, (double)length);
}

void sonde_encoder_queue_add(sonde_encoder *encoder, int64_t n) {
    if (encoder != NULL)
        sonde_gauge_add(encoder->queue, n);
}

void sonde_encoder_session_begin(sonde_encoder *encoder) {
    if (encoder != NULL)
        sonde_gauge_inc(encoder->sessions);
}

void sonde_encoder_session_end(sonde_encoder *encoder) {
    if (encoder != NULL)
        sonde_gauge_dec(encoder->sessions);
}

void sonde_encoder_read(const sonde_encoder *encoder, sonde_encoder_stats *ret_stats) {
    sonde_encoder_stats stats = {0};
    if (encoder != NULL) {
        stats.frames = sonde_counter_value(encoder->frames);
        stats.dropped = sonde_counter_value(encoder->dropped);
        stats.frames_per_second = sn_rate_read(&encoder->rate, sn_clock_mono_ns(encoder->clock));
        stats.queue_length = sonde_gauge_value(encoder->queue);
        stats.sessions_active = sonde_gauge_value(encoder->sessions);
    }
    *ret_stats = stats;
}
