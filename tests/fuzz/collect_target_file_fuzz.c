/*
 * Lists of targets; the first byte chooses JSON or YAML. Properties: a failure has a sentence; every
 * group ends with the label of its origin, names are not empty, texts are UTF-8.
 */
#include "collect/target_file.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_group(const struct sn_target_group *group) {
    SN_CHECK(group->labels.count > 0);
    SN_CHECK(strcmp(group->labels.items[group->labels.count - 1].name, "__meta_url") == 0);
    for (size_t i = 0; i < group->labels.count; i++) {
        SN_CHECK(group->labels.items[i].name[0] != '\0');
        SN_CHECK(sn_str_is_utf8(sn_str_from(group->labels.items[i].value)));
    }
    for (size_t i = 0; i < group->targets.count; i++)
        SN_CHECK(sn_str_is_utf8(sn_str_from(group->targets.items[i])));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_target_group_list groups = {NULL, 0};
    struct sn_arena arena;
    struct sn_err err = {.status = SN_OK};
    if (len == 0)
        return 0;
    sn_arena_init(&arena, (size_t)8 << 20);
    struct sn_str text = sn_str_make(data + 1, len - 1);
    sn_status status = sn_target_file_parse(
        text, data[0] == 'j', (struct sn_pair){"__meta_url", "u"}, &arena, &groups, &err);
    if (status != SN_OK)
        SN_CHECK(err.status == status && err.text[0] != '\0');
    for (size_t i = 0; i < groups.count; i++)
        check_group(&groups.items[i]);
    sn_arena_release(&arena);
    return 0;
}
