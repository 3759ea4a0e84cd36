/* An sn_reader over arrays, for tests: what it is asked is written down, what it answers is set. */
#ifndef SN_TESTS_ENGINE_SUPPORT_H
#define SN_TESTS_ENGINE_SUPPORT_H

#include "model/doors.h"

struct memory_series {
    struct sn_labels labels;
    const struct sn_sample *samples; /* [count], ascending */
    size_t count;
};

/* One thread. */
struct memory_reader {
    const struct memory_series *series; /* [count], sorted by labels */
    size_t count;
    sn_status select_status; /* not SN_OK: the answer of select */
    sn_status samples_status;
    /* What was asked last, and how often. */
    struct sn_select select;
    struct sn_range range;
    size_t samples_calls;
};

/* Implements select and samples; the other functions of the door are NULL. */
struct sn_reader memory_reader_door(struct memory_reader *memory);

#endif
