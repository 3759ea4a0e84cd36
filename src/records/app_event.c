/*
 * What an event must be, and its items as bytes. See app_event.h.
 */
#include "records/app_event.h"

#include "base/limits.h"
#include "records/bytes.h"
#include "records/record.h"

#include <math.h>

const char *sn_outcome_name(enum sn_outcome outcome) {
    switch (outcome) {
    case SN_OUTCOME_OK:
        return "ok";
    case SN_OUTCOME_ERROR:
        return "error";
    case SN_OUTCOME_ABORTED:
        return "aborted";
    }
    return "unknown";
}

static sn_status check_item(const struct sn_app_event_item *item, struct sn_err *err) {
    SN_TRY(sn_record_check_text("kind of an item", item->kind, SN_EVENT_NAME_BYTES_MAX, err));
    SN_TRY(sn_record_check_text("id of an item", item->id, SN_EVENT_ITEM_BYTES_MAX, err));
    SN_TRY(sn_record_check_text("name of an item", item->name, SN_EVENT_ITEM_BYTES_MAX, err));
    SN_TRY(
        sn_record_check_text("category of an item", item->category, SN_EVENT_NAME_BYTES_MAX, err));
    if (item->kind.len == 0 || item->id.len == 0)
        return sn_err_set(err, SN_ERR_INVALID, "an item needs kind and id");
    if (item->count < 1 || item->count > SN_EVENT_COUNT_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "count of an item is %lld, must be 1 to 2^40",
                          (long long)item->count);
    return SN_OK;
}

static sn_status check_numbers(const struct sn_app_event *event, struct sn_err *err) {
    if (event->time_ms < SN_TIME_MS_MIN || event->time_ms > SN_TIME_MS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "timestamp is not within the years 1970 to 9999");
    if (event->has_duration && (!isfinite(event->duration_ms) || event->duration_ms < 0))
        return sn_err_set(err, SN_ERR_INVALID, "duration_ms must be finite and not negative");
    if (!isfinite(event->quantity) || event->quantity < 0)
        return sn_err_set(err, SN_ERR_INVALID, "quantity must be finite and not negative");
    if (!isfinite(event->credits))
        return sn_err_set(err, SN_ERR_INVALID, "credits must be finite");
    return SN_OK;
}

sn_status sn_app_event_check(const struct sn_app_event *event, struct sn_err *err) {
    const struct {
        const char *field;
        struct sn_str text;
        size_t max;
    } rows[] = {
        {"app", event->app, SN_EVENT_NAME_BYTES_MAX},
        {"type", event->type, SN_EVENT_NAME_BYTES_MAX},
        {"user_id", event->user_id, SN_EVENT_NAME_BYTES_MAX},
        {"error.type", event->error_type, SN_EVENT_NAME_BYTES_MAX},
        {"error.message", event->error_message, SN_EVENT_MESSAGE_BYTES_MAX},
        {"metadata", event->metadata, SN_EVENT_METADATA_BYTES_MAX},
    };
    if (event->app.len == 0 || event->type.len == 0)
        return sn_err_set(err, SN_ERR_INVALID, "%s is missing",
                          event->app.len == 0 ? "app" : "type");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        SN_TRY(sn_record_check_text(rows[i].field, rows[i].text, rows[i].max, err));
    if (event->item_count > SN_EVENT_ITEMS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "an event has %zu items, the limit is %d",
                          event->item_count, SN_EVENT_ITEMS_MAX);
    for (size_t i = 0; i < event->item_count; i++)
        SN_TRY(check_item(&event->items[i], err));
    return check_numbers(event, err);
}

/* ---- items as bytes ---- */

void sn_app_event_items_encode(const struct sn_app_event_item *items, size_t count,
                               struct sn_buf *buf) {
    for (size_t i = 0; i < count; i++) {
        sn_bytes_put_varint(buf, (uint64_t)items[i].count);
        sn_bytes_put_text(buf, items[i].kind);
        sn_bytes_put_text(buf, items[i].id);
        sn_bytes_put_text(buf, items[i].name);
        sn_bytes_put_text(buf, items[i].category);
    }
}

static bool get_item(struct sn_str *rest, struct sn_app_event_item *item) {
    uint64_t count;
    if (!sn_bytes_take_varint(rest, &count) || count < 1 || count > SN_EVENT_COUNT_MAX)
        return false;
    item->count = (int64_t)count;
    return sn_bytes_take_text(rest, &item->kind) && sn_bytes_take_text(rest, &item->id) &&
           sn_bytes_take_text(rest, &item->name) && sn_bytes_take_text(rest, &item->category);
}

sn_status sn_app_event_items_decode(struct sn_str bytes, struct sn_arena *arena,
                                    const struct sn_app_event_item **ret_items, size_t *ret_count,
                                    struct sn_err *err) {
    struct sn_app_event_item found[SN_EVENT_ITEMS_MAX];
    size_t count = 0;
    while (bytes.len > 0) {
        if (count == SN_EVENT_ITEMS_MAX || !get_item(&bytes, &found[count]))
            return sn_err_set(err, SN_ERR_CORRUPT, "the items of a stored event are damaged");
        count++;
    }
    struct sn_app_event_item *items = sn_arena_alloc(arena, count * sizeof *items);
    if (items == NULL)
        return sn_arena_failure(arena, count * sizeof *items, err);
    memcpy(items, found, count * sizeof *items);
    *ret_items = items;
    *ret_count = count;
    return SN_OK;
}
