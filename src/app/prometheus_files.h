/*
 * scrape_config_files: jobs that stand in files of their own.
 */
#ifndef SN_APP_PROMETHEUS_FILES_H
#define SN_APP_PROMETHEUS_FILES_H

#include "base/buf.h"
#include "collect/scrape_config.h"

/*
 * Append the jobs of all files that the globs name (relative to `path`). A glob without a file is
 * fine; jobs of what was read are kept after a failure, for sn_prometheus_release.
 *
 * SN_ERR_NOT_FOUND, SN_ERR_DENIED, SN_ERR_IO, SN_ERR_INVALID, SN_ERR_LIMIT, SN_ERR_NO_MEMORY.
 */
sn_status sn_prometheus_read_files(struct sn_scrape_config *config,
                                   const struct sn_text_list *globs, const char *path,
                                   struct sn_arena *arena, struct sn_buf *warnings,
                                   struct sn_err *err) SN_MUST_USE;

#endif
