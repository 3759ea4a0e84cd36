/*
 * State of StatsD metrics. See statsd_state.h; datagrams are read by wire/statsd.c.
 *
 * A series is found by what the line says, byte by byte (type, name, tags: `aliases`). The first time it
 * is found by its labels (`by_labels`): tags in another order are the same series. After series expired
 * the aliases are forgotten and learnt again.
 */
#include "ingest/statsd_state.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/rng.h"
#include "ingest/ingest_priv.h"
#include "ingest/sketch.h"
#include "wire/statsd.h"

#include <stdatomic.h>

enum {
    QUANTILE_COUNT = 4,
    OUTPUT_SUM = QUANTILE_COUNT,
    OUTPUT_COUNT = QUANTILE_COUNT + 1,
    OUTPUTS_MAX = QUANTILE_COUNT + 2,
    KEY_BYTES_MAX = 4096,
    ALIASES_PER_SERIES = 4, /* orders of the same tags */
    SET_CAPACITY_MIN = 64,
};

static const struct {
    struct sn_str text;
    double share;
} quantiles[QUANTILE_COUNT] = {
    {{"0.5", 3}, 0.5}, {{"0.9", 3}, 0.9}, {{"0.95", 4}, 0.95}, {{"0.99", 4}, 0.99}};

/* Hashes of different values: open addressing, 0 is free, at most half full. */
struct set {
    uint64_t *hashes; /* [capacity], owned */
    size_t capacity;
    size_t count;
};

struct series {
    char *text;                         /* owned: all outputs */
    struct sn_str outputs[OUTPUTS_MAX]; /* canonical labels */
    size_t output_count;
    struct sn_str metric_name; /* inside text */
    enum sn_statsd_type type;
    bool is_known;     /* its metadata has been pushed */
    double value;      /* total, newest value, or number of values */
    double sum;        /* of a summary */
    int64_t start_ms;  /* when it was first seen */
    int64_t change_ms; /* when it was last seen */
    struct sn_sketch sketch;
    struct set set;
};

struct sn_statsd_state {
    struct sn_ingest *ingest;
    size_t series_max;
    int64_t expire_ms;
    uint64_t seed;
    struct series *series; /* [capacity] */
    size_t count;
    size_t capacity;
    struct sn_map aliases;
    struct sn_map by_labels;
    _Atomic uint64_t datagram_count; /* these three: relaxed, one writer */
    _Atomic uint64_t line_count;
    _Atomic uint64_t series_count;
};

/* ---- life ---- */

sn_status sn_statsd_state_new(const struct sn_statsd_state_options *options,
                              struct sn_statsd_state **ret_state, struct sn_err *err) {
    struct sn_statsd_state *state = sn_alloc_zero(1, sizeof *state);
    if (state == NULL) {
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for StatsD");
    }
    state->ingest = options->ingest;
    state->series_max =
        options->series_max > 0 ? options->series_max : SN_STATSD_SERIES_MAX_DEFAULT;
    state->expire_ms = options->expire_ms;
    state->seed = sn_rng_system_seed();
    sn_map_init(&state->aliases, ALIASES_PER_SERIES * state->series_max, state->seed);
    sn_map_init(&state->by_labels, state->series_max, state->seed);
    *ret_state = state;
    return SN_OK;
}

static void series_release(struct series *series) {
    sn_sketch_release(&series->sketch);
    sn_free(series->set.hashes);
    sn_free(series->text);
}

struct sn_statsd_state *sn_statsd_state_free(struct sn_statsd_state *state) {
    if (state == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < state->count; i++) {
        series_release(&state->series[i]);
    }
    sn_free(state->series);
    sn_map_release(&state->aliases);
    sn_map_release(&state->by_labels);
    sn_free(state);
    return NULL;
}

/* ---- labels ---- */

/* A new series in the making. On the stack. */
struct making {
    const struct sn_statsd_entry *entry;
    struct sn_label labels[SN_LABELS_MAX];
    size_t count;
    struct sn_arena arena;
    struct sn_str name;    /* as Prometheus writes it */
    struct sn_buf outputs; /* canonical labels, one behind the other */
    size_t ends[OUTPUTS_MAX];
    size_t output_count;
};

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A name with '_' in place of what may not stand there; colons may, in names of metrics. */
static sn_status plain_name(struct making *making, struct sn_str from, struct sn_str *ret_name,
                            struct sn_err *err) {
    char *to = sn_arena_alloc(&making->arena, from.len + 1);
    size_t len = 0;
    if (to == NULL) {
        return sn_arena_failure(&making->arena, from.len + 1, err);
    }
    if (from.len > 0 && from.ptr[0] >= '0' && from.ptr[0] <= '9') {
        to[len++] = '_';
    }
    for (size_t i = 0; i < from.len; i++) {
        char c = from.ptr[i];
        to[len++] = is_letter(c) || (c >= '0' && c <= '9') ? c : '_';
    }
    *ret_name = sn_str_make(to, len);
    return SN_OK;
}

/* The newest of tags with one name wins. */
static void put_tag(struct making *making, struct sn_str name, struct sn_str value) {
    for (size_t i = 1; i < making->count; i++) {
        if (sn_str_equal(making->labels[i].name, name)) {
            making->labels[i].value = value;
            return;
        }
    }
    making->labels[making->count++] = (struct sn_label){name, value};
}

static sn_status read_tags(struct making *making, struct sn_err *err) {
    struct sn_str tags = making->entry->tags;
    struct sn_str name, value;
    while (sn_statsd_next_tag(&tags, &name, &value)) {
        if (making->count == SN_LABELS_MAX - 1) { /* one is for the quantile */
            return sn_err_set(err, SN_ERR_LIMIT, "a StatsD line has more than %d tags",
                              SN_LABELS_MAX - 2);
        }
        SN_TRY(plain_name(making, name, &name, err));
        if (sn_str_starts_with(name, SN_STR("__")) || name.len == 0) {
            return sn_err_set(err, SN_ERR_INVALID,
                              "a StatsD tag is called \"%.*s\": names that begin with __ are "
                              "reserved, empty ones are none",
                              (int)(name.len < 60 ? name.len : 60), name.ptr);
        }
        put_tag(making, name, value.len > 0 ? value : SN_STR("true"));
    }
    return SN_OK;
}

/* Labels of one output: those of the series with another name, and perhaps a quantile. */
static sn_status put_output(struct making *making, struct sn_str name, struct sn_str quantile,
                            struct sn_err *err) {
    struct sn_label items[SN_LABELS_MAX + 1];
    struct sn_labels labels;
    memcpy(items, making->labels, making->count * sizeof *items);
    items[0] = (struct sn_label){SN_LABEL_METRIC_NAME, name};
    size_t count = making->count;
    if (quantile.len > 0) {
        const struct sn_label label = {SN_STR("quantile"), quantile};
        count = sn_ingest_put_labels(items, count, (struct sn_labels){&label, 1});
    }
    SN_TRY(sn_labels_make(items, count, &labels, err));
    sn_labels_encode(labels, &making->outputs);
    making->ends[making->output_count++] = making->outputs.len;
    return sn_buf_status(&making->outputs, err);
}

static sn_status put_ending(struct making *making, const char *ending, struct sn_err *err) {
    char *name = sn_arena_printf(&making->arena, "%.*s%s", SN_STR_ARG(making->name), ending);
    if (name == NULL) {
        return sn_arena_failure(&making->arena, making->name.len, err);
    }
    return put_output(making, sn_str_from(name), SN_STR(""), err);
}

static bool is_summary(enum sn_statsd_type type) {
    return type == SN_STATSD_TIMER || type == SN_STATSD_HISTOGRAM || type == SN_STATSD_DISTRIBUTION;
}

static sn_status put_outputs(struct making *making, struct sn_err *err) {
    if (!is_summary(making->entry->type)) {
        return put_output(making, making->name, SN_STR(""), err);
    }
    for (size_t i = 0; i < QUANTILE_COUNT; i++) {
        SN_TRY(put_output(making, making->name, quantiles[i].text, err));
    }
    SN_TRY(put_ending(making, "_sum", err));
    return put_ending(making, "_count", err);
}

static sn_status read_labels(struct making *making, struct sn_err *err) {
    SN_TRY(plain_name(making, making->entry->name, &making->name, err));
    making->labels[0] = (struct sn_label){SN_LABEL_METRIC_NAME, making->name};
    making->count = 1;
    SN_TRY(read_tags(making, err));
    return put_outputs(making, err);
}

/* ---- series ---- */

static sn_status no_memory(struct sn_err *err) {
    return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a StatsD series");
}

/* The text that a series keeps: its outputs, then its name. */
static sn_status keep_text(struct series *series, const struct making *making, struct sn_err *err) {
    size_t len = making->outputs.len;
    char *text = sn_alloc(len + making->name.len);
    if (text == NULL) {
        return no_memory(err);
    }
    memcpy(text, making->outputs.ptr, len);
    memcpy(text + len, making->name.ptr, making->name.len);
    series->text = text;
    series->metric_name = sn_str_make(text + len, making->name.len);
    series->output_count = making->output_count;
    for (size_t i = 0, from = 0; i < making->output_count; i++) {
        series->outputs[i] = sn_str_make(text + from, making->ends[i] - from);
        from = making->ends[i];
    }
    return SN_OK;
}

static sn_status reserve_series(struct sn_statsd_state *state, struct sn_err *err) {
    if (state->count == state->series_max) {
        return sn_err_set(err, SN_ERR_BUSY, "StatsD has %zu series, the limit: statsd.series_max",
                          state->count);
    }
    if (state->count == state->capacity) {
        size_t capacity = state->capacity > 0 ? 2 * state->capacity : 64;
        struct series *series = sn_realloc_array(state->series, capacity, sizeof *series);
        if (series == NULL) {
            return no_memory(err);
        }
        state->series = series;
        state->capacity = capacity;
    }
    return SN_OK;
}

/* What distinguishes series: the labels of the last output, which has no quantile. */
static struct sn_str identity_of(const struct series *series) {
    return series->outputs[series->output_count - 1];
}

static sn_status add_series(struct sn_statsd_state *state, const struct making *making,
                            int64_t now_ms, size_t *ret_index, struct sn_err *err) {
    struct series series = {.type = making->entry->type, .start_ms = now_ms, .change_ms = now_ms};
    SN_TRY(reserve_series(state, err));
    SN_TRY(keep_text(&series, making, err));
    if (sn_map_put(&state->by_labels, identity_of(&series), state->count) != SN_OK) {
        series_release(&series);
        return no_memory(err);
    }
    *ret_index = state->count;
    state->series[state->count++] = series;
    atomic_store_explicit(&state->series_count, state->count, memory_order_relaxed);
    return SN_OK;
}

/* Whether a line of this type goes to a series of that one: all that give summaries are alike. */
static bool types_agree(enum sn_statsd_type a, enum sn_statsd_type b) {
    return a == b ||
           (a != SN_STATSD_TIMER && b != SN_STATSD_TIMER && is_summary(a) && is_summary(b));
}

static sn_status find_by_labels(struct sn_statsd_state *state, const struct making *making,
                                int64_t now_ms, size_t *ret_index, struct sn_err *err) {
    size_t begin = making->output_count > 1 ? making->ends[making->output_count - 2] : 0;
    struct sn_str identity = sn_str_make(making->outputs.ptr + begin, making->outputs.len - begin);
    uint64_t index;
    if (!sn_map_get(&state->by_labels, identity, &index)) {
        return add_series(state, making, now_ms, ret_index, err);
    }
    if (!types_agree(state->series[index].type, making->entry->type)) {
        return sn_err_set(err, SN_ERR_EXISTS, "StatsD metric \"%.*s\" is of another type already",
                          (int)(making->name.len < 80 ? making->name.len : 80), making->name.ptr);
    }
    *ret_index = (size_t)index;
    return SN_OK;
}

static sn_status make_series(struct sn_statsd_state *state, const struct sn_statsd_entry *entry,
                             int64_t now_ms, size_t *ret_index, struct sn_err *err) {
    struct making making;
    making.entry = entry;
    making.count = 0;
    making.output_count = 0;
    sn_arena_init(&making.arena, 0);
    sn_buf_init(&making.outputs, OUTPUTS_MAX * SN_LABELS_BYTES_MAX);
    sn_status status = read_labels(&making, err);
    if (status == SN_OK) {
        status = find_by_labels(state, &making, now_ms, ret_index, err);
    }
    sn_buf_release(&making.outputs);
    sn_arena_release(&making.arena);
    return status;
}

/* What the line says about the series, in one piece; false: too long for an alias. */
static bool make_key(const struct sn_statsd_entry *entry, char key[KEY_BYTES_MAX],
                     struct sn_str *ret_key) {
    size_t len = 2 + entry->name.len + entry->tags.len;
    if (len > KEY_BYTES_MAX) {
        return false;
    }
    key[0] = (char)('0' + (int)entry->type);
    memcpy(key + 1, entry->name.ptr, entry->name.len);
    key[1 + entry->name.len] = '|'; /* not in a name */
    if (entry->tags.len > 0) {
        memcpy(key + 2 + entry->name.len, entry->tags.ptr, entry->tags.len);
    }
    *ret_key = sn_str_make(key, len);
    return true;
}

static sn_status find_series(struct sn_statsd_state *state, const struct sn_statsd_entry *entry,
                             int64_t now_ms, struct series **ret_series, struct sn_err *err) {
    char bytes[KEY_BYTES_MAX];
    struct sn_str key;
    uint64_t found;
    size_t index = 0;
    bool has_key = make_key(entry, bytes, &key);
    if (has_key && sn_map_get(&state->aliases, key, &found)) {
        *ret_series = &state->series[found];
        return SN_OK;
    }
    SN_TRY(make_series(state, entry, now_ms, &index, err));
    if (has_key && sn_map_put(&state->aliases, key, index) != SN_OK) {
        has_key = false; /* the next line will take the long way as well */
    }
    *ret_series = &state->series[index];
    return SN_OK;
}

/* ---- values ---- */

static bool set_insert(uint64_t *hashes, size_t capacity, uint64_t hash) {
    size_t at = hash & (capacity - 1);
    while (hashes[at] != 0 && hashes[at] != hash) {
        at = (at + 1) & (capacity - 1);
    }
    bool is_new = hashes[at] == 0;
    hashes[at] = hash;
    return is_new;
}

static sn_status set_grow(struct set *set, struct sn_err *err) {
    size_t capacity = set->capacity > 0 ? 2 * set->capacity : SET_CAPACITY_MIN;
    uint64_t *hashes = sn_alloc_zero(capacity, sizeof *hashes);
    if (hashes == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < set->capacity; i++) {
        if (set->hashes[i] != 0) {
            (void)set_insert(hashes, capacity, set->hashes[i]);
        }
    }
    sn_free(set->hashes);
    set->hashes = hashes;
    set->capacity = capacity;
    return SN_OK;
}

static sn_status set_add(struct set *set, uint64_t hash, struct sn_err *err) {
    if (2 * (set->count + 1) > set->capacity) {
        if (set->count >= SN_STATSD_SET_VALUES_MAX) {
            return sn_err_set(err, SN_ERR_LIMIT, "a StatsD set has more than %d values",
                              SN_STATSD_SET_VALUES_MAX);
        }
        SN_TRY(set_grow(set, err));
    }
    set->count += set_insert(set->hashes, set->capacity, hash != 0 ? hash : 1);
    return SN_OK;
}

static sn_status bad_value(struct sn_str value, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_INVALID, "StatsD value \"%.*s\" is not a finite number",
                      (int)(value.len < 40 ? value.len : 40), value.ptr);
}

static sn_status observe(struct series *series, double number, double weight, struct sn_err *err) {
    if (sn_sketch_add(&series->sketch, number, weight) != SN_OK) {
        return no_memory(err);
    }
    series->value += weight;
    series->sum += number * weight;
    return SN_OK;
}

static sn_status apply(struct series *series, const struct sn_statsd_entry *entry,
                       struct sn_str value, uint64_t seed, struct sn_err *err) {
    double number;
    bool is_change;
    if (entry->type == SN_STATSD_SET) {
        return set_add(&series->set, sn_hash_bytes(value.ptr, value.len, seed), err);
    }
    if (sn_statsd_number(value, &number, &is_change) != SN_OK) {
        return bad_value(value, err);
    }
    switch (entry->type) {
    case SN_STATSD_COUNTER:
        if (number < 0) {
            return sn_err_set(err, SN_ERR_INVALID, "a StatsD counter cannot go back");
        }
        series->value += number / entry->rate;
        return SN_OK;
    case SN_STATSD_GAUGE:
        series->value = is_change ? series->value + number : number;
        return SN_OK;
    case SN_STATSD_TIMER:
        return observe(series, number / 1000, 1 / entry->rate, err);
    case SN_STATSD_HISTOGRAM:
    case SN_STATSD_DISTRIBUTION:
        return observe(series, number, 1 / entry->rate, err);
    case SN_STATSD_SET:
    case SN_STATSD_TYPE_COUNT:
        break;
    }
    return SN_OK;
}

/* ---- datagrams ---- */

/* The reason by which a failure is counted. */
static unsigned reason_of(sn_status status) {
    switch (status) {
    case SN_ERR_LIMIT:
        return SN_INGEST_LABEL_LIMIT;
    case SN_ERR_BUSY:
        return SN_REJECT_SERIES_LIMIT;
    case SN_ERR_EXISTS:
        return SN_INGEST_TYPE_CONFLICT;
    case SN_ERR_UNSUPPORTED:
        return SN_REJECT_UNSUPPORTED;
    case SN_ERR_NO_MEMORY:
        return SN_INGEST_NOT_STORED;
    default:
        return SN_INGEST_MALFORMED;
    }
}

/* Counts failures, and keeps the first one for the answer. */
struct outcome {
    struct sn_ingest *ingest;
    sn_status status;
    struct sn_err *err;
};

static void note(struct outcome *outcome, sn_status status, const struct sn_err *why) {
    sn_ingest_count_rejected(outcome->ingest, reason_of(status), 1);
    if (outcome->status == SN_OK) {
        outcome->status = sn_err_set(outcome->err, status, "%s", why->text);
    }
}

static void take_metric(struct sn_statsd_state *state, const struct sn_statsd_entry *entry,
                        int64_t now_ms, struct outcome *outcome) {
    struct sn_err why;
    struct series *series;
    struct sn_str values = entry->values;
    struct sn_str value;
    sn_status status = find_series(state, entry, now_ms, &series, &why);
    while (sn_statsd_next_value(&values, &value)) {
        sn_status one = status != SN_OK ? status : apply(series, entry, value, state->seed, &why);
        if (one != SN_OK) {
            note(outcome, one, &why);
        } else {
            series->change_ms = now_ms;
        }
    }
}

static void add_relaxed(_Atomic uint64_t *counter, uint64_t more) {
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + more, memory_order_relaxed); /* one writer */
}

sn_status sn_statsd_state_take(struct sn_statsd_state *state, struct sn_str datagram,
                               int64_t now_ms, struct sn_err *err) {
    struct outcome outcome = {state->ingest, SN_OK, err};
    struct sn_statsd_reader reader;
    struct sn_statsd_entry entry;
    uint64_t line_count = 0;
    sn_statsd_open(&reader, datagram);
    for (;;) {
        struct sn_err why;
        sn_status status = sn_statsd_next(&reader, &entry, &why);
        if (status == SN_OK && entry.kind == SN_STATSD_END) {
            break;
        }
        line_count++;
        if (status == SN_OK && entry.kind == SN_STATSD_METRIC) {
            take_metric(state, &entry, now_ms, &outcome);
            continue;
        }
        if (status == SN_OK) {
            status = sn_err_set(&why, SN_ERR_UNSUPPORTED,
                                "DogStatsD events and service checks are not stored");
        }
        note(&outcome, status, &why);
    }
    add_relaxed(&state->line_count, line_count);
    add_relaxed(&state->datagram_count, 1);
    return outcome.status;
}

/* ---- flush ---- */

/* A batch while it is filled; arrays have room for everything. */
struct filling {
    struct sn_batch_series *series;
    struct sn_batch_sample *samples;
    struct sn_metadata *metadata;
    size_t count;
    size_t metadata_count;
    int64_t time_ms;
};

static void fill(struct filling *filling, struct sn_str labels, double value, int64_t start_ms) {
    size_t at = filling->count++;
    filling->series[at] = (struct sn_batch_series){.labels = labels, .start_time_ms = start_ms};
    filling->samples[at] = (struct sn_batch_sample){
        .time_ms = filling->time_ms, .value = value, .series = (uint32_t)at};
}

static void fill_summary(struct filling *filling, const struct series *series) {
    for (size_t i = 0; i < QUANTILE_COUNT; i++) {
        fill(filling, series->outputs[i], sn_sketch_quantile(&series->sketch, quantiles[i].share),
             0);
    }
    fill(filling, series->outputs[OUTPUT_SUM], series->sum, series->start_ms);
    fill(filling, series->outputs[OUTPUT_COUNT], series->value, series->start_ms);
}

static void fill_series(struct filling *filling, const struct series *series) {
    switch (series->type) {
    case SN_STATSD_COUNTER:
        fill(filling, series->outputs[0], series->value, series->start_ms);
        break;
    case SN_STATSD_GAUGE:
        fill(filling, series->outputs[0], series->value, 0);
        break;
    case SN_STATSD_SET:
        fill(filling, series->outputs[0], (double)series->set.count, 0);
        break;
    case SN_STATSD_TIMER:
    case SN_STATSD_HISTOGRAM:
    case SN_STATSD_DISTRIBUTION:
        fill_summary(filling, series);
        break;
    case SN_STATSD_TYPE_COUNT:
        break;
    }
}

static void fill_stale(struct filling *filling, const struct series *series) {
    for (size_t i = 0; i < series->output_count; i++) {
        fill(filling, series->outputs[i], sn_double_from_bits(SN_STALE_NAN_BITS), 0);
    }
}

static enum sn_metric_type metric_type_of(enum sn_statsd_type type) {
    if (is_summary(type)) {
        return SN_METRIC_SUMMARY;
    }
    return type == SN_STATSD_COUNTER ? SN_METRIC_COUNTER : SN_METRIC_GAUGE;
}

static void fill_metadata(struct filling *filling, struct series *series) {
    if (!series->is_known) {
        series->is_known = true;
        filling->metadata[filling->metadata_count++] = (struct sn_metadata){
            .metric_name = series->metric_name, .type = metric_type_of(series->type)};
    }
}

static bool is_expired(const struct sn_statsd_state *state, const struct series *series,
                       int64_t now_ms) {
    return state->expire_ms > 0 && now_ms - series->change_ms > state->expire_ms;
}

static sn_status fill_all(struct sn_statsd_state *state, struct filling *filling,
                          struct sn_arena *arena, struct sn_err *err) {
    size_t room = 0;
    for (size_t i = 0; i < state->count; i++) {
        room += state->series[i].output_count;
    }
    filling->series = sn_arena_alloc(arena, room * sizeof *filling->series);
    filling->samples = sn_arena_alloc(arena, room * sizeof *filling->samples);
    filling->metadata = sn_arena_alloc(arena, state->count * sizeof *filling->metadata);
    if (filling->series == NULL || filling->samples == NULL || filling->metadata == NULL) {
        return sn_arena_failure(arena, room * sizeof *filling->series, err);
    }
    for (size_t i = 0; i < state->count; i++) {
        struct series *series = &state->series[i];
        if (is_expired(state, series, filling->time_ms)) {
            fill_stale(filling, series);
        } else {
            fill_series(filling, series);
            fill_metadata(filling, series);
        }
    }
    return SN_OK;
}

/* Begin the next interval: quantiles and sets are of what comes now. */
static void begin_interval(struct series *series) {
    sn_sketch_clear(&series->sketch);
    if (series->set.count > 0) {
        memset(series->set.hashes, 0, series->set.capacity * sizeof *series->set.hashes);
        series->set.count = 0;
    }
}

/* Forget expired series. */
static void drop_expired(struct sn_statsd_state *state, int64_t now_ms) {
    size_t kept = 0;
    for (size_t i = 0; i < state->count; i++) {
        struct series *series = &state->series[i];
        if (is_expired(state, series, now_ms)) {
            (void)sn_map_remove(&state->by_labels, identity_of(series)); /* it is there */
            series_release(series);
            continue;
        }
        if (kept != i) {
            state->series[kept] = *series;
            sn_status status = sn_map_put(&state->by_labels, identity_of(series), kept);
            SN_CHECK(status == SN_OK); /* the key is there: replacing needs no memory */
        }
        kept++;
    }
    if (kept != state->count) {
        sn_map_release(&state->aliases);
        sn_map_init(&state->aliases, ALIASES_PER_SERIES * state->series_max, state->seed);
        state->count = kept;
        atomic_store_explicit(&state->series_count, kept, memory_order_relaxed);
    }
}

sn_status sn_statsd_state_flush(struct sn_statsd_state *state, int64_t now_ms,
                                const struct sn_push_done *done, struct sn_err *err) {
    struct sn_arena arena;
    struct filling filling = {.time_ms = now_ms};
    struct sn_ingest_result result = {.accepted_count = 0};
    if (state->count == 0) {
        return SN_OK;
    }
    sn_arena_init(&arena, SN_INGEST_MEMORY_MAX);
    sn_status status = fill_all(state, &filling, &arena, err);
    if (status == SN_OK) {
        struct sn_batch batch = {
            .series = filling.series,
            .samples = filling.samples,
            .metadata = filling.metadata,
            .series_count = filling.count,
            .sample_count = filling.count,
            .metadata_count = filling.metadata_count,
        };
        status = sn_ingest_push(state->ingest, SN_INGEST_STATSD, &batch, done, &result, err);
    }
    for (size_t i = 0; i < state->count; i++) {
        begin_interval(&state->series[i]);
    }
    drop_expired(state, now_ms);
    sn_arena_release(&arena);
    return status;
}

void sn_statsd_state_stats(const struct sn_statsd_state *state,
                           struct sn_statsd_state_stats *ret_stats) {
    *ret_stats = (struct sn_statsd_state_stats){
        .datagram_count = atomic_load_explicit(&state->datagram_count, memory_order_relaxed),
        .line_count = atomic_load_explicit(&state->line_count, memory_order_relaxed),
        .series_count = atomic_load_explicit(&state->series_count, memory_order_relaxed),
    };
}
