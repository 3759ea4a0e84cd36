/*
 * Users and tokens, as administrators change them. See auth.h.
 */
#include "auth/auth_priv.h"

#include <stdio.h>

enum { DETAIL_SIZE = 192, HINT_BYTES = 8 };

const char *sn_role_name(enum sn_account_role role) {
    switch (role) {
    case SN_ACCOUNT_USER:
        return "user";
    case SN_ACCOUNT_ADMIN:
        return "admin";
    }
    return "none";
}

sn_status sn_role_parse(struct sn_str text, enum sn_account_role *ret_role, struct sn_err *err) {
    for (int role = SN_ACCOUNT_USER; role <= SN_ACCOUNT_ADMIN; role++)
        if (sn_str_equal(text, sn_str_from(sn_role_name((enum sn_account_role)role)))) {
            *ret_role = (enum sn_account_role)role;
            return SN_OK;
        }
    return sn_err_set(err, SN_ERR_INVALID, "the role \"%.*s\" is neither \"user\" nor \"admin\"",
                      (int)(text.len < 40 ? text.len : 40), text.ptr != NULL ? text.ptr : "");
}

sn_status sn_scopes_parse(struct sn_str text, unsigned *ret_scopes, struct sn_err *err) {
    static const struct {
        struct sn_str name;
        unsigned scope;
    } words[] = {{SN_STR("ingest"), SN_SCOPE_INGEST},
                 {SN_STR("read"), SN_SCOPE_READ},
                 {SN_STR("admin"), SN_SCOPE_ADMIN}};
    unsigned scopes = 0;
    for (bool has_more = true; has_more;) {
        struct sn_str word;
        has_more = sn_str_cut(text, ',', &word, &text);
        word = sn_str_trim(word);
        unsigned scope = 0;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (sn_str_equal(word, words[i].name))
                scope = words[i].scope;
        if (scope == 0)
            return sn_err_set(err, SN_ERR_INVALID,
                              "the scope \"%.*s\" is none of \"ingest\", \"read\", \"admin\"",
                              (int)(word.len < 40 ? word.len : 40), word.ptr ? word.ptr : "");
        scopes |= scope;
    }
    *ret_scopes = scopes;
    return SN_OK;
}

/* ---- users ---- */

sn_status sn_auth_add_user(struct sn_auth *auth, const struct sn_auth_user_new *user,
                           int64_t *ret_id, struct sn_err *err) {
    char hash[SN_PASSWORD_HASH_SIZE];
    char detail[DETAIL_SIZE];
    SN_TRY(sn_password_check(user->password, user->name, err));
    SN_TRY(sn_auth_hash(auth, user->password, hash, err));
    const struct sn_account_new row = {
        .name = user->name,
        .role = user->role,
        .password_hash = hash,
        .now_wall_ms = sn_auth_now_ms(auth),
    };
    SN_TRY(sn_accounts_add_user(auth->accounts, &row, ret_id, err));
    sn_auth_changed(auth);
    (void)snprintf(detail, sizeof detail, "%.*s as %s", SN_STR_ARG(user->name),
                   sn_role_name(user->role)); /* a name that was taken fits */
    return sn_auth_note(auth, &user->actor, "user-add", detail, err);
}

/* Note a change of a user who may be gone by now, by name. */
static sn_status note_user(struct sn_auth *auth, const struct sn_account *account,
                           const struct sn_auth_actor *actor, const char *action,
                           struct sn_err *err) {
    sn_auth_changed(auth);
    return sn_auth_note(auth, actor, action, account->name, err);
}

sn_status sn_auth_set_password(struct sn_auth *auth, int64_t user_id, struct sn_str password,
                               const struct sn_auth_actor *actor, struct sn_err *err) {
    char hash[SN_PASSWORD_HASH_SIZE];
    struct sn_account account;
    SN_TRY(sn_accounts_get_user(auth->accounts, user_id, &account, err));
    SN_TRY(sn_password_check(password, sn_str_from(account.name), err));
    SN_TRY(sn_auth_hash(auth, password, hash, err));
    SN_TRY(sn_accounts_set_password(auth->accounts, user_id, hash, err));
    return note_user(auth, &account, actor, "user-password", err);
}

sn_status sn_auth_set_role(struct sn_auth *auth, int64_t user_id, enum sn_account_role role,
                           const struct sn_auth_actor *actor, struct sn_err *err) {
    struct sn_account account;
    SN_TRY(sn_accounts_get_user(auth->accounts, user_id, &account, err));
    SN_TRY(sn_accounts_set_role(auth->accounts, user_id, role, err));
    return note_user(auth, &account, actor,
                     role == SN_ACCOUNT_ADMIN ? "user-role-admin" : "user-role-user", err);
}

sn_status sn_auth_remove_user(struct sn_auth *auth, int64_t user_id,
                              const struct sn_auth_actor *actor, struct sn_err *err) {
    struct sn_account account;
    SN_TRY(sn_accounts_get_user(auth->accounts, user_id, &account, err));
    SN_TRY(sn_accounts_remove_user(auth->accounts, user_id, err));
    return note_user(auth, &account, actor, "user-remove", err);
}

/* ---- tokens ---- */

static sn_status check_token(const struct sn_auth *auth, const struct sn_auth_token_new *token,
                             struct sn_err *err) {
    struct sn_account account;
    SN_TRY(sn_accounts_get_user(auth->accounts, token->user_id, &account, err));
    unsigned allowed = sn_auth_scopes_of(account.role);
    if (token->scopes == 0 || (token->scopes & ~allowed) != 0)
        return sn_err_set(err, SN_ERR_INVALID,
                          "a token of %s needs a scope, and not more than the user may do",
                          account.name);
    if (token->expires_wall_ms != 0 && token->expires_wall_ms <= sn_auth_now_ms(auth))
        return sn_err_set(err, SN_ERR_INVALID, "the token would be expired already");
    return SN_OK;
}

sn_status sn_auth_add_token(struct sn_auth *auth, const struct sn_auth_token_new *token,
                            struct sn_secret *ret_secret, int64_t *ret_id, struct sn_err *err) {
    struct sn_secret secret;
    char detail[DETAIL_SIZE];
    SN_TRY(check_token(auth, token, err));
    SN_TRY(sn_secret_new(SN_SECRET_TOKEN, &secret, err));
    const struct sn_account_token_new row = {
        .hash = secret.hash.bytes,
        .user_id = token->user_id,
        .name = token->name,
        .hint = sn_str_make(secret.text, HINT_BYTES),
        .scopes = token->scopes,
        .now_wall_ms = sn_auth_now_ms(auth),
        .expires_wall_ms = token->expires_wall_ms,
    };
    SN_TRY(sn_accounts_add_token(auth->accounts, &row, ret_id, err));
    sn_auth_changed(auth);
    *ret_secret = secret;
    (void)snprintf(detail, sizeof detail, "%lld %.*s", (long long)*ret_id,
                   SN_STR_ARG(token->name)); /* a name that was taken fits */
    return sn_auth_note(auth, &token->actor, "token-add", detail, err);
}

sn_status sn_auth_remove_token(struct sn_auth *auth, int64_t token_id,
                               const struct sn_auth_actor *actor, struct sn_err *err) {
    char detail[DETAIL_SIZE];
    SN_TRY(sn_accounts_remove_token(auth->accounts, token_id, err));
    sn_auth_changed(auth);
    (void)snprintf(detail, sizeof detail, "%lld", (long long)token_id); /* fits */
    return sn_auth_note(auth, actor, "token-remove", detail, err);
}
