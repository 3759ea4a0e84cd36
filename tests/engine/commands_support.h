/*
 * A querier that answers from a list of series, whatever is asked of them but their metric's name
 * and one service; and settings in a temporary directory.
 */
#ifndef TESTS_ENGINE_COMMANDS_SUPPORT_H
#define TESTS_ENGINE_COMMANDS_SUPPORT_H

#include "engine/commands.h"

#define TEST_NOW_MS INT64_C(1700000000000)
#define TEST_SERIES_MAX 64
#define TEST_POINTS_MAX 128

/* One series: the first query that contains `query` gets it. */
struct test_series {
    const char *query; /* a piece of the expression */
    struct sn_label labels[6];
    size_t label_count;
    double values[TEST_POINTS_MAX]; /* one a minute up to now for ranges; the last one now */
    size_t count;
};

struct test_commands {
    struct test_series series[TEST_SERIES_MAX];
    size_t series_count;
    size_t query_count;
    sn_status query_status; /* of every query from now on */
    char last_query[2048];
    char dir[128];
    struct sn_fake_clock clock;
    struct sn_commands commands;
    struct sn_arena arena;
    struct sn_buf answer; /* of the last run, with a NUL */
    struct sn_err err;
};

int test_commands_set_up(void **state);
int test_commands_tear_down(void **state);

/* Add a series with one value; labels: name, value, ..., NULL. */
struct test_series *test_commands_add(struct test_commands *test, const char *query, double value,
                                      ...) __attribute__((sentinel));

/* Run a command; the answer is test->answer. */
sn_status test_commands_run(struct test_commands *test, const char *name, const char *args);

/* Run it, and check that the answer has that text in it. */
void test_commands_expect(struct test_commands *test, const char *name, const char *args,
                          const char *text);

#endif
