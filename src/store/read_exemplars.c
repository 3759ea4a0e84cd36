/*
 * Reading exemplars: of the series that a selection finds, those in its range.
 *
 * Any thread. The ring is looked at for some series at a time, so that pushes wait only shortly.
 */
#include "base/check.h"
#include "base/mem.h"
#include "store/store_priv.h"

#include <stdlib.h>

/* Series looked up under one lock: about 20 us. */
enum { SERIES_PER_LOCK = 1024 };

struct search {
    struct sn_store *store;
    struct sn_range range;
    struct sn_arena *arena;
    struct sn_buf found; /* struct sn_log_exemplar of one series, newest first; labels are in the
                          * arena */
};

/* One more exemplar, its labels still as canonical bytes. False: no room. */
static bool add_found(struct search *search, const struct sn_log_exemplar *exemplar) {
    struct sn_str labels;
    if (!sn_arena_copy(search->arena, exemplar->labels, &labels))
        return false;
    struct sn_log_exemplar copy = *exemplar;
    copy.labels = labels;
    sn_buf_put(&search->found, &copy, sizeof copy);
    return search->found.status == SN_OK;
}

/* Exemplars of one series in the range, newest first. */
static sn_status find_locked(struct search *search, uint32_t series) {
    const struct sn_exemplars *ring = &search->store->exemplars;
    sn_buf_reset(&search->found);
    uint64_t link = sn_exemplars_newest(ring, series);
    for (; link != 0; link = sn_exemplars_previous(ring, link - 1)) {
        struct sn_log_exemplar exemplar = sn_exemplars_at(ring, link - 1);
        if (exemplar.time_ms < search->range.start_ms)
            break; /* they ascend */
        if (exemplar.time_ms > search->range.end_ms)
            continue;
        if (!add_found(search, &exemplar))
            return search->found.status != SN_OK ? search->found.status
                                                 : sn_arena_failure(search->arena, 1, NULL);
    }
    return SN_OK;
}

/* What was found becomes what the door promises: ascending, labels decoded. */
static sn_status finish_series(struct search *search, struct sn_exemplar_series *ret_series) {
    size_t count = search->found.len / sizeof(struct sn_log_exemplar);
    struct sn_exemplar *exemplars = sn_arena_alloc(search->arena, count * sizeof *exemplars);
    if (!exemplars)
        return sn_arena_failure(search->arena, count * sizeof *exemplars, NULL);
    for (size_t i = 0; i < count; i++) {
        struct sn_log_exemplar found;
        memcpy(&found, search->found.ptr + (count - 1 - i) * sizeof found, sizeof found);
        exemplars[i] = (struct sn_exemplar){.value = found.value, .time_ms = found.time_ms};
        SN_TRY(sn_labels_decode(found.labels, search->arena, &exemplars[i].labels, NULL));
    }
    ret_series->exemplars = exemplars;
    ret_series->count = count;
    return SN_OK;
}

/* Which of the series have exemplars at all: most have none. Returns how many stay. */
static size_t keep_with_exemplars(struct sn_store *store, struct sn_read_series *series,
                                  size_t count) {
    size_t kept = 0;
    for (size_t at = 0; at < count; at += SERIES_PER_LOCK) {
        size_t end = at + SERIES_PER_LOCK < count ? at + SERIES_PER_LOCK : count;
        sn_mutex_lock(&store->append_mu);
        for (size_t i = at; i < end; i++) {
            if (sn_exemplars_newest(&store->exemplars, (uint32_t)series[i].id) != 0)
                series[kept++] = series[i];
        }
        sn_mutex_unlock(&store->append_mu);
    }
    return kept;
}

static sn_status read_all(struct search *search, const struct sn_series_list *list,
                          struct sn_exemplar_list *ret_exemplars) {
    size_t bytes = list->count * sizeof(struct sn_exemplar_series);
    struct sn_exemplar_series *items = sn_arena_alloc(search->arena, bytes);
    size_t count = 0;
    if (!items)
        return sn_arena_failure(search->arena, bytes, NULL);
    for (size_t i = 0; i < list->count; i++) {
        sn_mutex_lock(&search->store->append_mu);
        sn_status status = find_locked(search, (uint32_t)list->items[i].id);
        sn_mutex_unlock(&search->store->append_mu);
        SN_TRY(status);
        if (search->found.len == 0)
            continue;
        items[count].labels = list->items[i].labels;
        SN_TRY(finish_series(search, &items[count++]));
    }
    *ret_exemplars = (struct sn_exemplar_list){.items = items, .count = count};
    return SN_OK;
}

sn_status sn_store_read_exemplars(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                                  struct sn_exemplar_list *ret_exemplars, struct sn_err *err) {
    struct search search = {.store = ctx, .range = select->range, .arena = arena};
    struct sn_series_list list;
    /* An exemplar may be older or newer than the samples of its series. */
    struct sn_select any_time = *select;
    any_time.range = (struct sn_range){.start_ms = INT64_MIN, .end_ms = INT64_MAX};
    SN_TRY(sn_store_select(ctx, &any_time, arena, &list, err));
    list.count = keep_with_exemplars(ctx, list.items, list.count);
    sn_buf_init(&search.found, 0);
    sn_status status = read_all(&search, &list, ret_exemplars);
    sn_buf_release(&search.found);
    if (status != SN_OK)
        return sn_err_set(err, status, "no room for the exemplars of %zu series", list.count);
    return SN_OK;
}
