/* Open chunks in pieces: whatever is appended comes back, wherever a token meets the end of a piece. */
#include "store/open_chunk.h"

#include "base/mem.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double value_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Values of one kind: constant runs, small steps, decimals, random bits, or all of them. */
static double next_value(struct sn_rng *rng, unsigned kind, double before) {
    unsigned choice = kind == 4 ? (unsigned)sn_rng_below(rng, 4) : kind;
    switch (choice) {
    case 0:
        return before;
    case 1:
        return before + (double)sn_rng_below(rng, 20);
    case 2:
        return (double)sn_rng_below(rng, 100000) / 100;
    default:
        return value_of(sn_rng_u64(rng));
    }
}

struct expected {
    int64_t time_ms[SN_OPEN_CHUNK_SAMPLES_MAX];
    double value[SN_OPEN_CHUNK_SAMPLES_MAX];
    size_t count;
};

static void check(const struct sn_chunk_arena *arena, const struct sn_head_chunk *state,
                  const struct expected *expected, int64_t start_ms) {
    static int64_t times[SN_OPEN_CHUNK_SAMPLES_MAX];
    static double values[SN_OPEN_CHUNK_SAMPLES_MAX];
    struct sn_chunk_ref previous;
    int64_t start = -1;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_buf_put_byte(&buf, 7); /* something stands before */
    assert_int_equal(sn_open_chunk_copy(arena, sn_open_chunk_ref(state), &buf, &start, &previous),
                     SN_OK);
    assert_int_equal(start, start_ms);
    assert_int_equal(sn_open_chunk_start_time(arena, state), start_ms);
    assert_int_equal(previous.ref, 77);
    assert_int_equal(previous.count, 5 | SN_CHUNK_REF_STARTED);
    assert_int_equal(buf.len, 1 + (size_t)state->len);
    assert_int_equal(sn_head_chunk_decode(buf.ptr + 1, buf.len - 1, expected->count, times, values),
                     SN_OK);
    for (size_t i = 0; i < expected->count; i++) {
        assert_int_equal(times[i], expected->time_ms[i]);
        assert_int_equal(bits_of(values[i]), bits_of(expected->value[i]));
    }
    sn_buf_release(&buf);
}

static void fill(struct sn_rng *rng, struct sn_chunk_arena *arena, unsigned kind,
                 int64_t start_ms) {
    static struct expected expected;
    struct sn_head_chunk state = {.owner_class = 0xbf}; /* bits of the owner, all set */
    struct sn_chunk_ref previous = {.ref = 77, .len = 3, .count = 5 | SN_CHUNK_REF_STARTED};
    int64_t time_ms = 1700000000000;
    double value = 1;
    expected.count = 0;
    assert_int_equal(sn_open_chunk_start(arena, &state, previous, start_ms), SN_OK);
    while (!sn_open_chunk_is_full(&state)) {
        time_ms += sn_rng_below(rng, 8) ? 15000 : (int64_t)sn_rng_below(rng, 100000);
        value = next_value(rng, kind, value);
        expected.time_ms[expected.count] = time_ms;
        expected.value[expected.count++] = value;
        assert_int_equal(sn_open_chunk_append(arena, &state, time_ms, value), SN_OK);
        assert_true(sn_open_chunk_tail(arena, &state) != NULL);
        check(arena, &state, &expected, start_ms);
    }
    assert_true(expected.count > 200);
    assert_int_equal(state.owner_class & 0xb0, 0xb0);
}

static void samples_come_back_wherever_a_token_is_cut(void **state) {
    (void)state;
    struct sn_rng rng;
    struct sn_chunk_arena arena;
    sn_rng_init(&rng, 3);
    sn_chunk_arena_init(&arena);
    for (unsigned turn = 0; turn < 4; turn++) {
        for (unsigned kind = 0; kind < 5; kind++)
            fill(&rng, &arena, kind, turn % 2 ? 1699999999999 : 0);
    }
    sn_chunk_arena_release(&arena);
}

static void a_failing_allocation_changes_nothing(void **state) {
    (void)state;
    struct sn_chunk_arena arena;
    struct sn_head_chunk chunk = {0};
    struct sn_rng rng;
    size_t failures = 0;
    sn_rng_init(&rng, 5);
    sn_chunk_arena_init(&arena);
    assert_int_equal(sn_open_chunk_start(&arena, &chunk, (struct sn_chunk_ref){0}, 5), SN_OK);
    for (int i = 0; i < 200; i++) {
        struct sn_head_chunk before = chunk;
        double value = value_of(sn_rng_u64(&rng));
        uint32_t next = arena.next;
        arena.next = UINT32_MAX; /* no piece is left */
        sn_status status = sn_open_chunk_append(&arena, &chunk, i, value);
        arena.next = next;
        if (status == SN_OK)
            continue;
        assert_int_equal(status, SN_ERR_LIMIT);
        assert_true(i > 0);
        assert_memory_equal(&chunk, &before, sizeof chunk);
        assert_int_equal(sn_open_chunk_append(&arena, &chunk, i, value), SN_OK);
        failures++;
    }
    assert_true(failures > 5);
    sn_chunk_arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_come_back_wherever_a_token_is_cut),
        cmocka_unit_test(a_failing_allocation_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
