/*
 * The OpenAPI 3.1 document of the server, written from the route table and its descriptions. Pure.
 */
#ifndef SN_API_OPENAPI_H
#define SN_API_OPENAPI_H

#include "api/route_docs.h"

/*
 * Write the document as one JSON object.
 *
 * Returns SN_OK, SN_ERR_INVALID (a type that is not in the notation: a bug that a test finds),
 * SN_ERR_LIMIT. What the writer lacks is told by its finish.
 * Cost: 0.1 MB of text, about 1 ms.
 */
sn_status sn_openapi_write(struct sn_json_writer *json, struct sn_err *err) SN_MUST_USE;

#endif
