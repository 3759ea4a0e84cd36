/*
 * The access decision. See access.h.
 */
#include "api/access.h"

#include "auth/auth.h"
#include "codec/base64.h"

/* Host without its port: "[::1]:9464" gives "[::1]", "localhost" itself, "[::1].evil" as well. */
static struct sn_str host_name(struct sn_str host) {
    size_t end = sn_str_find_char(host, ']') + 1; /* 0: there is none */
    if (end > 0 && host.ptr[0] == '[')
        return end == host.len || host.ptr[end] == ':' ? sn_str_make(host.ptr, end) : host;
    struct sn_str name, port;
    (void)sn_str_cut(host, ':', &name, &port); /* No port: the whole text is the name. */
    return name;
}

/* 127.a.b.c with nothing but digits and dots: "127.0.0.1.evil.example" is not one. */
static bool is_loopback_v4(struct sn_str name) {
    if (!sn_str_starts_with(name, SN_STR("127.")))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != '.' && (name.ptr[i] < '0' || name.ptr[i] > '9'))
            return false;
    return true;
}

static bool is_own_name(struct sn_str host) {
    struct sn_str name = host_name(host);
    return sn_str_equal(name, SN_STR("localhost")) || sn_str_equal(name, SN_STR("[::1]")) ||
           is_loopback_v4(name);
}

/* "http://localhost:9464" is own; "null" (a sandboxed page, a file) is not. */
static bool is_own_origin(struct sn_str origin) {
    size_t scheme_end = sn_str_find_char(origin, ':');
    if (scheme_end == SIZE_MAX)
        return false;
    struct sn_str rest = sn_str_make(origin.ptr + scheme_end, origin.len - scheme_end);
    return sn_str_starts_with(rest, SN_STR("://")) &&
           is_own_name(sn_str_make(rest.ptr + 3, rest.len - 3));
}

/* What is answered without sign-in must come from this machine's own names. */
static sn_status check_origin(const struct sn_access_facts *facts, struct sn_err *err) {
    if (facts->host.len > 0 && !is_own_name(facts->host))
        return sn_err_set(err, SN_ERR_DENIED,
                          "open access answers only to localhost and loopback addresses, not to "
                          "Host \"%.*s\"",
                          (int)(facts->host.len < 80 ? facts->host.len : 80), facts->host.ptr);
    if (facts->is_write && facts->origin.len > 0 && !is_own_origin(facts->origin))
        return sn_err_set(err, SN_ERR_DENIED, "a page of \"%.*s\" may not write without sign-in",
                          (int)(facts->origin.len < 80 ? facts->origin.len : 80),
                          facts->origin.ptr);
    return SN_OK;
}

static unsigned scope_of(enum sn_api_role role) {
    switch (role) {
    case SN_API_PUBLIC:
        return 0;
    case SN_API_INGEST:
        return SN_SCOPE_INGEST;
    case SN_API_READ:
        return SN_SCOPE_READ;
    case SN_API_ADMIN:
        return SN_SCOPE_ADMIN;
    }
    return SN_SCOPE_ADMIN;
}

/* Ingest without a token: whether the configuration and the client's place allow it. */
static bool may_ingest_unsigned(const struct sn_access_facts *facts) {
    switch (facts->ingest_access) {
    case SN_API_INGEST_LOOPBACK:
        return facts->is_loopback && check_origin(facts, NULL) == SN_OK && facts->host.len > 0;
    case SN_API_INGEST_TOKEN:
        return false;
    case SN_API_INGEST_ANYONE:
        return true;
    }
    return false;
}

sn_status sn_access_check(const struct sn_access_facts *facts, struct sn_err *err) {
    static const char *const names[] = {"", "ingest", "read", "admin"};
    if (facts->role == SN_API_PUBLIC)
        return SN_OK;
    if (facts->access == SN_API_ACCESS_OPEN)
        return check_origin(facts, err);
    if (facts->is_signed_in && (facts->scopes & scope_of(facts->role)) != 0)
        return SN_OK;
    if (facts->role == SN_API_INGEST && !facts->is_signed_in && may_ingest_unsigned(facts))
        return SN_OK;
    if (facts->is_signed_in)
        return sn_err_set(err, SN_ERR_DENIED, "this needs the scope \"%s\", which you do not have",
                          names[facts->role]);
    return sn_err_set(err, SN_ERR_DENIED,
                      "not signed in: send \"Authorization: Bearer TOKEN\" with the token of POST "
                      "/api/auth/login or an API token");
}

/* ---- credentials ---- */

static bool is_scheme(struct sn_str scheme, const char *lower) {
    for (size_t i = 0; i < scheme.len; i++) {
        char c = scheme.ptr[i];
        if ((c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c) != lower[i])
            return false; /* also where lower ends earlier: its NUL is no letter */
    }
    return lower[scheme.len] == '\0';
}

/* Bytes of base64 text with or without padding; empty when it is none, or does not fit. */
static struct sn_str decode(struct sn_str text, char buf[SN_ACCESS_SECRET_SIZE]) {
    uint8_t bytes[SN_ACCESS_SECRET_SIZE];
    size_t len;
    if (SN_BASE64_DECODED_MAX(text.len) > sizeof bytes ||
        sn_base64_decode(text, bytes, &len) != SN_OK)
        return SN_STR("");
    memcpy(buf, bytes, len);
    return sn_str_make(buf, len);
}

struct sn_str sn_access_secret(struct sn_str header, char buf[SN_ACCESS_SECRET_SIZE]) {
    struct sn_str scheme, rest, user, password;
    (void)sn_str_cut(header, ' ', &scheme, &rest); /* No blank: rest is empty. */
    rest = sn_str_trim(rest);
    if (is_scheme(scheme, "bearer"))
        return rest;
    if (!is_scheme(scheme, "basic"))
        return SN_STR("");
    return sn_str_cut(decode(rest, buf), ':', &user, &password) ? password : SN_STR("");
}
