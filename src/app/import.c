/*
 * `sonde import FILE`: store samples of any age, through the running server or into a data directory.
 *
 *   file -> pieces that end with a line -> server: POST /api/v1/import, durable when it answers
 *                                       -> directory: backfill, durable at each commit
 *
 * It stops only between pieces, and says from which byte to go on. Storing a piece twice does no harm.
 */
#include "app/command.h"
#include "app/data_command.h"
#include "app/data_source.h"
#include "app/progress.h"
#include "base/limits.h"
#include "base/os.h"
#include "codec/json_read.h"
#include "codec/number.h"
#include "ingest/ingest.h"
#include "store/backfill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: sonde import FILE [--format FORMAT] [--from BYTES] [--data DIR | --url URL]\n"
    "                         [--config FILE] [--token-file FILE] [-q]\n"
    "\n"
    "  FILE               samples, such as `sonde export` writes; -: stdin\n"
    "  --format FORMAT    jsonl, prometheus, openmetrics [by what is in it]\n"
    "  --from BYTES       go on behind so many bytes of the file\n"
    "  --data, --url, --config, --token-file, -q   see: sonde backup --help\n"
    "\n"
    "Samples may have any age within the retention; where there is one already it is replaced.\n"
    "\n"
    "Exit status: 0 all were stored, 1 some were not, 6 none or the file is malformed.\n"
    "\n"
    "examples:\n"
    "  sonde import api.jsonl\n"
    "  zstd -dc all.om.zst | sonde import - --format openmetrics\n"
    "  sonde import old.txt --data ./data --config sonde.yml\n";

/* Of a piece: a few hundred thousand samples, well below what a request may have. */
#define PIECE_BYTES ((size_t)8 << 20)
#define LINE_BYTES_MAX ((size_t)24 << 20)
#define COMMIT_SAMPLES ((size_t)2 << 20)
#define REQUEST_TIMEOUT_MS INT64_C(300000)

struct importing {
    struct sn_data_command command;
    struct sn_data_source source;
    struct sn_backfill *backfill; /* owned; NULL: through the server */
    struct sn_ingest ingest;
    struct sn_progress progress;
    struct sn_buf piece;
    const char *format;
    int fd;
    bool is_at_end;
    bool has_ended;       /* "# EOF" has been read */
    uint64_t offset;      /* in the file: all before it was handed over */
    uint64_t safe_offset; /* all before it is durable */
    uint64_t line;        /* lines before the piece */
    uint64_t rejected_count;
    struct sn_err first_reject;
};

/* ---- reading pieces ---- */

static sn_status fill(struct importing *importing, struct sn_err *err) {
    struct sn_buf *piece = &importing->piece;
    while (!importing->is_at_end && piece->len < PIECE_BYTES) {
        size_t room = PIECE_BYTES - piece->len;
        uint8_t *at = sn_buf_reserve(piece, room);
        if (at == NULL)
            return sn_buf_status(piece, err);
        ssize_t got = sn_os_read(importing->fd, at, room);
        if (got < 0)
            return sn_err_set_errno(err, errno, "cannot read %s",
                                    importing->command.options.words[0]);
        importing->is_at_end = got == 0;
        piece->len += (size_t)got;
    }
    return SN_OK;
}

/* Bytes of whole lines in the piece; more is read until there is one. */
static sn_status find_lines(struct importing *importing, size_t *ret_len, struct sn_err *err) {
    struct sn_buf *piece = &importing->piece;
    for (;;) {
        const void *newline = piece->len ? memrchr(piece->ptr, '\n', piece->len) : NULL;
        if (newline != NULL) {
            *ret_len = (size_t)((const uint8_t *)newline - piece->ptr) + 1;
            return SN_OK;
        }
        if (importing->is_at_end) {
            *ret_len = piece->len;
            return SN_OK;
        }
        if (piece->len > LINE_BYTES_MAX)
            return sn_err_set(err, SN_ERR_LIMIT, "line %llu has more than %zu bytes",
                              (unsigned long long)importing->line + 1, LINE_BYTES_MAX);
        uint8_t *at = sn_buf_reserve(piece, PIECE_BYTES);
        if (at == NULL)
            return sn_buf_status(piece, err);
        ssize_t got = sn_os_read(importing->fd, at, PIECE_BYTES);
        if (got < 0)
            return sn_err_set_errno(err, errno, "cannot read %s",
                                    importing->command.options.words[0]);
        importing->is_at_end = got == 0;
        piece->len += (size_t)got;
    }
}

static void choose_format(struct importing *importing) {
    struct sn_str start = sn_str_trim(sn_buf_str(&importing->piece));
    if (importing->format != NULL)
        return;
    importing->format = "prometheus";
    if (start.len > 0 && start.ptr[0] == '{' && start.len > 1 && start.ptr[1] == '"' &&
        sn_str_starts_with(start, SN_STR("{\"metric\"")))
        importing->format = "jsonl";
    else if (importing->is_at_end && sn_str_ends_with(start, SN_STR("# EOF")))
        importing->format = "openmetrics";
}

/* OpenMetrics ends with "# EOF", and so must every piece; nothing may follow the file's own. */
static sn_status cut_eof(struct importing *importing, struct sn_str *lines, struct sn_err *err) {
    static const struct sn_str mark = SN_STR("# EOF");
    struct sn_str text = sn_str_trim(*lines);
    if (importing->has_ended && text.len > 0)
        return sn_err_set(err, SN_ERR_INVALID, "line %llu stands behind # EOF",
                          (unsigned long long)importing->line + 1);
    if (!sn_str_ends_with(text, mark))
        return SN_OK;
    importing->has_ended = true;
    lines->len = (size_t)(text.ptr - lines->ptr) + text.len - mark.len;
    return SN_OK;
}

/* ---- storing a piece ---- */

static void note_rejects(struct importing *importing, uint64_t count, struct sn_str sentence) {
    importing->rejected_count += count;
    if (count > 0 && importing->first_reject.status == SN_OK)
        (void)sn_err_set(&importing->first_reject, SN_ERR_INVALID, "%.*s", SN_STR_ARG(sentence));
}

/* The sink of a directory: collects. */
static sn_status collect(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                         struct sn_push_result *ret_result, struct sn_err *err) {
    struct importing *importing = ctx;
    SN_TRY(sn_backfill_add(importing->backfill, batch, ret_result, err));
    if (done.fn)
        done.fn(done.ctx, SN_OK, NULL);
    return SN_OK;
}

static sn_status store_here(struct importing *importing, struct sn_str lines, struct sn_err *err) {
    const struct sn_push_done nobody = {.fn = NULL};
    struct sn_ingest_options options = {.default_time_ms = sn_clock_wall_ms(sn_clock_system())};
    struct sn_ingest_result result;
    if (strcmp(importing->format, "jsonl") == 0) {
        SN_TRY(sn_ingest_json_lines(&importing->ingest, lines, &options, nobody, &result, err));
    } else {
        options.is_openmetrics = strcmp(importing->format, "openmetrics") == 0;
        SN_TRY(sn_ingest_text(&importing->ingest, lines, &options, nobody, &result, err));
    }
    importing->progress.count += result.accepted_count;
    note_rejects(importing, result.lost_count, sn_str_from(result.first_reject.text));
    return SN_OK;
}

static void read_counts(struct sn_json_reader *json, uint64_t *accepted, uint64_t *rejected,
                        struct sn_str *first) {
    struct sn_str key;
    while (sn_json_read_key(json, &key)) {
        if (sn_str_equal(key, SN_STR("accepted"))) {
            *accepted = sn_json_read_uint64(json);
        } else if (sn_str_equal(key, SN_STR("rejected")) && sn_json_read_object(json)) {
            while (sn_json_read_key(json, &key))
                *rejected += sn_json_read_uint64(json);
        } else if (sn_str_equal(key, SN_STR("first_reject"))) {
            *first = sn_json_read_string(json);
        } else {
            sn_json_read_skip(json);
        }
    }
}

static sn_status read_answer(struct importing *importing, struct sn_str body, struct sn_err *err) {
    struct sn_arena arena;
    struct sn_json_reader json;
    struct sn_str key;
    struct sn_str first = SN_STR("");
    uint64_t accepted = 0;
    uint64_t rejected = 0;
    sn_arena_init(&arena, 0);
    sn_json_read_init(&json, body, &(struct sn_json_options){.arena = &arena});
    if (sn_json_read_object(&json)) {
        while (sn_json_read_key(&json, &key)) {
            if (sn_str_equal(key, SN_STR("data")) && sn_json_read_object(&json))
                read_counts(&json, &accepted, &rejected, &first);
            else
                sn_json_read_skip(&json);
        }
    }
    sn_status status = sn_json_read_finish(&json, err);
    importing->progress.count += accepted;
    note_rejects(importing, rejected, first);
    sn_arena_release(&arena);
    return status;
}

static sn_status store_there(struct importing *importing, struct sn_str lines, struct sn_err *err) {
    char path[64];
    struct sn_buf body;
    (void)snprintf(path, sizeof path, "/api/v1/import?format=%s", importing->format); /* it fits */
    const struct sn_remote_call call = {.path = path,
                                        .content_type = "text/plain",
                                        .body = lines,
                                        .timeout_ms = REQUEST_TIMEOUT_MS};
    sn_buf_init(&body, 0);
    sn_status status = sn_remote_post(&importing->source.remote, &call, &body, err);
    if (status == SN_OK)
        status = read_answer(importing, sn_buf_str(&body), err);
    sn_buf_release(&body);
    return status;
}

static sn_status commit(struct importing *importing, struct sn_err *err) {
    if (importing->backfill != NULL)
        SN_TRY(sn_backfill_commit(importing->backfill, err));
    importing->safe_offset = importing->offset;
    return SN_OK;
}

static uint64_t count_lines(struct sn_str text) {
    uint64_t count = 0;
    const char *at = text.ptr;
    const char *end = text.ptr + text.len;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        count++;
        at++;
    }
    return count;
}

/* Lines in messages count from the start of the piece. */
static sn_status store_piece(struct importing *importing, size_t len, struct sn_err *err) {
    struct sn_str lines = sn_str_make(importing->piece.ptr, len);
    uint64_t line_count = count_lines(lines);
    bool is_open = strcmp(importing->format, "openmetrics") == 0;
    struct sn_buf copy;
    sn_buf_init(&copy, 0);
    sn_status status = is_open ? cut_eof(importing, &lines, err) : SN_OK;
    if (status == SN_OK && is_open) {
        sn_buf_put_str(&copy, lines);
        sn_buf_put_text(&copy, "# EOF\n");
        status = sn_buf_status(&copy, err);
        lines = sn_buf_str(&copy);
    }
    if (status == SN_OK)
        status = importing->backfill ? store_here(importing, lines, err)
                                     : store_there(importing, lines, err);
    if (status == SN_ERR_INVALID && importing->line > 0)
        sn_err_prefix(err, "counted behind line %llu", (unsigned long long)importing->line);
    sn_buf_release(&copy);
    SN_TRY(status);
    importing->line += line_count;
    importing->offset += len;
    importing->progress.done_bytes += len;
    if (importing->backfill == NULL || sn_backfill_count(importing->backfill) >= COMMIT_SAMPLES)
        return commit(importing, err);
    return SN_OK;
}

static sn_status import_all(struct importing *importing, struct sn_err *err) {
    struct sn_buf *piece = &importing->piece;
    for (;;) {
        size_t len = 0;
        SN_TRY(fill(importing, err));
        choose_format(importing);
        SN_TRY(find_lines(importing, &len, err));
        if (len == 0)
            return commit(importing, err);
        SN_TRY(store_piece(importing, len, err));
        memmove(piece->ptr, piece->ptr + len, piece->len - len);
        piece->len -= len;
        sn_progress_step(&importing->progress);
        if (!sn_data_command_goes_on()) {
            SN_TRY(commit(importing, err));
            return sn_err_set(err, SN_ERR_CLOSED, "stopped");
        }
    }
}

/* ---- from begin to end ---- */

static sn_status check_format(struct importing *importing, struct sn_err *err) {
    static const char *const names[] = {"jsonl", "prometheus", "openmetrics"};
    importing->format = importing->command.options.format;
    for (int i = 0; i < 3; i++) {
        if (importing->format == NULL || strcmp(importing->format, names[i]) == 0)
            return SN_OK;
    }
    return sn_err_set(err, SN_ERR_INVALID, "\"%s\" is none of jsonl, prometheus, openmetrics",
                      importing->format);
}

/* Pass over what is stored already; also in a pipe. */
static sn_status skip(struct importing *importing, struct sn_err *err) {
    uint64_t left = 0;
    const char *from = importing->command.options.from;
    if (from == NULL)
        return SN_OK;
    if (sn_uint64_parse(sn_str_from(from), &left) != SN_OK)
        return sn_err_set(err, SN_ERR_INVALID, "--from: \"%s\" is not a number of bytes", from);
    importing->offset = importing->safe_offset = importing->progress.done_bytes = left;
    while (left > 0) {
        size_t wanted = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        uint8_t *at = sn_buf_reserve(&importing->piece, wanted);
        if (at == NULL)
            return sn_buf_status(&importing->piece, err);
        ssize_t got = sn_os_read(importing->fd, at, wanted);
        if (got < 0)
            return sn_err_set_errno(err, errno, "cannot read %s",
                                    importing->command.options.words[0]);
        if (got == 0)
            return sn_err_set(err, SN_ERR_INVALID, "--from: the file ends %llu bytes before that",
                              (unsigned long long)left);
        importing->line += count_lines(sn_str_make(at, (size_t)got));
        left -= (uint64_t)got;
    }
    return SN_OK;
}

static sn_status open_input(struct importing *importing, struct sn_err *err) {
    const char *path = importing->command.options.words[0];
    struct stat info;
    importing->fd = strcmp(path, "-") == 0 ? 0 : sn_os_open(path, O_RDONLY, 0);
    if (importing->fd < 0)
        return sn_err_set_errno(err, errno, "cannot open %s", path);
    if (sn_os_fstat(importing->fd, &info) == 0 && S_ISREG(info.st_mode))
        importing->progress.total_bytes = (uint64_t)info.st_size;
    return skip(importing, err);
}

static sn_status run(struct importing *importing, struct sn_err *err) {
    SN_TRY(check_format(importing, err));
    SN_TRY(open_input(importing, err));
    SN_TRY(sn_data_source_reach(&importing->source, &importing->command.options, err));
    if (importing->source.store == NULL)
        return import_all(importing, err);
    struct sn_sink sink = {.ctx = importing, .push = collect};
    sn_ingest_init(&importing->ingest, sink);
    SN_TRY(sn_backfill_new(importing->source.store, &importing->backfill, err));
    SN_TRY(import_all(importing, err));
    return sn_store_flush(importing->source.store, err); /* metadata */
}

static int tell_end(struct importing *importing, sn_status status, const struct sn_err *err,
                    bool is_unreachable) {
    char hint[400];
    const char *path = importing->command.options.words[0];
    bool has_begun = importing->safe_offset > 0 || status == SN_ERR_CLOSED;
    (void)snprintf(hint, sizeof hint, "go on with: sonde import %s --from %llu", path,
                   (unsigned long long)importing->safe_offset); /* a long path is cut: seen above */
    if (status != SN_OK)
        return sn_data_command_fail(&importing->command, status, err, is_unreachable,
                                    has_begun ? hint : NULL);
    sn_progress_end(&importing->progress);
    if (importing->rejected_count == 0)
        return SN_EXIT_OK;
    (void)snprintf(hint, sizeof hint, "%llu samples were not stored, the first: %s",
                   (unsigned long long)importing->rejected_count, importing->first_reject.text);
    sn_command_complain("import", hint, NULL);
    return importing->progress.count == 0 ? SN_EXIT_BAD_DATA : SN_EXIT_FAILED;
}

int sn_command_import(int argc, char **argv) {
    static struct importing importing; /* large */
    struct sn_err err = {.status = SN_OK};
    int code = SN_EXIT_OK;
    importing = (struct importing){
        .fd = -1,
        .command = {.name = "import",
                    .usage = usage,
                    .allowed = SN_TOOL_DATA | SN_TOOL_SERVER | SN_TOOL_FORMAT | SN_TOOL_FROM,
                    .words = 1}};
    if (!sn_data_command_begin(&importing.command, argc, argv, &code))
        return code;
    sn_progress_init(&importing.progress, "import", "samples", importing.command.options.is_quiet);
    sn_buf_init(&importing.piece, LINE_BYTES_MAX + 2 * PIECE_BYTES);
    sn_status status = run(&importing, &err);
    bool is_unreachable =
        status != SN_OK && importing.source.has_remote && importing.source.remote.is_unreachable;
    importing.backfill = sn_backfill_free(importing.backfill);
    sn_data_source_close(&importing.source);
    if (importing.fd > 0)
        (void)sn_os_close(importing.fd); /* opened for reading: nothing to lose */
    sn_progress_clear(&importing.progress);
    code = tell_end(&importing, status, &err, is_unreachable);
    sn_buf_release(&importing.piece);
    return code;
}
