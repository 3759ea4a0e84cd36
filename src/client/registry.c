/*
 * Registries: making, releasing, the global one, and the registration lock.
 *
 * The global registry is static storage, so that it exists without memory; it is never released.
 */
#include "client/registry_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "client/buckets_priv.h"
#include "client/error_priv.h"
#include "client/family_priv.h"
#include "client/lock_priv.h"
#include "client/shared_sync_priv.h"

#include <pthread.h>

#define FAMILY_MAX_DEFAULT 1000
#define SERIES_MAX_DEFAULT 1000000      /* a page of 100 MB, which no scraper likes */
#define FAMILY_SERIES_MAX_DEFAULT 10000 /* one label that turns out to be an id shows early */

struct sn_mutex sn_client_mu = SN_MUTEX_INITIALIZER(SN_RANK_CLIENT, "client");
struct sn_mutex sn_perf_mu = SN_MUTEX_INITIALIZER(SN_RANK_CLIENT_PERF, "client perf");

static sonde_registry global;
static sonde_registry *registries; /* all; guarded by the registration lock */

const void *sn_registry_reader(void) {
    static __thread char mark;
    return &mark;
}

void sn_registry_after_fork_child(void) {
    for (sonde_registry *registry = registries; registry != NULL; registry = registry->next) {
        if (atomic_load(&registry->reader) == sn_registry_reader())
            continue;
        sn_mutex_init(&registry->read_mu, SN_RANK_CLIENT_READ, "client read");
        atomic_store(&registry->reader, NULL);
    }
}

static void list_add(sonde_registry *registry) {
    sn_client_lock();
    registry->next = registries;
    registries = registry;
    sn_client_unlock();
}

static void list_remove_locked(const sonde_registry *registry) {
    sonde_registry **link = &registries;
    while (*link != registry)
        link = &(*link)->next;
    *link = registry->next;
}

static size_t or_default(size_t value, size_t fallback) {
    return value > 0 ? value : fallback;
}

static void registry_init(sonde_registry *registry, const sonde_registry_options *options) {
    sn_slab_init();
    registry->options.family_max = or_default(options->family_max, FAMILY_MAX_DEFAULT);
    registry->options.series_max = or_default(options->series_max, SERIES_MAX_DEFAULT);
    registry->options.family_series_max =
        or_default(options->family_series_max, FAMILY_SERIES_MAX_DEFAULT);
    registry->options.logger = options->logger;
    registry->lost = &registry->own_lost;
    registry->cells.lost = registry->lost;
    sn_moments_init(&registry->moments, sn_clock_system());
    sn_mutex_init(&registry->read_mu, SN_RANK_CLIENT_READ, "client read");
    list_add(registry);
}

/* What sonde_registry_global_init asks of global_init, which runs once. */
static const sonde_registry_options *global_options;
static sn_status global_status = SN_ERR_EXISTS;
static struct sn_err global_err;

static sn_status registry_open(sonde_registry *registry, const sonde_registry_options *options,
                               struct sn_err *err);
static void registry_clear(sonde_registry *registry);

static void global_init(void) {
    const sonde_registry_options *options = global_options;
    registry_init(&global, options != NULL ? options : &(sonde_registry_options){0});
    if (options == NULL)
        return;
    global_status = registry_open(&global, options, &global_err);
    if (global_status == SN_OK)
        return;
    registry_clear(&global);
    memset(&global, 0, sizeof global);
    registry_init(&global, &(sonde_registry_options){0});
}

sonde_registry *sonde_registry_global(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, global_init);
    return &global;
}

sonde_status sonde_registry_global_init(const sonde_registry_options *options, sonde_error *error) {
    static struct sn_mutex mu = SN_MUTEX_INITIALIZER(SN_RANK_CLIENT_READ, "client global");
    struct sn_err err = {SN_OK, ""};
    sn_mutex_lock(&mu);
    global_options = options != NULL ? options : &(sonde_registry_options){0};
    (void)sonde_registry_global();
    sn_status status = global_status;
    err = global_err;
    global_status = SN_ERR_EXISTS; /* for every later call */
    sn_mutex_unlock(&mu);
    if (status == SN_ERR_EXISTS)
        (void)sn_err_set(&err, status, "the global registry is in use already");
    return sn_public_error(error, sn_public_status(status), &err);
}

sonde_registry *sn_registry_or_global(sonde_registry *registry) {
    return registry != NULL ? registry : sonde_registry_global();
}

/* Operations are registered later: wrong bounds are told now. */
static sn_status keep_bounds(sonde_registry *registry, const sonde_registry_options *options,
                             struct sn_err *err) {
    size_t count = options->operation_bound_count;
    if (count == 0)
        return SN_OK;
    if (options->operation_bounds == NULL)
        return sn_err_set(err, SN_ERR_INVALID, "%zu operation bounds at NULL", count);
    sonde_buckets *trial;
    SN_TRY(sn_buckets_new(options->operation_bounds, count, 1e9, &trial, err));
    (void)sn_buckets_free(trial);
    double *bounds = sn_alloc_zero(count, sizeof *bounds);
    if (bounds == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for operation bounds");
    memcpy(bounds, options->operation_bounds, count * sizeof *bounds);
    registry->options.operation_bounds = bounds;
    registry->options.operation_bound_count = count;
    return SN_OK;
}

static sn_status registry_open(sonde_registry *registry, const sonde_registry_options *options,
                               struct sn_err *err) {
    SN_TRY(keep_bounds(registry, options, err));
    if (options->shared_file == NULL)
        return SN_OK;
    return sn_shared_begin(registry, options->shared_file, options->shared_bytes, err);
}

/* Everything but the struct. */
static void registry_clear(sonde_registry *registry) {
    struct sn_family *family = atomic_load(&registry->first);
    while (family != NULL) {
        struct sn_family *next = atomic_load(&family->next);
        (void)sn_family_free(family);
        family = next;
    }
    sn_series_memory_release(&registry->series_memory);
    sn_client_lock();
    list_remove_locked(registry);
    sn_cell_space_release(&registry->cells);
    registry->cells.shared = sn_shared_close(registry->cells.shared);
    sn_client_unlock();
    sn_mutex_release(&registry->read_mu);
    sn_free((void *)(uintptr_t)registry->options.operation_bounds);
}

sonde_registry *sonde_registry_new(const sonde_registry_options *options, sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    sonde_registry *registry = sn_alloc_zero(1, sizeof *registry);
    if (registry == NULL) {
        sn_status status = sn_err_set(&err, SN_ERR_NO_MEMORY, "no memory for a registry");
        (void)sn_public_error(error, (sonde_status)status, &err);
        return NULL;
    }
    registry_init(registry, options != NULL ? options : &(sonde_registry_options){0});
    sn_status status = options != NULL ? registry_open(registry, options, &err) : SN_OK;
    (void)sn_public_error(error, sn_public_status(status), &err);
    return status == SN_OK ? registry : sonde_registry_free(registry);
}

sonde_registry *sonde_registry_free(sonde_registry *registry) {
    if (registry == NULL || registry == &global)
        return NULL;
    registry_clear(registry);
    sn_free(registry);
    return NULL;
}

uint64_t sonde_lost_count(const sonde_registry *registry, sonde_lost_reason reason) {
    const sonde_registry *from = registry != NULL ? registry : sonde_registry_global();
    if ((unsigned)reason >= SONDE_LOST_REASON_COUNT)
        return 0;
    return atomic_load_explicit(&from->lost->count[reason], memory_order_relaxed);
}
