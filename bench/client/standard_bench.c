/*
 * What the one-line calls cost: nanoseconds per call on one thread.
 *
 *     bench_client_standard                   print a table
 *     bench_client_standard --check BUDGETS   fail when a figure is above its budget
 *
 * A figure is the best of many short slices: other programs on the machine only make it worse.
 */
#include "base/clock.h"
#include "sonde/sonde.h"

#include <stdio.h>
#include <string.h>

#define SLICES 60
#define SLICE_OPS 20000

static sonde_standard *standard;
static sonde_http *http;
static sonde_path_rules *rules;
static sonde_encoder *encoder;
static sonde_perf *perf;

static void request_record(unsigned i) {
    sonde_http_request_record_in(standard, "GET", "/users/:id", i % 16 != 0 ? 200 : 404, 0.012);
}

static void request_begin_end(unsigned i) {
    sonde_http_request request;
    sonde_http_begin(&request, http, "GET", "/api/v1/users/123456?x=1");
    sonde_http_end(&request, i % 16 != 0 ? 200 : 500);
}

static void cache_hit(unsigned i) {
    sonde_cache_hit_record_in(standard, i % 2 != 0 ? "sessions" : "pages");
}

static void connections(unsigned i) {
    sonde_active_connections_add_in(standard, i % 2 != 0 ? 1 : -1);
}

static void normalise(const sonde_path_rules *by, unsigned i) {
    static const char *const paths[] = {
        "/users/123",
        "/api/v1/items/7f3a91c2aa/parts",
        "/static/js/main.js?v=12",
        "/u/123e4567-e89b-12d3-a456-426614174000",
    };
    char out[SONDE_PATH_SIZE];
    const char *path = paths[i % 4];
    size_t len = sonde_path_normalise(by, path, strlen(path), out, sizeof out);
    __asm__ volatile("" ::"r"(out), "r"(len) : "memory");
}

static void path_default(unsigned i) {
    normalise(NULL, i);
}

static void path_50_templates(unsigned i) {
    normalise(rules, i);
}

static void encoder_frame(unsigned i) {
    (void)i;
    sonde_encoder_frames(encoder, 1);
}

static void perf_record(unsigned i) {
    sonde_perf_record(perf, &(sonde_perf_run){"operation", "message", i % 1000});
}

static void perf_start_end(unsigned i) {
    (void)i;
    (void)sonde_perf_start(perf, "operation");
    (void)sonde_perf_end(perf, "operation", NULL);
}

static const struct {
    const char *name;
    void (*run)(unsigned i);
} workloads[] = {
    {"client.http_request_record", request_record}, {"client.http_begin_end", request_begin_end},
    {"client.cache_hit_record", cache_hit},         {"client.active_connections_add", connections},
    {"client.path_default", path_default},          {"client.path_50_templates", path_50_templates},
    {"client.encoder_frame", encoder_frame},        {"client.perf_record", perf_record},
    {"client.perf_start_end", perf_start_end},
};

static double measure(void (*run)(unsigned i)) {
    double best = 1e9;
    for (int slice = 0; slice < SLICES; slice++) {
        int64_t begin = sn_clock_mono_ns(sn_clock_system());
        for (unsigned i = 0; i < SLICE_OPS; i++)
            run(i);
        double ns = (double)(sn_clock_mono_ns(sn_clock_system()) - begin) / SLICE_OPS;
        best = ns < best ? ns : best;
    }
    return best;
}

static void make_templates(void) {
    static char texts[50][32];
    static const char *templates[50];
    for (int i = 0; i < 50; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "/service%d/:id", i);
        templates[i] = texts[i];
    }
    rules = sonde_path_rules_new(
        &(sonde_path_options){.templates = templates, .template_count = 50}, NULL);
}

/* The limit of a figure in the file of budgets; 0: none. */
static double budget_of(const char *file, const char *name) {
    char line[256], word[128];
    int whole = 0;
    FILE *in = file != NULL ? fopen(file, "r") : NULL;
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        size_t len = strcspn(line, " ");
        if (len >= sizeof word || strlen(name) != len || memcmp(line, name, len) != 0)
            continue;
        for (const char *c = line + len + 1; *c >= '0' && *c <= '9'; c++)
            whole = whole * 10 + (*c - '0');
    }
    if (in != NULL)
        (void)fclose(in);
    return whole;
}

int main(int argc, char **argv) {
    const char *budgets = argc == 3 && strcmp(argv[1], "--check") == 0 ? argv[2] : NULL;
    int above = 0;
    sonde_registry *registry = sonde_registry_new(NULL, NULL);
    standard = sonde_standard_new(registry);
    http = sonde_http_new(&(sonde_http_options){.registry = registry}, NULL);
    encoder = sonde_encoder_new(registry, "h264", NULL);
    perf = sonde_perf_new(&(sonde_perf_options){.registry = registry}, NULL);
    make_templates();
    for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
        double ns = measure(workloads[i].run);
        double budget = budget_of(budgets, workloads[i].name);
        int is_above = budget > 0 && ns > budget;
        printf("%-32s %8.1f ns%s\n", workloads[i].name, ns, is_above ? "  ABOVE BUDGET" : "");
        above += is_above;
    }
    (void)sonde_perf_free(perf);
    (void)sonde_encoder_free(encoder);
    (void)sonde_http_free(http);
    (void)sonde_standard_free(standard);
    (void)sonde_path_rules_free(rules);
    (void)sonde_registry_free(registry);
    return above > 0 ? 1 : 0;
}
