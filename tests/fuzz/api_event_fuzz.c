/*
 * Bodies of events. Property: each event of a body that is taken passes its check, unless it is
 * counted as invalid, and its error has a class and a group within their limits.
 */
#include "api/event_json.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_arena arena;
    struct sn_event_reading reading;
    sn_arena_init(&arena, 0);
    const struct sn_event_json_options options = {
        .arena = &arena, .now_ms = 1700000000000, .times = {0, 1800000000000}, .hash_seed = 1};
    if (sn_event_json_read(sn_str_make(data, len), &options, &reading, NULL) == SN_OK) {
        size_t invalid_count = 0;
        for (size_t i = 0; i < reading.count; i++) {
            const struct sn_app_event *event = &reading.events[i];
            invalid_count += sn_app_event_check(event, NULL) != SN_OK;
            SN_CHECK(event->error_group.len <= SN_ERROR_GROUP_BYTES_MAX);
            SN_CHECK(event->error_group.len == 0 || event->error_class.len > 0);
        }
        SN_CHECK(invalid_count <= reading.invalid_count);
    }
    sn_arena_release(&arena);
    return 0;
}
