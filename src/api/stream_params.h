/*
 * Parameters of GET /api/v1/stream.
 */
#ifndef SN_API_STREAM_PARAMS_H
#define SN_API_STREAM_PARAMS_H

#include "api/history_api.h"
#include "api/history_batch.h"

#define SN_STREAM_QUERIES_MAX 32
/* Up to this range events come every second, beyond it once per step. */
#define SN_STREAM_LIVE_RANGE_MS INT64_C(3600000)
/* What a client that comes back may have missed: more than that it has to ask for. */
#define SN_STREAM_RESUME_STEPS_MAX 240

enum sn_stream_topic {
    SN_STREAM_TICK = 0,     /* there is new data */
    SN_STREAM_OVERVIEW = 1, /* the overview, whole */
    SN_STREAM_HISTORY = 2,  /* the last steps of some questions */
    SN_STREAM_TOPIC_COUNT = 3,
};
const char *sn_stream_topic_name(enum sn_stream_topic topic);

/* What a client wants. Texts borrow from the parameters. */
struct sn_stream_spec {
    bool wants[SN_STREAM_TOPIC_COUNT];
    int64_t range_ms;
    int64_t step_ms;
    int64_t tempo_ms;                                    /* between two events of a topic */
    struct sn_history_item items[SN_STREAM_QUERIES_MAX]; /* of topic history */
    size_t item_count;
};

/*
 * Read them:
 *   topics    required: list of tick, overview, history, with commas
 *   range     default 1h
 *   step      at least 1s; default: as for history over that range
 *   columns   of history: list of min, avg, max, count; default all
 *   q.NAME    PromQL of topic history, under a name
 *
 * Returns SN_OK, SN_ERR_INVALID (which, which value), SN_ERR_LIMIT (queries).
 */
sn_status sn_stream_spec_parse(sn_history_next_param next, const void *ctx,
                               struct sn_stream_spec *ret_spec, struct sn_err *err) SN_MUST_USE;

/*
 * A text that is equal for equal questions about one topic, appended to buf: those are asked once for
 * all clients.
 */
void sn_stream_spec_key(const struct sn_stream_spec *spec, enum sn_stream_topic topic,
                        struct sn_buf *buf);

/*
 * The range of an event of topic history: the last three steps, or what is new since Last-Event-ID.
 *
 *   last_ms   what the client got last; 0: nothing
 */
struct sn_range sn_stream_event_range(const struct sn_stream_spec *spec, int64_t last_ms,
                                      int64_t now_ms);

#endif
