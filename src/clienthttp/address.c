/*
 * Addresses of the exporter. See address_priv.h.
 */
#include "clienthttp/address_priv.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <stdint.h>

#define HOST_SIZE INET6_ADDRSTRLEN

static bool parse_port(struct sn_str text, uint16_t *ret_port) {
    uint32_t port = 0;
    if (text.len == 0 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    *ret_port = (uint16_t)port;
    return port <= UINT16_MAX;
}

static bool parse_host(struct sn_str text, bool is_v6, union sn_exporter_address *address) {
    char host[HOST_SIZE];
    if (text.len == 0 || text.len >= sizeof host)
        return false;
    memcpy(host, text.ptr, text.len);
    host[text.len] = '\0';
    memset(address, 0, sizeof *address);
    address->any.sa_family = is_v6 ? AF_INET6 : AF_INET;
    void *to = is_v6 ? (void *)&address->v6.sin6_addr : (void *)&address->v4.sin_addr;
    return inet_pton(address->any.sa_family, host, to) == 1;
}

sn_status sn_exporter_address_parse(const char *text, union sn_exporter_address *ret_address,
                                    struct sn_err *err) {
    struct sn_str all = sn_str_from(text);
    union sn_exporter_address address;
    size_t colon = all.len;
    while (colon > 0 && all.ptr[colon - 1] != ':')
        colon--;
    struct sn_str host = sn_str_make(all.ptr, colon > 0 ? colon - 1 : 0);
    bool is_v6 = host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (is_v6)
        host = sn_str_make(host.ptr + 1, host.len - 2);
    uint16_t port = 0;
    if (colon == 0 || !parse_port(sn_str_make(all.ptr + colon, all.len - colon), &port) ||
        !parse_host(host, is_v6, &address))
        return sn_err_set(err, SN_ERR_INVALID,
                          "\"%.64s\" is no address: want 127.0.0.1:9465 or [::1]:9465", text);
    if (is_v6)
        address.v6.sin6_port = htons(port);
    else
        address.v4.sin_port = htons(port);
    *ret_address = address;
    return SN_OK;
}
