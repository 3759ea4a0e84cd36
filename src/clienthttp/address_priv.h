/*
 * "127.0.0.1:9465" and "[::1]:9465" as socket addresses.
 */
#ifndef SN_CLIENTHTTP_ADDRESS_PRIV_H
#define SN_CLIENTHTTP_ADDRESS_PRIV_H

#include "base/status.h"

#include <netinet/in.h>
#include <sys/socket.h>

union sn_exporter_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* SN_OK, SN_ERR_INVALID with a sentence. Names are not looked up. */
sn_status sn_exporter_address_parse(const char *text, union sn_exporter_address *ret_address,
                                    struct sn_err *err) SN_MUST_USE;

/* Bytes of the address for the kernel. */
static inline socklen_t sn_exporter_address_len(const union sn_exporter_address *address) {
    return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

#endif
