/*
 * Sign-in over HTTP: who am I, login, logout, the first administrator, the own password.
 *
 *   GET  /api/auth/status    {"access":"required","has_admin":true}: what a page shows first
 *   POST /api/auth/login     {"name","password"} -> {"token","expires","user":{"name","role"}}
 *   POST /api/auth/setup     {"code","name","password"} -> the same
 *   GET  /api/auth/me        {"name","role","scopes":[...],"expires"}
 *   POST /api/auth/logout    ends the session of the token
 *   POST /api/auth/password  {"password","new_password"}; all sessions of the user end
 *
 * Tokens travel in the Authorization header only: no cookie, so no page can send one for somebody.
 */
#include "api/account_priv.h"

#include "base/clock.h"

/* ---- answers ---- */

void sn_api_account_failure(struct sn_http_request *request, sn_status status,
                            const struct sn_err *err) {
    /* Wrong names, passwords and codes are 401: 403 is for those who are signed in. */
    if (status == SN_ERR_DENIED)
        sn_http_respond_unauthorized(request, err->text);
    else
        sn_api_respond_failure(request, status, err);
}

void sn_api_account_done(struct sn_http_request *request) {
    const struct sn_http_response response = {.status = 204};
    sn_http_respond(request, &response);
}

static void respond(struct sn_http_request *request, struct sn_json_writer *json,
                    struct sn_buf *buf) {
    struct sn_err err = {0};
    static const struct sn_http_header no_store = {"Cache-Control", "no-store"};
    sn_status status = sn_json_write_finish(json, &err);
    if (status != SN_OK) {
        sn_buf_release(buf);
        sn_api_respond_failure(request, status, &err);
        return;
    }
    const struct sn_http_response response = {
        .status = 200,
        .content_type = "application/json",
        .body_buf = buf,
        .headers = &no_store,
        .header_count = 1,
    };
    sn_http_respond(request, &response);
}

void sn_api_account_begin(struct sn_json_writer *json, struct sn_buf *buf) {
    sn_buf_init(buf, 0);
    sn_json_write_init(json, buf, 0);
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("status"), SN_STR("success"));
    sn_json_write_key(json, SN_STR("data"));
}

void sn_api_account_end(struct sn_http_request *request, struct sn_json_writer *json,
                        struct sn_buf *buf) {
    sn_json_write_object_end(json);
    respond(request, json, buf);
}

void sn_api_write_key_wall(struct sn_json_writer *json, struct sn_str key, int64_t wall_ms) {
    char text[SN_TIME_TEXT_SIZE];
    sn_json_write_key(json, key);
    if (wall_ms == 0) {
        sn_json_write_null(json);
        return;
    }
    sn_time_format(wall_ms, text);
    sn_json_write_string(json, sn_str_from(text));
}

void sn_api_write_scopes(struct sn_json_writer *json, unsigned scopes) {
    static const struct {
        unsigned scope;
        struct sn_str name;
    } rows[] = {{SN_SCOPE_INGEST, SN_STR("ingest")},
                {SN_SCOPE_READ, SN_STR("read")},
                {SN_SCOPE_ADMIN, SN_STR("admin")}};
    sn_json_write_key(json, SN_STR("scopes"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((scopes & rows[i].scope) != 0)
            sn_json_write_string(json, rows[i].name);
    sn_json_write_array_end(json);
}

static void respond_session(struct sn_http_request *request, const struct sn_secret *session,
                            const struct sn_principal *principal) {
    struct sn_buf buf;
    struct sn_json_writer json;
    sn_api_account_begin(&json, &buf);
    sn_json_write_object_begin(&json);
    sn_json_write_key_string(&json, SN_STR("token"), sn_str_from(session->text));
    sn_api_write_key_wall(&json, SN_STR("expires"), principal->expires_wall_ms);
    sn_json_write_key(&json, SN_STR("user"));
    sn_json_write_object_begin(&json);
    sn_json_write_key_string(&json, SN_STR("name"), sn_str_from(principal->name));
    sn_json_write_key_string(&json, SN_STR("role"), sn_str_from(sn_role_name(principal->role)));
    sn_json_write_object_end(&json);
    sn_json_write_object_end(&json);
    sn_api_account_end(request, &json, &buf);
}

/* ---- requests ---- */

sn_status sn_api_account_read(struct sn_http_request *request, const struct sn_api_field *fields,
                              size_t field_count, struct sn_err *err) {
    struct sn_json_reader json;
    struct sn_str key;
    const struct sn_json_options options = {.arena = sn_http_request_arena(request)};
    sn_json_read_init(&json, sn_http_request_body(request), &options);
    if (sn_json_read_object(&json))
        while (sn_json_read_key(&json, &key)) {
            size_t i = 0;
            while (i < field_count && !sn_str_equal(key, fields[i].name))
                i++;
            if (i == field_count)
                sn_json_read_fail(&json, SN_ERR_INVALID, "unknown field");
            else
                *fields[i].ret_value = sn_json_read_string(&json);
        }
    SN_TRY(sn_json_read_finish(&json, err));
    for (size_t i = 0; i < field_count; i++)
        if (fields[i].ret_value->ptr == NULL && !fields[i].is_optional)
            return sn_err_set(err, SN_ERR_INVALID, "the field \"%s\" is missing",
                              fields[i].name.ptr);
    return SN_OK;
}

/* The client's address without its port, in the request's arena. */
struct sn_auth_actor sn_api_account_actor(struct sn_http_request *request, struct sn_str name) {
    const struct sn_address *peer = sn_http_request_peer(request);
    char *text = sn_arena_alloc(sn_http_request_arena(request), SN_ADDRESS_TEXT_SIZE);
    struct sn_str host = SN_STR("");
    if (text != NULL) { /* Without memory the log lacks the address; the limits hold for "". */
        sn_address_format_host(peer, text);
        host = sn_str_from(text);
    }
    return (struct sn_auth_actor){name, host, sn_address_is_loopback(peer)};
}

static bool has_auth(struct sn_api *api, struct sn_http_request *request) {
    if (api->options.auth != NULL)
        return true;
    const struct sn_err err = {.status = SN_ERR_UNSUPPORTED,
                               .text = "this server has open access: nobody signs in"};
    sn_api_respond_failure(request, err.status, &err);
    return false;
}

/* ---- handlers ---- */

void sn_api_get_auth_status(struct sn_api *api, struct sn_http_request *request) {
    struct sn_buf buf;
    struct sn_json_writer json;
    bool is_open = api->options.access == SN_API_ACCESS_OPEN;
    sn_api_account_begin(&json, &buf);
    sn_json_write_object_begin(&json);
    sn_json_write_key_string(&json, SN_STR("access"),
                             is_open ? SN_STR("open") : SN_STR("required"));
    sn_json_write_key_bool(&json, SN_STR("has_admin"),
                           api->options.auth != NULL && sn_auth_has_admin(api->options.auth));
    sn_json_write_object_end(&json);
    sn_api_account_end(request, &json, &buf);
}

void sn_api_post_login(struct sn_api *api, struct sn_http_request *request) {
    struct sn_auth_login login = {.actor = sn_api_account_actor(request, SN_STR(""))};
    const struct sn_api_field fields[] = {{SN_STR("name"), &login.name, false},
                                          {SN_STR("password"), &login.password, false}};
    struct sn_err err = {0};
    struct sn_secret session;
    struct sn_principal principal;
    if (!has_auth(api, request))
        return;
    sn_status status = sn_api_account_read(request, fields, 2, &err);
    if (status == SN_OK)
        status = sn_auth_login(api->options.auth, &login, &session, &principal, &err);
    if (status == SN_OK)
        respond_session(request, &session, &principal);
    else
        sn_api_account_failure(request, status, &err);
}

void sn_api_post_setup(struct sn_api *api, struct sn_http_request *request) {
    struct sn_auth_setup setup = {.actor = sn_api_account_actor(request, SN_STR("setup"))};
    const struct sn_api_field fields[] = {{SN_STR("code"), &setup.code, false},
                                          {SN_STR("name"), &setup.name, false},
                                          {SN_STR("password"), &setup.password, false}};
    struct sn_err err = {0};
    struct sn_secret session;
    struct sn_principal principal;
    if (!has_auth(api, request))
        return;
    sn_status status = sn_api_account_read(request, fields, 3, &err);
    if (status == SN_OK)
        status = sn_auth_set_up(api->options.auth, &setup, &session, &principal, &err);
    if (status == SN_OK)
        respond_session(request, &session, &principal);
    else
        sn_api_account_failure(request, status, &err);
}

void sn_api_get_me(struct sn_api *api, struct sn_http_request *request) {
    struct sn_principal principal;
    struct sn_err err = {0};
    struct sn_buf buf;
    struct sn_json_writer json;
    sn_status status = sn_api_principal(api, request, &principal, &err);
    if (status != SN_OK) {
        sn_api_account_failure(request, status, &err);
        return;
    }
    sn_api_account_begin(&json, &buf);
    sn_json_write_object_begin(&json);
    sn_json_write_key_string(&json, SN_STR("name"), sn_str_from(principal.name));
    sn_json_write_key_string(&json, SN_STR("role"), sn_str_from(sn_role_name(principal.role)));
    sn_api_write_scopes(&json, principal.scopes);
    sn_api_write_key_wall(&json, SN_STR("expires"), principal.expires_wall_ms);
    sn_json_write_object_end(&json);
    sn_api_account_end(request, &json, &buf);
}

void sn_api_post_logout(struct sn_api *api, struct sn_http_request *request) {
    struct sn_principal principal;
    struct sn_err err = {0};
    if (!has_auth(api, request))
        return;
    sn_status status = sn_api_principal(api, request, &principal, &err);
    if (status == SN_OK) {
        struct sn_auth_actor actor = sn_api_account_actor(request, sn_str_from(principal.name));
        status = sn_auth_logout(api->options.auth, &principal, &actor, &err);
    }
    if (status == SN_OK)
        sn_api_account_done(request);
    else
        sn_api_account_failure(request, status, &err);
}

/* The old password once more: a token that was stolen must not take the account over. */
static sn_status change_password(struct sn_api *api, struct sn_http_request *request,
                                 struct sn_err *err) {
    struct sn_principal principal;
    struct sn_str password = {NULL, 0}, new_password = {NULL, 0};
    const struct sn_api_field fields[] = {{SN_STR("password"), &password, false},
                                          {SN_STR("new_password"), &new_password, false}};
    SN_TRY(sn_api_principal(api, request, &principal, err));
    SN_TRY(sn_api_account_read(request, fields, 2, err));
    struct sn_str name = sn_str_from(principal.name);
    const struct sn_auth_login login = {name, password, sn_api_account_actor(request, name)};
    SN_TRY(sn_auth_confirm(api->options.auth, &login, err));
    return sn_auth_set_password(api->options.auth, principal.user_id, new_password, &login.actor,
                                err);
}

void sn_api_post_password(struct sn_api *api, struct sn_http_request *request) {
    struct sn_err err = {0};
    if (!has_auth(api, request))
        return;
    sn_status status = change_password(api, request, &err);
    if (status == SN_OK)
        sn_api_account_done(request);
    else
        sn_api_account_failure(request, status, &err);
}
