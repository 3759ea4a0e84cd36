/*
 * Text to socket address and back. Pure: no system call, no look-up of names.
 */
#include "net/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define HOST_BYTES_MAX INET6_ADDRSTRLEN

static sn_status not_an_address(struct sn_str text, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_INVALID,
                      "'%.*s' is not an address with a port, such as 127.0.0.1:9464, "
                      "0.0.0.0:9464 or [::1]:9464",
                      SN_STR_ARG(text));
}

/* One to five digits, at most 65535. */
static bool parse_port(struct sn_str text, uint16_t *ret_port) {
    uint32_t port = 0;
    if (text.len == 0 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    if (port > UINT16_MAX)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

/* Cut "host:port" or "[host]:port"; the host of the second form is IPv6. */
static bool cut_port(struct sn_str text, struct sn_str *ret_host, struct sn_str *ret_port,
                     bool *ret_is_v6) {
    *ret_is_v6 = text.len > 0 && text.ptr[0] == '[';
    char last_of_host = *ret_is_v6 ? ']' : ':';
    if (*ret_is_v6)
        text = sn_str_make(text.ptr + 1, text.len - 1);
    if (!sn_str_cut(text, last_of_host, ret_host, ret_port))
        return false;
    if (!*ret_is_v6)
        return true;
    if (ret_port->len == 0 || ret_port->ptr[0] != ':')
        return false;
    *ret_port = sn_str_make(ret_port->ptr + 1, ret_port->len - 1);
    return true;
}

static bool parse_host(struct sn_str host, bool is_v6, struct sn_address *address) {
    char text[HOST_BYTES_MAX];
    if (!is_v6 && sn_str_equal(host, SN_STR("localhost")))
        host = SN_STR("127.0.0.1");
    if (host.len == 0 || host.len >= sizeof(text) || memchr(host.ptr, '\0', host.len) != NULL)
        return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    if (is_v6) {
        address->socket.v6.sin6_family = AF_INET6;
        return inet_pton(AF_INET6, text, &address->socket.v6.sin6_addr) == 1;
    }
    address->socket.v4.sin_family = AF_INET;
    return inet_pton(AF_INET, text, &address->socket.v4.sin_addr) == 1;
}

sn_status sn_address_parse(struct sn_str text, struct sn_address *ret_address, struct sn_err *err) {
    struct sn_address address;
    struct sn_str host;
    struct sn_str port_text;
    bool is_v6;
    uint16_t port;

    memset(&address, 0, sizeof(address));
    if (!cut_port(text, &host, &port_text, &is_v6) || !parse_port(port_text, &port) ||
        !parse_host(host, is_v6, &address))
        return not_an_address(text, err);
    sn_address_set_port(&address, port);
    *ret_address = address;
    return SN_OK;
}

void sn_address_from_socket(const struct sockaddr *socket, struct sn_address *ret_address) {
    memset(ret_address, 0, sizeof(*ret_address));
    if (socket != NULL && socket->sa_family == AF_INET)
        memcpy(&ret_address->socket.v4, socket, sizeof(ret_address->socket.v4));
    else if (socket != NULL && socket->sa_family == AF_INET6)
        memcpy(&ret_address->socket.v6, socket, sizeof(ret_address->socket.v6));
}

socklen_t sn_address_socket_len(const struct sn_address *address) {
    return address->socket.any.sa_family == AF_INET6 ? (socklen_t)sizeof(address->socket.v6)
                                                     : (socklen_t)sizeof(address->socket.v4);
}

uint16_t sn_address_port(const struct sn_address *address) {
    return ntohs(address->socket.any.sa_family == AF_INET6 ? address->socket.v6.sin6_port
                                                           : address->socket.v4.sin_port);
}

void sn_address_set_port(struct sn_address *address, uint16_t port) {
    if (address->socket.any.sa_family == AF_INET6)
        address->socket.v6.sin6_port = htons(port);
    else
        address->socket.v4.sin_port = htons(port);
}

/* The IPv4 address that an address is or carries; false for real IPv6. */
static bool as_v4(const struct sn_address *address, struct in_addr *ret_v4) {
    if (address->socket.any.sa_family == AF_INET) {
        *ret_v4 = address->socket.v4.sin_addr;
        return true;
    }
    if (address->socket.any.sa_family != AF_INET6 ||
        !IN6_IS_ADDR_V4MAPPED(&address->socket.v6.sin6_addr))
        return false;
    memcpy(ret_v4, &address->socket.v6.sin6_addr.s6_addr[12], sizeof(*ret_v4));
    return true;
}

void sn_address_format_host(const struct sn_address *address, char ret_text[SN_ADDRESS_TEXT_SIZE]) {
    struct in_addr v4;
    const char *text = NULL;
    if (as_v4(address, &v4))
        text = inet_ntop(AF_INET, &v4, ret_text, SN_ADDRESS_TEXT_SIZE);
    else if (address->socket.any.sa_family == AF_INET6)
        text = inet_ntop(AF_INET6, &address->socket.v6.sin6_addr, ret_text, SN_ADDRESS_TEXT_SIZE);
    if (text == NULL)
        (void)snprintf(ret_text, SN_ADDRESS_TEXT_SIZE, "unknown");
}

void sn_address_format(const struct sn_address *address, char ret_text[SN_ADDRESS_TEXT_SIZE]) {
    char host[SN_ADDRESS_TEXT_SIZE];
    struct in_addr v4;
    sn_address_format_host(address, host);
    if (as_v4(address, &v4))
        (void)snprintf(ret_text, SN_ADDRESS_TEXT_SIZE, "%.46s:%u", host, sn_address_port(address));
    else if (address->socket.any.sa_family == AF_INET6)
        (void)snprintf(ret_text, SN_ADDRESS_TEXT_SIZE, "[%.46s]:%u", host,
                       sn_address_port(address));
    else
        (void)snprintf(ret_text, SN_ADDRESS_TEXT_SIZE, "unknown");
}

bool sn_address_is_loopback(const struct sn_address *address) {
    struct in_addr v4;
    if (as_v4(address, &v4))
        return (ntohl(v4.s_addr) >> 24) == 127;
    return address->socket.any.sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&address->socket.v6.sin6_addr);
}
