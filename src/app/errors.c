/*
 * `sonde errors`: groups of errors of a server, listed, resolved, opened again.
 */
#include "app/command.h"
#include "app/remote.h"
#include "codec/json_read.h"
#include "codec/number.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 30000

static const char usage[] = "usage: sonde errors [--app NAME] [--state open|resolved|any] [--json] "
                            "[--url URL] [--token-file FILE]\n"
                            "       sonde errors resolve|reopen ID";

struct errors {
    const char *app;
    const char *state;
    struct sn_remote_options remote;
    const char *verb; /* NULL: list */
    uint64_t id;
    bool is_json;
    bool wants_help;
};

static const char *parse_words(int argc, char **argv, struct errors *errors) {
    if (optind == argc)
        return NULL;
    if (optind + 2 != argc)
        return "expected resolve or reopen and the number of a group";
    errors->verb = argv[optind];
    if (strcmp(errors->verb, "resolve") != 0 && strcmp(errors->verb, "reopen") != 0)
        return "expected resolve or reopen";
    if (sn_uint64_parse(sn_str_from(argv[optind + 1]), &errors->id) != SN_OK)
        return "the number of a group is digits";
    return NULL;
}

/* What is wrong with the command line; NULL: nothing. */
static const char *parse(int argc, char **argv, struct errors *errors) {
    static const struct option known[] = {
        {"app", required_argument, NULL, 'a'},
        {"state", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        SN_REMOTE_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    int letter;
    opterr = 0;
    optind = 0;
    while ((letter = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (letter) {
        case 'a':
            errors->app = optarg;
            break;
        case 's':
            errors->state = optarg;
            break;
        case 'j':
            errors->is_json = true;
            break;
        case 'h':
            errors->wants_help = true;
            return NULL;
        default:
            if (!sn_remote_option(&errors->remote, letter, optarg))
                return "unknown option, or an option without its value";
        }
    }
    return parse_words(argc, argv, errors);
}

/* ---- printing ---- */

/* One group as a line: what people want to see of it. */
struct line {
    int64_t id;
    int64_t count;
    int64_t users;
    struct sn_str app, operation, error_type, state, last_seen, message;
};

static void read_member(struct sn_json_reader *json, struct sn_str key, struct line *line) {
    const struct {
        const char *name;
        struct sn_str *text;
    } texts[] = {
        {"app", &line->app},     {"operation", &line->operation}, {"error_type", &line->error_type},
        {"state", &line->state}, {"last_seen", &line->last_seen}, {"message", &line->message}};
    const struct {
        const char *name;
        int64_t *number;
    } numbers[] = {{"id", &line->id}, {"count", &line->count}, {"users", &line->users}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (sn_str_equal(key, sn_str_from(texts[i].name))) {
            *texts[i].text = sn_json_read_string(json);
            return;
        }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (sn_str_equal(key, sn_str_from(numbers[i].name))) {
            *numbers[i].number = sn_json_read_int64(json);
            return;
        }
    sn_json_read_skip(json);
}

/* Foreign text must not steer a terminal: control characters become blanks. */
static void put_text(struct sn_buf *out, struct sn_str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        sn_buf_put_byte(out, c < 0x20 || c == 0x7f ? ' ' : c);
    }
}

static void print_group(struct sn_json_reader *json, struct sn_buf *out) {
    struct line line = {.id = 0};
    struct sn_str key;
    (void)sn_json_read_object(json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_key(json, &key))
        read_member(json, key, &line);
    sn_buf_printf(out, "%6lld  %-8.*s %8lld x %5lld users  %.*s  ", (long long)line.id,
                  SN_STR_ARG(line.state), (long long)line.count, (long long)line.users,
                  SN_STR_ARG(line.last_seen));
    put_text(out, line.error_type);
    sn_buf_put_text(out, "  ");
    put_text(out, line.app);
    sn_buf_put_byte(out, '/');
    put_text(out, line.operation);
    sn_buf_put_text(out, ": ");
    put_text(out, line.message);
    sn_buf_put_byte(out, '\n');
}

/* A list, or one group after a change. */
static sn_status print_answer(struct sn_str text, bool is_list, struct sn_err *err) {
    struct sn_json_reader json;
    struct sn_arena arena;
    struct sn_buf out;
    struct sn_str key;
    sn_arena_init(&arena, 0);
    sn_buf_init(&out, 0);
    sn_json_read_init(&json, text, &(struct sn_json_options){.arena = &arena});
    if (!is_list) {
        print_group(&json, &out);
    } else {
        (void)sn_json_read_object(&json); /* a failure ends the loop, and finish tells it */
        while (sn_json_read_key(&json, &key)) {
            bool is_errors = sn_str_equal(key, SN_STR("errors")) && sn_json_read_array(&json);
            while (is_errors && sn_json_read_element(&json))
                print_group(&json, &out);
            if (!is_errors)
                sn_json_read_skip(&json);
        }
    }
    sn_status status = sn_json_read_finish(&json, err);
    if (status == SN_OK)
        sn_command_print("%.*s", SN_STR_ARG(sn_buf_str(&out)));
    sn_buf_release(&out);
    sn_arena_release(&arena);
    return status;
}

/* ---- asking ---- */

/* A parameter's text with everything escaped but letters and digits. */
static void put_param(struct sn_buf *path, const char *name, const char *value) {
    sn_buf_printf(path, "&%s=", name);
    for (const char *at = value; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (is_plain)
            sn_buf_put_byte(path, c);
        else
            sn_buf_printf(path, "%%%02x", c);
    }
}

static void put_path(struct sn_buf *path, const struct errors *errors) {
    if (errors->verb != NULL) {
        sn_buf_printf(path, "/api/v1/errors/%llu", (unsigned long long)errors->id);
    } else {
        sn_buf_put_text(path, "/api/v1/errors?limit=1000");
        put_param(path, "state", errors->state != NULL ? errors->state : "open");
        if (errors->app != NULL)
            put_param(path, "app", errors->app);
    }
    sn_buf_put_byte(path, '\0');
}

static int run(const struct errors *errors) {
    struct sn_err err = {.status = SN_OK};
    struct sn_buf path, answer;
    sn_buf_init(&path, 0);
    sn_buf_init(&answer, 0);
    put_path(&path, errors);
    bool is_change = errors->verb != NULL;
    bool is_resolve = is_change && strcmp(errors->verb, "resolve") == 0;
    sn_status status = sn_buf_status(&path, &err);
    int exit_code = sn_exit_of(status);
    if (status == SN_OK) {
        const struct sn_remote_call call = {.path = (const char *)path.ptr,
                                            .method = is_change ? "PATCH" : "GET",
                                            .content_type = is_change ? "application/json" : NULL,
                                            .body = !is_change   ? (struct sn_str){NULL, 0}
                                                    : is_resolve ? SN_STR("{\"resolved\":true}")
                                                                 : SN_STR("{\"resolved\":false}"),
                                            .timeout_ms = TIMEOUT_MS};
        status = sn_remote_ask(&errors->remote, &call, &answer, &exit_code, &err);
    }
    if (status == SN_OK && !errors->is_json) {
        status = print_answer(sn_buf_str(&answer), !is_change, &err);
        exit_code = sn_exit_of(status);
    } else if (status == SN_OK) {
        sn_command_print("%.*s\n", SN_STR_ARG(sn_buf_str(&answer)));
    }
    if (status != SN_OK)
        sn_command_complain("errors", err.text, NULL);
    sn_buf_release(&path);
    sn_buf_release(&answer);
    return exit_code;
}

int sn_command_errors(int argc, char **argv) {
    struct errors errors = {.app = NULL};
    const char *complaint = parse(argc, argv, &errors);
    if (complaint != NULL) {
        sn_command_complain("errors", complaint, usage);
        return SN_EXIT_USAGE;
    }
    if (errors.wants_help) {
        sn_command_print("%s\n\nLists groups of errors, the newest first, or changes one. Needs a "
                         "token of an administrator: a file\nof --token-file, or SONDE_TOKEN; the "
                         "URL may be in SONDE_URL.\n",
                         usage);
        return SN_EXIT_OK;
    }
    return run(&errors);
}
