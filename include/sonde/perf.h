/*
 * Performance tracker, for debugging: what runs now, what ran last, what was slow and why. For
 * counting at full speed there is sonde/service.h.
 *
 *     sonde_perf *perf = sonde_perf_new(NULL, NULL);
 *     sonde_perf_start(perf, "render-42");
 *     ...
 *     sonde_perf_end(perf, "render-42", "1080p, 300 frames");
 *     char *json;
 *     if (sonde_perf_slow_json(perf, &json, NULL) == SONDE_OK) ...
 *
 * Keeps the slow_max slowest operations and the recent_max last ones. Totals are shown as
 * sonde_perf_finished_total and sonde_perf_unfinished_total of the registry.
 *
 * Calls with a NULL tracker do nothing (sonde_perf_measure still runs the function).
 */
#ifndef SONDE_PERF_H
#define SONDE_PERF_H

#include <stddef.h>
#include <stdint.h>

#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SONDE_PERF_NAME_SIZE 64     /* with the NUL; longer ids are LIMIT, longer names are cut */
#define SONDE_PERF_MESSAGE_SIZE 128 /* with the NUL; longer messages are cut */
#define SONDE_PERF_OPEN_MAX 65536
#define SONDE_PERF_SLOW_MAX 1000
#define SONDE_PERF_RECENT_MAX 65536

typedef struct sonde_perf sonde_perf;

/* A finished operation. */
typedef struct sonde_perf_entry {
    int64_t start_wall_ms; /* Unix milliseconds */
    uint64_t duration_ns;
    char name[SONDE_PERF_NAME_SIZE];
    char message[SONDE_PERF_MESSAGE_SIZE]; /* "": none */
} sonde_perf_entry;

/* Zero-initialise and fill in. */
typedef struct sonde_perf_options {
    sonde_registry *registry; /* NULL: global; must live longer than the tracker */
    size_t open_max;          /* operations started and not ended [1024] */
    size_t slow_max;          /* slowest operations kept [20] */
    size_t recent_max;        /* last operations kept [256] */
    /*
     * Called for every finished operation that took log_above_ns or longer, by the thread that
     * finished it, with no lock held; entry is borrowed for the call. NULL: none.
     */
    void (*log)(void *ctx, const sonde_perf_entry *entry);
    void *log_ctx; /* kept */
    uint64_t log_above_ns;
} sonde_perf_options;

/*
 * Make a tracker.
 *
 *   options  NULL: all defaults
 *   error    NO_MEMORY, LIMIT (a number above its maximum)
 *
 * Returns NULL after an error. Threads: any. Blocks: on the registration lock.
 */
SONDE_API sonde_perf *sonde_perf_new(const sonde_perf_options *options, sonde_error *error);

/* Release a tracker that nobody uses any more; open operations count as unfinished. NULL is fine.
 * Returns NULL. */
SONDE_API sonde_perf *sonde_perf_free(sonde_perf *perf);

/*
 * Start an operation under an id that is not open. An id that is open starts again: the run
 * before counts as unfinished. When open_max operations are open, the oldest is given up and
 * counts as unfinished.
 *
 * Returns SONDE_OK, SONDE_ERR_INVALID (id is NULL or ""), SONDE_ERR_LIMIT (longer than
 * SONDE_PERF_NAME_SIZE - 1 bytes). Threads: any; may end in another one. Blocks: on a lock that
 * is held for some 100 ns. Cost: about 25 ns, no allocation.
 */
SONDE_API sonde_status sonde_perf_start(sonde_perf *perf, const char *id);

/*
 * End an operation; its name is its id.
 *
 *   message  for people; NULL: none
 *
 * Returns SONDE_OK, SONDE_ERR_INVALID (the id is not open, or no id). Threads: any. Blocks: as
 * sonde_perf_start. Cost: as sonde_perf_start and sonde_perf_record.
 */
SONDE_API sonde_status sonde_perf_end(sonde_perf *perf, const char *id, const char *message);

/* What was measured elsewhere. Zero-initialise and fill in. */
typedef struct sonde_perf_run {
    const char *name;    /* NULL: "" */
    const char *message; /* NULL: none */
    uint64_t duration_ns;
} sonde_perf_run;

/*
 * Keep an operation that ended now.
 * Threads: any. Blocks: never for an operation that is not among the slowest; otherwise on a lock
 * that is held for the copy of an entry. Cost: about 65 ns, no allocation.
 */
SONDE_API void sonde_perf_record(sonde_perf *perf, const sonde_perf_run *run);

/*
 * Run function(ctx) and keep how long it took under `name`.
 * Returns what the function returned. Threads: any. Cost: as sonde_perf_record.
 */
SONDE_API int sonde_perf_measure(sonde_perf *perf, const char *name, int (*function)(void *ctx),
                                 void *ctx);

/*
 * Copy the slowest operations (slowest first), or the last ones (newest first). An entry that is
 * being written at this moment is left out.
 *
 *   ret_entries  [entry_max]
 *
 * Returns how many were copied. Threads: any. Blocks: as sonde_perf_record. Cost: O(entries).
 */
SONDE_API size_t sonde_perf_slow(sonde_perf *perf, sonde_perf_entry *ret_entries, size_t entry_max);
SONDE_API size_t sonde_perf_recent(sonde_perf *perf, sonde_perf_entry *ret_entries,
                                   size_t entry_max);

/*
 * The same as a JSON array of {"name","message","start_time_ms","duration_seconds"}.
 *
 *   ret_text  a NUL follows the last byte; release with sonde_free
 *   ret_len   without the NUL; may be NULL
 *
 * Returns SONDE_OK, SONDE_ERR_NO_MEMORY. "[]" for a NULL tracker.
 */
SONDE_API sonde_status sonde_perf_slow_json(sonde_perf *perf, char **ret_text, size_t *ret_len);
SONDE_API sonde_status sonde_perf_recent_json(sonde_perf *perf, char **ret_text, size_t *ret_len);

/* Forget the slowest and the last operations; counts stay. Threads: any. */
SONDE_API void sonde_perf_reset(sonde_perf *perf);

typedef struct sonde_perf_stats {
    uint64_t open;       /* started, not ended */
    uint64_t finished;   /* ended, measured or recorded */
    uint64_t unfinished; /* started, never ended: replaced or given up */
} sonde_perf_stats;

/* Read a tracker's counts; all 0 for NULL. Threads: any. Blocks: as sonde_perf_start. */
SONDE_API void sonde_perf_read(sonde_perf *perf, sonde_perf_stats *ret_stats);

#ifdef __cplusplus
}
#endif
#endif
