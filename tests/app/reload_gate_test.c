/* Asking for a reload from another thread. */
#include "app/reload_gate.h"

#include "app_support.h"

#include <stdatomic.h>
#include <string.h>

static atomic_int wake_count;

static void wake(void) {
    atomic_fetch_add(&wake_count, 1);
}

/* The main thread: reloads when it is woken. */
struct reloader {
    struct sn_reload_gate *gate;
    sn_status status;
    int seen;
};

static void reload_once(void *ctx) {
    struct reloader *reloader = ctx;
    while (atomic_load(&wake_count) == reloader->seen) {
        /* a few microseconds */
    }
    sn_reload_gate_begin(reloader->gate);
    const struct sn_err err = {.status = reloader->status, .text = "f.yml:1:1: no"};
    sn_reload_gate_end(reloader->gate, reloader->status, reloader->status == SN_OK ? NULL : &err);
}

static void the_answer_is_that_of_the_reload(void **state) {
    (void)state;
    struct sn_reload_gate gate;
    sn_reload_gate_init(&gate, wake);
    for (int i = 0; i < 2; i++) {
        struct reloader reloader = {&gate, i == 0 ? SN_OK : SN_ERR_INVALID, wake_count};
        struct sn_thread thread = {0};
        struct sn_err err = {.status = SN_OK};
        assert_int_equal(sn_thread_start(&thread, "reload", reload_once, &reloader, NULL), SN_OK);
        assert_int_equal(sn_reload_gate_ask(&gate, INT64_C(20000000000), &err), reloader.status);
        if (i == 1)
            assert_string_equal(err.text, "f.yml:1:1: no");
        sn_thread_join(&thread);
    }
    sn_reload_gate_release(&gate);
}

static void a_reload_that_began_before_the_question_does_not_count(void **state) {
    (void)state;
    struct sn_reload_gate gate;
    struct sn_err err = {.status = SN_OK};
    sn_reload_gate_init(&gate, wake);
    sn_reload_gate_begin(&gate);
    sn_reload_gate_end(&gate, SN_OK, NULL);
    assert_int_equal(sn_reload_gate_ask(&gate, 1000000, &err), SN_ERR_TIMEOUT);
    assert_non_null(strstr(err.text, "still being read"));
    sn_reload_gate_release(&gate);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_is_that_of_the_reload),
        cmocka_unit_test(a_reload_that_began_before_the_question_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
