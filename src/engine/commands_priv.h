/*
 * What the files of the commands share: one call, its arguments, its answer.
 */
#ifndef SN_ENGINE_COMMANDS_PRIV_H
#define SN_ENGINE_COMMANDS_PRIV_H

#include "engine/commands.h"

/* Arguments that any command takes; which one takes which is in the table of commands.c. */
enum sn_command_arg {
    SN_COMMAND_SERVICE,
    SN_COMMAND_CACHE,
    SN_COMMAND_MATCH,
    SN_COMMAND_NAME,
    SN_COMMAND_EXPR,
    SN_COMMAND_FOR,
    SN_COMMAND_SEVERITY,
    SN_COMMAND_DESCRIPTION,
    SN_COMMAND_QUERY,
    SN_COMMAND_START,
    SN_COMMAND_END,
    SN_COMMAND_STEP,
    SN_COMMAND_TEXT_COUNT, /* what stands above is text, below are numbers */
    SN_COMMAND_LIMIT = SN_COMMAND_TEXT_COUNT,
    SN_COMMAND_HOURS,
    SN_COMMAND_DAYS,
    SN_COMMAND_MIN_HIT_RATE,
    SN_COMMAND_MAX_MEMORY_USAGE_MB,
    SN_COMMAND_MAX_RESPONSE_TIME_MS,
    SN_COMMAND_MAX_FRAGMENTATION,
    SN_COMMAND_ARG_COUNT,
};
#define SN_COMMAND_BIT(arg) (UINT32_C(1) << (arg))

struct sn_command_call {
    const struct sn_commands *commands;
    struct sn_arena *arena;
    struct sn_json_writer *json;
    struct sn_err *err;
    int64_t now_ms;
    uint32_t given;                             /* bits */
    struct sn_str texts[SN_COMMAND_TEXT_COUNT]; /* ptr NULL: not given */
    double numbers[SN_COMMAND_ARG_COUNT];       /* by the same index */
};

static inline bool sn_commands_has(const struct sn_command_call *call, enum sn_command_arg arg) {
    return (call->given & SN_COMMAND_BIT(arg)) != 0;
}

/* An instant query, or a range query when step_ms > 0. */
sn_status sn_commands_query(struct sn_command_call *call, struct sn_str expression,
                            struct sn_range range, int64_t step_ms,
                            struct sn_query_result *ret_result) SN_MUST_USE;

/* Each writes the whole answer. */
sn_status sn_commands_get_caches(struct sn_command_call *call) SN_MUST_USE;
sn_status sn_commands_get_cache_alerts(struct sn_command_call *call) SN_MUST_USE;
sn_status sn_commands_set_cache_thresholds(struct sn_command_call *call) SN_MUST_USE;
sn_status sn_commands_get_memory(struct sn_command_call *call) SN_MUST_USE;
sn_status sn_commands_get_gpu(struct sn_command_call *call) SN_MUST_USE;
sn_status sn_commands_export(struct sn_command_call *call) SN_MUST_USE;
sn_status sn_commands_create_alert(struct sn_command_call *call) SN_MUST_USE;
sn_status sn_commands_get_history(struct sn_command_call *call) SN_MUST_USE;

#endif
