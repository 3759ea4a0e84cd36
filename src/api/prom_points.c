/*
 * [[time,"value"],...] of a series as JSON: most of the bytes of an answer, so they go straight into
 * the buffer. Series of one result share their times, whose texts are made once.
 */
#include "api/prom_priv.h"
#include "codec/number.h"

enum {
    TIME_TEXT_MAX = 24, /* [-9223372036854775.807," */
    SLOT_BYTES = 32     /* a length and the text of a time */
};
_Static_assert(1 + TIME_TEXT_MAX <= SLOT_BYTES, "the text of a time fits");

void sn_prom_times_init(struct sn_prom_times *times) {
    *times = (struct sn_prom_times){.time_ms = NULL};
    sn_buf_init(&times->texts, 0);
}

void sn_prom_times_release(struct sn_prom_times *times) {
    sn_buf_release(&times->texts);
}

static void put_slot(uint8_t *slot, int64_t time_ms, struct sn_buf *scratch) {
    struct sn_json_writer json;
    sn_buf_reset(scratch);
    sn_json_write_init(&json, scratch, 0);
    sn_json_write_array_begin(&json);
    sn_json_write_time(&json, time_ms);
    sn_buf_put_str(scratch, SN_STR(",\""));
    size_t len = scratch->status == SN_OK && scratch->len < SLOT_BYTES ? scratch->len : 0;
    slot[0] = (uint8_t)len;
    if (len > 0)
        memcpy(slot + 1, scratch->ptr, len);
}

/* Texts of these times; false: no memory. */
static bool make_slots(struct sn_prom_times *times, const int64_t *time_ms, size_t count) {
    struct sn_buf scratch;
    times->time_ms = NULL;
    times->count = 0;
    sn_buf_reset(&times->texts);
    uint8_t *slots = sn_buf_reserve(&times->texts, count * SLOT_BYTES);
    if (slots == NULL)
        return false;
    sn_buf_init(&scratch, 0);
    memset(slots, 0, count * SLOT_BYTES);
    for (size_t i = 0; i < count; i++)
        put_slot(slots + i * SLOT_BYTES, time_ms[i], &scratch);
    bool is_made = scratch.status == SN_OK;
    sn_buf_release(&scratch);
    times->time_ms = is_made ? time_ms : NULL;
    times->count = is_made ? count : 0;
    return is_made;
}

/* The slot of the first of `count` times, which the cache has or is made to have. NULL: no memory. */
static const uint8_t *find_slots(struct sn_prom_times *times, const int64_t *time_ms,
                                 size_t count) {
    bool is_inside = times->time_ms != NULL && time_ms >= times->time_ms &&
                     time_ms + count <= times->time_ms + times->count;
    if (!is_inside && !make_slots(times, time_ms, count))
        return NULL;
    return times->texts.ptr + (size_t)(time_ms - times->time_ms) * SLOT_BYTES;
}

/* One batch behind what is there. The slots are copied whole: what is behind their text is written over. */
static void put_points(struct sn_buf *buf, const uint8_t *slots, const double *value,
                       size_t count) {
    uint8_t *at = sn_buf_reserve(buf, count * (1 + SLOT_BYTES + SN_DOUBLE_TEXT_SIZE + 2));
    if (at == NULL)
        return;
    uint8_t *first = at;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *slot = slots + i * SLOT_BYTES;
        memcpy(at, slot + 1, SLOT_BYTES - 1);
        at += slot[0];
        at += sn_double_format(value[i], SN_DOUBLE_API, (char *)at);
        memcpy(at, "\"],", 3);
        at += 3;
    }
    buf->len += (size_t)(at - first);
}

size_t sn_prom_write_points(struct sn_json_writer *json, struct sn_prom_times *times,
                            const struct sn_result_series *series, size_t from) {
    struct sn_buf *buf = json->buf;
    const uint8_t *slots = find_slots(times, series->time_ms, series->count);
    if (from == 0)
        sn_json_write_raw(json, SN_STR("["));
    if (slots == NULL) {
        buf->status = buf->status == SN_OK ? SN_ERR_NO_MEMORY : buf->status;
        return series->count;
    }
    size_t left = series->count - from;
    size_t count = left < SN_PROM_POINTS_AT_ONCE ? left : SN_PROM_POINTS_AT_ONCE;
    put_points(buf, slots + from * SLOT_BYTES, series->value + from, count);
    /* The comma behind the last point becomes the end of the list. */
    if (count == left && buf->status == SN_OK && buf->len > 0)
        buf->ptr[buf->len - 1] = ']';
    return from + count;
}
