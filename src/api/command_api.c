/*
 * POST /api/v1/commands/{name}: JSON arguments in the body, the command's own document as answer.
 *
 * The commands that change something have routes of their own, for administrators.
 */
#include "api/api_priv.h"

/* The last piece of the path: names have no escapes. */
static struct sn_str command_name(const struct sn_http_request *request) {
    struct sn_str path = sn_http_request_path_raw(request), piece = {NULL, 0}, next;
    for (bool has_more = true; has_more;) {
        has_more = sn_str_cut(path, '/', &next, &path);
        piece = next.len > 0 ? next : piece;
    }
    return piece;
}

void sn_api_post_command(struct sn_api *api, struct sn_http_request *request) {
    struct sn_err err = {0};
    struct sn_arena arena;
    struct sn_buf buf;
    struct sn_str name = command_name(request);
    if (api->options.commands == NULL) {
        (void)sn_err_set(&err, SN_ERR_UNSUPPORTED, "this server has no commands");
        sn_api_respond_failure(request, err.status, &err);
        return;
    }
    sn_arena_init(&arena, SN_COMMAND_ARENA_BYTES);
    sn_buf_init(&buf, 0);
    sn_status status = sn_commands_run(api->options.commands, name, sn_http_request_body(request),
                                       &arena, &buf, &err);
    sn_arena_release(&arena);
    if (status == SN_OK) {
        const struct sn_http_response response = {
            .status = 200, .content_type = "application/json", .body_buf = &buf};
        sn_http_respond(request, &response);
    } else {
        sn_buf_release(&buf);
        sn_api_respond_failure(request, status, &err);
    }
}
