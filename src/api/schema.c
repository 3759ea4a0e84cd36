/*
 * From the notation to JSON Schema. See schema.h. Types are cut out as spans first, at the outermost
 * "," or "|", and written afterwards: no tree, no memory.
 */
#include "api/schema.h"

#include "codec/number.h"

struct writing {
    struct sn_json_writer *json;
    bool is_closed;
    struct sn_err *err;
};

static sn_status write_type(const struct writing *it, struct sn_str type, unsigned depth);

static sn_status refuse(struct sn_str text, const char *what, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_INVALID, "type \"%.*s\": %s",
                      (int)(text.len < 60 ? text.len : 60), text.ptr ? text.ptr : "", what);
}

static struct sn_str drop(struct sn_str text, size_t len) {
    return sn_str_make(text.ptr + len, text.len - len);
}

/* ---- cutting ---- */

/* Bytes of a text up to one of `ends` that stands outside of brackets and quotes. */
static size_t span_len(struct sn_str text, const char *ends) {
    size_t depth = 0, i = 0;
    bool is_quoted = false;
    for (; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\'')
            is_quoted = !is_quoted;
        if (is_quoted)
            continue;
        if (depth == 0 && strchr(ends, c) != NULL)
            break;
        depth += c == '{' || c == '(' || c == '[';
        if (depth > 0 && (c == '}' || c == ')' || c == ']'))
            depth--;
    }
    return i;
}

sn_status sn_schema_next_field(struct sn_str *rest, struct sn_schema_field *ret_field,
                               struct sn_err *err) {
    struct sn_schema_field field = {.is_optional = false};
    struct sn_str text = sn_str_trim(*rest);
    if (text.len == 0)
        return SN_ERR_NOT_FOUND;
    size_t len = span_len(text, ",`");
    struct sn_str member = sn_str_trim(sn_str_make(text.ptr, len));
    text = drop(text, len);
    if (text.len > 0 && text.ptr[0] == '`') {
        text = drop(text, 1);
        size_t end = sn_str_find_char(text, '`');
        if (end == SIZE_MAX)
            return refuse(*rest, "a remark has no end", err);
        field.note = sn_str_make(text.ptr, end);
        text = sn_str_trim(drop(text, end + 1));
    }
    if (text.len > 0 && text.ptr[0] != ',')
        return refuse(text, "a comma is missing before it", err);
    *rest = text.len > 0 ? drop(text, 1) : text;
    bool has_type = sn_str_cut(member, ':', &field.name, &field.type);
    field.type = sn_str_trim(field.type);
    if (sn_str_ends_with(field.name, SN_STR("?"))) {
        field.is_optional = true;
        field.name.len--;
    }
    if (field.name.len == 0 || (!has_type && !sn_str_equal(field.name, SN_STR("..."))))
        return refuse(member, "a member is NAME: TYPE", err);
    *ret_field = field;
    return SN_OK;
}

/* What stands between the first and the last byte of "{...}", or between "int(" and ")". */
static bool is_between(struct sn_str type, struct sn_str open, struct sn_str close,
                       struct sn_str *ret_inner) {
    if (!sn_str_starts_with(type, open) || !sn_str_ends_with(type, close) ||
        type.len < open.len + close.len)
        return false;
    *ret_inner = sn_str_make(type.ptr + open.len, type.len - open.len - close.len);
    return true;
}

/* ---- writing ---- */

static void put_text(struct sn_json_writer *json, const char *key, const char *value) {
    sn_json_write_key_string(json, sn_str_from(key), sn_str_from(value));
}

static sn_status write_member(const struct writing *it, const struct sn_schema_field *field,
                              unsigned depth) {
    sn_json_write_key(it->json, field->name);
    if (field->note.len == 0)
        return write_type(it, field->type, depth + 1);
    sn_json_write_object_begin(it->json);
    sn_json_write_key_string(it->json, SN_STR("description"), field->note);
    sn_json_write_key(it->json, SN_STR("allOf")); /* beside $ref as well */
    sn_json_write_array_begin(it->json);
    SN_TRY(write_type(it, field->type, depth + 1));
    sn_json_write_array_end(it->json);
    sn_json_write_object_end(it->json);
    return SN_OK;
}

static sn_status write_required(const struct writing *it, struct sn_str inner) {
    struct sn_schema_field field;
    sn_status status;
    sn_json_write_key(it->json, SN_STR("required"));
    sn_json_write_array_begin(it->json);
    while ((status = sn_schema_next_field(&inner, &field, it->err)) == SN_OK)
        if (!field.is_optional && field.type.len > 0)
            sn_json_write_string(it->json, field.name);
    sn_json_write_array_end(it->json);
    return status == SN_ERR_NOT_FOUND ? SN_OK : status;
}

static sn_status write_object(const struct writing *it, struct sn_str inner, unsigned depth) {
    struct sn_schema_field field;
    struct sn_str rest = inner;
    bool is_open = false;
    sn_status status;
    put_text(it->json, "type", "object");
    sn_json_write_key(it->json, SN_STR("properties"));
    sn_json_write_object_begin(it->json);
    while ((status = sn_schema_next_field(&rest, &field, it->err)) == SN_OK) {
        if (field.type.len > 0)
            SN_TRY(write_member(it, &field, depth));
        else
            is_open = true; /* "..." */
    }
    sn_json_write_object_end(it->json);
    if (status != SN_ERR_NOT_FOUND)
        return status;
    SN_TRY(write_required(it, inner));
    if (is_open || it->is_closed)
        sn_json_write_key_bool(it->json, SN_STR("additionalProperties"), is_open);
    return SN_OK;
}

static sn_status write_tuple(const struct writing *it, struct sn_str inner, unsigned depth) {
    put_text(it->json, "type", "array");
    sn_json_write_key(it->json, SN_STR("prefixItems"));
    sn_json_write_array_begin(it->json);
    uint64_t count = 0;
    for (; inner.len > 0; count++) {
        size_t len = span_len(inner, ",");
        SN_TRY(write_type(it, sn_str_trim(sn_str_make(inner.ptr, len)), depth + 1));
        inner = drop(inner, len < inner.len ? len + 1 : len);
    }
    sn_json_write_array_end(it->json);
    sn_json_write_key_uint64(it->json, SN_STR("minItems"), count);
    sn_json_write_key_bool(it->json, SN_STR("items"), false);
    return SN_OK;
}

static sn_status write_range(const struct writing *it, struct sn_str inner) {
    struct sn_str low, high;
    int64_t min, max;
    if (!sn_str_cut(inner, ',', &low, &high) || sn_int64_parse(sn_str_trim(low), &min) != SN_OK ||
        sn_int64_parse(sn_str_trim(high), &max) != SN_OK)
        return refuse(inner, "a range is int(LOW,HIGH)", it->err);
    put_text(it->json, "type", "integer");
    sn_json_write_key_int64(it->json, SN_STR("minimum"), min);
    sn_json_write_key_int64(it->json, SN_STR("maximum"), max);
    return SN_OK;
}

/* One word: a simple type, or the name of a schema. */
static sn_status write_word(const struct writing *it, struct sn_str word) {
    static const struct {
        const char *word, *type, *format;
    } rows[] = {
        {"string", "string", NULL}, {"number", "number", NULL},      {"int", "integer", NULL},
        {"bool", "boolean", NULL},  {"null", "null", NULL},          {"any", NULL, NULL},
        {"object", "object", NULL}, {"time", "string", "date-time"}, {"uuid", "string", "uuid"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!sn_str_equal(word, sn_str_from(rows[i].word)))
            continue;
        if (rows[i].type != NULL)
            put_text(it->json, "type", rows[i].type);
        if (rows[i].format != NULL)
            put_text(it->json, "format", rows[i].format);
        return SN_OK;
    }
    static const struct sn_str home = SN_STR("#/components/schemas/");
    char ref[80];
    if (word.len == 0 || word.ptr[0] < 'A' || word.ptr[0] > 'Z' || word.len + home.len > sizeof ref)
        return refuse(word, "there is no such type", it->err);
    memcpy(ref, home.ptr, home.len);
    memcpy(ref + home.len, word.ptr, word.len);
    sn_json_write_key_string(it->json, SN_STR("$ref"), sn_str_make(ref, home.len + word.len));
    return SN_OK;
}

static sn_status write_items(const struct writing *it, const char *key, struct sn_str type,
                             unsigned depth) {
    sn_json_write_key(it->json, sn_str_from(key));
    return write_type(it, type, depth + 1);
}

/* A type that is no union, inside the braces of its schema. */
static sn_status write_one(const struct writing *it, struct sn_str type, unsigned depth) {
    struct sn_str inner;
    if (type.len > 2 && is_between(type, SN_STR(""), SN_STR("[]"), &inner)) {
        put_text(it->json, "type", "array");
        return write_items(it, "items", inner, depth);
    }
    if (is_between(type, SN_STR("map("), SN_STR(")"), &inner)) {
        put_text(it->json, "type", "object");
        return write_items(it, "additionalProperties", inner, depth);
    }
    if (is_between(type, SN_STR("int("), SN_STR(")"), &inner))
        return write_range(it, inner);
    if (is_between(type, SN_STR("{"), SN_STR("}"), &inner))
        return write_object(it, inner, depth);
    if (is_between(type, SN_STR("["), SN_STR("]"), &inner))
        return write_tuple(it, inner, depth);
    if (is_between(type, SN_STR("'"), SN_STR("'"), &inner)) {
        sn_json_write_key_string(it->json, SN_STR("const"), inner);
        return SN_OK;
    }
    return write_word(it, type);
}

static sn_status write_union(const struct writing *it, struct sn_str type, unsigned depth) {
    sn_json_write_key(it->json, SN_STR("anyOf"));
    sn_json_write_array_begin(it->json);
    while (type.len > 0) {
        size_t len = span_len(type, "|");
        SN_TRY(write_type(it, sn_str_trim(sn_str_make(type.ptr, len)), depth + 1));
        type = drop(type, len < type.len ? len + 1 : len);
    }
    sn_json_write_array_end(it->json);
    return SN_OK;
}

static sn_status write_type(const struct writing *it, struct sn_str type, unsigned depth) {
    struct sn_str inner;
    if (depth > SN_SCHEMA_DEPTH_MAX)
        return sn_err_set(it->err, SN_ERR_LIMIT, "types are nested more than %d deep",
                          SN_SCHEMA_DEPTH_MAX);
    bool is_union = span_len(type, "|") < type.len;
    if (!is_union && is_between(type, SN_STR("("), SN_STR(")"), &inner))
        return write_type(it, inner, depth + 1);
    sn_json_write_object_begin(it->json);
    SN_TRY(is_union ? write_union(it, type, depth) : write_one(it, type, depth));
    sn_json_write_object_end(it->json);
    return SN_OK;
}

sn_status sn_schema_write(struct sn_json_writer *json, struct sn_str type, bool is_closed,
                          struct sn_err *err) {
    const struct writing it = {json, is_closed, err};
    return write_type(&it, sn_str_trim(type), 0);
}
