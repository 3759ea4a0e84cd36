/*
 * Targets as the HTTP API of Prometheus shows them. Any thread; holds mu while it writes.
 */
#include "codec/duration.h"
#include "collect/scrape_priv.h"

#define LABELS_BYTES_MAX ((size_t)1 << 20)

static void write_labels(struct sn_json_writer *json, struct sn_str key, struct sn_str canonical,
                         struct sn_arena *arena) {
    sn_arena_reset(arena);
    struct sn_labels labels = sn_scrape_decode(canonical, arena);
    sn_json_write_key(json, key);
    sn_json_write_object_begin(json);
    for (size_t i = 0; i < labels.count; i++)
        sn_json_write_key_string(json, labels.items[i].name, labels.items[i].value);
    sn_json_write_object_end(json);
}

static void write_text(struct sn_json_writer *json, const char *key, const char *text) {
    sn_json_write_key_string(json, sn_str_from(key), sn_str_from(text));
}

static void write_duration(struct sn_json_writer *json, const char *key, int64_t duration_ms) {
    char text[SN_DURATION_TEXT_SIZE];
    (void)sn_duration_format(duration_ms, text); /* its length */
    write_text(json, key, text);
}

static void write_active(struct sn_json_writer *json, const struct sn_scrape_target *target,
                         struct sn_arena *arena) {
    static const char *const healths[] = {"unknown", "up", "down"};
    char time[SN_TIME_TEXT_SIZE] = "0001-01-01T00:00:00Z"; /* Go's zero: never */
    if (target->health != SN_TARGET_UNKNOWN)
        sn_time_format(target->last_scrape_ms, time);
    sn_json_write_object_begin(json);
    write_labels(json, SN_STR("discoveredLabels"), target->discovered, arena);
    write_labels(json, SN_STR("labels"), target->labels, arena);
    write_text(json, "scrapePool", target->job->name);
    write_text(json, "scrapeUrl", target->url);
    write_text(json, "globalUrl", target->url);
    write_text(json, "lastError", target->last_error.text);
    write_text(json, "lastScrape", time);
    sn_json_write_key_double(json, SN_STR("lastScrapeDuration"),
                             (double)target->last_duration_ns / 1e9);
    write_text(json, "health", healths[target->health]);
    write_duration(json, "scrapeInterval", target->interval_ms);
    write_duration(json, "scrapeTimeout", target->timeout_ms);
    sn_json_write_object_end(json);
}

static bool is_wanted(const struct sn_scrape_pool *pool, struct sn_str name) {
    return name.len == 0 || sn_str_equal(sn_str_from(pool->job->name), name);
}

static void write_all_active(struct sn_scrape *scrape, struct sn_str pool,
                             struct sn_json_writer *json, struct sn_arena *arena) {
    for (size_t i = 0; i < scrape->pool_count; i++)
        for (size_t k = 0; is_wanted(&scrape->pools[i], pool) && k < scrape->pools[i].target_count;
             k++)
            write_active(json, scrape->pools[i].targets[k], arena);
}

static void write_all_dropped(struct sn_scrape *scrape, struct sn_str pool,
                              struct sn_json_writer *json, struct sn_arena *arena) {
    for (size_t i = 0; i < scrape->pool_count; i++) {
        const struct sn_scrape_pool *of = &scrape->pools[i];
        for (size_t k = 0; is_wanted(of, pool) && k < of->dropped_count; k++) {
            sn_json_write_object_begin(json);
            write_labels(json, SN_STR("discoveredLabels"), of->dropped[k]->discovered, arena);
            write_text(json, "scrapePool", of->job->name);
            sn_json_write_object_end(json);
        }
    }
}

sn_status sn_scrape_write_targets(struct sn_scrape *scrape, enum sn_scrape_state state,
                                  struct sn_str pool, struct sn_json_writer *json,
                                  struct sn_err *err) {
    struct sn_arena arena;
    (void)err; /* the writer keeps its own failures */
    sn_arena_init(&arena, LABELS_BYTES_MAX);
    sn_mutex_lock(&scrape->mu);
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("activeTargets"));
    sn_json_write_array_begin(json);
    if (state != SN_SCRAPE_DROPPED)
        write_all_active(scrape, pool, json, &arena);
    sn_json_write_array_end(json);
    sn_json_write_key(json, SN_STR("droppedTargets"));
    sn_json_write_array_begin(json);
    if (state != SN_SCRAPE_ACTIVE)
        write_all_dropped(scrape, pool, json, &arena);
    sn_json_write_array_end(json);
    sn_json_write_key(json, SN_STR("droppedTargetCounts"));
    sn_json_write_object_begin(json);
    for (size_t i = 0; i < scrape->pool_count; i++)
        if (is_wanted(&scrape->pools[i], pool))
            sn_json_write_key_uint64(json, sn_str_from(scrape->pools[i].job->name),
                                     scrape->pools[i].dropped_total);
    sn_json_write_object_end(json);
    sn_json_write_object_end(json);
    sn_mutex_unlock(&scrape->mu);
    sn_arena_release(&arena);
    return SN_OK;
}

void sn_scrape_write_pools(struct sn_scrape *scrape, struct sn_json_writer *json) {
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("scrapePools"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < scrape->pool_count; i++)
        sn_json_write_string(json, sn_str_from(scrape->pools[i].job->name));
    sn_json_write_array_end(json);
    sn_json_write_object_end(json);
}

sn_status sn_scrape_external_labels(struct sn_scrape *scrape, struct sn_arena *arena,
                                    struct sn_labels *ret_labels, struct sn_err *err) {
    const struct sn_pair_list *pairs = &scrape->options.config->external_labels;
    struct sn_label *items = sn_arena_alloc(arena, pairs->count * sizeof *items);
    if (items == NULL)
        return sn_arena_failure(arena, pairs->count * sizeof *items, err);
    for (size_t i = 0; i < pairs->count; i++) {
        struct sn_str name = sn_str_from(pairs->items[i].name);
        struct sn_str value = sn_str_from(pairs->items[i].value);
        if (!sn_arena_copy(arena, name, &items[i].name) ||
            !sn_arena_copy(arena, value, &items[i].value))
            return sn_arena_failure(arena, name.len + value.len, err);
    }
    return sn_labels_make(items, pairs->count, ret_labels, err);
}

sn_status sn_scrape_each_target(struct sn_scrape *scrape, struct sn_arena *arena,
                                bool (*visit)(void *ctx, struct sn_labels labels), void *ctx,
                                struct sn_err *err) {
    sn_status status = SN_OK;
    bool goes_on = true;
    sn_mutex_lock(&scrape->mu);
    for (size_t i = 0; i < scrape->pool_count && goes_on && status == SN_OK; i++)
        for (size_t k = 0; k < scrape->pools[i].target_count && goes_on && status == SN_OK; k++) {
            struct sn_labels labels = {NULL, 0};
            struct sn_str text;
            if (!sn_arena_copy(arena, scrape->pools[i].targets[k]->labels, &text))
                status = sn_arena_failure(arena, scrape->pools[i].targets[k]->labels.len, err);
            else
                status = sn_labels_decode(text, arena, &labels, err);
            if (status == SN_OK)
                goes_on = visit(ctx, labels);
        }
    sn_mutex_unlock(&scrape->mu);
    return status;
}
