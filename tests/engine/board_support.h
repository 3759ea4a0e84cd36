/*
 * A board with its small charts on real PromQL over series in memory, with a clock that tests own.
 * What the board stores comes back to the same series.
 */
#ifndef TESTS_ENGINE_BOARD_SUPPORT_H
#define TESTS_ENGINE_BOARD_SUPPORT_H

#include "engine/board.h"
#include "engine/sparks.h"
#include "query/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Ten minutes after the start of a half hour. */
#define BOARD_NOW_MS (INT64_C(944444) * SN_BOARD_SLOT_MS + 600000)
#define MEMORY_SERIES_MAX 512

struct memory_row {
    struct sn_labels labels; /* in the arena `texts` */
    struct sn_samples samples;
};

struct test_board {
    struct memory_row *rows[MEMORY_SERIES_MAX];
    size_t count;
    struct sn_arena texts;
    struct sn_fake_clock clock;
    sn_status select_status, push_status; /* not SN_OK: their answers */
    size_t push_count, select_count;
    struct sn_query_engine *engine;
    struct sn_querier querier;
    struct sn_board board;
    struct sn_sparks sparks;
    struct sn_arena arena; /* of views */
    struct sn_board_view view;
};

/* records may be NULL. */
struct test_board *test_board_start(struct sn_records *records,
                                    const struct sn_board_limits *limits, size_t limit_count);
void test_board_stop(struct test_board *test);
/* A new board over the same series, as after a restart. */
void test_board_restart(struct test_board *test);

/* Append a sample; labels: name, value, ..., NULL. Times of a series ascend. */
void test_board_add(struct test_board *test, int64_t time_ms, double value, const char *metric, ...)
    __attribute__((sentinel));
/* Samples of both outcomes every 15 s over (from_ms, to_ms], for operation "o" of a service: so many
 * per second of each. */
void test_board_run(struct test_board *test, const char *service, int64_t from_ms, int64_t to_ms,
                    double ok_per_s, double errors_per_s);

/* Refresh, and read test->view. */
void test_board_look(struct test_board *test);
const struct sn_board_service *test_board_service(struct test_board *test, const char *name);
/* "-----ggwc" of a service. */
const char *test_board_strip(struct test_board *test, const char *name);
/* Samples of the series that are named so. */
size_t test_board_count(const struct test_board *test, const char *metric);

#endif
