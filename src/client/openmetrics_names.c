/*
 * Which families meet in OpenMetrics. See openmetrics_names_priv.h. With the registration lock.
 */
#include "client/openmetrics_names_priv.h"

#define SUFFIX_MAX 5
#define NAME_SIZE (SONDE_NAME_BYTES_MAX + sizeof "_created")

/* What a family's lines are called behind its stem; "" is the family itself. */
static const struct sn_str suffixes[][SUFFIX_MAX] = {
    [SONDE_TYPE_COUNTER] = {{"", 0}, {"_total", 6}, {"_created", 8}},
    [SONDE_TYPE_GAUGE] = {{"", 0}},
    [SONDE_TYPE_HISTOGRAM] = {{"", 0}, {"_bucket", 7}, {"_sum", 4}, {"_count", 6}, {"_created", 8}},
    [SONDE_TYPE_INFO] = {{"", 0}, {"_info", 5}},
};

sonde_type sn_kind_type(enum sn_kind kind) {
    switch (kind) {
    case SN_KIND_COUNTER:
    case SN_KIND_FLOAT_COUNTER:
    case SN_KIND_CALLBACK_COUNTER:
        return SONDE_TYPE_COUNTER;
    case SN_KIND_HISTOGRAM:
    case SN_KIND_NATIVE:
    case SN_KIND_OPERATION:
        return SONDE_TYPE_HISTOGRAM;
    case SN_KIND_INFO:
        return SONDE_TYPE_INFO;
    case SN_KIND_GAUGE:
    case SN_KIND_CALLBACK_GAUGE:
    case SN_KIND_SERVICE:
        return SONDE_TYPE_GAUGE;
    }
    return SONDE_TYPE_GAUGE;
}

struct sn_str sn_openmetrics_stem(sonde_type type, struct sn_str name) {
    struct sn_str suffix = type == SONDE_TYPE_COUNTER ? SN_STR("_total")
                           : type == SONDE_TYPE_INFO  ? SN_STR("_info")
                                                      : SN_STR("");
    return sn_str_make(name.ptr, name.len - suffix.len);
}

/* The names of a family, one after the other; false behind the last one. */
static bool nth_name(const struct sn_family *family, size_t n, char *buf, struct sn_str *ret_name) {
    sonde_type type = sn_kind_type(family->kind);
    if (n >= SUFFIX_MAX || suffixes[type][n].ptr == NULL)
        return false;
    struct sn_str stem = sn_openmetrics_stem(type, sn_str_from(family->name));
    memcpy(buf, stem.ptr, stem.len);
    memcpy(buf + stem.len, suffixes[type][n].ptr, suffixes[type][n].len);
    *ret_name = sn_str_make(buf, stem.len + suffixes[type][n].len);
    return true;
}

static bool meet(const struct sn_family *a, const struct sn_family *b) {
    char buf_a[NAME_SIZE], buf_b[NAME_SIZE];
    struct sn_str name_a, name_b;
    for (size_t i = 0; nth_name(a, i, buf_a, &name_a); i++) {
        for (size_t k = 0; nth_name(b, k, buf_b, &name_b); k++) {
            if (sn_str_equal(name_a, name_b))
                return true;
        }
    }
    return false;
}

/* Only these have a longer name to go back to. */
static bool may_be_plain(const struct sn_family *family) {
    sonde_type type = sn_kind_type(family->kind);
    return type == SONDE_TYPE_COUNTER || type == SONDE_TYPE_INFO;
}

static void mark(struct sn_family *family) {
    /* Relaxed: a reader sees the old type or the new one, both are pages. */
    if (may_be_plain(family))
        atomic_store_explicit(&family->is_plain, true, memory_order_relaxed);
}

void sn_openmetrics_mark(struct sn_family *family) {
    if (sn_openmetrics_stem(sn_kind_type(family->kind), sn_str_from(family->name)).len == 0)
        mark(family); /* "_total" */
    /* Names that begin differently cannot meet: spares most of the work. */
    for (struct sn_family *other = atomic_load(&family->registry->first); other != NULL;
         other = atomic_load(&other->next)) {
        bool is_candidate = other != family && other->name[0] == family->name[0] &&
                            (may_be_plain(family) || may_be_plain(other));
        if (is_candidate && meet(family, other)) {
            mark(family);
            mark(other);
        }
    }
}
