/*
 * YAML by a table of keys. See schema.h.
 */
#include "app/schema.h"

#include "base/limits.h"
#include "codec/duration.h"
#include "codec/number.h"

#include <yaml.h>

/* What one reading carries around. */
struct reading {
    const char *name;
    yaml_document_t *document;
    struct sn_arena *arena;
    struct sn_buf *warnings; /* NULL: nobody asks */
    size_t node_count;       /* walked so far */
    struct sn_err *err;
};

static struct sn_str scalar_text(const yaml_node_t *node) {
    return sn_str_make(node->data.scalar.value, node->data.scalar.length);
}

/* Fail with "file:line:column: sentence"; err holds the sentence already when format is NULL. */
static sn_status fail_at(const struct reading *r, const yaml_node_t *node, sn_status status) {
    sn_err_prefix(r->err, "%s:%zu:%zu", r->name, node->start_mark.line + 1,
                  node->start_mark.column + 1);
    return status;
}

/* ---- did you mean ---- */

const char *sn_schema_nearest(struct sn_str word, const char *(*name_of)(const void *ctx, size_t i),
                              const void *ctx, size_t count) {
    const char *nearest = NULL;
    unsigned best = 3; /* more than two slips is another word */
    for (size_t i = 0; i < count; i++) {
        unsigned distance = sn_str_distance(word, sn_str_from(name_of(ctx, i)), best - 1);
        if (distance < best && distance < word.len) {
            best = distance;
            nearest = name_of(ctx, i);
        }
    }
    return nearest;
}

static const char *key_name(const void *ctx, size_t i) {
    return ((const struct sn_schema_key *)ctx)[i].name;
}

static const char *choice_name(const void *ctx, size_t i) {
    return ((const char *const *)ctx)[i];
}

static sn_status unknown_key(const struct reading *r, const yaml_node_t *node,
                             const struct sn_schema_key *keys, size_t key_count) {
    struct sn_str word = scalar_text(node);
    const char *nearest = sn_schema_nearest(word, key_name, keys, key_count);
    int shown = (int)(word.len < 64 ? word.len : 64);
    (void)sn_err_set(r->err, SN_ERR_INVALID, "unknown key \"%.*s\"%s%s%s", shown, word.ptr,
                     nearest ? ", did you mean \"" : "", nearest ? nearest : "",
                     nearest ? "\"?" : "");
    return fail_at(r, node, SN_ERR_INVALID);
}

/* ---- values ---- */

static void *field_of(void *target, const struct sn_schema_key *key) {
    return (char *)target + key->offset;
}

sn_status sn_schema_parse_bytes(struct sn_str text, int64_t *ret_bytes, struct sn_err *err) {
    static const struct {
        struct sn_str suffix;
        int64_t factor;
    } units[] = {
        {SN_STR("KiB"), INT64_C(1) << 10},
        {SN_STR("MiB"), INT64_C(1) << 20},
        {SN_STR("GiB"), INT64_C(1) << 30},
        {SN_STR("TiB"), INT64_C(1) << 40},
        {SN_STR("kB"), 1000},
        {SN_STR("MB"), 1000000},
        {SN_STR("GB"), 1000000000},
        {SN_STR("TB"), INT64_C(1000000000000)},
        {SN_STR("B"), 1},
    };
    struct sn_str number = text;
    int64_t factor = 1, count;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (sn_str_ends_with(text, units[i].suffix)) {
            number = sn_str_trim(sn_str_make(text.ptr, text.len - units[i].suffix.len));
            factor = units[i].factor;
            break;
        }
    if (sn_int64_parse(number, &count) != SN_OK || count < 0)
        return sn_err_set(err, SN_ERR_INVALID, "\"%.*s\" is not a size, such as 64MiB",
                          SN_STR_ARG(text));
    if (count > INT64_MAX / factor)
        return sn_err_set(err, SN_ERR_LIMIT, "\"%.*s\" is too large a size", SN_STR_ARG(text));
    *ret_bytes = count * factor;
    return SN_OK;
}

static sn_status parse_bool(struct sn_str text, bool *ret_value, struct sn_err *err) {
    static const char *const words[] = {"true", "yes", "True", "on", "false", "no", "False", "off"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (sn_str_equal(text, sn_str_from(words[i]))) {
            *ret_value = i < 4;
            return SN_OK;
        }
    return sn_err_set(err, SN_ERR_INVALID, "\"%.*s\" is neither true nor false", SN_STR_ARG(text));
}

static sn_status parse_choice(struct sn_str text, const char *const *choices, int *ret_choice,
                              struct sn_err *err) {
    size_t count = 0;
    for (; choices[count] != NULL; count++)
        if (sn_str_equal(text, sn_str_from(choices[count]))) {
            *ret_choice = (int)count;
            return SN_OK;
        }
    const char *nearest = sn_schema_nearest(text, choice_name, choices, count);
    return sn_err_set(err, SN_ERR_INVALID, "\"%.*s\" is not known here, did you mean \"%s\"?",
                      SN_STR_ARG(text), nearest ? nearest : choices[0]);
}

static sn_status check_range(const struct sn_schema_key *key, struct sn_str text, int64_t value,
                             struct sn_err *err) {
    if (value >= key->min && value <= key->max)
        return SN_OK;
    if (key->type == SN_SCHEMA_DURATION) {
        char low[SN_DURATION_TEXT_SIZE], high[SN_DURATION_TEXT_SIZE];
        (void)sn_duration_format(key->min, low); /* only the length is returned */
        (void)sn_duration_format(key->max, high);
        return sn_err_set(err, SN_ERR_INVALID, "%s: %.*s is outside %s to %s", key->name,
                          SN_STR_ARG(text), low, high);
    }
    return sn_err_set(err, SN_ERR_INVALID, "%s: %.*s is outside %lld to %lld", key->name,
                      SN_STR_ARG(text), (long long)key->min, (long long)key->max);
}

static sn_status parse_number(const struct sn_schema_key *key, struct sn_str text,
                              int64_t *ret_value, struct sn_err *err) {
    int64_t value = 0;
    if (key->type == SN_SCHEMA_DURATION)
        SN_TRY(sn_duration_parse_ms(text, &value, err));
    else if (key->type == SN_SCHEMA_BYTES)
        SN_TRY(sn_schema_parse_bytes(text, &value, err));
    else if (sn_int64_parse(text, &value) != SN_OK)
        return sn_err_set(err, SN_ERR_INVALID, "%s: \"%.*s\" is not a whole number", key->name,
                          SN_STR_ARG(text));
    SN_TRY(check_range(key, text, value, err));
    *ret_value = value;
    return SN_OK;
}

static sn_status parse_text(struct reading *r, struct sn_str text, const char **ret_text) {
    struct sn_str copy;
    char *with_nul = sn_arena_alloc(r->arena, text.len + 1);
    if (with_nul == NULL)
        return sn_arena_failure(r->arena, text.len + 1, r->err);
    copy = sn_str_make(with_nul, text.len);
    if (sn_str_find_char(text, '\0') != SIZE_MAX)
        return sn_err_set(r->err, SN_ERR_INVALID, "text with a NUL character");
    memcpy(with_nul, text.ptr, text.len);
    with_nul[text.len] = '\0';
    *ret_text = copy.ptr;
    return SN_OK;
}

static sn_status parse_scalar(struct reading *r, const struct sn_schema_key *key,
                              struct sn_str text, void *target) {
    void *field = field_of(target, key);
    switch (key->type) {
    case SN_SCHEMA_TEXT:
        return parse_text(r, text, field);
    case SN_SCHEMA_INTEGER:
    case SN_SCHEMA_DURATION:
    case SN_SCHEMA_BYTES:
        return parse_number(key, text, field, r->err);
    case SN_SCHEMA_BOOL:
        return parse_bool(text, field, r->err);
    case SN_SCHEMA_CHOICE:
        return parse_choice(text, key->choices, field, r->err);
    case SN_SCHEMA_PARSED:
        return key->parse(field, text, r->err);
    case SN_SCHEMA_MAP:
    case SN_SCHEMA_FREE_MAP:
    case SN_SCHEMA_TEXTS:
    case SN_SCHEMA_PAIRS:
    case SN_SCHEMA_PARAMS:
    case SN_SCHEMA_LIST:
    case SN_SCHEMA_KEPT:
    case SN_SCHEMA_REFUSED:
        break;
    }
    return sn_err_set(r->err, SN_ERR_INVALID, "%s: expected a map of keys", key->name);
}

/* ---- maps ---- */

static sn_status read_map(struct reading *r, yaml_node_t *map, const struct sn_schema_key *of,
                          void *target, unsigned depth);

static yaml_node_t *node_at(const struct reading *r, int index) {
    return yaml_document_get_node(r->document, index);
}

/* An empty value ("storage:" and nothing below it, ~, null) leaves the defaults. */
static bool is_null(const yaml_node_t *node) {
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    struct sn_str text = scalar_text(node);
    return text.len == 0 || sn_str_equal(text, SN_STR("~")) || sn_str_equal(text, SN_STR("null"));
}

/* Aliases make a small file large: what is walked has a limit. */
static sn_status count_node(struct reading *r, const yaml_node_t *node) {
    if (++r->node_count <= SN_CONFIG_NODES_MAX)
        return SN_OK;
    (void)sn_err_set(r->err, SN_ERR_LIMIT, "more than %zu values", SN_CONFIG_NODES_MAX);
    return fail_at(r, node, SN_ERR_LIMIT);
}

static bool has_earlier_twin(const struct reading *r, const yaml_node_t *map,
                             const yaml_node_pair_t *pair) {
    struct sn_str word = scalar_text(node_at(r, pair->key));
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < pair; p++)
        if (sn_str_equal(scalar_text(node_at(r, p->key)), word))
            return true;
    return false;
}

static sn_status check_key(const struct reading *r, const yaml_node_t *map,
                           const yaml_node_pair_t *pair) {
    const yaml_node_t *key = node_at(r, pair->key);
    if (key->type != YAML_SCALAR_NODE) {
        (void)sn_err_set(r->err, SN_ERR_INVALID, "a key must be plain text");
        return fail_at(r, key, SN_ERR_INVALID);
    }
    if (has_earlier_twin(r, map, pair)) {
        (void)sn_err_set(r->err, SN_ERR_INVALID, "key \"%.*s\" stands here twice",
                         SN_STR_ARG(scalar_text(key)));
        return fail_at(r, key, SN_ERR_INVALID);
    }
    return SN_OK;
}

static sn_status expect(const struct reading *r, const yaml_node_t *node, yaml_node_type_t type,
                        const char *name) {
    if (node->type == type)
        return SN_OK;
    (void)sn_err_set(r->err, SN_ERR_INVALID, "%s: expected a %s", name,
                     type == YAML_MAPPING_NODE    ? "map of keys"
                     : type == YAML_SEQUENCE_NODE ? "list"
                                                  : "single value");
    return fail_at(r, node, SN_ERR_INVALID);
}

static sn_status expect_map(const struct reading *r, const yaml_node_t *node, const char *name) {
    return expect(r, node, YAML_MAPPING_NODE, name);
}

static sn_status read_free_map(struct reading *r, yaml_node_t *map, const struct sn_schema_key *key,
                               void *target, unsigned depth) {
    const yaml_node_pair_t *end = map->data.mapping.pairs.top;
    for (yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < end; pair++) {
        const struct sn_schema_key *children;
        size_t child_count;
        void *child_target;
        SN_TRY(check_key(r, map, pair));
        yaml_node_t *name = node_at(r, pair->key), *value = node_at(r, pair->value);
        sn_status status = key->entry(target, scalar_text(name), r->arena, &children, &child_count,
                                      &child_target, r->err);
        if (status != SN_OK)
            return fail_at(r, name, status);
        if (is_null(value))
            continue;
        SN_TRY(expect_map(r, value, key->name));
        const struct sn_schema_key of = {
            .name = key->name, .children = children, .child_count = child_count};
        SN_TRY(read_map(r, value, &of, child_target, depth + 1));
    }
    return SN_OK;
}

/* ---- lists and maps of texts ---- */

static sn_status take_array(struct reading *r, size_t count, size_t size, void **ret_items) {
    *ret_items = sn_arena_alloc_zero(r->arena, count, size);
    return *ret_items != NULL ? SN_OK : sn_arena_failure(r->arena, count * size, r->err);
}

/* A scalar as text; an empty one is an empty text. */
static sn_status read_text(struct reading *r, yaml_node_t *node, const char *name,
                           const char **ret_text) {
    SN_TRY(count_node(r, node));
    SN_TRY(expect(r, node, YAML_SCALAR_NODE, name));
    sn_status status = parse_text(r, scalar_text(node), ret_text);
    return status == SN_OK ? SN_OK : fail_at(r, node, status);
}

static sn_status read_texts(struct reading *r, yaml_node_t *list, const char *name,
                            struct sn_schema_texts *ret_texts) {
    struct sn_schema_texts texts = {NULL, 0};
    void *items;
    SN_TRY(expect(r, list, YAML_SEQUENCE_NODE, name));
    const yaml_node_item_t *start = list->data.sequence.items.start;
    size_t count = (size_t)(list->data.sequence.items.top - start);
    SN_TRY(take_array(r, count, sizeof *texts.items, &items));
    for (texts.items = items; texts.count < count; texts.count++)
        SN_TRY(read_text(r, node_at(r, start[texts.count]), name, &texts.items[texts.count]));
    *ret_texts = texts;
    return SN_OK;
}

/* A map of texts, or of lists of texts. */
static sn_status read_pairs(struct reading *r, yaml_node_t *map, const struct sn_schema_key *key,
                            struct sn_schema_list *ret_list) {
    SN_TRY(expect_map(r, map, key->name));
    const yaml_node_pair_t *start = map->data.mapping.pairs.start;
    size_t count = (size_t)(map->data.mapping.pairs.top - start);
    bool is_params = key->type == SN_SCHEMA_PARAMS;
    void *items;
    SN_TRY(take_array(r, count,
                      is_params ? sizeof(struct sn_schema_param) : sizeof(struct sn_schema_pair),
                      &items));
    for (size_t i = 0; i < count; i++) {
        struct sn_schema_pair *pair = (struct sn_schema_pair *)items + i;
        struct sn_schema_param *param = (struct sn_schema_param *)items + i;
        yaml_node_t *name = node_at(r, start[i].key), *value = node_at(r, start[i].value);
        SN_TRY(check_key(r, map, &start[i]));
        SN_TRY(read_text(r, name, key->name, is_params ? &param->name : &pair->name));
        if (is_params)
            SN_TRY(read_texts(r, value, key->name, &param->values));
        else
            SN_TRY(read_text(r, value, key->name, &pair->value));
    }
    *ret_list = (struct sn_schema_list){items, count};
    return SN_OK;
}

static sn_status read_item(struct reading *r, yaml_node_t *node, const struct sn_schema_key *key,
                           void *item, unsigned depth) {
    SN_TRY(count_node(r, node));
    if (key->begin != NULL)
        key->begin(item, node->start_mark.line + 1);
    if (is_null(node))
        return SN_OK;
    SN_TRY(expect_map(r, node, key->name));
    return read_map(r, node, key, item, depth + 1);
}

static sn_status read_list(struct reading *r, yaml_node_t *list, const struct sn_schema_key *key,
                           struct sn_schema_list *ret_list, unsigned depth) {
    struct sn_schema_list result = {NULL, 0};
    SN_TRY(expect(r, list, YAML_SEQUENCE_NODE, key->name));
    const yaml_node_item_t *start = list->data.sequence.items.start;
    size_t count = (size_t)(list->data.sequence.items.top - start);
    SN_TRY(take_array(r, count, key->item_size, &result.items));
    /* The list is the target's before it is complete, so that it is released after a failure. */
    for (; result.count < count; result.count++) {
        ret_list->items = result.items;
        ret_list->count = result.count + 1;
        char *item = (char *)result.items + result.count * key->item_size;
        SN_TRY(read_item(r, node_at(r, start[result.count]), key, item, depth));
    }
    *ret_list = result;
    return SN_OK;
}

/* ---- values that are not read ---- */

static void warn(struct reading *r, const yaml_node_t *node, const struct sn_schema_key *key) {
    if (r->warnings == NULL || key->sentence == NULL)
        return;
    sn_buf_printf(r->warnings, "%s:%zu:%zu: %s: %s\n", r->name, node->start_mark.line + 1,
                  node->start_mark.column + 1, key->name, key->sentence);
}

static sn_status refuse(const struct reading *r, const yaml_node_t *node,
                        const struct sn_schema_key *key) {
    (void)sn_err_set(r->err, SN_ERR_INVALID, "%s %s", key->name, key->sentence);
    return fail_at(r, node, SN_ERR_INVALID);
}

static sn_status read_value(struct reading *r, yaml_node_t *name, yaml_node_t *value,
                            const struct sn_schema_key *key, void *target, unsigned depth) {
    SN_TRY(count_node(r, value));
    if (key->type == SN_SCHEMA_REFUSED)
        return refuse(r, name, key);
    warn(r, name, key);
    if (key->type == SN_SCHEMA_KEPT || is_null(value))
        return SN_OK;
    if (key->scalar != NULL && value->type == YAML_SCALAR_NODE)
        key = key->scalar;
    switch (key->type) {
    case SN_SCHEMA_MAP:
        SN_TRY(expect_map(r, value, key->name));
        return read_map(r, value, key, target, depth + 1);
    case SN_SCHEMA_FREE_MAP:
        SN_TRY(expect_map(r, value, key->name));
        return read_free_map(r, value, key, target, depth);
    case SN_SCHEMA_TEXTS:
        return read_texts(r, value, key->name, field_of(target, key));
    case SN_SCHEMA_PAIRS:
    case SN_SCHEMA_PARAMS:
        return read_pairs(r, value, key, field_of(target, key));
    case SN_SCHEMA_LIST:
        return read_list(r, value, key, field_of(target, key), depth);
    case SN_SCHEMA_TEXT:
    case SN_SCHEMA_INTEGER:
    case SN_SCHEMA_DURATION:
    case SN_SCHEMA_BYTES:
    case SN_SCHEMA_BOOL:
    case SN_SCHEMA_CHOICE:
    case SN_SCHEMA_PARSED:
    case SN_SCHEMA_KEPT:
    case SN_SCHEMA_REFUSED:
        break;
    }
    SN_TRY(expect(r, value, YAML_SCALAR_NODE, key->name));
    sn_status status = parse_scalar(r, key, scalar_text(value), target);
    return status == SN_OK ? SN_OK : fail_at(r, value, status);
}

static size_t count_keys(const struct sn_schema_key *of) {
    size_t count = of->child_count;
    if (count == 0)
        while (of->children[count].name != NULL)
            count++;
    return count;
}

static const struct sn_schema_key *find_key(const struct sn_schema_key *of, struct sn_str name) {
    size_t count = count_keys(of);
    for (size_t i = 0; i < count; i++)
        if (sn_str_equal(name, sn_str_from(of->children[i].name)))
            return &of->children[i];
    return NULL;
}

/* Whether a map says a key itself. */
static bool says(const struct reading *r, const yaml_node_t *map, struct sn_str name) {
    const yaml_node_pair_t *end = map->data.mapping.pairs.top;
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < end; p++) {
        const yaml_node_t *key = node_at(r, p->key);
        if (key->type == YAML_SCALAR_NODE && sn_str_equal(scalar_text(key), name))
            return true;
    }
    return false;
}

static bool is_merge(const yaml_node_t *key) {
    return key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           sn_str_equal(scalar_text(key), SN_STR("<<"));
}

/* Read the keys of a map; those that `over` (may be NULL) says itself are left out. */
static sn_status read_keys(struct reading *r, yaml_node_t *map, const yaml_node_t *over,
                           const struct sn_schema_key *of, void *target, unsigned depth);

/* "<<: *defaults": the keys of another map, or of several, that this one does not say. */
static sn_status read_merge(struct reading *r, yaml_node_t *value, const yaml_node_t *map,
                            const struct sn_schema_key *of, void *target, unsigned depth) {
    if (value->type == YAML_MAPPING_NODE)
        return read_keys(r, value, map, of, target, depth + 1);
    SN_TRY(expect(r, value, YAML_SEQUENCE_NODE, "<<"));
    /* The first one wins: read from behind. */
    const yaml_node_item_t *start = value->data.sequence.items.start;
    for (const yaml_node_item_t *item = value->data.sequence.items.top; item-- > start;) {
        yaml_node_t *one = node_at(r, *item);
        SN_TRY(expect_map(r, one, "<<"));
        SN_TRY(read_keys(r, one, map, of, target, depth + 1));
    }
    return SN_OK;
}

static sn_status read_keys(struct reading *r, yaml_node_t *map, const yaml_node_t *over,
                           const struct sn_schema_key *of, void *target, unsigned depth) {
    if (depth > SN_CONFIG_DEPTH_MAX) {
        (void)sn_err_set(r->err, SN_ERR_LIMIT, "nested deeper than %d", SN_CONFIG_DEPTH_MAX);
        return fail_at(r, map, SN_ERR_LIMIT);
    }
    const yaml_node_pair_t *end = map->data.mapping.pairs.top;
    for (yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < end; pair++) {
        SN_TRY(check_key(r, map, pair));
        yaml_node_t *name = node_at(r, pair->key), *value = node_at(r, pair->value);
        if (is_merge(name)) {
            SN_TRY(read_merge(r, value, map, of, target, depth));
            continue;
        }
        if (over != NULL && says(r, over, scalar_text(name)))
            continue;
        const struct sn_schema_key *key = find_key(of, scalar_text(name));
        if (key == NULL)
            return unknown_key(r, name, of->children, count_keys(of));
        SN_TRY(read_value(r, name, value, key, target, depth));
    }
    return SN_OK;
}

static sn_status read_map(struct reading *r, yaml_node_t *map, const struct sn_schema_key *of,
                          void *target, unsigned depth) {
    SN_TRY(read_keys(r, map, NULL, of, target, depth));
    if (of->finish == NULL)
        return SN_OK;
    sn_status status = of->finish(target, r->err);
    return status == SN_OK ? SN_OK : fail_at(r, map, status);
}

/* ---- documents ---- */

/* What has been seen of a file so far. */
struct shape {
    unsigned depth;
    unsigned document_count;
};

static sn_status check_event(const char *name, const yaml_event_t *event, struct shape *shape,
                             struct sn_err *err) {
    const yaml_mark_t *mark = &event->start_mark;
    if (event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT)
        shape->depth++;
    if (event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT)
        shape->depth--;
    if (event->type == YAML_DOCUMENT_START_EVENT)
        shape->document_count++;
    if (shape->document_count > 1)
        return sn_err_set(err, SN_ERR_INVALID, "%s:%zu:%zu: only one document is read", name,
                          mark->line + 1, mark->column + 1);
    if (shape->depth > SN_CONFIG_DEPTH_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "%s:%zu:%zu: nested deeper than %d", name,
                          mark->line + 1, mark->column + 1, SN_CONFIG_DEPTH_MAX);
    return SN_OK;
}

/*
 * Look at the events before a document is built from them: the depth is limited, because libyaml's
 * composer recurses; what follows the first document would be ignored.
 */
static sn_status check_events(const char *name, struct sn_str text, struct sn_err *err) {
    yaml_parser_t parser;
    yaml_event_t event;
    yaml_event_type_t type = YAML_NO_EVENT;
    struct shape shape = {.depth = 0};
    sn_status status = SN_OK;
    if (!yaml_parser_initialize(&parser))
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to read %s", name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
    while (status == SN_OK && type != YAML_STREAM_END_EVENT) {
        if (!yaml_parser_parse(&parser, &event)) {
            status = sn_err_set(err, SN_ERR_INVALID, "%s:%zu:%zu: %s", name,
                                parser.problem_mark.line + 1, parser.problem_mark.column + 1,
                                parser.problem ? parser.problem : "not valid YAML");
            break;
        }
        type = event.type;
        status = check_event(name, &event, &shape, err);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return status;
}

static sn_status read_document(struct reading *r, const struct sn_schema_key *keys,
                               size_t key_count, void *target) {
    yaml_node_t *root = yaml_document_get_root_node(r->document);
    if (root == NULL || is_null(root))
        return SN_OK;
    const struct sn_schema_key of = {.children = keys, .child_count = key_count};
    SN_TRY(expect_map(r, root, "configuration"));
    return read_map(r, root, &of, target, 1);
}

sn_status sn_schema_read(const char *name, struct sn_str text, const struct sn_schema_key *keys,
                         size_t key_count, void *target, struct sn_arena *arena,
                         struct sn_err *err) {
    return sn_schema_read_warned(name, text, keys, key_count, target, arena, NULL, err);
}

sn_status sn_schema_read_warned(const char *name, struct sn_str text,
                                const struct sn_schema_key *keys, size_t key_count, void *target,
                                struct sn_arena *arena, struct sn_buf *warnings,
                                struct sn_err *err) {
    struct sn_err local;
    err = err ? err : &local; /* fail_at puts the place in front of a sentence that must exist */
    if (text.len > SN_CONFIG_BYTES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "%s has %zu bytes, the limit is %zu", name, text.len,
                          SN_CONFIG_BYTES_MAX);
    SN_TRY(check_events(name, text, err));
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to read %s", name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
    sn_status status;
    if (!yaml_parser_load(&parser, &document)) {
        status = sn_err_set(err, SN_ERR_INVALID, "%s:%zu:%zu: %s", name,
                            parser.problem_mark.line + 1, parser.problem_mark.column + 1,
                            parser.problem ? parser.problem : "not valid YAML");
    } else {
        struct reading r = {
            .name = name, .document = &document, .arena = arena, .warnings = warnings, .err = err};
        status = read_document(&r, keys, key_count, target);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return status;
}
