/*
 * Writes as bytes. See write_codec.h.
 */
#include "records/write_codec.h"

#include "records/bytes.h"

enum { HAS_COUNTS = 1, HAS_DURATION = 2 };
#define ROWS_MAX 100000 /* of one write; a batch has 1000 */

/* ---- writing ---- */

static void put_id(struct sn_buf *buf, const struct sn_record_id *id) {
    sn_buf_put(buf, id->bytes, sizeof id->bytes);
}

static void put_record(struct sn_buf *buf, const struct sn_record *record) {
    put_id(buf, &record->id);
    sn_bytes_put_varint(buf, (uint64_t)record->time_ms);
    sn_bytes_put_double(buf, record->value);
    sn_bytes_put_text(buf, record->metric_type);
    sn_bytes_put_text(buf, record->name);
    sn_bytes_put_text(buf, record->service);
    sn_bytes_put_text(buf, record->unit);
    sn_bytes_put_text(buf, record->description);
    sn_bytes_put_text(buf, record->metadata);
    sn_bytes_put_varint(buf, record->has_counts ? HAS_COUNTS : 0);
    if (record->has_counts) {
        sn_bytes_put_varint(buf, (uint64_t)record->ok_count);
        sn_bytes_put_varint(buf, (uint64_t)record->total_count);
    }
}

static void put_items(struct sn_buf *buf, const struct sn_app_event *event) {
    struct sn_buf items;
    sn_buf_init(&items, 0);
    sn_app_event_items_encode(event->items, event->item_count, &items);
    sn_bytes_put_text(buf, sn_buf_str(&items));
    if (items.status != SN_OK && buf->status == SN_OK)
        buf->status = items.status;
    sn_buf_release(&items);
}

static void put_event(struct sn_buf *buf, const struct sn_app_event *event) {
    sn_bytes_put_varint(buf, (uint64_t)event->time_ms);
    sn_bytes_put_text(buf, event->app);
    sn_bytes_put_text(buf, event->type);
    sn_bytes_put_text(buf, event->user_id);
    sn_bytes_put_varint(buf, (uint64_t)event->outcome);
    sn_bytes_put_varint(buf, event->has_duration ? HAS_DURATION : 0);
    if (event->has_duration)
        sn_bytes_put_double(buf, event->duration_ms);
    sn_bytes_put_double(buf, event->quantity);
    sn_bytes_put_double(buf, event->credits);
    put_items(buf, event);
    sn_bytes_put_text(buf, event->error_message);
    sn_bytes_put_text(buf, event->error_type);
    sn_bytes_put_text(buf, event->error_class);
    sn_bytes_put_text(buf, event->error_group);
    sn_bytes_put_text(buf, event->metadata);
}

void sn_write_encode(const struct sn_engine_write *write, struct sn_buf *buf) {
    put_id(buf, &write->batch_id);
    sn_bytes_put_varint(buf, write->record_count);
    for (size_t i = 0; i < write->record_count; i++)
        put_record(buf, &write->records[i]);
    sn_bytes_put_varint(buf, write->event_count);
    for (size_t i = 0; i < write->event_count; i++)
        put_event(buf, &write->events[i]);
}

/* ---- reading ---- */

static bool take_id(struct sn_str *rest, struct sn_record_id *ret_id) {
    struct sn_str bytes;
    if (!sn_bytes_take(rest, sizeof ret_id->bytes, &bytes))
        return false;
    memcpy(ret_id->bytes, bytes.ptr, sizeof ret_id->bytes);
    return true;
}

static bool take_int(struct sn_str *rest, int64_t *ret_value) {
    uint64_t value;
    if (!sn_bytes_take_varint(rest, &value) || value > INT64_MAX)
        return false;
    *ret_value = (int64_t)value;
    return true;
}

static bool take_texts(struct sn_str *rest, struct sn_str *const *targets, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!sn_bytes_take_text(rest, targets[i]))
            return false;
    return true;
}

static bool take_record(struct sn_str *rest, struct sn_record *record) {
    struct sn_str *const texts[] = {&record->metric_type, &record->name,        &record->service,
                                    &record->unit,        &record->description, &record->metadata};
    int64_t flags;
    if (!take_id(rest, &record->id) || !take_int(rest, &record->time_ms) ||
        !sn_bytes_take_double(rest, &record->value) || !take_texts(rest, texts, 6) ||
        !take_int(rest, &flags) || (flags & ~HAS_COUNTS) != 0)
        return false;
    record->has_counts = flags != 0;
    if (record->has_counts &&
        (!take_int(rest, &record->ok_count) || !take_int(rest, &record->total_count)))
        return false;
    return sn_record_check(record, NULL) == SN_OK;
}

static bool take_event_start(struct sn_str *rest, struct sn_app_event *event) {
    struct sn_str *const texts[] = {&event->app, &event->type, &event->user_id};
    int64_t outcome, flags;
    if (!take_int(rest, &event->time_ms) || !take_texts(rest, texts, 3) ||
        !take_int(rest, &outcome) || outcome > SN_OUTCOME_ABORTED || !take_int(rest, &flags) ||
        (flags & ~HAS_DURATION) != 0)
        return false;
    event->outcome = (enum sn_outcome)outcome;
    event->has_duration = flags != 0;
    return !event->has_duration || sn_bytes_take_double(rest, &event->duration_ms);
}

static sn_status corrupt(struct sn_err *err) {
    return sn_err_set(err, SN_ERR_CORRUPT, "an entry of the spool is damaged");
}

static sn_status take_event(struct sn_str *rest, struct sn_arena *arena, struct sn_app_event *event,
                            struct sn_err *err) {
    struct sn_str *const texts[] = {&event->error_message, &event->error_type, &event->error_class,
                                    &event->error_group, &event->metadata};
    struct sn_str items;
    if (!take_event_start(rest, event) || !sn_bytes_take_double(rest, &event->quantity) ||
        !sn_bytes_take_double(rest, &event->credits) || !sn_bytes_take_text(rest, &items) ||
        !take_texts(rest, texts, 5))
        return corrupt(err);
    SN_TRY(sn_app_event_items_decode(items, arena, &event->items, &event->item_count, err));
    return sn_app_event_check(event, NULL) == SN_OK ? SN_OK : corrupt(err);
}

static sn_status take_records(struct sn_str *rest, struct sn_arena *arena,
                              struct sn_engine_write *write, struct sn_err *err) {
    uint64_t count;
    if (!sn_bytes_take_varint(rest, &count) || count > ROWS_MAX || count > rest->len)
        return corrupt(err);
    write->record_count = (size_t)count;
    write->records = sn_arena_alloc_zero(arena, write->record_count, sizeof *write->records);
    if (write->records == NULL)
        return sn_arena_failure(arena, write->record_count * sizeof *write->records, err);
    for (size_t i = 0; i < write->record_count; i++)
        if (!take_record(rest, &write->records[i]))
            return corrupt(err);
    return SN_OK;
}

static sn_status take_events(struct sn_str *rest, struct sn_arena *arena,
                             struct sn_engine_write *write, struct sn_err *err) {
    uint64_t count;
    if (!sn_bytes_take_varint(rest, &count) || count > ROWS_MAX || count > rest->len)
        return corrupt(err);
    write->event_count = (size_t)count;
    struct sn_app_event *events = sn_arena_alloc_zero(arena, write->event_count, sizeof *events);
    if (events == NULL)
        return sn_arena_failure(arena, write->event_count * sizeof *events, err);
    for (size_t i = 0; i < write->event_count; i++)
        SN_TRY(take_event(rest, arena, &events[i], err));
    write->events = events;
    return SN_OK;
}

sn_status sn_write_decode(struct sn_str bytes, struct sn_arena *arena,
                          struct sn_engine_write *ret_write, struct sn_err *err) {
    struct sn_engine_write write = {.record_count = 0};
    if (!take_id(&bytes, &write.batch_id))
        return corrupt(err);
    SN_TRY(take_records(&bytes, arena, &write, err));
    SN_TRY(take_events(&bytes, arena, &write, err));
    if (bytes.len > 0)
        return corrupt(err);
    *ret_write = write;
    return SN_OK;
}
