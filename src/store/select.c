/*
 * Selecting: matchers to series through the inverted index, and the names and values of labels.
 *
 *   1. equality with a text            intersect the postings of one pair
 *   2. others that need the label      intersect the union of the pairs that pass
 *   3. those that pass without it      subtract the union of the pairs that do not pass
 *
 * When fewer series are left than the label has values, 2 and 3 look at the labels of those series
 * instead. Regular expressions run outside of the lock, on texts that never move.
 *
 * The time range is not used: a series without samples in it is returned and reads as empty.
 * Any thread. Blocks on short mutexes.
 */
#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/store_priv.h"

#include <stdlib.h>

/* Ids copied under one lock: 256 KiB, about 20 us. */
#define IDS_PER_LOCK 65536

static sn_status no_memory(struct sn_err *err) {
    return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to select series");
}

/* ---- postings, copied out ---- */

/* Union of the postings of pairs. */
static sn_status add_postings(struct sn_store *store, const uint32_t *pairs, size_t pair_count,
                              struct sn_id_set *set) {
    sn_status status = SN_OK;
    size_t i = 0;
    while (i < pair_count && status == SN_OK) {
        size_t copied = 0;
        sn_mutex_lock(&store->index_mu);
        for (; i < pair_count && copied < IDS_PER_LOCK && status == SN_OK; i++) {
            const struct sn_postings *postings =
                &sn_symbols_pair(&store->index.symbols, pairs[i])->postings;
            copied += postings->count;
            status = sn_id_set_add(set, sn_postings_ids(postings), postings->count);
        }
        sn_mutex_unlock(&store->index_mu);
    }
    if (status == SN_OK)
        sn_id_set_sort(set);
    return status;
}

/* All pairs of a label name, as they are now; *ret_name is UINT32_MAX when there is no such name. */
static sn_status copy_pairs(struct sn_store *store, struct sn_str name, struct sn_id_set *pairs,
                            uint32_t *ret_name) {
    sn_status status = SN_OK;
    uint32_t id = UINT32_MAX;
    sn_mutex_lock(&store->index_mu);
    if (sn_symbols_find_name(&store->index.symbols, name, &id)) {
        const struct sn_symbol_name *entry = sn_symbols_name(&store->index.symbols, id);
        status = sn_id_set_add(pairs, entry->pairs, entry->pair_count);
    }
    sn_mutex_unlock(&store->index_mu);
    *ret_name = id;
    return status;
}

static sn_status all_series(struct sn_store *store, struct sn_id_set *set) {
    sn_mutex_lock(&store->index_mu);
    uint32_t count = store->index.count;
    sn_mutex_unlock(&store->index_mu);
    uint32_t *ids = sn_realloc_array(NULL, (size_t)count + 1, sizeof *ids);
    if (!ids)
        return SN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        ids[i] = i;
    *set = (struct sn_id_set){.ids = ids, .count = count, .capacity = (size_t)count + 1};
    return SN_OK;
}

/* ---- one matcher ---- */

struct selection {
    struct sn_store *store;
    struct sn_id_set ids;
    bool has_ids; /* false: no matcher has narrowed it yet, it stands for all series */
};

static sn_status narrow(struct selection *selection, struct sn_id_set *by) {
    if (selection->has_ids) {
        sn_id_set_intersect(&selection->ids, by);
        return SN_OK;
    }
    selection->ids = *by;
    selection->has_ids = true;
    *by = (struct sn_id_set){0};
    return SN_OK;
}

static sn_status match_equal(struct selection *selection, const struct sn_matcher *matcher) {
    struct sn_store *store = selection->store;
    struct sn_id_set set = {0};
    sn_status status = SN_OK;
    uint32_t pair;
    sn_mutex_lock(&store->index_mu);
    if (sn_symbols_find_pair(&store->index.symbols, matcher->name, matcher->value, &pair)) {
        const struct sn_postings *postings =
            &sn_symbols_pair(&store->index.symbols, pair)->postings;
        status = sn_id_set_add(&set, sn_postings_ids(postings), postings->count);
    }
    sn_mutex_unlock(&store->index_mu);
    if (status == SN_OK)
        status = narrow(selection, &set);
    sn_id_set_release(&set);
    return status;
}

/* Pair of a name that a series carries, or UINT32_MAX. Without the lock. */
static uint32_t pair_of(const struct sn_series_index *index, uint32_t series, uint32_t name) {
    const struct sn_series_entry *entry = sn_series_index_entry(index, series);
    const uint32_t *pairs = sn_series_index_pairs(index, entry);
    for (uint32_t i = 0; i < entry->pair_count; i++) {
        if (sn_symbols_pair(&index->symbols, pairs[i])->name == name)
            return pairs[i];
    }
    return UINT32_MAX;
}

static struct sn_str value_of(const struct sn_series_index *index, uint32_t pair) {
    if (pair == UINT32_MAX)
        return sn_str_make(NULL, 0);
    return sn_symbols_value(&index->symbols, sn_symbols_pair(&index->symbols, pair));
}

static void match_series(struct selection *selection, const struct sn_matcher *matcher,
                         uint32_t name) {
    const struct sn_series_index *index = &selection->store->index;
    size_t kept = 0;
    for (size_t i = 0; i < selection->ids.count; i++) {
        uint32_t id = selection->ids.ids[i];
        uint32_t pair = name == UINT32_MAX ? UINT32_MAX : pair_of(index, id, name);
        if (sn_matcher_passes(matcher, value_of(index, pair)))
            selection->ids.ids[kept++] = id;
    }
    selection->ids.count = kept;
}

/* Keep the pairs whose value passes, or those whose value does not. */
static void keep_pairs(const struct sn_series_index *index, const struct sn_matcher *matcher,
                       bool passing, struct sn_id_set *pairs) {
    size_t kept = 0;
    for (size_t i = 0; i < pairs->count; i++) {
        if (sn_matcher_passes(matcher, value_of(index, pairs->ids[i])) == passing)
            pairs->ids[kept++] = pairs->ids[i];
    }
    pairs->count = kept;
}

static sn_status match_pairs(struct selection *selection, const struct sn_matcher *matcher,
                             bool passes_empty, struct sn_id_set *pairs) {
    struct sn_id_set set = {0};
    keep_pairs(&selection->store->index, matcher, !passes_empty, pairs);
    sn_status status = add_postings(selection->store, pairs->ids, pairs->count, &set);
    if (status == SN_OK && passes_empty)
        sn_id_set_subtract(&selection->ids, &set);
    else if (status == SN_OK)
        status = narrow(selection, &set);
    sn_id_set_release(&set);
    return status;
}

static sn_status match_other(struct selection *selection, const struct sn_matcher *matcher,
                             bool passes_empty) {
    struct sn_id_set pairs = {0};
    uint32_t name;
    sn_status status = copy_pairs(selection->store, matcher->name, &pairs, &name);
    if (status == SN_OK && passes_empty && !selection->has_ids) {
        status = all_series(selection->store, &selection->ids);
        selection->has_ids = true;
    }
    if (status == SN_OK) {
        if (selection->has_ids && selection->ids.count <= pairs.count)
            match_series(selection, matcher, name);
        else
            status = match_pairs(selection, matcher, passes_empty, &pairs);
    }
    sn_id_set_release(&pairs);
    return status;
}

/* ---- all matchers ---- */

static bool is_equal_text(const struct sn_matcher *matcher) {
    return matcher->kind == SN_MATCH_EQUAL && matcher->value.len > 0;
}

static sn_status run_matchers(struct selection *selection, const struct sn_select *select) {
    for (size_t i = 0; i < select->matcher_count; i++) {
        if (is_equal_text(&select->matchers[i]))
            SN_TRY(match_equal(selection, &select->matchers[i]));
    }
    for (int empty = 0; empty <= 1; empty++) {
        for (size_t i = 0; i < select->matcher_count; i++) {
            const struct sn_matcher *matcher = &select->matchers[i];
            bool passes_empty = sn_matcher_passes_empty(matcher);
            if (!is_equal_text(matcher) && passes_empty == (empty == 1))
                SN_TRY(match_other(selection, matcher, passes_empty));
        }
    }
    return selection->has_ids ? SN_OK : all_series(selection->store, &selection->ids);
}

static sn_status check_matchers(const struct sn_select *select, struct sn_err *err) {
    if (select->matcher_count > SN_MATCHERS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "%zu matchers, the limit is %d", select->matcher_count,
                          SN_MATCHERS_MAX);
    for (size_t i = 0; i < select->matcher_count; i++) {
        if (!sn_matcher_passes_empty(&select->matchers[i]))
            return SN_OK;
    }
    return sn_err_set(err, SN_ERR_INVALID,
                      "a selector needs at least one matcher that does not match the empty text");
}

/* Ids of the series that pass, ascending. The caller releases *ret_ids. */
static sn_status find_series(struct sn_store *store, const struct sn_select *select,
                             struct sn_id_set *ret_ids, struct sn_err *err) {
    struct selection selection = {.store = store};
    sn_status status = run_matchers(&selection, select);
    if (status != SN_OK) {
        sn_id_set_release(&selection.ids);
        return no_memory(err);
    }
    *ret_ids = selection.ids;
    return SN_OK;
}

/* ---- series ---- */

static int compare_labels(const void *a, const void *b, void *ctx) {
    return sn_series_index_compare(ctx, *(const uint32_t *)a, *(const uint32_t *)b);
}

static sn_status list_series(struct sn_store *store, const struct sn_id_set *ids,
                             struct sn_arena *arena, struct sn_series_list *ret_series,
                             struct sn_err *err) {
    size_t bytes = ids->count * sizeof(struct sn_read_series);
    struct sn_read_series *items = sn_arena_alloc(arena, bytes);
    if (!items)
        return sn_arena_failure(arena, bytes, err);
    for (size_t i = 0; i < ids->count; i++) {
        items[i].id = ids->ids[i];
        sn_status status =
            sn_series_index_labels(&store->index, ids->ids[i], arena, &items[i].labels);
        if (status != SN_OK)
            return sn_err_set(err, status, "no room for the labels of %zu series", ids->count);
    }
    *ret_series = (struct sn_series_list){.items = items, .count = ids->count};
    return SN_OK;
}

sn_status sn_store_select(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                          struct sn_series_list *ret_series, struct sn_err *err) {
    struct sn_store *store = ctx;
    struct sn_id_set ids;
    SN_TRY(check_matchers(select, err));
    SN_TRY(find_series(store, select, &ids, err));
    sn_status status = SN_OK;
    if (select->series_max > 0 && ids.count > select->series_max)
        status = sn_err_set(err, SN_ERR_LIMIT, "%zu series match, the limit is %zu", ids.count,
                            select->series_max);
    if (status == SN_OK) {
        if (ids.count > 1)
            qsort_r(ids.ids, ids.count, sizeof *ids.ids, compare_labels, &store->index);
        status = list_series(store, &ids, arena, ret_series, err);
    }
    sn_id_set_release(&ids);
    return status;
}

/* ---- names and values of labels ---- */

static int compare_texts(const void *a, const void *b) {
    return sn_str_compare(*(const struct sn_str *)a, *(const struct sn_str *)b);
}

/* Sort, cut, hand out. Texts are unique: each name and each pair is stored once. */
static void finish_list(struct sn_str *items, size_t count, size_t count_max,
                        struct sn_string_list *ret_list) {
    if (count > 1)
        qsort(items, count, sizeof *items, compare_texts);
    bool is_cut = count_max > 0 && count > count_max;
    *ret_list = (struct sn_string_list){
        .items = items, .count = is_cut ? count_max : count, .is_cut = is_cut};
}

static void mark_names(const struct sn_series_index *index, const struct sn_id_set *ids,
                       uint8_t *marks) {
    for (size_t i = 0; i < ids->count; i++) {
        const struct sn_series_entry *entry = sn_series_index_entry(index, ids->ids[i]);
        const uint32_t *pairs = sn_series_index_pairs(index, entry);
        for (uint32_t k = 0; k < entry->pair_count; k++)
            marks[sn_symbols_pair(&index->symbols, pairs[k])->name] = 1;
    }
}

static sn_status check_optional(const struct sn_select *select, struct sn_err *err) {
    return select->matcher_count == 0 ? SN_OK : check_matchers(select, err);
}

sn_status sn_store_label_names(void *ctx, const struct sn_select *select, size_t count_max,
                               struct sn_arena *arena, struct sn_string_list *ret_names,
                               struct sn_err *err) {
    struct sn_store *store = ctx;
    struct sn_id_set ids;
    SN_TRY(check_optional(select, err));
    SN_TRY(find_series(store, select, &ids, err));
    /* After the ids: a series that was found has all its names below the count. */
    sn_mutex_lock(&store->index_mu);
    uint32_t name_count = store->index.symbols.name_count;
    sn_mutex_unlock(&store->index_mu);
    size_t bytes = name_count * sizeof(struct sn_str);
    uint8_t *marks = sn_arena_alloc_zero(arena, (size_t)name_count + 1, 1);
    struct sn_str *items = sn_arena_alloc(arena, bytes);
    if (!marks || !items) {
        sn_id_set_release(&ids);
        return sn_arena_failure(arena, bytes, err);
    }
    mark_names(&store->index, &ids, marks);
    sn_id_set_release(&ids);
    size_t count = 0;
    for (uint32_t i = 0; i < name_count; i++) {
        if (marks[i])
            items[count++] = sn_symbols_name_text(&store->index.symbols, i);
    }
    finish_list(items, count, count_max, ret_names);
    return SN_OK;
}

/* Replace ids of series by the pairs of `name` that they carry, each once. */
static void ids_to_pairs(const struct sn_series_index *index, uint32_t name,
                         struct sn_id_set *ids) {
    size_t kept = 0;
    for (size_t i = 0; i < ids->count; i++) {
        uint32_t pair = pair_of(index, ids->ids[i], name);
        if (pair != UINT32_MAX)
            ids->ids[kept++] = pair;
    }
    ids->count = kept;
    sn_id_set_sort(ids);
}

/* Pairs of the label that selected series carry. The caller releases *ret_pairs. */
static sn_status find_pairs(struct sn_store *store, struct sn_str label,
                            const struct sn_select *select, struct sn_id_set *ret_pairs,
                            struct sn_err *err) {
    struct sn_id_set pairs = {0};
    uint32_t name;
    if (copy_pairs(store, label, &pairs, &name) != SN_OK)
        return no_memory(err);
    if (name == UINT32_MAX || select->matcher_count == 0) {
        *ret_pairs = pairs;
        return SN_OK;
    }
    sn_id_set_release(&pairs);
    SN_TRY(find_series(store, select, ret_pairs, err));
    ids_to_pairs(&store->index, name, ret_pairs);
    return SN_OK;
}

sn_status sn_store_label_values(void *ctx, struct sn_str label, const struct sn_select *select,
                                size_t count_max, struct sn_arena *arena,
                                struct sn_string_list *ret_values, struct sn_err *err) {
    struct sn_store *store = ctx;
    struct sn_id_set pairs;
    SN_TRY(check_optional(select, err));
    SN_TRY(find_pairs(store, label, select, &pairs, err));
    size_t bytes = pairs.count * sizeof(struct sn_str);
    struct sn_str *items = sn_arena_alloc(arena, bytes);
    sn_status status = items ? SN_OK : sn_arena_failure(arena, bytes, err);
    if (items) {
        for (size_t i = 0; i < pairs.count; i++)
            items[i] = value_of(&store->index, pairs.ids[i]);
        finish_list(items, pairs.count, count_max, ret_values);
    }
    sn_id_set_release(&pairs);
    return status;
}
