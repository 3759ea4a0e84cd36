/*
 * Bodies of records. Properties: each record of a body that is taken passes its check, unless it is
 * counted as invalid; and what is written of a valid one reads back as the same record.
 */
#include "api/record_json.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static sn_status read_body(struct sn_str body, bool is_batch, struct sn_arena *arena,
                           struct sn_record_reading *ret_reading) {
    const struct sn_record_json_options options = {
        .arena = arena, .now_ms = 1700000000000, .hash_seed = 1, .is_batch = is_batch};
    return sn_record_json_read(body, &options, ret_reading, NULL);
}

static void check_round_trip(const struct sn_record *record) {
    struct sn_arena arena;
    struct sn_buf buf;
    struct sn_json_writer json;
    struct sn_record_reading again;
    sn_arena_init(&arena, 0);
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_record_json_write(&json, record);
    SN_CHECK(sn_json_write_finish(&json, NULL) == SN_OK);
    SN_CHECK(read_body(sn_buf_str(&buf), false, &arena, &again) == SN_OK);
    SN_CHECK(again.invalid_count == 1); /* "id" is nothing that a client may give */
    const struct sn_record *copy = &again.records[0];
    SN_CHECK(sn_str_equal(copy->name, record->name));
    SN_CHECK(sn_str_equal(copy->metadata, record->metadata));
    SN_CHECK(copy->time_ms == record->time_ms);
    SN_CHECK(copy->value >= record->value && copy->value <= record->value);
    sn_buf_release(&buf);
    sn_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_str body = sn_str_make(data, len);
    for (int is_batch = 0; is_batch < 2; is_batch++) {
        struct sn_arena arena;
        struct sn_record_reading reading;
        sn_arena_init(&arena, 0);
        if (read_body(body, is_batch == 1, &arena, &reading) == SN_OK) {
            size_t invalid_count = 0;
            for (size_t i = 0; i < reading.count; i++)
                invalid_count += sn_record_check(&reading.records[i], NULL) != SN_OK;
            SN_CHECK(invalid_count <= reading.invalid_count);
            if (reading.invalid_count == 0 && reading.count > 0)
                check_round_trip(&reading.records[0]);
        }
        sn_arena_release(&arena);
    }
    return 0;
}
