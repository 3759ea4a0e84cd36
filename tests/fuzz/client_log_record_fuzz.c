/*
 * Fuzz target: lines of any message and any fields, and records of any bytes.
 *
 * Properties:
 *   1. Any line becomes a record of at most SONDE_LOG_RECORD_BYTES_MAX, cut when it must be; what is
 *      kept and what is counted as cut add up.
 *   2. In every format a line has one '\n', at its end; JSON is one valid object; no format shows a
 *      terminal's ESC or bytes that are not UTF-8 (journald carries bytes).
 *   3. The same holds for bytes that are no record but pass for one.
 */
#include "base/arena.h"
#include "base/check.h"
#include "client/log_format_priv.h"
#include "codec/json_read.h"

#include <string.h>

struct input {
    const uint8_t *at;
    const uint8_t *end;
};

static uint8_t take_byte(struct input *input) {
    return input->at < input->end ? *input->at++ : 0;
}

/* A text of the input; a length byte above 250 makes it longer than a record by repetition. */
static struct sn_str take_text(struct input *input, char *large, size_t size) {
    size_t len = take_byte(input);
    size_t left = (size_t)(input->end - input->at);
    if (len > 250) {
        memset(large, take_byte(input), size);
        return sn_str_make(large, size);
    }
    struct sn_str text = sn_str_make(input->at, len < left ? len : left);
    input->at += text.len;
    return text;
}

static void check_line(const struct sn_buf *buf) {
    struct sn_str line = sn_buf_str(buf);
    SN_CHECK(buf->status == SN_OK && line.len > 0);
    SN_CHECK(sn_str_find_char(line, '\n') == line.len - 1);
    SN_CHECK(sn_str_find_char(line, '\033') == SIZE_MAX);
    SN_CHECK(sn_str_is_utf8(line));
}

/* Keys may repeat, which the strict reader refuses; one at a time they may not. */
static void check_json(const struct sn_buf *buf, uint32_t field_count) {
    struct sn_json_reader reader;
    struct sn_arena arena;
    if (field_count > 1)
        return;
    sn_arena_init(&arena, 0);
    const struct sn_json_options options = {.arena = &arena};
    sn_json_read_init(&reader, sn_buf_str(buf), &options);
    sn_json_read_skip(&reader);
    SN_CHECK(sn_json_read_finish(&reader, NULL) == SN_OK);
    sn_arena_release(&arena);
}

static void check_view(const struct sn_log_view *view, uint32_t field_count) {
    static const struct sn_log_identity identity = {{"app", 3}, {"host", 4}, 1, 1};
    struct sn_buf buf;
    sn_buf_init(&buf, SN_LOG_TEXT_BYTES_MAX);
    sn_log_format_json(view, &buf);
    check_line(&buf);
    check_json(&buf, field_count);
    sn_buf_reset(&buf);
    sn_log_format_logfmt(view, &buf);
    check_line(&buf);
    sn_buf_reset(&buf);
    sn_log_format_console(view, &buf, false);
    check_line(&buf);
    sn_buf_reset(&buf);
    sn_log_format_syslog(view, &identity, &buf);
    SN_CHECK(buf.status == SN_OK && sn_str_find_char(sn_buf_str(&buf), '\n') == SIZE_MAX);
    sn_buf_reset(&buf);
    sn_log_format_journald(view, &identity, &buf);
    SN_CHECK(buf.status == SN_OK && buf.ptr[buf.len - 1] == '\n');
    sn_buf_release(&buf);
}

static void check_input_as_line(struct input input) {
    static char large[20000];
    static struct sn_log_cut cut;
    static uint8_t space[SONDE_LOG_RECORD_BYTES_MAX] __attribute__((aligned(8)));
    sonde_field fields[SONDE_LOG_FIELDS_MAX + 3];
    size_t count = take_byte(&input) % (sizeof fields / sizeof fields[0] + 1);
    struct sn_str message = take_text(&input, large, sizeof large);
    size_t bytes = message.len;
    for (size_t i = 0; i < count; i++) {
        struct sn_str key = take_text(&input, large, 300);
        struct sn_str text = take_text(&input, large, sizeof large);
        fields[i] = sonde_field_text(key.ptr, key.len, text.ptr, text.len);
        fields[i].kind = take_byte(&input) % (SONDE_FIELD_ERROR + 1);
        fields[i].number = (uint64_t)take_byte(&input) << (take_byte(&input) % 64);
        bytes += (size_t)fields[i].key_len + fields[i].text_len;
    }
    sonde_log_line line = {message.ptr, fields, message.len, count, SONDE_LEVEL_INFO, 0};
    sn_log_cut(&line, &cut);
    size_t kept = cut.line.message_len;
    for (size_t i = 0; i < cut.line.field_count; i++)
        kept += (size_t)cut.fields[i].key_len + cut.fields[i].text_len;
    SN_CHECK(kept + cut.truncated == bytes);
    size_t size = sn_log_record_size(&cut.line);
    SN_CHECK(size <= SONDE_LOG_RECORD_BYTES_MAX);
    sn_log_record_put((struct sn_log_record *)(void *)space, size, &cut.line);
    ((struct sn_log_record *)(void *)space)->flags = 0;
    struct sn_log_view view;
    SN_CHECK(sn_log_record_view(space, size, &view));
    check_view(&view, (uint32_t)cut.line.field_count);
}

static void check_input_as_record(const uint8_t *data, size_t size) {
    struct sn_log_view view;
    if (size > SONDE_LOG_RECORD_BYTES_MAX || !sn_log_record_view(data, size, &view))
        return;
    uint32_t count = 0;
    struct sn_log_field field;
    for (const uint8_t *at = view.fields; sn_log_field_next(&view, &at, &field); count++) {
        SN_CHECK((const uint8_t *)field.key.ptr >= data);
        SN_CHECK((const uint8_t *)field.extra.ptr + field.extra.len <= data + size);
    }
    check_view(&view, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check_input_as_line((struct input){data, data + size});
    check_input_as_record(data, size);
    return 0;
}
