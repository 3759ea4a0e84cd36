/* Points of a series as JSON: the same bytes as the writer of single values makes. */
#include "api/prom_priv.h"

#include "base/mem.h"
#include "base/rng.h"
#include "codec/json_write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { POINTS = 1000 };

static void write_slowly(struct sn_json_writer *json, const struct sn_result_series *series) {
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < series->count; i++) {
        sn_json_write_array_begin(json);
        sn_json_write_time(json, series->time_ms[i]);
        sn_json_write_double_text(json, series->value[i]);
        sn_json_write_array_end(json);
    }
    sn_json_write_array_end(json);
}

struct page {
    struct sn_buf buf;
    struct sn_json_writer json;
};

static void page_begin(struct page *page) {
    sn_buf_init(&page->buf, 0);
    sn_json_write_init(&page->json, &page->buf, SN_JSON_NON_FINITE_TEXT);
    sn_json_write_array_begin(&page->json);
}

static void page_end(struct page *page) {
    sn_json_write_array_end(&page->json);
    assert_int_equal(sn_json_write_finish(&page->json, NULL), SN_OK);
}

static void check(struct sn_prom_times *times, const struct sn_result_series *series,
                  size_t count) {
    struct page fast;
    struct page slow;
    page_begin(&fast);
    page_begin(&slow);
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 0; at < series[i].count;)
            at = sn_prom_write_points(&fast.json, times, &series[i], at);
        write_slowly(&slow.json, &series[i]);
    }
    page_end(&fast);
    page_end(&slow);
    assert_true(sn_str_equal(sn_buf_str(&fast.buf), sn_buf_str(&slow.buf)));
    sn_buf_release(&fast.buf);
    sn_buf_release(&slow.buf);
}

static double value_of(struct sn_rng *rng) {
    switch (sn_rng_below(rng, 8)) {
    case 0:
        return (double)NAN;
    case 1:
        return -(double)INFINITY;
    case 2:
        return sn_double_from_bits(sn_rng_below(rng, UINT64_MAX));
    case 3:
        return -0.0;
    default:
        return (double)sn_rng_below(rng, 1000000) / 8;
    }
}

static void any_part_of_shared_times_is_written_as_alone(void **state) {
    (void)state;
    static int64_t time_ms[2][POINTS];
    static double value[POINTS];
    struct sn_prom_times times;
    struct sn_rng rng;
    sn_rng_init(&rng, 1);
    sn_prom_times_init(&times);
    for (size_t i = 0; i < POINTS; i++) {
        time_ms[0][i] = SN_TIME_MS_MIN + (int64_t)i * 999;
        time_ms[1][i] = SN_TIME_MS_MAX - (int64_t)(POINTS - i) * 1000;
        value[i] = value_of(&rng);
    }
    for (int round = 0; round < 200; round++) {
        struct sn_result_series series[4];
        for (size_t k = 0; k < 4; k++) {
            size_t first = (size_t)sn_rng_below(&rng, POINTS);
            size_t count = 1 + (size_t)sn_rng_below(&rng, POINTS - first);
            series[k] = (struct sn_result_series){.time_ms = time_ms[sn_rng_below(&rng, 2)] + first,
                                                  .value = value + first,
                                                  .count = count};
        }
        check(&times, series, 4);
    }
    sn_prom_times_release(&times);
}

static void no_memory_is_the_status_of_the_page(void **state) {
    (void)state;
    const int64_t time_ms[] = {1, 2};
    const double value[] = {3, 4};
    const struct sn_result_series series = {.time_ms = time_ms, .value = value, .count = 2};
    for (unsigned nth = 1;; nth++) {
        struct sn_prom_times times;
        struct page page;
        sn_prom_times_init(&times);
        page_begin(&page);
        sn_mem_fail_nth(nth);
        (void)sn_prom_write_points(&page.json, &times, &series, 0);
        sn_mem_fail_nth(0);
        sn_json_write_array_end(&page.json);
        sn_status status = sn_json_write_finish(&page.json, NULL);
        assert_true(status == SN_OK || status == SN_ERR_NO_MEMORY);
        sn_prom_times_release(&times);
        sn_buf_release(&page.buf);
        if (status == SN_OK)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_part_of_shared_times_is_written_as_alone),
        cmocka_unit_test(no_memory_is_the_status_of_the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
