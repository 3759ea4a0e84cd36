/*
 * Registration of families. See family_priv.h. Everything here runs rarely and with the
 * registration lock held; a family is published when it is complete.
 */
#include "client/family_priv.h"

#include "base/mem.h"
#include "client/buckets_priv.h"
#include "client/callback_priv.h"
#include "client/error_priv.h"
#include "client/lock_priv.h"
#include "client/native_priv.h"
#include "client/openmetrics_names_priv.h"
#include "client/operation_priv.h"
#include "client/registry_priv.h"
#include "client/shared_sync_priv.h"
#include "codec/number.h"

#include <math.h>

static struct sn_family nowhere = {.label_count = SIZE_MAX};

struct sn_family *sn_family_nowhere(void) {
    return &nowhere;
}

/* Names. */

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(struct sn_str name, bool may_have_colon) {
    if (name.len == 0 || name.len > SONDE_NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_digit = c >= '0' && c <= '9';
        if (!is_letter(c) && !(is_digit && i > 0) && !(c == ':' && may_have_colon))
            return false;
    }
    return true;
}

/* Names that the library gives itself; see sonde/service.h and sonde/registry.h. */
static bool is_reserved(struct sn_str name) {
    return sn_str_starts_with(name, SN_STR("sonde_operation")) ||
           sn_str_equal(name, SN_STR("sonde_service_start_time_seconds")) ||
           sn_str_equal(name, SN_STR("sonde_lost")) ||
           sn_str_equal(name, SN_STR("sonde_lost_total")) ||
           sn_str_equal(name, SN_STR("sonde_lost_created"));
}

static bool is_internal(enum sn_kind kind) {
    return kind == SN_KIND_SERVICE || kind == SN_KIND_OPERATION;
}

static bool is_histogram(enum sn_kind kind) {
    return kind == SN_KIND_HISTOGRAM || kind == SN_KIND_NATIVE;
}

static bool is_counter(enum sn_kind kind) {
    return kind == SN_KIND_COUNTER || kind == SN_KIND_FLOAT_COUNTER ||
           kind == SN_KIND_CALLBACK_COUNTER;
}

static sn_status check_suffix(struct sn_str name, enum sn_kind kind, struct sn_err *err) {
    if (is_counter(kind) && !sn_str_ends_with(name, SN_STR("_total")))
        return sn_err_set(err, SN_ERR_INVALID, "the name of counter %s does not end with _total",
                          name.ptr);
    if (kind == SN_KIND_INFO && !sn_str_ends_with(name, SN_STR("_info")))
        return sn_err_set(err, SN_ERR_INVALID, "the name of info %s does not end with _info",
                          name.ptr);
    return SN_OK;
}

/* The unit is the last word of the name, before _total. */
static sn_status check_unit(struct sn_str name, struct sn_str unit, struct sn_err *err) {
    if (unit.len == 0)
        return SN_OK;
    struct sn_str stem = name;
    if (sn_str_ends_with(stem, SN_STR("_total")))
        stem.len -= strlen("_total");
    if (!sn_str_ends_with(stem, unit) || stem.len <= unit.len ||
        stem.ptr[stem.len - unit.len - 1] != '_')
        return sn_err_set(err, SN_ERR_INVALID, "the name %s does not end with its unit %.64s",
                          name.ptr, unit.ptr);
    return SN_OK;
}

static sn_status check_label_name(const sonde_metric *metric, size_t i, enum sn_kind kind,
                                  struct sn_err *err) {
    struct sn_str label = sn_str_from(metric->label_names[i]);
    if (!is_name(label, false) || sn_str_starts_with(label, SN_STR("__")))
        return sn_err_set(err, SN_ERR_INVALID, "\"%.64s\" is not a label name (metric %s)",
                          label.ptr != NULL ? label.ptr : "", metric->name);
    bool has_own_labels = is_histogram(kind);
    if (has_own_labels && sn_str_equal(label, SN_STR("le")))
        return sn_err_set(err, SN_ERR_INVALID, "histogram %s must not have a label called le",
                          metric->name);
    for (size_t k = 0; k < i; k++) {
        if (sn_str_equal(label, sn_str_from(metric->label_names[k])))
            return sn_err_set(err, SN_ERR_INVALID, "metric %s has label %s twice", metric->name,
                              label.ptr);
    }
    return SN_OK;
}

static sn_status check_labels(const sonde_metric *metric, enum sn_kind kind, struct sn_err *err) {
    if (metric->label_count > SONDE_LABELS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "metric %s has %zu labels, the limit is %d",
                          metric->name, metric->label_count, SONDE_LABELS_MAX);
    if (metric->label_count > 0 && metric->label_names == NULL)
        return sn_err_set(err, SN_ERR_INVALID, "metric %s has no label names", metric->name);
    for (size_t i = 0; i < metric->label_count; i++)
        SN_TRY(check_label_name(metric, i, kind, err));
    return SN_OK;
}

static sn_status check_metric(const sonde_metric *metric, enum sn_kind kind, struct sn_err *err) {
    if (metric == NULL || metric->name == NULL)
        return sn_err_set(err, SN_ERR_INVALID, "a metric has no name");
    struct sn_str name = sn_str_from(metric->name);
    if (!is_name(name, true))
        return sn_err_set(err, SN_ERR_INVALID, "\"%.64s\" is not a metric name", metric->name);
    if (is_reserved(name) && !is_internal(kind))
        return sn_err_set(err, SN_ERR_EXISTS, "the name %s is one of the library's own",
                          metric->name);
    SN_TRY(check_suffix(name, kind, err));
    SN_TRY(check_unit(name, sn_str_from(metric->unit), err));
    struct sn_str help = sn_str_from(metric->help);
    if (help.len > SONDE_HELP_BYTES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "the help of %s has %zu bytes, the limit is %d",
                          metric->name, help.len, SONDE_HELP_BYTES_MAX);
    if (!sn_str_is_utf8(help))
        return sn_err_set(err, SN_ERR_INVALID, "the help of %s is not UTF-8", metric->name);
    return check_labels(metric, kind, err);
}

/* Conflicts. */

/* Whether a page of `family` has lines called `name`, beside those called as the family. */
static bool has_derived_name(enum sn_kind kind, struct sn_str family, struct sn_str name) {
    if (!is_histogram(kind) || !sn_str_starts_with(name, family))
        return false;
    struct sn_str rest = sn_str_make(name.ptr + family.len, name.len - family.len);
    return sn_str_equal(rest, SN_STR("_bucket")) || sn_str_equal(rest, SN_STR("_sum")) ||
           sn_str_equal(rest, SN_STR("_count")) || sn_str_equal(rest, SN_STR("_created"));
}

static bool has_same_labels(const struct sn_family *family, const sonde_metric *metric) {
    if (family->label_count != metric->label_count)
        return false;
    for (size_t i = 0; i < family->label_count; i++) {
        if (strcmp(family->label_names[i], metric->label_names[i]) != 0)
            return false;
    }
    return true;
}

static bool has_same_bounds(const struct sn_family *family, const sonde_metric *metric) {
    if (family->kind == SN_KIND_NATIVE)
        return sn_native_is_same(family->native, metric);
    if (family->kind != SN_KIND_HISTOGRAM)
        return true;
    const double *bounds = metric->bound_count > 0 ? metric->bounds : sn_default_bounds;
    size_t count = metric->bound_count > 0 ? metric->bound_count : sn_default_bound_count;
    if (family->buckets->count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (sn_bits_of(family->buckets->bounds[i]) != sn_bits_of(bounds[i]))
            return false;
    }
    return true;
}

static sn_status check_same(const struct sn_family *family, const sonde_metric *metric,
                            enum sn_kind kind, struct sn_err *err) {
    if (family->kind != kind)
        return sn_err_set(err, SN_ERR_EXISTS, "metric %s exists with another type", metric->name);
    if (!has_same_labels(family, metric))
        return sn_err_set(err, SN_ERR_EXISTS, "metric %s exists with other labels", metric->name);
    if (!has_same_bounds(family, metric))
        return sn_err_set(err, SN_ERR_EXISTS, "histogram %s exists with other bounds",
                          metric->name);
    return SN_OK;
}

/* *ret_family is the family of this name and shape, or NULL when there is none yet. */
static sn_status find_family(const sonde_registry *registry, const sonde_metric *metric,
                             enum sn_kind kind, struct sn_family **ret_family, struct sn_err *err) {
    struct sn_str name = sn_str_from(metric->name);
    *ret_family = NULL;
    for (struct sn_family *family = atomic_load(&registry->first); family != NULL;
         family = atomic_load(&family->next)) {
        struct sn_str taken = sn_str_from(family->name);
        if (sn_str_equal(taken, name)) {
            *ret_family = family;
            return check_same(family, metric, kind, err);
        }
        if (has_derived_name(family->kind, taken, name) || has_derived_name(kind, name, taken))
            return sn_err_set(err, SN_ERR_EXISTS, "the names of %s and of %s would mix",
                              metric->name, family->name);
    }
    return SN_OK;
}

/* Making. */

static uint32_t cells_of(const struct sn_family *family, bool is_in_file) {
    const sonde_buckets *buckets = family->buckets;
    switch (family->kind) {
    case SN_KIND_COUNTER:
    case SN_KIND_FLOAT_COUNTER:
        return 1;
    case SN_KIND_GAUGE:
        return 3;
    case SN_KIND_HISTOGRAM:
        return 1 + buckets->count + 1;
    case SN_KIND_NATIVE:
        return sn_native_cell_count(family->native);
    case SN_KIND_OPERATION:
        return SONDE_OPERATION_BUCKETS + buckets->count + 1 +
               (is_in_file ? SN_OPERATION_ERROR_CELLS : 0);
    case SN_KIND_CALLBACK_GAUGE:
    case SN_KIND_CALLBACK_COUNTER:
        return is_in_file ? SN_CALLBACK_CELLS : 0;
    case SN_KIND_INFO:
    case SN_KIND_SERVICE:
        return 0;
    }
    return 0;
}

static uint32_t tail_of(enum sn_kind kind, const sonde_buckets *buckets) {
    if (kind == SN_KIND_OPERATION)
        return (uint32_t)sn_operation_tail_size(buckets->count);
    return sn_kind_is_callback(kind) ? sizeof(struct sn_callback) : 0;
}

static sn_status copy_text(const char *text, char **ret_copy) {
    *ret_copy = sn_strdup(text != NULL ? text : "");
    return *ret_copy != NULL ? SN_OK : SN_ERR_NO_MEMORY;
}

static sn_status copy_texts(struct sn_family *family, const sonde_metric *metric) {
    SN_TRY(copy_text(metric->name, &family->name));
    SN_TRY(copy_text(metric->help, &family->help));
    SN_TRY(copy_text(metric->unit, &family->unit));
    if (metric->label_count == 0)
        return SN_OK;
    family->label_names = sn_alloc_zero(metric->label_count, sizeof *family->label_names);
    if (family->label_names == NULL)
        return SN_ERR_NO_MEMORY;
    family->label_count = metric->label_count;
    for (size_t i = 0; i < metric->label_count; i++)
        SN_TRY(copy_text(metric->label_names[i], &family->label_names[i]));
    return SN_OK;
}

static void set_le(struct sn_extra *le, double bound) {
    char number[SN_DOUBLE_TEXT_SIZE];
    struct sn_extra_text *const text = &le->text, *const openmetrics = &le->openmetrics;
    le->name = "le";
    (void)sn_double_format(bound, SN_DOUBLE_TEXT, le->value);
    (void)sn_double_format(bound, SN_DOUBLE_OPENMETRICS, number);
    text->len = (uint32_t)snprintf(text->bytes, sizeof text->bytes, ",le=\"%s\"} ", le->value);
    openmetrics->len =
        (uint32_t)snprintf(openmetrics->bytes, sizeof openmetrics->bytes, ",le=\"%s\"} ", number);
}

static sn_status make_les(struct sn_family *family, const double *bounds, size_t count) {
    family->les = sn_alloc_zero(count + 1, sizeof *family->les);
    if (family->les == NULL)
        return SN_ERR_NO_MEMORY;
    family->le_count = count + 1;
    for (size_t i = 0; i < count; i++)
        set_le(&family->les[i], bounds[i]);
    set_le(&family->les[count], (double)INFINITY);
    return SN_OK;
}

/* Where text has a bound: at the powers of two, both ends included. */
static sn_status make_native(struct sn_family *family, const sonde_metric *metric,
                             struct sn_err *err) {
    double bounds[SONDE_NATIVE_BUCKETS_MAX + 1];
    SN_TRY(sn_native_new(metric, &family->native, err));
    const struct sn_native *native = family->native;
    size_t count = (size_t)(native->high_exponent - native->low_exponent) + 1;
    for (size_t i = 0; i < count; i++)
        bounds[i] = ldexp(1, native->low_exponent + (int)i);
    return make_les(family, bounds, count);
}

static sn_status make_bounds(struct sn_family *family, const sonde_metric *metric,
                             struct sn_err *err) {
    if (family->kind == SN_KIND_NATIVE)
        return make_native(family, metric, err);
    if (family->kind != SN_KIND_HISTOGRAM && family->kind != SN_KIND_OPERATION)
        return SN_OK;
    const double *bounds = metric->bound_count > 0 ? metric->bounds : sn_default_bounds;
    size_t count = metric->bound_count > 0 ? metric->bound_count : sn_default_bound_count;
    double scale = family->kind == SN_KIND_OPERATION ? 1e9 : 1;
    SN_TRY(sn_buckets_new(bounds, count, scale, &family->buckets, err));
    family->bounds = sn_alloc_zero(count + 1, sizeof *family->bounds); /* count may be 0 */
    if (family->bounds == NULL)
        return SN_ERR_NO_MEMORY;
    memcpy(family->bounds, bounds, count * sizeof *bounds);
    return make_les(family, bounds, count);
}

static sn_status fill_family(struct sn_family *family, const sonde_metric *metric,
                             struct sn_err *err) {
    SN_TRY(copy_texts(family, metric));
    SN_TRY(make_bounds(family, metric, err));
    bool is_in_file =
        family->registry->cells.shared != NULL && sn_shared_takes(family->kind, family->name);
    family->cell_count = cells_of(family, is_in_file);
    family->tail_size = tail_of(family->kind, family->buckets);
    family->series_max =
        metric->series_max > 0 ? metric->series_max : family->registry->options.family_series_max;
    return sn_series_init_all(family);
}

struct sn_family *sn_family_free(struct sn_family *family) {
    if (family == NULL)
        return NULL;
    sn_series_release_all(family);
    for (size_t i = 0; i < family->label_count; i++)
        sn_free(family->label_names[i]);
    sn_free(family->native);
    sn_free(family->label_names);
    sn_free(family->bounds);
    sn_free(family->les);
    (void)sn_buckets_free(family->buckets);
    sn_free(family->name);
    sn_free(family->help);
    sn_free(family->unit);
    sn_free(family);
    return NULL;
}

static sn_status new_family(sonde_registry *registry, const sonde_metric *metric, enum sn_kind kind,
                            struct sn_family **ret_family, struct sn_err *err) {
    static uint64_t last_id;
    if (registry->family_count >= registry->options.family_max)
        return sn_err_set(err, SN_ERR_LIMIT, "no room for metric %s: the limit is %zu families",
                          metric->name, registry->options.family_max);
    struct sn_family *family = sn_alloc_zero(1, sizeof *family);
    if (family == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for metric %s", metric->name);
    family->registry = registry;
    family->kind = kind;
    family->id = ++last_id;
    struct sn_err reason = {SN_OK, ""};
    sn_status status = fill_family(family, metric, &reason);
    if (status != SN_OK) {
        (void)sn_family_free(family);
        return sn_err_set(err, status, "metric %s: %s", metric->name,
                          reason.status != SN_OK ? reason.text : "no memory");
    }
    *ret_family = family;
    return SN_OK;
}

/* Let readers see a family. */
static void publish(struct sn_family *family) {
    sonde_registry *registry = family->registry;
    _Atomic(struct sn_family *) *link =
        registry->last != NULL ? &registry->last->next : &registry->first;
    atomic_store_explicit(link, family, memory_order_release);
    registry->last = family;
    registry->family_count++;
    sn_openmetrics_mark(family);
}

/* Find a family in the registry's file, or make it there. */
static sn_status get_in_file(sonde_registry *registry, const sonde_metric *metric,
                             enum sn_kind kind, struct sn_family **ret_family, struct sn_err *err) {
    struct sn_family *family = NULL;
    sn_status status = find_family(registry, metric, kind, &family, err);
    if (status != SN_OK || family != NULL) {
        *ret_family = family;
        return status;
    }
    SN_TRY(new_family(registry, metric, kind, &family, err));
    if (!sn_shared_add_family(family)) {
        (void)sn_family_free(family);
        return sn_err_set(err, SN_ERR_LIMIT, "no room for metric %s in the shared file",
                          metric->name);
    }
    publish(family);
    *ret_family = family;
    return SN_OK;
}

/* Of a family that this process does not have. */
static sn_status make_family(sonde_registry *registry, const sonde_metric *metric,
                             enum sn_kind kind, struct sn_family **ret_family, struct sn_err *err) {
    if (registry->cells.shared != NULL && sn_shared_takes(kind, metric->name)) {
        if (!sn_shared_begin_locked(registry))
            return sn_err_set(err, SN_ERR_IO, "metric %s: the shared file is held or damaged",
                              metric->name);
        sn_status status = get_in_file(registry, metric, kind, ret_family, err);
        sn_shared_end_locked(registry);
        return status;
    }
    SN_TRY(new_family(registry, metric, kind, ret_family, err));
    publish(*ret_family);
    return SN_OK;
}

/* is_import: it is in the registry's file already. */
static sonde_status get_locked(sonde_registry *registry, const sonde_metric *metric,
                               enum sn_kind kind, struct sn_family **ret_family, struct sn_err *err,
                               bool is_import) {
    struct sn_family *family = NULL;
    sn_status status = check_metric(metric, kind, err);
    if (status == SN_OK)
        status = find_family(registry, metric, kind, &family, err);
    if (status == SN_OK && family == NULL && is_import) {
        status = new_family(registry, metric, kind, &family, err);
        if (status == SN_OK)
            publish(family);
    } else if (status == SN_OK && family == NULL) {
        status = make_family(registry, metric, kind, &family, err);
    }
    if (status == SN_OK)
        *ret_family = family;
    return (sonde_status)status;
}

sonde_status sn_family_get_locked(sonde_registry *registry, const sonde_metric *metric,
                                  enum sn_kind kind, struct sn_family **ret_family,
                                  struct sn_err *err) {
    return get_locked(registry, metric, kind, ret_family, err, false);
}

sonde_status sn_family_import_locked(sonde_registry *registry, const sonde_metric *metric,
                                     enum sn_kind kind, struct sn_family **ret_family,
                                     struct sn_err *err) {
    return get_locked(registry, metric, kind, ret_family, err, true);
}

struct sn_family *sn_family_get(sonde_registry *registry, const sonde_metric *metric,
                                enum sn_kind kind, sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    struct sn_family *family = &nowhere;
    registry = sn_registry_or_global(registry);
    sn_client_lock();
    sonde_status status = sn_family_get_locked(registry, metric, kind, &family, &err);
    sn_client_unlock();
    if (status != SONDE_OK)
        sn_lost_add(registry->lost, SONDE_LOST_REGISTRATION);
    (void)sn_public_error(error, status, &err);
    return family;
}

static sonde_status get_single_locked(sonde_registry *registry, const sonde_metric *metric,
                                      enum sn_kind kind, struct sn_series **ret_series,
                                      struct sn_err *err) {
    if (metric != NULL && metric->label_count != 0)
        return (sonde_status)sn_err_set(err, SN_ERR_INVALID,
                                        "metric %s has labels: register it as a family",
                                        metric->name != NULL ? metric->name : "");
    struct sn_family *family;
    sonde_status status = sn_family_get_locked(registry, metric, kind, &family, err);
    if (status != SONDE_OK)
        return status;
    return sn_series_get_exact_locked(family, NULL, ret_series, err);
}

struct sn_series *sn_family_get_single(sonde_registry *registry, const sonde_metric *metric,
                                       enum sn_kind kind, sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    struct sn_series *series = NULL;
    registry = sn_registry_or_global(registry);
    sn_client_lock();
    sonde_status status = get_single_locked(registry, metric, kind, &series, &err);
    sn_client_unlock();
    if (status != SONDE_OK)
        sn_lost_add(registry->lost, SONDE_LOST_REGISTRATION);
    (void)sn_public_error(error, status, &err);
    return series;
}
