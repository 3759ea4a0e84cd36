/*
 * Label sets: what identifies a series. The metric name is the label "__name__".
 *
 * Invariants of a valid set: names are unique, sorted by byte order, non-empty UTF-8 (Prometheus 3
 * allows any UTF-8 name); values are UTF-8 and non-empty (an empty value means "no such label"
 * and is left out); limits of base/limits.h hold. Canonical bytes are equal exactly when the sets
 * are equal, so a series is found by its bytes:
 *
 *   canonical = u8 count, then per label: u16le name_len, name, u16le value_len, value
 *
 * Everything here is a pure function. Any thread.
 */
#ifndef SN_MODEL_LABELS_H
#define SN_MODEL_LABELS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

struct sn_label {
    struct sn_str name;
    struct sn_str value;
};

/* Borrowed: whoever gave it says how long items and their text live. */
struct sn_labels {
    const struct sn_label *items; /* [count], sorted by name */
    size_t count;
};

#define SN_LABEL_METRIC_NAME SN_STR("__name__")

/*
 * Make a valid set of `count` labels in any order: sorts `items` in place, drops empty values.
 *
 *   items     [count], reordered; *ret_labels borrows from it
 *
 * Returns SN_OK, SN_ERR_INVALID (a name twice, an empty name, not UTF-8), SN_ERR_LIMIT.
 * Cost: O(n log n), no allocation.
 */
sn_status sn_labels_make(struct sn_label *items, size_t count, struct sn_labels *ret_labels,
                         struct sn_err *err) SN_MUST_USE;

/* Check the invariants of a set that came from elsewhere. Same statuses as sn_labels_make. */
sn_status sn_labels_validate(struct sn_labels labels, struct sn_err *err) SN_MUST_USE;

/* Limits of an operator, below those of base/limits.h, which hold anyway. */
struct sn_label_limits {
    uint32_t count_max; /* labels of a series, the name included */
    uint32_t name_bytes_max;
    uint32_t value_bytes_max;
    uint32_t bytes_max; /* canonical bytes of a series */
};

/* Those of base/limits.h where a field is 0 or above them. */
struct sn_label_limits sn_label_limits_fill(struct sn_label_limits given);
/* Whether a filled one refuses what base/limits.h takes. */
bool sn_label_limits_are_narrow(const struct sn_label_limits *limits);

/*
 * Check canonical bytes against filled limits. SN_ERR_LIMIT: the sentence says what, its size and the limit.
 * SN_ERR_CORRUPT: bytes that end too early; otherwise they are taken to be valid. Cost: O(labels).
 */
sn_status sn_labels_check_limits(struct sn_str canonical, const struct sn_label_limits *limits,
                                 struct sn_err *err) SN_MUST_USE;

/* Append canonical bytes of a valid set to buf (its sticky status tells about failures). */
void sn_labels_encode(struct sn_labels labels, struct sn_buf *buf);

/*
 * Read canonical bytes, which are foreign: everything is checked. *ret_labels has its array in the
 * arena and its text inside `bytes`. SN_ERR_CORRUPT with a sentence, SN_ERR_NO_MEMORY, SN_ERR_LIMIT
 * (of the arena).
 */
sn_status sn_labels_decode(struct sn_str bytes, struct sn_arena *arena,
                           struct sn_labels *ret_labels, struct sn_err *err) SN_MUST_USE;

/* Hash of canonical bytes: sn_hash_bytes. The seed is the caller's (a store keeps its own). */
uint64_t sn_labels_hash(struct sn_labels labels, uint64_t seed);

/* Value of a label, or an empty string with ptr NULL when there is none. Binary search. */
struct sn_str sn_labels_get(struct sn_labels labels, struct sn_str name);

bool sn_labels_equal(struct sn_labels a, struct sn_labels b);

/* Order of Prometheus: names and values pairwise, then the shorter set. */
int sn_labels_compare(struct sn_labels a, struct sn_labels b);

/* Deep copy into an arena. */
sn_status sn_labels_copy(struct sn_labels labels, struct sn_arena *arena,
                         struct sn_labels *ret_labels) SN_MUST_USE;

/* Append s in double quotes, with \\, \" and \n escaped as PromQL, the text formats and Go do; all
 * other bytes as they are. */
void sn_text_put_quoted(struct sn_buf *buf, struct sn_str s);

/* Text form for people: name{a="b",c="d"} with Go-style escapes of \, " and newline. */
void sn_labels_format(struct sn_labels labels, struct sn_buf *buf);

/* [a-zA-Z_:][a-zA-Z0-9_:]* and [a-zA-Z_][a-zA-Z0-9_]*: names that need no quotes in PromQL. */
bool sn_metric_name_is_plain(struct sn_str name);
bool sn_label_name_is_plain(struct sn_str name);

#endif
