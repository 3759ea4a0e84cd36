/* The life of the board: publishing, ages, copies, failures, its worker. */
#include "board_support.h"

#include "base/mem.h"

static void an_empty_server_has_an_empty_board(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_look(test);
    assert_int_equal(test->view.service_count, 0);
    assert_int_equal(test->view.hosts.count, 0);
    assert_int_equal(test->view.day.class_count, 0);
    assert_false(test->view.has_data);
    test_board_add(test, BOARD_NOW_MS, 1, "node_load1", "instance", "h", NULL);
    test_board_look(test);
    assert_false(test->view.has_data); /* of the host only */
    test_board_add(test, BOARD_NOW_MS, 1, "jobs_done", "job", "x", NULL);
    test_board_look(test);
    assert_true(test->view.has_data);
    test_board_stop(test);
}

static void a_reader_gets_what_is_fresh_without_a_query(void **state) {
    (void)state;
    struct sn_board_view view;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_run(test, "a", BOARD_NOW_MS - 600000, BOARD_NOW_MS, 2, 0);
    assert_int_equal(sn_board_read(&test->board, &test->arena, &view, NULL), SN_OK);
    assert_int_equal(view.service_count, 1); /* there was none: it was made */
    size_t before = test->select_count;
    assert_int_equal(sn_board_read(&test->board, &test->arena, &view, NULL), SN_OK);
    assert_int_equal(test->select_count, before);
    sn_fake_clock_advance_ms(&test->clock, 1001); /* cheap and old: made anew */
    assert_int_equal(sn_board_read(&test->board, &test->arena, &view, NULL), SN_OK);
    assert_true(test->select_count > before);
    assert_int_equal(view.now_ms, BOARD_NOW_MS + 1001);
    test_board_stop(test);
}

static void what_is_costly_is_left_to_the_worker(void **state) {
    (void)state;
    struct sn_board_view view;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_look(test);
    size_t before = test->select_count;
    test->board.cost_ns = INT64_C(26000000);
    sn_fake_clock_advance_ms(&test->clock, 60000);
    assert_int_equal(sn_board_read(&test->board, &test->arena, &view, NULL), SN_OK);
    assert_int_equal(test->select_count, before);
    sn_fake_clock_advance_ms(&test->clock, 1); /* but when that does not come */
    assert_int_equal(sn_board_read(&test->board, &test->arena, &view, NULL), SN_OK);
    assert_true(test->select_count > before);
    test_board_stop(test);
}

static void a_failure_leaves_the_old_table(void **state) {
    (void)state;
    struct sn_err err = {.status = SN_OK};
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test->select_status = SN_ERR_IO;
    assert_int_equal(sn_board_read(&test->board, &test->arena, &test->view, &err), SN_ERR_IO);
    assert_string_equal(err.text, "the reader said no");
    test->select_status = SN_OK;
    test_board_run(test, "a", BOARD_NOW_MS - 600000, BOARD_NOW_MS, 2, 0);
    test_board_look(test);
    test->select_status = SN_ERR_IO;
    assert_int_equal(sn_board_refresh(&test->board, &err), SN_ERR_IO);
    assert_int_equal(sn_board_read(&test->board, &test->arena, &test->view, &err), SN_OK);
    assert_int_equal(test->view.service_count, 1);
    assert_int_equal(test->board.failure_count, 2);
    assert_int_equal(test->board.last_error.status, SN_ERR_IO);
    test_board_stop(test);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    struct sn_err err = {.status = SN_OK};
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_run(test, "a", BOARD_NOW_MS - 600000, BOARD_NOW_MS, 2, 1);
    uint64_t n = 0;
    for (bool has_fired = true; has_fired;) {
        sn_mem_fail_nth(++n);
        sn_status status = sn_board_refresh(&test->board, &err);
        has_fired = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_fired ? SN_ERR_NO_MEMORY : SN_OK);
    }
    assert_true(n > 1);
    test_board_look(test);
    assert_int_equal(test->view.service_count, 1);
    test_board_stop(test);
}

static void the_worker_ends_when_it_is_told_to(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    struct sn_worker worker = sn_board_worker(&test->board);
    struct sn_thread thread = {.is_running = false};
    assert_int_equal(sn_thread_start(&thread, worker.name, worker.run, worker.ctx, NULL), SN_OK);
    worker.stop(worker.ctx);
    sn_thread_join(&thread);
    assert_int_equal(test->board.refresh_count, 1); /* the first one is at once */
    assert_non_null(test->board.state);
    test_board_stop(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_server_has_an_empty_board),
        cmocka_unit_test(a_reader_gets_what_is_fresh_without_a_query),
        cmocka_unit_test(what_is_costly_is_left_to_the_worker),
        cmocka_unit_test(a_failure_leaves_the_old_table),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(the_worker_ends_when_it_is_told_to),
    };
    return cmocka_run_group_tests_name("board", tests, NULL, NULL);
}
