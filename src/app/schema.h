/*
 * Reading YAML against a table of keys: types, ranges, line numbers, "did you mean".
 *
 * The file is parsed by libyaml into a document first, then walked with the table. Aliases and merge
 * keys ("<<") are fine; what is walked is limited (SN_CONFIG_NODES_MAX), so that a small file cannot
 * grow. Pure but for memory; one thread.
 */
#ifndef SN_APP_SCHEMA_H
#define SN_APP_SCHEMA_H

#include "base/arena.h"
#include "base/buf.h"
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
    SN_SCHEMA_TEXTS,    /* struct sn_schema_texts: a list of texts */
    SN_SCHEMA_PAIRS,    /* struct sn_schema_list of sn_schema_pair: a map of texts */
    SN_SCHEMA_PARAMS,   /* struct sn_schema_list of sn_schema_param: a map of lists of texts */
    SN_SCHEMA_LIST,     /* struct sn_schema_list: a list of maps, see item_size */
    SN_SCHEMA_PARSED,   /* a scalar that `parse` reads into the field */
    SN_SCHEMA_KEPT,     /* anything; not looked at */
    SN_SCHEMA_REFUSED,  /* not supported: `sentence` says why */
};

/* What lists become. Arrays and texts are in the arena. */
struct sn_schema_texts {
    const char **items;
    size_t count;
};
struct sn_schema_list {
    void *items; /* [count] of item_size, or of the structs below */
    size_t count;
};
struct sn_schema_pair {
    const char *name;
    const char *value;
};
struct sn_schema_param {
    const char *name;
    struct sn_schema_texts values;
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
    const struct sn_schema_key *children; /* MAP, LIST: [child_count] */
    size_t child_count;                   /* 0: up to a row without a name */
    const struct sn_schema_key *scalar;   /* MAP: what a single value stands for; NULL: refused */
    sn_schema_entry entry;                /* FREE_MAP */
    size_t item_size;                     /* LIST: items start zeroed */
    /* LIST: called with the item and its line (from 1) before its keys are read; may be NULL. */
    void (*begin)(void *item, size_t line);
    /* MAP, LIST: judges what has been read (the item; a map's target); may be NULL. */
    sn_status (*finish)(void *target, struct sn_err *err);
    sn_status (*parse)(void *field, struct sn_str text, struct sn_err *err); /* PARSED */
    /* REFUSED: why, behind the key's name. Others: a warning when the key is there, or NULL. */
    const char *sentence;
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
 * As sn_schema_read; warnings about keys that are read and not used are appended to `warnings`, a
 * line each ("name:line:column: key: sentence"). Its failures are the caller's to look at.
 */
sn_status sn_schema_read_warned(const char *name, struct sn_str text,
                                const struct sn_schema_key *keys, size_t key_count, void *target,
                                struct sn_arena *arena, struct sn_buf *warnings,
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
