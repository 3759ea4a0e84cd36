/*
 * Commands with arguments from anywhere. Property: the answer is one valid JSON document, and there
 * is a sentence when there is no answer. The first line of the input is the command's name.
 */
#include "base/arena.h"
#include "base/check.h"
#include "codec/json_read.h"
#include "sonde/sonde.h"

#include <string.h>

#define NAME_SIZE 64

static sonde_registry *registry_new(void) {
    sonde_registry *registry = sonde_registry_new(NULL, NULL);
    sonde_operation *get = sonde_operation_get(sonde_service_get(registry, "a"), "get");
    sonde_tracker tracker = sonde_track_begin(get);
    sonde_track_fail(&tracker, "gone");
    sonde_cache_hit(sonde_cache_get(registry, "a", "c"));
    return registry;
}

static void check_json(const char *text, size_t len) {
    struct sn_arena arena;
    struct sn_json_reader json;
    sn_arena_init(&arena, 16 << 20);
    struct sn_json_options options = {.arena = &arena};
    sn_json_read_init(&json, sn_str_make(text, len), &options);
    sn_json_read_skip(&json);
    SN_CHECK(sn_json_read_finish(&json, NULL) == SN_OK);
    sn_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static sonde_registry *registry;
    if (registry == NULL)
        registry = registry_new();
    struct sn_str name, args;
    (void)sn_str_cut(sn_str_make((const char *)data, size), '\n', &name, &args);
    char name_text[NAME_SIZE] = "";
    memcpy(name_text, name.ptr, name.len < NAME_SIZE ? name.len : NAME_SIZE - 1);
    char *json = NULL;
    size_t len = 0;
    sonde_error error;
    if (sonde_command(registry, name_text, args.ptr, args.len, &json, &len, &error) == SONDE_OK) {
        SN_CHECK(strlen(json) == len);
        check_json(json, len);
    } else {
        SN_CHECK(json == NULL && error.text[0] != '\0');
    }
    sonde_free(json);
    return 0;
}
