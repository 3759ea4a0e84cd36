/*
 * One more label of a line, behind those of its series: le of a bucket, outcome of an operation. Rendered
 * once, because a page has it again and again.
 */
#ifndef SN_CLIENT_EXTRA_PRIV_H
#define SN_CLIENT_EXTRA_PRIV_H

#include "codec/number.h"

#include <stdint.h>

#define SN_COPY_STEP 16 /* what is copied in steps has room for a whole one behind it */
#define SN_EXTRA_TEXT_SIZE 64

/* As labels end in text: `,le="1"} ` with the space before the value. */
struct sn_extra_text {
    uint32_t len;
    char bytes[SN_EXTRA_TEXT_SIZE];
};

/* Fixed once it is made; static, or of a family. */
struct sn_extra {
    const char *name;
    char value[SN_DOUBLE_TEXT_SIZE]; /* nothing in it needs escaping */
    struct sn_extra_text text;
    struct sn_extra_text openmetrics; /* numbers there have a dot, an exponent, or are +Inf */
};

/* clang-format off */
#define SN_EXTRA_TEXT(name, value) {sizeof("," name "=\"" value "\"} ") - 1, "," name "=\"" value "\"} "}
/* clang-format on */
#define SN_EXTRA(name, value)                                                                      \
    { name, value, SN_EXTRA_TEXT(name, value), SN_EXTRA_TEXT(name, value) }

/* ,="".0}  and a NUL around name and value */
_Static_assert(SN_EXTRA_TEXT_SIZE >= SN_DOUBLE_TEXT_SIZE + sizeof "le" + 10 + SN_COPY_STEP,
               "a bound fits");

#endif
