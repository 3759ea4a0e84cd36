/*
 * Streams of events: clients, what they listen to, and the worker that keeps asking.
 *
 *   client --subscribes--> channel: one topic with its parameters; asked once for all its clients
 *                             |
 *      worker: due? -> write the event -> the channel's newest event, a frame that clients share
 *                             |
 *   net: pull() <--- wake ----'     takes the newest frame; events that were replaced before the
 *                                   client could take them are told to it ("lag") and counted
 *
 * Memory: one frame per channel, and the ones that slow clients are still reading, all together at
 * most SN_STREAM_BYTES_MAX; beyond it no event is made until they have been read. A client that takes
 * no byte for the server's send timeout is closed by net.
 *
 * A stream ends after SN_STREAM_LIFE_NS, so that sessions that ended, and changes of roles, are noticed:
 * the client comes back with its credentials.
 */
#ifndef SN_API_STREAM_HUB_H
#define SN_API_STREAM_HUB_H

#include "api/stream_params.h"
#include "base/lock.h"
#include "codec/json_write.h"
#include "net/http.h"

#define SN_STREAM_CLIENTS_MAX 512
#define SN_STREAM_CLIENTS_PER_USER_MAX 32
#define SN_STREAM_CHANNELS_MAX 128 /* each costs its questions once per event */
#define SN_STREAM_EVENT_BYTES_MAX ((size_t)4 << 20)
#define SN_STREAM_BYTES_MAX ((size_t)64 << 20)
#define SN_STREAM_LIFE_NS INT64_C(600000000000)        /* 10 min */
#define SN_STREAM_HEARTBEAT_NS INT64_C(15000000000)    /* proxies cut what is silent for a minute */
#define SN_STREAM_EVENT_TIMEOUT_NS INT64_C(5000000000) /* one event is not worth more */

struct sn_stream_hub;

/* One event to be written. */
struct sn_stream_event {
    const struct sn_stream_spec *spec;
    enum sn_stream_topic topic;
    int64_t now_ms;                  /* of the event */
    int64_t last_ms;                 /* of topic history: what the client got last; 0: nothing */
    const atomic_bool *is_cancelled; /* set when the server stops */
};

struct sn_stream_hub_options {
    const struct sn_clock *clock; /* kept */
    /* Write the data of an event as one JSON value. Without any lock of the hub. */
    sn_status (*write)(void *ctx, const struct sn_stream_event *event, struct sn_json_writer *json,
                       struct sn_err *err);
    void *ctx; /* kept */
    /* sn_http_stream_wake, or what a test has in its place. Under the lock of the hub. */
    void (*wake)(struct sn_http_request *request);
};

/* SN_OK, SN_ERR_NO_MEMORY. */
sn_status sn_stream_hub_open(const struct sn_stream_hub_options *options,
                             struct sn_stream_hub **ret_hub, struct sn_err *err) SN_MUST_USE;
/* There are no clients any more: after the HTTP server was closed. NULL is fine; returns NULL. */
struct sn_stream_hub *sn_stream_hub_close(struct sn_stream_hub *hub);

/* The one that keeps asking. It stops within one question. */
struct sn_worker sn_stream_hub_worker(struct sn_stream_hub *hub);

/*
 * Take a client in and describe its stream, which the caller gives to sn_http_respond_stream at once.
 *
 *   request     only its address is kept, for wake
 *   user_id     0: no limit per user
 *   last_ms     Last-Event-ID: the first event of topic history is made here and starts there; 0: none
 *   ret_stream  headers and callbacks
 *
 * Returns SN_OK, SN_ERR_BUSY (clients, of one user, channels; the sentence says which),
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT, and with last_ms the statuses of `write`.
 * Threads: any. Blocks: with last_ms, as `write` does.
 */
struct sn_stream_join {
    struct sn_http_request *request;
    int64_t user_id;
    int64_t last_ms;
};
sn_status sn_stream_hub_join(struct sn_stream_hub *hub, const struct sn_stream_spec *spec,
                             const struct sn_stream_join *join, struct sn_http_stream *ret_stream,
                             struct sn_err *err) SN_MUST_USE;

struct sn_stream_stats {
    uint64_t clients_now;
    uint64_t channels_now;
    uint64_t bytes_now; /* of frames */
    uint64_t clients_total;
    uint64_t refused_total; /* clients beyond a limit */
    uint64_t events_total;  /* made, once for all clients of a channel */
    uint64_t sent_total;    /* taken by a client, whole */
    uint64_t dropped_total; /* replaced before a client could take them, or not made for memory */
};
void sn_stream_hub_stats(struct sn_stream_hub *hub, struct sn_stream_stats *ret_stats);

#endif
