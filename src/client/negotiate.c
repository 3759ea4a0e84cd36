/*
 * Which format a scraper wants: Accept headers, RFC 9110 section 12.5.1. The text is any bytes.
 *
 * Pure, any thread.
 */
#include "base/str.h"
#include "sonde/expose.h"

#define QUALITY_ONE 1000 /* qualities have three decimals */

/* How closely a range names a type. */
enum closeness { NOT_AT_ALL, ANY_TYPE, ANY_SUBTYPE, ITSELF };

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

/* "0", "1", "0.5", "0.125"; anything else is no quality. */
static int parse_quality(struct sn_str text) {
    if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
        (text.len > 1 && text.ptr[1] != '.'))
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

/* One entry of the header: a range of types with its parameters. */
struct range {
    struct sn_str type;     /* "text/plain", "text" followed by "/" and a star, ... */
    struct sn_str version;  /* ptr NULL: none */
    struct sn_str encoding; /* of protobuf; ptr NULL: none */
    int quality;
};

static struct range parse_range(struct sn_str entry) {
    struct range range = {.quality = QUALITY_ONE};
    struct sn_str rest, one, key, value;
    (void)sn_str_cut(entry, ';', &range.type, &rest);
    range.type = sn_str_trim(range.type);
    while (rest.len > 0) {
        (void)sn_str_cut(rest, ';', &one, &rest);
        if (!sn_str_cut(one, '=', &key, &value))
            continue;
        key = sn_str_trim(key);
        if (equal_nocase(key, SN_STR("q")))
            range.quality = parse_quality(sn_str_trim(value));
        else if (equal_nocase(key, SN_STR("version")))
            range.version = sn_str_trim(value);
        else if (equal_nocase(key, SN_STR("encoding")))
            range.encoding = sn_str_trim(value);
    }
    return range;
}

struct offer {
    sonde_format format;
    struct sn_str type;     /* family, slash, name */
    struct sn_str any_name; /* family, slash, star */
    struct sn_str version;
    bool needs_name; /* "accept anything" does not mean this one */
    bool is_protobuf;
};

static enum closeness closeness_of(const struct range *range, const struct offer *offer) {
    if (sn_str_equal(range->type, SN_STR("*/*")))
        return offer->needs_name ? NOT_AT_ALL : ANY_TYPE;
    if (offer->is_protobuf)
        return equal_nocase(range->type, offer->type) &&
                       equal_nocase(range->encoding, SN_STR("delimited"))
                   ? ITSELF
                   : NOT_AT_ALL;
    if (equal_nocase(range->type, offer->any_name))
        return ANY_SUBTYPE;
    bool is_version = range->version.ptr == NULL || sn_str_equal(range->version, offer->version);
    return equal_nocase(range->type, offer->type) && is_version ? ITSELF : NOT_AT_ALL;
}

/* The quality of an offer: that of the closest range, the best of equals. */
static int quality_of(struct sn_str accept, const struct offer *offer) {
    enum closeness closest = NOT_AT_ALL;
    int best = 0;
    struct sn_str entry;
    while (accept.len > 0) {
        (void)sn_str_cut(accept, ',', &entry, &accept);
        struct range range = parse_range(entry);
        enum closeness close = closeness_of(&range, offer);
        if (close > closest || (close != NOT_AT_ALL && close == closest && range.quality > best)) {
            closest = close;
            best = range.quality;
        }
    }
    return best;
}

sonde_format sonde_format_negotiate(const char *accept) {
    static const struct offer openmetrics = {
        .format = SONDE_FORMAT_OPENMETRICS,
        .type = {"application/openmetrics-text", 28},
        .any_name = {"application/*", 13},
        .version = {"1.0.0", 5},
        .needs_name = true, /* people with curl and browsers accept anything, and want to read */
    };
    static const struct offer text = {.format = SONDE_FORMAT_TEXT,
                                      .type = {"text/plain", 10},
                                      .any_name = {"text/*", 6},
                                      .version = {"0.0.4", 5}};
    static const struct offer protobuf = {.format = SONDE_FORMAT_PROTOBUF,
                                          .type = {"application/vnd.google.protobuf", 31},
                                          .needs_name = true,
                                          .is_protobuf = true};
    struct sn_str header = sn_str_from(accept);
    int wish = quality_of(header, &openmetrics);
    int bytes = quality_of(header, &protobuf);
    if (bytes > 0 && bytes >= wish && bytes >= quality_of(header, &text))
        return SONDE_FORMAT_PROTOBUF;
    return wish > 0 && wish >= quality_of(header, &text) ? SONDE_FORMAT_OPENMETRICS
                                                         : SONDE_FORMAT_TEXT;
}
