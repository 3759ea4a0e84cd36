/*
 * A program for drift_test.py: how far durations drift from the monotonic clock, over the seconds given,
 * while the thread that measures is sent from one processor to the next.
 * Prints: clock source, seconds by the clock, by one long run, by many short ones, processors used.
 */
#define _GNU_SOURCE
#include <sonde/sonde.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_s(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The next processor that this process may use. */
static int move_on(const cpu_set_t *allowed, int cpu) {
    cpu_set_t one;
    do
        cpu = (cpu + 1) % CPU_SETSIZE;
    while (!CPU_ISSET(cpu, allowed));
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    return cpu;
}

static void run_once(sonde_operation *operation, long ns) {
    const struct timespec pause = {.tv_nsec = ns};
    sonde_tracker run = sonde_track_begin(operation);
    nanosleep(&pause, NULL);
    sonde_track_complete(&run);
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    sonde_service *service = sonde_service_get(NULL, "drift");
    sonde_operation *warm = sonde_operation_get(service, "warm");
    sonde_operation *whole = sonde_operation_get(service, "long");
    sonde_operation *part = sonde_operation_get(service, "short");
    sonde_operation_stats stats;
    cpu_set_t allowed;
    int cpu = -1;
    sched_getaffinity(0, sizeof allowed, &allowed);
    for (int i = 0; i < 30; i++) /* the counter's rate is known after 20 ms */
        run_once(warm, 2000000);
    double begin = now_s(), next_read = begin + 0.2, in_parts = 0;
    sonde_tracker run = sonde_track_begin(whole);
    while (now_s() - begin < seconds) {
        cpu = move_on(&allowed, cpu);
        double from = now_s();
        sonde_tracker one = sonde_track_begin(part);
        cpu = move_on(&allowed, cpu); /* ends on another processor */
        const struct timespec pause = {.tv_nsec = 10000000};
        nanosleep(&pause, NULL);
        sonde_track_complete(&one);
        in_parts += now_s() - from;
        if (now_s() > next_read) { /* a scrape improves the rate */
            char *page = NULL;
            sonde_registry_write_text(NULL, SONDE_FORMAT_TEXT, &page, NULL);
            sonde_free(page);
            next_read = now_s() + seconds / 10;
        }
    }
    sonde_track_complete(&run);
    double elapsed = now_s() - begin;
    sonde_operation_read(whole, &stats);
    double by_long = stats.duration_sum_s;
    sonde_operation_read(part, &stats);
    printf("%s %.9f %.9f %.9f %.9f %d\n", sonde_clock_source(), elapsed, by_long, in_parts,
           stats.duration_sum_s, CPU_COUNT(&allowed));
    return 0;
}
