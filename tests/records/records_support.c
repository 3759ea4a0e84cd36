/* See records_support.h. */
#include "records_support.h"

#include "base/limits.h"
#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void test_place_init(struct test_place *place) {
    const char *root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    *place = (struct test_place){0};
    (void)snprintf(place->dir, sizeof place->dir, "%s/sonde_records_XXXXXX", root);
    assert_non_null(mkdtemp(place->dir));
    sn_arena_init(&place->arena, 0);
}

void test_place_open(struct test_place *place) {
    struct sn_err err = {.status = SN_OK};
    const struct sn_lite_options options = {.dir = place->dir};
    if (sn_lite_open(&options, &place->engine, &err) != SN_OK)
        fail_msg("%s", err.text);
}

void test_place_close(struct test_place *place) {
    if (place->engine.ops != NULL)
        place->engine.ops->close(place->engine.ctx);
    place->engine = (struct sn_engine){0};
}

void test_place_release(struct test_place *place) {
    test_place_close(place);
    sn_arena_release(&place->arena);
    assert_int_equal(sn_os_remove_tree(place->dir, NULL), SN_OK);
}

struct sn_record test_record(const char *name, int64_t offset_ms, double value) {
    return (struct sn_record){.metric_type = SN_STR("t"),
                              .name = sn_str_from(name),
                              .service = SN_STR("s"),
                              .unit = SN_STR("u"),
                              .time_ms = TEST_NOW_MS + offset_ms,
                              .value = value};
}

sn_status test_commit(struct test_place *place, struct sn_record *records, size_t count) {
    struct sn_engine_write write = {.records = records, .record_count = count};
    return test_commit_write(place, &write);
}

struct sn_app_event test_event(const char *user_id, int64_t offset_ms, const char *message) {
    struct sn_app_event event = {.app = SN_STR("a"),
                                 .type = SN_STR("t"),
                                 .user_id = sn_str_from(user_id),
                                 .time_ms = TEST_NOW_MS + offset_ms};
    if (message != NULL) {
        event.outcome = SN_OUTCOME_ERROR;
        event.error_message = event.error_group = sn_str_from(message);
        event.error_class = SN_STR("C");
    }
    return event;
}

/* The status of the transaction; that of the write is in it. */
static sn_status commit_one(struct test_place *place, struct sn_engine_write *write,
                            struct sn_err *err) {
    if (place->engine.ops->identify != NULL)
        place->engine.ops->identify(place->engine.ctx, write);
    return place->engine.ops->commit(place->engine.ctx, &write, 1, err);
}

sn_status test_commit_write(struct test_place *place, struct sn_engine_write *write) {
    struct sn_err err = {.status = SN_OK};
    if (commit_one(place, write, &err) != SN_OK)
        fail_msg("%s", err.text);
    return write->status;
}

sn_status test_commit_all_kinds(struct test_place *place) {
    struct sn_record records[2] = {test_record("a", 0, 1), test_record("b", 1, 2)};
    struct sn_app_event event = test_event("u", 0, "it failed");
    struct sn_engine_write write = {
        .records = records, .record_count = 2, .events = &event, .event_count = 1};
    sn_status status = commit_one(place, &write, NULL);
    return status == SN_OK ? write.status : status;
}

struct sn_record_page test_page(size_t limit) {
    return (struct sn_record_page){.limit = limit, .filter = {.end_ms = SN_TIME_MS_MAX}};
}
