/*
 * A struct sn_eval to test the parts of the evaluator with, without an engine.
 */
#ifndef TESTS_QUERY_EVAL_SUPPORT_H
#define TESTS_QUERY_EVAL_SUPPORT_H

#include "query/eval_priv.h"

struct eval_fixture {
    struct sn_arena arena;
    struct sn_fake_clock clock;
    struct sn_query_limits limits;
    struct sn_expr expr;
    struct sn_err err;
    atomic_bool is_stopping;
    struct sn_eval eval;
};

void eval_fixture_init(struct eval_fixture *fixture);
void eval_fixture_release(struct eval_fixture *fixture);

/* Labels of name, value, name, value ..., sorted by the caller. */
struct sn_labels eval_fixture_labels(struct eval_fixture *fixture, const char *const *pairs,
                                     size_t count);

#endif
