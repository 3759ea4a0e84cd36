/* Groups of pushed metrics: files, changes, passes, the worker. */
#include "ingest/push_groups.h"

#include "base/mem.h"
#include "base/os.h"
#include "ingest_support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scene {
    char directory[128];
    struct book book;
    struct sn_ingest ingest;
    struct sn_fake_clock clock;
    struct sn_push_groups *groups;
    size_t trouble_count;
    char trouble[SN_ERR_TEXT_SIZE];
};

static const struct sn_label job_label = {SN_STR("job"), SN_STR("j")};
static const struct sn_labels job = {&job_label, 1};

static void on_trouble(void *ctx, const struct sn_err *err) {
    struct scene *scene = ctx;
    scene->trouble_count++;
    (void)snprintf(scene->trouble, sizeof scene->trouble, "%s", err != NULL ? err->text : "fine");
}

static sn_status open_groups(struct scene *scene, struct sn_err *err) {
    const struct sn_push_groups_options options = {.ingest = &scene->ingest,
                                                   .clock = &scene->clock.clock,
                                                   .directory = scene->directory,
                                                   .interval_ms = 1000,
                                                   .on_trouble = on_trouble,
                                                   .ctx = scene};
    return sn_push_groups_open(&options, &scene->groups, err);
}

static int set_up(void **state) {
    struct scene *scene = calloc(1, sizeof *scene);
    (void)snprintf(scene->directory, sizeof scene->directory, "/tmp/sonde_push_XXXXXX");
    if (scene == NULL || mkdtemp(scene->directory) == NULL) {
        return -1;
    }
    book_init(&scene->book);
    sn_ingest_init(&scene->ingest, book_sink(&scene->book));
    sn_fake_clock_init(&scene->clock, 0, 5000);
    *state = scene;
    return open_groups(scene, NULL) == SN_OK ? 0 : -1;
}

static int tear_down(void **state) {
    struct scene *scene = *state;
    sn_fault_disarm_all();
    (void)sn_push_groups_close(scene->groups);
    book_release(&scene->book);
    sn_status status = sn_os_remove_tree(scene->directory, NULL);
    free(scene);
    return status == SN_OK ? 0 : -1;
}

static sn_status put(struct scene *scene, const char *page, bool keeps_others) {
    struct sn_ingest_result result;
    const struct sn_push_page sent = {.bytes = sn_str_from(page), .keeps_others = keeps_others};
    return sn_push_groups_put(scene->groups, job, &sent, &result, NULL);
}

#define TIMES                                                                                      \
    "# push_failure_time_seconds gauge [] Last Unix time when changing this group failed.\n"       \
    "# push_time_seconds gauge [] Last Unix time when changing this group succeeded.\n"

static void a_push_is_shown_at_once_and_again_with_each_pass(void **state) {
    struct scene *scene = *state;
    assert_int_equal(put(scene, "a 1\n", false), SN_OK);
    assert_string_equal(book_read(&scene->book), "# a unknown [] \n" TIMES "a{job=\"j\"} 1 @5000\n"
                                                 "push_failure_time_seconds{job=\"j\"} 0 @5000\n"
                                                 "push_time_seconds{job=\"j\"} 5 @5000\n");
    /* In the same millisecond: no series gets two values for one time. */
    assert_int_equal(sn_push_groups_pass(scene->groups, NULL), SN_OK);
    assert_non_null(strstr(book_read(&scene->book), "\na{job=\"j\"} 1 @5001\n"));
    sn_fake_clock_advance_ms(&scene->clock, 1000);
    assert_int_equal(sn_push_groups_pass(scene->groups, NULL), SN_OK);
    assert_non_null(strstr(book_read(&scene->book), "\na{job=\"j\"} 1 @6000\n"));
    struct sn_ingest_counters counters = sn_ingest_read_counters(&scene->ingest);
    assert_int_equal(counters.ingested_count[SN_INGEST_PUSHGATEWAY], 9);
}

static void a_deleted_group_ends_with_stale_markers(void **state) {
    struct scene *scene = *state;
    struct sn_push_groups_stats stats;
    assert_int_equal(put(scene, "a 1\n", false), SN_OK);
    (void)book_read(&scene->book);
    assert_int_equal(sn_push_groups_delete(scene->groups, job, NULL), SN_OK);
    assert_string_equal(book_read(&scene->book),
                        "a{job=\"j\"} stale @5001\n"
                        "push_failure_time_seconds{job=\"j\"} stale @5001\n"
                        "push_time_seconds{job=\"j\"} stale @5001\n");
    assert_int_equal(sn_push_groups_delete(scene->groups, job, NULL), SN_OK);
    assert_int_equal(sn_push_groups_pass(scene->groups, NULL), SN_OK);
    assert_string_equal(book_read(&scene->book), "");
    sn_push_groups_stats(scene->groups, &stats);
    assert_int_equal(stats.group_count, 0);
    assert_int_equal(stats.group_bytes, 0);
}

static void groups_are_there_after_opening_again(void **state) {
    struct scene *scene = *state;
    char path[256];
    struct sn_push_groups_stats stats;
    const struct sn_label other_labels[] = {{SN_STR("instance"), SN_STR("i")}, job_label};
    const struct sn_labels other = {other_labels, 2};
    struct sn_ingest_result result;
    assert_int_equal(put(scene, "a 1\n", false), SN_OK);
    assert_int_equal(put(scene, "b 2\n", true), SN_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sn_push_groups_put(scene->groups, other,
                                            &(struct sn_push_page){.bytes = SN_STR("c 3\n")},
                                            &result, NULL),
                         SN_OK);
    }
    assert_int_equal(sn_push_groups_delete(scene->groups, other, NULL), SN_OK);
    assert_int_equal(sn_push_groups_put(scene->groups, other,
                                        &(struct sn_push_page){.bytes = SN_STR("d 4\n")}, &result,
                                        NULL),
                     SN_OK);
    (void)sn_push_groups_close(scene->groups);
    scene->groups = NULL;
    (void)snprintf(path, sizeof path, "%s/push.tmp", scene->directory);
    assert_int_equal(close(creat(path, 0600)), 0); /* a crash left it behind */
    (void)snprintf(path, sizeof path, "%s/00000000000000ff.group", scene->directory);
    assert_int_equal(close(creat(path, 0600)), 0); /* damaged */
    assert_int_equal(open_groups(scene, NULL), SN_OK);
    assert_int_equal(scene->trouble_count, 1);
    assert_non_null(strstr(scene->trouble, "00000000000000ff.group"));
    sn_push_groups_stats(scene->groups, &stats);
    assert_int_equal(stats.group_count, 2);
    assert_int_equal(stats.damaged_file_count, 1);
    (void)book_read(&scene->book);
    assert_int_equal(sn_push_groups_pass(scene->groups, NULL), SN_OK);
    const char *text = book_read(&scene->book);
    assert_non_null(strstr(text, "\na{job=\"j\"} 1 @5000\n"));
    assert_non_null(strstr(text, "\nb{job=\"j\"} 2 @5000\n"));
    assert_non_null(strstr(text, "\nd{instance=\"i\",job=\"j\"} 4 @5000\n"));
    assert_null(strstr(text, "\nc{"));
}

static void a_refused_page_changes_only_the_time_of_failure(void **state) {
    struct scene *scene = *state;
    assert_int_equal(put(scene, "a 1\n", false), SN_OK);
    (void)book_read(&scene->book);
    sn_fake_clock_advance_ms(&scene->clock, 1000);
    assert_int_equal(put(scene, "a{ 2\n", false), SN_ERR_INVALID);
    const char *text = book_read(&scene->book);
    assert_non_null(strstr(text, "\na{job=\"j\"} 1 @6000\n"));
    assert_non_null(strstr(text, "push_failure_time_seconds{job=\"j\"} 6 @6000\n"));
    assert_non_null(strstr(text, "push_time_seconds{job=\"j\"} 5 @6000\n"));
    struct sn_ingest_counters counters = sn_ingest_read_counters(&scene->ingest);
    assert_int_equal(counters.request_count, 2);
    assert_int_equal(counters.refused_request_count, 1);
}

static void what_the_sink_refused_is_told(void **state) {
    struct scene *scene = *state;
    struct sn_ingest_result result;
    scene->book.refused_count = 1;
    assert_int_equal(sn_push_groups_put(scene->groups, job,
                                        &(struct sn_push_page){.bytes = SN_STR("a 1\n")}, &result,
                                        NULL),
                     SN_OK);
    assert_int_equal(result.accepted_count, 2);
    assert_int_equal(result.rejected_count[SN_REJECT_DUPLICATE], 1);
    scene->book.refused_count = 0;
    scene->book.push_status = SN_ERR_BUSY;
    assert_int_equal(put(scene, "a 1\n", false), SN_ERR_BUSY);
    assert_int_equal(sn_push_groups_pass(scene->groups, NULL), SN_ERR_BUSY);
    scene->book.push_status = SN_OK;
    scene->book.done_status = SN_ERR_IO;
    assert_int_equal(put(scene, "a 1\n", false), SN_ERR_IO);
    scene->book.done_status = SN_OK;
}

/* The disk fails at every call: the old group stays, in memory and for the next opening. */
static void a_failing_disk_keeps_the_old_group(void **state) {
    struct scene *scene = *state;
    assert_int_equal(put(scene, "a 1\n", false), SN_OK);
    uint64_t fired = 1;
    for (uint64_t n = 1; fired > 0; n++) {
        sn_fault_arm(SN_FAULT_ANY, n, 1, EIO);
        sn_status status = put(scene, "a 2\n", false);
        fired = sn_fault_fired_count();
        sn_fault_disarm_all();
        assert_int_equal(status, fired > 0 ? SN_ERR_IO : SN_OK);
        (void)book_read(&scene->book);
        assert_int_equal(sn_push_groups_pass(scene->groups, NULL), SN_OK);
        const char *shown = fired > 0 ? "\na{job=\"j\"} 1 @" : "\na{job=\"j\"} 2 @";
        assert_non_null(strstr(book_read(&scene->book), shown));
        assert_true(n < 20);
    }
    sn_fault_arm(SN_FAULT_UNLINK, 1, 1, EIO);
    assert_int_equal(sn_push_groups_delete(scene->groups, job, NULL), SN_ERR_IO);
    (void)book_read(&scene->book);
    assert_int_equal(sn_push_groups_pass(scene->groups, NULL), SN_OK);
    assert_non_null(strstr(book_read(&scene->book), "\na{job=\"j\"} 2 @"));
}

static void without_memory_nothing_is_left_behind(void **state) {
    struct scene *scene = *state;
    bool has_failed = true;
    (void)sn_push_groups_close(SN_TAKE(scene->groups));
    book_release(&scene->book);
    int64_t blocks = sn_mem_block_count();
    for (uint64_t n = 1; has_failed; n++) {
        book_init(&scene->book);
        scene->book.is_closed = true;
        sn_mem_fail_nth(n);
        sn_status status = open_groups(scene, NULL);
        if (status == SN_OK) {
            status = put(scene, "a 1\n", false);
        }
        has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_true(status == SN_OK || (has_failed && status == SN_ERR_NO_MEMORY));
        scene->groups = sn_push_groups_close(scene->groups);
        book_release(&scene->book);
        assert_int_equal(sn_mem_block_count(), blocks);
    }
}

static void the_worker_passes_until_it_is_stopped(void **state) {
    struct scene *scene = *state;
    struct sn_thread thread = {.is_running = false};
    struct sn_worker worker = sn_push_groups_worker(scene->groups);
    assert_int_equal(put(scene, "a 1\n", false), SN_OK);
    worker.stop(worker.ctx);
    assert_int_equal(sn_thread_start(&thread, worker.name, worker.run, worker.ctx, NULL), SN_OK);
    sn_thread_join(&thread);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_push_is_shown_at_once_and_again_with_each_pass),
        TEST(a_deleted_group_ends_with_stale_markers),
        TEST(groups_are_there_after_opening_again),
        TEST(a_refused_page_changes_only_the_time_of_failure),
        TEST(what_the_sink_refused_is_told),
        TEST(a_failing_disk_keeps_the_old_group),
        TEST(without_memory_nothing_is_left_behind),
        TEST(the_worker_passes_until_it_is_stopped),
    };
    return cmocka_run_group_tests_name("push_groups", tests, NULL, NULL);
}
