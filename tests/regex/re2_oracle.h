/* RE2 behind C: see re2_oracle.cpp. One thread per oracle. */
#ifndef TESTS_REGEX_RE2_ORACLE_H
#define TESTS_REGEX_RE2_ORACLE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct re2_oracle;

struct re2_oracle *re2_oracle_new(const char *pattern, size_t len);
void re2_oracle_free(struct re2_oracle *oracle);
int re2_oracle_is_ok(const struct re2_oracle *oracle);        /* the pattern is one of RE2's */
int re2_oracle_is_too_large(const struct re2_oracle *oracle); /* it would be, but for its size */
int re2_oracle_matches(const struct re2_oracle *oracle, const char *text,
                       size_t len); /* all of it */

#ifdef __cplusplus
}
#endif

#endif
