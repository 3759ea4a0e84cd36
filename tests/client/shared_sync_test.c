/* Registries in shared files: several processes, killed ones, what is put in order after them. */
#include "shared_support.h"

#include "base/os.h"
#include "client/cache_priv.h"
#include "client/shared_sync_priv.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static sonde_metric jobs = {.name = "jobs_total", .help = "Jobs."};
static const char *const label_names[] = {"path", "code"};
static sonde_metric requests = {
    .name = "requests_total", .label_names = label_names, .label_count = 2};
static sonde_metric latency = {.name = "latency_seconds"};
static sonde_metric open_connections = {.name = "connections"};
static sonde_metric temperature = {.name = "temperature"};

static void count_request(sonde_registry *registry, const char *path, uint64_t n) {
    const char *const values[] = {path, "200"};
    sonde_counter_family *family = sonde_counter_family_new(registry, &requests, NULL);
    sonde_counter_add(sonde_counter_family_get(family, values, 2), n);
}

/* A host that is killed while it counts. */
static void host(void *ctx) {
    (void)ctx;
    sonde_registry *registry = open_shared();
    sonde_counter_add(sonde_counter_new(registry, &jobs, NULL), 41);
    count_request(registry, "/a\"b\\c\n\xc3\xa4", 7);
    sonde_histogram *histogram = sonde_histogram_new(registry, &latency, NULL);
    sonde_histogram_observe(histogram, 0.003);
    sonde_histogram_observe(histogram, 70);
    sonde_metric frames = {.name = "frame_seconds", .native_resolution = 4};
    sonde_native_histogram_observe(sonde_native_histogram_new(registry, &frames, NULL), 0.1);
    sonde_gauge_set(sonde_gauge_new(registry, &temperature, NULL), 36.6);
    sonde_gauge_add(sonde_gauge_new(registry, &open_connections, NULL), 3);
    sonde_operation *operation =
        sonde_operation_get(sonde_service_get(registry, "cache"), "lookup");
    sonde_tracker tracker = sonde_track_begin(operation);
    sonde_track_complete(&tracker);
    tracker = sonde_track_begin(operation);
    sonde_track_fail_as(&tracker, &(sonde_failure){"io", "disk on fire"});
    tracker = sonde_track_begin(operation);
    (void)tracker; /* killed in the middle of it */
}

static bool page_has(sonde_registry *registry, sonde_format format, const char *text) {
    char *page = NULL;
    assert_int_equal(sonde_registry_write_text(registry, format, &page, NULL), SONDE_OK);
    bool found = strstr(page, text) != NULL;
    if (!found)
        print_message("%s", page);
    sonde_free(page);
    return found;
}

static void a_killed_host_leaves_its_numbers(void **state) {
    (void)state;
    killed_child(host, NULL);
    sonde_shared_info info;
    sonde_registry *registry = sonde_shared_load(shared_path(), &info, NULL);
    assert_non_null(registry);
    assert_int_equal(info.living_count, 0);
    assert_int_equal(info.ended_count, 1);
    assert_int_equal(info.file_bytes, 64 << 20);
    assert_true(info.created_wall_ms > 0 && info.used_bytes > 4096);
    assert_true(has_line(registry, "jobs_total 41"));
    assert_true(
        has_line(registry, "requests_total{path=\"/a\\\"b\\\\c\\n\xc3\xa4\",code=\"200\"} 7"));
    assert_true(has_line(registry, "latency_seconds_bucket{le=\"0.005\"} 1"));
    assert_true(has_line(registry, "latency_seconds_count 2"));
    assert_true(has_line(registry, "latency_seconds_sum 70.003"));
    assert_true(has_line(registry, "frame_seconds_bucket{le=\"0.125\"} 1"));
    assert_true(has_line(registry, "frame_seconds_sum 0.1"));
    assert_true(has_line(registry, "temperature 36.6"));
    assert_true(has_line(registry, "connections 3"));
    assert_true(has_line(
        registry,
        "sonde_operations_total{service=\"cache\",operation=\"lookup\",outcome=\"error\"} 1"));
    assert_true(
        has_line(registry, "sonde_operations_active{service=\"cache\",operation=\"lookup\"} 1"));
    assert_true(page_has(registry, SONDE_FORMAT_OPENMETRICS,
                         "outcome=\"error\"} 1 # {class=\"io\",message=\"disk on fire\"}"));
    assert_true(page_has(registry, SONDE_FORMAT_JSON, "\"service\":\"cache\""));
    assert_true(page_has(registry, SONDE_FORMAT_JSON, "\"message\":\"disk on fire\""));
    (void)sonde_registry_free(registry);
}

static void the_time_of_the_last_finish_survives(void **state) {
    (void)state;
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    killed_child(host, NULL);
    double last =
        loaded("sonde_operation_last_timestamp_seconds{service=\"cache\",operation=\"lookup\"}");
    assert_true(fabs(last - (double)now.tv_sec) < 60);
}

static void the_next_start_puts_the_old_file_aside(void **state) {
    (void)state;
    killed_child(host, NULL);
    sonde_registry *registry = open_shared();
    assert_true(isnan(loaded("jobs_total")));
    char last[256];
    (void)snprintf(last, sizeof last, "%s.last", shared_path());
    sonde_registry *old = sonde_shared_load(last, NULL, NULL);
    assert_non_null(old);
    assert_true(has_line(old, "jobs_total 41"));
    (void)sonde_registry_free(old);
    (void)sonde_registry_free(registry);
}

/* Prefork: the registry is opened, then workers fork. */

struct worker {
    sonde_registry *registry;
    sonde_counter *counter;
    sonde_gauge *gauge;
    sonde_operation *operation;
    unsigned number;
};

static struct worker prepare(void) {
    struct worker worker = {.registry = open_shared()};
    worker.counter = sonde_counter_new(worker.registry, &jobs, NULL);
    worker.gauge = sonde_gauge_new(worker.registry, &open_connections, NULL);
    worker.operation = sonde_operation_get(sonde_service_get(worker.registry, "web"), "get");
    sonde_counter_add(worker.counter, 1000); /* the forking thread has cells already */
    return worker;
}

static void work(void *ctx) {
    const struct worker *worker = ctx;
    char path[16];
    for (int i = 0; i < 10000; i++)
        sonde_counter_inc(worker->counter);
    sonde_gauge_add(worker->gauge, 2);
    (void)snprintf(path, sizeof path, "/%u", worker->number);
    count_request(worker->registry, path, worker->number + 1);
    count_request(worker->registry, "/all", 1);
    for (int i = 0; i < 5; i++) {
        sonde_tracker tracker = sonde_track_begin(worker->operation);
        sonde_track_complete(&tracker);
    }
    sonde_tracker tracker = sonde_track_begin(worker->operation);
    (void)tracker;
}

#define ACTIVE "sonde_operations_active{service=\"web\",operation=\"get\"}"
#define ABORTED "sonde_operations_total{service=\"web\",operation=\"get\",outcome=\"aborted\"}"

static void workers_count_into_one_set_without_loss(void **state) {
    (void)state;
    enum { WORKERS = 4 };
    struct worker worker = prepare();
    pid_t pids[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++) {
        worker.number = i;
        pids[i] = living_child(work, &worker);
    }
    sonde_counter_inc(worker.counter);
    /* The parent shows series that only its workers have registered. */
    assert_true(has_line(worker.registry, "jobs_total 41001"));
    assert_true(has_line(worker.registry, "requests_total{path=\"/3\",code=\"200\"} 4"));
    assert_true(has_line(worker.registry, "requests_total{path=\"/all\",code=\"200\"} 4"));
    assert_true(has_line(worker.registry, "connections 8"));
    assert_true(has_line(worker.registry, ACTIVE " 4"));
    assert_true(loaded("jobs_total") == 41001);
    kill_child(pids[0]);
    kill_child(pids[1]);
    /* Counts stay; what the dead had in hand goes. */
    assert_true(has_line(worker.registry, "jobs_total 41001"));
    assert_true(has_line(worker.registry, "requests_total{path=\"/0\",code=\"200\"} 1"));
    assert_true(has_line(worker.registry, "connections 4"));
    assert_true(has_line(worker.registry, ACTIVE " 2"));
    assert_true(has_line(worker.registry, ABORTED " 2"));
    kill_child(pids[2]);
    kill_child(pids[3]);
    assert_true(has_line(worker.registry, ABORTED " 4"));
    assert_true(loaded("jobs_total") == 41001);
    (void)sonde_registry_free(worker.registry);
}

static void new_workers_take_the_pages_of_dead_ones(void **state) {
    (void)state;
    struct worker worker = prepare();
    sonde_shared_info before, after;
    killed_child(work, &worker);
    assert_non_null(worker.registry);
    sonde_registry *loaded_once = sonde_shared_load(shared_path(), &before, NULL);
    (void)sonde_registry_free(loaded_once);
    for (unsigned i = 0; i < 20; i++)
        killed_child(work, &worker);
    loaded_once = sonde_shared_load(shared_path(), &after, NULL);
    (void)sonde_registry_free(loaded_once);
    assert_int_equal(after.used_bytes, before.used_bytes);
    assert_true(has_line(worker.registry, "jobs_total 211000"));
    assert_true(has_line(worker.registry, ACTIVE " 0"));
    (void)sonde_registry_free(worker.registry);
}

/* Strangers: processes that open the same name. */

static void stranger(void *ctx) {
    const unsigned *number = ctx;
    sonde_registry *registry = open_shared();
    sonde_counter_add(sonde_counter_new(registry, &jobs, NULL), *number);
    sonde_gauge_set(sonde_gauge_new(registry, &temperature, NULL), *number);
}

static void processes_that_open_a_living_file_join_it(void **state) {
    (void)state;
    unsigned number = 5;
    pid_t first = living_child(stranger, &number);
    number = 6;
    pid_t second = living_child(stranger, &number);
    assert_true(loaded("jobs_total") == 11);
    assert_true(loaded("temperature") == 6);
    kill_child(first);
    sonde_registry *registry = open_shared();
    assert_true(has_line(registry, "jobs_total 11"));
    /* Another shape is refused, as in one process. */
    sonde_error error;
    (void)sonde_gauge_new(registry, &(sonde_metric){.name = "jobs_total"}, &error);
    assert_int_equal(error.status, SONDE_ERR_EXISTS);
    kill_child(second);
    (void)sonde_registry_free(registry);
}

static void add_to_temperature(void *ctx) {
    (void)ctx;
    sonde_gauge_add(sonde_gauge_new(open_shared(), &temperature, NULL), 3);
}

static void a_set_forgets_what_another_process_added(void **state) {
    (void)state;
    sonde_registry *registry = open_shared();
    sonde_gauge *gauge = sonde_gauge_new(registry, &temperature, NULL);
    sonde_gauge_set(gauge, 1);
    pid_t child = living_child(add_to_temperature, NULL);
    assert_true(loaded("temperature") == 4);
    sonde_gauge_set(gauge, 7);
    assert_true(loaded("temperature") == 7);
    kill_child(child);
    (void)sonde_registry_free(registry);
}

static void a_gauge_that_was_loaded_goes_on(void **state) {
    (void)state;
    killed_child(add_to_temperature, NULL);
    sonde_registry *registry = sonde_shared_load(shared_path(), NULL, NULL);
    assert_non_null(registry);
    sonde_gauge *gauge = sonde_gauge_new(registry, &temperature, NULL);
    sonde_gauge_add(gauge, 1);
    assert_true(sonde_gauge_value(gauge) == 4);
    sonde_gauge_set(gauge, 7);
    assert_true(sonde_gauge_value(gauge) == 7);
    (void)sonde_registry_free(registry);
    registry = sonde_shared_load(shared_path(), NULL, NULL);
    gauge = sonde_gauge_new(registry, &temperature, NULL);
    sonde_gauge_set(gauge, 8);
    assert_true(sonde_gauge_value(gauge) == 8);
    (void)sonde_registry_free(registry);
}

static void *count_in_thread(void *ctx) {
    sonde_counter_inc(ctx);
    return NULL;
}

static void threads_of_one_process_use_pages_again(void **state) {
    (void)state;
    sonde_registry *registry = open_shared();
    sonde_counter *counter = sonde_counter_new(registry, &jobs, NULL);
    for (int i = 0; i < 50; i++)
        in_thread(count_in_thread, counter);
    assert_true(has_line(registry, "jobs_total 50"));
    assert_true(registry->cells.shared->header->page_used <= 2);
    (void)sonde_registry_free(registry);
}

static void a_full_file_keeps_totals_under_other(void **state) {
    (void)state;
    sonde_registry *registry = open_small();
    sonde_metric metric = {
        .name = "paths_total", .label_names = label_names, .label_count = 1, .series_max = 1000000};
    sonde_counter_family *family = sonde_counter_family_new(registry, &metric, NULL);
    enum { COUNT = 20000 };
    for (unsigned i = 0; i < COUNT; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "/some/path/%u", i);
        const char *const values[] = {path};
        sonde_counter_inc(sonde_counter_family_get(family, values, 1));
    }
    char *page = page_of(registry);
    double other = value_of(page, "paths_total{path=\"__other__\"}");
    sonde_free(page);
    assert_true(other > 0);
    assert_int_equal((uint64_t)other, sonde_lost_count(registry, SONDE_LOST_SERIES_LIMIT));
    assert_true(loaded("paths_total{path=\"__other__\"}") == other);
    assert_true(loaded("paths_total{path=\"/some/path/0\"}") == 1);
    (void)sonde_registry_free(registry);
}

static void a_full_disk_is_a_counted_loss(void **state) {
    (void)state;
    sonde_registry *registry = open_shared();
    sonde_counter *counter = sonde_counter_new(registry, &jobs, NULL);
    sn_fault_arm(SN_FAULT_TRUNCATE, 1, UINT64_MAX, ENOSPC);
    sonde_counter_inc(counter);
    sonde_counter_inc(counter);
    sn_fault_disarm_all();
#if SN_FAULTS
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_NO_MEMORY), 2);
    /* It is asked again after a while. */
    for (int i = 0; i < 2000; i++)
        sonde_counter_inc(counter);
    assert_true(sonde_counter_value(counter) > 500);
#endif
    (void)sonde_registry_free(registry);
}

static double read_answer(void *ctx) {
    return *(const double *)ctx;
}

/* Nobody can ask the callbacks of another process, or of a dead one: the file has what was read last. */
static void callbacks_are_shown_as_they_were_read_last(void **state) {
    (void)state;
    static const char *const names[] = {"of"};
    const char *values[] = {"life"};
    double answer = 42;
    sonde_registry *registry = open_shared();
    sonde_callback_options options = {
        .metric = {.name = "answer", .label_names = names, .label_count = 1},
        .label_values = values,
        .read = read_answer,
        .ctx = &answer};
    sonde_callback *callback = sonde_callback_new(registry, &options, NULL);
    assert_non_null(callback);
    assert_true(isnan(loaded("answer{of=\"life\"}")));
    assert_true(has_line(registry, "answer{of=\"life\"} 42"));
    answer = 0;
    assert_true(loaded("answer{of=\"life\"}") == 42);
    assert_int_equal(sonde_registry_visit(registry, &(sonde_visitor){.ctx = NULL}), SONDE_OK);
    assert_true(loaded("answer{of=\"life\"}") == 0);

    /* Another process has the family and the series, but nothing to ask. */
    sonde_registry *other = open_shared();
    assert_false(has_line(other, "answer{of=\"life\"} 0"));
    double own = 7;
    options.ctx = &own;
    assert_non_null(sonde_callback_new(other, &options, NULL));
    assert_true(has_line(other, "answer{of=\"life\"} 7"));
    assert_true(has_line(registry, "answer{of=\"life\"} 0"));
    (void)sonde_registry_free(other);

    (void)sonde_callback_free(callback);
    assert_true(isnan(loaded("answer{of=\"life\"}")));
    (void)sonde_registry_free(registry);
}

/* No reader in the program: what instruments hold is in the file all the same. */
static void instruments_are_in_the_file(void **state) {
    (void)state;
    sonde_registry *registry = open_shared();
    sonde_cache *cache = sonde_cache_get(registry, "shop", "prices");
    sonde_cache_hit(cache);
    sonde_cache_set_usage(cache, &(sonde_cache_usage){.entries = 5, .used_bytes = 900});
    sonde_cache_add_entries(cache, 2);
    sonde_cache_add_used_bytes(cache, -400);
    assert_true(loaded("sonde_cache_hits_total{service=\"shop\",cache=\"prices\"}") == 1);
    assert_true(loaded("sonde_cache_entries{service=\"shop\",cache=\"prices\"}") == 7);
    assert_true(loaded("sonde_cache_memory_bytes{service=\"shop\",cache=\"prices\"}") == 500);
    assert_true(loaded("sonde_cache_memory_peak_bytes{service=\"shop\",cache=\"prices\"}") == 900);
    static const char ratio[] =
        "sonde_cache_hit_ratio{service=\"shop\",cache=\"prices\",window=\"start\"}";
    assert_false(isnan(loaded(ratio)));
    struct sn_fake_clock fake;
    sn_fake_clock_init(&fake, INT64_C(5000000000), 1000);
    sn_cache_set_clock((struct sonde_cache *)(void *)cache, &fake.clock);
    sonde_cache_hit(cache);
    assert_true(loaded(ratio) == 1);
    sonde_cache_miss(cache);
    sn_fake_clock_advance_ms(&fake, 1000);
    sonde_cache_hit(cache); /* the second after: as it was before this one */
    assert_true(loaded(ratio) == 2.0 / 3);

    sonde_memory *memory = sonde_memory_get(registry, "shop");
    sonde_memory_alloc(memory, 100);
    sonde_memory_free(memory, 40);
    assert_true(loaded("sonde_memory_bytes{service=\"shop\"}") == 60);
    assert_true(loaded("sonde_memory_peak_bytes{service=\"shop\"}") == 100);

    sonde_encoder *encoder = sonde_encoder_new(registry, "h264", NULL);
    sonde_encoder_frames(encoder, 3);
    sonde_encoder_queue_set(encoder, 4);
    assert_true(loaded("encoder_frames_total{encoder=\"h264\"}") == 3);
    assert_true(loaded("encoder_queue_length{encoder=\"h264\"}") == 4);
    assert_true(loaded("encoder_frames_per_second{encoder=\"h264\"}") == 0);
    (void)sonde_encoder_free(encoder);
    (void)sonde_registry_free(registry);
}

static bool try_everything(uint64_t nth, enum sn_fault_kind kind) {
    sonde_registry_options options = {.shared_file = shared_path(), .shared_bytes = 1 << 20};
    sonde_error error;
    if (kind == SN_FAULT_KIND_COUNT)
        sn_mem_fail_nth(nth);
    else
        sn_fault_arm(kind, nth, 1, EIO);
    sonde_registry *registry = sonde_registry_new(&options, &error);
    if (registry != NULL) {
        sonde_counter_inc(sonde_counter_new(registry, &jobs, NULL));
        count_request(registry, "/x", 1);
        sonde_gauge_set(sonde_gauge_new(registry, &temperature, NULL), 1);
        sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, "a"), "b");
        sonde_tracker tracker = sonde_track_begin(operation);
        sonde_track_fail(&tracker, "x");
    } else {
        assert_int_not_equal(error.status, SONDE_OK);
        assert_true(error.text[0] != '\0');
    }
    bool is_over = kind == SN_FAULT_KIND_COUNT ? !sn_mem_fail_fired() : sn_fault_fired_count() == 0;
    sn_mem_fail_nth(0);
    sn_fault_disarm_all();
    (void)sonde_registry_free(registry);
    return is_over;
}

static void any_failing_call_or_allocation_is_survived(void **state) {
    (void)state;
#if SN_FAULTS
    warm_up();
    assert_true(try_everything(0, SN_FAULT_KIND_COUNT));
    int64_t blocks = sn_mem_block_count();
    uint64_t nth = 1;
    while (!try_everything(nth, SN_FAULT_KIND_COUNT))
        nth++;
    assert_true(nth > 20);
    nth = 1;
    while (!try_everything(nth, SN_FAULT_ANY))
        nth++;
    assert_true(nth > 10);
    assert_int_equal(sn_mem_block_count(), blocks);
#endif
}

static void the_global_registry_is_opened_once(void **state) {
    (void)state;
    sonde_error error;
    sonde_registry_options options = {.shared_file = shared_path()};
    assert_int_equal(sonde_registry_global_init(&options, &error), SONDE_OK);
    assert_int_equal(sonde_registry_global_init(&options, &error), SONDE_ERR_EXISTS);
    assert_non_null(strstr(error.text, "in use already"));
    sonde_counter_add(sonde_counter_new(NULL, &jobs, NULL), 12);
    assert_true(loaded("jobs_total") == 12);
}

static void a_file_that_cannot_be_opened_leaves_a_working_registry(void **state) {
    (void)state;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        sonde_error error;
        sonde_registry_options options = {.shared_file = "/nonexistent/directory/file"};
        bool is_good = sonde_registry_global_init(&options, &error) == SONDE_ERR_NOT_FOUND &&
                       strstr(error.text, "/nonexistent/directory/file") != NULL;
        sonde_counter *counter = sonde_counter_new(NULL, &jobs, NULL);
        sonde_counter_inc(counter);
        leave_child(is_good && sonde_counter_value(counter) == 1 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(a_file_that_cannot_be_opened_leaves_a_working_registry), /* first: global */
        IN_DIRECTORY(a_killed_host_leaves_its_numbers),
        IN_DIRECTORY(the_time_of_the_last_finish_survives),
        IN_DIRECTORY(the_next_start_puts_the_old_file_aside),
        IN_DIRECTORY(workers_count_into_one_set_without_loss),
        IN_DIRECTORY(new_workers_take_the_pages_of_dead_ones),
        IN_DIRECTORY(processes_that_open_a_living_file_join_it),
        IN_DIRECTORY(a_set_forgets_what_another_process_added),
        IN_DIRECTORY(a_gauge_that_was_loaded_goes_on),
        IN_DIRECTORY(threads_of_one_process_use_pages_again),
        IN_DIRECTORY(a_full_file_keeps_totals_under_other),
        IN_DIRECTORY(a_full_disk_is_a_counted_loss),
        IN_DIRECTORY(callbacks_are_shown_as_they_were_read_last),
        IN_DIRECTORY(instruments_are_in_the_file),
        IN_DIRECTORY(any_failing_call_or_allocation_is_survived),
        IN_DIRECTORY(the_global_registry_is_opened_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
