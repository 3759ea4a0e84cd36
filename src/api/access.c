/*
 * The access decision. See access.h.
 */
#include "api/access.h"

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

sn_status sn_access_check(const struct sn_access_facts *facts, struct sn_err *err) {
    if (facts->role == SN_API_PUBLIC)
        return SN_OK;
    if (facts->access == SN_API_ACCESS_OPEN) {
        if (facts->host.len == 0 || is_own_name(facts->host))
            return SN_OK;
        return sn_err_set(err, SN_ERR_DENIED,
                          "open access answers only to localhost and loopback addresses, not to "
                          "Host \"%.*s\"",
                          (int)(facts->host.len < 80 ? facts->host.len : 80), facts->host.ptr);
    }
    if (facts->role == SN_API_INGEST && facts->is_loopback && is_own_name(facts->host))
        return SN_OK;
    return sn_err_set(err, SN_ERR_DENIED,
                      "not signed in; for a server on this machine only, start it with "
                      "--access open");
}
