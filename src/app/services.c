/*
 * `sonde services [NAME]`: services with their rates, errors and durations; with a name, its
 * operations.
 */
#include "app/remote.h"
#include "base/os.h"
#include "codec/json_read.h"
#include "codec/json_write.h"

#include <getopt.h>
#include <math.h>

enum { TIMEOUT_MS = 60000 };

static const char usage[] =
    "usage: sonde services [NAME] [--json] [--url URL] [--token-file FILE]\n"
    "\n"
    "Lists services; with a name, the operations of that service.\n"
    "\n"
    "  --json             the server's answer as it is\n" SN_REMOTE_USAGE "\n"
    "examples:\n"
    "  sonde services\n"
    "  sonde services flux-worker\n"
    "  sonde services --json\n";

/* What one row shows. NaN: unknown. */
struct line {
    struct sn_str name;
    double count, rate, error_rate, active, average_s, p95_s;
};

static double number(struct sn_json_reader *json) {
    return sn_json_read_null_if(json) ? (double)NAN : sn_json_read_double(json);
}

static void read_durations(struct sn_json_reader *json, struct line *line) {
    struct sn_str key;
    if (!sn_json_read_object(json))
        return;
    while (sn_json_read_key(json, &key)) {
        if (sn_str_equal(key, SN_STR("average")))
            line->average_s = number(json);
        else if (sn_str_equal(key, SN_STR("p95")))
            line->p95_s = number(json);
        else
            sn_json_read_skip(json);
    }
}

/* A member of a service or an operation; false: none that is shown. */
static bool read_member(struct sn_json_reader *json, struct sn_str key, struct line *line) {
    const struct {
        struct sn_str name;
        double *value;
    } rows[] = {{SN_STR("count"), &line->count},
                {SN_STR("operations_per_second"), &line->rate},
                {SN_STR("error_rate"), &line->error_rate},
                {SN_STR("active"), &line->active}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (sn_str_equal(key, rows[i].name)) {
            *rows[i].value = number(json);
            return true;
        }
    return false;
}

static void print_seconds(double seconds) {
    if (isnan(seconds))
        sn_command_print(" %10s", "-");
    else if (seconds < 1)
        sn_command_print(" %7.1f ms", seconds * 1e3);
    else
        sn_command_print(" %8.2f s", seconds);
}

static void print_line(const struct line *line) {
    sn_command_print("%-28.*s %12.0f %9.2f/s %7.2f %% %7.0f", SN_STR_ARG(line->name), line->count,
                     line->rate, line->error_rate * 100, line->active);
    print_seconds(line->average_s);
    print_seconds(line->p95_s);
    sn_command_print("\n");
}

static void print_head(const char *what) {
    sn_command_print("%-28s %12s %11s %9s %7s %10s %10s\n", what, "COUNT", "RATE", "ERRORS",
                     "ACTIVE", "AVERAGE", "P95");
}

static void print_operations(struct sn_json_reader *json) {
    struct sn_str key;
    if (!sn_json_read_array(json))
        return;
    print_head("OPERATION");
    while (sn_json_read_element(json)) {
        struct line line = {.average_s = (double)NAN, .p95_s = (double)NAN};
        if (!sn_json_read_object(json))
            return;
        while (sn_json_read_key(json, &key)) {
            if (sn_str_equal(key, SN_STR("operation")))
                line.name = sn_json_read_string(json);
            else if (sn_str_equal(key, SN_STR("duration_seconds")))
                read_durations(json, &line);
            else if (!read_member(json, key, &line))
                sn_json_read_skip(json);
        }
        print_line(&line);
    }
}

/* {"operations":[...]} of one service. */
static void print_service(struct sn_json_reader *json) {
    struct sn_str key;
    if (!sn_json_read_object(json))
        return;
    while (sn_json_read_key(json, &key)) {
        if (sn_str_equal(key, SN_STR("operations")))
            print_operations(json);
        else
            sn_json_read_skip(json);
    }
}

/* {"services":[...]}. Durations are of operations: a service has none of its own. */
static void print_services(struct sn_json_reader *json) {
    struct sn_str key;
    if (!sn_json_read_object(json))
        return;
    print_head("SERVICE");
    while (sn_json_read_key(json, &key)) {
        if (!sn_str_equal(key, SN_STR("services"))) {
            sn_json_read_skip(json);
            continue;
        }
        if (!sn_json_read_array(json))
            return;
        while (sn_json_read_element(json)) {
            struct line line = {.average_s = (double)NAN, .p95_s = (double)NAN};
            if (!sn_json_read_object(json))
                return;
            while (sn_json_read_key(json, &key)) {
                if (sn_str_equal(key, SN_STR("service")))
                    line.name = sn_json_read_string(json);
                else if (!read_member(json, key, &line))
                    sn_json_read_skip(json);
            }
            print_line(&line);
        }
    }
}

static sn_status print_answer(struct sn_str answer, bool is_one, struct sn_err *err) {
    struct sn_json_reader json;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    sn_json_read_init(&json, answer, &(struct sn_json_options){.arena = &arena});
    if (is_one)
        print_service(&json);
    else
        print_services(&json);
    sn_status status = sn_json_read_finish(&json, err);
    sn_arena_release(&arena);
    return status;
}

/* {"service":NAME} */
static sn_status write_args(const char *name, struct sn_buf *buf, struct sn_err *err) {
    struct sn_json_writer json;
    sn_json_write_init(&json, buf, 0);
    sn_json_write_object_begin(&json);
    if (name != NULL)
        sn_json_write_key_string(&json, SN_STR("service"), sn_str_from(name));
    sn_json_write_object_end(&json);
    return sn_json_write_finish(&json, err);
}

static sn_status run(const struct sn_remote_options *remote, const char *name, bool wants_json,
                     int *ret_exit, struct sn_err *err) {
    struct sn_buf args, answer;
    sn_buf_init(&args, 0);
    sn_buf_init(&answer, 0);
    *ret_exit = SN_EXIT_INTERNAL; /* no memory for a line of JSON */
    sn_status status = write_args(name, &args, err);
    const struct sn_remote_call ask = {.path = name != NULL ? "/api/v1/commands/get_service_metrics"
                                                            : "/api/v1/commands/get_all_metrics",
                                       .body = sn_buf_str(&args),
                                       .timeout_ms = TIMEOUT_MS};
    if (status == SN_OK)
        status = sn_remote_ask(remote, &ask, &answer, ret_exit, err);
    if (status == SN_OK && wants_json) {
        sn_buf_put_byte(&answer, '\n');
        (void)sn_os_write_all(1, answer.ptr, answer.len); /* a reader that has gone is no failure */
    } else if (status == SN_OK) {
        status = print_answer(sn_buf_str(&answer), name != NULL, err);
    }
    sn_buf_release(&answer);
    sn_buf_release(&args);
    return status;
}

int sn_command_services(int argc, char **argv) {
    static const struct option options[] = {SN_REMOTE_OPTIONS,
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct sn_remote_options remote = {0};
    struct sn_err err = {0};
    int exit_code = SN_EXIT_OK;
    bool wants_json = false;
    int letter;
    optind = 1;
    while ((letter = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (letter == 'h') {
            sn_command_print("%s", usage);
            return SN_EXIT_OK;
        }
        if (letter == 'j')
            wants_json = true;
        else if (!sn_remote_option(&remote, letter, optarg))
            return SN_EXIT_USAGE; /* getopt has said what is wrong. */
    }
    if (argc - optind > 1) {
        sn_command_complain("services", "expected one name at most", "see: sonde services --help");
        return SN_EXIT_USAGE;
    }
    sn_status status = run(&remote, argv[optind], wants_json, &exit_code, &err);
    if (status != SN_OK)
        sn_command_complain("services", err.text, NULL);
    return exit_code;
}
