/*
 * Speed of the query front end: parsing, printing, compiling and matching regexes.
 *
 *   bench_query_parse
 *
 * Processor time of this thread, the best of several rounds, because the machine may be busy.
 */
#include "base/arena.h"
#include "query/parser.h"
#include "query/printer.h"
#include "regex/regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 9, REPEATS = 20000 };

static double cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void die(const char *what) {
    fprintf(stderr, "bench: %s\n", what);
    exit(EXIT_FAILURE);
}

static void report(const char *what, double ns) {
    printf("%-72.72s %9.0f ns\n", what, ns);
}

static void bench_parse(const char *query) {
    struct sn_arena arena;
    struct sn_expr expr;
    double best = 1e18;
    sn_arena_init(&arena, 0);
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_ns();
        for (int i = 0; i < REPEATS; i++) {
            sn_arena_reset(&arena);
            if (sn_expr_parse(sn_str_from(query), NULL, &arena, &expr, NULL) != SN_OK) {
                die("a query does not parse");
            }
        }
        double ns = (cpu_ns() - start) / REPEATS;
        best = ns < best ? ns : best;
    }
    report(query, best);
    sn_arena_release(&arena);
}

static void bench_print(const char *query) {
    struct sn_arena arena;
    struct sn_expr expr;
    struct sn_buf buf;
    double best = 1e18;
    sn_arena_init(&arena, 0);
    sn_buf_init(&buf, 0);
    if (sn_expr_parse(sn_str_from(query), NULL, &arena, &expr, NULL) != SN_OK) {
        die("a query does not parse");
    }
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_ns();
        for (int i = 0; i < REPEATS; i++) {
            sn_buf_reset(&buf);
            sn_node_print(expr.root, &buf);
        }
        double ns = (cpu_ns() - start) / REPEATS;
        best = ns < best ? ns : best;
    }
    report(query, best);
    sn_buf_release(&buf);
    sn_arena_release(&arena);
}

static void bench_compile(const char *pattern) {
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_ns();
        for (int i = 0; i < REPEATS / 100; i++) {
            struct sn_regex *regex;
            if (sn_regex_new(sn_str_from(pattern), &regex, NULL) != SN_OK) {
                die("a regex does not compile");
            }
            (void)sn_regex_free(regex);
        }
        double ns = (cpu_ns() - start) / (REPEATS / 100);
        best = ns < best ? ns : best;
    }
    report(pattern, best);
}

static void bench_match(const char *pattern, const char *text) {
    struct sn_regex *regex;
    double best = 1e18;
    int matches = 0;
    if (sn_regex_new(sn_str_from(pattern), &regex, NULL) != SN_OK) {
        die("a regex does not compile");
    }
    struct sn_str subject = sn_str_from(text);
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_ns();
        for (int i = 0; i < REPEATS; i++) {
            __asm__ volatile("" : "+r"(subject.ptr)); /* a new text each time, for the compiler */
            matches += sn_regex_match(regex, subject);
        }
        double ns = (cpu_ns() - start) / REPEATS;
        best = ns < best ? ns : best;
    }
    char what[128];
    (void)snprintf(what, sizeof(what), "%s on %s: %s", pattern, text, matches ? "yes" : "no");
    report(what, best);
    (void)sn_regex_free(regex);
}

int main(void) {
    static const char *const queries[] = {
        "up",
        "sum by (job) (rate(http_requests_total{code=~\"5..\"}[5m]))",
        "histogram_quantile(0.95, sum by (le, route) (rate(http_request_duration_seconds_bucket{"
        "job=\"api\", code!~\"5..|4..\"}[5m])))",
        "100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[5m]))) > 80 and "
        "on (instance) up == 1",
    };
    static const char *const patterns[][2] = {
        {"5..", "503"},
        {"GET|POST|PUT|DELETE|PATCH", "PATCH"},
        {"node-[0-9]", "node-7"},
        {"api-.*", "api-server-17.example.org"},
        {".*prod.*", "cluster-prod-eu-west"},
        {"(?i)prod.*", "Production-eu-west"},
        {"[a-z]+-[0-9]+\\.example\\.(org|com)", "server-17.example.org"},
    };
    printf("parse\n");
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        bench_parse(queries[i]);
    }
    printf("print\n");
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        bench_print(queries[i]);
    }
    printf("compile a regex\n");
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        bench_compile(patterns[i][0]);
    }
    printf("match a regex\n");
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        bench_match(patterns[i][0], patterns[i][1]);
    }
    return EXIT_SUCCESS;
}
