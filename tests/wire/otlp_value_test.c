/* Values of OTLP as text. */
#include "otlp_support.h"

#include "base/mem.h"
#include "codec/protobuf.h"

#include <stdio.h>

/* The content of field 5 (body) of the only log record. */
static struct sn_str body_of(struct sn_str message, int depth) {
    static const uint32_t path[] = {1, 2, 2, 5};
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, message);
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == path[depth]) {
            return depth == 3 ? field.bytes : body_of(field.bytes, depth + 1);
        }
    }
    fail();
    return SN_STR("");
}

static void check(const char *value, const char *expected) {
    char json[1024];
    struct sn_buf buf;
    struct sn_arena arena;
    struct sn_str text;
    (void)snprintf(json, sizeof json,
                   "{'resourceLogs':[{'scopeLogs':[{'logRecords':[{'body':%s}]}]}]}", value);
    otlp_from_text(SN_OTLP_LOGS, json, &buf);
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_otlp_value_text(body_of(sn_buf_str(&buf), 0), &arena, &text, NULL), SN_OK);
    if (!sn_str_equal(text, sn_str_from(expected))) {
        fail_msg("%s: \"%.*s\" is not \"%s\"", value, SN_STR_ARG(text), expected);
    }
    sn_arena_release(&arena);
    sn_buf_release(&buf);
}

static void every_kind_has_a_text(void **state) {
    (void)state;
    check("{}", "");
    check("{'stringValue':'a b'}", "a b");
    check("{'boolValue':true}", "true");
    check("{'boolValue':false}", "false");
    check("{'intValue':'-9223372036854775808'}", "-9223372036854775808");
    check("{'doubleValue':1.5}", "1.5");
    check("{'doubleValue':'NaN'}", "NaN");
    check("{'bytesValue':'YWI='}", "YWI=");
    check("{'bytesValue':'YWJj'}", "YWJj");
    check("{'bytesValue':'YQ=='}", "YQ==");
    check("{'bytesValue':''}", "");
}

static void lists_are_json(void **state) {
    (void)state;
    check("{'arrayValue':{'values':[{'stringValue':'a'},{'intValue':1},{},{'doubleValue':0.5}]}}",
          "[\"a\",1,null,0.5]");
    check("{'kvlistValue':{'values':[{'key':'k','value':{'arrayValue':{'values':[{'bytesValue':"
          "'YQ=='},{'boolValue':true}]}}},{'key':'n'}]}}",
          "{\"k\":[\"YQ==\",true],\"n\":null}");
}

static void memory_that_is_missing_is_told(void **state) {
    (void)state;
    struct sn_buf buf;
    bool has_failed = true;
    otlp_from_text(SN_OTLP_LOGS,
                   "{'resourceLogs':[{'scopeLogs':[{'logRecords':[{'body':{'arrayValue':{'values':["
                   "{'bytesValue':'YQ=='},{'stringValue':'b'}]}}}]}]}]}",
                   &buf);
    for (uint64_t n = 1; has_failed; n++) {
        struct sn_arena arena;
        struct sn_str text;
        sn_arena_init(&arena, 0);
        sn_mem_fail_nth(n);
        sn_status status = sn_otlp_value_text(body_of(sn_buf_str(&buf), 0), &arena, &text, NULL);
        has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        sn_arena_release(&arena);
    }
    sn_buf_release(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_text),
        cmocka_unit_test(lists_are_json),
        cmocka_unit_test(memory_that_is_missing_is_told),
    };
    return cmocka_run_group_tests_name("otlp_value", tests, NULL, NULL);
}
