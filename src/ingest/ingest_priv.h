/*
 * What the protocols of ingest share: limits of a request, its labels, and the counted push.
 */
#ifndef SN_INGEST_INGEST_PRIV_H
#define SN_INGEST_INGEST_PRIV_H

#include "base/limits.h"
#include "ingest/ingest.h"

/* Labels of a series before they are made valid: its name, its own, and extra ones. */
enum { SN_INGEST_LABELS_MAX = 1 + 2 * SN_LABELS_MAX };

/*
 * Push what a request became, count what it left out, and complete its result.
 *
 *   done    as in sn_sink.push; NULL: wait until it is durable
 *   result  what was left out so far; changed on SN_OK only
 *
 * Statuses of the sink's push and, when waiting, of done.
 */
sn_status sn_ingest_push(struct sn_ingest *ingest, enum sn_ingest_protocol protocol,
                         const struct sn_batch *batch, const struct sn_push_done *done,
                         struct sn_ingest_result *result, struct sn_err *err) SN_MUST_USE;

/* Count a request that came to its end with this status. */
void sn_ingest_count_request(struct sn_ingest *ingest, sn_status status);

/* Count something that is left out. The first sentence is kept, as "line 7: sentence". */
void sn_ingest_reject(struct sn_ingest_result *result, unsigned reason, const char *where,
                      size_t number, const char *sentence);

/* Add labels that win against those of the same name; the new count. Room for all of them. */
size_t sn_ingest_put_labels(struct sn_label *items, size_t count, struct sn_labels extra);

/* SN_ERR_LIMIT (the body), SN_ERR_INVALID (an option). */
sn_status sn_ingest_check_request(struct sn_str body, const struct sn_ingest_options *options,
                                  struct sn_err *err) SN_MUST_USE;

#endif
