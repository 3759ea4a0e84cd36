/*
 * Who may use a route: a pure decision, so that a table can test it.
 */
#ifndef SN_API_ACCESS_H
#define SN_API_ACCESS_H

#include "api/api_priv.h"

/* What is known about a request before its body is read. */
struct sn_access_facts {
    enum sn_api_access access;
    enum sn_api_role role;
    bool is_loopback;   /* the client's address */
    struct sn_str host; /* Host header; empty: none */
};

/*
 * SN_OK, or SN_ERR_DENIED with a sentence.
 *
 * Open access answers only when Host names this machine itself (localhost or a loopback address):
 * otherwise any web page could read the server through a visitor's browser by pointing a DNS name
 * at 127.0.0.1 (DNS rebinding).
 */
sn_status sn_access_check(const struct sn_access_facts *facts, struct sn_err *err) SN_MUST_USE;

#endif
