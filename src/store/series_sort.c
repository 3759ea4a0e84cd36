/* Sorting series by the ranks of their pairs: see series_sort.h. */
#include "store/series_sort.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

struct sort {
    const struct sn_series_index *index;
    uint32_t *ids; /* [count], the caller's: in order of `count` places */
    size_t count;
    uint32_t
        *ranks; /* [pair_count], owned: place of a pair among those in use, from 1; 0: not in use */
    uint32_t *keys;   /* [count], owned: of the series ids[i] at the position at hand */
    uint32_t *places; /* [count], owned: the sorted sequence so far, as indices into ids */
    uint32_t *moved;  /* [count], owned: scratch */
    uint32_t rank_max;
};

/* ---- ranks of pairs ---- */

static int compare_pairs(const void *a, const void *b, void *ctx) {
    return sn_series_index_compare_pairs(ctx, *(const uint32_t *)a, *(const uint32_t *)b);
}

/* Mark the pairs in use and count them; *ret_width: labels of the series that has most. */
static uint32_t mark_pairs(struct sort *sort, uint32_t *ret_width) {
    uint32_t used = 0;
    uint32_t width = 0;
    for (size_t i = 0; i < sort->count; i++) {
        const struct sn_series_entry *entry = sn_series_index_entry(sort->index, sort->ids[i]);
        const uint32_t *pairs = sn_series_index_pairs(sort->index, entry);
        width = entry->pair_count > width ? entry->pair_count : width;
        for (uint32_t k = 0; k < entry->pair_count; k++) {
            used += sort->ranks[pairs[k]] == 0;
            sort->ranks[pairs[k]] = 1;
        }
    }
    *ret_width = width;
    return used;
}

static sn_status rank_pairs(struct sort *sort, uint32_t pair_count, uint32_t *ret_width) {
    uint32_t used = mark_pairs(sort, ret_width);
    uint32_t at = 0;
    SN_CLEANUP(sn_free_ptr)
    uint32_t *list = sn_realloc_array(NULL, (size_t)used + 1, sizeof *list);
    if (!list)
        return SN_ERR_NO_MEMORY;
    for (uint32_t pair = 0; pair < pair_count; pair++) {
        if (sort->ranks[pair] != 0)
            list[at++] = pair;
    }
    SN_CHECK(at == used);
    if (used > 1)
        qsort_r(list, used, sizeof *list, compare_pairs, (void *)(uintptr_t)sort->index);
    for (uint32_t i = 0; i < used; i++)
        sort->ranks[list[i]] = i + 1;
    sort->rank_max = used;
    return SN_OK;
}

/* ---- one position after the other, the last one first ---- */

/* Stable: by one digit of the keys. */
static void sort_by_digit(struct sort *sort, unsigned shift) {
    uint32_t starts[DIGITS + 1] = {0};
    for (size_t i = 0; i < sort->count; i++)
        starts[(sort->keys[i] >> shift & (DIGITS - 1)) + 1]++;
    for (unsigned digit = 0; digit < DIGITS; digit++)
        starts[digit + 1] += starts[digit];
    for (size_t i = 0; i < sort->count; i++) {
        uint32_t place = sort->places[i];
        sort->moved[starts[sort->keys[place] >> shift & (DIGITS - 1)]++] = place;
    }
    uint32_t *sorted = sort->moved;
    sort->moved = sort->places;
    sort->places = sorted;
}

static void sort_by_keys(struct sort *sort) {
    bool is_same = true;
    for (size_t i = 1; i < sort->count && is_same; i++)
        is_same = sort->keys[i] == sort->keys[0];
    if (is_same)
        return; /* labels that all series share are usual */
    for (unsigned shift = 0; shift < 32 && sort->rank_max >> shift != 0; shift += DIGIT_BITS)
        sort_by_digit(sort, shift);
}

/* A set that ends before the position comes first: rank 0. */
static void take_position(struct sort *sort, uint32_t position) {
    for (size_t i = 0; i < sort->count; i++) {
        const struct sn_series_entry *entry = sn_series_index_entry(sort->index, sort->ids[i]);
        const uint32_t *pairs = sn_series_index_pairs(sort->index, entry);
        sort->keys[i] = position < entry->pair_count ? sort->ranks[pairs[position]] : 0;
    }
}

static void take_metric(struct sort *sort) {
    for (size_t i = 0; i < sort->count; i++) {
        uint32_t pair = sn_series_index_metric_pair(sort->index, sort->ids[i]);
        sort->keys[i] = pair == UINT32_MAX ? 0 : sort->ranks[pair];
    }
}

static sn_status run(struct sort *sort, uint32_t pair_count) {
    uint32_t width = 0;
    if (!sort->ranks || !sort->keys || !sort->places || !sort->moved)
        return SN_ERR_NO_MEMORY;
    SN_TRY(rank_pairs(sort, pair_count, &width));
    for (size_t i = 0; i < sort->count; i++)
        sort->places[i] = (uint32_t)i;
    while (width-- > 0) {
        take_position(sort, width);
        sort_by_keys(sort);
    }
    take_metric(sort);
    sort_by_keys(sort);
    for (size_t i = 0; i < sort->count; i++)
        sort->moved[i] = sort->ids[sort->places[i]];
    memcpy(sort->ids, sort->moved, sort->count * sizeof *sort->ids);
    return SN_OK;
}

sn_status sn_series_sort(const struct sn_series_index *index, uint32_t pair_count, uint32_t *ids,
                         size_t count) {
    SN_CHECK(count > 0 && count <= UINT32_MAX);
    struct sort sort = {.index = index,
                        .ids = ids,
                        .count = count,
                        .ranks = sn_alloc_zero((size_t)pair_count + 1, sizeof(uint32_t)),
                        .keys = sn_realloc_array(NULL, count, sizeof(uint32_t)),
                        .places = sn_realloc_array(NULL, count, sizeof(uint32_t)),
                        .moved = sn_realloc_array(NULL, count, sizeof(uint32_t))};
    sn_status status = run(&sort, pair_count);
    sn_free(sort.ranks);
    sn_free(sort.keys);
    sn_free(sort.places);
    sn_free(sort.moved);
    return status;
}
