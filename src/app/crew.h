/*
 * Groups of threads that start and stop together. The only place of the server that starts threads.
 */
#ifndef SN_APP_CREW_H
#define SN_APP_CREW_H

#include "base/lock.h"

/* HTTP workers are the largest group. */
#define SN_CREW_MAX 80

/* One thread owns it: the main thread. Zeroed memory is an empty crew. */
struct sn_crew {
    const char *name; /* borrowed literal, for messages */
    struct sn_worker workers[SN_CREW_MAX];
    struct sn_thread threads[SN_CREW_MAX];
    size_t count;
};

/* Start one thread per worker in crew->workers. After a failure those that run are stopped and joined. */
sn_status sn_crew_start(struct sn_crew *crew, struct sn_err *err) SN_MUST_USE;

/* Tell all to stop; never blocks. */
void sn_crew_stop(struct sn_crew *crew);

/* Wait for all. */
void sn_crew_join(struct sn_crew *crew);

/* Wait for all, together at most timeout_ns. Returns how many still run (they stay unjoined). */
size_t sn_crew_join_within(struct sn_crew *crew, int64_t timeout_ns);

#endif
