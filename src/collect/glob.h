/*
 * File names by pattern: *, ? and [...] in the last part of a path, as Prometheus has them.
 */
#ifndef SN_COLLECT_GLOB_H
#define SN_COLLECT_GLOB_H

#include "base/status.h"

/* Files of one pattern; more is a mistake in the pattern. */
#define SN_GLOB_FILES_MAX 10000

/*
 * Call visit for every file that the pattern names, in the order of names, until it fails. No file
 * is fine. Names that begin with a dot are not matched by wildcards.
 *
 * Returns SN_OK, what visit returns, SN_ERR_LIMIT (files), SN_ERR_DENIED, SN_ERR_IO (the directory),
 * SN_ERR_NO_MEMORY. Any thread; blocks on disk.
 */
sn_status sn_glob(const char *pattern,
                  sn_status (*visit)(void *ctx, const char *path, struct sn_err *err), void *ctx,
                  struct sn_err *err) SN_MUST_USE;

#endif
