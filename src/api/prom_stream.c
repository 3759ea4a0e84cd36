/*
 * Results of queries on their way to the client.
 *
 * A large result is written while it is sent, so that its text, which is larger than the numbers, is
 * never in memory as a whole and the first bytes leave at once. Smaller ones take fewer system calls
 * when they are sent at once. The numbers stay until the client has taken the last byte; what all such
 * results may hold together is limited.
 *
 * The pieces are written on the HTTP thread of the connection, each in less than 0.1 ms.
 */
#include "api/prom_priv.h"
#include "base/mem.h"

/* Text that is put together for one piece. */
#define PIECE_BYTES ((size_t)16 << 10)
/* A series without its points, and a histogram, as points. */
#define SERIES_POINTS 8
#define HISTOGRAM_POINTS 64

struct stream {
    struct sn_api *api;
    struct sn_arena arena; /* has the result */
    struct sn_prom_answer answer;
    struct sn_prom_writer writer;
    struct sn_json_writer json;
    struct sn_buf buf; /* text that waits */
    size_t sent;       /* of it */
    bool is_written;
};

/* ---- sending ---- */

static void write_piece(struct stream *stream) {
    const struct sn_query_result *result = &stream->answer.result;
    sn_buf_reset(&stream->buf);
    stream->sent = 0;
    while (!stream->is_written && stream->buf.status == SN_OK && stream->buf.len < PIECE_BYTES) {
        if (sn_prom_writer_step(&stream->writer, &stream->json))
            continue;
        sn_prom_write_end(&stream->json, result->warnings, result->warning_count, result->infos,
                          result->info_count);
        stream->is_written = true;
    }
}

static enum sn_http_stream_step pull(void *ctx, uint8_t *buf, size_t room, size_t *ret_len) {
    struct stream *stream = ctx;
    if (stream->sent == stream->buf.len) {
        if (stream->is_written)
            return SN_HTTP_STREAM_END;
        write_piece(stream);
        if (stream->buf.status != SN_OK)
            return SN_HTTP_STREAM_FAIL;
    }
    size_t left = stream->buf.len - stream->sent;
    *ret_len = left < room ? left : room;
    memcpy(buf, stream->buf.ptr + stream->sent, *ret_len);
    stream->sent += *ret_len;
    return SN_HTTP_STREAM_DATA;
}

static void closed(void *ctx, bool is_complete) {
    struct stream *stream = ctx;
    (void)is_complete;
    atomic_fetch_sub(&stream->api->streamed_bytes, stream->arena.used);
    sn_prom_writer_release(&stream->writer);
    sn_buf_release(&stream->buf);
    sn_arena_release(&stream->arena);
    sn_free(stream);
}

/* ---- beginning ---- */

static bool is_large(const struct sn_prom_answer *answer, size_t points_min) {
    const struct sn_query_result *result = &answer->result;
    size_t points = 0;
    if (result->kind != SN_RESULT_VECTOR && result->kind != SN_RESULT_MATRIX)
        return false;
    for (size_t i = 0; i < result->series_count && points < points_min; i++)
        points += result->series[i].count + SERIES_POINTS +
                  result->series[i].histogram_count * HISTOGRAM_POINTS;
    return points >= points_min;
}

/* Take part of what all streamed results may hold. */
static bool charge(struct sn_api *api, size_t bytes) {
    size_t before = atomic_fetch_add(&api->streamed_bytes, bytes);
    if (before <= SN_PROM_STREAMED_BYTES_MAX && bytes <= SN_PROM_STREAMED_BYTES_MAX - before)
        return true;
    atomic_fetch_sub(&api->streamed_bytes, bytes);
    return false;
}

static void refuse(struct sn_prom_call *call) {
    struct sn_err err;
    (void)sn_err_set(&err, SN_ERR_BUSY,
                     "this result has %zu bytes, and %zu are being sent to other clients; together "
                     "the limit is %zu: try again",
                     call->arena.used, (size_t)atomic_load(&call->api->streamed_bytes),
                     SN_PROM_STREAMED_BYTES_MAX);
    sn_prom_fail(call, true, SN_ERR_BUSY, &err);
}

/* What the call holds becomes the stream's. */
static void begin(struct sn_prom_call *call, struct stream *stream,
                  const struct sn_prom_answer *answer) {
    *stream = (struct stream){.api = call->api,
                              .arena = call->arena,
                              .answer = *answer,
                              .json = call->json,
                              .buf = call->buf};
    stream->json.buf = &stream->buf;
    sn_prom_writer_init(&stream->writer, &stream->answer.result, answer->limit, answer->has_stats);
    sn_arena_init(&call->arena, 0);
    sn_buf_init(&call->buf, 0);
    sn_http_respond_stream(call->request, &(struct sn_http_stream){
                                              .status = 200,
                                              .content_type = "application/json",
                                              .pull = pull,
                                              .closed = closed,
                                              .ctx = stream,
                                              .is_compressible = true,
                                          });
    sn_prom_release(call);
}

void sn_prom_end_result(struct sn_prom_call *call, const struct sn_prom_answer *answer) {
    const struct sn_query_result *result = &answer->result;
    struct stream *stream =
        is_large(answer, call->api->stream_points_min) ? sn_alloc(sizeof *stream) : NULL;
    if (stream == NULL) {
        sn_prom_write_result(&call->json, result, answer->limit, answer->has_stats);
        sn_prom_end(call, result->warnings, result->warning_count, result->infos,
                    result->info_count);
    } else if (charge(call->api, call->arena.used)) {
        begin(call, stream, answer);
    } else {
        sn_free(stream);
        refuse(call);
    }
}
