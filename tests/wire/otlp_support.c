/* See otlp_support.h. */
#include "otlp_support.h"

#include <stdlib.h>

void otlp_from_text(enum sn_otlp_signal signal, const char *json, struct sn_buf *ret_protobuf) {
    struct sn_arena arena;
    struct sn_err err = {.status = SN_OK};
    size_t len = strlen(json);
    char *copy = calloc(1, len + 1);
    assert_non_null(copy);
    for (size_t i = 0; i < len; i++) {
        copy[i] = json[i];
        if (copy[i] == '\'') {
            copy[i] = '"';
        }
    }
    sn_arena_init(&arena, 0);
    sn_buf_init(ret_protobuf, 0);
    sn_status status =
        sn_otlp_from_json(signal, sn_str_make(copy, len), 1, &arena, ret_protobuf, &err);
    sn_arena_release(&arena);
    free(copy);
    if (status != SN_OK) {
        fail_msg("%s in %s", err.text, json);
    }
}
