/*
 * What recording costs: nanoseconds per operation on one metric by one and by two threads, and
 * milliseconds per page of 100,000 and 1,000,000 lines, once with all values as they were and once
 * (page_changed) right after every one of them changed.
 *
 *     bench_client_record                     print a table
 *     bench_client_record --check BUDGETS     fail when a figure is above its budget
 *     bench_client_record --only NAME         one workload, "scrape" or "pages"
 *
 * A figure is the best of many short slices: other programs on the machine, and other machines on
 * its processor, only ever make it worse. For the same reason a figure above its budget is measured
 * again, up to ROUNDS_MAX times with pauses between: what it costs is what it costs undisturbed.
 * Inputs are drawn before the clock starts.
 */
#include "base/clock.h"
#include "base/rng.h"
#include "base/str.h"
#include "codec/number.h"
#include "sonde/sonde.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define INPUTS 65536u
#define CHILDREN 750u
#define SLICE_OPS 262144
#define SLICES 30
#define THREADS_MAX 2
#define BARRIER() __asm__ volatile("" ::: "memory")
#define PAGE_ROUNDS 7
#define CHANGED_ROUNDS 3
#define ROUNDS_MAX 60
#define ROUND_PAUSE_US 200000

static double seconds[INPUTS];    /* log-uniform, 0.5 ms to 10 s */
static uint16_t children[INPUTS]; /* which of the 750 */
static char paths[50][32];
static const char *const methods[3] = {"GET", "POST", "DELETE"};
static const char *const codes[5] = {"200", "201", "404", "500", "503"};

static sonde_counter *counter;
static sonde_gauge *set_gauge, *added_gauge, *mixed_gauge;
static sonde_histogram *histogram;
static sonde_native_histogram *native;
static sonde_operation *operation;
static sonde_counter_family *requests;

static void draw_inputs(void) {
    struct sn_rng rng;
    sn_rng_init(&rng, 12345);
    for (unsigned i = 0; i < INPUTS; i++) {
        seconds[i] = 0.0005 * pow(20000.0, sn_rng_unit(&rng));
        children[i] = (uint16_t)sn_rng_below(&rng, CHILDREN);
    }
    for (unsigned i = 0; i < 50; i++)
        (void)snprintf(paths[i], sizeof paths[i], "/api/v1/users/%02u/items", i);
}

static void make_metrics(void) {
    static const char *const labels[] = {"method", "path", "status"};
    counter = sonde_counter_new(NULL, &(sonde_metric){.name = "bench_total"}, NULL);
    set_gauge = sonde_gauge_new(NULL, &(sonde_metric){.name = "bench_set"}, NULL);
    added_gauge = sonde_gauge_new(NULL, &(sonde_metric){.name = "bench_added"}, NULL);
    mixed_gauge = sonde_gauge_new(NULL, &(sonde_metric){.name = "bench_mixed"}, NULL);
    histogram = sonde_histogram_new(NULL, &(sonde_metric){.name = "bench_seconds"}, NULL);
    native = sonde_native_histogram_new(NULL, &(sonde_metric){.name = "bench_native"}, NULL);
    operation = sonde_operation_get(sonde_service_get(NULL, "bench"), "run");
    requests = sonde_counter_family_new(
        NULL,
        &(sonde_metric){.name = "bench_requests_total", .label_names = labels, .label_count = 3},
        NULL);
    sonde_gauge_add(mixed_gauge, 1);
    sonde_gauge_set(mixed_gauge, 1);
}

/* Workloads: n operations, inputs from `at` on. */

static void counter_inc(unsigned at, unsigned n) {
    (void)at;
    sonde_counter *const handle = counter;
    for (unsigned i = 0; i < n; i++) {
        sonde_counter_inc(handle);
        BARRIER();
    }
}

static void counter_inc_call(unsigned at, unsigned n) {
    (void)at;
    sonde_counter *const handle = counter;
    for (unsigned i = 0; i < n; i++)
        sonde_counter_inc_call(handle);
}

static void gauge_set(unsigned at, unsigned n) {
    sonde_gauge *const handle = set_gauge;
    for (unsigned i = 0; i < n; i++) {
        sonde_gauge_set(handle, seconds[(at + i) % INPUTS]);
        BARRIER();
    }
}

static void gauge_add(unsigned at, unsigned n) {
    sonde_gauge *const handle = added_gauge;
    for (unsigned i = 0; i < n; i++) {
        sonde_gauge_add(handle, (int64_t)(at & 1));
        BARRIER();
    }
}

static void gauge_mixed_add(unsigned at, unsigned n) {
    sonde_gauge *const handle = mixed_gauge;
    for (unsigned i = 0; i < n; i++) {
        sonde_gauge_add(handle, (int64_t)(at & 1));
        BARRIER();
    }
}

static void histogram_observe(unsigned at, unsigned n) {
    sonde_histogram *const handle = histogram;
    for (unsigned i = 0; i < n; i++) {
        sonde_histogram_observe(handle, seconds[(at + i) % INPUTS]);
        BARRIER();
    }
}

static void histogram_observe_call(unsigned at, unsigned n) {
    sonde_histogram *const handle = histogram;
    for (unsigned i = 0; i < n; i++)
        sonde_histogram_observe_call(handle, seconds[(at + i) % INPUTS]);
}

static void native_observe(unsigned at, unsigned n) {
    sonde_native_histogram *const handle = native;
    for (unsigned i = 0; i < n; i++) {
        sonde_native_histogram_observe(handle, seconds[(at + i) % INPUTS]);
        BARRIER();
    }
}

static void labels_random(unsigned at, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        unsigned child = children[(at + i) % INPUTS];
        const char *const values[] = {methods[child % 3], paths[child / 3 % 50],
                                      codes[child / 150]};
        sonde_counter_inc(sonde_counter_family_get(requests, values, 3));
        BARRIER();
    }
}

static void labels_cached(unsigned at, unsigned n) {
    const char *const path = paths[at % 50];
    for (unsigned i = 0; i < n; i++) {
        sonde_counter_inc(SONDE_COUNTER_AT(requests, "GET", path, "200"));
        BARRIER();
    }
}

static void operation_tracked(unsigned at, unsigned n) {
    sonde_operation *const handle = operation;
    for (unsigned i = 0; i < n; i++) {
        sonde_tracker tracker = sonde_track_begin(handle);
        bool is_bad = children[(at + i) % INPUTS] < 8;
        sonde_track_end(&tracker, is_bad ? SONDE_OUTCOME_ERROR : SONDE_OUTCOME_OK);
        BARRIER();
    }
}

static const struct workload {
    const char *name;
    void (*run)(unsigned at, unsigned n);
} workloads[] = {
    {"counter_inc", counter_inc},
    {"counter_inc_call", counter_inc_call},
    {"gauge_set", gauge_set},
    {"gauge_add", gauge_add},
    {"gauge_mixed_add", gauge_mixed_add},
    {"histogram_observe", histogram_observe},
    {"histogram_observe_call", histogram_observe_call},
    {"native_observe", native_observe},
    {"labels_cached", labels_cached},
    {"labels_random", labels_random},
    {"operation_tracked", operation_tracked},
};

/* Measuring. */

struct runner {
    const struct workload *workload;
    pthread_barrier_t *start;
    double best_ns;
};

static void *run_slices(void *ctx) {
    struct runner *runner = ctx;
    const struct sn_clock *clock = sn_clock_system();
    runner->best_ns = 1e18;
    for (unsigned slice = 0; slice < SLICES; slice++) {
        (void)pthread_barrier_wait(runner->start);
        int64_t from = sn_clock_mono_ns(clock);
        runner->workload->run(slice * 977, SLICE_OPS);
        double ns = (double)(sn_clock_mono_ns(clock) - from) / SLICE_OPS;
        if (ns < runner->best_ns)
            runner->best_ns = ns;
    }
    return NULL;
}

/* Nanoseconds of processor time of the whole process. */
static double cpu_ns(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Mean over the threads of each one's best slice, all running at once. */
static double measure(const struct workload *workload, unsigned thread_count) {
    pthread_barrier_t start;
    pthread_t threads[THREADS_MAX];
    struct runner runners[THREADS_MAX];
    (void)pthread_barrier_init(&start, NULL, thread_count);
    for (unsigned i = 0; i < thread_count; i++) {
        runners[i] = (struct runner){workload, &start, 0};
        if (pthread_create(&threads[i], NULL, run_slices, &runners[i]) != 0)
            abort();
    }
    double sum = 0;
    for (unsigned i = 0; i < thread_count; i++) {
        (void)pthread_join(threads[i], NULL);
        sum += runners[i].best_ns;
    }
    (void)pthread_barrier_destroy(&start);
    return sum / thread_count;
}

/* Budgets: lines of "NAME LIMIT", # comments. A figure without a line has no limit. */

static const char *budget_file;
static unsigned above_budget;

/* Text of the limit of `name`, or NULL. */
static const char *find_budget(const char *name, char *line, size_t size) {
    FILE *file = fopen(budget_file, "r");
    if (file == NULL) {
        fprintf(stderr, "cannot open %s\n", budget_file);
        exit(2);
    }
    const char *found = NULL;
    while (found == NULL && fgets(line, (int)size, file) != NULL) {
        struct sn_str key, limit;
        (void)sn_str_cut(sn_str_trim(sn_str_from(line)), ' ', &key, &limit);
        if (sn_str_equal(key, sn_str_from(name)))
            found = limit.ptr;
    }
    (void)fclose(file);
    return found;
}

static double limit_of(const char *name) {
    char line[256];
    const char *limit_text = budget_file != NULL ? find_budget(name, line, sizeof line) : NULL;
    double limit = (double)INFINITY;
    if (limit_text != NULL &&
        sn_double_parse(sn_str_trim(sn_str_from(limit_text)), &limit) != SN_OK) {
        fprintf(stderr, "%s: \"%s\" is not a limit\n", name, limit_text);
        exit(2);
    }
    return limit;
}

static void report(const char *name, double figure, const char *unit, unsigned rounds) {
    bool is_above = figure > limit_of(name);
    printf("%-44s %9.2f %s", name, figure, unit);
    if (rounds > 1)
        printf(", best of %u rounds", rounds);
    printf("%s\n", is_above ? "  ABOVE ITS BUDGET" : "");
    above_budget += is_above;
}

/* Whether a figure may be measured once more; counts the rounds and rests before the next. */
static bool is_worth_another(double figure, double limit, unsigned *rounds) {
    if (figure <= limit || *rounds == ROUNDS_MAX)
        return false;
    (void)usleep(ROUND_PAUSE_US);
    ++*rounds;
    return true;
}

/* What a scrape costs the threads that record meanwhile: their processor time, so that it does not
 * matter how many processors there are. */

enum { HAMMER_OPS = 3000000, HAMMER_ROUNDS = 4 };

static _Atomic bool is_hammering;

static int swallow(void *ctx, const char *bytes, size_t len) {
    (void)ctx;
    (void)bytes;
    (void)len;
    return 0;
}

static void *scrape_all_the_time(void *ctx) {
    (void)ctx;
    while (atomic_load(&is_hammering))
        (void)sonde_registry_write(NULL, SONDE_FORMAT_TEXT, swallow, NULL);
    return NULL;
}

static void *hammer(void *ctx) {
    struct timespec time;
    for (unsigned at = 0; at < HAMMER_OPS; at += 3000) {
        counter_inc(at, 1000);
        labels_random(at, 1000);
        histogram_observe(at, 1000);
    }
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    *(double *)ctx = (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
    return NULL;
}

/* Nanoseconds per record of two threads. */
static double hammer_twice(bool is_scraped) {
    pthread_t threads[2], scraper;
    double ns[2];
    atomic_store(&is_hammering, is_scraped);
    if (is_scraped && pthread_create(&scraper, NULL, scrape_all_the_time, NULL) != 0)
        abort();
    for (int i = 0; i < 2; i++) {
        if (pthread_create(&threads[i], NULL, hammer, &ns[i]) != 0)
            abort();
    }
    for (int i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
    atomic_store(&is_hammering, false);
    if (is_scraped)
        (void)pthread_join(scraper, NULL);
    return (ns[0] + ns[1]) / 2 / HAMMER_OPS;
}

struct scrape_figures {
    double quiet_ns; /* best */
    double scraped_ns;
};

static void hammer_rounds(struct scrape_figures *figures) {
    for (int i = 0; i < HAMMER_ROUNDS; i++) {
        figures->quiet_ns = fmin(figures->quiet_ns, hammer_twice(false));
        figures->scraped_ns = fmin(figures->scraped_ns, hammer_twice(true));
    }
}

static double loss_of(const struct scrape_figures *figures) {
    return 100 * (figures->scraped_ns / figures->quiet_ns - 1);
}

static void bench_scrape(void) {
    static const char name[] = "client.scrape_loss";
    struct scrape_figures figures = {1e18, 1e18};
    unsigned rounds = 1;
    hammer_rounds(&figures);
    while (is_worth_another(loss_of(&figures), limit_of(name), &rounds))
        hammer_rounds(&figures);
    report(name, loss_of(&figures), "%", rounds);
}

/* Pages. */

static int count_bytes(void *ctx, const char *bytes, size_t len) {
    (void)bytes;
    *(size_t *)ctx += len;
    return 0;
}

static void fill_counters(sonde_registry *registry, unsigned family, size_t count) {
    static const char *const labels[] = {"method", "path", "status"};
    char name[64], path[64];
    (void)snprintf(name, sizeof name, "app_requests_%u_total", family);
    sonde_metric metric = {
        .name = name, .help = "Requests.", .label_names = labels, .label_count = 3};
    sonde_counter_family *counters = sonde_counter_family_new(registry, &metric, NULL);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(path, sizeof path, "/api/v1/items/%06zu", i);
        const char *const values[] = {methods[i % 3], path, codes[i % 5]};
        sonde_counter_add(sonde_counter_family_get(counters, values, 3), children[i % INPUTS]);
    }
}

static void fill_histograms(sonde_registry *registry, unsigned family, size_t count) {
    static const char *const labels[] = {"method", "path"};
    char name[64], path[64];
    (void)snprintf(name, sizeof name, "app_latency_%u_seconds", family);
    sonde_metric metric = {
        .name = name, .help = "Latency.", .label_names = labels, .label_count = 2};
    sonde_histogram_family *all = sonde_histogram_family_new(registry, &metric, NULL);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(path, sizeof path, "/api/v1/items/%06zu", i);
        const char *const values[] = {methods[i % 3], path};
        sonde_histogram *one = sonde_histogram_family_get(all, values, 2);
        for (size_t k = 0; k < 20; k++)
            sonde_histogram_observe(one, seconds[(i * 20 + k) % INPUTS]);
    }
}

static long resident_bytes(void) {
    unsigned long total = 0, resident = 0;
    char text[128] = "";
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL) {
        if (fgets(text, sizeof text, file) != NULL) {
            char *end;
            total = strtoul(text, &end, 10);
            resident = strtoul(end, NULL, 10);
        }
        (void)fclose(file);
    }
    (void)total;
    return (long)resident * sysconf(_SC_PAGESIZE);
}

/* Half counters, half lines of histograms (14 each), in 20 families. A second time: all change. */
static void fill(sonde_registry *registry, size_t lines) {
    for (unsigned family = 0; family < 10; family++) {
        fill_counters(registry, family, lines / 20);
        fill_histograms(registry, family, lines / 280);
    }
}

static double write_page(sonde_registry *registry, size_t *ret_bytes) {
    *ret_bytes = 0;
    int64_t from = sn_clock_mono_ns(sn_clock_system());
    if (sonde_registry_write(registry, SONDE_FORMAT_TEXT, count_bytes, ret_bytes) != SONDE_OK)
        abort();
    return (double)(sn_clock_mono_ns(sn_clock_system()) - from) / 1e6;
}

/* changed_lines: so many values change before each page; 0: none. */
static double best_page_ms(sonde_registry *registry, size_t changed_lines, unsigned pages,
                           size_t *ret_bytes) {
    double best = 1e18;
    for (unsigned i = 0; i < pages; i++) {
        if (changed_lines > 0)
            fill(registry, changed_lines);
        best = fmin(best, write_page(registry, ret_bytes));
    }
    return best;
}

static void bench_page(size_t lines) {
    char unchanged[64], changed[64], held[64];
    (void)snprintf(unchanged, sizeof unchanged, "client.page.%zu_lines", lines);
    (void)snprintf(changed, sizeof changed, "client.page_changed.%zu_lines", lines);
    (void)snprintf(held, sizeof held, "client.held.%zu_lines", lines);
    sonde_registry_options options = {.family_series_max = lines, .series_max = lines};
    sonde_registry *registry = sonde_registry_new(&options, NULL);
    long before = resident_bytes();
    fill(registry, lines);
    double bytes_per_line = (double)(resident_bytes() - before) / (double)lines;

    size_t bytes = 0;
    unsigned rounds = 1;
    double ms = best_page_ms(registry, 0, PAGE_ROUNDS, &bytes);
    printf("page of %zu lines: %zu bytes\n", lines, bytes);
    while (is_worth_another(ms, limit_of(unchanged), &rounds))
        ms = fmin(ms, best_page_ms(registry, 0, PAGE_ROUNDS, &bytes));
    report(unchanged, ms, "ms", rounds);

    rounds = 1;
    ms = best_page_ms(registry, lines, CHANGED_ROUNDS, &bytes);
    while (is_worth_another(ms, limit_of(changed), &rounds))
        ms = fmin(ms, best_page_ms(registry, lines, CHANGED_ROUNDS, &bytes));
    report(changed, ms, "ms", rounds);

    report(held, bytes_per_line, "bytes per line", 1);
    (void)sonde_registry_free(registry);
}

static void bench_record(const struct workload *workload, unsigned threads) {
    char name[64];
    (void)snprintf(name, sizeof name, "client.%s.%u_thread", workload->name, threads);
    unsigned rounds = 1;
    double cpu = cpu_ns();
    double best = measure(workload, threads);
    while (is_worth_another(best, limit_of(name), &rounds))
        best = fmin(best, measure(workload, threads));
    report(name, best, "ns", rounds);
    /* All of it, not the best: with two threads on one metric, what they cost each other.
     * Compared with other libraries by peers.py; busy machines make it larger. */
    (void)snprintf(name, sizeof name, "client.%s.%u_thread_cpu", workload->name, threads);
    report(name, (cpu_ns() - cpu) / ((double)rounds * threads * SLICES * SLICE_OPS), "ns", 1);
}

static void bench_records(const char *only) {
    for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
        if (only != NULL && strcmp(only, workloads[i].name) != 0)
            continue;
        for (unsigned threads = 1; threads <= THREADS_MAX; threads++)
            bench_record(&workloads[i], threads);
    }
}

static void bench_pages(void) {
    bench_page(100000);
    bench_page(1000000);
}

int main(int argc, char **argv) {
    const char *only = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--check") == 0)
            budget_file = argv[i + 1];
        else if (strcmp(argv[i], "--only") == 0)
            only = argv[i + 1];
    }
    draw_inputs();
    make_metrics();
    /* The processor's counter is ready after 20 ms of use. */
    int64_t until = sn_clock_mono_ns(sn_clock_system()) + 50000000;
    while (sn_clock_mono_ns(sn_clock_system()) < until)
        operation_tracked(0, 1);
    printf("clock: %s\n", sonde_clock_source());
    bench_records(only);
    if (only == NULL || strcmp(only, "scrape") == 0)
        bench_scrape();
    if (only == NULL || strcmp(only, "pages") == 0)
        bench_pages();
    return above_budget > 0 ? 1 : 0;
}
