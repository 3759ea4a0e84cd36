/*
 * Helpers that read series ahead of the thread that evaluates: decoding is more than half of the cost
 * of a long query, and the order in which series are wanted is known.
 *
 *   series of a selector   | block | block | block | block | ...      blocks of SN_READ_BLOCK_SERIES
 *                            taken   done    helper  not claimed yet
 *                                    \______ at most SN_READ_SLOTS ______/
 *
 * The evaluating thread claims blocks as helpers do, so that it never waits for work that nobody has
 * begun: with no helper running everything still works. Helpers take one block of each open job in
 * turns, so that a large query does not starve a small one.
 *
 * Threads: the pool is used by any thread; a job belongs to the one that opened it.
 */
#ifndef SN_QUERY_READ_AHEAD_H
#define SN_QUERY_READ_AHEAD_H

#include "model/doors.h"

/* Series of one block: a few hundred microseconds for a day of samples, 20 for the last minutes. */
#define SN_READ_BLOCK_SERIES 16
/* Blocks between what is taken and what is claimed: 6 x 16 series of 5,760 samples are 9 MB. */
#define SN_READ_SLOTS 6
/* Threads of a pool. Beyond it the evaluating thread is what queries wait for. */
#define SN_READ_HELPERS_MAX 8

struct sn_read_job;
struct sn_read_pool;
struct sn_worker; /* base/lock.h */

struct sn_read_pool *sn_read_pool_new(void); /* NULL: no memory */
/* No job is open, no worker runs. NULL is fine; returns NULL. */
struct sn_read_pool *sn_read_pool_free(struct sn_read_pool *pool);

/* A helper. As many as wanted, up to SN_READ_HELPERS_MAX. */
struct sn_worker sn_read_pool_worker(struct sn_read_pool *pool);

/*
 * Begin to read series.
 *
 *   reader   kept
 *   list     kept: its items must stay until the job is closed
 *   ret_job  closed with sn_read_job_close
 *
 * SN_ERR_NO_MEMORY.
 */
sn_status sn_read_job_open(struct sn_read_pool *pool, const struct sn_reader *reader,
                           struct sn_series_list list, struct sn_range range,
                           struct sn_read_job **ret_job, struct sn_err *err) SN_MUST_USE;

/*
 * The samples of the next series of the list: 0, 1, 2 ... They are exchanged for what *samples holds,
 * whose memory is used again. Statuses of sn_reader.samples. Blocks while a helper reads them.
 */
sn_status sn_read_job_take(struct sn_read_job *job, struct sn_samples *samples,
                           struct sn_err *err) SN_MUST_USE;

/* The list and the range of a job. */
bool sn_read_job_is_of(const struct sn_read_job *job, const struct sn_series_list *list,
                       struct sn_range range);
/* Which series sn_read_job_take gives next. */
size_t sn_read_job_next(const struct sn_read_job *job);

/* Waits for helpers that are at it. NULL is fine; returns NULL. */
struct sn_read_job *sn_read_job_close(struct sn_read_job *job);

#endif
