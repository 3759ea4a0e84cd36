/*
 * GET /api/v1/services/{name}: the page of one service in one answer; POST .../reset. The shapes are
 * in docs/guides/http-api.md.
 */
#include "api/dash.h"
#include "engine/service_view.h"

#include <math.h>
#include <stdlib.h>

enum { OPERATIONS_MAX = 500, SLOWEST_MAX = 10, ERRORS_MAX = 20 };
#define PIECE_NAME 4 /* /api/v1/services/{name} */

/* What the writers below need. */
struct page {
    struct sn_service_view view;
    struct sn_board_view board;
    struct sn_str name;
    const struct sn_operation_view **order; /* [view.operation_count]: sorted again and again */
};

static void put_count(struct sn_json_writer *json, const char *key, double count) {
    bool is_count = count > 0 && count < 9007199254740992.0; /* 2^53 */
    sn_json_write_key_uint64(json, sn_str_from(key), is_count ? (uint64_t)(count + 0.5) : 0);
}

/* ---- the range ---- */

static void put_window(struct sn_json_writer *json, const struct sn_operation_row *window,
                       double window_s) {
    double ended = window->outcomes[SN_OPERATION_OK] + window->outcomes[SN_OPERATION_ERROR];
    double count = sn_operation_count(window);
    sn_dash_put_number(json, "operations_per_second", count / window_s);
    sn_dash_put_number(json, "error_ratio", sn_ratio(window->outcomes[SN_OPERATION_ERROR], ended));
    sn_dash_put_number(json, "average_seconds", sn_ratio(window->sum_s, count));
    sn_dash_put_number(json, "p50_seconds", sn_operation_quantile(window, 0.5));
    sn_dash_put_number(json, "p95_seconds", sn_operation_quantile(window, 0.95));
    sn_dash_put_number(json, "p99_seconds", sn_operation_quantile(window, 0.99));
}

static void put_totals(struct sn_json_writer *json, const struct page *page) {
    const struct sn_service_row *service = page->view.service;
    double count = 0, errors = 0, aborted = 0;
    for (size_t i = 0; i < page->view.operation_count; i++) {
        const struct sn_operation_row *row = page->view.operations[i].row;
        count += sn_operation_count(row);
        errors += row->outcomes[SN_OPERATION_ERROR];
        aborted += row->outcomes[SN_OPERATION_ABORTED];
    }
    int64_t since_ms =
        service->reset_ms > service->start_ms ? service->reset_ms : service->start_ms;
    sn_json_write_key(json, SN_STR("totals"));
    sn_json_write_object_begin(json);
    put_count(json, "count", count);
    put_count(json, "errors", errors);
    put_count(json, "aborted", aborted);
    sn_dash_put_time(json, "since", since_ms);
    sn_dash_put_time(json, "reset_at", service->reset_ms);
    sn_json_write_object_end(json);
}

/* ---- operations ---- */

static void put_error_members(struct sn_json_writer *json, const struct sn_operation_row *row) {
    sn_dash_put_text(json, "message", row->error_message);
    sn_dash_put_text(json, "class", row->error_class);
    sn_dash_put_time(json, "at", row->error_ms);
}

static void put_operation(struct sn_json_writer *json, const struct page *page,
                          const struct sn_operation_view *operation) {
    const struct sn_operation_row *row = operation->row;
    sn_json_write_object_begin(json);
    sn_dash_put_text(json, "name", row->operation);
    put_count(json, "count", sn_operation_count(row));
    put_count(json, "errors", row->outcomes[SN_OPERATION_ERROR]);
    put_count(json, "aborted", row->outcomes[SN_OPERATION_ABORTED]);
    sn_dash_put_number(json, "active", row->active);
    sn_dash_put_number(json, "min_seconds", row->min_s);
    sn_dash_put_number(json, "max_seconds", row->max_s);
    put_window(json, &operation->window, page->view.window_s);
    sn_dash_put_values(json, "average_spark", operation->averages, page->view.grid.count);
    sn_dash_put_time(json, "last_at", row->last_ms);
    sn_json_write_key(json, SN_STR("last_error"));
    if (row->error_ms > 0) {
        sn_json_write_object_begin(json);
        put_error_members(json, row);
        sn_json_write_object_end(json);
    } else {
        sn_json_write_null(json);
    }
    sn_json_write_object_end(json);
}

/* Most errors in the range first, then most operations, then by name. */
static int by_errors(const void *left, const void *right) {
    const struct sn_operation_view *a = *(const struct sn_operation_view *const *)left;
    const struct sn_operation_view *b = *(const struct sn_operation_view *const *)right;
    double errors_a = a->window.outcomes[SN_OPERATION_ERROR];
    double errors_b = b->window.outcomes[SN_OPERATION_ERROR];
    double count_a = sn_operation_count(&a->window), count_b = sn_operation_count(&b->window);
    if (errors_a != errors_b)
        return errors_a < errors_b ? 1 : -1;
    if (count_a != count_b)
        return count_a < count_b ? 1 : -1;
    return sn_str_compare(a->row->operation, b->row->operation);
}

static double or_none(double seconds) {
    return isnan(seconds) ? -1 : seconds;
}

static int by_slowest(const void *left, const void *right) {
    const struct sn_operation_view *a = *(const struct sn_operation_view *const *)left;
    const struct sn_operation_view *b = *(const struct sn_operation_view *const *)right;
    double max_a = or_none(a->row->max_s), max_b = or_none(b->row->max_s);
    if (max_a != max_b)
        return max_a < max_b ? 1 : -1;
    return sn_str_compare(a->row->operation, b->row->operation);
}

static int by_newest_error(const void *left, const void *right) {
    const struct sn_operation_view *a = *(const struct sn_operation_view *const *)left;
    const struct sn_operation_view *b = *(const struct sn_operation_view *const *)right;
    return (a->row->error_ms < b->row->error_ms) - (a->row->error_ms > b->row->error_ms);
}

static void sort(struct page *page, int (*compare)(const void *, const void *)) {
    if (page->view.operation_count > 0)
        qsort(page->order, page->view.operation_count, sizeof(page->order[0]), compare);
}

static void put_operations(struct sn_json_writer *json, struct page *page) {
    sort(page, by_errors);
    sn_json_write_key(json, SN_STR("operations"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < page->view.operation_count && i < OPERATIONS_MAX; i++)
        put_operation(json, page, page->order[i]);
    sn_json_write_array_end(json);
    sn_json_write_key_uint64(json, SN_STR("operations_total"), page->view.operation_count);
}

static void put_slowest(struct sn_json_writer *json, struct page *page) {
    sort(page, by_slowest);
    sn_json_write_key(json, SN_STR("slowest"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < page->view.operation_count && i < SLOWEST_MAX; i++) {
        const struct sn_operation_view *operation = page->order[i];
        if (isnan(operation->row->max_s))
            break;
        sn_json_write_object_begin(json);
        sn_dash_put_text(json, "name", operation->row->operation);
        sn_dash_put_number(json, "max_seconds", operation->row->max_s);
        sn_dash_put_number(json, "p99_seconds", sn_operation_quantile(&operation->window, 0.99));
        sn_dash_put_number(
            json, "average_seconds",
            sn_ratio(operation->window.sum_s, sn_operation_count(&operation->window)));
        sn_dash_put_time(json, "last_at", operation->row->last_ms);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
}

static void put_errors(struct sn_json_writer *json, struct page *page) {
    sort(page, by_newest_error);
    sn_json_write_key(json, SN_STR("errors"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < page->view.operation_count && i < ERRORS_MAX; i++) {
        const struct sn_operation_row *row = page->order[i]->row;
        if (row->error_ms == 0)
            break;
        sn_json_write_object_begin(json);
        sn_dash_put_text(json, "operation", row->operation);
        put_error_members(json, row);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
}

/* ---- heatmap ---- */

static void put_column(struct sn_json_writer *json, const struct sn_heat *heat, size_t step) {
    const double *counts = heat->counts + step * heat->bucket_count;
    if (isnan(counts[0])) {
        sn_json_write_null(json);
        return;
    }
    sn_json_write_array_begin(json);
    for (size_t b = 0; b < heat->bucket_count; b++)
        sn_json_write_uint64(json, counts[b] > 0 ? (uint64_t)(counts[b] + 0.5) : 0);
    sn_json_write_array_end(json);
}

static void put_heat(struct sn_json_writer *json, const struct sn_heat *heat) {
    sn_json_write_key(json, SN_STR("heatmap"));
    if (heat->bucket_count == 0) {
        sn_json_write_null(json);
        return;
    }
    sn_json_write_object_begin(json);
    sn_dash_put_time(json, "start", heat->grid.start_ms);
    sn_json_write_key(json, SN_STR("step"));
    sn_json_write_time(json, heat->grid.step_ms);
    sn_json_write_key_uint64(json, SN_STR("count"), heat->grid.count);
    sn_json_write_key(json, SN_STR("upper"));
    sn_json_write_array_begin(json);
    for (size_t b = 0; b < heat->bucket_count; b++)
        sn_json_write_double(json, heat->upper[b]);
    sn_json_write_array_end(json);
    sn_json_write_key(json, SN_STR("counts"));
    sn_json_write_array_begin(json);
    for (size_t step = 0; step < heat->grid.count; step++)
        put_column(json, heat, step);
    sn_json_write_array_end(json);
    sn_json_write_object_end(json);
}

/* ---- the page ---- */

static void put_service(struct sn_json_writer *json, const struct page *page) {
    const struct sn_board_service *known = sn_board_find(&page->board, page->name);
    struct sn_board_service service = {.name = page->name, .rate = (double)NAN};
    service.error_ratio = service.p95_s = service.active = (double)NAN;
    service.start_ms = page->view.service->start_ms;
    sn_json_write_key(json, SN_STR("service"));
    sn_json_write_object_begin(json);
    sn_dash_put_service(json, known != NULL ? known : &service, page->board.now_ms);
    sn_json_write_object_end(json);
}

static void put_page(struct sn_json_writer *json, struct page *page,
                     const struct sn_dash_range *range) {
    sn_json_write_object_begin(json);
    sn_dash_put_time(json, "time", page->board.now_ms);
    sn_json_write_key(json, SN_STR("range"));
    sn_json_write_object_begin(json);
    sn_dash_put_time(json, "start", range->start_ms);
    sn_dash_put_time(json, "end", range->end_ms);
    sn_json_write_object_end(json);
    put_service(json, page);
    put_totals(json, page);
    sn_json_write_key(json, SN_STR("window"));
    sn_json_write_object_begin(json);
    put_window(json, &page->view.window, page->view.window_s);
    sn_json_write_object_end(json);
    sn_dash_put_grid(json, &page->view.grid, false);
    put_operations(json, page);
    put_slowest(json, page);
    put_heat(json, &page->view.heat);
    put_errors(json, page);
    sn_json_write_object_end(json);
}

/* A service that is silent has no operations now, but a place on the board. */
static sn_status read_view(struct sn_api *api, const struct sn_dash_range *range,
                           struct sn_arena *arena, struct page *page, struct sn_err *err) {
    static const struct sn_service_row nobody = {.name = {NULL, 0}};
    const struct sn_range shown = {range->start_ms, range->end_ms};
    sn_status status =
        sn_service_view_read(api->options.commands, page->name, shown, arena, &page->view, err);
    if (status != SN_ERR_NOT_FOUND || sn_board_find(&page->board, page->name) == NULL)
        return status;
    page->view = (struct sn_service_view){.service = &nobody, .window_s = 1};
    page->view.window.min_s = page->view.window.max_s = (double)NAN;
    page->view.grid = sn_spark_grid_of(shown);
    return SN_OK;
}

static sn_status write_service(struct sn_api *api, struct sn_http_request *request,
                               struct sn_json_writer *json, struct sn_err *err) {
    struct sn_arena *arena = sn_http_request_arena(request);
    struct sn_dash_range range = {.length_ms = 0};
    struct sn_param params[] = {SN_DASH_RANGE_PARAMS(&range)};
    struct page page = {.order = NULL};
    SN_TRY(sn_params_read(request, params, sizeof params / sizeof params[0], err));
    SN_TRY(sn_dash_range_finish(&range, sn_clock_wall_ms(api->options.clock),
                                SN_DASH_RANGE_MS_DEFAULT, err));
    SN_TRY(sn_api_path_piece(request, PIECE_NAME, &page.name, err));
    if (api->options.commands == NULL)
        return sn_err_set(err, SN_ERR_UNSUPPORTED, "this server has no table of operations");
    SN_TRY(sn_dash_board(api, arena, &page.board, err));
    SN_TRY(read_view(api, &range, arena, &page, err));
    page.order = sn_arena_alloc_zero(arena, page.view.operation_count + 1, sizeof(page.order[0]));
    if (page.order == NULL)
        return sn_arena_failure(arena, page.view.operation_count, err);
    for (size_t i = 0; i < page.view.operation_count; i++)
        page.order[i] = &page.view.operations[i];
    put_page(json, &page, &range);
    return SN_OK;
}

void sn_api_get_service(struct sn_api *api, struct sn_http_request *request) {
    sn_dash_respond(api, request, write_service);
}

/* ---- reset ---- */

/* {"service":"NAME"}, the argument of the command. */
static sn_status write_argument(struct sn_http_request *request, struct sn_buf *buf,
                                struct sn_err *err) {
    struct sn_json_writer json;
    struct sn_str name;
    SN_TRY(sn_params_read(request, NULL, 0, err));
    SN_TRY(sn_api_path_piece(request, PIECE_NAME, &name, err));
    sn_json_write_init(&json, buf, 0);
    sn_json_write_object_begin(&json);
    sn_json_write_key_string(&json, SN_STR("service"), name);
    sn_json_write_object_end(&json);
    return sn_json_write_finish(&json, err);
}

static sn_status write_reset(struct sn_api *api, struct sn_http_request *request,
                             struct sn_json_writer *json, struct sn_err *err) {
    struct sn_buf args;
    if (api->options.commands == NULL)
        return sn_err_set(err, SN_ERR_UNSUPPORTED, "this server has no commands");
    sn_buf_init(&args, SN_COMMAND_ARGS_BYTES_MAX);
    sn_status status = write_argument(request, &args, err);
    if (status == SN_OK)
        status = sn_dash_write_command(api, request, SN_STR("reset_service_metrics"),
                                       sn_buf_str(&args), json, err);
    sn_buf_release(&args);
    return status;
}

void sn_api_post_service_reset(struct sn_api *api, struct sn_http_request *request) {
    sn_dash_respond(api, request, write_reset);
}
