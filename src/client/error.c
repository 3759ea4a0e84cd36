/*
 * Handing an internal error to the host, and the library's version.
 *
 * Any thread.
 */
#include "client/error_priv.h"

#include <string.h>

#define TEXT_OF(number) #number
#define VERSION(a, b, c) TEXT_OF(a) "." TEXT_OF(b) "." TEXT_OF(c)

sonde_status sn_public_error(sonde_error *error, sonde_status status, const struct sn_err *err) {
    if (error == NULL)
        return status;
    error->status = status;
    error->text[0] = '\0';
    if (status != SONDE_OK && err != NULL)
        memcpy(error->text, err->text, sizeof error->text);
    return status;
}

const char *sonde_version(void) {
    return VERSION(SONDE_VERSION_MAJOR, SONDE_VERSION_MINOR, SONDE_VERSION_PATCH);
}
