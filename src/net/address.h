/*
 * Where a socket listens or comes from: an IPv4 or IPv6 address with a port.
 *
 * A plain value, copied freely, any thread. Names are not looked up ("localhost" is the one
 * exception and means 127.0.0.1): resolving blocks, and a listener wants a number.
 */
#ifndef SN_NET_ADDRESS_H
#define SN_NET_ADDRESS_H

#include "base/status.h"
#include "base/str.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct sn_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket; /* any.sa_family is AF_INET or AF_INET6; AF_UNSPEC in a zeroed struct */
};

/* "[0123:...:255.255.255.255]:65535" and NUL. */
#define SN_ADDRESS_TEXT_SIZE 64

/*
 * Read "127.0.0.1:9464", "[::1]:0", "0.0.0.0:9464" or "localhost:9464".
 *
 *   text         borrowed
 *   ret_address  written on SN_OK only
 *
 * Returns SN_OK, or SN_ERR_INVALID with a sentence that says what an address looks like.
 * Threads: any. Blocks: never. Cost: no allocation, no system call.
 */
sn_status sn_address_parse(struct sn_str text, struct sn_address *ret_address,
                           struct sn_err *err) SN_MUST_USE;

/* Copy from a sockaddr; families other than IPv4 and IPv6 give a zeroed address. */
void sn_address_from_socket(const struct sockaddr *socket, struct sn_address *ret_address);

/* Bytes of the sockaddr inside, for bind and connect. */
socklen_t sn_address_socket_len(const struct sn_address *address);

/* 0 to 65535. */
uint16_t sn_address_port(const struct sn_address *address);
void sn_address_set_port(struct sn_address *address, uint16_t port);

/* Text with the port, as sn_address_parse reads it. An IPv4 address mapped into IPv6 is
 * written as IPv4; a zeroed address as "unknown". */
void sn_address_format(const struct sn_address *address, char ret_text[SN_ADDRESS_TEXT_SIZE]);

/* The same without port and brackets: for logs and for counting by address. */
void sn_address_format_host(const struct sn_address *address, char ret_text[SN_ADDRESS_TEXT_SIZE]);

/* 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104. A zeroed address is not. */
bool sn_address_is_loopback(const struct sn_address *address);

#endif
