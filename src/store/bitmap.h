/*
 * A set of ids as a roaring bitmap: what postings of more than a few ids and the list of the series
 * of a segment are made of. The only file that knows libroaring.
 *
 * libroaring (0.2.66 in Debian 12) takes its memory from malloc and gives up without a word when
 * there is none: a long list of ids is the one place where that can happen. On Linux a process is
 * killed long before an allocation of a few kilobytes fails.
 * Owned by one thread, or guarded by the owner's lock; a set that no longer changes may be read by
 * any thread.
 */
#ifndef SN_STORE_BITMAP_H
#define SN_STORE_BITMAP_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sn_bitmap; /* opaque: libroaring's */

/* An empty set, or one of ids [count] in any order. NULL: no memory. */
struct sn_bitmap *sn_bitmap_new(const uint32_t *ids, size_t count);
struct sn_bitmap *sn_bitmap_free(struct sn_bitmap *bitmap);       /* NULL is fine; returns NULL */
struct sn_bitmap *sn_bitmap_copy(const struct sn_bitmap *bitmap); /* NULL: no memory */

void sn_bitmap_add(struct sn_bitmap *bitmap, uint32_t id);
void sn_bitmap_add_many(struct sn_bitmap *bitmap, const uint32_t *ids, size_t count);
void sn_bitmap_add_range(struct sn_bitmap *bitmap, uint32_t first, uint32_t last); /* inclusive */
void sn_bitmap_remove(struct sn_bitmap *bitmap, uint32_t id);

/* Keep the smallest form; afterwards it should no longer change. */
void sn_bitmap_pack(struct sn_bitmap *bitmap);

bool sn_bitmap_contains(const struct sn_bitmap *bitmap, uint32_t id); /* O(log) */
size_t sn_bitmap_count(const struct sn_bitmap *bitmap);
size_t sn_bitmap_bytes(const struct sn_bitmap *bitmap); /* of memory, about */

/* Write all ids ascending; ret_ids has room for sn_bitmap_count of them. */
void sn_bitmap_ids(const struct sn_bitmap *bitmap, uint32_t *ret_ids);

/* `bitmap` becomes its union, intersection or difference with `other`. */
void sn_bitmap_unite(struct sn_bitmap *bitmap, const struct sn_bitmap *other);
void sn_bitmap_intersect(struct sn_bitmap *bitmap, const struct sn_bitmap *other);
void sn_bitmap_subtract(struct sn_bitmap *bitmap, const struct sn_bitmap *other);

/* Both, as a new set. NULL: no memory. */
struct sn_bitmap *sn_bitmap_both(const struct sn_bitmap *a, const struct sn_bitmap *b);

#endif
