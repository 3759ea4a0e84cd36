#include "promql_support.h"

#include "base/check.h"
#include "query/histogram_priv.h"

#include <math.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MINUTE_MS 60000

struct run {
    struct memory_reader reader;
    struct sn_query_engine *engine;
    const char *name;
    bool is_quiet;
    struct promql_counts *counts;
};

/* One case: why it failed. */
struct verdict {
    bool is_right;
    bool has_right_notes;
    char text[1024];
};

__attribute__((format(printf, 2, 3))) static void wrong(struct verdict *verdict, const char *format,
                                                        ...) {
    va_list args;
    if (!verdict->is_right) {
        return; /* the first reason is the one to read */
    }
    verdict->is_right = false;
    va_start(args, format);
    (void)vsnprintf(verdict->text, sizeof verdict->text, format, args);
    va_end(args);
}

__attribute__((format(printf, 2, 3))) static void wrong_note(struct verdict *verdict,
                                                             const char *format, ...) {
    va_list args;
    if (!verdict->is_right || !verdict->has_right_notes) {
        return;
    }
    verdict->has_right_notes = false;
    va_start(args, format);
    (void)vsnprintf(verdict->text, sizeof verdict->text, format, args);
    va_end(args);
}

/* ---- comparing ---- */

static const char *labels_text(struct sn_labels labels, struct sn_buf *buf) {
    sn_buf_reset(buf);
    sn_labels_format(labels, buf);
    sn_buf_put_byte(buf, 0);
    return (const char *)buf->ptr;
}

/* The last of several lines with the same labels counts. */
static size_t find_expected(const struct promql_command *command, struct sn_labels labels) {
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < command->series_count; i++) {
        if (sn_labels_equal(command->series[i].labels, labels)) {
            found = i;
        }
    }
    return found;
}

static const struct sn_result_series *find_result(const struct sn_query_result *result,
                                                  struct sn_labels labels) {
    const struct sn_result_series *found = NULL;
    for (size_t i = 0; i < result->series_count; i++) {
        if (sn_labels_equal(result->series[i].labels, labels)) {
            SN_CHECK(found == NULL); /* no label set twice, whatever the query */
            found = &result->series[i];
        }
    }
    return found;
}

/* The point of a result at a time. */
static bool find_point(const struct sn_result_series *series, int64_t time_ms,
                       struct promql_value *ret_value) {
    for (size_t i = 0; series != NULL && i < series->count; i++) {
        if (series->time_ms[i] == time_ms) {
            *ret_value = (struct promql_value){PROMQL_NUMBER, series->value[i], NULL};
            return true;
        }
    }
    for (size_t i = 0; series != NULL && i < series->histogram_count; i++) {
        if (series->histogram_time_ms[i] == time_ms) {
            *ret_value = (struct promql_value){PROMQL_HISTOGRAM, 0, &series->histograms[i]};
            return true;
        }
    }
    return false;
}

static bool is_near(const struct promql_value *a, const struct promql_value *b) {
    struct sn_arena arena;
    if (a->kind != PROMQL_HISTOGRAM || b->kind != PROMQL_HISTOGRAM) {
        return a->kind == b->kind && promql_number_is_near(a->number, b->number);
    }
    sn_arena_init(&arena, 0);
    bool is_same = promql_histogram_is_near(a->histogram, b->histogram, &arena);
    sn_arena_release(&arena);
    return is_same;
}

#define VALUE_TEXT_SIZE 400

static const char *value_text(const struct promql_value *value, char text[VALUE_TEXT_SIZE]) {
    struct sn_buf buf = {.limit = 0};
    if (value->kind != PROMQL_HISTOGRAM) {
        (void)snprintf(text, VALUE_TEXT_SIZE, "%.17g", value->number);
        return text;
    }
    sn_histogram_text(value->histogram, &buf);
    (void)snprintf(text, VALUE_TEXT_SIZE, "schema %d %.*s", value->histogram->schema,
                   SN_STR_ARG(sn_buf_str(&buf)));
    sn_buf_release(&buf);
    return text;
}

/* Exactly the expected points, at start, start + step ... */
static void check_points(const struct promql_command *command, const struct promql_series *expected,
                         const struct sn_result_series *series, struct verdict *verdict) {
    struct sn_buf buf = {.limit = 0};
    size_t point_count = 0;
    const char *labels = labels_text(expected->labels, &buf);
    for (size_t i = 0; i < expected->count; i++) {
        int64_t time_ms = command->start_ms + (int64_t)i * command->step_ms;
        char texts[2][VALUE_TEXT_SIZE];
        struct promql_value value = {PROMQL_BLANK, 0, NULL};
        bool is_found = find_point(series, time_ms, &value);
        if (expected->values[i].kind == PROMQL_BLANK) {
            if (is_found) {
                wrong(verdict, "%s at %lld: %s where nothing is expected", labels,
                      (long long)time_ms, value_text(&value, texts[0]));
            }
            continue;
        }
        point_count++;
        if (!is_found || !is_near(&expected->values[i], &value)) {
            wrong(verdict, "%s at %lld: %s, %s is expected", labels, (long long)time_ms,
                  is_found ? value_text(&value, texts[0]) : "nothing",
                  value_text(&expected->values[i], texts[1]));
        }
    }
    if (series != NULL && series->count + series->histogram_count != point_count) {
        wrong(verdict, "%s has %zu points, %zu are expected", labels,
              series->count + series->histogram_count, point_count);
    }
    sn_buf_release(&buf);
}

static void check_unexpected(const struct promql_command *command,
                             const struct sn_query_result *result, struct verdict *verdict) {
    struct sn_buf buf = {.limit = 0};
    for (size_t i = 0; i < result->series_count; i++) {
        if (find_expected(command, result->series[i].labels) == SIZE_MAX) {
            wrong(verdict, "unexpected series %s", labels_text(result->series[i].labels, &buf));
        }
    }
    sn_buf_release(&buf);
}

static void check_matrix(const struct promql_command *command, const struct sn_query_result *result,
                         struct verdict *verdict) {
    if (result->kind != SN_RESULT_MATRIX) {
        wrong(verdict, "result is of kind %d, not a matrix", (int)result->kind);
        return;
    }
    check_unexpected(command, result, verdict);
    for (size_t i = 0; i < command->series_count; i++) {
        const struct promql_series *expected = &command->series[i];
        if (find_expected(command, expected->labels) == i) {
            check_points(command, expected, find_result(result, expected->labels), verdict);
        }
    }
    for (size_t i = 1; i < result->series_count && !command->has_range_vector; i++) {
        if (sn_labels_compare(result->series[i - 1].labels, result->series[i].labels) >= 0) {
            wrong(verdict, "series %zu of the result is not in the order of labels", i);
        }
    }
}

/* The points of a result at one time are those of an instant query. */
static void check_at(const struct promql_command *command, const struct sn_query_result *result,
                     int64_t time_ms, struct verdict *verdict) {
    struct sn_buf buf = {.limit = 0};
    size_t found_count = 0;
    for (size_t i = 0; i < result->series_count; i++) {
        const struct sn_result_series *series = &result->series[i];
        const char *labels = labels_text(series->labels, &buf);
        size_t place = find_expected(command, series->labels);
        char texts[2][VALUE_TEXT_SIZE];
        struct promql_value value;
        if (!find_point(series, time_ms, &value)) {
            continue;
        }
        if (place == SIZE_MAX) {
            wrong(verdict, "unexpected series %s = %s", labels, value_text(&value, texts[0]));
            break;
        }
        const struct promql_value *expected = &command->series[place].values[0];
        if (!is_near(expected, &value)) {
            wrong(verdict, "%s is %s, %s is expected", labels, value_text(&value, texts[0]),
                  value_text(expected, texts[1]));
        }
        if (command->is_ordered && result->kind == SN_RESULT_VECTOR && place != i) {
            wrong(verdict, "%s is at place %zu, %zu is expected", labels, i + 1, place + 1);
        }
        found_count++;
    }
    for (size_t i = 0; i < command->series_count; i++) {
        struct sn_labels labels = command->series[i].labels;
        struct promql_value value;
        if (!find_point(find_result(result, labels), time_ms, &value)) {
            wrong(verdict, "series %s is missing", labels_text(labels, &buf));
        }
    }
    (void)found_count;
    sn_buf_release(&buf);
}

static void check_instant(const struct promql_command *command,
                          const struct sn_query_result *result, struct verdict *verdict) {
    if (command->has_string) {
        if (result->kind != SN_RESULT_STRING || !sn_str_equal(result->string, command->string)) {
            wrong(verdict, "string is \"%.*s\"", SN_STR_ARG(result->string));
        }
    } else if (command->has_scalar) {
        if (result->kind != SN_RESULT_SCALAR ||
            !promql_number_is_near(result->scalar.value, command->scalar)) {
            wrong(verdict, "scalar is %.17g, %.17g is expected", result->scalar.value,
                  command->scalar);
        }
    } else if (result->kind != SN_RESULT_VECTOR) {
        wrong(verdict, "result is of kind %d, not a vector", (int)result->kind);
    } else {
        check_at(command, result, command->start_ms, verdict);
    }
}

/* ---- warnings, infos, messages ---- */

static bool regex_finds(struct sn_str pattern, const char *text) {
    regex_t regex;
    char *copy = strndup(pattern.ptr, pattern.len);
    SN_CHECK(copy != NULL && regcomp(&regex, copy, REG_EXTENDED | REG_NOSUB) == 0);
    bool is_found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    free(copy);
    return is_found;
}

static bool note_matches(const struct promql_expect *expect, struct sn_str note) {
    char *text = strndup(note.ptr, note.len);
    SN_CHECK(text != NULL);
    bool is_match = expect->how == PROMQL_ANY ||
                    (expect->how == PROMQL_MESSAGE ? sn_str_equal(expect->text, note)
                                                   : regex_finds(expect->text, text));
    free(text);
    return is_match;
}

static void check_notes(const struct promql_expects *expects, bool wants_none,
                        const struct sn_str *notes, size_t count, struct verdict *verdict) {
    if (wants_none && count > 0) {
        wrong_note(verdict, "unexpected note: %.*s", SN_STR_ARG(notes[0]));
    }
    for (size_t i = 0; i < expects->count; i++) {
        bool is_found = false;
        for (size_t k = 0; k < count; k++) {
            is_found = is_found || note_matches(&expects->items[i], notes[k]);
        }
        if (!is_found) {
            wrong_note(verdict, "no note like \"%.*s\", but %zu: %.*s",
                       SN_STR_ARG(expects->items[i].text), count,
                       SN_STR_ARG(count > 0 ? notes[0] : SN_STR("")));
        }
    }
}

static void check_failure(const struct promql_command *command, sn_status status,
                          const struct sn_err *err, struct verdict *verdict) {
    if (status == SN_OK) {
        wrong(verdict, "the query succeeds");
        return;
    }
    if (status != SN_ERR_INVALID) {
        wrong(verdict, "failed with status %d: %s", (int)status, err->text);
    }
    for (size_t i = 0; i < command->fail.count; i++) {
        struct sn_str text = command->fail.items[i].text;
        bool is_message = command->fail.items[i].how == PROMQL_MESSAGE;
        if (command->fail.items[i].how != PROMQL_ANY &&
            !(is_message ? memmem(err->text, strlen(err->text), text.ptr, text.len) != NULL
                         : regex_finds(text, err->text))) {
            wrong_note(verdict, "message is: %s", err->text);
        }
    }
}

/* ---- one case ---- */

static struct sn_query query_of(const struct promql_command *command) {
    struct sn_query query = {.expression = command->expression,
                             .range = {command->start_ms, command->end_ms},
                             .step_ms = command->is_range ? command->step_ms : 0};
    if (command->has_range_vector) {
        query.range.start_ms = command->end_ms;
    }
    return query;
}

/* As Prometheus does: every instant query is also the middle step of a range query. */
static void check_as_range(struct run *run, const struct promql_command *command,
                           struct verdict *verdict) {
    static const char *const different[] = {"start()", "end()", "range()", "step()"};
    struct sn_querier querier = sn_query_engine_querier(run->engine);
    int64_t at = command->start_ms;
    struct sn_query query = {.expression = command->expression,
                             .range = {at >= MINUTE_MS ? at - MINUTE_MS : at, at + MINUTE_MS},
                             .step_ms = MINUTE_MS};
    struct sn_query_result result;
    struct sn_arena arena;
    struct sn_err err = {.status = SN_OK};
    for (size_t i = 0; i < sizeof different / sizeof *different; i++) {
        if (memmem(command->expression.ptr, command->expression.len, different[i],
                   strlen(different[i])) != NULL) {
            return;
        }
    }
    if (command->has_string || command->has_range_vector) {
        return;
    }
    sn_arena_init(&arena, 0);
    if (querier.query(querier.ctx, &query, &arena, &result, &err) != SN_OK) {
        wrong(verdict, "as range query: %s", err.text);
    } else if (command->has_scalar) {
        struct promql_value value = {PROMQL_BLANK, 0, NULL};
        bool is_found = result.series_count == 1 && find_point(&result.series[0], at, &value);
        if (!is_found || !promql_number_is_near(value.number, command->scalar)) {
            wrong(verdict, "as range query: scalar is %.17g", value.number);
        }
    } else if (!command->is_ordered) {
        check_at(command, &result, at, verdict);
    }
    sn_arena_release(&arena);
}

static void check_case(struct run *run, const struct promql_command *command,
                       struct verdict *verdict) {
    struct sn_querier querier = sn_query_engine_querier(run->engine);
    struct sn_query query = query_of(command);
    struct sn_query_result result;
    struct sn_arena arena;
    struct sn_err err = {.status = SN_OK};
    sn_arena_init(&arena, 0);
    sn_status status = querier.query(querier.ctx, &query, &arena, &result, &err);
    if (command->is_fail) {
        check_failure(command, status, &err, verdict);
    } else if (status != SN_OK) {
        wrong(verdict, "failed: %s", err.text);
    } else {
        if (command->is_range || command->has_range_vector) {
            check_matrix(command, &result, verdict);
        } else {
            check_instant(command, &result, verdict);
            check_as_range(run, command, verdict);
        }
        check_notes(&command->warn, command->no_warn, result.warnings, result.warning_count,
                    verdict);
        check_notes(&command->info, command->no_info, result.infos, result.info_count, verdict);
    }
    sn_arena_release(&arena);
}

static void run_case(struct run *run, const struct promql_command *command) {
    struct verdict verdict = {.is_right = true, .has_right_notes = true};
    check_case(run, command, &verdict);
    run->counts->case_count++;
    run->counts->pass_count += verdict.is_right && verdict.has_right_notes;
    run->counts->note_count += verdict.is_right && !verdict.has_right_notes;
    if (!run->is_quiet && !(verdict.is_right && verdict.has_right_notes)) {
        print_error("%s:%zu: %.*s\n    %s%s\n", run->name, command->line,
                    SN_STR_ARG(command->expression), verdict.is_right ? "[notes] " : "",
                    verdict.text);
    }
}

/* ---- scripts ---- */

/* The line with the start times of a series; NULL: there is none. */
static const struct promql_series *find_starts(const struct promql_command *command,
                                               struct sn_labels labels) {
    for (size_t i = 0; i < command->series_count; i++) {
        if (command->series[i].is_start && sn_labels_equal(command->series[i].labels, labels)) {
            return &command->series[i];
        }
    }
    return NULL;
}

static void load_series(struct memory_reader *reader, const struct promql_command *command,
                        const struct promql_series *series) {
    struct memory_series *stored = memory_reader_series(reader, series->labels);
    const struct promql_series *starts = find_starts(command, series->labels);
    for (size_t i = 0; i < series->count; i++) {
        const struct promql_value *value = &series->values[i];
        struct memory_sample sample = {.time_ms = (int64_t)i * command->step_ms,
                                       .value = value->number,
                                       .histogram = value->histogram};
        if (value->kind == PROMQL_BLANK) {
            continue;
        }
        if (value->kind == PROMQL_STALE) {
            sample.value = sn_double_from_bits(SN_STALE_NAN_BITS);
        }
        if (starts != NULL && i < starts->count && starts->values[i].kind != PROMQL_BLANK) {
            sample.start_ms = sample.time_ms + (int64_t)starts->values[i].number;
        }
        memory_series_put(reader, stored, &sample);
    }
}

static bool is_last(const struct promql_command *command, size_t index) {
    for (size_t i = index + 1; i < command->series_count; i++) {
        if (!command->series[i].is_start &&
            sn_labels_equal(command->series[i].labels, command->series[index].labels)) {
            return false;
        }
    }
    return true;
}

/* Of several lines with the same labels in one block the last one counts. */
static void load(struct memory_reader *reader, const struct promql_command *command) {
    for (size_t i = 0; i < command->series_count; i++) {
        if (!command->series[i].is_start && is_last(command, i)) {
            load_series(reader, command, &command->series[i]);
        }
    }
}

static void run_commands(struct run *run, const struct promql_script *script) {
    for (size_t i = 0; i < script->count; i++) {
        const struct promql_command *command = &script->commands[i];
        switch (command->kind) {
        case PROMQL_CLEAR:
            memory_reader_clear(&run->reader);
            break;
        case PROMQL_LOAD:
            load(&run->reader, command);
            break;
        case PROMQL_EVAL:
            run_case(run, command);
            break;
        }
    }
}

void promql_run(struct sn_str text, const char *name, const struct sn_parse_options *features,
                bool is_quiet, struct promql_counts *counts) {
    struct run run = {.name = name, .is_quiet = is_quiet, .counts = counts};
    struct promql_script script;
    struct sn_err err = {.status = SN_OK};
    struct sn_query_engine_options options = {.clock = sn_clock_system()};
    memory_reader_init(&run.reader);
    options.reader = memory_reader_door(&run.reader);
    if (features != NULL) {
        options.features = *features;
    }
    assert_int_equal(sn_query_engine_new(&options, &run.engine, &err), SN_OK);
    if (promql_script_parse(&script, text, &err)) {
        run_commands(&run, &script);
    } else {
        print_error("%s: %s\n", name, err.text);
        counts->case_count++; /* a script that cannot be read does not pass */
    }
    promql_script_release(&script);
    run.engine = sn_query_engine_free(run.engine);
    memory_reader_clear(&run.reader);
}

char *promql_read_file(const char *path, size_t *ret_len) {
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0;
    if (file == NULL) {
        return NULL;
    }
    ssize_t len = getdelim(&text, &size, 0, file);
    (void)fclose(file);
    *ret_len = len < 0 ? 0 : (size_t)len;
    return text;
}

void promql_check_data(const char *name) {
    static const struct sn_parse_options all = {true, true, true, true};
    const char *source = getenv("SONDE_SOURCE");
    struct promql_counts counts = {0};
    char path[4096];
    size_t len;
    (void)snprintf(path, sizeof path, "%s/tests/query/data/%s.test", source ? source : ".", name);
    char *text = promql_read_file(path, &len);
    assert_non_null(text);
    promql_run(sn_str_make(text, len), name, &all, false, &counts);
    free(text);
    assert_true(counts.case_count > 0);
    assert_int_equal(counts.pass_count, counts.case_count);
}
