/*
 * Ingest: the accounting that all protocols share.
 *
 *     body -> request (reader, builder, what was rejected) -> batch -> counted push -> sink
 *
 * 1. Between parsing and the sink there is one door, push_counted: whoever pushes through it has
 *    its samples counted, once, when their fate is known.
 * 2. A flight is a batch whose fate is open. It is owned by the pushing call, which learns how many
 *    samples were taken, and by the sink, which learns whether they are durable; the last one
 *    counts and frees it.
 *
 * Any thread. No state but counters.
 */
#include "base/mem.h"
#include "ingest/ingest_priv.h"

#include <stdatomic.h>

const char *sn_ingest_protocol_name(enum sn_ingest_protocol protocol) {
    switch (protocol) {
    case SN_INGEST_PROMETHEUS_TEXT:
        return "prometheus_text";
    case SN_INGEST_REMOTE_WRITE:
        return "remote_write";
    case SN_INGEST_PUSHGATEWAY:
        return "pushgateway";
    case SN_INGEST_STATSD:
        return "statsd";
    case SN_INGEST_OTLP:
        return "otlp";
    case SN_INGEST_JSON_LINES:
        return "json_lines";
    case SN_INGEST_SCRAPE:
        return "scrape";
    case SN_INGEST_PROTOCOL_COUNT:
        break;
    }
    return "unknown";
}

const char *sn_ingest_reason_name(unsigned reason) {
    if (reason < SN_REJECT_COUNT) {
        return sn_reject_name((enum sn_reject)reason);
    }
    switch ((enum sn_ingest_reason)reason) {
    case SN_INGEST_REQUEST_LIMIT:
        return "request_limit";
    case SN_INGEST_METADATA_LIMIT:
        return "metadata_limit";
    case SN_INGEST_NOT_STORED:
        return "not_stored";
    case SN_INGEST_INVALID_LABELS:
        return "invalid_labels";
    case SN_INGEST_INVALID_HISTOGRAM:
        return "invalid_histogram";
    case SN_INGEST_MALFORMED:
        return "malformed";
    case SN_INGEST_LOG_RECORD:
        return "log_record";
    case SN_INGEST_TYPE_CONFLICT:
        return "type_conflict";
    case SN_INGEST_LABEL_LIMIT: /* above */
    case SN_INGEST_REASON_COUNT:
        break;
    }
    return "unknown";
}

/* ---- counting ---- */

static void count(_Atomic uint64_t *counter, uint64_t more) {
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

struct flight {
    struct sn_ingest *ingest;
    enum sn_ingest_protocol protocol;
    struct sn_push_done done; /* of the caller */
    uint64_t accepted_count;  /* written by the pushing call */
    sn_status status;         /* written by the sink */
    atomic_int owner_count;
};

/* The other owner's writes are visible to the last one: the decrement is seq_cst. */
static void flight_unref(struct flight *flight) {
    if (atomic_fetch_sub(&flight->owner_count, 1) != 1) {
        return;
    }
    struct sn_ingest *counters = flight->ingest->counters;
    count(flight->status == SN_OK ? &counters->ingested_count[flight->protocol]
                                  : &counters->rejected_count[SN_INGEST_NOT_STORED],
          flight->accepted_count);
    sn_free(flight);
}

static void flight_done(void *ctx, sn_status status, const struct sn_err *err) {
    struct flight *flight = ctx;
    struct sn_push_done done = flight->done;
    flight->status = status;
    /* Count first where possible: whoever waits for `done` may read the counters next. */
    flight_unref(flight);
    if (done.fn != NULL) {
        done.fn(done.ctx, status, err);
    }
}

/* A sink's push that counts. */
static sn_status push_counted(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                              struct sn_push_result *ret_result, struct sn_err *err) {
    const struct sn_ingest_door *door = ctx;
    struct sn_ingest *ingest = door->ingest;
    uint64_t pushed_count = batch->sample_count + batch->histogram_count;
    struct flight *flight = sn_alloc_zero(1, sizeof *flight);
    if (flight == NULL) {
        count(&ingest->counters->rejected_count[SN_INGEST_NOT_STORED], pushed_count);
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to push %llu samples",
                          (unsigned long long)pushed_count);
    }
    *flight = (struct flight){.ingest = ingest, .protocol = door->protocol, .done = done};
    atomic_init(&flight->owner_count, 2);
    struct sn_push_result result = {.accepted_count = 0};
    struct sn_push_done counted = {.fn = flight_done, .ctx = flight};
    sn_status status = ingest->sink.push(ingest->sink.ctx, batch, counted, &result, err);
    if (status != SN_OK) {
        sn_free(flight); /* `done` is not called: there is no other owner */
        count(&ingest->counters->rejected_count[SN_INGEST_NOT_STORED], pushed_count);
        return status;
    }
    flight->accepted_count = result.accepted_count;
    flight_unref(flight);
    for (unsigned i = 0; i < SN_REJECT_COUNT; i++) {
        count(&ingest->counters->rejected_count[i], result.rejected_count[i]);
    }
    *ret_result = result;
    return SN_OK;
}

struct sn_sink sn_ingest_door_sink(struct sn_ingest_door *door) {
    return (struct sn_sink){.ctx = door, .push = push_counted};
}

/* Push; wait until it is durable when done is NULL. */
static sn_status push(struct sn_ingest *ingest, enum sn_ingest_protocol protocol,
                      const struct sn_batch *batch, const struct sn_push_done *done,
                      struct sn_push_result *ret_pushed, struct sn_err *err) {
    struct sn_ingest_door door = {.ingest = ingest, .protocol = protocol};
    if (done != NULL) {
        return push_counted(&door, batch, *done, ret_pushed, err);
    }
    struct sn_sink sink = {.ctx = &door, .push = push_counted};
    return sn_sink_push_wait(sink, batch, ret_pushed, err);
}

/* What the request left out and what the sink did becomes one. */
static void add_push_result(struct sn_ingest_result *result, const struct sn_batch *batch,
                            const struct sn_push_result *pushed) {
    uint64_t pushed_count = batch->sample_count + batch->histogram_count;
    result->accepted_count = pushed->accepted_count;
    result->accepted_histogram_count = pushed->accepted_histogram_count;
    result->accepted_exemplar_count = pushed->accepted_exemplar_count;
    result->lost_count += pushed_count - pushed->accepted_count;
    for (unsigned i = 0; i < SN_REJECT_COUNT; i++) {
        result->rejected_count[i] += pushed->rejected_count[i];
    }
    if (result->first_reject.status == SN_OK) {
        result->first_reject = pushed->first_reject;
    }
}

sn_status sn_ingest_push(struct sn_ingest *ingest, enum sn_ingest_protocol protocol,
                         const struct sn_batch *batch, const struct sn_push_done *done,
                         struct sn_ingest_result *result, struct sn_err *err) {
    struct sn_push_result pushed = {.accepted_count = 0};
    SN_TRY(push(ingest, protocol, batch, done, &pushed, err));
    for (unsigned i = 0; i < SN_INGEST_REASON_COUNT; i++) {
        count(&ingest->counters->rejected_count[i], result->rejected_count[i]);
    }
    add_push_result(result, batch, &pushed);
    return SN_OK;
}

void sn_ingest_count_rejected(struct sn_ingest *ingest, unsigned reason, uint64_t sample_count) {
    count(&ingest->counters->rejected_count[reason], sample_count);
}

void sn_ingest_count_request(struct sn_ingest *ingest, sn_status status) {
    count(&ingest->counters->request_count, 1);
    count(&ingest->counters->refused_request_count, status != SN_OK);
}

/* ---- what requests share ---- */

void sn_ingest_reject(struct sn_ingest_result *result, unsigned reason, const char *where,
                      size_t number, const char *sentence) {
    result->rejected_count[reason]++;
    if (result->first_reject.status == SN_OK) {
        (void)sn_err_set(&result->first_reject, SN_ERR_LIMIT, "%s %zu: %s", where, number,
                         sentence);
    }
}

/* Add a label that wins against one of the same name; the new count. */
static size_t put_label(struct sn_label *items, size_t count, struct sn_label extra) {
    for (size_t i = 0; i < count; i++) {
        if (sn_str_equal(items[i].name, extra.name)) {
            items[i] = extra;
            return count;
        }
    }
    items[count] = extra;
    return count + 1;
}

size_t sn_ingest_put_labels(struct sn_label *items, size_t count, struct sn_labels extra) {
    for (size_t i = 0; i < extra.count; i++) {
        count = put_label(items, count, extra.items[i]);
    }
    return count;
}

sn_status sn_ingest_check_request(struct sn_str body, const struct sn_ingest_options *options,
                                  struct sn_err *err) {
    if (body.len > SN_HTTP_BODY_BYTES_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT, "a body has %zu bytes, the limit is %zu", body.len,
                          SN_HTTP_BODY_BYTES_MAX);
    }
    if (options->default_time_ms < SN_TIME_MS_MIN || options->default_time_ms > SN_TIME_MS_MAX) {
        return sn_err_set(err, SN_ERR_INVALID, "default time %lld ms is not in 1970 to 9999",
                          (long long)options->default_time_ms);
    }
    return sn_labels_validate(options->extra_labels, err);
}

/* ---- public ---- */

void sn_ingest_init(struct sn_ingest *ingest, struct sn_sink sink) {
    memset(ingest, 0, sizeof *ingest);
    ingest->sink = sink;
    ingest->counters = ingest;
}

void sn_ingest_init_beside(struct sn_ingest *ingest, struct sn_sink sink, struct sn_ingest *other) {
    sn_ingest_init(ingest, sink);
    ingest->counters = other != NULL ? other : ingest;
}

static uint64_t load(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

struct sn_ingest_counters sn_ingest_read_counters(const struct sn_ingest *ingest) {
    struct sn_ingest_counters counters = {
        .request_count = load(&ingest->request_count),
        .refused_request_count = load(&ingest->refused_request_count),
    };
    for (unsigned i = 0; i < SN_INGEST_PROTOCOL_COUNT; i++) {
        counters.ingested_count[i] = load(&ingest->ingested_count[i]);
    }
    for (unsigned i = 0; i < SN_INGEST_REASON_COUNT; i++) {
        counters.rejected_count[i] = load(&ingest->rejected_count[i]);
    }
    return counters;
}
