/*
 * Random expressions, made from the input by the grammar, over a few series of values and native
 * histograms made from it as well. Properties: what is made parses (or is refused by a named check); no
 * crash, no leak; limits hold; no label set twice; values at steps of the query and in order.
 *
 * SONDE_FUZZ_PRINT=1 shows the expressions.
 */
#include "base/check.h"
#include "base/mem.h"
#include "query/engine.h"
#include "query/functions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { SERIES_COUNT = 8, SAMPLE_COUNT = 20, LABEL_COUNT = 3, DEPTH_MAX = 4, SAMPLE_BYTES = 32 };

#define INTERVAL_MS INT64_C(60000)

/* ---- the input as a stream of choices; zeros behind its end ---- */

struct source {
    const uint8_t *at;
    size_t left;
};

static unsigned choose(struct source *source, unsigned count) {
    if (source->left == 0) {
        return 0;
    }
    source->left--;
    return *source->at++ % count;
}

/* ---- expressions ---- */

static void put(struct sn_buf *buf, const char *text) {
    sn_buf_put_text(buf, text);
}

static void put_one_of(struct source *source, struct sn_buf *buf, const char *const *items,
                       unsigned count) {
    put(buf, items[choose(source, count)]);
}

#define PUT_ONE_OF(source, buf, ...)                                                               \
    do {                                                                                           \
        static const char *const items[] = {__VA_ARGS__};                                          \
        put_one_of(source, buf, items, (unsigned)(sizeof items / sizeof *items));                  \
    } while (0)

static void put_expr(struct source *source, struct sn_buf *buf, enum sn_value_type type,
                     unsigned depth);

static void put_number(struct source *source, struct sn_buf *buf) {
    PUT_ONE_OF(source, buf, "1", "0", "2", "0.5", "-1", "1e300", "NaN", "Inf", "-Inf", "100", "5m",
               "0.99", "1e-300");
}

static void put_string(struct source *source, struct sn_buf *buf) {
    PUT_ONE_OF(source, buf, "\"host\"", "\"le\"", "\"x\"", "\"$1\"", "\"(.*)\"", "\"\"",
               "\"__name__\"", "\"new\"", "\"a|b\"");
}

static void put_shift(struct source *source, struct sn_buf *buf) {
    PUT_ONE_OF(source, buf, "", "", "", "", " offset 1m", " offset -2m", " @ 300", " @ start()",
               " @ end()", " @ 500 offset 1m");
}

static void put_selector(struct source *source, struct sn_buf *buf) {
    PUT_ONE_OF(source, buf, "a_total", "b", "h", "h_bucket", "{host=\"x\"}", "{__name__=~\".+\"}",
               "b{host!=\"x\"}", "h{host=~\"x|y\"}", "none", "a_total{le=\"1\"}");
}

static void put_range(struct source *source, struct sn_buf *buf) {
    PUT_ONE_OF(source, buf, "[5m]", "[1m]", "[90s]", "[10m]", "[1ms]", "[1h]");
}

static void put_matrix(struct source *source, struct sn_buf *buf, unsigned depth) {
    if (depth > 0 && choose(source, 4) == 0) {
        put(buf, "(");
        put_expr(source, buf, SN_VALUE_VECTOR, depth - 1);
        put(buf, ")");
        PUT_ONE_OF(source, buf, "[5m:1m]", "[10m:]", "[3m:7s]", "[1m:1h]");
    } else {
        put_selector(source, buf);
        put_range(source, buf);
    }
    put_shift(source, buf);
}

static void put_names(struct source *source, struct sn_buf *buf) {
    PUT_ONE_OF(source, buf, "(host)", "(le)", "()", "(host, le)", "(none)");
}

static void put_aggregate(struct source *source, struct sn_buf *buf, unsigned depth) {
    static const char *const plain[] = {"sum",   "avg",    "min",    "max",
                                        "count", "stddev", "stdvar", "group"};
    static const char *const with_number[] = {"topk", "bottomk", "quantile", "limitk",
                                              "limit_ratio"};
    bool has_number = choose(source, 3) == 0;
    bool counts_values = !has_number && choose(source, 8) == 0;
    if (counts_values) {
        put(buf, "count_values");
    } else if (has_number) {
        put_one_of(source, buf, with_number, 5);
    } else {
        put_one_of(source, buf, plain, 8);
    }
    PUT_ONE_OF(source, buf, "", " by ", " by ", " without ");
    if (buf->ptr[buf->len - 1] == ' ') {
        put_names(source, buf);
    }
    put(buf, "(");
    if (counts_values) {
        put_string(source, buf);
        put(buf, ", ");
    } else if (has_number) {
        put_expr(source, buf, SN_VALUE_SCALAR, depth - 1);
        put(buf, ", ");
    }
    put_expr(source, buf, SN_VALUE_VECTOR, depth - 1);
    put(buf, ")");
}

static void put_match(struct source *source, struct sn_buf *buf) {
    unsigned kind = choose(source, 5);
    if (kind < 2) {
        return;
    }
    put(buf, kind == 2 ? "ignoring " : "on ");
    put_names(source, buf);
    PUT_ONE_OF(source, buf, " ", " group_left() ", " group_right() ", " group_left(le) ");
}

static void put_binary(struct source *source, struct sn_buf *buf, enum sn_value_type type,
                       unsigned depth) {
    static const char *const arithmetic[] = {" + ", " - ", " * ", " / ", " % ", " ^ ", " atan2 "};
    static const char *const comparing[] = {" == ", " != ", " > ", " < ", " >= ", " <= "};
    static const char *const sets[] = {" and ", " or ", " unless "};
    bool is_vector = type == SN_VALUE_VECTOR;
    enum sn_value_type right = is_vector && choose(source, 2) ? SN_VALUE_SCALAR : type;
    put(buf, "(");
    put_expr(source, buf, type, depth - 1);
    unsigned kind = choose(source, is_vector && right == SN_VALUE_VECTOR ? 3 : 2);
    if (kind == 0) {
        put_one_of(source, buf, arithmetic, 7);
    } else if (kind == 1) {
        put_one_of(source, buf, comparing, 6);
        put(buf, !is_vector || choose(source, 2) ? "bool " : "");
    } else {
        put_one_of(source, buf, sets, 3);
    }
    if (is_vector && right == SN_VALUE_VECTOR && kind < 2) {
        put_match(source, buf);
    }
    put_expr(source, buf, right, depth - 1);
    put(buf, ")");
}

/* A function with this result, or nothing when the one that was hit has another. */
static bool put_call(struct source *source, struct sn_buf *buf, enum sn_value_type type,
                     unsigned depth) {
    const struct sn_function *function =
        sn_function_get((enum sn_function_id)choose(source, SN_FN_COUNT));
    if (function->result != type) {
        return false;
    }
    unsigned least = function->variadic == 0 ? function->arg_count : function->arg_count - 1;
    unsigned more = function->variadic == 0 ? 0 : choose(source, 2);
    put(buf, function->name);
    put(buf, "(");
    for (unsigned i = 0; i < least + more; i++) {
        unsigned at = i < function->arg_count ? i : function->arg_count - 1;
        put(buf, i > 0 ? ", " : "");
        put_expr(source, buf, function->args[at], depth - 1);
    }
    put(buf, ")");
    return true;
}

static void put_vector(struct source *source, struct sn_buf *buf, unsigned depth) {
    switch (depth > 0 ? choose(source, 6) : 0) {
    case 0:
        put_selector(source, buf);
        put_shift(source, buf);
        return;
    case 1:
        put_aggregate(source, buf, depth);
        return;
    case 2:
        put_binary(source, buf, SN_VALUE_VECTOR, depth);
        return;
    case 3:
        put(buf, "-");
        put_expr(source, buf, SN_VALUE_VECTOR, depth - 1);
        return;
    default:
        if (!put_call(source, buf, SN_VALUE_VECTOR, depth)) {
            put_selector(source, buf);
        }
    }
}

static void put_scalar(struct source *source, struct sn_buf *buf, unsigned depth) {
    switch (depth > 0 ? choose(source, 4) : 0) {
    case 0:
        put_number(source, buf);
        return;
    case 1:
        put_binary(source, buf, SN_VALUE_SCALAR, depth);
        return;
    default:
        if (!put_call(source, buf, SN_VALUE_SCALAR, depth)) {
            put_number(source, buf);
        }
    }
}

static void put_expr(struct source *source, struct sn_buf *buf, enum sn_value_type type,
                     unsigned depth) {
    switch (type) {
    case SN_VALUE_SCALAR:
        put_scalar(source, buf, depth);
        return;
    case SN_VALUE_STRING:
        put_string(source, buf);
        return;
    case SN_VALUE_VECTOR:
        put_vector(source, buf, depth);
        return;
    case SN_VALUE_MATRIX:
        put_matrix(source, buf, depth);
        return;
    }
}

/* ---- data ---- */

struct random_reader {
    struct sn_label items[SERIES_COUNT][LABEL_COUNT];
    uint8_t bytes[SERIES_COUNT][SAMPLE_COUNT];
};

/* Series from here on have histograms at their odd samples. */
#define HISTOGRAM_FIRST 5

static void fill_reader(struct random_reader *reader, const uint8_t *data, size_t len) {
    static const char *const names[] = {"a_total",  "a_total", "b", "h_bucket",
                                        "h_bucket", "h",       "h", "b"};
    static const char *const les[] = {"1", "2", "1", "1", "+Inf", "", "1", "2"};
    static const char *const hosts[] = {"x", "y", "x", "x", "x", "x", "y", "y"};
    for (size_t i = 0; i < SERIES_COUNT; i++) {
        reader->items[i][0] = (struct sn_label){SN_LABEL_METRIC_NAME, sn_str_from(names[i])};
        reader->items[i][1] = (struct sn_label){SN_STR("host"), sn_str_from(hosts[i])};
        reader->items[i][2] = (struct sn_label){SN_STR("le"), sn_str_from(les[i])};
        for (size_t k = 0; k < SAMPLE_COUNT; k++) {
            uint8_t byte = len > 0 ? data[(i * 7 + k) % len] : 0;
            reader->bytes[i][k] = (uint8_t)(byte + 37 * i + 11 * k);
        }
    }
}

static struct sn_labels labels_of(const struct random_reader *reader, size_t i) {
    size_t count = reader->items[i][2].value.len > 0 ? LABEL_COUNT : LABEL_COUNT - 1;
    return (struct sn_labels){reader->items[i], count};
}

static sn_status random_select(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                               struct sn_series_list *ret_series, struct sn_err *err) {
    struct random_reader *reader = ctx;
    struct sn_read_series *items = sn_arena_alloc(arena, SERIES_COUNT * sizeof *items);
    size_t count = 0;
    if (items == NULL) {
        return sn_arena_failure(arena, SERIES_COUNT * sizeof *items, err);
    }
    for (size_t i = 0; i < SERIES_COUNT; i++) {
        struct sn_labels labels = labels_of(reader, i);
        if (sn_matchers_pass(select->matchers, select->matcher_count, labels)) {
            items[count++] = (struct sn_read_series){i, labels};
        }
    }
    *ret_series = (struct sn_series_list){items, count};
    return SN_OK;
}

static bool is_gap(uint8_t byte) {
    return byte % 9 == 1;
}

static bool is_histogram(uint64_t id, size_t k) {
    return id >= HISTOGRAM_FIRST && (k & 1) != 0;
}

static int64_t time_of(size_t k, uint8_t byte) {
    return (int64_t)k * INTERVAL_MS + byte;
}

static double value_of(uint8_t byte, size_t k) {
    switch (byte & 15) {
    case 0:
        return (double)NAN;
    case 1:
        return byte & 16 ? (double)INFINITY : -(double)INFINITY;
    case 2:
        return sn_double_from_bits(SN_STALE_NAN_BITS);
    case 3:
        return byte & 16 ? 1e300 : -1e300;
    case 4:
        return 0;
    default:
        return (double)k * 3 + byte;
    }
}

static sn_status random_samples(void *ctx, uint64_t id, struct sn_range range,
                                struct sn_samples *samples, struct sn_err *err) {
    struct random_reader *reader = ctx;
    if (sn_samples_reserve(samples, SAMPLE_COUNT) != SN_OK) {
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for samples");
    }
    for (size_t k = 0; k < SAMPLE_COUNT; k++) {
        uint8_t byte = reader->bytes[id][k];
        if (is_gap(byte) || is_histogram(id, k) || !sn_range_contains(range, time_of(k, byte))) {
            continue;
        }
        samples->time_ms[samples->count] = time_of(k, byte);
        samples->value[samples->count++] = value_of(byte, k);
    }
    return SN_OK;
}

static sn_status append_histogram(struct sn_histograms *histograms, uint8_t byte, size_t k) {
    const double counts[] = {(double)(byte & 7), (double)k, (double)(byte >> 5)};
    const struct sn_bucket_span spans[] = {{.offset = byte & 1, .length = 2},
                                           {.offset = 1, .length = 1}};
    const double bounds[] = {0.5, 1, 2 + (byte & 2)};
    double all = counts[0] + counts[1] + counts[2];
    bool is_custom = (byte & 24) == 24;
    struct sn_histogram histogram = {
        .schema = is_custom ? SN_HISTOGRAM_SCHEMA_CUSTOM : (byte & 3),
        .reset_hint = (enum sn_counter_reset_hint)(byte >> 6),
        .sum = (byte & 15) == 2 ? sn_double_from_bits(SN_STALE_NAN_BITS) : value_of(byte | 4, k),
        .count = all,
        .positive_spans = spans,
        .positive_span_count = 2,
        .positive_counts = counts,
        .positive_bucket_count = 3};
    const struct sn_bucket_span custom_span = {.offset = 0, .length = 3};
    if (is_custom) {
        histogram.custom_bounds = bounds;
        histogram.custom_bound_count = 3;
        histogram.positive_spans = &custom_span;
        histogram.positive_span_count = 1;
    } else {
        histogram.zero_threshold = 0.001;
        histogram.zero_count = byte & 1;
        histogram.count += byte & 1;
    }
    struct sn_histogram_point point = {
        .time_ms = time_of(k, byte), .start_ms = byte & 4 ? 1 : 0, .histogram = &histogram};
    SN_CHECK(sn_histogram_validate(&histogram, NULL) == SN_OK);
    return sn_histograms_append(histograms, &point);
}

static sn_status random_histograms(void *ctx, uint64_t id, struct sn_range range,
                                   struct sn_histograms *histograms, struct sn_err *err) {
    struct random_reader *reader = ctx;
    for (size_t k = 0; k < SAMPLE_COUNT; k++) {
        uint8_t byte = reader->bytes[id][k];
        if (is_gap(byte) || !is_histogram(id, k) || !sn_range_contains(range, time_of(k, byte))) {
            continue;
        }
        sn_status status = append_histogram(histograms, byte, k);
        if (status != SN_OK) {
            return sn_err_set(err, status, "no memory for histograms");
        }
    }
    return SN_OK;
}

/* ---- checks ---- */

static void check_time(const struct sn_query *query, const int64_t *time_ms, size_t i) {
    SN_CHECK(i == 0 || time_ms[i - 1] < time_ms[i]);
    SN_CHECK(query->step_ms == 0 || (sn_range_contains(query->range, time_ms[i]) &&
                                     (time_ms[i] - query->range.start_ms) % query->step_ms == 0));
}

static void check_result(const struct sn_query *query, const struct sn_query_result *result) {
    for (size_t i = 0; i < result->series_count; i++) {
        const struct sn_result_series *series = &result->series[i];
        SN_CHECK(series->count + series->histogram_count > 0);
        for (size_t k = 0; k < series->count; k++) {
            SN_CHECK(!sn_is_stale(series->value[k]));
            check_time(query, series->time_ms, k);
        }
        for (size_t k = 0; k < series->histogram_count; k++) {
            check_time(query, series->histogram_time_ms, k);
        }
        for (size_t k = 0; k < i; k++) {
            SN_CHECK(!sn_labels_equal(series->labels, result->series[k].labels));
        }
    }
}

static sn_status run_once(struct sn_query_engine *engine, const struct sn_query *query) {
    struct sn_querier querier = sn_query_engine_querier(engine);
    struct sn_query_result result = {.series_count = 0};
    struct sn_arena arena;
    struct sn_err err = {.status = SN_OK};
    sn_arena_init(&arena, (size_t)8 << 20);
    sn_status status = querier.query(querier.ctx, query, &arena, &result, &err);
    if (getenv("SONDE_FUZZ_PRINT") != NULL) {
        (void)printf("  %d %s\n", (int)status, status == SN_OK ? "" : err.text);
        (void)fflush(stdout);
    }
    SN_CHECK(status == SN_OK || status == SN_ERR_INVALID || status == SN_ERR_LIMIT ||
             status == SN_ERR_UNSUPPORTED);
    SN_CHECK(arena.used <= arena.limit);
    SN_CHECK(status == SN_OK || err.text[0] != '\0');
    if (status == SN_OK) {
        check_result(query, &result);
    }
    sn_arena_release(&arena);
    return status;
}

static void run_all(struct random_reader *reader, struct sn_str text) {
    struct sn_fake_clock clock;
    struct sn_query_engine *engine;
    sn_fake_clock_init(&clock, 0, 0);
    struct sn_query_engine_options options = {
        .reader = {.ctx = reader,
                   .select = random_select,
                   .samples = random_samples,
                   .histograms = random_histograms},
        .clock = &clock.clock,
        .features = {true, true, true, true},
        .limits = {.samples_max = 100000, .points_max = 200000, .steps_max = 2000}};
    if (sn_query_engine_new(&options, &engine, NULL) != SN_OK) {
        return;
    }
    struct sn_query instant = {.expression = text, .range = {10 * INTERVAL_MS, 10 * INTERVAL_MS}};
    struct sn_query range = {.expression = text,
                             .range = {-INTERVAL_MS, 25 * INTERVAL_MS},
                             .step_ms = 2 * INTERVAL_MS + 1};
    (void)run_once(engine, &instant); /* either status is right */
    (void)run_once(engine, &range);
    engine = sn_query_engine_free(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct random_reader reader;
    struct sn_buf text;
    size_t sample_len = len < SAMPLE_BYTES ? len : SAMPLE_BYTES;
    struct source choices = {data + sample_len, len - sample_len};
    int64_t blocks = sn_mem_block_count();
    fill_reader(&reader, data, sample_len);
    sn_buf_init(&text, 4096);
    put_expr(&choices, &text, SN_VALUE_VECTOR, DEPTH_MAX);
    if (text.status == SN_OK) {
        if (getenv("SONDE_FUZZ_PRINT") != NULL) {
            (void)printf("%.*s\n", (int)text.len, (const char *)text.ptr);
            (void)fflush(stdout);
        }
        run_all(&reader, sn_buf_str(&text));
    }
    sn_buf_release(&text);
    SN_CHECK(sn_mem_block_count() == blocks);
    return 0;
}
