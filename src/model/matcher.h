/*
 * Label matchers: what a selector asks of one label. An absent label is an empty value.
 *
 * Regex matchers are anchored on both sides (Prometheus). This module only carries the pattern;
 * a compiled form is attached by whoever evaluates (`compiled`, with its own match function), so
 * that model stays free of regex libraries.
 */
#ifndef SN_MODEL_MATCHER_H
#define SN_MODEL_MATCHER_H

#include "base/status.h"
#include "base/str.h"
#include "model/labels.h"

enum sn_match_kind {
    SN_MATCH_EQUAL = 0,
    SN_MATCH_NOT_EQUAL = 1,
    SN_MATCH_REGEX = 2,
    SN_MATCH_NOT_REGEX = 3,
};

struct sn_matcher {
    enum sn_match_kind kind;
    struct sn_str name;
    struct sn_str value; /* literal or pattern; borrowed */
    /* For regex kinds: whether `text` matches the whole pattern. NULL for equality kinds. */
    bool (*regex_match)(const void *compiled, struct sn_str text);
    const void *compiled; /* borrowed */
};

/* Whether one value passes. A regex matcher without regex_match passes nothing. */
bool sn_matcher_passes(const struct sn_matcher *matcher, struct sn_str value);

/* Whether a label set passes all matchers. O(count * log labels). */
bool sn_matchers_pass(const struct sn_matcher *matchers, size_t count, struct sn_labels labels);

/* Whether the matcher passes the empty value, so that series without the label are included. */
bool sn_matcher_passes_empty(const struct sn_matcher *matcher);

/* name="value", name=~"pattern", ...: for messages. Same escapes as sn_labels_format. */
void sn_matcher_format(const struct sn_matcher *matcher, struct sn_buf *buf);

#endif
