/*
 * The memory instrument: its fields, and what its files share. memory.c records and reads,
 * memory_alert.c judges, memory_heap.c asks the allocator, memory_json.c writes, memory_notes.c
 * remembers.
 */
#ifndef SN_CLIENT_MEMORY_PRIV_H
#define SN_CLIENT_MEMORY_PRIV_H

#include "base/clock.h"
#include "client/alert_priv.h"
#include "client/instrument_priv.h"
#include "client/memory_notes_priv.h"
#include "sonde/counter.h"
#include "sonde/memory.h"

struct sonde_memory;

/* The ctx of a callback of sonde_memory_alert_active. */
struct sn_memory_part {
    struct sonde_memory *memory;
    unsigned kind; /* sonde_memory_alert_kind */
};

enum { SN_MEMORY_BYTES, SN_MEMORY_PEAK, SN_MEMORY_PAUSE_MAX, SN_MEMORY_HELD_COUNT };

/* Any thread. Fields without _Atomic are fixed when the instrument is ready, but for `on_alert` and
 * its ctx, which the registration lock guards. */
struct sonde_memory {
    struct sn_instrument instrument;
    sonde_counter *allocations;
    sonde_counter *allocated_bytes;
    sonde_counter *frees;
    sonde_counter *reclaimed_bytes;
    sonde_histogram *pause; /* seconds */
    /* One number for all threads: the peak is exact, which sums over threads could not give. */
    _Atomic int64_t bytes;
    _Atomic int64_t peak_bytes;
    _Atomic double pause_max;
    const struct sn_clock *clock;
    struct sn_series *held[SN_MEMORY_HELD_COUNT]; /* whose values go into a file; NULL: none */

    _Atomic double max_bytes;
    _Atomic double max_growth_per_second;
    _Atomic double clear_margin;

    struct sn_alert alerts[SONDE_MEMORY_ALERT_COUNT];
    sonde_memory_alert_callback on_alert;
    void *on_alert_ctx;
    struct sn_memory_part alert_parts[SONDE_MEMORY_ALERT_COUNT];

    struct sn_notes notes;
};

extern const struct sn_instrument_type sn_memory_type;

/* Whether it may be used; NULL may not. */
static inline bool sn_memory_is_ready(const struct sonde_memory *memory) {
    return memory != NULL && sn_instrument_is_ready(&memory->instrument);
}

/*
 * Register the metrics of a service, and those of the process, and set its parts. With the
 * registration lock. Returns false without memory or when a name is taken.
 */
bool sn_memory_metrics_locked(struct sonde_memory *memory, const char *const *values);

/* Bytes held; steps below zero read as 0. */
uint64_t sn_memory_bytes(const _Atomic int64_t *number);

/* Note the numbers when it is time, and give the rates. */
struct sn_rates sn_memory_rates(struct sonde_memory *memory);

/* Compare with one threshold and raise or clear its alert, telling nobody. Is it active? */
bool sn_memory_judge(struct sonde_memory *memory, sonde_memory_alert_kind kind);

void sn_memory_thresholds_store(struct sonde_memory *memory,
                                const sonde_memory_thresholds *thresholds);

/* For tests: another clock from now on; notes start again. One thread. */
void sn_memory_set_clock(struct sonde_memory *memory, const struct sn_clock *clock);

/* jemalloc's mallctl. */
typedef int (*sn_mallctl)(const char *name, void *old, size_t *old_len, void *new, size_t new_len);

/* Ask a jemalloc. False: it does not answer. */
bool sn_memory_heap_jemalloc(sn_mallctl mallctl, sonde_memory_heap *ret_heap);

/* The heap, without rss, at most a second old (by now_ns). Any thread, as sonde_memory_heap_read. */
void sn_memory_heap_recent(int64_t now_ns, sonde_memory_heap *ret_heap);

#endif
