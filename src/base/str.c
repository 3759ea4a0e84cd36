/*
 * Borrowed text: comparing, cutting, checking. Pure functions, any thread, no locale.
 */
#include "base/str.h"

#include <limits.h>

int sn_str_compare(struct sn_str a, struct sn_str b) {
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool sn_str_starts_with(struct sn_str s, struct sn_str prefix) {
    return s.len >= prefix.len && sn_str_equal(sn_str_make(s.ptr, prefix.len), prefix);
}

bool sn_str_ends_with(struct sn_str s, struct sn_str suffix) {
    if (suffix.len == 0)
        return true;
    return s.len >= suffix.len &&
           sn_str_equal(sn_str_make(s.ptr + (s.len - suffix.len), suffix.len), suffix);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct sn_str sn_str_trim(struct sn_str s) {
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

size_t sn_str_find_char(struct sn_str s, char c) {
    const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return at ? (size_t)(at - s.ptr) : SIZE_MAX;
}

bool sn_str_cut(struct sn_str s, char separator, struct sn_str *ret_head, struct sn_str *ret_tail) {
    size_t at = sn_str_find_char(s, separator);
    if (at == SIZE_MAX) {
        *ret_head = s;
        *ret_tail = sn_str_make(s.len ? s.ptr + s.len : s.ptr, 0);
        return false;
    }
    *ret_head = sn_str_make(s.ptr, at);
    *ret_tail = sn_str_make(s.ptr + at + 1, s.len - at - 1);
    return true;
}

/* Bytes of the sequence that starts with `lead`; 0 when no sequence does. */
static size_t sequence_len(uint8_t lead) {
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2) /* continuation bytes, and C0 C1, which only overlong forms use */
        return 0;
    if (lead < 0xE0)
        return 2;
    if (lead < 0xF0)
        return 3;
    return lead < 0xF5 ? 4 : 0; /* F5 and above lie beyond U+10FFFF */
}

/*
 * The second byte carries all further rules: E0 and F0 must not be overlong, ED must not be a
 * surrogate, F4 must not pass U+10FFFF.
 */
static bool second_byte_fits(uint8_t lead, uint8_t second) {
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    return second >= low && second <= high;
}

size_t sn_str_utf8_char_len(struct sn_str s) {
    if (s.len == 0)
        return 0;
    const uint8_t *bytes = (const uint8_t *)s.ptr;
    size_t len = sequence_len(bytes[0]);
    if (len > s.len)
        return 0;
    if (len > 1 && !second_byte_fits(bytes[0], bytes[1]))
        return 0;
    for (size_t i = 2; i < len; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    }
    return len;
}

/* Length of the longest prefix of whole 8-byte words that are ASCII only. */
static size_t ascii_words_len(struct sn_str s) {
    size_t at = 0;
    while (s.len - at >= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, s.ptr + at, sizeof(word));
        if (word & UINT64_C(0x8080808080808080))
            break;
        at += sizeof(word);
    }
    return at;
}

bool sn_str_is_utf8(struct sn_str s) {
    while (s.len > 0) {
        size_t len = ascii_words_len(s);
        if (len == 0)
            len = sn_str_utf8_char_len(s);
        if (len == 0)
            return false;
        s.ptr += len;
        s.len -= len;
    }
    return true;
}

#define DISTANCE_BYTES_MAX 64

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

/*
 * One row of the optimal-string-alignment table: rows[0] is the result for a's first i bytes,
 * rows[1] and rows[2] the two rows before. Returns the smallest number of the row.
 */
static unsigned distance_row(struct sn_str a, struct sn_str b, size_t i, unsigned *const rows[3]) {
    rows[0][0] = (unsigned)i;
    unsigned smallest = rows[0][0];
    for (size_t j = 1; j <= b.len; j++) {
        unsigned replace = rows[1][j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]);
        unsigned best = least(replace, least(rows[1][j], rows[0][j - 1]) + 1);
        if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1])
            best = least(best, rows[2][j - 2] + 1);
        rows[0][j] = best;
        smallest = least(smallest, best);
    }
    return smallest;
}

unsigned sn_str_distance(struct sn_str a, struct sn_str b, unsigned max) {
    unsigned too_far = max < UINT_MAX ? max + 1 : max;
    size_t longer = a.len > b.len ? a.len : b.len;
    size_t shorter = a.len > b.len ? b.len : a.len;
    if (longer > DISTANCE_BYTES_MAX || longer - shorter > max)
        return too_far;

    unsigned table[3][DISTANCE_BYTES_MAX + 1];
    unsigned *rows[3] = {table[0], table[1], table[2]};
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned *oldest = rows[2];
        rows[2] = rows[1];
        rows[1] = rows[0];
        rows[0] = oldest;
        /* A swap reaches two rows back and costs one, so a row may exceed its successor by one. */
        if (distance_row(a, b, i, rows) > too_far)
            return too_far;
    }
    return least(rows[0][b.len], too_far);
}
