/*
 * Text that one thread writes while others may read it: atomic words, so that a reader may look at
 * any time. Whether what it saw belongs together, a version beside the words tells:
 *
 *     even: at rest    odd: somebody writes    unchanged around a read: the read is good
 *
 * Nobody waits: a writer that finds another one gives up, a reader tries again a few times.
 */
#ifndef SN_CLIENT_WORDS_PRIV_H
#define SN_CLIENT_WORDS_PRIV_H

#include "client/cut_priv.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SN_VERSION_TRIES 1000  /* a writer needs about 100 ns */
#define SN_WORDS_BYTES_MAX 256 /* an error message is the longest */

/* Become the writer; false: there is one. */
static inline bool sn_version_begin(_Atomic uint64_t *version) {
    uint64_t now = atomic_load_explicit(version, memory_order_relaxed);
    return now % 2 == 0 &&
           /* Acquire pairs with sn_version_end: what the last writer left is seen. */
           atomic_compare_exchange_strong_explicit(version, &now, now + 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

static inline void sn_version_end(_Atomic uint64_t *version) {
    atomic_fetch_add_explicit(version, 1, memory_order_release);
}

/*
 * Words are stored with release and loaded with acquire: who sees a new one also sees the odd
 * version before it.
 */
static inline void sn_word_put(_Atomic uint64_t *word, uint64_t value) {
    atomic_store_explicit(word, value, memory_order_release);
}

static inline uint64_t sn_word_get(const _Atomic uint64_t *word) {
    return atomic_load_explicit(word, memory_order_acquire);
}

/* Copy text into words, at most `size` bytes (of SN_WORDS_BYTES_MAX) with the NUL, cut between
 * characters. */
static inline void sn_words_put(_Atomic uint64_t *words, size_t size, const char *text) {
    char bytes[SN_WORDS_BYTES_MAX] = {0};
    sn_cut(bytes, size, text);
    for (size_t i = 0; i < size / 8; i++) {
        uint64_t word;
        memcpy(&word, bytes + 8 * i, sizeof word);
        sn_word_put(&words[i], word);
    }
}

static inline void sn_words_get(const _Atomic uint64_t *words, size_t size, char *ret_text) {
    for (size_t i = 0; i < size / 8; i++) {
        uint64_t word = sn_word_get(&words[i]);
        memcpy(ret_text + 8 * i, &word, sizeof word);
    }
    ret_text[size - 1] = '\0';
}

#endif
