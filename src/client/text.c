/*
 * Pages in Prometheus' text format 0.0.4, in pieces, to a sink, a descriptor or memory.
 *
 * Labels are rendered when a series is made (series.c), so a line is a few copies and a number.
 */
#include "client/read_priv.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/os.h"
#include "codec/number.h"

#define PIECE_BYTES ((size_t)64 << 10)
#define NUMBER_BYTES 32

_Static_assert(NUMBER_BYTES >= SN_DOUBLE_TEXT_SIZE, "a number fits");
_Static_assert(NUMBER_BYTES >= SN_INTEGER_TEXT_SIZE, "a number fits");

struct writer {
    sonde_sink sink;
    void *ctx;
    char *piece; /* [PIECE_BYTES] */
    size_t used;
    int stop; /* what the sink said */
};

static void flush(struct writer *writer) {
    if (writer->stop == 0 && writer->used > 0)
        writer->stop = writer->sink(writer->ctx, writer->piece, writer->used);
    writer->used = 0;
}

static void put(struct writer *writer, const char *bytes, size_t len) {
    while (len > PIECE_BYTES - writer->used) {
        size_t part = PIECE_BYTES - writer->used;
        memcpy(writer->piece + writer->used, bytes, part);
        writer->used += part;
        bytes += part;
        len -= part;
        flush(writer);
    }
    memcpy(writer->piece + writer->used, bytes, len);
    writer->used += len;
}

static void put_text(struct writer *writer, const char *text) {
    put(writer, text, strlen(text));
}

static const char *type_name(sonde_type type) {
    switch (type) {
    case SONDE_TYPE_COUNTER:
        return "counter";
    case SONDE_TYPE_HISTOGRAM:
        return "histogram";
    case SONDE_TYPE_GAUGE:
    case SONDE_TYPE_INFO: /* the format has no infos */
        return "gauge";
    }
    return "untyped";
}

static void put_help(struct writer *writer, const char *help) {
    for (; *help != '\0'; help++) {
        if (*help == '\\')
            put(writer, "\\\\", 2);
        else if (*help == '\n')
            put(writer, "\\n", 2);
        else
            put(writer, help, 1);
    }
}

static int put_family(void *ctx, const sonde_family_info *family) {
    struct writer *writer = ctx;
    if (family->help[0] != '\0') {
        put_text(writer, "# HELP ");
        put_text(writer, family->name);
        put_text(writer, " ");
        put_help(writer, family->help);
        put_text(writer, "\n");
    }
    put_text(writer, "# TYPE ");
    put_text(writer, family->name);
    put_text(writer, " ");
    put_text(writer, type_name(family->type));
    put_text(writer, "\n");
    return writer->stop;
}

static void put_labels(struct writer *writer, const struct sn_line *line) {
    size_t len = line->series != NULL ? line->series->text_len : 0;
    if (len == 0 && line->extra_name == NULL)
        return;
    put(writer, "{", 1);
    if (len > 0)
        put(writer, sn_series_text(line->series), len);
    if (line->extra_name != NULL) {
        put(writer, ",", len > 0);
        put_text(writer, line->extra_name);
        put(writer, "=\"", 2);
        put_text(writer, line->extra_value);
        put(writer, "\"", 1);
    }
    put(writer, "}", 1);
}

static int put_line(void *ctx, const struct sn_line *line) {
    struct writer *writer = ctx;
    put(writer, line->name.ptr, line->name.len);
    if (line->suffix.len > 0)
        put(writer, line->suffix.ptr, line->suffix.len);
    put_labels(writer, line);
    char number[NUMBER_BYTES];
    size_t len = line->is_integer ? sn_uint64_format(line->integer, number)
                                  : sn_double_format(line->number, SN_DOUBLE_TEXT, number);
    number[len] = '\n'; /* where its NUL was */
    put(writer, " ", 1);
    put(writer, number, len + 1);
    return writer->stop;
}

const char *sonde_format_content_type(sonde_format format) {
    return format == SONDE_FORMAT_TEXT ? "text/plain; version=0.0.4; charset=utf-8" : NULL;
}

sonde_status sonde_registry_write(sonde_registry *registry, sonde_format format, sonde_sink sink,
                                  void *ctx) {
    if (format != SONDE_FORMAT_TEXT)
        return SONDE_ERR_UNSUPPORTED;
    struct writer writer = {.sink = sink, .ctx = ctx, .piece = sn_alloc(PIECE_BYTES)};
    if (writer.piece == NULL)
        return SONDE_ERR_NO_MEMORY;
    struct sn_line_sink lines = {put_family, put_line, &writer};
    sonde_status status = sn_registry_read(registry, &lines);
    flush(&writer);
    sn_free(writer.piece);
    return writer.stop != 0 ? SONDE_ERR_IO : status;
}

static int to_fd(void *ctx, const char *bytes, size_t len) {
    return sn_os_write_all(*(const int *)ctx, bytes, len);
}

sonde_status sonde_registry_write_fd(sonde_registry *registry, sonde_format format, int fd) {
    return sonde_registry_write(registry, format, to_fd, &fd);
}

static int to_buf(void *ctx, const char *bytes, size_t len) {
    struct sn_buf *buf = ctx;
    sn_buf_put(buf, bytes, len);
    return buf->status != SN_OK;
}

sonde_status sonde_registry_write_text(sonde_registry *registry, sonde_format format,
                                       char **ret_text, size_t *ret_len) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sonde_status status = sonde_registry_write(registry, format, to_buf, &buf);
    sn_buf_put_byte(&buf, '\0');
    if (buf.status != SN_OK) /* more telling than "the sink said stop" */
        status = (sonde_status)buf.status;
    if (status != SONDE_OK) {
        sn_buf_release(&buf);
        return status;
    }
    *ret_text = (char *)buf.ptr;
    if (ret_len != NULL)
        *ret_len = buf.len - 1;
    return SONDE_OK;
}

void sonde_free(void *ptr) {
    sn_free(ptr);
}
