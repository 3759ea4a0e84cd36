/*
 * Type, help and unit of metrics: one entry per metric name, the newest wins.
 * Threads: guarded by the owner's lock (SN_RANK_STORE_INDEX).
 */
#ifndef SN_STORE_METADATA_H
#define SN_STORE_METADATA_H

#include "base/buf.h"
#include "base/map.h"
#include "base/status.h"
#include "model/sample.h"

/* Metric names are written by people; a million of them is a mistake that must not fill memory. */
#define SN_METADATA_METRICS_MAX 1000000

/* An entry on its way to the catalogue; a change in between makes it new again. */
enum sn_metadata_state {
    SN_METADATA_STORED = 0,  /* the catalogue has it */
    SN_METADATA_STORING = 1, /* in a transaction that has not committed yet */
    SN_METADATA_NEW = 2,
};

struct sn_metadata_entry {
    char *text; /* name, help, unit one behind the other; owned */
    uint32_t name_len;
    uint16_t help_len;
    uint16_t unit_len;
    enum sn_metric_type type;
    enum sn_metadata_state state;
};

struct sn_metadata_table {
    struct sn_map numbers;             /* metric name -> index in entries */
    struct sn_metadata_entry *entries; /* [capacity], owned */
    size_t count;
    size_t capacity;
    size_t unstored_count; /* entries that are not STORED */
};

void sn_metadata_table_init(struct sn_metadata_table *table, uint64_t seed);
void sn_metadata_table_release(struct sn_metadata_table *table);

/*
 * Insert or replace. *ret_changed tells whether anything differs from before.
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT (too many metrics, a text too long); then nothing has changed.
 */
sn_status sn_metadata_table_put(struct sn_metadata_table *table, const struct sn_metadata *metadata,
                                bool is_stored, bool *ret_changed) SN_MUST_USE;

/*
 * For a flush: append all entries that are not stored to `records`, as log records, and mark them
 * as being stored; later, when the transaction has committed, mark those as stored.
 */
void sn_metadata_table_begin_store(struct sn_metadata_table *table, struct sn_buf *records);
void sn_metadata_table_end_store(struct sn_metadata_table *table);

/* Texts borrow from the table until its next put. */
struct sn_metadata sn_metadata_table_at(const struct sn_metadata_table *table, size_t number);
bool sn_metadata_table_find(const struct sn_metadata_table *table, struct sn_str metric_name,
                            struct sn_metadata *ret_metadata);

#endif
