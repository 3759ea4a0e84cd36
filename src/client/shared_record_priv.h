/*
 * The catalogue of a shared file: records that say which families and series there are and where
 * their cells lie (docs/FORMATS.md, "Shared file of metrics"). Bytes to struct and back, nothing else.
 *
 * Bytes may come from anywhere: a record is accepted when its checksum fits, every length stays
 * inside it, and every text is ended by the only NUL that it has.
 */
#ifndef SN_CLIENT_SHARED_RECORD_PRIV_H
#define SN_CLIENT_SHARED_RECORD_PRIV_H

#include "base/buf.h"
#include "client/series_priv.h"

/* 16 label values of 8192 bytes, or names and a help of 4096, fit. */
#define SN_SHARED_RECORD_BYTES_MAX ((size_t)192 << 10)

enum sn_shared_type { SN_SHARED_FAMILY = 1, SN_SHARED_SERIES = 2 };

struct sn_shared_family {
    enum sn_kind kind;
    sonde_metric metric; /* texts lie in the record, the arrays in the struct below */
};

struct sn_shared_series {
    uint32_t family; /* number of its family's record, from 0 */
    int64_t created_wall_ms;
    sonde_ref ref; /* chunk and cell in the file; chunk 0: none */
    size_t value_count;
    const char *values[SONDE_LABELS_MAX];
};

struct sn_shared_record {
    enum sn_shared_type type;
    size_t bytes; /* of the whole record */
    struct sn_shared_family family;
    struct sn_shared_series series;
    const char *label_names[SONDE_LABELS_MAX];
    double bounds[SONDE_BUCKETS_MAX];
};

/* Append the record of a family; buf->status tells of failure. */
void sn_shared_put_family(struct sn_buf *buf, const struct sn_family *family);

/* Append the record of a series whose cells are at `ref` in the file. */
void sn_shared_put_series(struct sn_buf *buf, const struct sn_series *series, uint32_t family,
                          sonde_ref ref);

/*
 * Read the record at the start of bytes.
 *
 *   ret_record  its texts point into bytes; written on SN_OK only, its arrays always
 *
 * Returns SN_OK, or SN_ERR_CORRUPT with a sentence.
 */
sn_status sn_shared_get_record(struct sn_str bytes, struct sn_shared_record *ret_record,
                               struct sn_err *err) SN_MUST_USE;

/* Bytes of the record at the start, if it is complete and has a length that can be; else 0. */
size_t sn_shared_record_bytes(struct sn_str bytes);

#endif
