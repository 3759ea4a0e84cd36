/*
 * Points in time from text. Any thread, no allocation; leap years are counted, time zones of the
 * host are not asked.
 */
#include "codec/timetext.h"

#include "base/limits.h"
#include "codec/number.h"

#include <stdbool.h>

enum { QUOTE_BYTES_MAX = 40 /* of the text in a sentence */ };

static bool is_leap_year(int64_t year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_of_month(int64_t year, int64_t month) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap_year(year));
}

/* Days from 1970-01-01 to the first day of a year from 0 on. */
static int64_t days_before_year(int64_t year) {
    int64_t past = year > 0 ? year - 1 : 0;
    int64_t leap_days = year > 0 ? past / 4 - past / 100 + past / 400 + 1 : 0;
    return year * 365 + leap_days - 719528;
}

/*
 * Read exactly `count` digits at *at as a number from `min` to `max` and move on. False: other
 * bytes, or out of range.
 */
static bool take_number(struct sn_str *text, size_t count, int64_t min, int64_t max, int64_t *ret) {
    int64_t value = 0;
    if (text->len < count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        char c = text->ptr[i];
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (c - '0');
    }
    *text = sn_str_make(text->ptr + count, text->len - count);
    *ret = value;
    return value >= min && value <= max;
}

/* Move on behind one of the characters of `set`; '\0' when there is none. */
static char take_one_of(struct sn_str *text, struct sn_str set) {
    if (text->len == 0 || sn_str_find_char(set, text->ptr[0]) == SIZE_MAX) {
        return '\0';
    }
    char c = text->ptr[0];
    *text = sn_str_make(text->ptr + 1, text->len - 1);
    return c;
}

/* "2026-11-21" as days since 1970. */
static bool take_date(struct sn_str *text, int64_t *ret_days) {
    int64_t year;
    int64_t month;
    int64_t day;
    if (!take_number(text, 4, 0, 9999, &year) || !take_one_of(text, SN_STR("-")) ||
        !take_number(text, 2, 1, 12, &month) || !take_one_of(text, SN_STR("-")) ||
        !take_number(text, 2, 1, days_of_month(year, month), &day)) {
        return false;
    }
    int64_t days = days_before_year(year) + day - 1;
    for (int64_t m = 1; m < month; m++) {
        days += days_of_month(year, m);
    }
    *ret_days = days;
    return true;
}

/* ".5", ".123456": digits below a millisecond are dropped. Nothing is 0. */
static bool take_fraction_ms(struct sn_str *text, int64_t *ret_ms) {
    int64_t ms = 0;
    int64_t unit = 100;
    int64_t digit;
    *ret_ms = 0;
    if (!take_one_of(text, SN_STR("."))) {
        return true;
    }
    if (!take_number(text, 1, 0, 9, &digit)) {
        return false;
    }
    do {
        ms += digit * unit;
        unit /= 10;
    } while (take_number(text, 1, 0, 9, &digit));
    *ret_ms = ms;
    return true;
}

/* "10:11:12.345" as milliseconds of the day. */
static bool take_clock(struct sn_str *text, int64_t *ret_ms) {
    int64_t hour;
    int64_t minute;
    int64_t second;
    int64_t ms;
    if (!take_number(text, 2, 0, 23, &hour) || !take_one_of(text, SN_STR(":")) ||
        !take_number(text, 2, 0, 59, &minute) || !take_one_of(text, SN_STR(":")) ||
        !take_number(text, 2, 0, 59, &second) || !take_fraction_ms(text, &ms)) {
        return false;
    }
    *ret_ms = ((hour * 60 + minute) * 60 + second) * 1000 + ms;
    return true;
}

/* "Z" or "+01:00" as the milliseconds that local time is ahead of UTC. */
static bool take_offset(struct sn_str *text, int64_t *ret_ms) {
    int64_t hours;
    int64_t minutes;
    char sign = take_one_of(text, SN_STR("Zz+-"));
    *ret_ms = 0;
    if (sign == 'Z' || sign == 'z') {
        return true;
    }
    if (sign == '\0' || !take_number(text, 2, 0, 23, &hours) || !take_one_of(text, SN_STR(":")) ||
        !take_number(text, 2, 0, 59, &minutes)) {
        return false;
    }
    *ret_ms = (hours * 60 + minutes) * (sign == '-' ? -60000 : 60000);
    return true;
}

static bool parse_rfc3339(struct sn_str text, int64_t *ret_time_ms) {
    int64_t days;
    int64_t clock_ms;
    int64_t offset_ms;
    if (!take_date(&text, &days) || !take_one_of(&text, SN_STR("Tt ")) ||
        !take_clock(&text, &clock_ms) || !take_offset(&text, &offset_ms) || text.len != 0) {
        return false;
    }
    *ret_time_ms = days * 86400000 + clock_ms - offset_ms;
    return true;
}

/* Unix seconds. False: not a number, or NaN. What is far out of range becomes INT64_MIN or _MAX. */
static bool parse_seconds(struct sn_str text, int64_t *ret_time_ms) {
    const double far = 1e12;
    double seconds = 0;
    sn_status status = sn_double_parse(text, &seconds);
    if (status == SN_ERR_LIMIT || seconds > far || seconds < -far) {
        bool is_negative = text.ptr[0] == '-';
        *ret_time_ms = is_negative ? INT64_MIN : INT64_MAX;
        return true;
    }
    if (status != SN_OK || seconds != seconds) {
        return false;
    }
    double ms = seconds * 1000;
    *ret_time_ms = (int64_t)(ms < 0 ? ms - 0.5 : ms + 0.5);
    return true;
}

sn_status sn_time_parse_ms(struct sn_str text, int64_t *ret_time_ms, struct sn_err *err) {
    struct sn_str quoted = {text.ptr, text.len < QUOTE_BYTES_MAX ? text.len : QUOTE_BYTES_MAX};
    int64_t time_ms;
    if (!parse_rfc3339(text, &time_ms) && !parse_seconds(text, &time_ms)) {
        return sn_err_set(err, SN_ERR_INVALID,
                          "\"%.*s\" is neither a time like 2026-11-21T10:11:12Z nor Unix seconds",
                          SN_STR_ARG(quoted));
    }
    if (time_ms < SN_TIME_MS_MIN || time_ms > SN_TIME_MS_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT, "time %.*s is not in the years 1970 to 9999",
                          SN_STR_ARG(quoted));
    }
    *ret_time_ms = time_ms;
    return SN_OK;
}
