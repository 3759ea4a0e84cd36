/* The Protobuf reader: every wire type, every cut, everything that is not a message. */
#include "codec/protobuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Read all fields of a copy that has exactly the bytes, so that a look beyond them is found. */
static bool is_message(struct sn_str bytes, size_t *ret_count) {
    char *exact = malloc(bytes.len + (bytes.len == 0));
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    assert_non_null(exact);
    memcpy(exact, bytes.ptr, bytes.len);
    sn_protobuf_open(&reader, sn_str_make(exact, bytes.len));
    for (*ret_count = 0; sn_protobuf_next(&reader, &field); ++*ret_count) {
        if (field.bytes.len > 0) {
            assert_true(field.bytes.ptr >= exact);
            assert_true(field.bytes.ptr + field.bytes.len <= exact + bytes.len);
        }
    }
    bool is_broken = sn_protobuf_is_broken(&reader);
    assert_false(sn_protobuf_next(&reader, &field)); /* it stays at its end, or broken */
    free(exact);
    return !is_broken;
}

static const char every_type[] = "\x08\x96\x01"               /* 1: varint 150 */
                                 "\x11\x02\0\0\0\0\0\xf0\x7f" /* 2: fixed64, stale NaN */
                                 "\x1a\x03"                   /* 3: three bytes */
                                 "abc"                        /* */
                                 "\x25\x04\x03\x02\x01"       /* 4: fixed32 */
                                 "\xf8\xff\xff\xff\x0f\x00";  /* 2^29 - 1: varint 0 */
enum { EVERY_TYPE_BYTES = sizeof every_type - 1 };

static void every_wire_type_is_read(void **state) {
    (void)state;
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, sn_str_make(every_type, EVERY_TYPE_BYTES));
    assert_true(sn_protobuf_next(&reader, &field));
    assert_int_equal(field.number, 1);
    assert_int_equal(field.type, SN_PROTOBUF_VARINT);
    assert_int_equal(field.bits, 150);
    assert_true(sn_protobuf_next(&reader, &field));
    assert_int_equal(field.type, SN_PROTOBUF_FIXED64);
    double value = sn_protobuf_double(&field);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    assert_true(bits == UINT64_C(0x7ff0000000000002));
    assert_true(sn_protobuf_next(&reader, &field));
    assert_int_equal(field.type, SN_PROTOBUF_BYTES);
    assert_true(sn_str_equal(field.bytes, SN_STR("abc")));
    assert_true(sn_protobuf_next(&reader, &field));
    assert_int_equal(field.type, SN_PROTOBUF_FIXED32);
    assert_int_equal(field.bits, 0x01020304);
    assert_true(sn_protobuf_next(&reader, &field));
    assert_int_equal(field.number, SN_PROTOBUF_FIELD_MAX);
    assert_false(sn_protobuf_next(&reader, &field));
    assert_false(sn_protobuf_is_broken(&reader));
}

static void no_bytes_are_an_empty_message(void **state) {
    (void)state;
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, sn_str_make(NULL, 0));
    assert_false(sn_protobuf_next(&reader, &field));
    assert_false(sn_protobuf_is_broken(&reader));
}

static void every_cut_is_a_shorter_message_or_broken(void **state) {
    (void)state;
    static const size_t ends[] = {0, 3, 12, 17, 22, 28};
    size_t whole = 0;
    assert_int_equal(ends[5], EVERY_TYPE_BYTES);
    for (size_t len = 0; len <= EVERY_TYPE_BYTES; len++) {
        size_t count;
        bool is_whole = is_message(sn_str_make(every_type, len), &count);
        assert_int_equal(is_whole, len == ends[whole]);
        assert_true(count <= whole);
        whole += is_whole;
    }
}

static void what_is_no_message_breaks_the_reader(void **state) {
    (void)state;
    static const struct sn_str cases[] = {
        SN_STR("\x00\x00"),                                         /* field 0 */
        SN_STR("\x80\x80\x80\x80\x10\x00"),                         /* field 2^29 */
        SN_STR("\x0b\x0c"),                                         /* a group */
        SN_STR("\x0c"),                                             /* its end */
        SN_STR("\x0e\x00"),                                         /* type 6 */
        SN_STR("\x0f\x00"),                                         /* type 7 */
        SN_STR("\x0a\x02x"),                                        /* length beyond the end */
        SN_STR("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),     /* length 2^64 - 1 */
        SN_STR("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),     /* above 64 bits */
        SN_STR("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), /* eleven bytes */
        SN_STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t count;
        assert_false(is_message(cases[i], &count));
        assert_int_equal(count, 0);
    }
}

static void padded_varints_are_read(void **state) {
    (void)state;
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, SN_STR("\x88\x00\x81\x80\x00"));
    assert_true(sn_protobuf_next(&reader, &field));
    assert_int_equal(field.number, 1);
    assert_int_equal(field.bits, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wire_type_is_read),
        cmocka_unit_test(no_bytes_are_an_empty_message),
        cmocka_unit_test(every_cut_is_a_shorter_message_or_broken),
        cmocka_unit_test(what_is_no_message_breaks_the_reader),
        cmocka_unit_test(padded_varints_are_read),
    };
    return cmocka_run_group_tests_name("protobuf", tests, NULL, NULL);
}
