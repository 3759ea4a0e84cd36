/*
 * Content negotiation (RFC 9110, 12.5). See negotiate_priv.h.
 *
 * The formats are those that the running libsonde knows, so a newer one is offered without a
 * change here.
 */
#include "clienthttp/negotiate_priv.h"

#define QUALITY_ONE 1000 /* qualities have three decimals */
#define FORMAT_MAX 16    /* more than any version of libsonde has */

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

/* The value of a parameter in "; a=b; c=d"; ptr is NULL when there is none. */
static struct sn_str parameter(struct sn_str parameters, struct sn_str name) {
    struct sn_str one, rest = parameters;
    while (rest.len > 0) {
        struct sn_str key, value;
        (void)sn_str_cut(rest, ';', &one, &rest);
        if (sn_str_cut(one, '=', &key, &value) && equal_nocase(sn_str_trim(key), name))
            return sn_str_trim(value);
    }
    return (struct sn_str){NULL, 0};
}

/* 0 to QUALITY_ONE; none given is one, nonsense is none. */
static int quality_of(struct sn_str parameters) {
    struct sn_str text = parameter(parameters, SN_STR("q"));
    if (text.ptr == NULL)
        return QUALITY_ONE;
    if (text.len == 0 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
        (text.len > 1 && text.ptr[1] != '.') || text.len > 5)
        return 0;
    int quality = (text.ptr[0] - '0') * QUALITY_ONE;
    int step = QUALITY_ONE / 10;
    for (size_t i = 2; i < text.len; i++, step /= 10) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return 0;
        quality += (text.ptr[i] - '0') * step;
    }
    return quality < QUALITY_ONE ? quality : QUALITY_ONE;
}

/* How closely a range names a type: 0 not at all, 1 by all types, 2 by its family, 3 itself. */
static int closeness(struct sn_str range, struct sn_str parameters, struct sn_str content_type) {
    struct sn_str type, own, family, subtype;
    (void)sn_str_cut(content_type, ';', &type, &own);
    if (sn_str_equal(range, SN_STR("*/*")))
        return 1;
    if (sn_str_cut(range, '/', &family, &subtype) && sn_str_equal(subtype, SN_STR("*")))
        return type.len > family.len && type.ptr[family.len] == '/' &&
                       equal_nocase(sn_str_make(type.ptr, family.len), family)
                   ? 2
                   : 0;
    if (!equal_nocase(range, type))
        return 0;
    struct sn_str version = parameter(parameters, SN_STR("version"));
    return version.ptr == NULL || sn_str_equal(version, parameter(own, SN_STR("version"))) ? 3 : 0;
}

/* The quality of a type in an Accept header: that of the closest range, the best of equals. */
static int type_quality(struct sn_str accept, struct sn_str content_type) {
    int best_closeness = 0, best_quality = 0;
    struct sn_str entry;
    while (accept.len > 0) {
        struct sn_str range, parameters;
        (void)sn_str_cut(accept, ',', &entry, &accept);
        (void)sn_str_cut(entry, ';', &range, &parameters);
        int close = closeness(sn_str_trim(range), parameters, content_type);
        int quality = quality_of(parameters);
        if (close > best_closeness ||
            (close > 0 && close == best_closeness && quality > best_quality)) {
            best_closeness = close;
            best_quality = quality;
        }
    }
    return best_quality;
}

sonde_format sn_negotiate_format(struct sn_str accept) {
    sonde_format best = SONDE_FORMAT_TEXT;
    int best_quality = 0;
    for (int i = 0; i < FORMAT_MAX; i++) {
        const char *content_type = sonde_format_content_type((sonde_format)i);
        if (content_type == NULL)
            break;
        int quality = type_quality(accept, sn_str_from(content_type));
        if (quality > best_quality) {
            best = (sonde_format)i;
            best_quality = quality;
        }
    }
    return best;
}

bool sn_negotiate_gzip(struct sn_str accept_encoding) {
    int all = 0; /* quality of "*" */
    struct sn_str entry;
    while (accept_encoding.len > 0) {
        struct sn_str coding, parameters;
        (void)sn_str_cut(accept_encoding, ',', &entry, &accept_encoding);
        (void)sn_str_cut(entry, ';', &coding, &parameters);
        coding = sn_str_trim(coding);
        if (equal_nocase(coding, SN_STR("gzip")) || equal_nocase(coding, SN_STR("x-gzip")))
            return quality_of(parameters) > 0;
        if (sn_str_equal(coding, SN_STR("*")))
            all = quality_of(parameters);
    }
    return all > 0;
}
