/*
 * The table of commands, their arguments, and those about services. See commands.h.
 */
#include "engine/commands_priv.h"

#include "codec/json_read.h"
#include "codec/number.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { SLOW_LIMIT_DEFAULT = 10, SLOW_LIMIT_MAX = 1000, TIMEOUT_S = 20 };
#define RESET_PREFIX "reset/"

/* ---- arguments ---- */

static const struct {
    struct sn_str name;
    enum sn_command_arg arg;
} arg_names[] = {
    {SN_STR("service"), SN_COMMAND_SERVICE},
    {SN_STR("cache"), SN_COMMAND_CACHE},
    {SN_STR("match"), SN_COMMAND_MATCH},
    {SN_STR("name"), SN_COMMAND_NAME},
    {SN_STR("expr"), SN_COMMAND_EXPR},
    {SN_STR("for"), SN_COMMAND_FOR},
    {SN_STR("severity"), SN_COMMAND_SEVERITY},
    {SN_STR("description"), SN_COMMAND_DESCRIPTION},
    {SN_STR("query"), SN_COMMAND_QUERY},
    {SN_STR("start"), SN_COMMAND_START},
    {SN_STR("end"), SN_COMMAND_END},
    {SN_STR("step"), SN_COMMAND_STEP},
    {SN_STR("limit"), SN_COMMAND_LIMIT},
    {SN_STR("hours"), SN_COMMAND_HOURS},
    {SN_STR("days"), SN_COMMAND_DAYS},
    {SN_STR("min_hit_rate"), SN_COMMAND_MIN_HIT_RATE},
    {SN_STR("max_memory_usage_mb"), SN_COMMAND_MAX_MEMORY_USAGE_MB},
    {SN_STR("max_response_time_ms"), SN_COMMAND_MAX_RESPONSE_TIME_MS},
    {SN_STR("max_fragmentation"), SN_COMMAND_MAX_FRAGMENTATION},
};
_Static_assert(sizeof arg_names / sizeof arg_names[0] == SN_COMMAND_ARG_COUNT, "every argument");

/* Times and steps may come as numbers too: their text is kept. */
static void read_value(struct sn_json_reader *json, struct sn_command_call *call,
                       enum sn_command_arg arg) {
    if (arg >= SN_COMMAND_TEXT_COUNT)
        call->numbers[arg] = sn_json_read_double(json);
    else if (sn_json_read_peek(json) == SN_JSON_NUMBER)
        call->texts[arg] = sn_json_read_number_text(json);
    else
        call->texts[arg] = sn_json_read_string(json);
    call->given |= SN_COMMAND_BIT(arg);
}

static sn_status read_args(struct sn_command_call *call, struct sn_str args, uint32_t allowed,
                           uint32_t required) {
    struct sn_json_reader json;
    struct sn_str key;
    if (args.len > SN_COMMAND_ARGS_BYTES_MAX)
        return sn_err_set(call->err, SN_ERR_LIMIT, "the arguments have %zu bytes, the limit is %d",
                          args.len, SN_COMMAND_ARGS_BYTES_MAX);
    if (sn_str_trim(args).len == 0)
        args = SN_STR("{}");
    sn_json_read_init(&json, args, &(struct sn_json_options){.arena = call->arena});
    if (sn_json_read_object(&json))
        while (sn_json_read_key(&json, &key)) {
            size_t i = 0;
            while (i < SN_COMMAND_ARG_COUNT && !sn_str_equal(key, arg_names[i].name))
                i++;
            if (i == SN_COMMAND_ARG_COUNT || (allowed & SN_COMMAND_BIT(arg_names[i].arg)) == 0)
                sn_json_read_fail(&json, SN_ERR_INVALID, "this command has no argument \"%.*s\"",
                                  (int)(key.len < 64 ? key.len : 64), key.ptr);
            else
                read_value(&json, call, arg_names[i].arg);
        }
    SN_TRY(sn_json_read_finish(&json, call->err));
    for (size_t i = 0; i < SN_COMMAND_ARG_COUNT; i++)
        if ((required & ~call->given & SN_COMMAND_BIT(arg_names[i].arg)) != 0)
            return sn_err_set(call->err, SN_ERR_INVALID, "the argument \"%s\" is missing",
                              arg_names[i].name.ptr);
    return SN_OK;
}

/* ---- asking ---- */

sn_status sn_commands_query(struct sn_command_call *call, struct sn_str expression,
                            struct sn_range range, int64_t step_ms,
                            struct sn_query_result *ret_result) {
    const struct sn_query query = {
        .expression = expression,
        .range = range,
        .step_ms = step_ms,
        .timeout_ns = (int64_t)TIMEOUT_S * 1000000000,
    };
    const struct sn_querier *querier = &call->commands->querier;
    return querier->query(querier->ctx, &query, call->arena, ret_result, call->err);
}

/* Where resets are kept, for one reading. */
struct resets {
    struct sn_settings *settings;
    struct sn_arena *arena;
};

/* When a service was reset, from the settings; 0: never, or not to be read now. */
static int64_t reset_ms_of(void *ctx, struct sn_str service) {
    const struct resets *resets = ctx;
    struct sn_str value;
    int64_t reset_ms = 0;
    char *key = sn_arena_printf(resets->arena, RESET_PREFIX "%.*s", SN_STR_ARG(service));
    bool is_reset =
        key != NULL &&
        sn_settings_get(resets->settings, sn_str_from(key), resets->arena, &value, NULL) == SN_OK &&
        sn_int64_parse(value, &reset_ms) == SN_OK;
    return is_reset ? reset_ms : 0;
}

sn_status sn_commands_read_operations(const struct sn_commands *commands, struct sn_str service,
                                      struct sn_arena *arena, struct sn_operations *ret_table,
                                      struct sn_err *err) {
    struct resets resets = {commands->settings, arena};
    const struct sn_operations_query query = {
        .querier = commands->querier,
        .reader = commands->reader.select != NULL ? &commands->reader : NULL,
        .service = service,
        .now_ms = sn_clock_wall_ms(commands->clock),
        .reset_ms = commands->settings != NULL ? reset_ms_of : NULL,
        .ctx = &resets,
    };
    SN_TRY(sn_operations_read(&query, arena, ret_table, err));
    if (service.ptr != NULL && ret_table->service_count == 0)
        return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no service \"%.*s\"",
                          (int)(service.len < 64 ? service.len : 64), service.ptr);
    return SN_OK;
}

static sn_status read_operations(struct sn_command_call *call, struct sn_operations *ret_table) {
    return sn_commands_read_operations(call->commands, call->texts[SN_COMMAND_SERVICE], call->arena,
                                       ret_table, call->err);
}

/* ---- services ---- */

static void write_time(struct sn_command_call *call) {
    sn_json_write_key_int64(call->json, SN_STR("time_ms"), call->now_ms);
    sn_json_write_key_int64(call->json, SN_STR("rate_window_seconds"), SN_OPERATIONS_RATE_WINDOW_S);
}

static sn_status get_all(struct sn_command_call *call) {
    struct sn_operations table;
    SN_TRY(read_operations(call, &table));
    sn_json_write_object_begin(call->json);
    write_time(call);
    sn_json_write_key(call->json, SN_STR("services"));
    sn_json_write_array_begin(call->json);
    for (size_t i = 0; i < table.service_count; i++) {
        sn_json_write_object_begin(call->json);
        sn_service_write(call->json, &table, &table.services[i]);
        sn_json_write_object_end(call->json);
    }
    sn_json_write_array_end(call->json);
    sn_json_write_object_end(call->json);
    return SN_OK;
}

static sn_status get_service(struct sn_command_call *call) {
    struct sn_operations table;
    SN_TRY(read_operations(call, &table));
    sn_json_write_object_begin(call->json);
    write_time(call);
    sn_service_write(call->json, &table, &table.services[0]);
    sn_json_write_object_end(call->json);
    return SN_OK;
}

static sn_status reset_service(struct sn_command_call *call) {
    struct sn_operations table;
    struct sn_str service = call->texts[SN_COMMAND_SERVICE];
    SN_TRY(read_operations(call, &table));
    char *key = sn_arena_printf(call->arena, RESET_PREFIX "%.*s", SN_STR_ARG(service));
    char *value = sn_arena_printf(call->arena, "%" PRId64, call->now_ms);
    if (key == NULL || value == NULL)
        return sn_arena_failure(call->arena, service.len, call->err);
    SN_TRY(
        sn_settings_put(call->commands->settings, sn_str_from(key), sn_str_from(value), call->err));
    sn_json_write_object_begin(call->json);
    sn_json_write_key_string(call->json, SN_STR("service"), service);
    sn_json_write_key_uint64(call->json, SN_STR("operations"), table.row_count);
    sn_json_write_key_int64(call->json, SN_STR("reset_time_ms"), call->now_ms);
    sn_json_write_object_end(call->json);
    return SN_OK;
}

static sn_status get_active(struct sn_command_call *call) {
    struct sn_operations table;
    double total = 0;
    SN_TRY(read_operations(call, &table));
    sn_json_write_object_begin(call->json);
    sn_json_write_key(call->json, SN_STR("services"));
    sn_json_write_array_begin(call->json);
    for (size_t i = 0; i < table.service_count; i++) {
        const struct sn_service_row *service = &table.services[i];
        double active = 0;
        for (size_t r = service->first; r < service->first + service->count; r++)
            active += table.rows[r].active;
        total += active;
        sn_json_write_object_begin(call->json);
        sn_json_write_key_string(call->json, SN_STR("service"), service->name);
        sn_json_write_key_double(call->json, SN_STR("active"), active);
        sn_json_write_object_end(call->json);
    }
    sn_json_write_array_end(call->json);
    sn_json_write_key_double(call->json, SN_STR("active"), total);
    sn_json_write_object_end(call->json);
    return SN_OK;
}

/* ---- errors ---- */

static void write_service_errors(struct sn_command_call *call, const struct sn_operations *table,
                                 const struct sn_service_row *service) {
    sn_json_write_object_begin(call->json);
    sn_json_write_key_string(call->json, SN_STR("service"), service->name);
    sn_operations_write_counts(call->json, table, service->first, service->count, service->reset_ms,
                               service->start_ms);
    sn_json_write_key(call->json, SN_STR("operations"));
    sn_json_write_array_begin(call->json);
    for (size_t i = service->first; i < service->first + service->count; i++) {
        const struct sn_operation_row *row = &table->rows[i];
        if (!(row->outcomes[SN_OPERATION_ERROR] > 0))
            continue;
        sn_json_write_object_begin(call->json);
        sn_json_write_key_string(call->json, SN_STR("operation"), row->operation);
        sn_operations_write_counts(call->json, table, i, 1, service->reset_ms, service->start_ms);
        sn_operation_write_error(call->json, row);
        sn_json_write_object_end(call->json);
    }
    sn_json_write_array_end(call->json);
    sn_json_write_object_end(call->json);
}

static sn_status get_errors(struct sn_command_call *call) {
    struct sn_operations table;
    double count = 0, errors = 0;
    SN_TRY(read_operations(call, &table));
    for (size_t i = 0; i < table.row_count; i++) {
        count += sn_operation_count(&table.rows[i]);
        errors += table.rows[i].outcomes[SN_OPERATION_ERROR];
    }
    sn_json_write_object_begin(call->json);
    sn_json_write_key_double(call->json, SN_STR("count"), count);
    sn_json_write_key_double(call->json, SN_STR("error_count"), errors);
    sn_json_write_key_double(call->json, SN_STR("error_rate"), count > 0 ? errors / count : 0);
    sn_json_write_key(call->json, SN_STR("services"));
    sn_json_write_array_begin(call->json);
    for (size_t i = 0; i < table.service_count; i++)
        write_service_errors(call, &table, &table.services[i]);
    sn_json_write_array_end(call->json);
    sn_json_write_object_end(call->json);
    return SN_OK;
}

/* ---- slow operations ---- */

static int by_length(const void *left, const void *right) {
    const struct sn_operation_row *a = *(const struct sn_operation_row *const *)left;
    const struct sn_operation_row *b = *(const struct sn_operation_row *const *)right;
    double a_s = isnan(a->max_s) ? -1 : a->max_s, b_s = isnan(b->max_s) ? -1 : b->max_s;
    if (a_s != b_s)
        return a_s < b_s ? 1 : -1;
    return (a > b) - (a < b); /* the order of the table */
}

static sn_status get_slow(struct sn_command_call *call) {
    struct sn_operations table;
    double limit = sn_commands_has(call, SN_COMMAND_LIMIT) ? call->numbers[SN_COMMAND_LIMIT]
                                                           : SLOW_LIMIT_DEFAULT;
    if (!(limit >= 1 && limit <= SLOW_LIMIT_MAX && limit == floor(limit)))
        return sn_err_set(call->err, SN_ERR_INVALID, "limit must be a whole number from 1 to %d",
                          SLOW_LIMIT_MAX);
    SN_TRY(read_operations(call, &table));
    const struct sn_operation_row **order =
        sn_arena_alloc_zero(call->arena, table.row_count + 1, sizeof *order);
    if (order == NULL)
        return sn_arena_failure(call->arena, table.row_count * sizeof *order, call->err);
    size_t count = 0;
    for (size_t i = 0; i < table.row_count; i++)
        if (sn_operation_count(&table.rows[i]) > 0)
            order[count++] = &table.rows[i];
    qsort(order, count, sizeof *order, by_length);
    sn_json_write_object_begin(call->json);
    sn_json_write_key(call->json, SN_STR("operations"));
    sn_json_write_array_begin(call->json);
    for (size_t i = 0; i < count && (double)i < limit; i++) {
        sn_json_write_object_begin(call->json);
        sn_json_write_key_string(call->json, SN_STR("service"), order[i]->service);
        sn_operation_write(call->json, &table, order[i]);
        sn_json_write_object_end(call->json);
    }
    sn_json_write_array_end(call->json);
    sn_json_write_object_end(call->json);
    return SN_OK;
}

/* ---- the table ---- */

#define BIT(arg) SN_COMMAND_BIT(SN_COMMAND_##arg)
#define THRESHOLDS                                                                                 \
    (BIT(MIN_HIT_RATE) | BIT(MAX_MEMORY_USAGE_MB) | BIT(MAX_RESPONSE_TIME_MS) |                    \
     BIT(MAX_FRAGMENTATION))

static const struct command {
    const char *name;
    uint32_t allowed, required;
    bool is_change;
    sn_status (*run)(struct sn_command_call *call);
} table[] = {
    {"get_all_metrics", 0, 0, false, get_all},
    {"get_service_metrics", BIT(SERVICE), BIT(SERVICE), false, get_service},
    {"export_metrics_prometheus", BIT(MATCH), 0, false, sn_commands_export},
    {"reset_service_metrics", BIT(SERVICE), BIT(SERVICE), true, reset_service},
    {"get_active_operations_count", BIT(SERVICE), 0, false, get_active},
    {"get_error_statistics", BIT(SERVICE), 0, false, get_errors},
    {"get_slow_operations", BIT(SERVICE) | BIT(LIMIT), 0, false, get_slow},
    {"get_cache_performance_metrics", 0, 0, false, sn_commands_get_caches},
    {"set_cache_alert_thresholds", BIT(SERVICE) | BIT(CACHE) | THRESHOLDS, 0, true,
     sn_commands_set_cache_thresholds},
    {"get_cache_alerts", 0, 0, false, sn_commands_get_cache_alerts},
    {"get_gpu_utilization_metrics", 0, 0, false, sn_commands_get_gpu},
    {"get_memory_usage_metrics", 0, 0, false, sn_commands_get_memory},
    {"create_custom_alert", BIT(NAME) | BIT(EXPR) | BIT(FOR) | BIT(SEVERITY) | BIT(DESCRIPTION),
     BIT(NAME) | BIT(EXPR), true, sn_commands_create_alert},
    {"get_metrics_history", BIT(QUERY) | BIT(START) | BIT(END) | BIT(STEP) | BIT(HOURS) | BIT(DAYS),
     BIT(QUERY), false, sn_commands_get_history},
};
enum { COMMAND_COUNT = sizeof table / sizeof table[0] };

static const struct command *find(struct sn_str name) {
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (sn_str_equal(name, sn_str_from(table[i].name)))
            return &table[i];
    return NULL;
}

bool sn_commands_is_change(struct sn_str name) {
    const struct command *command = find(name);
    return command != NULL && command->is_change;
}

const char *sn_commands_name(size_t i) {
    return i < COMMAND_COUNT ? table[i].name : NULL;
}

/* The command whose name is the nearest, or NULL when none is near. */
static const char *nearest(struct sn_str name) {
    enum { FAR = 6 };
    const char *best = NULL;
    unsigned best_distance = FAR;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        unsigned distance = sn_str_distance(name, sn_str_from(table[i].name), FAR);
        if (distance < best_distance) {
            best_distance = distance;
            best = table[i].name;
        }
    }
    return best;
}

sn_status sn_commands_run(const struct sn_commands *commands, struct sn_str name,
                          struct sn_str args, struct sn_arena *arena, struct sn_buf *ret_json,
                          struct sn_err *err) {
    const struct command *command = find(name);
    if (command == NULL) {
        const char *meant = nearest(name);
        return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no command \"%.*s\"%s%s%s",
                          (int)(name.len < 64 ? name.len : 64), name.ptr ? name.ptr : "",
                          meant != NULL ? ", did you mean \"" : "", meant != NULL ? meant : "",
                          meant != NULL ? "\"?" : "");
    }
    struct sn_json_writer json;
    sn_json_write_init(&json, ret_json, SN_JSON_NON_FINITE_TEXT);
    struct sn_command_call call = {
        .commands = commands,
        .arena = arena,
        .json = &json,
        .err = err,
        .now_ms = sn_clock_wall_ms(commands->clock),
    };
    SN_TRY(read_args(&call, args, command->allowed, command->required));
    SN_TRY(command->run(&call));
    return sn_json_write_finish(&json, err);
}
