/*
 * Functions of instant vectors and scalars: mathematics, dates, clamp, round, sort, absent.
 *
 * Only for src/query; one thread per query.
 */
#include "query/eval_priv.h"

#include <stdlib.h>

#define SECONDS_PER_DAY INT64_C(86400)

/* ---- mathematics ---- */

double sn_go_max(double a, double b) {
    bool a_wins = isinf(a) && a > 0;
    bool b_wins = isinf(b) && b > 0;
    if (a_wins || b_wins) {
        return a_wins ? a : b;
    }
    if (isnan(a) || isnan(b)) {
        return SN_NAN;
    }
    if (a == 0 && b == 0) {
        return signbit(a) ? b : a;
    }
    return a > b ? a : b;
}

double sn_go_min(double a, double b) {
    return -sn_go_max(-a, -b);
}

static double sign(double x) {
    return x < 0 ? -1 : x > 0 ? 1 : x;
}

static double to_degrees(double x) {
    return x * 180 / M_PI;
}

static double to_radians(double x) {
    return x * M_PI / 180;
}

/* ---- dates ---- */

struct date {
    int64_t year;
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
};

/* Whole seconds as Go converts them: what does not fit is the smallest integer. */
static int64_t whole_seconds(double x) {
    return x > -9.2e18 && x < 9.2e18 ? (int64_t)x : INT64_MIN;
}

static int64_t floor_divide(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

static int64_t day_number(double x) {
    return floor_divide(whole_seconds(x), SECONDS_PER_DAY);
}

static int64_t second_of_day(double x) {
    int64_t second = whole_seconds(x) % SECONDS_PER_DAY;
    return second < 0 ? second + SECONDS_PER_DAY : second;
}

/* Days since 1970 to the Gregorian calendar, counting years from March in eras of 400 years. */
static struct date date_of(double x) {
    int64_t days = day_number(x) + 719468;
    int64_t era = floor_divide(days, 146097);
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    struct date date = {.year = year_of_era + era * 400 + (month >= 10),
                        .month = (int)(month < 10 ? month + 3 : month - 9),
                        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1)};
    return date;
}

static bool is_leap_year(int64_t year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(struct date date) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[date.month - 1] + (date.month == 2 && is_leap_year(date.year));
}

static double minute_of(double x) {
    int64_t minute = second_of_day(x) / 60;
    return (double)(minute % 60);
}

static double hour_of(double x) {
    int64_t hour = second_of_day(x) / 3600;
    return (double)hour;
}

static double day_of_month_of(double x) {
    return date_of(x).day;
}

static double day_of_week_of(double x) {
    int64_t day = (day_number(x) + 4) % 7; /* 1970 began on a Thursday */
    return (double)(day < 0 ? day + 7 : day);
}

static double day_of_year_of(double x) {
    struct date date = date_of(x);
    int day = date.day;
    for (struct date before = {date.year, 1, 1}; before.month < date.month; before.month++) {
        day += days_of_month(before);
    }
    return day;
}

static double days_in_month_of(double x) {
    return days_of_month(date_of(x));
}

static double month_of(double x) {
    return date_of(x).month;
}

static double year_of(double x) {
    return (double)date_of(x).year;
}

/* ---- one value to one value ---- */

static double (*const maps[SN_FN_COUNT])(double) = {
    [SN_FN_ABS] = fabs,
    [SN_FN_ACOS] = acos,
    [SN_FN_ACOSH] = acosh,
    [SN_FN_ASIN] = asin,
    [SN_FN_ASINH] = asinh,
    [SN_FN_ATAN] = atan,
    [SN_FN_ATANH] = atanh,
    [SN_FN_CEIL] = ceil,
    [SN_FN_COS] = cos,
    [SN_FN_COSH] = cosh,
    [SN_FN_DAY_OF_MONTH] = day_of_month_of,
    [SN_FN_DAY_OF_WEEK] = day_of_week_of,
    [SN_FN_DAY_OF_YEAR] = day_of_year_of,
    [SN_FN_DAYS_IN_MONTH] = days_in_month_of,
    [SN_FN_DEG] = to_degrees,
    [SN_FN_EXP] = exp,
    [SN_FN_FLOOR] = floor,
    [SN_FN_HOUR] = hour_of,
    [SN_FN_LN] = log,
    [SN_FN_LOG10] = log10,
    [SN_FN_LOG2] = log2,
    [SN_FN_MINUTE] = minute_of,
    [SN_FN_MONTH] = month_of,
    [SN_FN_RAD] = to_radians,
    [SN_FN_SGN] = sign,
    [SN_FN_SIN] = sin,
    [SN_FN_SINH] = sinh,
    [SN_FN_SQRT] = sqrt,
    [SN_FN_TAN] = tan,
    [SN_FN_TANH] = tanh,
    [SN_FN_YEAR] = year_of,
};

static sn_status time_column(struct sn_eval *eval, struct sn_frame *frame, double **ret_column) {
    double *column;
    SN_TRY(sn_column_new(eval, frame, &column));
    for (size_t i = 0; i < frame->step_count; i++) {
        column[i] = (double)sn_frame_time(frame, i) / 1000;
    }
    *ret_column = column;
    return SN_OK;
}

/* A vector of one row without labels. Takes the column. */
static sn_status vector_of(struct sn_eval *eval, double *column, struct sn_vector *ret_vector) {
    struct sn_vector vector = {.count = 0};
    SN_TRY(sn_vector_add(eval, &vector, (struct sn_labels){.count = 0}, column));
    *ret_vector = vector;
    return SN_OK;
}

/* The first argument; date functions without one ask about the time of each step. */
static sn_status eval_input(struct sn_eval *eval, const struct sn_node *node,
                            struct sn_frame *frame, struct sn_vector *ret_vector) {
    if (node->call.count > 0) {
        return sn_eval_vector(eval, node->call.args[0], frame, ret_vector);
    }
    double *column;
    SN_TRY(time_column(eval, frame, &column));
    return vector_of(eval, column, ret_vector);
}

static sn_status call_map(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                          struct sn_vector *ret_vector) {
    double (*map)(double) = maps[node->call.function->id];
    SN_TRY(eval_input(eval, node, frame, ret_vector));
    sn_vector_drop_histograms(frame, ret_vector); /* they are not numbers */
    for (size_t i = 0; i < ret_vector->count; i++) {
        double *column = ret_vector->rows[i].value;
        SN_TRY(sn_eval_check(eval));
        for (size_t k = 0; k < frame->step_count; k++) {
            column[k] = sn_is_absent(column[k]) ? column[k] : map(column[k]);
        }
    }
    SN_TRY(sn_vector_drop_names(eval, ret_vector));
    return sn_vector_finish(eval, frame, ret_vector);
}

/* ---- values and parameters ---- */

static double clamp_value(enum sn_function_id id, double x, double first, double second) {
    switch ((int)id) {
    case SN_FN_CLAMP:
        return second < first ? SN_ABSENT : sn_go_max(first, sn_go_min(second, x));
    case SN_FN_CLAMP_MAX:
        return sn_go_min(first, x);
    case SN_FN_CLAMP_MIN:
        return sn_go_max(first, x);
    default: /* round */
        return floor(x * (1 / first) + 0.5) / (1 / first);
    }
}

/* clamp(v, min, max), clamp_min(v, x), clamp_max(v, x), round(v, to). */
static sn_status call_clamp(struct sn_eval *eval, const struct sn_node *node,
                            struct sn_frame *frame, struct sn_vector *ret_vector) {
    double *params[2] = {NULL, NULL};
    SN_TRY(sn_eval_vector(eval, node->call.args[0], frame, ret_vector));
    sn_vector_drop_histograms(frame, ret_vector);
    for (size_t i = 0; i < 2; i++) {
        if (i + 1 < node->call.count) {
            SN_TRY(sn_eval_scalar(eval, node->call.args[i + 1], frame, &params[i]));
        } else {
            SN_TRY(sn_column_new(eval, frame, &params[i]));
            sn_column_fill(frame, params[i], 1);
        }
    }
    for (size_t i = 0; i < ret_vector->count; i++) {
        double *column = ret_vector->rows[i].value;
        SN_TRY(sn_eval_check(eval));
        for (size_t k = 0; k < frame->step_count; k++) {
            if (!sn_is_absent(column[k])) {
                column[k] =
                    clamp_value(node->call.function->id, column[k], params[0][k], params[1][k]);
            }
        }
    }
    sn_column_drop(frame, params[0]);
    sn_column_drop(frame, params[1]);
    SN_TRY(sn_vector_drop_names(eval, ret_vector));
    return sn_vector_finish(eval, frame, ret_vector);
}

/* timestamp(): of the sample itself for a plain selector, of the step for everything else. */
static sn_status call_timestamp(struct sn_eval *eval, const struct sn_node *node,
                                struct sn_frame *frame, struct sn_vector *ret_vector) {
    const struct sn_node *arg = sn_node_strip_parens(node->call.args[0]);
    if (arg->kind == SN_NODE_VECTOR) {
        SN_TRY(sn_select_times(eval, arg, frame, SN_SELECT_TIME, ret_vector));
        SN_TRY(sn_vector_drop_names(eval, ret_vector));
        return sn_vector_finish(eval, frame, ret_vector);
    }
    SN_TRY(sn_eval_vector(eval, arg, frame, ret_vector));
    for (size_t i = 0; i < ret_vector->count; i++) {
        struct sn_row *row = &ret_vector->rows[i];
        for (size_t k = 0; k < frame->step_count; k++) {
            if (!sn_row_is_absent(row, k)) {
                row->value[k] = (double)sn_frame_time(frame, k) / 1000;
            }
        }
        sn_row_drop_histograms(frame, row);
    }
    SN_TRY(sn_vector_drop_names(eval, ret_vector));
    return sn_vector_finish(eval, frame, ret_vector);
}

/* Only a plain selector knows since when its samples count. */
static sn_status call_start_timestamp(struct sn_eval *eval, const struct sn_node *node,
                                      struct sn_frame *frame, struct sn_vector *ret_vector) {
    const struct sn_node *arg = sn_node_strip_parens(node->call.args[0]);
    if (arg->kind != SN_NODE_VECTOR) {
        SN_TRY(sn_eval_vector(eval, arg, frame, ret_vector));
        sn_vector_drop(frame, ret_vector);
        return SN_OK;
    }
    SN_TRY(sn_select_times(eval, arg, frame, SN_SELECT_START, ret_vector));
    SN_TRY(sn_vector_drop_names(eval, ret_vector));
    return sn_vector_finish(eval, frame, ret_vector);
}

/* ---- absence ---- */

sn_status sn_labels_of_absent(struct sn_eval *eval, const struct sn_node *node,
                              struct sn_labels *ret_labels) {
    struct sn_labels labels = {.count = 0};
    node = sn_node_strip_parens(node);
    if (node->kind == SN_NODE_MATRIX) {
        node = node->matrix.vector;
    }
    if (node->kind != SN_NODE_VECTOR) {
        *ret_labels = labels;
        return SN_OK;
    }
    for (size_t i = 0; i < node->vector.matcher_count; i++) {
        const struct sn_matcher *matcher = &node->vector.matchers[i];
        struct sn_label label = {matcher->name, matcher->value};
        bool is_repeated = false;
        for (size_t k = 0; k < i; k++) {
            is_repeated = is_repeated || (node->vector.matchers[k].kind == SN_MATCH_EQUAL &&
                                          sn_str_equal(node->vector.matchers[k].name, label.name));
        }
        if (sn_str_equal(label.name, SN_LABEL_METRIC_NAME)) {
            continue;
        }
        /* Asked for twice, or not by equality: nothing is known. */
        if (matcher->kind != SN_MATCH_EQUAL || is_repeated) {
            label.value = sn_str_make(NULL, 0);
        }
        SN_TRY(sn_labels_set(eval, labels, label, &labels));
    }
    *ret_labels = labels;
    return SN_OK;
}

sn_status sn_call_absent(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                         struct sn_vector *ret_vector) {
    struct sn_vector input = {.count = 0};
    struct sn_labels labels;
    double *column;
    SN_TRY(sn_eval_vector(eval, node->call.args[0], frame, &input));
    SN_TRY(sn_column_new(eval, frame, &column));
    sn_column_fill(frame, column, 1);
    for (size_t i = 0; i < input.count; i++) {
        for (size_t k = 0; k < frame->step_count; k++) {
            column[k] = sn_row_is_absent(&input.rows[i], k) ? column[k] : SN_ABSENT;
        }
    }
    sn_vector_drop(frame, &input);
    SN_TRY(sn_labels_of_absent(eval, node->call.args[0], &labels));
    SN_TRY(sn_vector_add(eval, ret_vector, labels, column));
    return sn_vector_finish(eval, frame, ret_vector);
}

/* ---- order ---- */

/* NaN is last both ways. */
static int compare_rows(const void *left, const void *right) {
    double a = ((const struct sn_row *)left)->value[0];
    double b = ((const struct sn_row *)right)->value[0];
    if (isnan(a) || isnan(b)) {
        return isnan(a) - isnan(b);
    }
    return (a > b) - (a < b);
}

static int compare_rows_down(const void *left, const void *right) {
    double a = ((const struct sn_row *)left)->value[0];
    double b = ((const struct sn_row *)right)->value[0];
    if (isnan(a) || isnan(b)) {
        return isnan(a) - isnan(b);
    }
    return (a < b) - (a > b);
}

sn_status sn_call_sort(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                       struct sn_vector *ret_vector) {
    SN_TRY(sn_eval_vector(eval, node->call.args[0], frame, ret_vector));
    sn_vector_drop_histograms(frame, ret_vector);
    SN_TRY(sn_vector_finish(eval, frame, ret_vector));
    if (!eval->keeps_order) {
        sn_eval_warn(eval, node,
                     "sort is ineffective for range queries since results are always ordered by "
                     "labels");
    } else if (ret_vector->count > 1 && frame->step_count == 1) {
        qsort(ret_vector->rows, ret_vector->count, sizeof *ret_vector->rows,
              node->call.function->id == SN_FN_SORT ? compare_rows : compare_rows_down);
    }
    return SN_OK;
}

/* ---- dispatch ---- */

static sn_status call_vector(struct sn_eval *eval, const struct sn_node *node,
                             struct sn_frame *frame, struct sn_vector *ret_vector) {
    double *column;
    SN_TRY(sn_eval_scalar(eval, node->call.args[0], frame, &column));
    return vector_of(eval, column, ret_vector);
}

typedef sn_status (*vector_function)(struct sn_eval *eval, const struct sn_node *node,
                                     struct sn_frame *frame, struct sn_vector *ret_vector);

static const vector_function functions[SN_FN_COUNT] = {
    [SN_FN_ABSENT] = sn_call_absent,
    [SN_FN_ABSENT_OVER_TIME] = sn_call_absent_over_time,
    [SN_FN_CLAMP] = call_clamp,
    [SN_FN_CLAMP_MAX] = call_clamp,
    [SN_FN_CLAMP_MIN] = call_clamp,
    [SN_FN_HISTOGRAM_AVG] = sn_call_histogram,
    [SN_FN_HISTOGRAM_COUNT] = sn_call_histogram,
    [SN_FN_HISTOGRAM_FRACTION] = sn_call_histogram,
    [SN_FN_HISTOGRAM_QUANTILE] = sn_call_histogram,
    [SN_FN_HISTOGRAM_QUANTILES] = sn_call_histogram,
    [SN_FN_HISTOGRAM_STDDEV] = sn_call_histogram,
    [SN_FN_HISTOGRAM_STDVAR] = sn_call_histogram,
    [SN_FN_HISTOGRAM_SUM] = sn_call_histogram,
    [SN_FN_INFO] = sn_call_info,
    [SN_FN_LABEL_JOIN] = sn_call_label_join,
    [SN_FN_LABEL_REPLACE] = sn_call_label_replace,
    [SN_FN_ROUND] = call_clamp,
    [SN_FN_SORT] = sn_call_sort,
    [SN_FN_SORT_BY_LABEL] = sn_call_sort_by_label,
    [SN_FN_SORT_BY_LABEL_DESC] = sn_call_sort_by_label,
    [SN_FN_SORT_DESC] = sn_call_sort,
    [SN_FN_START_TIMESTAMP] = call_start_timestamp,
    [SN_FN_TIMESTAMP] = call_timestamp,
    [SN_FN_VECTOR] = call_vector,
};

sn_status sn_call_vector(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                         struct sn_vector *ret_vector) {
    enum sn_function_id id = node->call.function->id;
    *ret_vector = (struct sn_vector){.count = 0};
    if (maps[id] != NULL) {
        return call_map(eval, node, frame, ret_vector);
    }
    if (functions[id] != NULL) {
        return functions[id](eval, node, frame, ret_vector);
    }
    return sn_err_set(eval->err, SN_ERR_UNSUPPORTED, "function %s is not supported",
                      node->call.function->name);
}

/* ---- scalars ---- */

/* scalar(): the value of a vector of one, NaN otherwise. */
static sn_status call_scalar(struct sn_eval *eval, const struct sn_node *node,
                             struct sn_frame *frame, double *column) {
    struct sn_vector input = {.count = 0};
    SN_TRY(sn_eval_vector(eval, node->call.args[0], frame, &input));
    for (size_t k = 0; k < frame->step_count; k++) {
        size_t count = 0;
        column[k] = SN_NAN;
        for (size_t i = 0; i < input.count; i++) {
            if (!sn_is_absent(input.rows[i].value[k])) {
                column[k] = ++count == 1 ? input.rows[i].value[k] : SN_NAN;
            }
        }
    }
    sn_vector_drop(frame, &input);
    return SN_OK;
}

/* min_of(a, b, ...), max_of(a, b, ...). */
static sn_status call_extreme_of(struct sn_eval *eval, const struct sn_node *node,
                                 struct sn_frame *frame, double *column) {
    bool is_max = node->call.function->id == SN_FN_MAX_OF;
    for (size_t i = 0; i < node->call.count; i++) {
        double *arg;
        SN_TRY(sn_eval_scalar(eval, node->call.args[i], frame, &arg));
        for (size_t k = 0; k < frame->step_count; k++) {
            column[k] = i == 0   ? arg[k]
                        : is_max ? sn_go_max(column[k], arg[k])
                                 : sn_go_min(column[k], arg[k]);
        }
        sn_column_drop(frame, arg);
    }
    return SN_OK;
}

static sn_status fill_scalar(struct sn_eval *eval, const struct sn_node *node,
                             struct sn_frame *frame, double *column) {
    switch ((int)node->call.function->id) {
    case SN_FN_SCALAR:
        return call_scalar(eval, node, frame, column);
    case SN_FN_MIN_OF:
    case SN_FN_MAX_OF:
        return call_extreme_of(eval, node, frame, column);
    case SN_FN_PI:
        sn_column_fill(frame, column, M_PI);
        return SN_OK;
    case SN_FN_START:
        sn_column_fill(frame, column, (double)eval->range.start_ms / 1000);
        return SN_OK;
    case SN_FN_END:
        sn_column_fill(frame, column, (double)eval->range.end_ms / 1000);
        return SN_OK;
    case SN_FN_STEP:
        sn_column_fill(frame, column, (double)eval->step_ms / 1000);
        return SN_OK;
    case SN_FN_RANGE:
        sn_column_fill(frame, column, (double)(eval->range.end_ms - eval->range.start_ms) / 1000);
        return SN_OK;
    default:
        return sn_err_set(eval->err, SN_ERR_UNSUPPORTED, "function %s is not supported",
                          node->call.function->name);
    }
}

sn_status sn_call_scalar(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                         double **ret_column) {
    double *column;
    if (node->call.function->id == SN_FN_TIME) {
        return time_column(eval, frame, ret_column);
    }
    SN_TRY(sn_column_new(eval, frame, &column));
    SN_TRY(fill_scalar(eval, node, frame, column));
    *ret_column = column;
    return SN_OK;
}
