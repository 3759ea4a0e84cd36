/*
 * Secrets that clients hold: session and API tokens, the code of a setup link. Only their hashes
 * are stored, so that a copy of the database signs nobody in.
 *
 *   session token   "sns_" and 43 characters: 32 random bytes as URL-safe base64
 *   API token       "snt_" and the same
 *   setup code      "7KQ2-M9XD-41TB": 60 random bits in Crockford's base 32, easy to type; short,
 *                   so it lives an hour and dies after five wrong guesses (auth.h)
 *
 * All functions: any thread, never block, no heap memory.
 */
#ifndef SN_AUTH_SECRET_H
#define SN_AUTH_SECRET_H

#include "base/status.h"
#include "base/str.h"

#include <stdint.h>

#define SN_SECRET_HASH_BYTES 32
#define SN_SECRET_TEXT_SIZE 48     /* 4 + 43, and the NUL */
#define SN_SETUP_CODE_TEXT_SIZE 15 /* 3 groups of 4, two dashes, the NUL */

enum sn_secret_kind {
    SN_SECRET_SESSION,
    SN_SECRET_TOKEN,
};

/* Hash (BLAKE2b, 256 bits) of a secret: what is stored and looked up. */
struct sn_secret_hash {
    uint8_t bytes[SN_SECRET_HASH_BYTES];
};

struct sn_secret {
    char text[SN_SECRET_TEXT_SIZE]; /* shown to its owner once */
    struct sn_secret_hash hash;
};

/* A new token from the system's entropy. SN_ERR_IO (no entropy). */
sn_status sn_secret_new(enum sn_secret_kind kind, struct sn_secret *ret_secret,
                        struct sn_err *err) SN_MUST_USE;

/* Hash of a token that a client sent. False: it does not look like one of ours. */
bool sn_secret_hash(struct sn_str text, struct sn_secret_hash *ret_hash);

/* A new setup code. SN_ERR_IO. */
sn_status sn_setup_code_new(char ret_text[SN_SETUP_CODE_TEXT_SIZE], struct sn_secret_hash *ret_hash,
                            struct sn_err *err) SN_MUST_USE;

/* Hash of a setup code as somebody typed it: letter case, blanks and dashes do not matter, O is 0,
 * I and L are 1. False: it is not 12 characters of the alphabet. */
bool sn_setup_code_hash(struct sn_str text, struct sn_secret_hash *ret_hash);

/* Compare in constant time. */
bool sn_secret_hash_equal(const struct sn_secret_hash *a, const struct sn_secret_hash *b);

#endif
