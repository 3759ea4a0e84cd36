/*
 * Small charts of services. See sparks.h.
 */
#include "engine/sparks.h"

#include "base/mem.h"
#include "engine/board.h"
#include "engine/history.h"

#include <math.h>

#define CACHE_BYTES_MAX ((size_t)16 << 20) /* 10,000 services of 96 steps take 4 MB */
#define WORK_BYTES_MAX ((size_t)512 << 20)
/* Longer ranges come from stored half hours: a day of samples of 60 services takes 0.1 s to read. */
#define RAW_MS_MAX INT64_C(21600000)

/* What is known on one grid. */
struct sn_spark_cache {
    enum sn_spark_kind kind;
    struct sn_spark_grid grid;
    struct sn_arena arena;
    struct sn_row_index index;
    float **values; /* [index.count] in the arena: [grid.count] each */
    size_t capacity;
};

struct sn_spark_grid sn_spark_grid_of(struct sn_range range) {
    struct sn_spark_grid grid = {.step_ms = sn_history_nice_step_ms(range, SN_SPARK_STEPS)};
    int64_t end_ms = range.end_ms / grid.step_ms * grid.step_ms;
    int64_t count = (range.end_ms - range.start_ms) / grid.step_ms;
    grid.count = (size_t)(count < 1 ? 1 : count);
    if (grid.count > SN_SPARK_COUNT_MAX)
        grid.count = SN_SPARK_COUNT_MAX;
    grid.start_ms = end_ms - (int64_t)grid.count * grid.step_ms;
    return grid;
}

struct sn_range sn_spark_ends(const struct sn_spark_grid *grid) {
    return (struct sn_range){grid->start_ms + grid->step_ms,
                             grid->start_ms + (int64_t)grid->count * grid->step_ms};
}

size_t sn_spark_step(const struct sn_spark_grid *grid, int64_t end_ms) {
    int64_t step = (end_ms - grid->start_ms) / grid->step_ms - 1;
    return step >= 0 && step < (int64_t)grid->count ? (size_t)step : SIZE_MAX;
}

/* ---- caches ---- */

static struct sn_spark_cache *cache_free(struct sn_spark_cache *cache) {
    if (cache != NULL) {
        sn_row_index_release(&cache->index);
        sn_arena_release(&cache->arena);
        sn_free(cache);
    }
    return NULL;
}

static bool is_same(const struct sn_spark_cache *cache, enum sn_spark_kind kind,
                    const struct sn_spark_grid *grid) {
    return cache->kind == kind && cache->grid.start_ms == grid->start_ms &&
           cache->grid.step_ms == grid->step_ms && cache->grid.count == grid->count;
}

/* The cache of a grid, made when there is none, moved to the front. */
static struct sn_spark_cache *find_cache(struct sn_sparks *sparks, enum sn_spark_kind kind,
                                         const struct sn_spark_grid *grid) {
    size_t at = 0;
    while (at < SN_SPARK_GRIDS - 1 && sparks->caches[at] != NULL &&
           !is_same(sparks->caches[at], kind, grid))
        at++;
    struct sn_spark_cache *cache = sparks->caches[at];
    if (cache == NULL || !is_same(cache, kind, grid)) {
        cache = sn_alloc_zero(1, sizeof *cache);
        if (cache == NULL)
            return NULL;
        cache->kind = kind;
        cache->grid = *grid;
        sn_arena_init(&cache->arena, CACHE_BYTES_MAX);
        sn_row_index_init(&cache->index, SN_SPARK_SERVICES_MAX);
        (void)cache_free(sparks->caches[at]); /* NULL, always */
    }
    memmove(&sparks->caches[1], &sparks->caches[0], at * sizeof sparks->caches[0]);
    sparks->caches[0] = cache;
    return cache;
}

static void forget(struct sn_sparks *sparks) {
    (void)cache_free(sparks->caches[0]); /* NULL, always */
    memmove(&sparks->caches[0], &sparks->caches[1],
            (SN_SPARK_GRIDS - 1) * sizeof sparks->caches[0]);
    sparks->caches[SN_SPARK_GRIDS - 1] = NULL;
}

static sn_status add_row(struct sn_spark_cache *cache, struct sn_str name) {
    size_t at = 0;
    SN_TRY(sn_arena_grow(&cache->arena, &cache->values, cache->index.count, &cache->capacity,
                         sizeof *cache->values, NULL));
    float *row = sn_arena_alloc(&cache->arena, cache->grid.count * sizeof *row);
    if (row == NULL)
        return sn_arena_failure(&cache->arena, cache->grid.count * sizeof *row, NULL);
    for (size_t i = 0; i < cache->grid.count; i++)
        row[i] = NAN;
    SN_TRY(sn_row_index_add(&cache->index, name, &at));
    cache->values[at] = row;
    return SN_OK;
}

/* ---- asking ---- */

/* A query: for which names, and what its answers fill. */
struct asking {
    struct sn_ask ask;
    struct sn_spark_cache *cache;
    const struct sn_str *names; /* [count] that are not known yet */
    size_t count;
};

static void take(struct asking *asking, const struct sn_query_result *result) {
    struct sn_spark_cache *cache = asking->cache;
    for (size_t i = 0; i < result->series_count; i++) {
        const struct sn_result_series *series = &result->series[i];
        size_t at =
            sn_row_index_find(&cache->index, sn_labels_get(series->labels, SN_STR("service")));
        for (size_t j = 0; at != SIZE_MAX && j < series->count; j++) {
            size_t step = sn_spark_step(&cache->grid, series->time_ms[j]);
            if (step != SIZE_MAX)
                cache->values[at][step] = (float)series->value[j];
        }
    }
}

/* Names that have no value on the grid yet. */
static size_t keep_empty(const struct sn_spark_cache *cache, struct sn_str *names, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = sn_row_index_find(&cache->index, names[i]);
        bool is_empty = at != SIZE_MAX;
        for (size_t j = 0; is_empty && j < cache->grid.count; j++)
            is_empty = isnan(cache->values[at][j]);
        if (is_empty)
            names[kept++] = names[i];
    }
    return kept;
}

/* Values at the ends of the steps. */
static sn_status ask_with(struct asking *asking, const char *before, const char *metric,
                          const char *labels, const char *after) {
    const struct sn_spark_grid *grid = &asking->cache->grid;
    struct sn_query_result result;
    const char *names = sn_ask_quote_any(asking->ask.arena, asking->names, asking->count);
    if (names == NULL)
        return sn_arena_failure(asking->ask.arena, 1, asking->ask.err);
    SN_TRY(sn_ask_over(&asking->ask, sn_spark_ends(grid), grid->step_ms, &result,
                       "%s%s{%sservice=~%s}[%lldms]%s", before, metric, labels, names,
                       (long long)grid->step_ms, after));
    take(asking, &result);
    return SN_OK;
}

static sn_status ask_samples(struct asking *asking) {
    if (asking->cache->kind == SN_SPARK_RATE)
        return ask_with(asking, "sum by (service) (rate(", "sonde_operations_total", "", "))");
    return ask_with(asking, "histogram_quantile(0.95, sum by (service, le) (rate(",
                    "sonde_operation_duration_seconds_bucket", "", ")))");
}

static sn_status ask_stored(struct asking *asking) {
    if (asking->cache->kind == SN_SPARK_RATE)
        return ask_with(asking, "sum by (service) (avg_over_time(",
                        "sonde_service_operations_per_second", "window=\"30m\",", "))");
    return ask_with(asking, "max by (service) (max_over_time(",
                    "sonde_service_duration_p95_seconds", "window=\"30m\",", "))");
}

static sn_status ask_all(struct asking *asking, struct sn_str *names) {
    const struct sn_spark_grid *grid = &asking->cache->grid;
    bool is_long = (int64_t)grid->count * grid->step_ms > RAW_MS_MAX;
    if (is_long && grid->step_ms >= SN_BOARD_SLOT_MS) {
        SN_TRY(ask_stored(asking));
        asking->count = keep_empty(asking->cache, names, asking->count);
    }
    /* Where nothing is stored the samples must do, a day of them at most. */
    if (asking->count == 0 || (int64_t)grid->count * grid->step_ms > SN_BOARD_SILENT_MS)
        return SN_OK;
    return ask_samples(asking);
}

/* Rows for the names that the cache does not have. */
static sn_status fill(struct sn_sparks *sparks, struct sn_spark_cache *cache,
                      const struct sn_str *names, size_t count, struct sn_err *err) {
    struct sn_arena work;
    sn_arena_init(&work, WORK_BYTES_MAX);
    struct sn_str *missing = sn_arena_alloc_zero(&work, count + 1, sizeof *missing);
    struct asking asking = {
        .ask = {sparks->querier, &work, err, SN_ASK_TIMEOUT_NS}, .cache = cache, .names = missing};
    sn_status status =
        missing != NULL ? SN_OK : sn_arena_failure(&work, count * sizeof *missing, err);
    for (size_t i = 0; status == SN_OK && i < count; i++) {
        if (sn_row_index_find(&cache->index, names[i]) != SIZE_MAX)
            continue;
        missing[asking.count++] = names[i];
        if (add_row(cache, names[i]) != SN_OK)
            status = sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for small charts");
    }
    if (status == SN_OK && asking.count > 0)
        status = ask_all(&asking, missing);
    sn_arena_release(&work);
    return status;
}

static sn_status copy(const struct sn_spark_cache *cache, const struct sn_str *names, size_t count,
                      struct sn_arena *arena, const float **ret_values, struct sn_err *err) {
    size_t steps = cache->grid.count;
    float *values = sn_arena_alloc(arena, (count * steps + 1) * sizeof *values);
    if (values == NULL)
        return sn_arena_failure(arena, count * steps * sizeof *values, err);
    for (size_t i = 0; i < count; i++) {
        size_t at = sn_row_index_find(&cache->index, names[i]);
        if (SN_NEVER(at == SIZE_MAX))
            return sn_err_set(err, SN_ERR_INTERNAL, "a small chart is missing");
        memcpy(values + i * steps, cache->values[at], steps * sizeof *values);
    }
    *ret_values = values;
    return SN_OK;
}

sn_status sn_sparks_read(struct sn_sparks *sparks, enum sn_spark_kind kind,
                         const struct sn_spark_grid *grid, const struct sn_str *names, size_t count,
                         struct sn_arena *arena, const float **ret_values, struct sn_err *err) {
    sn_mutex_lock(&sparks->mu);
    struct sn_spark_cache *cache = find_cache(sparks, kind, grid);
    if (cache == NULL) {
        sn_mutex_unlock(&sparks->mu);
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for small charts");
    }
    sn_status status = fill(sparks, cache, names, count, err);
    if (status == SN_OK)
        status = copy(cache, names, count, arena, ret_values, err);
    else
        forget(sparks); /* rows without their values are in it */
    sn_mutex_unlock(&sparks->mu);
    return status;
}

void sn_sparks_init(struct sn_sparks *sparks, struct sn_querier querier) {
    *sparks = (struct sn_sparks){.querier = querier};
    sn_mutex_init(&sparks->mu, SN_RANK_BOARD_SPARK, "sparks");
}

void sn_sparks_release(struct sn_sparks *sparks) {
    for (size_t i = 0; i < SN_SPARK_GRIDS; i++)
        sparks->caches[i] = cache_free(sparks->caches[i]);
    sn_mutex_release(&sparks->mu);
}
