/*
 * Copying a data directory that nobody writes to: segments first, then records.db where there is one,
 * sonde.db last, so that the copy is whole or has no sonde.db (or still its old one). What is there
 * already with the same footer is kept: a copy that was stopped goes on, and a second backup copies
 * only what is new. One thread.
 */
#ifndef SN_APP_COPY_DATA_H
#define SN_APP_COPY_DATA_H

#include "app/progress.h"
#include "base/status.h"

/*
 *   from, to    data directories; `to` is made when missing
 *   goes_on     asked between pieces; false: stop
 *   progress    counts bytes of segments and databases; what was kept counts as well
 *
 * SN_ERR_CLOSED (goes_on said stop), SN_ERR_NOT_FOUND, SN_ERR_IO, SN_ERR_NO_SPACE, SN_ERR_DENIED,
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT (paths).
 */
sn_status sn_copy_data(const char *from, const char *to, bool (*goes_on)(void),
                       struct sn_progress *progress, struct sn_err *err) SN_MUST_USE;

#endif
