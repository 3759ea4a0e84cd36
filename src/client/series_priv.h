/*
 * Families and their children (series): how they lie in memory, and lookup by label values.
 *
 * Invariants:
 *   1. Families and series are made under the registration lock, published with release, and stay
 *      until their registry is freed. So readers and lookups walk them without a lock.
 *   2. A series' rendered labels are exactly what a text page shows; `values` point into them, or
 *      behind them to the raw bytes where escaping changed a value.
 *   3. Every series' values are well-formed UTF-8 within the limit, and no two series of a family
 *      have the same values. So no two lines of a page are the same series.
 *   4. When a family is full it stays full: then lookups that find nothing give `other`.
 */
#ifndef SN_CLIENT_SERIES_PRIV_H
#define SN_CLIENT_SERIES_PRIV_H

#include "base/lock.h"
#include "base/str.h"
#include "client/extra_priv.h"
#include "client/moments_priv.h"
#include "client/series_memory_priv.h"
#include "client/slab_priv.h"
#include "sonde/expose.h"
#include "sonde/gauge.h"
#include "sonde/histogram.h"
#include "sonde/native.h"
#include "sonde/service.h"

#include <stdatomic.h>

enum sn_kind {
    SN_KIND_COUNTER,
    SN_KIND_FLOAT_COUNTER,
    SN_KIND_GAUGE,
    SN_KIND_HISTOGRAM,
    SN_KIND_NATIVE,
    SN_KIND_INFO,
    SN_KIND_CALLBACK_GAUGE,
    SN_KIND_CALLBACK_COUNTER,
    SN_KIND_SERVICE,
    SN_KIND_OPERATION,
};

static inline bool sn_kind_is_callback(enum sn_kind kind) {
    return kind == SN_KIND_CALLBACK_GAUGE || kind == SN_KIND_CALLBACK_COUNTER;
}

struct sn_span_of_text {
    uint32_t offset; /* in the series' text */
    uint32_t len;
};

/* One child of a family. Fixed after publication but for its cells and its tail. */
struct sn_series {
    union {
        sonde_ref ref;
        sonde_gauge_head gauge;
        sonde_histogram_head histogram;
        sonde_native_head native;
        sonde_operation_head operation;
    } head; /* first: handles are pointers to it */
    struct sn_family *family;
    _Atomic(struct sn_series *) next; /* in order of registration */
    int64_t created_wall_ms;
    uint64_t hash;
    uint32_t text_len;               /* of the rendered labels: a="b",c="d" */
    uint32_t tail;                   /* offset of the kind's own struct behind the text; 0: none */
    struct sn_span_of_text values[]; /* [family->label_count], then the text */
};

/* Open addressing, at most half full. Replaced when it grows; old ones stay for late readers. */
struct sn_series_table {
    struct sn_series_table *older;
    size_t mask;
    _Atomic(struct sn_series *) slots[];
};

struct sn_family {
    _Atomic(struct sn_family *) next; /* in order of registration */
    struct sonde_registry *registry;
    uint64_t id; /* never used twice in a process, never 0 */
    enum sn_kind kind;
    uint32_t cell_count;    /* of a series */
    uint32_t tail_size;     /* bytes of the kind's own struct in a series */
    uint32_t shared_number; /* 1 + number of its record in the registry's file; 0: not there */
    size_t label_count;
    size_t series_max;
    char *name;
    char *help;
    char *unit;
    char **label_names;     /* [label_count] */
    sonde_buckets *buckets; /* histograms and operations */
    double *bounds;         /* [buckets->count] as they were given */
    struct sn_extra *les;   /* [le_count] the label of each bucket's line */
    size_t le_count;
    struct sn_native *native; /* native histograms */
    _Atomic(struct sn_series_table *) table;
    _Atomic(struct sn_series *) first;
    _Atomic(struct sn_series *) other; /* made when first needed */
    _Atomic bool is_full;
    _Atomic bool is_told_full; /* to the registry's logger */
    _Atomic bool is_plain;     /* see openmetrics_names_priv.h */
    struct sn_series *last;
    size_t series_count; /* against the limit: `other` not counted */
    size_t table_count;  /* all */
    struct sn_piece *pieces;
};

struct sonde_registry {
    struct sn_lost *lost; /* own_lost, or in the shared file */
    struct sn_lost own_lost;
    sonde_registry_options options; /* resolved; operation_bounds owned */
    struct sonde_registry *next;    /* of all; guarded by the registration lock */
    struct sn_mutex read_mu;        /* one reader at a time; callbacks run under it */
    _Atomic(const void *) reader;   /* what sn_registry_reader() is in the thread that reads */
    struct sn_moments moments;      /* guarded by read_mu */
    struct sn_cell_space cells;
    struct sn_series_memory series_memory; /* guarded by the registration lock */
    _Atomic(struct sn_family *) first;
    _Atomic(struct sn_family *) services;
    _Atomic(struct sn_family *) operations;
    struct sn_family *last;
    size_t family_count;
    size_t series_count;
};

static inline const char *sn_series_text(const struct sn_series *series) {
    return (const char *)&series->values[series->family->label_count];
}

static inline struct sn_str sn_series_value(const struct sn_series *series, size_t i) {
    return sn_str_make(sn_series_text(series) + series->values[i].offset, series->values[i].len);
}

/* The cells that all threads share; NULL: it has none. Only of gauges and callbacks. Any thread. */
static inline uint64_t *sn_series_shared(const struct sn_series *series) {
    uintptr_t shared = __atomic_load_n(&series->head.gauge.shared, __ATOMIC_RELAXED);
    return (uint64_t *)(shared & ~SONDE_GAUGE_ASKS);
}

static inline void *sn_series_tail(struct sn_series *series) {
    return (char *)series + series->tail;
}

/* Count a value that its series cannot take. Any thread. */
static inline void sn_series_lost_value(const struct sn_series *series) {
    if (series->family != NULL) /* NULL: the series of handles that record nothing */
        sn_lost_add(series->family->registry->lost, SONDE_LOST_VALUE);
}

/*
 * Find the series with these label values, or make it.
 *
 *   values  [count], NULL entries are ""
 *
 * Returns a series of the family, `other`, or NULL (wrong count, no memory, no cells left), each
 * loss counted. Threads: any. Blocks: for a new series on the registration lock.
 */
struct sn_series *sn_series_get(struct sn_family *family, const char *const *values, size_t count);

/*
 * As sn_series_get with label_count values, but an error instead of `other` (INVALID, LIMIT,
 * NO_MEMORY), not counted. With the registration lock.
 */
sonde_status sn_series_get_exact_locked(struct sn_family *family, const char *const *values,
                                        struct sn_series **ret_series, struct sn_err *err);

/* Where a series comes from that another process made. */
struct sn_series_origin {
    int64_t created_wall_ms;
    sonde_ref ref; /* of this process */
};

/* Make a series that is in the registry's file, unless it is here. With the registration lock. */
void sn_series_import_locked(struct sn_family *family, const char *const *values,
                             const struct sn_series_origin *origin);

/* As sn_series_get, asking first what a call site saw last. */
struct sn_series *sn_series_get_at(struct sn_family *family, sonde_site *site,
                                   const char *const *values, size_t count);

/* Prepare an empty family for lookups. SN_ERR_NO_MEMORY. With the registration lock. */
sn_status sn_series_init_all(struct sn_family *family) SN_MUST_USE;

/* Release the memory of a family's series; nobody uses them any more. */
void sn_series_release_all(struct sn_family *family);

#endif
