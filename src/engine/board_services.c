/*
 * The services of a board: who is there, and how they are now. See board.h.
 */
#include "engine/board_priv.h"

#include "engine/operations.h"

#include <math.h>

/* What to do with a value of a service. */
typedef void (*take_fn)(struct sn_board_row *row, double value);

sn_status sn_board_row(struct sn_board_round *round, struct sn_str name,
                       struct sn_board_row **ret_row) {
    struct sn_board_state *state = round->state;
    size_t at = sn_row_index_find(&round->index, name);
    if (at != SIZE_MAX) {
        *ret_row = &state->rows[at];
        return SN_OK;
    }
    if (state->count == SN_BOARD_SERVICES_MAX)
        return sn_err_set(round->err, SN_ERR_LIMIT, "there are more than %d services",
                          SN_BOARD_SERVICES_MAX);
    SN_TRY(sn_arena_grow(&state->arena, &state->rows, state->count, &state->capacity,
                         sizeof *state->rows, round->err));
    struct sn_board_row *row = &state->rows[state->count];
    memset(row, 0, sizeof *row);
    if (!sn_arena_copy(&state->arena, name, &row->service.name))
        return sn_arena_failure(&state->arena, name.len, round->err);
    if (sn_row_index_add(&round->index, name, &at) != SN_OK)
        return sn_err_set(round->err, SN_ERR_NO_MEMORY, "no memory for services");
    row->service.rate = row->service.error_ratio = (double)NAN;
    row->service.p95_s = row->service.active = (double)NAN;
    state->count++;
    *ret_row = row;
    return SN_OK;
}

/* ---- who is there ---- */

/* Services with a sample in the last five minutes. */
static sn_status read_live(struct sn_board_round *round) {
    struct sn_query_result result;
    SN_TRY(sn_ask_at(&round->ask, round->state->now_ms, &result,
                     "max by (service) (timestamp(sonde_operations_total{service!=\"\"}))"));
    for (size_t i = 0; i < result.series_count; i++) {
        struct sn_board_row *row;
        struct sn_str name = sn_labels_get(result.series[i].labels, SN_STR("service"));
        SN_TRY(sn_board_row(round, name, &row));
        row->service.seen_ms = sn_ask_time_ms(sn_ask_value(&result, i));
        row->service.status = SN_HEALTH_GOOD; /* until it is judged */
    }
    return SN_OK;
}

/* Those that were there before and are silent now. */
static sn_status keep_silent(struct sn_board_round *round) {
    for (size_t i = 0; round->old != NULL && i < round->old->count; i++) {
        const struct sn_board_row *old = &round->old->rows[i];
        struct sn_board_row *row;
        if (old->service.seen_ms < round->state->now_ms - SN_BOARD_SILENT_MS ||
            sn_row_index_find(&round->index, old->service.name) != SIZE_MAX)
            continue;
        SN_TRY(sn_board_row(round, old->service.name, &row));
        row->service.seen_ms = old->service.seen_ms;
        row->service.start_ms = old->service.start_ms;
    }
    return SN_OK;
}

/* The newest sample of a series within a range; 0: none. */
static sn_status newest_ms(struct sn_board_round *round, uint64_t series_id, struct sn_range range,
                           int64_t *ret_ms) {
    const struct sn_reader *reader = &round->board->options.reader;
    struct sn_samples samples;
    sn_samples_init(&samples);
    sn_status status = reader->samples(reader->ctx, series_id, range, &samples, round->err);
    *ret_ms = 0;
    for (size_t i = samples.count; status == SN_OK && i > 0 && *ret_ms == 0; i--)
        if (!sn_is_stale(samples.value[i - 1]))
            *ret_ms = samples.time_ms[i - 1];
    sn_samples_release(&samples);
    return status;
}

/* Once: those that fell silent before the server started. */
static sn_status find_silent(struct sn_board_round *round) {
    const struct sn_reader *reader = &round->board->options.reader;
    int64_t now_ms = round->state->now_ms;
    const struct sn_matcher metric = {.kind = SN_MATCH_EQUAL,
                                      .name = SN_LABEL_METRIC_NAME,
                                      .value = SN_STR("sonde_operations_total")};
    const struct sn_select select = {
        .matchers = &metric,
        .matcher_count = 1,
        .range = {now_ms - SN_BOARD_SILENT_MS, now_ms},
    };
    struct sn_series_list list;
    if (reader->select == NULL)
        return SN_OK;
    SN_TRY(reader->select(reader->ctx, &select, round->ask.arena, &list, round->err));
    for (size_t i = 0; i < list.count; i++) {
        struct sn_str name = sn_labels_get(list.items[i].labels, SN_STR("service"));
        struct sn_board_row *row;
        int64_t seen_ms = 0;
        size_t at = sn_row_index_find(&round->index, name);
        if (name.len == 0 ||
            (at != SIZE_MAX && round->state->rows[at].service.status != SN_HEALTH_UNKNOWN))
            continue;
        SN_TRY(newest_ms(round, list.items[i].id, select.range, &seen_ms));
        if (seen_ms == 0)
            continue;
        SN_TRY(sn_board_row(round, name, &row));
        row->service.seen_ms = seen_ms > row->service.seen_ms ? seen_ms : row->service.seen_ms;
    }
    return SN_OK;
}

/* ---- how they are ---- */

sn_status sn_board_read_rates(struct sn_board_round *round, int64_t time_ms, int64_t window_ms) {
    struct sn_query_result result;
    for (size_t i = 0; i < round->state->count; i++) {
        struct sn_board_row *row = &round->state->rows[i];
        row->ok = row->errors = row->aborted = 0;
        row->has_rates = false;
    }
    SN_TRY(sn_ask_at(&round->ask, time_ms, &result,
                     "sum by (service, outcome) "
                     "(rate(sonde_operations_total{service!=\"\"}[%lldms]))",
                     (long long)window_ms));
    for (size_t i = 0; i < result.series_count; i++) {
        struct sn_labels labels = result.series[i].labels;
        enum sn_operation_outcome outcome = sn_operation_outcome_of(labels);
        size_t at = sn_row_index_find(&round->index, sn_labels_get(labels, SN_STR("service")));
        if (at == SIZE_MAX)
            continue;
        struct sn_board_row *row = &round->state->rows[at];
        row->has_rates = true;
        if (outcome == SN_OPERATION_ERROR)
            row->errors += sn_ask_value(&result, i);
        else if (outcome == SN_OPERATION_ABORTED)
            row->aborted += sn_ask_value(&result, i);
        else
            row->ok += sn_ask_value(&result, i);
    }
    return SN_OK;
}

static void take_p95(struct sn_board_row *row, double value) {
    row->service.p95_s = value;
}

static void take_active(struct sn_board_row *row, double value) {
    row->service.active = value;
}

static void take_start(struct sn_board_row *row, double value) {
    row->service.start_ms = sn_ask_time_ms(value);
}

static sn_status read_value(struct sn_board_round *round, const char *expression, take_fn take) {
    struct sn_query_result result;
    SN_TRY(sn_ask_at(&round->ask, round->state->now_ms, &result, "%s", expression));
    for (size_t i = 0; i < result.series_count; i++) {
        size_t at = sn_row_index_find(&round->index,
                                      sn_labels_get(result.series[i].labels, SN_STR("service")));
        if (at != SIZE_MAX)
            take(&round->state->rows[at], sn_ask_value(&result, i));
    }
    return SN_OK;
}

enum sn_health sn_board_judge(const struct sn_board *board, const struct sn_board_row *row) {
    struct sn_indicator_limits limits = sn_indicator_default(SN_INDICATOR_SUCCESS_RATE);
    double ended = row->ok + row->errors;
    if (!(ended > 0))
        return SN_HEALTH_GOOD;
    for (size_t i = 0; i < board->options.limit_count; i++)
        if (sn_str_equal(board->options.limits[i].service, row->service.name))
            limits = board->options.limits[i].success_rate;
    return sn_indicator_judge(SN_INDICATOR_SUCCESS_RATE, limits, 100 * row->ok / ended);
}

static void judge_all(struct sn_board_round *round) {
    for (size_t i = 0; i < round->state->count; i++) {
        struct sn_board_row *row = &round->state->rows[i];
        double ended = row->ok + row->errors;
        if (row->service.status == SN_HEALTH_UNKNOWN)
            continue;
        row->service.rate = row->has_rates ? ended + row->aborted : (double)NAN;
        row->service.error_ratio = sn_ratio(row->errors, ended);
        row->service.status = sn_board_judge(round->board, row);
    }
}

sn_status sn_board_read_services(struct sn_board_round *round) {
    SN_TRY(read_live(round));
    SN_TRY(keep_silent(round));
    if (round->old == NULL)
        SN_TRY(find_silent(round));
    SN_TRY(sn_board_read_rates(round, round->state->now_ms, SN_BOARD_WINDOW_MS));
    judge_all(round);
    SN_TRY(read_value(round,
                      "histogram_quantile(0.95, sum by (service, le) (rate("
                      "sonde_operation_duration_seconds_bucket{service!=\"\"}[5m])))",
                      take_p95));
    SN_TRY(read_value(round, "sum by (service) (sonde_operations_active{service!=\"\"})",
                      take_active));
    return read_value(round, "min by (service) (sonde_service_start_time_seconds{service!=\"\"})",
                      take_start);
}
