/*
 * Source "self": what the server measures about itself with libsonde, stored like everything else.
 * Reads the global registry sample by sample; no text in between.
 */
#include "collect/source.h"

#include <sonde/expose.h>

#define PAIRS_MAX 12

struct visit {
    struct sn_gather *gather;
    struct sn_err *err;
    sn_status status;
};

static enum sn_metric_type type_of(sonde_type type) {
    switch (type) {
    case SONDE_TYPE_COUNTER:
        return SN_METRIC_COUNTER;
    case SONDE_TYPE_GAUGE:
        return SN_METRIC_GAUGE;
    case SONDE_TYPE_HISTOGRAM:
        return SN_METRIC_HISTOGRAM;
    case SONDE_TYPE_INFO:
        return SN_METRIC_GAUGE; /* An info metric is a gauge of value 1 in the text format. */
    }
    return SN_METRIC_UNKNOWN;
}

static int add_family(void *ctx, const sonde_family_info *family) {
    struct visit *visit = ctx;
    if (!visit->gather->wants_metadata)
        return 0;
    const struct sn_metadata metadata = {
        .metric_name = sn_str_from(family->name),
        .type = type_of(family->type),
        .help = sn_str_from(family->help),
        .unit = sn_str_from(family->unit),
    };
    visit->status = sn_batch_builder_add_metadata(&visit->gather->batch, &metadata, visit->err);
    return visit->status == SN_OK ? 0 : -1;
}

static int add_sample(void *ctx, const sonde_sample *sample) {
    struct visit *visit = ctx;
    struct sn_str pairs[2 * PAIRS_MAX];
    if (sample->label_count > PAIRS_MAX) {
        visit->status = sn_err_set(visit->err, SN_ERR_LIMIT, "%s has %zu labels, the limit is %d",
                                   sample->name, sample->label_count, PAIRS_MAX);
        return -1;
    }
    for (size_t i = 0; i < sample->label_count; i++) {
        pairs[2 * i] = sn_str_from(sample->labels[i].name);
        pairs[2 * i + 1] = sn_str_make(sample->labels[i].value, sample->labels[i].value_len);
    }
    visit->status = sn_gather_add(visit->gather, sn_str_from(sample->name), pairs,
                                  sample->label_count, sample->value, visit->err);
    return visit->status == SN_OK ? 0 : -1;
}

static sn_status collect(struct sn_gather *gather, void **state, struct sn_err *err) {
    (void)state;
    struct visit visit = {.gather = gather, .err = err, .status = SN_OK};
    const sonde_visitor visitor = {.family = add_family, .sample = add_sample, .ctx = &visit};
    if (sonde_registry_visit(NULL, &visitor) == SONDE_ERR_NO_MEMORY)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to read the own metrics");
    return visit.status;
}

const struct sn_source sn_source_self = {
    .name = "self",
    .is_about_sonde = true,
    .collect = collect,
};
