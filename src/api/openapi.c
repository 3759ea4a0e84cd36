/*
 * The OpenAPI document. See openapi.h.
 *
 *   paths       one item per path, one operation per method: parameters, body, answers, role
 *   components  the named schemas, the answer of every error, how to sign in
 */
#include "api/openapi.h"

#include "api/schema.h"

#include <sonde/sonde.h>

#include <stdio.h>

static const struct {
    enum sn_http_method method;
    const char *name;
} methods[] = {{SN_HTTP_GET, "get"},
               {SN_HTTP_POST, "post"},
               {SN_HTTP_PUT, "put"},
               {SN_HTTP_PATCH, "patch"},
               {SN_HTTP_DELETE, "delete"}};
enum { METHOD_COUNT = sizeof methods / sizeof methods[0] };

static void put_text(struct sn_json_writer *json, const char *key, const char *value) {
    sn_json_write_key_string(json, sn_str_from(key), sn_str_from(value));
}

static void begin(struct sn_json_writer *json, const char *key) {
    sn_json_write_key(json, sn_str_from(key));
    sn_json_write_object_begin(json);
}

/* "schema": ... */
static sn_status put_schema(struct sn_json_writer *json, struct sn_str type, bool is_closed,
                            struct sn_err *err) {
    sn_json_write_key(json, SN_STR("schema"));
    return sn_schema_write(json, type, is_closed, err);
}

/* "content": {TYPE: {"schema": ...}} */
static sn_status put_content(struct sn_json_writer *json, const char *content_type,
                             const char *type, bool is_closed, struct sn_err *err) {
    begin(json, "content");
    begin(json, content_type != NULL ? content_type : "application/json");
    SN_TRY(put_schema(json, sn_str_from(type), is_closed, err));
    sn_json_write_object_end(json);
    sn_json_write_object_end(json);
    return SN_OK;
}

/* ---- parameters ---- */

/* Cut the next name in braces from a path: "{*}" is "rest". */
static bool next_path_name(struct sn_str *path, struct sn_str *ret_name) {
    size_t open = sn_str_find_char(*path, '{');
    if (open == SIZE_MAX)
        return false;
    struct sn_str rest = sn_str_make(path->ptr + open + 1, path->len - open - 1);
    bool has_end = sn_str_cut(rest, '}', ret_name, path);
    if (has_end && sn_str_equal(*ret_name, SN_STR("*")))
        *ret_name = SN_STR("rest");
    return has_end;
}

static bool is_in_path(const char *path, struct sn_str name) {
    struct sn_str rest = sn_str_from(path), found;
    while (next_path_name(&rest, &found))
        if (sn_str_equal(found, name))
            return true;
    return false;
}

static sn_status put_param(struct sn_json_writer *json, const char *where,
                           const struct sn_schema_field *field, struct sn_err *err) {
    bool is_any = sn_str_equal(field->name, SN_STR("*"));
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("name"), is_any ? SN_STR("labels") : field->name);
    put_text(json, "in", where);
    sn_json_write_key_bool(json, SN_STR("required"), !field->is_optional && !is_any);
    if (field->note.len > 0)
        sn_json_write_key_string(json, SN_STR("description"), field->note);
    if (is_any) /* {"a": "b"} is sent as a=b */
        sn_json_write_key_bool(json, SN_STR("explode"), true);
    SN_TRY(put_schema(json, is_any ? SN_STR("map(string)") : field->type, false, err));
    sn_json_write_object_end(json);
    return SN_OK;
}

/* Whether the row's parameters tell of that name. */
static bool has_param(const struct sn_route_doc *doc, struct sn_str name) {
    struct sn_str rest = sn_str_from(doc->params);
    struct sn_schema_field field;
    while (sn_schema_next_field(&rest, &field, NULL) == SN_OK)
        if (sn_str_equal(field.name, name))
            return true;
    return false;
}

static sn_status put_params(struct sn_json_writer *json, const struct sn_route_doc *doc,
                            bool has_query, struct sn_err *err) {
    struct sn_str path = sn_str_from(doc->path), rest = sn_str_from(doc->params), name;
    struct sn_schema_field field;
    sn_status status;
    sn_json_write_key(json, SN_STR("parameters"));
    sn_json_write_array_begin(json);
    while (next_path_name(&path, &name))
        if (!has_param(doc, name))
            SN_TRY(put_param(json, "path",
                             &(struct sn_schema_field){.name = name, .type = SN_STR("string")},
                             err));
    while ((status = sn_schema_next_field(&rest, &field, err)) == SN_OK) {
        bool is_path = is_in_path(doc->path, field.name);
        if (is_path || has_query)
            SN_TRY(put_param(json, is_path ? "path" : "query", &field, err));
    }
    sn_json_write_array_end(json);
    return status == SN_ERR_NOT_FOUND ? SN_OK : status;
}

/* ---- body and answers ---- */

/* The parameters as a form: one object with them as members. */
static sn_status put_form(struct sn_json_writer *json, const struct sn_route_doc *doc,
                          struct sn_err *err) {
    char type[2048];
    int len = snprintf(type, sizeof type, "{%s}", doc->params);
    if (len < 0 || (size_t)len >= sizeof type)
        return sn_err_set(err, SN_ERR_INVALID, "%s: too many parameters", doc->path);
    begin(json, "requestBody");
    SN_TRY(put_content(json, "application/x-www-form-urlencoded", type, false, err));
    sn_json_write_object_end(json);
    return SN_OK;
}

static sn_status put_body(struct sn_json_writer *json, const struct sn_route_doc *doc,
                          struct sn_err *err) {
    begin(json, "requestBody");
    sn_json_write_key_bool(json, SN_STR("required"), true);
    SN_TRY(put_content(json, doc->body_type, doc->body, true, err));
    sn_json_write_object_end(json);
    return SN_OK;
}

static sn_status put_answer(struct sn_json_writer *json, const struct sn_route_doc *doc, int status,
                            const char *description, struct sn_err *err) {
    char key[16];
    (void)snprintf(key, sizeof key, "%d", status); /* three digits */
    begin(json, key);
    put_text(json, "description", description);
    if (doc->answer != NULL)
        SN_TRY(put_content(json, doc->answer_type, doc->answer, false, err));
    sn_json_write_object_end(json);
    return SN_OK;
}

static sn_status put_answers(struct sn_json_writer *json, const struct sn_route_doc *doc,
                             struct sn_err *err) {
    int status = doc->status != 0 ? doc->status : doc->answer != NULL ? 200 : 204;
    begin(json, "responses");
    SN_TRY(put_answer(json, doc, status, "Success", err));
    if (doc->also_status != 0)
        SN_TRY(put_answer(json, doc, doc->also_status, "The same, with another verdict", err));
    begin(json, "default");
    if (doc->error != NULL) {
        put_text(json, "description", "What was wrong");
        SN_TRY(put_content(json, NULL, doc->error, false, err));
    } else {
        put_text(json, "$ref", "#/components/responses/Error");
    }
    sn_json_write_object_end(json);
    sn_json_write_object_end(json);
    return SN_OK;
}

/* ---- operations ---- */

static const char *const scopes[] = {
    [SN_API_PUBLIC] = NULL,
    [SN_API_INGEST] = "ingest",
    [SN_API_READ] = "read",
    [SN_API_ADMIN] = "admin",
};

static void put_scheme(struct sn_json_writer *json, const char *scheme, const char *scope) {
    sn_json_write_object_begin(json);
    sn_json_write_key(json, sn_str_from(scheme));
    sn_json_write_array_begin(json);
    sn_json_write_string(json, sn_str_from(scope));
    sn_json_write_array_end(json);
    sn_json_write_object_end(json);
}

static void put_security(struct sn_json_writer *json, enum sn_api_role role) {
    sn_json_write_key(json, SN_STR("security"));
    sn_json_write_array_begin(json);
    if (scopes[role] != NULL) {
        put_scheme(json, "bearer", scopes[role]);
        put_scheme(json, "basic", scopes[role]);
    }
    sn_json_write_array_end(json);
    put_text(json, "x-role", scopes[role] != NULL ? scopes[role] : "public");
}

/* "get_api_v1_errors_id": a name for generated clients. */
static void put_operation_id(struct sn_json_writer *json, const char *method, const char *path) {
    char text[128];
    size_t len = (size_t)snprintf(text, sizeof text, "%s%s", method, path);
    len = len < sizeof text ? len : sizeof text - 1;
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (is_word)
            text[kept++] = c;
        else if (c != '}' && kept > 0 && text[kept - 1] != '_')
            text[kept++] = '_';
    }
    sn_json_write_key_string(json, SN_STR("operationId"), sn_str_make(text, kept));
}

static sn_status put_operation(struct sn_json_writer *json, const struct sn_route_doc *doc,
                               size_t method, struct sn_err *err) {
    const struct sn_api_route *route =
        sn_api_find_route(sn_str_from(doc->path), methods[method].method);
    bool has_form = doc->is_form && methods[method].method == SN_HTTP_POST;
    bool has_body =
        doc->body != NULL && (SN_API_METHOD(methods[method].method) & SN_API_WITH_BODY) != 0;
    if (route == NULL)
        return sn_err_set(err, SN_ERR_INVALID, "%s: there is no such route", doc->path);
    begin(json, methods[method].name);
    put_operation_id(json, methods[method].name, doc->path);
    put_text(json, "summary", doc->summary);
    sn_json_write_key(json, SN_STR("tags"));
    sn_json_write_array_begin(json);
    sn_json_write_string(json, sn_str_from(doc->tag));
    sn_json_write_array_end(json);
    put_security(json, route->role);
    SN_TRY(put_params(json, doc, !has_form, err));
    if (has_form)
        SN_TRY(put_form(json, doc, err));
    else if (has_body)
        SN_TRY(put_body(json, doc, err));
    SN_TRY(put_answers(json, doc, err));
    sn_json_write_object_end(json);
    return SN_OK;
}

static bool is_first_of_path(size_t row) {
    for (size_t i = 0; i < row; i++)
        if (strcmp(sn_route_docs[i].path, sn_route_docs[row].path) == 0)
            return false;
    return true;
}

/* {*} becomes {rest}: OpenAPI knows no pieces without a name. */
static void put_path_key(struct sn_json_writer *json, const char *path) {
    char text[128];
    size_t star = sn_str_find_char(sn_str_from(path), '*');
    (void)snprintf(text, sizeof text, "%.*s%s%s", star != SIZE_MAX ? (int)star : 127, path,
                   star != SIZE_MAX ? "rest" : "", star != SIZE_MAX ? path + star + 1 : "");
    begin(json, text);
}

static sn_status put_path(struct sn_json_writer *json, size_t row, struct sn_err *err) {
    const char *path = sn_route_docs[row].path;
    put_path_key(json, path);
    for (size_t i = row; i < sn_route_doc_count; i++)
        for (size_t m = 0; strcmp(sn_route_docs[i].path, path) == 0 && m < METHOD_COUNT; m++)
            if ((sn_route_docs[i].methods & SN_API_METHOD(methods[m].method)) != 0)
                SN_TRY(put_operation(json, &sn_route_docs[i], m, err));
    sn_json_write_object_end(json);
    return SN_OK;
}

/* ---- components ---- */

static void put_sign_in(struct sn_json_writer *json, const char *name, const char *text) {
    begin(json, name);
    put_text(json, "type", "http");
    put_text(json, "scheme", name);
    put_text(json, "description", text);
    sn_json_write_object_end(json);
}

static sn_status put_components(struct sn_json_writer *json, struct sn_err *err) {
    begin(json, "components");
    begin(json, "schemas");
    for (size_t i = 0; i < sn_named_schema_count; i++) {
        const struct sn_named_schema *schema = &sn_named_schemas[i];
        sn_json_write_key(json, sn_str_from(schema->name));
        SN_TRY(sn_schema_write(json, sn_str_from(schema->type), schema->is_request, err));
    }
    sn_json_write_object_end(json);
    begin(json, "responses");
    begin(json, "Error");
    put_text(json, "description", "What was wrong, in one sentence");
    SN_TRY(put_content(json, NULL, "Error", false, err));
    sn_json_write_object_end(json);
    sn_json_write_object_end(json);
    begin(json, "securitySchemes");
    put_sign_in(json, "bearer", "The token of POST /api/auth/login, or an API token");
    put_sign_in(json, "basic", "The same token as password, with any name");
    sn_json_write_object_end(json);
    sn_json_write_object_end(json);
    return SN_OK;
}

sn_status sn_openapi_write(struct sn_json_writer *json, struct sn_err *err) {
    sn_json_write_object_begin(json);
    put_text(json, "openapi", "3.1.0");
    begin(json, "info");
    put_text(json, "title", "Sonde");
    put_text(json, "version", sonde_version());
    put_text(json, "description",
             "Roles: public needs nothing; ingest, read and admin are scopes of an API token and "
             "rights of a user. A trailing slash makes no difference. Where ingest is open for "
             "programs on the same machine, no token is needed there.");
    sn_json_write_object_end(json);
    begin(json, "paths");
    for (size_t i = 0; i < sn_route_doc_count; i++)
        if (is_first_of_path(i))
            SN_TRY(put_path(json, i, err));
    sn_json_write_object_end(json);
    SN_TRY(put_components(json, err));
    sn_json_write_object_end(json);
    return SN_OK;
}

static sn_status write_document(struct sn_api *api, struct sn_http_request *request,
                                struct sn_json_writer *json, struct sn_err *err) {
    (void)api;
    (void)request;
    return sn_openapi_write(json, err);
}

void sn_api_get_openapi(struct sn_api *api, struct sn_http_request *request) {
    sn_api_respond_written(api, request, write_document);
}
