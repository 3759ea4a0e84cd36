/*
 * Normalising paths: one pass over the characters that divides and classifies, then templates,
 * then the rules for segments. See sonde/path.h.
 *
 * Invariants:
 *   1. The output is printable ASCII that ends with NUL inside of the buffer, whatever comes in.
 *   2. Normalising the output gives the output. So ":rest" and "*" never match a parameter, and a
 *      segment is only written where ":rest" would still fit behind it.
 */
#include "client/path_priv.h"

#include "base/mem.h"
#include "client/error_priv.h"

#define SEGMENT_MAX_DEFAULT 12 /* routes of people are shorter */
#define EXTENSION_BYTES_MAX 5  /* .html, .jsonl */
#define UUID_BYTES 36

struct sonde_path_rules {
    size_t segment_max;
    bool templates_only;
    struct sn_path_templates *templates; /* owned; NULL: none */
};

static const sonde_path_rules default_rules = {.segment_max = SEGMENT_MAX_DEFAULT};

/* Classes. */

static const uint8_t char_classes[256] = {
    [0 ... ' '] = SN_PATH_BAD,
    ['!' ... '"'] = SN_PATH_LETTER,
    ['#'] = SN_PATH_STOP,
    ['$' ... '*'] = SN_PATH_LETTER,
    ['+' ... '.'] = SN_PATH_MARK,
    ['/'] = SN_PATH_STOP,
    ['0' ... '9'] = SN_PATH_DIGIT,
    [':'] = SN_PATH_MARK,
    [';' ... '>'] = SN_PATH_LETTER,
    ['?'] = SN_PATH_STOP,
    ['@'] = SN_PATH_AT,
    ['A' ... 'F'] = SN_PATH_HEX,
    ['G' ... '^'] = SN_PATH_LETTER,
    ['_'] = SN_PATH_MARK,
    ['`'] = SN_PATH_LETTER,
    ['a' ... 'f'] = SN_PATH_HEX,
    ['g' ... '~'] = SN_PATH_LETTER,
    [0x7f ... 0xff] = SN_PATH_BAD,
};

static uint32_t class_of(char c) {
    return char_classes[(unsigned char)c];
}

/* The segment that starts at `at`, up to a stop or the end. */
static struct sn_path_segment scan(const char *at, const char *end) {
    struct sn_path_segment segment = {{at, 0}, 0, 0};
    for (; at < end; at++) {
        uint32_t class = class_of(*at);
        if (class == SN_PATH_STOP)
            break;
        segment.classes |= class;
        segment.digit_count += class == SN_PATH_DIGIT;
    }
    segment.text.len = (size_t)(at - segment.text.ptr);
    return segment;
}

static bool is_empty(struct sn_str segment) {
    return segment.len == 0 || (segment.len == 1 && segment.ptr[0] == '.');
}

void sn_path_split(struct sn_str path, size_t segment_max, struct sn_path *ret_path) {
    const char *at = path.ptr;
    const char *end = path.ptr + path.len;
    ret_path->count = 0;
    ret_path->has_more = false;
    while (at < end && *at == '/') {
        struct sn_path_segment segment = scan(at + 1, end);
        at = segment.text.ptr + segment.text.len;
        if (is_empty(segment.text))
            continue;
        if (ret_path->count == segment_max) {
            ret_path->has_more = true;
            return;
        }
        ret_path->segments[ret_path->count++] = segment;
    }
}

/* Ids. */

static bool is_uuid(struct sn_str text) {
    if (text.len != UUID_BYTES)
        return false;
    for (size_t i = 0; i < UUID_BYTES; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text.ptr[i] != '-'
                    : (class_of(text.ptr[i]) & (SN_PATH_DIGIT | SN_PATH_HEX)) == 0)
            return false;
    }
    return true;
}

static bool is_id(const struct sn_path_segment *segment) {
    size_t len = segment->text.len;
    uint32_t classes = segment->classes;
    bool has_digit = segment->digit_count > 0;
    if (len > SONDE_PATH_SEGMENT_BYTES_MAX || (classes & SN_PATH_AT) != 0)
        return true;
    if (segment->digit_count >= 5 || (has_digit && len >= 20))
        return true;
    if (has_digit && (classes & ~(uint32_t)(SN_PATH_DIGIT | SN_PATH_MARK)) == 0)
        return true;
    if ((classes & ~(uint32_t)(SN_PATH_DIGIT | SN_PATH_HEX)) == 0)
        return len >= 16 || (has_digit && len >= 8);
    return is_uuid(segment->text);
}

bool sn_path_is_id(struct sn_str text) {
    struct sn_path_segment segment = scan(text.ptr, text.ptr + text.len);
    return segment.text.len == text.len && is_id(&segment);
}

/* Bytes of the extension with its dot, 0 when there is none: a letter, then letters and digits. */
static size_t extension_len(struct sn_str text) {
    for (size_t i = 1; i <= EXTENSION_BYTES_MAX + 1 && i < text.len; i++) {
        char c = text.ptr[text.len - i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (c == '.')
            return i > 1 && class_of(text.ptr[text.len - i + 1]) != SN_PATH_DIGIT ? i : 0;
        if (!is_letter && !(c >= '0' && c <= '9'))
            return 0;
    }
    return 0;
}

/* Writing. */

struct output {
    char *ptr;
    size_t cap; /* without the NUL */
    size_t len;
};

static size_t finish(struct output *output) {
    output->ptr[output->len] = '\0';
    return output->len;
}

static bool put(struct output *output, struct sn_str text) {
    if (text.len > output->cap - output->len)
        return false;
    memcpy(output->ptr + output->len, text.ptr, text.len);
    output->len += text.len;
    return true;
}

/* What the default rules make of a segment: a text, and what is kept behind it. */
struct shown {
    struct sn_str text;
    struct sn_str extension;
};

/* A segment that starts with a colon: one of ours, or an id that looks like it. */
static struct shown show_colon(struct sn_str text) {
    size_t extension = extension_len(text);
    struct sn_str stem = sn_str_make(text.ptr, text.len - extension);
    if (sn_str_equal(stem, SN_PATH_ID))
        return (struct shown){stem, sn_str_make(text.ptr + stem.len, extension)};
    if (sn_str_equal(text, SN_PATH_REST) || sn_str_equal(text, SN_STR(SONDE_PATH_OTHER)))
        return (struct shown){text, {NULL, 0}};
    return (struct shown){SN_PATH_ID, {NULL, 0}};
}

static struct shown show(const struct sn_path_segment *segment) {
    struct sn_str text = segment->text;
    struct shown plain = {text, {NULL, 0}};
    if ((segment->classes & SN_PATH_BAD) != 0)
        return (struct shown){SN_STR(SONDE_PATH_OTHER), {NULL, 0}};
    if (text.ptr[0] == ':')
        return show_colon(text);
    size_t extension = (segment->classes & SN_PATH_MARK) != 0 ? extension_len(text) : 0;
    if (extension == 0 || (segment->classes & SN_PATH_AT) != 0)
        return is_id(segment) ? (struct shown){SN_PATH_ID, {NULL, 0}} : plain;
    struct sn_str stem = sn_str_make(text.ptr, text.len - extension);
    if (!sn_path_is_id(stem))
        return plain;
    return (struct shown){SN_PATH_ID, sn_str_make(text.ptr + stem.len, extension)};
}

static void put_rest(struct output *output) {
    if (output->cap - output->len > SN_PATH_REST.len) {
        (void)put(output, SN_STR("/"));
        (void)put(output, SN_PATH_REST);
    }
}

/* Write one segment. False: it, or ":rest" behind it, has no place. */
static bool put_segment(struct output *output, const struct sn_path_segment *segment,
                        bool is_last) {
    struct shown shown = show(segment);
    size_t need = 1 + shown.text.len + shown.extension.len;
    if (!is_last)
        need += 1 + SN_PATH_REST.len;
    if (need > output->cap - output->len)
        return false;
    (void)put(output, SN_STR("/"));
    (void)put(output, shown.text);
    if (shown.extension.len > 0)
        (void)put(output, shown.extension);
    return true;
}

static size_t put_path(struct output *output, const struct sn_path *path) {
    bool is_whole = !path->has_more;
    if (path->count == 0)
        (void)put(output, SN_STR("/"));
    for (size_t i = 0; i < path->count; i++) {
        if (!put_segment(output, &path->segments[i], i + 1 == path->count && is_whole)) {
            is_whole = false;
            break;
        }
    }
    if (!is_whole)
        put_rest(output);
    return finish(output);
}

/* The path of http://host/path. ptr is NULL when there is none. */
static struct sn_str strip_authority(struct sn_str target) {
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < 2; i++) {
        struct sn_str scheme = sn_str_from(schemes[i]);
        if (!sn_str_starts_with(target, scheme))
            continue;
        const char *end = target.ptr + target.len;
        struct sn_str host = scan(target.ptr + scheme.len, end).text;
        const char *path = host.ptr + host.len;
        bool has_path = path < end && *path == '/';
        return has_path ? sn_str_make(path, (size_t)(end - path)) : SN_STR("/");
    }
    return (struct sn_str){NULL, 0};
}

size_t sonde_path_normalise(const sonde_path_rules *rules, const char *path, size_t path_len,
                            char *ret_path, size_t ret_path_size) {
    if (ret_path == NULL || ret_path_size == 0)
        return 0;
    struct output output = {ret_path, ret_path_size - 1, 0};
    struct sn_str target = sn_str_make(path, path != NULL ? path_len : 0);
    if (target.len == 0 || target.ptr[0] != '/') {
        if (sn_str_equal(target, SN_STR("*"))) {
            (void)put(&output, target);
            return finish(&output);
        }
        target = target.len > 0 ? strip_authority(target) : (struct sn_str){NULL, 0};
    }
    if (rules == NULL)
        rules = &default_rules;
    if (target.ptr == NULL) {
        (void)put(&output, SN_STR(SONDE_PATH_OTHER));
        return finish(&output);
    }
    struct sn_path parts;
    sn_path_split(target, rules->segment_max, &parts);
    struct sn_str template = sn_path_templates_match(rules->templates, &parts);
    if (template.ptr == NULL && !rules->templates_only)
        return put_path(&output, &parts);
    if (template.ptr == NULL)
        template = SN_STR(SONDE_PATH_OTHER);
    if (!put(&output, template)) {
        if (rules->templates_only)
            (void)put(&output, SN_STR(SONDE_PATH_OTHER));
        else
            put_rest(&output);
    }
    return finish(&output);
}

/* Making. */

static sn_status rules_new(const sonde_path_options *options, sonde_path_rules **ret_rules,
                           struct sn_err *err) {
    size_t segment_max = options->segment_max > 0 ? options->segment_max : SEGMENT_MAX_DEFAULT;
    if (segment_max > SONDE_PATH_SEGMENTS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "segment_max is %zu, the limit is %d", segment_max,
                          SONDE_PATH_SEGMENTS_MAX);
    sonde_path_rules *rules = sn_alloc_zero(1, sizeof *rules);
    if (rules == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the rules of paths");
    rules->segment_max = segment_max;
    rules->templates_only = options->templates_only;
    sn_status status = sn_path_templates_new(options, segment_max, &rules->templates, err);
    if (status != SN_OK) {
        sn_free(rules);
        return status;
    }
    *ret_rules = rules;
    return SN_OK;
}

sonde_path_rules *sonde_path_rules_new(const sonde_path_options *options, sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    sonde_path_rules *rules = NULL;
    sn_status status =
        rules_new(options != NULL ? options : &(sonde_path_options){0}, &rules, &err);
    (void)sn_public_error(error, (sonde_status)status, &err);
    return rules;
}

sonde_path_rules *sonde_path_rules_free(sonde_path_rules *rules) {
    if (rules == NULL)
        return NULL;
    (void)sn_path_templates_free(rules->templates);
    sn_free(rules);
    return NULL;
}
