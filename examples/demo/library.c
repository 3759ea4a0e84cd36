/*
 * The stored media: a table guarded by one lock, a quota, and a search that looks at every title.
 * Shown as service "storage" with operations put, get, delete, search, and its memory.
 */
#include "studio.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEDIA_MAX 4096

static struct {
    pthread_mutex_t mu;
    struct medium slots[MEDIA_MAX]; /* id 0: free; the rest guarded by mu */
    uint64_t next_id;
    size_t used_bytes, quota_bytes;
    sonde_memory *memory;
    sonde_operation *put, *get, *delete_, *search;
} library = {.mu = PTHREAD_MUTEX_INITIALIZER, .next_id = 1};

bool fail(struct failure *failure, unsigned status, const char *error_class, const char *format,
          ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    failure->status = status;
    failure->error_class = error_class;
    return false;
}

void track_end(sonde_tracker *track, bool is_good, const struct failure *failure) {
    if (is_good)
        sonde_track_complete(track);
    else
        sonde_track_fail_as(
            track, &(sonde_failure){.error_class = failure->error_class, .message = failure->text});
}

double seconds_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static unsigned read_u16(const unsigned char *bytes) {
    return bytes[0] | (unsigned)bytes[1] << 8;
}

/* Whether the bytes are a medium; its head in `medium`. */
static bool parse(const unsigned char *bytes, size_t len, struct medium *medium,
                  struct failure *failure) {
    if (len < MEDIUM_HEADER_BYTES || memcmp(bytes, "SMD1", 4) != 0)
        return fail(failure, 400, "VALIDATION_ERROR", "invalid medium: no SMD1 header");
    medium->width = read_u16(bytes + 4);
    medium->height = read_u16(bytes + 6);
    medium->frames = read_u16(bytes + 8);
    size_t pixels = (size_t)medium->width * medium->height;
    if (medium->width % 8 != 0 || medium->height % 8 != 0 || pixels == 0)
        return fail(failure, 400, "VALIDATION_ERROR", "invalid size %ux%u: not a multiple of 8",
                    medium->width, medium->height);
    if (medium->frames == 0 || len != MEDIUM_HEADER_BYTES + pixels * medium->frames)
        return fail(failure, 400, "VALIDATION_ERROR", "invalid medium: %u frames in %zu bytes",
                    medium->frames, len);
    return true;
}

bool library_open(size_t quota_bytes) {
    sonde_service *service = sonde_service_get(NULL, "storage");
    library.quota_bytes = quota_bytes;
    library.memory = sonde_memory_get(NULL, "storage");
    library.put = sonde_operation_get(service, "put");
    library.get = sonde_operation_get(service, "get");
    library.delete_ = sonde_operation_get(service, "delete");
    library.search = sonde_operation_get(service, "search");
    return true;
}

void medium_release(struct medium *medium) {
    free(medium->bytes);
    memset(medium, 0, sizeof *medium);
}

static void drop_locked(struct medium *medium) {
    library.used_bytes -= medium->len;
    sonde_memory_free(library.memory, medium->len);
    medium_release(medium);
}

void library_close(void) {
    for (size_t i = 0; i < MEDIA_MAX; i++)
        if (library.slots[i].id != 0)
            drop_locked(&library.slots[i]);
}

static struct medium *find_locked(uint64_t id) {
    struct medium *medium = &library.slots[id % MEDIA_MAX];
    return id != 0 && medium->id == id ? medium : NULL;
}

static bool put_locked(const struct medium *head, const unsigned char *bytes, uint64_t *ret_id,
                       struct failure *failure) {
    struct medium *slot = &library.slots[library.next_id % MEDIA_MAX];
    if (library.used_bytes + head->len > library.quota_bytes)
        return fail(failure, 507, "STORAGE_ERROR", "storage quota of %zu MiB reached",
                    library.quota_bytes >> 20);
    if (slot->id != 0) /* the oldest makes room */
        drop_locked(slot);
    unsigned char *copy = malloc(head->len);
    if (copy == NULL)
        return fail(failure, 507, "STORAGE_ERROR", "storage has no memory");
    memcpy(copy, bytes, head->len);
    *slot = *head;
    slot->bytes = copy;
    slot->id = library.next_id++;
    library.used_bytes += slot->len;
    sonde_memory_alloc(library.memory, slot->len);
    *ret_id = slot->id;
    return true;
}

bool library_put(const unsigned char *bytes, size_t len, const char *title, uint64_t *ret_id,
                 struct failure *failure) {
    SONDE_TRACK(track, library.put);
    struct medium head = {.len = len};
    bool is_good = parse(bytes, len, &head, failure);
    if (is_good) {
        (void)snprintf(head.title, sizeof head.title, "%s", title);
        (void)pthread_mutex_lock(&library.mu);
        is_good = put_locked(&head, bytes, ret_id, failure);
        (void)pthread_mutex_unlock(&library.mu);
    }
    track_end(&track, is_good, failure);
    return is_good;
}

bool library_get(uint64_t id, struct medium *ret_medium, struct failure *failure) {
    SONDE_TRACK(track, library.get);
    (void)pthread_mutex_lock(&library.mu);
    const struct medium *medium = find_locked(id);
    unsigned char *copy = medium != NULL ? malloc(medium->len) : NULL;
    if (copy != NULL) {
        memcpy(copy, medium->bytes, medium->len);
        *ret_medium = *medium;
        ret_medium->bytes = copy;
    }
    (void)pthread_mutex_unlock(&library.mu);
    sonde_track_complete(&track); /* nothing there is an answer, not a failure */
    return copy != NULL || fail(failure, 404, "VALIDATION_ERROR",
                                "medium %llu is not in the library", (unsigned long long)id);
}

bool library_delete(uint64_t id, struct failure *failure) {
    SONDE_TRACK(track, library.delete_);
    (void)pthread_mutex_lock(&library.mu);
    struct medium *medium = find_locked(id);
    bool was_there = medium != NULL;
    if (was_there)
        drop_locked(medium);
    (void)pthread_mutex_unlock(&library.mu);
    sonde_track_complete(&track);
    return was_there || fail(failure, 404, "VALIDATION_ERROR", "medium %llu is not in the library",
                             (unsigned long long)id);
}

size_t library_search(const char *text) {
    SONDE_TRACK(track, library.search);
    size_t count = 0;
    (void)pthread_mutex_lock(&library.mu);
    for (size_t i = 0; i < MEDIA_MAX; i++)
        if (library.slots[i].id != 0 && strstr(library.slots[i].title, text) != NULL)
            count++;
    (void)pthread_mutex_unlock(&library.mu);
    sonde_track_complete(&track);
    return count;
}
