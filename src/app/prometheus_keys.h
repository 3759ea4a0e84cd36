/*
 * The keys of a prometheus.yml, as tables for app/schema.h. They stand beside Sonde's own keys: one
 * file may hold both, and an unmodified prometheus.yml is a configuration of Sonde.
 *
 * Offsets count from struct sn_config for top-level keys. What Sonde has no use for is kept with a
 * warning when leaving it out is harmless, and refused when it is not.
 */
#ifndef SN_APP_PROMETHEUS_KEYS_H
#define SN_APP_PROMETHEUS_KEYS_H

#include "app/schema.h"
#include "collect/scrape_config.h"

/* Rows end with one without a name. */
extern const struct sn_schema_key sn_prometheus_global_keys[];
extern const struct sn_schema_key sn_prometheus_job_keys[];

/* struct sn_scrape_job: defaults, and the line that it begins in. */
void sn_prometheus_job_begin(void *item, size_t line);
/* What can be told of one scrape_config alone. SN_ERR_INVALID. */
sn_status sn_prometheus_job_finish(void *target, struct sn_err *err) SN_MUST_USE;

/*
 * Complete what a file says: global settings become those of jobs that say nothing, file names
 * become relative to the file's directory, names of jobs are compared.
 *
 *   path    of the file, for messages and for relative names
 *   arena   keeps the new texts
 *
 * SN_ERR_INVALID ("file:line: ..."), SN_ERR_NO_MEMORY, SN_ERR_LIMIT.
 */
sn_status sn_prometheus_complete(struct sn_scrape_config *config, const char *path,
                                 struct sn_arena *arena, struct sn_err *err) SN_MUST_USE;

/* Regexes; texts belong to the arena. */
void sn_prometheus_release(struct sn_scrape_config *config);

/* `name` as it is when it is absolute, else beside `path`. NULL: no memory. */
const char *sn_prometheus_beside(const char *path, const char *name, struct sn_arena *arena);

#endif
