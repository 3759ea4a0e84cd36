/*
 * `sonde push FILE`: records or events of a JSON file (or of stdin) to a server.
 */
#include "app/command.h"
#include "app/remote.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>

#define TIMEOUT_MS 30000
#define FILE_BYTES_MAX ((size_t)32 << 20) /* the body that a server takes by default */

static const char usage[] = "usage: sonde push [--events] [--url URL] [--token-file FILE] FILE";

struct push {
    const char *path;
    struct sn_remote_options remote;
    bool is_events;
    bool wants_help;
};

/* What is wrong with the command line; NULL: nothing. */
static const char *parse(int argc, char **argv, struct push *ret_push) {
    static const struct option known[] = {
        {"events", no_argument, NULL, 'e'},
        SN_REMOTE_OPTIONS,
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int letter;
    opterr = 0;
    optind = 0;
    while ((letter = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (letter) {
        case 'e':
            ret_push->is_events = true;
            break;
        case 'h':
            ret_push->wants_help = true;
            return NULL;
        default:
            if (!sn_remote_option(&ret_push->remote, letter, optarg))
                return "unknown option, or an option without its value";
        }
    }
    if (optind + 1 != argc)
        return "expected one file, or - for stdin";
    ret_push->path = argv[optind];
    return NULL;
}

static sn_status read_stdin(struct sn_buf *buf, struct sn_err *err) {
    for (;;) {
        uint8_t *at = sn_buf_reserve(buf, 65536);
        if (at == NULL)
            return sn_buf_status(buf, err);
        ssize_t got = sn_os_read(0, at, 65536);
        if (got < 0)
            return sn_err_set_errno(err, errno, "cannot read stdin");
        if (got == 0)
            return SN_OK;
        buf->len += (size_t)got;
    }
}

/* One record alone goes to the batch as an array of one. */
static sn_status read_body(const struct push *push, struct sn_buf *body, struct sn_err *err) {
    struct sn_buf file;
    sn_buf_init(&file, FILE_BYTES_MAX);
    sn_status status = strcmp(push->path, "-") == 0 ? read_stdin(&file, err)
                                                    : sn_os_read_file(push->path, &file, err);
    struct sn_str text = sn_str_trim(sn_buf_str(&file));
    bool is_wrapped = memmem(text.ptr != NULL ? text.ptr : "", text.len < 64 ? text.len : 64,
                             "\"metrics\"", 9) != NULL;
    bool is_one = !push->is_events && text.len > 0 && text.ptr[0] == '{' && !is_wrapped;
    if (status == SN_OK) {
        sn_buf_put_text(body, is_one ? "[" : "");
        sn_buf_put_str(body, text);
        sn_buf_put_text(body, is_one ? "]" : "");
        status = sn_buf_status(body, err);
    }
    sn_buf_release(&file);
    return status;
}

static int run(const struct push *push) {
    struct sn_err err = {.status = SN_OK};
    struct sn_buf body, answer;
    sn_buf_init(&body, FILE_BYTES_MAX + 2);
    sn_buf_init(&answer, 0);
    sn_status status = read_body(push, &body, &err);
    int exit_code = sn_exit_of(status);
    if (status == SN_OK) {
        const struct sn_remote_call call = {.path = push->is_events ? "/api/v1/events"
                                                                    : "/api/v1/metrics/batch",
                                            .content_type = "application/json",
                                            .body = sn_buf_str(&body),
                                            .timeout_ms = TIMEOUT_MS};
        status = sn_remote_ask(&push->remote, &call, &answer, &exit_code, &err);
    }
    if (status == SN_OK)
        sn_command_print("%.*s\n", SN_STR_ARG(sn_buf_str(&answer)));
    else
        sn_command_complain("push", err.text, NULL);
    sn_buf_release(&body);
    sn_buf_release(&answer);
    return exit_code;
}

int sn_command_push(int argc, char **argv) {
    struct push push = {.path = NULL};
    const char *complaint = parse(argc, argv, &push);
    if (complaint != NULL) {
        sn_command_complain("push", complaint, usage);
        return SN_EXIT_USAGE;
    }
    if (push.wants_help) {
        sn_command_print(
            "%s\n\nStores the records of a JSON file (one, an array of up to 1,000, or "
            "{\"metrics\": [...]}), or with\n--events the events. All or nothing. FILE "
            "- is stdin; the token may be in SONDE_TOKEN, the URL in SONDE_URL.\n",
            usage);
        return SN_EXIT_OK;
    }
    return run(&push);
}
