/*
 * Errors of libsonde-http as the host sees them; the public struct is base's under another name.
 */
#ifndef SN_CLIENTHTTP_ERROR_PRIV_H
#define SN_CLIENTHTTP_ERROR_PRIV_H

#include "base/status.h"
#include "sonde/status.h"

#include <stdbool.h>
#include <string.h>

_Static_assert(SONDE_ERROR_TEXT_SIZE == SN_ERR_TEXT_SIZE, "a sentence is copied whole");
_Static_assert((int)SONDE_ERR_IO == (int)SN_ERR_IO, "public numbers are base's");

/* Give status and sentence to the host; error may be NULL. What hosts do not know is IO. */
static inline void sn_clienthttp_error(sonde_error *error, const struct sn_err *err) {
    if (error == NULL)
        return;
    bool is_public = err->status == SN_OK || err->status == SN_ERR_NO_MEMORY ||
                     err->status == SN_ERR_LIMIT || err->status == SN_ERR_INVALID;
    error->status = is_public ? (sonde_status)err->status : SONDE_ERR_IO;
    memcpy(error->text, err->text, sizeof error->text);
}

#endif
