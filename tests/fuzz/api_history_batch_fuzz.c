/*
 * Bodies of POST /api/v1/history. Property: a batch that is taken has steps within their limit, names
 * that are unique, and columns; a question by metric parses as a plain selector.
 */
#include "api/history_batch.h"

#include "base/check.h"
#include "query/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_item(struct sn_str body, const struct sn_history_batch *batch, size_t i,
                       struct sn_arena *arena) {
    const struct sn_history_item *item = &batch->items[i];
    struct sn_expr expr;
    SN_CHECK(item->id.len > 0 && item->id.len <= SN_HISTORY_ID_BYTES_MAX);
    SN_CHECK(item->columns > 0 && item->columns <= SN_HISTORY_ALL);
    SN_CHECK(item->series_max <= SN_HISTORY_SERIES_MAX);
    SN_CHECK(item->expression.len > 0);
    for (size_t j = 0; j < i; j++)
        SN_CHECK(!sn_str_equal(batch->items[j].id, item->id));
    /* PromQL of the caller's own may be anything. Where nothing is escaped it lies in the body. */
    const char *text = item->expression.ptr;
    bool is_of_metric = memchr(body.ptr, '\\', body.len) == NULL &&
                        (text < body.ptr || text >= body.ptr + body.len);
    if (is_of_metric)
        SN_CHECK(sn_expr_parse_selector(item->expression, arena, &expr, NULL) == SN_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_arena arena;
    struct sn_history_batch batch;
    size_t step_count = 0;
    const struct sn_history_batch_input input = {
        .body = sn_str_make(data, len), .now_ms = 1700000000000, .hash_seed = 1};
    sn_arena_init(&arena, 0);
    if (sn_history_batch_parse(&input, &arena, &batch, NULL) == SN_OK) {
        SN_CHECK(sn_history_count_steps(batch.range, batch.step_ms, &step_count, NULL) == SN_OK);
        SN_CHECK(batch.item_count > 0 && batch.item_count <= SN_HISTORY_BATCH_MAX);
        SN_CHECK(batch.timeout_ns > 0 && batch.timeout_ns <= SN_HISTORY_TIMEOUT_NS_MAX);
        for (size_t i = 0; i < batch.item_count; i++)
            check_item(input.body, &batch, i, &arena);
    }
    sn_arena_release(&arena);
    return 0;
}
