/*
 * GET /api/v1/hosts: machines and their filesystems, from the board.
 */
#include "api/dash.h"

static void put_disk(struct sn_json_writer *json, const struct sn_disk *disk) {
    sn_json_write_object_begin(json);
    sn_dash_put_text(json, "host", disk->host);
    sn_dash_put_text(json, "mountpoint", disk->mountpoint);
    sn_dash_put_text(json, "device", disk->device);
    sn_dash_put_text(json, "fstype", disk->fstype);
    sn_dash_put_number(json, "used_ratio", disk->used_ratio);
    sn_dash_put_number(json, "available_bytes", disk->available);
    sn_dash_put_number(json, "size_bytes", disk->size);
    sn_json_write_object_end(json);
}

static sn_status write_hosts(struct sn_api *api, struct sn_http_request *request,
                             struct sn_json_writer *json, struct sn_err *err) {
    struct sn_board_view view;
    SN_TRY(sn_params_read(request, NULL, 0, err));
    SN_TRY(sn_dash_board(api, sn_http_request_arena(request), &view, err));
    sn_json_write_object_begin(json);
    sn_dash_put_time(json, "time", view.now_ms);
    sn_json_write_key_uint64(json, SN_STR("total"), view.hosts.total);
    sn_dash_put_hosts(json, "rows", &view.hosts, SN_HOSTS_MAX, view.now_ms);
    sn_json_write_key(json, SN_STR("disks"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < view.hosts.disk_count; i++)
        put_disk(json, &view.hosts.disks[i]);
    sn_json_write_array_end(json);
    sn_json_write_object_end(json);
    return SN_OK;
}

void sn_api_get_hosts(struct sn_api *api, struct sn_http_request *request) {
    sn_dash_respond(api, request, write_hosts);
}
