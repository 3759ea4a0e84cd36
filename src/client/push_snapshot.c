/*
 * Whole registries on their way into the buffer. See push_priv.h.
 *
 * All samples of a snapshot have one timestamp. Those of counters and histograms tell since when they
 * count, so that the server sees the first increment of a counter that is new. The sender's thread;
 * the registry is read with no lock of ours held, so nobody who records waits for it.
 */
#include "client/push_priv.h"

#include "sonde/expose.h"

struct snapshot {
    sonde_collector *collector;
    int64_t time_ms;
    bool is_counting; /* samples of this family count since a start */
};

static int note_family(void *ctx, const sonde_family_info *info) {
    struct snapshot *snapshot = ctx;
    snapshot->is_counting = info->type == SONDE_TYPE_COUNTER || info->type == SONDE_TYPE_HISTOGRAM;
    return 0;
}

static bool has_label(const sonde_sample *sample, const char *name) {
    for (size_t i = 0; i < sample->label_count; i++)
        if (strcmp(sample->labels[i].name, name) == 0)
            return true;
    return false;
}

static int put_sample(void *ctx, const sonde_sample *sample) {
    struct snapshot *snapshot = ctx;
    sonde_collector *collector = snapshot->collector;
    struct sn_push_line line = {.ptr = collector->scratch, .cap = sizeof collector->scratch};
    if (snapshot->is_counting && sample->created_wall_ms > 0)
        sn_push_line_start(&line, sample->created_wall_ms);
    sn_push_line_raw_name(&line, sn_str_from(sample->name));
    if (!has_label(sample, "service"))
        sn_push_line_label(&line, "service", sn_str_from(collector->service));
    if (collector->instance != NULL && !has_label(sample, "instance"))
        sn_push_line_label(&line, "instance", sn_str_from(collector->instance));
    for (size_t i = 0; i < sample->label_count; i++)
        sn_push_line_label(&line, sample->labels[i].name,
                           sn_str_make(sample->labels[i].value, sample->labels[i].value_len));
    sn_push_line_value(&line, sample->value);
    sn_push_submit_at(collector, &line, snapshot->time_ms);
    return 0;
}

/* Whether to take one now. When the last one still waits, it is not. */
static bool begin_locked(sonde_collector *collector, int64_t now_ns) SN_REQUIRES(&collector->mu);
static bool begin_locked(sonde_collector *collector, int64_t now_ns) {
    bool is_last = collector->is_stopping;
    if (collector->snapshot_interval_ns == 0 || (now_ns < collector->next_snapshot_ns && !is_last))
        return false;
    collector->next_snapshot_ns = now_ns + collector->snapshot_interval_ns;
    if (sn_push_settled_locked(collector) < collector->snapshot_end) {
        sn_push_count(collector, SN_PUSH_SNAPSHOTS_SKIPPED, 1);
        return false;
    }
    collector->is_snapshotting = true;
    return true;
}

void sn_push_snapshot(sonde_collector *collector, int64_t now_ns) {
    struct snapshot snapshot = {.collector = collector};
    const sonde_visitor visitor = {.family = note_family, .sample = put_sample, .ctx = &snapshot};
    sn_mutex_lock(&collector->mu);
    bool is_due = begin_locked(collector, now_ns);
    sonde_registry *registry = collector->registry;
    sn_mutex_unlock(&collector->mu);
    if (!is_due)
        return;
    snapshot.time_ms = sn_clock_wall_ms(collector->clock);
    if (snapshot.time_ms == collector->snapshot_ms)
        snapshot.time_ms++;
    collector->snapshot_ms = snapshot.time_ms;
    (void)sonde_registry_visit(registry, &visitor); /* put_sample never says stop */
    sn_push_count(collector, SN_PUSH_SNAPSHOTS, 1);
    sn_mutex_lock(&collector->mu);
    collector->is_snapshotting = false;
    collector->snapshot_end = collector->ring.first + collector->ring.count;
    sn_cond_broadcast(&collector->done);
    sn_mutex_unlock(&collector->mu);
}
