/*
 * Registries and their shared files. See shared_sync_priv.h. Everything here runs with the
 * registration lock and never on the record path.
 */
#include "client/shared_sync_priv.h"

#include "base/mem.h"
#include "client/family_priv.h"
#include "client/lock_priv.h"
#include "client/operation_priv.h"
#include "client/registry_priv.h"

#define FAMILIES_STEP 32

/* Bringing in. */

/* Keep a family under the number of its record; NULL: its series are left out. False: no memory. */
static bool number_family(struct sn_shared *shared, struct sn_family *family) {
    if (shared->family_count == shared->family_cap) {
        size_t cap = shared->family_cap + FAMILIES_STEP;
        struct sn_family **families =
            sn_realloc_array(shared->families, cap, sizeof(struct sn_family *));
        if (families == NULL)
            return false;
        shared->families = families;
        shared->family_cap = cap;
    }
    shared->families[shared->family_count++] = family;
    if (family != NULL)
        family->shared_number = (uint32_t)shared->family_count;
    return true;
}

/* Where registry.c and operation.c look for them. */
static void note_own_family(sonde_registry *registry, struct sn_family *family) {
    if (family->kind == SN_KIND_SERVICE)
        atomic_store_explicit(&registry->services, family, memory_order_release);
    if (family->kind == SN_KIND_OPERATION)
        atomic_store_explicit(&registry->operations, family, memory_order_release);
}

static bool import_family(struct sn_shared *shared, const struct sn_shared_family *from) {
    struct sn_family *family = NULL;
    /* Refused when its name is taken here by something that is not in the file. */
    if (sn_shared_takes(from->kind, from->metric.name) &&
        sn_family_import_locked(shared->registry, &from->metric, from->kind, &family, NULL) ==
            SONDE_OK &&
        family->shared_number == 0)
        note_own_family(shared->registry, family);
    else
        family = NULL;
    return number_family(shared, family);
}

static bool is_in_file(const struct sn_shared *shared, const struct sn_family *family,
                       sonde_ref ref) {
    if (family->cell_count == 0)
        return ref.chunk == 0;
    return ref.chunk > 0 && ref.chunk <= shared->layout.chunk_count && ref.cell < SN_CHUNK_CELLS &&
           family->cell_count <= SN_CHUNK_CELLS - ref.cell;
}

/* What cannot be is left out: another process wrote it. */
static void import_series(struct sn_shared *shared, const struct sn_shared_series *from) {
    struct sn_family *family =
        from->family < shared->family_count ? shared->families[from->family] : NULL;
    struct sn_series_origin origin = {from->created_wall_ms, {0, 0}};
    if (family == NULL || family->label_count != from->value_count ||
        !is_in_file(shared, family, from->ref))
        return;
    if (from->ref.chunk != 0 &&
        !sn_cell_space_bind(&shared->registry->cells, from->ref, &origin.ref))
        return;
    sn_series_import_locked(family, from->values, &origin);
}

/*
 * Read what the catalogue has behind `seen`. A record is copied first: it must not change between the
 * check and the use. False: no memory, or damage; then nothing is added to it by us either.
 */
static bool import(struct sn_shared *shared) {
    uint64_t end = sn_shared_catalogue_len(shared);
    if (shared->seen >= end)
        return shared->seen == end;
    SN_CLEANUP(sn_free_ptr) char *copy = sn_alloc(SN_SHARED_RECORD_BYTES_MAX);
    SN_CLEANUP(sn_free_ptr) struct sn_shared_record *record = sn_alloc(sizeof *record);
    bool is_good = copy != NULL && record != NULL;
    while (is_good && shared->seen < end) {
        struct sn_str rest =
            sn_str_make(sn_shared_catalogue(shared) + shared->seen, (size_t)(end - shared->seen));
        size_t len = sn_shared_record_bytes(rest);
        if (len == 0)
            return false;
        memcpy(copy, rest.ptr, len);
        is_good = sn_shared_get_record(sn_str_make(copy, len), record, NULL) == SN_OK &&
                  record->bytes == len;
        if (is_good && record->type == SN_SHARED_FAMILY)
            is_good = import_family(shared, &record->family);
        else if (is_good)
            import_series(shared, &record->series);
        if (is_good)
            shared->seen += len;
    }
    return is_good;
}

/* Writing down. */

bool sn_shared_takes(enum sn_kind kind, const char *name) {
    return kind != SN_KIND_INFO || !sn_str_starts_with(sn_str_from(name), SN_STR("sonde_"));
}

bool sn_shared_begin_locked(sonde_registry *registry) {
    struct sn_shared *shared = registry->cells.shared;
    if (!sn_shared_lock(shared))
        return false;
    if (import(shared))
        return true;
    sn_shared_unlock(shared);
    return false;
}

void sn_shared_end_locked(sonde_registry *registry) {
    sn_shared_note_moment(registry->cells.shared);
    sn_shared_unlock(registry->cells.shared);
}

static bool append(struct sn_shared *shared, struct sn_buf *record) {
    bool is_done = record->status == SN_OK && sn_shared_append(shared, record->ptr, record->len);
    sn_buf_release(record);
    return is_done;
}

bool sn_shared_add_family(struct sn_family *family) {
    struct sn_shared *shared = family->registry->cells.shared;
    struct sn_buf record;
    sn_buf_init(&record, SN_SHARED_RECORD_BYTES_MAX);
    sn_shared_put_family(&record, family);
    if (sn_shared_is_full(shared) || !number_family(shared, family)) {
        sn_buf_release(&record);
        return false;
    }
    if (append(shared, &record))
        return true;
    shared->family_count--;
    return false;
}

bool sn_shared_add_series(struct sn_series *series) {
    struct sn_shared *shared = series->family->registry->cells.shared;
    sonde_ref ref = {0, 0};
    struct sn_buf record;
    sn_buf_init(&record, SN_SHARED_RECORD_BYTES_MAX);
    if (series->head.ref.chunk != 0)
        ref = sn_cell_file_ref(series->head.ref);
    sn_shared_put_series(&record, series, series->family->shared_number - 1, ref);
    return append(shared, &record);
}

/* The dead. */

static uint64_t add_up(const struct sn_shared *shared, sonde_ref ref, uint32_t owner, size_t first,
                       size_t count) {
    uint64_t sum = 0;
    uint64_t at = 0;
    for (uint64_t *page; (page = sn_shared_next_page(shared, ref.chunk, owner, &at)) != NULL;) {
        for (size_t i = 0; i < count; i++)
            sum += sn_cell_load(page + ref.cell + first + i);
    }
    return sum;
}

/* What it was in the middle of will never end: that is "aborted". */
static void abort_operations(const struct sn_shared *shared, sonde_ref ref, uint32_t owner) {
    uint64_t begun = add_up(shared, ref, owner, SONDE_OPERATION_BEGUN, 1);
    uint64_t ended = add_up(shared, ref, owner, SONDE_OPERATION_OUTCOME, SONDE_OUTCOME_COUNT);
    uint64_t at = 0;
    uint64_t *page = sn_shared_next_page(shared, ref.chunk, owner, &at);
    if (page != NULL && begun > ended)
        sonde_cell_add(page + ref.cell + SONDE_OPERATION_OUTCOME + SONDE_OUTCOME_ABORTED,
                       begun - ended);
}

/* Connections, jobs in hand: gone with it. */
static void forget_steps(const struct sn_shared *shared, sonde_ref ref, uint32_t owner) {
    uint64_t at = 0;
    for (uint64_t *page; (page = sn_shared_next_page(shared, ref.chunk, owner, &at)) != NULL;) {
        __atomic_store_n(page + ref.cell, 0, __ATOMIC_RELAXED);
        __atomic_store_n(page + ref.cell + 1, 0, __ATOMIC_RELAXED);
    }
}

static void put_in_order(const struct sn_shared *shared, struct sn_family *family, uint32_t owner) {
    if (family->kind != SN_KIND_GAUGE && family->kind != SN_KIND_OPERATION)
        return;
    for (struct sn_series *series = atomic_load(&family->first); series != NULL;
         series = atomic_load(&series->next)) {
        sonde_ref ref = sn_cell_file_ref(series->head.ref);
        if (family->kind == SN_KIND_GAUGE)
            forget_steps(shared, ref, owner);
        else
            abort_operations(shared, ref, owner);
    }
}

static void bury_dead(struct sn_shared *shared) {
    for (uint32_t dead = 0; (dead = sn_shared_find_dead(shared, dead)) < SN_SHARED_PROCESSES;
         dead++) {
        for (size_t i = 0; i < shared->family_count; i++) {
            if (shared->families[i] != NULL)
                put_in_order(shared, shared->families[i], dead + 1);
        }
        sn_shared_bury(shared, dead);
    }
}

/* Life. */

static sn_status begin_locked(sonde_registry *registry, const char *path, size_t bytes,
                              struct sn_err *err) {
    struct sn_shared *shared = NULL;
    SN_TRY(sn_shared_open(path, bytes, &shared, err));
    shared->registry = registry;
    registry->cells.shared = shared;
    sn_status status = SN_OK;
    if (!sn_shared_begin_locked(registry))
        status = sn_err_set(err, SN_ERR_CORRUPT, "the catalogue of %s cannot be read", path);
    if (status == SN_OK) {
        bury_dead(shared);
        sn_shared_end_locked(registry);
        if (!sn_shared_enter(shared))
            status = sn_err_set(err, SN_ERR_LIMIT, "%u processes use %s, which is the limit",
                                SN_SHARED_PROCESSES, path);
    }
    if (status == SN_OK)
        registry->lost = &shared->header->lost;
    registry->cells.lost = registry->lost;
    return status;
}

sn_status sn_shared_begin(sonde_registry *registry, const char *path, size_t bytes,
                          struct sn_err *err) {
    sn_ticks_init();
    sn_client_lock();
    sn_status status = begin_locked(registry, path, bytes, err);
    sn_client_unlock();
    return status;
}

void sn_shared_refresh(sonde_registry *registry) {
    struct sn_shared *shared = registry->cells.shared;
    sn_client_lock();
    /* Damage or no memory: what is known is shown. */
    if (import(shared))
        bury_dead(shared);
    sn_shared_note_moment(shared);
    sn_client_unlock();
}

void sn_shared_after_fork_child(void) {
    for (struct sn_shared *shared = sn_shared_first(); shared != NULL; shared = shared->next) {
        sn_shared_leave_parent(shared);
        if (import(shared))
            bury_dead(shared);
        (void)sn_shared_enter(shared); /* if it fails, every record here is lost and counted */
    }
}
