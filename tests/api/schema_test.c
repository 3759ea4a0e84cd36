/* The notation of types, and the JSON Schema that it becomes. */
#include "api/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static sn_status write(const char *type, bool is_closed, struct sn_buf *buf, struct sn_err *err) {
    struct sn_json_writer json;
    sn_buf_init(buf, 0);
    sn_json_write_init(&json, buf, 0);
    sn_status status = sn_schema_write(&json, sn_str_from(type), is_closed, err);
    return status == SN_OK ? sn_json_write_finish(&json, err) : status;
}

static void assert_schema(const char *type, bool is_closed, const char *schema) {
    struct sn_buf buf;
    struct sn_err err = {0};
    if (write(type, is_closed, &buf, &err) != SN_OK)
        fail_msg("%s: %s", type, err.text);
    sn_buf_put_byte(&buf, '\0');
    assert_string_equal((const char *)buf.ptr, schema);
    sn_buf_release(&buf);
}

static void assert_refused(const char *type, sn_status status, const char *words) {
    struct sn_buf buf;
    struct sn_err err = {0};
    assert_int_equal(write(type, false, &buf, &err), status);
    if (strstr(err.text, words) == NULL)
        fail_msg("%s: %s", type, err.text);
    sn_buf_release(&buf);
}

static void words_become_types(void **state) {
    (void)state;
    assert_schema("string", false, "{\"type\":\"string\"}");
    assert_schema(" number ", false, "{\"type\":\"number\"}");
    assert_schema("int", false, "{\"type\":\"integer\"}");
    assert_schema("bool", false, "{\"type\":\"boolean\"}");
    assert_schema("null", false, "{\"type\":\"null\"}");
    assert_schema("any", false, "{}");
    assert_schema("object", false, "{\"type\":\"object\"}");
    assert_schema("time", false, "{\"type\":\"string\",\"format\":\"date-time\"}");
    assert_schema("uuid", false, "{\"type\":\"string\",\"format\":\"uuid\"}");
    assert_schema("Record", false, "{\"$ref\":\"#/components/schemas/Record\"}");
    assert_schema("'ok'", false, "{\"const\":\"ok\"}");
    assert_schema("int(1,1000)", false, "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000}");
}

static void types_are_composed(void **state) {
    (void)state;
    assert_schema("int[]", false, "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}");
    assert_schema(
        "(int | null)[][]", false,
        "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":"
        "\"integer\"},{\"type\":\"null\"}]}}}");
    assert_schema("map(A)", false,
                  "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/components/schemas/"
                  "A\"}}");
    assert_schema(
        "[int, string]", false,
        "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}],"
        "\"minItems\":2,\"items\":false}");
    assert_schema("'a|b' | 'c'", false, "{\"anyOf\":[{\"const\":\"a|b\"},{\"const\":\"c\"}]}");
}

static void objects_have_members_and_know_which_are_needed(void **state) {
    (void)state;
    assert_schema(
        "{a: int, b?: string}", false,
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":"
        "\"string\"}},\"required\":[\"a\"]}");
    assert_schema(
        "{a: {b: int}}", true,
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"object\",\"properties\":{"
        "\"b\":{\"type\":\"integer\"}},\"required\":[\"b\"],\"additionalProperties\":false}}"
        ",\"required\":[\"a\"],\"additionalProperties\":false}");
    assert_schema("{a: int `how, many`, ...}", true,
                  "{\"type\":\"object\",\"properties\":{\"a\":{\"description\":\"how, many\","
                  "\"allOf\":[{\"type\":\"integer\"}]}},\"required\":[\"a\"],"
                  "\"additionalProperties\":true}");
    assert_schema("{}", false, "{\"type\":\"object\",\"properties\":{},\"required\":[]}");
}

static void mistakes_are_named(void **state) {
    (void)state;
    char deep[64] = "";
    assert_refused("strin", SN_ERR_INVALID, "\"strin\": there is no such type");
    assert_refused("", SN_ERR_INVALID, "there is no such type");
    assert_refused("{a}", SN_ERR_INVALID, "a member is NAME: TYPE");
    assert_refused("{a: int b: int}", SN_ERR_INVALID, "there is no such type");
    assert_refused("{a: int `remark}", SN_ERR_INVALID, "a remark has no end");
    assert_refused("{a: int `x` b: int}", SN_ERR_INVALID, "a comma is missing");
    assert_refused("int(1)", SN_ERR_INVALID, "a range is int(LOW,HIGH)");
    assert_refused("{a: int", SN_ERR_INVALID, "there is no such type");
    assert_refused("int[]]", SN_ERR_INVALID, "there is no such type");
    for (size_t i = 0; i < SN_SCHEMA_DEPTH_MAX + 1; i++)
        (void)snprintf(deep + 2 * i, 3, "[]");
    memmove(deep + 3, deep, strlen(deep) + 1);
    memcpy(deep, "int", 3);
    assert_refused(deep, SN_ERR_LIMIT, "more than 16 deep");
    struct sn_buf buf;
    deep[strlen(deep) - 2] = '\0'; /* one pair of brackets less */
    assert_int_equal(write(deep, false, &buf, NULL), SN_OK);
    sn_buf_release(&buf);
}

static void fields_are_cut_one_by_one(void **state) {
    (void)state;
    struct sn_str rest = SN_STR("match[]: string[] `a, b`, *: string, q?: [int, int]");
    struct sn_schema_field field;
    assert_int_equal(sn_schema_next_field(&rest, &field, NULL), SN_OK);
    assert_true(sn_str_equal(field.name, SN_STR("match[]")));
    assert_true(sn_str_equal(field.type, SN_STR("string[]")));
    assert_true(sn_str_equal(field.note, SN_STR("a, b")));
    assert_false(field.is_optional);
    assert_int_equal(sn_schema_next_field(&rest, &field, NULL), SN_OK);
    assert_true(sn_str_equal(field.name, SN_STR("*")));
    assert_int_equal(sn_schema_next_field(&rest, &field, NULL), SN_OK);
    assert_true(sn_str_equal(field.name, SN_STR("q")));
    assert_true(sn_str_equal(field.type, SN_STR("[int, int]")));
    assert_true(field.is_optional);
    assert_int_equal(sn_schema_next_field(&rest, &field, NULL), SN_ERR_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_types),
        cmocka_unit_test(types_are_composed),
        cmocka_unit_test(objects_have_members_and_know_which_are_needed),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(fields_are_cut_one_by_one),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
