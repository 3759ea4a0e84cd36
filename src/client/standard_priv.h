/*
 * What the HTTP instrument needs of the standard families.
 */
#ifndef SN_CLIENT_STANDARD_PRIV_H
#define SN_CLIENT_STANDARD_PRIV_H

#include "sonde/standard.h"

/* The label value of a method: itself when it is registered, else SONDE_OTHER. Static text. */
const char *sn_http_method(const char *method);

#endif
