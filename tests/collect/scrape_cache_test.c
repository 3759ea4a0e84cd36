/* The series of one target: found again, marked when gone, forgotten later. */
#include "collect/scrape_cache.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sn_scrape_cache cache;

static int open_cache(void **state) {
    (void)state;
    sn_scrape_cache_init(&cache);
    return 0;
}

static int close_cache(void **state) {
    (void)state;
    sn_scrape_cache_release(&cache);
    return 0;
}

/* The page has this series. */
static void see(uint64_t key, const char *labels) {
    struct sn_scrape_entry *entry = sn_scrape_cache_find(&cache, key);
    if (entry == NULL)
        assert_int_equal(sn_scrape_cache_add(&cache, key, sn_str_from(labels), &entry, NULL),
                         SN_OK);
    entry->seen = cache.scrape;
    entry->is_tracked = true;
}

static sn_status add_name(void *ctx, struct sn_str labels, struct sn_err *err) {
    sn_buf_printf(ctx, "%.*s ", SN_STR_ARG(labels));
    return sn_buf_status(ctx, err);
}

/* End the scrape; `gone` is what gets a marker. */
static void end(bool is_good, const char *gone) {
    struct sn_buf buf = {.len = 0};
    assert_int_equal(sn_scrape_cache_each_gone(&cache, is_good, add_name, &buf, NULL), SN_OK);
    sn_scrape_cache_commit(&cache, is_good);
    sn_buf_put_byte(&buf, '\0');
    assert_string_equal((const char *)buf.ptr, gone);
    sn_buf_release(&buf);
}

static void what_goes_is_marked_once(void **state) {
    (void)state;
    sn_scrape_cache_begin(&cache);
    see(1, "a");
    see(2, "b");
    end(true, "");
    sn_scrape_cache_begin(&cache);
    see(1, "a");
    end(true, "b ");
    sn_scrape_cache_begin(&cache);
    see(1, "a");
    see(2, "b"); /* it comes back */
    end(true, "");
    sn_scrape_cache_begin(&cache);
    end(true, "a b ");
}

static void a_failed_scrape_marks_all_that_was_there(void **state) {
    (void)state;
    sn_scrape_cache_begin(&cache);
    see(1, "a");
    see(2, "b");
    end(true, "");
    sn_scrape_cache_begin(&cache);
    see(1, "a"); /* the page fails behind it */
    see(3, "c");
    end(false, "a b ");
    sn_scrape_cache_begin(&cache);
    end(false, "");
    sn_scrape_cache_begin(&cache);
    see(1, "a");
    end(true, "");
    sn_scrape_cache_begin(&cache);
    end(true, "a ");
}

static void what_is_dropped_or_untracked_gets_no_marker(void **state) {
    (void)state;
    sn_scrape_cache_begin(&cache);
    see(1, "a");
    see(2, "b");
    sn_scrape_cache_find(&cache, 1)->is_dropped = true;
    sn_scrape_cache_find(&cache, 2)->is_tracked = false;
    end(true, "");
    sn_scrape_cache_begin(&cache);
    end(true, "");
}

static void other_rules_mark_only_labels_that_are_not_there_again(void **state) {
    (void)state;
    sn_scrape_cache_begin(&cache);
    see(1, "a");
    see(2, "b");
    end(true, "");
    sn_scrape_cache_rekey(&cache);
    assert_null(sn_scrape_cache_find(&cache, 1));
    sn_scrape_cache_begin(&cache);
    see(1, "a");
    see(2, "x");
    end(true, "b ");
    sn_scrape_cache_begin(&cache);
    see(1, "a");
    see(2, "x");
    end(true, "");
}

static void what_has_been_gone_for_long_is_forgotten(void **state) {
    (void)state;
    char name[24];
    for (uint64_t round = 0; round < 40; round++) {
        sn_scrape_cache_begin(&cache);
        for (uint64_t i = 0; i < 100; i++) {
            (void)snprintf(name, sizeof name, "s%d", (int)(round * 100 + i));
            see(round * 100 + i + 1, name);
        }
        sn_scrape_cache_commit(&cache, true);
        assert_true(cache.count <= 2000);
    }
    for (uint64_t i = 0; i < 100; i++) {
        const struct sn_scrape_entry *entry = sn_scrape_cache_find(&cache, 3900 + i + 1);
        (void)snprintf(name, sizeof name, "s%d", (int)(3900 + i));
        assert_non_null(entry);
        assert_true(sn_str_equal(sn_scrape_cache_labels(&cache, entry), sn_str_from(name)));
    }
    assert_null(sn_scrape_cache_find(&cache, 1));
}

static void any_allocation_may_fail(void **state) {
    (void)state;
    for (uint64_t n = 1;; n++) {
        sn_scrape_cache_release(&cache);
        sn_scrape_cache_begin(&cache);
        sn_mem_fail_nth(n);
        sn_status status = SN_OK;
        for (uint64_t i = 1; i <= 300 && status == SN_OK; i++) {
            struct sn_scrape_entry *entry;
            status = sn_scrape_cache_add(&cache, i, SN_STR("labels"), &entry, NULL);
        }
        bool has_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_fired ? SN_ERR_NO_MEMORY : SN_OK);
        for (uint64_t i = 1; i <= cache.count; i++)
            assert_int_equal(sn_scrape_cache_find(&cache, i)->labels_len, 6);
        if (!has_fired)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_cache, close_cache)
        TEST(what_goes_is_marked_once),
        TEST(a_failed_scrape_marks_all_that_was_there),
        TEST(what_is_dropped_or_untracked_gets_no_marker),
        TEST(other_rules_mark_only_labels_that_are_not_there_again),
        TEST(what_has_been_gone_for_long_is_forgotten),
        TEST(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
