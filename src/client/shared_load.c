/*
 * Reading shared files: of a program that runs, or of one that is gone. See sonde/shared.h and
 * shared_load_priv.h.
 *
 * The file is read, not mapped: another process may cut it at any moment. The header comes first,
 * pages last, so that whatever the catalogue names was complete before. Work is bounded by the size
 * of the file: series come in the order of their cells, so that no cell is added up twice.
 */
#include "client/shared_load_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/os.h"
#include "client/callback_priv.h"
#include "client/error_priv.h"
#include "client/family_priv.h"
#include "client/lock_priv.h"
#include "client/native_priv.h"
#include "client/operation_priv.h"
#include "client/registry_priv.h"
#include "sonde/shared.h"

#include <errno.h>
#include <fcntl.h>

#define FAMILY_MAX 100000

/* What a file can hold is the limit. */
const sonde_registry_options sn_shared_load_options = {
    .family_max = FAMILY_MAX, .series_max = SIZE_MAX, .family_series_max = SIZE_MAX};

struct image {
    const unsigned char *bytes;
    const char *path;
    const struct sn_shared_header *header;
    const struct sn_shared_page *infos; /* [page_used] */
    uint32_t page_used;
    uint32_t *chunk_pages; /* [chunk_count + 2] where a chunk's pages begin in page_order */
    uint32_t *page_order;  /* [page_used] pages by chunk */
    struct sn_tick_pair now;
    int64_t now_wall_ms;
    double ms_per_tick; /* 0: not known */
};

struct loader {
    struct image *image;
    sonde_registry *registry;
    struct sn_family **families; /* [family_count], room for FAMILY_MAX */
    size_t family_count;
    sonde_ref end; /* behind the cells of the last series */
    struct sn_err *err;
};

/* Clocks. */

static double rate_between(const struct sn_shared_moment *from, uint64_t tick, int64_t mono_ns) {
    if (from->tick == 0 || tick <= from->tick || mono_ns <= from->mono_ns)
        return 0;
    return ((double)mono_ns - (double)from->mono_ns) / 1e6 / (double)(tick - from->tick);
}

/* By the clocks of now, if they are still those that the file was begun with. */
static double find_rate(const struct image *image) {
    const struct sn_shared_moment *first = &image->header->fixed.first;
    const struct sn_shared_moment *last = &image->header->last;
    char boot_id[sizeof image->header->fixed.boot_id] = "";
    sn_shared_boot_id(boot_id, sizeof boot_id);
    if (memcmp(boot_id, image->header->fixed.boot_id, sizeof boot_id) == 0)
        return rate_between(first, image->now.tick, image->now.mono_ns);
    return rate_between(first, last->tick, last->mono_ns);
}

/* `age_ms` before the last moment of the file, but not in the future. */
static int64_t wall_before(const struct image *image, double age_ms) {
    double wall_ms = (double)image->header->last.wall_ms - age_ms;
    if (!(wall_ms > 1))
        return 1;
    return wall_ms < (double)image->now_wall_ms ? (int64_t)wall_ms : image->now_wall_ms;
}

/* Unix milliseconds of the last finish in some thread's cells; 0: none, or not known. */
static int64_t last_wall_ms(const struct image *image, const uint64_t *cells) {
    const struct sn_shared_moment *last = &image->header->last;
    uint64_t tick = cells[SONDE_OPERATION_LAST_TICK];
    uint64_t mono_ns = cells[SONDE_OPERATION_LAST_NS];
    int64_t by_tick = 0;
    int64_t by_clock = 0;
    if (tick != 0 && image->ms_per_tick > 0)
        by_tick = wall_before(image, ((double)last->tick - (double)tick) * image->ms_per_tick);
    if (mono_ns != 0)
        by_clock = wall_before(image, ((double)last->mono_ns - (double)(int64_t)mono_ns) / 1e6);
    return by_tick > by_clock ? by_tick : by_clock;
}

/* Pages. */

static bool sort_pages(struct image *image) {
    uint32_t chunk_count = image->header->fixed.chunk_count;
    image->chunk_pages = sn_alloc_zero((size_t)chunk_count + 2, sizeof *image->chunk_pages);
    image->page_order = sn_alloc_zero((size_t)image->page_used + 1, sizeof *image->page_order);
    if (image->chunk_pages == NULL || image->page_order == NULL)
        return false;
    for (uint32_t i = 0; i < image->page_used; i++) {
        uint32_t chunk = image->infos[i].chunk;
        if (chunk <= chunk_count) /* 0: taken and never used */
            image->chunk_pages[chunk + 1]++;
    }
    for (uint32_t chunk = 0; chunk <= chunk_count; chunk++)
        image->chunk_pages[chunk + 1] += image->chunk_pages[chunk];
    /* Filling in moves each start to its end, which is the start of the next one. */
    for (uint32_t i = 0; i < image->page_used; i++) {
        uint32_t chunk = image->infos[i].chunk;
        if (chunk <= chunk_count)
            image->page_order[image->chunk_pages[chunk]++] = i;
    }
    return true;
}

/* Calls `visit` with the cells at ref in every page of its chunk. */
static void each_page(const struct image *image, sonde_ref ref, struct sn_series *series,
                      void (*visit)(const struct image *image, struct sn_series *series,
                                    const uint64_t *cells, bool is_common)) {
    if (ref.chunk == 0)
        return;
    for (uint32_t i = image->chunk_pages[ref.chunk - 1]; i < image->chunk_pages[ref.chunk]; i++) {
        uint32_t page = image->page_order[i];
        const unsigned char *at =
            image->bytes + image->header->fixed.pages_offset + (size_t)page * SN_SHARED_PAGE;
        visit(image, series, (const uint64_t *)(const void *)at + ref.cell,
              image->infos[page].owner == SN_SHARED_OWNER_ALL);
    }
}

/* Numbers: into the cells that the calling thread has in the new registry. */

static void add_sums(uint64_t *own, const uint64_t *cells, size_t from, size_t end) {
    for (size_t i = from; i < end; i++)
        own[i] += cells[i];
}

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static void add_operation(const struct image *image, struct sn_series *series, uint64_t *own,
                          const uint64_t *cells) {
    size_t end = SONDE_OPERATION_BUCKETS + (size_t)series->family->buckets->count + 1;
    struct sn_error_text error, old;
    add_sums(own, cells, SONDE_OPERATION_BEGUN, SONDE_OPERATION_MIN_NS);
    own[SONDE_OPERATION_MIN_NS] =
        larger(own[SONDE_OPERATION_MIN_NS], cells[SONDE_OPERATION_MIN_NS]);
    own[SONDE_OPERATION_MAX_NS] =
        larger(own[SONDE_OPERATION_MAX_NS], cells[SONDE_OPERATION_MAX_NS]);
    add_sums(own, cells, SONDE_OPERATION_BUCKETS, end);
    int64_t last_ms = last_wall_ms(image, cells);
    if (last_ms !=
        0) { /* as the clock of this process would have shown it, which may be negative */
        int64_t ns = image->now.mono_ns - (image->now_wall_ms - last_ms) * 1000000;
        int64_t best = (int64_t)own[SONDE_OPERATION_LAST_NS];
        if (best == 0 || ns > best)
            own[SONDE_OPERATION_LAST_NS] = (uint64_t)(ns != 0 ? ns : 1);
    }
    if (sn_operation_cells_error(cells + end, &error) &&
        (!sn_operation_last_error(series, &old) || error.wall_ms > old.wall_ms))
        sn_operation_put_error(series, &error);
}

static void add_gauge(struct sn_series *series, uint64_t *own, const uint64_t *cells,
                      bool is_common) {
    uint64_t *shared = sn_series_shared(series);
    if (is_common) {
        series->head.gauge.shared |= SONDE_GAUGE_ASKS; /* it may have been added to */
        for (size_t i = 0; i < 3; i++)
            shared[i] = cells[i];
        return;
    }
    own[0] += cells[0];
    own[1] = sn_bits_of(sn_double_of(own[1]) + sn_double_of(cells[1]));
}

static void add_page(const struct image *image, struct sn_series *series, const uint64_t *cells,
                     bool is_common) {
    uint64_t *own = sonde_cells(&series->head.ref);
    switch (series->family->kind) {
    case SN_KIND_COUNTER:
        own[0] += cells[0];
        return;
    case SN_KIND_FLOAT_COUNTER:
        own[0] = sn_bits_of(sn_double_of(own[0]) + sn_double_of(cells[0]));
        return;
    case SN_KIND_GAUGE:
        add_gauge(series, own, cells, is_common);
        return;
    case SN_KIND_HISTOGRAM:
        own[0] = sn_bits_of(sn_double_of(own[0]) + sn_double_of(cells[0]));
        add_sums(own, cells, 1, 1 + (size_t)series->family->buckets->count + 1);
        return;
    case SN_KIND_NATIVE:
        own[0] = sn_bits_of(sn_double_of(own[0]) + sn_double_of(cells[0]));
        add_sums(own, cells, 1, sn_native_cell_count(series->family->native));
        return;
    case SN_KIND_OPERATION:
        add_operation(image, series, own, cells);
        return;
    case SN_KIND_CALLBACK_GAUGE:
    case SN_KIND_CALLBACK_COUNTER:
        if (is_common)
            sn_callback_load(series, cells);
        return;
    case SN_KIND_INFO:
    case SN_KIND_SERVICE:
        return;
    }
}

/* Records. */

static sn_status load_family(struct loader *loader, const struct sn_shared_family *from) {
    struct sn_family *family;
    struct sn_err err = {SN_OK, ""};
    if (loader->family_count == FAMILY_MAX)
        return sn_err_set(loader->err, SN_ERR_LIMIT, "more than %d families", FAMILY_MAX);
    sonde_registry *registry = loader->registry;
    sonde_status status =
        sn_family_import_locked(registry, &from->metric, from->kind, &family, &err);
    if (status == SONDE_ERR_NO_MEMORY)
        return sn_err_set(loader->err, SN_ERR_NO_MEMORY, "%s", err.text);
    if (status != SONDE_OK)
        return sn_err_set(loader->err, SN_ERR_CORRUPT, "%s", err.text);
    if (from->kind == SN_KIND_SERVICE)
        atomic_store(&registry->services, family);
    if (from->kind == SN_KIND_OPERATION)
        atomic_store(&registry->operations, family);
    loader->families[loader->family_count++] = family;
    return SN_OK;
}

/* Cells of a series in the file. */
static uint32_t file_cells(const struct sn_family *family) {
    switch (family->kind) {
    case SN_KIND_OPERATION:
        return family->cell_count + SN_OPERATION_ERROR_CELLS;
    case SN_KIND_CALLBACK_GAUGE:
    case SN_KIND_CALLBACK_COUNTER:
        return SN_CALLBACK_CELLS;
    case SN_KIND_COUNTER:
    case SN_KIND_FLOAT_COUNTER:
    case SN_KIND_GAUGE:
    case SN_KIND_HISTOGRAM:
    case SN_KIND_NATIVE:
    case SN_KIND_INFO:
    case SN_KIND_SERVICE:
        return family->cell_count;
    }
    return 0;
}

static sn_status check_cells(struct loader *loader, const struct sn_family *family, sonde_ref ref) {
    uint32_t count = file_cells(family);
    if (count == 0 && ref.chunk == 0)
        return SN_OK;
    bool is_after = ref.chunk > loader->end.chunk ||
                    (ref.chunk == loader->end.chunk && ref.cell >= loader->end.cell);
    if (count == 0 || ref.chunk == 0 || ref.chunk > loader->image->header->fixed.chunk_count ||
        ref.cell >= SN_CHUNK_CELLS || count > SN_CHUNK_CELLS - ref.cell || !is_after)
        return sn_err_set(loader->err, SN_ERR_CORRUPT, "its cells lie where they cannot");
    loader->end = (sonde_ref){ref.chunk, ref.cell + count};
    return SN_OK;
}

static sn_status load_series(struct loader *loader, const struct sn_shared_series *from) {
    if (from->family >= loader->family_count)
        return sn_err_set(loader->err, SN_ERR_CORRUPT, "it belongs to no family");
    struct sn_family *family = loader->families[from->family];
    struct sn_series *series;
    struct sn_err err = {SN_OK, ""};
    if (family->label_count != from->value_count)
        return sn_err_set(loader->err, SN_ERR_CORRUPT, "it has not the labels of its family");
    SN_TRY(check_cells(loader, family, from->ref));
    sonde_status status = sn_series_get_exact_locked(family, from->values, &series, &err);
    if (status != SONDE_OK)
        return sn_err_set(loader->err,
                          status == SONDE_ERR_INVALID ? SN_ERR_CORRUPT : (sn_status)status, "%s",
                          err.text);
    series->created_wall_ms = from->created_wall_ms;
    each_page(loader->image, from->ref, series, add_page);
    return SN_OK;
}

static sn_status load_record(struct loader *loader, struct sn_str bytes,
                             struct sn_shared_record *record) {
    SN_TRY(sn_shared_get_record(bytes, record, loader->err));
    sn_client_lock();
    sn_status status = record->type == SN_SHARED_FAMILY ? load_family(loader, &record->family)
                                                        : load_series(loader, &record->series);
    sn_client_unlock();
    return status;
}

static sn_status load_catalogue(struct loader *loader) {
    const struct image *image = loader->image;
    const struct sn_shared_fixed *fixed = &image->header->fixed;
    uint64_t end = image->header->catalogue_len;
    if (end > fixed->catalogue_bytes)
        return sn_err_set(loader->err, SN_ERR_CORRUPT,
                          "%s is damaged: its catalogue is longer than its place", image->path);
    SN_CLEANUP(sn_free_ptr) struct sn_shared_record *record = sn_alloc(sizeof *record);
    if (record == NULL)
        return sn_err_set(loader->err, SN_ERR_NO_MEMORY, "no memory to read %s", image->path);
    for (uint64_t at = 0; at < end; at += record->bytes) {
        const unsigned char *bytes = image->bytes + fixed->catalogue_offset + at;
        sn_status status = load_record(loader, sn_str_make(bytes, (size_t)(end - at)), record);
        if (status != SN_OK) {
            sn_err_prefix(loader->err, "%s is damaged: record at byte %llu of the catalogue",
                          image->path, (unsigned long long)at);
            return status;
        }
    }
    return SN_OK;
}

static void add_lost(struct sn_lost *lost, const struct sn_lost *from) {
    for (size_t i = 0; i < SONDE_LOST_REASON_COUNT; i++)
        atomic_fetch_add(&lost->count[i], atomic_load(&from->count[i]));
}

static sn_status load_all(struct image *image, sonde_registry *registry, struct sn_err *err) {
    struct loader loader = {.image = image, .registry = registry, .err = err};
    struct sn_err own = {SN_OK, ""};
    if (err == NULL)
        loader.err = &own;
    loader.families = sn_alloc_zero(FAMILY_MAX, sizeof(struct sn_family *));
    if (loader.families == NULL || !sort_pages(image)) {
        sn_free(loader.families);
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to read %s", image->path);
    }
    sn_status status = load_catalogue(&loader);
    sn_free(loader.families);
    if (status == SN_OK && sonde_lost_count(registry, SONDE_LOST_NO_MEMORY) != 0)
        status = sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the numbers of %s", image->path);
    if (status != SN_OK)
        return status;
    add_lost(registry->lost, &image->header->lost);
    registry->moments.first_wall_ms = image->header->fixed.first.wall_ms;
    return SN_OK;
}

sn_status sn_shared_load_image(const unsigned char *bytes, size_t len, const char *path,
                               sonde_registry *registry, struct sn_err *err) {
    struct image image = {.bytes = bytes, .path = path, .header = (const void *)bytes};
    if (len < sizeof *image.header)
        return sn_err_set(err, SN_ERR_INVALID, "%s is no shared file of libsonde", path);
    const struct sn_shared_fixed *fixed = &image.header->fixed;
    SN_TRY(sn_shared_check_fixed(fixed, len, path, err));
    image.infos = (const void *)(bytes + fixed->infos_offset);
    image.page_used = image.header->page_used;
    if (image.page_used > fixed->page_count)
        return sn_err_set(err, SN_ERR_CORRUPT, "%s is damaged: it has %u pages of %u", path,
                          (unsigned)image.page_used, (unsigned)fixed->page_count);
    sn_ticks_init();
    image.now = sn_ticks_now();
    image.now_wall_ms = sn_clock_wall_ms(sn_clock_system());
    image.ms_per_tick = find_rate(&image);
    sn_status status = load_all(&image, registry, err);
    sn_free(image.chunk_pages);
    sn_free(image.page_order);
    return status;
}

/* Files. */

static sn_status read_part(int fd, unsigned char *bytes, uint64_t offset, uint64_t len,
                           const char *path, struct sn_err *err) {
    ssize_t got = sn_os_pread_all(fd, bytes + offset, (size_t)len, (int64_t)offset);
    if (got < 0)
        return sn_err_set_errno(err, errno, "cannot read %s", path);
    if ((uint64_t)got < len)
        return sn_err_set(err, SN_ERR_CORRUPT, "%s is cut off at byte %llu", path,
                          (unsigned long long)offset + (unsigned long long)got);
    return SN_OK;
}

/* Only what is used of the file: the rest stays zeros that take no memory. */
static sn_status read_parts(int fd, unsigned char *bytes, const char *path, struct sn_err *err) {
    const struct sn_shared_header *header = (const void *)bytes;
    SN_TRY(read_part(fd, bytes, 0, sizeof *header, path, err));
    const struct sn_shared_fixed fixed = header->fixed;
    SN_TRY(sn_shared_check_fixed(&fixed, fixed.file_bytes, path, err));
    uint64_t catalogue = header->catalogue_len;
    uint64_t pages = header->page_used;
    catalogue = catalogue < fixed.catalogue_bytes ? catalogue : fixed.catalogue_bytes;
    pages = pages < fixed.page_count ? pages : fixed.page_count;
    SN_TRY(read_part(fd, bytes, SN_SHARED_PAGE,
                     SN_SHARED_PROCESSES * sizeof(struct sn_shared_process), path, err));
    SN_TRY(read_part(fd, bytes, fixed.catalogue_offset, catalogue, path, err));
    SN_TRY(
        read_part(fd, bytes, fixed.infos_offset, pages * sizeof(struct sn_shared_page), path, err));
    return read_part(fd, bytes, fixed.pages_offset, pages * SN_SHARED_PAGE, path, err);
}

static void fill_info(int fd, const unsigned char *bytes, sonde_shared_info *info) {
    const struct sn_shared_header *header = (const void *)bytes;
    const struct sn_shared_process *processes = (const void *)(bytes + SN_SHARED_PAGE);
    *info = (sonde_shared_info){
        .file_bytes = header->fixed.file_bytes,
        .used_bytes = header->catalogue_len + (uint64_t)header->page_used * SN_SHARED_PAGE,
        .created_wall_ms = header->fixed.first.wall_ms,
    };
    for (uint32_t i = 0; i < SN_SHARED_PROCESSES; i++) {
        if (processes[i].is_used == 0)
            continue;
        bool is_living = sn_os_is_byte_locked(fd, SN_SHARED_LOCK_PROCESS + i) == 1;
        info->living_count += is_living;
        info->ended_count += !is_living;
    }
}

static sn_status check_file(int fd, const char *path, struct sn_shared_fixed *ret_fixed,
                            struct sn_err *err) {
    struct stat stat = {.st_size = 0};
    if (sn_os_fstat(fd, &stat) != 0)
        return sn_err_set_errno(err, errno, "cannot look at %s", path);
    if (!S_ISREG(stat.st_mode))
        return sn_err_set(err, SN_ERR_INVALID, "%s is no file", path);
    ssize_t got = sn_os_pread_all(fd, ret_fixed, sizeof *ret_fixed, 0);
    if (got < 0)
        return sn_err_set_errno(err, errno, "cannot read %s", path);
    if (got < (ssize_t)sizeof *ret_fixed)
        return sn_err_set(err, SN_ERR_INVALID, "%s is no shared file of libsonde", path);
    return sn_shared_check_fixed(ret_fixed, (uint64_t)stat.st_size, path, err);
}

static sn_status load_fd(int fd, const char *path, sonde_registry *registry,
                         sonde_shared_info *ret_info, struct sn_err *err) {
    struct sn_shared_fixed fixed = {.checksum = 0};
    SN_TRY(check_file(fd, path, &fixed, err));
    SN_CLEANUP(sn_free_ptr) unsigned char *bytes = sn_alloc_zero(1, (size_t)fixed.file_bytes);
    if (bytes == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to read %s", path);
    SN_TRY(read_parts(fd, bytes, path, err));
    const struct sn_shared_header *header = (const void *)bytes;
    if (header->fixed.file_bytes != fixed.file_bytes) /* the memory is for what was there before */
        return sn_err_set(err, SN_ERR_CORRUPT, "%s changes while it is read", path);
    SN_TRY(sn_shared_load_image(bytes, (size_t)fixed.file_bytes, path, registry, err));
    if (ret_info != NULL)
        fill_info(fd, bytes, ret_info);
    return SN_OK;
}

sonde_registry *sonde_shared_load(const char *path, sonde_shared_info *ret_info,
                                  sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    sonde_registry *registry = sonde_registry_new(&sn_shared_load_options, error);
    if (registry == NULL)
        return NULL;
    sn_status status;
    /* Not to wait at a pipe of that name. */
    int fd = sn_os_open(path, O_RDONLY | O_NONBLOCK, 0);
    if (fd == -1)
        status = sn_err_set_errno(&err, errno, "cannot open %s", path);
    else
        status = load_fd(fd, path, registry, ret_info, &err);
    if (fd != -1)
        (void)sn_os_close(fd);
    (void)sn_public_error(error, sn_public_status(status), &err);
    return status == SN_OK ? registry : sonde_registry_free(registry);
}
