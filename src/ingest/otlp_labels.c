/*
 * Ingest, OTLP: names, labels and resources. See otlp_priv.h.
 */
#include "ingest/otlp_priv.h"
#include "wire/otlp_name.h"

#include <stdlib.h>

/* What a buffer holds, in an arena; the buffer is released. */
static sn_status keep(struct sn_buf *buf, struct sn_arena *arena, struct sn_str *ret_text,
                      struct sn_err *err) {
    sn_status status = sn_buf_status(buf, err);
    if (status == SN_OK && !sn_arena_copy(arena, sn_buf_str(buf), ret_text)) {
        status = sn_arena_failure(arena, buf->len, err);
    }
    sn_buf_release(buf);
    return status;
}

/* ---- attributes ---- */

static bool name_is_plain(struct sn_str key) {
    return sn_label_name_is_plain(key) && key.ptr[0] != '_';
}

static sn_status label_name(struct sn_str key, struct sn_arena *arena, struct sn_str *ret_name,
                            struct sn_err *err) {
    struct sn_buf buf;
    if (name_is_plain(key)) {
        *ret_name = key;
        return SN_OK;
    }
    sn_buf_init(&buf, SN_LABELS_BYTES_MAX);
    sn_otlp_put_label_name(key, &buf);
    return keep(&buf, arena, ret_name, err);
}

static sn_status join(struct sn_str *value, struct sn_str more, struct sn_arena *arena,
                      struct sn_err *err) {
    char *text = sn_arena_alloc(arena, value->len + 1 + more.len);
    if (text == NULL) {
        return sn_arena_failure(arena, value->len + 1 + more.len, err);
    }
    memcpy(text, value->ptr, value->len);
    text[value->len] = ';';
    memcpy(text + value->len + 1, more.ptr != NULL ? more.ptr : "", more.len);
    *value = sn_str_make(text, value->len + 1 + more.len);
    return SN_OK;
}

static int compare_keys(const void *a, const void *b) {
    return sn_str_compare(((const struct sn_otlp_attribute *)a)->key,
                          ((const struct sn_otlp_attribute *)b)->key);
}

static struct sn_label *find_label(struct sn_label *items, size_t count, struct sn_str name) {
    for (size_t i = 0; i < count; i++) {
        if (sn_str_equal(items[i].name, name)) {
            return &items[i];
        }
    }
    return NULL;
}

sn_status sn_otlp_make_labels(const struct sn_otlp_attributes *attributes, struct sn_arena *arena,
                              struct sn_label *items, size_t max, size_t *count,
                              struct sn_err *err) {
    if (attributes->count > SN_OTLP_ATTRIBUTES_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT, "it has %zu attributes, the limit is %d",
                          attributes->count, SN_OTLP_ATTRIBUTES_MAX);
    }
    qsort(attributes->items, attributes->count, sizeof attributes->items[0], compare_keys);
    for (size_t i = 0; i < attributes->count; i++) {
        struct sn_label label;
        SN_TRY(label_name(attributes->items[i].key, arena, &label.name, err));
        SN_TRY(sn_otlp_value_text(attributes->items[i].value, arena, &label.value, err));
        struct sn_label *same = find_label(items, *count, label.name);
        if (same != NULL) {
            SN_TRY(join(&same->value, label.value, arena, err));
            continue;
        }
        if (label.name.len == 0) {
            continue; /* an attribute without a key says nothing */
        }
        if (*count == max) {
            return sn_err_set(err, SN_ERR_LIMIT, "it has more than %zu labels", max);
        }
        items[(*count)++] = label;
    }
    return SN_OK;
}

/* ---- resources ---- */

static sn_status attribute_text(const struct sn_otlp_attributes *attributes, struct sn_str key,
                                struct sn_arena *arena, struct sn_str *ret_text,
                                struct sn_err *err) {
    *ret_text = SN_STR("");
    for (size_t i = 0; i < attributes->count && i < SN_OTLP_ATTRIBUTES_MAX; i++) {
        if (sn_str_equal(attributes->items[i].key, key)) {
            return sn_otlp_value_text(attributes->items[i].value, arena, ret_text, err);
        }
    }
    return SN_OK;
}

/* service.namespace/service.name, or one without the other's '/'. */
static sn_status make_job(struct sn_otlp_request *request,
                          const struct sn_otlp_attributes *resource, struct sn_err *err) {
    struct sn_str space, name;
    SN_TRY(attribute_text(resource, SN_STR("service.namespace"), &request->texts, &space, err));
    SN_TRY(attribute_text(resource, SN_STR("service.name"), &request->texts, &name, err));
    request->job = name;
    if (name.len > 0 && space.len > 0) {
        char *job =
            sn_arena_printf(&request->texts, "%.*s/%.*s", SN_STR_ARG(space), SN_STR_ARG(name));
        if (job == NULL) {
            return sn_arena_failure(&request->texts, name.len + space.len, err);
        }
        request->job = sn_str_from(job);
    }
    return SN_OK;
}

static bool is_identifying(struct sn_str name) {
    return sn_str_equal(name, SN_STR("service_name")) ||
           sn_str_equal(name, SN_STR("service_namespace")) ||
           sn_str_equal(name, SN_STR("service_instance_id"));
}

static void put_identity(const struct sn_otlp_request *request, struct sn_label *items,
                         size_t *count) {
    const struct sn_label identity[] = {{SN_STR("job"), request->job},
                                        {SN_STR("instance"), request->instance}};
    for (size_t i = 0; i < 2; i++) {
        if (identity[i].value.len > 0) {
            *count = sn_ingest_put_labels(items, *count, (struct sn_labels){&identity[i], 1});
        }
    }
}

/* Labels of target_info, when there is something to say and somebody to say it about. */
static sn_status make_target_info(struct sn_otlp_request *request,
                                  const struct sn_otlp_attributes *resource, struct sn_err *err) {
    struct sn_label *items = sn_arena_alloc(&request->texts, (SN_OTLP_LABELS_MAX) * sizeof *items);
    size_t count = 0, kept = 0;
    if (items == NULL) {
        return sn_arena_failure(&request->texts, SN_OTLP_LABELS_MAX * sizeof *items, err);
    }
    SN_TRY(
        sn_otlp_make_labels(resource, &request->texts, items, SN_OTLP_ATTRIBUTES_MAX, &count, err));
    for (size_t i = 0; i < count; i++) {
        if (!is_identifying(items[i].name)) {
            items[kept++] = items[i];
        }
    }
    if (kept == 0 || (request->job.len == 0 && request->instance.len == 0)) {
        return SN_OK;
    }
    put_identity(request, items, &kept);
    items[kept++] = (struct sn_label){SN_LABEL_METRIC_NAME, SN_STR("target_info")};
    return sn_labels_make(items, kept, &request->target_info, err);
}

sn_status sn_otlp_begin_resource(struct sn_otlp_request *request,
                                 const struct sn_otlp_attributes *resource, struct sn_err *err) {
    struct sn_err why = {.status = SN_OK};
    request->target_info.count = 0;
    request->target_time_ms = 0;
    request->metric.name = SN_STR("");
    request->name = SN_STR("");
    SN_TRY(make_job(request, resource, err));
    SN_TRY(attribute_text(resource, SN_STR("service.instance.id"), &request->texts,
                          &request->instance, err));
    sn_status status = make_target_info(request, resource, &why);
    if (status == SN_ERR_INVALID || status == SN_ERR_LIMIT) {
        /* The points have their own labels: only what describes the target is left out. */
        request->result.samples.lost_count++;
        sn_ingest_reject(&request->result.samples, SN_INGEST_LABEL_LIMIT, "target_info of resource",
                         request->resource_number, why.text);
        return SN_OK;
    }
    return status == SN_OK ? SN_OK : sn_err_set(err, status, "%s", why.text);
}

sn_status sn_otlp_end_resource(struct sn_otlp_request *request, struct sn_err *err) {
    static const struct sn_metadata metadata = {.metric_name = {"target_info", 11},
                                                .type = SN_METRIC_GAUGE,
                                                .help = {"Target metadata", 15}};
    if (request->target_info.count == 0 || request->target_time_ms == 0) {
        return SN_OK;
    }
    struct sn_labels labels = request->target_info;
    request->target_info.count = 0;
    SN_TRY(sn_batch_builder_add_metadata(&request->builder, &metadata, err));
    return sn_batch_builder_add(&request->builder, labels, request->target_time_ms, 1, err);
}

/* ---- metrics ---- */

static enum sn_metric_type type_of(const struct sn_otlp_metric *metric) {
    switch (metric->kind) {
    case SN_OTLP_GAUGE:
        return SN_METRIC_GAUGE;
    case SN_OTLP_SUM:
        return metric->is_monotonic ? SN_METRIC_COUNTER : SN_METRIC_GAUGE;
    case SN_OTLP_HISTOGRAM:
    case SN_OTLP_EXPONENTIAL:
        return SN_METRIC_HISTOGRAM;
    case SN_OTLP_SUMMARY:
        return SN_METRIC_SUMMARY;
    case SN_OTLP_NO_DATA:
        break;
    }
    return SN_METRIC_UNKNOWN;
}

static bool is_same_metric(const struct sn_otlp_metric *a, const struct sn_otlp_metric *b) {
    return a->kind == b->kind && a->name.ptr == b->name.ptr && a->name.len == b->name.len &&
           a->unit.ptr == b->unit.ptr && a->is_monotonic == b->is_monotonic;
}

static sn_status add_metadata(struct sn_otlp_request *request, const struct sn_otlp_metric *metric,
                              struct sn_err *err) {
    struct sn_metadata metadata = {
        .metric_name = request->name, .type = type_of(metric), .help = metric->description};
    struct sn_buf unit;
    sn_buf_init(&unit, SN_LABELS_BYTES_MAX);
    sn_otlp_put_unit(metric->unit, &unit);
    SN_TRY(keep(&unit, &request->texts, &metadata.unit, err));
    if (metadata.help.len > SN_METADATA_BYTES_MAX || metadata.unit.len > SN_METADATA_BYTES_MAX ||
        !sn_str_is_utf8(metadata.help)) {
        sn_ingest_reject(&request->result.samples, SN_INGEST_METADATA_LIMIT, "point",
                         (size_t)request->result.point_count,
                         "the description of its metric is too long, or not UTF-8");
        return SN_OK;
    }
    return sn_batch_builder_add_metadata(&request->builder, &metadata, err);
}

sn_status sn_otlp_begin_metric(struct sn_otlp_request *request, const struct sn_otlp_metric *metric,
                               struct sn_err *err) {
    struct sn_buf name;
    if (request->name.len > 0 && is_same_metric(&request->metric, metric)) {
        return SN_OK;
    }
    sn_buf_init(&name, SN_METADATA_BYTES_MAX);
    sn_otlp_put_metric_name(metric, &name);
    if (name.status == SN_ERR_LIMIT) { /* a point of it says so: its name is empty */
        sn_buf_reset(&name);
    }
    SN_TRY(keep(&name, &request->texts, &request->name, err));
    request->metric = *metric;
    return request->name.len > 0 ? add_metadata(request, metric, err) : SN_OK;
}

/* ---- points ---- */

sn_status sn_otlp_begin_labels(struct sn_otlp_request *request,
                               const struct sn_otlp_attributes *attributes, struct sn_err *err) {
    request->label_count = 0;
    SN_TRY(sn_otlp_make_labels(attributes, &request->scratch, request->labels,
                               SN_OTLP_ATTRIBUTES_MAX, &request->label_count, err));
    put_identity(request, request->labels, &request->label_count);
    return SN_OK;
}

/* Labels of a series of the point, in items [SN_OTLP_LABELS_MAX]. */
static sn_status series_labels(const struct sn_otlp_request *request, struct sn_str name,
                               struct sn_label more, struct sn_label *items,
                               struct sn_labels *ret_labels, struct sn_err *err) {
    const struct sn_label name_label = {SN_LABEL_METRIC_NAME, name};
    size_t count = request->label_count;
    memcpy(items, request->labels, count * sizeof *items);
    count = sn_ingest_put_labels(items, count, (struct sn_labels){&name_label, 1});
    if (more.value.len > 0) {
        count = sn_ingest_put_labels(items, count, (struct sn_labels){&more, 1});
    }
    return sn_labels_make(items, count, ret_labels, err);
}

sn_status sn_otlp_add_series(struct sn_otlp_request *request, const char *ending,
                             struct sn_label more, struct sn_err *err) {
    struct sn_label items[SN_OTLP_LABELS_MAX];
    struct sn_labels labels;
    struct sn_str name = request->name;
    if (ending[0] != '\0') {
        char *longer =
            sn_arena_printf(&request->scratch, "%.*s%s", SN_STR_ARG(request->name), ending);
        if (longer == NULL) {
            return sn_arena_failure(&request->scratch, name.len, err);
        }
        name = sn_str_from(longer);
    }
    SN_TRY(series_labels(request, name, more, items, &labels, err));
    return sn_batch_builder_add_series(&request->builder, labels, &request->series, err);
}

sn_status sn_otlp_stream_key(struct sn_otlp_request *request, struct sn_str *ret_key,
                             struct sn_err *err) {
    struct sn_label items[SN_OTLP_LABELS_MAX];
    struct sn_labels labels;
    struct sn_buf key;
    const struct sn_label none = {{NULL, 0}, {NULL, 0}};
    SN_TRY(series_labels(request, request->name, none, items, &labels, err));
    sn_buf_init(&key, SN_LABELS_BYTES_MAX);
    sn_labels_encode(labels, &key);
    return keep(&key, &request->scratch, ret_key, err);
}
