/*
 * Runners of the sources, the watch over them, and the table of sources. See collect.h.
 *
 * Threads: each runner belongs to its own thread; what the watch and the facts read of it is
 * atomic. `mu` only guards is_stopping and the condition that wakes sleepers.
 */
#include "collect/collect.h"

#include "base/mem.h"

#include <stdatomic.h>

/* The largest source seen (filesystems of a container host) takes 1 MB; a runaway one stops here. */
#define BATCH_BYTES_MAX ((size_t)16 << 20)
/* A pass that starts this close to its schedule gets the scheduled time: equal steps pack better. */
#define ALIGN_TOLERANCE_MS 10
#define METADATA_EVERY_MS INT64_C(3600000)
#define WATCH_EVERY_NS INT64_C(1000000000)

static const struct sn_source *const all_sources[] = {
    &sn_source_cpu,       &sn_source_loadavg,    &sn_source_meminfo, &sn_source_vmstat,
    &sn_source_diskstats, &sn_source_filesystem, &sn_source_netdev,  &sn_source_pressure,
    &sn_source_uname,     &sn_source_time,       &sn_source_process, &sn_source_self,
};

static const struct sn_collect_family runner_families[] = {
    {"sonde_collector_up", SN_METRIC_GAUGE, "1 when the last pass of the collector worked."},
    {"sonde_collector_duration_seconds", SN_METRIC_GAUGE, "Duration of the last pass."},
    {"sonde_collector_lost_samples_total", SN_METRIC_COUNTER, "Samples the store did not take."},
};

struct runner {
    const struct sn_source *source;
    struct sn_collect *owner;
    void *state; /* the source's own */
    struct sn_gather gather;
    int64_t interval_ms;
    int64_t metadata_wall_ms;      /* when metadata was pushed last; 0: never */
    bool was_reported_down;        /* what on_change has been told */
    _Atomic int64_t pass_start_ns; /* monotonic; 0 while idle */
    _Atomic int64_t last_duration_ns;
    _Atomic bool is_up;
    _Atomic bool was_seen_hanging; /* by the watch, in this pass */
    _Atomic uint64_t pass_count, failure_count, lost_sample_count;
};

struct sn_collect {
    struct sn_sink sink;
    const struct sn_clock *clock;
    char *instance;
    void (*on_change)(void *ctx, const char *source, const struct sn_err *err);
    void *on_change_ctx;
    struct sn_mutex mu;
    struct sn_cond wake;
    bool is_stopping;                    /* guarded by mu */
    struct sn_batch_builder watch_batch; /* of the watch worker alone */
    size_t runner_count;
    struct runner runners[SN_COLLECT_SOURCES_MAX];
};

int64_t sn_collect_next_ms(int64_t now_ms, int64_t interval_ms) {
    return now_ms - now_ms % interval_ms + interval_ms;
}

/* ---- making ---- */

static const struct sn_collect_override *find_override(const struct sn_collect_options *options,
                                                       const char *name) {
    for (size_t i = 0; i < options->override_count; i++)
        if (strcmp(options->overrides[i].name, name) == 0)
            return &options->overrides[i];
    return NULL;
}

static sn_status check_interval(int64_t interval_ms, const char *name, struct sn_err *err) {
    if (interval_ms >= SN_COLLECT_INTERVAL_MS_MIN && interval_ms <= SN_COLLECT_INTERVAL_MS_MAX)
        return SN_OK;
    return sn_err_set(err, SN_ERR_INVALID,
                      "collector %s: interval %lld ms is outside %lld ms to %lld ms", name,
                      (long long)interval_ms, (long long)SN_COLLECT_INTERVAL_MS_MIN,
                      (long long)SN_COLLECT_INTERVAL_MS_MAX);
}

static void runner_init(struct runner *runner, struct sn_collect *collect,
                        const struct sn_collect_options *options, const struct sn_source *source) {
    runner->source = source;
    runner->owner = collect;
    sn_batch_builder_init(&runner->gather.batch, BATCH_BYTES_MAX);
    sn_buf_init(&runner->gather.file, SN_COLLECT_FILE_BYTES_MAX);
    runner->gather.roots.proc = options->roots.proc ? options->roots.proc : "/proc";
    runner->gather.roots.sys = options->roots.sys ? options->roots.sys : "/sys";
    runner->gather.clock = collect->clock;
    runner->gather.job = source->is_about_sonde ? SN_STR("sonde") : SN_STR("node");
    runner->gather.instance = sn_str_from(collect->instance);
}

static sn_status add_runner(struct sn_collect *collect, const struct sn_collect_options *options,
                            const struct sn_source *source, struct sn_err *err) {
    const struct sn_collect_override *override = find_override(options, source->name);
    if (override != NULL && override->is_disabled)
        return SN_OK;
    int64_t interval_ms =
        options->interval_ms ? options->interval_ms : SN_COLLECT_INTERVAL_MS_DEFAULT;
    if (override != NULL && override->interval_ms != 0)
        interval_ms = override->interval_ms;
    SN_TRY(check_interval(interval_ms, source->name, err));
    struct runner *runner = &collect->runners[collect->runner_count++];
    runner_init(runner, collect, options, source);
    runner->interval_ms = interval_ms;
    return SN_OK;
}

static bool is_source(const struct sn_source *const *sources, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(sources[i]->name, name) == 0)
            return true;
    return false;
}

static sn_status add_runners(struct sn_collect *collect, const struct sn_collect_options *options,
                             struct sn_err *err) {
    const struct sn_source *const *sources = options->sources ? options->sources : all_sources;
    size_t count =
        options->sources ? options->source_count : sizeof all_sources / sizeof all_sources[0];
    if (count > SN_COLLECT_SOURCES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "%zu collector sources, the limit is %d", count,
                          SN_COLLECT_SOURCES_MAX);
    for (size_t i = 0; i < options->override_count; i++)
        if (!is_source(sources, count, options->overrides[i].name))
            return sn_err_set(err, SN_ERR_INVALID, "there is no collector \"%s\"",
                              options->overrides[i].name);
    for (size_t i = 0; i < count; i++)
        SN_TRY(add_runner(collect, options, sources[i], err));
    return SN_OK;
}

sn_status sn_collect_open(const struct sn_collect_options *options, struct sn_collect **ret_collect,
                          struct sn_err *err) {
    struct sn_collect *collect = sn_alloc_zero(1, sizeof *collect);
    if (collect == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the collectors");
    collect->sink = options->sink;
    collect->clock = options->clock ? options->clock : sn_clock_system();
    collect->on_change = options->on_change;
    collect->on_change_ctx = options->on_change_ctx;
    sn_mutex_init(&collect->mu, SN_RANK_COLLECT, "collect");
    sn_cond_init(&collect->wake);
    sn_batch_builder_init(&collect->watch_batch, BATCH_BYTES_MAX);
    collect->instance = sn_strdup(options->instance ? options->instance : "localhost");
    sn_status status = collect->instance ? add_runners(collect, options, err)
                                         : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %s",
                                                      "the instance label");
    if (status != SN_OK) {
        sn_collect_close(collect);
        return status;
    }
    *ret_collect = collect;
    return SN_OK;
}

void sn_collect_close(struct sn_collect *collect) {
    if (collect == NULL)
        return;
    for (size_t i = 0; i < collect->runner_count; i++) {
        struct runner *runner = &collect->runners[i];
        if (runner->source->close != NULL)
            runner->source->close(runner->state);
        sn_batch_builder_release(&runner->gather.batch);
        sn_buf_release(&runner->gather.file);
    }
    sn_batch_builder_release(&collect->watch_batch);
    sn_cond_release(&collect->wake);
    sn_mutex_release(&collect->mu);
    sn_free(collect->instance);
    sn_free(collect);
}

/* ---- one pass ---- */

static sn_status add_metadata(struct sn_batch_builder *batch,
                              const struct sn_collect_family *families, size_t count,
                              struct sn_err *err) {
    for (size_t i = 0; i < count; i++) {
        const struct sn_metadata metadata = {
            .metric_name = sn_str_from(families[i].name),
            .type = families[i].type,
            .help = sn_str_from(families[i].help),
        };
        SN_TRY(sn_batch_builder_add_metadata(batch, &metadata, err));
    }
    return SN_OK;
}

static sn_status gather_metadata(struct runner *runner, struct sn_err *err) {
    if (!runner->gather.wants_metadata)
        return SN_OK;
    struct sn_batch_builder *batch = &runner->gather.batch;
    SN_TRY(add_metadata(batch, runner_families, sizeof runner_families / sizeof runner_families[0],
                        err));
    return add_metadata(batch, runner->source->families, runner->source->family_count, err);
}

/* The three metrics about the runner itself. */
static sn_status gather_own(struct runner *runner, bool is_up, int64_t duration_ns,
                            struct sn_err *err) {
    struct sn_str name = sn_str_from(runner->source->name);
    struct sn_gather *gather = &runner->gather;
    const struct {
        const char *metric;
        double value;
    } rows[] = {
        {"sonde_collector_up", is_up ? 1 : 0},
        {"sonde_collector_duration_seconds", (double)duration_ns / 1e9},
        {"sonde_collector_lost_samples_total", (double)runner->lost_sample_count},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        SN_TRY(sn_gather_add_labelled(gather, rows[i].metric, SN_STR("collector"), name,
                                      rows[i].value, err));
    return SN_OK;
}

static bool is_stopping(struct sn_collect *collect) {
    sn_mutex_lock(&collect->mu);
    bool result = collect->is_stopping;
    sn_mutex_unlock(&collect->mu);
    return result;
}

/*
 * After stop() nothing is pushed any more: a thread that hung in the kernel may come back when the
 * sink is already closed.
 */
static sn_status push(struct runner *runner, struct sn_err *err) {
    if (is_stopping(runner->owner))
        return sn_err_set(err, SN_ERR_CLOSED, "stopping");
    struct sn_batch batch = sn_batch_builder_view(&runner->gather.batch);
    struct sn_push_result result;
    const struct sn_push_done nobody_waits = {0};
    struct sn_sink sink = runner->owner->sink;
    sn_status status = sink.push(sink.ctx, &batch, nobody_waits, &result, err);
    if (status != SN_OK)
        runner->lost_sample_count += batch.sample_count;
    else
        for (size_t i = 0; i < SN_REJECT_COUNT; i++)
            runner->lost_sample_count += result.rejected_count[i];
    return status;
}

static void report_change(struct runner *runner, sn_status status, const struct sn_err *err) {
    bool is_down = status != SN_OK;
    if (is_down == runner->was_reported_down)
        return;
    runner->was_reported_down = is_down;
    if (runner->owner->on_change != NULL)
        runner->owner->on_change(runner->owner->on_change_ctx, runner->source->name,
                                 is_down ? err : NULL);
}

/* Ask the source, and judge: too late is a failure, because its samples carry the start's time. */
static sn_status gather_source(struct runner *runner, int64_t *ret_duration_ns,
                               struct sn_err *err) {
    const struct sn_clock *clock = runner->owner->clock;
    int64_t start_ns = sn_clock_mono_ns(clock);
    runner->was_seen_hanging = false;
    runner->pass_start_ns = start_ns ? start_ns : 1;
    sn_status status = runner->source->collect(&runner->gather, &runner->state, err);
    runner->pass_start_ns = 0;
    int64_t duration_ns = sn_clock_mono_ns(clock) - start_ns;
    if (status == SN_OK && duration_ns > runner->interval_ms * 1000000)
        status = sn_err_set(err, SN_ERR_TIMEOUT, "took %lld ms, the interval is %lld ms",
                            (long long)(duration_ns / 1000000), (long long)runner->interval_ms);
    *ret_duration_ns = duration_ns;
    return status;
}

static sn_status pass(struct runner *runner, int64_t scheduled_ms, struct sn_err *err) {
    struct sn_gather *gather = &runner->gather;
    int64_t now_ms = sn_clock_wall_ms(runner->owner->clock);
    int64_t late_ms = now_ms - scheduled_ms;
    sn_batch_builder_reset(&gather->batch);
    gather->time_ms = late_ms >= 0 && late_ms <= ALIGN_TOLERANCE_MS ? scheduled_ms : now_ms;
    gather->wants_metadata =
        runner->metadata_wall_ms == 0 || now_ms - runner->metadata_wall_ms >= METADATA_EVERY_MS;
    int64_t duration_ns = 0;
    sn_status source_status = gather_source(runner, &duration_ns, err);
    if (source_status != SN_OK) {
        sn_batch_builder_reset(&gather->batch);
        gather->time_ms = sn_clock_wall_ms(runner->owner->clock);
        runner->failure_count++;
    }
    runner->is_up = source_status == SN_OK;
    runner->last_duration_ns = duration_ns;
    runner->pass_count++;
    struct sn_err own_err = {0};
    sn_status own_status = gather_own(runner, source_status == SN_OK, duration_ns, &own_err);
    if (own_status == SN_OK)
        own_status = gather_metadata(runner, &own_err);
    if (own_status == SN_OK)
        own_status = push(runner, &own_err);
    if (own_status == SN_OK && gather->wants_metadata)
        runner->metadata_wall_ms = now_ms;
    if (source_status == SN_OK && own_status != SN_OK && err != NULL)
        *err = own_err;
    sn_status status = source_status != SN_OK ? source_status : own_status;
    if (status != SN_ERR_CLOSED)
        report_change(runner, status, err);
    return status;
}

sn_status sn_collect_pass(struct sn_collect *collect, const char *source, struct sn_err *err) {
    struct sn_err local = {0};
    for (size_t i = 0; i < collect->runner_count; i++)
        if (strcmp(collect->runners[i].source->name, source) == 0)
            return pass(&collect->runners[i], sn_clock_wall_ms(collect->clock), err ? err : &local);
    return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no collector \"%s\"", source);
}

/* ---- threads ---- */

/* Sleep until a wall time or until stop; false means stop. Wakes each second at most to see jumps
 * of the clock: after a suspend the next pass is not hours away. */
static bool sleep_until(struct sn_collect *collect, int64_t wall_ms) {
    bool goes_on = true;
    sn_mutex_lock(&collect->mu);
    for (;;) {
        int64_t left_ms = wall_ms - sn_clock_wall_ms(collect->clock);
        goes_on = !collect->is_stopping;
        if (!goes_on || left_ms <= 0)
            break;
        int64_t wait_ns = left_ms > 1000 ? WATCH_EVERY_NS : left_ms * 1000000;
        (void)sn_cond_wait_ns(&collect->wake, &collect->mu, wait_ns); /* The loop looks again. */
    }
    sn_mutex_unlock(&collect->mu);
    return goes_on;
}

static void run_source(void *ctx) {
    struct runner *runner = ctx;
    struct sn_collect *collect = runner->owner;
    int64_t scheduled_ms = sn_clock_wall_ms(collect->clock); /* The first pass is at once. */
    while (sleep_until(collect, scheduled_ms)) {
        struct sn_err err = {0};
        (void)pass(runner, scheduled_ms, &err); /* Counted, reported by on_change, shown as up 0. */
        scheduled_ms = sn_collect_next_ms(sn_clock_wall_ms(collect->clock), runner->interval_ms);
    }
}

static void stop_all(void *ctx) {
    struct sn_collect *collect = ctx;
    sn_mutex_lock(&collect->mu);
    collect->is_stopping = true;
    sn_cond_broadcast(&collect->wake);
    sn_mutex_unlock(&collect->mu);
}

static void stop_runner(void *ctx) {
    stop_all(((struct runner *)ctx)->owner);
}

static bool is_hanging(const struct runner *runner, int64_t now_ns) {
    int64_t start_ns = runner->pass_start_ns;
    return start_ns != 0 && now_ns - start_ns > runner->interval_ms * 1000000;
}

/* Push sonde_collector_up 0 for a source whose own thread cannot. */
static void report_hanging(struct sn_collect *collect, struct runner *runner) {
    struct sn_batch_builder *builder = &collect->watch_batch;
    const struct sn_str pairs[] = {SN_STR("collector"), sn_str_from(runner->source->name),
                                   SN_STR("job"),       runner->gather.job,
                                   SN_STR("instance"),  runner->gather.instance};
    sn_batch_builder_reset(builder);
    if (sn_batch_builder_add_pairs(builder, SN_STR("sonde_collector_up"), pairs, 3,
                                   sn_clock_wall_ms(collect->clock), 0, NULL) != SN_OK)
        return; /* No memory for one sample: the next look, in a second, tries again. */
    struct sn_batch batch = sn_batch_builder_view(builder);
    struct sn_push_result result;
    const struct sn_push_done nobody_waits = {0};
    if (collect->sink.push(collect->sink.ctx, &batch, nobody_waits, &result, NULL) != SN_OK)
        runner->lost_sample_count++;
}

void sn_collect_watch_once(struct sn_collect *collect) {
    int64_t now_ns = sn_clock_mono_ns(collect->clock);
    for (size_t i = 0; i < collect->runner_count; i++) {
        struct runner *runner = &collect->runners[i];
        if (!is_hanging(runner, now_ns) || runner->was_seen_hanging)
            continue;
        runner->was_seen_hanging = true;
        runner->is_up = false;
        report_hanging(collect, runner);
    }
}

static void run_watch(void *ctx) {
    struct sn_collect *collect = ctx;
    while (sleep_until(collect, sn_clock_wall_ms(collect->clock) + WATCH_EVERY_NS / 1000000))
        sn_collect_watch_once(collect);
}

size_t sn_collect_workers(struct sn_collect *collect, struct sn_worker *ret_workers, size_t max) {
    size_t count = 0;
    for (; count < collect->runner_count && count < max; count++) {
        struct runner *runner = &collect->runners[count];
        ret_workers[count] =
            (struct sn_worker){runner->source->name, run_source, stop_runner, runner};
    }
    if (count < max)
        ret_workers[count++] = (struct sn_worker){"collect-watch", run_watch, stop_all, collect};
    return count;
}

size_t sn_collect_facts(struct sn_collect *collect, struct sn_collect_facts *ret_facts,
                        size_t max) {
    size_t count = 0;
    for (; count < collect->runner_count && count < max; count++) {
        const struct runner *runner = &collect->runners[count];
        ret_facts[count] = (struct sn_collect_facts){
            .name = runner->source->name,
            .is_up = runner->is_up,
            .is_running = runner->pass_start_ns != 0,
            .pass_count = runner->pass_count,
            .failure_count = runner->failure_count,
            .lost_sample_count = runner->lost_sample_count,
            .last_duration_ns = runner->last_duration_ns,
        };
    }
    return count;
}
