/*
 * Deleting samples: by call (delete_series) and by retention rules; and rewriting segments without them.
 *
 *   delete_series     flush -> series by matchers -> rows {series, times, rank}, rows of exemplars without
 *                     theirs, in one transaction -> publish
 *   retention rules   series by matchers -> the same in memory only, anew every minute
 *   clean_tombstones  each segment with deleted samples is merged with nothing, rollups of deleted samples go
 *                     -> rows are dropped
 *
 * Invariants:
 *   1. What is pushed after a call is not deleted by it: rows hold for segments up to a rank, and what
 *      was in the head has been flushed before.
 *   2. A row goes only after every file it holds for was rewritten.
 *
 * Any thread; blocks on disk.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "store/delete_exemplars.h"
#include "store/rollup_clean.h"
#include "store/store_priv.h"

/* A segment is rewritten for rules when they cover one in so many of its series. */
enum { REWRITE_SHARE = 8 };
#define WAIT_STEP_NS INT64_C(50000000)
#define WAIT_NS_MAX INT64_C(120000000000)

/* ---- publishing ---- */

static sn_status publish_locked(struct sn_store *store, struct sn_tombstones *tombstones,
                                struct sn_err *err) {
    struct sn_segment_set *set = sn_segments_with_tombstones(&store->segments, tombstones);
    if (!set)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the list of segments");
    sn_segments_publish(&store->segments, set);
    return SN_OK;
}

/* ---- by call ---- */

static struct sn_tombstone *make_rows(const struct sn_id_set *ids, struct sn_range range,
                                      uint64_t rank_max, bool is_rule) {
    struct sn_tombstone *rows = sn_realloc_array(NULL, ids->count + 1, sizeof *rows);
    for (size_t i = 0; rows && i < ids->count; i++)
        rows[i] = (struct sn_tombstone){.series = ids->ids[i],
                                        .rank_max = rank_max,
                                        .start_ms = range.start_ms,
                                        .end_ms = range.end_ms,
                                        .is_rule = is_rule};
    return rows;
}

static sn_status store_rows(struct sn_store *store, const struct sn_tombstone *rows, size_t count,
                            struct sn_exemplar_deletion *exemplars, struct sn_err *err) {
    SN_TRY(sn_catalog_begin(&store->catalog, err));
    sn_status status = sn_exemplar_deletion_put(exemplars, store, err);
    for (size_t i = 0; i < count && status == SN_OK; i++)
        status = sn_catalog_add_tombstone(&store->catalog, &rows[i], err);
    if (status == SN_OK)
        status = sn_catalog_commit(&store->catalog, err);
    if (status != SN_OK)
        sn_catalog_rollback(&store->catalog);
    return status;
}

static sn_status delete_locked(struct sn_store *store, const struct sn_id_set *ids,
                               struct sn_exemplar_deletion *exemplars, struct sn_err *err) {
    const struct sn_tombstones *old = store->segments.set->tombstones;
    if ((old ? old->count : 0) + ids->count > SN_TOMBSTONES_MAX)
        return sn_err_set(
            err, SN_ERR_LIMIT,
            "there would be more than %zu deleted ranges: call clean_tombstones first",
            SN_TOMBSTONES_MAX);
    SN_CLEANUP(sn_free_ptr)
    struct sn_tombstone *rows = make_rows(ids, exemplars->range, store->segment_id_next - 1, false);
    struct sn_tombstones *made =
        rows ? sn_tombstones_with(old, false, false, rows, ids->count) : NULL;
    if (!made)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to delete %zu series", ids->count);
    sn_status status = store_rows(store, rows, ids->count, exemplars, err);
    if (status == SN_OK) {
        sn_exemplar_deletion_apply(exemplars, store);
        store->delete_count++;
        status = publish_locked(store, made, err);
    }
    sn_tombstones_unref(made);
    return status;
}

sn_status sn_store_delete_series(void *ctx, const struct sn_select *select, uint64_t *ret_count,
                                 struct sn_err *err) {
    struct sn_store *store = ctx;
    struct sn_id_set ids = {0};
    struct sn_exemplar_deletion exemplars;
    sn_mutex_lock(&store->delete_mu);
    sn_exemplar_deletion_begin(&exemplars, store);
    sn_status status = sn_store_flush(store, err);
    if (status == SN_OK)
        status = sn_store_find_ids(store, select, &ids, err);
    if (status == SN_OK)
        status = sn_exemplar_deletion_find(&exemplars, store, select, err);
    if (status == SN_OK && exemplars.ids.count > 0) {
        sn_mutex_lock(&store->flush_mu);
        status = delete_locked(store, &ids, &exemplars, err);
        sn_mutex_unlock(&store->flush_mu);
    }
    sn_mutex_unlock(&store->delete_mu);
    if (status == SN_OK && ret_count)
        *ret_count = ids.count;
    sn_exemplar_deletion_release(&exemplars);
    sn_id_set_release(&ids);
    return status;
}

/* ---- by rules ---- */

static sn_status add_rule(struct sn_store *store, const struct sn_store_retention_rule *rule,
                          struct sn_tombstones **made, struct sn_err *err) {
    int64_t end_ms = sn_store_wall_ms(store) - rule->retention_ms - 1;
    struct sn_select select = {.matchers = rule->matchers,
                               .matcher_count = rule->matcher_count,
                               .range = {SN_TIME_MS_MIN, end_ms}};
    struct sn_id_set ids = {0};
    if (end_ms < SN_TIME_MS_MIN)
        return SN_OK;
    SN_TRY(sn_store_find_ids(store, &select, &ids, err));
    struct sn_tombstone *rows = make_rows(&ids, select.range, UINT64_MAX, true);
    struct sn_tombstones *more =
        rows ? sn_tombstones_with(*made, false, false, rows, ids.count) : NULL;
    sn_free(rows);
    sn_id_set_release(&ids);
    if (!more)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a retention rule");
    sn_tombstones_unref(*made);
    *made = more;
    return SN_OK;
}

sn_status sn_store_apply_rules(struct sn_store *store, struct sn_err *err) {
    const struct sn_store_options *options = &store->options;
    if (options->retention_rule_count == 0)
        return SN_OK;
    struct sn_tombstones *rules = sn_tombstones_with(NULL, false, false, NULL, 0);
    sn_status status = rules ? SN_OK : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for rules");
    for (size_t i = 0; i < options->retention_rule_count && status == SN_OK; i++)
        status = add_rule(store, &options->retention_rules[i], &rules, err);
    if (status == SN_OK) {
        sn_mutex_lock(&store->flush_mu);
        struct sn_tombstones *made = sn_tombstones_with(store->segments.set->tombstones, true,
                                                        false, rules->items, rules->count);
        status = made ? publish_locked(store, made, err)
                      : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for retention rules");
        sn_tombstones_unref(made);
        sn_mutex_unlock(&store->flush_mu);
    }
    sn_tombstones_unref(rules);
    return status;
}

/* ---- rewriting ---- */

static size_t hits(const struct sn_segment_set *set, const struct sn_segment *segment) {
    struct sn_range range = {segment->footer.time_min, segment->footer.time_max};
    if (segment->damage.status != SN_OK)
        return 0;
    return sn_tombstones_hit_count(set->tombstones, segment->series, segment->rank, range);
}

/* The numbers of the segments to rewrite now; the caller frees. NULL: no memory. */
static uint64_t *list_hit(struct sn_store *store, uint64_t share, size_t *ret_count) {
    struct sn_segment_set *set = sn_segments_ref(&store->segments);
    uint64_t *ids = sn_realloc_array(NULL, set->count + 1, sizeof *ids);
    size_t count = 0;
    for (size_t i = 0; ids && i < set->count; i++) {
        size_t hit = hits(set, set->items[i]);
        if (hit > 0 && hit >= set->items[i]->footer.series_count / share)
            ids[count++] = set->items[i]->id;
    }
    sn_segment_set_unref(set);
    *ret_count = count;
    return ids;
}

static sn_status drop_rows(struct sn_store *store, struct sn_err *err) {
    sn_mutex_lock(&store->flush_mu);
    struct sn_tombstones *made =
        sn_tombstones_with(store->segments.set->tombstones, false, true, NULL, 0);
    sn_status status =
        made ? SN_OK : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for deleted ranges");
    if (status == SN_OK)
        status = sn_catalog_drop_tombstones(&store->catalog, err);
    if (status == SN_OK)
        status = publish_locked(store, made, err);
    sn_tombstones_unref(made);
    sn_mutex_unlock(&store->flush_mu);
    return status;
}

/* Merging is kept out meanwhile: it might be at work with a list from before a deletion. */
static sn_status enter(struct sn_store *store, struct sn_err *err) {
    const struct sn_clock *clock = store->options.clock;
    for (int64_t waited_ns = 0; !sn_store_enter_compaction(store); waited_ns += WAIT_STEP_NS) {
        if (waited_ns >= WAIT_NS_MAX)
            return sn_err_set(err, SN_ERR_BUSY, "segments are being merged: try again later");
        clock->sleep_ns(clock->ctx, WAIT_STEP_NS);
    }
    return SN_OK;
}

sn_status sn_store_clean_tombstones(void *ctx, struct sn_err *err) {
    struct sn_store *store = ctx;
    size_t count = 0;
    SN_TRY(enter(store, err));
    sn_mutex_lock(&store->delete_mu);
    SN_CLEANUP(sn_free_ptr) uint64_t *ids = list_hit(store, UINT64_MAX, &count);
    sn_status status = ids ? SN_OK : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to clean");
    for (size_t i = 0; i < count && status == SN_OK; i++)
        status = sn_store_rewrite_entered(store, ids[i], err);
    if (status == SN_OK)
        status = sn_store_clean_rollups(store, err);
    if (status == SN_OK)
        status = drop_rows(store, err);
    sn_mutex_unlock(&store->delete_mu);
    sn_store_leave_compaction(store);
    return status;
}

/* One segment per call, so that rules cost little beside other work. */
sn_status sn_store_rewrite_for_rules(struct sn_store *store, struct sn_err *err) {
    size_t count = 0;
    if (store->options.retention_rule_count == 0)
        return SN_OK;
    SN_CLEANUP(sn_free_ptr) uint64_t *ids = list_hit(store, REWRITE_SHARE, &count);
    if (!ids)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to look at segments");
    if (count == 0 || !sn_store_enter_compaction(store))
        return SN_OK; /* the next round will do */
    sn_status status = sn_store_rewrite_entered(store, ids[0], err);
    sn_store_leave_compaction(store);
    return status;
}
