/*
 * The landing page: CPU, memory and disk of the last hour. Static files embedded in the binary.
 */
#include "api/api_priv.h"

extern const unsigned char sn_asset_page_html[], sn_asset_page_js[], sn_asset_page_css[];
extern const size_t sn_asset_page_html_len, sn_asset_page_js_len, sn_asset_page_css_len;

/* Nothing but our own files, no inline script or style, not in a frame. */
static const struct sn_http_header headers[] = {
    {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "
                                "connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
                                "form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
};

static struct sn_http_asset *make(const char *content_type, const unsigned char *bytes,
                                  size_t len) {
    const struct sn_http_asset_options options = {
        .content_type = content_type,
        .body = sn_str_make(bytes, len),
        .headers = headers,
        .header_count = sizeof headers / sizeof headers[0],
    };
    return sn_http_asset_new(&options);
}

sn_status sn_api_page_open(struct sn_api *api, struct sn_err *err) {
    api->page = make("text/html; charset=utf-8", sn_asset_page_html, sn_asset_page_html_len);
    api->page_script =
        make("text/javascript; charset=utf-8", sn_asset_page_js, sn_asset_page_js_len);
    api->page_style = make("text/css; charset=utf-8", sn_asset_page_css, sn_asset_page_css_len);
    if (api->page == NULL || api->page_script == NULL || api->page_style == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the landing page");
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

void sn_api_get_page_script(struct sn_api *api, struct sn_http_request *request) {
    sn_http_respond_asset(request, api->page_script);
}

void sn_api_get_page_style(struct sn_api *api, struct sn_http_request *request) {
    sn_http_respond_asset(request, api->page_style);
}
