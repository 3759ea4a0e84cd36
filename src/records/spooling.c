/*
 * An engine that survives its database. See spooling.h. commit, tick and purge run on the records
 * writer; the state is guarded by mu.
 */
#include "records/spooling.h"

#include "base/lock.h"
#include "base/mem.h"
#include "records/spool.h"
#include "records/write_codec.h"

enum {
    DRAIN_ENTRIES = 64, /* written in one transaction */
    DRAIN_ROUNDS = 8,   /* of one tick, so that commits wait no longer than that */
    RETRY_MS = 500,     /* while the database is away */
};

struct spooling {
    struct sn_engine inner;
    struct sn_spool spool;
    struct sn_buf bufs[DRAIN_ENTRIES];            /* entries that are being written */
    struct sn_engine_write writes[DRAIN_ENTRIES]; /* what they hold */
    struct sn_mutex mu;
    struct sn_engine_state state;
};

bool sn_spooling_is_away(sn_status status) {
    return status == SN_ERR_IO || status == SN_ERR_TIMEOUT || status == SN_ERR_NO_SPACE ||
           status == SN_ERR_BUSY || status == SN_ERR_CLOSED || status == SN_ERR_DENIED;
}

static void set_state(struct spooling *it, bool is_away, const struct sn_err *err) {
    sn_mutex_lock(&it->mu);
    it->state.is_away = is_away;
    it->state.spooled_bytes = (uint64_t)(it->spool.end - it->spool.read_at);
    if (err != NULL)
        it->state.last_error = *err;
    else if (!is_away)
        it->state.last_error = (struct sn_err){.status = SN_OK};
    sn_mutex_unlock(&it->mu);
}

static void count(struct spooling *it, uint64_t spooled, uint64_t lost) {
    sn_mutex_lock(&it->mu);
    it->state.spooled_count += spooled;
    it->state.lost_count += lost;
    sn_mutex_unlock(&it->mu);
}

/* ---- into the spool ---- */

/* Changes that need an answer of the database cannot wait for it. */
static bool can_wait(const struct sn_engine_write *write) {
    return write->error_change == NULL && write->usage == NULL;
}

static sn_status append(struct spooling *it, const struct sn_engine_write *write,
                        struct sn_err *err) {
    struct sn_buf *buf = &it->bufs[0];
    sn_buf_reset(buf);
    sn_write_encode(write, buf);
    SN_TRY(sn_buf_status(buf, err));
    return sn_spool_append(&it->spool, sn_buf_str(buf), err);
}

static sn_status spool_all(struct spooling *it, struct sn_engine_write *const *writes,
                           size_t write_count, struct sn_err *err) {
    int64_t mark = it->spool.end;
    uint64_t spooled = 0;
    for (size_t i = 0; i < write_count; i++) {
        struct sn_engine_write *write = writes[i];
        if (!can_wait(write)) {
            write->status = sn_err_set(&write->err, SN_ERR_IO, "the database is away");
            continue;
        }
        write->status = append(it, write, &write->err);
        spooled += write->status == SN_OK;
    }
    if (it->spool.end > mark)
        SN_TRY(sn_spool_sync(&it->spool, mark, err));
    count(it, spooled, 0);
    return SN_OK;
}

static sn_status commit(void *ctx, struct sn_engine_write *const *writes, size_t write_count,
                        struct sn_err *err) {
    struct spooling *it = ctx;
    struct sn_err inner_err = {.status = SN_OK};
    for (size_t i = 0; i < write_count; i++)
        it->inner.ops->identify(it->inner.ctx, writes[i]);
    if (sn_spool_is_empty(&it->spool)) {
        sn_status status = it->inner.ops->commit(it->inner.ctx, writes, write_count, &inner_err);
        if (status == SN_OK || !sn_spooling_is_away(status)) {
            if (err != NULL)
                *err = inner_err;
            set_state(it, false, NULL);
            return status;
        }
    }
    sn_status status = spool_all(it, writes, write_count, err);
    set_state(it, true, inner_err.status != SN_OK ? &inner_err : NULL);
    return status;
}

/* ---- out of the spool ---- */

/* Read up to DRAIN_ENTRIES entries; text of the writes lies in the bufs. */
static sn_status read_entries(struct spooling *it, struct sn_arena *arena,
                              struct sn_engine_write *writes, size_t *ret_count,
                              struct sn_err *err) {
    int64_t start = it->spool.read_at;
    size_t found = 0;
    sn_status status = SN_OK;
    while (found < DRAIN_ENTRIES && status == SN_OK) {
        struct sn_buf *buf = &it->bufs[found];
        status = sn_spool_peek(&it->spool, buf, err);
        if (status != SN_OK)
            break;
        it->spool.read_at += 8 + (int64_t)buf->len; /* back to `start` below */
        if (sn_write_decode(sn_buf_str(buf), arena, &writes[found], err) != SN_OK)
            writes[found] = (struct sn_engine_write){.status = SN_ERR_CORRUPT};
        found++;
    }
    it->spool.read_at = start;
    *ret_count = found;
    return status == SN_ERR_NOT_FOUND ? SN_OK : status;
}

/* One transaction for all; when the database refuses it, one each, to find out which. */
static sn_status write_entries(struct spooling *it, struct sn_engine_write *writes, size_t found,
                               struct sn_err *err) {
    struct sn_engine_write *good[DRAIN_ENTRIES];
    size_t good_count = 0;
    for (size_t i = 0; i < found; i++)
        if (writes[i].status == SN_OK)
            good[good_count++] = &writes[i];
    sn_status status = SN_OK;
    if (good_count > 0)
        status = it->inner.ops->commit(it->inner.ctx, good, good_count, err);
    if (status == SN_OK || sn_spooling_is_away(status))
        return status;
    for (size_t i = 0; i < good_count; i++) {
        status = it->inner.ops->commit(it->inner.ctx, &good[i], 1, err);
        if (status != SN_OK && sn_spooling_is_away(status))
            return status; /* those that are there are known by their batch id */
        if (status != SN_OK)
            good[i]->status = status;
    }
    return SN_OK;
}

static sn_status drain(struct spooling *it, struct sn_err *err) {
    struct sn_engine_write *writes = it->writes;
    struct sn_arena arena;
    size_t found = 0;
    uint64_t lost = 0;
    sn_arena_init(&arena, (size_t)1 << 30);
    sn_status status = read_entries(it, &arena, writes, &found, err);
    if (status == SN_OK)
        status = write_entries(it, writes, found, err);
    for (size_t i = 0; i < found && status == SN_OK; i++) {
        lost += writes[i].status != SN_OK;
        status = sn_spool_advance(&it->spool, it->bufs[i].len, err);
    }
    sn_arena_release(&arena);
    count(it, 0, lost);
    return status;
}

static sn_status tick(void *ctx, int64_t *ret_next_ms, struct sn_err *err) {
    struct spooling *it = ctx;
    struct sn_err drain_err = {.status = SN_OK};
    sn_status status = SN_OK;
    *ret_next_ms = RETRY_MS;
    for (int i = 0; i < DRAIN_ROUNDS && status == SN_OK && !sn_spool_is_empty(&it->spool); i++)
        status = drain(it, &drain_err);
    bool has_more = status == SN_OK && !sn_spool_is_empty(&it->spool);
    if (status != SN_OK)
        set_state(it, true, &drain_err);
    else if (it->inner.ops->tick != NULL)
        status = it->inner.ops->tick(it->inner.ctx, ret_next_ms, err);
    if (has_more)
        *ret_next_ms = 0;
    else if (*ret_next_ms > RETRY_MS) /* the next commit may go to the spool */
        *ret_next_ms = RETRY_MS;
    if (status == SN_OK && sn_spool_is_empty(&it->spool))
        set_state(it, false, NULL);
    return status;
}

static void state(void *ctx, struct sn_engine_state *ret_state) {
    struct spooling *it = ctx;
    sn_mutex_lock(&it->mu);
    *ret_state = it->state;
    sn_mutex_unlock(&it->mu);
}

/* ---- through ---- */

static sn_status list(void *ctx, const struct sn_record_page *page, struct sn_arena *arena,
                      struct sn_record_list *ret_list, struct sn_err *err) {
    struct spooling *it = ctx;
    return it->inner.ops->list(it->inner.ctx, page, arena, ret_list, err);
}

static sn_status get(void *ctx, const struct sn_record_id *id, struct sn_arena *arena,
                     struct sn_record *ret_record, struct sn_err *err) {
    struct spooling *it = ctx;
    return it->inner.ops->get(it->inner.ctx, id, arena, ret_record, err);
}

static sn_status scan(void *ctx, const struct sn_record_filter *filter,
                      const struct sn_record_visitor *visitor, struct sn_err *err) {
    struct spooling *it = ctx;
    return it->inner.ops->scan(it->inner.ctx, filter, visitor, err);
}

static sn_status scan_events(void *ctx, struct sn_str app, struct sn_range_ms range,
                             const struct sn_app_event_visitor *visitor, struct sn_err *err) {
    struct spooling *it = ctx;
    return it->inner.ops->scan_events(it->inner.ctx, app, range, visitor, err);
}

static sn_status scan_usage(void *ctx, struct sn_str app, struct sn_range_ms range,
                            const struct sn_usage_visitor *visitor, struct sn_err *err) {
    struct spooling *it = ctx;
    return it->inner.ops->scan_usage(it->inner.ctx, app, range, visitor, err);
}

static sn_status list_errors(void *ctx, const struct sn_error_filter *filter,
                             struct sn_arena *arena, struct sn_error_list *ret_list,
                             struct sn_err *err) {
    struct spooling *it = ctx;
    return it->inner.ops->list_errors(it->inner.ctx, filter, arena, ret_list, err);
}

static sn_status purge(void *ctx, const struct sn_engine_purge *what, size_t *ret_count,
                       struct sn_err *err) {
    struct spooling *it = ctx;
    return it->inner.ops->purge(it->inner.ctx, what, ret_count, err);
}

static sn_status ping(void *ctx, struct sn_err *err) {
    struct spooling *it = ctx;
    return it->inner.ops->ping(it->inner.ctx, err);
}

/* ---- life ---- */

static void close(void *ctx) {
    struct spooling *it = ctx;
    it->inner.ops->close(it->inner.ctx);
    sn_spool_close(&it->spool);
    for (size_t i = 0; i < DRAIN_ENTRIES; i++)
        sn_buf_release(&it->bufs[i]);
    sn_mutex_release(&it->mu);
    sn_free(it);
}

/* The inner engine's own name goes out: people ask which database it is. */
static const struct sn_engine_ops spooling_ops = {
    .name = "postgres",
    .commit = commit,
    .tick = tick,
    .state = state,
    .list = list,
    .get = get,
    .scan = scan,
    .scan_events = scan_events,
    .scan_usage = scan_usage,
    .list_errors = list_errors,
    .purge = purge,
    .ping = ping,
    .close = close,
};

sn_status sn_spooling_open(struct sn_engine inner, const char *dir, int64_t bytes_max,
                           struct sn_engine *ret_engine, struct sn_err *err) {
    struct spooling *it = sn_alloc_zero(1, sizeof *it);
    if (it == NULL) {
        inner.ops->close(inner.ctx);
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the spool");
    }
    it->inner = inner;
    sn_mutex_init(&it->mu, SN_RANK_RECORDS_POOL, "spooling");
    for (size_t i = 0; i < DRAIN_ENTRIES; i++)
        sn_buf_init(&it->bufs[i], SN_SPOOL_ENTRY_BYTES_MAX);
    sn_status status = sn_spool_open(&it->spool, dir, bytes_max, err);
    if (status != SN_OK) {
        close(it);
        return status;
    }
    count(it, 0, it->spool.dropped_bytes > 0 ? 1 : 0);
    set_state(it, !sn_spool_is_empty(&it->spool), NULL);
    *ret_engine = (struct sn_engine){.ctx = it, .ops = &spooling_ops};
    return SN_OK;
}
