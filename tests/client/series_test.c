/* Tests of lookup by label values: identity, limits, hostile values, call sites. */
#include "client/series_priv.h"

#include "base/rng.h"
#include "client/label_hash_priv.h"
#include "client_support.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const two_labels[] = {"a", "b"};

static sonde_counter_family *new_family(sonde_registry *registry, size_t label_count,
                                        size_t series_max) {
    sonde_metric metric = {.name = "c_total",
                           .label_names = two_labels,
                           .label_count = label_count,
                           .series_max = series_max};
    sonde_error error;
    sonde_counter_family *family = sonde_counter_family_new(registry, &metric, &error);
    assert_int_equal(error.status, SONDE_OK);
    return family;
}

static void same_values_give_the_same_child(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_counter_family *family = new_family(registry, 2, 0);
    char one[] = "x", other[] = "x";
    const char *values[] = {one, "y"}, *again[] = {other, "y"}, *swapped[] = {"y", "x"};
    assert_ptr_equal(sonde_counter_family_get(family, values, 2),
                     sonde_counter_family_get(family, again, 2));
    assert_ptr_not_equal(sonde_counter_family_get(family, values, 2),
                         sonde_counter_family_get(family, swapped, 2));
    (void)sonde_registry_free(registry);
}

/* Lengths around every boundary of the hash, and values that differ in one byte only. */
static void values_of_every_length_are_told_apart(void **state) {
    (void)state;
    enum { LEN_MAX = 70 };
    sonde_registry *registry = new_registry();
    sonde_counter_family *family = new_family(registry, 1, 0);
    char text[LEN_MAX + 1];
    uint64_t made = 0;
    for (size_t len = 0; len <= LEN_MAX; len++) {
        for (size_t at = 0; at <= len; at++) {
            memset(text, 'x', len);
            text[len] = '\0';
            if (at < len)
                text[at] = 'y';
            const char *values[] = {text};
            sonde_counter *counter = sonde_counter_family_get(family, values, 1);
            assert_int_equal(sonde_counter_value(counter), 0);
            sonde_counter_add(counter, ++made);
            assert_int_equal(sonde_counter_value(sonde_counter_family_get(family, values, 1)),
                             made);
        }
    }
    (void)sonde_registry_free(registry);
}

/* A value may end where the memory ends: lookups must not read on. */
static void values_at_the_end_of_memory_are_found(void **state) {
    (void)state;
    enum { LEN_MAX = 40 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    sonde_registry *registry = new_registry();
    sonde_counter_family *family = new_family(registry, 1, 0);
    sonde_site copied = {0}, open = {0};
    char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    assert_int_equal(mprotect(memory + page, page, PROT_NONE), 0);
    for (size_t len = 0; len <= LEN_MAX; len++) {
        char copy[LEN_MAX + 1];
        char *text = memory + page - len - 1;
        memset(text, 'e', len);
        text[len] = '\0';
        memcpy(copy, text, len + 1);
        const char *at_end[] = {text}, *elsewhere[] = {copy};
        sonde_counter *counter = sonde_counter_family_get(family, at_end, 1);
        assert_ptr_equal(sonde_counter_family_get(family, elsewhere, 1), counter);
        for (int i = 0; i < 2; i++) { /* the second time the site remembers */
            assert_ptr_equal(sonde_counter_family_at(family, &copied, at_end, 1), counter);
            assert_ptr_equal(sonde_counter_family_at(family, &open, elsewhere, 1), counter);
        }
    }
    assert_int_equal(munmap(memory, 2 * page), 0);
    (void)sonde_registry_free(registry);
}

/* Under a memory checker values are read in another way, and are the same. */
static void watched_reads_find_the_same(void **state) {
    (void)state;
    int usual = sn_label_open_last;
    sonde_registry *registry = new_registry();
    sonde_counter_family *family = new_family(registry, 1, 0);
    char text[64];
    for (size_t len = 0; len < sizeof text; len++) {
        memset(text, 'w', len);
        text[len] = '\0';
        const char *values[] = {text};
        sn_label_open_last = usual;
        sonde_counter *counter = sonde_counter_family_get(family, values, 1);
        sn_label_open_last = -1;
        assert_ptr_equal(sonde_counter_family_get(family, values, 1), counter);
    }
    sn_label_open_last = usual;
    (void)sonde_registry_free(registry);
}

#if SN_LABEL_BLOCKS
static void draw_secrets(struct sn_hash_secrets *secrets) {
    struct sn_rng rng;
    sn_rng_init(&rng, 1);
    for (size_t i = 0; i < sizeof *secrets; i++)
        ((unsigned char *)secrets)[i] = (unsigned char)sn_rng_below(&rng, 256);
}
#endif

/* What stands behind a value in memory does not get into its hash: a lookup would then find its series
 * only with the lock. */
static void bytes_behind_a_value_do_not_matter(void **state) {
    (void)state;
#if SN_LABEL_BLOCKS
    enum { LEN_MAX = 40 };
    static const char *const fillings[] = {"a", "\x01", "\x7f", "\xc3\xa9"};
    static const unsigned char garbage[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    struct sn_hash_secrets secrets;
    draw_secrets(&secrets);
    for (size_t f = 0; f < sizeof fillings / sizeof fillings[0]; f++) {
        size_t step = strlen(fillings[f]);
        for (size_t len = 0; len <= LEN_MAX; len += step) {
            char text[2 * SN_PAGE];
            char *value =
                text + SN_PAGE - (uintptr_t)text % SN_PAGE + 1; /* open, whatever follows */
            const char *values[] = {value, memcpy(value + 2 * LEN_MAX, "fixed", sizeof "fixed")};
            for (size_t i = 0; i < len; i++)
                value[i] = fillings[f][i % step];
            value[len] = '\0';
            const struct sn_str strs[] = {sn_str_from(values[0]), sn_str_from(values[1])};
            for (size_t g = 0; g < sizeof garbage; g++) {
                uint64_t hash = 0;
                memset(value + len + 1, garbage[g], SN_BLOCK);
                assert_true(sn_labels_hash_open(values, 2, &secrets, &hash));
                assert_int_equal(hash, sn_labels_hash(strs, 2, &secrets));
            }
        }
    }
#endif
}

/* The same for values that end with their page, which are copied when they are short enough. */
static void a_copy_has_the_hash_of_its_value(void **state) {
    (void)state;
#if SN_LABEL_BLOCKS
    enum { LEN_MAX = 60, COPIED_MAX = SN_COPY_BYTES - SN_BLOCK - 1 };
    static char memory[2 * SN_PAGE];
    char *page_end = memory + SN_PAGE - (uintptr_t)memory % SN_PAGE;
    struct sn_hash_secrets secrets;
    draw_secrets(&secrets);
    memset(memory, 'x', sizeof memory);
    for (size_t len = 0; len <= LEN_MAX; len++) {
        _Alignas(SN_COPY_BYTES) char copy[SN_COPY_BYTES];
        uint64_t hash = 0;
        char *value = page_end - 1 - len;
        page_end[-1] = '\0';
        const struct sn_str str = sn_str_from(value);
        const char *open = sn_label_make_open(value, copy);
        if (open == NULL) {
            assert_true(len > COPIED_MAX);
            continue;
        }
        assert_ptr_not_equal(open, value);
        assert_true(sn_labels_hash_open(&open, 1, &secrets, &hash));
        assert_int_equal(hash, sn_labels_hash(&str, 1, &secrets));
    }
#endif
}

/* A site gives its child for these very values: none that are longer, shorter or differ in a byte. */
static void sites_tell_similar_values_apart(void **state) {
    (void)state;
    enum { LEN_MAX = 50 };
    sonde_registry *registry = new_registry();
    sonde_counter_family *family = new_family(registry, 1, 0);
    for (size_t len = 1; len < LEN_MAX; len++) {
        char text[LEN_MAX + 1] = {0}, other[LEN_MAX + 1];
        memset(text, 's', len);
        const char *values[] = {text}, *others[] = {other};
        sonde_site site = {0};
        sonde_counter *counter = sonde_counter_family_at(family, &site, values, 1);
        for (size_t i = 0; i <= len; i++) {
            memcpy(other, text, sizeof text);
            other[i] = '"'; /* what follows a value where it is stored */
            assert_ptr_not_equal(sonde_counter_family_at(family, &site, others, 1), counter);
            assert_ptr_equal(sonde_counter_family_at(family, &site, values, 1), counter);
        }
        memcpy(other, text, sizeof text);
        other[len - 1] = '\0';
        assert_ptr_not_equal(sonde_counter_family_at(family, &site, others, 1), counter);
        assert_ptr_equal(sonde_counter_family_at(family, &site, values, 1), counter);
    }
    (void)sonde_registry_free(registry);
}

static void null_is_the_empty_value(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_counter_family *family = new_family(registry, 2, 0);
    const char *values[] = {NULL, ""}, *empty[] = {"", NULL};
    assert_ptr_equal(sonde_counter_family_get(family, values, 2),
                     sonde_counter_family_get(family, empty, 2));
    assert_true(has_line(registry, "c_total{a=\"\",b=\"\"} 0"));
    (void)sonde_registry_free(registry);
}

static void a_wrong_number_of_values_records_nothing(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_counter_family *family = new_family(registry, 2, 0);
    const char *values[] = {"x", "y", "z"};
    sonde_counter_inc(sonde_counter_family_get(family, values, 1));
    sonde_counter_inc(sonde_counter_family_get(family, values, 3));
    sonde_counter_inc(SONDE_COUNTER_AT(family, "x"));
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_REGISTRATION), 3);
    assert_false(has_line(registry, "# TYPE c_total counter"));
    (void)sonde_registry_free(registry);
}

static void inc_number(sonde_counter_family *family, unsigned number) {
    char text[32];
    (void)snprintf(text, sizeof text, "v%u", number);
    const char *values[] = {text};
    sonde_counter_inc(sonde_counter_family_get(family, values, 1));
}

static void the_family_limit_holds_and_totals_stay_exact(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_counter_family *family = new_family(registry, 1, 100);
    for (unsigned i = 0; i < 100; i++)
        inc_number(family, i);
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_SERIES_LIMIT), 0);
    assert_false(has_line(registry, "c_total{a=\"__other__\"} 1"));
    for (unsigned i = 100; i < 103; i++)
        inc_number(family, i);
    inc_number(family, 0);
    assert_true(has_line(registry, "c_total{a=\"__other__\"} 3"));
    assert_true(has_line(registry, "c_total{a=\"v0\"} 2"));
    assert_true(has_line(registry, "c_total{a=\"v99\"} 1"));
    assert_true(has_line(registry, "sonde_lost_total{reason=\"series_limit\"} 3"));
    (void)sonde_registry_free(registry);
}

static void the_registry_limit_holds(void **state) {
    (void)state;
    sonde_registry_options options = {.series_max = 2};
    sonde_registry *registry = sonde_registry_new(&options, NULL);
    sonde_counter_family *family = new_family(registry, 1, 0);
    sonde_error error;
    inc_number(family, 0);
    inc_number(family, 1);
    inc_number(family, 2);
    assert_true(has_line(registry, "c_total{a=\"__other__\"} 1"));
    (void)sonde_gauge_new(registry, &(sonde_metric){.name = "g"}, &error);
    assert_int_equal(error.status, SONDE_ERR_LIMIT);
    (void)sonde_registry_free(registry);
}

static void the_other_child_may_be_named_by_the_host(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_counter_family *family = new_family(registry, 1, 2);
    const char *values[] = {SONDE_OTHER};
    sonde_counter_inc(sonde_counter_family_get(family, values, 1));
    inc_number(family, 0);
    inc_number(family, 1);
    sonde_counter_inc(sonde_counter_family_get(family, values, 1));
    assert_true(has_line(registry, "c_total{a=\"__other__\"} 3"));
    (void)sonde_registry_free(registry);
}

static void values_that_no_page_can_show_become_other(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_counter_family *family = new_family(registry, 1, 0);
    char *large = malloc((1 << 20) + 1);
    assert_non_null(large);
    memset(large, 'x', 1 << 20);
    large[1 << 20] = '\0';
    const char *values[] = {large}, *bad[] = {"\xff\xfe"};
    sonde_counter_inc(sonde_counter_family_get(family, values, 1));
    sonde_counter_inc(sonde_counter_family_get(family, bad, 1));
    assert_true(has_line(registry, "c_total{a=\"__other__\"} 2"));
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_LABEL_VALUE), 2);
    large[SONDE_LABEL_VALUE_BYTES_MAX + 1] = '\0';
    sonde_counter_inc(sonde_counter_family_get(family, values, 1));
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_LABEL_VALUE), 3);
    large[SONDE_LABEL_VALUE_BYTES_MAX] = '\0';
    sonde_counter_inc(sonde_counter_family_get(family, values, 1));
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_LABEL_VALUE), 3);
    assert_true(has_line(registry, "c_total{a=\"__other__\"} 3"));
    free(large);
    (void)sonde_registry_free(registry);
}

static void hostile_values_are_escaped_and_found_again(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_counter_family *family = new_family(registry, 2, 0);
    const char *values[] = {"say \"hi\"\\\n} 1", "\"\"\n\n\\"};
    const char *plain[] = {"\xc3\xa9t\xc3\xa9 \xf0\x9f\x98\x80\t", "\\n"};
    for (int i = 0; i < 2; i++) {
        sonde_counter_inc(sonde_counter_family_get(family, values, 2));
        sonde_counter_inc(sonde_counter_family_get(family, plain, 2));
    }
    assert_true(
        has_line(registry, "c_total{a=\"say \\\"hi\\\"\\\\\\n} 1\",b=\"\\\"\\\"\\n\\n\\\\\"} 2"));
    assert_true(
        has_line(registry, "c_total{a=\"\xc3\xa9t\xc3\xa9 \xf0\x9f\x98\x80\t\",b=\"\\\\n\"} 2"));
    (void)sonde_registry_free(registry);
}

static void inc_at(sonde_counter_family *family, const char *value) {
    sonde_counter_inc(SONDE_COUNTER_AT(family, value));
}

static void a_call_site_follows_its_values_and_its_family(void **state) {
    (void)state;
    for (int round = 0; round < 3; round++) {
        sonde_registry *registry = new_registry(), *second = new_registry();
        sonde_counter_family *family = new_family(registry, 1, 0),
                             *other = new_family(second, 1, 0);
        inc_at(family, "x");
        inc_at(family, "x");
        inc_at(family, "y");
        inc_at(other, "x");
        inc_at(family, "x");
        assert_true(has_line(registry, "c_total{a=\"x\"} 3"));
        assert_true(has_line(registry, "c_total{a=\"y\"} 1"));
        assert_true(has_line(second, "c_total{a=\"x\"} 1"));
        (void)sonde_registry_free(registry);
        (void)sonde_registry_free(second);
    }
}

/* Each allocation of a lookup fails once; the host sees a handle, the page stays right. */
static void every_allocation_may_fail(void **state) {
    (void)state;
    warm_up();
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1, fired = 1; fired != 0; n++) {
        sonde_registry *registry = new_registry();
        sonde_counter_family *family = new_family(registry, 1, 0);
        sn_mem_fail_nth(n);
        for (unsigned i = 0; i < 40; i++)
            inc_number(family, i);
        fired = (uint64_t)sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        uint64_t lost = sonde_lost_count(registry, SONDE_LOST_NO_MEMORY);
        assert_int_equal(lost, fired);
        char *page = page_of(registry);
        double sum = 0;
        for (unsigned i = 0; i < 40; i++) {
            char series[64];
            (void)snprintf(series, sizeof series, "c_total{a=\"v%u\"}", i);
            double value = value_of(page, series);
            sum += value >= 0 ? value : 0;
        }
        assert_true(sum == (double)(40 - fired));
        sonde_free(page);
        (void)sonde_registry_free(registry);
    }
    assert_int_equal(sn_mem_block_count(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_values_give_the_same_child),
        cmocka_unit_test(values_of_every_length_are_told_apart),
        cmocka_unit_test(values_at_the_end_of_memory_are_found),
        cmocka_unit_test(watched_reads_find_the_same),
        cmocka_unit_test(bytes_behind_a_value_do_not_matter),
        cmocka_unit_test(a_copy_has_the_hash_of_its_value),
        cmocka_unit_test(sites_tell_similar_values_apart),
        cmocka_unit_test(null_is_the_empty_value),
        cmocka_unit_test(a_wrong_number_of_values_records_nothing),
        cmocka_unit_test(the_family_limit_holds_and_totals_stay_exact),
        cmocka_unit_test(the_registry_limit_holds),
        cmocka_unit_test(the_other_child_may_be_named_by_the_host),
        cmocka_unit_test(values_that_no_page_can_show_become_other),
        cmocka_unit_test(hostile_values_are_escaped_and_found_again),
        cmocka_unit_test(a_call_site_follows_its_values_and_its_family),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
