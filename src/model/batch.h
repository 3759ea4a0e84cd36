/*
 * A batch: what writers push through an sn_sink, and its builder.
 *
 * Series are named once per batch by their canonical label bytes and then by their index, so a
 * sink resolves each of them once. Nothing in a batch is owned by the sink: it copies or encodes
 * what it needs before push returns.
 */
#ifndef SN_MODEL_BATCH_H
#define SN_MODEL_BATCH_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/histogram.h"
#include "model/sample.h"

struct sn_batch_series {
    struct sn_str labels;  /* canonical bytes (model/labels.h), valid */
    int64_t start_time_ms; /* since when a counter counts; 0: unknown */
};

struct sn_batch_sample {
    int64_t time_ms;
    double value;
    int64_t start_time_ms; /* of this sample; 0: that of its series in the batch */
    uint32_t series;       /* index into series */
};

struct sn_batch_histogram {
    int64_t time_ms;
    int64_t start_time_ms; /* as in struct sn_batch_sample */
    uint32_t series;
    struct sn_histogram histogram;
};

struct sn_batch_exemplar {
    uint32_t series;
    struct sn_exemplar exemplar;
};

struct sn_batch {
    const struct sn_batch_series *series;
    const struct sn_batch_sample *samples;
    const struct sn_batch_histogram *histograms;
    const struct sn_batch_exemplar *exemplars;
    const struct sn_metadata *metadata;
    size_t series_count;
    size_t sample_count;
    size_t histogram_count;
    size_t exemplar_count;
    size_t metadata_count;
};

/*
 * Collects labelled samples into a batch. All memory is in one arena; the batch is valid until the
 * next reset or release. One thread. Zero-length batches are fine.
 */
struct sn_batch_builder {
    struct sn_arena arena;
    struct sn_batch_series *series;
    struct sn_batch_sample *samples;
    struct sn_batch_histogram *histograms;
    struct sn_batch_exemplar *exemplars;
    struct sn_metadata *metadata;
    size_t series_count, series_capacity;
    size_t sample_count, sample_capacity;
    size_t histogram_count, histogram_capacity;
    size_t exemplar_count, exemplar_capacity;
    size_t metadata_count, metadata_capacity;
    struct sn_buf scratch; /* canonical bytes in the making */
};

/* memory_max: bytes of the arena (0: default). */
void sn_batch_builder_init(struct sn_batch_builder *builder, size_t memory_max);
void sn_batch_builder_release(struct sn_batch_builder *builder);
void sn_batch_builder_reset(struct sn_batch_builder *builder);

/*
 * Add one sample. Its series is a new entry, unless it has the labels of the newest entry: that one
 * is used again. `labels` must be a valid set (sn_labels_make); its text is copied.
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT. On failure the view is unchanged.
 */
sn_status sn_batch_builder_add(struct sn_batch_builder *builder, struct sn_labels labels,
                               int64_t time_ms, double value, struct sn_err *err) SN_MUST_USE;

/*
 * Name a series once and then add to it by its index; for protocols that send a series with all its
 * samples. It is a new entry, unless it has the labels of the newest entry: that one is used again.
 *
 *   labels      a valid set; its text is copied
 *   ret_series  index for the functions below, which take any that was given since the last reset
 *
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT. On failure the view is unchanged. Cost: O(bytes of the labels).
 */
sn_status sn_batch_builder_add_series(struct sn_batch_builder *builder, struct sn_labels labels,
                                      uint32_t *ret_series, struct sn_err *err) SN_MUST_USE;

/* The same with canonical bytes of a valid set (model/labels.h), which are copied. */
sn_status sn_batch_builder_add_canonical(struct sn_batch_builder *builder, struct sn_str canonical,
                                         uint32_t *ret_series, struct sn_err *err) SN_MUST_USE;

/* Since when the counters of a series count; the last call wins. */
void sn_batch_builder_set_start(struct sn_batch_builder *builder, uint32_t series,
                                int64_t start_time_ms);

/* The same for the sample, or the histogram, that was added last: it differs from sample to sample
 * when a counter restarted in between. */
void sn_batch_builder_set_sample_start(struct sn_batch_builder *builder, int64_t start_time_ms);
void sn_batch_builder_set_histogram_start(struct sn_batch_builder *builder, int64_t start_time_ms);

/* Add to a series. Histograms are valid (sn_histogram_validate), so are labels of exemplars; both
 * are copied. SN_ERR_NO_MEMORY, SN_ERR_LIMIT. On failure the view is unchanged. */
sn_status sn_batch_builder_add_sample(struct sn_batch_builder *builder, uint32_t series,
                                      struct sn_sample sample, struct sn_err *err) SN_MUST_USE;
sn_status sn_batch_builder_add_histogram(struct sn_batch_builder *builder, uint32_t series,
                                         int64_t time_ms, const struct sn_histogram *histogram,
                                         struct sn_err *err) SN_MUST_USE;
sn_status sn_batch_builder_add_exemplar(struct sn_batch_builder *builder, uint32_t series,
                                        const struct sn_exemplar *exemplar,
                                        struct sn_err *err) SN_MUST_USE;

/*
 * Convenience for collectors: metric name plus up to 15 label pairs given as name, value, name,
 * value ... (pair_count pairs), in any order; empty values are dropped. Same statuses, and
 * SN_ERR_INVALID when the set is not valid.
 */
sn_status sn_batch_builder_add_pairs(struct sn_batch_builder *builder, struct sn_str metric_name,
                                     const struct sn_str *pairs, size_t pair_count, int64_t time_ms,
                                     double value, struct sn_err *err) SN_MUST_USE;

/* Add metadata of a metric; texts are copied. SN_ERR_INVALID (the name is empty or too long),
 * SN_ERR_LIMIT, SN_ERR_NO_MEMORY. */
sn_status sn_batch_builder_add_metadata(struct sn_batch_builder *builder,
                                        const struct sn_metadata *metadata,
                                        struct sn_err *err) SN_MUST_USE;

/* View of what has been collected. Borrowed until the builder changes. */
struct sn_batch sn_batch_builder_view(const struct sn_batch_builder *builder);

#endif
