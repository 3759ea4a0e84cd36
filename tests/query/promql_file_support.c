#include "promql_support.h"

#include "codec/duration.h"
#include "codec/number.h"

#include <stdlib.h>

#include "base/check.h"

#define LABELS_MAX 64

/* What is left of a line. */
struct cursor {
    struct sn_str rest;
    struct sn_arena *arena;
    bool has_failed;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':';
}

static void skip(struct cursor *cursor, size_t len) {
    cursor->rest = sn_str_make(cursor->rest.ptr + len, cursor->rest.len - len);
}

static void skip_blanks(struct cursor *cursor) {
    while (cursor->rest.len > 0 && is_blank(cursor->rest.ptr[0])) {
        skip(cursor, 1);
    }
}

static bool starts_with(const struct cursor *cursor, const char *text) {
    return sn_str_starts_with(cursor->rest, sn_str_from(text));
}

static bool accept(struct cursor *cursor, const char *text) {
    if (!starts_with(cursor, text)) {
        return false;
    }
    skip(cursor, strlen(text));
    return true;
}

static struct sn_str take_word(struct cursor *cursor) {
    size_t len = 0;
    skip_blanks(cursor);
    while (len < cursor->rest.len && !is_blank(cursor->rest.ptr[len])) {
        len++;
    }
    struct sn_str word = sn_str_make(cursor->rest.ptr, len);
    skip(cursor, len);
    skip_blanks(cursor);
    return word;
}

/* ---- strings ---- */

static unsigned hex_digit(char c) {
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static size_t put_rune(unsigned rune, char *out) {
    if (rune < 0x80) {
        out[0] = (char)rune;
        return 1;
    }
    if (rune < 0x800) {
        out[0] = (char)(0xc0 | rune >> 6);
        out[1] = (char)(0x80 | (rune & 0x3f));
        return 2;
    }
    if (rune < 0x10000) {
        out[0] = (char)(0xe0 | rune >> 12);
        out[1] = (char)(0x80 | (rune >> 6 & 0x3f));
        out[2] = (char)(0x80 | (rune & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | rune >> 18);
    out[1] = (char)(0x80 | (rune >> 12 & 0x3f));
    out[2] = (char)(0x80 | (rune >> 6 & 0x3f));
    out[3] = (char)(0x80 | (rune & 0x3f));
    return 4;
}

/* One escape after its backslash; returns the bytes written. */
static size_t take_escape(struct cursor *cursor, char *out) {
    static const char names[] = "abfnrtv";
    static const char bytes[] = "\a\b\f\n\r\t\v";
    char c = cursor->rest.ptr[0];
    const char *at = strchr(names, c);
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    unsigned value = 0;
    skip(cursor, 1);
    if (at != NULL && c != '\0') {
        out[0] = bytes[at - names];
        return 1;
    }
    if (digits == 0) {
        out[0] = c;
        return 1;
    }
    for (size_t i = 0; i < digits && cursor->rest.len > 0; i++) {
        value = value << 4 | hex_digit(cursor->rest.ptr[0]);
        skip(cursor, 1);
    }
    if (c == 'x') {
        out[0] = (char)value;
        return 1;
    }
    return put_rune(value, out);
}

static struct sn_str take_string(struct cursor *cursor) {
    char quote = cursor->rest.ptr[0];
    char *out = sn_arena_alloc(cursor->arena, cursor->rest.len + 4);
    size_t len = 0;
    SN_CHECK(out != NULL);
    skip(cursor, 1);
    while (cursor->rest.len > 0 && cursor->rest.ptr[0] != quote) {
        char c = cursor->rest.ptr[0];
        skip(cursor, 1);
        if (c == '\\' && quote != '`' && cursor->rest.len > 0) {
            len += take_escape(cursor, out + len);
        } else {
            out[len++] = c;
        }
    }
    cursor->has_failed = cursor->has_failed || cursor->rest.len == 0;
    if (cursor->rest.len > 0) {
        skip(cursor, 1);
    }
    return sn_str_make(out, len);
}

static bool at_string(const struct cursor *cursor) {
    return starts_with(cursor, "\"") || starts_with(cursor, "'") || starts_with(cursor, "`");
}

static struct sn_str take_name(struct cursor *cursor) {
    size_t len = 0;
    if (at_string(cursor)) {
        return take_string(cursor);
    }
    while (len < cursor->rest.len && is_name_char(cursor->rest.ptr[len])) {
        len++;
    }
    struct sn_str name = sn_str_make(cursor->rest.ptr, len);
    skip(cursor, len);
    return name;
}

/* ---- metrics ---- */

static size_t take_label_list(struct cursor *cursor, struct sn_label *items, size_t count) {
    while (!cursor->has_failed) {
        skip_blanks(cursor);
        if (accept(cursor, "}")) {
            return count;
        }
        struct sn_label label = {SN_LABEL_METRIC_NAME, take_name(cursor)};
        skip_blanks(cursor);
        if (accept(cursor, "=")) {
            skip_blanks(cursor);
            label.name = label.value;
            cursor->has_failed = cursor->has_failed || !at_string(cursor);
            label.value = cursor->has_failed ? label.value : take_string(cursor);
        }
        skip_blanks(cursor);
        cursor->has_failed = cursor->has_failed || count == LABELS_MAX ||
                             (!accept(cursor, ",") && !starts_with(cursor, "}"));
        if (!cursor->has_failed) {
            items[count++] = label;
        }
    }
    return count;
}

static struct sn_labels take_metric(struct cursor *cursor) {
    struct sn_label *items = sn_arena_alloc(cursor->arena, (LABELS_MAX + 1) * sizeof *items);
    struct sn_labels labels = {.count = 0};
    size_t count = 0;
    SN_CHECK(items != NULL);
    struct sn_str name = starts_with(cursor, "{") ? sn_str_make(NULL, 0) : take_name(cursor);
    if (name.len > 0) {
        items[count++] = (struct sn_label){SN_LABEL_METRIC_NAME, name};
    }
    struct cursor before = *cursor;
    skip_blanks(cursor);
    if (starts_with(cursor, "{") && !starts_with(cursor, "{{")) {
        skip(cursor, 1);
        count = take_label_list(cursor, items, count);
    } else {
        *cursor = before;
        cursor->has_failed = cursor->has_failed || name.len == 0;
    }
    if (cursor->has_failed || sn_labels_make(items, count, &labels, NULL) != SN_OK) {
        cursor->has_failed = true;
    }
    return labels;
}

/* ---- values ---- */

static size_t digits_len(struct sn_str s, size_t at) {
    size_t start = at;
    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9') {
        at++;
    }
    return at - start;
}

static bool has_word(struct sn_str s, size_t at, const char *word) {
    size_t len = strlen(word);
    for (size_t i = 0; i < len; i++) {
        if (at + i >= s.len || (s.ptr[at + i] | 0x20) != word[i]) {
            return false;
        }
    }
    return true;
}

/* Bytes of the number that s starts with; 0: none. */
static size_t number_len(struct sn_str s) {
    size_t at = s.len > 0 && (s.ptr[0] == '+' || s.ptr[0] == '-');
    if (has_word(s, at, "inf") || has_word(s, at, "nan")) {
        return at + 3;
    }
    size_t digits = digits_len(s, at);
    at += digits;
    if (at < s.len && s.ptr[at] == '.') {
        size_t more = digits_len(s, at + 1);
        digits += more;
        at += more + 1;
    }
    if (digits == 0) {
        return 0;
    }
    if (at < s.len && (s.ptr[at] | 0x20) == 'e') {
        size_t sign = at + 1 < s.len && (s.ptr[at + 1] == '+' || s.ptr[at + 1] == '-');
        size_t exponent = digits_len(s, at + 1 + sign);
        at += exponent > 0 ? 1 + sign + exponent : 0;
    }
    return at;
}

static double take_number(struct cursor *cursor) {
    size_t len = number_len(cursor->rest);
    double value = 0;
    if (len == 0 || sn_double_parse(sn_str_make(cursor->rest.ptr, len), &value) != SN_OK) {
        cursor->has_failed = true;
        return 0;
    }
    skip(cursor, len);
    return value;
}

/* The N of xN; 0 when there is none. */
static size_t take_repeat(struct cursor *cursor) {
    int64_t count = 0;
    if (!accept(cursor, "x")) {
        return 0;
    }
    size_t len = digits_len(cursor->rest, 0);
    if (sn_int64_parse(sn_str_make(cursor->rest.ptr, len), &count) != SN_OK || count > 1000000) {
        cursor->has_failed = true;
        return 0;
    }
    skip(cursor, len);
    return (size_t)count;
}

struct values {
    struct promql_value *items;
    size_t count;
    size_t capacity;
};

static void add_value(struct cursor *cursor, struct values *values, struct promql_value value) {
    if (values->count == values->capacity) {
        size_t capacity = values->capacity * 2 + 16;
        struct promql_value *items = sn_arena_alloc(cursor->arena, capacity * sizeof *items);
        SN_CHECK(items != NULL);
        if (values->count > 0) {
            memcpy(items, values->items, values->count * sizeof *items);
        }
        values->items = items;
        values->capacity = capacity;
    }
    values->items[values->count++] = value;
}

static void take_numbers(struct cursor *cursor, struct values *values) {
    struct promql_value value = {PROMQL_NUMBER, take_number(cursor), NULL};
    double step = 0;
    if (starts_with(cursor, "+") || starts_with(cursor, "-")) {
        bool is_minus = starts_with(cursor, "-");
        skip(cursor, 1);
        step = take_number(cursor);
        step = is_minus ? -step : step;
    }
    for (size_t i = take_repeat(cursor) + 1; i > 0; i--) {
        add_value(cursor, values, value);
        value.number += step;
    }
}

static const struct sn_histogram *take_histogram(struct cursor *cursor) {
    const struct sn_histogram *histogram = NULL;
    const char *end = memmem(cursor->rest.ptr, cursor->rest.len, "}}", 2);
    size_t len = end != NULL ? (size_t)(end - cursor->rest.ptr) : 0;
    if (end == NULL ||
        !promql_histogram_parse(sn_str_make(cursor->rest.ptr, len), cursor->arena, &histogram)) {
        cursor->has_failed = true;
        return NULL;
    }
    skip(cursor, len + 2);
    return histogram;
}

/* {{...}}, {{...}}xN, {{...}}+{{...}}xN. */
static void take_histograms(struct cursor *cursor, struct values *values) {
    const struct sn_histogram *step = NULL;
    double sign = 0;
    skip(cursor, 2);
    struct promql_value value = {PROMQL_HISTOGRAM, 0, take_histogram(cursor)};
    if (starts_with(cursor, "+{{") || starts_with(cursor, "-{{")) {
        sign = starts_with(cursor, "+") ? 1 : -1;
        skip(cursor, 3);
        step = take_histogram(cursor);
    }
    size_t repeat = take_repeat(cursor);
    for (size_t i = 0; i <= repeat && !cursor->has_failed; i++) {
        add_value(cursor, values, value);
        if (step != NULL) {
            value.histogram = promql_histogram_add(value.histogram, step, sign, cursor->arena);
        }
    }
}

/* A duration with a sign as number of milliseconds: -30s, 0, +1m. */
static double take_offset(struct cursor *cursor) {
    bool is_minus = accept(cursor, "-");
    int64_t ms = 0;
    size_t len = 0;
    (void)accept(cursor, "+");
    while (len < cursor->rest.len &&
           (digits_len(cursor->rest, len) > 0 || strchr("dhms", cursor->rest.ptr[len]) != NULL)) {
        len++;
    }
    struct sn_str text = sn_str_make(cursor->rest.ptr, len);
    if (!sn_str_equal(text, SN_STR("0")) && sn_duration_parse_ms(text, &ms, NULL) != SN_OK) {
        cursor->has_failed = true;
    }
    skip(cursor, len);
    return is_minus ? (double)-ms : (double)ms;
}

/* -30s, -30sx5, -30s-1mx5 */
static void take_starts(struct cursor *cursor, struct values *values) {
    struct promql_value value = {PROMQL_NUMBER, take_offset(cursor), NULL};
    double step = 0;
    if (starts_with(cursor, "+") || starts_with(cursor, "-")) {
        step = take_offset(cursor);
    }
    for (size_t i = take_repeat(cursor) + 1; i > 0; i--) {
        add_value(cursor, values, value);
        value.number += step;
    }
}

static void take_value(struct cursor *cursor, struct values *values, bool is_start) {
    if (accept(cursor, "_")) {
        size_t repeat = starts_with(cursor, "x") ? take_repeat(cursor) : 1;
        for (size_t i = 0; i < repeat; i++) {
            add_value(cursor, values, (struct promql_value){PROMQL_BLANK, 0, NULL});
        }
    } else if (accept(cursor, "stale")) {
        for (size_t i = take_repeat(cursor) + 1; i > 0; i--) {
            add_value(cursor, values, (struct promql_value){PROMQL_STALE, 0, NULL});
        }
    } else if (starts_with(cursor, "{{")) {
        take_histograms(cursor, values);
    } else if (is_start) {
        take_starts(cursor, values);
    } else {
        take_numbers(cursor, values);
    }
}

static struct promql_series take_series(struct cursor *cursor) {
    struct promql_series series = {.labels = take_metric(cursor)};
    struct values values = {.count = 0};
    series.is_start = accept(cursor, "@st");
    skip_blanks(cursor);
    while (cursor->rest.len > 0 && !cursor->has_failed) {
        take_value(cursor, &values, series.is_start);
        cursor->has_failed =
            cursor->has_failed || (cursor->rest.len > 0 && !is_blank(cursor->rest.ptr[0]));
        skip_blanks(cursor);
    }
    series.values = values.items;
    series.count = values.count;
    return series;
}

/* ---- commands ---- */

struct parser {
    struct promql_script *script;
    struct sn_str rest;
    size_t line;
    struct sn_err *err;
};

/* The next line without blanks around it; comments are empty lines. */
static bool next_line(struct parser *parser, struct sn_str *ret_line) {
    if (parser->rest.len == 0) {
        return false;
    }
    (void)sn_str_cut(parser->rest, '\n', ret_line, &parser->rest);
    *ret_line = sn_str_trim(*ret_line);
    if (sn_str_starts_with(*ret_line, SN_STR("#"))) {
        *ret_line = SN_STR("");
    }
    parser->line++;
    return true;
}

static bool peek_block_line(struct parser *parser, struct sn_str *ret_line) {
    struct parser ahead = *parser;
    if (!next_line(&ahead, ret_line) || ret_line->len == 0) {
        return false;
    }
    *parser = ahead;
    return true;
}

static bool fail_line(const struct parser *parser, struct sn_str line) {
    (void)sn_err_set(parser->err, SN_ERR_INVALID, "line %zu: %.*s", parser->line, SN_STR_ARG(line));
    return false;
}

static bool parse_duration(struct sn_str text, int64_t *ret_ms) {
    return sn_duration_parse_ms(text, ret_ms, NULL) == SN_OK;
}

static void add_series(struct parser *parser, struct promql_command *command,
                       struct promql_series series) {
    if (command->series_count == command->series_capacity) {
        size_t capacity = command->series_capacity * 2 + 8;
        struct promql_series *items =
            sn_arena_alloc(&parser->script->arena, capacity * sizeof *items);
        SN_CHECK(items != NULL);
        if (command->series_count > 0) {
            memcpy(items, command->series, command->series_count * sizeof *items);
        }
        command->series = items;
        command->series_capacity = capacity;
    }
    command->series[command->series_count++] = series;
}

static bool parse_load(struct parser *parser, struct cursor *cursor,
                       struct promql_command *command) {
    struct sn_str line;
    command->kind = PROMQL_LOAD;
    if (!parse_duration(take_word(cursor), &command->step_ms)) {
        return false;
    }
    while (peek_block_line(parser, &line)) {
        struct cursor inner = {line, &parser->script->arena, false};
        add_series(parser, command, take_series(&inner));
        if (inner.has_failed) {
            return fail_line(parser, line);
        }
    }
    return true;
}

static bool parse_times(struct cursor *cursor, struct promql_command *command) {
    if (!command->is_range) {
        bool is_right =
            !accept(cursor, "at ") || parse_duration(take_word(cursor), &command->start_ms);
        command->end_ms = command->start_ms;
        return is_right;
    }
    return accept(cursor, "from ") && parse_duration(take_word(cursor), &command->start_ms) &&
           accept(cursor, "to ") && parse_duration(take_word(cursor), &command->end_ms) &&
           accept(cursor, "step ") && parse_duration(take_word(cursor), &command->step_ms);
}

static void add_expect(struct promql_expects *expects, struct cursor *cursor) {
    struct promql_expect expect = {.how = PROMQL_ANY};
    skip_blanks(cursor);
    if (accept(cursor, "msg:")) {
        expect.how = PROMQL_MESSAGE;
    } else if (accept(cursor, "regex:")) {
        expect.how = PROMQL_REGEX;
    }
    expect.text = sn_str_trim(cursor->rest);
    SN_CHECK(expects->count < PROMQL_EXPECTS_MAX);
    expects->items[expects->count++] = expect;
}

static bool parse_range_vector(struct cursor *cursor, struct promql_command *command) {
    struct promql_command times = {.is_range = true};
    skip_blanks(cursor);
    if (!parse_times(cursor, &times)) {
        return false;
    }
    command->has_range_vector = true;
    command->start_ms = times.start_ms;
    command->end_ms = times.end_ms;
    command->step_ms = times.step_ms;
    return true;
}

static bool parse_expect(struct cursor *cursor, struct promql_command *command) {
    if (accept(cursor, "range vector")) {
        return parse_range_vector(cursor, command);
    }
    if (accept(cursor, "string")) {
        skip_blanks(cursor);
        command->has_string = true;
        command->string = take_string(cursor);
        return !cursor->has_failed;
    }
    if (accept(cursor, "ordered")) {
        command->is_ordered = true;
    } else if (accept(cursor, "fail")) {
        command->is_fail = true;
        add_expect(&command->fail, cursor);
    } else if (accept(cursor, "no_warn")) {
        command->no_warn = true;
    } else if (accept(cursor, "no_info")) {
        command->no_info = true;
    } else if (accept(cursor, "warn")) {
        add_expect(&command->warn, cursor);
    } else if (accept(cursor, "info")) {
        add_expect(&command->info, cursor);
    } else {
        return false;
    }
    return true;
}

static bool parse_result_line(struct parser *parser, struct sn_str line,
                              struct promql_command *command) {
    struct cursor cursor = {line, &parser->script->arena, false};
    if (accept(&cursor, "expect ")) {
        return parse_expect(&cursor, command);
    }
    if (sn_double_parse(line, &command->scalar) == SN_OK) {
        command->has_scalar = true;
        return true;
    }
    add_series(parser, command, take_series(&cursor));
    return !cursor.has_failed;
}

static bool parse_eval(struct parser *parser, struct cursor *cursor,
                       struct promql_command *command) {
    struct sn_str line;
    command->kind = PROMQL_EVAL;
    if (accept(cursor, "_fail")) {
        command->is_fail = true;
    } else if (accept(cursor, "_ordered")) {
        command->is_ordered = true;
    } else if (accept(cursor, "_warn") || accept(cursor, "_info")) {
        return false; /* the old forms are not used in our files */
    }
    struct sn_str kind = take_word(cursor);
    command->is_range = sn_str_equal(kind, SN_STR("range"));
    if (!parse_times(cursor, command)) {
        return false;
    }
    command->expression = cursor->rest;
    while (peek_block_line(parser, &line)) {
        if (!parse_result_line(parser, line, command)) {
            return fail_line(parser, line);
        }
    }
    return true;
}

static bool parse_command(struct parser *parser, struct sn_str line,
                          struct promql_command *command) {
    struct cursor cursor = {line, &parser->script->arena, false};
    *command = (struct promql_command){.line = parser->line};
    if (accept(&cursor, "clear")) {
        command->kind = PROMQL_CLEAR;
        return true;
    }
    command->is_nhcb = accept(&cursor, "load_with_nhcb ");
    if (command->is_nhcb || accept(&cursor, "load ")) {
        if (!parse_load(parser, &cursor, command)) {
            return fail_line(parser, line);
        }
        if (command->is_nhcb) {
            promql_add_nhcb(command, &parser->script->arena);
        }
        return true;
    }
    if (accept(&cursor, "eval")) {
        return parse_eval(parser, &cursor, command) || fail_line(parser, line);
    }
    return fail_line(parser, line);
}

bool promql_script_parse(struct promql_script *script, struct sn_str text, struct sn_err *err) {
    struct parser parser = {script, text, 0, err};
    struct sn_str line;
    *script = (struct promql_script){.count = 0};
    sn_arena_init(&script->arena, 0);
    while (next_line(&parser, &line)) {
        struct promql_command command;
        if (line.len == 0) {
            continue;
        }
        if (!parse_command(&parser, line, &command)) {
            return false;
        }
        if (script->count == script->capacity) {
            script->capacity = script->capacity * 2 + 16;
            script->commands =
                realloc(script->commands, script->capacity * sizeof *script->commands);
            SN_CHECK(script->commands != NULL);
        }
        script->commands[script->count++] = command;
    }
    return true;
}

void promql_script_release(struct promql_script *script) {
    free(script->commands);
    sn_arena_release(&script->arena);
    *script = (struct promql_script){.count = 0};
}
