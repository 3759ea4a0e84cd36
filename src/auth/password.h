/*
 * Passwords: what is allowed, their hashes (argon2id), and comparing with them.
 *
 * A hash costs 32 MiB of memory and about 40 ms, by design. Callers run it on a job thread and see
 * to it that only a few run at once (auth.c). libsodium allocates the 32 MiB itself.
 */
#ifndef SN_AUTH_PASSWORD_H
#define SN_AUTH_PASSWORD_H

#include "base/status.h"
#include "base/str.h"

#define SN_PASSWORD_BYTES_MIN 10
#define SN_PASSWORD_BYTES_MAX 256 /* hashing time must not depend on what strangers send */
#define SN_PASSWORD_HASH_SIZE 128 /* crypto_pwhash_STRBYTES */

/*
 * Whether a new password may be used: length, UTF-8, no control characters, not the user's name.
 * SN_ERR_INVALID with a sentence that does not repeat it.
 */
sn_status sn_password_check(struct sn_str password, struct sn_str user_name,
                            struct sn_err *err) SN_MUST_USE;

/*
 * Hash with a new salt; parameters and salt are part of the text.
 * SN_ERR_NO_MEMORY. Threads: any. Blocks: about 40 ms of computing.
 */
sn_status sn_password_hash(struct sn_str password, char ret_hash[SN_PASSWORD_HASH_SIZE],
                           struct sn_err *err) SN_MUST_USE;

/*
 * Whether the password is the one behind the hash. hash NULL: there is no such user; takes as long
 * as a comparison and says no, so that names cannot be guessed by the clock. Also no: longer than
 * SN_PASSWORD_BYTES_MAX, no memory for the hash.
 */
bool sn_password_verify(struct sn_str password, const char *hash);

#endif
