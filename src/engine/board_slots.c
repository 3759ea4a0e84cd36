/*
 * Half hours of a board: what is over is judged once, shown in the strips and stored. See board.h.
 *
 * Bit i of done_slots says that the half hour i before the running one is settled: it was stored by
 * somebody, or judged by us. What is not settled is caught up a few at a time, the oldest first: a
 * store refuses samples that are much older than the newest of their series.
 */
#include "engine/board_priv.h"

#include <math.h>

#define SLOT_MS SN_BOARD_SLOT_MS
/* Samples of a half hour may come a little after its end: scrapes, pushes with a delay. */
#define GRACE_MS INT64_C(60000)
/* Half hours judged in one refresh: after a long pause the board is not late for it. */
#define SETTLED_PER_ROUND 4
#define LAST (SN_BOARD_SLOTS - 1)

static int64_t end_of(const struct sn_board_state *state, int ago) {
    return (state->slot - ago + 1) * SLOT_MS;
}

/* ---- strips move on ---- */

static void shift(struct sn_board_round *round) {
    struct sn_board_state *state = round->state;
    int64_t moved = state->slot - round->old->slot;
    bool is_near = moved >= 0 && moved < SN_BOARD_SLOTS; /* else the clock jumped: begin anew */
    state->done_slots = is_near ? round->old->done_slots << moved : 0;
    for (size_t i = 0; is_near && i < round->old->count; i++) {
        const struct sn_board_service *old = &round->old->rows[i].service;
        size_t at = sn_row_index_find(&round->index, old->name);
        if (at != SIZE_MAX)
            memcpy(state->rows[at].service.strip, old->strip + moved,
                   (size_t)(SN_BOARD_SLOTS - moved));
    }
}

/* What was stored before the server started. */
static sn_status load(struct sn_board_round *round) {
    struct sn_board_state *state = round->state;
    struct sn_query_result result;
    SN_TRY(sn_ask_at(&round->ask, state->now_ms, &result,
                     "sonde_service_status{window=\"30m\"}[25h]"));
    for (size_t i = 0; i < result.series_count; i++) {
        const struct sn_result_series *series = &result.series[i];
        size_t at =
            sn_row_index_find(&round->index, sn_labels_get(series->labels, SN_STR("service")));
        for (size_t j = 0; at != SIZE_MAX && j < series->count; j++) {
            int64_t ago = state->slot - (series->time_ms[j] / SLOT_MS - 1);
            double value = series->value[j];
            bool is_health = value >= SN_HEALTH_GOOD && value <= SN_HEALTH_CRITICAL;
            if (ago < 1 || ago > LAST || !is_health)
                continue;
            state->rows[at].service.strip[LAST - ago] = (uint8_t)value;
            state->done_slots |= UINT64_C(1) << ago;
        }
    }
    return SN_OK;
}

/* ---- what is over ---- */

/* A half hour in the making. */
struct settling {
    struct sn_board_round *round;
    struct sn_batch_builder batch;
    int64_t end_ms;
};

static sn_status add(struct settling *settling, struct sn_str metric, struct sn_str service,
                     const char *outcome, double value) {
    const struct sn_str pairs[] = {SN_STR("service"), service,
                                   SN_STR("window"),  SN_STR("30m"),
                                   SN_STR("outcome"), sn_str_from(outcome)}; /* "": none */
    return sn_batch_builder_add_pairs(&settling->batch, metric, pairs, 3, settling->end_ms, value,
                                      settling->round->err);
}

static sn_status add_row(struct settling *settling, const struct sn_board_row *row,
                         enum sn_health health) {
    static const struct sn_str rate = SN_STR("sonde_service_operations_per_second");
    struct sn_str name = row->service.name;
    SN_TRY(add(settling, SN_STR("sonde_service_status"), name, "", (double)health));
    SN_TRY(add(settling, rate, name, "ok", row->ok));
    SN_TRY(add(settling, rate, name, "error", row->errors));
    return row->aborted > 0 ? add(settling, rate, name, "aborted", row->aborted) : SN_OK;
}

static sn_status add_p95(struct settling *settling) {
    struct sn_board_round *round = settling->round;
    struct sn_query_result result;
    SN_TRY(sn_ask_at(&round->ask, settling->end_ms, &result,
                     "histogram_quantile(0.95, sum by (service, le) (rate("
                     "sonde_operation_duration_seconds_bucket{service!=\"\"}[30m])))"));
    for (size_t i = 0; i < result.series_count; i++) {
        struct sn_str service = sn_labels_get(result.series[i].labels, SN_STR("service"));
        double value = sn_ask_value(&result, i);
        if (!isnan(value))
            SN_TRY(add(settling, SN_STR("sonde_service_duration_p95_seconds"), service, "", value));
    }
    return SN_OK;
}

static sn_status store(struct settling *settling) {
    const struct sn_board_options *options = &settling->round->board->options;
    struct sn_batch batch = sn_batch_builder_view(&settling->batch);
    struct sn_push_result result;
    if (options->sink.push == NULL || batch.sample_count == 0)
        return SN_OK;
    /* What the store finds too old to take stays what we judged, until the server stops. */
    return sn_sink_push_wait(options->sink, &batch, &result, settling->round->err);
}

static sn_status settle_into(struct settling *settling, int ago) {
    struct sn_board_round *round = settling->round;
    SN_TRY(sn_board_read_rates(round, settling->end_ms, SLOT_MS));
    for (size_t i = 0; i < round->state->count; i++) {
        struct sn_board_row *row = &round->state->rows[i];
        enum sn_health health =
            row->has_rates ? sn_board_judge(round->board, row) : SN_HEALTH_UNKNOWN;
        row->service.strip[LAST - ago] = (uint8_t)health;
        if (row->has_rates)
            SN_TRY(add_row(settling, row, health));
    }
    SN_TRY(add_p95(settling));
    SN_TRY(store(settling));
    round->state->done_slots |= UINT64_C(1) << ago;
    return SN_OK;
}

static sn_status settle(struct sn_board_round *round, int ago, bool *ret_had_data) {
    struct settling settling = {.round = round, .end_ms = end_of(round->state, ago)};
    sn_batch_builder_init(&settling.batch, 0);
    sn_status status = settle_into(&settling, ago);
    *ret_had_data = settling.batch.sample_count > 0;
    sn_batch_builder_release(&settling.batch);
    return status;
}

static sn_status settle_all(struct sn_board_round *round) {
    struct sn_board_state *state = round->state;
    int settled = 0;       /* with data: without any it costs next to nothing */
    if (state->count == 0) /* whose? A service may come yet, with samples of before */
        return SN_OK;
    for (int ago = LAST; ago >= 1 && settled < SETTLED_PER_ROUND; ago--) {
        bool is_done = (state->done_slots >> ago & 1) != 0, had_data = false;
        if (is_done || state->now_ms < end_of(state, ago) + GRACE_MS)
            continue;
        SN_TRY(settle(round, ago, &had_data));
        settled += had_data;
    }
    return SN_OK;
}

sn_status sn_board_settle_slots(struct sn_board_round *round) {
    struct sn_board_state *state = round->state;
    sn_status status = SN_OK;
    state->slot = state->now_ms / SLOT_MS;
    if (round->old != NULL)
        shift(round);
    else
        status = load(round);
    if (status == SN_OK)
        status = settle_all(round);
    for (size_t i = 0; i < state->count; i++)
        state->rows[i].service.strip[LAST] = (uint8_t)state->rows[i].service.status;
    return status;
}
