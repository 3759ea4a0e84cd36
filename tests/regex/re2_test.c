/*
 * Random patterns and texts: what RE2 accepts is accepted, what it refuses is refused, and the same
 * texts match. SONDE_REGEX_ROUNDS patterns (default 20,000), seed SONDE_REGEX_SEED.
 *
 * Known differences: Go, whose syntax we follow, refuses \C, takes (?<name>...) since 1.22, and has
 * newer Unicode tables.
 */
#include "re2_oracle.h"

#include "base/check.h"
#include "base/rng.h"
#include "regex/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PATTERN_MAX = 256, TEXT_MAX = 64, TEXTS = 12, ROUNDS = 20000 };

static const char *const pieces[] = {
    "a",           "b",
    "ab",          "A",
    "1",           "_",
    "\xc3\xa9",    "\xe2\x82\xac",
    "\\.",         ".",
    ".*",          ".+",
    ".*?",         "[ab]",
    "[^a]",        "[a-c]",
    "[^a-z]",      "[\\d_]",
    "[[:alpha:]]", "[[:^digit:]]",
    "\\d",         "\\D",
    "\\w",         "\\W",
    "\\s",         "\\S",
    "\\b",         "\\B",
    "(?i)",        "(?:",
    "(",           "|",
    ")",           "*",
    "+",           "?",
    "{2}",         "{1,3}",
    "{,2}",        "{0,}",
    "{0}",         "^",
    "$",           "\\pL",
    "\\PN",        "\\p{Greek}",
    "\\p{Lu}",     "\\x41",
    "\\x{e9}",     "\\Qa.b\\E",
    "\\Q",         "\\E",
    "(?s)",        "(?-s:",
    "(?i:",        "(?m)",
    "(?U)",        "(?P<n>",
    "(?=",         "(?!",
    "(?<=",        "\\1",
    "\\A",         "\\z",
    "\\Z",         "[",
    "]",           "-",
    "\\",          "\n",
    "\\n",         "\\t",
    "\\a",         "\\07",
    "\\/",         "\\-",
    "{",           "}",
    ",",           "[]a]",
    "[^]a]",       "[a-",
    "[b-a]",       "(?)",
    "(?i-s)",      "(?ims-U:",
    "()",          "(|a)",
    "a{1001}",     "a{2}{3}",
    "**",          "??",
    "*?",          "\\pX",
    "\\8",         "[\\Q]",
    "a|b|cd",      "foo.*bar",
    "node-[0-9]+", "\\d{1,3}",
    "[^\\n]",      "(a|ab)(c|bcd)(d*)",
};

static const char *const bits[] = {"a",        "b",     "A",        "1",  "_",  ".", "\n",
                                   "\xc3\xa9", "c",     "d",        "ab", " ",  "-", "foo",
                                   "bar",      "node-", "\xce\xb1", "]",  "\\", ""};

static size_t concat(struct sn_rng *rng, const char *const *from, size_t from_count, unsigned max,
                     char *out, size_t out_max) {
    unsigned count = (unsigned)sn_rng_below(rng, max + 1);
    size_t len = 0;
    for (unsigned i = 0; i < count; i++) {
        const char *piece = from[sn_rng_below(rng, from_count)];
        size_t piece_len = strlen(piece);
        if (len + piece_len < out_max) {
            memcpy(out + len, piece, piece_len);
            len += piece_len;
        }
    }
    out[len] = '\0';
    return len;
}

static void fail_at(const char *what, const char *pattern, const char *text, int re2) {
    print_error("%s: pattern `%s`, text `%s`, RE2 says %d\n", what, pattern, text, re2);
    fail();
}

static void compare_texts(struct sn_rng *rng, const struct sn_regex *regex,
                          const struct re2_oracle *oracle, const char *pattern) {
    char text[TEXT_MAX];
    for (int i = 0; i < TEXTS; i++) {
        size_t len = concat(rng, bits, sizeof bits / sizeof *bits, 6, text, sizeof text);
        int expected = re2_oracle_matches(oracle, text, len);
        bool found = sn_regex_match(regex, sn_str_make(text, len));
        if (sn_regex_status(regex, NULL) == SN_OK && found != (expected != 0)) {
            fail_at("another match", pattern, text, expected);
        }
    }
}

/* Whether our answer may differ from RE2's: see above. */
static bool is_known(const char *pattern) {
    return strstr(pattern, "\\C") != NULL || strstr(pattern, "(?<") != NULL;
}

/* Returns whether the pattern was one. */
static bool compare_pattern(struct sn_rng *rng, const char *pattern, size_t len) {
    struct re2_oracle *oracle = re2_oracle_new(pattern, len);
    struct sn_regex *regex = NULL;
    struct sn_err err = {.status = SN_OK};
    sn_status status = sn_regex_new(sn_str_make(pattern, len), &regex, &err);
    bool is_ok = re2_oracle_is_ok(oracle) != 0;
    bool is_size = status == SN_ERR_LIMIT || re2_oracle_is_too_large(oracle);
    if (!is_size && !is_known(pattern) && (status == SN_OK) != is_ok) {
        fail_at(status == SN_OK ? "accepted" : err.text, pattern, "", is_ok);
    }
    bool is_both = status == SN_OK && is_ok;
    if (is_both) {
        compare_texts(rng, regex, oracle, pattern);
    }
    (void)sn_regex_free(regex); /* NULL, always */
    re2_oracle_free(oracle);
    return is_both;
}

static uint64_t number_of(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

static void random_patterns_are_judged_and_match_as_in_re2(void **state) {
    (void)state;
    struct sn_rng rng;
    uint64_t seed = number_of("SONDE_REGEX_SEED", 1);
    uint64_t rounds = number_of("SONDE_REGEX_ROUNDS", ROUNDS);
    uint64_t both_count = 0;
    sn_rng_init(&rng, seed);
    for (uint64_t i = 0; i < rounds; i++) {
        char pattern[PATTERN_MAX];
        size_t len =
            concat(&rng, pieces, sizeof pieces / sizeof *pieces, 7, pattern, sizeof pattern);
        both_count += compare_pattern(&rng, pattern, len);
    }
    assert_true(both_count > rounds / 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_patterns_are_judged_and_match_as_in_re2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
