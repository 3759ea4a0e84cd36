/*
 * UUIDs of records. See record_id.h.
 */
#include "records/record_id.h"

#include "base/check.h"

#define TAG_BITS 34
#define TAG_LOW_BITS 22
#define ROW_BITS 40
#define TAG_MASK ((INT64_C(1) << TAG_BITS) - 1)
#define TAG_LOW_MASK ((UINT64_C(1) << TAG_LOW_BITS) - 1)
#define ROW_MASK ((UINT64_C(1) << ROW_BITS) - 1)
#define PRIME 65521 /* below 2^16, so that the products below stay within 63 bits */

/* The same expression stands in the view system_metrics of lite_schema.c. */
static uint64_t tag_of(const struct sn_record_id_key *key, int64_t time_ms, int64_t row) {
    return (uint64_t)(((row % PRIME) * key->a + (time_ms % PRIME) * key->b + key->c) & TAG_MASK);
}

static void put_be(uint8_t *at, uint64_t value, int byte_count) {
    for (int i = byte_count - 1; i >= 0; i--) {
        at[i] = (uint8_t)(value & 0xff);
        value >>= 8;
    }
}

static uint64_t get_be(const uint8_t *at, int byte_count) {
    uint64_t value = 0;
    for (int i = 0; i < byte_count; i++)
        value = value << 8 | at[i];
    return value;
}

/* high: 12 bits after the version, low: 62 bits after the variant. */
static struct sn_record_id assemble(int64_t time_ms, uint64_t high, uint64_t low) {
    struct sn_record_id id;
    put_be(id.bytes, (uint64_t)time_ms, 6);
    put_be(id.bytes + 6, 0x7000 | (high & 0xfff), 2);
    put_be(id.bytes + 8, UINT64_C(1) << 63 | (low & ~(UINT64_C(3) << 62)), 8);
    return id;
}

struct sn_record_id sn_record_id_make(const struct sn_record_id_key *key, int64_t time_ms,
                                      int64_t row) {
    SN_CHECK(row >= 0 && row <= SN_RECORD_ROW_MAX);
    uint64_t tag = tag_of(key, time_ms, row);
    return assemble(time_ms, tag >> TAG_LOW_BITS,
                    (uint64_t)row << TAG_LOW_BITS | (tag & TAG_LOW_MASK));
}

int64_t sn_record_id_time_ms(const struct sn_record_id *id) {
    return (int64_t)get_be(id->bytes, 6);
}

bool sn_record_id_open(const struct sn_record_id_key *key, const struct sn_record_id *id,
                       int64_t *ret_time_ms, int64_t *ret_row) {
    int64_t time_ms = sn_record_id_time_ms(id);
    int64_t row = (int64_t)(get_be(id->bytes + 8, 8) >> TAG_LOW_BITS & ROW_MASK);
    struct sn_record_id made = sn_record_id_make(key, time_ms, row);
    if (memcmp(made.bytes, id->bytes, sizeof made.bytes) != 0)
        return false;
    *ret_time_ms = time_ms;
    *ret_row = row;
    return true;
}

struct sn_record_id sn_record_id_random(int64_t time_ms, uint64_t random_high,
                                        uint64_t random_low) {
    return assemble(time_ms, random_high, random_low);
}

static bool is_hyphen_place(size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23;
}

void sn_record_id_format(const struct sn_record_id *id, char ret_text[SN_RECORD_ID_TEXT_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    size_t digit = 0;
    for (size_t i = 0; i + 1 < SN_RECORD_ID_TEXT_SIZE; i++) {
        if (is_hyphen_place(i)) {
            ret_text[i] = '-';
            continue;
        }
        uint8_t byte = id->bytes[digit / 2];
        ret_text[i] = digits[digit % 2 == 0 ? byte >> 4 : byte & 0xf];
        digit++;
    }
    ret_text[SN_RECORD_ID_TEXT_SIZE - 1] = '\0';
}

static int digit_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

sn_status sn_record_id_parse(struct sn_str text, struct sn_record_id *ret_id, struct sn_err *err) {
    struct sn_record_id id = {{0}};
    size_t digit = 0;
    bool is_good = text.len == SN_RECORD_ID_TEXT_SIZE - 1;
    for (size_t i = 0; is_good && i < text.len; i++) {
        if (is_hyphen_place(i)) {
            is_good = text.ptr[i] == '-';
            continue;
        }
        int value = digit_value(text.ptr[i]);
        is_good = value >= 0;
        id.bytes[digit / 2] = (uint8_t)(id.bytes[digit / 2] << 4 | (value & 0xf));
        digit++;
    }
    if (!is_good)
        return sn_err_set(err, SN_ERR_INVALID, "\"%.*s\" is not a UUID",
                          (int)(text.len < 80 ? text.len : 80), text.ptr ? text.ptr : "");
    *ret_id = id;
    return SN_OK;
}
