/*
 * Reading a registry line by line: what every format is made of.
 */
#ifndef SN_CLIENT_READ_PRIV_H
#define SN_CLIENT_READ_PRIV_H

#include "client/native_priv.h"
#include "client/operation_priv.h"
#include "client/series_priv.h"

/* A native histogram at one moment. */
struct sn_native_counts {
    const struct sn_native *native;
    uint64_t zero;
    uint64_t overflow;
    uint64_t total;
    uint64_t buckets[SONDE_NATIVE_BUCKETS_MAX]; /* [native->bucket_count] */
};

/* What a line's name ends with, behind that of its family. */
enum sn_suffix { SN_SUFFIX_NONE, SN_SUFFIX_BUCKET, SN_SUFFIX_SUM, SN_SUFFIX_COUNTER };
#define SN_SUFFIX_COUNT 4

static inline struct sn_str sn_suffix_text(enum sn_suffix suffix) {
    switch (suffix) {
    case SN_SUFFIX_NONE:
        break;
    case SN_SUFFIX_BUCKET:
        return SN_STR("_bucket");
    case SN_SUFFIX_SUM:
        return SN_STR("_sum");
    case SN_SUFFIX_COUNTER:
        return SN_STR("_count");
    }
    return SN_STR("");
}

/* One line of a page, borrowed for the call. */
struct sn_line {
    struct sn_str name; /* of the family */
    enum sn_suffix suffix;
    const struct sn_series *series;         /* whose labels it has; NULL: none */
    const struct sn_extra *extra;           /* one more label, last; NULL: none */
    int64_t created_wall_ms;                /* when counting began; 0: not known */
    const struct sn_error_text *last_error; /* of what this line counts; NULL: none, or not asked */
    const struct sn_native_counts *native;  /* the whole histogram; NULL: none, or not asked */
    double native_sum;
    bool is_integer;
    uint64_t integer;
    double number; /* set for integers as well */
};

/* What gets the lines. Not 0: stop. */
struct sn_line_sink {
    /* family: NULL for the library's own, of which a page has several for one inside. */
    int (*family)(void *ctx, const sonde_family_info *info, const struct sn_family *family);
    int (*line)(void *ctx, const struct sn_line *line);
    void *ctx;
    bool wants_errors;     /* fill in last_error */
    bool wants_native;     /* native histograms as one line each */
    bool skips_operations; /* no lines of services and operations */
};

/*
 * Read all of a registry, families without series left out. Takes the registry's read lock.
 * Returns SONDE_OK, or SONDE_ERR_IO when the sink said stop. Any thread.
 */
sonde_status sn_registry_read(sonde_registry *registry, const struct sn_line_sink *sink);

/*
 * Begin and end a read by hand: what is read in between belongs to one moment, as far as there is
 * one. Begin returns the registry (the global one for NULL). It also notes how many operations
 * have finished, for rates.
 */
sonde_registry *sn_registry_read_begin(sonde_registry *registry);
void sn_registry_read_end(sonde_registry *registry);

/* The lines, between begin and end. Not 0: the sink said stop. */
int sn_registry_read_lines(sonde_registry *registry, const struct sn_line_sink *sink);

#endif
