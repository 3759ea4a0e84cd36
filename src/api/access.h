/*
 * Who may use a route: a pure decision, so that a table can test it.
 */
#ifndef SN_API_ACCESS_H
#define SN_API_ACCESS_H

#include "api/api_priv.h"

/* What is known about a request before its body is read. */
struct sn_access_facts {
    enum sn_api_access access;
    enum sn_api_ingest_access ingest_access;
    enum sn_api_role role;
    bool is_loopback;     /* the client's address */
    bool is_write;        /* a method other than GET and HEAD */
    bool is_signed_in;    /* with a session or a token that is valid */
    unsigned scopes;      /* of it: sn_account_scope */
    struct sn_str host;   /* Host header; empty: none */
    struct sn_str origin; /* Origin header; empty: none */
};

/*
 * SN_OK, or SN_ERR_DENIED with a sentence.
 *
 * Without sign-in (open access, and ingest from this machine) two things keep other people's web
 * pages out, which a visitor's browser would fetch with the visitor's reach:
 *   - Host must name this machine itself: otherwise a DNS name that points at 127.0.0.1 would make
 *     the server part of any page's own origin (DNS rebinding);
 *   - a write with an Origin must come from such a name too: browsers send simple POST requests
 *     anywhere without asking first.
 * With sign-in neither is needed: no page has the token of another.
 */
sn_status sn_access_check(const struct sn_access_facts *facts, struct sn_err *err) SN_MUST_USE;

/*
 * The secret of an Authorization header: "Bearer SECRET", or "Basic ..." with the secret as
 * password, for clients that know nothing else. Empty: another scheme, or nothing in it.
 *
 *   buf  [SN_ACCESS_SECRET_SIZE] memory for Basic; Bearer borrows from the header
 */
#define SN_ACCESS_SECRET_SIZE 192
struct sn_str sn_access_secret(struct sn_str header, char buf[SN_ACCESS_SECRET_SIZE]);

#endif
