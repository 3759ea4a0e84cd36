/*
 * Errors as the host sees them. The public struct and numbers are those of base, under public
 * names.
 */
#ifndef SN_CLIENT_ERROR_PRIV_H
#define SN_CLIENT_ERROR_PRIV_H

#include "base/status.h"
#include "sonde/status.h"

_Static_assert((int)SONDE_OK == (int)SN_OK, "public numbers are base's");
_Static_assert((int)SONDE_ERR_NO_MEMORY == (int)SN_ERR_NO_MEMORY, "public numbers are base's");
_Static_assert((int)SONDE_ERR_LIMIT == (int)SN_ERR_LIMIT, "public numbers are base's");
_Static_assert((int)SONDE_ERR_INVALID == (int)SN_ERR_INVALID, "public numbers are base's");
_Static_assert((int)SONDE_ERR_NOT_FOUND == (int)SN_ERR_NOT_FOUND, "public numbers are base's");
_Static_assert((int)SONDE_ERR_EXISTS == (int)SN_ERR_EXISTS, "public numbers are base's");
_Static_assert((int)SONDE_ERR_IO == (int)SN_ERR_IO, "public numbers are base's");
_Static_assert((int)SONDE_ERR_CORRUPT == (int)SN_ERR_CORRUPT, "public numbers are base's");
_Static_assert((int)SONDE_ERR_UNSUPPORTED == (int)SN_ERR_UNSUPPORTED, "public numbers are base's");
_Static_assert(SONDE_ERROR_TEXT_SIZE == SN_ERR_TEXT_SIZE, "a sentence is copied whole");

/* The public number of a status: what the host cannot tell apart is SONDE_ERR_IO. */
static inline sonde_status sn_public_status(sn_status status) {
    switch (status) {
    case SN_OK:
    case SN_ERR_NO_MEMORY:
    case SN_ERR_LIMIT:
    case SN_ERR_INVALID:
    case SN_ERR_NOT_FOUND:
    case SN_ERR_EXISTS:
    case SN_ERR_IO:
    case SN_ERR_UNSUPPORTED:
    case SN_ERR_CORRUPT:
        return (sonde_status)status;
    case SN_ERR_NO_SPACE:
    case SN_ERR_BUSY:
    case SN_ERR_TIMEOUT:
    case SN_ERR_CLOSED:
    case SN_ERR_DENIED:
    case SN_ERR_INTERNAL:
        return SONDE_ERR_IO;
    }
    return SONDE_ERR_IO;
}

/* Give status and sentence to the host; error may be NULL. Returns the status. */
sonde_status sn_public_error(sonde_error *error, sonde_status status, const struct sn_err *err);

#endif
