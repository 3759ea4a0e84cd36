/* A query ends when its client goes, and only then. */
#include "api/prom_watch.h"

#include "prom_support.h"

#include <time.h>
#include <unistd.h>

static void await(atomic_bool *flag) {
    while (!atomic_load(flag))
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void a_query_is_cancelled_when_its_client_has_gone(void **state) {
    (void)state;
    struct scripted_engine script = {.status = SN_ERR_CLOSED, .waits_for_cancel = true};
    struct test_server *server = prom_server_start(&script);
    int fd = client_send(server, "GET", "/api/v1/query?query=1", "", SN_STR(""));
    await(&script.is_entered);
    assert_false(atomic_load(&script.was_cancelled));
    (void)close(fd);
    await(&script.was_cancelled);
    prom_server_stop(server);
}

static void a_query_whose_client_waits_is_left_alone(void **state) {
    (void)state;
    struct scripted_engine script = {.status = SN_OK};
    struct test_server *server = prom_server_start(&script);
    for (size_t i = 0; i < 3; i++)
        assert_data(server, "/api/v1/query?query=1&time=1",
                    "{\"resultType\":\"scalar\",\"result\":[1,\"1\"]}");
    assert_false(atomic_load(&script.was_cancelled));
    prom_server_stop(server);
}

static void queries_leave_the_list_in_any_order(void **state) {
    (void)state;
    struct sn_prom_watch watch;
    struct sn_prom_watched queries[3];
    static const size_t orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}};
    sn_prom_watch_init(&watch);
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        for (size_t j = 0; j < 3; j++)
            sn_prom_watch_begin(&watch, &queries[j], NULL);
        for (size_t j = 0; j < 3; j++)
            sn_prom_watch_end(&watch, &queries[orders[i][j]]);
        assert_null(watch.first);
    }
    sn_prom_watch_release(&watch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_is_cancelled_when_its_client_has_gone),
        cmocka_unit_test(a_query_whose_client_waits_is_left_alone),
        cmocka_unit_test(queries_leave_the_list_in_any_order),
    };
    return cmocka_run_group_tests_name("prom_watch", tests, NULL, NULL);
}
