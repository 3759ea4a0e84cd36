/* Packs: round trips, shared times, what is refused. */
#include "store/pack.h"

#include "base/mem.h"
#include "base/rng.h"
#include "codec/crc32c.h"
#include "codec/varint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { START = 1700000000 };

static void fill(struct sn_rng *rng, unsigned chunk, size_t count, int64_t *times, double *values) {
    for (size_t i = 0; i < count; i++) {
        times[i] = START + (int64_t)i * 1000 + (chunk % 3 == 2 ? chunk : 0);
        values[i] = chunk % 2 ? sn_double_from_bits(sn_rng_u64(rng)) : (double)(i * chunk);
    }
}

static sn_status add(struct sn_pack_builder *builder, uint32_t series, const int64_t *times,
                     const double *values, size_t count) {
    int64_t copy[SN_CHUNK_SAMPLES_MAX];
    double value[SN_CHUNK_SAMPLES_MAX];
    memcpy(copy, times, count * sizeof *times);
    memcpy(value, values, count * sizeof *values);
    struct sn_samples samples = {.time_ms = copy, .value = value, .count = count};
    return sn_pack_add(builder, series, &samples);
}

/* Chunks until the pack is full; every one comes back. Returns the stored bytes. */
static struct sn_buf build_to(size_t raw_target, unsigned *ret_chunks) {
    struct sn_rng rng;
    struct sn_pack_builder builder;
    struct sn_buf out;
    static int64_t times[SN_CHUNK_SAMPLES_MAX]; /* not on the stack: 8 KiB with the values */
    static double values[SN_CHUNK_SAMPLES_MAX];
    unsigned chunks = 0;
    sn_rng_init(&rng, 1);
    sn_buf_init(&out, 0);
    assert_int_equal(sn_pack_builder_init(&builder), SN_OK);
    builder.raw_target = raw_target;
    while (!sn_pack_is_full(&builder)) {
        size_t count = 1 + (chunks * 37) % SN_CHUNK_SAMPLES_MAX;
        fill(&rng, chunks, count, times, values);
        assert_int_equal(add(&builder, 1000 - chunks, times, values, count), SN_OK);
        chunks++;
    }
    assert_int_equal(sn_pack_finish(&builder, &out), SN_OK);
    assert_int_equal(builder.chunk_count, 0);
    sn_pack_builder_release(&builder);
    *ret_chunks = chunks;
    return out;
}

static struct sn_buf build(unsigned *ret_chunks) {
    return build_to(SN_PACK_RAW_TARGET, ret_chunks);
}

static void check_every_chunk(size_t raw_target) {
    struct sn_rng rng;
    struct sn_pack pack;
    struct sn_samples samples;
    unsigned chunks;
    struct sn_buf out = build_to(raw_target, &chunks);
    int64_t times[SN_CHUNK_SAMPLES_MAX];
    double values[SN_CHUNK_SAMPLES_MAX];
    sn_rng_init(&rng, 1);
    sn_samples_init(&samples);
    assert_int_equal(sn_pack_parse(out.ptr, out.len, &pack, NULL), SN_OK);
    assert_int_equal(pack.chunk_count, chunks);
    for (unsigned i = 0; i < chunks; i++) {
        size_t count = 1 + (i * 37) % SN_CHUNK_SAMPLES_MAX;
        fill(&rng, i, count, times, values);
        samples.count = 0;
        assert_int_equal(pack.chunks[i].series, 1000 - i);
        assert_int_equal(sn_pack_decode(&pack, i, &samples), SN_OK);
        assert_int_equal(samples.count, count);
        assert_memory_equal(samples.time_ms, times, count * sizeof *times);
        assert_memory_equal(samples.value, values, count * sizeof *values);
    }
    sn_pack_release(&pack);
    sn_samples_release(&samples);
    sn_buf_release(&out);
}

static void every_chunk_comes_back(void **state) {
    (void)state;
    check_every_chunk(SN_PACK_RAW_TARGET);
    check_every_chunk(SN_PACK_RAW_TARGET_MERGED);
}

/* Numbers of a few hundred kinds: what a codec of columns leaves to a general one. */
static void merged_packs_are_smaller(void **state) {
    (void)state;
    size_t lens[2];
    uint8_t encodings[2];
    for (int turn = 0; turn < 2; turn++) {
        struct sn_pack_builder builder;
        struct sn_buf out;
        int64_t times[100];
        double values[100];
        sn_buf_init(&out, 0);
        assert_int_equal(sn_pack_builder_init(&builder), SN_OK);
        if (turn == 1)
            builder.raw_target = SN_PACK_RAW_TARGET_MERGED;
        for (uint32_t series = 0; series < 60; series++) {
            for (int i = 0; i < 100; i++) {
                times[i] = START + i * 1000;
                values[i] = (double)((i * i + (int)series % 7) % 113) * 1.25;
            }
            assert_int_equal(add(&builder, series, times, values, 100), SN_OK);
        }
        assert_int_equal(sn_pack_finish(&builder, &out), SN_OK);
        lens[turn] = out.len;
        encodings[turn] = out.ptr[12];
        sn_pack_builder_release(&builder);
        sn_buf_release(&out);
    }
    assert_true(lens[1] < lens[0]);
    assert_true(encodings[0] != 2);
    assert_int_equal(encodings[1], 2);
}

static void equal_times_are_stored_once(void **state) {
    (void)state;
    struct sn_pack_builder builder;
    struct sn_pack pack;
    struct sn_buf out;
    const int64_t times[2][3] = {{1, 2, 4}, {1, 3, 4}};
    const double values[] = {1, 2, 3};
    sn_buf_init(&out, 0);
    assert_int_equal(sn_pack_builder_init(&builder), SN_OK);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(add(&builder, i, times[i % 2], values, 3), SN_OK);
    assert_int_equal(sn_pack_finish(&builder, &out), SN_OK);
    assert_int_equal(sn_pack_parse(out.ptr, out.len, &pack, NULL), SN_OK);
    assert_int_equal(pack.time_block_count, 2);
    sn_pack_release(&pack);
    sn_pack_builder_release(&builder);
    sn_buf_release(&out);
}

static void every_changed_byte_is_seen(void **state) {
    (void)state;
    unsigned chunks;
    struct sn_buf out = build(&chunks);
    struct sn_pack pack;
    struct sn_err err;
    for (size_t i = 0; i < out.len; i += 1 + i / 100) {
        out.ptr[i] ^= 0x10;
        assert_int_equal(sn_pack_parse(out.ptr, out.len, &pack, &err), SN_ERR_CORRUPT);
        out.ptr[i] ^= 0x10;
    }
    assert_int_equal(sn_pack_parse(out.ptr, out.len - 1, &pack, &err), SN_ERR_CORRUPT);
    assert_int_equal(sn_pack_parse(out.ptr, 0, &pack, &err), SN_ERR_CORRUPT);
    sn_buf_release(&out);
}

/* A right checksum over a wrong body: the tables are checked as well. */
static void random_bodies_are_refused_or_decode(void **state) {
    (void)state;
    struct sn_rng rng;
    struct sn_samples samples;
    sn_rng_init(&rng, 2);
    sn_samples_init(&samples);
    for (int turn = 0; turn < 20000; turn++) {
        uint8_t bytes[SN_PACK_HEADER_BYTES + 64] = {0};
        size_t len = 1 + sn_rng_below(&rng, 64);
        struct sn_pack pack;
        for (size_t i = 0; i < len; i++)
            bytes[SN_PACK_HEADER_BYTES + i] = (uint8_t)sn_rng_below(&rng, turn % 2 ? 8 : 256);
        sn_store_u32le(bytes + 4, (uint32_t)len);
        sn_store_u32le(bytes + 8, (uint32_t)len);
        sn_store_u32le(bytes, sn_crc32c(0, bytes + 4, SN_PACK_HEADER_BYTES - 4 + len));
        if (sn_pack_parse(bytes, SN_PACK_HEADER_BYTES + len, &pack, NULL) != SN_OK)
            continue;
        for (uint32_t i = 0; i < pack.chunk_count; i++)
            (void)(sn_pack_decode(&pack, i, &samples) == SN_OK);
        sn_pack_release(&pack);
    }
    sn_samples_release(&samples);
}

static void every_failing_allocation_is_reported(void **state) {
    (void)state;
    unsigned chunks;
    struct sn_buf out = build(&chunks);
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        struct sn_pack pack;
        int64_t before = sn_mem_block_count();
        sn_mem_fail_nth(n);
        sn_status status = sn_pack_parse(out.ptr, out.len, &pack, NULL);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, fired ? SN_ERR_NO_MEMORY : SN_OK);
        if (status == SN_OK)
            sn_pack_release(&pack);
        assert_int_equal(sn_mem_block_count(), before);
    }
    sn_buf_release(&out);
}

enum { STARTED = 40, STARTED_SAMPLES = 20 };

/* No start; one for all; one that changes; one that becomes unknown; another for every sample. */
static int64_t start_at(uint32_t chunk, size_t i) {
    switch (chunk % 5) {
    case 0:
        return 0;
    case 1:
        return START - chunk;
    case 2:
        return i < 7 ? START - 1 : START + 7000;
    case 3:
        return i < 9 ? START : 0;
    default:
        return START + (int64_t)i;
    }
}

static void build_started(struct sn_buf *out) {
    struct sn_pack_builder builder;
    struct sn_samples samples;
    sn_samples_init(&samples);
    assert_int_equal(sn_pack_builder_init(&builder), SN_OK);
    assert_int_equal(sn_samples_use_start(&samples), SN_OK);
    assert_int_equal(sn_samples_reserve(&samples, STARTED_SAMPLES), SN_OK);
    samples.count = STARTED_SAMPLES;
    for (uint32_t chunk = 0; chunk < STARTED; chunk++) {
        for (size_t i = 0; i < STARTED_SAMPLES; i++) {
            samples.time_ms[i] = START + (int64_t)i * 1000;
            samples.value[i] = chunk;
            samples.start_ms[i] = start_at(chunk, i);
        }
        assert_int_equal(sn_pack_add(&builder, chunk, &samples), SN_OK);
    }
    assert_int_equal(sn_pack_finish(&builder, out), SN_OK);
    sn_pack_builder_release(&builder);
    sn_samples_release(&samples);
}

static void start_times_come_back_with_their_samples(void **state) {
    (void)state;
    struct sn_pack pack;
    struct sn_buf out;
    struct sn_samples samples;
    sn_buf_init(&out, 0);
    sn_samples_init(&samples);
    build_started(&out);
    assert_int_equal(sn_pack_parse(out.ptr, out.len, &pack, NULL), SN_OK);
    assert_int_equal(sn_pack_decode(&pack, 0, &samples), SN_OK);
    assert_false(samples.has_start);
    for (uint32_t chunk = 1; chunk < STARTED; chunk++)
        assert_int_equal(sn_pack_decode(&pack, chunk, &samples), SN_OK);
    assert_int_equal(samples.count, STARTED * STARTED_SAMPLES);
    for (size_t i = 0; i < samples.count; i++)
        assert_int_equal(samples.start_ms[i],
                         start_at((uint32_t)(i / STARTED_SAMPLES), i % STARTED_SAMPLES));
    sn_samples_release(&samples);
    sn_pack_release(&pack);
    sn_buf_release(&out);
}

static void start_times_that_do_not_fit_are_refused(void **state) {
    (void)state;
    struct sn_buf out;
    sn_buf_init(&out, 0);
    build_started(&out);
    size_t refused = 0;
    /* Any byte of the tables may be wrong; what is accepted still decodes within its bounds. */
    for (size_t at = SN_PACK_HEADER_BYTES; at < out.len; at++) {
        struct sn_pack pack;
        struct sn_samples samples;
        uint8_t byte = out.ptr[at];
        out.ptr[at] ^= (uint8_t)(1u << at % 8);
        sn_store_u32le(out.ptr, sn_crc32c(0, out.ptr + 4, out.len - 4));
        sn_samples_init(&samples);
        sn_status status = sn_pack_parse(out.ptr, out.len, &pack, NULL);
        refused += status != SN_OK;
        for (uint32_t i = 0; status == SN_OK && i < pack.chunk_count; i++)
            (void)(sn_pack_decode(&pack, i, &samples) == SN_OK);
        if (status == SN_OK)
            sn_pack_release(&pack);
        sn_samples_release(&samples);
        out.ptr[at] = byte;
    }
    assert_true(refused > 0);
    sn_buf_release(&out);
}

static void a_pack_of_the_first_layout_is_read(void **state) {
    (void)state;
    /* One chunk of series 5: two samples at 10 and 20, both 7 (a block for all). */
    const uint8_t body[] = {1, 1, 2, 3, 10, 0, 9, 0x01, 20, 20, 0x3f, 0, 0, 0, 0, 0, 0, 0x1c, 0x40};
    uint8_t bytes[SN_PACK_HEADER_BYTES + sizeof body] = {0};
    struct sn_pack pack;
    struct sn_samples samples;
    sn_store_u32le(bytes + 4, sizeof body);
    sn_store_u32le(bytes + 8, sizeof body);
    memcpy(bytes + SN_PACK_HEADER_BYTES, body, sizeof body);
    sn_store_u32le(bytes, sn_crc32c(0, bytes + 4, sizeof bytes - 4));
    sn_samples_init(&samples);
    assert_int_equal(sn_pack_parse(bytes, sizeof bytes, &pack, NULL), SN_OK);
    assert_int_equal(pack.chunks[0].series, 5);
    assert_int_equal(sn_pack_decode(&pack, 0, &samples), SN_OK);
    assert_int_equal(samples.count, 2);
    assert_int_equal(samples.time_ms[1], 20);
    assert_true(samples.value[1] == 7);
    sn_samples_release(&samples);
    sn_pack_release(&pack);
    bytes[13] = 3;
    sn_store_u32le(bytes, sn_crc32c(0, bytes + 4, sizeof bytes - 4));
    assert_int_equal(sn_pack_parse(bytes, sizeof bytes, &pack, NULL), SN_ERR_CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_times_come_back_with_their_samples),
        cmocka_unit_test(start_times_that_do_not_fit_are_refused),
        cmocka_unit_test(a_pack_of_the_first_layout_is_read),
        cmocka_unit_test(every_chunk_comes_back),
        cmocka_unit_test(merged_packs_are_smaller),
        cmocka_unit_test(equal_times_are_stored_once),
        cmocka_unit_test(every_changed_byte_is_seen),
        cmocka_unit_test(random_bodies_are_refused_or_decode),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
