/*
 * The stored media: a file each, written with fdatasync before its upload is answered, and a table
 * guarded by one lock; a quota, and a search that looks at every title.
 * Shown as service "storage" with operations put, get, delete, search, and its memory.
 */
#include "studio.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MEDIA_MAX 4096

static struct {
    pthread_mutex_t mu;
    struct medium slots[MEDIA_MAX]; /* id 0: free; the rest guarded by mu */
    uint64_t next_id;
    size_t used_bytes, quota_bytes;
    char directory[200];
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

static void file_name(uint64_t id, char ret_name[256]) {
    (void)snprintf(ret_name, 256, "%s/%llu", library.directory, (unsigned long long)id);
}

static bool write_file(uint64_t id, const unsigned char *bytes, size_t len,
                       struct failure *failure) {
    char name[256];
    file_name(id, name);
    int fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    bool is_good = fd >= 0 && write(fd, bytes, len) == (ssize_t)len && fdatasync(fd) == 0;
    if (fd >= 0)
        is_good = close(fd) == 0 && is_good;
    return is_good || fail(failure, 507, "STORAGE_ERROR", "storage cannot write the file");
}

static void remove_file(uint64_t id) {
    char name[256];
    file_name(id, name);
    (void)unlink(name);
}

bool library_open(size_t quota_bytes) {
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(library.directory, sizeof library.directory, "%s/studio_XXXXXX",
                   tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(library.directory) == NULL)
        return false;
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
    remove_file(medium->id);
    library.used_bytes -= medium->len;
    sonde_memory_free(library.memory, medium->len);
    medium_release(medium);
}

void library_close(void) {
    for (size_t i = 0; i < MEDIA_MAX; i++)
        if (library.slots[i].id != 0)
            drop_locked(&library.slots[i]);
    (void)rmdir(library.directory);
}

static struct medium *find_locked(uint64_t id) {
    struct medium *medium = &library.slots[id % MEDIA_MAX];
    return id != 0 && medium->id == id ? medium : NULL;
}

static uint64_t next_id(void) {
    (void)pthread_mutex_lock(&library.mu);
    uint64_t id = library.next_id++;
    (void)pthread_mutex_unlock(&library.mu);
    return id;
}

static bool put_locked(const struct medium *head, const unsigned char *bytes,
                       struct failure *failure) {
    struct medium *slot = &library.slots[head->id % MEDIA_MAX];
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
    library.used_bytes += slot->len;
    sonde_memory_alloc(library.memory, slot->len);
    return true;
}

bool library_put(const unsigned char *bytes, size_t len, const char *title, uint64_t *ret_id,
                 struct failure *failure) {
    SONDE_TRACK(track, library.put);
    struct medium head = {.len = len};
    bool is_good = parse(bytes, len, &head, failure);
    if (is_good) {
        head.id = next_id();
        is_good = write_file(head.id, bytes, len, failure);
    }
    if (is_good) {
        (void)snprintf(head.title, sizeof head.title, "%s", title);
        (void)pthread_mutex_lock(&library.mu);
        is_good = put_locked(&head, bytes, failure);
        (void)pthread_mutex_unlock(&library.mu);
    }
    if (!is_good && head.id != 0)
        remove_file(head.id);
    *ret_id = head.id;
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
