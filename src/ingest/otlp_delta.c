/*
 * Delta to cumulative. See otlp_delta.h.
 *
 * An exponential histogram is kept as two rows of buckets of one scale. Adding another one brings both to
 * the lower scale, and to a lower one yet when the buckets do not fit: neighbours are added together.
 */
#include "ingest/otlp_delta.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/rng.h"

enum { ROW_BUCKETS_MAX = 320 }; /* of each sign: clients keep 160 */

/* Consecutive buckets; bucket i of a row is index first + i of the schema. */
struct row {
    double counts[ROW_BUCKETS_MAX];
    int32_t first;
    int32_t len;
};

struct exponential {
    int32_t schema;
    double zero_threshold, zero_count, count, sum;
    struct row positive, negative;
};

struct sn_otlp_stream {
    char *key; /* owned */
    size_t key_len;
    uint64_t start_ns;       /* of the first point since it adds up */
    uint64_t point_start_ns; /* of the newest point */
    uint64_t point_time_ns;
    int64_t seen_ms;
    double *values; /* [value_count], owned; behind them [bound_count] bounds */
    size_t value_count;
    size_t bound_count;
    struct exponential *exponential; /* owned; NULL: values are meant */
};

void sn_otlp_deltas_init(struct sn_otlp_deltas *deltas, size_t streams_max) {
    memset(deltas, 0, sizeof *deltas);
    deltas->streams_max = streams_max > 0 ? streams_max : SN_OTLP_STREAMS_MAX;
    sn_mutex_init(&deltas->mu, SN_RANK_INGEST, "otlp-deltas");
    sn_map_init(&deltas->by_key, deltas->streams_max, sn_rng_system_seed());
}

static void stream_release(struct sn_otlp_stream *stream) {
    sn_free(stream->key);
    sn_free(stream->values);
    sn_free(stream->exponential);
}

void sn_otlp_deltas_release(struct sn_otlp_deltas *deltas) {
    for (size_t i = 0; i < deltas->count; i++) {
        stream_release(&deltas->streams[i]);
    }
    sn_free(deltas->streams);
    sn_map_release(&deltas->by_key);
    sn_mutex_release(&deltas->mu);
}

size_t sn_otlp_deltas_count(struct sn_otlp_deltas *deltas) {
    sn_mutex_lock(&deltas->mu);
    size_t count = deltas->count;
    sn_mutex_unlock(&deltas->mu);
    return count;
}

/* ---- rows of buckets ---- */

/* Index of a bucket `steps` scales below: two neighbours become one each time. */
static int32_t lower_index(int32_t index, int steps) {
    for (int i = 0; i < steps; i++) {
        index = index > 0 ? (index + 1) / 2 : -((-index) / 2);
    }
    return index;
}

static void lower_row(struct row *row, int steps) {
    struct row lower = {.first = lower_index(row->first, steps)};
    for (int32_t i = 0; i < row->len; i++) {
        int32_t at = lower_index(row->first + i, steps) - lower.first;
        lower.counts[at] += row->counts[i];
        lower.len = at + 1;
    }
    *row = lower;
}

static void lower_to(struct exponential *exponential, int32_t schema) {
    if (exponential->schema > schema) {
        lower_row(&exponential->positive, exponential->schema - schema);
        lower_row(&exponential->negative, exponential->schema - schema);
        exponential->schema = schema;
    }
}

/* Whether the buckets of both fit into one row. */
static bool rows_fit(const struct row *a, const struct row *b) {
    if (a->len == 0 || b->len == 0) {
        return true;
    }
    int32_t first = a->first < b->first ? a->first : b->first;
    int64_t a_end = (int64_t)a->first + a->len, b_end = (int64_t)b->first + b->len;
    return (a_end > b_end ? a_end : b_end) - first <= ROW_BUCKETS_MAX;
}

/* They fit. */
static void add_row(struct row *to, const struct row *from) {
    if (from->len == 0) {
        return;
    }
    if (to->len == 0) {
        *to = *from;
        return;
    }
    if (from->first < to->first) {
        int32_t more = to->first - from->first;
        memmove(to->counts + more, to->counts, (size_t)to->len * sizeof to->counts[0]);
        memset(to->counts, 0, (size_t)more * sizeof to->counts[0]);
        to->first = from->first;
        to->len += more;
    }
    int32_t end = from->first + from->len - to->first;
    if (end > to->len) {
        memset(to->counts + to->len, 0, (size_t)(end - to->len) * sizeof to->counts[0]);
        to->len = end;
    }
    for (int32_t i = 0; i < from->len; i++) {
        to->counts[from->first - to->first + i] += from->counts[i];
    }
}

/* Spans of a histogram as a row; false: they are wider than one is. */
static bool read_row(struct row *row, const struct sn_bucket_span *spans, uint32_t span_count,
                     const double *counts) {
    int64_t index = 0, first = 0, end = 0;
    row->len = 0;
    memset(row->counts, 0, sizeof row->counts);
    for (uint32_t i = 0; i < span_count; i++) {
        index += spans[i].offset;
        first = i == 0 ? index : first;
        for (uint32_t j = 0; j < spans[i].length; j++, index++) {
            if (index - first >= ROW_BUCKETS_MAX) {
                return false;
            }
            row->counts[index - first] = *counts++;
            end = index + 1;
        }
    }
    row->first = (int32_t)first;
    row->len = end > first ? (int32_t)(end - first) : 0;
    return true;
}

static bool read_exponential(struct exponential *exponential, const struct sn_histogram *from) {
    exponential->schema = from->schema;
    exponential->zero_threshold = from->zero_threshold;
    exponential->zero_count = from->zero_count;
    exponential->count = from->count;
    exponential->sum = from->sum;
    return read_row(&exponential->positive, from->positive_spans, from->positive_span_count,
                    from->positive_counts) &&
           read_row(&exponential->negative, from->negative_spans, from->negative_span_count,
                    from->negative_counts);
}

static void add_exponential(struct exponential *to, struct exponential *from) {
    int32_t schema = to->schema < from->schema ? to->schema : from->schema;
    do {
        lower_to(to, schema);
        lower_to(from, schema);
        schema--;
    } while (!rows_fit(&to->positive, &from->positive) ||
             !rows_fit(&to->negative, &from->negative));
    add_row(&to->positive, &from->positive);
    add_row(&to->negative, &from->negative);
    to->zero_threshold =
        to->zero_threshold > from->zero_threshold ? to->zero_threshold : from->zero_threshold;
    to->zero_count += from->zero_count;
    to->count += from->count;
    to->sum += from->sum;
}

/* ---- streams ---- */

static sn_status no_memory(struct sn_err *err) {
    return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a delta stream");
}

/* Forget streams that were quiet for long; whether some were. */
static bool drop_quiet(struct sn_otlp_deltas *deltas, int64_t now_ms) {
    size_t kept = 0, before = deltas->count;
    for (size_t i = 0; i < deltas->count; i++) {
        struct sn_otlp_stream *stream = &deltas->streams[i];
        struct sn_str key = sn_str_make(stream->key, stream->key_len);
        if (now_ms - stream->seen_ms > SN_OTLP_STREAM_QUIET_MS) {
            (void)sn_map_remove(&deltas->by_key, key); /* it is there */
            stream_release(stream);
            continue;
        }
        if (kept != i) {
            deltas->streams[kept] = *stream;
            sn_status status = sn_map_put(&deltas->by_key, key, kept);
            SN_CHECK(status == SN_OK); /* the key is there: replacing needs no memory */
        }
        kept++;
    }
    deltas->count = kept;
    return kept < before;
}

static sn_status make_room(struct sn_otlp_deltas *deltas, int64_t now_ms, struct sn_err *err) {
    if (deltas->count == deltas->streams_max && !drop_quiet(deltas, now_ms)) {
        return sn_err_set(err, SN_ERR_BUSY, "there are %zu delta streams, the limit",
                          deltas->count);
    }
    if (deltas->count == deltas->capacity) {
        size_t capacity = deltas->capacity > 0 ? 2 * deltas->capacity : 64;
        struct sn_otlp_stream *streams =
            sn_realloc_array(deltas->streams, capacity, sizeof *streams);
        if (streams == NULL) {
            return no_memory(err);
        }
        deltas->streams = streams;
        deltas->capacity = capacity;
    }
    return SN_OK;
}

static sn_status add_stream(struct sn_otlp_deltas *deltas, const struct sn_otlp_delta *delta,
                            size_t *ret_index, struct sn_err *err) {
    SN_TRY(make_room(deltas, delta->now_ms, err));
    char *key = sn_strndup(delta->key.ptr, delta->key.len);
    if (key == NULL || sn_map_put(&deltas->by_key, delta->key, deltas->count) != SN_OK) {
        sn_free(key);
        return no_memory(err);
    }
    *ret_index = deltas->count++;
    deltas->streams[*ret_index] = (struct sn_otlp_stream){.key = key, .key_len = delta->key.len};
    return SN_OK;
}

static sn_status find_stream(struct sn_otlp_deltas *deltas, const struct sn_otlp_delta *delta,
                             size_t *ret_index, struct sn_err *err) {
    uint64_t index;
    if (sn_map_get(&deltas->by_key, delta->key, &index)) {
        *ret_index = (size_t)index;
        return SN_OK;
    }
    return add_stream(deltas, delta, ret_index, err);
}

/* ---- adding ---- */

/* Whether the stream adds up points of this shape; else it begins anew. */
static bool has_shape(const struct sn_otlp_stream *stream, const struct sn_otlp_delta *delta) {
    if (delta->histogram != NULL) {
        return stream->exponential != NULL;
    }
    return stream->values != NULL && stream->exponential == NULL &&
           stream->value_count == delta->value_count && stream->bound_count == delta->bound_count &&
           (delta->bound_count == 0 || memcmp(stream->values + stream->value_count, delta->bounds,
                                              delta->bound_count * sizeof(double)) == 0);
}

/* Room for points of this shape, with nothing added yet. */
static sn_status begin_anew(struct sn_otlp_stream *stream, const struct sn_otlp_delta *delta,
                            struct sn_err *err) {
    double *values = NULL;
    struct exponential *exponential = NULL;
    if (delta->histogram != NULL) {
        exponential = sn_alloc_zero(1, sizeof *exponential);
    } else {
        values = sn_alloc_zero(delta->value_count + delta->bound_count, sizeof *values);
    }
    if (values == NULL && exponential == NULL) {
        return no_memory(err);
    }
    sn_free(stream->values);
    sn_free(stream->exponential);
    stream->values = values;
    stream->exponential = exponential;
    stream->value_count = delta->value_count;
    stream->bound_count = delta->bound_count;
    stream->start_ns = delta->start_ns;
    if (values != NULL && delta->bound_count > 0) {
        memcpy(values + delta->value_count, delta->bounds, delta->bound_count * sizeof *values);
    }
    if (exponential != NULL) {
        exponential->schema = delta->histogram->schema;
    }
    return SN_OK;
}

static sn_status add_point(struct sn_otlp_stream *stream, const struct sn_otlp_delta *delta,
                           struct sn_err *err) {
    if (delta->histogram == NULL) {
        for (size_t i = 0; i < delta->value_count; i++) {
            stream->values[i] += delta->values[i];
        }
        return SN_OK;
    }
    struct exponential *more = sn_alloc_zero(1, sizeof *more);
    if (more == NULL) {
        return no_memory(err);
    }
    bool fits = read_exponential(more, delta->histogram);
    if (fits) {
        add_exponential(stream->exponential, more);
    }
    sn_free(more);
    return fits
               ? SN_OK
               : sn_err_set(err, SN_ERR_LIMIT,
                            "a delta histogram has buckets further apart than %d", ROW_BUCKETS_MAX);
}

/* ---- totals ---- */

static sn_status write_row(const struct row *row, struct sn_arena *arena,
                           const struct sn_bucket_span **ret_spans, uint32_t *ret_span_count,
                           const double **ret_counts, uint32_t *ret_bucket_count) {
    if (row->len == 0) {
        return SN_OK;
    }
    struct sn_bucket_span *span = sn_arena_alloc(arena, sizeof *span);
    double *counts = sn_arena_alloc(arena, (size_t)row->len * sizeof *counts);
    if (span == NULL || counts == NULL) {
        return SN_ERR_NO_MEMORY;
    }
    *span = (struct sn_bucket_span){row->first, (uint32_t)row->len};
    memcpy(counts, row->counts, (size_t)row->len * sizeof *counts);
    *ret_spans = span;
    *ret_span_count = 1;
    *ret_counts = counts;
    *ret_bucket_count = (uint32_t)row->len;
    return SN_OK;
}

static sn_status write_exponential(const struct exponential *from, struct sn_arena *arena,
                                   struct sn_histogram *ret_histogram) {
    struct sn_histogram to = {
        .schema = from->schema,
        .zero_threshold = from->zero_threshold,
        .zero_count = from->zero_count,
        .count = from->count,
        .sum = from->sum,
    };
    SN_TRY(write_row(&from->positive, arena, &to.positive_spans, &to.positive_span_count,
                     &to.positive_counts, &to.positive_bucket_count));
    SN_TRY(write_row(&from->negative, arena, &to.negative_spans, &to.negative_span_count,
                     &to.negative_counts, &to.negative_bucket_count));
    *ret_histogram = to;
    return SN_OK;
}

static sn_status write_total(const struct sn_otlp_stream *stream, struct sn_arena *arena,
                             struct sn_otlp_total *ret_total, struct sn_err *err) {
    size_t bytes = stream->value_count * sizeof(double);
    struct sn_otlp_total total = {.start_ns = stream->start_ns};
    sn_status status = SN_OK;
    if (stream->exponential != NULL) {
        status = write_exponential(stream->exponential, arena, &total.histogram);
        bytes = 2 * sizeof(struct row);
    } else {
        double *values = sn_arena_alloc(arena, bytes);
        if (values != NULL) {
            memcpy(values, stream->values, bytes);
        }
        total.values = values;
        status = values != NULL ? SN_OK : SN_ERR_NO_MEMORY;
    }
    if (status != SN_OK) {
        return sn_arena_failure(arena, bytes, err);
    }
    *ret_total = total;
    return SN_OK;
}

static sn_status add_locked(struct sn_otlp_deltas *deltas, const struct sn_otlp_delta *delta,
                            struct sn_arena *arena, struct sn_otlp_total *ret_total,
                            struct sn_err *err) {
    size_t index = 0;
    SN_TRY(find_stream(deltas, delta, &index, err));
    struct sn_otlp_stream *stream = &deltas->streams[index];
    if (delta->time_ns < stream->point_time_ns) {
        return sn_err_set(err, SN_ERR_EXISTS, "a delta ends before the newest one of its stream");
    }
    bool is_repeated = delta->time_ns == stream->point_time_ns &&
                       delta->start_ns == stream->point_start_ns && has_shape(stream, delta);
    if (!is_repeated) {
        if (!has_shape(stream, delta)) {
            SN_TRY(begin_anew(stream, delta, err));
        }
        SN_TRY(add_point(stream, delta, err));
    }
    stream->point_start_ns = delta->start_ns;
    stream->point_time_ns = delta->time_ns;
    stream->seen_ms = delta->now_ms;
    return write_total(stream, arena, ret_total, err);
}

sn_status sn_otlp_deltas_add(struct sn_otlp_deltas *deltas, const struct sn_otlp_delta *delta,
                             struct sn_arena *arena, struct sn_otlp_total *ret_total,
                             struct sn_err *err) {
    sn_mutex_lock(&deltas->mu);
    sn_status status = add_locked(deltas, delta, arena, ret_total, err);
    sn_mutex_unlock(&deltas->mu);
    return status;
}
