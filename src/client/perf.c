/*
 * Performance trackers: the calls behind sonde/perf.h.
 *
 * Open runs are guarded by sn_perf_mu; the lists of finished ones look after themselves. The lock is
 * not held while the host's function or its log runs. fork takes it, so a child finds it free.
 */
#include "sonde/perf.h"

#include "base/buf.h"
#include "base/mem.h"
#include "client/cut_priv.h"
#include "client/error_priv.h"
#include "client/lock_priv.h"
#include "client/perf_open_priv.h"
#include "client/perf_ring_priv.h"
#include "codec/json_write.h"
#include "sonde/counter.h"

#define OPEN_MAX_DEFAULT 1024
#define SLOW_MAX_DEFAULT 20
#define RECENT_MAX_DEFAULT 256

struct sonde_perf {
    sonde_perf_options options; /* resolved */
    struct sn_perf_open open;   /* guarded by sn_perf_mu */
    struct sn_perf_recent recent;
    struct sn_perf_slow slow;
    _Atomic uint64_t finished;
    _Atomic uint64_t unfinished;
    sonde_counter *finished_total;
    sonde_counter *unfinished_total;
};

/* Making. */

static sn_status resolve(size_t *number, size_t fallback, size_t max, const char *name,
                         struct sn_err *err) {
    if (*number > max)
        return sn_err_set(err, SN_ERR_LIMIT, "%s is %zu, the limit is %zu", name, *number, max);
    if (*number == 0)
        *number = fallback;
    return SN_OK;
}

static sn_status resolve_all(sonde_perf_options *options, struct sn_err *err) {
    SN_TRY(resolve(&options->open_max, OPEN_MAX_DEFAULT, SONDE_PERF_OPEN_MAX, "open_max", err));
    SN_TRY(resolve(&options->slow_max, SLOW_MAX_DEFAULT, SONDE_PERF_SLOW_MAX, "slow_max", err));
    return resolve(&options->recent_max, RECENT_MAX_DEFAULT, SONDE_PERF_RECENT_MAX, "recent_max",
                   err);
}

static sn_status init_lists(sonde_perf *perf, struct sn_err *err) {
    sn_status open = sn_perf_open_init(&perf->open, perf->options.open_max);
    sn_status recent = sn_perf_recent_init(&perf->recent, perf->options.recent_max);
    sn_status slow = sn_perf_slow_init(&perf->slow, perf->options.slow_max);
    if (open != SN_OK || recent != SN_OK || slow != SN_OK)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a performance tracker");
    return SN_OK;
}

static void register_totals(sonde_perf *perf) {
    /* Refused or without memory they record nothing, and the registry counts that. */
    perf->finished_total = sonde_counter_new(
        perf->options.registry,
        &(sonde_metric){.name = "sonde_perf_finished_total",
                        .help = "Operations that performance trackers saw to their end."},
        NULL);
    perf->unfinished_total = sonde_counter_new(
        perf->options.registry,
        &(sonde_metric){.name = "sonde_perf_unfinished_total",
                        .help = "Operations started in performance trackers and never ended."},
        NULL);
}

sonde_perf *sonde_perf_new(const sonde_perf_options *options, sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    sonde_perf_options resolved = options != NULL ? *options : (sonde_perf_options){0};
    sn_status status = resolve_all(&resolved, &err);
    sonde_perf *perf = status == SN_OK ? sn_alloc_zero(1, sizeof *perf) : NULL;
    if (perf != NULL) {
        sn_ticks_init();
        perf->options = resolved;
        status = init_lists(perf, &err);
        register_totals(perf);
    } else if (status == SN_OK) {
        status = sn_err_set(&err, SN_ERR_NO_MEMORY, "no memory for a performance tracker");
    }
    (void)sn_public_error(error, (sonde_status)status, &err);
    return status == SN_OK ? perf : sonde_perf_free(perf);
}

static void count_unfinished(sonde_perf *perf, uint64_t n) {
    atomic_fetch_add_explicit(&perf->unfinished, n, memory_order_relaxed);
    sonde_counter_add(perf->unfinished_total, n);
}

sonde_perf *sonde_perf_free(sonde_perf *perf) {
    if (perf == NULL)
        return NULL;
    count_unfinished(perf, perf->open.count);
    sn_perf_open_release(&perf->open);
    sn_perf_recent_release(&perf->recent);
    sn_perf_slow_release(&perf->slow);
    sn_free(perf);
    return NULL;
}

/* Finished operations. */

static void finish(sonde_perf *perf, const sonde_perf_run *run) {
    sonde_perf_entry entry = {.duration_ns = run->duration_ns};
    entry.start_wall_ms =
        sn_clock_wall_ms(sn_clock_system()) - (int64_t)(run->duration_ns / 1000000);
    sn_cut(entry.name, sizeof entry.name, run->name);
    sn_cut(entry.message, sizeof entry.message, run->message);
    atomic_fetch_add_explicit(&perf->finished, 1, memory_order_relaxed);
    sonde_counter_inc(perf->finished_total);
    sn_perf_recent_put(&perf->recent, &entry);
    sn_perf_slow_put(&perf->slow, &entry);
    if (perf->options.log != NULL && run->duration_ns >= perf->options.log_above_ns)
        perf->options.log(perf->options.log_ctx, &entry);
}

void sonde_perf_record(sonde_perf *perf, const sonde_perf_run *run) {
    if (perf != NULL && run != NULL)
        finish(perf, run);
}

sonde_status sonde_perf_start(sonde_perf *perf, const char *id) {
    size_t len = id != NULL ? strnlen(id, SONDE_PERF_NAME_SIZE) : 0;
    if (len == 0)
        return SONDE_ERR_INVALID;
    if (len == SONDE_PERF_NAME_SIZE)
        return SONDE_ERR_LIMIT;
    if (perf == NULL)
        return SONDE_OK;
    struct sn_stopwatch watch = sn_stopwatch_start();
    sn_mutex_lock(&sn_perf_mu);
    bool gave_up = sn_perf_open_put(&perf->open, sn_str_make(id, len), watch);
    sn_mutex_unlock(&sn_perf_mu);
    if (gave_up)
        count_unfinished(perf, 1);
    return SONDE_OK;
}

sonde_status sonde_perf_end(sonde_perf *perf, const char *id, const char *message) {
    if (perf == NULL || id == NULL)
        return perf == NULL && id != NULL ? SONDE_OK : SONDE_ERR_INVALID;
    struct sn_stopwatch watch;
    size_t len = strnlen(id, SONDE_PERF_NAME_SIZE);
    sn_mutex_lock(&sn_perf_mu);
    bool was_open = sn_perf_open_take(&perf->open, sn_str_make(id, len), &watch);
    sn_mutex_unlock(&sn_perf_mu);
    if (!was_open)
        return SONDE_ERR_INVALID;
    finish(perf, &(sonde_perf_run){id, message, sn_stopwatch_ns(watch)});
    return SONDE_OK;
}

int sonde_perf_measure(sonde_perf *perf, const char *name, int (*function)(void *ctx), void *ctx) {
    struct sn_stopwatch watch = sn_stopwatch_start();
    int result = function(ctx);
    if (perf != NULL)
        finish(perf, &(sonde_perf_run){name, NULL, sn_stopwatch_ns(watch)});
    return result;
}

/* Reading. */

size_t sonde_perf_slow(sonde_perf *perf, sonde_perf_entry *ret_entries, size_t entry_max) {
    return perf != NULL ? sn_perf_slow_copy(&perf->slow, ret_entries, entry_max) : 0;
}

size_t sonde_perf_recent(sonde_perf *perf, sonde_perf_entry *ret_entries, size_t entry_max) {
    return perf != NULL ? sn_perf_recent_copy(&perf->recent, ret_entries, entry_max) : 0;
}

static void write_entry(struct sn_json_writer *json, const sonde_perf_entry *entry) {
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("name"), sn_str_from(entry->name));
    sn_json_write_key_string(json, SN_STR("message"), sn_str_from(entry->message));
    sn_json_write_key_int64(json, SN_STR("start_time_ms"), entry->start_wall_ms);
    sn_json_write_key_double(json, SN_STR("duration_seconds"), (double)entry->duration_ns / 1e9);
    sn_json_write_object_end(json);
}

static sonde_status entries_json(const sonde_perf_entry *entries, size_t count, char **ret_text,
                                 size_t *ret_len) {
    struct sn_buf buf;
    struct sn_json_writer json;
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_json_write_array_begin(&json);
    for (size_t i = 0; i < count; i++)
        write_entry(&json, &entries[i]);
    sn_json_write_array_end(&json);
    sn_status status = sn_json_write_finish(&json, NULL);
    size_t len = buf.len;
    sn_buf_put_byte(&buf, '\0');
    if (status == SN_OK)
        status = sn_buf_status(&buf, NULL);
    if (status != SN_OK) {
        sn_buf_release(&buf);
        return SONDE_ERR_NO_MEMORY; /* a list within its limits is far below the buffer's */
    }
    *ret_text = (char *)buf.ptr;
    if (ret_len != NULL)
        *ret_len = len;
    return SONDE_OK;
}

typedef size_t (*copy_function)(sonde_perf *perf, sonde_perf_entry *ret_entries, size_t entry_max);

static sonde_status list_json(sonde_perf *perf, copy_function copy, size_t entry_max,
                              char **ret_text, size_t *ret_len) {
    sonde_perf_entry *entries = sn_alloc_zero(entry_max, sizeof *entries);
    if (entries == NULL)
        return SONDE_ERR_NO_MEMORY;
    size_t count = copy(perf, entries, entry_max);
    sonde_status status = entries_json(entries, count, ret_text, ret_len);
    sn_free(entries);
    return status;
}

sonde_status sonde_perf_slow_json(sonde_perf *perf, char **ret_text, size_t *ret_len) {
    size_t max = perf != NULL ? perf->options.slow_max : 1;
    return list_json(perf, sonde_perf_slow, max, ret_text, ret_len);
}

sonde_status sonde_perf_recent_json(sonde_perf *perf, char **ret_text, size_t *ret_len) {
    size_t max = perf != NULL ? perf->options.recent_max : 1;
    return list_json(perf, sonde_perf_recent, max, ret_text, ret_len);
}

void sonde_perf_reset(sonde_perf *perf) {
    if (perf == NULL)
        return;
    sn_perf_recent_clear(&perf->recent);
    sn_perf_slow_clear(&perf->slow);
}

void sonde_perf_read(sonde_perf *perf, sonde_perf_stats *ret_stats) {
    sonde_perf_stats stats = {0};
    if (perf != NULL) {
        sn_mutex_lock(&sn_perf_mu);
        stats.open = perf->open.count;
        sn_mutex_unlock(&sn_perf_mu);
        stats.finished = atomic_load_explicit(&perf->finished, memory_order_relaxed);
        stats.unfinished = atomic_load_explicit(&perf->unfinished, memory_order_relaxed);
    }
    *ret_stats = stats;
}
