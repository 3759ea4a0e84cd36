/*
 * Rates of a service's memory. See memory_notes_priv.h.
 */
#include "client/memory_notes_priv.h"

#include "client/words_priv.h"

static void store(struct sn_notes *notes, uint64_t i, const struct sn_note *note) {
    _Atomic uint64_t *words = notes->ring[i % SN_NOTES_MAX];
    sn_word_put(&words[0], (uint64_t)note->at_ns);
    sn_word_put(&words[1], note->bytes);
    sn_word_put(&words[2], note->allocations);
    sn_word_put(&words[3], note->frees);
}

static struct sn_note load(const struct sn_notes *notes, uint64_t i) {
    const _Atomic uint64_t *words = notes->ring[i % SN_NOTES_MAX];
    return (struct sn_note){(int64_t)sn_word_get(&words[0]), sn_word_get(&words[1]),
                            sn_word_get(&words[2]), sn_word_get(&words[3])};
}

void sn_notes_put(struct sn_notes *notes, const struct sn_note *note) {
    uint64_t seen = sn_word_get(&notes->count);
    if (seen > 0) {
        int64_t age_ns = note->at_ns - load(notes, seen - 1).at_ns;
        if (age_ns >= 0 && age_ns < SN_NOTE_NS)
            return;
    }
    if (!sn_version_begin(&notes->version))
        return;
    uint64_t count = sn_word_get(&notes->count);
    int64_t age_ns = count > 0 ? note->at_ns - load(notes, count - 1).at_ns : SN_NOTE_NS;
    if (age_ns < 0)
        count = 0;
    if (age_ns < 0 || age_ns >= SN_NOTE_NS) { /* else somebody was faster */
        store(notes, count, note);
        sn_word_put(&notes->count, count + 1);
    }
    sn_version_end(&notes->version);
}

/* Where rates begin; `now` itself when there is no note. */
static struct sn_note origin_of(const struct sn_notes *notes, const struct sn_note *now) {
    uint64_t count = sn_word_get(&notes->count);
    uint64_t kept = count < SN_NOTES_MAX ? count : SN_NOTES_MAX;
    struct sn_note origin = *now;
    for (uint64_t back = 1; back <= kept; back++) {
        struct sn_note note = load(notes, count - back);
        if (back > 1 && now->at_ns - note.at_ns > SN_NOTES_NS)
            break;
        origin = note;
    }
    return origin;
}

static double per_second(uint64_t now, uint64_t before, double seconds) {
    return ((double)now - (double)before) / seconds;
}

struct sn_rates sn_notes_rates(const struct sn_notes *notes, const struct sn_note *now) {
    struct sn_note origin = *now;
    for (int i = 0; i < SN_VERSION_TRIES; i++) {
        uint64_t version = atomic_load_explicit(&notes->version, memory_order_acquire);
        if (version % 2 != 0)
            continue;
        origin = origin_of(notes, now);
        if (atomic_load_explicit(&notes->version, memory_order_relaxed) == version)
            break;
    }
    int64_t span_ns = now->at_ns - origin.at_ns;
    if (span_ns < SN_NOTE_NS)
        return (struct sn_rates){0, 0, 0};
    double seconds = (double)span_ns / 1e9;
    return (struct sn_rates){
        .allocations = per_second(now->allocations, origin.allocations, seconds),
        .frees = per_second(now->frees, origin.frees, seconds),
        .growth = per_second(now->bytes, origin.bytes, seconds),
    };
}
