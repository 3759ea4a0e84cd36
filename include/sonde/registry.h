/*
 * Registries: the sets of metrics that are shown together.
 *
 * Most programs use the global one and pass NULL. A metric is registered once and lives as long
 * as its registry; handles are pointers into it.
 */
#ifndef SONDE_REGISTRY_H
#define SONDE_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include "sonde/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sonde_registry sonde_registry;

/* Ceilings of names and of one registry; more is SONDE_ERR_LIMIT. */
#define SONDE_NAME_BYTES_MAX 255 /* of a metric name or a label name */
#define SONDE_HELP_BYTES_MAX 4096
#define SONDE_LABELS_MAX 16              /* of one family */
#define SONDE_LABEL_VALUE_BYTES_MAX 8192 /* a longer value is recorded as SONDE_OTHER */
#define SONDE_BUCKETS_MAX 128            /* bounds of one histogram, +Inf not counted */
#define SONDE_NATIVE_BUCKETS_MAX 500     /* of one native histogram */

/* Label value under which everything beyond a limit is recorded, so that totals stay exact. */
#define SONDE_OTHER "__other__"

/* Every field: zero means the default in brackets. */
typedef struct sonde_registry_options {
    size_t family_max;        /* metric names [1000] */
    size_t series_max;        /* children of all families together [1000000] */
    size_t family_series_max; /* children of one family, SONDE_OTHER not counted [10000] */
    /* Upper bounds in seconds of sonde_operation_duration_seconds, ascending
     * [0.001 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5]. */
    const double *operation_bounds; /* [operation_bound_count], copied */
    size_t operation_bound_count;
    /*
     * A file in which the registry's numbers lie (see sonde/shared.h), so that they outlive a crash
     * and several processes count into one set of series; NULL: they are on the heap. Copied.
     */
    const char *shared_file;
    size_t shared_bytes; /* its size when it is made, 1 MiB to 1 GiB [64 MiB] */
    /*
     * Who is told, once for each metric, that it has no room for more series (a warning with the
     * metric's name and the limits); kept while the registry is used; NULL: nobody. See sonde/log.h.
     */
    struct sonde_logger *logger;
} sonde_registry_options;

/*
 * Make a registry of your own.
 *
 *   options  NULL: all defaults
 *   error    may be NULL
 *
 * Returns NULL when there is no memory or the options are wrong (NO_MEMORY, INVALID, LIMIT), or the
 * shared file cannot be used (as sonde_registry_global_init).
 * Every function that takes a registry understands NULL as "the global one", so a program that
 * ignores this failure goes on working there.
 * Threads: any. Blocks: on the registration lock. Cost: O(1), two allocations.
 */
SONDE_API sonde_registry *sonde_registry_new(const sonde_registry_options *options,
                                             sonde_error *error);

/*
 * Release a registry with all its families, children, services and operations. The caller makes
 * sure that no thread uses a handle of it now or later. NULL and the global registry are left
 * alone. Returns NULL.
 * Threads: one, with no other user. Blocks: on the registration lock. Cost: O(series + threads).
 */
SONDE_API sonde_registry *sonde_registry_free(sonde_registry *registry);

/* The registry that NULL stands for. Never NULL. Threads: any. Blocks: never. */
SONDE_API sonde_registry *sonde_registry_global(void);

/*
 * Give options to the global registry, before anything uses it.
 *
 * Returns SONDE_OK, NO_MEMORY, INVALID or LIMIT (options; or the shared file exists and is not one of
 * libsonde), EXISTS (the global registry is in use), CORRUPT and UNSUPPORTED (the shared file), IO
 * (it cannot be opened or has no room). After an error it has default options and no file: the
 * program counts on, on the heap.
 * Threads: any. Blocks: on the registration lock and on the file, at most 2 s.
 */
SONDE_API sonde_status sonde_registry_global_init(const sonde_registry_options *options,
                                                  sonde_error *error);

/* Why something could not be recorded: the label `reason` of sonde_lost_total. */
typedef enum sonde_lost_reason {
    SONDE_LOST_NO_MEMORY = 0,    /* "no_memory": records dropped because memory ran out */
    SONDE_LOST_SERIES_LIMIT = 1, /* "series_limit": lookups answered with SONDE_OTHER */
    SONDE_LOST_LABEL_VALUE = 2,  /* "label_value": too long or not UTF-8, so SONDE_OTHER */
    SONDE_LOST_VALUE = 3,        /* "value": NaN, or a negative step of a counter; dropped */
    SONDE_LOST_REGISTRATION = 4, /* "registration": families or children refused */
    SONDE_LOST_REASON_COUNT = 5
} sonde_lost_reason;

/*
 * How often `reason` happened in a registry since it was made (what sonde_lost_total shows).
 * Threads: any. Blocks: never. Cost: O(1).
 */
SONDE_API uint64_t sonde_lost_count(const sonde_registry *registry, sonde_lost_reason reason);

/*
 * What a family is called and how it is divided. Zero-initialise and fill in; only `name` is
 * needed. All strings are copied.
 */
typedef struct sonde_metric {
    const char *name; /* [a-zA-Z_:][a-zA-Z0-9_:]*; counters end with _total, infos with _info */
    const char *help; /* one sentence; NULL: none */
    const char *unit; /* "seconds", "bytes"; NULL: none. The name has it as its last word. */
    const char *const *label_names; /* [label_count], [a-zA-Z_][a-zA-Z0-9_]*, not "__..." */
    size_t label_count;
    size_t series_max;    /* most children [the registry's family_series_max] */
    const double *bounds; /* histograms: [bound_count] upper bounds, ascending, finite */
    size_t bound_count;   /* 0: the default bounds of sonde_registry_options */
    /* Native histograms (sonde/native.h); the range is widened to powers of two. */
    unsigned native_resolution; /* buckets per doubling: 1, 2, 4, 8, 16 or 32 [8: 9 % wide] */
    double native_low;          /* smaller values are not told apart [2^-20, a microsecond] */
    double native_high;         /* neither are larger ones [2^15, nine hours] */
} sonde_metric;

#ifdef __cplusplus
}
#endif
#endif
