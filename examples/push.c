/*
 * Pushing measurements to a Sonde server, from a program that nobody can scrape.
 * Build it with: cc push.c $(pkg-config --cflags --libs sonde)
 *
 *     push URL [JOBS [PAUSE_MS]]   works through some jobs and tells the server
 *     push --self-test             no server: shows that the buffer is bounded and losses counted
 */
#include <sonde/sonde.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a worker might tell about job number i. */
static void tell(sonde_collector *push, unsigned i) {
    const sonde_metadata metadata[] = {{.key = "format", .value = i % 2 == 0 ? "png" : "webp"}};
    sonde_collector_track_operation(push, "resize", 0.001 * i,
                                    i % 10 == 9 ? "unknown colour space" : NULL);
    sonde_collector_track_processing_time(push, "upload", 0.25 * i, metadata, 1);
    sonde_collector_record_success_rate(push, "jobs", i, i + 1);
    sonde_collector_record_queue_depth(push, "inbox", 100 - i % 100, 0.5 * i);
}

static void sleep_ms(long ms) {
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* Nothing listens on port 1: everything waits, and the oldest makes room for the newest. */
static int self_test(void) {
    sonde_collector_options options = {.service = "self-test",
                                       .url = "http://127.0.0.1:1",
                                       .record_max = 100,
                                       .has_metrics = true};
    sonde_collector *push = sonde_collector_new(&options, NULL);
    sonde_collector_stats stats;
    for (unsigned i = 0; i < 1000; i++)
        tell(push, i);
    sonde_collector_read(push, &stats);
    int is_good = push != NULL && stats.submitted == 6000 && stats.queued <= 100 &&
                  stats.queued_bytes <= 4 << 20;
    int is_closed = sonde_collector_close(push, 100);
    sonde_collector_read(push, &stats);
    printf("%llu samples: %llu made room for newer ones, %llu were left at the end (%s)\n",
           (unsigned long long)stats.submitted, (unsigned long long)stats.dropped_overflow,
           (unsigned long long)stats.dropped_closed, stats.last_error);
    is_good = is_good && is_closed && stats.sent == 0 && stats.queued == 0 &&
              sonde_collector_dropped_count(push) == 6000;
    sonde_collector_free(push);
    return is_good ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc < 2 || strcmp(argv[1], "--self-test") == 0)
        return self_test();
    unsigned long job_count = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
    long pause_ms = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    sonde_collector_options options = {.service = "resizer",
                                       .url = argv[1],
                                       .token = getenv("SONDE_TOKEN"),
                                       .flush_interval_ms = 100,
                                       .backoff_min_ms = 50,
                                       .backoff_max_ms = 500};
    sonde_error error;
    sonde_collector *push = sonde_collector_new(&options, &error);
    if (push == NULL) {
        fprintf(stderr, "push: %s\n", error.text);
        return 1;
    }
    /* Totals are counted in a registry and pushed as a whole. */
    sonde_counter *done = sonde_counter_new(NULL, &(sonde_metric){.name = "jobs_done_total"}, NULL);
    sonde_collector_push_registry(push, NULL, 500);
    for (unsigned i = 0; i < job_count; i++) {
        tell(push, i);
        sonde_counter_inc(done);
        if (pause_ms > 0)
            sleep_ms(pause_ms);
    }
    sonde_collector_stats stats;
    bool is_closed = sonde_collector_close(push, 30000);
    sonde_collector_read(push, &stats);
    printf("submitted %llu sent %llu dropped %llu failures %llu last error: %s\n",
           (unsigned long long)stats.submitted, (unsigned long long)stats.sent,
           (unsigned long long)sonde_collector_dropped_count(push),
           (unsigned long long)stats.failures, stats.last_error);
    sonde_collector_free(push);
    return is_closed && stats.sent == stats.submitted ? 0 : 1;
}
