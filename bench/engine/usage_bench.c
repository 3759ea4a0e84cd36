/*
 * Top users over a million events of the last day: hours that are summed up, and the two at the ends
 * of the period that are read event by event.
 *
 *   bench_engine_usage [EVENTS [USERS]]    default 1,000,000 and 10,000
 *   TMPDIR=DIR                             where the database goes
 */
#include "base/clock.h"
#include "base/os.h"
#include "base/rng.h"
#include "engine/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1000, EVENTS_DEFAULT = 1000000, USERS_DEFAULT = 10000, READS = 10 };
/* In the middle of an hour. */
#define NOW_MS (INT64_C(472222) * SN_HOUR_MS + SN_HOUR_MS / 2)
#define DAY_MS (24 * SN_HOUR_MS)

static void must(sn_status status, const struct sn_err *err) {
    if (status == SN_OK)
        return;
    (void)fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static double now_s(void) {
    return (double)sn_clock_mono_ns(sn_clock_system()) / 1e9;
}

static void fill(struct sn_records *records, size_t count, size_t users) {
    static struct sn_app_event batch[BATCH];
    static char ids[BATCH][16];
    struct sn_err err = {.status = SN_OK};
    struct sn_rng rng;
    sn_rng_init(&rng, 1);
    for (size_t i = 0; i < count; i += BATCH) {
        for (size_t j = 0; j < BATCH; j++) {
            uint64_t a = sn_rng_below(&rng, users), b = sn_rng_below(&rng, users);
            (void)snprintf(ids[j], sizeof ids[j], "user-%u", (unsigned)(a < b ? a : b));
            batch[j] = (struct sn_app_event){
                .app = SN_STR("app"),
                .type = SN_STR("generation"),
                .user_id = sn_str_from(ids[j]),
                .time_ms = NOW_MS - DAY_MS + DAY_MS / (int64_t)count * (int64_t)(i + j),
                .has_duration = true,
                .duration_ms = (double)sn_rng_below(&rng, 60000),
                .quantity = 1,
                .credits = 1,
            };
        }
        struct sn_records_push push = {.events = batch, .event_count = BATCH};
        must(sn_records_push_wait(records, &push, &err), &err);
    }
}

static void run(struct sn_records *records, const struct sn_clock *clock, size_t count,
                size_t users) {
    struct sn_usage_sealer sealer;
    struct sn_err err = {.status = SN_OK};
    const struct sn_range_ms range = {NOW_MS - DAY_MS, NOW_MS + 1};
    size_t sealed = 0;
    double start = now_s(), best = 1e9;
    fill(records, count, users);
    printf("events stored, batches of 1,000   %8.0f events/s\n", (double)count / (now_s() - start));
    sn_usage_sealer_init(&sealer, records, clock);
    start = now_s();
    must(sn_usage_seal(&sealer, &sealed, &err), &err);
    printf("hours summed up                   %8zu          %.1f ms each\n", sealed,
           (now_s() - start) * 1e3 / (double)(sealed > 0 ? sealed : 1));
    sn_usage_sealer_release(&sealer);
    for (int i = 0; i < READS; i++) {
        const struct sn_topk_entry *top[10];
        start = now_s();
        struct sn_usage *usage = sn_usage_new();
        must(sn_usage_read(records, SN_STR("app"), range, usage, &err), &err);
        size_t found = sn_topk_top(&usage->users, top, 10);
        double taken = now_s() - start;
        best = taken < best ? taken : best;
        if (usage->totals.event_count != count || found != 10)
            (void)fprintf(stderr, "%llu events, not %zu\n",
                          (unsigned long long)usage->totals.event_count, count);
        (void)sn_usage_free(usage);
    }
    printf("top users, %zu events, 24 h    %8.1f ms\n", count, best * 1e3);
}

int main(int argc, char **argv) {
    const char *root = getenv("TMPDIR");
    char dir[128];
    struct sn_fake_clock clock;
    struct sn_records *records = NULL;
    struct sn_thread thread = {.is_running = false};
    struct sn_err err = {.status = SN_OK};
    size_t count = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) / BATCH * BATCH : EVENTS_DEFAULT;
    size_t users = argc > 2 ? (size_t)strtoull(argv[2], NULL, 10) : USERS_DEFAULT;
    (void)snprintf(dir, sizeof dir, "%s/sonde_bench_XXXXXX", root != NULL ? root : "/tmp");
    if (mkdtemp(dir) == NULL || count == 0 || users == 0)
        return 1;
    sn_fake_clock_init(&clock, 0, NOW_MS);
    const struct sn_records_options options = {.dir = dir, .clock = &clock.clock};
    must(sn_records_open(&options, &records, &err), &err);
    struct sn_worker worker = sn_records_worker(records);
    must(sn_thread_start(&thread, worker.name, worker.run, worker.ctx, &err), &err);
    run(records, &clock.clock, count, users);
    worker.stop(worker.ctx);
    sn_thread_join(&thread);
    (void)sn_records_close(records); /* NULL, always */
    must(sn_os_remove_tree(dir, &err), &err);
    return 0;
}
