/* See usage_support.h. */
#include "usage_support.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct test_usage *test_usage_start(void) {
    struct test_usage *test = calloc(1, sizeof *test);
    struct sn_err err = {.status = SN_OK};
    const char *root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    assert_non_null(test);
    (void)snprintf(test->dir, sizeof test->dir, "%s/sonde_usage_XXXXXX", root);
    assert_non_null(mkdtemp(test->dir));
    sn_fake_clock_init(&test->clock, 0, USAGE_NOW_MS);
    const struct sn_records_options options = {.dir = test->dir, .clock = &test->clock.clock};
    if (sn_records_open(&options, &test->records, &err) != SN_OK)
        fail_msg("%s", err.text);
    test->worker = sn_records_worker(test->records);
    assert_int_equal(
        sn_thread_start(&test->thread, test->worker.name, test->worker.run, test->worker.ctx, NULL),
        SN_OK);
    return test;
}

void test_usage_stop(struct test_usage *test) {
    test->worker.stop(test->worker.ctx);
    sn_thread_join(&test->thread);
    test->records = sn_records_close(test->records);
    assert_int_equal(sn_os_remove_tree(test->dir, NULL), SN_OK);
    free(test);
}

void test_usage_add(struct test_usage *test, const char *user_id, int64_t time_ms,
                    enum sn_outcome outcome) {
    const struct sn_app_event_item item = {SN_STR("k"), sn_str_from(user_id), SN_STR("n"),
                                           SN_STR("c"), 2};
    struct sn_app_event event = {.app = SN_STR("a"),
                                 .type = SN_STR("t"),
                                 .user_id = sn_str_from(user_id),
                                 .time_ms = time_ms,
                                 .outcome = outcome,
                                 .has_duration = true,
                                 .duration_ms = 100,
                                 .quantity = 2,
                                 .credits = outcome == SN_OUTCOME_OK ? 3 : -1,
                                 .items = &item,
                                 .item_count = 1};
    if (outcome == SN_OUTCOME_ERROR) {
        event.error_class = SN_STR("C");
        event.error_message = SN_STR("bad");
    }
    struct sn_records_push push = {.events = &event, .event_count = 1};
    assert_int_equal(sn_records_push_wait(test->records, &push, NULL), SN_OK);
}
