/*
 * Paths as label values: /users/123/orders/7f3a91c2 becomes /users/:id/orders/:id, so that a path
 * names a route and not a person, and the number of series stays small.
 *
 *     static const char *const routes[] = {"/api/{version}/items/:id", "/files/{name}"};
 *     sonde_path_options options = {.templates = routes, .template_count = 2};
 *     sonde_path_rules *rules = sonde_path_rules_new(&options, NULL);
 *     char path[SONDE_PATH_SIZE];
 *     sonde_path_normalise(rules, url, strlen(url), path, sizeof path);
 *
 * What comes out, in this order:
 *   1. Query and fragment are dropped, "//" is "/", a trailing "/" and a "." segment go.
 *      Of http://host/path only the path is left. "*" (of OPTIONS) stays; whatever else does not
 *      start with "/" is ":other".
 *   2. A path that matches a template is that template, parameters written as :name.
 *   3. Otherwise every segment that looks like an id is ":id": numbers, dates and versions
 *      without a letter (123, 2024-01-31), 8 or more hexadecimal digits with a decimal one among
 *      them, 16 or more without, uuids, anything with an @, with 5 decimal digits, with 20
 *      characters and a decimal digit, or longer than SONDE_PATH_SEGMENT_BYTES_MAX. An extension
 *      is kept: /videos/123.mp4 is /videos/:id.mp4. A segment with a byte that is not printable
 *      ASCII is ":other"; one that starts with ":" is kept when it could come from here, else ":id".
 *   4. After segment_max segments, or when the buffer is full, the rest is one segment ":rest".
 *
 * Normalising what was normalised (same rules, same buffer size) changes nothing.
 */
#ifndef SONDE_PATH_H
#define SONDE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "sonde/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SONDE_PATH_SIZE 256             /* of a buffer that fits most routes */
#define SONDE_PATH_SEGMENT_BYTES_MAX 40 /* a longer segment is ":id" */
#define SONDE_PATH_SEGMENTS_MAX 32
#define SONDE_PATH_TEMPLATES_MAX 1000
#define SONDE_PATH_TEMPLATE_BYTES_MAX 255
#define SONDE_PATH_OTHER ":other"

typedef struct sonde_path_rules sonde_path_rules;

/* Zero-initialise and fill in; everything is copied. */
typedef struct sonde_path_options {
    /*
     * Routes, the first that matches counts. Segments are text, a parameter (":name" or "{name}",
     * any one segment), or as the last one "*" (one or more segments).
     */
    const char *const *templates; /* [template_count] */
    size_t template_count;
    size_t segment_max;  /* 1 to SONDE_PATH_SEGMENTS_MAX [12] */
    bool templates_only; /* a path that no template matches is ":other" */
} sonde_path_options;

/*
 * Compile rules.
 *
 *   options  NULL: the default rules without templates
 *   error    NO_MEMORY, LIMIT (templates, their length or segments), INVALID (which template)
 *
 * Returns NULL after an error; NULL rules are the default rules everywhere.
 * Threads: any. Blocks: never. Cost: O(templates), two allocations.
 */
SONDE_API sonde_path_rules *sonde_path_rules_new(const sonde_path_options *options,
                                                 sonde_error *error);

/* Release rules that nobody uses any more. NULL is fine. Returns NULL. */
SONDE_API sonde_path_rules *sonde_path_rules_free(sonde_path_rules *rules);

/*
 * Normalise a path.
 *
 *   rules        NULL: the default rules
 *   path         [path_len] as the client sent it, or decoded; any bytes; NULL: ":other"
 *   ret_path     [ret_path_size] printable ASCII and a NUL; written whenever ret_path_size > 0.
 *                Below 8 bytes nothing but "" may fit.
 *
 * Returns the length of what was written, without the NUL.
 * Threads: any. Blocks: never. Cost: about 60 ns for 30 bytes, no allocation; a template that does
 * not match adds 3 ns.
 */
SONDE_API size_t sonde_path_normalise(const sonde_path_rules *rules, const char *path,
                                      size_t path_len, char *ret_path, size_t ret_path_size);

#ifdef __cplusplus
}
#endif
#endif
