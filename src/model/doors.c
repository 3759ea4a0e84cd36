/*
 * The doors: names of reject reasons, and the blocking form of push.
 *
 * Any thread.
 */
#include "model/doors.h"

#include "base/lock.h"
#include "base/mem.h"

#include <stdatomic.h>

const char *sn_reject_name(enum sn_reject reason) {
    switch (reason) {
    case SN_REJECT_OUT_OF_ORDER:
        return "out_of_order";
    case SN_REJECT_DUPLICATE:
        return "duplicate";
    case SN_REJECT_TOO_OLD:
        return "too_old";
    case SN_REJECT_TOO_NEW:
        return "too_new";
    case SN_REJECT_SERIES_LIMIT:
        return "series_limit";
    case SN_REJECT_UNSUPPORTED:
        return "unsupported";
    case SN_REJECT_LABEL_LIMIT:
        return "label_limit";
    case SN_REJECT_COUNT:
        break;
    }
    return "unknown";
}

/*
 * The event is shared by the waiting thread and the sink's thread, which may still be inside
 * sn_event_set when the wait returns: the last of the two frees it.
 */
struct push_wait {
    struct sn_event event;
    atomic_int owner_count;
};

static void push_wait_unref(struct push_wait *wait) {
    /* seq_cst: what the other owner did to the event happens before it is released here. */
    if (atomic_fetch_sub(&wait->owner_count, 1) == 1) {
        sn_event_release(&wait->event);
        sn_free(wait);
    }
}

static void push_wait_done(void *ctx, sn_status status, const struct sn_err *err) {
    struct push_wait *wait = ctx;
    sn_event_set(&wait->event, status, err);
    push_wait_unref(wait);
}

sn_status sn_sink_push_wait(struct sn_sink sink, const struct sn_batch *batch,
                            struct sn_push_result *ret_result, struct sn_err *err) {
    struct push_wait *wait = sn_alloc_zero(1, sizeof *wait);
    if (wait == NULL) {
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to wait for a batch of %zu samples",
                          batch->sample_count);
    }
    sn_event_init(&wait->event);
    atomic_init(&wait->owner_count, 2);
    struct sn_push_result result = {.accepted_count = 0};
    struct sn_push_done done = {.fn = push_wait_done, .ctx = wait};
    sn_status status = sink.push(sink.ctx, batch, done, &result, err);
    if (status == SN_OK) {
        status = sn_event_wait(&wait->event, -1, err);
    } else {
        push_wait_unref(wait); /* in the name of `done`, which will not be called */
    }
    push_wait_unref(wait);
    if (status == SN_OK) {
        *ret_result = result;
    }
    return status;
}

sn_status sn_scan_open(const struct sn_reader *reader, struct sn_range range,
                       struct sn_scan *ret_scan, struct sn_err *err) {
    struct sn_scan scan = {.ctx = NULL};
    if (reader->scan != NULL) {
        SN_TRY(reader->scan(reader->ctx, range, &scan, err));
    }
    scan.reader = reader;
    scan.range = range;
    *ret_scan = scan;
    return SN_OK;
}

sn_status sn_scan_samples(const struct sn_scan *scan, uint64_t series_id,
                          struct sn_samples *samples, struct sn_err *err) {
    if (scan->samples != NULL) {
        return scan->samples(scan->ctx, series_id, samples, err);
    }
    return scan->reader->samples(scan->reader->ctx, series_id, scan->range, samples, err);
}

static sn_status has_histogram(const struct sn_scan *scan, uint64_t series_id, bool *ret_has,
                               struct sn_err *err) {
    const struct sn_reader *reader = scan->reader;
    struct sn_histograms histograms;
    if (reader->histograms == NULL) {
        *ret_has = false;
        return SN_OK;
    }
    sn_histograms_init(&histograms, 0);
    sn_status status = reader->histograms(reader->ctx, series_id, scan->range, &histograms, err);
    if (status == SN_OK) {
        *ret_has = histograms.count > 0;
    }
    sn_histograms_release(&histograms);
    return status;
}

sn_status sn_scan_has(const struct sn_scan *scan, uint64_t series_id, struct sn_samples *scratch,
                      bool *ret_has, struct sn_err *err) {
    if (sn_scan_surely_has(scan, series_id)) {
        *ret_has = true;
        return SN_OK;
    }
    sn_samples_reset(scratch);
    SN_TRY(sn_scan_samples(scan, series_id, scratch, err));
    if (scratch->count > 0) {
        *ret_has = true;
        return SN_OK;
    }
    return has_histogram(scan, series_id, ret_has, err);
}

void sn_scan_close(struct sn_scan *scan) {
    if (scan->close != NULL) {
        scan->close(scan->ctx);
    }
    *scan = (struct sn_scan){.ctx = NULL};
}
