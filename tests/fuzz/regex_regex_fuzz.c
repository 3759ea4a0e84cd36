/*
 * Regexes: pattern, a NUL, text. Properties: what the checker accepts compiles (or is too large);
 * whether the empty text matches is what the checker said; sets and gaps agree with PCRE2; the
 * prefix is one; a capturing regex matches the same texts.
 */
#include "base/check.h"
#include "regex/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_match(const struct sn_regex *regex, struct sn_str text, bool *is_certain) {
    bool found = sn_regex_match(regex, text);
    *is_certain &= sn_regex_status(regex, NULL) == SN_OK;
    return found;
}

/* The capturing form always goes to PCRE2, whatever the plain one is. */
static void check_forms_agree(const struct sn_regex *plain, struct sn_str pattern,
                              struct sn_str text) {
    struct sn_regex *capturing;
    struct sn_buf buf;
    bool is_matched = false;
    bool is_certain = true;
    if (sn_regex_new_capturing(pattern, &capturing, NULL) != SN_OK) {
        return; /* too many groups */
    }
    sn_buf_init(&buf, 1 << 20);
    bool expected = is_match(plain, text, &is_certain);
    sn_status status = sn_regex_expand(capturing, text, SN_STR("<$0>"), &is_matched, &buf, NULL);
    if (status == SN_OK && is_certain) {
        SN_CHECK(is_matched == expected);
        SN_CHECK(!is_matched || buf.len == text.len + 2);
    }
    sn_buf_release(&buf);
    (void)sn_regex_free(capturing);
}

static void check_literals(const struct sn_regex *regex) {
    const struct sn_str *items;
    size_t count;
    if (sn_regex_literals(regex, &items, &count)) {
        for (size_t i = 0; i < count; i++) {
            SN_CHECK(sn_regex_match(regex, items[i]));
            SN_CHECK(i == 0 || sn_str_compare(items[i - 1], items[i]) < 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_str all = sn_str_make(data, len);
    struct sn_str pattern;
    struct sn_str text;
    struct sn_regex *regex = NULL;
    struct sn_err err = {0};
    bool matches_empty = false;
    bool is_certain = true;
    (void)sn_str_cut(all, '\0', &pattern, &text);
    sn_status checked = sn_regex_check(pattern, &matches_empty, &err);
    sn_status status = sn_regex_new(pattern, &regex, &err);
    SN_CHECK(status == checked || status == SN_ERR_LIMIT);
    if (status != SN_OK) {
        SN_CHECK(err.text[0] != '\0');
        return 0;
    }
    bool found_empty = is_match(regex, sn_str_make(NULL, 0), &is_certain);
    SN_CHECK(found_empty == matches_empty || !is_certain);
    if (sn_str_is_utf8(text)) {
        check_forms_agree(regex, pattern, text);
        SN_CHECK(!sn_regex_match(regex, text) || sn_str_starts_with(text, sn_regex_prefix(regex)));
    }
    check_literals(regex);
    (void)sn_regex_free(regex);
    return 0;
}
