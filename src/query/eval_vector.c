/*
 * Columns, rows and vectors: memory of values, joining of rows with equal labels.
 *
 * Only for src/query; one thread per query.
 */
#include "query/eval_priv.h"

#define ITEMS_MIN 16

struct sn_free_column {
    struct sn_free_column *next;
};

sn_status sn_eval_alloc(struct sn_eval *eval, size_t count, size_t size, void **ret_ptr) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        bytes = SIZE_MAX;
    }
    void *ptr = sn_arena_alloc(eval->arena, bytes);
    if (ptr == NULL) {
        sn_status status = sn_arena_failure(eval->arena, bytes, eval->err);
        return status != SN_OK ? status : SN_ERR_NO_MEMORY; /* for readers that see one file only */
    }
    *ret_ptr = ptr;
    return SN_OK;
}

sn_status sn_eval_grow(struct sn_eval *eval, void **items, size_t count, size_t *capacity,
                       size_t size) {
    if (count < *capacity) {
        return SN_OK;
    }
    size_t more = *capacity < ITEMS_MIN ? ITEMS_MIN : *capacity * 2;
    void *grown = NULL;
    SN_TRY(sn_eval_alloc(eval, more, size, &grown));
    if (count > 0) {
        memcpy(grown, *items, count * size);
    }
    *items = grown;
    *capacity = more;
    return SN_OK;
}

/* ---- columns ---- */

sn_status sn_column_new(struct sn_eval *eval, struct sn_frame *frame, double **ret_column) {
    struct sn_free_column *column = frame->free_columns;
    eval->stats.point_count += frame->step_count;
    if (eval->stats.point_count > eval->limits->points_max) {
        return sn_err_set(eval->err, SN_ERR_LIMIT,
                          "query processing would compute too many points: the limit is %llu",
                          (unsigned long long)eval->limits->points_max);
    }
    if (column != NULL) {
        frame->free_columns = column->next;
        *ret_column = (double *)(void *)column;
        return SN_OK;
    }
    void *memory = NULL;
    SN_TRY(sn_eval_alloc(eval, frame->step_count, sizeof **ret_column, &memory));
    *ret_column = memory;
    return SN_OK;
}

void sn_column_drop(struct sn_frame *frame, double *column) {
    if (column != NULL) {
        struct sn_free_column *freed = (struct sn_free_column *)(void *)column;
        freed->next = frame->free_columns;
        frame->free_columns = freed;
    }
}

void sn_column_fill(const struct sn_frame *frame, double *column, double value) {
    for (size_t i = 0; i < frame->step_count; i++) {
        column[i] = value;
    }
}

bool sn_column_has_value(const struct sn_frame *frame, const double *column) {
    for (size_t i = 0; i < frame->step_count; i++) {
        if (!sn_is_absent(column[i])) {
            return true;
        }
    }
    return false;
}

/* ---- columns of histograms ---- */

sn_status sn_histogram_column_new(struct sn_eval *eval, struct sn_frame *frame,
                                  const struct sn_histogram ***ret_column) {
    _Static_assert(sizeof(void *) == sizeof(double), "both kinds of columns share their memory");
    double *memory;
    SN_TRY(sn_column_new(eval, frame, &memory));
    const struct sn_histogram **column = (const struct sn_histogram **)(void *)memory;
    for (size_t i = 0; i < frame->step_count; i++) {
        column[i] = NULL;
    }
    *ret_column = column;
    return SN_OK;
}

void sn_histogram_column_drop(struct sn_frame *frame, const struct sn_histogram **column) {
    sn_column_drop(frame, (double *)(void *)column);
}

void sn_row_drop_histograms(struct sn_frame *frame, struct sn_row *row) {
    sn_histogram_column_drop(frame, row->histogram);
    row->histogram = NULL;
}

void sn_row_drop(struct sn_frame *frame, struct sn_row *row) {
    sn_column_drop(frame, row->value);
    row->value = NULL;
    sn_row_drop_histograms(frame, row);
}

bool sn_row_has_value(const struct sn_frame *frame, const struct sn_row *row) {
    if (sn_column_has_value(frame, row->value)) {
        return true;
    }
    for (size_t i = 0; row->histogram != NULL && i < frame->step_count; i++) {
        if (row->histogram[i] != NULL) {
            return true;
        }
    }
    return false;
}

/* Copies of histograms that die with their row; neighbours are often the same. */
static sn_status keep_histograms(struct sn_eval *eval, const struct sn_frame *frame,
                                 const struct sn_histogram **column) {
    const struct sn_histogram *from = NULL;
    const struct sn_histogram *copy = NULL;
    for (size_t i = 0; i < frame->step_count; i++) {
        if (column[i] == NULL) {
            continue;
        }
        if (column[i] != from) {
            from = column[i];
            SN_TRY(sn_eval_histogram_status(eval, sn_histogram_keep(from, eval->arena, &copy)));
        }
        column[i] = copy;
    }
    return SN_OK;
}

/* ---- vectors ---- */

sn_status sn_vector_add(struct sn_eval *eval, struct sn_vector *vector, struct sn_labels labels,
                        double *column) {
    void *rows = vector->rows;
    SN_TRY(sn_eval_grow(eval, &rows, vector->count, &vector->capacity, sizeof *vector->rows));
    vector->rows = rows;
    vector->rows[vector->count++] = (struct sn_row){.labels = labels, .value = column};
    return SN_OK;
}

sn_status sn_vector_take(struct sn_eval *eval, struct sn_frame *frame, struct sn_vector *vector,
                         struct sn_row *row) {
    if (row->histogram != NULL && row->is_scratch) {
        SN_TRY(keep_histograms(eval, frame, row->histogram));
    }
    SN_TRY(sn_vector_add(eval, vector, row->labels, row->value));
    vector->rows[vector->count - 1].histogram = row->histogram;
    row->value = NULL;
    row->histogram = NULL;
    return SN_OK;
}

void sn_vector_drop_histograms(struct sn_frame *frame, struct sn_vector *vector) {
    for (size_t i = 0; i < vector->count; i++) {
        sn_row_drop_histograms(frame, &vector->rows[i]);
    }
}

void sn_vector_drop(struct sn_frame *frame, struct sn_vector *vector) {
    for (size_t i = 0; i < vector->count; i++) {
        sn_row_drop(frame, &vector->rows[i]);
    }
    vector->count = 0;
}

sn_status sn_vector_drop_names(struct sn_eval *eval, struct sn_vector *vector) {
    for (size_t i = 0; i < vector->count; i++) {
        SN_TRY(sn_labels_drop_name(eval, vector->rows[i].labels, &vector->rows[i].labels));
    }
    return SN_OK;
}

/* Merge two sorted neighbours, [from, middle) and [middle, to), into `out`. */
struct merge {
    const struct sn_row *rows;
    struct sn_row *out;
    size_t from;
    size_t middle;
    size_t to;
};

static void merge_rows(const struct merge *merge, sn_row_compare *compare, const void *ctx) {
    size_t left = merge->from;
    size_t right = merge->middle;
    for (size_t i = merge->from; i < merge->to; i++) {
        bool takes_left =
            left < merge->middle &&
            (right >= merge->to || compare(ctx, &merge->rows[left], &merge->rows[right]) <= 0);
        merge->out[i] = merge->rows[takes_left ? left++ : right++];
    }
}

sn_status sn_vector_sort(struct sn_eval *eval, struct sn_vector *vector, sn_row_compare *compare,
                         const void *ctx) {
    void *memory = NULL;
    SN_TRY(sn_eval_alloc(eval, vector->count, sizeof *vector->rows, &memory));
    struct sn_row *other = memory;
    size_t count = vector->count;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t from = 0; from < count; from += 2 * width) {
            size_t middle = count - from < width ? count : from + width;
            size_t to = count - from < 2 * width ? count : from + 2 * width;
            struct merge merge = {vector->rows, other, from, middle, to};
            merge_rows(&merge, compare, ctx);
        }
        struct sn_row *sorted = other;
        other = vector->rows;
        vector->rows = sorted;
    }
    vector->capacity = count;
    return SN_OK;
}

/* ---- joining ---- */

static sn_status join_rows(struct sn_eval *eval, struct sn_frame *frame, struct sn_row *into,
                           const struct sn_row *from) {
    if (from->histogram != NULL && into->histogram == NULL) {
        SN_TRY(sn_histogram_column_new(eval, frame, &into->histogram));
    }
    for (size_t i = 0; i < frame->step_count; i++) {
        if (sn_row_is_absent(from, i)) {
            continue;
        }
        if (!sn_row_is_absent(into, i)) {
            return sn_eval_fail(eval, "vector cannot contain metrics with the same labelset");
        }
        into->value[i] = from->value[i];
        if (sn_row_has_histogram(from, i)) {
            into->histogram[i] = from->histogram[i];
        }
    }
    return SN_OK;
}

sn_status sn_vector_finish(struct sn_eval *eval, struct sn_frame *frame, struct sn_vector *vector) {
    struct sn_label_table table = {.count = 0};
    size_t kept = 0;
    for (size_t i = 0; i < vector->count; i++) {
        struct sn_row *row = &vector->rows[i];
        size_t number;
        bool is_new;
        if (!sn_row_has_value(frame, row)) {
            sn_row_drop(frame, row);
            continue;
        }
        SN_TRY(sn_label_table_put(eval, &table, row->labels, false, &number, &is_new));
        if (is_new) {
            vector->rows[kept++] = *row; /* its number in the table is its place */
        } else {
            SN_TRY(join_rows(eval, frame, &vector->rows[number], row));
            sn_row_drop(frame, row);
        }
    }
    vector->count = kept;
    return SN_OK;
}
