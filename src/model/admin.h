/*
 * The fourth door: looking after a store. What the page for administrators, the admin routes and the
 * command line ask of it. Same rules as model/doors.h: any thread, at the same time.
 */
#ifndef SN_MODEL_ADMIN_H
#define SN_MODEL_ADMIN_H

#include "model/doors.h"

/* Series that share something. */
struct sn_cardinality_row {
    struct sn_str name;
    struct sn_str value; /* empty where the name says all */
    uint64_t count;
};

struct sn_cardinality_list {
    struct sn_cardinality_row *rows; /* [count] in the arena, largest first */
    size_t count;
};

struct sn_cardinality_hour {
    int64_t time_ms;        /* where the hour begins */
    uint64_t created_count; /* series that were new in it */
};

/* Of all series that the store knows. Texts live as long as the store. */
struct sn_cardinality {
    uint64_t series_count;
    uint64_t label_pair_count; /* different label=value */
    uint64_t label_name_count;
    struct sn_cardinality_list series_by_metric;
    struct sn_cardinality_list series_by_label; /* series that have the label */
    struct sn_cardinality_list values_by_label; /* different values of the label */
    struct sn_cardinality_list bytes_by_label;  /* of its different values */
    struct sn_cardinality_list series_by_pair;  /* label=value */
    struct sn_cardinality_hour *hours;          /* [hour_count] ascending, the last week */
    size_t hour_count;
};

/* What the data takes. */
struct sn_storage {
    uint64_t series_count;
    uint64_t segment_count;
    uint64_t segment_bytes;
    uint64_t segment_sample_count;
    uint64_t rollup_bytes;
    uint64_t log_bytes;
    uint64_t log_file_count;
    uint64_t head_bytes; /* of memory */
    uint64_t tombstone_count;
    int64_t time_min; /* of the segments; 0 and 0: there are none */
    int64_t time_max;
};

#define SN_SNAPSHOT_NAME_SIZE 40
#define SN_SNAPSHOT_PATH_SIZE 4096
struct sn_snapshot {
    char name[SN_SNAPSHOT_NAME_SIZE];
    char path[SN_SNAPSHOT_PATH_SIZE]; /* a data directory on the machine of the store */
};

struct sn_admin {
    void *ctx;
    /* Count series; at most row_max rows in each list. SN_ERR_NO_MEMORY, SN_ERR_LIMIT (arena). */
    sn_status (*cardinality)(void *ctx, size_t row_max, struct sn_arena *arena,
                             struct sn_cardinality *ret_cardinality, struct sn_err *err);
    void (*storage)(void *ctx, struct sn_storage *ret_storage);
    /*
     * Make a copy of everything that was acknowledged before the call; it costs next to nothing until
     * what it shares with the store is dropped there. Blocks on disk. SN_ERR_IO, SN_ERR_NO_SPACE,
     * SN_ERR_NO_MEMORY, SN_ERR_LIMIT.
     */
    sn_status (*snapshot)(void *ctx, struct sn_snapshot *ret_snapshot, struct sn_err *err);
    /* SN_ERR_INVALID (no such name can be), SN_ERR_NOT_FOUND, SN_ERR_IO. */
    sn_status (*delete_snapshot)(void *ctx, struct sn_str name, struct sn_err *err);
    /*
     * Delete the samples of the selected series within select->range that were acknowledged before the
     * call; they are not read from then on, and their room comes back by merging or by clean_tombstones.
     *
     *   ret_count   series; may be NULL
     *
     * Statuses of select; SN_ERR_LIMIT (too many deleted ranges), SN_ERR_IO, SN_ERR_NO_SPACE.
     */
    sn_status (*delete_series)(void *ctx, const struct sn_select *select, uint64_t *ret_count,
                               struct sn_err *err);
    /* Rewrite what holds deleted samples. Blocks on disk. SN_ERR_BUSY (try again), SN_ERR_IO,
     * SN_ERR_NO_SPACE, SN_ERR_NO_MEMORY, SN_ERR_CORRUPT. */
    sn_status (*clean_tombstones)(void *ctx, struct sn_err *err);
    /* Takes samples of any age past the out-of-order window; push blocks until they are durable. Every
     * push makes a segment: batches should be large. push NULL: there is none. */
    struct sn_sink backfill;
};

#endif
