/*
 * Series whose value the host is asked for.
 */
#ifndef SN_CLIENT_CALLBACK_PRIV_H
#define SN_CLIENT_CALLBACK_PRIV_H

#include "client/series_priv.h"

/* The tail of a callback's series. A released callback leaves its series, with read NULL. */
struct sn_callback {
    double (*_Atomic read)(void *ctx);
    void *ctx;   /* written before read */
    double last; /* of a file that was loaded: what read gives */
};

/*
 * In a shared file the last value that was read lies in cells that all processes share, for those who
 * look at the file and cannot ask: whether there is one, and the number.
 */
enum { SN_CALLBACK_IS_KNOWN = 0, SN_CALLBACK_NUMBER = 1, SN_CALLBACK_CELLS = 2 };

/* Ask the host for a value, and leave it in the file. False: released. With the registry's read_mu
 * held, but for callbacks of the library's own that are never released. */
bool sn_callback_read(struct sn_series *series, double *ret_value);

/* Let a series that was loaded from a file show the number that was read last. */
void sn_callback_load(struct sn_series *series, const uint64_t *cells);

/* Whether the value of a callback is left in a file. */
static inline bool sn_callback_is_in_file(const struct sn_series *series) {
    return sn_series_shared(series) != NULL;
}

/* Bring the number in the file up to date; for callbacks of the library's own. NULL: nothing to do. */
static inline void sn_callback_refresh(struct sn_series *series) {
    double value;
    if (__builtin_expect(series != NULL, 0))
        (void)sn_callback_read(series, &value);
}

#endif
