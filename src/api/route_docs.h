/*
 * What the routes take and answer: the descriptions beside the route table, from which
 * GET /api/v1/openapi.json is written (openapi.h). A new route needs a row in route_docs.c too: a
 * test refuses routes without one, and a system test holds the answers of a live server against it.
 */
#ifndef SN_API_ROUTE_DOCS_H
#define SN_API_ROUTE_DOCS_H

#include "api/api_priv.h"

/* One row: what one or more methods of a path do. Types are in the notation of schema.h. */
struct sn_route_doc {
    const char *path;    /* as in the route table, or a path that one of its rows matches */
    unsigned methods;    /* SN_API_METHOD bits; HEAD needs no row */
    const char *tag;     /* the chapter */
    const char *summary; /* a sentence without its full stop */
    const char *params;  /* "name: type, other?: type"; names in the path's braces are texts unless
                            they are here; NULL: none */
    bool is_form;        /* POST has the parameters in a form */
    const char *body;    /* type of the body; NULL: none */
    const char *body_type;   /* content type; NULL: application/json */
    const char *answer;      /* type of the answer; NULL: no body, 204 */
    const char *answer_type; /* content type; NULL: application/json */
    const char *error;       /* type of the answer when it fails; NULL: Error */
    int status;              /* of success; 0: 200, or 204 without an answer */
    int also_status;         /* answered with the same document; 0: none */
};

extern const struct sn_route_doc sn_route_docs[];
extern const size_t sn_route_doc_count;

/* A schema with a name, in route_schemas.c. */
struct sn_named_schema {
    const char *name;
    const char *type;
    bool is_request; /* other members than these are refused */
};

extern const struct sn_named_schema sn_named_schemas[];
extern const size_t sn_named_schema_count;

#endif
