/*
 * Batches of history. See history_batch.h.
 */
#include "api/history_batch.h"

#include "api/api_priv.h"
#include "api/history_span.h"
#include "api/prom_priv.h"
#include "codec/json_read.h"

/* A sentence about a failed question: it may hold two label sets. */
#define SENTENCE_BYTES_MAX ((size_t)128 << 10)

/* ---- body ---- */

struct parsing {
    struct sn_json_reader json;
    struct sn_arena *arena;
    struct sn_history_batch *batch;
    struct sn_history_span span;
    unsigned columns; /* of questions that say nothing */
    struct sn_err err;
};

/* Refuse the document with a sentence that is there already. */
static void pass_on(struct parsing *parsing, sn_status status) {
    if (status != SN_OK)
        sn_json_read_fail(&parsing->json, status, "%s", parsing->err.text);
}

/* A text, or a number as its text. */
static struct sn_str read_word(struct parsing *parsing) {
    return sn_json_read_peek(&parsing->json) == SN_JSON_NUMBER
               ? sn_json_read_number_text(&parsing->json)
               : sn_json_read_string(&parsing->json);
}

unsigned sn_history_column(struct sn_str name) {
    static const struct {
        struct sn_str name;
        unsigned bit;
    } columns[] = {
        {SN_STR("min"), SN_HISTORY_MIN},
        {SN_STR("avg"), SN_HISTORY_AVG},
        {SN_STR("max"), SN_HISTORY_MAX},
        {SN_STR("count"), SN_HISTORY_COUNT},
    };
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (sn_str_equal(columns[i].name, name))
            return columns[i].bit;
    return 0;
}

static unsigned read_columns(struct parsing *parsing) {
    unsigned columns = 0;
    if (!sn_json_read_array(&parsing->json))
        return 0;
    while (sn_json_read_element(&parsing->json)) {
        struct sn_str name = sn_json_read_string(&parsing->json);
        unsigned bit = sn_history_column(name);
        if (bit == 0)
            sn_json_read_fail(&parsing->json, SN_ERR_INVALID,
                              "column \"%.*s\" is none of min, avg, max, count",
                              (int)(name.len < 40 ? name.len : 40), name.ptr ? name.ptr : "");
        columns |= bit;
    }
    if (columns == 0)
        sn_json_read_fail(&parsing->json, SN_ERR_INVALID, "columns must name at least one");
    return columns;
}

/* Labels of a question by metric; labels[0] is the metric itself. */
struct selector {
    struct sn_label labels[SN_MATCHERS_MAX];
    size_t count;
    bool has_metric;
};

static void read_labels(struct parsing *parsing, struct selector *selector) {
    struct sn_str name;
    if (!sn_json_read_object(&parsing->json))
        return;
    while (sn_json_read_key(&parsing->json, &name)) {
        struct sn_str value = sn_json_read_string(&parsing->json);
        if (selector->count == SN_MATCHERS_MAX)
            sn_json_read_fail(&parsing->json, SN_ERR_LIMIT, "more than %d labels", SN_MATCHERS_MAX);
        else
            selector->labels[selector->count++] = (struct sn_label){name, value};
    }
}

static void read_id(struct parsing *parsing, struct sn_history_item *item) {
    const struct sn_history_batch *batch = parsing->batch;
    struct sn_str id = sn_json_read_string(&parsing->json);
    if (id.len == 0 || id.len > SN_HISTORY_ID_BYTES_MAX)
        sn_json_read_fail(&parsing->json, SN_ERR_INVALID, "id has %zu bytes, it needs 1 to %d",
                          id.len, SN_HISTORY_ID_BYTES_MAX);
    for (size_t i = 0; i < batch->item_count; i++)
        if (sn_str_equal(batch->items[i].id, id))
            sn_json_read_fail(&parsing->json, SN_ERR_INVALID, "id \"%.*s\" is there twice",
                              SN_STR_ARG(id));
    item->id = id;
}

static void read_item_key(struct parsing *parsing, struct sn_str key, struct sn_history_item *item,
                          struct selector *selector) {
    if (sn_str_equal(key, SN_STR("id"))) {
        read_id(parsing, item);
    } else if (sn_str_equal(key, SN_STR("query"))) {
        item->expression = sn_json_read_string(&parsing->json);
    } else if (sn_str_equal(key, SN_STR("metric"))) {
        selector->labels[0].value = sn_json_read_string(&parsing->json);
        selector->has_metric = selector->labels[0].value.len > 0;
    } else if (sn_str_equal(key, SN_STR("labels"))) {
        read_labels(parsing, selector);
    } else if (sn_str_equal(key, SN_STR("columns"))) {
        item->columns = read_columns(parsing);
    } else if (sn_str_equal(key, SN_STR("limit"))) {
        pass_on(parsing, sn_history_number_parse(key, read_word(parsing), SN_HISTORY_SERIES_MAX,
                                                 &item->series_max, &parsing->err));
    } else {
        sn_json_read_fail(&parsing->json, SN_ERR_INVALID, "a query has no key \"%.*s\"",
                          (int)(key.len < 40 ? key.len : 40), key.ptr);
    }
}

static void finish_item(struct parsing *parsing, struct sn_history_item *item,
                        const struct selector *selector) {
    bool has_query = item->expression.len > 0;
    if (item->id.len == 0)
        sn_json_read_fail(&parsing->json, SN_ERR_INVALID, "the query before has no id");
    else if (has_query == selector->has_metric)
        sn_json_read_fail(
            &parsing->json, SN_ERR_INVALID, "query \"%.*s\" needs %s", SN_STR_ARG(item->id),
            has_query ? "one of \"query\" and \"metric\", not both" : "\"query\" or \"metric\"");
    else if (has_query && selector->count > 1)
        sn_json_read_fail(&parsing->json, SN_ERR_INVALID,
                          "query \"%.*s\": labels belong to \"metric\", PromQL has its own",
                          SN_STR_ARG(item->id));
    else if (!has_query && !sn_json_read_failed(&parsing->json))
        pass_on(parsing, sn_history_selector(selector->labels, selector->count, parsing->arena,
                                             &item->expression, &parsing->err));
}

static void read_item(struct parsing *parsing) {
    struct sn_history_batch *batch = parsing->batch;
    struct sn_history_item item = {.columns = 0};
    struct selector selector = {.labels = {{SN_LABEL_METRIC_NAME, {NULL, 0}}}, .count = 1};
    struct sn_str key;
    if (batch->item_count == SN_HISTORY_BATCH_MAX) {
        sn_json_read_fail(&parsing->json, SN_ERR_LIMIT, "more than %d queries",
                          SN_HISTORY_BATCH_MAX);
        return;
    }
    if (!sn_json_read_object(&parsing->json))
        return;
    while (sn_json_read_key(&parsing->json, &key))
        read_item_key(parsing, key, &item, &selector);
    if (!sn_json_read_failed(&parsing->json))
        finish_item(parsing, &item, &selector);
    if (!sn_json_read_failed(&parsing->json))
        batch->items[batch->item_count++] = item;
}

static void read_timeout(struct parsing *parsing, struct sn_str key) {
    int64_t timeout_ms = 0;
    struct sn_str word = read_word(parsing);
    pass_on(parsing, sn_history_duration_parse(key, word, &timeout_ms, &parsing->err));
    if (timeout_ms > SN_HISTORY_TIMEOUT_NS_MAX / 1000000)
        sn_json_read_fail(&parsing->json, SN_ERR_INVALID, "timeout \"%.*s\" is above %lld s",
                          SN_STR_ARG(word), (long long)(SN_HISTORY_TIMEOUT_NS_MAX / 1000000000));
    else
        parsing->batch->timeout_ns = timeout_ms * 1000000;
}

static void read_span_key(struct parsing *parsing, struct sn_str key) {
    static const struct sn_str names[] = {SN_STR("start"), SN_STR("end"), SN_STR("range"),
                                          SN_STR("step"), SN_STR("points")};
    bool is_known = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        is_known = is_known || sn_str_equal(names[i], key);
    if (is_known)
        pass_on(parsing, sn_history_span_take(&parsing->span, key, read_word(parsing), &is_known,
                                              &parsing->err));
    else
        sn_json_read_fail(&parsing->json, SN_ERR_INVALID, "there is no key \"%.*s\"",
                          (int)(key.len < 40 ? key.len : 40), key.ptr);
}

static void read_key(struct parsing *parsing, struct sn_str key) {
    if (sn_str_equal(key, SN_STR("queries"))) {
        if (sn_json_read_array(&parsing->json))
            while (sn_json_read_element(&parsing->json))
                read_item(parsing);
    } else if (sn_str_equal(key, SN_STR("align"))) {
        parsing->span.is_aligned = sn_json_read_bool(&parsing->json);
    } else if (sn_str_equal(key, SN_STR("columns"))) {
        parsing->columns = read_columns(parsing);
    } else if (sn_str_equal(key, SN_STR("timeout"))) {
        read_timeout(parsing, key);
    } else {
        read_span_key(parsing, key);
    }
}

static sn_status finish_batch(struct parsing *parsing, int64_t now_ms, struct sn_err *err) {
    struct sn_history_batch *batch = parsing->batch;
    size_t step_count = 0;
    SN_TRY(sn_json_read_finish(&parsing->json, err));
    if (batch->item_count == 0)
        return sn_err_set(err, SN_ERR_INVALID, "\"queries\" is missing or empty");
    for (size_t i = 0; i < batch->item_count; i++)
        if (batch->items[i].columns == 0)
            batch->items[i].columns = parsing->columns;
    SN_TRY(sn_history_span_finish(&parsing->span, now_ms, &batch->range, &batch->step_ms, err));
    return sn_history_count_steps(batch->range, batch->step_ms, &step_count, err);
}

sn_status sn_history_batch_parse(const struct sn_history_batch_input *input, struct sn_arena *arena,
                                 struct sn_history_batch *ret_batch, struct sn_err *err) {
    struct sn_history_batch batch = {.timeout_ns = SN_HISTORY_TIMEOUT_NS_DEFAULT};
    struct parsing parsing = {
        .arena = arena,
        .batch = &batch,
        .span = {.is_aligned = true},
        .columns = SN_HISTORY_ALL,
    };
    struct sn_str key;
    batch.items = sn_arena_alloc_zero(arena, SN_HISTORY_BATCH_MAX, sizeof *batch.items);
    if (batch.items == NULL)
        return sn_arena_failure(arena, SN_HISTORY_BATCH_MAX * sizeof *batch.items, err);
    sn_json_read_init(&parsing.json, input->body,
                      &(struct sn_json_options){.arena = arena, .hash_seed = input->hash_seed});
    if (sn_json_read_object(&parsing.json))
        while (sn_json_read_key(&parsing.json, &key))
            read_key(&parsing, key);
    SN_TRY(finish_batch(&parsing, input->now_ms, err));
    *ret_batch = batch;
    return SN_OK;
}

/* ---- answer ---- */

/* A step without a value is NaN, and that is null. */
static void write_values(struct sn_json_writer *json, struct sn_str key, const double *values,
                         size_t step_count) {
    sn_json_write_key(json, key);
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < step_count; i++)
        sn_json_write_double(json, values[i]);
    sn_json_write_array_end(json);
}

static void write_counts(struct sn_json_writer *json, const uint64_t *counts, size_t step_count) {
    sn_json_write_key(json, SN_STR("count"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < step_count; i++)
        sn_json_write_uint64(json, counts[i]);
    sn_json_write_array_end(json);
}

void sn_history_write_times(struct sn_json_writer *json, const struct sn_history_frame *frame) {
    sn_json_write_key(json, SN_STR("t"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < frame->step_count; i++)
        sn_json_write_time(json, frame->start_ms + (int64_t)i * frame->step_ms);
    sn_json_write_array_end(json);
}

static void write_series(struct sn_json_writer *json, const struct sn_history_series *series,
                         size_t step_count, unsigned columns) {
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("labels"));
    sn_prom_write_labels(json, series->labels);
    if ((columns & SN_HISTORY_MIN) != 0)
        write_values(json, SN_STR("min"), series->columns.min, step_count);
    if ((columns & SN_HISTORY_AVG) != 0)
        write_values(json, SN_STR("avg"), series->columns.avg, step_count);
    if ((columns & SN_HISTORY_MAX) != 0)
        write_values(json, SN_STR("max"), series->columns.max, step_count);
    if ((columns & SN_HISTORY_COUNT) != 0)
        write_counts(json, series->columns.count, step_count);
    sn_json_write_object_end(json);
}

void sn_history_write_result(struct sn_json_writer *json, const struct sn_history *history,
                             unsigned columns) {
    sn_json_write_key(json, SN_STR("series"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < history->series_count; i++)
        write_series(json, &history->series[i], history->frame.step_count, columns);
    sn_json_write_array_end(json);
    if (history->warning_count == 0)
        return;
    sn_json_write_key(json, SN_STR("warnings"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < history->warning_count; i++)
        sn_json_write_string(json, history->warnings[i]);
    sn_json_write_array_end(json);
}

/* One batch at work. */
struct answer {
    const struct sn_history_source *source;
    const struct sn_history_batch *batch;
    const atomic_bool *is_cancelled;
    struct sn_json_writer *json;
    struct sn_arena arena;    /* of one question */
    struct sn_buf long_error; /* the same */
    size_t points_left;       /* of all together */
    int64_t deadline_ns;
    struct sn_err err;
};

static void write_failure(struct answer *answer, sn_status status) {
    struct sn_str sentence = sn_str_from(answer->err.text);
    if (answer->long_error.status == SN_OK && answer->long_error.len > sentence.len)
        sentence = sn_buf_str(&answer->long_error);
    sn_json_write_key_string(answer->json, SN_STR("errorType"),
                             sn_str_from(sn_api_error_type(status)));
    sn_json_write_key_string(answer->json, SN_STR("error"), sentence);
}

/* The value of one result: an object. */
static sn_status write_result(struct answer *answer, const struct sn_history_item *item) {
    const struct sn_history_query query = {
        .expression = item->expression,
        .range = answer->batch->range,
        .step_ms = answer->batch->step_ms,
        .series_max = item->series_max,
        .points_max = answer->points_left > 0 ? answer->points_left : 1,
        .deadline_ns = answer->deadline_ns,
        .is_cancelled = answer->is_cancelled,
        .long_error = &answer->long_error,
    };
    struct sn_history history;
    answer->err = (struct sn_err){.status = SN_OK};
    sn_buf_reset(&answer->long_error);
    sn_arena_reset(&answer->arena);
    sn_status status =
        sn_history_read(answer->source, &query, &answer->arena, &history, &answer->err);
    if (status == SN_ERR_CLOSED)
        return status;
    sn_json_write_object_begin(answer->json);
    if (status != SN_OK) {
        write_failure(answer, status);
    } else {
        sn_history_write_result(answer->json, &history, item->columns);
        answer->points_left -= history.series_count * history.frame.step_count;
    }
    sn_json_write_object_end(answer->json);
    return SN_OK;
}

static sn_status write_results(struct answer *answer) {
    sn_status status = SN_OK;
    sn_json_write_key(answer->json, SN_STR("results"));
    sn_json_write_object_begin(answer->json);
    for (size_t i = 0; i < answer->batch->item_count && status == SN_OK; i++) {
        sn_json_write_key(answer->json, answer->batch->items[i].id);
        status = write_result(answer, &answer->batch->items[i]);
    }
    if (status == SN_OK)
        sn_json_write_object_end(answer->json);
    return status;
}

sn_status sn_history_batch_write(const struct sn_history_source *source,
                                 const struct sn_history_batch *batch,
                                 const atomic_bool *is_cancelled, struct sn_json_writer *json,
                                 struct sn_err *err) {
    struct sn_history_frame frame = {batch->range.start_ms, batch->step_ms, 0};
    struct answer answer = {
        .source = source,
        .batch = batch,
        .is_cancelled = is_cancelled,
        .json = json,
        .points_left = SN_HISTORY_POINTS_MAX,
        .deadline_ns = sn_clock_mono_ns(source->clock) + batch->timeout_ns,
    };
    SN_TRY(sn_history_count_steps(batch->range, batch->step_ms, &frame.step_count, err));
    sn_arena_init(&answer.arena, SN_HISTORY_ARENA_BYTES);
    sn_buf_init(&answer.long_error, SENTENCE_BYTES_MAX);
    sn_json_write_key(json, SN_STR("start"));
    sn_json_write_time(json, batch->range.start_ms);
    sn_json_write_key(json, SN_STR("end"));
    sn_json_write_time(json, batch->range.end_ms);
    sn_json_write_key(json, SN_STR("step"));
    sn_json_write_time(json, batch->step_ms);
    sn_history_write_times(json, &frame);
    sn_status status = write_results(&answer);
    sn_buf_release(&answer.long_error);
    sn_arena_release(&answer.arena);
    if (status != SN_OK && err != NULL)
        *err = answer.err;
    return status;
}
