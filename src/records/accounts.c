/*
 * Accounts over either database: names and limits are checked here, refusals worded, and one thread
 * at a time let through. See accounts.h.
 */
#include "records/accounts_priv.h"

enum { AUDIT_TEXT_BYTES_MAX = 1024 };

/* ---- what the files share ---- */

struct sn_accounts *sn_accounts_new(const struct sn_accounts_ops *ops, struct sn_err *err) {
    struct sn_accounts *accounts = sn_alloc_zero(1, sizeof *accounts);
    if (accounts == NULL) {
        (void)sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the accounts"); /* NULL says it */
        return NULL;
    }
    sn_mutex_init(&accounts->mu, SN_RANK_ACCOUNTS, "accounts");
    accounts->ops = ops;
    return accounts;
}

struct sn_accounts *sn_accounts_close(struct sn_accounts *accounts) {
    if (accounts == NULL)
        return NULL;
    accounts->ops->close(accounts);
    sn_mutex_release(&accounts->mu);
    sn_free(accounts);
    return NULL;
}

void sn_account_copy_text(struct sn_str text, char *ret_text, size_t size) {
    size_t len = text.len < size ? text.len : size - 1;
    if (len > 0)
        memcpy(ret_text, text.ptr, len);
    ret_text[len] = '\0';
}

sn_status sn_account_copy_hash(struct sn_str bytes, uint8_t ret_hash[SN_ACCOUNT_HASH_BYTES],
                               struct sn_err *err) {
    if (bytes.len != SN_ACCOUNT_HASH_BYTES)
        return sn_err_set(err, SN_ERR_CORRUPT, "the stored setup code has %zu bytes, not %d",
                          bytes.len, SN_ACCOUNT_HASH_BYTES);
    memcpy(ret_hash, bytes.ptr, bytes.len);
    return SN_OK;
}

bool sn_accounts_are_remote(const struct sn_accounts *accounts) {
    return accounts->ops->is_remote;
}

sn_status sn_accounts_change_count(struct sn_accounts *accounts, int64_t *ret_count,
                                   struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->change_count(accounts, ret_count, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

/* SN_ERR_INVALID: for names of users and tokens. */
static sn_status check_name(struct sn_str name, const char *what, struct sn_err *err) {
    if (name.len == 0 || name.len > SN_ACCOUNT_NAME_BYTES_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "the name of the %s has %zu bytes, it needs 1 to %d",
                          what, name.len, SN_ACCOUNT_NAME_BYTES_MAX);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '@' || c == '-';
        if (!is_fine)
            return sn_err_set(err, SN_ERR_INVALID,
                              "the name of the %s has a character at %zu that is not a letter, a "
                              "digit or one of . _ @ -",
                              what, i);
    }
    return SN_OK;
}

/* ---- users ---- */

sn_status sn_accounts_add_user(struct sn_accounts *accounts, const struct sn_account_new *account,
                               int64_t *ret_id, struct sn_err *err) {
    SN_TRY(check_name(account->name, "user", err));
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->add_user(accounts, account, ret_id, err);
    sn_mutex_unlock(&accounts->mu);
    if (status == SN_ERR_EXISTS)
        return sn_err_set(err, status, "there is a user \"%.*s\" already",
                          SN_STR_ARG(account->name));
    if (status == SN_ERR_LIMIT)
        return sn_err_set(err, status, "there are %d users already, the limit",
                          SN_ACCOUNTS_USERS_MAX);
    return status;
}

sn_status sn_accounts_find_user(struct sn_accounts *accounts, struct sn_str name,
                                struct sn_account *ret_account, struct sn_err *err) {
    sn_status status = SN_ERR_NOT_FOUND;
    if (check_name(name, "user", NULL) == SN_OK) { /* else nobody is called so */
        sn_mutex_lock(&accounts->mu);
        status = accounts->ops->find_user(accounts, name, ret_account, err);
        sn_mutex_unlock(&accounts->mu);
    }
    if (status == SN_ERR_NOT_FOUND)
        return sn_err_set(err, status, "there is no user \"%.*s\"",
                          (int)(name.len < 80 ? name.len : 80), name.ptr != NULL ? name.ptr : "");
    return status;
}

static sn_status no_user(int64_t id, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no user %lld", (long long)id);
}

sn_status sn_accounts_get_user(struct sn_accounts *accounts, int64_t id,
                               struct sn_account *ret_account, struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->get_user(accounts, id, ret_account, err);
    sn_mutex_unlock(&accounts->mu);
    return status == SN_ERR_NOT_FOUND ? no_user(id, err) : status;
}

sn_status sn_accounts_list_users(struct sn_accounts *accounts, struct sn_arena *arena,
                                 struct sn_account_list *ret_list, struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->list_users(accounts, arena, ret_list, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

sn_status sn_accounts_count_admins(struct sn_accounts *accounts, int64_t *ret_count,
                                   struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->count_admins(accounts, ret_count, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

static sn_status change_user(struct sn_accounts *accounts, const struct sn_account_change *change,
                             struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->change_user(accounts, change, err);
    sn_mutex_unlock(&accounts->mu);
    if (status == SN_ERR_INVALID)
        return sn_err_set(err, status, "this is the only administrator; make another one first");
    return status == SN_ERR_NOT_FOUND ? no_user(change->id, err) : status;
}

sn_status sn_accounts_set_password(struct sn_accounts *accounts, int64_t id,
                                   const char *password_hash, struct sn_err *err) {
    const struct sn_account_change change = {.id = id, .password_hash = password_hash};
    return change_user(accounts, &change, err);
}

sn_status sn_accounts_set_role(struct sn_accounts *accounts, int64_t id, enum sn_account_role role,
                               struct sn_err *err) {
    const struct sn_account_change change = {.id = id, .role = role};
    return change_user(accounts, &change, err);
}

sn_status sn_accounts_remove_user(struct sn_accounts *accounts, int64_t id, struct sn_err *err) {
    const struct sn_account_change change = {.id = id, .is_removal = true};
    return change_user(accounts, &change, err);
}

/* ---- sessions and tokens ---- */

sn_status sn_accounts_add_session(struct sn_accounts *accounts,
                                  const struct sn_account_session_new *session,
                                  struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->add_session(accounts, session, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

sn_status sn_accounts_remove_session(struct sn_accounts *accounts, const uint8_t *hash,
                                     struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->remove_session(accounts, hash, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

sn_status sn_accounts_add_token(struct sn_accounts *accounts,
                                const struct sn_account_token_new *token, int64_t *ret_id,
                                struct sn_err *err) {
    SN_TRY(check_name(token->name, "token", err));
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->add_token(accounts, token, ret_id, err);
    sn_mutex_unlock(&accounts->mu);
    if (status == SN_ERR_LIMIT)
        return sn_err_set(err, status, "there are %d tokens already, the limit; revoke some",
                          SN_ACCOUNTS_TOKENS_MAX);
    return status;
}

sn_status sn_accounts_list_tokens(struct sn_accounts *accounts, struct sn_arena *arena,
                                  struct sn_account_token_list *ret_list, struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->list_tokens(accounts, arena, ret_list, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

sn_status sn_accounts_remove_token(struct sn_accounts *accounts, int64_t id, struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->remove_token(accounts, id, err);
    sn_mutex_unlock(&accounts->mu);
    if (status == SN_ERR_NOT_FOUND)
        return sn_err_set(err, status, "there is no token %lld", (long long)id);
    return status;
}

sn_status sn_accounts_each_grant(struct sn_accounts *accounts, int64_t now_wall_ms,
                                 sn_status (*visit)(void *ctx,
                                                    const struct sn_account_grant *grant),
                                 void *ctx, struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->each_grant(accounts, now_wall_ms, visit, ctx, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

/* ---- setup code ---- */

sn_status sn_accounts_set_setup_code(struct sn_accounts *accounts, const uint8_t *hash,
                                     int64_t expires_wall_ms, struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->set_setup_code(accounts, hash, expires_wall_ms, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

sn_status sn_accounts_get_setup_code(struct sn_accounts *accounts,
                                     uint8_t ret_hash[SN_ACCOUNT_HASH_BYTES],
                                     int64_t *ret_expires_wall_ms, int64_t *ret_wrong_count,
                                     struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->get_setup_code(accounts, ret_hash, ret_expires_wall_ms,
                                                     ret_wrong_count, err);
    sn_mutex_unlock(&accounts->mu);
    if (status == SN_ERR_NOT_FOUND)
        return sn_err_set(err, status, "there is no setup code");
    return status;
}

sn_status sn_accounts_count_wrong_code(struct sn_accounts *accounts, struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->count_wrong_code(accounts, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

/* ---- audit log ---- */

/* At most that many bytes, and no half character at the end where there are whole ones. */
static struct sn_str cut(struct sn_str text) {
    if (text.len <= AUDIT_TEXT_BYTES_MAX)
        return text;
    size_t len = AUDIT_TEXT_BYTES_MAX;
    for (size_t i = 0; i < 3 && ((uint8_t)text.ptr[len] & 0xc0) == 0x80; i++)
        len--;
    return sn_str_make(text.ptr, len);
}

sn_status sn_accounts_add_audit(struct sn_accounts *accounts, const struct sn_audit_row *row,
                                struct sn_err *err) {
    const struct sn_audit_row short_row = {
        .time_ms = row->time_ms,
        .actor = cut(row->actor),
        .peer = cut(row->peer),
        .action = cut(row->action),
        .detail = cut(row->detail),
    };
    sn_mutex_lock(&accounts->mu);
    sn_status status = accounts->ops->add_audit(accounts, &short_row, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

sn_status sn_accounts_list_audit(struct sn_accounts *accounts, int64_t before_id, size_t count_max,
                                 struct sn_arena *arena, struct sn_audit_list *ret_list,
                                 struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status =
        accounts->ops->list_audit(accounts, before_id, count_max, arena, ret_list, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}
