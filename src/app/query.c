/*
 * `sonde query EXPR`: ask a running server, print a table or the server's JSON.
 */
#include "app/command.h"
#include "app/config.h"
#include "app/query_text.h"
#include "app/remote.h"
#include "base/clock.h"
#include "base/os.h"
#include "codec/duration.h"
#include "codec/timetext.h"

#include <getopt.h>

static const char usage[] =
    "usage: sonde query EXPR [--time TIME] [--range DURATION [--step DURATION]] [--json] [--url URL]\n"
    "                        [--token-file FILE]\n"
    "\n"
    "Asks a running server in PromQL. Prints a line per series, over a range one per value.\n"
    "\n"
    "  --time TIME        the moment, or the end of the range: RFC 3339 or Unix seconds [now]\n"
    "  --range DURATION   all values of the last 6h, 5m, 1d12h\n"
    "  --step DURATION    their distance [a sixtieth of the range]\n"
    "  --json             the server's answer as it is\n"
    "  --url URL          the server [SONDE_URL, http://" SN_CONFIG_LISTEN_DEFAULT "]\n"
    "  --token-file FILE  a token that may read [SONDE_TOKEN]\n"
    "\n"
    "Exit status: 0 all is well, 3 no server, 4 not allowed, 6 the query is wrong.\n"
    "\n"
    "examples:\n"
    "  sonde query 'node_load1'\n"
    "  sonde query 'sum by (mode) (rate(node_cpu_seconds_total[5m]))' --range 6h --step 10m\n"
    "  sonde query --json -- '-node_load1'\n";

enum { TIMEOUT_MS = 130000, STEPS = 60 }; /* the server gives up on a query after 120 s */

/* What a server may say of a failed query: two label sets of any length. */
#define SENTENCE_BYTES_MAX ((size_t)128 << 10)

struct query {
    const char *expr, *time, *range, *step, *url, *token_path;
    bool wants_json, wants_help;
    int64_t time_ms, range_ms, step_ms;
};

/* --- Command line --------------------------------------------------------------------------- */

static sn_status take_option(int letter, char **argv, struct query *query, struct sn_err *err) {
    switch (letter) {
    case 't':
        query->time = optarg;
        return SN_OK;
    case 'r':
        query->range = optarg;
        return SN_OK;
    case 's':
        query->step = optarg;
        return SN_OK;
    case 'u':
        query->url = optarg;
        return SN_OK;
    case 'k':
        query->token_path = optarg;
        return SN_OK;
    case 'j':
        query->wants_json = true;
        return SN_OK;
    case 'h':
        query->wants_help = true;
        return SN_OK;
    case ':':
        return sn_err_set(err, SN_ERR_INVALID, "option %s needs a value", argv[optind - 1]);
    default:
        return sn_err_set(err, SN_ERR_INVALID,
                          "unknown option %s: an expression that begins with - goes behind --",
                          argv[optind - 1]);
    }
}

static sn_status take_duration(const char *name, const char *text, int64_t *ret_ms,
                               struct sn_err *err) {
    sn_status status = sn_duration_parse_ms(sn_str_from(text), ret_ms, err);
    if (status == SN_OK && *ret_ms == 0)
        status = sn_err_set(err, SN_ERR_INVALID, "must be more than 0");
    if (status != SN_OK)
        sn_err_prefix(err, "%s", name);
    return status;
}

static sn_status take_times(struct query *query, struct sn_err *err) {
    query->time_ms = sn_clock_wall_ms(sn_clock_system());
    if (query->time != NULL) {
        sn_status status = sn_time_parse_ms(sn_str_from(query->time), &query->time_ms, err);
        if (status != SN_OK) {
            sn_err_prefix(err, "--time");
            return status;
        }
    }
    if (query->range == NULL && query->step != NULL)
        return sn_err_set(err, SN_ERR_INVALID, "--step goes with --range");
    if (query->range == NULL)
        return SN_OK;
    SN_TRY(take_duration("--range", query->range, &query->range_ms, err));
    query->step_ms = query->range_ms / STEPS > 1000 ? query->range_ms / STEPS : 1000;
    return query->step == NULL ? SN_OK : take_duration("--step", query->step, &query->step_ms, err);
}

static sn_status parse(int argc, char **argv, struct query *query, struct sn_err *err) {
    static const struct option known[] = {
        {"time", required_argument, NULL, 't'},
        {"range", required_argument, NULL, 'r'},
        {"step", required_argument, NULL, 's'},
        {"url", required_argument, NULL, 'u'},
        {"token-file", required_argument, NULL, 'k'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int letter;
    opterr = 0; /* We say it ourselves. */
    optind = 0; /* Start anew: tests call this more than once. */
    while ((letter = getopt_long(argc, argv, ":h", known, NULL)) != -1)
        SN_TRY(take_option(letter, argv, query, err));
    if (query->wants_help)
        return SN_OK;
    if (optind + 1 != argc)
        return sn_err_set(err, SN_ERR_INVALID, "expected one expression, in quotes");
    query->expr = argv[optind];
    return take_times(query, err);
}

/* --- Asking --------------------------------------------------------------------------------- */

static void put_escaped(struct sn_buf *buf, struct sn_str text) {
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (is_plain || c == '-' || c == '.' || c == '_' || c == '~') {
            sn_buf_put_byte(buf, c);
        } else {
            const char escape[] = {'%', hex[c >> 4], hex[c & 15]};
            sn_buf_put(buf, escape, sizeof escape);
        }
    }
}

static void put_seconds(struct sn_buf *buf, const char *name, int64_t ms) {
    sn_buf_printf(buf, "&%s=%s%lld.%03lld", name, ms < 0 ? "-" : "", llabs(ms / 1000),
                  llabs(ms % 1000));
}

static void put_form(const struct query *query, struct sn_buf *buf) {
    sn_buf_put_text(buf, "query=");
    put_escaped(buf, sn_str_from(query->expr));
    if (query->range_ms == 0) {
        put_seconds(buf, "time", query->time_ms);
    } else {
        put_seconds(buf, "start", query->time_ms - query->range_ms);
        put_seconds(buf, "end", query->time_ms);
        put_seconds(buf, "step", query->step_ms);
    }
}

static sn_status ask(const struct query *query, struct sn_remote *remote, struct sn_buf *ret_body,
                     struct sn_buf *ret_sentence, struct sn_err *err) {
    struct sn_buf form;
    sn_buf_init(&form, 0);
    put_form(query, &form);
    sn_status status = sn_buf_status(&form, err);
    if (status == SN_OK) {
        const struct sn_remote_call call = {.path = query->range_ms == 0 ? "/api/v1/query"
                                                                         : "/api/v1/query_range",
                                            .content_type = "application/x-www-form-urlencoded",
                                            .body = sn_buf_str(&form),
                                            .timeout_ms = TIMEOUT_MS,
                                            .sentence = ret_sentence};
        status = sn_remote_post(remote, &call, ret_body, err);
    }
    sn_buf_release(&form);
    return status;
}

/* --- Printing ------------------------------------------------------------------------------- */

static sn_status print(const struct query *query, const struct sn_buf *body, struct sn_err *err) {
    struct sn_buf out, notes;
    sn_status status = SN_OK;
    sn_buf_init(&out, 0);
    sn_buf_init(&notes, 0);
    if (query->wants_json) {
        sn_buf_put_str(&out, sn_buf_str(body));
        sn_buf_put_byte(&out, '\n');
    } else {
        status = sn_query_text_table(sn_buf_str(body), &out, &notes, err);
        if (status == SN_OK && out.len == 0)
            sn_buf_put_text(&notes, "no series\n");
    }
    /* A reader that has gone away, such as `head`, is not our failure. */
    if (status == SN_OK) {
        (void)sn_os_write_all(1, out.ptr, out.len);
        (void)sn_os_write_all(2, notes.ptr, notes.len);
    }
    sn_buf_release(&out);
    sn_buf_release(&notes);
    return status;
}

static int complain(const struct query *query, sn_status status, const struct sn_buf *whole,
                    const struct sn_err *err) {
    struct sn_buf out;
    struct sn_str sentence =
        whole->status == SN_OK && whole->len > 0 ? sn_buf_str(whole) : sn_str_from(err->text);
    sn_buf_init(&out, 0);
    sn_query_text_complaint(sn_str_from(query->expr), sentence, &out);
    (void)sn_os_write_all(2, out.ptr, out.len); /* nobody is left to tell */
    sn_buf_release(&out);
    return sn_exit_of(status);
}

int sn_command_query(int argc, char **argv) {
    struct query query = {.expr = NULL};
    struct sn_err err = {.status = SN_OK};
    struct sn_remote remote;
    struct sn_buf body, sentence;
    int code = SN_EXIT_OK;
    if (parse(argc, argv, &query, &err) != SN_OK) {
        sn_command_complain("query", err.text, "see: sonde query --help");
        return SN_EXIT_USAGE;
    }
    if (query.wants_help) {
        sn_command_print("%s", usage);
        return SN_EXIT_OK;
    }
    sn_buf_init(&body, 0);
    sn_buf_init(&sentence, SENTENCE_BYTES_MAX);
    sn_status status =
        sn_remote_init(&remote, query.url, SN_CONFIG_LISTEN_DEFAULT, query.token_path, &err);
    if (status == SN_OK)
        status = ask(&query, &remote, &body, &sentence, &err);
    if (status == SN_OK)
        status = print(&query, &body, &err);
    if (status != SN_OK && remote.is_unreachable) {
        sn_command_complain("query", err.text, "is it running? give its address with --url");
        code = SN_EXIT_UNREACHABLE;
    } else if (status != SN_OK) {
        code = complain(&query, status, &sentence, &err);
    }
    sn_remote_release(&remote);
    sn_buf_release(&sentence);
    sn_buf_release(&body);
    return code;
}
