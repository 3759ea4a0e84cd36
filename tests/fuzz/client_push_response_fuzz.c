/*
 * Answers to a push. Properties: a head that is complete ends with an empty line inside of the
 * input and has a status that exists; every beginning of it asks for more or is refused; bytes
 * behind it change nothing.
 */
#include "base/check.h"
#include "client/push_response_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_push_head head, again;
    uint64_t count;
    /* Digits are shorter than what they stand in. */
    if (sn_push_accepted_parse(sn_str_make(data, len), &count) == SN_OK)
        SN_CHECK(len > sizeof "\"accepted\":" - 1);
    if (sn_push_head_parse(sn_str_make(data, len), &head, NULL) != SN_OK)
        return 0;
    SN_CHECK(head.head_len <= len && head.head_len <= SN_PUSH_HEAD_BYTES_MAX);
    SN_CHECK(data[head.head_len - 1] == '\n');
    SN_CHECK(head.status >= 100 && head.status <= 599);
    SN_CHECK(head.has_body_len || !head.is_kept);
    SN_CHECK(sn_push_head_parse(sn_str_make(data, head.head_len), &again, NULL) == SN_OK);
    SN_CHECK(again.head_len == head.head_len && again.body_len == head.body_len &&
             again.is_kept == head.is_kept);
    SN_CHECK(sn_push_head_parse(sn_str_make(data, head.head_len - 1), &again, NULL) != SN_OK);
    return 0;
}
