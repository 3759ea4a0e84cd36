/*
 * Records with a clock that tests own, and events in a few words.
 */
#ifndef SN_TESTS_USAGE_SUPPORT_H
#define SN_TESTS_USAGE_SUPPORT_H

#include "engine/usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The start of an hour. */
#define USAGE_NOW_MS (INT64_C(472222) * SN_HOUR_MS)

struct test_usage {
    char dir[64];
    struct sn_fake_clock clock;
    struct sn_records *records;
    struct sn_worker worker;
    struct sn_thread thread;
};

struct test_usage *test_usage_start(void);
void test_usage_stop(struct test_usage *test);

/* Store an event of app "a" at that time, with one item of kind "k" whose id is the user's. */
void test_usage_add(struct test_usage *test, const char *user_id, int64_t time_ms,
                    enum sn_outcome outcome);

#endif
