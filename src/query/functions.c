/*
 * The table of PromQL functions. Sorted by name, in byte order: found by bisection.
 */
#include "query/functions.h"

#include "base/check.h"

/* Short for this table. */
#define SCALAR SN_VALUE_SCALAR
#define STRING SN_VALUE_STRING
#define VECTOR SN_VALUE_VECTOR
#define MATRIX SN_VALUE_MATRIX

/* id, name, argument types, their count, variadic, result, experimental */
static const struct sn_function functions[SN_FN_COUNT] = {
    {SN_FN_ABS, "abs", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_ABSENT, "absent", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_ABSENT_OVER_TIME, "absent_over_time", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_ACOS, "acos", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_ACOSH, "acosh", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_ASIN, "asin", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_ASINH, "asinh", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_ATAN, "atan", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_ATANH, "atanh", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_AVG_OVER_TIME, "avg_over_time", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_CEIL, "ceil", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_CHANGES, "changes", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_CLAMP, "clamp", {VECTOR, SCALAR, SCALAR}, 3, 0, VECTOR, false},
    {SN_FN_CLAMP_MAX, "clamp_max", {VECTOR, SCALAR}, 2, 0, VECTOR, false},
    {SN_FN_CLAMP_MIN, "clamp_min", {VECTOR, SCALAR}, 2, 0, VECTOR, false},
    {SN_FN_COS, "cos", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_COSH, "cosh", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_COUNT_OVER_TIME, "count_over_time", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_DAY_OF_MONTH, "day_of_month", {VECTOR}, 1, 1, VECTOR, false},
    {SN_FN_DAY_OF_WEEK, "day_of_week", {VECTOR}, 1, 1, VECTOR, false},
    {SN_FN_DAY_OF_YEAR, "day_of_year", {VECTOR}, 1, 1, VECTOR, false},
    {SN_FN_DAYS_IN_MONTH, "days_in_month", {VECTOR}, 1, 1, VECTOR, false},
    {SN_FN_DEG, "deg", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_DELTA, "delta", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_DERIV, "deriv", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_DOUBLE_EXPONENTIAL_SMOOTHING,
     "double_exponential_smoothing",
     {MATRIX, SCALAR, SCALAR},
     3,
     0,
     VECTOR,
     true},
    {SN_FN_END, "end", {SCALAR}, 0, 0, SCALAR, true},
    {SN_FN_EXP, "exp", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_FIRST_OVER_TIME, "first_over_time", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_FLOOR, "floor", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_HISTOGRAM_AVG, "histogram_avg", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_HISTOGRAM_COUNT, "histogram_count", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_HISTOGRAM_FRACTION, "histogram_fraction", {SCALAR, SCALAR, VECTOR}, 3, 0, VECTOR, false},
    {SN_FN_HISTOGRAM_QUANTILE, "histogram_quantile", {SCALAR, VECTOR}, 2, 0, VECTOR, false},
    {SN_FN_HISTOGRAM_QUANTILES,
     "histogram_quantiles",
     {VECTOR, STRING, SCALAR, SCALAR},
     4,
     9,
     VECTOR,
     true},
    {SN_FN_HISTOGRAM_STDDEV, "histogram_stddev", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_HISTOGRAM_STDVAR, "histogram_stdvar", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_HISTOGRAM_SUM, "histogram_sum", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_HOUR, "hour", {VECTOR}, 1, 1, VECTOR, false},
    {SN_FN_IDELTA, "idelta", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_INCREASE, "increase", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_INFO, "info", {VECTOR, VECTOR}, 2, 1, VECTOR, true},
    {SN_FN_INTEGRAL, "integral", {MATRIX, SCALAR}, 2, 1, VECTOR, true},
    {SN_FN_IRATE, "irate", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_LABEL_JOIN, "label_join", {VECTOR, STRING, STRING, STRING}, 4, -1, VECTOR, false},
    {SN_FN_LABEL_REPLACE,
     "label_replace",
     {VECTOR, STRING, STRING, STRING, STRING},
     5,
     0,
     VECTOR,
     false},
    {SN_FN_LAST_OVER_TIME, "last_over_time", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_LN, "ln", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_LOG10, "log10", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_LOG2, "log2", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_MAD_OVER_TIME, "mad_over_time", {MATRIX}, 1, 0, VECTOR, true},
    {SN_FN_MAX_OF, "max_of", {SCALAR, SCALAR}, 2, 0, SCALAR, true},
    {SN_FN_MAX_OVER_TIME, "max_over_time", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_MIN_OF, "min_of", {SCALAR, SCALAR}, 2, 0, SCALAR, true},
    {SN_FN_MIN_OVER_TIME, "min_over_time", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_MINUTE, "minute", {VECTOR}, 1, 1, VECTOR, false},
    {SN_FN_MONTH, "month", {VECTOR}, 1, 1, VECTOR, false},
    {SN_FN_PI, "pi", {SCALAR}, 0, 0, SCALAR, false},
    {SN_FN_PREDICT_LINEAR, "predict_linear", {MATRIX, SCALAR}, 2, 0, VECTOR, false},
    {SN_FN_PRESENT_OVER_TIME, "present_over_time", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_QUANTILE_OVER_TIME, "quantile_over_time", {SCALAR, MATRIX}, 2, 0, VECTOR, false},
    {SN_FN_RAD, "rad", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_RANGE, "range", {SCALAR}, 0, 0, SCALAR, true},
    {SN_FN_RATE, "rate", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_RESETS, "resets", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_ROUND, "round", {VECTOR, SCALAR}, 2, 1, VECTOR, false},
    {SN_FN_SCALAR, "scalar", {VECTOR}, 1, 0, SCALAR, false},
    {SN_FN_SGN, "sgn", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_SIN, "sin", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_SINH, "sinh", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_SORT, "sort", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_SORT_BY_LABEL, "sort_by_label", {VECTOR, STRING}, 2, -1, VECTOR, true},
    {SN_FN_SORT_BY_LABEL_DESC, "sort_by_label_desc", {VECTOR, STRING}, 2, -1, VECTOR, true},
    {SN_FN_SORT_DESC, "sort_desc", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_SQRT, "sqrt", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_START, "start", {SCALAR}, 0, 0, SCALAR, true},
    {SN_FN_START_TIMESTAMP, "start_timestamp", {VECTOR}, 1, 0, VECTOR, true},
    {SN_FN_STDDEV_OVER_TIME, "stddev_over_time", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_STDVAR_OVER_TIME, "stdvar_over_time", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_STEP, "step", {SCALAR}, 0, 0, SCALAR, true},
    {SN_FN_SUM_OVER_TIME, "sum_over_time", {MATRIX}, 1, 0, VECTOR, false},
    {SN_FN_TAN, "tan", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_TANH, "tanh", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_TIME, "time", {SCALAR}, 0, 0, SCALAR, false},
    {SN_FN_TIMESTAMP, "timestamp", {VECTOR}, 1, 0, VECTOR, false},
    {SN_FN_TS_OF_FIRST_OVER_TIME, "ts_of_first_over_time", {MATRIX}, 1, 0, VECTOR, true},
    {SN_FN_TS_OF_LAST_OVER_TIME, "ts_of_last_over_time", {MATRIX}, 1, 0, VECTOR, true},
    {SN_FN_TS_OF_MAX_OVER_TIME, "ts_of_max_over_time", {MATRIX}, 1, 0, VECTOR, true},
    {SN_FN_TS_OF_MIN_OVER_TIME, "ts_of_min_over_time", {MATRIX}, 1, 0, VECTOR, true},
    {SN_FN_VECTOR, "vector", {SCALAR}, 1, 0, VECTOR, false},
    {SN_FN_YEAR, "year", {VECTOR}, 1, 1, VECTOR, false},
};

const char *sn_value_type_name(enum sn_value_type type) {
    switch (type) {
    case SN_VALUE_SCALAR:
        return "scalar";
    case SN_VALUE_STRING:
        return "string";
    case SN_VALUE_VECTOR:
        return "vector";
    case SN_VALUE_MATRIX:
        return "matrix";
    }
    return "none";
}

const char *sn_value_type_words(enum sn_value_type type) {
    switch (type) {
    case SN_VALUE_SCALAR:
        return "scalar";
    case SN_VALUE_STRING:
        return "string";
    case SN_VALUE_VECTOR:
        return "instant vector";
    case SN_VALUE_MATRIX:
        return "range vector";
    }
    return "none";
}

const struct sn_function *sn_function_find(struct sn_str name) {
    size_t low = 0;
    size_t high = SN_FN_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = sn_str_compare(name, sn_str_from(functions[middle].name));
        if (order == 0) {
            return &functions[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const struct sn_function *sn_function_get(enum sn_function_id id) {
    assert(id < SN_FN_COUNT && functions[id].id == id);
    return &functions[id];
}

const char *sn_function_suggest(struct sn_str name) {
    /* Half of a short word wrong is another word: one edit up to 4 letters, two above. */
    unsigned nearest = name.len > 4 ? 3 : 2;
    const char *found = NULL;
    for (size_t i = 0; i < SN_FN_COUNT; i++) {
        struct sn_str candidate = sn_str_from(functions[i].name);
        unsigned distance = sn_str_distance(name, candidate, nearest - 1);
        if (distance < nearest) {
            nearest = distance;
            found = functions[i].name;
        }
        if (distance <= 1 && sn_str_starts_with(candidate, name)) {
            return functions[i].name; /* "rat" is a "rate" that lacks its end, and no "rad" */
        }
    }
    return found;
}
