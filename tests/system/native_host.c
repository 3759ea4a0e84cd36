/*
 * A program with a native histogram, an operation and an exporter, for native_scrape_test.py and
 * birth_test.py: prints its port, then lives until its input ends. Each line of input is counted: the
 * first one makes the counter. With the address of a server it pushes its metrics there as well.
 */
#include <sonde/http_exporter.h>
#include <sonde/push.h>
#include <sonde/sonde.h>

#include <stdio.h>

static void count_line(void) {
    static const char *const labels[] = {"kind"};
    const char *const values[] = {"late"};
    sonde_metric metric = {.name = "births_total", .label_names = labels, .label_count = 1};
    sonde_counter_family *births = sonde_counter_family_new(NULL, &metric, NULL);
    sonde_counter_inc(sonde_counter_family_get(births, values, 1));
}

static sonde_collector *push_to(const char *url) {
    sonde_collector_options options = {.service = "host", .url = url, .flush_interval_ms = 50};
    sonde_collector *push = sonde_collector_new(&options, NULL);
    sonde_collector_push_registry(push, NULL, 100);
    return push;
}

int main(int argc, char **argv) {
    sonde_collector *push = argc > 1 ? push_to(argv[1]) : NULL;
    sonde_http_exporter_options options = {.address = "127.0.0.1:0"};
    sonde_http_exporter *exporter = sonde_http_exporter_start(&options, NULL);
    sonde_metric metric = {.name = "frame_seconds", .help = "Duration of a frame."};
    sonde_native_histogram *frames = sonde_native_histogram_new(NULL, &metric, NULL);
    sonde_counter *jobs = sonde_counter_new(NULL, &(sonde_metric){.name = "jobs_total"}, NULL);
    for (int i = 1; i <= 1000; i++)
        sonde_native_histogram_observe(frames, i / 1000.0);
    sonde_native_histogram_observe(frames, 0);
    sonde_native_histogram_observe(frames, 1e9);
    sonde_counter_add(jobs, 42);
    sonde_tracker tracker =
        sonde_track_begin(sonde_operation_get(sonde_service_get(NULL, "video"), "render"));
    sonde_track_fail(&tracker, "no ink");
    printf("%u\n", sonde_http_exporter_port(exporter));
    fflush(stdout);
    for (int c; (c = getchar()) != EOF;) {
        if (c == '\n')
            count_line();
    }
    sonde_http_exporter_stop(exporter);
    sonde_collector_free(push);
    return 0;
}
