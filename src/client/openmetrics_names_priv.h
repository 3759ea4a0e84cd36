/*
 * Names of families in OpenMetrics, where they must not meet each other.
 *
 * There a counter jobs_total belongs to the family "jobs" and also has a line jobs_created; an info
 * build_info belongs to "build". In text 0.0.4 a gauge "jobs" may stand beside the counter, here it
 * would be the same family twice. Such counters and infos are marked ("plain") when the second of
 * the two families is registered, and are shown under their full names, which never meet.
 */
#ifndef SN_CLIENT_OPENMETRICS_NAMES_PRIV_H
#define SN_CLIENT_OPENMETRICS_NAMES_PRIV_H

#include "client/series_priv.h"

/* The name of a family of this type: without _total for counters, without _info for infos. */
struct sn_str sn_openmetrics_stem(sonde_type type, struct sn_str name);

/* Type of a kind of family, as every format shows it. */
sonde_type sn_kind_type(enum sn_kind kind);

/* Mark a new family and those of its registry that it meets. With the registration lock. */
void sn_openmetrics_mark(struct sn_family *family);

/* Whether a family is shown under its full name, without type. Any thread. */
static inline bool sn_family_is_plain(const struct sn_family *family) {
    return atomic_load_explicit(&family->is_plain, memory_order_relaxed);
}

#endif
