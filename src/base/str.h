/*
 * Text and bytes that are not ours: a pointer and a length, never assumed to end with NUL.
 * A struct sn_str borrows; whoever gave it says how long it lives. Any thread.
 */
#ifndef SN_BASE_STR_H
#define SN_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sn_str {
    const char *ptr; /* may be NULL when len is 0 */
    size_t len;      /* bytes */
};

/* A literal as sn_str; for printf use "%.*s" with SN_STR_ARG. */
#define SN_STR(literal) ((struct sn_str){"" literal, sizeof(literal) - 1})
#define SN_STR_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

static inline struct sn_str sn_str_from(const char *text) {
    return (struct sn_str){text, text ? strlen(text) : 0};
}

static inline struct sn_str sn_str_make(const void *ptr, size_t len) {
    return (struct sn_str){(const char *)ptr, len};
}

static inline bool sn_str_equal(struct sn_str a, struct sn_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Byte order; a prefix sorts before its extension. <0, 0, >0. */
int sn_str_compare(struct sn_str a, struct sn_str b);

bool sn_str_starts_with(struct sn_str s, struct sn_str prefix);
bool sn_str_ends_with(struct sn_str s, struct sn_str suffix);

/* s without ASCII blanks (space, \t, \r, \n) on both sides. */
struct sn_str sn_str_trim(struct sn_str s);

/* Index of the first byte c in s, or SIZE_MAX. */
size_t sn_str_find_char(struct sn_str s, char c);

/*
 * Split at the first `separator`: *ret_head is what stands before it (all of s when there is
 * none), *ret_tail what follows. Returns whether the separator was found.
 */
bool sn_str_cut(struct sn_str s, char separator, struct sn_str *ret_head, struct sn_str *ret_tail);

/* Bytes of the well-formed UTF-8 character that s starts with, 1 to 4; 0 when there is none. */
size_t sn_str_utf8_char_len(struct sn_str s);

/* Whether s is well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF). O(len). */
bool sn_str_is_utf8(struct sn_str s);

/*
 * Distance of two words for "did you mean": edits (insert, delete, replace, swap neighbours),
 * capped at `max + 1`. Words longer than 64 bytes are `max + 1` apart.
 */
unsigned sn_str_distance(struct sn_str a, struct sn_str b, unsigned max);

/*
 * Hash of bytes, 64 bits, good in all bits, not cryptographic; the seed keeps outsiders from
 * choosing collisions. The same on every machine: little-endian order is part of the definition.
 */
uint64_t sn_hash_bytes(const void *ptr, size_t len, uint64_t seed);

#endif
