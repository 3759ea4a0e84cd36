/*
 * The route table. A new route is one row here and one handler; a test walks the table with and
 * without access.
 */
#include "api/api_priv.h"

#define GET_ONLY SN_API_GET, .allow = "GET, HEAD"
#define POST_ONLY SN_API_POST, .allow = "POST"

const struct sn_api_route sn_api_routes[] = {
    {"/", .methods = GET_ONLY, .role = SN_API_PUBLIC, .handle = sn_api_get_page},
    {"/page.js", .methods = GET_ONLY, .role = SN_API_PUBLIC, .handle = sn_api_get_page_script},
    {"/page.css", .methods = GET_ONLY, .role = SN_API_PUBLIC, .handle = sn_api_get_page_style},
    {"/healthz", .methods = GET_ONLY, .role = SN_API_PUBLIC, .handle = sn_api_get_healthz},
    {"/readyz", .methods = GET_ONLY, .role = SN_API_PUBLIC, .handle = sn_api_get_readyz},
    {"/metrics", .methods = GET_ONLY, .role = SN_API_READ, .is_slow = true,
     .handle = sn_api_get_metrics},
    {"/api/v1/metrics/system/status", .methods = GET_ONLY, .role = SN_API_READ, .is_slow = true,
     .handle = sn_api_get_host_status},
    {"/api/v1/history", .methods = GET_ONLY, .role = SN_API_READ, .is_slow = true,
     .handle = sn_api_get_history},
    {"/api/v1/import/prometheus", .methods = POST_ONLY, .role = SN_API_INGEST,
     .handle = sn_api_post_text},
};
const size_t sn_api_route_count = sizeof sn_api_routes / sizeof sn_api_routes[0];

const struct sn_api_route *sn_api_find_route(struct sn_str path) {
    if (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    for (size_t i = 0; i < sn_api_route_count; i++)
        if (sn_str_equal(path, sn_str_from(sn_api_routes[i].path)))
            return &sn_api_routes[i];
    return NULL;
}
