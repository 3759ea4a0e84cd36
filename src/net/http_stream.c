/*
 * The content reader of streams: pull() in, suspended while there is nothing.
 *
 * libmicrohttpd asks only when the socket has taken what was given before, so a slow client slows
 * its producer down and nothing piles up. Worker's thread only.
 */
#include "net/http_priv.h"

static bool is_broken(const struct sn_http_connection *connection) {
    return connection->is_gone || connection->is_cut;
}

static ssize_t end(struct sn_http_request *request) {
    request->is_stream_complete = true;
    return MHD_CONTENT_READER_END_OF_STREAM;
}

static enum sn_http_stream_step pull(struct sn_http_request *request, uint8_t *buf, size_t room,
                                     size_t *ret_len) {
    return request->gzip != NULL
               ? sn_http_gzip_read(request->gzip, &request->stream, buf, room, ret_len)
               : request->stream.pull(request->stream.ctx, buf, room, ret_len);
}

ssize_t sn_http_stream_read(void *cls, uint64_t pos, char *buf, size_t max) {
    struct sn_http_request *request = cls;
    struct sn_http_connection *connection = request->connection;
    size_t len = 0;
    (void)pos;
    if (is_broken(connection))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (request->stream.is_endless && request->worker->is_draining)
        return end(request);
    switch (pull(request, (uint8_t *)buf, max, &len)) {
    case SN_HTTP_STREAM_DATA:
        SN_CHECK(len > 0 && len <= max);
        sn_http_count(request->worker, SN_HTTP_COUNT_BYTES_OUT, len);
        return (ssize_t)len;
    case SN_HTTP_STREAM_WAIT:
        sn_http_connection_suspend(connection);
        return 0;
    case SN_HTTP_STREAM_END:
        return end(request);
    case SN_HTTP_STREAM_FAIL:
        break;
    }
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

void sn_http_stream_wake(struct sn_http_request *request) {
    /* Before the answer there is nothing to wake, and pull will be asked first thing after it. */
    if (atomic_load(&request->answer_state) == SN_HTTP_ANSWERED)
        sn_http_request_wake(request);
}

void sn_http_stream_close(struct sn_http_request *request, bool is_complete) {
    request->has_stream = false;
    sn_http_gzip_free(request->gzip);
    request->gzip = NULL;
    request->stream.closed(request->stream.ctx, is_complete);
}
