/*
 * Where the data commands read from: a snapshot of a running server, or of a data directory that no
 * server has open. Either way it is a data directory of its own below `snapshots/` of the data, which
 * the end takes away again.
 *
 *   --url, SONDE_URL      ask that server
 *   --data, --config      open the directory; when a server has it open, ask that server
 *
 * One thread.
 */
#ifndef SN_APP_DATA_SOURCE_H
#define SN_APP_DATA_SOURCE_H

#include "app/config.h"
#include "app/remote.h"
#include "app/tool_options.h"
#include "store/store.h"

struct sn_data_source {
    struct sn_config config;
    struct sn_remote remote;
    struct sn_store *store; /* owned; NULL: a server has it */
    struct sn_snapshot snapshot;
    bool has_remote;
    bool has_snapshot;
};

/*
 * Make a snapshot.
 *
 *   source  zeroed; to be closed in any case
 *
 * Statuses of the configuration, the store and the server; SN_ERR_NOT_FOUND: no data there.
 */
sn_status sn_data_source_open(struct sn_data_source *source, const struct sn_tool_options *options,
                              struct sn_err *err) SN_MUST_USE;

/* Take the snapshot away. What cannot be taken away is named on stderr: it holds space. */
void sn_data_source_close(struct sn_data_source *source);

/*
 * For commands that write: open the store of options->data, or find that a server has it: then *ret_store
 * is NULL and source->remote is ready. No snapshot is made.
 */
sn_status sn_data_source_reach(struct sn_data_source *source, const struct sn_tool_options *options,
                               struct sn_err *err) SN_MUST_USE;

#endif
