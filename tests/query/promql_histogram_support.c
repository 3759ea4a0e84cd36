#include "promql_support.h"

#include "base/check.h"
#include "codec/number.h"
#include "query/histogram_priv.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define EPSILON 1e-6
#define BUCKETS_MAX 512

/* ---- numbers ---- */

bool promql_number_is_near(double a, double b) {
    double sum = fabs(a) + fabs(b);
    double difference = fabs(a - b);
    if (isnan(a) || isnan(b)) {
        return isnan(a) && isnan(b);
    }
    if (a == b) {
        return true;
    }
    if (isinf(a) || isinf(b)) {
        return false;
    }
    if (a == 0 || b == 0 || sum < DBL_MIN) {
        return difference < EPSILON * DBL_MIN;
    }
    return difference / fmin(sum, DBL_MAX) < EPSILON;
}

static bool lists_are_near(const struct sn_bucket_list *a, const struct sn_bucket_list *b) {
    uint32_t k = 0;
    for (uint32_t i = 0; i < a->size; i++) {
        while (k < b->size && b->index[k] < a->index[i]) {
            if (b->count[k++].sum != 0) {
                return false;
            }
        }
        bool is_there = k < b->size && b->index[k] == a->index[i];
        if (!promql_number_is_near(a->count[i].sum, is_there ? b->count[k].sum : 0)) {
            return false;
        }
        k += is_there;
    }
    for (; k < b->size; k++) {
        if (b->count[k].sum != 0) {
            return false;
        }
    }
    return true;
}

bool promql_histogram_is_near(const struct sn_histogram *a, const struct sn_histogram *b,
                              struct sn_arena *arena) {
    struct sn_histogram_sum left = {.schema = 0};
    struct sn_histogram_sum right = {.schema = 0};
    SN_CHECK(sn_histogram_sum_set(&left, a, arena) == SN_OK);
    SN_CHECK(sn_histogram_sum_set(&right, b, arena) == SN_OK);
    bool is_same = a->schema == b->schema && a->custom_bound_count == b->custom_bound_count &&
                   promql_number_is_near(a->zero_threshold, b->zero_threshold) &&
                   promql_number_is_near(a->zero_count, b->zero_count) &&
                   promql_number_is_near(a->count, b->count) &&
                   promql_number_is_near(a->sum, b->sum);
    for (uint32_t i = 0; is_same && i < a->custom_bound_count; i++) {
        is_same = promql_number_is_near(a->custom_bounds[i], b->custom_bounds[i]);
    }
    return is_same && lists_are_near(&left.positive, &right.positive) &&
           lists_are_near(&left.negative, &right.negative);
}

const struct sn_histogram *promql_histogram_add(const struct sn_histogram *a,
                                                const struct sn_histogram *b, double sign,
                                                struct sn_arena *arena) {
    struct sn_histogram_sum sum = {.schema = 0};
    struct sn_histogram_sum scratch = {.schema = 0};
    const struct sn_histogram *result = NULL;
    unsigned events = 0;
    SN_CHECK(sn_histogram_sum_set(&sum, a, arena) == SN_OK);
    SN_CHECK(sn_histogram_sum_add(&sum, b, sign, &scratch, arena, &events) == SN_OK);
    sum.reset_hint = a->reset_hint;
    SN_CHECK(sn_histogram_sum_finish(&sum, false, arena, &result) == SN_OK);
    return result;
}

/* ---- {{schema:0 count:3 buckets:[1 2]}} ---- */

struct numbers {
    double items[BUCKETS_MAX];
    uint32_t count;
};

struct parsed {
    struct sn_histogram histogram;
    struct numbers positive;
    struct numbers negative;
    struct numbers bounds;
    int64_t offset;
    int64_t negative_offset;
};

static bool parse_numbers(struct sn_str text, struct numbers *numbers) {
    struct sn_str item;
    text = sn_str_trim(text);
    while (text.len > 0) {
        (void)sn_str_cut(text, ' ', &item, &text);
        text = sn_str_trim(text);
        if (numbers->count == BUCKETS_MAX ||
            sn_double_parse(item, &numbers->items[numbers->count++]) != SN_OK) {
            return false;
        }
    }
    return true;
}

static bool parse_hint(struct sn_str value, enum sn_counter_reset_hint *ret_hint) {
    static const char *const names[] = {"unknown", "reset", "not_reset", "gauge"};
    for (int i = 0; i < 4; i++) {
        if (sn_str_equal(value, sn_str_from(names[i]))) {
            *ret_hint = (enum sn_counter_reset_hint)i;
            return true;
        }
    }
    return false;
}

static bool parse_schema(struct sn_str value, int32_t *ret_schema) {
    int64_t schema = 0;
    bool is_right = sn_int64_parse(value, &schema) == SN_OK;
    *ret_schema = (int32_t)schema;
    return is_right;
}

static bool parse_field(struct sn_str name, struct sn_str value, struct parsed *parsed) {
    struct sn_histogram *histogram = &parsed->histogram;
    struct {
        const char *name;
        double *number;
        struct numbers *numbers;
        int64_t *integer;
    } fields[] = {{"sum", &histogram->sum, NULL, NULL},
                  {"count", &histogram->count, NULL, NULL},
                  {"z_bucket", &histogram->zero_count, NULL, NULL},
                  {"z_bucket_w", &histogram->zero_threshold, NULL, NULL},
                  {"buckets", NULL, &parsed->positive, NULL},
                  {"n_buckets", NULL, &parsed->negative, NULL},
                  {"custom_values", NULL, &parsed->bounds, NULL},
                  {"offset", NULL, NULL, &parsed->offset},
                  {"n_offset", NULL, NULL, &parsed->negative_offset}};
    if (sn_str_equal(name, SN_STR("schema"))) {
        return parse_schema(value, &histogram->schema);
    }
    if (sn_str_equal(name, SN_STR("counter_reset_hint"))) {
        return parse_hint(value, &histogram->reset_hint);
    }
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!sn_str_equal(name, sn_str_from(fields[i].name))) {
            continue;
        }
        if (fields[i].numbers != NULL) {
            return parse_numbers(value, fields[i].numbers);
        }
        return fields[i].number != NULL ? sn_double_parse(value, fields[i].number) == SN_OK
                                        : sn_int64_parse(value, fields[i].integer) == SN_OK;
    }
    return false;
}

/* Value of a field: up to a blank, or what stands in brackets. */
static struct sn_str take_field_value(struct sn_str *text) {
    struct sn_str value;
    if (sn_str_starts_with(*text, SN_STR("["))) {
        (void)sn_str_cut(sn_str_make(text->ptr + 1, text->len - 1), ']', &value, text);
        return value;
    }
    (void)sn_str_cut(*text, ' ', &value, text);
    return value;
}

/* The buckets as one span, in the arena. */
static void keep_side(const struct numbers *numbers, int64_t offset, struct sn_arena *arena,
                      const struct sn_bucket_span **ret_spans, const double **ret_counts) {
    struct sn_bucket_span *span = sn_arena_alloc(arena, sizeof *span);
    double *counts = sn_arena_alloc(arena, (numbers->count + 1) * sizeof *counts);
    SN_CHECK(span != NULL && counts != NULL);
    *span = (struct sn_bucket_span){(int32_t)offset, numbers->count};
    memcpy(counts, numbers->items, numbers->count * sizeof *counts);
    *ret_spans = span;
    *ret_counts = counts;
}

static const struct sn_histogram *keep(struct parsed *parsed, struct sn_arena *arena) {
    struct sn_histogram *histogram = sn_arena_alloc(arena, sizeof *histogram);
    const struct sn_bucket_span *no_spans;
    SN_CHECK(histogram != NULL);
    *histogram = parsed->histogram;
    keep_side(&parsed->positive, parsed->offset, arena, &histogram->positive_spans,
              &histogram->positive_counts);
    keep_side(&parsed->negative, parsed->negative_offset, arena, &histogram->negative_spans,
              &histogram->negative_counts);
    keep_side(&parsed->bounds, 0, arena, &no_spans, &histogram->custom_bounds);
    histogram->positive_span_count = parsed->positive.count > 0;
    histogram->positive_bucket_count = parsed->positive.count;
    histogram->negative_span_count = parsed->negative.count > 0;
    histogram->negative_bucket_count = parsed->negative.count;
    histogram->custom_bound_count = parsed->bounds.count;
    return histogram;
}

bool promql_histogram_parse(struct sn_str text, struct sn_arena *arena,
                            const struct sn_histogram **ret_histogram) {
    struct parsed *parsed = sn_arena_alloc_zero(arena, 1, sizeof *parsed);
    SN_CHECK(parsed != NULL);
    text = sn_str_trim(text);
    while (text.len > 0) {
        struct sn_str name;
        if (!sn_str_cut(text, ':', &name, &text) ||
            !parse_field(name, take_field_value(&text), parsed)) {
            return false;
        }
        text = sn_str_trim(text);
    }
    *ret_histogram = keep(parsed, arena);
    return true;
}

/* ---- classic histograms as native ones ---- */

#define SERIES_MAX 512

/* A classic histogram: its native series in the making. */
struct classic {
    struct promql_series *native;
    const struct promql_series *buckets[BUCKETS_MAX];
    double bounds[BUCKETS_MAX];
    size_t bucket_count;
    const struct promql_series *sum;
    const struct promql_series *count;
};

static struct sn_labels base_labels(struct sn_labels labels, struct sn_str base,
                                    struct sn_arena *arena) {
    struct sn_label *items = sn_arena_alloc(arena, (labels.count + 1) * sizeof *items);
    struct sn_labels result = {items, 0};
    SN_CHECK(items != NULL);
    for (size_t i = 0; i < labels.count; i++) {
        struct sn_label label = labels.items[i];
        if (sn_str_equal(label.name, SN_STR("le"))) {
            continue;
        }
        if (sn_str_equal(label.name, SN_LABEL_METRIC_NAME)) {
            label.value = base;
        }
        items[result.count++] = label;
    }
    return result;
}

static struct sn_str cut_suffix(struct sn_str name, const char *suffix) {
    struct sn_str end = sn_str_from(suffix);
    return sn_str_ends_with(name, end) ? sn_str_make(name.ptr, name.len - end.len)
                                       : sn_str_make(NULL, 0);
}

static struct classic *find_classic(struct classic *all, size_t *count, struct sn_labels labels,
                                    struct sn_arena *arena) {
    for (size_t i = 0; i < *count; i++) {
        if (sn_labels_equal(all[i].native->labels, labels)) {
            return &all[i];
        }
    }
    SN_CHECK(*count < SERIES_MAX);
    struct classic *classic = &all[(*count)++];
    *classic = (struct classic){.native = sn_arena_alloc_zero(arena, 1, sizeof *classic->native)};
    SN_CHECK(classic->native != NULL);
    classic->native->labels = labels;
    return classic;
}

static void add_bucket(struct classic *classic, const struct promql_series *series, double bound) {
    size_t at = classic->bucket_count;
    for (size_t i = 0; i < classic->bucket_count; i++) {
        if (classic->bounds[i] == bound) {
            return;
        }
    }
    SN_CHECK(at < BUCKETS_MAX);
    while (at > 0 && classic->bounds[at - 1] > bound) {
        classic->bounds[at] = classic->bounds[at - 1];
        classic->buckets[at] = classic->buckets[at - 1];
        at--;
    }
    classic->bounds[at] = bound;
    classic->buckets[at] = series;
    classic->bucket_count++;
}

static void sort_in(struct classic *all, size_t *count, const struct promql_series *series,
                    struct sn_arena *arena) {
    struct sn_str name = sn_labels_get(series->labels, SN_LABEL_METRIC_NAME);
    static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
    for (int i = 0; i < 3; i++) {
        struct sn_str base = cut_suffix(name, suffixes[i]);
        double bound = 0;
        if (base.len == 0 || series->is_start ||
            (i == 0 &&
             (sn_double_parse(sn_labels_get(series->labels, SN_STR("le")), &bound) != SN_OK ||
              isnan(bound)))) {
            continue;
        }
        struct classic *classic =
            find_classic(all, count, base_labels(series->labels, base, arena), arena);
        if (i == 0) {
            add_bucket(classic, series, bound);
        } else {
            *(i == 1 ? &classic->sum : &classic->count) = series;
        }
    }
}

static bool number_at(const struct promql_series *series, size_t i, double *ret_number) {
    if (series == NULL || i >= series->count || series->values[i].kind != PROMQL_NUMBER) {
        return false;
    }
    *ret_number = series->values[i].number;
    return true;
}

/* Cumulative counts of one time to a histogram; NULL: there is none. */
static const struct sn_histogram *convert(const struct classic *classic, size_t i,
                                          struct sn_arena *arena) {
    struct parsed *parsed = sn_arena_alloc_zero(arena, 1, sizeof *parsed);
    double before = 0;
    bool has_any = false;
    SN_CHECK(parsed != NULL);
    parsed->histogram.schema = SN_HISTOGRAM_SCHEMA_CUSTOM;
    for (size_t k = 0; k < classic->bucket_count; k++) {
        double count;
        if (!number_at(classic->buckets[k], i, &count)) {
            continue;
        }
        has_any = true;
        count = count < before ? before : count;
        parsed->positive.items[parsed->positive.count++] = count - before;
        before = count;
        if (!isinf(classic->bounds[k])) {
            parsed->bounds.items[parsed->bounds.count++] = classic->bounds[k];
        }
    }
    (void)number_at(classic->sum, i, &parsed->histogram.sum);
    parsed->histogram.count = before;
    if (number_at(classic->count, i, &parsed->histogram.count)) {
        has_any = true;
        if (parsed->positive.count == parsed->bounds.count) { /* no bucket ends at +Inf */
            parsed->positive.items[parsed->positive.count++] = parsed->histogram.count - before;
        }
    }
    return has_any ? keep(parsed, arena) : NULL;
}

static void fill_native(const struct classic *classic, struct sn_arena *arena) {
    struct promql_series *native = classic->native;
    size_t count = 0;
    for (size_t k = 0; k < classic->bucket_count; k++) {
        count = classic->buckets[k]->count > count ? classic->buckets[k]->count : count;
    }
    native->values = sn_arena_alloc_zero(arena, count + 1, sizeof *native->values);
    SN_CHECK(native->values != NULL);
    for (size_t i = 0; i < count; i++) {
        const struct sn_histogram *histogram = convert(classic, i, arena);
        native->values[i] = (struct promql_value){
            histogram != NULL ? PROMQL_HISTOGRAM : PROMQL_BLANK, 0, histogram};
    }
    native->count = count;
}

void promql_add_nhcb(struct promql_command *command, struct sn_arena *arena) {
    struct classic *all = calloc(SERIES_MAX, sizeof *all);
    size_t count = 0;
    SN_CHECK(all != NULL);
    for (size_t i = 0; i < command->series_count; i++) {
        sort_in(all, &count, &command->series[i], arena);
    }
    size_t total = command->series_count + count;
    struct promql_series *series = sn_arena_alloc(arena, (total + 1) * sizeof *series);
    SN_CHECK(series != NULL);
    if (command->series_count > 0) {
        memcpy(series, command->series, command->series_count * sizeof *series);
    }
    for (size_t i = 0; i < count; i++) {
        fill_native(&all[i], arena);
        series[command->series_count++] = *all[i].native;
    }
    command->series = series;
    command->series_capacity = total;
    free(all);
}
