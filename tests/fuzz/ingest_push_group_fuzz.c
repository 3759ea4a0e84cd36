/*
 * Pages and files of pushed metrics. The first byte picks: a file (its hash is made right, so that
 * what lies behind it is reached), or a page, in Protobuf or text. Properties: what is taken gives a batch of valid label
 * sets with as many samples as it says, and its bytes give the same group again.
 */
#include "ingest/push_group.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_batch(const struct sn_push_group *group) {
    struct sn_arena arena, labels_arena;
    struct sn_batch batch;
    sn_arena_init(&arena, 0);
    sn_arena_init(&labels_arena, 0);
    SN_CHECK(sn_push_group_batch(group, NULL, 1, 1, &arena, &batch, NULL) == SN_OK);
    SN_CHECK(batch.sample_count == group->sample_count);
    for (size_t i = 0; i < batch.series_count; i++) {
        struct sn_labels labels;
        sn_arena_reset(&labels_arena);
        SN_CHECK(sn_labels_decode(batch.series[i].labels, &labels_arena, &labels, NULL) == SN_OK);
    }
    sn_arena_reset(&arena);
    SN_CHECK(sn_push_group_batch(NULL, group, 1, 1, &arena, &batch, NULL) == SN_OK);
    SN_CHECK(batch.sample_count == group->sample_count);
    sn_arena_release(&labels_arena);
    sn_arena_release(&arena);
}

static void check_again(const struct sn_push_group *group) {
    struct sn_push_group again;
    struct sn_buf copy;
    sn_buf_init(&copy, 0);
    sn_buf_put_str(&copy, sn_buf_str(&group->bytes));
    SN_CHECK(sn_push_group_open(&copy, &again, NULL) == SN_OK);
    SN_CHECK(again.sample_count == group->sample_count);
    sn_push_group_release(&again);
    sn_buf_release(&copy);
}

static void take_file(const uint8_t *data, size_t len) {
    struct sn_push_group group;
    struct sn_buf bytes;
    sn_buf_init(&bytes, 0);
    sn_buf_put_text(&bytes, "SNPG");
    sn_buf_put_u32le(&bytes, 1);
    sn_buf_put_u64le(&bytes, sn_hash_bytes(data, len, 0));
    sn_buf_put(&bytes, data, len);
    if (sn_push_group_open(&bytes, &group, NULL) == SN_OK) {
        check_batch(&group);
        sn_push_group_release(&group);
    }
    sn_buf_release(&bytes);
}

static void take_page(const uint8_t *data, size_t len, bool is_protobuf) {
    struct sn_label job = {SN_STR("job"), SN_STR("fuzz")};
    struct sn_push_group group;
    struct sn_push_change change = {
        .labels = {&job, 1},
        .page = {.bytes = sn_str_make(data, len), .is_protobuf = is_protobuf},
        .now_ms = 1,
        .seed = 1};
    if (sn_push_group_make(&change, &group, NULL) == SN_OK) {
        check_batch(&group);
        check_again(&group);
        sn_push_group_release(&group);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    if (len > 0 && data[0] == 'f') {
        take_file(data + 1, len - 1);
    } else if (len > 0) {
        take_page(data + 1, len - 1, data[0] == 'b');
    }
    return 0;
}
