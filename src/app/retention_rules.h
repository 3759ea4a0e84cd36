/*
 * The rules of storage.retention_rules as the store wants them: selectors parsed and compiled. One thread;
 * once made, any thread may match.
 */
#ifndef SN_APP_RETENTION_RULES_H
#define SN_APP_RETENTION_RULES_H

#include "app/config.h"
#include "query/parser.h"

struct sn_retention_rules {
    struct sn_arena arena;
    struct sn_expr exprs[SN_CONFIG_RETENTION_RULES_MAX];
    struct sn_store_retention_rule rules[SN_CONFIG_RETENTION_RULES_MAX]; /* [count] */
    size_t count;
};

/* To be released in any case. SN_ERR_INVALID (a selector, a retention beyond that of all), SN_ERR_LIMIT,
 * SN_ERR_NO_MEMORY. */
sn_status sn_retention_rules_init(struct sn_retention_rules *rules, const struct sn_config *config,
                                  struct sn_err *err) SN_MUST_USE;
void sn_retention_rules_release(struct sn_retention_rules *rules);

#endif
