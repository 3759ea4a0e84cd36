/*
 * Shared files: opening, locks, processes, pages. See shared_priv.h.
 *
 * Of the mapping's numbers, those that are read by other processes are atomics: pages and chunk
 * lists are published with release and followed with acquire.
 */
#include "client/shared_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/os.h"
#include "client/ticks_priv.h"
#include "codec/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>

#define FILE_MODE 0640
#define OPEN_TRIES 2000 /* of 1 ms: another process is making the file */
#define LOCK_TRIES 50   /* of 1 ms: another process registers */
#define READY_STEP ((size_t)64 << 10)
#define FAILS_SKIPPED 1024u /* attempts without asking a full disk again */
#define CATALOGUE_SHARE 4   /* a quarter of the file */

static struct sn_shared *files; /* guarded by the registration lock, which fork holds */

struct sn_shared *sn_shared_first(void) {
    return files;
}

/* Layout. */

static uint64_t page_up(uint64_t bytes) {
    return (bytes + SN_SHARED_PAGE - 1) / SN_SHARED_PAGE * SN_SHARED_PAGE;
}

void sn_shared_layout(size_t file_bytes, struct sn_shared_fixed *ret_fixed) {
    struct sn_shared_fixed *fixed = ret_fixed;
    memcpy(fixed->magic, SN_SHARED_MAGIC, sizeof fixed->magic);
    fixed->version = SN_SHARED_VERSION;
    fixed->file_bytes = file_bytes;
    fixed->process_count = SN_SHARED_PROCESSES;
    fixed->chunk_cells = SN_CHUNK_CELLS;
    fixed->page_count = (uint32_t)((file_bytes - file_bytes / CATALOGUE_SHARE) / SN_SHARED_PAGE);
    fixed->chunk_count =
        fixed->page_count < SN_CHUNK_MAX - 1 ? fixed->page_count : SN_CHUNK_MAX - 1;
    fixed->heads_offset = SN_SHARED_PAGE + SN_SHARED_PROCESSES * sizeof(struct sn_shared_process);
    fixed->infos_offset =
        page_up(fixed->heads_offset + (fixed->chunk_count + 1) * sizeof(uint32_t));
    fixed->pages_offset =
        page_up(fixed->infos_offset + fixed->page_count * sizeof(struct sn_shared_page));
    fixed->catalogue_offset = fixed->pages_offset + (uint64_t)fixed->page_count * SN_SHARED_PAGE;
    fixed->catalogue_bytes = file_bytes - fixed->catalogue_offset;
}

static uint32_t checksum_of(const struct sn_shared_fixed *fixed) {
    struct sn_shared_fixed copy = *fixed;
    copy.checksum = 0;
    return sn_crc32c(0, &copy, sizeof copy);
}

sn_status sn_shared_check_fixed(const struct sn_shared_fixed *fixed, uint64_t file_bytes,
                                const char *path, struct sn_err *err) {
    if (memcmp(fixed->magic, SN_SHARED_MAGIC, sizeof fixed->magic) != 0)
        return sn_err_set(err, SN_ERR_INVALID, "%s is no shared file of libsonde", path);
    if (fixed->version != SN_SHARED_VERSION)
        return sn_err_set(err, SN_ERR_UNSUPPORTED, "%s has version %u, this is version %d", path,
                          (unsigned)fixed->version, SN_SHARED_VERSION);
    if (fixed->checksum != checksum_of(fixed))
        return sn_err_set(err, SN_ERR_CORRUPT, "%s is damaged: the checksum of its header is wrong",
                          path);
    if (fixed->file_bytes < SN_SHARED_BYTES_MIN || fixed->file_bytes > SN_SHARED_BYTES_MAX ||
        fixed->file_bytes % SN_SHARED_PAGE != 0)
        return sn_err_set(err, SN_ERR_CORRUPT, "%s is damaged: its header has an impossible size",
                          path);
    if (fixed->file_bytes > file_bytes)
        return sn_err_set(err, SN_ERR_CORRUPT, "%s is cut off: %llu bytes instead of %llu", path,
                          (unsigned long long)file_bytes, (unsigned long long)fixed->file_bytes);
    struct sn_shared_fixed want = *fixed;
    sn_shared_layout((size_t)fixed->file_bytes, &want);
    if (memcmp(&want, fixed, sizeof want) != 0)
        return sn_err_set(err, SN_ERR_UNSUPPORTED, "%s is laid out in another way", path);
    return SN_OK;
}

/* By the size of the mapping, not by what the mapping says. */
static void set_pointers(struct sn_shared *shared) {
    struct sn_shared_fixed *fixed = &shared->layout;
    sn_shared_layout(shared->bytes, fixed);
    shared->header = (void *)shared->base;
    shared->processes = (void *)(shared->base + SN_SHARED_PAGE);
    shared->heads = (void *)(shared->base + fixed->heads_offset);
    shared->infos = (void *)(shared->base + fixed->infos_offset);
}

/* Blocks. */

/* Where the file system cannot allocate, zeros are written: nobody uses these bytes yet. */
static int allocate(int fd, uint64_t offset, uint64_t len) {
    static const char zeros[SN_SHARED_PAGE];
    if (sn_os_fallocate(fd, 0, (int64_t)offset, (int64_t)len) == 0)
        return 0;
    if (errno != EOPNOTSUPP && errno != ENOSYS)
        return -1;
    for (uint64_t at = 0; at < len; at += sizeof zeros) {
        size_t part = len - at < sizeof zeros ? (size_t)(len - at) : sizeof zeros;
        if (sn_os_pwrite_all(fd, zeros, part, (int64_t)(offset + at)) != 0)
            return -1;
    }
    return 0;
}

/* Opening. */

static bool is_at_path(int fd, const char *path) {
    struct stat open_file, named;
    return sn_os_fstat(fd, &open_file) == 0 && sn_os_stat(path, &named) == 0 &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

/* Another description of the same file; -1: cannot. */
static int open_again(int fd, const char *path) {
    char link[64];
    struct stat one, other;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int again = sn_os_open(link, O_RDWR, 0);
    if (again == -1) /* no /proc: by name, if that is still this file */
        again = sn_os_open(path, O_RDWR | O_NOFOLLOW, 0);
    if (again != -1 && (sn_os_fstat(fd, &one) != 0 || sn_os_fstat(again, &other) != 0 ||
                        one.st_dev != other.st_dev || one.st_ino != other.st_ino)) {
        (void)sn_os_close(again);
        again = -1;
    }
    return again;
}

static sn_status map(struct sn_shared *shared, struct sn_err *err) {
    void *at =
        sn_os_mmap(NULL, shared->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, shared->map_fd, 0);
    if (at == MAP_FAILED)
        return sn_err_set_errno(err, errno, "cannot map %s", shared->path);
    shared->base = at;
    set_pointers(shared);
    return SN_OK;
}

void sn_shared_boot_id(char *ret_id, size_t size) {
    struct sn_buf text;
    sn_buf_init(&text, 64);
    if (sn_os_read_file("/proc/sys/kernel/random/boot_id", &text, NULL) == SN_OK) {
        struct sn_str id = sn_str_trim(sn_buf_str(&text));
        memcpy(ret_id, id.ptr, id.len < size ? id.len : size);
    }
    sn_buf_release(&text);
}

static struct sn_shared_moment moment_now(void) {
    struct sn_tick_pair now = sn_ticks_now();
    return (struct sn_shared_moment){now.tick, now.mono_ns, sn_clock_wall_ms(sn_clock_system())};
}

/* An empty file becomes one of ours; its magic is written last. */
static sn_status initialise(struct sn_shared *shared, size_t bytes, struct sn_err *err) {
    struct sn_shared_fixed fixed = {.checksum = 0};
    sn_shared_layout(bytes, &fixed);
    fixed.first = moment_now();
    sn_shared_boot_id(fixed.boot_id, sizeof fixed.boot_id);
    fixed.checksum = checksum_of(&fixed);
    if (sn_os_ftruncate(shared->map_fd, (int64_t)bytes) != 0 ||
        allocate(shared->map_fd, 0, fixed.pages_offset) != 0)
        return sn_err_set_errno(err, errno, "no room for the %zu bytes of %s", bytes, shared->path);
    shared->bytes = bytes;
    SN_TRY(map(shared, err));
    shared->header->fixed = fixed;
    shared->header->last = fixed.first;
    return SN_OK;
}

static sn_status join(struct sn_shared *shared, struct sn_err *err) {
    struct stat stat;
    struct sn_shared_fixed fixed;
    if (sn_os_fstat(shared->map_fd, &stat) != 0 ||
        sn_os_pread_all(shared->map_fd, &fixed, sizeof fixed, 0) != (ssize_t)sizeof fixed)
        return sn_err_set(err, SN_ERR_CORRUPT, "%s is cut off: it has no header", shared->path);
    SN_TRY(sn_shared_check_fixed(&fixed, (uint64_t)stat.st_size, shared->path, err));
    shared->bytes = (size_t)fixed.file_bytes;
    return map(shared, err);
}

/* What an ended host left goes out of the way; a file of somebody else's stays. */
static sn_status put_aside(int fd, const char *path, struct sn_err *err) {
    char last[PATH_MAX];
    char magic[8] = "";
    if (sn_os_pread_all(fd, magic, sizeof magic, 0) != (ssize_t)sizeof magic ||
        memcmp(magic, SN_SHARED_MAGIC, sizeof magic) != 0)
        return sn_err_set(err, SN_ERR_INVALID,
                          "%s exists and is no shared file of libsonde: it is left alone", path);
    int len = snprintf(last, sizeof last, "%s" SN_SHARED_LAST_SUFFIX, path);
    if (len < 0 || (size_t)len >= sizeof last)
        return sn_err_set(err, SN_ERR_LIMIT, "the name %s is too long", path);
    if (sn_os_rename(path, last) != 0 && errno != ENOENT)
        return sn_err_set_errno(err, errno, "cannot rename %s to %s", path, last);
    return SN_OK;
}

enum found { FOUND_EMPTY, FOUND_LIVING, FOUND_AGAIN, FOUND_ERROR };

/* With the whole file to ourselves. */
static enum found look_at_free(int fd, const char *path, sn_status *ret_status,
                               struct sn_err *err) {
    struct stat stat;
    if (sn_os_fstat(fd, &stat) != 0) {
        *ret_status = sn_err_set_errno(err, errno, "cannot look at %s", path);
        return FOUND_ERROR;
    }
    if (stat.st_size == 0)
        return FOUND_EMPTY;
    *ret_status = put_aside(fd, path, err);
    return *ret_status == SN_OK ? FOUND_AGAIN : FOUND_ERROR;
}

static enum found look_at(int fd, const char *path, sn_status *ret_status, struct sn_err *err) {
    bool is_free = sn_os_lock_byte(fd, F_WRLCK, SN_SHARED_LOCK_USE) == 0;
    if (!is_free && errno != EAGAIN && errno != EACCES) {
        *ret_status = sn_err_set_errno(err, errno, "cannot lock %s", path);
        return FOUND_ERROR;
    }
    bool is_shared = !is_free && sn_os_lock_byte(fd, F_RDLCK, SN_SHARED_LOCK_USE) == 0;
    if (!is_at_path(fd, path) || (!is_free && !is_shared))
        return FOUND_AGAIN;
    return is_free ? look_at_free(fd, path, ret_status, err) : FOUND_LIVING;
}

static sn_status fill(struct sn_shared *shared, enum found found, size_t bytes,
                      struct sn_err *err) {
    shared->map_fd = open_again(shared->lock_fd, shared->path);
    if (shared->map_fd == -1)
        return sn_err_set_errno(err, errno, "cannot open %s a second time", shared->path);
    if (found == FOUND_LIVING)
        return join(shared, err);
    sn_status status = initialise(shared, bytes, err);
    if (status != SN_OK)
        (void)sn_os_ftruncate(shared->map_fd, 0); /* empty again: the next one tries anew */
    else if (sn_os_lock_byte(shared->lock_fd, F_RDLCK, SN_SHARED_LOCK_USE) != 0)
        status = sn_err_set_errno(err, errno, "cannot lock %s", shared->path);
    return status;
}

static sn_status open_file(struct sn_shared *shared, size_t bytes, struct sn_err *err) {
    for (int i = 0; i < OPEN_TRIES; i++) {
        shared->lock_fd = sn_os_open(shared->path, O_RDWR | O_CREAT | O_NOFOLLOW, FILE_MODE);
        if (shared->lock_fd == -1)
            return sn_err_set_errno(err, errno, "cannot open %s", shared->path);
        sn_status status = SN_OK;
        enum found found = look_at(shared->lock_fd, shared->path, &status, err);
        if (found == FOUND_ERROR)
            return status;
        if (found != FOUND_AGAIN)
            return fill(shared, found, bytes, err);
        (void)sn_os_close(shared->lock_fd);
        shared->lock_fd = -1;
        (void)sn_os_poll(NULL, 0, 1);
    }
    return sn_err_set(err, SN_ERR_BUSY, "%s is held by a process that does not let go",
                      shared->path);
}

/* Processes. */

/* Pages of a slot's last process are ours: no slab has them. */
static void free_pages(struct sn_shared *shared, uint32_t owner) {
    uint32_t page_count = shared->layout.page_count;
    uint32_t used = atomic_load(&shared->header->page_used);
    for (uint32_t i = 0; i < used && i < page_count; i++) {
        if (atomic_load(&shared->infos[i].owner) == owner)
            atomic_store(&shared->infos[i].is_taken, 0);
    }
}

bool sn_shared_enter(struct sn_shared *shared) {
    for (uint32_t i = 0; i < SN_SHARED_PROCESSES && shared->lock_fd != -1; i++) {
        struct sn_shared_process *process = &shared->processes[i];
        if (atomic_load(&process->is_used) != 0 ||
            sn_os_lock_byte(shared->lock_fd, F_WRLCK, SN_SHARED_LOCK_PROCESS + i) != 0)
            continue;
        if (atomic_load(&process->is_used) != 0) { /* lived and died meanwhile: left to a reader */
            (void)sn_os_lock_byte(shared->lock_fd, F_UNLCK, SN_SHARED_LOCK_PROCESS + i);
            continue;
        }
        free_pages(shared, i + 1);
        process->pid = (uint32_t)sn_os_pid();
        process->start_wall_ms = sn_clock_wall_ms(sn_clock_system());
        atomic_store(&process->is_used, 1);
        atomic_store(&shared->owner, i + 1);
        return true;
    }
    return false;
}

uint32_t sn_shared_find_dead(struct sn_shared *shared, uint32_t from) {
    uint32_t own = atomic_load(&shared->owner);
    for (uint32_t i = from; i < SN_SHARED_PROCESSES && shared->lock_fd != -1; i++) {
        if (i + 1 == own || atomic_load(&shared->processes[i].is_used) == 0 ||
            sn_os_lock_byte(shared->lock_fd, F_WRLCK, SN_SHARED_LOCK_PROCESS + i) != 0)
            continue;
        if (atomic_load(&shared->processes[i].is_used) != 0)
            return i;
        (void)sn_os_lock_byte(shared->lock_fd, F_UNLCK, SN_SHARED_LOCK_PROCESS + i);
    }
    return SN_SHARED_PROCESSES;
}

void sn_shared_bury(struct sn_shared *shared, uint32_t process) {
    atomic_store(&shared->processes[process].is_used, 0);
    (void)sn_os_lock_byte(shared->lock_fd, F_UNLCK, SN_SHARED_LOCK_PROCESS + process);
}

void sn_shared_leave_parent(struct sn_shared *shared) {
    atomic_store(&shared->owner, 0);
    if (shared->lock_fd != -1)
        (void)sn_os_close(shared->lock_fd);
    shared->lock_fd = open_again(shared->map_fd, shared->path);
    /* If this fails the file may be put aside while we count: then our numbers are in PATH.last. */
    if (shared->lock_fd != -1)
        (void)sn_os_lock_byte(shared->lock_fd, F_RDLCK, SN_SHARED_LOCK_USE);
}

/* Life. */

static struct sn_shared *shared_free(struct sn_shared *shared) {
    if (shared == NULL)
        return NULL;
    if (shared->base != NULL)
        (void)sn_os_munmap(shared->base, shared->bytes);
    if (shared->map_fd != -1)
        (void)sn_os_close(shared->map_fd);
    if (shared->lock_fd != -1)
        (void)sn_os_close(shared->lock_fd);
    sn_free(shared->families);
    sn_free(shared->local_chunks);
    sn_free(shared->path);
    sn_free(shared);
    return NULL;
}

static sn_status open_all(struct sn_shared *shared, size_t bytes, struct sn_err *err) {
    SN_TRY(open_file(shared, bytes, err));
    shared->local_chunks =
        sn_alloc_zero((size_t)shared->layout.chunk_count + 1, sizeof *shared->local_chunks);
    if (shared->local_chunks == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the chunks of %s", shared->path);
    return SN_OK;
}

sn_status sn_shared_open(const char *path, size_t bytes, struct sn_shared **ret_shared,
                         struct sn_err *err) {
    if (bytes == 0)
        bytes = SN_SHARED_BYTES_DEFAULT;
    if (bytes < SN_SHARED_BYTES_MIN || bytes > SN_SHARED_BYTES_MAX)
        return sn_err_set(err, SN_ERR_INVALID,
                          "a shared file of %zu bytes: %zu to %zu are possible", bytes,
                          SN_SHARED_BYTES_MIN, SN_SHARED_BYTES_MAX);
    struct sn_shared *shared = sn_alloc_zero(1, sizeof *shared);
    if (shared == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to open %s", path);
    shared->map_fd = shared->lock_fd = -1;
    shared->path = sn_strdup(path);
    sn_status status = shared->path != NULL
                           ? open_all(shared, (size_t)page_up(bytes), err)
                           : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to open %s", path);
    if (status != SN_OK) {
        (void)shared_free(shared);
        return status;
    }
    shared->next = files;
    files = shared;
    *ret_shared = shared;
    return SN_OK;
}

struct sn_shared *sn_shared_close(struct sn_shared *shared) {
    if (shared == NULL)
        return NULL;
    struct sn_shared **link = &files;
    while (*link != shared)
        link = &(*link)->next;
    *link = shared->next;
    uint32_t owner = atomic_load(&shared->owner);
    if (owner != 0)
        atomic_store(&shared->processes[owner - 1].is_used, 0);
    return shared_free(shared);
}

/* The catalogue. */

bool sn_shared_lock(struct sn_shared *shared) {
    for (int i = 0; i < LOCK_TRIES && shared->lock_fd != -1; i++) {
        if (sn_os_lock_byte(shared->lock_fd, F_WRLCK, SN_SHARED_LOCK_CATALOGUE) == 0)
            return true;
        (void)sn_os_poll(NULL, 0, 1);
    }
    return false;
}

void sn_shared_unlock(struct sn_shared *shared) {
    (void)sn_os_lock_byte(shared->lock_fd, F_UNLCK, SN_SHARED_LOCK_CATALOGUE);
}

uint64_t sn_shared_catalogue_len(const struct sn_shared *shared) {
    uint64_t len = atomic_load_explicit(&shared->header->catalogue_len, memory_order_acquire);
    uint64_t most = shared->layout.catalogue_bytes;
    return len < most ? len : most;
}

const unsigned char *sn_shared_catalogue(const struct sn_shared *shared) {
    return shared->base + shared->layout.catalogue_offset;
}

bool sn_shared_is_full(const struct sn_shared *shared) {
    const struct sn_shared_fixed *fixed = &shared->layout;
    return sn_shared_catalogue_len(shared) + SN_SHARED_BYTES_RESERVED > fixed->catalogue_bytes ||
           shared->header->chunk_used >= fixed->chunk_count - fixed->chunk_count / 64;
}

bool sn_shared_append(struct sn_shared *shared, const void *record, size_t len) {
    const struct sn_shared_fixed *fixed = &shared->layout;
    uint64_t at = sn_shared_catalogue_len(shared);
    if (at + len > fixed->catalogue_bytes)
        return false;
    if (at + len > shared->catalogue_ready) {
        size_t ready = ((size_t)at + len + READY_STEP - 1) / READY_STEP * READY_STEP;
        if (ready > fixed->catalogue_bytes)
            ready = (size_t)fixed->catalogue_bytes;
        uint64_t from = at / SN_SHARED_PAGE * SN_SHARED_PAGE;
        if (allocate(shared->map_fd, fixed->catalogue_offset + from, ready - from) != 0)
            return false;
        shared->catalogue_ready = ready;
    }
    memcpy(shared->base + fixed->catalogue_offset + at, record, len);
    /* Release pairs with sn_shared_catalogue_len. */
    atomic_store_explicit(&shared->header->catalogue_len, at + len, memory_order_release);
    shared->seen = at + len;
    return true;
}

bool sn_shared_take(struct sn_shared *shared, uint32_t count, sonde_ref *ret_ref) {
    struct sn_shared_header *header = shared->header;
    uint32_t chunk = header->chunk_used;
    uint32_t cell = header->cell_used;
    if (chunk == 0 || cell > SN_CHUNK_CELLS || SN_CHUNK_CELLS - cell < count) {
        if (chunk >= shared->layout.chunk_count)
            return false;
        chunk++;
        cell = 0;
    }
    if (chunk > shared->layout.chunk_count)
        return false;
    header->cell_used = cell + count;
    header->chunk_used = chunk;
    *ret_ref = (sonde_ref){chunk, cell};
    return true;
}

void sn_shared_note_moment(struct sn_shared *shared) {
    shared->header->last = moment_now();
}

/* Pages. */

static uint64_t *cells_of(const struct sn_shared *shared, uint32_t page) {
    uint64_t offset = shared->layout.pages_offset + (uint64_t)page * SN_SHARED_PAGE;
    return (uint64_t *)(void *)(shared->base + offset);
}

/* A page that nobody had; false: none is left. */
static bool number_page(struct sn_shared *shared, uint32_t *ret_page) {
    uint32_t page_count = shared->layout.page_count;
    uint32_t page = atomic_load_explicit(&shared->header->page_used, memory_order_relaxed);
    do {
        if (page >= page_count)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&shared->header->page_used, &page, page + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    *ret_page = page;
    return true;
}

/* Give the last page back, if nobody took another one meanwhile. */
static void unnumber_page(struct sn_shared *shared, uint32_t page) {
    uint32_t used = page + 1;
    (void)atomic_compare_exchange_strong_explicit(&shared->header->page_used, &used, page,
                                                  memory_order_relaxed, memory_order_relaxed);
}

static uint64_t *new_page(struct sn_shared *shared, uint32_t chunk, uint32_t owner) {
    uint32_t page;
    uint32_t fails = atomic_load_explicit(&shared->fails, memory_order_relaxed);
    if (fails != 0 && fails < FAILS_SKIPPED) {
        atomic_fetch_add_explicit(&shared->fails, 1, memory_order_relaxed);
        return NULL;
    }
    if (!number_page(shared, &page))
        return NULL;
    uint64_t offset = shared->layout.pages_offset + (uint64_t)page * SN_SHARED_PAGE;
    if (allocate(shared->map_fd, offset, SN_SHARED_PAGE) != 0) {
        unnumber_page(shared, page);
        atomic_store_explicit(&shared->fails, 1, memory_order_relaxed);
        return NULL;
    }
    atomic_store_explicit(&shared->fails, 0, memory_order_relaxed);
    struct sn_shared_page *info = &shared->infos[page];
    atomic_store_explicit(&info->owner, owner, memory_order_relaxed);
    atomic_store_explicit(&info->is_taken, 1, memory_order_relaxed);
    /* Release: who finds the chunk, or the page in its list, finds the owner. */
    atomic_store_explicit(&info->chunk, chunk, memory_order_release);
    uint32_t next = atomic_load_explicit(&shared->heads[chunk], memory_order_relaxed);
    do {
        atomic_store_explicit(&info->next, next, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&shared->heads[chunk], &next, page + 1,
                                                    memory_order_release, memory_order_relaxed));
    return cells_of(shared, page);
}

/* The next page of a list; `at` counts the steps in its high half: a list in a circle ends too. */
static bool step(const struct sn_shared *shared, uint32_t chunk, uint64_t *at, uint32_t *ret_page) {
    uint32_t page_count = shared->layout.page_count;
    uint32_t page = (uint32_t)*at;
    uint32_t steps = (uint32_t)(*at >> 32);
    if (steps > page_count || (steps > 0 && page == 0))
        return false;
    const _Atomic uint32_t *link =
        steps == 0 ? &shared->heads[chunk] : &shared->infos[page - 1].next;
    page = atomic_load_explicit(link, memory_order_acquire);
    *at = ((uint64_t)(steps + 1) << 32) | page;
    if (page == 0 || page > page_count) {
        *at = (uint64_t)(steps + 1) << 32;
        return false;
    }
    *ret_page = page - 1;
    return true;
}

uint64_t *sn_shared_next_page(const struct sn_shared *shared, uint32_t chunk, uint32_t owner,
                              uint64_t *at) {
    uint32_t page;
    while (step(shared, chunk, at, &page)) {
        uint32_t its = atomic_load_explicit(&shared->infos[page].owner, memory_order_relaxed);
        if (its != SN_SHARED_OWNER_ALL && (owner == 0 || its == owner))
            return cells_of(shared, page);
    }
    return NULL;
}

uint64_t *sn_shared_attach(struct sn_shared *shared, uint32_t chunk) {
    uint32_t owner = atomic_load_explicit(&shared->owner, memory_order_relaxed);
    uint64_t at = 0;
    uint32_t page;
    if (owner == 0)
        return NULL;
    while (step(shared, chunk, &at, &page)) {
        struct sn_shared_page *info = &shared->infos[page];
        uint32_t is_taken = 0;
        if (atomic_load_explicit(&info->owner, memory_order_relaxed) == owner &&
            atomic_compare_exchange_strong_explicit(&info->is_taken, &is_taken, 1,
                                                    memory_order_acquire, memory_order_relaxed))
            return cells_of(shared, page);
    }
    return new_page(shared, chunk, owner);
}

uint64_t *sn_shared_common(struct sn_shared *shared, uint32_t chunk) {
    uint64_t at = 0;
    uint32_t page;
    while (step(shared, chunk, &at, &page)) {
        if (atomic_load_explicit(&shared->infos[page].owner, memory_order_relaxed) ==
            SN_SHARED_OWNER_ALL)
            return cells_of(shared, page);
    }
    return new_page(shared, chunk, SN_SHARED_OWNER_ALL);
}
