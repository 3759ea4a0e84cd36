/*
 * Jobs in files of their own. See prometheus_files.h.
 */
#include "app/prometheus_files.h"

#include "app/prometheus_keys.h"
#include "base/limits.h"
#include "base/os.h"
#include "collect/glob.h"

#include <stddef.h>

/* A file of jobs. */
struct jobs_file {
    struct sn_scrape_job_list jobs;
};

static const struct sn_schema_key keys[] = {
    {"scrape_configs", SN_SCHEMA_LIST, .offset = offsetof(struct jobs_file, jobs),
     .item_size = sizeof(struct sn_scrape_job), .children = sn_prometheus_job_keys,
     .begin = sn_prometheus_job_begin, .finish = sn_prometheus_job_finish},
};

/* What reading several files carries around. */
struct reading {
    struct sn_scrape_config *config;
    struct sn_arena *arena;
    struct sn_buf *warnings;
};

/* Jobs change owners before anything is judged: their regexes are to be released in any case. */
static sn_status append(struct reading *r, const struct sn_scrape_job_list *more,
                        struct sn_err *err) {
    struct sn_scrape_job_list *jobs = &r->config->jobs;
    size_t count = jobs->count + more->count;
    struct sn_scrape_job *items = sn_arena_alloc_zero(r->arena, count, sizeof *items);
    if (items == NULL) {
        struct sn_scrape_config lost = {.jobs = *more};
        sn_prometheus_release(&lost);
        return sn_arena_failure(r->arena, count * sizeof *items, err);
    }
    if (jobs->count > 0)
        memcpy(items, jobs->items, jobs->count * sizeof *items);
    if (more->count > 0)
        memcpy(items + jobs->count, more->items, more->count * sizeof *items);
    *jobs = (struct sn_scrape_job_list){items, count};
    return SN_OK;
}

static sn_status read_file(void *ctx, const char *path, struct sn_err *err) {
    struct reading *r = ctx;
    struct jobs_file file = {.jobs = {NULL, 0}};
    struct sn_buf text;
    sn_buf_init(&text, SN_CONFIG_BYTES_MAX + 1);
    sn_status status = sn_os_read_file(path, &text, err);
    if (status == SN_OK)
        status = sn_schema_read_warned(path, sn_buf_str(&text), keys, 1, &file, r->arena,
                                       r->warnings, err);
    sn_buf_release(&text);
    sn_status appended = append(r, &file.jobs, status == SN_OK ? err : NULL);
    return status == SN_OK ? appended : status;
}

sn_status sn_prometheus_read_files(struct sn_scrape_config *config,
                                   const struct sn_text_list *globs, const char *path,
                                   struct sn_arena *arena, struct sn_buf *warnings,
                                   struct sn_err *err) {
    struct reading r = {config, arena, warnings};
    for (size_t i = 0; i < globs->count; i++) {
        const char *pattern = sn_prometheus_beside(path, globs->items[i], arena);
        if (pattern == NULL)
            return sn_arena_failure(arena, strlen(path) + strlen(globs->items[i]), err);
        SN_TRY(sn_glob(pattern, read_file, &r, err));
    }
    return SN_OK;
}
