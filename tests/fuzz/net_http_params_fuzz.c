/* Property: parameters hold no NUL, are no longer than the text, and encoded anew they read the
 * same. */
#include "base/buf.h"
#include "net/http_priv.h"

#include <stdlib.h>

static void put_escaped(struct sn_buf *out, struct sn_str text) {
    for (size_t i = 0; i < text.len; i++)
        sn_buf_printf(out, "%%%02X", (unsigned char)text.ptr[i]);
}

static void check_same(const struct sn_http_fields *a, const struct sn_http_fields *b) {
    if (a->count != b->count)
        abort();
    for (size_t i = 0; i < a->count; i++) {
        if (!sn_str_equal(a->items[i].name, b->items[i].name) ||
            !sn_str_equal(a->items[i].value, b->items[i].value))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sn_arena arena;
    struct sn_buf text;
    struct sn_http_fields first = {0};
    struct sn_http_fields second = {0};
    size_t bytes = 0;
    sn_arena_init(&arena, 4 << 20);
    sn_buf_init(&text, 0);
    if (sn_http_params_append(&arena, sn_str_make(data, size), &first, NULL) == SN_OK) {
        for (size_t i = 0; i < first.count; i++) {
            struct sn_str value = first.items[i].value;
            if (value.len > 0 && memchr(value.ptr, 0, value.len) != NULL)
                abort();
            bytes += value.len + first.items[i].name.len;
            put_escaped(&text, first.items[i].name);
            sn_buf_put_byte(&text, '=');
            put_escaped(&text, value);
            sn_buf_put_byte(&text, '&');
        }
        if (bytes > size ||
            sn_http_params_append(&arena, sn_buf_str(&text), &second, NULL) != SN_OK)
            abort();
        check_same(&first, &second);
    }
    sn_buf_release(&text);
    sn_arena_release(&arena);
    return 0;
}
