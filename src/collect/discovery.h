/*
 * Discovery: lists of targets that change while the server runs, from files (file_sd_configs) and
 * URLs (http_sd_configs).
 *
 * 1. What was found last stays until something else is found: a file that is gone takes its targets
 *    with it, a file that cannot be read or parsed and a URL that does not answer change nothing.
 * 2. Files are looked at each second (names, sizes, times), URLs as often as their interval says.
 * 3. A list that hangs delays no other list of URLs; nothing here delays a scrape.
 *
 * One worker; what was found is guarded by mu.
 */
#ifndef SN_COLLECT_DISCOVERY_H
#define SN_COLLECT_DISCOVERY_H

#include "base/clock.h"
#include "base/lock.h"
#include "collect/scrape_config.h"

struct sn_discovery;

struct sn_discovery_options {
    const struct sn_scrape_config *config; /* outlives the discovery */
    const struct sn_clock *clock;
    /* The targets of a job have changed. Any thread of the discovery; short. */
    void (*on_targets)(void *ctx);
    /* A list stopped or started (err NULL) working. `name` is the file or the URL. */
    void (*on_change)(void *ctx, const char *name, const struct sn_err *err);
    void *ctx;
};

/* SN_ERR_NO_MEMORY, SN_ERR_IO, SN_ERR_INTERNAL (of the HTTP client). */
sn_status sn_discovery_open(const struct sn_discovery_options *options,
                            struct sn_discovery **ret_discovery, struct sn_err *err) SN_MUST_USE;
/* The worker has ended. Returns NULL; NULL is fine. */
struct sn_discovery *sn_discovery_close(struct sn_discovery *discovery);

/* Look at all files now, on this thread. Not while the worker runs. */
void sn_discovery_look(struct sn_discovery *discovery);

struct sn_worker sn_discovery_worker(struct sn_discovery *discovery);

/* Grows with every change of a job's targets. */
uint64_t sn_discovery_generation(const struct sn_discovery *discovery, size_t job);

/*
 * Call visit for every group that was found for a job, until it fails. visit must not call the
 * discovery. Any thread.
 */
sn_status sn_discovery_each(struct sn_discovery *discovery, size_t job,
                            sn_status (*visit)(void *ctx, const struct sn_target_group *group,
                                               struct sn_err *err),
                            void *ctx, struct sn_err *err) SN_MUST_USE;

/* Take over what another discovery found at the same URLs for jobs of the same name. Both at rest. */
void sn_discovery_adopt(struct sn_discovery *discovery, struct sn_discovery *old);

#endif
