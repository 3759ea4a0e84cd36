/*
 * One service over a range of time, for its page: what each operation did, and how long it took.
 *
 * Counts are exact, since the service was reset or its processes started (engine/operations.h);
 * rates, averages and quantiles are of the range, which begins at a reset that lies in it.
 */
#ifndef SN_ENGINE_SERVICE_VIEW_H
#define SN_ENGINE_SERVICE_VIEW_H

#include "engine/commands.h"
#include "engine/sparks.h"

#define SN_HEAT_STEPS 72       /* columns of a heatmap: 10 pixels each on a usual screen */
#define SN_HEAT_BUCKETS_MAX 64 /* rows */

/* What happened in the range: outcomes, sum_s and buckets mean that; all else nothing. */
struct sn_operation_view {
    const struct sn_operation_row *row; /* since the reset */
    struct sn_operation_row window;
    float *averages; /* [grid.count] seconds; NaN: none ended */
};

struct sn_heat {
    struct sn_spark_grid grid;
    double *upper; /* [bucket_count] ascending, the last one infinite */
    size_t bucket_count;
    double *counts; /* [grid.count][bucket_count], of one bucket each; NaN: no sample in the step */
};

struct sn_service_view {
    struct sn_operations table;
    const struct sn_service_row *service;
    struct sn_operation_view *operations; /* [operation_count], as in the table */
    size_t operation_count;
    struct sn_operation_row window; /* of all operations */
    double window_s;                /* length of the range */
    struct sn_spark_grid grid;      /* of the averages */
    struct sn_heat heat;            /* bucket_count 0: no histogram in the range */
};

/*
 * Read it.
 *
 *   service    must exist now
 *   range      up to its end_ms
 *   arena      holds the view
 *   ret_view   written on SN_OK only
 *
 * SN_ERR_NOT_FOUND, SN_ERR_LIMIT, SN_ERR_NO_MEMORY, and the statuses of the querier. Blocks on some
 * fifteen queries.
 */
sn_status sn_service_view_read(const struct sn_commands *commands, struct sn_str service,
                               struct sn_range range, struct sn_arena *arena,
                               struct sn_service_view *ret_view, struct sn_err *err) SN_MUST_USE;

#endif
