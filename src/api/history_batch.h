/*
 * Many named questions about history over one range: what POST /api/v1/history takes in its body and
 * the topic "history" of streams in its parameters, and how the answers are written.
 */
#ifndef SN_API_HISTORY_BATCH_H
#define SN_API_HISTORY_BATCH_H

#include "base/arena.h"
#include "codec/json_write.h"
#include "engine/history.h"

#define SN_HISTORY_BATCH_MAX 64 /* questions: a page of the dashboard has about 20 charts */
#define SN_HISTORY_BATCH_BYTES_MAX ((size_t)64 << 10) /* of a body */
#define SN_HISTORY_ID_BYTES_MAX 64
#define SN_HISTORY_TIMEOUT_NS_DEFAULT INT64_C(30000000000)
#define SN_HISTORY_TIMEOUT_NS_MAX INT64_C(120000000000)

/* Columns of an answer, bits. */
#define SN_HISTORY_MIN 1u
#define SN_HISTORY_AVG 2u
#define SN_HISTORY_MAX 4u
#define SN_HISTORY_COUNT 8u
#define SN_HISTORY_ALL 15u

struct sn_history_item {
    struct sn_str id;         /* unique in its batch */
    struct sn_str expression; /* PromQL */
    size_t series_max;        /* 0: SN_HISTORY_SERIES_MAX */
    unsigned columns;
};

struct sn_history_batch {
    struct sn_range range;
    int64_t step_ms;
    int64_t timeout_ns;            /* of all together */
    struct sn_history_item *items; /* [item_count], in the arena */
    size_t item_count;
};

/*
 * Read the body of POST /api/v1/history:
 *
 *   {"start","end","range","step","points","timeout","align":true,"columns":["min","avg",...],
 *    "queries":[{"id","query" | "metric","labels":{..},"limit","columns"},...]}
 *
 * Only queries is required. Times and durations are texts or numbers, see history_span.h.
 *
 *   body       borrowed; texts of the batch point into it or into the arena
 *   now_ms     where the range ends by default
 *   hash_seed  of the JSON reader
 *
 * Returns SN_OK, SN_ERR_INVALID (which key, where), SN_ERR_LIMIT (queries, steps),
 * SN_ERR_NO_MEMORY.
 */
struct sn_history_batch_input {
    struct sn_str body;
    int64_t now_ms;
    uint64_t hash_seed;
};
sn_status sn_history_batch_parse(const struct sn_history_batch_input *input, struct sn_arena *arena,
                                 struct sn_history_batch *ret_batch,
                                 struct sn_err *err) SN_MUST_USE;

/* "avg" to its bit; 0: there is no such column. */
unsigned sn_history_column(struct sn_str name);

/*
 * Write "start", "end", "step", "t" and "results" into an open object. Questions that fail are
 * {"errorType","error"} in their place.
 *
 *   is_cancelled   as in struct sn_query; may be NULL
 *
 * Returns SN_OK, SN_ERR_INVALID and SN_ERR_LIMIT (range and step), SN_ERR_CLOSED (cancelled); what
 * the writer meets stays in it.
 * Blocks: as the querier does, one question after the other, batch->timeout_ns in all.
 */
sn_status sn_history_batch_write(const struct sn_history_source *source,
                                 const struct sn_history_batch *batch,
                                 const atomic_bool *is_cancelled, struct sn_json_writer *json,
                                 struct sn_err *err) SN_MUST_USE;

/* Pieces of it: "t" and its values; "series" and "warnings" of one answer. */
void sn_history_write_times(struct sn_json_writer *json, const struct sn_history_frame *frame);
void sn_history_write_result(struct sn_json_writer *json, const struct sn_history *history,
                             unsigned columns);

#endif
