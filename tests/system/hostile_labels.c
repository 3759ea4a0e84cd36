/*
 * A program whose metrics have every kind of awkward name, value and label. exposition_test.py compiles
 * it against libsonde; it writes one page to its standard output: hostile_labels text|openmetrics|json
 */
#include "sonde/sonde.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

static const char *const hostile[] = {
    "",
    " ",
    "\"",
    "\\",
    "\n",
    "\\n",
    "\"} 1\nforged_total 1\n# EOF\n",
    "a\"b\\c\nd",
    "tab\tcr\rbell\a",
    "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 \xf0\x9f\x8e\x9b",
    "\xff not UTF-8",
    "# HELP x y",
    "{le=\"1\"}",
};
#define HOSTILE_COUNT (sizeof hostile / sizeof hostile[0])

static void make_labels(void) {
    static const char *const names[] = {"a", "job"};
    sonde_metric metric = {.name = "hostile_total",
                           .help = "Back\\slash, \"quotes\",\nline feed.",
                           .label_names = names,
                           .label_count = 2};
    sonde_counter_family *family = sonde_counter_family_new(NULL, &metric, NULL);
    for (size_t i = 0; i < HOSTILE_COUNT; i++)
        sonde_counter_inc(SONDE_COUNTER_AT(family, hostile[i], hostile[HOSTILE_COUNT - 1 - i]));
    static char megabyte[1 << 20];
    memset(megabyte, '"', sizeof megabyte - 1);
    sonde_counter_inc(SONDE_COUNTER_AT(family, megabyte, "x"));
    sonde_counter_inc(SONDE_COUNTER_AT(family, megabyte + sizeof megabyte - 8193, "x"));
}

static void make_values(void) {
    static const double values[] = {
        0, -0.0, 1e-300, 1e300, (double)INFINITY, -(double)INFINITY, (double)NAN};
    static const char *const names[] = {"n"};
    sonde_metric metric = {.name = "values_seconds", .label_names = names, .label_count = 1};
    sonde_gauge_family *family = sonde_gauge_family_new(NULL, &metric, NULL);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char text[] = {(char)('a' + i), '\0'};
        sonde_gauge_set(SONDE_GAUGE_AT(family, text), values[i]);
    }
    static const double bounds[] = {0.5, 1, 10, 1000000, 1e21};
    sonde_metric histogram = {.name = "work_seconds",
                              .unit = "seconds",
                              .help = "",
                              .bounds = bounds,
                              .bound_count = sizeof bounds / sizeof bounds[0]};
    sonde_histogram *work = sonde_histogram_new(NULL, &histogram, NULL);
    for (int i = 0; i < 100; i++)
        sonde_histogram_observe(work, (double)i / 4);
}

/* Names that are different here and the same in OpenMetrics. */
static void make_names(void) {
    (void)sonde_gauge_new(NULL, &(sonde_metric){.name = "jobs"}, NULL);
    (void)sonde_counter_new(NULL, &(sonde_metric){.name = "jobs_total"}, NULL);
    (void)sonde_counter_new(NULL, &(sonde_metric){.name = "x_total_total"}, NULL);
    (void)sonde_counter_new(NULL, &(sonde_metric){.name = "x_total"}, NULL);
    static const char *const names[] = {"version"}, *const values[] = {"\"1\"\n"};
    sonde_metric info = {.name = "jobs_info", .label_names = names, .label_count = 1};
    (void)sonde_info_set(NULL, &info, values, NULL);
}

static void make_operations(void) {
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        sonde_operation *operation =
            sonde_operation_get(sonde_service_get(NULL, hostile[i]), hostile[i]);
        sonde_tracker good = sonde_track_begin(operation), bad = sonde_track_begin(operation);
        sonde_track_complete(&good);
        sonde_failure failure = {hostile[i], hostile[HOSTILE_COUNT - 1 - i]};
        sonde_track_fail_as(&bad, &failure);
    }
    char large[300];
    memset(large, '"', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    sonde_tracker bad = sonde_track_begin(sonde_operation_get(sonde_service_get(NULL, "l"), "l"));
    sonde_track_fail_as(&bad, &(sonde_failure){large, large});
}

int main(int argc, char **argv) {
    make_labels();
    make_values();
    make_names();
    make_operations();
    static const char *const names[] = {"text", "openmetrics", "json"};
    sonde_format format = SONDE_FORMAT_TEXT;
    for (int i = 0; i < 3; i++) {
        if (argc > 1 && strcmp(argv[1], names[i]) == 0)
            format = (sonde_format)i;
    }
    return sonde_registry_write_fd(NULL, format, STDOUT_FILENO) == SONDE_OK ? 0 : 1;
}
