/* Tests of asking allocators. */
#include "client/memory_priv.h"

#include "base/os.h"
#include "client_support.h"

#include <errno.h>

/* A jemalloc of our own: the call that fails, and the sizes that it tells. */
static int fails_at, calls;
static size_t told_size = sizeof(size_t);

static int fake_mallctl(const char *name, void *old, size_t *old_len, void *new, size_t new_len) {
    if (++calls == fails_at)
        return 22;
    if (strcmp(name, "epoch") == 0) {
        assert_int_equal(new_len, sizeof(uint64_t));
        assert_int_equal(*(uint64_t *)new, 1);
        return 0;
    }
    *(size_t *)old = strcmp(name, "stats.active") == 0 ? 4096 : 3072;
    *old_len = told_size;
    return 0;
}

static void jemalloc_tells_what_is_active(void **state) {
    (void)state;
    sonde_memory_heap heap = {0};
    fails_at = calls = 0;
    assert_true(sn_memory_heap_jemalloc(fake_mallctl, &heap));
    assert_string_equal(heap.source, "jemalloc");
    assert_int_equal(heap.used_bytes, 3072);
    assert_int_equal(heap.reserved_bytes, 4096);
    assert_true(heap.fragmentation == 0.25);
}

static void a_jemalloc_without_statistics_is_not_asked_further(void **state) {
    (void)state;
    sonde_memory_heap heap = {.source = "untouched"};
    for (fails_at = 1; fails_at <= 3; fails_at++) {
        calls = 0;
        assert_false(sn_memory_heap_jemalloc(fake_mallctl, &heap));
        assert_int_equal(calls, fails_at);
    }
    fails_at = calls = 0;
    told_size = 4;
    assert_false(sn_memory_heap_jemalloc(fake_mallctl, &heap));
    told_size = sizeof(size_t);
    assert_string_equal(heap.source, "untouched");
}

static void the_heap_of_this_process_is_known(void **state) {
    (void)state;
    sonde_memory_heap heap;
    void *block = malloc(100000);
    assert_non_null(block);
    sonde_memory_heap_read(&heap);
    free(block);
    assert_non_null(heap.source);
    if (strcmp(heap.source, "mallinfo2") == 0) { /* sanitizers bring an allocator of their own */
        assert_in_range(heap.used_bytes, 100000, UINT64_C(1) << 40);
        assert_true(heap.reserved_bytes >= heap.used_bytes);
    }
    assert_true(heap.fragmentation >= 0 && heap.fragmentation < 1);
    assert_in_range(heap.rss_bytes, 4096, UINT64_C(1) << 50);
}

static void without_statm_rss_is_not_known(void **state) {
    (void)state;
    sonde_memory_heap heap;
    sn_mem_fail_from(1); /* the buffer of the file */
    sonde_memory_heap_read(&heap);
    sn_mem_fail_from(0);
    assert_int_equal(heap.rss_bytes, 0);
    sn_fault_arm(SN_FAULT_OPEN, 1, 1, EACCES);
    sonde_memory_heap_read(&heap);
    sn_fault_disarm_all();
    assert_int_equal(heap.rss_bytes, 0);
}

static void an_answer_is_shared_for_a_second(void **state) {
    (void)state;
    sonde_memory_heap first, same, later;
    sn_memory_heap_recent(INT64_C(5000000000), &first);
    void *block = malloc(50000);
    assert_non_null(block);
    sn_memory_heap_recent(INT64_C(5999999999), &same);
    sn_memory_heap_recent(INT64_C(6000000000), &later);
    free(block);
    assert_int_equal(first.used_bytes, same.used_bytes);
    if (first.used_bytes > 0)
        assert_true(later.used_bytes >= same.used_bytes + 40000);
    sn_memory_heap_recent(INT64_C(1000000000), &first); /* the clock went back: asked again */
    if (later.used_bytes > 0)
        assert_true(first.used_bytes < later.used_bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jemalloc_tells_what_is_active),
        cmocka_unit_test(a_jemalloc_without_statistics_is_not_asked_further),
        cmocka_unit_test(the_heap_of_this_process_is_known),
        cmocka_unit_test(without_statm_rss_is_not_known),
        cmocka_unit_test(an_answer_is_shared_for_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
