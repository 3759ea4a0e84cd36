/* The ring of exemplars, and the list of the catalogue's rows that hold them. */
#include "store/exemplars.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum sn_exemplar_verdict add(struct sn_exemplars *ring, uint32_t series, int64_t time_ms,
                                    double value) {
    enum sn_exemplar_verdict verdict;
    struct sn_log_exemplar exemplar = {
        .series = series, .time_ms = time_ms, .value = value, .labels = SN_STR("labels")};
    assert_int_equal(sn_exemplars_add(ring, &exemplar, &verdict), SN_OK);
    return verdict;
}

/* Times of one series from the newest to the oldest, as text. */
static void assert_times(const struct sn_exemplars *ring, uint32_t series, const char *expected) {
    char text[256] = "";
    size_t len = 0;
    for (uint64_t link = sn_exemplars_newest(ring, series); link != 0;
         link = sn_exemplars_previous(ring, link - 1)) {
        struct sn_log_exemplar exemplar = sn_exemplars_at(ring, link - 1);
        assert_int_equal(exemplar.series, series);
        assert_true(sn_str_equal(exemplar.labels, SN_STR("labels")));
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "%lld ", (long long)exemplar.time_ms);
    }
    assert_string_equal(text, expected);
}

static void the_oldest_goes_when_the_ring_is_full(void **state) {
    (void)state;
    struct sn_exemplars ring;
    sn_exemplars_init(&ring, 4);
    assert_times(&ring, 7, "");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(add(&ring, 7, i, i), SN_EXEMPLAR_ADDED);
        assert_int_equal(add(&ring, 99999, 10 + i, i), SN_EXEMPLAR_ADDED);
    }
    assert_times(&ring, 7, "2 1 ");
    assert_times(&ring, 99999, "12 11 ");
    assert_times(&ring, 8, "");
    for (int i = 3; i < 100; i++)
        assert_int_equal(add(&ring, 7, i, i), SN_EXEMPLAR_ADDED);
    assert_times(&ring, 7, "99 98 97 96 ");
    assert_times(&ring, 99999, "");
    assert_int_equal(add(&ring, 99999, 5, 0), SN_EXEMPLAR_ADDED); /* its newest has gone */
    assert_times(&ring, 7, "99 98 97 ");
    assert_times(&ring, 99999, "5 ");
    sn_exemplars_release(&ring);
}

static void exemplars_of_a_series_ascend_and_stand_once(void **state) {
    (void)state;
    struct sn_exemplars ring;
    sn_exemplars_init(&ring, 100);
    assert_int_equal(add(&ring, 1, 10, 1), SN_EXEMPLAR_ADDED);
    assert_int_equal(add(&ring, 1, 10, 2), SN_EXEMPLAR_ADDED); /* two at one time */
    assert_int_equal(add(&ring, 1, 10, 1), SN_EXEMPLAR_SAME);
    assert_int_equal(add(&ring, 1, 10, 2), SN_EXEMPLAR_SAME);
    assert_int_equal(add(&ring, 1, 9, 1), SN_EXEMPLAR_OLDER);
    assert_int_equal(add(&ring, 2, 9, 1), SN_EXEMPLAR_ADDED);
    assert_times(&ring, 1, "10 10 ");
    sn_exemplars_release(&ring);
}

static void deleted_ones_are_out_of_their_chain(void **state) {
    (void)state;
    struct sn_exemplars ring;
    sn_exemplars_init(&ring, 8);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(add(&ring, 1, i * 10, i), SN_EXEMPLAR_ADDED);
        if (i == 2)
            assert_int_equal(add(&ring, 2, 20, i), SN_EXEMPLAR_ADDED);
    }
    assert_int_equal(sn_exemplars_delete(&ring, 1, (struct sn_range){10, 30}, ring.next), 3);
    assert_times(&ring, 1, "50 40 0 ");
    assert_times(&ring, 2, "20 ");
    assert_int_equal(sn_exemplars_count(&ring), 4);
    assert_true(sn_exemplars_has(&ring, 0));
    assert_false(sn_exemplars_has(&ring, 1));
    assert_int_equal(sn_exemplars_delete(&ring, 1, (struct sn_range){10, 30}, ring.next), 0);
    assert_int_equal(sn_exemplars_delete(&ring, 99999, (struct sn_range){10, 30}, ring.next), 0);
    /* The newest ones, but only below a number: that of time 50 stays. */
    assert_int_equal(sn_exemplars_delete(&ring, 1, (struct sn_range){40, 90}, ring.next - 1), 1);
    assert_times(&ring, 1, "50 0 ");
    assert_int_equal(sn_exemplars_delete(&ring, 1, (struct sn_range){50, 50}, ring.next), 1);
    assert_times(&ring, 1, "0 ");
    assert_int_equal(add(&ring, 1, 20, 2), SN_EXEMPLAR_ADDED); /* nothing is newer any more */
    assert_times(&ring, 1, "20 0 ");
    /* Their places are used again in turn. */
    for (int i = 10; i < 18; i++) {
        assert_int_equal(add(&ring, 3, i, i), SN_EXEMPLAR_ADDED);
        assert_true(sn_exemplars_count(&ring) <= 8);
    }
    assert_int_equal(sn_exemplars_count(&ring), 8);
    assert_times(&ring, 1, "");
    sn_exemplars_release(&ring);
}

static void every_failing_allocation_changes_nothing(void **state) {
    (void)state;
    int64_t before = sn_mem_block_count();
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        struct sn_exemplars ring;
        enum sn_exemplar_verdict verdict;
        struct sn_log_exemplar exemplar = {.series = 3, .labels = SN_STR("labels")};
        sn_exemplars_init(&ring, 2);
        sn_mem_fail_nth(n);
        sn_status status = sn_exemplars_add(&ring, &exemplar, &verdict);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, fired ? SN_ERR_NO_MEMORY : SN_OK);
        assert_int_equal(ring.next, fired ? 0 : 1);
        sn_exemplars_release(&ring);
        assert_int_equal(sn_mem_block_count(), before);
    }
}

static void rows_go_when_all_their_exemplars_have_gone(void **state) {
    (void)state;
    struct sn_exemplar_rows rows = {0};
    assert_int_equal(sn_exemplar_rows_next(&rows), 1);
    assert_int_equal(sn_exemplar_rows_first(&rows, 0), 1);
    for (uint64_t id = 5; id < 40; id++)
        assert_int_equal(sn_exemplar_rows_add(&rows, id, id * 10), SN_OK);
    assert_int_equal(sn_exemplar_rows_next(&rows), 40);
    assert_int_equal(sn_exemplar_rows_first(&rows, 0), 5);
    assert_int_equal(sn_exemplar_rows_first(&rows, 99), 10);
    assert_int_equal(sn_exemplar_rows_first(&rows, 100), 11);
    assert_int_equal(sn_exemplar_rows_first(&rows, 1000), 40);
    sn_exemplar_rows_drop(&rows, 11);
    assert_int_equal(rows.items[0].id, 11);
    sn_exemplar_rows_drop(&rows, 40); /* the newest stays for its number */
    assert_int_equal(rows.count, 1);
    assert_int_equal(sn_exemplar_rows_next(&rows), 40);
    sn_exemplar_rows_release(&rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_goes_when_the_ring_is_full),
        cmocka_unit_test(exemplars_of_a_series_ascend_and_stand_once),
        cmocka_unit_test(deleted_ones_are_out_of_their_chain),
        cmocka_unit_test(every_failing_allocation_changes_nothing),
        cmocka_unit_test(rows_go_when_all_their_exemplars_have_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
