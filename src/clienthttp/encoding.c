/*
 * Content codings. See encoding_priv.h.
 */
#include "clienthttp/encoding_priv.h"

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool equal_nocase(struct sn_str a, struct sn_str b) {
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    }
    return true;
}

/* "0", "1", "0.5", "1.000", and above 0. */
static bool is_wanted(struct sn_str quality) {
    bool is_above = false;
    if (quality.len == 0 || quality.len > 5 || (quality.ptr[0] != '0' && quality.ptr[0] != '1') ||
        (quality.len > 1 && quality.ptr[1] != '.'))
        return false;
    for (size_t i = 0; i < quality.len; i++) {
        char c = quality.ptr[i];
        if (i != 1 && (c < '0' || c > '9'))
            return false;
        is_above = is_above || (c >= '1' && c <= '9');
    }
    return is_above;
}

/* Whether the parameters of a coding, "; q=0.5", leave it wanted; without a quality it is. */
static bool parameters_want(struct sn_str parameters) {
    struct sn_str one, key, value;
    while (parameters.len > 0) {
        (void)sn_str_cut(parameters, ';', &one, &parameters);
        if (sn_str_cut(one, '=', &key, &value) && equal_nocase(sn_str_trim(key), SN_STR("q")))
            return is_wanted(sn_str_trim(value));
    }
    return true;
}

bool sn_encoding_has_gzip(struct sn_str accept_encoding) {
    bool wants_any = false; /* "*" */
    struct sn_str entry, coding, parameters;
    while (accept_encoding.len > 0) {
        (void)sn_str_cut(accept_encoding, ',', &entry, &accept_encoding);
        (void)sn_str_cut(entry, ';', &coding, &parameters);
        coding = sn_str_trim(coding);
        if (equal_nocase(coding, SN_STR("gzip")) || equal_nocase(coding, SN_STR("x-gzip")))
            return parameters_want(parameters);
        if (sn_str_equal(coding, SN_STR("*")))
            wants_any = parameters_want(parameters);
    }
    return wants_any;
}
