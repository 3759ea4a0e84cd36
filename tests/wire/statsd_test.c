/* StatsD and DogStatsD lines. */
#include "wire/statsd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* All lines of a datagram as text: "type name values @rate tags;" or "!" for a malformed one. */
static const char *read(const char *datagram) {
    static char text[1024];
    static const char *const types[] = {"c", "g", "ms", "h", "d", "s"};
    struct sn_statsd_reader reader;
    struct sn_statsd_entry entry;
    size_t len = 0;
    text[0] = '\0';
    sn_statsd_open(&reader, sn_str_from(datagram));
    for (;;) {
        struct sn_err err = {.status = SN_OK};
        if (sn_statsd_next(&reader, &entry, &err) != SN_OK) {
            assert_true(err.text[0] != '\0');
            len += (size_t)snprintf(text + len, sizeof text - len, "!;");
            continue;
        }
        switch (entry.kind) {
        case SN_STATSD_END:
            return text;
        case SN_STATSD_EVENT:
            len += (size_t)snprintf(text + len, sizeof text - len, "event;");
            break;
        case SN_STATSD_SERVICE_CHECK:
            len += (size_t)snprintf(text + len, sizeof text - len, "check;");
            break;
        case SN_STATSD_METRIC:
            len += (size_t)snprintf(text + len, sizeof text - len, "%s %.*s %.*s @%d %.*s;",
                                    types[entry.type], SN_STR_ARG(entry.name),
                                    SN_STR_ARG(entry.values), (int)(entry.rate * 1000),
                                    SN_STR_ARG(entry.tags));
            break;
        }
    }
}

static void every_type_is_read(void **state) {
    (void)state;
    assert_string_equal(read("a:1|c\nb:2|g\nc:3|ms\nd:4|h\ne:5|d\nf:x y|s"),
                        "c a 1 @1000 ;g b 2 @1000 ;ms c 3 @1000 ;h d 4 @1000 ;d e 5 @1000 ;"
                        "s f x y @1000 ;");
}

static void sections_come_in_any_order(void **state) {
    (void)state;
    assert_string_equal(read("a.b:1:2:3|d|@0.5|#x:y,z|c:abc|T1700000000|e:it-1"),
                        "d a.b 1:2:3 @500 x:y,z;");
    assert_string_equal(read("a:1|c|#x:y|@0.1"), "c a 1 @100 x:y;");
}

static void lines_end_in_every_way(void **state) {
    (void)state;
    assert_string_equal(read(""), "");
    assert_string_equal(read("\n\n"), "");
    assert_string_equal(read("a:1|c\n"), "c a 1 @1000 ;");
    assert_string_equal(read("a:1|c\r\n\nb:2|c"), "c a 1 @1000 ;c b 2 @1000 ;");
}

static void a_malformed_line_leaves_the_others_alone(void **state) {
    (void)state;
    static const char *const bad[] = {
        "a",        "a:1",       "a|c",      ":1|c",   "a:1|x",   "a:1|",       "a:1|cc", "a:1|c||",
        "a:1|c|@0", "a:1|c|@-1", "a:1|c|@2", "a:1|c|", "a:1|c|@", "a:1|c|@nan", "\xff",   "|"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char datagram[64];
        (void)snprintf(datagram, sizeof datagram, "x:1|c\n%s\ny:2|c", bad[i]);
        assert_string_equal(read(datagram), "c x 1 @1000 ;!;c y 2 @1000 ;");
    }
}

static void events_and_service_checks_are_told_apart(void **state) {
    (void)state;
    assert_string_equal(read("_e{5,4}:title|text|#a:b\n_sc|name|0|m:text\n_x:1|c"),
                        "event;check;c _x 1 @1000 ;");
}

static void values_are_cut_one_by_one(void **state) {
    (void)state;
    struct sn_str values = SN_STR("1::x"), value;
    assert_true(sn_statsd_next_value(&values, &value));
    assert_true(sn_str_equal(value, SN_STR("1")));
    assert_true(sn_statsd_next_value(&values, &value));
    assert_int_equal(value.len, 0);
    assert_true(sn_statsd_next_value(&values, &value));
    assert_true(sn_str_equal(value, SN_STR("x")));
    assert_false(sn_statsd_next_value(&values, &value));
}

static void numbers_may_have_a_sign(void **state) {
    (void)state;
    double number = 0;
    bool is_change = true;
    assert_int_equal(sn_statsd_number(SN_STR("1.5"), &number, &is_change), SN_OK);
    assert_true(number == 1.5 && !is_change);
    assert_int_equal(sn_statsd_number(SN_STR("+2"), &number, &is_change), SN_OK);
    assert_true(number == 2 && is_change);
    assert_int_equal(sn_statsd_number(SN_STR("-3e2"), &number, &is_change), SN_OK);
    assert_true(number == -300 && is_change);
    static const char *const bad[] = {"", "x", "1,5", "NaN", "inf", "1 ", "0x1", "1e999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(sn_statsd_number(sn_str_from(bad[i]), &number, &is_change),
                         SN_ERR_INVALID);
    }
}

static void tags_have_a_name_and_perhaps_a_value(void **state) {
    (void)state;
    struct sn_str tags = SN_STR("a:b:c,,d,e:"), name, value;
    assert_true(sn_statsd_next_tag(&tags, &name, &value));
    assert_true(sn_str_equal(name, SN_STR("a")) && sn_str_equal(value, SN_STR("b:c")));
    assert_true(sn_statsd_next_tag(&tags, &name, &value));
    assert_true(sn_str_equal(name, SN_STR("d")) && value.len == 0);
    assert_true(sn_statsd_next_tag(&tags, &name, &value));
    assert_true(sn_str_equal(name, SN_STR("e")) && value.len == 0);
    assert_false(sn_statsd_next_tag(&tags, &name, &value));
}

static void sentences_show_the_line_and_no_more_than_some_of_it(void **state) {
    (void)state;
    struct sn_statsd_reader reader;
    struct sn_statsd_entry entry;
    struct sn_err err;
    char line[200];
    memset(line, 'x', sizeof line);
    line[3] = '\x01';
    sn_statsd_open(&reader, sn_str_make(line, sizeof line));
    assert_int_equal(sn_statsd_next(&reader, &entry, &err), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "xxx?xxx"));
    assert_non_null(strstr(err.text, "xxx...\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(sections_come_in_any_order),
        cmocka_unit_test(lines_end_in_every_way),
        cmocka_unit_test(a_malformed_line_leaves_the_others_alone),
        cmocka_unit_test(events_and_service_checks_are_told_apart),
        cmocka_unit_test(values_are_cut_one_by_one),
        cmocka_unit_test(numbers_may_have_a_sign),
        cmocka_unit_test(tags_have_a_name_and_perhaps_a_value),
        cmocka_unit_test(sentences_show_the_line_and_no_more_than_some_of_it),
    };
    return cmocka_run_group_tests_name("statsd", tests, NULL, NULL);
}
