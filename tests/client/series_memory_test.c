/* Tests of the memory of series: blocks of huge pages for large registries, and without them. */
#include "client/series_memory_priv.h"

#include "base/mem.h"
#include "base/os.h"
#include "client/series_priv.h"
#include "client_support.h"

#include <errno.h>
#include <sys/mman.h>

enum { SERIES = 60000 }; /* 10 MiB */

static sonde_registry *new_large_registry(void) {
    static const char *const names[] = {"a"};
    sonde_registry_options options = {.family_series_max = SERIES, .series_max = SERIES};
    sonde_registry *registry = sonde_registry_new(&options, NULL);
    assert_non_null(registry);
    sonde_metric metric = {.name = "c_total", .label_names = names, .label_count = 1};
    sonde_counter_family *family = sonde_counter_family_new(registry, &metric, NULL);
    sonde_counter *counters[2] = {NULL, NULL};
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < SERIES; i++) {
            char text[128];
            const char *values[] = {text};
            (void)snprintf(text, sizeof text, "%0100u", i);
            sonde_counter *counter = sonde_counter_family_get(family, values, 1);
            assert_int_equal((uintptr_t)counter % 16, 0);
            sonde_counter_add(counter, i);
            if (i == SERIES - 1)
                counters[round] = counter;
        }
    }
    assert_ptr_equal(counters[0], counters[1]);
    return registry;
}

static int add_value(void *ctx, const sonde_sample *sample) {
    if (strcmp(sample->name, "c_total") == 0)
        *(double *)ctx += sample->value;
    return 0;
}

static void assert_all_there(sonde_registry *registry) {
    double sum = 0;
    sonde_visitor visitor = {.sample = add_value, .ctx = &sum};
    assert_int_equal(sonde_registry_visit(registry, &visitor), SONDE_OK);
    assert_true(sum == (double)SERIES * (SERIES - 1));
    for (int reason = 0; reason < SONDE_LOST_REASON_COUNT; reason++)
        assert_int_equal(sonde_lost_count(registry, (sonde_lost_reason)reason), 0);
}

static void a_large_registry_lies_in_blocks(void **state) {
    (void)state;
    warm_up();
    int64_t before = sn_mem_block_count();
    sonde_registry *registry = new_large_registry();
    void *block = registry->series_memory.blocks;
    unsigned char resident[1];
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % ((uintptr_t)2 << 20), 0);
    assert_all_there(registry);
    (void)sonde_registry_free(registry);
    assert_int_equal(sn_mem_block_count(), before);
    if (SN_HUGE_IS_MAPPED) {
        assert_int_equal(mincore(block, 4096, resident), -1); /* given back */
        assert_int_equal(errno, ENOMEM);
    }
}

static void without_blocks_the_heap_serves(void **state) {
    (void)state;
    if (!SN_HUGE_IS_MAPPED)
        skip();
    warm_up();
    int64_t before = sn_mem_block_count();
    sn_fault_arm(SN_FAULT_MMAP, 1, UINT64_MAX, ENOMEM);
    sonde_registry *registry = new_large_registry();
    sn_fault_disarm_all();
    assert_null(registry->series_memory.blocks);
    assert_all_there(registry);
    (void)sonde_registry_free(registry);
    assert_int_equal(sn_mem_block_count(), before);
}

static void a_block_that_fails_is_tried_again(void **state) {
    (void)state;
    sn_fault_arm(SN_FAULT_MMAP, 2, 1, ENOMEM);
    sonde_registry *registry = new_large_registry();
    sn_fault_disarm_all();
    assert_non_null(registry->series_memory.blocks);
    assert_all_there(registry);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_registry_lies_in_blocks),
        cmocka_unit_test(without_blocks_the_heap_serves),
        cmocka_unit_test(a_block_that_fails_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
