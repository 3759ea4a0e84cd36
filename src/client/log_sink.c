/*
 * What all sinks share: options, formatting, counting what is lost; and the sink that calls the
 * host. See log_sink_priv.h.
 */
#include "client/log_sink_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <unistd.h>

#define RETRY_NS INT64_C(1000000000)
#define FACILITY_MAX 23
#define ROTATE_COUNT_MAX 1000
#define SYSLOG_PATH "/dev/log"
#define JOURNALD_PATH "/run/systemd/journal/socket"

/* ---- the callback class ---- */

static void callback_put(struct sn_log_sink *sink, const struct sn_log_view *view, size_t start) {
    char name[SONDE_LOG_NAME_BYTES_MAX + 1];
    memcpy(name, view->logger.ptr, view->logger.len);
    name[view->logger.len] = '\0';
    const sonde_log_entry entry = {
        .text = (const char *)sink->out.ptr + start,
        .len = sink->out.len - start,
        .time_ns = view->time_ns,
        .logger = name,
        .level = view->level,
    };
    if (sink->options.write(sink->options.ctx, &entry) != 0)
        sn_log_sink_lost(sink, 1);
    sink->out.len = start;
    sink->out_lines = 0;
}

static void callback_nothing(struct sn_log_sink *sink) {
    (void)sink;
}

static sn_status callback_open(struct sn_log_sink *sink, struct sn_err *err) {
    if (sink->options.write == NULL)
        return sn_err_set(err, SN_ERR_INVALID, "a callback sink has no function");
    return SN_OK;
}

static const struct sn_log_sink_class callback_class = {
    .open = callback_open,
    .put = callback_put,
    .flush = callback_nothing,
    .reopen = callback_nothing,
    .close = callback_nothing,
};

/* ---- life ---- */

static bool has_terminal_colors(int fd) {
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return (no_color == NULL || no_color[0] == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0) && isatty(fd);
}

static sn_status pick_class(struct sn_log_sink *sink, struct sn_err *err) {
    sonde_log_sink *options = &sink->options;
    bool is_default = options->format == SONDE_LOG_FORMAT_DEFAULT;
    sonde_log_format fallback = SONDE_LOG_FORMAT_JSON;
    switch (options->type) {
    case SONDE_SINK_STDERR:
        sink->class = &sn_log_stderr_class;
        fallback = SONDE_LOG_FORMAT_CONSOLE;
        break;
    case SONDE_SINK_FILE:
        sink->class = &sn_log_file_class;
        break;
    case SONDE_SINK_SYSLOG:
        sink->class = &sn_log_socket_class;
        options->path = options->path != NULL ? options->path : SYSLOG_PATH;
        break;
    case SONDE_SINK_JOURNALD:
        sink->class = &sn_log_socket_class;
        options->path = options->path != NULL ? options->path : JOURNALD_PATH;
        break;
    case SONDE_SINK_CALLBACK:
        sink->class = &callback_class;
        break;
    default: /* the number comes from the host, so it may be any */
        return sn_err_set(err, SN_ERR_INVALID, "there is no sink of type %d", (int)options->type);
    }
    if (is_default)
        options->format = fallback;
    return SN_OK;
}

static sn_status check(const sonde_log_sink *options, struct sn_err *err) {
    if (options->type == SONDE_SINK_FILE && options->path == NULL)
        return sn_err_set(err, SN_ERR_INVALID, "a file sink has no path");
    if (options->format < SONDE_LOG_FORMAT_JSON || options->format > SONDE_LOG_FORMAT_CONSOLE)
        return sn_err_set(err, SN_ERR_INVALID, "there is no format %d", (int)options->format);
    if (options->level_min < SONDE_LEVEL_DEFAULT || options->level_min > SONDE_LEVEL_OFF)
        return sn_err_set(err, SN_ERR_INVALID, "there is no level %d", (int)options->level_min);
    if (options->facility > FACILITY_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "facility %u, the largest is %d", options->facility,
                          FACILITY_MAX);
    if (options->rotate_count > ROTATE_COUNT_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "rotate_count %u, the largest is %d",
                          options->rotate_count, ROTATE_COUNT_MAX);
    return SN_OK;
}

/* Copy a string of the options; `*text` then points to the copy. */
static bool keep(const char **text, char **ret_copy) {
    if (*text == NULL)
        return true;
    *ret_copy = sn_strdup(*text);
    *text = *ret_copy;
    return *ret_copy != NULL;
}

static sn_status take_memory(struct sn_log_sink *sink, struct sn_err *err) {
    sn_buf_init(&sink->out, SN_LOG_SINK_BYTES);
    bool has_texts = keep(&sink->options.path, &sink->texts[0]);
    has_texts &= keep(&sink->options.component, &sink->texts[1]);
    if (!has_texts || sn_buf_reserve(&sink->out, SN_LOG_SINK_BYTES) == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a log sink");
    return SN_OK;
}

static sn_status prepare(struct sn_log_sink *sink, struct sn_err *err) {
    SN_TRY(pick_class(sink, err));
    SN_TRY(check(&sink->options, err));
    SN_TRY(take_memory(sink, err));
    if (sink->options.rotate_count == 0)
        sink->options.rotate_count = 5;
    if (sink->options.facility == 0)
        sink->options.facility = 1;
    sink->is_colored =
        sink->options.color == SONDE_LOG_COLOR_ALWAYS ||
        (sink->options.color == SONDE_LOG_COLOR_AUTO && sink->options.type == SONDE_SINK_STDERR &&
         has_terminal_colors(STDERR_FILENO));
    return sink->class->open(sink, err);
}

sn_status sn_log_sink_init(struct sn_log_sink *sink, const sonde_log_sink *options,
                           struct sn_err *err) {
    sink->options = *options;
    sink->fd = -1;
    sn_status status = prepare(sink, err);
    if (status != SN_OK) {
        sink->class = NULL; /* it is not open */
        sn_log_sink_release(sink);
    }
    return status;
}

void sn_log_sink_release(struct sn_log_sink *sink) {
    if (sink->class != NULL)
        sink->class->close(sink);
    sink->class = NULL;
    sn_buf_release(&sink->out);
    sn_free(sink->texts[0]);
    sn_free(sink->texts[1]);
    sink->texts[0] = sink->texts[1] = NULL;
    sink->options.path = sink->options.component = NULL;
}

bool sn_log_sink_wants(const struct sn_log_sink *sink, struct sn_str logger) {
    struct sn_str top = sn_str_from(sink->options.component);
    return top.len == 0 || (sn_str_starts_with(logger, top) &&
                            (logger.len == top.len || logger.ptr[top.len] == '.'));
}

/* ---- lines ---- */

static void format(struct sn_log_sink *sink, const struct sn_log_view *view) {
    if (sink->options.type == SONDE_SINK_SYSLOG) {
        struct sn_log_identity identity = *sink->identity;
        identity.facility = sink->options.facility;
        sn_log_format_syslog(view, &identity, &sink->out);
        return;
    }
    if (sink->options.type == SONDE_SINK_JOURNALD) {
        sn_log_format_journald(view, sink->identity, &sink->out);
        return;
    }
    switch (sink->options.format) {
    case SONDE_LOG_FORMAT_LOGFMT:
        sn_log_format_logfmt(view, &sink->out);
        return;
    case SONDE_LOG_FORMAT_CONSOLE:
        sn_log_format_console(view, &sink->out, sink->is_colored);
        return;
    case SONDE_LOG_FORMAT_DEFAULT:
    case SONDE_LOG_FORMAT_JSON:
        break;
    }
    sn_log_format_json(view, &sink->out);
}

/* Format a line behind what the buffer holds, and hand it on. */
static void put_one(struct sn_log_sink *sink, const struct sn_log_view *view) {
    if (sink->out.len > SN_LOG_SINK_BYTES - SN_LOG_TEXT_BYTES_MAX)
        sn_log_sink_flush(sink);
    size_t start = sink->out.len;
    format(sink, view);
    if (SN_NEVER(sink->out.status != SN_OK)) {
        sink->out.status = SN_OK;
        sink->out.len = start;
        sn_log_sink_lost(sink, 1);
        return;
    }
    sink->out_lines++;
    sink->class->put(sink, view, start);
}

/* Tell how many lines are missing. When this one is lost too, the number stays owed. */
static void put_notice(struct sn_log_sink *sink, int64_t time_ns) {
    const struct sn_log_view notice = {
        .time_ns = time_ns,
        .logger = SN_STR("sonde.log"),
        .message = SN_STR("lines are missing here"),
        .level = SONDE_LEVEL_WARN,
        .missing = sink->missing,
    };
    uint64_t owed = sink->missing;
    sink->missing = 0;
    put_one(sink, &notice);
    /* Written at once: whether it arrived decides what is owed. */
    sink->class->flush(sink);
    if (sink->missing > 0) {
        sink->missing = owed;
        /* The notice itself is no line of the host's. */
        atomic_fetch_sub_explicit(&sink->lost_count, 1, memory_order_relaxed);
    }
}

void sn_log_sink_put(struct sn_log_sink *sink, const struct sn_log_view *view) {
    /* What is missing may have been of any level. */
    if (view->missing == 0 && view->level < sink->options.level_min)
        return;
    /* At the start of a batch only: a sink that refuses is not asked twice for every line. */
    if (sink->missing > 0 && sink->out_lines == 0)
        put_notice(sink, view->time_ns);
    put_one(sink, view);
}

void sn_log_sink_flush(struct sn_log_sink *sink) {
    sink->class->flush(sink);
}

void sn_log_sink_forget(struct sn_log_sink *sink) {
    sn_buf_reset(&sink->out);
    sink->out_lines = 0;
    sink->missing = 0;
    sink->is_forked = true;
}

void sn_log_sink_lost(struct sn_log_sink *sink, uint64_t count) {
    sink->missing += count;
    atomic_fetch_add_explicit(&sink->lost_count, count, memory_order_relaxed);
}

bool sn_log_sink_may_retry(struct sn_log_sink *sink) {
    int64_t now_ns = sn_clock_mono_ns(sink->clock);
    if (now_ns < sink->retry_mono_ns)
        return false;
    sink->retry_mono_ns = now_ns + RETRY_NS;
    return true;
}
