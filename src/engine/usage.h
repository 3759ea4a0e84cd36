/*
 * Usage: events of an application summed up over a period. Exact over stored events; users, items
 * and errors by mergeable summaries of bounded size whose error bound is part of the answer.
 *
 * An hour that is over is summed up once (by the worker) and kept as bytes; a period is the sum of
 * its whole hours and of the events at its two ends, read one by one.
 */
#ifndef SN_ENGINE_USAGE_H
#define SN_ENGINE_USAGE_H

#include "base/clock.h"
#include "base/lock.h"
#include "insight/topk.h"
#include "records/records.h"

/* Keys that a summary keeps for sure. While an hour, and a period, has no more: exact. */
#define SN_USAGE_USERS_MAX 20000
#define SN_USAGE_ITEMS_MAX 10000
#define SN_USAGE_ERRORS_MAX 500

/* Durations in buckets that grow by 2 %: 0.001 ms to 10^9 ms. */
#define SN_USAGE_BUCKETS 1408

struct sn_usage_totals {
    uint64_t event_count;
    uint64_t ok_count;
    uint64_t error_count;
    uint64_t aborted_count;
    uint64_t duration_count;
    double duration_ms_sum;
    double quantity_sum;
    double credits_used;
    double credits_refunded;
};

/* Meaning of sn_topk_entry.extra: of users */
enum { SN_USAGE_USER_OK = 0, SN_USAGE_USER_ENDED = 1, SN_USAGE_USER_ITEMS = 2 };

/* One thread. Large: on the heap. */
struct sn_usage {
    struct sn_usage_totals totals;
    uint32_t durations[SN_USAGE_BUCKETS];
    struct sn_topk users;  /* key: user_id */
    struct sn_topk items;  /* key: kind NUL id; note: name NUL category */
    struct sn_topk errors; /* key: class; note: a sample message */
};

/* NULL: no memory. */
struct sn_usage *sn_usage_new(void);
struct sn_usage *sn_usage_free(struct sn_usage *usage); /* returns NULL; NULL is fine */

/* Add up totals alone. */
void sn_usage_totals_add(struct sn_usage_totals *sum, const struct sn_usage_totals *totals);

/* Of those that ended in a result or an error, of credits used, and of the time of events that had
 * one; NaN without any. */
double sn_usage_success_ratio(const struct sn_usage_totals *totals);
double sn_usage_refund_ratio(const struct sn_usage_totals *totals);
double sn_usage_seconds_per_item(const struct sn_usage_totals *totals);

/* SN_ERR_NO_MEMORY, SN_ERR_LIMIT. */
sn_status sn_usage_add(struct sn_usage *usage, const struct sn_app_event *event) SN_MUST_USE;

/* Add all of another one. SN_ERR_NO_MEMORY, SN_ERR_LIMIT; after a failure the sum is useless. */
sn_status sn_usage_merge(struct sn_usage *usage, const struct sn_usage *other) SN_MUST_USE;

/* Part 0..1 of the durations are below this many ms, within 1 %. NaN without durations. */
double sn_usage_duration_ms(const struct sn_usage *usage, double part);

/* Append as bytes: docs/FORMATS.md. */
void sn_usage_encode(const struct sn_usage *usage, struct sn_buf *buf);
/* Add what bytes hold. Foreign: SN_ERR_CORRUPT, SN_ERR_UNSUPPORTED, SN_ERR_NO_MEMORY, SN_ERR_LIMIT;
 * after a failure the sum is useless. */
sn_status sn_usage_decode_add(struct sn_usage *usage, struct sn_str bytes,
                              struct sn_err *err) SN_MUST_USE;

/* Add the events of an application with range.start_ms <= time < range.end_ms. Any thread; blocks
 * on the database. */
sn_status sn_usage_read(struct sn_records *records, struct sn_str app, struct sn_range_ms range,
                        struct sn_usage *usage, struct sn_err *err) SN_MUST_USE;

/* Sums up hours that are over: "usage". */
struct sn_usage_sealer {
    struct sn_records *records;
    const struct sn_clock *clock;
    struct sn_mutex mu;
    struct sn_cond wake;
    bool is_stopping;       /* guarded by mu */
    uint64_t sealed_count;  /* guarded by mu */
    uint64_t failure_count; /* guarded by mu */
};
void sn_usage_sealer_init(struct sn_usage_sealer *sealer, struct sn_records *records,
                          const struct sn_clock *clock);
void sn_usage_sealer_release(struct sn_usage_sealer *sealer);
struct sn_worker sn_usage_sealer_worker(struct sn_usage_sealer *sealer);
/* One round, which the worker does every minute. */
sn_status sn_usage_seal(struct sn_usage_sealer *sealer, size_t *ret_count,
                        struct sn_err *err) SN_MUST_USE;

#endif
