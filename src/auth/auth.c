/*
 * The table of what is valid, and checking secrets against it. See auth.h.
 */
#include "auth/auth_priv.h"

#include "base/mem.h"
#include "base/rng.h"

#include <sodium/core.h>

#define NAME_WAIT_MAX_NS (INT64_C(60) * 1000000000)
#define PEER_WAIT_MAX_NS (INT64_C(900) * 1000000000)
#define STALE_MAX_NS ((int64_t)SN_AUTH_STALE_MAX_MS * 1000000)
enum { GRANTS_MAX = SN_ACCOUNTS_SESSIONS_MAX + SN_ACCOUNTS_TOKENS_MAX + 64 };

int64_t sn_auth_now_ns(const struct sn_auth *auth) {
    return sn_clock_mono_ns(auth->clock);
}

int64_t sn_auth_now_ms(const struct sn_auth *auth) {
    return sn_clock_wall_ms(auth->clock);
}

/* ---- the table ---- */

struct grant_loading {
    struct sn_account_grant *grants;
    size_t count, capacity;
    struct sn_map by_hash;
    bool has_admin;
};

static sn_status load_grant(void *ctx, const struct sn_account_grant *grant) {
    struct grant_loading *loading = ctx;
    if (loading->count == GRANTS_MAX)
        return SN_OK; /* The database holds no more than its limits; another hand wrote it. */
    if (loading->count == loading->capacity) {
        size_t capacity = loading->capacity == 0 ? 64 : loading->capacity * 2;
        void *grants = sn_realloc_array(loading->grants, capacity, sizeof *grant);
        if (grants == NULL)
            return SN_ERR_NO_MEMORY;
        loading->grants = grants;
        loading->capacity = capacity;
    }
    loading->grants[loading->count] = *grant;
    struct sn_str key = sn_str_make(grant->hash, sizeof grant->hash);
    sn_status status = sn_map_put(&loading->by_hash, key, loading->count);
    loading->count += status == SN_OK;
    return status;
}

/* What the database says now. On failure there is nothing to release. */
static sn_status read_grants(struct sn_auth *auth, struct grant_loading *loading,
                             int64_t *ret_change_count, struct sn_err *err) {
    int64_t admin_count = 0;
    /* Before the grants: a change between the two is seen next time. */
    SN_TRY(sn_accounts_change_count(auth->accounts, ret_change_count, err));
    SN_TRY(sn_accounts_count_admins(auth->accounts, &admin_count, err));
    loading->has_admin = admin_count > 0;
    sn_map_init(&loading->by_hash, GRANTS_MAX, sn_rng_system_seed());
    sn_status status =
        sn_accounts_each_grant(auth->accounts, sn_auth_now_ms(auth), load_grant, loading, err);
    if (status != SN_OK) {
        sn_map_release(&loading->by_hash);
        sn_free(loading->grants);
    }
    return status;
}

static void install_locked(struct sn_auth *auth, const struct grant_loading *loading)
    SN_REQUIRES(&auth->mu);
static void install_locked(struct sn_auth *auth, const struct grant_loading *loading) {
    sn_map_release(&auth->by_hash);
    sn_free(auth->grants);
    auth->by_hash = loading->by_hash;
    auth->grants = loading->grants;
    auth->grant_count = loading->count;
    auth->has_admin = loading->has_admin;
    auth->is_known = true;
}

/* Replace the table by what the database says now. On failure the old one stays. */
static sn_status load(struct sn_auth *auth, uint64_t changed_count, struct sn_err *err)
    SN_REQUIRES(&auth->load_mu);
static sn_status load(struct sn_auth *auth, uint64_t changed_count, struct sn_err *err) {
    struct grant_loading loading = {0};
    int64_t change_count = 0;
    SN_TRY(read_grants(auth, &loading, &change_count, err));
    auth->change_count = change_count;
    sn_mutex_lock(&auth->mu);
    install_locked(auth, &loading);
    auth->loaded_count = changed_count;
    sn_mutex_unlock(&auth->mu);
    return SN_OK;
}

/* Load when there is something new. */
static sn_status refresh(struct sn_auth *auth, struct sn_err *err) SN_REQUIRES(&auth->load_mu);
static sn_status refresh(struct sn_auth *auth, struct sn_err *err) {
    int64_t change_count = 0;
    sn_mutex_lock(&auth->mu);
    uint64_t changed_count =
        auth->changed_count; /* what changes from here on is for the next time */
    bool is_stale = !auth->is_known || changed_count != auth->loaded_count;
    sn_mutex_unlock(&auth->mu);
    if (is_stale)
        return load(auth, changed_count, err);
    SN_TRY(sn_accounts_change_count(auth->accounts, &change_count, err));
    return change_count == auth->change_count ? SN_OK : load(auth, changed_count, err);
}

sn_status sn_auth_refresh(struct sn_auth *auth, struct sn_err *err) {
    struct sn_err why = {.status = SN_OK};
    sn_mutex_lock(&auth->load_mu);
    sn_status status = refresh(auth, &why);
    sn_mutex_unlock(&auth->load_mu);
    sn_mutex_lock(&auth->mu);
    if (status == SN_OK)
        auth->looked_ns = sn_auth_now_ns(auth);
    else if (!auth->is_known)
        auth->unknown = why;
    sn_mutex_unlock(&auth->mu);
    if (status != SN_OK && err != NULL)
        *err = why;
    return status;
}

/* Before an answer. At most once a second another process's changes are looked for; remote accounts are
 * not asked here, since the thread may not wait for a network. */
static sn_status be_fresh(struct sn_auth *auth, struct sn_err *err) {
    if (auth->is_remote)
        return SN_OK;
    sn_mutex_lock(&auth->mu);
    bool is_due = auth->changed_count != auth->loaded_count ||
                  sn_auth_now_ns(auth) - auth->looked_ns >= STALE_MAX_NS;
    sn_mutex_unlock(&auth->mu);
    return is_due ? sn_auth_refresh(auth, err) : SN_OK;
}

void sn_auth_changed(struct sn_auth *auth) {
    sn_mutex_lock(&auth->mu);
    auth->changed_count++;
    sn_mutex_unlock(&auth->mu);
    if (auth->is_remote)
        (void)!sn_auth_refresh(auth, NULL); /* the next refresh makes up for a failure */
}

bool sn_auth_is_known(struct sn_auth *auth) {
    sn_mutex_lock(&auth->mu);
    bool is_known = auth->is_known;
    sn_mutex_unlock(&auth->mu);
    return is_known;
}

/* ---- life ---- */

/* A database that is away now, and may be there later. */
static bool is_away(const struct sn_auth *auth, sn_status status) {
    return auth->is_remote &&
           (status == SN_ERR_IO || status == SN_ERR_TIMEOUT || status == SN_ERR_BUSY);
}

sn_status sn_auth_open(const struct sn_auth_options *options, struct sn_auth **ret_auth,
                       struct sn_err *err) {
    if (sodium_init() < 0) /* 1: already done, which is fine */
        return sn_err_set(err, SN_ERR_IO, "libsodium cannot start: no entropy");
    struct sn_auth *auth = sn_alloc_zero(1, sizeof *auth);
    if (auth == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for sign-in");
    auth->accounts = options->accounts;
    auth->is_remote = sn_accounts_are_remote(options->accounts);
    auth->clock = options->clock != NULL ? options->clock : sn_clock_system();
    auth->session_ms = options->session_ms > 0 ? options->session_ms : SN_AUTH_SESSION_MS_DEFAULT;
    sn_mutex_init(&auth->load_mu, SN_RANK_AUTH_LOAD, "auth-load");
    sn_mutex_init(&auth->mu, SN_RANK_AUTH, "auth");
    sn_map_init(&auth->by_hash, GRANTS_MAX, sn_rng_system_seed());
    sn_throttle_init(&auth->by_name, sn_rng_system_seed(), NAME_WAIT_MAX_NS);
    sn_throttle_init(&auth->by_peer, sn_rng_system_seed(), PEER_WAIT_MAX_NS);
    sn_status status = sn_auth_refresh(auth, err);
    if (status != SN_OK && !is_away(auth, status)) {
        (void)sn_auth_close(auth); /* NULL, always */
        return status;
    }
    *ret_auth = auth;
    return SN_OK;
}

struct sn_auth *sn_auth_close(struct sn_auth *auth) {
    if (auth == NULL)
        return NULL;
    sn_map_release(&auth->by_hash);
    sn_free(auth->grants);
    sn_mutex_release(&auth->mu);
    sn_mutex_release(&auth->load_mu);
    sn_free(auth);
    return NULL;
}

struct sn_accounts *sn_auth_accounts(const struct sn_auth *auth) {
    return auth->accounts;
}

/* ---- checking ---- */

unsigned sn_auth_scopes_of(enum sn_account_role role) {
    switch (role) {
    case SN_ACCOUNT_USER:
        return SN_SCOPE_READ | SN_SCOPE_INGEST;
    case SN_ACCOUNT_ADMIN:
        return SN_SCOPE_READ | SN_SCOPE_INGEST | SN_SCOPE_ADMIN;
    }
    return 0;
}

static void fill_principal(const struct sn_account_grant *grant, struct sn_principal *principal) {
    *principal = (struct sn_principal){
        .user_id = grant->user_id,
        .token_id = grant->token_id,
        .role = grant->role,
        .scopes = sn_auth_scopes_of(grant->role),
        .expires_wall_ms = grant->expires_wall_ms,
    };
    if (grant->token_id != 0)
        principal->scopes &=
            grant->scopes; /* A user who is no admin any more: nor are the tokens. */
    memcpy(principal->name, grant->user_name, sizeof principal->name);
    memcpy(principal->hash.bytes, grant->hash, sizeof principal->hash.bytes);
}

static sn_status look_up_locked(struct sn_auth *auth, const struct sn_secret_hash *hash,
                                struct sn_principal *ret_principal, struct sn_err *err)
    SN_REQUIRES(&auth->mu);
static sn_status look_up_locked(struct sn_auth *auth, const struct sn_secret_hash *hash,
                                struct sn_principal *ret_principal, struct sn_err *err) {
    uint64_t at = 0;
    if (!auth->is_known)
        return sn_err_set(err, auth->unknown.status, "it is not known yet who may do what: %s",
                          auth->unknown.text);
    if (sn_map_get(&auth->by_hash, sn_str_make(hash->bytes, sizeof hash->bytes), &at)) {
        const struct sn_account_grant *grant = &auth->grants[at];
        if (grant->expires_wall_ms == 0 || grant->expires_wall_ms > sn_auth_now_ms(auth)) {
            fill_principal(grant, ret_principal);
            return SN_OK;
        }
    }
    auth->stats.denied_count++;
    return sn_err_set(err, SN_ERR_DENIED, "the token is unknown, expired or revoked");
}

sn_status sn_auth_check(struct sn_auth *auth, struct sn_str secret,
                        struct sn_principal *ret_principal, struct sn_err *err) {
    /* Of what is none of ours the hash of nothing is looked for: counted and answered the same. */
    struct sn_secret_hash hash = {{0}};
    (void)sn_secret_hash(secret, &hash);
    SN_TRY(be_fresh(auth, err));
    sn_mutex_lock(&auth->mu);
    sn_status status = look_up_locked(auth, &hash, ret_principal, err);
    sn_mutex_unlock(&auth->mu);
    return status;
}

bool sn_auth_has_admin(struct sn_auth *auth) {
    (void)be_fresh(auth, NULL); /* A failing database leaves what was known. */
    sn_mutex_lock(&auth->mu);
    bool has_admin = auth->has_admin || !auth->is_known;
    sn_mutex_unlock(&auth->mu);
    return has_admin;
}

void sn_auth_stats(struct sn_auth *auth, struct sn_auth_stats *ret_stats) {
    sn_mutex_lock(&auth->mu);
    *ret_stats = auth->stats;
    sn_mutex_unlock(&auth->mu);
}
