/*
 * The dashboard: one page, its script and its style, built from web/ and embedded as gzip.
 *
 * 1. The page is asked for again each time (ETag); script and style carry a hash of their content in
 *    their names, which the page holds, and are kept for ever.
 * 2. The page works without its script only as far as it says so; nothing here depends on who asks.
 */
#include "api/api_priv.h"

/* Written by web/build.mjs; the name assets hold "app-<hash>.js" and "app-<hash>.css". */
extern const unsigned char sn_asset_index_html_gz[], sn_asset_app_js_gz[], sn_asset_app_css_gz[];
extern const size_t sn_asset_index_html_gz_len, sn_asset_app_js_gz_len, sn_asset_app_css_gz_len;
extern const unsigned char sn_asset_app_js_name[], sn_asset_app_css_name[];
extern const size_t sn_asset_app_js_name_len, sn_asset_app_css_name_len;

/* Nothing but our own files, no inline script or style, not in a frame. */
static const struct sn_http_header headers[] = {
    {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "
                                "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
                                "form-action 'self'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
};

static struct sn_http_asset *make(struct sn_http_asset_options options) {
    options.is_gzip = true;
    options.headers = headers;
    options.header_count = sizeof headers / sizeof headers[0];
    return sn_http_asset_new(&options);
}

/* A file whose name changes with its content. */
static struct sn_http_asset *make_kept(const char *content_type, const void *bytes, size_t len) {
    return make((struct sn_http_asset_options){
        .content_type = content_type,
        .body = sn_str_make(bytes, len),
        .cache_control = "public, max-age=31536000, immutable",
    });
}

sn_status sn_api_page_open(struct sn_api *api, struct sn_err *err) {
    api->page = make((struct sn_http_asset_options){
        .content_type = "text/html; charset=utf-8",
        .body = sn_str_make(sn_asset_index_html_gz, sn_asset_index_html_gz_len),
    });
    api->page_script =
        make_kept("text/javascript; charset=utf-8", sn_asset_app_js_gz, sn_asset_app_js_gz_len);
    api->page_style =
        make_kept("text/css; charset=utf-8", sn_asset_app_css_gz, sn_asset_app_css_gz_len);
    if (api->page == NULL || api->page_script == NULL || api->page_style == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the dashboard");
    return SN_OK;
}

void sn_api_page_close(struct sn_api *api) {
    api->page = sn_http_asset_free(api->page);
    api->page_script = sn_http_asset_free(api->page_script);
    api->page_style = sn_http_asset_free(api->page_style);
}

void sn_api_get_page(struct sn_api *api, struct sn_http_request *request) {
    sn_http_respond_asset(request, api->page);
}

static bool is_name(struct sn_str name, const unsigned char *wanted, size_t len) {
    return sn_str_equal(name, sn_str_make(wanted, len));
}

void sn_api_get_page_file(struct sn_api *api, struct sn_http_request *request) {
    struct sn_str name;
    struct sn_err err = {.status = SN_OK};
    sn_status status = sn_api_path_piece(request, 2, &name, &err); /* /assets/{name} */
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
    else if (is_name(name, sn_asset_app_js_name, sn_asset_app_js_name_len))
        sn_http_respond_asset(request, api->page_script);
    else if (is_name(name, sn_asset_app_css_name, sn_asset_app_css_name_len))
        sn_http_respond_asset(request, api->page_style);
    else
        sn_http_respond_not_found(request);
}
