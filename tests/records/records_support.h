/*
 * A directory for a database, engines in it, and records in a few words.
 */
#ifndef SN_TESTS_RECORDS_SUPPORT_H
#define SN_TESTS_RECORDS_SUPPORT_H

#include "records/lite_priv.h"
#include "records/record_id.h"
#include "records/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TEST_NOW_MS INT64_C(1700000000000)

struct test_place {
    char dir[64];
    struct sn_engine engine; /* ops NULL: closed */
    struct sn_arena arena;
};

/* A new directory, in memory where the machine has such a place; nothing is open. */
void test_place_init(struct test_place *place);
void test_place_open(struct test_place *place);
void test_place_close(struct test_place *place);
void test_place_release(struct test_place *place);

/* A record "name" of the type and service "t" and "s", at TEST_NOW_MS + offset_ms. */
struct sn_record test_record(const char *name, int64_t offset_ms, double value);

/* Commit as one write; returns the write's status, asserts that the transaction worked. */
sn_status test_commit(struct test_place *place, struct sn_record *records, size_t count);

/* An event of app "a" and type "t" at TEST_NOW_MS + offset_ms; an error when it has a message. */
struct sn_app_event test_event(const char *user_id, int64_t offset_ms, const char *message);
/* Commit a write of any kind; returns its status. */
sn_status test_commit_write(struct test_place *place, struct sn_engine_write *write);

/* Commit two records and an event of app "a" as one write. SN_OK: acknowledged; else the status of the
 * transaction or of the write. */
sn_status test_commit_all_kinds(struct test_place *place);

/* Everything; change what matters. */
struct sn_record_page test_page(size_t limit);

#endif
