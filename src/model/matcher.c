/*
 * Label matchers. Pure functions; any thread as long as regex_match is.
 */
#include "model/matcher.h"

#include "model/text_priv.h"

static bool regex_passes(const struct sn_matcher *matcher, struct sn_str value, bool wanted) {
    return matcher->regex_match != NULL && matcher->regex_match(matcher->compiled, value) == wanted;
}

bool sn_matcher_passes(const struct sn_matcher *matcher, struct sn_str value) {
    switch (matcher->kind) {
    case SN_MATCH_EQUAL:
        return sn_str_equal(matcher->value, value);
    case SN_MATCH_NOT_EQUAL:
        return !sn_str_equal(matcher->value, value);
    case SN_MATCH_REGEX:
        return regex_passes(matcher, value, true);
    case SN_MATCH_NOT_REGEX:
        return regex_passes(matcher, value, false);
    }
    return false;
}

bool sn_matchers_pass(const struct sn_matcher *matchers, size_t count, struct sn_labels labels) {
    for (size_t i = 0; i < count; i++) {
        if (!sn_matcher_passes(&matchers[i], sn_labels_get(labels, matchers[i].name))) {
            return false;
        }
    }
    return true;
}

bool sn_matcher_passes_empty(const struct sn_matcher *matcher) {
    return sn_matcher_passes(matcher, sn_str_make(NULL, 0));
}

static const char *operator_text(enum sn_match_kind kind) {
    switch (kind) {
    case SN_MATCH_EQUAL:
        return "=";
    case SN_MATCH_NOT_EQUAL:
        return "!=";
    case SN_MATCH_REGEX:
        return "=~";
    case SN_MATCH_NOT_REGEX:
        return "!~";
    }
    return "?";
}

void sn_matcher_format(const struct sn_matcher *matcher, struct sn_buf *buf) {
    sn_text_put_label_name(buf, matcher->name);
    sn_buf_put_text(buf, operator_text(matcher->kind));
    sn_text_put_quoted(buf, matcher->value);
}
