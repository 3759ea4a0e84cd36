/*
 * How many series are new per hour: a ring of one week. Absolute numbers, so that writing them twice
 * does no harm. Guarded by the owner's lock (index_mu).
 */
#ifndef SN_STORE_CHURN_H
#define SN_STORE_CHURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SN_CHURN_HOUR_MS INT64_C(3600000)
#define SN_CHURN_HOURS 168

struct sn_churn_hour {
    int64_t time_ms; /* where the hour begins */
    uint64_t created_count;
    bool is_stored; /* the catalogue has this number */
};

struct sn_churn {
    struct sn_churn_hour hours[SN_CHURN_HOURS]; /* by number of the hour; created_count 0: unused */
};

/* Count new series. Times before the ring's week are left out. */
void sn_churn_add(struct sn_churn *churn, int64_t time_ms, uint64_t count);

/* Take over a number of the catalogue. */
void sn_churn_load(struct sn_churn *churn, int64_t time_ms, uint64_t count);

/* The catalogue has the numbers of all hours before now_ms's; the newest may still grow. */
void sn_churn_mark_stored(struct sn_churn *churn, int64_t now_ms);

/* The hours of the week before now_ms that had new series, ascending. Returns how many. */
size_t sn_churn_list(const struct sn_churn *churn, int64_t now_ms,
                     struct sn_churn_hour ret_hours[SN_CHURN_HOURS]);

#endif
