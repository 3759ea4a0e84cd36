/* A set of ids: see bitmap.h. */
#include "store/bitmap.h"

#include <roaring/roaring.h>

static roaring_bitmap_t *of(struct sn_bitmap *bitmap) {
    return (roaring_bitmap_t *)bitmap;
}

static const roaring_bitmap_t *of_const(const struct sn_bitmap *bitmap) {
    return (const roaring_bitmap_t *)bitmap;
}

static struct sn_bitmap *ours(roaring_bitmap_t *bitmap) {
    return (struct sn_bitmap *)bitmap;
}

struct sn_bitmap *sn_bitmap_new(const uint32_t *ids, size_t count) {
    roaring_bitmap_t *bitmap = roaring_bitmap_create();
    if (bitmap && count > 0)
        roaring_bitmap_add_many(bitmap, count, ids);
    return ours(bitmap);
}

struct sn_bitmap *sn_bitmap_free(struct sn_bitmap *bitmap) {
    if (bitmap)
        roaring_bitmap_free(of(bitmap));
    return NULL;
}

struct sn_bitmap *sn_bitmap_copy(const struct sn_bitmap *bitmap) {
    return ours(roaring_bitmap_copy(of_const(bitmap)));
}

void sn_bitmap_add(struct sn_bitmap *bitmap, uint32_t id) {
    roaring_bitmap_add(of(bitmap), id);
}

void sn_bitmap_add_many(struct sn_bitmap *bitmap, const uint32_t *ids, size_t count) {
    if (count > 0)
        roaring_bitmap_add_many(of(bitmap), count, ids);
}

void sn_bitmap_add_range(struct sn_bitmap *bitmap, uint32_t first, uint32_t last) {
    roaring_bitmap_add_range(of(bitmap), first, (uint64_t)last + 1);
}

void sn_bitmap_remove(struct sn_bitmap *bitmap, uint32_t id) {
    roaring_bitmap_remove(of(bitmap), id);
}

void sn_bitmap_pack(struct sn_bitmap *bitmap) {
    (void)roaring_bitmap_run_optimize(of(bitmap));  /* whether it found runs */
    (void)roaring_bitmap_shrink_to_fit(of(bitmap)); /* how much it saved */
}

bool sn_bitmap_contains(const struct sn_bitmap *bitmap, uint32_t id) {
    return roaring_bitmap_contains(of_const(bitmap), id);
}

size_t sn_bitmap_count(const struct sn_bitmap *bitmap) {
    return (size_t)roaring_bitmap_get_cardinality(of_const(bitmap));
}

size_t sn_bitmap_bytes(const struct sn_bitmap *bitmap) {
    return roaring_bitmap_size_in_bytes(of_const(bitmap));
}

void sn_bitmap_ids(const struct sn_bitmap *bitmap, uint32_t *ret_ids) {
    roaring_bitmap_to_uint32_array(of_const(bitmap), ret_ids);
}

void sn_bitmap_unite(struct sn_bitmap *bitmap, const struct sn_bitmap *other) {
    roaring_bitmap_or_inplace(of(bitmap), of_const(other));
}

void sn_bitmap_intersect(struct sn_bitmap *bitmap, const struct sn_bitmap *other) {
    roaring_bitmap_and_inplace(of(bitmap), of_const(other));
}

void sn_bitmap_subtract(struct sn_bitmap *bitmap, const struct sn_bitmap *other) {
    roaring_bitmap_andnot_inplace(of(bitmap), of_const(other));
}

struct sn_bitmap *sn_bitmap_both(const struct sn_bitmap *a, const struct sn_bitmap *b) {
    return ours(roaring_bitmap_and(of_const(a), of_const(b)));
}
