/*
 * Files that never change: three response objects made once and shared by all requests.
 *
 * The ETag is a weak one of the plain bytes, so that it is the same for the plain and the gzip
 * form.
 */
#include "base/mem.h"
#include "net/http_priv.h"

#include <inttypes.h>

#define GZIP_LEVEL_ONCE 9
#define ETAG_SIZE 24                       /* W/"0123456789abcdef" and NUL */
#define PLAIN_BYTES_MAX ((size_t)16 << 20) /* of a body that comes as gzip: no page is larger */

struct sn_http_asset {
    struct MHD_Response *plain;
    struct MHD_Response *gzip; /* NULL when it would not be smaller */
    struct MHD_Response *not_modified;
    size_t plain_bytes;
    size_t gzip_bytes;
    char etag[ETAG_SIZE];
};

static bool add(struct MHD_Response *response, const char *name, const char *value) {
    return response != NULL && MHD_add_response_header(response, name, value) == MHD_YES;
}

/* What 200 and 304 share. */
static bool add_common(struct MHD_Response *response, const struct sn_http_asset *asset,
                       const struct sn_http_asset_options *options) {
    const char *cache_control =
        options->cache_control != NULL ? options->cache_control : "no-cache";
    bool is_added = add(response, MHD_HTTP_HEADER_ETAG, asset->etag) &&
                    add(response, MHD_HTTP_HEADER_CACHE_CONTROL, cache_control) &&
                    add(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    for (size_t i = 0; is_added && i < options->header_count; i++)
        is_added = add(response, options->headers[i].name, options->headers[i].value);
    return is_added;
}

static bool describe(struct MHD_Response *response, const struct sn_http_asset *asset,
                     const struct sn_http_asset_options *options) {
    return add_common(response, asset, options) &&
           add(response, MHD_HTTP_HEADER_CONTENT_TYPE, options->content_type);
}

/* A response of bytes that outlive it. */
static struct MHD_Response *respond_kept(struct sn_str bytes) {
    union {
        const char *from;
        void *to;
    } body = {.from = bytes.ptr}; /* the library takes void *, and only reads */
    return MHD_create_response_from_buffer(bytes.len, body.to, MHD_RESPMEM_PERSISTENT);
}

/* A response that owns the bytes; they are gone in any case. */
static struct MHD_Response *respond_taken(struct sn_buf *bytes) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(bytes->len, bytes->ptr, sn_free);
    if (response == NULL)
        sn_buf_release(bytes);
    return response;
}

static void name_content(struct sn_http_asset *asset, const void *plain, size_t len) {
    asset->plain_bytes = len;
    (void)snprintf(asset->etag, sizeof(asset->etag), "W/\"%016" PRIx64 "\"",
                   sn_hash_bytes(plain, len, 0));
}

/* The body is plain: the gzip form is made of it, where that is smaller. */
static bool make_of_plain(struct sn_http_asset *asset,
                          const struct sn_http_asset_options *options) {
    name_content(asset, options->body.ptr, options->body.len);
    asset->plain = respond_kept(options->body);
    if (!describe(asset->plain, asset, options))
        return false;
    struct sn_buf gzip;
    sn_buf_init(&gzip, options->body.len);
    if (!sn_http_is_compressible(sn_str_from(options->content_type)) ||
        !sn_http_deflate(options->body, GZIP_LEVEL_ONCE, &gzip)) {
        sn_buf_release(&gzip);
        return true; /* the plain form does */
    }
    asset->gzip_bytes = gzip.len;
    asset->gzip = respond_taken(&gzip);
    return describe(asset->gzip, asset, options) &&
           add(asset->gzip, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
}

/* The body is gzip: the plain form is made of it, for clients that do not take gzip. */
static bool make_of_gzip(struct sn_http_asset *asset, const struct sn_http_asset_options *options) {
    struct sn_buf plain;
    sn_buf_init(&plain, PLAIN_BYTES_MAX);
    if (sn_http_inflate(options->body, &plain, NULL) != SN_OK) {
        sn_buf_release(&plain);
        return false;
    }
    name_content(asset, plain.ptr, plain.len);
    asset->plain = respond_taken(&plain);
    asset->gzip_bytes = options->body.len;
    asset->gzip = respond_kept(options->body);
    return describe(asset->plain, asset, options) && describe(asset->gzip, asset, options) &&
           add(asset->gzip, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
}

static bool make_not_modified(struct sn_http_asset *asset,
                              const struct sn_http_asset_options *options) {
    static char nothing[1];
    asset->not_modified = MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
    return add_common(asset->not_modified, asset, options);
}

struct sn_http_asset *sn_http_asset_new(const struct sn_http_asset_options *options) {
    struct sn_http_asset *asset = sn_alloc_zero(1, sizeof(*asset));
    if (asset == NULL)
        return NULL;
    bool is_made = options->is_gzip ? make_of_gzip(asset, options) : make_of_plain(asset, options);
    if (!is_made || !make_not_modified(asset, options))
        return sn_http_asset_free(asset);
    return asset;
}

struct sn_http_asset *sn_http_asset_free(struct sn_http_asset *asset) {
    if (asset == NULL)
        return NULL;
    if (asset->plain != NULL)
        MHD_destroy_response(asset->plain);
    if (asset->gzip != NULL)
        MHD_destroy_response(asset->gzip);
    if (asset->not_modified != NULL)
        MHD_destroy_response(asset->not_modified);
    sn_free(asset);
    return NULL;
}

static bool has_current(const struct sn_http_request *request, const struct sn_http_asset *asset) {
    struct sn_str if_none_match;
    return sn_http_request_header(request, SN_STR("if-none-match"), &if_none_match) &&
           sn_http_matches_etag(if_none_match, sn_str_from(asset->etag + 2));
}

static bool takes_gzip(const struct sn_http_request *request, const struct sn_http_asset *asset) {
    struct sn_str accepted;
    return asset->gzip != NULL &&
           sn_http_request_header(request, SN_STR("accept-encoding"), &accepted) &&
           sn_http_accepts_gzip(accepted);
}

void sn_http_respond_asset(struct sn_http_request *request, const struct sn_http_asset *asset) {
    if (SN_NEVER(atomic_load(&request->answer_state) == SN_HTTP_ANSWERED))
        return;
    request->is_shared = true;
    request->status = 200;
    if (has_current(request, asset)) {
        request->status = 304;
        request->response = asset->not_modified;
    } else if (takes_gzip(request, asset)) {
        request->response = asset->gzip;
        request->answer_bytes = asset->gzip_bytes;
    } else {
        request->response = asset->plain;
        request->answer_bytes = asset->plain_bytes;
    }
    sn_http_request_deliver(request);
}
