/*
 * Lists of targets, in two syntaxes. See target_file.h.
 */
#include "collect/target_file.h"

#include "codec/json_read.h"

#include <yaml.h>

/* An array in an arena that grows. Items are copied when it does. */
static sn_status grow(void *items_at, size_t count, size_t size, struct sn_arena *arena,
                      struct sn_err *err) {
    void *old, *items;
    if (count > 0 && (count & (count - 1)) != 0)
        return SN_OK; /* room up to the next power of two */
    size_t capacity = count > 0 ? 2 * count : 1;
    items = sn_arena_alloc_zero(arena, capacity, size);
    if (items == NULL)
        return sn_arena_failure(arena, capacity * size, err);
    memcpy(&old, items_at, sizeof old);
    if (count > 0)
        memcpy(items, old, count * size);
    memcpy(items_at, &items, sizeof items);
    return SN_OK;
}

static sn_status copy_text(struct sn_str text, struct sn_arena *arena, const char **ret_text,
                           struct sn_err *err) {
    if (sn_str_find_char(text, '\0') != SIZE_MAX || !sn_str_is_utf8(text))
        return sn_err_set(err, SN_ERR_INVALID, "text that is not UTF-8 or has a NUL");
    *ret_text = sn_arena_printf(arena, "%.*s", SN_STR_ARG(text));
    return *ret_text != NULL ? SN_OK : sn_arena_failure(arena, text.len + 1, err);
}

static sn_status add_target(struct sn_target_group *group, struct sn_str text,
                            struct sn_arena *arena, struct sn_err *err) {
    SN_TRY(grow(&group->targets.items, group->targets.count, sizeof(const char *), arena, err));
    SN_TRY(copy_text(text, arena, &group->targets.items[group->targets.count], err));
    group->targets.count++;
    return SN_OK;
}

static sn_status add_label(struct sn_target_group *group, struct sn_str name, struct sn_str value,
                           struct sn_arena *arena, struct sn_err *err) {
    struct sn_pair pair;
    if (name.len == 0)
        return sn_err_set(err, SN_ERR_INVALID, "a label without a name");
    SN_TRY(copy_text(name, arena, &pair.name, err));
    SN_TRY(copy_text(value, arena, &pair.value, err));
    SN_TRY(grow(&group->labels.items, group->labels.count, sizeof pair, arena, err));
    group->labels.items[group->labels.count++] = pair;
    return SN_OK;
}

static sn_status add_group(struct sn_target_group_list *groups, const struct sn_target_group *group,
                           struct sn_pair origin, struct sn_arena *arena, struct sn_err *err) {
    SN_TRY(grow(&groups->items, groups->count, sizeof *group, arena, err));
    groups->items[groups->count] = *group;
    SN_TRY(add_label(&groups->items[groups->count], sn_str_from(origin.name),
                     sn_str_from(origin.value), arena, err));
    groups->count++;
    return SN_OK;
}

/* ---- JSON ---- */

static sn_status read_json_group(struct sn_json_reader *json, struct sn_target_group *group,
                                 struct sn_arena *arena, struct sn_err *err) {
    struct sn_str key, name;
    if (!sn_json_read_object(json))
        return SN_OK; /* finish() tells why */
    while (sn_json_read_key(json, &key)) {
        if (sn_str_equal(key, SN_STR("targets"))) {
            if (!sn_json_read_null_if(json) && sn_json_read_array(json))
                while (sn_json_read_element(json))
                    SN_TRY(add_target(group, sn_json_read_string(json), arena, err));
        } else if (sn_str_equal(key, SN_STR("labels"))) {
            if (!sn_json_read_null_if(json) && sn_json_read_object(json))
                while (sn_json_read_key(json, &name))
                    SN_TRY(add_label(group, name, sn_json_read_string(json), arena, err));
        } else {
            sn_json_read_fail(json, SN_ERR_INVALID, "expected \"targets\" or \"labels\"");
        }
    }
    return SN_OK;
}

static sn_status parse_json(struct sn_str text, struct sn_pair origin, struct sn_arena *arena,
                            struct sn_target_group_list *groups, struct sn_err *err) {
    struct sn_json_reader json;
    struct sn_arena names;
    sn_status status = SN_OK;
    sn_arena_init(&names, SN_TARGET_FILE_MEMORY_MAX);
    sn_json_read_init(&json, text, &(struct sn_json_options){.arena = &names});
    if (sn_json_read_array(&json))
        while (status == SN_OK && sn_json_read_element(&json)) {
            struct sn_target_group group = {.targets = {NULL, 0}};
            status = read_json_group(&json, &group, arena, err);
            if (status == SN_OK && !sn_json_read_failed(&json))
                status = add_group(groups, &group, origin, arena, err);
        }
    if (sn_json_read_failed(&json) || status == SN_OK)
        status = sn_json_read_finish(&json, err);
    sn_arena_release(&names);
    return status;
}

/* ---- YAML ---- */

/* A document while it is read. */
struct yaml {
    yaml_document_t document;
    struct sn_arena *arena;
    struct sn_err *err;
};

static sn_status fail_at(const struct yaml *yaml, const yaml_node_t *node, const char *sentence) {
    return sn_err_set(yaml->err, SN_ERR_INVALID, "line %zu: %s", node->start_mark.line + 1,
                      sentence);
}

static yaml_node_t *node_at(struct yaml *yaml, int index) {
    return yaml_document_get_node(&yaml->document, index);
}

static struct sn_str text_of(const yaml_node_t *node) {
    return sn_str_make(node->data.scalar.value, node->data.scalar.length);
}

static bool is_empty(const yaml_node_t *node) {
    return node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0;
}

static sn_status read_yaml_targets(struct yaml *yaml, const yaml_node_t *list,
                                   struct sn_target_group *group) {
    if (is_empty(list))
        return SN_OK;
    if (list->type != YAML_SEQUENCE_NODE)
        return fail_at(yaml, list, "targets: expected a list");
    for (const yaml_node_item_t *item = list->data.sequence.items.start;
         item < list->data.sequence.items.top; item++) {
        const yaml_node_t *target = node_at(yaml, *item);
        if (target->type != YAML_SCALAR_NODE)
            return fail_at(yaml, target, "a target is a text");
        SN_TRY(add_target(group, text_of(target), yaml->arena, yaml->err));
    }
    return SN_OK;
}

static sn_status read_yaml_labels(struct yaml *yaml, const yaml_node_t *map,
                                  struct sn_target_group *group) {
    if (is_empty(map))
        return SN_OK;
    if (map->type != YAML_MAPPING_NODE)
        return fail_at(yaml, map, "labels: expected a map");
    for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
         pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = node_at(yaml, pair->key), *value = node_at(yaml, pair->value);
        if (name->type != YAML_SCALAR_NODE || value->type != YAML_SCALAR_NODE)
            return fail_at(yaml, name, "a label is a text and its value as well");
        SN_TRY(add_label(group, text_of(name), text_of(value), yaml->arena, yaml->err));
    }
    return SN_OK;
}

static sn_status read_yaml_group(struct yaml *yaml, const yaml_node_t *map,
                                 struct sn_target_group *group) {
    if (map->type != YAML_MAPPING_NODE)
        return fail_at(yaml, map, "expected a map with targets and labels");
    for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
         pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = node_at(yaml, pair->key), *value = node_at(yaml, pair->value);
        if (name->type == YAML_SCALAR_NODE && sn_str_equal(text_of(name), SN_STR("targets")))
            SN_TRY(read_yaml_targets(yaml, value, group));
        else if (name->type == YAML_SCALAR_NODE && sn_str_equal(text_of(name), SN_STR("labels")))
            SN_TRY(read_yaml_labels(yaml, value, group));
        else
            return fail_at(yaml, name, "expected \"targets\" or \"labels\"");
    }
    return SN_OK;
}

static sn_status read_yaml_root(struct yaml *yaml, struct sn_pair origin,
                                struct sn_target_group_list *groups) {
    const yaml_node_t *root = yaml_document_get_root_node(&yaml->document);
    if (root == NULL || is_empty(root))
        return SN_OK;
    if (root->type != YAML_SEQUENCE_NODE)
        return fail_at(yaml, root, "expected a list of groups");
    for (const yaml_node_item_t *item = root->data.sequence.items.start;
         item < root->data.sequence.items.top; item++) {
        struct sn_target_group group = {.targets = {NULL, 0}};
        SN_TRY(read_yaml_group(yaml, node_at(yaml, *item), &group));
        SN_TRY(add_group(groups, &group, origin, yaml->arena, yaml->err));
    }
    return SN_OK;
}

static sn_status parse_yaml(struct sn_str text, struct sn_pair origin, struct sn_arena *arena,
                            struct sn_target_group_list *groups, struct sn_err *err) {
    yaml_parser_t parser;
    struct yaml yaml = {.arena = arena, .err = err};
    sn_status status;
    if (!yaml_parser_initialize(&parser))
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to read YAML");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
    if (!yaml_parser_load(&parser, &yaml.document)) {
        status = sn_err_set(err, SN_ERR_INVALID, "line %zu: %s", parser.problem_mark.line + 1,
                            parser.problem ? parser.problem : "not valid YAML");
    } else {
        status = read_yaml_root(&yaml, origin, groups);
        yaml_document_delete(&yaml.document);
    }
    yaml_parser_delete(&parser);
    return status;
}

sn_status sn_target_file_parse(struct sn_str text, bool is_json, struct sn_pair origin,
                               struct sn_arena *arena, struct sn_target_group_list *ret_groups,
                               struct sn_err *err) {
    struct sn_target_group_list groups = {NULL, 0};
    if (text.len > SN_TARGET_FILE_BYTES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "a list of targets has %zu bytes, the limit is %zu",
                          text.len, SN_TARGET_FILE_BYTES_MAX);
    SN_TRY(is_json ? parse_json(text, origin, arena, &groups, err)
                   : parse_yaml(text, origin, arena, &groups, err));
    *ret_groups = groups;
    return SN_OK;
}
