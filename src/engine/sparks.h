/*
 * Small charts of services for tables: operations per second and p95 in a few dozen steps.
 *
 * Steps are aligned to multiples of their width and over when they are shown, so that what was
 * computed stays right: it is kept, for the last few grids. Ranges of up to six hours come from the
 * samples themselves, longer ones from the half hours that the board stores (engine/board.h), where
 * there are some.
 */
#ifndef SN_ENGINE_SPARKS_H
#define SN_ENGINE_SPARKS_H

#include "base/lock.h"
#include "engine/ask.h"

#define SN_SPARK_STEPS 48           /* about as many as a small chart has pixels to spare */
#define SN_SPARK_COUNT_MAX 96       /* steps of one chart, however odd the range */
#define SN_SPARK_SERVICES_MAX 10000 /* of one grid */
#define SN_SPARK_GRIDS 12           /* kept: both kinds for each range of the menu */

enum sn_spark_kind {
    SN_SPARK_RATE = 0, /* operations per second */
    SN_SPARK_P95 = 1,  /* seconds */
};

/* Value i covers [start_ms + i * step_ms, + step_ms). */
struct sn_spark_grid {
    int64_t start_ms, step_ms;
    size_t count;
};

/* The grid of a range: whole steps that are over by its end. */
struct sn_spark_grid sn_spark_grid_of(struct sn_range range);

/* The ends of the steps: where to ask, for a window of one step that ends there is the step. */
struct sn_range sn_spark_ends(const struct sn_spark_grid *grid);

/* Index of the step that ends at a time; SIZE_MAX: none does. */
size_t sn_spark_step(const struct sn_spark_grid *grid, int64_t end_ms);

struct sn_spark_cache;

/* Any thread. */
struct sn_sparks {
    struct sn_querier querier;
    struct sn_mutex mu;                            /* guards all below, also while it is asked */
    struct sn_spark_cache *caches[SN_SPARK_GRIDS]; /* the one that was used last is first */
};
void sn_sparks_init(struct sn_sparks *sparks, struct sn_querier querier);
void sn_sparks_release(struct sn_sparks *sparks);

/*
 * Charts of some services.
 *
 *   names       [count]
 *   ret_values  [count][grid->count], in the arena; NaN where nothing is known
 *
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT, and the statuses of the querier. Blocks on queries, and on others
 * who ask: what they ask for is mostly the same.
 */
sn_status sn_sparks_read(struct sn_sparks *sparks, enum sn_spark_kind kind,
                         const struct sn_spark_grid *grid, const struct sn_str *names, size_t count,
                         struct sn_arena *arena, const float **ret_values,
                         struct sn_err *err) SN_MUST_USE;

#endif
