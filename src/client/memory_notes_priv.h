/*
 * Notes of a service's numbers every 10 seconds or more, for rates over the last 10 minutes. Whoever
 * reads or evaluates takes them; recording does not.
 *
 * Any thread; nobody waits: of two that note at the same moment one gives up (see words_priv.h).
 */
#ifndef SN_CLIENT_MEMORY_NOTES_PRIV_H
#define SN_CLIENT_MEMORY_NOTES_PRIV_H

#include <stdatomic.h>
#include <stdint.h>

#define SN_NOTES_MAX 61 /* 10 minutes */
#define SN_NOTE_NS INT64_C(10000000000)
#define SN_NOTES_NS (60 * SN_NOTE_NS)

/* A service's numbers at one moment of the monotonic clock. */
struct sn_note {
    int64_t at_ns;
    uint64_t bytes;
    uint64_t allocations;
    uint64_t frees;
};

#define SN_NOTE_WORDS 4

/* Zeroed memory has no notes. */
struct sn_notes {
    _Atomic uint64_t version;
    _Atomic uint64_t count;                             /* ever noted */
    _Atomic uint64_t ring[SN_NOTES_MAX][SN_NOTE_WORDS]; /* note i is at i % SN_NOTES_MAX */
};

/* Per second; growth is of bytes. */
struct sn_rates {
    double allocations;
    double frees;
    double growth;
};

/* Keep a note when the last one is SN_NOTE_NS old; one before the last (the clock went back)
 * forgets all others. */
void sn_notes_put(struct sn_notes *notes, const struct sn_note *note);

/*
 * Rates from the oldest note of the last 10 minutes, or the last note when all are older, to `now`. 0
 * when that is less than SN_NOTE_NS.
 */
struct sn_rates sn_notes_rates(const struct sn_notes *notes, const struct sn_note *now);

#endif
