/*
 * Commands: JSON in, JSON out. See sonde/command.h.
 *
 * A table of commands, each with the arguments it takes. What a command writes goes to one buffer
 * that becomes the host's. Any thread.
 */
#include "sonde/command.h"

#include "base/clock.h"
#include "base/mem.h"
#include "client/cache_priv.h"
#include "client/command_args_priv.h"
#include "client/error_priv.h"
#include "client/read_priv.h"
#include "client/report_priv.h"
#include "sonde/memory.h"

#include <stdlib.h>

#define ARENA_BYTES_MAX ((size_t)1 << 20)
#define SLOW_LIMIT_DEFAULT 10
#define SLOW_LIMIT_MAX 1000

/* One command that runs. */
struct call {
    sonde_registry *registry;
    struct sn_args args;
    struct sn_buf buf; /* the answer */
    struct sn_json_writer json;
    struct sn_err *err;
};

static sn_status no_memory(struct call *call) {
    return sn_err_set(call->err, SN_ERR_NO_MEMORY, "no memory for the answer");
}

/* Texts that others make. Takes ownership of text. */
static sn_status answer_with(struct call *call, sonde_status status, char *text, size_t len) {
    if (status != SONDE_OK)
        return no_memory(call);
    sn_buf_put(&call->buf, text, len);
    sonde_free(text);
    return SN_OK;
}

/* Services. */

/* Everything that commands about services look at, between begin and end of a read. */
struct service_read {
    struct sn_report_time time;
    struct sn_report_list list;
};

static struct sn_str wanted_service(const struct call *call) {
    return sn_args_has(&call->args, SN_ARG_SERVICE) ? call->args.texts[SN_ARG_SERVICE]
                                                    : (struct sn_str){NULL, 0};
}

static void read_end(struct call *call, struct service_read *read) {
    sn_report_list_release(&read->list);
    sn_registry_read_end(call->registry);
}

/* A service that was asked for by name must exist. After a failure there is nothing to end. */
static sn_status read_begin(struct call *call, struct service_read *read) {
    struct sn_str service = wanted_service(call);
    call->registry = sn_registry_read_begin(call->registry);
    read->time = sn_report_time(call->registry);
    sn_status status = SN_OK;
    if (!sn_report_list_init(&read->list, call->registry, service))
        status = no_memory(call);
    else if (service.ptr != NULL && read->list.count == 0)
        status = sn_err_set(call->err, SN_ERR_NOT_FOUND, "there is no service \"%.*s\"",
                            (int)(service.len < 64 ? service.len : 64), service.ptr);
    if (status != SN_OK)
        read_end(call, read);
    return status;
}

static sn_status get_all_metrics(struct call *call) {
    char *text = NULL;
    size_t len = 0;
    sonde_status status = sonde_registry_write_text(call->registry, SONDE_FORMAT_JSON, &text, &len);
    return answer_with(call, status, text, len);
}

/* As in a snapshot, with the moment beside it: members cannot be added to an object written whole. */
static sn_status get_service_metrics(struct call *call) {
    struct service_read read;
    SN_TRY(read_begin(call, &read));
    sn_json_write_object_begin(&call->json);
    sn_json_write_key_int64(&call->json, SN_STR("time_ms"), read.time.wall_ms);
    sn_json_write_key_double(&call->json, SN_STR("rate_window_seconds"), read.time.window_s);
    sn_report_write_service_members(&call->json, &read.list, 0, &read.time);
    sn_json_write_object_end(&call->json);
    read_end(call, &read);
    return SN_OK;
}

static sn_status export_metrics_prometheus(struct call *call) {
    sonde_format format = SONDE_FORMAT_TEXT;
    struct sn_str name = SN_STR("text");
    if (sn_args_has(&call->args, SN_ARG_FORMAT)) {
        name = call->args.texts[SN_ARG_FORMAT];
        if (sn_str_equal(name, SN_STR("openmetrics")))
            format = SONDE_FORMAT_OPENMETRICS;
        else if (!sn_str_equal(name, SN_STR("text")))
            return sn_err_set(call->err, SN_ERR_INVALID,
                              "format is \"text\" or \"openmetrics\", not \"%.*s\"",
                              (int)(name.len < 64 ? name.len : 64), name.ptr);
    }
    char *text;
    size_t len;
    if (sonde_registry_write_text(call->registry, format, &text, &len) != SONDE_OK)
        return no_memory(call);
    sn_json_write_object_begin(&call->json);
    sn_json_write_key_string(&call->json, SN_STR("format"), name);
    sn_json_write_key_string(&call->json, SN_STR("content_type"),
                             sn_str_from(sonde_format_content_type(format)));
    sn_json_write_key_string(&call->json, SN_STR("text"), sn_str_make(text, len));
    sn_json_write_object_end(&call->json);
    sonde_free(text);
    return SN_OK;
}

static sn_status reset_service_metrics(struct call *call) {
    struct service_read read;
    uint64_t count = 0;
    SN_TRY(read_begin(call, &read));
    for (size_t i = 0; i < read.list.count; i++) {
        if (read.list.entries[i].operation.ptr == NULL)
            continue;
        sn_operation_reset(read.list.entries[i].series, read.time.wall_ms);
        count++;
    }
    sn_json_write_object_begin(&call->json);
    sn_json_write_key_string(&call->json, SN_STR("service"), read.list.entries[0].service);
    sn_json_write_key_uint64(&call->json, SN_STR("operations"), count);
    sn_json_write_key_int64(&call->json, SN_STR("reset_time_ms"), read.time.wall_ms);
    sn_json_write_object_end(&call->json);
    read_end(call, &read);
    return SN_OK;
}

static sn_status get_active_operations_count(struct call *call) {
    struct service_read read;
    uint64_t active = 0;
    SN_TRY(read_begin(call, &read));
    sn_json_write_object_begin(&call->json);
    sn_json_write_key(&call->json, SN_STR("services"));
    sn_json_write_array_begin(&call->json);
    for (size_t i = 0; i < read.list.count; i = sn_report_list_end(&read.list, i)) {
        struct sn_report_counts counts;
        sn_report_service(&read.list, i, &read.time, &counts);
        active += counts.active;
        sn_json_write_object_begin(&call->json);
        sn_json_write_key_string(&call->json, SN_STR("service"), read.list.entries[i].service);
        sn_json_write_key_uint64(&call->json, SN_STR("active"), counts.active);
        sn_json_write_object_end(&call->json);
    }
    sn_json_write_array_end(&call->json);
    sn_json_write_key_uint64(&call->json, SN_STR("active"), active);
    sn_json_write_object_end(&call->json);
    read_end(call, &read);
    return SN_OK;
}

/* Errors. */

static void write_operation_errors(struct call *call, const struct sn_report_entry *entry,
                                   const struct sn_report_time *time) {
    struct sn_operation_report report;
    sn_report_operation(entry, time, &report);
    if (report.counts.outcomes[SONDE_OUTCOME_ERROR] == 0)
        return;
    sn_json_write_object_begin(&call->json);
    sn_json_write_key_string(&call->json, SN_STR("operation"), entry->operation);
    sn_report_write_counts(&call->json, &report.counts, time);
    sn_report_write_error(&call->json, &report);
    sn_json_write_object_end(&call->json);
}

static void write_service_errors(struct call *call, const struct service_read *read, size_t first,
                                 struct sn_report_counts *ret_counts) {
    size_t end = sn_report_list_end(&read->list, first);
    sn_report_service(&read->list, first, &read->time, ret_counts);
    sn_json_write_object_begin(&call->json);
    sn_json_write_key_string(&call->json, SN_STR("service"), read->list.entries[first].service);
    sn_report_write_counts(&call->json, ret_counts, &read->time);
    sn_json_write_key(&call->json, SN_STR("operations"));
    sn_json_write_array_begin(&call->json);
    for (size_t i = first; i < end; i++) {
        if (read->list.entries[i].operation.ptr != NULL)
            write_operation_errors(call, &read->list.entries[i], &read->time);
    }
    sn_json_write_array_end(&call->json);
    sn_json_write_object_end(&call->json);
}

static sn_status get_error_statistics(struct call *call) {
    struct service_read read;
    struct sn_report_counts total = {0}, counts;
    SN_TRY(read_begin(call, &read));
    sn_json_write_object_begin(&call->json);
    sn_json_write_key(&call->json, SN_STR("services"));
    sn_json_write_array_begin(&call->json);
    for (size_t i = 0; i < read.list.count; i = sn_report_list_end(&read.list, i)) {
        write_service_errors(call, &read, i, &counts);
        total.count += counts.count;
        total.outcomes[SONDE_OUTCOME_ERROR] += counts.outcomes[SONDE_OUTCOME_ERROR];
    }
    sn_json_write_array_end(&call->json);
    sn_json_write_key_uint64(&call->json, SN_STR("count"), total.count);
    sn_json_write_key_uint64(&call->json, SN_STR("error_count"),
                             total.outcomes[SONDE_OUTCOME_ERROR]);
    sn_json_write_key_double(&call->json, SN_STR("error_rate"), sn_report_error_rate(&total));
    sn_json_write_object_end(&call->json);
    read_end(call, &read);
    return SN_OK;
}

/* Slow operations. */

struct ranked {
    uint64_t max_ns;
    size_t entry;
};

static int by_length(const void *left, const void *right) {
    const struct ranked *a = left, *b = right;
    if (a->max_ns != b->max_ns)
        return a->max_ns < b->max_ns ? 1 : -1;
    return a->entry > b->entry ? 1 : -1;
}

/* Operations that have run, longest run first. False: no memory. */
static bool rank(const struct service_read *read, struct ranked **ret_ranked, size_t *ret_count) {
    struct ranked *ranked = sn_alloc_zero(read->list.count + 1, sizeof *ranked);
    size_t count = 0;
    if (ranked == NULL)
        return false;
    for (size_t i = 0; i < read->list.count; i++) {
        struct sn_operation_report report;
        if (read->list.entries[i].operation.ptr == NULL)
            continue;
        sn_report_operation(&read->list.entries[i], &read->time, &report);
        if (report.counts.count > 0)
            ranked[count++] = (struct ranked){(uint64_t)(report.max_s * 1e9), i};
    }
    qsort(ranked, count, sizeof *ranked, by_length);
    *ret_ranked = ranked;
    *ret_count = count;
    return true;
}

static sn_status get_slow_operations(struct call *call) {
    uint64_t limit = SLOW_LIMIT_DEFAULT;
    if (sn_args_has(&call->args, SN_ARG_LIMIT))
        limit = call->args.integers[SN_ARG_LIMIT];
    if (limit < 1 || limit > SLOW_LIMIT_MAX)
        return sn_err_set(call->err, SN_ERR_INVALID, "limit is %llu, it must be 1 to %d",
                          (unsigned long long)limit, SLOW_LIMIT_MAX);
    struct service_read read;
    struct ranked *ranked;
    size_t count;
    SN_TRY(read_begin(call, &read));
    if (!rank(&read, &ranked, &count)) {
        read_end(call, &read);
        return no_memory(call);
    }
    sn_json_write_object_begin(&call->json);
    sn_json_write_key(&call->json, SN_STR("operations"));
    sn_json_write_array_begin(&call->json);
    for (size_t i = 0; i < count && i < limit; i++) {
        const struct sn_report_entry *entry = &read.list.entries[ranked[i].entry];
        sn_json_write_object_begin(&call->json);
        sn_json_write_key_string(&call->json, SN_STR("service"), entry->service);
        sn_report_write_operation_members(&call->json, entry, &read.time);
        sn_json_write_object_end(&call->json);
    }
    sn_json_write_array_end(&call->json);
    sn_json_write_object_end(&call->json);
    sn_free(ranked);
    read_end(call, &read);
    return SN_OK;
}

/* Caches and memory. */

static sn_status get_cache_performance_metrics(struct call *call) {
    char *text = NULL;
    size_t len = 0;
    sonde_status status = sonde_cache_metrics_json(call->registry, &text, &len);
    return answer_with(call, status, text, len);
}

static sn_status get_cache_alerts(struct call *call) {
    char *text = NULL;
    size_t len = 0;
    sonde_status status = sonde_cache_alerts_json(call->registry, &text, &len);
    return answer_with(call, status, text, len);
}

static sn_status get_memory_usage_metrics(struct call *call) {
    char *text = NULL;
    size_t len = 0;
    sonde_status status = sonde_memory_metrics_json(call->registry, &text, &len);
    return answer_with(call, status, text, len);
}

/* The cache of these names; unlike sonde_cache_get it makes none. */
static sonde_cache *find_cache(sonde_registry *registry, struct sn_str service,
                               struct sn_str name) {
    struct sn_instrument *at = NULL;
    while ((at = sn_instrument_next(registry, &sn_cache_type, at)) != NULL) {
        if (sn_str_equal(sn_series_value(at->series, 0), service) &&
            sn_str_equal(sn_series_value(at->series, 1), name))
            return (sonde_cache *)(void *)at;
    }
    return NULL;
}

static void change(const struct sn_args *args, enum sn_arg arg, double *threshold) {
    if (sn_args_has(args, arg))
        *threshold = args->numbers[arg];
}

static sn_status set_cache_alert_thresholds(struct call *call) {
    const struct sn_args *args = &call->args;
    sonde_cache *cache =
        find_cache(call->registry, args->texts[SN_ARG_SERVICE], args->texts[SN_ARG_CACHE]);
    if (cache == NULL)
        return sn_err_set(call->err, SN_ERR_NOT_FOUND, "there is no such cache");
    sonde_cache_thresholds thresholds = sonde_cache_thresholds_read(cache);
    change(args, SN_ARG_MIN_HIT_RATE, &thresholds.min_hit_rate);
    change(args, SN_ARG_MAX_MEMORY_USAGE_MB, &thresholds.max_memory_usage_mb);
    change(args, SN_ARG_MAX_RESPONSE_TIME_MS, &thresholds.max_response_time_ms);
    change(args, SN_ARG_MAX_FRAGMENTATION, &thresholds.max_fragmentation);
    change(args, SN_ARG_CLEAR_MARGIN, &thresholds.clear_margin);
    change(args, SN_ARG_SLOW_OPERATION_MS, &thresholds.slow_operation_ms);
    if (sn_args_has(args, SN_ARG_MIN_OPERATIONS))
        thresholds.min_operations = args->integers[SN_ARG_MIN_OPERATIONS];
    sonde_error error;
    sonde_status status = sonde_cache_thresholds_set(cache, &thresholds, &error);
    if (status != SONDE_OK)
        return sn_err_set(call->err, (sn_status)status, "%s", error.text);
    char *text = NULL;
    size_t len = 0;
    status = sonde_cache_thresholds_json(cache, &text, &len);
    return answer_with(call, status, text, len);
}

static sn_status needs_server(struct call *call) {
    return sn_err_set(call->err, SN_ERR_UNSUPPORTED, "this command needs a sonde server");
}

/* The table. */

#define SERVICE SN_ARG_BIT(SN_ARG_SERVICE)
#define CACHE SN_ARG_BIT(SN_ARG_CACHE)
#define THRESHOLDS                                                                                 \
    (SN_ARG_BIT(SN_ARG_MIN_HIT_RATE) | SN_ARG_BIT(SN_ARG_MAX_MEMORY_USAGE_MB) |                    \
     SN_ARG_BIT(SN_ARG_MAX_RESPONSE_TIME_MS) | SN_ARG_BIT(SN_ARG_MAX_FRAGMENTATION) |              \
     SN_ARG_BIT(SN_ARG_CLEAR_MARGIN) | SN_ARG_BIT(SN_ARG_SLOW_OPERATION_MS) |                      \
     SN_ARG_BIT(SN_ARG_MIN_OPERATIONS))

static const struct command {
    struct sn_args_rule rule;
    sn_status (*run)(struct call *call);
} commands[] = {
    {{"get_all_metrics", 0, 0}, get_all_metrics},
    {{"get_service_metrics", SERVICE, SERVICE}, get_service_metrics},
    {{"export_metrics_prometheus", SN_ARG_BIT(SN_ARG_FORMAT), 0}, export_metrics_prometheus},
    {{"reset_service_metrics", SERVICE, SERVICE}, reset_service_metrics},
    {{"get_active_operations_count", SERVICE, 0}, get_active_operations_count},
    {{"get_error_statistics", SERVICE, 0}, get_error_statistics},
    {{"get_slow_operations", SERVICE | SN_ARG_BIT(SN_ARG_LIMIT), 0}, get_slow_operations},
    {{"get_cache_performance_metrics", 0, 0}, get_cache_performance_metrics},
    {{"get_cache_alerts", 0, 0}, get_cache_alerts},
    {{"set_cache_alert_thresholds", SERVICE | CACHE | THRESHOLDS, SERVICE | CACHE},
     set_cache_alert_thresholds},
    {{"get_memory_usage_metrics", 0, 0}, get_memory_usage_metrics},
    {{"get_gpu_utilization_metrics", ~0u, 0}, needs_server},
    {{"create_custom_alert", ~0u, 0}, needs_server},
    {{"get_metrics_history", ~0u, 0}, needs_server},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static sn_status find_command(const char *name, const struct command **ret_command,
                              struct sn_err *err) {
    const char *names[COMMAND_COUNT];
    struct sn_str word = sn_str_from(name);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i] = commands[i].rule.command;
        if (sn_str_equal(word, sn_str_from(names[i]))) {
            *ret_command = &commands[i];
            return SN_OK;
        }
    }
    const char *closest = sn_closest_name(word, names, COMMAND_COUNT);
    if (closest != NULL)
        return sn_err_set(err, SN_ERR_INVALID,
                          "there is no command \"%.64s\"; did you mean \"%s\"?", name, closest);
    return sn_err_set(err, SN_ERR_INVALID, "there is no command \"%.64s\"",
                      name != NULL ? name : "");
}

static sn_status run(struct call *call, const struct command *command, struct sn_str args,
                     struct sn_err *err) {
    struct sn_arena arena;
    sn_arena_init(&arena, ARENA_BYTES_MAX);
    sn_status status = command->run == needs_server
                           ? SN_OK
                           : sn_args_read(args, &command->rule, &arena, &call->args, err);
    if (status == SN_OK)
        status = command->run(call);
    sn_arena_release(&arena);
    if (status == SN_OK && call->json.is_done)
        status = sn_json_write_finish(&call->json, err);
    sn_buf_put_byte(&call->buf, '\0');
    if (status == SN_OK && call->buf.status != SN_OK)
        status = no_memory(call);
    return status;
}

sonde_status sonde_command(sonde_registry *registry, const char *name, const char *json_args,
                           size_t args_len, char **ret_json, size_t *ret_len, sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    struct call call = {.registry = registry, .err = &err};
    const struct command *command = NULL;
    sn_status status = find_command(name, &command, &err);
    if (status == SN_OK && args_len > SONDE_COMMAND_ARGS_BYTES_MAX)
        status = sn_err_set(&err, SN_ERR_LIMIT, "the arguments have %zu bytes, the limit is %d",
                            args_len, SONDE_COMMAND_ARGS_BYTES_MAX);
    if (status != SN_OK)
        return sn_public_error(error, (sonde_status)status, &err);
    sn_buf_init(&call.buf, 0);
    sn_json_write_init(&call.json, &call.buf, SN_JSON_NON_FINITE_TEXT);
    struct sn_str args = json_args != NULL ? sn_str_make(json_args, args_len) : SN_STR("");
    status = run(&call, command, args, &err);
    if (status == SN_OK) {
        *ret_json = (char *)call.buf.ptr;
        if (ret_len != NULL)
            *ret_len = call.buf.len - 1;
    } else {
        sn_buf_release(&call.buf);
    }
    return sn_public_error(error, (sonde_status)status, &err);
}
