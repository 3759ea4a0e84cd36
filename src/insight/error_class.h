/*
 * Errors by class and by what their messages have in common. Pure.
 *
 * A class is the first rule whose words are in the message or the type, letter case ignored; no
 * rule: UNKNOWN_ERROR. A group is the message without what differs from case to case.
 */
#ifndef SN_INSIGHT_ERROR_CLASS_H
#define SN_INSIGHT_ERROR_CLASS_H

#include "base/buf.h"
#include "base/str.h"

#include <stddef.h>

#define SN_ERROR_RULES_MAX 256
#define SN_ERROR_GROUP_BYTES_MAX 300 /* of a normalised message; the rest is cut */

struct sn_error_rule {
    struct sn_str error_class; /* "TIMEOUT_ERROR" */
    struct sn_str words;       /* alternatives separated by '|': "timed out|timeout" */
};

/* The defaults, in order. */
extern const struct sn_error_rule sn_error_rules_default[];
extern const size_t sn_error_rule_default_count;

/* Rules of the configuration go before the defaults. */
struct sn_error_rules {
    const struct sn_error_rule *items; /* [count], borrowed; in order */
    size_t count;
};

struct sn_str sn_error_class_of(const struct sn_error_rules *rules, struct sn_str message,
                                struct sn_str type);

/*
 * Append the message with what differs replaced: numbers become 0, UUIDs and hexadecimal numbers of
 * 8 and more digits 0x, texts in quotes "...", blanks one blank. At most SN_ERROR_GROUP_BYTES_MAX
 * bytes, cut between characters of UTF-8.
 */
void sn_error_normalize(struct sn_str message, struct sn_buf *buf);

#endif
