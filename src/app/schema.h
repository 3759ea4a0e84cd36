/*
 * Reading YAML against a table of keys: types, ranges, line numbers, "did you mean".
 *
 * The file is parsed by libyaml into a document first (aliases are refused, so that a small file
 * cannot grow), then walked with the table. Pure but for memory; one thread.
 */
#ifndef SN_APP_SCHEMA_H
#define SN_APP_SCHEMA_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

enum sn_schema_type {
    SN_SCHEMA_TEXT,     /* const char *: copied into the arena */
    SN_SCHEMA_INTEGER,  /* int64_t within min..max */
    SN_SCHEMA_DURATION, /* int64_t milliseconds within min..max; "30s", "15d" */
    SN_SCHEMA_BYTES,    /* int64_t within min..max; "64MiB", "1GB", "4096" */
    SN_SCHEMA_BOOL,     /* bool */
    SN_SCHEMA_CHOICE,   /* int: index into choices */
    SN_SCHEMA_MAP,      /* nested table: children, into the same target */
    SN_SCHEMA_FREE_MAP, /* map whose keys are names: `entry` is called for each */
};

struct sn_schema_key;

/* A free map's entry: returns the table and target for its value, or a failure with a sentence. */
typedef sn_status (*sn_schema_entry)(void *target, struct sn_str name, struct sn_arena *arena,
                                     const struct sn_schema_key **ret_children,
                                     size_t *ret_child_count, void **ret_target,
                                     struct sn_err *err);

struct sn_schema_key {
    const char *name;
    enum sn_schema_type type;
    size_t offset;                        /* of the field in the target */
    int64_t min, max;                     /* INTEGER, DURATION (ms), BYTES */
    const char *const *choices;           /* CHOICE: NULL-terminated */
    const struct sn_schema_key *children; /* MAP: [child_count] */
    size_t child_count;
    sn_schema_entry entry; /* FREE_MAP */
};

/*
 * Read text into target by the table. An empty document is fine.
 *
 *   name    of the file, for messages: "name:line:column: ..."
 *   arena   keeps the texts
 *
 * Returns SN_OK, SN_ERR_INVALID (syntax, unknown key, repeated key, wrong type, out of range),
 * SN_ERR_LIMIT (SN_CONFIG_BYTES_MAX, SN_CONFIG_DEPTH_MAX), SN_ERR_NO_MEMORY.
 */
sn_status sn_schema_read(const char *name, struct sn_str text, const struct sn_schema_key *keys,
                         size_t key_count, void *target, struct sn_arena *arena,
                         struct sn_err *err) SN_MUST_USE;

/*
 * The candidate that was probably meant by a misspelt word, or NULL when none is near.
 *   candidates  [count]; `name_of` gives the text of the i-th
 */
const char *sn_schema_nearest(struct sn_str word, const char *(*name_of)(const void *ctx, size_t i),
                              const void *ctx, size_t count);

/* "4096", "64KiB", "64MiB", "1GiB", "64kB", "64MB", "1GB", "1TiB" -> bytes. SN_ERR_INVALID, SN_ERR_LIMIT. */
sn_status sn_schema_parse_bytes(struct sn_str text, int64_t *ret_bytes,
                                struct sn_err *err) SN_MUST_USE;

#endif
