/*
 * Functions that work on labels: label_replace, label_join, sort_by_label.
 *
 * Only for src/query; one thread per query.
 */
#include "query/eval_priv.h"

#include "base/mem.h"
#include "regex/regex.h"

static struct sn_str string_arg(const struct sn_node *call, size_t index) {
    return sn_node_strip_parens(call->call.args[index])->string;
}

static bool is_label_name(struct sn_str name) {
    return name.len > 0 && sn_str_is_utf8(name);
}

static sn_status check_label_name(struct sn_eval *eval, const struct sn_node *node,
                                  const char *which, struct sn_str name) {
    if (is_label_name(name)) {
        return SN_OK;
    }
    return sn_eval_fail(eval, "invalid %s label name in %s(): %.*s", which,
                        node->call.function->name, SN_STR_ARG(name));
}

/* ---- label_replace ---- */

static void free_regex(struct sn_regex **regex) {
    (void)sn_regex_free(*regex); /* always NULL */
}

static void release_buf(struct sn_buf *buf) {
    sn_buf_release(buf);
}

static sn_status replace_label(struct sn_eval *eval, const struct sn_node *node,
                               const struct sn_regex *regex, struct sn_row *row) {
    struct sn_str source = sn_labels_get(row->labels, string_arg(node, 3));
    SN_CLEANUP(release_buf) struct sn_buf buf;
    struct sn_str value;
    bool is_match;
    if (source.len == 0) {
        source = SN_STR(""); /* groups are pointers into it, so it must not be NULL */
    }
    sn_buf_init(&buf, eval->arena->limit);
    SN_TRY(sn_regex_expand(regex, source, string_arg(node, 2), &is_match, &buf, eval->err));
    SN_TRY(sn_buf_status(&buf, eval->err));
    if (!is_match) {
        return SN_OK;
    }
    if (!sn_arena_copy(eval->arena, sn_buf_str(&buf), &value)) {
        return sn_arena_failure(eval->arena, buf.len, eval->err);
    }
    struct sn_label label = {string_arg(node, 1), value};
    return sn_labels_set(eval, row->labels, label, &row->labels);
}

sn_status sn_call_label_replace(struct sn_eval *eval, const struct sn_node *node,
                                struct sn_frame *frame, struct sn_vector *ret_vector) {
    SN_CLEANUP(free_regex) struct sn_regex *regex = NULL;
    struct sn_str pattern = string_arg(node, 4);
    sn_status status = sn_regex_new_capturing(pattern, &regex, eval->err);
    if (status == SN_ERR_INVALID) {
        return sn_eval_fail(eval, "invalid regular expression in label_replace(): %.*s",
                            SN_STR_ARG(pattern));
    }
    SN_TRY(status);
    SN_TRY(check_label_name(eval, node, "destination", string_arg(node, 1)));
    SN_TRY(sn_eval_vector(eval, node->call.args[0], frame, ret_vector));
    for (size_t i = 0; i < ret_vector->count; i++) {
        SN_TRY(sn_eval_check(eval));
        SN_TRY(replace_label(eval, node, regex, &ret_vector->rows[i]));
    }
    return sn_vector_finish(eval, frame, ret_vector);
}

/* ---- label_join ---- */

static sn_status join_labels(struct sn_eval *eval, const struct sn_node *node, struct sn_row *row) {
    struct sn_str separator = string_arg(node, 2);
    size_t len = 0;
    for (size_t i = 3; i < node->call.count; i++) {
        len += sn_labels_get(row->labels, string_arg(node, i)).len + separator.len;
    }
    void *memory = NULL;
    SN_TRY(sn_eval_alloc(eval, len, 1, &memory));
    char *text = memory;
    size_t at = 0;
    for (size_t i = 3; i < node->call.count; i++) {
        struct sn_str parts[2] = {i > 3 ? separator : sn_str_make(NULL, 0),
                                  sn_labels_get(row->labels, string_arg(node, i))};
        for (size_t k = 0; k < 2; k++) {
            if (parts[k].len > 0) {
                memcpy(text + at, parts[k].ptr, parts[k].len);
                at += parts[k].len;
            }
        }
    }
    struct sn_label label = {string_arg(node, 1), sn_str_make(text, at)};
    return sn_labels_set(eval, row->labels, label, &row->labels);
}

sn_status sn_call_label_join(struct sn_eval *eval, const struct sn_node *node,
                             struct sn_frame *frame, struct sn_vector *ret_vector) {
    for (size_t i = 3; i < node->call.count; i++) {
        SN_TRY(check_label_name(eval, node, "source", string_arg(node, i)));
    }
    SN_TRY(check_label_name(eval, node, "destination", string_arg(node, 1)));
    SN_TRY(sn_eval_vector(eval, node->call.args[0], frame, ret_vector));
    for (size_t i = 0; i < ret_vector->count; i++) {
        SN_TRY(sn_eval_check(eval));
        SN_TRY(join_labels(eval, node, &ret_vector->rows[i]));
    }
    return sn_vector_finish(eval, frame, ret_vector);
}

/* ---- sort_by_label ---- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Take the leading run of digits, or of anything else. */
static struct sn_str take_chunk(struct sn_str *text) {
    size_t len = 1;
    while (len < text->len && is_digit(text->ptr[len]) == is_digit(text->ptr[0])) {
        len++;
    }
    struct sn_str chunk = sn_str_make(text->ptr, len);
    *text = sn_str_make(text->ptr + len, text->len - len);
    return chunk;
}

static struct sn_str without_zeros(struct sn_str digits) {
    while (digits.len > 1 && digits.ptr[0] == '0') {
        digits = sn_str_make(digits.ptr + 1, digits.len - 1);
    }
    return digits;
}

static int compare_numbers(struct sn_str a, struct sn_str b) {
    a = without_zeros(a);
    b = without_zeros(b);
    return a.len != b.len ? (a.len > b.len) - (a.len < b.len) : sn_str_compare(a, b);
}

/* "node9" before "node10". */
static int compare_naturally(struct sn_str a, struct sn_str b) {
    while (a.len > 0 && b.len > 0) {
        bool are_numbers = is_digit(a.ptr[0]) && is_digit(b.ptr[0]);
        struct sn_str chunk_a = take_chunk(&a);
        struct sn_str chunk_b = take_chunk(&b);
        int order =
            are_numbers ? compare_numbers(chunk_a, chunk_b) : sn_str_compare(chunk_a, chunk_b);
        if (order != 0) {
            return order;
        }
    }
    return (a.len > 0) - (b.len > 0);
}

static int compare_by_labels(const void *ctx, const struct sn_row *a, const struct sn_row *b) {
    const struct sn_node *node = ctx;
    int direction = node->call.function->id == SN_FN_SORT_BY_LABEL ? 1 : -1;
    for (size_t i = 1; i < node->call.count; i++) {
        struct sn_str name = string_arg(node, i);
        struct sn_str value_a = sn_labels_get(a->labels, name);
        struct sn_str value_b = sn_labels_get(b->labels, name);
        int order = compare_naturally(value_a, value_b);
        if (order != 0) {
            return order * direction;
        }
    }
    return sn_labels_compare(a->labels, b->labels) * direction;
}

sn_status sn_call_sort_by_label(struct sn_eval *eval, const struct sn_node *node,
                                struct sn_frame *frame, struct sn_vector *ret_vector) {
    SN_TRY(sn_eval_vector(eval, node->call.args[0], frame, ret_vector));
    if (!eval->keeps_order) {
        sn_eval_warn(eval, node,
                     "sort is ineffective for range queries since results are always ordered by "
                     "labels");
        return SN_OK;
    }
    return sn_vector_sort(eval, ret_vector, compare_by_labels, node);
}
