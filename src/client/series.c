/*
 * Lookup and creation of series. The contract and the invariants are in series_priv.h.
 *
 * A lookup that finds its series takes no lock: it probes the family's table, whose slots and
 * whose replacement are published with release. A lookup that misses a slot stored a moment ago
 * goes to the locked path, which looks again.
 */
#include "client/series_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "client/label_hash_priv.h"
#include "client/lock_priv.h"
#include "client/native_priv.h"
#include "client/shared_sync_priv.h"
#include "sonde/log.h"

#include <assert.h>
#include <pthread.h>

#define TABLE_SLOTS_MIN 8
#define SPARSE_SLOTS_MAX 4096 /* tables up to 32 KiB are a quarter full at most, larger ones half */

/* Label values of a lookup that takes its time, or of a new series. */
struct key {
    struct sn_str values[SONDE_LABELS_MAX];
    size_t count;
    uint64_t hash;
};

/* The stack of a lookup holds no text that could overflow; the guard would cost 1 ns of 20. */
#define NO_GUARD __attribute__((no_stack_protector))
#define LOOKUP NO_GUARD __attribute__((always_inline)) static inline

static struct sn_hash_secrets secrets;

int sn_label_open_last = SN_OPEN_LAST;

/* Before the first lookup: the secrets, and whether somebody watches our reads (valgrind does). */
static void prepare_lookups(void) {
    struct sn_rng rng;
    sn_rng_init(&rng, sn_rng_system_seed());
    for (size_t i = 0; i < SONDE_LABELS_MAX; i++) {
        for (size_t k = 0; k < 4; k++)
            secrets.blocks[i][k] = (uint32_t)(sn_rng_u64(&rng) >> 32);
    }
    secrets.seed = sn_rng_u64(&rng);
    secrets.factor = sn_rng_u64(&rng) | 1;
    const char *preload = getenv("LD_PRELOAD");
    if (preload != NULL && strstr(preload, "vgpreload") != NULL)
        sn_label_open_last = -1;
}

/* Lookup. */

static void key_init(struct key *key, const char *const *values, size_t count) {
    key->count = count;
    for (size_t i = 0; i < count; i++)
        key->values[i] = values[i] != NULL ? sn_str_from(values[i]) : SN_STR("");
    key->hash = sn_labels_hash(key->values, count, &secrets);
}

/* False as well when a value is not open and `are_open` does not promise it. */
LOOKUP bool series_has_open_values(const struct sn_series *series, const char *const *values,
                                   size_t count, bool are_open) {
    const char *text = (const char *)&series->values[count];
#pragma GCC unroll 4
    for (size_t i = 0; i < count; i++) {
        const struct sn_span_of_text *span = &series->values[i];
        if (!sn_label_is(values[i], text + span->offset, span->len, are_open))
            return false;
    }
    return true;
}

static bool series_has_key(const struct sn_series *series, const struct key *key) {
    for (size_t i = 0; i < key->count; i++) {
        if (!sn_str_equal(sn_series_value(series, i), key->values[i]))
            return false;
    }
    return true;
}

/* The first series with this hash at or behind *slot, which is then its slot; or NULL. */
LOOKUP struct sn_series *next_with_hash(const struct sn_series_table *table, uint64_t hash,
                                        size_t *slot) {
    for (;;) {
        struct sn_series *series =
            atomic_load_explicit(&table->slots[*slot & table->mask], memory_order_acquire);
        if (series == NULL || series->hash == hash)
            return series;
        ++*slot;
    }
}

LOOKUP struct sn_series *find_open(const struct sn_family *family, const char *const *values,
                                   size_t count, uint64_t hash) {
    const struct sn_series_table *table =
        atomic_load_explicit(&family->table, memory_order_acquire);
    for (size_t slot = (size_t)hash;; slot++) {
        struct sn_series *series = next_with_hash(table, hash, &slot);
        if (series == NULL || series_has_open_values(series, values, count, true))
            return series;
    }
}

static struct sn_series *find(const struct sn_family *family, const struct key *key) {
    const struct sn_series_table *table =
        atomic_load_explicit(&family->table, memory_order_acquire);
    for (size_t slot = (size_t)key->hash;; slot++) {
        struct sn_series *series = next_with_hash(table, key->hash, &slot);
        if (series == NULL || series_has_key(series, key))
            return series;
    }
}

/* Creation, all with the registration lock. */

static struct sn_series_table *table_new(size_t slots) {
    struct sn_series_table *table =
        sn_alloc_zero(1, sizeof *table + slots * sizeof table->slots[0]);
    if (table != NULL)
        table->mask = slots - 1;
    return table;
}

static void table_put(struct sn_series_table *table, uint64_t hash, struct sn_series *series) {
    size_t i = (size_t)hash & table->mask;
    while (atomic_load_explicit(&table->slots[i], memory_order_relaxed) != NULL)
        i = (i + 1) & table->mask;
    atomic_store_explicit(&table->slots[i], series, memory_order_release);
}

/* Make room for one more series. Most slots stay empty, so that most probes hit at once. */
static bool table_reserve(struct sn_family *family) {
    struct sn_series_table *old = atomic_load_explicit(&family->table, memory_order_relaxed);
    size_t slots = old != NULL ? old->mask + 1 : 0;
    size_t spread = slots <= SPARSE_SLOTS_MAX ? 4 : 2;
    if ((family->table_count + 1) * spread <= slots)
        return true;
    struct sn_series_table *table = table_new(slots != 0 ? slots * 2 : TABLE_SLOTS_MIN);
    if (table == NULL)
        return false;
    for (struct sn_series *s = atomic_load_explicit(&family->first, memory_order_relaxed);
         s != NULL; s = atomic_load_explicit(&s->next, memory_order_relaxed)) {
        table_put(table, s->hash, s);
    }
    table->older = old;
    /* Release: a lookup that sees the table sees its slots. */
    atomic_store_explicit(&family->table, table, memory_order_release);
    return true;
}

static size_t escaped_len(const char *text, size_t len) {
    size_t escaped = len;
    for (size_t i = 0; i < len; i++)
        escaped += text[i] == '"' || text[i] == '\\' || text[i] == '\n';
    return escaped;
}

static char *put_escaped(char *at, const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\' || text[i] == '\n')
            *at++ = '\\';
        *at++ = text[i] == '\n' ? 'n' : text[i];
    }
    return at;
}

static char *put_text(char *at, const char *text, size_t len) {
    memcpy(at, text, len);
    return at + len;
}

/* Bytes of the rendered labels, and of the raw copies of values that escaping changes. */
static size_t text_size(const struct sn_family *family, const struct key *key, size_t *ret_raw) {
    size_t size = 0, raw = 0;
    for (size_t i = 0; i < family->label_count; i++) {
        size_t escaped = escaped_len(key->values[i].ptr, key->values[i].len);
        size += strlen(family->label_names[i]) + escaped + 4; /* ,="" */
        raw += escaped != key->values[i].len ? key->values[i].len : 0;
    }
    *ret_raw = raw;
    return size > 0 ? size - 1 : 0; /* no comma before the first */
}

static void render_labels(struct sn_series *series, const struct key *key) {
    const struct sn_family *family = series->family;
    char *start = (char *)&series->values[family->label_count];
    char *at = start;
    char *raw = start + series->text_len;
    for (size_t i = 0; i < family->label_count; i++) {
        size_t len = key->values[i].len;
        if (i > 0)
            *at++ = ',';
        at = put_text(at, family->label_names[i], strlen(family->label_names[i]));
        at = put_text(at, "=\"", 2);
        char *value = at;
        at = put_escaped(at, key->values[i].ptr, len);
        if ((size_t)(at - value) != len) {
            value = raw;
            raw = put_text(raw, key->values[i].ptr, len);
        }
        series->values[i] = (struct sn_span_of_text){(uint32_t)(value - start), (uint32_t)len};
        *at++ = '"';
    }
    assert(at == start + series->text_len);
}

static bool take_cells(struct sn_series *series, const struct sn_series_origin *origin) {
    struct sn_family *family = series->family;
    series->head.operation = (sonde_operation_head){{0, 0}, family->buckets};
    if (family->cell_count == 0)
        return true;
    if (origin != NULL)
        series->head.ref = origin->ref;
    else if (!sn_cell_space_take(&family->registry->cells, family->cell_count, &series->head.ref))
        return false;
    if (family->kind == SN_KIND_NATIVE)
        series->head.native.scale = &family->native->scale;
    if (family->kind != SN_KIND_GAUGE && !sn_kind_is_callback(family->kind))
        return true;
    uint64_t *shared = sn_shared_cells(&series->head.ref);
    bool asks = family->registry->cells.shared != NULL; /* other processes may add to a gauge */
    series->head.gauge.shared = (uintptr_t)shared | (asks ? SONDE_GAUGE_ASKS : 0);
    return shared != NULL;
}

/* origin: NULL, or where it comes from. */
static struct sn_series *series_make(struct sn_family *family, const struct key *key,
                                     const struct sn_series_origin *origin) {
    size_t raw;
    size_t text = text_size(family, key, &raw);
    size_t head = sizeof(struct sn_series) + family->label_count * sizeof(struct sn_span_of_text);
    size_t tail = family->tail_size > 0 ? (head + text + raw + SN_BLOCK + 15) & ~(size_t)15 : 0;
    /* Comparison reads 16 bytes from the start of any value. */
    size_t end = tail > 0 ? tail + family->tail_size : head + text + raw + SN_BLOCK;
    struct sn_series *series = sn_series_alloc(family, end);
    if (series == NULL)
        return NULL;
    memset(series, 0, head);
    if (tail > 0)
        memset((char *)series + tail, 0, family->tail_size);
    series->family = family;
    series->created_wall_ms =
        origin != NULL ? origin->created_wall_ms : sn_clock_wall_ms(sn_clock_system());
    series->hash = key->hash;
    series->text_len = (uint32_t)text;
    series->tail = (uint32_t)tail;
    render_labels(series, key);
    return take_cells(series, origin) ? series : NULL;
}

/* Let readers see a series. */
static void publish(struct sn_series *series) {
    struct sn_family *family = series->family;
    _Atomic(struct sn_series *) *link = family->last != NULL ? &family->last->next : &family->first;
    atomic_store_explicit(link, series, memory_order_release);
    family->last = series;
}

static struct sn_series *refuse(struct sn_family *family, sonde_lost_reason reason) {
    if (family->registry != NULL)
        sn_lost_add(family->registry->lost, reason);
    return NULL;
}

static struct sn_series *add_locked(struct sn_family *family, const struct key *key,
                                    const struct sn_series_origin *origin) {
    if (!table_reserve(family))
        return refuse(family, SONDE_LOST_NO_MEMORY);
    struct sn_series *series = series_make(family, key, origin);
    bool is_new_in_file = family->shared_number != 0 && origin == NULL;
    if (series == NULL || (is_new_in_file && !sn_shared_add_series(series)))
        return refuse(family, SONDE_LOST_NO_MEMORY);
    publish(series);
    table_put(atomic_load_explicit(&family->table, memory_order_relaxed), key->hash, series);
    family->table_count++;
    return series;
}

/* As add_locked, counted against the limits. */
static struct sn_series *add_counted_locked(struct sn_family *family, const struct key *key,
                                            const struct sn_series_origin *origin) {
    struct sn_series *series = add_locked(family, key, origin);
    if (series != NULL) {
        family->series_count++;
        family->registry->series_count++;
    }
    return series;
}

/*
 * Make sure that a series which find() does not see does not exist: in a shared file another process
 * may have made it. False: the file is held by somebody else. Pair with end_search.
 */
static bool begin_search(struct sn_family *family) {
    return family->shared_number == 0 || sn_shared_begin_locked(family->registry);
}

static void end_search(struct sn_family *family) {
    if (family->shared_number != 0)
        sn_shared_end_locked(family->registry);
}

/* The series for everything that finds no other place; it counts against no limit. */
static struct sn_series *other_locked(struct sn_family *family) {
    const char *values[SONDE_LABELS_MAX];
    for (size_t i = 0; i < family->label_count; i++)
        values[i] = SONDE_OTHER;
    struct key key;
    key_init(&key, values, family->label_count);
    /* The host may have used these very values: then that series is the one. */
    struct sn_series *other = find(family, &key);
    if (other == NULL && begin_search(family)) {
        other = find(family, &key);
        if (other == NULL)
            other = add_locked(family, &key, NULL);
        end_search(family);
    }
    atomic_store_explicit(&family->other, other, memory_order_release);
    return other;
}

static struct sn_series *get_other(struct sn_family *family, sonde_lost_reason reason) {
    sn_lost_add(family->registry->lost, reason);
    struct sn_series *other = atomic_load_explicit(&family->other, memory_order_acquire);
    if (other == NULL) {
        sn_client_lock();
        other = other_locked(family);
        sn_client_unlock();
    }
    return other;
}

static bool is_valid(const struct key *key) {
    for (size_t i = 0; i < key->count; i++) {
        if (key->values[i].len > SONDE_LABEL_VALUE_BYTES_MAX || !sn_str_is_utf8(key->values[i]))
            return false;
    }
    return true;
}

static bool is_full_locked(struct sn_family *family) {
    bool is_full =
        family->series_count >= family->series_max ||
        family->registry->series_count >= family->registry->options.series_max ||
        (family->shared_number != 0 && sn_shared_is_full(family->registry->cells.shared));
    if (is_full) /* relaxed: who does not see it yet comes here and finds it out */
        atomic_store_explicit(&family->is_full, true, memory_order_relaxed);
    return is_full;
}

/* Find a series or make it. NULL, counted: no memory, or (*ret_is_full, not counted) a limit. */
static struct sn_series *search_locked(struct sn_family *family, const struct key *key,
                                       bool *ret_is_full) {
    struct sn_series *series = find(family, key);
    *ret_is_full = false;
    if (series != NULL)
        return series;
    if (!begin_search(family))
        return refuse(family, SONDE_LOST_REGISTRATION);
    series = find(family, key);
    *ret_is_full = series == NULL && is_full_locked(family);
    if (series == NULL && !*ret_is_full)
        series = add_counted_locked(family, key, NULL);
    end_search(family);
    return series;
}

void sn_series_import_locked(struct sn_family *family, const char *const *values,
                             const struct sn_series_origin *origin) {
    struct key key;
    key_init(&key, values, family->label_count);
    if (is_valid(&key) && find(family, &key) == NULL)
        (void)add_counted_locked(family, &key, origin); /* without memory: counted */
}

/* Without the registration lock: a logger may come here. */
static void tell_full(struct sn_family *family) {
    struct sonde_logger *logger = family->registry->options.logger;
    if (logger == NULL || atomic_exchange(&family->is_told_full, true))
        return;
    const sonde_field fields[] = {
        SONDE_STR("metric", family->name), SONDE_U64("series_max", family->series_max),
        SONDE_U64("registry_series_max", family->registry->options.series_max)};
    sonde_log_write(logger, SONDE_LEVEL_WARN,
                    "a metric has no room for more series; the rest is counted under __other__",
                    fields, 3);
}

/* The rare half of a lookup: not found without the lock. */
static __attribute__((noinline)) struct sn_series *get_slow(struct sn_family *family,
                                                            const char *const *values) {
    struct key key;
    key_init(&key, values, family->label_count);
    if (!is_valid(&key))
        return get_other(family, SONDE_LOST_LABEL_VALUE);
    if (atomic_load_explicit(&family->is_full, memory_order_relaxed))
        return get_other(family, SONDE_LOST_SERIES_LIMIT);
    bool is_full;
    sn_client_lock();
    struct sn_series *series = search_locked(family, &key, &is_full);
    sn_client_unlock();
    if (!is_full)
        return series;
    tell_full(family);
    return get_other(family, SONDE_LOST_SERIES_LIMIT);
}

/* The lookup of values that end near the end of their pages: by copies of those. False: by a key. */
static bool find_copied(const struct sn_family *family, const char *const *values,
                        struct sn_series **ret_series) {
    _Alignas(SN_COPY_BYTES) char copies[SONDE_LABELS_MAX][SN_COPY_BYTES];
    const char *open[SONDE_LABELS_MAX];
    uint64_t hash;
    for (size_t i = 0; i < family->label_count; i++) {
        open[i] = sn_label_make_open(values[i], copies[i]);
        if (open[i] == NULL)
            return false;
    }
    if (!sn_labels_hash_open(open, family->label_count, &secrets, &hash))
        return false;
    *ret_series = find_open(family, open, family->label_count, hash);
    return true;
}

/* The lookup of values of which some must be copied. */
static __attribute__((noinline)) struct sn_series *get_copied(struct sn_family *family,
                                                              const char *const *values) {
    struct sn_series *series;
    if (!find_copied(family, values, &series)) {
        struct key key;
        key_init(&key, values, family->label_count);
        series = find(family, &key);
    }
    return series != NULL ? series : get_slow(family, values);
}

/* A lookup; compiled once for each small count, because the loops then vanish. */
LOOKUP struct sn_series *get_n(struct sn_family *family, const char *const *values, size_t count) {
    uint64_t hash;
    if (!sn_labels_hash_open(values, count, &secrets, &hash))
        return get_copied(family, values);
    struct sn_series *series = find_open(family, values, count, hash);
    return series != NULL ? series : get_slow(family, values);
}

NO_GUARD struct sn_series *sn_series_get(struct sn_family *family, const char *const *values,
                                         size_t count) {
    if (count != family->label_count) /* always so for the family that records nothing */
        return refuse(family, SONDE_LOST_REGISTRATION);
    switch (count) {
    case 1:
        return get_n(family, values, 1);
    case 2:
        return get_n(family, values, 2);
    case 3:
        return get_n(family, values, 3);
    case 4:
        return get_n(family, values, 4);
    default: /* a count, no enum */
        return get_n(family, values, count);
    }
}

/* Let a site remember. It belongs to the first family that it sees: so its child is alive. */
static __attribute__((noinline)) struct sn_series *get_and_remember(struct sn_family *family,
                                                                    sonde_site *site,
                                                                    const char *const *values,
                                                                    size_t count) {
    struct sn_series *series = sn_series_get(family, values, count);
    uint64_t owner = 0;
    if (series != NULL && (__atomic_compare_exchange_n(&site->family_id, &owner, series->family->id,
                                                       false, __ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
                           owner == series->family->id))
        __atomic_store_n(&site->child, series, __ATOMIC_RELEASE);
    return series;
}

NO_GUARD struct sn_series *sn_series_get_at(struct sn_family *family, sonde_site *site,
                                            const char *const *values, size_t count) {
    /* Acquire: the series is seen as it was published. */
    const struct sn_series *last = __atomic_load_n(&site->child, __ATOMIC_ACQUIRE);
    if (last != NULL && __atomic_load_n(&site->family_id, __ATOMIC_RELAXED) == family->id &&
        count == family->label_count && series_has_open_values(last, values, count, false))
        return (struct sn_series *)(uintptr_t)last;
    return get_and_remember(family, site, values, count);
}

sonde_status sn_series_get_exact_locked(struct sn_family *family, const char *const *values,
                                        struct sn_series **ret_series, struct sn_err *err) {
    struct key key;
    key_init(&key, values, family->label_count);
    if (!is_valid(&key))
        return (sonde_status)sn_err_set(err, SN_ERR_INVALID,
                                        "a label value of %s is not UTF-8 or above %d bytes",
                                        family->name, SONDE_LABEL_VALUE_BYTES_MAX);
    bool is_full;
    struct sn_series *series = search_locked(family, &key, &is_full);
    if (is_full)
        return (sonde_status)sn_err_set(err, SN_ERR_LIMIT, "%s has no room for another series",
                                        family->name);
    if (series == NULL)
        return (sonde_status)sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a series of %s",
                                        family->name);
    *ret_series = series;
    return SONDE_OK;
}

sn_status sn_series_init_all(struct sn_family *family) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, prepare_lookups);
    return table_reserve(family) ? SN_OK : SN_ERR_NO_MEMORY;
}

void sn_series_release_all(struct sn_family *family) {
    struct sn_series_table *table = atomic_load(&family->table);
    while (table != NULL) {
        struct sn_series_table *older = table->older;
        sn_free(table);
        table = older;
    }
    sn_pieces_release_all(family->pieces);
}
