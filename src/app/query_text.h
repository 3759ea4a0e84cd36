/*
 * What `sonde query` prints: the server's JSON as a table, its complaint with a mark under the place.
 */
#ifndef SN_APP_QUERY_TEXT_H
#define SN_APP_QUERY_TEXT_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

#include <stddef.h>

enum { SN_QUERY_LABELS_MAX = 64 };

/* Characters of a text; bytes that are not UTF-8 count as one each. */
size_t sn_query_text_width(struct sn_str text);

/* Append a text; what a terminal would act upon becomes '?'. */
void sn_query_text_put(struct sn_buf *out, struct sn_str text);

/*
 * Append the result of a query as a table: a column per label, the time in answers over a range, the
 * value.
 *
 *   document   what the server answered with 200
 *   notes      gets its warnings and remarks, one a line
 *
 * SN_ERR_INVALID (no such document), SN_ERR_LIMIT (more than SN_QUERY_LABELS_MAX different labels),
 * SN_ERR_NO_MEMORY.
 */
sn_status sn_query_text_table(struct sn_str document, struct sn_buf *out, struct sn_buf *notes,
                              struct sn_err *err) SN_MUST_USE;

/*
 * Append what is wrong with a query, and its line with a mark if `sentence` names a place in it:
 *
 *   sonde: query: unknown function with name "rat" at 1:1
 *     rat(up[5m])
 *     ^^^  did you mean "rate"?
 */
void sn_query_text_complaint(struct sn_str expr, struct sn_str sentence, struct sn_buf *out);

#endif
