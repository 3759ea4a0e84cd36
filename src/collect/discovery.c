/*
 * Lists of targets from files and URLs. See discovery.h.
 *
 *   source   one entry of file_sd_configs or http_sd_configs
 *   list     one file of a source, or the one URL; owns what was found there
 *
 * mu guards the lists' `found` and the sources' arrays of lists; all else belongs to the worker.
 */
#include "collect/discovery.h"

#include "base/mem.h"
#include "base/os.h"
#include "collect/glob.h"
#include "collect/scrape_auth.h"
#include "collect/target_file.h"

#include <sonde/sonde.h>

#include <errno.h>
#include <stdatomic.h>

#define LOOK_EVERY_MS 1000
#define FETCH_TIMEOUT_MS 30000
#define HEADERS_MAX 6

/* What stands in one list. */
struct found {
    struct sn_arena arena;
    struct sn_target_group_list groups;
};

struct list {
    char *name; /* path or URL, owned */
    struct found *found;
    int64_t time_ns, size; /* of the file when it was read */
    bool was_seen;         /* in this look */
    bool is_failing;       /* as on_change was told */
};

struct source {
    struct sn_discovery *owner;
    size_t job;
    const struct sn_file_discovery *files; /* or NULL */
    const struct sn_http_discovery *url;   /* or NULL */
    struct list *lists;                    /* [list_count]; of a URL exactly one */
    size_t list_count;
    int64_t due_ms; /* of a URL: when to ask again */
    struct sn_http_transfer *transfer;
};

struct sn_discovery {
    struct sn_discovery_options options;
    struct sn_mutex mu;
    struct source *sources;
    size_t source_count;
    _Atomic uint64_t *generations; /* [jobs] */
    struct sn_http_client *client;
    atomic_bool is_stopping;
};

/* ---- what was found ---- */

static struct found *found_free(struct found *found) {
    if (found != NULL) {
        sn_arena_release(&found->arena);
        sn_free(found);
    }
    return NULL;
}

static struct found *found_parse(struct sn_str text, bool is_json, struct sn_pair origin,
                                 struct sn_err *err) {
    struct found *found = sn_alloc_zero(1, sizeof *found);
    if (found == NULL) {
        (void)sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a list of targets");
        return NULL;
    }
    sn_arena_init(&found->arena, SN_TARGET_FILE_MEMORY_MAX);
    if (sn_target_file_parse(text, is_json, origin, &found->arena, &found->groups, err) == SN_OK)
        return found;
    return found_free(found);
}

static void announce(struct source *source) {
    struct sn_discovery *discovery = source->owner;
    atomic_fetch_add(&discovery->generations[source->job], 1);
    discovery->options.on_targets(discovery->options.ctx);
}

/* Something else stands in the list now. Takes ownership. */
static void replace(struct source *source, struct list *list, struct found *found) {
    sn_mutex_lock(&source->owner->mu);
    struct found *old = list->found;
    list->found = found;
    sn_mutex_unlock(&source->owner->mu);
    (void)found_free(old); /* NULL, always */
    announce(source);
}

/* err NULL: it works. */
static void report(const struct source *source, struct list *list, const struct sn_err *err) {
    if (list->is_failing == (err != NULL))
        return;
    list->is_failing = err != NULL;
    source->owner->options.on_change(source->owner->options.ctx, list->name, err);
}

/* ---- files ---- */

static struct list *find_list(struct source *source, const char *name) {
    for (size_t i = 0; i < source->list_count; i++)
        if (strcmp(source->lists[i].name, name) == 0)
            return &source->lists[i];
    return NULL;
}

static struct list *add_list(struct source *source, const char *name) {
    char *copy = sn_strdup(name);
    if (copy == NULL)
        return NULL;
    sn_mutex_lock(&source->owner->mu);
    struct list *lists =
        sn_realloc_array(source->lists, source->list_count + 1, sizeof *source->lists);
    if (lists != NULL) {
        source->lists = lists;
        lists[source->list_count++] = (struct list){.name = copy};
    }
    sn_mutex_unlock(&source->owner->mu);
    if (lists == NULL) {
        sn_free(copy);
        return NULL;
    }
    return &lists[source->list_count - 1];
}

static void read_file(struct source *source, struct list *list) {
    struct sn_buf text;
    struct sn_err err = {.status = SN_OK};
    struct found *found = NULL;
    bool is_json = sn_str_ends_with(sn_str_from(list->name), SN_STR(".json"));
    sn_buf_init(&text, SN_TARGET_FILE_BYTES_MAX + 1);
    if (sn_os_read_file(list->name, &text, &err) == SN_OK)
        found = found_parse(sn_buf_str(&text), is_json,
                            (struct sn_pair){"__meta_filepath", list->name}, &err);
    sn_buf_release(&text);
    if (found != NULL)
        replace(source, list, found);
    report(source, list, found != NULL ? NULL : &err);
}

/* A file that a pattern names: read when it is new or has changed. */
static sn_status look_at_file(void *ctx, const char *path, struct sn_err *err) {
    struct source *source = ctx;
    struct stat facts;
    struct list *list = find_list(source, path);
    (void)err;
    if (sn_os_stat(path, &facts) != 0)
        return SN_OK; /* gone since it was listed */
    if (list == NULL)
        list = add_list(source, path);
    if (list == NULL)
        return SN_OK; /* no memory: the next look tries again */
    int64_t time_ns = (int64_t)facts.st_mtim.tv_sec * 1000000000 + facts.st_mtim.tv_nsec;
    bool has_changed = time_ns != list->time_ns || facts.st_size != list->size;
    list->was_seen = true;
    list->time_ns = time_ns;
    list->size = facts.st_size;
    if (has_changed)
        read_file(source, list);
    return SN_OK;
}

static void drop_unseen(struct source *source) {
    bool has_dropped = false;
    sn_mutex_lock(&source->owner->mu);
    for (size_t i = source->list_count; i-- > 0;) {
        struct list *list = &source->lists[i];
        if (list->was_seen)
            continue;
        has_dropped = true;
        (void)found_free(list->found); /* NULL, always */
        sn_free(list->name);
        *list = source->lists[--source->list_count];
    }
    sn_mutex_unlock(&source->owner->mu);
    if (has_dropped)
        announce(source);
}

static void look_at_files(struct source *source) {
    bool is_complete = true;
    for (size_t i = 0; i < source->list_count; i++)
        source->lists[i].was_seen = false;
    for (size_t i = 0; i < source->files->files.count; i++)
        is_complete = sn_glob(source->files->files.items[i], look_at_file, source, NULL) == SN_OK &&
                      is_complete;
    if (is_complete) /* A directory that cannot be listed proves nothing. */
        drop_unseen(source);
}

void sn_discovery_look(struct sn_discovery *discovery) {
    for (size_t i = 0; i < discovery->source_count; i++)
        if (discovery->sources[i].files != NULL)
            look_at_files(&discovery->sources[i]);
}

/* ---- URLs ---- */

static void take_answer(struct source *source, struct sn_http_answer *answer, struct sn_err *err) {
    struct list *list = &source->lists[0];
    if (answer->status != SN_OK)
        *err = answer->err;
    else if (answer->http_status != 200)
        (void)sn_err_set(err, SN_ERR_INVALID, "server returned HTTP status %d %s",
                         answer->http_status, answer->reason);
    else {
        struct found *found = found_parse(sn_buf_str(answer->body), true,
                                          (struct sn_pair){"__meta_url", list->name}, err);
        if (found != NULL)
            replace(source, list, found);
    }
}

static void on_answer(void *ctx, struct sn_http_answer *answer) {
    struct source *source = ctx;
    struct sn_err err = {.status = SN_OK};
    source->transfer = NULL;
    take_answer(source, answer, &err);
    report(source, &source->lists[0], err.status != SN_OK ? &err : NULL);
}

static void ask(struct source *source, int64_t now_ms) {
    const struct sn_http_discovery *url = source->url;
    const char *headers[HEADERS_MAX];
    size_t header_count = 0;
    char interval[80], agent[64];
    struct sn_err err = {.status = SN_OK};
    struct sn_arena scratch;
    struct sn_http_ask question = {
        .url = url->url,
        .headers = headers,
        .timeout_ms = FETCH_TIMEOUT_MS,
        .body_bytes_max = SN_TARGET_FILE_BYTES_MAX,
        .accepts_gzip = true,
    };
    source->due_ms = now_ms + url->refresh_interval_ms;
    (void)snprintf(interval, sizeof interval, "X-Prometheus-Refresh-Interval-Seconds: %lld",
                   (long long)(url->refresh_interval_ms / 1000));
    (void)snprintf(agent, sizeof agent, "User-Agent: Sonde/%s", sonde_version());
    headers[header_count++] = "Accept: application/json";
    headers[header_count++] = interval;
    headers[header_count++] = agent;
    sn_arena_init(&scratch, 0);
    sn_status status =
        sn_scrape_auth_fill(&url->http, &scratch, &question, headers, &header_count, &err);
    question.header_count = header_count;
    if (status == SN_OK)
        status = sn_http_client_start(source->owner->client, &question, on_answer, source,
                                      &source->transfer, &err);
    sn_arena_release(&scratch);
    if (status != SN_OK)
        report(source, &source->lists[0], &err);
}

static void ask_due(struct sn_discovery *discovery, int64_t now_ms) {
    for (size_t i = 0; i < discovery->source_count; i++) {
        struct source *source = &discovery->sources[i];
        if (source->url != NULL && source->transfer == NULL && source->due_ms <= now_ms)
            ask(source, now_ms);
    }
}

/* ---- running ---- */

static void run(void *ctx) {
    struct sn_discovery *discovery = ctx;
    const struct sn_clock *clock = discovery->options.clock;
    int64_t look_ms = 0;
    while (!atomic_load(&discovery->is_stopping) && discovery->source_count > 0) {
        int64_t now_ms = sn_clock_mono_ns(clock) / 1000000;
        if (now_ms >= look_ms) {
            sn_discovery_look(discovery);
            ask_due(discovery, now_ms);
            look_ms = now_ms + LOOK_EVERY_MS;
        }
        if (sn_http_client_run(discovery->client, look_ms - now_ms, NULL) != SN_OK)
            clock->sleep_ns(clock->ctx, INT64_C(1000000) * LOOK_EVERY_MS); /* no busy loop */
    }
}

static void stop(void *ctx) {
    struct sn_discovery *discovery = ctx;
    atomic_store(&discovery->is_stopping, true);
    sn_http_client_wake(discovery->client);
}

struct sn_worker sn_discovery_worker(struct sn_discovery *discovery) {
    return (struct sn_worker){"scrape-targets", run, stop, discovery};
}

/* ---- reading ---- */

uint64_t sn_discovery_generation(const struct sn_discovery *discovery, size_t job) {
    return atomic_load(&discovery->generations[job]);
}

static sn_status each_group(const struct list *list,
                            sn_status (*visit)(void *, const struct sn_target_group *,
                                               struct sn_err *),
                            void *ctx, struct sn_err *err) {
    if (list->found != NULL)
        for (size_t i = 0; i < list->found->groups.count; i++)
            SN_TRY(visit(ctx, &list->found->groups.items[i], err));
    return SN_OK;
}

sn_status sn_discovery_each(struct sn_discovery *discovery, size_t job,
                            sn_status (*visit)(void *ctx, const struct sn_target_group *group,
                                               struct sn_err *err),
                            void *ctx, struct sn_err *err) {
    sn_status status = SN_OK;
    sn_mutex_lock(&discovery->mu);
    for (size_t i = 0; i < discovery->source_count && status == SN_OK; i++) {
        const struct source *source = &discovery->sources[i];
        for (size_t k = 0; source->job == job && k < source->list_count && status == SN_OK; k++)
            status = each_group(&source->lists[k], visit, ctx, err);
    }
    sn_mutex_unlock(&discovery->mu);
    return status;
}

/* ---- life ---- */

static size_t count_sources(const struct sn_scrape_config *config) {
    size_t count = 0;
    for (size_t i = 0; i < config->jobs.count; i++)
        count += config->jobs.items[i].files.count + config->jobs.items[i].urls.count;
    return count;
}

static sn_status add_sources(struct sn_discovery *discovery, size_t job, struct sn_err *err) {
    const struct sn_scrape_job *of = &discovery->options.config->jobs.items[job];
    for (size_t i = 0; i < of->files.count; i++)
        discovery->sources[discovery->source_count++] =
            (struct source){.owner = discovery, .job = job, .files = &of->files.items[i]};
    for (size_t i = 0; i < of->urls.count; i++) {
        struct source *source = &discovery->sources[discovery->source_count++];
        *source = (struct source){.owner = discovery, .job = job, .url = &of->urls.items[i]};
        if (add_list(source, source->url->url) == NULL)
            return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the discovery of targets");
    }
    return SN_OK;
}

sn_status sn_discovery_open(const struct sn_discovery_options *options,
                            struct sn_discovery **ret_discovery, struct sn_err *err) {
    struct sn_discovery *discovery = sn_alloc_zero(1, sizeof *discovery);
    if (discovery == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the discovery of targets");
    size_t job_count = options->config->jobs.count;
    discovery->options = *options;
    sn_mutex_init(&discovery->mu, SN_RANK_DISCOVERY, "discovery");
    discovery->sources = sn_alloc_zero(count_sources(options->config) + 1, sizeof(struct source));
    discovery->generations = sn_alloc_zero(job_count + 1, sizeof *discovery->generations);
    sn_status status =
        discovery->sources != NULL && discovery->generations != NULL
            ? sn_http_client_new(0, &discovery->client, err)
            : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the discovery of targets");
    for (size_t i = 0; i < job_count && status == SN_OK; i++)
        status = add_sources(discovery, i, err);
    if (status != SN_OK) {
        (void)sn_discovery_close(discovery); /* NULL, always */
        return status;
    }
    *ret_discovery = discovery;
    return SN_OK;
}

static void source_release(struct source *source) {
    for (size_t i = 0; i < source->list_count; i++) {
        (void)found_free(source->lists[i].found); /* NULL, always */
        sn_free(source->lists[i].name);
    }
    sn_free(source->lists);
}

struct sn_discovery *sn_discovery_close(struct sn_discovery *discovery) {
    if (discovery == NULL)
        return NULL;
    discovery->client = sn_http_client_free(discovery->client);
    for (size_t i = 0; i < discovery->source_count; i++)
        source_release(&discovery->sources[i]);
    sn_free(discovery->sources);
    sn_free((void *)(uintptr_t)discovery->generations);
    sn_mutex_release(&discovery->mu);
    sn_free(discovery);
    return NULL;
}

static bool is_same_url(const struct source *a, const struct source *b) {
    const struct sn_scrape_job *jobs_a = a->owner->options.config->jobs.items;
    const struct sn_scrape_job *jobs_b = b->owner->options.config->jobs.items;
    return a->url != NULL && b->url != NULL && strcmp(a->url->url, b->url->url) == 0 &&
           strcmp(jobs_a[a->job].name, jobs_b[b->job].name) == 0;
}

void sn_discovery_adopt(struct sn_discovery *discovery, struct sn_discovery *old) {
    for (size_t i = 0; i < discovery->source_count; i++)
        for (size_t k = 0; k < old->source_count; k++) {
            struct source *to = &discovery->sources[i], *from = &old->sources[k];
            if (!is_same_url(to, from) || from->lists[0].found == NULL)
                continue;
            replace(to, &to->lists[0], SN_TAKE(from->lists[0].found));
        }
}
