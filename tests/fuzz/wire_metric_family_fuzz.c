/*
 * Bodies of protobuf exposition. Properties: labels are few, histograms are valid, a failure has a
 * sentence.
 */
#include "wire/metric_family.h"

#include "base/check.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static sn_status on_family(void *ctx, const struct sn_metadata *metadata, struct sn_err *err) {
    (void)ctx;
    (void)err;
    SN_CHECK(metadata->metric_name.len > 0 && sn_str_is_utf8(metadata->help));
    return SN_OK;
}

static sn_status on_point(void *ctx, const struct sn_family_point *point, struct sn_err *err) {
    (void)ctx;
    (void)err;
    SN_CHECK(point->label_count >= 1 && point->label_count <= SN_LABELS_MAX + 2);
    SN_CHECK(sn_str_equal(point->labels[0].name, SN_LABEL_METRIC_NAME));
    if (point->histogram != NULL)
        SN_CHECK(sn_histogram_validate(point->histogram, NULL) == SN_OK);
    for (size_t i = 0; i < point->exemplar_count; i++)
        SN_CHECK(sn_labels_validate(point->exemplars[i].labels, NULL) == SN_OK);
    return SN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_family_visitor visitor = {
        .family = on_family, .point = on_point, .wants_native = true, .wants_classic_too = true};
    struct sn_arena arena;
    struct sn_err err = {.status = SN_OK};
    sn_arena_init(&arena, (size_t)4 << 20);
    if (sn_metric_families_read(sn_str_make(data, len), &visitor, &arena, &err) != SN_OK)
        SN_CHECK(err.text[0] != '\0');
    sn_arena_release(&arena);
    return 0;
}
