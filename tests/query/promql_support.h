/*
 * Prometheus' script format for PromQL tests (.test files), a reader that holds samples in memory,
 * and a runner that puts both together.
 *
 *   load 5m                                  samples at 0, 5m, 10m ...
 *     metric{label="a"} 0+10x10 _ stale 3
 *   eval instant at 50m sum(metric)
 *     expect no_warn
 *     {} 100
 *   eval range from 0 to 10m step 5m metric
 *     metric{label="a"} 0 10 20
 *   clear
 *
 *   load_with_nhcb 5m                        the same, and classic histograms as native ones
 *     metric@st -1m-1mx10                    start times, relative to the samples
 *     metric    {{count:1 buckets:[1]}}+{{count:1 buckets:[1]}}x10
 *
 * Differences to Prometheus' own runner: reset hints of results are not compared, repeats with @ are
 * not made.
 */
#ifndef TESTS_QUERY_PROMQL_SUPPORT_H
#define TESTS_QUERY_PROMQL_SUPPORT_H

#include "base/arena.h"
#include "model/doors.h"
#include "query/engine.h"

/* ---- a reader in memory ---- */

struct memory_series {
    struct sn_labels labels;
    int64_t *time_ms; /* [count] */
    double *value;
    int64_t *start_ms;                     /* 0: unknown */
    const struct sn_histogram **histogram; /* NULL: a float; in the arena of the reader */
    size_t count;
    size_t capacity;
};

/* Series stay sorted by labels. Ids are places in the list: nothing is added while queries run. */
struct memory_reader {
    struct sn_arena arena;
    struct memory_series *series;
    size_t count;
    size_t capacity;
    sn_status read_status; /* what samples() answers: SN_OK unless a test wants a failure */
};

void memory_reader_init(struct memory_reader *reader);
void memory_reader_clear(struct memory_reader *reader); /* and release */
/* The series with these labels, made when it is not there. Moves other series: use it at once. */
struct memory_series *memory_reader_series(struct memory_reader *reader, struct sn_labels labels);
/* A sample at an existing time replaces it. */
struct memory_sample {
    int64_t time_ms;
    int64_t start_ms;
    double value;
    const struct sn_histogram *histogram; /* copied; NULL: a float */
};
void memory_series_put(struct memory_reader *reader, struct memory_series *series,
                       const struct memory_sample *sample);
void memory_series_add(struct memory_reader *reader, struct memory_series *series, int64_t time_ms,
                       double value);
struct sn_reader memory_reader_door(struct memory_reader *reader);

/* ---- scripts ---- */

enum promql_value_kind {
    PROMQL_BLANK,
    PROMQL_STALE,
    PROMQL_NUMBER,
    PROMQL_HISTOGRAM,
};

struct promql_value {
    enum promql_value_kind kind;
    double number;
    const struct sn_histogram *histogram; /* in the arena of the script, without empty buckets */
};

struct promql_series {
    struct sn_labels labels;
    struct promql_value *values;
    size_t count;
    bool is_start; /* values are start times in ms, relative to the samples; blank: unknown */
};

/* The text between {{ and }}; false when it is malformed. */
bool promql_histogram_parse(struct sn_str text, struct sn_arena *arena,
                            const struct sn_histogram **ret_histogram);
/* a + sign * b */
const struct sn_histogram *promql_histogram_add(const struct sn_histogram *a,
                                                const struct sn_histogram *b, double sign,
                                                struct sn_arena *arena);
/* Prometheus' comparison: numbers nearly, empty buckets not at all. */
bool promql_histogram_is_near(const struct sn_histogram *a, const struct sn_histogram *b,
                              struct sn_arena *arena);
bool promql_number_is_near(double a, double b);
/* The native histograms of the classic ones among the series, appended to them. */
struct promql_command;
void promql_add_nhcb(struct promql_command *command, struct sn_arena *arena);

struct promql_expect {
    enum { PROMQL_ANY, PROMQL_MESSAGE, PROMQL_REGEX } how;
    struct sn_str text;
};

#define PROMQL_EXPECTS_MAX 8

struct promql_expects {
    struct promql_expect items[PROMQL_EXPECTS_MAX];
    size_t count;
};

enum promql_command_kind {
    PROMQL_LOAD,
    PROMQL_EVAL,
    PROMQL_CLEAR,
};

struct promql_command {
    enum promql_command_kind kind;
    size_t line;
    struct promql_series *series; /* loaded, or expected */
    size_t series_count;
    size_t series_capacity;
    int64_t step_ms; /* of load and of range queries */
    /* The rest is of eval. */
    struct sn_str expression;
    int64_t start_ms;
    int64_t end_ms;
    bool is_nhcb; /* of load */
    bool is_range;
    bool is_fail;
    bool is_ordered;
    bool no_warn;
    bool no_info;
    bool has_scalar;
    bool has_string;
    bool has_range_vector; /* start, step and end of the result's points */
    double scalar;
    struct sn_str string;
    struct promql_expects fail;
    struct promql_expects warn;
    struct promql_expects info;
};

struct promql_script {
    struct sn_arena arena;
    struct promql_command *commands;
    size_t count;
    size_t capacity;
};

/* Read a script; false with a sentence when it is malformed. Release in both cases. */
bool promql_script_parse(struct promql_script *script, struct sn_str text, struct sn_err *err);
void promql_script_release(struct promql_script *script);

/* ---- runner ---- */

struct promql_counts {
    size_t case_count;
    size_t pass_count;
    size_t note_count; /* values right, warnings, infos or messages not */
};

/*
 * Run a script and print what fails. is_quiet: print nothing. features may be NULL.
 * The counts are added to *counts.
 */
void promql_run(struct sn_str text, const char *name, const struct sn_parse_options *features,
                bool is_quiet, struct promql_counts *counts);

/* The bytes of a file, malloc'ed, or NULL. */
char *promql_read_file(const char *path, size_t *ret_len);

/* cmocka: run tests/query/data/<name>.test and fail unless all its cases pass. */
void promql_check_data(const char *name);

#endif
