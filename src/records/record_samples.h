/*
 * Every record is also a sample, so that PromQL, alerts and charts see it:
 *
 *   NAME{metric_type="...",service="..."} value
 *   NAME_succeeded{...} ok, NAME_attempted{...} total     a success rate with its two counts
 *
 * In NAME every byte outside of [a-zA-Z0-9_:] becomes "_", and a digit in front gets a "_" before
 * it, as in the push client. Where several records of a series have one time, the later ones get
 * the next milliseconds, at most SN_SAMPLE_AHEAD_MS of them.
 */
#ifndef SN_RECORDS_RECORD_SAMPLES_H
#define SN_RECORDS_RECORD_SAMPLES_H

#include "base/lock.h"
#include "model/batch.h"
#include "records/record.h"

#define SN_SAMPLE_AHEAD_MS 1000
#define SN_SAMPLE_SLOTS 4096 /* series whose newest time is remembered; 32 bytes each */

struct sn_sample_slot {
    uint64_t hash;    /* of the labels; 0: free */
    int64_t time_ms;  /* that the record had */
    int64_t given_ms; /* that its sample got */
};

/* Any thread; the slots are guarded by mu. */
struct sn_sample_times {
    struct sn_mutex mu;
    uint64_t seed;
    struct sn_sample_slot slots[SN_SAMPLE_SLOTS];
};

void sn_sample_times_init(struct sn_sample_times *times, uint64_t seed);
void sn_sample_times_release(struct sn_sample_times *times);

/* Add the samples of valid records. SN_ERR_NO_MEMORY, SN_ERR_LIMIT. */
sn_status sn_record_samples_add(struct sn_sample_times *times, const struct sn_record *records,
                                size_t count, struct sn_batch_builder *builder,
                                struct sn_err *err) SN_MUST_USE;

#endif
