/*
 * Time as an argument, so that tests own it. Durations come from the monotonic clock in
 * nanoseconds, timestamps are Unix milliseconds.
 */
#ifndef SN_BASE_CLOCK_H
#define SN_BASE_CLOCK_H

#include <stdint.h>

struct sn_clock {
    void *ctx;
    int64_t (*mono_ns)(void *ctx); /* never goes back; zero point is arbitrary */
    int64_t (*wall_ms)(void *ctx); /* Unix epoch; may jump */
    /* Sleep for duration_ns, or less when the clock is a fake that somebody advances. */
    void (*sleep_ns)(void *ctx, int64_t duration_ns);
};

/* The system's clocks. Static, valid for ever, any thread. */
const struct sn_clock *sn_clock_system(void);

/* The system's wall clock in Unix nanoseconds, for log lines. Any thread. */
int64_t sn_clock_system_wall_ns(void);

static inline int64_t sn_clock_mono_ns(const struct sn_clock *clock) {
    return clock->mono_ns(clock->ctx);
}
static inline int64_t sn_clock_wall_ms(const struct sn_clock *clock) {
    return clock->wall_ms(clock->ctx);
}

/*
 * A clock for tests: starts at the given times and moves only when told to. sleep_ns advances
 * it. Fields are relaxed atomics: any thread.
 */
struct sn_fake_clock {
    struct sn_clock clock; /* pass &fake.clock */
    _Atomic int64_t mono_ns;
    _Atomic int64_t wall_ms;
};
void sn_fake_clock_init(struct sn_fake_clock *fake, int64_t mono_ns, int64_t wall_ms);
void sn_fake_clock_advance_ms(struct sn_fake_clock *fake, int64_t ms);

/*
 * RFC 3339 with milliseconds and Z ("2026-11-21T10:11:12.345Z"): 24 bytes and NUL. Times outside
 * SN_TIME_MS_MIN to SN_TIME_MS_MAX print as the nearer end.
 */
#define SN_TIME_TEXT_SIZE 32
void sn_time_format(int64_t wall_ms, char ret_text[SN_TIME_TEXT_SIZE]);

#endif
