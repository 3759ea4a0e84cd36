/*
 * The functions of PromQL: names, argument types, results. Constant data; any thread.
 */
#ifndef SN_QUERY_FUNCTIONS_H
#define SN_QUERY_FUNCTIONS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum sn_value_type {
    SN_VALUE_SCALAR,
    SN_VALUE_STRING,
    SN_VALUE_VECTOR, /* instant vector */
    SN_VALUE_MATRIX, /* range vector */
};

/* "scalar", "string", "vector", "matrix": resultType of the HTTP API. */
const char *sn_value_type_name(enum sn_value_type type);

/* "scalar", "string", "instant vector", "range vector": for messages. */
const char *sn_value_type_words(enum sn_value_type type);

/* In the order of names, which is the order of the table in functions.c. */
enum sn_function_id {
    SN_FN_ABS,
    SN_FN_ABSENT,
    SN_FN_ABSENT_OVER_TIME,
    SN_FN_ACOS,
    SN_FN_ACOSH,
    SN_FN_ASIN,
    SN_FN_ASINH,
    SN_FN_ATAN,
    SN_FN_ATANH,
    SN_FN_AVG_OVER_TIME,
    SN_FN_CEIL,
    SN_FN_CHANGES,
    SN_FN_CLAMP,
    SN_FN_CLAMP_MAX,
    SN_FN_CLAMP_MIN,
    SN_FN_COS,
    SN_FN_COSH,
    SN_FN_COUNT_OVER_TIME,
    SN_FN_DAY_OF_MONTH,
    SN_FN_DAY_OF_WEEK,
    SN_FN_DAY_OF_YEAR,
    SN_FN_DAYS_IN_MONTH,
    SN_FN_DEG,
    SN_FN_DELTA,
    SN_FN_DERIV,
    SN_FN_DOUBLE_EXPONENTIAL_SMOOTHING,
    SN_FN_END,
    SN_FN_EXP,
    SN_FN_FIRST_OVER_TIME,
    SN_FN_FLOOR,
    SN_FN_HISTOGRAM_AVG,
    SN_FN_HISTOGRAM_COUNT,
    SN_FN_HISTOGRAM_FRACTION,
    SN_FN_HISTOGRAM_QUANTILE,
    SN_FN_HISTOGRAM_QUANTILES,
    SN_FN_HISTOGRAM_STDDEV,
    SN_FN_HISTOGRAM_STDVAR,
    SN_FN_HISTOGRAM_SUM,
    SN_FN_HOUR,
    SN_FN_IDELTA,
    SN_FN_INCREASE,
    SN_FN_INFO,
    SN_FN_INTEGRAL,
    SN_FN_IRATE,
    SN_FN_LABEL_JOIN,
    SN_FN_LABEL_REPLACE,
    SN_FN_LAST_OVER_TIME,
    SN_FN_LN,
    SN_FN_LOG10,
    SN_FN_LOG2,
    SN_FN_MAD_OVER_TIME,
    SN_FN_MAX_OF,
    SN_FN_MAX_OVER_TIME,
    SN_FN_MIN_OF,
    SN_FN_MIN_OVER_TIME,
    SN_FN_MINUTE,
    SN_FN_MONTH,
    SN_FN_PI,
    SN_FN_PREDICT_LINEAR,
    SN_FN_PRESENT_OVER_TIME,
    SN_FN_QUANTILE_OVER_TIME,
    SN_FN_RAD,
    SN_FN_RANGE,
    SN_FN_RATE,
    SN_FN_RESETS,
    SN_FN_ROUND,
    SN_FN_SCALAR,
    SN_FN_SGN,
    SN_FN_SIN,
    SN_FN_SINH,
    SN_FN_SORT,
    SN_FN_SORT_BY_LABEL,
    SN_FN_SORT_BY_LABEL_DESC,
    SN_FN_SORT_DESC,
    SN_FN_SQRT,
    SN_FN_START,
    SN_FN_START_TIMESTAMP,
    SN_FN_STDDEV_OVER_TIME,
    SN_FN_STDVAR_OVER_TIME,
    SN_FN_STEP,
    SN_FN_SUM_OVER_TIME,
    SN_FN_TAN,
    SN_FN_TANH,
    SN_FN_TIME,
    SN_FN_TIMESTAMP,
    SN_FN_TS_OF_FIRST_OVER_TIME,
    SN_FN_TS_OF_LAST_OVER_TIME,
    SN_FN_TS_OF_MAX_OVER_TIME,
    SN_FN_TS_OF_MIN_OVER_TIME,
    SN_FN_VECTOR,
    SN_FN_YEAR,
    SN_FN_COUNT,
};

#define SN_FUNCTION_ARGS_MAX 5

struct sn_function {
    enum sn_function_id id;
    const char *name;
    enum sn_value_type args[SN_FUNCTION_ARGS_MAX]; /* [arg_count] */
    unsigned arg_count;
    /*
     * 0: exactly arg_count arguments. n > 0: arg_count - 1 to arg_count - 1 + n. -1: arg_count - 1
     * and more. Arguments beyond args have the last type.
     */
    int variadic;
    enum sn_value_type result;
    bool is_experimental;
};

/* By name, exactly as written (function names know upper and lower case); NULL: there is none. */
const struct sn_function *sn_function_find(struct sn_str name);

/* By id; never NULL for id < SN_FN_COUNT. */
const struct sn_function *sn_function_get(enum sn_function_id id);

/* The most similar name for "did you mean", or NULL when none is near. */
const char *sn_function_suggest(struct sn_str name);

#endif
