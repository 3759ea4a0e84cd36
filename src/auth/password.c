/*
 * Password hashes by libsodium. See password.h.
 */
#include "auth/password.h"

#include <sodium/crypto_pwhash.h>

enum {
    OPS = 2,
    MEMORY_BYTES = 32 << 20,
};

_Static_assert(SN_PASSWORD_HASH_SIZE == crypto_pwhash_STRBYTES, "libsodium's text fits");

/* A hash with our costs of a password that nobody has: what an unknown user is compared with. Any
 * valid text does, also when the salt is known: the answer is no in any case. */
static const char hash_of_nobody[SN_PASSWORD_HASH_SIZE] =
    "$argon2id$v=19$m=32768,t=2,p=1$c29uZGUtbm9ib2R5LXNhbA$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

sn_status sn_password_check(struct sn_str password, struct sn_str user_name, struct sn_err *err) {
    if (password.len < SN_PASSWORD_BYTES_MIN || password.len > SN_PASSWORD_BYTES_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "the password has %zu bytes, it needs %d to %d",
                          password.len, SN_PASSWORD_BYTES_MIN, SN_PASSWORD_BYTES_MAX);
    if (!sn_str_is_utf8(password))
        return sn_err_set(err, SN_ERR_INVALID, "the password is not valid UTF-8");
    for (size_t i = 0; i < password.len; i++)
        if ((unsigned char)password.ptr[i] < 0x20 || password.ptr[i] == 0x7f)
            return sn_err_set(err, SN_ERR_INVALID, "the password has a control character");
    if (sn_str_equal(password, user_name))
        return sn_err_set(err, SN_ERR_INVALID, "the password is the user's name");
    return SN_OK;
}

sn_status sn_password_hash(struct sn_str password, char ret_hash[SN_PASSWORD_HASH_SIZE],
                           struct sn_err *err) {
    if (crypto_pwhash_str(ret_hash, password.ptr, password.len, OPS, MEMORY_BYTES) != 0)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory (%d MiB) to hash a password",
                          MEMORY_BYTES >> 20);
    return SN_OK;
}

bool sn_password_verify(struct sn_str password, const char *hash) {
    if (password.len > SN_PASSWORD_BYTES_MAX)
        return false;
    const char *against = hash != NULL ? hash : hash_of_nobody;
    bool is_same = crypto_pwhash_str_verify(against, password.ptr, password.len) == 0;
    return is_same && hash != NULL;
}
