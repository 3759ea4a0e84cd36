/* Groups of threads: start, stop, join, and one that does not end in time. */
#include "app/crew.h"

#include "app_support.h"

#include <stdlib.h>

enum { COUNT = 5 };

/* A worker that runs until it is told to stop and, when it is stubborn, until it is let go. */
struct member {
    struct sn_event stopped, released;
    bool is_stubborn;
    int runs;
};

static void run(void *ctx) {
    struct member *member = ctx;
    member->runs++;
    (void)sn_event_wait(&member->stopped, -1, NULL);
    if (member->is_stubborn)
        (void)sn_event_wait(&member->released, -1, NULL);
}

static void stop(void *ctx) {
    struct member *member = ctx;
    sn_event_set(&member->stopped, SN_OK, NULL);
}

struct fixture {
    struct sn_crew crew;
    struct member members[COUNT];
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    f->crew.name = "test";
    for (size_t i = 0; i < COUNT; i++) {
        sn_event_init(&f->members[i].stopped);
        sn_event_init(&f->members[i].released);
        f->crew.workers[i] = (struct sn_worker){"member", run, stop, &f->members[i]};
    }
    f->crew.count = COUNT;
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT; i++) {
        sn_event_release(&f->members[i].stopped);
        sn_event_release(&f->members[i].released);
    }
    free(f);
    return 0;
}

static void all_run_once_and_end_when_told(void **state) {
    struct fixture *f = *state;
    assert_int_equal(sn_crew_start(&f->crew, NULL), SN_OK);
    sn_crew_stop(&f->crew);
    sn_crew_join(&f->crew);
    assert_int_equal(f->crew.count, 0);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(f->members[i].runs, 1);
}

static void an_empty_crew_does_nothing(void **state) {
    (void)state;
    static struct sn_crew crew;
    assert_int_equal(sn_crew_start(&crew, NULL), SN_OK);
    sn_crew_stop(&crew);
    sn_crew_join(&crew);
    assert_int_equal(sn_crew_join_within(&crew, 0), 0);
}

static void a_crew_that_ends_in_time_is_joined(void **state) {
    struct fixture *f = *state;
    assert_int_equal(sn_crew_start(&f->crew, NULL), SN_OK);
    sn_crew_stop(&f->crew);
    assert_int_equal(sn_crew_join_within(&f->crew, INT64_C(60000000000)), 0);
    for (size_t i = 0; i < COUNT; i++)
        assert_false(f->crew.threads[i].is_running);
}

static void those_that_hang_are_counted_and_stay(void **state) {
    struct fixture *f = *state;
    f->members[1].is_stubborn = f->members[3].is_stubborn = true;
    assert_int_equal(sn_crew_start(&f->crew, NULL), SN_OK);
    sn_crew_stop(&f->crew);
    /* Nothing but a short wait shows that a thread does not end. */
    assert_int_equal(sn_crew_join_within(&f->crew, 50000000), 2);
    assert_true(f->crew.threads[1].is_running && f->crew.threads[3].is_running);
    sn_event_set(&f->members[1].released, SN_OK, NULL);
    sn_event_set(&f->members[3].released, SN_OK, NULL);
    assert_int_equal(sn_crew_join_within(&f->crew, INT64_C(60000000000)), 0);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(all_run_once_and_end_when_told),
        cmocka_unit_test(an_empty_crew_does_nothing),
        TEST(a_crew_that_ends_in_time_is_joined),
        TEST(those_that_hang_are_counted_and_stay),
    };
    return cmocka_run_group_tests_name("crew", tests, NULL, NULL);
}
