/*
 * Thumbnails and their cache: least recently used goes first when the cache is full. Shown as service
 * "thumbnailer" with the operation resize, service "thumb-cache" with get and put, and the cache's own
 * numbers: hits, misses, response time, evictions, memory.
 */
#include "studio.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MAX 1024

struct slot {
    uint64_t id;   /* 0: free */
    uint64_t used; /* turn of the last use */
    unsigned char pixels[THUMB_BYTES];
};

static struct {
    pthread_mutex_t mu;
    struct slot *slots; /* [count], guarded by mu */
    size_t count;
    uint64_t turn;
    sonde_cache *cache;
    sonde_memory *memory;
    sonde_operation *resize, *get, *put;
} thumbs = {.mu = PTHREAD_MUTEX_INITIALIZER};

void thumbs_open(size_t bytes_max) {
    sonde_service *service = sonde_service_get(NULL, "thumb-cache");
    thumbs.count = bytes_max / sizeof(struct slot);
    if (thumbs.count > SLOTS_MAX)
        thumbs.count = SLOTS_MAX;
    thumbs.slots = calloc(thumbs.count, sizeof *thumbs.slots);
    if (thumbs.slots == NULL)
        thumbs.count = 0; /* then nothing is found and nothing kept */
    thumbs.cache = sonde_cache_get(NULL, "thumb-cache", "thumbnails");
    thumbs.get = sonde_operation_get(service, "get");
    thumbs.put = sonde_operation_get(service, "put");
    thumbs.resize = sonde_operation_get(sonde_service_get(NULL, "thumbnailer"), "resize");
    thumbs.memory = sonde_memory_get(NULL, "thumbnailer");
}

void thumbs_close(void) {
    free(thumbs.slots);
    thumbs.slots = NULL;
    thumbs.count = 0;
}

/* The slot of a medium, or the one that it should get. */
static struct slot *place_locked(uint64_t id, bool is_new) {
    struct slot *oldest = NULL;
    for (size_t i = 0; i < thumbs.count; i++) {
        struct slot *slot = &thumbs.slots[i];
        if (slot->id == id)
            return slot;
        if (is_new && (oldest == NULL || slot->used < oldest->used))
            oldest = slot;
    }
    return oldest;
}

static bool cache_get(uint64_t id, unsigned char ret_thumb[THUMB_BYTES]) {
    SONDE_TRACK(track, thumbs.get);
    sonde_cache_timer timer = sonde_cache_begin(thumbs.cache, "get");
    (void)pthread_mutex_lock(&thumbs.mu);
    struct slot *slot = place_locked(id, false);
    if (slot != NULL) {
        slot->used = ++thumbs.turn;
        memcpy(ret_thumb, slot->pixels, THUMB_BYTES);
    }
    (void)pthread_mutex_unlock(&thumbs.mu);
    sonde_cache_end(&timer, slot != NULL ? SONDE_CACHE_HIT : SONDE_CACHE_MISS, NULL);
    sonde_track_complete(&track);
    return slot != NULL;
}

static void cache_put(uint64_t id, const unsigned char thumb[THUMB_BYTES]) {
    SONDE_TRACK(track, thumbs.put);
    sonde_cache_timer timer = sonde_cache_begin(thumbs.cache, "put");
    (void)pthread_mutex_lock(&thumbs.mu);
    struct slot *slot = place_locked(id, true);
    if (slot != NULL && slot->id != 0 && slot->id != id)
        sonde_cache_evict(thumbs.cache, 1);
    if (slot != NULL && slot->id == 0) {
        sonde_cache_add_entries(thumbs.cache, 1);
        sonde_cache_add_used_bytes(thumbs.cache, (int64_t)sizeof *slot);
    }
    if (slot != NULL) {
        slot->id = id;
        slot->used = ++thumbs.turn;
        memcpy(slot->pixels, thumb, THUMB_BYTES);
    }
    (void)pthread_mutex_unlock(&thumbs.mu);
    sonde_cache_end(&timer, SONDE_CACHE_DONE, NULL);
    sonde_track_complete(&track);
}

void thumbs_forget(uint64_t id) {
    (void)pthread_mutex_lock(&thumbs.mu);
    struct slot *slot = place_locked(id, false);
    if (slot != NULL) {
        memset(slot, 0, sizeof *slot);
        sonde_cache_add_entries(thumbs.cache, -1);
        sonde_cache_add_used_bytes(thumbs.cache, -(int64_t)sizeof *slot);
    }
    (void)pthread_mutex_unlock(&thumbs.mu);
}

/* The average of the pixels of one cell of the thumbnail. */
static unsigned char average(const struct medium *medium, unsigned x, unsigned y) {
    const unsigned char *frame = medium->bytes + MEDIUM_HEADER_BYTES;
    unsigned x0 = x * medium->width / THUMB_SIDE, x1 = (x + 1) * medium->width / THUMB_SIDE;
    unsigned y0 = y * medium->height / THUMB_SIDE, y1 = (y + 1) * medium->height / THUMB_SIDE;
    unsigned sum = 0, count = 0;
    for (unsigned row = y0; row < y1 || row == y0; row++)
        for (unsigned column = x0; column < x1 || column == x0; column++, count++)
            sum += frame[(size_t)row * medium->width + column];
    return (unsigned char)(sum / count);
}

static void resize(const struct medium *medium, unsigned char ret_thumb[THUMB_BYTES]) {
    SONDE_TRACK(track, thumbs.resize);
    for (unsigned y = 0; y < THUMB_SIDE; y++)
        for (unsigned x = 0; x < THUMB_SIDE; x++)
            ret_thumb[y * THUMB_SIDE + x] = average(medium, x, y);
    sonde_track_complete(&track);
}

bool thumbs_get(uint64_t id, unsigned char ret_thumb[THUMB_BYTES], struct failure *failure) {
    struct medium medium;
    if (cache_get(id, ret_thumb))
        return true;
    if (!library_get(id, &medium, failure))
        return false;
    sonde_memory_alloc(thumbs.memory, medium.len);
    resize(&medium, ret_thumb);
    cache_put(id, ret_thumb);
    sonde_memory_free(thumbs.memory, medium.len);
    medium_release(&medium);
    return true;
}
