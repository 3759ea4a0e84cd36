/*
 * GET /api/v1/services: the table of services, sorted, filtered and in pages. The shape is in
 * docs/guides/http-api.md.
 */
#include "api/dash.h"

#include <math.h>
#include <stdlib.h>

#define PAGE_MAX 200
#define QUERY_BYTES_MAX 200

enum sort_key { BY_STATUS, BY_NAME, BY_RATE, BY_ERRORS, BY_P95, BY_ACTIVE, BY_UPTIME };

/* What is asked for. */
struct listing {
    struct sn_dash_range range;
    struct sn_str sort, q, status;
    int64_t limit, offset;
    enum sort_key key;
    bool is_descending;
    bool wanted[4]; /* by enum sn_health */
};

/* A service with its place in the sort order. */
struct ranked {
    struct sn_board_service service;
    double number; /* NaN: last, whatever the order */
    int sign;
};

static sn_status parse_sort(struct listing *listing, struct sn_err *err) {
    static const struct {
        const char *name;
        enum sort_key key;
    } keys[] = {{"status", BY_STATUS},        {"name", BY_NAME},
                {"error_ratio", BY_ERRORS},   {"operations_per_second", BY_RATE},
                {"p95_seconds", BY_P95},      {"active", BY_ACTIVE},
                {"uptime_seconds", BY_UPTIME}};
    struct sn_str name = listing->sort;
    listing->is_descending = name.len > 0 && name.ptr[0] == '-';
    if (listing->is_descending)
        name = sn_str_make(name.ptr + 1, name.len - 1);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (sn_str_equal(name, sn_str_from(keys[i].name))) {
            listing->key = keys[i].key;
            return SN_OK;
        }
    return sn_err_set(err, SN_ERR_INVALID,
                      "parameter sort: \"%.*s\" is none of status, name, operations_per_second, "
                      "error_ratio, p95_seconds, active, uptime_seconds, with or without -",
                      (int)(name.len < 80 ? name.len : 80), name.ptr ? name.ptr : "");
}

static sn_status parse_status(struct listing *listing, struct sn_err *err) {
    struct sn_str rest = listing->status, word;
    for (size_t i = 0; i < 4; i++)
        listing->wanted[i] = rest.len == 0;
    while (rest.len > 0) {
        bool is_known = false;
        (void)sn_str_cut(rest, ',', &word, &rest); /* the last one has no comma behind it */
        for (int i = 0; i < 4; i++)
            if (sn_str_equal(word, sn_str_from(sn_health_name((enum sn_health)i))))
                is_known = listing->wanted[i] = true;
        if (!is_known)
            return sn_err_set(err, SN_ERR_INVALID,
                              "parameter status: \"%.*s\" is none of critical, warning, unknown, "
                              "good",
                              (int)(word.len < 80 ? word.len : 80), word.ptr ? word.ptr : "");
    }
    return SN_OK;
}

static sn_status read_listing(struct sn_api *api, struct sn_http_request *request,
                              struct listing *listing, struct sn_err *err) {
    *listing = (struct listing){.sort = SN_STR("status"), .limit = PAGE_MAX};
    struct sn_param params[] = {
        SN_DASH_RANGE_PARAMS(&listing->range),
        SN_PARAM("sort", SN_PARAM_TEXT, &listing->sort),
        SN_PARAM("q", SN_PARAM_TEXT, &listing->q),
        SN_PARAM("status", SN_PARAM_TEXT, &listing->status),
        SN_PARAM_WITHIN("limit", &listing->limit, 1, PAGE_MAX),
        SN_PARAM_WITHIN("offset", &listing->offset, 0, SN_BOARD_SERVICES_MAX),
    };
    SN_TRY(sn_params_read(request, params, sizeof params / sizeof params[0], err));
    if (listing->q.len > QUERY_BYTES_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "parameter q has %zu bytes, the limit is %d",
                          listing->q.len, QUERY_BYTES_MAX);
    SN_TRY(parse_sort(listing, err));
    SN_TRY(parse_status(listing, err));
    return sn_dash_range_finish(&listing->range, sn_clock_wall_ms(api->options.clock),
                                SN_DASH_RANGE_MS_DEFAULT, err);
}

/* ---- choosing and sorting ---- */

static double number_of(const struct sn_board_service *service, enum sort_key key) {
    switch (key) {
    case BY_STATUS:
    case BY_NAME:
        return 0;
    case BY_RATE:
        return service->rate;
    case BY_ERRORS:
        return service->error_ratio;
    case BY_P95:
        return service->p95_s;
    case BY_ACTIVE:
        return service->active;
    case BY_UPTIME: /* the older the start, the longer */
        return service->start_ms > 0 ? -(double)service->start_ms : (double)NAN;
    }
    return (double)NAN;
}

static int by_number(const void *left, const void *right) {
    const struct ranked *a = left, *b = right;
    if (isnan(a->number) || isnan(b->number)) {
        if (isnan(a->number) != isnan(b->number))
            return isnan(a->number) ? 1 : -1;
    } else if (a->number != b->number) {
        return (a->number < b->number ? -1 : 1) * a->sign;
    }
    return sn_str_compare(a->service.name, b->service.name);
}

static int by_name(const void *left, const void *right) {
    const struct ranked *a = left, *b = right;
    return sn_str_compare(a->service.name, b->service.name) * a->sign;
}

static int by_status(const void *left, const void *right) {
    const struct ranked *a = left, *b = right;
    return sn_dash_worst_first(&a->service, &b->service) * a->sign;
}

/* The services that pass q and status, sorted; counts are of those that pass q. */
static sn_status choose(const struct listing *listing, const struct sn_board_view *view,
                        struct sn_arena *arena, struct ranked **ret_rows, size_t *ret_count,
                        size_t counts[4], struct sn_err *err) {
    struct ranked *rows = sn_arena_alloc_zero(arena, view->service_count + 1, sizeof *rows);
    size_t count = 0;
    if (rows == NULL)
        return sn_arena_failure(arena, view->service_count * sizeof *rows, err);
    for (size_t i = 0; i < view->service_count; i++) {
        const struct sn_board_service *service = &view->services[i];
        if (!sn_dash_has_text(service->name, listing->q))
            continue;
        counts[service->status]++;
        if (listing->wanted[service->status])
            rows[count++] = (struct ranked){.service = *service,
                                            .number = number_of(service, listing->key),
                                            .sign = listing->is_descending ? -1 : 1};
    }
    int (*compare)(const void *, const void *) = by_number;
    if (listing->key == BY_STATUS || listing->key == BY_NAME)
        compare = listing->key == BY_STATUS ? by_status : by_name;
    if (count > 0)
        qsort(rows, count, sizeof *rows, compare);
    *ret_rows = rows;
    *ret_count = count;
    return SN_OK;
}

/* Rows [offset, offset + limit) of those that were chosen. */
static sn_status cut_page(const struct listing *listing, const struct ranked *rows, size_t count,
                          struct sn_arena *arena, struct sn_board_service **ret_page,
                          size_t *ret_count, struct sn_err *err) {
    size_t first = (size_t)listing->offset < count ? (size_t)listing->offset : count;
    size_t shown = count - first;
    if (shown > (size_t)listing->limit)
        shown = (size_t)listing->limit;
    struct sn_board_service *page = sn_arena_alloc_zero(arena, shown + 1, sizeof *page);
    if (page == NULL)
        return sn_arena_failure(arena, shown * sizeof *page, err);
    for (size_t i = 0; i < shown; i++)
        page[i] = rows[first + i].service;
    *ret_page = page;
    *ret_count = shown;
    return SN_OK;
}

static sn_status write_services(struct sn_api *api, struct sn_http_request *request,
                                struct sn_json_writer *json, struct sn_err *err) {
    struct sn_arena *arena = sn_http_request_arena(request);
    struct listing listing;
    struct sn_board_view view;
    struct ranked *rows = NULL;
    struct sn_board_service *page = NULL;
    struct sn_dash_sparks sparks;
    size_t counts[4] = {0}, count = 0, shown = 0;
    SN_TRY(read_listing(api, request, &listing, err));
    SN_TRY(sn_dash_board(api, arena, &view, err));
    SN_TRY(choose(&listing, &view, arena, &rows, &count, counts, err));
    SN_TRY(cut_page(&listing, rows, count, arena, &page, &shown, err));
    SN_TRY(sn_dash_sparks_read(api, page, shown, &listing.range, view.now_ms, true, arena, &sparks,
                               err));
    sn_json_write_object_begin(json);
    sn_dash_put_time(json, "time", view.now_ms);
    sn_json_write_key_uint64(json, SN_STR("total"), view.service_count);
    sn_json_write_key_uint64(json, SN_STR("matching"), count);
    sn_dash_put_counts(json, counts);
    sn_json_write_key_int64(json, SN_STR("limit"), listing.limit);
    sn_json_write_key_int64(json, SN_STR("offset"), listing.offset);
    sn_dash_put_grid(json, &sparks.grid, sparks.is_now);
    sn_dash_put_services(json, page, shown, view.now_ms, &sparks);
    sn_json_write_object_end(json);
    return SN_OK;
}

void sn_api_get_services(struct sn_api *api, struct sn_http_request *request) {
    sn_dash_respond(api, request, write_services);
}
