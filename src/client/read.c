/*
 * Reading a registry. See read_priv.h; the promises are in sonde/expose.h.
 *
 * Counters and buckets are read one by one while threads record. Each cell only grows, so no sum
 * of them shrinks from one read to the next; the number of values in a histogram is taken from the
 * buckets just read, so that it equals the +Inf bucket.
 *
 * One reader at a time per registry. Nothing here waits for, or holds up, recording and
 * registration.
 */
#include "client/read_priv.h"

#include "client/callback_priv.h"
#include "client/openmetrics_names_priv.h"
#include "client/operation_priv.h"
#include "client/registry_priv.h"
#include "client/shared_sync_priv.h"
#include "sonde/counter.h"

/* How far ahead of the series that is read, and how much: about one of three labels. */
#define PREFETCH_AHEAD_BYTES 3072
#define PREFETCH_BYTES 192

/* NOLINTNEXTLINE(bugprone-macro-parentheses): it declares `series`. */
#define FOR_EACH_SERIES(series, family)                                                            \
    for (struct sn_series *series = atomic_load_explicit(&(family)->first, memory_order_acquire);  \
         (series) != NULL; (series) = atomic_load_explicit(&(series)->next, memory_order_acquire))

static int put_integer(const struct sn_line_sink *sink, struct sn_line *line, uint64_t value) {
    line->is_integer = true;
    line->integer = value;
    line->number = (double)value;
    return sink->line(sink->ctx, line);
}

static int put_number(const struct sn_line_sink *sink, struct sn_line *line, double value) {
    line->is_integer = false;
    line->number = value;
    return sink->line(sink->ctx, line);
}

/* The lines of one histogram, whose bucket counts are cells first_bucket and following. */
static int put_histogram(const struct sn_line_sink *sink, struct sn_line *line, size_t first_bucket,
                         double sum) {
    const struct sn_series *series = line->series;
    const struct sn_family *family = series->family;
    uint64_t counts[SONDE_BUCKETS_MAX + 1];
    uint64_t total = 0;
    sn_cells_sum_many(&series->head.ref, first_bucket, family->le_count, counts);
    line->suffix = SN_SUFFIX_BUCKET;
    for (size_t i = 0; i < family->le_count; i++) {
        total += counts[i];
        line->extra = &family->les[i];
        if (put_integer(sink, line, total) != 0)
            return 1;
    }
    line->extra = NULL;
    line->suffix = SN_SUFFIX_SUM;
    if (put_number(sink, line, sum) != 0)
        return 1;
    line->suffix = SN_SUFFIX_COUNTER;
    return put_integer(sink, line, total);
}

/* Bucket counts of a native histogram, one moment. */
static void read_native(const struct sn_series *series, struct sn_native_counts *ret_counts) {
    const struct sn_native *native = series->family->native;
    const sonde_ref *ref = &series->head.ref;
    ret_counts->native = native;
    ret_counts->total = ret_counts->zero = sn_cells_sum(ref, SONDE_NATIVE_ZERO);
    sn_cells_sum_many(ref, SONDE_NATIVE_BUCKETS, native->bucket_count, ret_counts->buckets);
    for (uint32_t i = 0; i < native->bucket_count; i++)
        ret_counts->total += ret_counts->buckets[i];
    ret_counts->overflow = sn_cells_sum(ref, SONDE_NATIVE_OVERFLOW);
    ret_counts->total += ret_counts->overflow;
}

static int put_native_line(const struct sn_line_sink *sink, struct sn_line *line, double sum,
                           const struct sn_native_counts *counts) {
    line->native = counts;
    line->native_sum = sum;
    return put_integer(sink, line, counts->total);
}

/* As lines: a bound at every power of two. */
static int put_native(const struct sn_line_sink *sink, struct sn_line *line) {
    const struct sn_family *family = line->series->family;
    struct sn_native_counts counts;
    double sum = sonde_native_histogram_sum((const void *)line->series);
    read_native(line->series, &counts);
    if (sink->wants_native)
        return put_native_line(sink, line, sum, &counts);
    uint64_t below = counts.zero;
    uint32_t bucket = 0;
    line->suffix = SN_SUFFIX_BUCKET;
    for (size_t i = 0; i < family->le_count; i++) {
        uint32_t end = (uint32_t)i << family->native->scale.shift;
        for (; bucket < end && bucket < family->native->bucket_count; bucket++)
            below += counts.buckets[bucket];
        line->extra = &family->les[i];
        if (put_integer(sink, line, i + 1 < family->le_count ? below : counts.total) != 0)
            return 1;
    }
    line->extra = NULL;
    line->suffix = SN_SUFFIX_SUM;
    if (put_number(sink, line, sum) != 0)
        return 1;
    line->suffix = SN_SUFFIX_COUNTER;
    return put_integer(sink, line, counts.total);
}

/* line: with the family's name; the rest is as the series before left it. */
static int put_series(const struct sn_line_sink *sink, struct sn_line *line,
                      struct sn_series *series) {
    double value;
    line->suffix = SN_SUFFIX_NONE;
    line->series = series;
    line->created_wall_ms = series->created_wall_ms;
    switch (series->family->kind) {
    case SN_KIND_COUNTER:
        return put_integer(sink, line, sn_cells_sum(&series->head.ref, 0));
    case SN_KIND_FLOAT_COUNTER:
        return put_number(sink, line, sn_cells_sum_double(&series->head.ref, 0));
    case SN_KIND_GAUGE:
        return put_number(sink, line, sonde_gauge_value((const sonde_gauge *)(void *)series));
    case SN_KIND_HISTOGRAM:
        /* The sum first: a value that arrives in between is in the count already. */
        return put_histogram(sink, line, 1, sn_cells_sum_double(&series->head.ref, 0));
    case SN_KIND_NATIVE:
        return put_native(sink, line);
    case SN_KIND_INFO:
        return put_integer(sink, line, 1);
    case SN_KIND_CALLBACK_GAUGE:
    case SN_KIND_CALLBACK_COUNTER:
        line->created_wall_ms = 0; /* the host may have counted before */
        return sn_callback_read(series, &value) ? put_number(sink, line, value) : 0;
    case SN_KIND_SERVICE:
        return put_number(sink, line, (double)series->created_wall_ms / 1e3);
    case SN_KIND_OPERATION:
        return 0; /* shown under other names */
    }
    return 0;
}

/* Series of a family lie one behind the other, mostly. A third of a page's time was waiting for them:
 * the way from one to the next is a pointer. */
static inline void prefetch_behind(const struct sn_series *series) {
    for (size_t i = 0; i < PREFETCH_BYTES; i += 64)
        __builtin_prefetch((const char *)series + PREFETCH_AHEAD_BYTES + i);
}

static int put_family(const struct sn_line_sink *sink, struct sn_family *family) {
    if (atomic_load_explicit(&family->first, memory_order_acquire) == NULL)
        return 0;
    sonde_family_info info = {family->name, family->help, family->unit, sn_kind_type(family->kind)};
    if (sink->family(sink->ctx, &info, family) != 0)
        return 1;
    struct sn_line line = {.name = sn_str_from(family->name)};
    FOR_EACH_SERIES(series, family) {
        prefetch_behind(series);
        if (put_series(sink, &line, series) != 0)
            return 1;
    }
    return 0;
}

/* Operations: one family inside, several on a page. */

static int put_outcomes(const struct sn_line_sink *sink, struct sn_line *line,
                        const struct sn_operation_sums *sums) {
    static const struct sn_extra outcomes[SONDE_OUTCOME_COUNT] = {
        SN_EXTRA("outcome", "ok"), SN_EXTRA("outcome", "error"), SN_EXTRA("outcome", "aborted")};
    const struct sn_error_text *last_error = line->last_error;
    for (size_t i = 0; i < SONDE_OUTCOME_COUNT; i++) {
        line->extra = &outcomes[i];
        line->last_error = i == SONDE_OUTCOME_ERROR ? last_error : NULL;
        if (put_integer(sink, line, sums->outcomes[i]) != 0)
            return 1;
    }
    return 0;
}

static int put_duration(const struct sn_line_sink *sink, struct sn_line *line,
                        const struct sn_operation_sums *sums) {
    return put_histogram(sink, line, SONDE_OPERATION_BUCKETS, (double)sums->sum_ns / 1e9);
}

static int put_min(const struct sn_line_sink *sink, struct sn_line *line,
                   const struct sn_operation_sums *sums) {
    return put_number(sink, line, (double)sums->min_ns / 1e9);
}

static int put_max(const struct sn_line_sink *sink, struct sn_line *line,
                   const struct sn_operation_sums *sums) {
    return put_number(sink, line, (double)sums->max_ns / 1e9);
}

static int put_active(const struct sn_line_sink *sink, struct sn_line *line,
                      const struct sn_operation_sums *sums) {
    uint64_t ended = sums->outcomes[0] + sums->outcomes[1] + sums->outcomes[2];
    return put_integer(sink, line, sums->begun - ended);
}

static int put_last(const struct sn_line_sink *sink, struct sn_line *line,
                    const struct sn_operation_sums *sums) {
    return put_number(sink, line, (double)sn_operation_last_wall_ms(sums) / 1e3);
}

static const struct operation_page {
    sonde_family_info info;
    int (*put)(const struct sn_line_sink *sink, struct sn_line *line,
               const struct sn_operation_sums *sums);
    bool has_errors; /* shows the last error */
} operation_pages[] = {
    {{"sonde_operations_total", "Finished operations by outcome.", "", SONDE_TYPE_COUNTER},
     put_outcomes,
     true},
    {{"sonde_operation_duration_seconds", "Duration of finished operations.", "seconds",
      SONDE_TYPE_HISTOGRAM},
     put_duration,
     false},
    {{"sonde_operation_duration_min_seconds", "Shortest operation since start.", "seconds",
      SONDE_TYPE_GAUGE},
     put_min,
     false},
    {{"sonde_operation_duration_max_seconds", "Longest operation since start.", "seconds",
      SONDE_TYPE_GAUGE},
     put_max,
     false},
    {{"sonde_operations_active", "Operations begun and not finished.", "", SONDE_TYPE_GAUGE},
     put_active,
     false},
    {{"sonde_operation_last_timestamp_seconds", "Unix time of the last finish, 0 if none.",
      "seconds", SONDE_TYPE_GAUGE},
     put_last,
     false},
};

static int put_operation_page(const struct sn_line_sink *sink, struct sn_family *family,
                              const struct operation_page *page) {
    if (sink->family(sink->ctx, &page->info, NULL) != 0)
        return 1;
    FOR_EACH_SERIES(series, family) {
        struct sn_line line = {.name = sn_str_from(page->info.name),
                               .series = series,
                               .created_wall_ms = series->created_wall_ms};
        struct sn_operation_sums sums;
        struct sn_error_text error;
        /* The message first: its error is then counted as well. */
        if (sink->wants_errors && page->has_errors && sn_operation_last_error(series, &error))
            line.last_error = &error;
        sn_operation_sum(series, &sums);
        if (page->put(sink, &line, &sums) != 0)
            return 1;
    }
    return 0;
}

static int put_operations(const struct sn_line_sink *sink, struct sn_family *family) {
    if (atomic_load_explicit(&family->first, memory_order_acquire) == NULL)
        return 0;
    for (size_t i = 0; i < sizeof operation_pages / sizeof operation_pages[0]; i++) {
        if (put_operation_page(sink, family, &operation_pages[i]) != 0)
            return 1;
    }
    return 0;
}

static int put_lost(const struct sn_line_sink *sink, const sonde_registry *registry) {
    static const struct sn_extra reasons[SONDE_LOST_REASON_COUNT] = {
        SN_EXTRA("reason", "no_memory"), SN_EXTRA("reason", "series_limit"),
        SN_EXTRA("reason", "label_value"), SN_EXTRA("reason", "value"),
        SN_EXTRA("reason", "registration")};
    static const sonde_family_info info = {"sonde_lost_total",
                                           "What the library could not record as asked, by reason.",
                                           "", SONDE_TYPE_COUNTER};
    if (sink->family(sink->ctx, &info, NULL) != 0)
        return 1;
    for (int i = 0; i < SONDE_LOST_REASON_COUNT; i++) {
        struct sn_line line = {.name = sn_str_from(info.name),
                               .extra = &reasons[i],
                               .created_wall_ms = registry->moments.first_wall_ms};
        if (put_integer(sink, &line, sonde_lost_count(registry, (sonde_lost_reason)i)) != 0)
            return 1;
    }
    return 0;
}

int sn_registry_read_lines(sonde_registry *registry, const struct sn_line_sink *sink) {
    for (struct sn_family *family = atomic_load_explicit(&registry->first, memory_order_acquire);
         family != NULL; family = atomic_load_explicit(&family->next, memory_order_acquire)) {
        bool is_operations = family->kind == SN_KIND_OPERATION;
        if (sink->skips_operations && (is_operations || family->kind == SN_KIND_SERVICE))
            continue;
        int stop = is_operations ? put_operations(sink, family) : put_family(sink, family);
        if (stop != 0)
            return stop;
    }
    return put_lost(sink, registry);
}

/* Note how many operations have finished, unless that was done a moment ago. */
static void note_operations(sonde_registry *registry, int64_t now_ns) {
    if (!sn_moments_are_due(&registry->moments, now_ns))
        return;
    size_t slot = sn_moments_next(&registry->moments, now_ns);
    struct sn_family *family = atomic_load_explicit(&registry->operations, memory_order_acquire);
    if (family == NULL)
        return;
    FOR_EACH_SERIES(series, family)
    sn_operation_note(series, slot);
}

/* Taken here and given back by the next one: callers pair them. */
SN_NO_LOCK_ANALYSIS sonde_registry *sn_registry_read_begin(sonde_registry *registry) {
    registry = sn_registry_or_global(registry);
    struct sn_tick_pair now = sn_ticks_now();
    sn_ticks_update(&now);
    if (registry->cells.shared != NULL)
        sn_shared_refresh(registry);
    sn_mutex_lock(&registry->read_mu);
    atomic_store_explicit(&registry->reader, sn_registry_reader(), memory_order_relaxed);
    note_operations(registry, now.mono_ns);
    return registry;
}

SN_NO_LOCK_ANALYSIS void sn_registry_read_end(sonde_registry *registry) {
    atomic_store_explicit(&registry->reader, NULL, memory_order_relaxed);
    sn_mutex_unlock(&registry->read_mu);
}

sonde_status sn_registry_read(sonde_registry *registry, const struct sn_line_sink *sink) {
    registry = sn_registry_read_begin(registry);
    int stop = sn_registry_read_lines(registry, sink);
    sn_registry_read_end(registry);
    return stop != 0 ? SONDE_ERR_IO : SONDE_OK;
}
