/*
 * The system's clocks, the tests' clock, and RFC 3339 text. This file and lock.c, whose waits are
 * real, are the only ones that ask the system for the time. No time zone, no locale.
 */
#include "base/clock.h"

#include "base/limits.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define MS_PER_DAY INT64_C(86400000)

static int64_t system_mono_ns(void *ctx) {
    (void)ctx;
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t system_wall_ms(void *ctx) {
    (void)ctx;
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS;
}

int64_t sn_clock_system_wall_ns(void) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void system_sleep_ns(void *ctx, int64_t duration_ns) {
    (void)ctx;
    if (duration_ns <= 0)
        return;
    struct timespec left = {(time_t)(duration_ns / NS_PER_S), duration_ns % NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
        /* `left` holds what remains. */
    }
}

const struct sn_clock *sn_clock_system(void) {
    static const struct sn_clock clock = {
        .mono_ns = system_mono_ns,
        .wall_ms = system_wall_ms,
        .sleep_ns = system_sleep_ns,
    };
    return &clock;
}

static int64_t fake_mono_ns(void *ctx) {
    struct sn_fake_clock *fake = ctx;
    return atomic_load_explicit(&fake->mono_ns, memory_order_relaxed);
}

static int64_t fake_wall_ms(void *ctx) {
    struct sn_fake_clock *fake = ctx;
    return atomic_load_explicit(&fake->wall_ms, memory_order_relaxed);
}

/* The wall clock follows in whole milliseconds of the monotonic one, so no remainder gets lost. */
static void fake_sleep_ns(void *ctx, int64_t duration_ns) {
    struct sn_fake_clock *fake = ctx;
    if (duration_ns <= 0)
        return;
    int64_t before = atomic_fetch_add_explicit(&fake->mono_ns, duration_ns, memory_order_relaxed);
    int64_t passed_ms = (before + duration_ns) / NS_PER_MS - before / NS_PER_MS;
    atomic_fetch_add_explicit(&fake->wall_ms, passed_ms, memory_order_relaxed);
}

void sn_fake_clock_init(struct sn_fake_clock *fake, int64_t mono_ns, int64_t wall_ms) {
    fake->clock = (struct sn_clock){fake, fake_mono_ns, fake_wall_ms, fake_sleep_ns};
    atomic_init(&fake->mono_ns, mono_ns);
    atomic_init(&fake->wall_ms, wall_ms);
}

void sn_fake_clock_advance_ms(struct sn_fake_clock *fake, int64_t ms) {
    atomic_fetch_add_explicit(&fake->mono_ns, ms * NS_PER_MS, memory_order_relaxed);
    atomic_fetch_add_explicit(&fake->wall_ms, ms, memory_order_relaxed);
}

struct date {
    unsigned year;
    unsigned month; /* 1 to 12 */
    unsigned day;   /* 1 to 31 */
};

/*
 * Gregorian date of a day since 1970-01-01. Years start in March here, so that the leap day is the
 * last day of a year and months have 153 days per five: 31 30 31 30 31. 400 years are 146097 days.
 */
static struct date date_of_day(uint64_t days_since_1970) {
    uint64_t day = days_since_1970 + 719468; /* since 0000-03-01 */
    uint64_t era = day / 146097;
    uint64_t day_of_era = day % 146097;
    uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t month_from_march = (5 * day_of_year + 2) / 153;
    bool is_next_year = month_from_march >= 10; /* January and February */
    return (struct date){
        .year = (unsigned)(era * 400 + year_of_era + is_next_year),
        .month = (unsigned)(is_next_year ? month_from_march - 9 : month_from_march + 3),
        .day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
    };
}

/* Write `digits` decimal digits and then `end`; returns what follows. */
static char *put_number(char *at, unsigned value, unsigned digits, char end) {
    for (unsigned i = digits; i-- > 0; value /= 10)
        at[i] = (char)('0' + value % 10);
    at[digits] = end;
    return at + digits + 1;
}

void sn_time_format(int64_t wall_ms, char ret_text[SN_TIME_TEXT_SIZE]) {
    if (wall_ms < SN_TIME_MS_MIN)
        wall_ms = SN_TIME_MS_MIN;
    if (wall_ms > SN_TIME_MS_MAX)
        wall_ms = SN_TIME_MS_MAX;
    struct date date = date_of_day((uint64_t)(wall_ms / MS_PER_DAY));
    unsigned ms = (unsigned)(wall_ms % MS_PER_DAY);
    char *at = ret_text;
    at = put_number(at, date.year, 4, '-');
    at = put_number(at, date.month, 2, '-');
    at = put_number(at, date.day, 2, 'T');
    at = put_number(at, ms / 3600000, 2, ':');
    at = put_number(at, ms / 60000 % 60, 2, ':');
    at = put_number(at, ms / 1000 % 60, 2, '.');
    at = put_number(at, ms % 1000, 3, 'Z');
    *at = '\0';
}
