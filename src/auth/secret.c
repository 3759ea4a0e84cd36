/*
 * Tokens and setup codes. See secret.h.
 */
#include "auth/secret.h"

#include "base/os.h"

#include <errno.h>
#include <sodium/crypto_generichash.h>
#include <sodium/utils.h>

enum {
    RANDOM_BYTES = 32,
    PREFIX_LEN = 4,
    CODE_LEN = 12, /* characters without dashes */
    CODE_GROUP = 4,
};

static const char code_alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* no I, L, O, U */

static sn_status fill_random(uint8_t *bytes, size_t len, struct sn_err *err) {
    if (sn_os_getrandom(bytes, len) != (ssize_t)len)
        return sn_err_set_errno(err, errno, "cannot make a secret: the system has no entropy");
    return SN_OK;
}

static struct sn_secret_hash hash_of(struct sn_str text) {
    struct sn_secret_hash hash;
    /* Fails only for a hash or key of an impossible length. */
    (void)crypto_generichash(hash.bytes, sizeof hash.bytes, (const unsigned char *)text.ptr,
                             text.len, NULL, 0);
    return hash;
}

/* ---- tokens ---- */

static struct sn_str prefix_of(enum sn_secret_kind kind) {
    switch (kind) {
    case SN_SECRET_SESSION:
        return SN_STR("sns_");
    case SN_SECRET_TOKEN:
        return SN_STR("snt_");
    }
    return SN_STR("");
}

sn_status sn_secret_new(enum sn_secret_kind kind, struct sn_secret *ret_secret,
                        struct sn_err *err) {
    uint8_t bytes[RANDOM_BYTES];
    SN_TRY(fill_random(bytes, sizeof bytes, err));
    struct sn_str prefix = prefix_of(kind);
    memcpy(ret_secret->text, prefix.ptr, prefix.len);
    (void)sodium_bin2base64(ret_secret->text + PREFIX_LEN, sizeof ret_secret->text - PREFIX_LEN,
                            bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    ret_secret->hash = hash_of(sn_str_from(ret_secret->text));
    sodium_memzero(bytes, sizeof bytes);
    return SN_OK;
}

static bool is_base64(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

bool sn_secret_hash(struct sn_str text, struct sn_secret_hash *ret_hash) {
    if (text.len != SN_SECRET_TEXT_SIZE - 1)
        return false;
    if (!sn_str_starts_with(text, prefix_of(SN_SECRET_SESSION)) &&
        !sn_str_starts_with(text, prefix_of(SN_SECRET_TOKEN)))
        return false;
    for (size_t i = PREFIX_LEN; i < text.len; i++)
        if (!is_base64(text.ptr[i]))
            return false;
    *ret_hash = hash_of(text);
    return true;
}

/* ---- setup codes ---- */

sn_status sn_setup_code_new(char ret_text[SN_SETUP_CODE_TEXT_SIZE], struct sn_secret_hash *ret_hash,
                            struct sn_err *err) {
    uint8_t bytes[CODE_LEN];
    SN_TRY(fill_random(bytes, sizeof bytes, err));
    char plain[CODE_LEN];
    size_t len = 0;
    for (size_t i = 0; i < CODE_LEN; i++) {
        plain[i] = code_alphabet[bytes[i] & 31];
        if (i > 0 && i % CODE_GROUP == 0)
            ret_text[len++] = '-';
        ret_text[len++] = plain[i];
    }
    ret_text[len] = '\0';
    *ret_hash = hash_of(sn_str_make(plain, sizeof plain));
    return SN_OK;
}

/* The character of the alphabet that was meant, or 0. */
static char normal_of(char c) {
    char upper = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    if (upper == 'O')
        return '0';
    if (upper == 'I' || upper == 'L')
        return '1';
    return upper != '\0' && memchr(code_alphabet, upper, sizeof code_alphabet - 1) ? upper : '\0';
}

bool sn_setup_code_hash(struct sn_str text, struct sn_secret_hash *ret_hash) {
    char plain[CODE_LEN];
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '-' || text.ptr[i] == ' ')
            continue;
        char c = normal_of(text.ptr[i]);
        if (c == '\0' || len == CODE_LEN)
            return false;
        plain[len++] = c;
    }
    if (len != CODE_LEN)
        return false;
    *ret_hash = hash_of(sn_str_make(plain, sizeof plain));
    return true;
}

bool sn_secret_hash_equal(const struct sn_secret_hash *a, const struct sn_secret_hash *b) {
    return sodium_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
