/*
 * Accounts over HTTP, for administrators.
 *
 *   GET, POST      /api/v1/admin/users        {"name","password","role"}
 *   PATCH, DELETE  /api/v1/admin/users/{id}   {"role"} or {"password"} or both
 *   GET, POST      /api/v1/admin/tokens       {"name","scopes":"ingest,read","expires"?,"user"?}:
 *                                             the secret is in the answer, and never again
 *   DELETE         /api/v1/admin/tokens/{id}
 *   GET            /api/v1/admin/audit        newest first; limit 1 to 1000 [100], before=ID
 */
#include "api/account_priv.h"

#include "codec/timetext.h"

enum { AUDIT_DEFAULT = 100, AUDIT_MAX = 1000 };

/* What every handler needs first. */
struct admin {
    struct sn_auth *auth;
    struct sn_principal principal;
    struct sn_auth_actor actor;
};

static sn_status open_admin(struct sn_api *api, struct sn_http_request *request,
                            struct admin *ret_admin, struct sn_err *err) {
    if (api->options.auth == NULL)
        return sn_err_set(err, SN_ERR_UNSUPPORTED, "this server has no accounts");
    ret_admin->auth = api->options.auth;
    SN_TRY(sn_api_principal(api, request, &ret_admin->principal, err));
    ret_admin->actor = sn_api_account_actor(request, sn_str_from(ret_admin->principal.name));
    return SN_OK;
}

static bool is_method(const struct sn_http_request *request, enum sn_http_method method) {
    return sn_http_request_method(request) == method;
}

/* ---- users ---- */

static void write_user(struct sn_json_writer *json, const struct sn_account *account) {
    sn_json_write_object_begin(json);
    sn_json_write_key_int64(json, SN_STR("id"), account->id);
    sn_json_write_key_string(json, SN_STR("name"), sn_str_from(account->name));
    sn_json_write_key_string(json, SN_STR("role"), sn_str_from(sn_role_name(account->role)));
    sn_api_write_key_wall(json, SN_STR("created"), account->created_wall_ms);
    sn_api_write_key_wall(json, SN_STR("last_login"), account->last_login_wall_ms);
    sn_json_write_object_end(json);
}

static sn_status list_users(struct admin *admin, struct sn_http_request *request,
                            struct sn_err *err) {
    struct sn_account_list list;
    struct sn_buf buf;
    struct sn_json_writer json;
    SN_TRY(sn_accounts_list_users(sn_auth_accounts(admin->auth), sn_http_request_arena(request),
                                  &list, err));
    sn_api_account_begin(&json, &buf);
    sn_json_write_array_begin(&json);
    for (size_t i = 0; i < list.count; i++)
        write_user(&json, &list.items[i]);
    sn_json_write_array_end(&json);
    sn_api_account_end(request, &json, &buf);
    return SN_OK;
}

static sn_status respond_user(struct admin *admin, struct sn_http_request *request, int64_t id,
                              struct sn_err *err) {
    struct sn_account account;
    struct sn_buf buf;
    struct sn_json_writer json;
    SN_TRY(sn_accounts_get_user(sn_auth_accounts(admin->auth), id, &account, err));
    sn_api_account_begin(&json, &buf);
    write_user(&json, &account);
    sn_api_account_end(request, &json, &buf);
    return SN_OK;
}

static sn_status add_user(struct admin *admin, struct sn_http_request *request,
                          struct sn_err *err) {
    struct sn_auth_user_new user = {.actor = admin->actor};
    struct sn_str role = {NULL, 0};
    const struct sn_api_field fields[] = {{SN_STR("name"), &user.name, false},
                                          {SN_STR("password"), &user.password, false},
                                          {SN_STR("role"), &role, false}};
    int64_t id = 0;
    SN_TRY(sn_api_account_read(request, fields, 3, err));
    SN_TRY(sn_role_parse(role, &user.role, err));
    SN_TRY(sn_auth_add_user(admin->auth, &user, &id, err));
    return respond_user(admin, request, id, err);
}

static sn_status change_user(struct admin *admin, struct sn_http_request *request, int64_t id,
                             struct sn_err *err) {
    struct sn_str role = {NULL, 0}, password = {NULL, 0};
    enum sn_account_role new_role = SN_ACCOUNT_USER;
    const struct sn_api_field fields[] = {{SN_STR("role"), &role, true},
                                          {SN_STR("password"), &password, true}};
    SN_TRY(sn_api_account_read(request, fields, 2, err));
    if (role.ptr == NULL && password.ptr == NULL)
        return sn_err_set(err, SN_ERR_INVALID, "nothing to change: neither role nor password");
    if (role.ptr != NULL)
        SN_TRY(sn_role_parse(role, &new_role, err));
    if (password.ptr != NULL)
        SN_TRY(sn_auth_set_password(admin->auth, id, password, &admin->actor, err));
    if (role.ptr != NULL)
        SN_TRY(sn_auth_set_role(admin->auth, id, new_role, &admin->actor, err));
    return respond_user(admin, request, id, err);
}

void sn_api_admin_users(struct sn_api *api, struct sn_http_request *request) {
    struct admin admin;
    struct sn_err err = {0};
    sn_status status = open_admin(api, request, &admin, &err);
    if (status == SN_OK)
        status = is_method(request, SN_HTTP_POST) ? add_user(&admin, request, &err)
                                                  : list_users(&admin, request, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
}

static sn_status user(struct sn_api *api, struct sn_http_request *request, struct sn_err *err) {
    struct admin admin;
    int64_t id = 0;
    SN_TRY(open_admin(api, request, &admin, err));
    SN_TRY(sn_api_path_id(request, 5, &id, err));
    if (is_method(request, SN_HTTP_PATCH))
        return change_user(&admin, request, id, err);
    SN_TRY(sn_auth_remove_user(admin.auth, id, &admin.actor, err));
    sn_api_account_done(request);
    return SN_OK;
}

void sn_api_admin_user(struct sn_api *api, struct sn_http_request *request) {
    struct sn_err err = {0};
    sn_status status = user(api, request, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
}

/* ---- tokens ---- */

static sn_status list_tokens(struct admin *admin, struct sn_http_request *request,
                             struct sn_err *err) {
    struct sn_account_token_list list;
    struct sn_buf buf;
    struct sn_json_writer json;
    SN_TRY(sn_accounts_list_tokens(sn_auth_accounts(admin->auth), sn_http_request_arena(request),
                                   &list, err));
    sn_api_account_begin(&json, &buf);
    sn_json_write_array_begin(&json);
    for (size_t i = 0; i < list.count; i++) {
        const struct sn_account_token *token = &list.items[i];
        sn_json_write_object_begin(&json);
        sn_json_write_key_int64(&json, SN_STR("id"), token->id);
        sn_json_write_key_string(&json, SN_STR("name"), token->name);
        sn_json_write_key_string(&json, SN_STR("hint"), token->hint);
        sn_json_write_key_string(&json, SN_STR("user"), token->user_name);
        sn_api_write_scopes(&json, token->scopes);
        sn_api_write_key_wall(&json, SN_STR("created"), token->created_wall_ms);
        sn_api_write_key_wall(&json, SN_STR("expires"), token->expires_wall_ms);
        sn_json_write_object_end(&json);
    }
    sn_json_write_array_end(&json);
    sn_api_account_end(request, &json, &buf);
    return SN_OK;
}

/* Whose token it is to be: the named user, or who asks. */
static sn_status token_owner(struct admin *admin, struct sn_str name, int64_t *ret_user_id,
                             struct sn_err *err) {
    struct sn_account account;
    if (name.ptr == NULL && admin->principal.user_id == 0)
        return sn_err_set(err, SN_ERR_INVALID,
                          "with open access nobody is signed in: name the \"user\" of the token");
    if (name.ptr == NULL) {
        *ret_user_id = admin->principal.user_id;
        return SN_OK;
    }
    SN_TRY(sn_accounts_find_user(sn_auth_accounts(admin->auth), name, &account, err));
    *ret_user_id = account.id;
    return SN_OK;
}

static sn_status add_token(struct admin *admin, struct sn_http_request *request,
                           struct sn_err *err) {
    struct sn_auth_token_new token = {.actor = admin->actor};
    struct sn_str scopes = {NULL, 0}, expires = {NULL, 0}, owner = {NULL, 0};
    const struct sn_api_field fields[] = {{SN_STR("name"), &token.name, false},
                                          {SN_STR("scopes"), &scopes, false},
                                          {SN_STR("expires"), &expires, true},
                                          {SN_STR("user"), &owner, true}};
    struct sn_secret secret;
    struct sn_buf buf;
    struct sn_json_writer json;
    int64_t id = 0;
    SN_TRY(sn_api_account_read(request, fields, 4, err));
    SN_TRY(sn_scopes_parse(scopes, &token.scopes, err));
    if (expires.ptr != NULL)
        SN_TRY(sn_time_parse_ms(expires, &token.expires_wall_ms, err));
    SN_TRY(token_owner(admin, owner, &token.user_id, err));
    SN_TRY(sn_auth_add_token(admin->auth, &token, &secret, &id, err));
    sn_api_account_begin(&json, &buf);
    sn_json_write_object_begin(&json);
    sn_json_write_key_int64(&json, SN_STR("id"), id);
    sn_json_write_key_string(&json, SN_STR("token"), sn_str_from(secret.text));
    sn_json_write_object_end(&json);
    sn_api_account_end(request, &json, &buf);
    return SN_OK;
}

void sn_api_admin_tokens(struct sn_api *api, struct sn_http_request *request) {
    struct admin admin;
    struct sn_err err = {0};
    sn_status status = open_admin(api, request, &admin, &err);
    if (status == SN_OK)
        status = is_method(request, SN_HTTP_POST) ? add_token(&admin, request, &err)
                                                  : list_tokens(&admin, request, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
}

static sn_status remove_token(struct sn_api *api, struct sn_http_request *request,
                              struct sn_err *err) {
    struct admin admin;
    int64_t id = 0;
    SN_TRY(open_admin(api, request, &admin, err));
    SN_TRY(sn_api_path_id(request, 5, &id, err));
    SN_TRY(sn_auth_remove_token(admin.auth, id, &admin.actor, err));
    sn_api_account_done(request);
    return SN_OK;
}

void sn_api_admin_token(struct sn_api *api, struct sn_http_request *request) {
    struct sn_err err = {0};
    sn_status status = remove_token(api, request, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
}

/* ---- audit log ---- */

/* A number among the parameters, within 1..max, or what holds without it. */
static sn_status number_param(const struct sn_http_request *request, struct sn_str name,
                              int64_t max, int64_t *value, struct sn_err *err) {
    struct sn_str text;
    uint64_t number = 0;
    if (!sn_http_request_param(request, name, &text))
        return SN_OK;
    bool is_number = text.len > 0 && text.len <= 18;
    for (size_t i = 0; is_number && i < text.len; i++) {
        is_number = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        number = number * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    if (!is_number || number == 0 || number > (uint64_t)max)
        return sn_err_set(err, SN_ERR_INVALID, "%s is \"%.*s\", it must be a number from 1 to %lld",
                          name.ptr, (int)(text.len < 40 ? text.len : 40), text.ptr, (long long)max);
    *value = (int64_t)number;
    return SN_OK;
}

static sn_status list_audit(struct sn_api *api, struct sn_http_request *request,
                            struct sn_err *err) {
    struct admin admin;
    struct sn_audit_list list;
    struct sn_buf buf;
    struct sn_json_writer json;
    int64_t limit = AUDIT_DEFAULT, before = 0;
    SN_TRY(open_admin(api, request, &admin, err));
    SN_TRY(number_param(request, SN_STR("limit"), AUDIT_MAX, &limit, err));
    SN_TRY(number_param(request, SN_STR("before"), INT64_MAX, &before, err));
    SN_TRY(sn_accounts_list_audit(sn_auth_accounts(admin.auth), before, (size_t)limit,
                                  sn_http_request_arena(request), &list, err));
    sn_api_account_begin(&json, &buf);
    sn_json_write_array_begin(&json);
    for (size_t i = 0; i < list.count; i++) {
        const struct sn_audit_row *row = &list.items[i];
        sn_json_write_object_begin(&json);
        sn_json_write_key_int64(&json, SN_STR("id"), row->id);
        sn_api_write_key_wall(&json, SN_STR("time"), row->time_ms);
        sn_json_write_key_string(&json, SN_STR("actor"), row->actor);
        sn_json_write_key_string(&json, SN_STR("address"), row->peer);
        sn_json_write_key_string(&json, SN_STR("action"), row->action);
        sn_json_write_key_string(&json, SN_STR("detail"), row->detail);
        sn_json_write_object_end(&json);
    }
    sn_json_write_array_end(&json);
    sn_api_account_end(request, &json, &buf);
    return SN_OK;
}

void sn_api_admin_audit(struct sn_api *api, struct sn_http_request *request) {
    struct sn_err err = {0};
    sn_status status = list_audit(api, request, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
}
