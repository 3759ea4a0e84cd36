/*
 * Applications in the configuration. See config_apps.h.
 */
#include "app/config_apps.h"

#include "codec/duration.h"

#include <stddef.h>

#define CHECK_TIMEOUT_MS_DEFAULT 5000
#define CHECK_TIMEOUT_MS_MAX 60000

#define APP_FIELD(member) .offset = offsetof(struct sn_config_app, member)
#define LIMITS(kind)                                                                               \
    {                                                                                              \
        {"good", SN_SCHEMA_INTEGER, APP_FIELD(limits[kind].good), .min = 0, .max = 1000000000},    \
            {"critical", SN_SCHEMA_INTEGER, APP_FIELD(limits[kind].critical), .min = 0,            \
             .max = 1000000000},                                                                   \
    }

static const struct sn_schema_key success_keys[] = LIMITS(SN_INDICATOR_SUCCESS_RATE);
static const struct sn_schema_key time_keys[] = LIMITS(SN_INDICATOR_AVERAGE_TIME);
static const struct sn_schema_key queue_keys[] = LIMITS(SN_INDICATOR_QUEUE_DEPTH);
static const struct sn_schema_key refund_keys[] = LIMITS(SN_INDICATOR_REFUND_RATE);

static const struct sn_schema_key check_keys[] = {
    {"http", SN_SCHEMA_TEXT, .offset = offsetof(struct sn_config_check, http)},
    {"redis", SN_SCHEMA_TEXT, .offset = offsetof(struct sn_config_check, redis)},
    {"timeout", SN_SCHEMA_DURATION, .offset = offsetof(struct sn_config_check, timeout_ms),
     .min = 1, .max = CHECK_TIMEOUT_MS_MAX},
};

static sn_status copy_name(struct sn_str name, struct sn_arena *arena, const char **ret_name,
                           struct sn_err *err) {
    if (name.len == 0 || sn_str_find_char(name, '\0') != SIZE_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "a name that is empty or has a NUL character");
    *ret_name = sn_arena_printf(arena, "%.*s", SN_STR_ARG(name));
    return *ret_name != NULL ? SN_OK : sn_arena_failure(arena, name.len + 1, err);
}

static sn_status add_check(void *target, struct sn_str name, struct sn_arena *arena,
                           const struct sn_schema_key **ret_children, size_t *ret_child_count,
                           void **ret_target, struct sn_err *err) {
    struct sn_config_app *app = target;
    if (app->check_count == SN_CONFIG_CHECKS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d checks", SN_CONFIG_CHECKS_MAX);
    struct sn_config_check *check = &app->checks[app->check_count];
    *check = (struct sn_config_check){.timeout_ms = CHECK_TIMEOUT_MS_DEFAULT};
    SN_TRY(copy_name(name, arena, &check->name, err));
    app->check_count++;
    *ret_children = check_keys;
    *ret_child_count = sizeof check_keys / sizeof check_keys[0];
    *ret_target = check;
    return SN_OK;
}

#define TABLE(rows) .children = (rows), .child_count = sizeof(rows) / sizeof((rows)[0])
static const struct sn_schema_key app_keys[] = {
    {"success_rate", SN_SCHEMA_MAP, TABLE(success_keys)},
    {"average_time_seconds", SN_SCHEMA_MAP, TABLE(time_keys)},
    {"queue_depth", SN_SCHEMA_MAP, TABLE(queue_keys)},
    {"refund_rate", SN_SCHEMA_MAP, TABLE(refund_keys)},
    {"checks", SN_SCHEMA_FREE_MAP, .entry = add_check},
};

static const struct sn_schema_key class_keys[] = {
    {"words", SN_SCHEMA_TEXT, .offset = offsetof(struct sn_config_class, words)},
};

sn_status sn_config_add_app(void *target, struct sn_str name, struct sn_arena *arena,
                            const struct sn_schema_key **ret_children, size_t *ret_child_count,
                            void **ret_target, struct sn_err *err) {
    struct sn_config_apps *apps = target;
    if (apps->apps == NULL)
        apps->apps = sn_arena_alloc_zero(arena, SN_CONFIG_APPS_MAX, sizeof *apps->apps);
    if (apps->apps == NULL)
        return sn_arena_failure(arena, SN_CONFIG_APPS_MAX * sizeof *apps->apps, err);
    if (apps->app_count == SN_CONFIG_APPS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d applications", SN_CONFIG_APPS_MAX);
    struct sn_config_app *app = &apps->apps[apps->app_count];
    SN_TRY(copy_name(name, arena, &app->name, err));
    for (int i = 0; i < SN_INDICATOR_COUNT; i++) {
        struct sn_indicator_limits limits = sn_indicator_default((enum sn_indicator_kind)i);
        app->limits[i] = (struct sn_config_limits){.good = (int64_t)limits.good,
                                                   .critical = (int64_t)limits.critical};
    }
    apps->app_count++;
    *ret_children = app_keys;
    *ret_child_count = sizeof app_keys / sizeof app_keys[0];
    *ret_target = app;
    return SN_OK;
}

sn_status sn_config_add_class(void *target, struct sn_str name, struct sn_arena *arena,
                              const struct sn_schema_key **ret_children, size_t *ret_child_count,
                              void **ret_target, struct sn_err *err) {
    struct sn_config_apps *apps = target;
    if (apps->classes == NULL)
        apps->classes = sn_arena_alloc_zero(arena, SN_CONFIG_CLASSES_MAX, sizeof *apps->classes);
    if (apps->classes == NULL)
        return sn_arena_failure(arena, SN_CONFIG_CLASSES_MAX * sizeof *apps->classes, err);
    if (apps->class_count == SN_CONFIG_CLASSES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d classes of errors",
                          SN_CONFIG_CLASSES_MAX);
    struct sn_config_class *found = &apps->classes[apps->class_count];
    SN_TRY(copy_name(name, arena, &found->name, err));
    apps->class_count++;
    *ret_children = class_keys;
    *ret_child_count = sizeof class_keys / sizeof class_keys[0];
    *ret_target = found;
    return SN_OK;
}

/* ---- checking ---- */

static sn_status check_app(const struct sn_config_app *app, struct sn_err *err) {
    for (int i = 0; i < SN_INDICATOR_COUNT; i++) {
        bool is_rising = i == SN_INDICATOR_SUCCESS_RATE;
        const struct sn_config_limits *limits = &app->limits[i];
        if (is_rising ? limits->good < limits->critical : limits->good > limits->critical)
            return sn_err_set(err, SN_ERR_INVALID, "apps.%s.%s: good is worse than critical",
                              app->name, sn_indicator_name((enum sn_indicator_kind)i));
    }
    for (size_t i = 0; i < app->check_count; i++)
        if ((app->checks[i].http != NULL) == (app->checks[i].redis != NULL))
            return sn_err_set(err, SN_ERR_INVALID,
                              "apps.%s.checks.%s: one of http and redis is needed", app->name,
                              app->checks[i].name);
    return SN_OK;
}

sn_status sn_config_apps_check(const struct sn_config_apps *apps, struct sn_err *err) {
    for (size_t i = 0; i < apps->app_count; i++)
        SN_TRY(check_app(&apps->apps[i], err));
    for (size_t i = 0; i < apps->class_count; i++)
        if (apps->classes[i].words == NULL || apps->classes[i].words[0] == '\0')
            return sn_err_set(err, SN_ERR_INVALID, "error_classes.%s: words are missing",
                              apps->classes[i].name);
    return SN_OK;
}

/* ---- as the API wants it ---- */

static sn_status make_app(const struct sn_config_app *from, struct sn_arena *arena,
                          struct sn_app *app, struct sn_err *err) {
    struct sn_app_check *checks = sn_arena_alloc_zero(arena, from->check_count, sizeof *checks);
    if (checks == NULL)
        return sn_arena_failure(arena, from->check_count * sizeof *checks, err);
    for (size_t i = 0; i < from->check_count; i++) {
        const struct sn_config_check *check = &from->checks[i];
        checks[i] = (struct sn_app_check){
            .name = check->name,
            .kind = check->http != NULL ? SN_APP_CHECK_HTTP : SN_APP_CHECK_REDIS,
            .target = check->http != NULL ? check->http : check->redis,
            .timeout_ms = check->timeout_ms};
    }
    *app = (struct sn_app){.name = from->name, .checks = checks, .check_count = from->check_count};
    for (int i = 0; i < SN_INDICATOR_COUNT; i++)
        app->limits[i] = (struct sn_indicator_limits){.good = (double)from->limits[i].good,
                                                      .critical = (double)from->limits[i].critical};
    return SN_OK;
}

sn_status sn_config_apps_make(const struct sn_config_apps *apps, struct sn_arena *arena,
                              struct sn_app **ret_apps, struct sn_error_rules *ret_rules,
                              struct sn_err *err) {
    struct sn_app *items = sn_arena_alloc_zero(arena, apps->app_count, sizeof *items);
    struct sn_error_rule *rules = sn_arena_alloc_zero(arena, apps->class_count, sizeof *rules);
    if (items == NULL || rules == NULL)
        return sn_arena_failure(arena, apps->app_count * sizeof *items, err);
    for (size_t i = 0; i < apps->app_count; i++)
        SN_TRY(make_app(&apps->apps[i], arena, &items[i], err));
    for (size_t i = 0; i < apps->class_count; i++)
        rules[i] = (struct sn_error_rule){.error_class = sn_str_from(apps->classes[i].name),
                                          .words = sn_str_from(apps->classes[i].words)};
    *ret_apps = items;
    *ret_rules = (struct sn_error_rules){.items = rules, .count = apps->class_count};
    return SN_OK;
}

/* ---- as YAML ---- */

static void put_quoted(struct sn_buf *buf, const char *text) {
    sn_buf_put_byte(buf, '"');
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x20 || c == 0x7f)
            sn_buf_printf(buf, "\\x%02x", c);
        else {
            if (c == '"' || c == '\\')
                sn_buf_put_byte(buf, '\\');
            sn_buf_put_byte(buf, c);
        }
    }
    sn_buf_put_byte(buf, '"');
}

static void put_check(struct sn_buf *buf, const struct sn_config_check *check) {
    char timeout[SN_DURATION_TEXT_SIZE];
    (void)sn_duration_format(check->timeout_ms, timeout); /* its length */
    sn_buf_put_text(buf, "      ");
    put_quoted(buf, check->name);
    sn_buf_printf(buf, ": {%s: ", check->http != NULL ? "http" : "redis");
    put_quoted(buf, check->http != NULL ? check->http : check->redis != NULL ? check->redis : "");
    sn_buf_printf(buf, ", timeout: %s}\n", timeout);
}

void sn_config_apps_write(const struct sn_config_apps *apps, struct sn_buf *buf) {
    if (apps->app_count > 0)
        sn_buf_put_text(buf, "apps:\n");
    for (size_t i = 0; i < apps->app_count; i++) {
        const struct sn_config_app *app = &apps->apps[i];
        sn_buf_put_text(buf, "  ");
        put_quoted(buf, app->name);
        sn_buf_put_text(buf, ":\n");
        for (int j = 0; j < SN_INDICATOR_COUNT; j++)
            sn_buf_printf(buf, "    %s: {good: %lld, critical: %lld}\n",
                          sn_indicator_name((enum sn_indicator_kind)j),
                          (long long)app->limits[j].good, (long long)app->limits[j].critical);
        if (app->check_count > 0)
            sn_buf_put_text(buf, "    checks:\n");
        for (size_t j = 0; j < app->check_count; j++)
            put_check(buf, &app->checks[j]);
    }
    if (apps->class_count > 0)
        sn_buf_put_text(buf, "error_classes:\n");
    for (size_t i = 0; i < apps->class_count; i++) {
        sn_buf_put_text(buf, "  ");
        put_quoted(buf, apps->classes[i].name);
        sn_buf_put_text(buf, ": {words: ");
        put_quoted(buf, apps->classes[i].words != NULL ? apps->classes[i].words : "");
        sn_buf_put_text(buf, "}\n");
    }
}
