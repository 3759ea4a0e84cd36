/* Where the data commands read from. See data_source.h. */
#include "app/data_source.h"

#include "app/command.h"
#include "base/os.h"
#include "codec/json_read.h"
#include "model/data_dir.h"

#include <stdio.h>
#include <stdlib.h>

/* A snapshot waits for a flush, which is paced: a gigabyte takes ten seconds. */
#define SNAPSHOT_TIMEOUT_MS INT64_C(600000)

static sn_status reach_server(struct sn_data_source *source, const struct sn_tool_options *options,
                              struct sn_err *err) {
    source->has_remote = true;
    return sn_remote_init(&source->remote, options->url, source->config.listen, options->token_path,
                          err);
}

static sn_status check_there(const char *data, struct sn_err *err) {
    char path[4096];
    struct stat info;
    int len = snprintf(path, sizeof path, "%s/" SN_STORE_DB_NAME, data);
    if (len > 0 && (size_t)len < sizeof path && sn_os_stat(path, &info) == 0)
        return SN_OK;
    return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no data in %s", data);
}

sn_status sn_data_source_reach(struct sn_data_source *source, const struct sn_tool_options *options,
                               struct sn_err *err) {
    SN_TRY(sn_tool_options_config(options, &source->config, err));
    if (options->url != NULL || (options->data == NULL && getenv("SONDE_URL") != NULL))
        return reach_server(source, options, err);
    SN_TRY(check_there(source->config.data, err));
    struct sn_store_options store = sn_config_store_options(&source->config);
    store.flush_pause_ns = -1; /* nobody waits for the disk beside us */
    struct sn_err why = {.status = SN_OK};
    sn_status status = sn_store_open(&store, &source->store, &why);
    if (status == SN_ERR_BUSY)
        return reach_server(source, options, err);
    return status == SN_OK ? SN_OK : sn_err_set(err, status, "%s", why.text);
}

/* ---- the server's snapshot ---- */

static void copy_text(struct sn_str text, char *ret_text, size_t size) {
    (void)snprintf(ret_text, size, "%.*s", SN_STR_ARG(text)); /* too long a one is found missing */
}

static sn_status read_snapshot(struct sn_data_source *source, struct sn_str body,
                               struct sn_err *err) {
    struct sn_arena arena;
    struct sn_json_reader json;
    struct sn_str key;
    sn_arena_init(&arena, 0);
    sn_json_read_init(&json, body, &(struct sn_json_options){.arena = &arena});
    if (sn_json_read_object(&json)) {
        while (sn_json_read_key(&json, &key)) {
            if (!sn_str_equal(key, SN_STR("data")) || !sn_json_read_object(&json)) {
                sn_json_read_skip(&json);
                continue;
            }
            while (sn_json_read_key(&json, &key)) {
                struct sn_str text = sn_json_read_string(&json);
                if (sn_str_equal(key, SN_STR("name")))
                    copy_text(text, source->snapshot.name, sizeof source->snapshot.name);
                else if (sn_str_equal(key, SN_STR("path")))
                    copy_text(text, source->snapshot.path, sizeof source->snapshot.path);
            }
        }
    }
    sn_status status = sn_json_read_finish(&json, err);
    sn_arena_release(&arena);
    return status;
}

static sn_status ask_snapshot(struct sn_data_source *source, struct sn_err *err) {
    const struct sn_remote_call call = {.path = "/api/v1/admin/tsdb/snapshot",
                                        .timeout_ms = SNAPSHOT_TIMEOUT_MS};
    struct sn_buf body;
    struct stat info;
    sn_buf_init(&body, 0);
    sn_status status = sn_remote_post(&source->remote, &call, &body, err);
    if (status == SN_OK)
        status = read_snapshot(source, sn_buf_str(&body), err);
    sn_buf_release(&body);
    SN_TRY(status);
    source->has_snapshot = true;
    if (sn_os_stat(source->snapshot.path, &info) != 0)
        return sn_err_set(
            err, SN_ERR_NOT_FOUND,
            "the snapshot of %s is %s on the server's disk, which cannot be read from "
            "here: run this on that machine, as its user",
            source->remote.url, source->snapshot.path);
    return SN_OK;
}

sn_status sn_data_source_open(struct sn_data_source *source, const struct sn_tool_options *options,
                              struct sn_err *err) {
    SN_TRY(sn_data_source_reach(source, options, err));
    if (source->store == NULL)
        return ask_snapshot(source, err);
    struct sn_admin admin = sn_store_admin(source->store);
    SN_TRY(admin.snapshot(admin.ctx, &source->snapshot, err));
    source->has_snapshot = true;
    return SN_OK;
}

static sn_status delete_snapshot(struct sn_data_source *source, struct sn_err *err) {
    if (source->store != NULL) {
        struct sn_admin admin = sn_store_admin(source->store);
        return admin.delete_snapshot(admin.ctx, sn_str_from(source->snapshot.name), err);
    }
    char path[256];
    struct sn_buf body;
    (void)snprintf(path, sizeof path, "/api/v1/admin/tsdb/delete_snapshot?name=%s",
                   source->snapshot.name); /* a name is short */
    const struct sn_remote_call call = {.path = path, .timeout_ms = SNAPSHOT_TIMEOUT_MS};
    sn_buf_init(&body, 0);
    sn_status status = sn_remote_post(&source->remote, &call, &body, err);
    sn_buf_release(&body);
    return status;
}

void sn_data_source_close(struct sn_data_source *source) {
    struct sn_err err = {.status = SN_OK};
    if (source->has_snapshot && delete_snapshot(source, &err) != SN_OK) {
        sn_err_prefix(&err, "cannot delete the snapshot %s", source->snapshot.path);
        sn_command_complain("snapshot", err.text, "it holds space: delete that directory");
    }
    if (source->has_remote)
        sn_remote_release(&source->remote);
    source->store = sn_store_close(source->store);
    sn_config_release(&source->config);
    source->has_snapshot = source->has_remote = false;
}
