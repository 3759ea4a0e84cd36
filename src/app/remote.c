/* The running server. See remote.h. */
#include "app/remote.h"

#include "base/os.h"
#include "codec/json_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES_MAX ((size_t)64 << 20)
enum { TOKEN_BYTES_MAX = 400 };

static sn_status set_url(struct sn_remote *remote, const char *url, const char *listen,
                         struct sn_err *err) {
    const char *chosen = url != NULL ? url : getenv("SONDE_URL");
    int len;
    if (chosen != NULL)
        len = snprintf(remote->url, sizeof remote->url, "%s", chosen);
    else
        len = snprintf(remote->url, sizeof remote->url, "http://%s", listen);
    if (len <= 0 || (size_t)len >= sizeof remote->url)
        return sn_err_set(err, SN_ERR_LIMIT, "the URL of the server is too long");
    while (len > 0 && remote->url[len - 1] == '/')
        remote->url[--len] = '\0';
    return SN_OK;
}

static sn_status set_token(struct sn_remote *remote, const char *path, struct sn_err *err) {
    struct sn_buf file;
    const char *given = getenv("SONDE_TOKEN");
    struct sn_str token = sn_str_from(given != NULL ? given : "");
    sn_buf_init(&file, TOKEN_BYTES_MAX);
    sn_status status = SN_OK;
    if (path != NULL) {
        status = sn_os_read_file(path, &file, err);
        token = sn_str_trim(sn_buf_str(&file));
    }
    if (status == SN_OK &&
        (token.len > TOKEN_BYTES_MAX || sn_str_find_char(token, '\n') != SIZE_MAX))
        status = sn_err_set(err, SN_ERR_INVALID, "the token is no token");
    if (status == SN_OK && token.len > 0)
        (void)snprintf(remote->header, sizeof remote->header, "Authorization: Bearer %.*s",
                       SN_STR_ARG(token)); /* its length was checked */
    sn_buf_release(&file);
    return status;
}

sn_status sn_remote_init(struct sn_remote *remote, const char *url, const char *listen,
                         const char *token_path, struct sn_err *err) {
    *remote = (struct sn_remote){.client = NULL};
    SN_TRY(set_url(remote, url, listen, err));
    SN_TRY(set_token(remote, token_path, err));
    return sn_http_client_new(1, &remote->client, err);
}

void sn_remote_release(struct sn_remote *remote) {
    remote->client = sn_http_client_free(remote->client);
}

static sn_status status_of(int http_status) {
    static const struct {
        int http;
        sn_status status;
    } rows[] = {{400, SN_ERR_INVALID},   {401, SN_ERR_DENIED}, {403, SN_ERR_DENIED},
                {404, SN_ERR_NOT_FOUND}, {409, SN_ERR_EXISTS}, {413, SN_ERR_LIMIT},
                {422, SN_ERR_LIMIT},     {429, SN_ERR_BUSY},   {501, SN_ERR_UNSUPPORTED}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].http == http_status)
            return rows[i].status;
    }
    return SN_ERR_IO;
}

/* The server's sentence, or what can be told without one. */
static sn_status tell_failure(const struct sn_remote *remote, int http_status,
                              const struct sn_buf *body, struct sn_buf *ret_sentence,
                              struct sn_err *err) {
    struct sn_arena arena;
    struct sn_json_reader json;
    struct sn_str key;
    struct sn_str sentence = SN_STR("");
    sn_status status = status_of(http_status);
    sn_arena_init(&arena, 0);
    sn_json_read_init(&json, sn_buf_str(body), &(struct sn_json_options){.arena = &arena});
    if (sn_json_read_peek(&json) == SN_JSON_OBJECT && sn_json_read_object(&json)) {
        while (sn_json_read_key(&json, &key)) {
            if (sn_str_equal(key, SN_STR("error")))
                sentence = sn_json_read_string(&json);
            else
                sn_json_read_skip(&json);
        }
    }
    bool has_sentence = sn_json_read_finish(&json, NULL) == SN_OK && sentence.len > 0;
    if (has_sentence && ret_sentence != NULL)
        sn_buf_put_str(ret_sentence, sentence);
    if (has_sentence)
        status = sn_err_set(err, status, "%.*s", SN_STR_ARG(sentence));
    else
        status = sn_err_set(err, status, "%s answered %d", remote->url, http_status);
    sn_arena_release(&arena);
    return status;
}

sn_status sn_remote_post(struct sn_remote *remote, const struct sn_remote_call *call,
                         struct sn_buf *ret_body, struct sn_err *err) {
    return sn_remote_send(remote, "POST", call, ret_body, err);
}

sn_status sn_remote_send(struct sn_remote *remote, const char *method,
                         const struct sn_remote_call *call, struct sn_buf *ret_body,
                         struct sn_err *err) {
    char url[4096];
    char type[128];
    const char *headers[2];
    size_t header_count = 0;
    int http_status = 0;
    remote->is_unreachable = false;
    int len = snprintf(url, sizeof url, "%s%s", remote->url, call->path);
    if (len <= 0 || (size_t)len >= sizeof url)
        return sn_err_set(err, SN_ERR_LIMIT, "the URL of the call is too long");
    if (remote->header[0] != '\0')
        headers[header_count++] = remote->header;
    if (call->content_type != NULL) {
        (void)snprintf(type, sizeof type, "Content-Type: %s", call->content_type); /* ours: short */
        headers[header_count++] = type;
    }
    const struct sn_http_ask ask = {.url = url,
                                    .method = method,
                                    .headers = headers,
                                    .header_count = header_count,
                                    .body = call->body.ptr || method[0] == 'G' ? call->body
                                                                               : sn_str_make("", 0),
                                    .timeout_ms = call->timeout_ms,
                                    .body_bytes_max = ANSWER_BYTES_MAX};
    sn_status status = sn_http_client_fetch(remote->client, &ask, &http_status, ret_body, err);
    if (status != SN_OK) {
        remote->is_unreachable = status == SN_ERR_IO || status == SN_ERR_TIMEOUT;
        sn_err_prefix(err, "no answer from %s", remote->url);
        return status;
    }
    if (http_status / 100 != 2)
        return tell_failure(remote, http_status, ret_body, call->sentence, err);
    return SN_OK;
}

sn_status sn_remote_ask(const struct sn_remote_options *options, const struct sn_remote_call *call,
                        struct sn_buf *ret_body, int *ret_exit, struct sn_err *err) {
    struct sn_remote remote;
    sn_status status =
        sn_remote_init(&remote, options->url, SN_REMOTE_LISTEN_DEFAULT, options->token_path, err);
    bool is_ready = status == SN_OK;
    if (is_ready)
        status = sn_remote_send(&remote, call->method != NULL ? call->method : "POST", call,
                                ret_body, err);
    *ret_exit = is_ready && remote.is_unreachable ? SN_EXIT_UNREACHABLE : sn_exit_of(status);
    sn_remote_release(&remote);
    return status;
}
