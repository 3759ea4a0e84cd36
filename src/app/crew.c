/*
 * Starting and stopping groups of threads. See crew.h.
 */
#include "app/crew.h"

#include "base/clock.h"

sn_status sn_crew_start(struct sn_crew *crew, struct sn_err *err) {
    for (size_t i = 0; i < crew->count; i++) {
        struct sn_worker *worker = &crew->workers[i];
        sn_status status =
            sn_thread_start(&crew->threads[i], worker->name, worker->run, worker->ctx, err);
        if (status != SN_OK) {
            sn_crew_stop(crew);
            sn_crew_join(crew);
            return status;
        }
    }
    return SN_OK;
}

void sn_crew_stop(struct sn_crew *crew) {
    for (size_t i = 0; i < crew->count; i++)
        crew->workers[i].stop(crew->workers[i].ctx);
}

void sn_crew_join(struct sn_crew *crew) {
    for (size_t i = 0; i < crew->count; i++)
        sn_thread_join(&crew->threads[i]);
    crew->count = 0;
}

size_t sn_crew_join_within(struct sn_crew *crew, int64_t timeout_ns) {
    const struct sn_clock *clock = sn_clock_system();
    int64_t deadline_ns = sn_clock_mono_ns(clock) + timeout_ns;
    size_t running = 0;
    for (size_t i = 0; i < crew->count; i++) {
        int64_t left_ns = deadline_ns - sn_clock_mono_ns(clock);
        if (!sn_thread_join_within(&crew->threads[i], left_ns > 0 ? left_ns : 0))
            running++;
    }
    return running;
}
