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
 * Series without samples in the time range are left out as far as segments and head tell (narrow.c).
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

static void unite(struct sn_bitmap *all, const struct sn_postings *postings) {
    if (sn_postings_is_bitmap(postings))
        sn_bitmap_unite(all, postings->bitmap);
    else
        sn_bitmap_add_many(all, sn_postings_array(postings), postings->count);
}

/* Union of the postings of pairs. NULL: no memory. */
static struct sn_bitmap *unite_postings(struct sn_store *store, const uint32_t *pairs,
                                        size_t pair_count) {
    struct sn_bitmap *all = sn_bitmap_new(NULL, 0);
    size_t i = 0;
    while (i < pair_count && all) {
        size_t seen = 0;
        sn_mutex_lock(&store->index_mu);
        for (; i < pair_count && seen < IDS_PER_LOCK; i++) {
            const struct sn_postings *postings =
                &sn_symbols_pair(&store->index.symbols, pairs[i])->postings;
            seen += postings->count;
            unite(all, postings);
        }
        sn_mutex_unlock(&store->index_mu);
    }
    return all;
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
    struct sn_bitmap *all = sn_bitmap_new(NULL, 0);
    if (all && count > 0)
        sn_bitmap_add_range(all, 0, count - 1);
    if (all && store->index.removed)
        sn_bitmap_subtract(all, store->index.removed);
    sn_mutex_unlock(&store->index_mu);
    if (!all)
        return SN_ERR_NO_MEMORY;
    sn_status status = sn_id_set_add_bitmap(set, all);
    (void)sn_bitmap_free(all); /* NULL, always */
    return status;
}

/* ---- one matcher ---- */

struct selection {
    struct sn_store *store;
    struct sn_id_set ids;
    bool has_ids; /* false: no matcher has narrowed it yet, it stands for all series */
};

static bool is_equal_text(const struct sn_matcher *matcher) {
    return matcher->kind == SN_MATCH_EQUAL && matcher->value.len > 0;
}

/* Postings of the equality matchers, the shortest first. False: one of them has none. */
static bool find_equal_locked(const struct sn_series_index *index, const struct sn_select *select,
                              const struct sn_postings **ret_lists, size_t *ret_count) {
    size_t count = 0;
    for (size_t i = 0; i < select->matcher_count; i++) {
        const struct sn_matcher *matcher = &select->matchers[i];
        uint32_t pair;
        if (!is_equal_text(matcher))
            continue;
        if (!sn_symbols_find_pair(&index->symbols, matcher->name, matcher->value, &pair))
            return false;
        const struct sn_postings *postings = &sn_symbols_pair(&index->symbols, pair)->postings;
        ret_lists[count] = postings;
        if (count > 0 && postings->count < ret_lists[0]->count) {
            ret_lists[count] = ret_lists[0];
            ret_lists[0] = postings;
        }
        count++;
    }
    *ret_count = count;
    return true;
}

static sn_status intersect_bitmaps(const struct sn_postings *const *lists, size_t count,
                                   struct sn_id_set *ids) {
    struct sn_bitmap *both = sn_bitmap_both(lists[0]->bitmap, lists[1]->bitmap);
    if (!both)
        return SN_ERR_NO_MEMORY;
    for (size_t i = 2; i < count; i++)
        sn_bitmap_intersect(both, lists[i]->bitmap);
    sn_status status = sn_id_set_add_bitmap(ids, both);
    (void)sn_bitmap_free(both); /* NULL, always */
    return status;
}

/* The first list is the shortest: when it is a bitmap most often all are. One from which series were
 * removed stays a bitmap and may be shorter than an array. */
static bool are_bitmaps(const struct sn_postings *const *lists, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!sn_postings_is_bitmap(lists[i]))
            return false;
    }
    return true;
}

static sn_status intersect(const struct sn_postings *const *lists, size_t count,
                           struct sn_id_set *ids) {
    if (count > 1 && are_bitmaps(lists, count))
        return intersect_bitmaps(lists, count, ids);
    SN_TRY(sn_id_set_add_postings(ids, lists[0]));
    size_t kept = 0;
    for (size_t i = 0; i < ids->count; i++) {
        bool is_everywhere = true;
        for (size_t k = 1; k < count && is_everywhere; k++)
            is_everywhere = sn_postings_contains(lists[k], ids->ids[i]);
        if (is_everywhere)
            ids->ids[kept++] = ids->ids[i];
    }
    ids->count = kept;
    return SN_OK;
}

/* All equality matchers with a text at once: bitmaps are intersected as they lie in the index. */
static sn_status match_equal(struct selection *selection, const struct sn_select *select) {
    struct sn_store *store = selection->store;
    const struct sn_postings *lists[SN_MATCHERS_MAX];
    size_t count = 0;
    sn_status status = SN_OK;
    sn_mutex_lock(&store->index_mu);
    bool is_possible = find_equal_locked(&store->index, select, lists, &count);
    if (is_possible && count > 0)
        status = intersect(lists, count, &selection->ids);
    sn_mutex_unlock(&store->index_mu);
    selection->has_ids = !is_possible || count > 0;
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
    keep_pairs(&selection->store->index, matcher, !passes_empty, pairs);
    struct sn_bitmap *found = unite_postings(selection->store, pairs->ids, pairs->count);
    sn_status status = found ? SN_OK : SN_ERR_NO_MEMORY;
    if (found && selection->has_ids)
        sn_id_set_filter(&selection->ids, found, !passes_empty);
    else if (found)
        status = sn_id_set_add_bitmap(&selection->ids, found);
    selection->has_ids = true;
    (void)sn_bitmap_free(found); /* NULL, always */
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

static sn_status run_matchers(struct selection *selection, const struct sn_select *select) {
    SN_TRY(match_equal(selection, select));
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
    if (status == SN_OK)
        status = sn_store_narrow(store, select->range, &selection.ids);
    if (status != SN_OK) {
        sn_id_set_release(&selection.ids);
        return no_memory(err);
    }
    *ret_ids = selection.ids;
    return SN_OK;
}

sn_status sn_store_find_ids(struct sn_store *store, const struct sn_select *select,
                            struct sn_id_set *ret_ids, struct sn_err *err) {
    SN_TRY(check_matchers(select, err));
    return find_series(store, select, ret_ids, err);
}

/* ---- series ---- */

static sn_status sort_series(struct sn_store *store, struct sn_id_set *ids, struct sn_err *err) {
    sn_mutex_lock(&store->index_mu);
    bool has_order = store->index.is_metric_first;
    struct sn_series_order *order = has_order ? sn_series_order_ref(store->label_order) : NULL;
    sn_mutex_unlock(&store->index_mu);
    sn_status status = sn_series_order_sort(order, &store->index, ids->ids, ids->count);
    sn_series_order_unref(order);
    return status == SN_OK ? SN_OK : no_memory(err);
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
    if (status == SN_OK)
        status = sort_series(store, &ids, err);
    if (status == SN_OK)
        status = list_series(store, &ids, arena, ret_series, err);
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

/* Without matchers: names of which a pair is on a series, series are not looked at. */
static void mark_used_names(struct sn_store *store, uint32_t name_count, uint8_t *marks) {
    const struct sn_symbols *symbols = &store->index.symbols;
    sn_mutex_lock(&store->index_mu);
    for (uint32_t i = 0; i < name_count; i++) {
        const struct sn_symbol_name *name = sn_symbols_name(symbols, i);
        for (uint32_t k = 0; k < name->pair_count && !marks[i]; k++)
            marks[i] = sn_symbols_pair(symbols, name->pairs[k])->postings.count > 0;
    }
    sn_mutex_unlock(&store->index_mu);
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
    struct sn_id_set ids = {0};
    SN_TRY(check_optional(select, err));
    if (select->matcher_count > 0)
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
    if (select->matcher_count > 0)
        mark_names(&store->index, &ids, marks);
    else
        mark_used_names(store, name_count, marks);
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

/* Pairs that a series carries; others are left over from series that are gone. */
static void keep_used_pairs(struct sn_store *store, struct sn_id_set *pairs) {
    size_t kept = 0;
    sn_mutex_lock(&store->index_mu);
    for (size_t i = 0; i < pairs->count; i++) {
        if (sn_symbols_pair(&store->index.symbols, pairs->ids[i])->postings.count > 0)
            pairs->ids[kept++] = pairs->ids[i];
    }
    sn_mutex_unlock(&store->index_mu);
    pairs->count = kept;
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
        keep_used_pairs(store, &pairs);
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
