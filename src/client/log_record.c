/*
 * Lines to records and back. See log_record_priv.h. Pure: no clock, no memory. Any thread.
 *
 * Writing is the larger part of what a caller of the logger pays, so short texts are copied by two
 * loads and two stores that may overlap: a call of memcpy with a length that the compiler does not
 * know costs more than the copy.
 */
#include "client/log_record_priv.h"

#include "base/check.h"

#include <string.h>

#define FIELD_HEAD_BYTES sizeof(struct field_head)
#define TEXT_BYTES_MIN 16 /* shorter pieces of a text help nobody */

struct field_head {
    uint8_t kind;
    uint8_t key_len;
    uint16_t extra_len;
    uint32_t text_len;
    uint64_t number;
};
_Static_assert(sizeof(struct field_head) == 16, "heads lie at multiples of 8");
_Static_assert(SONDE_LOG_KEY_BYTES_MAX <= UINT8_MAX, "key_len");
_Static_assert(SONDE_LOG_RECORD_BYTES_MAX <= UINT16_MAX, "extra_len");
_Static_assert(SONDE_LOG_RECORD_BYTES_MAX % 8 == 0, "records are multiples of 8");

static inline size_t padded(size_t len) {
    return (len + 7) & ~(size_t)7;
}

static inline size_t field_size(const sonde_field *field) {
    return FIELD_HEAD_BYTES +
           padded((size_t)field->key_len + (size_t)field->text_len + field->extra_len);
}

static inline bool is_kind(uint32_t kind) {
    return kind >= SONDE_FIELD_NULL && kind <= SONDE_FIELD_ERROR;
}

static inline bool is_level(sonde_level level) {
    return level >= SONDE_LEVEL_DEBUG && level <= SONDE_LEVEL_ERROR;
}

size_t sn_log_record_size(const sonde_log_line *line) {
    if (SN_UNLIKELY(line->message_len > SONDE_LOG_RECORD_BYTES_MAX ||
                    line->field_count > SONDE_LOG_FIELDS_MAX || !is_level(line->level)))
        return SIZE_MAX;
    size_t size = sizeof(struct sn_log_record) + padded(line->message_len);
    bool is_good = true;
    for (size_t i = 0; i < line->field_count; i++) {
        const sonde_field *field = &line->fields[i];
        is_good &= field->key_len <= SONDE_LOG_KEY_BYTES_MAX && is_kind(field->kind);
        size += field_size(field);
    }
    return SN_LIKELY(is_good && size <= SONDE_LOG_RECORD_BYTES_MAX) ? size : SIZE_MAX;
}

/* ---- cutting ---- */

/* The longest beginning of text that has at most `room` bytes and does not split a character. */
static size_t cut_len(const char *text, size_t len, size_t room) {
    if (len <= room)
        return len;
    size_t cut = room;
    while (cut > 0 && room - cut < 3 && ((unsigned char)text[cut] & 0xC0) == 0x80)
        cut--;
    return cut;
}

static void add_truncated(uint32_t *truncated, size_t bytes) {
    size_t sum = *truncated + bytes;
    *truncated = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

/* Shorten a text to `room` bytes or a few less. */
static void shorten(const char *text, uint32_t *len, size_t room, uint32_t *truncated) {
    size_t kept = cut_len(text, *len, room);
    add_truncated(truncated, *len - kept);
    *len = (uint32_t)kept;
}

/* Shorten one text of a field that is `excess` bytes too large, as far as it goes. */
static void relieve(const char *text, uint32_t *len, size_t excess, uint32_t *truncated) {
    if (excess > 0 && *len > TEXT_BYTES_MIN)
        shorten(text, len, *len - TEXT_BYTES_MIN > excess ? *len - excess : TEXT_BYTES_MIN,
                truncated);
}

static size_t excess_of(const sonde_field *field, size_t room) {
    size_t size = field_size(field);
    return size > room ? size - room : 0;
}

/* Take a field as far as it fits into `room`. Returns the bytes it takes; 0: left out. */
static size_t cut_field(struct sn_log_cut *cut, const sonde_field *field, size_t room) {
    sonde_field copy = *field;
    uint32_t truncated = cut->truncated;
    shorten(copy.key, &copy.key_len, SONDE_LOG_KEY_BYTES_MAX, &truncated);
    relieve(copy.text, &copy.text_len, excess_of(&copy, room), &truncated);
    relieve(copy.extra, &copy.extra_len, excess_of(&copy, room), &truncated);
    if (excess_of(&copy, room) > 0 || !is_kind(copy.kind) ||
        cut->line.field_count == SONDE_LOG_FIELDS_MAX) {
        add_truncated(&cut->truncated, (size_t)field->key_len + field->text_len + field->extra_len);
        return 0;
    }
    cut->truncated = truncated;
    cut->fields[cut->line.field_count++] = copy;
    return field_size(&copy);
}

void sn_log_cut(const sonde_log_line *line, struct sn_log_cut *ret_cut) {
    const size_t room = SONDE_LOG_RECORD_BYTES_MAX - sizeof(struct sn_log_record);
    ret_cut->line = *line;
    ret_cut->line.fields = ret_cut->fields;
    ret_cut->line.field_count = 0;
    ret_cut->truncated = 0;
    if (!is_level(line->level))
        ret_cut->line.level = SONDE_LEVEL_ERROR;

    size_t message_room = line->field_count > 0 ? room / 2 : room;
    ret_cut->line.message_len = cut_len(line->message, line->message_len, message_room);
    add_truncated(&ret_cut->truncated, line->message_len - ret_cut->line.message_len);
    size_t used = padded(ret_cut->line.message_len);
    for (size_t i = 0; i < line->field_count; i++)
        used += cut_field(ret_cut, &line->fields[i], room - used);
}

/* ---- writing ---- */

static inline void copy_overlapping(uint8_t *to, const char *from, size_t len, size_t word) {
    memcpy(to, from, word);
    memcpy(to + len - word, from + len - word, word);
}

static inline uint8_t *copy(uint8_t *to, const char *from, size_t len) {
    if (len > 32)
        memcpy(to, from, len);
    else if (len >= 16)
        copy_overlapping(to, from, len, 16);
    else if (len >= 8)
        copy_overlapping(to, from, len, 8);
    else if (len >= 4)
        copy_overlapping(to, from, len, 4);
    else if (len >= 2)
        copy_overlapping(to, from, len, 2);
    else if (len == 1)
        *to = (uint8_t)*from;
    return to + len;
}

void sn_log_record_put(struct sn_log_record *record, size_t size, const sonde_log_line *line) {
    uint8_t *at = (uint8_t *)(record + 1);
    record->size = (uint32_t)size;
    record->level = (uint8_t)line->level;
    record->message_len = (uint32_t)line->message_len;
    record->truncated = 0;
    record->suppressed = line->suppressed;
    record->field_count = (uint32_t)line->field_count;
    (void)copy(at, line->message, line->message_len);
    at += padded(line->message_len);
    for (size_t i = 0; i < line->field_count; i++) {
        const sonde_field *field = &line->fields[i];
        struct field_head head = {.kind = (uint8_t)field->kind,
                                  .key_len = (uint8_t)field->key_len,
                                  .extra_len = (uint16_t)field->extra_len,
                                  .text_len = field->text_len,
                                  .number = field->number};
        memcpy(at, &head, sizeof head);
        uint8_t *text = copy(at + sizeof head, field->key, field->key_len);
        if ((field->text_len | field->extra_len) != 0) {
            text = copy(text, field->text, field->text_len);
            (void)copy(text, field->extra, field->extra_len);
        }
        at += field_size(field);
    }
    assert(at == (uint8_t *)record + size);
}

/* ---- reading ---- */

bool sn_log_record_view(const void *bytes, size_t room, struct sn_log_view *ret_view) {
    struct sn_log_record head;
    if (room < sizeof head)
        return false;
    memcpy(&head, bytes, sizeof head);
    if (head.size > room || head.size % 8 != 0 ||
        head.size < sizeof head + padded(head.message_len) || (head.flags & SN_LOG_RECORD_SKIP))
        return false;
    const uint8_t *message = (const uint8_t *)bytes + sizeof head;
    *ret_view = (struct sn_log_view){
        .message = sn_str_make(message, head.message_len),
        .level = (sonde_level)head.level,
        .truncated = head.truncated,
        .suppressed = head.suppressed,
        .fields = message + padded(head.message_len),
        .fields_end = (const uint8_t *)bytes + head.size,
    };
    return is_level(ret_view->level);
}

bool sn_log_field_next(const struct sn_log_view *view, const uint8_t **at,
                       struct sn_log_field *ret_field) {
    struct field_head head;
    size_t room = (size_t)(view->fields_end - *at);
    if (room < sizeof head)
        return false;
    memcpy(&head, *at, sizeof head);
    size_t len = (size_t)head.key_len + head.text_len + head.extra_len;
    if (!is_kind(head.kind) || padded(len) > room - sizeof head)
        return false;
    const uint8_t *key = *at + sizeof head;
    *ret_field = (struct sn_log_field){
        .key = sn_str_make(key, head.key_len),
        .text = sn_str_make(key + head.key_len, head.text_len),
        .extra = sn_str_make(key + head.key_len + head.text_len, head.extra_len),
        .number = head.number,
        .kind = (sonde_field_kind)head.kind,
    };
    *at = key + padded(len);
    return true;
}
