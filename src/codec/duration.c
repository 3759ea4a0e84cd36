/*
 * Durations to text and back. The same table drives both directions. Any thread, no allocation.
 */
#include "codec/duration.h"

#include "base/check.h"
#include "codec/number.h"

#include <stdbool.h>

static const struct unit {
    const char *name;
    int64_t ms;
    bool is_exact; /* written only when nothing remains below it */
} units[] = {
    {"y", INT64_C(365) * 86400000, true},
    {"w", INT64_C(7) * 86400000, true},
    {"d", 86400000, false},
    {"h", 3600000, false},
    {"m", 60000, false},
    {"s", 1000, false},
    {"ms", 1, false},
};

enum {
    UNIT_COUNT = sizeof(units) / sizeof(units[0]),
    QUOTE_BYTES_MAX = 40, /* of the text in a sentence */
};

/* The unit called `name` from `first` on, UNIT_COUNT when there is none. */
static size_t find_unit(struct sn_str name, size_t first) {
    while (first < UNIT_COUNT && !sn_str_equal(name, sn_str_from(units[first].name))) {
        first++;
    }
    return first;
}

/* Cut the longest run at the start of *text whose bytes are digits, or are not. */
static struct sn_str cut_run(struct sn_str *text, bool is_of_digits) {
    size_t len = 0;
    while (len < text->len && (text->ptr[len] >= '0' && text->ptr[len] <= '9') == is_of_digits) {
        len++;
    }
    struct sn_str run = sn_str_make(text->ptr, len);
    *text = sn_str_make(text->ptr + len, text->len - len);
    return run;
}

/*
 * Cut one part ("30m") off *rest and add it. *unit is the first unit that may come, and moves on.
 * SN_ERR_INVALID: not a part, SN_ERR_LIMIT: the sum leaves 63 bits.
 */
static sn_status add_part(struct sn_str *rest, size_t *unit, int64_t *total) {
    struct sn_str digits = cut_run(rest, true);
    size_t found = find_unit(cut_run(rest, false), *unit);
    int64_t count = 0;
    if (digits.len == 0 || found == UNIT_COUNT) {
        return SN_ERR_INVALID;
    }
    SN_TRY(sn_int64_parse(digits, &count));
    if (__builtin_mul_overflow(count, units[found].ms, &count) ||
        __builtin_add_overflow(*total, count, total) || *total > SN_DURATION_MS_MAX) {
        return SN_ERR_LIMIT;
    }
    *unit = found + 1;
    return SN_OK;
}

sn_status sn_duration_parse_ms(struct sn_str text, int64_t *ret_duration_ms, struct sn_err *err) {
    struct sn_str quoted = {text.ptr, text.len < QUOTE_BYTES_MAX ? text.len : QUOTE_BYTES_MAX};
    struct sn_str rest = sn_str_equal(text, SN_STR("0")) ? SN_STR("0s") : text;
    sn_status status = rest.len > 0 ? SN_OK : SN_ERR_INVALID;
    int64_t total = 0;
    size_t unit = 0;
    while (rest.len > 0 && status == SN_OK) {
        status = add_part(&rest, &unit, &total);
    }
    if (status == SN_ERR_LIMIT) {
        return sn_err_set(err, status, "duration %.*s is longer than 292 years",
                          SN_STR_ARG(quoted));
    }
    if (status != SN_OK) {
        return sn_err_set(err, status, "\"%.*s\" is not a duration like 15s, 1h30m or 500ms",
                          SN_STR_ARG(quoted));
    }
    *ret_duration_ms = total;
    return SN_OK;
}

size_t sn_duration_format(int64_t duration_ms, char ret_text[SN_DURATION_TEXT_SIZE]) {
    uint64_t rest = duration_ms < 0 ? 0 - (uint64_t)duration_ms : (uint64_t)duration_ms;
    size_t len = 0;
    if (rest == 0) {
        memcpy(ret_text, "0s", 3);
        return 2;
    }
    if (duration_ms < 0) {
        ret_text[len++] = '-';
    }
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        uint64_t unit_ms = (uint64_t)units[i].ms;
        assert(unit_ms > 0);
        if (rest < unit_ms || (units[i].is_exact && rest % unit_ms != 0)) {
            continue;
        }
        char digits[SN_INTEGER_TEXT_SIZE];
        size_t digits_len = sn_uint64_format(rest / unit_ms, digits);
        size_t name_len = strlen(units[i].name);
        memcpy(ret_text + len, digits, digits_len);
        memcpy(ret_text + len + digits_len, units[i].name, name_len);
        len += digits_len + name_len;
        rest %= unit_ms;
    }
    ret_text[len] = '\0';
    return len;
}
