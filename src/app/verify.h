/* Verifying a data directory on behalf of a command: findings to stderr, progress. One thread. */
#ifndef SN_APP_VERIFY_H
#define SN_APP_VERIFY_H

#include "app/progress.h"
#include "store/verify.h"

/* sn_store_verify of dir; prints each finding. Its statuses. */
sn_status sn_verify_data(const char *dir, bool is_quiet, struct sn_verify_report *ret_report,
                         struct sn_err *err) SN_MUST_USE;

#endif
