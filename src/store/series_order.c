/* Places of series in the order of labels: see series_order.h. */
#include "store/series_order.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Three rounds of eleven bits; below so many ids a comparison sort is as fast. */
enum { RADIX_BITS = 11, RADIX_SIZE = 1 << RADIX_BITS, RADIX_ROUNDS = 3, RADIX_COUNT_MIN = 256 };

struct placed {
    uint32_t place;
    uint32_t id;
};

struct sn_series_order *sn_series_order_new(const uint32_t *order, size_t count, uint32_t id_end) {
    struct sn_series_order *made =
        sn_alloc(sizeof *made + ((size_t)id_end + 1) * sizeof *made->place);
    if (!made)
        return NULL;
    atomic_init(&made->refs, 1);
    made->count = id_end;
    if (count < id_end)
        memset(made->place, 0xff, id_end * sizeof *made->place);
    for (size_t i = 0; i < count; i++) {
        assert(order[i] < id_end);
        made->place[order[i]] = (uint32_t)i;
    }
    return made;
}

struct sn_series_order *sn_series_order_ref(struct sn_series_order *order) {
    if (order)
        atomic_fetch_add(&order->refs, 1);
    return order;
}

void sn_series_order_unref(struct sn_series_order *order) {
    if (order && atomic_fetch_sub(&order->refs, 1) == 1)
        sn_free(order);
}

/* ---- by texts ---- */

static int compare_texts(const void *a, const void *b, void *ctx) {
    return sn_series_index_compare(ctx, *(const uint32_t *)a, *(const uint32_t *)b);
}

static void sort_texts(const struct sn_series_index *index, uint32_t *ids, size_t count) {
    union {
        const struct sn_series_index *index;
        void *ctx; /* qsort_r's is not const */
    } as = {.index = index};
    if (count > 1)
        qsort_r(ids, count, sizeof *ids, compare_texts, as.ctx);
}

/* ---- by places ---- */

static int compare_places(const void *a, const void *b) {
    uint32_t x = ((const struct placed *)a)->place;
    uint32_t y = ((const struct placed *)b)->place;
    return (x > y) - (x < y);
}

static void radix_round(const struct placed *from, struct placed *to, size_t count,
                        unsigned shift) {
    uint32_t starts[RADIX_SIZE] = {0};
    uint32_t sum = 0;
    for (size_t i = 0; i < count; i++)
        starts[(from[i].place >> shift) & (RADIX_SIZE - 1)]++;
    for (size_t i = 0; i < RADIX_SIZE; i++) {
        uint32_t here = starts[i];
        starts[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[(from[i].place >> shift) & (RADIX_SIZE - 1)]++] = from[i];
}

/* `items` has room for 2 * count; returns where the sorted ones are. */
static const struct placed *sort_placed(struct placed *items, size_t count) {
    if (count < RADIX_COUNT_MIN) {
        if (count > 1)
            qsort(items, count, sizeof *items, compare_places);
        return items;
    }
    struct placed *from = items;
    struct placed *to = items + count;
    for (unsigned round = 0; round < RADIX_ROUNDS; round++) {
        radix_round(from, to, count, round * RADIX_BITS);
        struct placed *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

/* ---- both ---- */

/* Merge ids without a place, sorted, with those that have one. */
static void merge(const struct sn_series_index *index, const struct placed *old, size_t old_count,
                  const uint32_t *fresh, size_t fresh_count, uint32_t *ids) {
    size_t at = 0;
    size_t next = 0;
    for (size_t i = 0; i < old_count; i++) {
        while (next < fresh_count && sn_series_index_compare(index, fresh[next], old[i].id) < 0)
            ids[at++] = fresh[next++];
        ids[at++] = old[i].id;
    }
    while (next < fresh_count)
        ids[at++] = fresh[next++];
}

sn_status sn_series_order_sort(const struct sn_series_order *order,
                               const struct sn_series_index *index, uint32_t *ids, size_t count) {
    if (!order || count < 2) {
        sort_texts(index, ids, count);
        return SN_OK;
    }
    SN_CLEANUP(sn_free_ptr)
    struct placed *items = sn_realloc_array(NULL, count * 2, sizeof *items);
    SN_CLEANUP(sn_free_ptr) uint32_t *fresh = sn_realloc_array(NULL, count, sizeof *fresh);
    if (!items || !fresh)
        return SN_ERR_NO_MEMORY;
    size_t old_count = 0;
    size_t fresh_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (ids[i] < order->count)
            items[old_count++] = (struct placed){.place = order->place[ids[i]], .id = ids[i]};
        else
            fresh[fresh_count++] = ids[i];
    }
    sort_texts(index, fresh, fresh_count);
    merge(index, sort_placed(items, old_count), old_count, fresh, fresh_count, ids);
    return SN_OK;
}
