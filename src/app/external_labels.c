/*
 * external_labels. See external_labels.h.
 */
#include "app/external_labels.h"

#include "base/buf.h"
#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

/* Longer than a name that anyone gives a variable. */
enum { VARIABLE_SIZE = 256 };

static bool is_variable_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/*
 * What stands behind a $: its variable, and how many bytes it takes, as Go's os.Expand reads them. An
 * empty name with bytes is bad syntax, which is eaten; without bytes the $ stands for itself.
 */
static struct sn_str cut_variable(const char *text, size_t *ret_len) {
    size_t len = 0;
    if (text[0] != '\0' && strchr("*#$@!?-0123456789", text[0]) != NULL) {
        *ret_len = 1;
        return sn_str_make(text, 1);
    }
    if (text[0] == '{') {
        const char *end = strchr(text, '}');
        *ret_len = end != NULL ? (size_t)(end - text) + 1 : 1;
        return sn_str_make(text + 1, end != NULL ? (size_t)(end - text) - 1 : 0);
    }
    while (is_variable_byte(text[len]))
        len++;
    *ret_len = len;
    return sn_str_make(text, len);
}

static void put_variable(struct sn_buf *buf, struct sn_str name) {
    char text[VARIABLE_SIZE];
    if (name.len == 0 || name.len >= sizeof text)
        return;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    const char *value = getenv(text);
    sn_buf_put_text(buf, value != NULL ? value : "");
}

static sn_status expand(const char **value, struct sn_arena *arena, struct sn_err *err) {
    struct sn_buf buf;
    struct sn_str copy = {NULL, 0};
    if (strchr(*value, '$') == NULL)
        return SN_OK;
    sn_buf_init(&buf, 0);
    for (const char *at = *value; *at != '\0';) {
        size_t len = strcspn(at, "$");
        sn_buf_put_str(&buf, sn_str_make(at, len));
        at += len;
        if (*at == '$') {
            struct sn_str name = cut_variable(at + 1, &len);
            if (len == 0 || sn_str_equal(name, SN_STR("$")))
                sn_buf_put_byte(&buf, '$');
            else
                put_variable(&buf, name);
            at += 1 + len;
        }
    }
    sn_buf_put_byte(&buf, '\0');
    sn_status status = sn_buf_status(&buf, err);
    if (status == SN_OK && !sn_arena_copy(arena, sn_buf_str(&buf), &copy))
        status = sn_arena_failure(arena, buf.len, err);
    *value = status == SN_OK ? copy.ptr : *value;
    sn_buf_release(&buf);
    return status;
}

static bool is_first(const struct sn_pair_list *pairs, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (strcmp(pairs->items[i].name, pairs->items[at].name) == 0)
            return false;
    return true;
}

sn_status sn_external_labels_complete(struct sn_pair_list *pairs, const char *path,
                                      struct sn_arena *arena, struct sn_err *err) {
    if (pairs->count > SN_LABELS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "%s: external_labels: %zu labels, the limit is %d",
                          path, pairs->count, SN_LABELS_MAX);
    for (size_t i = 0; i < pairs->count; i++) {
        struct sn_pair *pair = &pairs->items[i];
        SN_TRY(expand(&pair->value, arena, err));
        if (pair->name[0] == '\0' || !sn_str_is_utf8(sn_str_from(pair->name)) ||
            !sn_str_is_utf8(sn_str_from(pair->value)))
            return sn_err_set(err, SN_ERR_INVALID,
                              "%s: external_labels: \"%.64s\" is not a label: name and value are "
                              "UTF-8, the name is not empty",
                              path, pair->name);
        if (!is_first(pairs, i))
            return sn_err_set(err, SN_ERR_INVALID, "%s: external_labels: \"%.64s\" is there twice",
                              path, pair->name);
    }
    return SN_OK;
}
