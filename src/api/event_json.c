/*
 * Events from JSON. See event_json.h. As with records, what does not fit is that event's error: each
 * field is looked at before it is read.
 */
#include "api/event_json.h"

#include "codec/number.h"

/* One event in the making. */
struct item {
    struct sn_json_reader *json;
    const struct sn_event_json_options *options;
    struct sn_app_event event;
    struct sn_app_event_item things[SN_EVENT_ITEMS_MAX];
    struct sn_err err; /* status SN_OK: valid so far */
    bool has_outcome;
    bool has_quantity;
    bool has_error;
};

static void fail(struct item *item, const char *field, const char *what) {
    if (item->err.status == SN_OK)
        (void)sn_err_set(&item->err, SN_ERR_INVALID, "%s must be %s", field, what);
}

static void fail_unknown(struct item *item, const char *where, struct sn_str key) {
    if (item->err.status == SN_OK)
        (void)sn_err_set(&item->err, SN_ERR_INVALID, "unknown field \"%s%.*s\"", where,
                         (int)(key.len < 80 ? key.len : 80), key.ptr ? key.ptr : "");
    sn_json_read_skip(item->json);
}

/* ---- fields ---- */

static void read_text(struct item *item, const char *field, struct sn_str *text) {
    enum sn_json_kind kind = sn_json_read_peek(item->json);
    if (kind == SN_JSON_STRING) {
        *text = sn_json_read_string(item->json);
        return;
    }
    if (kind != SN_JSON_NULL)
        fail(item, field, "text");
    sn_json_read_skip(item->json);
}

/* false: null, or not a number, which is then an error. */
static bool read_number(struct item *item, const char *field, double *value) {
    enum sn_json_kind kind = sn_json_read_peek(item->json);
    if (kind == SN_JSON_NUMBER) {
        if (sn_double_parse(sn_json_read_number_text(item->json), value) == SN_OK)
            return true;
        fail(item, field, "a number that a double can hold");
        return false;
    }
    if (kind != SN_JSON_NULL)
        fail(item, field, "a number");
    sn_json_read_skip(item->json);
    return false;
}

static void read_outcome(struct item *item) {
    struct sn_str text = {NULL, 0};
    read_text(item, "outcome", &text);
    for (int i = SN_OUTCOME_OK; i <= SN_OUTCOME_ABORTED && text.len > 0; i++)
        if (sn_str_equal(text, sn_str_from(sn_outcome_name((enum sn_outcome)i)))) {
            item->event.outcome = (enum sn_outcome)i;
            item->has_outcome = true;
        }
    if (text.len > 0 && !item->has_outcome)
        fail(item, "outcome", "\"ok\", \"error\" or \"aborted\"");
}

static void read_error(struct item *item) {
    struct sn_str key;
    enum sn_json_kind kind = sn_json_read_peek(item->json);
    if (kind != SN_JSON_OBJECT) {
        if (kind != SN_JSON_NULL)
            fail(item, "error", "an object with message and type");
        sn_json_read_skip(item->json);
        return;
    }
    item->has_error = true;
    (void)sn_json_read_object(item->json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_key(item->json, &key)) {
        if (sn_str_equal(key, SN_STR("message")))
            read_text(item, "error.message", &item->event.error_message);
        else if (sn_str_equal(key, SN_STR("type")))
            read_text(item, "error.type", &item->event.error_type);
        else
            fail_unknown(item, "error.", key);
    }
}

static void read_thing_field(struct item *item, struct sn_app_event_item *thing,
                             struct sn_str key) {
    double count;
    if (sn_str_equal(key, SN_STR("kind")))
        read_text(item, "kind of an item", &thing->kind);
    else if (sn_str_equal(key, SN_STR("id")))
        read_text(item, "id of an item", &thing->id);
    else if (sn_str_equal(key, SN_STR("name")))
        read_text(item, "name of an item", &thing->name);
    else if (sn_str_equal(key, SN_STR("category")))
        read_text(item, "category of an item", &thing->category);
    else if (!sn_str_equal(key, SN_STR("count")))
        fail_unknown(item, "items.", key);
    else if (read_number(item, "count of an item", &count)) {
        bool is_whole = count >= 1 && count <= (double)SN_EVENT_COUNT_MAX;
        thing->count = is_whole ? (int64_t)count : 0;
        if (!is_whole || (double)thing->count < count)
            fail(item, "count of an item", "a whole number of 1 to 2^40");
    }
}

static void read_thing(struct item *item) {
    struct sn_str key;
    struct sn_app_event_item thing = {.count = 1};
    if (sn_json_read_peek(item->json) != SN_JSON_OBJECT ||
        item->event.item_count == SN_EVENT_ITEMS_MAX) {
        fail(item, "items", "at most 100 objects");
        sn_json_read_skip(item->json);
        return;
    }
    (void)sn_json_read_object(item->json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_key(item->json, &key))
        read_thing_field(item, &thing, key);
    item->things[item->event.item_count++] = thing;
}

static void read_things(struct item *item) {
    enum sn_json_kind kind = sn_json_read_peek(item->json);
    if (kind != SN_JSON_ARRAY) {
        if (kind != SN_JSON_NULL)
            fail(item, "items", "an array");
        sn_json_read_skip(item->json);
        return;
    }
    (void)sn_json_read_array(item->json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_element(item->json))
        read_thing(item);
}

static void read_metadata(struct item *item) {
    enum sn_json_kind kind = sn_json_read_peek(item->json);
    struct sn_str text = sn_json_read_raw(item->json);
    if (kind == SN_JSON_NULL)
        return;
    if (kind != SN_JSON_OBJECT)
        fail(item, "metadata", "an object");
    else if (sn_json_has_nul(text))
        fail(item, "metadata", "without the escape of a NUL character");
    item->event.metadata = text;
}

static void read_time(struct item *item) {
    struct sn_err err = {0};
    if (sn_json_read_peek(item->json) == SN_JSON_NULL)
        sn_json_read_skip(item->json);
    else if (!sn_record_json_time(item->json, &item->event.time_ms, &err))
        fail(item, "timestamp", "a time of RFC 3339 or a number of Unix seconds");
}

static bool read_simple_field(struct item *item, struct sn_str key) {
    struct sn_app_event *event = &item->event;
    if (sn_str_equal(key, SN_STR("app")))
        read_text(item, "app", &event->app);
    else if (sn_str_equal(key, SN_STR("type")))
        read_text(item, "type", &event->type);
    else if (sn_str_equal(key, SN_STR("user_id")))
        read_text(item, "user_id", &event->user_id);
    else if (sn_str_equal(key, SN_STR("duration_ms")))
        event->has_duration = read_number(item, "duration_ms", &event->duration_ms);
    else if (sn_str_equal(key, SN_STR("quantity")))
        item->has_quantity = read_number(item, "quantity", &event->quantity);
    else if (sn_str_equal(key, SN_STR("credits")))
        (void)read_number(item, "credits", &event->credits); /* without one it stays 0 */
    else
        return false;
    return true;
}

static void read_field(struct item *item, struct sn_str key) {
    if (read_simple_field(item, key))
        return;
    if (sn_str_equal(key, SN_STR("outcome")))
        read_outcome(item);
    else if (sn_str_equal(key, SN_STR("items")))
        read_things(item);
    else if (sn_str_equal(key, SN_STR("error")))
        read_error(item);
    else if (sn_str_equal(key, SN_STR("metadata")))
        read_metadata(item);
    else if (sn_str_equal(key, SN_STR("timestamp")))
        read_time(item);
    else
        fail_unknown(item, "", key);
}

/* ---- events ---- */

static sn_status classify(struct item *item, struct sn_err *err) {
    struct sn_app_event *event = &item->event;
    struct sn_arena *arena = item->options->arena;
    struct sn_buf buf;
    event->error_class =
        sn_error_class_of(&item->options->rules, event->error_message, event->error_type);
    sn_buf_init(&buf, 0);
    sn_error_normalize(event->error_message, &buf);
    sn_status status = sn_buf_status(&buf, err);
    if (status == SN_OK && !sn_arena_copy(arena, sn_buf_str(&buf), &event->error_group))
        status = sn_arena_failure(arena, buf.len, err);
    sn_buf_release(&buf);
    return status;
}

static void check(struct item *item) {
    const struct sn_app_event *event = &item->event;
    const struct sn_range_ms times = item->options->times;
    if (item->err.status != SN_OK)
        return;
    if (sn_app_event_check(event, &item->err) != SN_OK)
        return;
    if (event->time_ms < times.start_ms || event->time_ms >= times.end_ms)
        (void)sn_err_set(&item->err, SN_ERR_INVALID, "timestamp is %s",
                         event->time_ms < times.start_ms ? "older than events are kept"
                                                         : "in the future");
}

/* SN_OK: item->err says whether the event is valid. */
static sn_status settle(struct item *item, struct sn_err *err) {
    struct sn_app_event *event = &item->event;
    struct sn_arena *arena = item->options->arena;
    size_t bytes = event->item_count * sizeof item->things[0];
    struct sn_app_event_item *things = sn_arena_alloc(arena, bytes);
    if (things == NULL)
        return sn_arena_failure(arena, bytes, err);
    if (bytes > 0)
        memcpy(things, item->things, bytes);
    event->items = things;
    for (size_t i = 0; i < event->item_count && !item->has_quantity; i++)
        event->quantity += (double)things[i].count;
    if (!item->has_outcome && item->has_error)
        event->outcome = SN_OUTCOME_ERROR;
    check(item);
    bool is_error = item->has_error || event->outcome == SN_OUTCOME_ERROR;
    return is_error && item->err.status == SN_OK ? classify(item, err) : SN_OK;
}

static void read_item(struct item *item) {
    struct sn_str key;
    if (sn_json_read_peek(item->json) != SN_JSON_OBJECT) {
        (void)sn_err_set(&item->err, SN_ERR_INVALID, "an event must be an object");
        sn_json_read_skip(item->json);
        return;
    }
    (void)sn_json_read_object(item->json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_key(item->json, &key))
        read_field(item, key);
}

static sn_status note_error(struct sn_event_reading *reading, const struct item *item,
                            struct sn_err *err) {
    reading->invalid_count++;
    if (reading->error_count == SN_RECORD_ERRORS_MAX)
        return SN_OK;
    struct sn_record_error *error = &reading->errors[reading->error_count];
    error->text = sn_arena_printf(item->options->arena, "%s", item->err.text);
    if (error->text == NULL)
        return sn_arena_failure(item->options->arena, sizeof item->err.text, err);
    error->index = reading->count;
    reading->error_count++;
    return SN_OK;
}

static sn_status reserve(struct sn_event_reading *reading, struct sn_arena *arena,
                         struct sn_err *err) {
    if ((reading->count & (reading->count - 1)) != 0 && reading->count > 0)
        return SN_OK; /* full at powers of two */
    size_t cap = reading->count > 0 ? 2 * reading->count : 1;
    struct sn_app_event *events = sn_arena_alloc_zero(arena, cap, sizeof *events);
    if (events == NULL)
        return sn_arena_failure(arena, cap * sizeof *events, err);
    if (reading->count > 0)
        memcpy(events, reading->events, reading->count * sizeof *events);
    reading->events = events;
    return SN_OK;
}

static sn_status read_one(struct sn_json_reader *json, const struct sn_event_json_options *options,
                          struct sn_event_reading *reading, struct sn_err *err) {
    struct item item = {.json = json, .options = options, .event = {.time_ms = options->now_ms}};
    if (reading->count == SN_EVENT_BATCH_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d events in one batch",
                          SN_EVENT_BATCH_MAX);
    SN_TRY(reserve(reading, options->arena, err));
    read_item(&item);
    if (sn_json_read_failed(json)) /* finish tells it */
        return SN_OK;
    SN_TRY(settle(&item, err));
    reading->events[reading->count] = item.event;
    if (item.err.status != SN_OK)
        SN_TRY(note_error(reading, &item, err));
    reading->count++;
    return SN_OK;
}

static sn_status read_array(struct sn_json_reader *json,
                            const struct sn_event_json_options *options,
                            struct sn_event_reading *reading, struct sn_err *err) {
    (void)sn_json_read_array(json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_element(json))
        SN_TRY(read_one(json, options, reading, err));
    return SN_OK;
}

/* Whether the first name of an object is "events": told from one event by looking ahead. */
static bool is_wrapped(struct sn_str body) {
    struct sn_str text = sn_str_trim(body);
    if (text.len < 2 || text.ptr[0] != '{')
        return false;
    text = sn_str_trim(sn_str_make(text.ptr + 1, text.len - 1));
    return sn_str_starts_with(text, SN_STR("\"events\""));
}

static sn_status read_wrapped(struct sn_json_reader *json,
                              const struct sn_event_json_options *options,
                              struct sn_event_reading *reading, struct sn_err *err) {
    struct sn_str key;
    (void)sn_json_read_object(json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_key(json, &key)) {
        if (sn_str_equal(key, SN_STR("events")))
            SN_TRY(read_array(json, options, reading, err));
        else
            sn_json_read_fail(json, SN_ERR_INVALID, "unknown field beside \"events\"");
    }
    return SN_OK;
}

sn_status sn_event_json_read(struct sn_str body, const struct sn_event_json_options *options,
                             struct sn_event_reading *ret_reading, struct sn_err *err) {
    struct sn_json_reader json;
    struct sn_event_reading reading = {0};
    const size_t error_bytes = SN_RECORD_ERRORS_MAX * sizeof *reading.errors;
    reading.errors = sn_arena_alloc(options->arena, error_bytes);
    if (reading.errors == NULL)
        return sn_arena_failure(options->arena, error_bytes, err);
    sn_json_read_init(
        &json, body,
        &(struct sn_json_options){.arena = options->arena, .hash_seed = options->hash_seed});
    if (sn_json_read_peek(&json) == SN_JSON_ARRAY)
        SN_TRY(read_array(&json, options, &reading, err));
    else if (is_wrapped(body))
        SN_TRY(read_wrapped(&json, options, &reading, err));
    else
        SN_TRY(read_one(&json, options, &reading, err));
    SN_TRY(sn_json_read_finish(&json, err));
    *ret_reading = reading;
    return SN_OK;
}
