/*
 * The manager: due targets are asked, their answers become batches. See scrape.h.
 *
 * Everything here runs on the worker "scrape", but for open, close, adopt and what the header says.
 * mu is held while facts and arrays change, never while something is pushed.
 */
#include "collect/scrape.h"

#include "base/mem.h"
#include "base/rng.h"
#include "collect/scrape_auth.h"
#include "collect/scrape_priv.h"

#include <sonde/sonde.h>

#define TOLERANCE_MS 2
#define METADATA_EVERY_MS INT64_C(3600000)
#define WAIT_MS_MAX 1000 /* a jump of the clock is seen after this */
#define LABELS_BYTES_MAX ((size_t)1 << 20)
#define HEADERS_MAX 6

struct sn_labels sn_scrape_decode(struct sn_str canonical, struct sn_arena *arena) {
    struct sn_labels labels = {NULL, 0};
    if (sn_labels_decode(canonical, arena, &labels, NULL) != SN_OK)
        return (struct sn_labels){NULL, 0};
    return labels;
}

/* ---- pushing ---- */

static void count(_Atomic uint64_t *counter, uint64_t more) {
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static void report_sink(struct sn_scrape *scrape, const struct sn_err *err) {
    if (scrape->is_sink_failing == (err != NULL))
        return;
    scrape->is_sink_failing = err != NULL;
    scrape->options.on_change(scrape->options.ctx, "store", err);
}

/* Push the page's batch. What the sink refuses is counted there and here. */
static void push(struct sn_scrape *scrape) {
    struct sn_batch batch = sn_batch_builder_view(&scrape->page.batch);
    struct sn_push_result result = {.accepted_count = 0};
    struct sn_err err = {.status = SN_OK};
    const struct sn_push_done nobody_waits = {NULL, NULL};
    if (batch.sample_count + batch.histogram_count + batch.metadata_count == 0)
        return;
    sn_status status =
        scrape->options.sink.push(scrape->options.sink.ctx, &batch, nobody_waits, &result, &err);
    uint64_t lost = batch.sample_count + batch.histogram_count - result.accepted_count;
    count(&scrape->lost_sample_count, lost);
    report_sink(scrape, status != SN_OK ? &err : NULL);
}

/* ---- the end of a scrape ---- */

static sn_status report_samples(struct sn_scrape_page *page, bool is_up, double duration_s,
                                struct sn_err *err) {
    const struct {
        struct sn_str name;
        double value;
    } rows[] = {
        {SN_STR("up"), is_up ? 1 : 0},
        {SN_STR("scrape_duration_seconds"), duration_s},
        {SN_STR("scrape_samples_scraped"), (double)page->scraped_count},
        {SN_STR("scrape_samples_post_metric_relabeling"), (double)page->added_count},
        {SN_STR("scrape_series_added"), (double)page->new_count},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        SN_TRY(sn_scrape_page_report(page, rows[i].name, rows[i].value, err));
    return SN_OK;
}

static void set_facts(struct sn_scrape *scrape, struct sn_scrape_target *target, bool is_up,
                      int64_t time_ms, int64_t duration_ns, const struct sn_err *err) {
    sn_mutex_lock(&scrape->mu);
    target->health = is_up ? SN_TARGET_UP : SN_TARGET_DOWN;
    target->last_scrape_ms = time_ms;
    target->last_duration_ns = duration_ns;
    if (is_up)
        target->last_error = (struct sn_err){.status = SN_OK};
    else
        target->last_error = *err;
    sn_mutex_unlock(&scrape->mu);
}

static sn_status check_target_limit(const struct sn_scrape *scrape,
                                    const struct sn_scrape_target *target, struct sn_err *err) {
    const struct sn_scrape_pool *pool =
        &scrape->pools[target->job - scrape->options.config->jobs.items];
    int64_t limit = target->job->rules.target_max;
    return limit == 0 || pool->target_count <= (size_t)limit
               ? SN_OK
               : sn_err_set(err, SN_ERR_LIMIT,
                            "target_limit exceeded (number of targets: %zu, limit: %lld)",
                            pool->target_count, (long long)limit);
}

static sn_status judge(const struct sn_http_answer *answer, struct sn_err *err) {
    if (answer->status != SN_OK) {
        *err = answer->err;
        return answer->status;
    }
    if (answer->http_status != 200)
        return sn_err_set(err, SN_ERR_INVALID, "server returned HTTP status %d %s",
                          answer->http_status, answer->reason);
    return SN_OK;
}

/* The time of the samples: when it was due, if it started then. */
static int64_t sample_time(const struct sn_scrape_target *target, int64_t start_ms) {
    int64_t tolerance_ms = target->interval_ms / 100;
    int64_t late_ms = start_ms - target->scheduled_ms;
    if (tolerance_ms > TOLERANCE_MS)
        tolerance_ms = TOLERANCE_MS;
    return late_ms >= 0 && late_ms <= tolerance_ms ? target->scheduled_ms : start_ms;
}

/* answer NULL: the question could not be asked, and *err says why. */
static void finish(struct sn_scrape *scrape, struct sn_scrape_target *target,
                   struct sn_http_answer *answer, struct sn_err *err) {
    struct sn_scrape_page *page = &scrape->page;
    int64_t time_ms = target->last_scrape_ms; /* set when it started */
    sn_arena_reset(&scrape->labels_arena);
    struct sn_labels labels = sn_scrape_decode(target->labels, &scrape->labels_arena);
    sn_scrape_page_begin(page, target->job, labels, &target->cache, time_ms);
    page->wants_metadata = time_ms - target->metadata_ms >= METADATA_EVERY_MS;
    sn_status status = answer != NULL ? judge(answer, err) : err->status;
    if (status == SN_OK)
        status = sn_scrape_page_read(page, answer->content_type, sn_buf_str(answer->body), err);
    bool is_up = status == SN_OK;
    struct sn_err end_err = {.status = SN_OK};
    if (sn_scrape_page_end(page, is_up, &end_err) != SN_OK)
        report_sink(scrape, &end_err);
    int64_t duration_ns = sn_clock_mono_ns(scrape->clock) - target->start_ns;
    if (report_samples(page, is_up, (double)duration_ns / 1e9, &end_err) != SN_OK)
        report_sink(scrape, &end_err);
    push(scrape);
    if (is_up && page->wants_metadata)
        target->metadata_ms = time_ms;
    target->has_reported = true;
    count(&scrape->scrape_count, 1);
    count(&scrape->failed_scrape_count, !is_up);
    count(&scrape->lost_sample_count, page->unusable_count);
    set_facts(scrape, target, is_up, time_ms, duration_ns, err);
}

static void on_answer(void *ctx, struct sn_http_answer *answer) {
    struct sn_scrape_target *target = ctx;
    struct sn_err err = {.status = SN_OK};
    target->transfer = NULL;
    finish(target->owner, target, answer, &err);
}

/* ---- the begin of a scrape ---- */

static const char *const protocol_types[] = {
    "",
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    "text/plain;version=0.0.4",
    "text/plain;version=1.0.0;escaping=allow-utf-8",
    "application/openmetrics-text;version=0.0.1",
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
};

/* Accept: the job's protocols, each liked a little less than the one before. */
static void put_accept(struct sn_buf *line, const struct sn_scrape_job *job) {
    unsigned weight = (unsigned)job->rules.protocol_count + 1;
    sn_buf_put_text(line, "Accept: ");
    for (size_t i = 0; i < job->rules.protocol_count; i++)
        sn_buf_printf(line, "%s;q=0.%u,", protocol_types[job->rules.protocols[i]], weight--);
    sn_buf_printf(line, "*/*;q=0.%u", weight);
    sn_buf_put_byte(line, '\0');
}

static sn_status ask(struct sn_scrape *scrape, struct sn_scrape_target *target,
                     struct sn_arena *scratch, struct sn_err *err) {
    const struct sn_scrape_job *job = target->job;
    const char *headers[HEADERS_MAX];
    size_t header_count = 0;
    struct sn_buf accept;
    sn_buf_init(&accept, 2048);
    put_accept(&accept, job);
    sn_status status = sn_buf_status(&accept, err);
    if (status == SN_OK) {
        headers[header_count++] = (const char *)accept.ptr;
        headers[header_count++] = sn_arena_printf(scratch, "User-Agent: Sonde/%s", sonde_version());
        headers[header_count++] = sn_arena_printf(
            scratch, "X-Prometheus-Scrape-Timeout-Seconds: %lld.%03lld",
            (long long)(target->timeout_ms / 1000), (long long)(target->timeout_ms % 1000));
        if (headers[1] == NULL || headers[2] == NULL)
            status = sn_arena_failure(scratch, 64, err);
    }
    struct sn_http_ask question = {
        .url = target->url,
        .headers = headers,
        .timeout_ms = target->timeout_ms,
        .body_bytes_max = job->rules.body_bytes_max > 0 ? (size_t)job->rules.body_bytes_max
                                                        : SN_SCRAPE_BODY_BYTES_MAX,
        .accepts_gzip = !job->has_no_compression,
    };
    if (status == SN_OK)
        status = sn_scrape_auth_fill(&job->http, scratch, &question, headers, &header_count, err);
    question.header_count = header_count;
    if (status == SN_OK)
        status = sn_http_client_start(scrape->client, &question, on_answer, target,
                                      &target->transfer, err);
    sn_buf_release(&accept);
    return status;
}

static void start(struct sn_scrape *scrape, struct sn_scrape_target *target, int64_t now_ms) {
    struct sn_err err = {.status = SN_OK};
    struct sn_arena scratch;
    target->scheduled_ms = target->next_ms;
    target->next_ms = sn_scrape_target_due_ms(target, now_ms + 1);
    sn_scrape_heap_move(&scrape->heap, target);
    if (target->transfer != NULL)
        return; /* The last one is still on its way; its timeout is not longer than the interval. */
    target->start_ns = sn_clock_mono_ns(scrape->clock);
    sn_mutex_lock(&scrape->mu);
    target->last_scrape_ms = sample_time(target, now_ms);
    sn_mutex_unlock(&scrape->mu);
    sn_arena_init(&scratch, 0);
    sn_status status = check_target_limit(scrape, target, &err);
    if (status == SN_OK)
        status = ask(scrape, target, &scratch, &err);
    sn_arena_release(&scratch);
    if (status != SN_OK)
        finish(scrape, target, NULL, &err);
}

/* ---- the end of a target ---- */

static sn_status mark_own(struct sn_scrape *scrape, struct sn_err *err) {
    static const char *const names[] = {"up", "scrape_duration_seconds", "scrape_samples_scraped",
                                        "scrape_samples_post_metric_relabeling",
                                        "scrape_series_added"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        SN_TRY(sn_scrape_page_report(&scrape->page, sn_str_from(names[i]),
                                     sn_double_from_bits(SN_STALE_NAN_BITS), err));
    return SN_OK;
}

void sn_scrape_retire(struct sn_scrape *scrape, struct sn_scrape_target *target) {
    struct sn_scrape_page *page = &scrape->page;
    struct sn_err err = {.status = SN_OK};
    if (target->transfer != NULL)
        sn_http_client_cancel(scrape->client, SN_TAKE(target->transfer));
    if (!target->has_reported)
        return;
    sn_arena_reset(&scrape->labels_arena);
    sn_scrape_page_begin(page, target->job, sn_scrape_decode(target->labels, &scrape->labels_arena),
                         &target->cache, sn_clock_wall_ms(scrape->clock));
    if (sn_scrape_page_end(page, false, &err) != SN_OK || mark_own(scrape, &err) != SN_OK)
        report_sink(scrape, &err);
    push(scrape);
}

/* ---- running ---- */

static void start_due(struct sn_scrape *scrape) {
    int64_t now_ms = sn_clock_wall_ms(scrape->clock);
    while (scrape->heap.count > 0) {
        struct sn_scrape_target *target = scrape->heap.items[0];
        /* A clock that was set back by more than an interval must not silence the target. */
        if (target->next_ms > now_ms + target->interval_ms) {
            target->next_ms = sn_scrape_target_due_ms(target, now_ms);
            sn_scrape_heap_move(&scrape->heap, target);
        }
        if (scrape->heap.items[0]->next_ms > now_ms)
            return;
        start(scrape, scrape->heap.items[0], now_ms);
    }
}

static int64_t wait_ms(const struct sn_scrape *scrape) {
    if (scrape->heap.count == 0)
        return WAIT_MS_MAX;
    int64_t left_ms = scrape->heap.items[0]->next_ms - sn_clock_wall_ms(scrape->clock);
    if (left_ms < 0)
        return 0;
    return left_ms < WAIT_MS_MAX ? left_ms : WAIT_MS_MAX;
}

static void run(void *ctx) {
    struct sn_scrape *scrape = ctx;
    while (!atomic_load(&scrape->is_stopping)) {
        struct sn_err err = {.status = SN_OK};
        sn_scrape_sync(scrape, false);
        start_due(scrape);
        if (sn_http_client_run(scrape->client, wait_ms(scrape), &err) != SN_OK) {
            report_sink(scrape, &err);
            scrape->clock->sleep_ns(scrape->clock->ctx, INT64_C(100000000)); /* no busy loop */
        }
    }
}

static void stop(void *ctx) {
    struct sn_scrape *scrape = ctx;
    atomic_store(&scrape->is_stopping, true);
    sn_http_client_wake(scrape->client);
}

size_t sn_scrape_workers(struct sn_scrape *scrape, struct sn_worker *ret_workers, size_t max) {
    if (scrape->pool_count == 0 || max < SN_SCRAPE_WORKERS_MAX)
        return 0;
    ret_workers[0] = (struct sn_worker){"scrape", run, stop, scrape};
    ret_workers[1] = sn_discovery_worker(scrape->discovery);
    return SN_SCRAPE_WORKERS_MAX;
}

/* ---- life ---- */

static void on_targets(void *ctx) {
    struct sn_scrape *scrape = ctx;
    sn_http_client_wake(scrape->client);
}

static void on_list_change(void *ctx, const char *name, const struct sn_err *err) {
    struct sn_scrape *scrape = ctx;
    scrape->options.on_change(scrape->options.ctx, name, err);
}

static sn_status open_parts(struct sn_scrape *scrape, struct sn_err *err) {
    const struct sn_scrape_config *config = scrape->options.config;
    const struct sn_discovery_options discovery = {
        .config = config,
        .clock = scrape->clock,
        .on_targets = on_targets,
        .on_change = on_list_change,
        .ctx = scrape,
    };
    scrape->pools = sn_alloc_zero(config->jobs.count + 1, sizeof *scrape->pools);
    if (scrape->pools == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the jobs to scrape");
    for (; scrape->pool_count < config->jobs.count; scrape->pool_count++)
        scrape->pools[scrape->pool_count].job = &config->jobs.items[scrape->pool_count];
    SN_TRY(sn_http_client_new(0, &scrape->client, err));
    return sn_discovery_open(&discovery, &scrape->discovery, err);
}

sn_status sn_scrape_open(const struct sn_scrape_options *options, struct sn_scrape **ret_scrape,
                         struct sn_err *err) {
    struct sn_scrape *scrape = sn_alloc_zero(1, sizeof *scrape);
    if (scrape == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for scraping");
    scrape->options = *options;
    scrape->clock = options->clock != NULL ? options->clock : sn_clock_system();
    sn_mutex_init(&scrape->mu, SN_RANK_SCRAPE, "scrape");
    sn_arena_init(&scrape->labels_arena, LABELS_BYTES_MAX);
    sn_scrape_page_init(&scrape->page, sn_rng_system_seed());
    sn_status status = open_parts(scrape, err);
    if (status != SN_OK) {
        (void)sn_scrape_close(scrape); /* NULL, always */
        return status;
    }
    sn_discovery_look(scrape->discovery);
    sn_scrape_sync(scrape, true);
    *ret_scrape = scrape;
    return SN_OK;
}

static void pool_release(struct sn_scrape_pool *pool) {
    for (size_t i = 0; i < pool->target_count; i++)
        (void)sn_scrape_target_free(pool->targets[i]); /* NULL, always */
    for (size_t i = 0; i < pool->dropped_count; i++)
        (void)sn_scrape_target_free(pool->dropped[i]); /* NULL, always */
    sn_free(pool->targets);
    sn_free(pool->dropped);
}

struct sn_scrape *sn_scrape_close(struct sn_scrape *scrape) {
    if (scrape == NULL)
        return NULL;
    scrape->discovery = sn_discovery_close(scrape->discovery);
    scrape->client = sn_http_client_free(scrape->client);
    for (size_t i = 0; i < scrape->pool_count; i++)
        pool_release(&scrape->pools[i]);
    sn_free(scrape->pools);
    sn_free(scrape->heap.items);
    sn_scrape_page_release(&scrape->page);
    sn_arena_release(&scrape->labels_arena);
    sn_mutex_release(&scrape->mu);
    sn_free(scrape);
    return NULL;
}

/* ---- adoption ---- */

static struct sn_scrape_pool *find_pool(struct sn_scrape *scrape, const char *name) {
    for (size_t i = 0; i < scrape->pool_count; i++)
        if (strcmp(scrape->pools[i].job->name, name) == 0)
            return &scrape->pools[i];
    return NULL;
}

static struct sn_scrape_target *find_target(struct sn_scrape_pool *pool, uint64_t identity) {
    for (size_t i = 0; i < pool->target_count; i++)
        if (pool->targets[i]->identity == identity)
            return pool->targets[i];
    return NULL;
}

/* The new one knows what the old one knew. Keys of the cache depend on the seed, which comes along
 * from the old manager. */
static void adopt_target(struct sn_scrape_target *target, struct sn_scrape_target *old) {
    struct sn_scrape_cache cache = target->cache;
    target->cache = old->cache;
    old->cache = cache;
    target->has_reported = old->has_reported;
    target->health = old->health;
    target->last_scrape_ms = old->last_scrape_ms;
    target->last_duration_ns = old->last_duration_ns;
    target->last_error = old->last_error;
    target->metadata_ms = old->metadata_ms;
    old->has_reported = false; /* Nothing is left to mark. */
}

static bool has_same_rules(const struct sn_scrape_job *a, const struct sn_scrape_job *b) {
    return a->honors_labels == b->honors_labels &&
           sn_relabel_rules_equal(&a->metric_rules, &b->metric_rules);
}

static void adopt_pool(struct sn_scrape *scrape, struct sn_scrape_pool *old) {
    struct sn_scrape_pool *pool = find_pool(scrape, old->job->name);
    for (size_t i = 0; pool != NULL && i < old->target_count; i++) {
        struct sn_scrape_target *target = find_target(pool, old->targets[i]->identity);
        if (target == NULL)
            continue;
        adopt_target(target, old->targets[i]);
        if (!has_same_rules(pool->job, old->job))
            sn_scrape_cache_rekey(&target->cache);
    }
}

void sn_scrape_adopt(struct sn_scrape *scrape, struct sn_scrape *old) {
    scrape->page.seed = old->page.seed;
    sn_discovery_adopt(scrape->discovery, old->discovery);
    sn_scrape_sync(scrape, false);
    for (size_t i = 0; i < old->pool_count; i++) {
        adopt_pool(scrape, &old->pools[i]);
        for (size_t k = 0; k < old->pools[i].target_count; k++)
            sn_scrape_retire(old, old->pools[i].targets[k]);
    }
}

/* ---- numbers ---- */

void sn_scrape_stats(struct sn_scrape *scrape, struct sn_scrape_stats *ret_stats) {
    struct sn_scrape_stats stats = {
        .scrape_count = atomic_load_explicit(&scrape->scrape_count, memory_order_relaxed),
        .failed_scrape_count =
            atomic_load_explicit(&scrape->failed_scrape_count, memory_order_relaxed),
        .lost_sample_count = atomic_load_explicit(&scrape->lost_sample_count, memory_order_relaxed),
    };
    sn_mutex_lock(&scrape->mu);
    for (size_t i = 0; i < scrape->pool_count; i++) {
        stats.target_count += scrape->pools[i].target_count;
        stats.dropped_target_count += scrape->pools[i].dropped_total;
        stats.invalid_target_count += scrape->pools[i].invalid_count;
    }
    sn_mutex_unlock(&scrape->mu);
    *ret_stats = stats;
}
