/*
 * `sonde scrape list`: what a running server scrapes, those that are down first.
 */
#include "app/remote.h"
#include "base/clock.h"
#include "base/os.h"
#include "codec/json_read.h"
#include "codec/timetext.h"

#include <getopt.h>
#include <string.h>

enum { TIMEOUT_MS = 60000 };

static const char usage[] =
    "usage: sonde scrape list [--down] [--json] [--url URL] [--token-file FILE]\n"
    "\n"
    "Lists the targets of scrape_configs: those that are down first, with their last error.\n"
    "\n"
    "  --down             only those that are down; exit code 1 when there are any\n"
    "  --json             the server's answer as it is: all targets\n" SN_REMOTE_USAGE "\n"
    "examples:\n"
    "  sonde scrape list\n"
    "  sonde scrape list --down\n"
    "  sonde scrape list --json | jq '.data.droppedTargetCounts'\n";

/* What one row shows. */
struct target {
    struct sn_str pool, url, health, last_error, last_scrape;
    double duration_s;
};

struct target_table {
    struct target *items; /* of the arena */
    size_t count, capacity;
    bool is_out_of_memory;
};

static bool is_down(const struct target *target) {
    return sn_str_equal(target->health, SN_STR("down"));
}

static void read_target(struct sn_json_reader *json, struct target *target) {
    const struct {
        struct sn_str name;
        struct sn_str *text;
    } rows[] = {{SN_STR("scrapePool"), &target->pool},
                {SN_STR("scrapeUrl"), &target->url},
                {SN_STR("health"), &target->health},
                {SN_STR("lastError"), &target->last_error},
                {SN_STR("lastScrape"), &target->last_scrape}};
    struct sn_str key;
    if (!sn_json_read_object(json))
        return;
    while (sn_json_read_key(json, &key)) {
        size_t i = 0;
        while (i < sizeof rows / sizeof rows[0] && !sn_str_equal(key, rows[i].name))
            i++;
        if (i < sizeof rows / sizeof rows[0])
            *rows[i].text = sn_json_read_string(json);
        else if (sn_str_equal(key, SN_STR("lastScrapeDuration")))
            target->duration_s = sn_json_read_double(json);
        else
            sn_json_read_skip(json);
    }
}

static void read_targets(struct sn_json_reader *json, struct sn_arena *arena,
                         struct target_table *table) {
    if (!sn_json_read_array(json))
        return;
    while (sn_json_read_element(json)) {
        struct target target = {.duration_s = 0};
        read_target(json, &target);
        if (sn_arena_grow(arena, &table->items, table->count, &table->capacity, sizeof target,
                          NULL) == SN_OK)
            table->items[table->count++] = target;
        else
            table->is_out_of_memory = true;
    }
}

/* {"data":{"activeTargets":[...]}} */
static sn_status read_answer(struct sn_str answer, struct sn_arena *arena,
                             struct target_table *table, struct sn_err *err) {
    struct sn_json_reader json;
    struct sn_str key;
    sn_json_read_init(&json, answer, &(struct sn_json_options){.arena = arena});
    (void)sn_json_read_object(&json); /* the reader remembers a failure */
    while (sn_json_read_key(&json, &key)) {
        if (!sn_str_equal(key, SN_STR("data"))) {
            sn_json_read_skip(&json);
            continue;
        }
        (void)sn_json_read_object(&json); /* the same */
        while (sn_json_read_key(&json, &key))
            if (sn_str_equal(key, SN_STR("activeTargets")))
                read_targets(&json, arena, table);
            else
                sn_json_read_skip(&json);
    }
    SN_TRY(sn_json_read_finish(&json, err));
    return table->is_out_of_memory ? sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the targets")
                                   : SN_OK;
}

static void print_target(const struct target *target, int64_t now_ms) {
    int64_t last_ms = 0;
    sn_command_print("%-8.*s %-24.*s %-44.*s", SN_STR_ARG(target->health), SN_STR_ARG(target->pool),
                     SN_STR_ARG(target->url));
    /* The year 1: never. */
    if (sn_time_parse_ms(target->last_scrape, &last_ms, NULL) != SN_OK || last_ms <= 0)
        sn_command_print(" %11s %10s", "never", "-");
    else
        sn_command_print(" %7.1f ago %7.1f ms", (double)(now_ms - last_ms) / 1e3,
                         target->duration_s * 1e3);
    sn_command_print("  %.*s\n", SN_STR_ARG(target->last_error));
}

static void print_group(const struct target_table *table, bool wants_down) {
    int64_t now_ms = sn_clock_wall_ms(sn_clock_system());
    for (size_t i = 0; i < table->count; i++)
        if (is_down(&table->items[i]) == wants_down)
            print_target(&table->items[i], now_ms);
}

static size_t count_down(const struct target_table *table) {
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++)
        count += is_down(&table->items[i]);
    return count;
}

/* Returns the exit code. */
static int print_table(const struct target_table *table, bool wants_down) {
    size_t down_count = count_down(table);
    if (table->count > 0)
        sn_command_print("%-8s %-24s %-44s %11s %10s  %s\n", "HEALTH", "JOB", "URL", "SECONDS",
                         "DURATION", "ERROR");
    print_group(table, true);
    if (!wants_down)
        print_group(table, false);
    sn_command_print("%zu targets, %zu down\n", table->count, down_count);
    return wants_down && down_count > 0 ? SN_EXIT_FAILED : SN_EXIT_OK;
}

static sn_status run(const struct sn_remote_options *remote, bool wants_down, bool wants_json,
                     int *ret_exit, struct sn_err *err) {
    const struct sn_remote_call ask = {
        .path = "/api/v1/targets", .method = "GET", .timeout_ms = TIMEOUT_MS};
    struct target_table table = {.items = NULL};
    struct sn_arena arena;
    struct sn_buf answer;
    sn_arena_init(&arena, 0);
    sn_buf_init(&answer, 0);
    sn_status status = sn_remote_ask(remote, &ask, &answer, ret_exit, err);
    if (status == SN_OK && (!wants_json || wants_down)) {
        status = read_answer(sn_buf_str(&answer), &arena, &table, err);
        *ret_exit = status == SN_OK ? SN_EXIT_OK : sn_exit_of(status);
    }
    if (status == SN_OK && wants_json) {
        sn_buf_put_byte(&answer, '\n');
        (void)sn_os_write_all(1, answer.ptr, answer.len); /* a reader that has gone is no failure */
        *ret_exit = wants_down && count_down(&table) > 0 ? SN_EXIT_FAILED : SN_EXIT_OK;
    } else if (status == SN_OK) {
        *ret_exit = print_table(&table, wants_down);
    }
    sn_buf_release(&answer);
    sn_arena_release(&arena);
    return status;
}

int sn_command_scrape(int argc, char **argv) {
    static const struct option options[] = {SN_REMOTE_OPTIONS,
                                            {"down", no_argument, NULL, 'd'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct sn_remote_options remote = {0};
    struct sn_err err = {0};
    int exit_code = SN_EXIT_OK;
    bool wants_down = false, wants_json = false;
    int letter;
    optind = 1;
    while ((letter = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (letter == 'h') {
            sn_command_print("%s", usage);
            return SN_EXIT_OK;
        }
        if (letter == 'j')
            wants_json = true;
        else if (letter == 'd')
            wants_down = true;
        else if (!sn_remote_option(&remote, letter, optarg))
            return SN_EXIT_USAGE; /* getopt has said what is wrong. */
    }
    if (argc - optind != 1 || strcmp(argv[optind], "list") != 0) {
        sn_command_complain("scrape", "expected \"list\"", "see: sonde scrape --help");
        return SN_EXIT_USAGE;
    }
    if (run(&remote, wants_down, wants_json, &exit_code, &err) != SN_OK)
        sn_command_complain("scrape", err.text, NULL);
    return exit_code;
}
