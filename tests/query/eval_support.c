#include "eval_support.h"

#include "base/check.h"

void eval_fixture_init(struct eval_fixture *fixture) {
    *fixture = (struct eval_fixture){.limits = {.samples_max = 1000,
                                                .series_max = 100,
                                                .points_max = 1000,
                                                .steps_max = 100,
                                                .memory_bytes_max = 1 << 20,
                                                .timeout_ns = 1000}};
    sn_arena_init(&fixture->arena, 1 << 20);
    sn_fake_clock_init(&fixture->clock, 0, 0);
    atomic_init(&fixture->is_stopping, false);
    fixture->expr.text = SN_STR("first line\nsecond(line)");
    fixture->eval = (struct sn_eval){.arena = &fixture->arena,
                                     .err = &fixture->err,
                                     .expr = &fixture->expr,
                                     .clock = &fixture->clock.clock,
                                     .limits = &fixture->limits,
                                     .deadline_ns = 1000,
                                     .is_stopping = &fixture->is_stopping};
}

void eval_fixture_release(struct eval_fixture *fixture) {
    sn_arena_release(&fixture->arena);
}

struct sn_labels eval_fixture_labels(struct eval_fixture *fixture, const char *const *pairs,
                                     size_t count) {
    struct sn_label *items = sn_arena_alloc(&fixture->arena, count * sizeof *items);
    SN_CHECK(items != NULL);
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct sn_label){sn_str_from(pairs[2 * i]), sn_str_from(pairs[2 * i + 1])};
    }
    return (struct sn_labels){items, count};
}
