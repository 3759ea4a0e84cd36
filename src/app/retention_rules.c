/* Retention rules. See retention_rules.h. */
#include "app/retention_rules.h"

#define ARENA_BYTES ((size_t)1 << 20)

static sn_status check_matchers(const struct sn_store_retention_rule *rule, struct sn_err *err) {
    for (size_t i = 0; i < rule->matcher_count; i++) {
        if (!sn_matcher_passes_empty(&rule->matchers[i]))
            return SN_OK;
    }
    return sn_err_set(err, SN_ERR_INVALID, "needs a matcher that does not match the empty text");
}

static sn_status add_rule(struct sn_retention_rules *rules,
                          const struct sn_config_retention_rule *config, int64_t retention_ms,
                          struct sn_err *err) {
    struct sn_expr *expr = &rules->exprs[rules->count];
    struct sn_store_retention_rule *rule = &rules->rules[rules->count];
    SN_TRY(sn_expr_parse_selector(sn_str_from(config->match), &rules->arena, expr, err));
    rules->count++;
    SN_TRY(sn_expr_compile(expr, err));
    *rule = (struct sn_store_retention_rule){.matchers = expr->root->vector.matchers,
                                             .matcher_count = expr->root->vector.matcher_count,
                                             .retention_ms = config->retention_ms};
    if (config->retention_ms <= 0 || config->retention_ms > retention_ms)
        return sn_err_set(err, SN_ERR_INVALID,
                          "needs a retention below storage.retention: rules only shorten it");
    return check_matchers(rule, err);
}

sn_status sn_retention_rules_init(struct sn_retention_rules *rules, const struct sn_config *config,
                                  struct sn_err *err) {
    rules->count = 0;
    sn_arena_init(&rules->arena, ARENA_BYTES);
    for (size_t i = 0; i < config->retention_rule_count; i++) {
        const struct sn_config_retention_rule *rule = &config->retention_rules[i];
        sn_status status = add_rule(rules, rule, config->retention_ms, err);
        if (status != SN_OK) {
            sn_err_prefix(err, "storage.retention_rules: %s", rule->match);
            return status;
        }
    }
    return SN_OK;
}

void sn_retention_rules_release(struct sn_retention_rules *rules) {
    for (size_t i = 0; i < rules->count; i++)
        sn_expr_release(&rules->exprs[i]);
    rules->count = 0;
    sn_arena_release(&rules->arena);
}
