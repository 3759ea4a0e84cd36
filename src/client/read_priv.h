/*
 * Reading a registry line by line: what every format is made of.
 */
#ifndef SN_CLIENT_READ_PRIV_H
#define SN_CLIENT_READ_PRIV_H

#include "client/series_priv.h"

/* One line of a page, borrowed for the call. */
struct sn_line {
    struct sn_str name;             /* of the family */
    struct sn_str suffix;           /* _bucket, _sum, _count or nothing */
    const struct sn_series *series; /* whose labels it has; NULL: none */
    const char *extra_name;         /* one more label, last; NULL: none */
    const char *extra_value;        /* nothing in it needs escaping */
    bool is_integer;
    uint64_t integer;
    double number; /* set for integers as well */
};

/* What gets the lines. Not 0: stop. */
struct sn_line_sink {
    int (*family)(void *ctx, const sonde_family_info *family);
    int (*line)(void *ctx, const struct sn_line *line);
    void *ctx;
};

/*
 * Read all of a registry, families without series left out. Takes the registry's read lock.
 * Returns SONDE_OK, or SONDE_ERR_IO when the sink said stop. Any thread.
 */
sonde_status sn_registry_read(sonde_registry *registry, const struct sn_line_sink *sink);

#endif
