/*
 * Clients and channels of events. See stream_hub.h.
 *
 * Any thread; everything below mu is guarded by it. Of a client, only `at`, `left` and `text` are not:
 * they belong to its worker of net, between joining and closed(). Bytes of a frame never change.
 *
 *   join (job thread) -> pull, pull, ... (net) -> closed (net)
 *
 * Invariants:
 *   1. A channel is in the list while it has subscribers, or while the worker writes its event.
 *   2. A client is in the list from join to closed; wake is called with mu held, so never after that.
 */
#include "api/stream_hub.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* The longest wait while there are clients: a clock of a test moves without waking anybody. */
#define WAIT_NS_MAX INT64_C(250000000)
#define KEY_BYTES_MAX ((size_t)128 << 10)
#define SPEC_ARENA_BYTES ((size_t)256 << 10)
#define PREAMBLE "retry: 2000\n\n"
#define HEARTBEAT ": heartbeat\n\n"

/* An event as it is sent. */
struct frame {
    struct sn_buf text;
    unsigned ref_count;
};

struct channel {
    struct channel *next;
    struct sn_stream_spec spec; /* its texts are in the arena */
    enum sn_stream_topic topic;
    struct sn_arena arena;
    struct sn_str key;
    size_t subscriber_count;
    bool is_busy;          /* the worker writes its event, without mu */
    struct frame *newest;  /* NULL: none yet */
    uint64_t event_number; /* of the newest; 0: none yet */
    int64_t due_ns;
};

struct subscription {
    struct channel *channel;
    uint64_t seen_number; /* of the event that was taken last */
};

struct client {
    struct client *next, *previous;
    struct sn_stream_hub *hub;
    struct sn_http_request *request;
    int64_t user_id;
    struct subscription subscriptions[SN_STREAM_TOPIC_COUNT];
    size_t subscription_count;
    struct frame *first; /* to be sent before all others, or NULL */
    struct frame *frame; /* being sent, or NULL */
    int64_t joined_ns, sent_ns;
    bool is_heartbeat_due;
    bool is_over; /* lived long enough */
    const char *at;
    size_t left;
    char text[96]; /* small things to send */
};

struct sn_stream_hub {
    struct sn_stream_hub_options options;
    struct sn_mutex mu;
    struct sn_cond changed; /* a channel became due, or is_stopping */
    struct client *clients;
    struct channel *channels;
    struct sn_stream_stats stats;
    bool is_stopping;
    atomic_bool is_cancelled; /* of the event being written */
};

/* ---- frames ---- */

static struct frame *frame_unref_locked(struct sn_stream_hub *hub, struct frame *frame) {
    if (frame == NULL || --frame->ref_count > 0)
        return NULL;
    hub->stats.bytes_now -= frame->text.cap;
    sn_buf_release(&frame->text);
    sn_free(frame);
    return NULL;
}

/* "event: history", "data: ..." with what `write` says; a failure becomes an event of its own. */
static void put_event(struct sn_stream_hub *hub, const struct sn_stream_event *event,
                      struct sn_buf *buf, struct sn_err *err) {
    const char *name = sn_stream_topic_name(event->topic);
    struct sn_json_writer json;
    if (event->topic == SN_STREAM_HISTORY)
        sn_buf_printf(buf, "id: %lld\n", (long long)event->now_ms);
    sn_buf_printf(buf, "event: %s\ndata: ", name);
    sn_json_write_init(&json, buf, 0);
    sn_status status = hub->options.write(hub->options.ctx, event, &json, err);
    if (status == SN_OK)
        status = sn_json_write_finish(&json, err);
    if (status != SN_OK && status != SN_ERR_CLOSED) {
        sn_buf_reset(buf);
        sn_buf_put_text(buf, "event: failure\ndata: ");
        sn_json_write_init(&json, buf, 0);
        sn_json_write_object_begin(&json);
        sn_json_write_key_string(&json, SN_STR("topic"), sn_str_from(name));
        sn_json_write_key_string(&json, SN_STR("error"), sn_str_from(err->text));
        sn_json_write_object_end(&json);
    }
    sn_buf_put_text(buf, "\n\n");
}

/* An event with one reference; NULL: no memory, or cancelled. Without mu. */
static struct frame *frame_new(struct sn_stream_hub *hub, const struct sn_stream_spec *spec,
                               enum sn_stream_topic topic, int64_t last_ms) {
    struct sn_err err = {.status = SN_OK};
    const struct sn_stream_event event = {
        .spec = spec,
        .topic = topic,
        .now_ms = sn_clock_wall_ms(hub->options.clock),
        .last_ms = last_ms,
        .is_cancelled = &hub->is_cancelled,
    };
    struct frame *frame = sn_alloc_zero(1, sizeof *frame);
    if (frame == NULL)
        return NULL;
    sn_buf_init(&frame->text, SN_STREAM_EVENT_BYTES_MAX);
    put_event(hub, &event, &frame->text, &err);
    if (frame->text.status == SN_OK && err.status != SN_ERR_CLOSED) {
        frame->ref_count = 1;
        return frame;
    }
    sn_buf_release(&frame->text);
    sn_free(frame);
    return NULL;
}

/* ---- channels ---- */

static void channel_free_locked(struct sn_stream_hub *hub, struct channel *channel) {
    (void)frame_unref_locked(hub, channel->newest); /* NULL, always */
    sn_arena_release(&channel->arena);
    sn_free(channel);
}

/* Out of the list when nobody needs it. */
static void channel_drop_locked(struct sn_stream_hub *hub, struct channel *channel) {
    struct channel **link = &hub->channels;
    if (channel->subscriber_count > 0 || channel->is_busy)
        return;
    while (*link != channel)
        link = &(*link)->next;
    *link = channel->next;
    hub->stats.channels_now--;
    channel_free_locked(hub, channel);
}

static sn_status copy_spec(struct channel *channel, const struct sn_stream_spec *spec,
                           struct sn_str key) {
    channel->spec = *spec;
    bool is_copied = sn_arena_copy(&channel->arena, key, &channel->key);
    for (size_t i = 0; i < spec->item_count; i++) {
        struct sn_history_item *item = &channel->spec.items[i];
        is_copied = is_copied && sn_arena_copy(&channel->arena, item->id, &item->id) &&
                    sn_arena_copy(&channel->arena, item->expression, &item->expression);
    }
    return is_copied ? SN_OK : SN_ERR_NO_MEMORY;
}

static struct channel *channel_new(const struct sn_stream_spec *spec, enum sn_stream_topic topic,
                                   struct sn_str key) {
    struct channel *channel = sn_alloc_zero(1, sizeof *channel);
    if (channel == NULL)
        return NULL;
    channel->topic = topic;
    sn_arena_init(&channel->arena, SPEC_ARENA_BYTES);
    if (copy_spec(channel, spec, key) == SN_OK)
        return channel;
    sn_arena_release(&channel->arena);
    sn_free(channel);
    return NULL;
}

static struct channel *channel_find_locked(struct sn_stream_hub *hub, struct sn_str key) {
    struct channel *channel = hub->channels;
    while (channel != NULL && !sn_str_equal(channel->key, key))
        channel = channel->next;
    return channel;
}

/* The channel of a topic, made when there is none. */
static sn_status channel_get_locked(struct sn_stream_hub *hub, const struct sn_stream_spec *spec,
                                    enum sn_stream_topic topic, struct channel **ret_channel,
                                    struct sn_err *err) {
    struct sn_buf key;
    sn_buf_init(&key, KEY_BYTES_MAX);
    sn_stream_spec_key(spec, topic, &key);
    sn_status status = sn_buf_status(&key, err);
    struct channel *channel = NULL;
    if (status == SN_OK)
        channel = channel_find_locked(hub, sn_buf_str(&key));
    if (status == SN_OK && channel == NULL && hub->stats.channels_now == SN_STREAM_CHANNELS_MAX)
        status = sn_err_set(err, SN_ERR_BUSY,
                            "streams listen to %d different things, which is the limit",
                            SN_STREAM_CHANNELS_MAX);
    if (status == SN_OK && channel == NULL) {
        channel = channel_new(spec, topic, sn_buf_str(&key));
        if (channel == NULL) {
            status = sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a stream");
        } else {
            channel->due_ns = sn_clock_mono_ns(hub->options.clock);
            channel->next = hub->channels;
            hub->channels = channel;
            hub->stats.channels_now++;
        }
    }
    sn_buf_release(&key);
    if (status == SN_OK)
        *ret_channel = channel;
    return status;
}

/* ---- clients ---- */

static void leave_channels_locked(struct client *client) {
    for (size_t i = 0; i < client->subscription_count; i++) {
        struct channel *channel = client->subscriptions[i].channel;
        channel->subscriber_count--;
        channel_drop_locked(client->hub, channel);
    }
    client->subscription_count = 0;
}

static void closed(void *ctx, bool is_complete) {
    struct client *client = ctx;
    struct sn_stream_hub *hub = client->hub;
    (void)is_complete;
    sn_mutex_lock(&hub->mu);
    if (client->previous != NULL)
        client->previous->next = client->next;
    else
        hub->clients = client->next;
    if (client->next != NULL)
        client->next->previous = client->previous;
    hub->stats.clients_now--;
    leave_channels_locked(client);
    client->first = frame_unref_locked(hub, client->first);
    client->frame = frame_unref_locked(hub, client->frame);
    sn_mutex_unlock(&hub->mu);
    sn_free(client);
}

static void say(struct client *client, const char *text) {
    client->at = text;
    client->left = strlen(text);
}

/* Whether events that were left out held steps that the newest one does not have. */
static bool has_lost_steps(const struct channel *channel, uint64_t dropped) {
    const struct sn_stream_spec *spec = &channel->spec;
    return channel->topic == SN_STREAM_HISTORY &&
           dropped >= (uint64_t)(2 * spec->step_ms / spec->tempo_ms);
}

/* Pass over the events that were replaced; whether the client has to be told, and then what. */
static bool say_lag_locked(struct client *client, struct subscription *subscription) {
    const struct channel *channel = subscription->channel;
    uint64_t dropped = channel->event_number - subscription->seen_number - 1;
    subscription->seen_number += dropped;
    if (!has_lost_steps(channel, dropped))
        return false;
    int len = snprintf(client->text, sizeof client->text,
                       "event: lag\ndata: {\"topic\":\"%s\",\"dropped\":%llu}\n\n",
                       sn_stream_topic_name(channel->topic), (unsigned long long)dropped);
    assert(len > 0 && (size_t)len < sizeof client->text);
    say(client, client->text);
    return true;
}

static void send_frame(struct client *client, struct frame *frame) {
    client->frame = frame;
    client->at = (const char *)frame->text.ptr;
    client->left = frame->text.len;
}

/* The next event that the client has not had. */
static bool take_event_locked(struct client *client) {
    if (client->first != NULL) {
        send_frame(client, SN_TAKE(client->first));
        return true;
    }
    for (size_t i = 0; i < client->subscription_count; i++) {
        struct subscription *subscription = &client->subscriptions[i];
        struct channel *channel = subscription->channel;
        if (channel->newest == NULL || channel->event_number == subscription->seen_number)
            continue;
        if (say_lag_locked(client, subscription))
            return true;
        subscription->seen_number = channel->event_number;
        channel->newest->ref_count++;
        send_frame(client, channel->newest);
        return true;
    }
    return false;
}

/* Find something to send. */
static enum sn_http_stream_step next_piece_locked(struct client *client) {
    struct sn_stream_hub *hub = client->hub;
    if (client->frame != NULL) {
        hub->stats.sent_total++;
        client->frame = frame_unref_locked(hub, client->frame);
    }
    if (client->is_over)
        return SN_HTTP_STREAM_END;
    if (!take_event_locked(client)) {
        if (!client->is_heartbeat_due)
            return SN_HTTP_STREAM_WAIT;
        say(client, HEARTBEAT);
    }
    client->is_heartbeat_due = false;
    client->sent_ns = sn_clock_mono_ns(hub->options.clock);
    return SN_HTTP_STREAM_DATA;
}

static enum sn_http_stream_step pull(void *ctx, uint8_t *buf, size_t room, size_t *ret_len) {
    struct client *client = ctx;
    if (client->left == 0) {
        sn_mutex_lock(&client->hub->mu);
        enum sn_http_stream_step step = next_piece_locked(client);
        sn_mutex_unlock(&client->hub->mu);
        if (step != SN_HTTP_STREAM_DATA)
            return step;
    }
    size_t len = client->left < room ? client->left : room;
    memcpy(buf, client->at, len);
    client->at += len;
    client->left -= len;
    *ret_len = len;
    return SN_HTTP_STREAM_DATA;
}

/* ---- join ---- */

static sn_status check_limits_locked(const struct sn_stream_hub *hub, int64_t user_id,
                                     struct sn_err *err) {
    size_t count = 0;
    if (hub->is_stopping)
        return sn_err_set(err, SN_ERR_CLOSED, "the server is shutting down");
    if (hub->stats.clients_now >= SN_STREAM_CLIENTS_MAX)
        return sn_err_set(err, SN_ERR_BUSY, "%d streams are open, which is the limit",
                          SN_STREAM_CLIENTS_MAX);
    for (const struct client *client = hub->clients; client != NULL; client = client->next)
        count += user_id != 0 && client->user_id == user_id;
    if (count >= SN_STREAM_CLIENTS_PER_USER_MAX)
        return sn_err_set(err, SN_ERR_BUSY,
                          "you have %d streams open, which is the limit: close other tabs",
                          SN_STREAM_CLIENTS_PER_USER_MAX);
    return SN_OK;
}

static sn_status subscribe_locked(struct client *client, const struct sn_stream_spec *spec,
                                  struct sn_err *err) {
    for (int i = 0; i < SN_STREAM_TOPIC_COUNT; i++) {
        enum sn_stream_topic topic = (enum sn_stream_topic)i;
        struct channel *channel = NULL;
        if (!spec->wants[i])
            continue;
        sn_status status = channel_get_locked(client->hub, spec, topic, &channel, err);
        if (channel == NULL)
            return status;
        channel->subscriber_count++;
        /* The newest event is sent at once, unless the client had its own first. */
        bool has_first = topic == SN_STREAM_HISTORY && client->first != NULL;
        uint64_t number = channel->event_number;
        client->subscriptions[client->subscription_count++] =
            (struct subscription){channel, number > 0 && !has_first ? number - 1 : number};
    }
    return SN_OK;
}

static sn_status enter_locked(struct client *client, const struct sn_stream_spec *spec,
                              struct sn_err *err) {
    struct sn_stream_hub *hub = client->hub;
    sn_status status = check_limits_locked(hub, client->user_id, err);
    if (status == SN_OK)
        status = subscribe_locked(client, spec, err);
    if (status != SN_OK) {
        leave_channels_locked(client);
        client->first = frame_unref_locked(hub, client->first);
        hub->stats.refused_total += status == SN_ERR_BUSY;
        return status;
    }
    client->next = hub->clients;
    if (client->next != NULL)
        client->next->previous = client;
    hub->clients = client;
    hub->stats.clients_now++;
    hub->stats.clients_total++;
    sn_cond_signal(&hub->changed);
    return SN_OK;
}

/* The first event of topic history, for a client that comes back. */
static sn_status make_first_event(struct client *client, const struct sn_stream_spec *spec,
                                  int64_t last_ms, struct sn_err *err) {
    struct sn_stream_hub *hub = client->hub;
    client->first = frame_new(hub, spec, SN_STREAM_HISTORY, last_ms);
    if (client->first == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a stream");
    sn_mutex_lock(&hub->mu);
    hub->stats.bytes_now += client->first->text.cap;
    hub->stats.events_total++;
    sn_mutex_unlock(&hub->mu);
    return SN_OK;
}

sn_status sn_stream_hub_join(struct sn_stream_hub *hub, const struct sn_stream_spec *spec,
                             const struct sn_stream_join *join, struct sn_http_stream *ret_stream,
                             struct sn_err *err) {
    static const struct sn_http_header headers[] = {
        {"Cache-Control", "no-store"},
        {"X-Accel-Buffering", "no"}, /* nginx keeps answers back otherwise */
    };
    struct client *client = sn_alloc_zero(1, sizeof *client);
    sn_status status = SN_OK;
    if (client == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a stream");
    client->hub = hub;
    client->request = join->request;
    client->user_id = join->user_id;
    client->joined_ns = client->sent_ns = sn_clock_mono_ns(hub->options.clock);
    say(client, PREAMBLE);
    if (join->last_ms > 0 && spec->wants[SN_STREAM_HISTORY])
        status = make_first_event(client, spec, join->last_ms, err);
    if (status == SN_OK) {
        sn_mutex_lock(&hub->mu);
        status = enter_locked(client, spec, err);
        sn_mutex_unlock(&hub->mu);
    }
    if (status != SN_OK) {
        sn_free(client);
        return status;
    }
    *ret_stream = (struct sn_http_stream){
        .status = 200,
        .content_type = "text/event-stream",
        .headers = headers,
        .header_count = sizeof headers / sizeof headers[0],
        .pull = pull,
        .closed = closed,
        .ctx = client,
        .is_endless = true,
    };
    return SN_OK;
}

/* ---- the worker ---- */

/* The channel that is due first; NULL: there is none. */
static struct channel *first_due_locked(const struct sn_stream_hub *hub) {
    struct channel *first = NULL;
    for (struct channel *channel = hub->channels; channel != NULL; channel = channel->next)
        if (first == NULL || channel->due_ns < first->due_ns)
            first = channel;
    return first;
}

static const struct subscription *find_subscription(const struct client *client,
                                                    const struct channel *channel) {
    for (size_t i = 0; i < client->subscription_count; i++)
        if (client->subscriptions[i].channel == channel)
            return &client->subscriptions[i];
    return NULL;
}

static void publish_locked(struct sn_stream_hub *hub, struct channel *channel,
                           struct frame *frame) {
    hub->stats.bytes_now += frame->text.cap;
    hub->stats.events_total++;
    (void)frame_unref_locked(hub, channel->newest); /* NULL, always */
    channel->newest = frame;
    uint64_t replaced = channel->event_number++;
    for (struct client *client = hub->clients; client != NULL; client = client->next) {
        const struct subscription *subscription = find_subscription(client, channel);
        if (subscription == NULL)
            continue;
        hub->stats.dropped_total += subscription->seen_number < replaced;
        hub->options.wake(client->request);
    }
}

/* The next multiple of the tempo behind now: what was missed meanwhile is left out. */
static int64_t next_due_ns(const struct channel *channel, int64_t now_ns) {
    int64_t tempo_ns = channel->spec.tempo_ms * 1000000;
    int64_t passed = (now_ns - channel->due_ns) / tempo_ns;
    return channel->due_ns + (passed + 1) * tempo_ns;
}

/* Write the event of a channel that is due. Leaves mu meanwhile. */
static void ask_locked(struct sn_stream_hub *hub, struct channel *channel, int64_t now_ns)
    SN_REQUIRES(&hub->mu) {
    channel->due_ns = next_due_ns(channel, now_ns);
    if (hub->stats.bytes_now > SN_STREAM_BYTES_MAX - SN_STREAM_EVENT_BYTES_MAX) {
        hub->stats.dropped_total += channel->subscriber_count;
        return;
    }
    channel->is_busy = true;
    sn_mutex_unlock(&hub->mu);
    struct frame *frame = frame_new(hub, &channel->spec, channel->topic, 0);
    sn_mutex_lock(&hub->mu);
    channel->is_busy = false;
    if (frame == NULL)
        hub->stats.dropped_total += channel->subscriber_count;
    else
        publish_locked(hub, channel, frame);
    channel_drop_locked(hub, channel);
}

/* Heartbeats and ends. */
static void look_after_clients_locked(struct sn_stream_hub *hub, int64_t now_ns) {
    for (struct client *client = hub->clients; client != NULL; client = client->next) {
        bool is_over = now_ns - client->joined_ns >= SN_STREAM_LIFE_NS;
        bool is_silent = now_ns - client->sent_ns >= SN_STREAM_HEARTBEAT_NS;
        if (is_over == client->is_over && is_silent == client->is_heartbeat_due)
            continue;
        client->is_over = is_over;
        client->is_heartbeat_due = is_silent;
        hub->options.wake(client->request);
    }
}

static void turn_locked(struct sn_stream_hub *hub) SN_REQUIRES(&hub->mu) {
    int64_t now_ns = sn_clock_mono_ns(hub->options.clock);
    struct channel *channel = first_due_locked(hub);
    look_after_clients_locked(hub, now_ns);
    if (channel == NULL) {
        sn_cond_wait(&hub->changed, &hub->mu);
    } else if (channel->due_ns <= now_ns) {
        ask_locked(hub, channel, now_ns);
    } else {
        int64_t left_ns = channel->due_ns - now_ns;
        (void)sn_cond_wait_ns(&hub->changed, &hub->mu,
                              left_ns < WAIT_NS_MAX ? left_ns : WAIT_NS_MAX); /* early is fine */
    }
}

static void run(void *ctx) {
    struct sn_stream_hub *hub = ctx;
    sn_mutex_lock(&hub->mu);
    while (!hub->is_stopping)
        turn_locked(hub);
    sn_mutex_unlock(&hub->mu);
}

static void stop(void *ctx) {
    struct sn_stream_hub *hub = ctx;
    atomic_store_explicit(&hub->is_cancelled, true, memory_order_relaxed);
    sn_mutex_lock(&hub->mu);
    hub->is_stopping = true;
    sn_cond_broadcast(&hub->changed);
    sn_mutex_unlock(&hub->mu);
}

struct sn_worker sn_stream_hub_worker(struct sn_stream_hub *hub) {
    return (struct sn_worker){"api-stream", run, stop, hub};
}

/* ---- life ---- */

sn_status sn_stream_hub_open(const struct sn_stream_hub_options *options,
                             struct sn_stream_hub **ret_hub, struct sn_err *err) {
    struct sn_stream_hub *hub = sn_alloc_zero(1, sizeof *hub);
    if (hub == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for streams");
    hub->options = *options;
    sn_mutex_init(&hub->mu, SN_RANK_STREAMS, "streams");
    sn_cond_init(&hub->changed);
    atomic_init(&hub->is_cancelled, false);
    *ret_hub = hub;
    return SN_OK;
}

struct sn_stream_hub *sn_stream_hub_close(struct sn_stream_hub *hub) {
    if (hub == NULL)
        return NULL;
    SN_CHECK(hub->clients == NULL && hub->channels == NULL);
    sn_cond_release(&hub->changed);
    sn_mutex_release(&hub->mu);
    sn_free(hub);
    return NULL;
}

void sn_stream_hub_stats(struct sn_stream_hub *hub, struct sn_stream_stats *ret_stats) {
    sn_mutex_lock(&hub->mu);
    *ret_stats = hub->stats;
    sn_mutex_unlock(&hub->mu);
}
