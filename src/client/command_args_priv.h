/*
 * Arguments of commands: which there are, and reading them strictly. One thread.
 */
#ifndef SN_CLIENT_COMMAND_ARGS_PRIV_H
#define SN_CLIENT_COMMAND_ARGS_PRIV_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>

/* All arguments of all commands. */
enum sn_arg {
    SN_ARG_SERVICE,
    SN_ARG_FORMAT,
    SN_ARG_LIMIT,
    SN_ARG_CACHE,
    SN_ARG_MIN_HIT_RATE,
    SN_ARG_MAX_MEMORY_USAGE_MB,
    SN_ARG_MAX_RESPONSE_TIME_MS,
    SN_ARG_MAX_FRAGMENTATION,
    SN_ARG_CLEAR_MARGIN,
    SN_ARG_SLOW_OPERATION_MS,
    SN_ARG_MIN_OPERATIONS,
    SN_ARG_COUNT
};

#define SN_ARG_BIT(arg) (1u << (arg))

struct sn_args {
    unsigned given; /* SN_ARG_BITs */
    struct sn_str texts[SN_ARG_COUNT];
    double numbers[SN_ARG_COUNT];
    uint64_t integers[SN_ARG_COUNT];
};

/* What a command takes. */
struct sn_args_rule {
    const char *command; /* for sentences */
    unsigned allowed;    /* SN_ARG_BITs */
    unsigned required;
};

/*
 * Read arguments.
 *
 *   json      "" means {}; borrowed as long as ret_args is used
 *   arena     where strings with escapes go
 *
 * Returns SN_OK, SN_ERR_INVALID (not JSON, unknown, missing, given twice, of another kind),
 * SN_ERR_LIMIT (a number out of its type's range), SN_ERR_NO_MEMORY.
 */
sn_status sn_args_read(struct sn_str json, const struct sn_args_rule *rule, struct sn_arena *arena,
                       struct sn_args *ret_args, struct sn_err *err) SN_MUST_USE;

static inline bool sn_args_has(const struct sn_args *args, enum sn_arg arg) {
    return (args->given & SN_ARG_BIT(arg)) != 0;
}

/*
 * "did you mean": the name closest to a misspelt word, at most 3 edits away; NULL when none is.
 *
 *   names  [count], NULL entries are passed over
 */
const char *sn_closest_name(struct sn_str word, const char *const *names, size_t count);

#endif
