/*
 * What the files of `auth` share.
 */
#ifndef SN_AUTH_AUTH_PRIV_H
#define SN_AUTH_AUTH_PRIV_H

#include "auth/auth.h"
#include "auth/password.h"
#include "auth/throttle.h"
#include "base/lock.h"
#include "base/map.h"

struct sn_auth {
    struct sn_accounts *accounts;
    const struct sn_clock *clock;
    int64_t session_ms;
    bool is_remote; /* the accounts are: only sn_auth_refresh reads them */

    struct sn_mutex load_mu; /* one at a time reads the grants; guards change_count */
    int64_t change_count;    /* of the accounts when the grants were read */

    struct sn_mutex mu;              /* guards what follows */
    struct sn_account_grant *grants; /* [grant_count] */
    size_t grant_count, grant_capacity;
    struct sn_map by_hash;  /* hash -> index into grants */
    bool is_known;          /* the grants were read at least once */
    bool has_admin;         /* as is_known: false before */
    struct sn_err unknown;  /* while they are not known: why */
    int64_t looked_ns;      /* when the accounts were last asked for news */
    uint64_t changed_count; /* changes of ours */
    uint64_t loaded_count;  /* those that the grants have; fewer: read before the next answer */
    unsigned hashing_count;
    struct sn_throttle by_name;
    struct sn_throttle by_peer; /* never loopback: behind a proxy everybody has that address */
    struct sn_auth_stats stats;
};

/* Monotonic nanoseconds, wall milliseconds. */
int64_t sn_auth_now_ns(const struct sn_auth *auth);
int64_t sn_auth_now_ms(const struct sn_auth *auth);

/* A change was made: the next answer counts it. From threads that may wait: remote accounts are read
 * here. */
void sn_auth_changed(struct sn_auth *auth);

/* Write a row of the audit log. */
sn_status sn_auth_note(struct sn_auth *auth, const struct sn_auth_actor *actor, const char *action,
                       const char *detail, struct sn_err *err) SN_MUST_USE;

/* Hash a new password, when there is room for one more at this moment: SN_ERR_BUSY. */
sn_status sn_auth_hash(struct sn_auth *auth, struct sn_str password,
                       char ret_hash[SN_PASSWORD_HASH_SIZE], struct sn_err *err) SN_MUST_USE;

/* Make a session of a user and fill both results. */
sn_status sn_auth_begin_session(struct sn_auth *auth, const struct sn_account *account,
                                struct sn_secret *ret_session, struct sn_principal *ret_principal,
                                struct sn_err *err) SN_MUST_USE;

/* Failures so far: SN_ERR_BUSY with the seconds to wait. */
sn_status sn_auth_may_try(struct sn_auth *auth, struct sn_str name,
                          const struct sn_auth_actor *actor, struct sn_err *err) SN_MUST_USE;
/* Count a failure, or forget them. */
void sn_auth_tried(struct sn_auth *auth, struct sn_str name, const struct sn_auth_actor *actor,
                   bool is_success);

/* What a role may do at most. */
unsigned sn_auth_scopes_of(enum sn_account_role role);

#endif
