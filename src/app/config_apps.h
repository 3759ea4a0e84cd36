/*
 * The part of the configuration about applications: thresholds, health checks, classes of errors.
 */
#ifndef SN_APP_CONFIG_APPS_H
#define SN_APP_CONFIG_APPS_H

#include "api/apps_api.h"
#include "app/schema.h"
#include "base/buf.h"

#define SN_CONFIG_APPS_MAX 32
#define SN_CONFIG_CHECKS_MAX 16 /* of one application; they run one after the other */
#define SN_CONFIG_CLASSES_MAX SN_ERROR_RULES_MAX

/* In the file whole numbers; struct sn_app has doubles. */
struct sn_config_limits {
    int64_t good;
    int64_t critical;
};

struct sn_config_check {
    const char *name;
    const char *http; /* one of the two */
    const char *redis;
    int64_t timeout_ms;
};

struct sn_config_app {
    const char *name;
    struct sn_config_limits limits[SN_INDICATOR_COUNT];
    struct sn_config_check checks[SN_CONFIG_CHECKS_MAX];
    size_t check_count;
};

struct sn_config_class {
    const char *name;
    const char *words;
};

/* In the configuration's arena. */
struct sn_config_apps {
    struct sn_config_app *apps; /* [app_count] of SN_CONFIG_APPS_MAX; NULL: none */
    size_t app_count;
    struct sn_config_class *classes; /* [class_count] of SN_CONFIG_CLASSES_MAX; NULL: none */
    size_t class_count;
};

/* Entries of the maps `apps` and `error_classes`; the target is a struct sn_config_apps. */
sn_status sn_config_add_app(void *target, struct sn_str name, struct sn_arena *arena,
                            const struct sn_schema_key **ret_children, size_t *ret_child_count,
                            void **ret_target, struct sn_err *err);
sn_status sn_config_add_class(void *target, struct sn_str name, struct sn_arena *arena,
                              const struct sn_schema_key **ret_children, size_t *ret_child_count,
                              void **ret_target, struct sn_err *err);

/* What no single key can tell: a check asks one thing, thresholds are in order, a class has words.
 * SN_ERR_INVALID. */
sn_status sn_config_apps_check(const struct sn_config_apps *apps, struct sn_err *err) SN_MUST_USE;

/* As the API wants it, in the arena. SN_ERR_NO_MEMORY, SN_ERR_LIMIT. */
sn_status sn_config_apps_make(const struct sn_config_apps *apps, struct sn_arena *arena,
                              struct sn_app **ret_apps, struct sn_error_rules *ret_rules,
                              struct sn_err *err) SN_MUST_USE;

/* Append as YAML. */
void sn_config_apps_write(const struct sn_config_apps *apps, struct sn_buf *buf);

#endif
