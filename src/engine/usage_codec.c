/*
 * Summaries of hours as bytes. See usage.h and docs/FORMATS.md.
 */
#include "engine/usage.h"

#include "records/bytes.h"

#include <math.h>

#define FORMAT_VERSION 1

/* ---- writing ---- */

static void put_entry(struct sn_buf *buf, const struct sn_topk_entry *entry, int64_t base_ms) {
    sn_bytes_put_text(buf, entry->key);
    sn_bytes_put_text(buf, entry->note);
    sn_bytes_put_varint(buf, entry->count);
    sn_bytes_put_varint(buf, sn_zigzag_encode(entry->first_ms - base_ms));
    sn_bytes_put_varint(buf, sn_zigzag_encode(entry->last_ms - base_ms));
    unsigned mask = 0;
    for (unsigned i = 0; i < SN_TOPK_EXTRAS; i++)
        mask |= (entry->extra[i] < 0 || entry->extra[i] > 0 ? 1U : 0U) << i;
    sn_bytes_put_varint(buf, mask);
    for (unsigned i = 0; i < SN_TOPK_EXTRAS; i++)
        if ((mask & 1U << i) != 0)
            sn_bytes_put_double(buf, entry->extra[i]);
}

static void put_topk(struct sn_buf *buf, const struct sn_topk *topk) {
    int64_t base_ms = topk->count > 0 ? topk->entries[0].first_ms : 0;
    sn_bytes_put_varint(buf, topk->bound);
    sn_bytes_put_varint(buf, topk->count);
    sn_bytes_put_varint(buf, sn_zigzag_encode(base_ms));
    for (size_t i = 0; i < topk->count; i++)
        put_entry(buf, &topk->entries[i], base_ms);
}

static void put_durations(struct sn_buf *buf, const uint32_t *durations) {
    size_t used = 0;
    for (size_t i = 0; i < SN_USAGE_BUCKETS; i++)
        used += durations[i] > 0;
    sn_bytes_put_varint(buf, used);
    for (size_t i = 0; i < SN_USAGE_BUCKETS; i++)
        if (durations[i] > 0) {
            sn_bytes_put_varint(buf, i);
            sn_bytes_put_varint(buf, durations[i]);
        }
}

void sn_usage_encode(const struct sn_usage *usage, struct sn_buf *buf) {
    const struct sn_usage_totals *totals = &usage->totals;
    sn_buf_put_byte(buf, FORMAT_VERSION);
    sn_bytes_put_varint(buf, totals->event_count);
    sn_bytes_put_varint(buf, totals->ok_count);
    sn_bytes_put_varint(buf, totals->error_count);
    sn_bytes_put_varint(buf, totals->aborted_count);
    sn_bytes_put_varint(buf, totals->duration_count);
    sn_bytes_put_double(buf, totals->duration_ms_sum);
    sn_bytes_put_double(buf, totals->quantity_sum);
    sn_bytes_put_double(buf, totals->credits_used);
    sn_bytes_put_double(buf, totals->credits_refunded);
    put_durations(buf, usage->durations);
    put_topk(buf, &usage->users);
    put_topk(buf, &usage->items);
    put_topk(buf, &usage->errors);
}

/* ---- reading ---- */

static bool take_signed(struct sn_str *rest, int64_t *ret_value) {
    uint64_t raw;
    if (!sn_bytes_take_varint(rest, &raw))
        return false;
    *ret_value = sn_zigzag_decode(raw);
    return true;
}

static bool take_number(struct sn_str *rest, double *ret_value) {
    return sn_bytes_take_double(rest, ret_value) && isfinite(*ret_value);
}

static bool take_extras(struct sn_str *rest, struct sn_topk_entry *entry) {
    uint64_t mask;
    if (!sn_bytes_take_varint(rest, &mask) || mask >> SN_TOPK_EXTRAS != 0)
        return false;
    for (unsigned i = 0; i < SN_TOPK_EXTRAS; i++)
        if ((mask & 1U << i) != 0 && !take_number(rest, &entry->extra[i]))
            return false;
    return true;
}

#define TIME_MAX (INT64_C(1) << 48) /* all times that there are */

static bool is_time(int64_t time_ms) {
    return time_ms >= -TIME_MAX && time_ms <= TIME_MAX;
}

/* A time as its distance from another one. */
static bool take_time(struct sn_str *rest, int64_t base_ms, int64_t *ret_time_ms) {
    int64_t distance_ms;
    if (!take_signed(rest, &distance_ms) || distance_ms < -2 * TIME_MAX ||
        distance_ms > 2 * TIME_MAX)
        return false;
    *ret_time_ms = base_ms + distance_ms;
    return is_time(*ret_time_ms);
}

static bool take_entry(struct sn_str *rest, int64_t base_ms, struct sn_topk_entry *entry) {
    *entry = (struct sn_topk_entry){.count = 0};
    if (!sn_bytes_take_text(rest, &entry->key) || !sn_bytes_take_text(rest, &entry->note) ||
        !sn_bytes_take_varint(rest, &entry->count) || !take_time(rest, base_ms, &entry->first_ms) ||
        !take_time(rest, base_ms, &entry->last_ms))
        return false;
    return entry->count <= SN_TOPK_COUNT_MAX && take_extras(rest, entry);
}

static sn_status corrupt(struct sn_err *err) {
    return sn_err_set(err, SN_ERR_CORRUPT, "the summary of an hour of events is damaged");
}

static sn_status add_topk(struct sn_str *rest, struct sn_topk *topk, struct sn_err *err) {
    uint64_t bound, count;
    int64_t base_ms;
    if (!sn_bytes_take_varint(rest, &bound) || !sn_bytes_take_varint(rest, &count) ||
        !take_signed(rest, &base_ms) || !is_time(base_ms) || bound > SN_TOPK_COUNT_MAX)
        return corrupt(err);
    for (uint64_t i = 0; i < count; i++) {
        struct sn_topk_entry entry;
        if (!take_entry(rest, base_ms, &entry))
            return corrupt(err);
        sn_status status = sn_topk_add(topk, &entry);
        if (status != SN_OK)
            return sn_err_set(err, status, "cannot sum up hours of events");
    }
    sn_topk_raise_bound(topk, bound);
    return SN_OK;
}

static bool add_totals(struct sn_str *rest, struct sn_usage_totals *totals) {
    uint64_t *const counts[] = {&totals->event_count, &totals->ok_count, &totals->error_count,
                                &totals->aborted_count, &totals->duration_count};
    double *const sums[] = {&totals->duration_ms_sum, &totals->quantity_sum, &totals->credits_used,
                            &totals->credits_refunded};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        uint64_t count;
        if (!sn_bytes_take_varint(rest, &count) || count >> 62 != 0)
            return false;
        *counts[i] += count;
    }
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        double sum;
        if (!take_number(rest, &sum))
            return false;
        *sums[i] += sum;
    }
    return true;
}

static bool add_durations(struct sn_str *rest, uint32_t *durations) {
    uint64_t used, bucket, count;
    if (!sn_bytes_take_varint(rest, &used) || used > SN_USAGE_BUCKETS)
        return false;
    for (uint64_t i = 0; i < used; i++) {
        if (!sn_bytes_take_varint(rest, &bucket) || bucket >= SN_USAGE_BUCKETS ||
            !sn_bytes_take_varint(rest, &count) || count > UINT32_MAX)
            return false;
        uint64_t sum = durations[bucket] + count;
        durations[bucket] = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
    }
    return true;
}

sn_status sn_usage_decode_add(struct sn_usage *usage, struct sn_str bytes, struct sn_err *err) {
    uint64_t version;
    if (!sn_bytes_take_varint(&bytes, &version))
        return corrupt(err);
    if (version != FORMAT_VERSION)
        return sn_err_set(err, SN_ERR_UNSUPPORTED,
                          "the summary of an hour of events has version %llu, this program knows "
                          "%d",
                          (unsigned long long)version, FORMAT_VERSION);
    if (!add_totals(&bytes, &usage->totals) || !add_durations(&bytes, usage->durations))
        return corrupt(err);
    SN_TRY(add_topk(&bytes, &usage->users, err));
    SN_TRY(add_topk(&bytes, &usage->items, err));
    SN_TRY(add_topk(&bytes, &usage->errors, err));
    return bytes.len == 0 ? SN_OK : corrupt(err);
}
