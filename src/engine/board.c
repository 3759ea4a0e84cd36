/*
 * The life of the board: refreshing, publishing, copying. See board.h.
 */
#include "engine/board_priv.h"

#include "base/mem.h"

#include <stdlib.h>

/* A thousand services take 5 MiB, and what the queries need on the way. */
#define STATE_BYTES_MAX ((size_t)64 << 20)
#define WORK_BYTES_MAX ((size_t)512 << 20)
#define NS_PER_MS INT64_C(1000000)
/* A reader refreshes by itself when that took no longer last time, and the table is older. */
#define CHEAP_NS (25 * NS_PER_MS)
#define FRESH_NS (1000 * NS_PER_MS)
/* Nobody refreshes in the background: then readers do, whatever it costs. */
#define STALE_NS (4 * SN_BOARD_INTERVAL_MS * NS_PER_MS)
#define DAY_INTERVAL_MS INT64_C(60000)

static const struct sn_clock *clock_of(const struct sn_board *board) {
    return board->options.clock != NULL ? board->options.clock : sn_clock_system();
}

/* ---- state ---- */

static struct sn_board_state *state_free(struct sn_board_state *state) {
    if (state != NULL) {
        sn_arena_release(&state->arena);
        sn_free(state);
    }
    return NULL;
}

static struct sn_board_state *state_new(int64_t now_ms) {
    struct sn_board_state *state = sn_alloc_zero(1, sizeof *state);
    if (state == NULL)
        return NULL;
    sn_arena_init(&state->arena, STATE_BYTES_MAX);
    state->now_ms = now_ms;
    return state;
}

static int by_name(const void *left, const void *right) {
    const struct sn_board_row *a = left, *b = right;
    return sn_str_compare(a->service.name, b->service.name);
}

/* ---- refreshing ---- */

static sn_status read_hosts(struct sn_board_round *round) {
    struct sn_hosts hosts;
    SN_TRY(sn_hosts_read(&round->ask, round->state->now_ms, &hosts));
    return sn_hosts_copy(&hosts, &round->state->arena, &round->state->hosts, round->err);
}

/* The day is summed up once a minute; in between the old one is kept. */
static sn_status read_day(struct sn_board_round *round) {
    struct sn_board_state *state = round->state;
    int64_t age_ms = round->old != NULL ? state->now_ms - round->old->day_ms : INT64_MAX;
    if (age_ms >= 0 && age_ms < DAY_INTERVAL_MS) {
        state->day_ms = round->old->day_ms;
        state->totals = round->old->totals;
        return sn_day_copy(&round->old->day, &state->arena, &state->day, round->err);
    }
    struct sn_day day;
    state->day_ms = state->now_ms;
    SN_TRY(sn_board_read_totals(round));
    SN_TRY(sn_day_read(round->board->options.records, state->now_ms, round->ask.arena, &day,
                       round->err));
    return sn_day_copy(&day, &state->arena, &state->day, round->err);
}

/* Metrics of the server itself and of its host. */
static bool is_own(struct sn_str metric) {
    return sn_str_starts_with(metric, SN_STR("sonde_")) ||
           sn_str_starts_with(metric, SN_STR("node_")) ||
           sn_str_starts_with(metric, SN_STR("process_"));
}

static sn_status look_for_data(struct sn_board_round *round) {
    const struct sn_reader *reader = &round->board->options.reader;
    const struct sn_select select = {.range = {SN_TIME_MS_MIN, SN_TIME_MS_MAX}};
    struct sn_board_state *state = round->state;
    struct sn_string_list names;
    state->has_data = (round->old != NULL && round->old->has_data) || state->count > 0 ||
                      state->day.today.event_count > 0;
    if (state->has_data || reader->label_values == NULL)
        return SN_OK;
    SN_TRY(reader->label_values(reader->ctx, SN_LABEL_METRIC_NAME, &select, 0, round->ask.arena,
                                &names, round->err));
    for (size_t i = 0; i < names.count && !state->has_data; i++)
        state->has_data = !is_own(names.items[i]);
    return SN_OK;
}

/*
 * Without services there is no table; when another part fails the table lacks it, and the failure is
 * told as well.
 */
static sn_status read_rest(struct sn_board_round *round) {
    struct sn_board_state *state = round->state;
    sn_status slots = sn_board_settle_slots(round);
    if (state->count > 0)
        qsort(state->rows, state->count, sizeof *state->rows, by_name);
    sn_status hosts = read_hosts(round);
    sn_status day = read_day(round);
    SN_TRY(slots);
    SN_TRY(hosts);
    SN_TRY(day);
    return look_for_data(round);
}

static void publish(struct sn_board *board, struct sn_board_state *state, int64_t start_ns) {
    sn_mutex_lock(&board->mu);
    struct sn_board_state *old = board->state;
    board->state = state;
    board->published_ns = sn_clock_mono_ns(clock_of(board));
    board->cost_ns = board->published_ns - start_ns;
    sn_mutex_unlock(&board->mu);
    (void)state_free(old); /* NULL, always */
}

static void note(struct sn_board *board, sn_status status, const struct sn_err *err) {
    sn_mutex_lock(&board->mu);
    board->refresh_count++;
    board->failure_count += status != SN_OK;
    board->last_error = status != SN_OK ? *err : (struct sn_err){.status = SN_OK};
    sn_mutex_unlock(&board->mu);
}

/* board->state does not change meanwhile: only a refresh publishes. */
static sn_status refresh_into(struct sn_board *board, struct sn_board_state *state,
                              struct sn_arena *work, struct sn_err *err) {
    int64_t start_ns = sn_clock_mono_ns(clock_of(board));
    struct sn_board_round round = {
        .board = board,
        .state = state,
        .ask = {board->options.querier, work, err, SN_ASK_TIMEOUT_NS},
        .err = err,
    };
    sn_mutex_lock(&board->mu);
    round.old = board->state;
    sn_mutex_unlock(&board->mu);
    sn_row_index_init(&round.index, SN_BOARD_SERVICES_MAX);
    sn_status status = sn_board_read_services(&round);
    if (status == SN_OK) {
        status = read_rest(&round);
        publish(board, state, start_ns);
    } else {
        (void)state_free(state); /* NULL, always */
    }
    sn_row_index_release(&round.index);
    return status;
}

static sn_status refresh_locked(struct sn_board *board, struct sn_err *err)
    SN_REQUIRES(&board->refresh_mu);
static sn_status refresh_locked(struct sn_board *board, struct sn_err *err) {
    struct sn_arena work;
    struct sn_err own = {.status = SN_OK};
    struct sn_board_state *state = state_new(sn_clock_wall_ms(clock_of(board)));
    sn_arena_init(&work, WORK_BYTES_MAX);
    sn_status status = state != NULL
                           ? refresh_into(board, state, &work, &own)
                           : sn_err_set(&own, SN_ERR_NO_MEMORY, "no memory for the board");
    sn_arena_release(&work);
    note(board, status, &own);
    if (status != SN_OK && err != NULL)
        *err = own;
    return status;
}

sn_status sn_board_refresh(struct sn_board *board, struct sn_err *err) {
    sn_mutex_lock(&board->refresh_mu);
    sn_status status = refresh_locked(board, err);
    sn_mutex_unlock(&board->refresh_mu);
    return status;
}

/* ---- reading ---- */

static bool wants_refresh(struct sn_board *board) {
    int64_t now_ns = sn_clock_mono_ns(clock_of(board));
    sn_mutex_lock(&board->mu);
    int64_t age_ns = now_ns - board->published_ns;
    bool is_wanted = board->state == NULL || age_ns > STALE_NS ||
                     (board->cost_ns <= CHEAP_NS && age_ns > FRESH_NS);
    sn_mutex_unlock(&board->mu);
    return is_wanted;
}

/* Readers that come while one of them refreshes wait for it and take what it made. */
static void refresh_if_old(struct sn_board *board, struct sn_err *err) {
    if (!wants_refresh(board))
        return;
    sn_mutex_lock(&board->refresh_mu);
    if (wants_refresh(board))
        (void)refresh_locked(board, err); /* counted; there may be an older table */
    sn_mutex_unlock(&board->refresh_mu);
}

static sn_status copy_services(const struct sn_board_state *state, struct sn_arena *arena,
                               struct sn_board_view *view, struct sn_err *err) {
    view->service_count = state->count;
    view->services = sn_arena_alloc_zero(arena, state->count + 1, sizeof *view->services);
    if (view->services == NULL)
        return sn_arena_failure(arena, state->count * sizeof *view->services, err);
    for (size_t i = 0; i < state->count; i++) {
        view->services[i] = state->rows[i].service;
        if (!sn_arena_copy(arena, state->rows[i].service.name, &view->services[i].name))
            return sn_arena_failure(arena, state->rows[i].service.name.len, err);
    }
    return SN_OK;
}

static sn_status copy_state(const struct sn_board_state *state, struct sn_arena *arena,
                            struct sn_board_view *view, struct sn_err *err) {
    view->now_ms = state->now_ms;
    view->has_data = state->has_data;
    view->totals = state->totals;
    SN_TRY(copy_services(state, arena, view, err));
    SN_TRY(sn_hosts_copy(&state->hosts, arena, &view->hosts, err));
    return sn_day_copy(&state->day, arena, &view->day, err);
}

sn_status sn_board_read(struct sn_board *board, struct sn_arena *arena,
                        struct sn_board_view *ret_view, struct sn_err *err) {
    struct sn_board_view view = {.now_ms = 0};
    struct sn_err refresh_err = {.status = SN_OK};
    refresh_if_old(board, &refresh_err);
    sn_mutex_lock(&board->mu);
    sn_status status = SN_ERR_CLOSED;
    if (board->state != NULL)
        status = copy_state(board->state, arena, &view, err);
    sn_mutex_unlock(&board->mu);
    if (status == SN_ERR_CLOSED) {
        bool is_told = refresh_err.status != SN_OK;
        return sn_err_set(err, is_told ? refresh_err.status : SN_ERR_CLOSED, "%s",
                          is_told ? refresh_err.text : "there is no board yet");
    }
    if (status == SN_OK)
        *ret_view = view;
    return status;
}

static int by_key(const void *key, const void *item) {
    const struct sn_board_service *service = item;
    return sn_str_compare(*(const struct sn_str *)key, service->name);
}

const struct sn_board_service *sn_board_find(const struct sn_board_view *view, struct sn_str name) {
    if (view->service_count == 0)
        return NULL;
    return bsearch(&name, view->services, view->service_count, sizeof *view->services, by_key);
}

/* ---- worker ---- */

/* false: it is time to stop. */
static bool rest(struct sn_board *board) {
    int64_t until_ns = sn_clock_mono_ns(sn_clock_system()) + SN_BOARD_INTERVAL_MS * NS_PER_MS;
    sn_mutex_lock(&board->mu);
    while (!board->is_stopping) {
        int64_t left_ns = until_ns - sn_clock_mono_ns(sn_clock_system());
        if (left_ns <= 0 || !sn_cond_wait_ns(&board->wake, &board->mu, left_ns))
            break;
    }
    bool is_stopping = board->is_stopping;
    sn_mutex_unlock(&board->mu);
    return !is_stopping;
}

static void run(void *ctx) {
    struct sn_board *board = ctx;
    /* The first one at once: with many services it takes seconds, for which nobody should wait. */
    do
        (void)!sn_board_refresh(board, NULL); /* counted, and tried again in the next round */
    while (rest(board));
}

static void stop(void *ctx) {
    struct sn_board *board = ctx;
    sn_mutex_lock(&board->mu);
    board->is_stopping = true;
    sn_cond_broadcast(&board->wake);
    sn_mutex_unlock(&board->mu);
}

struct sn_worker sn_board_worker(struct sn_board *board) {
    return (struct sn_worker){.name = "board", .run = run, .stop = stop, .ctx = board};
}

void sn_board_init(struct sn_board *board, const struct sn_board_options *options) {
    memset(board, 0, sizeof *board);
    board->options = *options;
    sn_mutex_init(&board->refresh_mu, SN_RANK_BOARD_REFRESH, "board-refresh");
    sn_mutex_init(&board->mu, SN_RANK_BOARD, "board");
    sn_cond_init(&board->wake);
}

void sn_board_release(struct sn_board *board) {
    board->state = state_free(board->state);
    sn_cond_release(&board->wake);
    sn_mutex_release(&board->mu);
    sn_mutex_release(&board->refresh_mu);
}
