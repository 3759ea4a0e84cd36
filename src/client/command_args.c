/*
 * Reading the arguments of commands. See command_args_priv.h.
 */
#include "client/command_args_priv.h"

#include "codec/json_read.h"

#define DISTANCE_MAX 3
#define SHOWN_BYTES 64 /* of a name that we do not know */

enum arg_kind { ARG_TEXT, ARG_NUMBER, ARG_INTEGER };

static const struct {
    const char *name;
    enum arg_kind kind;
} known[SN_ARG_COUNT] = {
    [SN_ARG_SERVICE] = {"service", ARG_TEXT},
    [SN_ARG_FORMAT] = {"format", ARG_TEXT},
    [SN_ARG_LIMIT] = {"limit", ARG_INTEGER},
    [SN_ARG_CACHE] = {"cache", ARG_TEXT},
    [SN_ARG_MIN_HIT_RATE] = {"min_hit_rate", ARG_NUMBER},
    [SN_ARG_MAX_MEMORY_USAGE_MB] = {"max_memory_usage_mb", ARG_NUMBER},
    [SN_ARG_MAX_RESPONSE_TIME_MS] = {"max_response_time_ms", ARG_NUMBER},
    [SN_ARG_MAX_FRAGMENTATION] = {"max_fragmentation", ARG_NUMBER},
    [SN_ARG_CLEAR_MARGIN] = {"clear_margin", ARG_NUMBER},
    [SN_ARG_SLOW_OPERATION_MS] = {"slow_operation_ms", ARG_NUMBER},
    [SN_ARG_MIN_OPERATIONS] = {"min_operations", ARG_INTEGER},
};

const char *sn_closest_name(struct sn_str word, const char *const *names, size_t count) {
    const char *best = NULL;
    unsigned best_distance = DISTANCE_MAX + 1;
    for (size_t i = 0; i < count; i++) {
        if (names[i] == NULL)
            continue;
        unsigned distance = sn_str_distance(word, sn_str_from(names[i]), DISTANCE_MAX);
        if (distance < best_distance) {
            best = names[i];
            best_distance = distance;
        }
    }
    return best;
}

static void fail_unknown(struct sn_json_reader *json, const struct sn_args_rule *rule,
                         struct sn_str key) {
    const char *names[SN_ARG_COUNT] = {NULL};
    for (int i = 0; i < SN_ARG_COUNT; i++)
        names[i] = (rule->allowed & SN_ARG_BIT(i)) != 0 ? known[i].name : NULL;
    const char *closest = sn_closest_name(key, names, SN_ARG_COUNT);
    int shown = key.len < SHOWN_BYTES ? (int)key.len : SHOWN_BYTES;
    if (closest != NULL)
        sn_json_read_fail(json, SN_ERR_INVALID, "%s has no argument \"%.*s\"; did you mean \"%s\"?",
                          rule->command, shown, key.ptr, closest);
    else
        sn_json_read_fail(json, SN_ERR_INVALID, "%s has no argument \"%.*s\"", rule->command, shown,
                          key.ptr);
}

static void read_value(struct sn_json_reader *json, int arg, struct sn_args *args) {
    switch (known[arg].kind) {
    case ARG_TEXT:
        args->texts[arg] = sn_json_read_string(json);
        break;
    case ARG_NUMBER:
        args->numbers[arg] = sn_json_read_double(json);
        break;
    case ARG_INTEGER:
        args->integers[arg] = sn_json_read_uint64(json);
        break;
    }
    args->given |= SN_ARG_BIT(arg);
}

static void read_member(struct sn_json_reader *json, const struct sn_args_rule *rule,
                        struct sn_str key, struct sn_args *args) {
    for (int i = 0; i < SN_ARG_COUNT; i++) {
        if ((rule->allowed & SN_ARG_BIT(i)) != 0 && sn_str_equal(key, sn_str_from(known[i].name))) {
            read_value(json, i, args);
            return;
        }
    }
    fail_unknown(json, rule, key);
}

sn_status sn_args_read(struct sn_str json_text, const struct sn_args_rule *rule,
                       struct sn_arena *arena, struct sn_args *ret_args, struct sn_err *err) {
    struct sn_args args = {0};
    if (json_text.len > 0) {
        struct sn_json_reader json;
        struct sn_str key;
        struct sn_json_options options = {.arena = arena};
        sn_json_read_init(&json, json_text, &options);
        if (sn_json_read_object(&json)) {
            while (sn_json_read_key(&json, &key))
                read_member(&json, rule, key, &args);
        }
        SN_TRY(sn_json_read_finish(&json, err));
    }
    unsigned missing = rule->required & ~args.given;
    if (missing != 0)
        return sn_err_set(err, SN_ERR_INVALID, "%s needs the argument \"%s\"", rule->command,
                          known[__builtin_ctz(missing)].name);
    *ret_args = args;
    return SN_OK;
}
