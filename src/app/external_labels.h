/*
 * global.external_labels of prometheus.yml.
 */
#ifndef SN_APP_EXTERNAL_LABELS_H
#define SN_APP_EXTERNAL_LABELS_H

#include "base/arena.h"
#include "collect/scrape_config.h"

/*
 * Put the environment into the values, as Prometheus does ($NAME, ${NAME}; $$ is one $; a variable that
 * is not set is empty), and check that they are labels of different names.
 *
 *   path    of the file, for messages
 *   arena   keeps the new texts
 *
 * SN_ERR_INVALID, SN_ERR_LIMIT, SN_ERR_NO_MEMORY. Reads the environment: main thread.
 */
sn_status sn_external_labels_complete(struct sn_pair_list *pairs, const char *path,
                                      struct sn_arena *arena, struct sn_err *err) SN_MUST_USE;

#endif
