/*
 * Prometheus' own PromQL tests, when they lie beside the source tree: every file passes at least
 * as many cases as the ratchet says.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct ratchet {
    const char *directory;
    const char *file;
    size_t pass_min;
};

/* Raise a number when more passes; never lower one. */
static const struct ratchet ratchets[] = {
    {"float", "aggregators", 74},
    {"float", "at_modifier", 46},
    {"float", "collision", 1},
    {"float", "compliance", 322},
    {"float", "duration_expression", 5},
    {"float", "extended_vectors", 18},
    {"float", "fill-modifier", 1},
    {"float", "functions", 151},
    {"float", "histograms", 50},
    {"float", "literals", 15},
    {"float", "name_label_dropping", 13},
    {"float", "native_histograms", 2},
    {"float", "operators", 85},
    {"float", "range_queries", 8},
    {"float", "selectors", 19},
    {"float", "staleness", 10},
    {"float", "subquery", 19},
    {"float", "trig_functions", 11},
    {"experimental", "aggregators", 1},
    {"experimental", "at_modifier", 1},
    {"experimental", "duration_expression", 31},
    {"experimental", "extended_vectors", 54},
    {"experimental", "fill-modifier", 27},
    {"experimental", "functions", 43},
    {"experimental", "histograms", 6},
    {"experimental", "limit", 1},
    {"experimental", "name_label_dropping", 0},
    {"experimental", "range_queries", 1},
    {"experimental", "type_and_unit", 35},
    {"experimental", "info", 31},
    {"native", "aggregators", 21},
    {"native", "extended_vectors", 29},
    {"native", "functions", 65},
    {"native", "histograms", 55},
    {"native", "info", 1},
    {"native", "limit", 22},
    {"native", "native_histograms", 311},
    {"native", "operators", 43},
    {"native", "range_queries", 1},
    {"native", "subquery", 1},
    {"start-timestamp", "start_timestamps", 16},
};

static bool run_file(const struct ratchet *ratchet, struct promql_counts *total) {
    static const struct sn_parse_options all = {true, true, true, true};
    bool is_experimental = strcmp(ratchet->directory, "float") != 0;
    const char *source = getenv("SONDE_SOURCE");
    struct promql_counts counts = {0};
    char path[4096];
    size_t len;
    (void)snprintf(path, sizeof path, "%s/../shared/conformance/cases/%s/%s.test",
                   source ? source : ".", ratchet->directory, ratchet->file);
    char *text = promql_read_file(path, &len);
    if (text == NULL) {
        return false;
    }
    promql_run(sn_str_make(text, len), ratchet->file, is_experimental ? &all : NULL,
               is_experimental && getenv("PROMQL_VERBOSE") == NULL, &counts);
    free(text);
    print_message("%-13s %-22s %4zu cases, %4zu pass, %3zu with other notes\n", ratchet->directory,
                  ratchet->file, counts.case_count, counts.pass_count, counts.note_count);
    total->case_count += counts.case_count;
    total->pass_count += counts.pass_count;
    total->note_count += counts.note_count;
    assert_true(counts.pass_count >= ratchet->pass_min);
    return true;
}

static void every_file_passes_as_many_cases_as_before(void **state) {
    struct promql_counts total = {0};
    (void)state;
    for (size_t i = 0; i < sizeof ratchets / sizeof *ratchets; i++) {
        if (!run_file(&ratchets[i], &total)) {
            print_message("no conformance cases beside the source tree\n");
            skip();
        }
    }
    print_message("%zu cases, %zu pass, %zu with other notes\n", total.case_count, total.pass_count,
                  total.note_count);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_passes_as_many_cases_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
