/*
 * Structured logging: components, levels, fields, errors, a place that is limited, two sinks.
 * Build it with: cc log.c $(pkg-config --cflags --libs sonde)
 *
 *     log                  readable lines on stderr, JSON lines in shop.log (10 files of 1 MB)
 *     log --self-test      logs to a function and checks what came
 */
#include <sonde/sonde.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What a service might log. */
static void serve(sonde_log *log) {
    sonde_logger *http = sonde_logger_get(log, "shop.http");
    sonde_logger *cache = sonde_logger_get(log, "shop.cache");

    SONDE_LOG_INFO(http, "listening", SONDE_STR("address", "127.0.0.1"), SONDE_U64("port", 8080));
    SONDE_LOG_INFO(http, "request done", SONDE_STR("path", "/users/42"), SONDE_I64("status", 200),
                   SONDE_DURATION("took", 1250000), SONDE_BOOL("cached", true));
    SONDE_LOG_ERROR(http, "request failed", SONDE_STR("path", "/users/43"),
                    SONDE_ERROR("error", "database", "connection refused", ECONNREFUSED));

    /* One component tells more, at run time. */
    SONDE_LOG_DEBUG(cache, "not shown: the level is info");
    sonde_logger_set_level(cache, SONDE_LEVEL_DEBUG);
    SONDE_LOG_DEBUG(cache, "evicted", SONDE_U64("entries", 17));

    /* A thousand times in a loop, at most five lines per second. */
    for (int i = 0; i < 1000; i++)
        SONDE_LOG_EVERY(cache, SONDE_LEVEL_WARN, 5, "cache is full", SONDE_I64("i", i));
}

/* When the program crashes, what still waits in the rings goes to stderr. */
static void on_crash(int signal_number) {
    sonde_log_crash_flush(STDERR_FILENO);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static int count_line(void *ctx, const sonde_log_entry *entry) {
    (void)entry;
    ++*(int *)ctx;
    return 0;
}

static int self_test(void) {
    int count = 0;
    sonde_log_sink sink = {.type = SONDE_SINK_CALLBACK, .write = count_line, .ctx = &count};
    sonde_log *log = sonde_log_open(&(sonde_log_options){.sinks = &sink, .sink_count = 1}, NULL);
    serve(log);
    int is_closed = sonde_log_close(log, 10000);
    int is_good = is_closed && count == 9 && sonde_log_dropped_count(log) == 0;
    sonde_log_free(log);
    return is_good ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--self-test") == 0)
        return self_test();
    sonde_log_sink sinks[] = {
        {.type = SONDE_SINK_STDERR},
        {.type = SONDE_SINK_FILE, .path = "shop.log", .rotate_bytes = 1000000, .rotate_count = 9},
    };
    sonde_log_options options = {
        .name = "shop", .sinks = sinks, .sink_count = 2, .has_metrics = true};
    sonde_error error;
    sonde_log *log = sonde_log_open(&options, &error);
    if (log == NULL) {
        fprintf(stderr, "log: %s\n", error.text);
        return 1;
    }
    signal(SIGSEGV, on_crash);
    serve(log);
    sonde_log_flush(log, 1000);
    sonde_log_free(log);
    return 0;
}
