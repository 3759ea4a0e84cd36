/*
 * Results and errors of libsonde, and the macros that every public header needs.
 *
 * Rules of the whole library (a declaration names only what differs):
 *   1. It never aborts, exits, prints, or installs a signal handler in its host.
 *   2. A call that cannot do its work returns a handle that is safe to use and records nothing;
 *      what was lost is counted in the metric sonde_lost_total{reason}.
 *   3. Strings are UTF-8, end with NUL, are borrowed for the call and copied when kept.
 *   4. `sonde_error *error` may be NULL everywhere: then only the result tells.
 */
#ifndef SONDE_STATUS_H
#define SONDE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SONDE_API __attribute__((visibility("default")))
#else
#define SONDE_API
#endif

#define SONDE_VERSION_MAJOR 0
#define SONDE_VERSION_MINOR 1
#define SONDE_VERSION_PATCH 0

/* Zero is success, every failure is negative. Numbers are fixed. */
typedef enum sonde_status {
    SONDE_OK = 0,
    SONDE_ERR_NO_MEMORY = -1,   /* an allocation failed */
    SONDE_ERR_LIMIT = -2,       /* a limit was reached; the sentence names it */
    SONDE_ERR_INVALID = -3,     /* an argument is wrong */
    SONDE_ERR_NOT_FOUND = -4,   /* what was asked for does not exist */
    SONDE_ERR_EXISTS = -5,      /* the name is taken by a metric of another shape */
    SONDE_ERR_IO = -6,          /* a write failed, or the caller's sink said stop */
    SONDE_ERR_CORRUPT = -8,     /* stored bytes fail their checks */
    SONDE_ERR_UNSUPPORTED = -9, /* this version does not know that format */
} sonde_status;

#define SONDE_ERROR_TEXT_SIZE 256

/* A status and one sentence: what, which value, which limit. Owned by the caller. */
typedef struct sonde_error {
    sonde_status status;
    char text[SONDE_ERROR_TEXT_SIZE]; /* ends with NUL; "" when status is SONDE_OK */
} sonde_error;

/*
 * The version of the library that runs, "0.1.0"; the macros above are those of the header that
 * was compiled. Static text. Threads: any. Blocks: never.
 */
SONDE_API const char *sonde_version(void);

#ifdef __cplusplus
}
#endif
#endif
