/* The packs that were read last. */
#include "store/pack_cache.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A pack that owns one block of memory, told apart by raw_len. */
static struct sn_cached_pack *put(struct sn_pack_cache *cache, uint64_t segment, uint32_t number) {
    struct sn_pack pack = {.raw = sn_alloc(1), .raw_len = segment * 1000 + number};
    struct sn_cached_pack *cached = sn_pack_cache_put(cache, segment, number, &pack);
    assert_non_null(cached);
    return cached;
}

static void a_pack_is_found_until_newer_ones_push_it_out(void **state) {
    (void)state;
    enum { COUNT = 300 };
    struct sn_pack_cache *cache = calloc(1, sizeof *cache);
    int64_t before = sn_mem_block_count();
    sn_pack_cache_init(cache);
    assert_null(sn_pack_cache_get(cache, 1, 0));
    for (uint32_t i = 0; i < COUNT; i++)
        sn_cached_pack_unref(put(cache, 1, i));
    cache->bytes_max = cache->bytes;                               /* it is full now */
    struct sn_cached_pack *first = sn_pack_cache_get(cache, 1, 0); /* used last now */
    assert_int_equal(first->pack.raw_len, 1000);
    sn_cached_pack_unref(put(cache, 1, COUNT)); /* needs more than one: the numbers are sizes */
    assert_null(sn_pack_cache_get(cache, 1, 1));
    assert_true(cache->bytes <= cache->bytes_max);
    for (uint32_t i = 3; i <= COUNT; i++) {
        struct sn_cached_pack *pack = sn_pack_cache_get(cache, 1, i);
        assert_int_equal(pack->pack.raw_len, 1000 + i);
        sn_cached_pack_unref(pack);
    }
    struct sn_cached_pack *again = sn_pack_cache_get(cache, 1, 0);
    assert_ptr_equal(first, again);
    sn_cached_pack_unref(again);
    sn_pack_cache_release(cache);
    assert_int_equal(first->pack.raw_len, 1000); /* ours until we give it back */
    sn_cached_pack_unref(first);
    assert_int_equal(sn_mem_block_count(), before);
    free(cache);
}

static void one_pack_may_be_larger_than_the_cache(void **state) {
    (void)state;
    struct sn_pack_cache *cache = calloc(1, sizeof *cache);
    sn_pack_cache_init(cache);
    cache->bytes_max = 10;
    for (uint32_t i = 0; i < 3; i++) {
        sn_cached_pack_unref(put(cache, 1, i));
        struct sn_cached_pack *pack = sn_pack_cache_get(cache, 1, i);
        assert_non_null(pack);
        sn_cached_pack_unref(pack);
        assert_true(i == 0 || sn_pack_cache_get(cache, 1, i - 1) == NULL);
    }
    sn_pack_cache_release(cache);
    free(cache);
}

static void two_readers_of_one_pack_leave_one_in_the_cache(void **state) {
    (void)state;
    struct sn_pack_cache *cache = calloc(1, sizeof *cache);
    int64_t before = sn_mem_block_count();
    sn_pack_cache_init(cache);
    struct sn_cached_pack *a = put(cache, 1, 1);
    struct sn_cached_pack *b = put(cache, 1, 1);
    sn_cached_pack_unref(a);
    sn_cached_pack_unref(b);
    sn_pack_cache_release(cache);
    assert_int_equal(sn_mem_block_count(), before);
    free(cache);
}

static void without_memory_the_pack_stays_with_the_caller(void **state) {
    (void)state;
    struct sn_pack_cache *cache = calloc(1, sizeof *cache);
    struct sn_pack pack = {.raw = sn_alloc(1)};
    sn_pack_cache_init(cache);
    sn_mem_fail_nth(1);
    assert_null(sn_pack_cache_put(cache, 1, 1, &pack));
    sn_mem_fail_nth(0);
    assert_non_null(pack.raw);
    sn_pack_release(&pack);
    sn_pack_cache_release(cache);
    free(cache);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pack_is_found_until_newer_ones_push_it_out),
        cmocka_unit_test(one_pack_may_be_larger_than_the_cache),
        cmocka_unit_test(two_readers_of_one_pack_leave_one_in_the_cache),
        cmocka_unit_test(without_memory_the_pack_stays_with_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
