/*
 * Which metrics and labels the series are made of: one walk over the label pairs, whose postings know
 * how many series carry them. No series is looked at.
 *
 * Any thread. Holds the index lock for PAIRS_PER_LOCK pairs at a time: pairs are only ever added, so a
 * walk in pieces sees each once; the sums are those of about now.
 */
#include "base/mem.h"
#include "store/store_priv.h"

#define PAIRS_PER_LOCK 8192

/* Put a row into a list of the largest ones, in falling order, equal ones in order of arrival. */
static void add_row(struct sn_cardinality_list *list, size_t row_max,
                    struct sn_cardinality_row row) {
    size_t place = list->count;
    if (row.count == 0)
        return;
    while (place > 0 && list->rows[place - 1].count < row.count)
        place--;
    if (place == row_max)
        return;
    size_t kept = list->count < row_max ? list->count : row_max - 1;
    memmove(&list->rows[place + 1], &list->rows[place], (kept - place) * sizeof row);
    list->rows[place] = row;
    list->count = kept + 1;
}

/* Sums over the pairs of one name. */
struct name_sums {
    uint64_t series_count;
    uint64_t value_count;
    uint64_t bytes;
};

struct walk {
    struct sn_store *store;
    struct sn_cardinality *into;
    size_t row_max;
    struct name_sums *names; /* [name_end], in the arena */
    uint32_t name_end;
};

static void count_pair_locked(struct walk *walk, const struct sn_symbol_pair *pair) {
    const struct sn_symbols *symbols = &walk->store->index.symbols;
    struct sn_str name = sn_symbols_name_text(symbols, pair->name);
    struct sn_str value = sn_symbols_value(symbols, pair);
    uint64_t count = pair->postings.count;
    if (count == 0 || pair->name >= walk->name_end)
        return; /* left over from a series that is gone, or newer than this walk */
    struct name_sums *sums = &walk->names[pair->name];
    sums->series_count += count;
    sums->value_count++;
    sums->bytes += value.len;
    walk->into->label_pair_count++;
    add_row(&walk->into->series_by_pair, walk->row_max,
            (struct sn_cardinality_row){name, value, count});
    if (sn_str_equal(name, SN_LABEL_METRIC_NAME))
        add_row(&walk->into->series_by_metric, walk->row_max,
                (struct sn_cardinality_row){value, SN_STR(""), count});
}

static void count_pairs(struct walk *walk) {
    struct sn_store *store = walk->store;
    bool goes_on = true;
    for (uint32_t at = 0; goes_on; at += PAIRS_PER_LOCK) {
        sn_mutex_lock(&store->index_mu);
        uint32_t end = store->index.symbols.pair_count;
        goes_on = end - at > PAIRS_PER_LOCK && at < end;
        if (goes_on)
            end = at + PAIRS_PER_LOCK;
        for (uint32_t i = at; i < end; i++)
            count_pair_locked(walk, sn_symbols_pair(&store->index.symbols, i));
        sn_mutex_unlock(&store->index_mu);
    }
}

static void count_names(struct walk *walk) {
    struct sn_cardinality *into = walk->into;
    for (uint32_t i = 0; i < walk->name_end; i++) {
        const struct name_sums *sums = &walk->names[i];
        struct sn_cardinality_row row = {.name =
                                             sn_symbols_name_text(&walk->store->index.symbols, i)};
        into->label_name_count += sums->value_count > 0;
        row.count = sums->series_count;
        add_row(&into->series_by_label, walk->row_max, row);
        row.count = sums->value_count;
        add_row(&into->values_by_label, walk->row_max, row);
        row.count = sums->bytes;
        add_row(&into->bytes_by_label, walk->row_max, row);
    }
}

static sn_status make_lists(struct sn_cardinality *into, size_t row_max, struct sn_arena *arena,
                            struct sn_err *err) {
    struct sn_cardinality_list *lists[] = {&into->series_by_metric, &into->series_by_label,
                                           &into->values_by_label, &into->bytes_by_label,
                                           &into->series_by_pair};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        lists[i]->rows = sn_arena_alloc_zero(arena, row_max, sizeof *lists[i]->rows);
        if (!lists[i]->rows)
            return sn_arena_failure(arena, row_max * sizeof *lists[i]->rows, err);
    }
    into->hours = sn_arena_alloc_zero(arena, SN_CHURN_HOURS, sizeof *into->hours);
    if (!into->hours)
        return sn_arena_failure(arena, SN_CHURN_HOURS * sizeof *into->hours, err);
    return SN_OK;
}

static void list_hours(struct sn_store *store, struct sn_cardinality *into) {
    struct sn_churn_hour hours[SN_CHURN_HOURS];
    sn_mutex_lock(&store->index_mu);
    into->hour_count = sn_churn_list(&store->churn, sn_store_wall_ms(store), hours);
    sn_mutex_unlock(&store->index_mu);
    for (size_t i = 0; i < into->hour_count; i++)
        into->hours[i] = (struct sn_cardinality_hour){hours[i].time_ms, hours[i].created_count};
}

sn_status sn_store_cardinality(void *ctx, size_t row_max, struct sn_arena *arena,
                               struct sn_cardinality *ret_cardinality, struct sn_err *err) {
    struct sn_store *store = ctx;
    struct sn_cardinality into = {0};
    struct walk walk = {.store = store, .into = &into, .row_max = row_max > 0 ? row_max : 1};
    SN_TRY(make_lists(&into, walk.row_max, arena, err));
    sn_mutex_lock(&store->index_mu);
    into.series_count = sn_series_index_live_count(&store->index);
    walk.name_end = store->index.symbols.name_count;
    sn_mutex_unlock(&store->index_mu);
    walk.names = sn_arena_alloc_zero(arena, (size_t)walk.name_end + 1, sizeof *walk.names);
    if (!walk.names)
        return sn_arena_failure(arena, walk.name_end * sizeof *walk.names, err);
    count_pairs(&walk);
    count_names(&walk);
    list_hours(store, &into);
    *ret_cardinality = into;
    return SN_OK;
}
