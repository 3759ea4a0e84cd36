/*
 * Signing in, and the first administrator. See auth.h.
 */
#include "auth/auth_priv.h"

#include <stdio.h>

/* ---- failures ---- */

sn_status sn_auth_may_try(struct sn_auth *auth, struct sn_str name,
                          const struct sn_auth_actor *actor, struct sn_err *err) {
    int64_t now_ns = sn_auth_now_ns(auth);
    sn_mutex_lock(&auth->mu);
    int64_t wait_ns = sn_throttle_wait_ns(&auth->by_name, name, now_ns);
    int64_t peer_ns =
        actor->is_loopback ? 0 : sn_throttle_wait_ns(&auth->by_peer, actor->peer, now_ns);
    if (peer_ns > wait_ns)
        wait_ns = peer_ns;
    auth->stats.throttled_count += wait_ns > 0;
    sn_mutex_unlock(&auth->mu);
    if (wait_ns == 0)
        return SN_OK;
    return sn_err_set(err, SN_ERR_BUSY, "too many failed sign-ins; try again in %lld s",
                      (long long)(wait_ns / 1000000000 + 1));
}

void sn_auth_tried(struct sn_auth *auth, struct sn_str name, const struct sn_auth_actor *actor,
                   bool is_success) {
    int64_t now_ns = sn_auth_now_ns(auth);
    sn_mutex_lock(&auth->mu);
    if (is_success) {
        auth->stats.login_count++;
        /* Not the address: whoever owns one account could guess at others for ever. */
        sn_throttle_forget(&auth->by_name, name);
    } else {
        auth->stats.login_failure_count++;
        sn_throttle_fail(&auth->by_name, name, now_ns);
        if (!actor->is_loopback)
            sn_throttle_fail(&auth->by_peer, actor->peer, now_ns);
    }
    sn_mutex_unlock(&auth->mu);
}

/* ---- one of a few places for hashing ---- */

static sn_status take_place(struct sn_auth *auth, struct sn_err *err) {
    sn_mutex_lock(&auth->mu);
    bool has_place = auth->hashing_count < SN_AUTH_HASHES_MAX;
    auth->hashing_count += has_place;
    sn_mutex_unlock(&auth->mu);
    return has_place ? SN_OK
                     : sn_err_set(err, SN_ERR_BUSY,
                                  "%d sign-ins are being checked; try again in a second",
                                  SN_AUTH_HASHES_MAX);
}

static void give_place(struct sn_auth *auth) {
    sn_mutex_lock(&auth->mu);
    auth->hashing_count--;
    sn_mutex_unlock(&auth->mu);
}

sn_status sn_auth_hash(struct sn_auth *auth, struct sn_str password,
                       char ret_hash[SN_PASSWORD_HASH_SIZE], struct sn_err *err) {
    SN_TRY(take_place(auth, err));
    sn_status status = sn_password_hash(password, ret_hash, err);
    give_place(auth);
    return status;
}

/* ---- notes ---- */

sn_status sn_auth_note(struct sn_auth *auth, const struct sn_auth_actor *actor, const char *action,
                       const char *detail, struct sn_err *err) {
    const struct sn_audit_row row = {
        .time_ms = sn_auth_now_ms(auth),
        .actor = actor->name,
        .peer = actor->peer,
        .action = sn_str_from(action),
        .detail = sn_str_from(detail),
    };
    return sn_accounts_add_audit(auth->accounts, &row, err);
}

/* The name that somebody claims to have, cut to what a name can be. */
static struct sn_str claimed(struct sn_str name) {
    bool is_sane = name.len <= SN_ACCOUNT_NAME_BYTES_MAX && sn_str_is_utf8(name);
    return is_sane ? name : SN_STR("(no valid name)");
}

/* ---- sign-in ---- */

sn_status sn_auth_begin_session(struct sn_auth *auth, const struct sn_account *account,
                                struct sn_secret *ret_session, struct sn_principal *ret_principal,
                                struct sn_err *err) {
    struct sn_secret session;
    SN_TRY(sn_secret_new(SN_SECRET_SESSION, &session, err));
    int64_t now_ms = sn_auth_now_ms(auth);
    const struct sn_account_session_new row = {
        .hash = session.hash.bytes,
        .user_id = account->id,
        .now_wall_ms = now_ms,
        .expires_wall_ms = now_ms + auth->session_ms,
    };
    SN_TRY(sn_accounts_add_session(auth->accounts, &row, err));
    sn_auth_changed(auth);
    *ret_principal = (struct sn_principal){
        .user_id = account->id,
        .role = account->role,
        .scopes = sn_auth_scopes_of(account->role),
        .expires_wall_ms = row.expires_wall_ms,
        .hash = session.hash,
    };
    memcpy(ret_principal->name, account->name, sizeof ret_principal->name);
    *ret_session = session;
    return SN_OK;
}

/* Compare, count, note a failure. SN_OK: *ret_account is who it is. */
static sn_status confirm(struct sn_auth *auth, const struct sn_auth_login *login,
                         struct sn_account *ret_account, struct sn_err *err) {
    struct sn_str name = claimed(login->name);
    SN_TRY(sn_auth_may_try(auth, name, &login->actor, err));
    sn_status found = sn_accounts_find_user(auth->accounts, login->name, ret_account, err);
    if (found != SN_OK && found != SN_ERR_NOT_FOUND)
        return found;
    SN_TRY(take_place(auth, err));
    bool is_right =
        sn_password_verify(login->password, found == SN_OK ? ret_account->password_hash : NULL);
    give_place(auth);
    sn_auth_tried(auth, name, &login->actor, is_right);
    if (is_right)
        return SN_OK;
    struct sn_auth_actor actor = login->actor;
    actor.name = name;
    SN_TRY(sn_auth_note(auth, &actor, "login-failed", "", err));
    return sn_err_set(err, SN_ERR_DENIED, "the name or the password is wrong");
}

sn_status sn_auth_confirm(struct sn_auth *auth, const struct sn_auth_login *login,
                          struct sn_err *err) {
    struct sn_account account;
    return confirm(auth, login, &account, err);
}

sn_status sn_auth_login(struct sn_auth *auth, const struct sn_auth_login *login,
                        struct sn_secret *ret_session, struct sn_principal *ret_principal,
                        struct sn_err *err) {
    struct sn_account account;
    SN_TRY(confirm(auth, login, &account, err));
    struct sn_auth_actor actor = login->actor;
    actor.name = sn_str_from(account.name);
    SN_TRY(sn_auth_note(auth, &actor, "login", "", err));
    return sn_auth_begin_session(auth, &account, ret_session, ret_principal, err);
}

sn_status sn_auth_logout(struct sn_auth *auth, const struct sn_principal *principal,
                         const struct sn_auth_actor *actor, struct sn_err *err) {
    if (principal->token_id != 0)
        return sn_err_set(err, SN_ERR_INVALID,
                          "an API token does not end by signing out: revoke it");
    SN_TRY(sn_accounts_remove_session(auth->accounts, principal->hash.bytes, err));
    sn_auth_changed(auth);
    return sn_auth_note(auth, actor, "logout", "", err);
}

/* ---- the first administrator ---- */

sn_status sn_auth_new_setup_code(struct sn_auth *auth, char ret_code[SN_SETUP_CODE_TEXT_SIZE],
                                 const struct sn_auth_actor *actor, struct sn_err *err) {
    struct sn_secret_hash hash;
    SN_TRY(sn_setup_code_new(ret_code, &hash, err));
    SN_TRY(sn_auth_note(auth, actor, "setup-code", "", err));
    return sn_accounts_set_setup_code(auth->accounts, hash.bytes,
                                      sn_auth_now_ms(auth) + SN_AUTH_SETUP_MS, err);
}

static sn_status refuse_code(struct sn_auth *auth, const struct sn_auth_setup *setup,
                             struct sn_err *err) {
    sn_auth_tried(auth, SN_STR("setup"), &setup->actor, false);
    SN_TRY(sn_accounts_count_wrong_code(auth->accounts, err));
    SN_TRY(sn_auth_note(auth, &setup->actor, "setup-failed", "", err));
    return sn_err_set(err, SN_ERR_DENIED,
                      "the setup code is wrong, used or expired; `sonde admin setup-link` on the "
                      "server makes a new one");
}

static sn_status check_code(struct sn_auth *auth, const struct sn_auth_setup *setup,
                            struct sn_err *err) {
    struct sn_secret_hash given, stored;
    int64_t expires_ms = 0, wrong_count = 0;
    SN_TRY(sn_auth_may_try(auth, SN_STR("setup"), &setup->actor, err));
    sn_status status =
        sn_accounts_get_setup_code(auth->accounts, stored.bytes, &expires_ms, &wrong_count, err);
    if (status != SN_OK && status != SN_ERR_NOT_FOUND)
        return status;
    bool is_right = status == SN_OK && wrong_count < SN_AUTH_SETUP_GUESSES_MAX &&
                    expires_ms > sn_auth_now_ms(auth) && sn_setup_code_hash(setup->code, &given) &&
                    sn_secret_hash_equal(&given, &stored);
    return is_right ? SN_OK : refuse_code(auth, setup, err);
}

sn_status sn_auth_set_up(struct sn_auth *auth, const struct sn_auth_setup *setup,
                         struct sn_secret *ret_session, struct sn_principal *ret_principal,
                         struct sn_err *err) {
    SN_TRY(check_code(auth, setup, err));
    const struct sn_auth_user_new user = {
        .name = setup->name,
        .password = setup->password,
        .role = SN_ACCOUNT_ADMIN,
        .actor = setup->actor,
    };
    int64_t id = 0;
    SN_TRY(sn_auth_add_user(auth, &user, &id, err));
    SN_TRY(sn_accounts_set_setup_code(auth->accounts, NULL, 0, err)); /* spent */
    struct sn_account account;
    SN_TRY(sn_accounts_get_user(auth->accounts, id, &account, err));
    return sn_auth_begin_session(auth, &account, ret_session, ret_principal, err);
}
