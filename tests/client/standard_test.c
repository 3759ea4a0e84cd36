/* Tests of the standard families. */
#include "client/standard_priv.h"

#include "client_support.h"

#include <math.h>
#include <pthread.h>

static void one_line_records_a_request(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_standard *standard = sonde_standard_new(registry);
    sonde_http_request_record_in(standard, "GET", "/users/:id", 200, 0.012);
    sonde_http_request_record_in(standard, "GET", "/users/:id", 200, 0.5);
    sonde_http_request_record_in(standard, "POST", "/users", 503, 2);
    assert_true(has_line(
        registry, "http_requests_total{method=\"GET\",path=\"/users/:id\",status=\"200\"} 2"));
    assert_true(has_line(registry,
                         "http_requests_total{method=\"POST\",path=\"/users\",status=\"503\"} 1"));
    assert_true(has_line(registry, "http_request_duration_seconds_bucket{method=\"GET\","
                                   "path=\"/users/:id\",le=\"0.025\"} 1"));
    assert_true(has_line(
        registry, "http_request_duration_seconds_sum{method=\"GET\",path=\"/users/:id\"} 0.512"));
    (void)sonde_standard_free(standard);
    (void)sonde_registry_free(registry);
}

static void what_clients_invent_is_other(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_standard *standard = sonde_standard_new(registry);
    sonde_http_request_record_in(standard, "EXPLODE", "/", 99, 0.1);
    sonde_http_request_record_in(standard, "get", NULL, 1000, 0.1);
    sonde_http_request_record_in(standard, NULL, "/", 0, 0.1);
    sonde_http_request_record_in(standard, "PATCH", "/", 100, 0.1);
    sonde_http_request_record_in(standard, "PATCH", "/", 999, 0.1);
#define REQUESTS(method, path, status)                                                             \
    "http_requests_total{method=\"" method "\",path=\"" path "\",status=\"" status "\"} 1"
    assert_true(has_line(registry, REQUESTS("__other__", "/", "__other__")));
    assert_true(has_line(registry, REQUESTS("__other__", "", "__other__")));
    assert_true(has_line(registry, REQUESTS("__other__", "/", "aborted")));
    assert_true(has_line(registry, REQUESTS("PATCH", "/", "100")));
    assert_true(has_line(registry, REQUESTS("PATCH", "/", "999")));
    (void)sonde_standard_free(standard);
    (void)sonde_registry_free(registry);
}

static void a_duration_that_is_none_is_not_counted(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_standard *standard = sonde_standard_new(registry);
    sonde_http_request_record_in(standard, "GET", "/", 200, -1);
    sonde_http_request_record_in(standard, "GET", "/", 200, (double)NAN);
    sonde_http_request_record_in(standard, "GET", "/", 200, 0);
    assert_true(
        has_line(registry, "http_requests_total{method=\"GET\",path=\"/\",status=\"200\"} 3"));
    assert_true(
        has_line(registry, "http_request_duration_seconds_count{method=\"GET\",path=\"/\"} 1"));
    (void)sonde_standard_free(standard);
    (void)sonde_registry_free(registry);
}

static void active_database_connections_exclude_idle_ones(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_standard *standard = sonde_standard_new(registry);
    sonde_db_connections_set_in(standard, &(sonde_db_connections){.open = 10, .idle = 7});
    sonde_db_connections_set_in(standard, NULL);
    assert_true(has_line(registry, "db_connections_active 3"));
    assert_true(has_line(registry, "db_connections_idle 7"));
    sonde_db_connections_set_in(standard, &(sonde_db_connections){.open = 2, .idle = 3});
    assert_true(has_line(registry, "db_connections_active 0"));
    assert_true(has_line(registry, "db_connections_idle 3"));
    (void)sonde_standard_free(standard);
    (void)sonde_registry_free(registry);
}

static void connections_and_cache_lookups_are_counted(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_standard *standard = sonde_standard_new(registry);
    sonde_active_connections_add_in(standard, 3);
    sonde_active_connections_add_in(standard, -1);
    sonde_cache_hit_record_in(standard, "redis");
    sonde_cache_hit_record_in(standard, "redis");
    sonde_cache_miss_record_in(standard, "a\"b\nc");
    assert_true(has_line(registry, "active_connections 2"));
    assert_true(has_line(registry, "cache_hits_total{cache_type=\"redis\"} 2"));
    assert_true(has_line(registry, "cache_misses_total{cache_type=\"a\\\"b\\nc\"} 1"));
    (void)sonde_standard_free(standard);
    (void)sonde_registry_free(registry);
}

static void the_short_calls_use_the_global_registry(void **state) {
    (void)state;
    sonde_http_request_record("GET", "/short", 200, 0.1);
    sonde_active_connections_add(1);
    sonde_db_connections_set(&(sonde_db_connections){.open = 1});
    sonde_cache_hit_record("global");
    sonde_cache_miss_record("global");
    assert_true(
        has_line(NULL, "http_requests_total{method=\"GET\",path=\"/short\",status=\"200\"} 1"));
    assert_true(has_line(NULL, "active_connections 1"));
    assert_true(has_line(NULL, "db_connections_active 1"));
    assert_true(has_line(NULL, "cache_hits_total{cache_type=\"global\"} 1"));
    assert_true(has_line(NULL, "cache_misses_total{cache_type=\"global\"} 1"));
}

static void families_appear_with_their_first_call(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_standard *first = sonde_standard_new(registry);
    sonde_standard *second = sonde_standard_new(registry);
    char *page = page_of(registry);
    assert_null(strstr(page, "cache_hits_total"));
    sonde_free(page);
    sonde_cache_hit_record_in(first, "x");
    sonde_cache_hit_record_in(second, "x");
    page = page_of(registry);
    assert_true(value_of(page, "cache_hits_total{cache_type=\"x\"}") == 2);
    assert_null(strstr(page, "cache_misses_total"));
    sonde_free(page);
    (void)sonde_standard_free(first);
    (void)sonde_standard_free(second);
    (void)sonde_registry_free(registry);
}

static void a_family_of_another_shape_is_left_alone(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_counter *own =
        sonde_counter_new(registry, &(sonde_metric){.name = "cache_hits_total"}, NULL);
    sonde_standard *standard = sonde_standard_new(registry);
    sonde_counter_inc(own);
    for (int i = 0; i < 3; i++)
        sonde_cache_hit_record_in(standard, "x");
    assert_true(has_line(registry, "cache_hits_total 1"));
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_REGISTRATION), 1);
    (void)sonde_standard_free(standard);
    (void)sonde_registry_free(registry);
}

static void use_everything(sonde_standard *standard) {
    sonde_http_request_record_in(standard, "GET", "/", 200, 0.1);
    sonde_active_connections_add_in(standard, 1);
    sonde_db_connections_set_in(standard, &(sonde_db_connections){.open = 2, .idle = 1});
    sonde_cache_hit_record_in(standard, "x");
    sonde_cache_miss_record_in(standard, "x");
}

static void recording_does_not_allocate(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_standard *standard = sonde_standard_new(registry);
    use_everything(standard);
    sn_mem_fail_from(1);
    for (int i = 0; i < 1000; i++)
        use_everything(standard);
    int fired = sn_mem_fail_fired();
    sn_mem_fail_from(0);
    assert_false(fired);
    assert_true(has_line(registry, "cache_hits_total{cache_type=\"x\"} 1001"));
    (void)sonde_standard_free(standard);
    (void)sonde_registry_free(registry);
}

static void without_memory_the_next_call_tries_again(void **state) {
    (void)state;
    warm_up();
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1;; n++) {
        sn_mem_fail_nth(n);
        sonde_registry *registry = sonde_registry_new(NULL, NULL);
        sonde_standard *standard = registry != NULL ? sonde_standard_new(registry) : NULL;
        if (standard != NULL)
            use_everything(standard);
        int fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        if (standard != NULL) {
            use_everything(standard);
            char *page = page_of(registry);
            assert_true(value_of(page, "cache_misses_total{cache_type=\"x\"}") >= 1);
            assert_true(value_of(page, "db_connections_active") == 1);
            sonde_free(page);
        }
        (void)sonde_standard_free(standard);
        (void)sonde_registry_free(registry);
        assert_int_equal(sn_mem_block_count(), before);
        if (!fired)
            break;
    }
}

static void *hammer(void *standard) {
    for (int i = 0; i < 2000; i++)
        use_everything(standard);
    return NULL;
}

static void threads_may_come_first_together(void **state) {
    (void)state;
    pthread_t threads[4];
    sonde_registry *registry = new_registry();
    sonde_standard *standard = sonde_standard_new(registry);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, standard), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(has_line(registry, "cache_hits_total{cache_type=\"x\"} 8000"));
    assert_true(has_line(registry, "active_connections 8000"));
    (void)sonde_standard_free(standard);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_records_a_request),
        cmocka_unit_test(what_clients_invent_is_other),
        cmocka_unit_test(a_duration_that_is_none_is_not_counted),
        cmocka_unit_test(active_database_connections_exclude_idle_ones),
        cmocka_unit_test(connections_and_cache_lookups_are_counted),
        cmocka_unit_test(the_short_calls_use_the_global_registry),
        cmocka_unit_test(families_appear_with_their_first_call),
        cmocka_unit_test(a_family_of_another_shape_is_left_alone),
        cmocka_unit_test(recording_does_not_allocate),
        cmocka_unit_test(without_memory_the_next_call_tries_again),
        cmocka_unit_test(threads_may_come_first_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
