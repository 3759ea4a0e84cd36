/*
 * Bytes as the summary of an hour. Property: what is accepted is written as a summary that is
 * accepted again, with the same totals.
 */
#include "engine/usage.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_usage *usage = sn_usage_new(), *again = sn_usage_new();
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    if (usage != NULL && again != NULL &&
        sn_usage_decode_add(usage, sn_str_make(data, len), NULL) == SN_OK) {
        sn_usage_encode(usage, &buf);
        SN_CHECK(sn_usage_decode_add(again, sn_buf_str(&buf), NULL) == SN_OK);
        SN_CHECK(again->totals.event_count == usage->totals.event_count);
        SN_CHECK(again->users.count == usage->users.count);
        SN_CHECK(again->items.bound == usage->items.bound);
    }
    sn_buf_release(&buf);
    (void)sn_usage_free(usage);
    (void)sn_usage_free(again);
    return 0;
}
