/* OTLP/JSON as Protobuf. */
#include "wire/otlp_json.h"

#include "base/mem.h"
#include "otlp_support.h"

#include <stdio.h>

/* Bytes of the Protobuf form in hexadecimal. Lengths are padded to five bytes. */
static const char *hex(enum sn_otlp_signal signal, const char *json) {
    static char text[4096];
    struct sn_buf buf;
    otlp_from_text(signal, json, &buf);
    text[0] = '\0';
    for (size_t i = 0; i < buf.len; i++) {
        (void)snprintf(text + 2 * i, sizeof text - 2 * i, "%02x", buf.ptr[i]);
    }
    sn_buf_release(&buf);
    return text;
}

static void messages_are_nested(void **state) {
    (void)state;
    assert_string_equal(hex(SN_OTLP_METRICS, "{}"), "");
    assert_string_equal(hex(SN_OTLP_METRICS, "{'resourceMetrics':[{},{'schemaUrl':'ab'}]}"),
                        "0a8080808000"
                        "0a84808080001a026162");
    assert_string_equal(hex(SN_OTLP_LOGS, "{'resourceLogs':[{'scopeLogs':[{'logRecords':[{}]}]}]}"),
                        "0a8c80808000"
                        "128680808000"
                        "128080808000");
}

#define RECORD(fields) "{'resourceLogs':[{'scopeLogs':[{'logRecords':[" fields "]}]}]}"
/* What stands before the fields of the only record is 18 bytes. */
#define FIELDS_AT 36

static void assert_record(const char *json, const char *expected) {
    assert_string_equal(hex(SN_OTLP_LOGS, json) + FIELDS_AT, expected);
}

static void every_kind_of_number_is_read(void **state) {
    (void)state;
    assert_record(RECORD("{'timeUnixNano':'1'}"), "090100000000000000");
    assert_record(RECORD("{'timeUnixNano':1}"), "090100000000000000");
    assert_record(RECORD("{'severityNumber':9}"), "1009");
    assert_record(RECORD("{'severityNumber':'SEVERITY_NUMBER_INFO'}"), "1009");
    assert_record(RECORD("{'flags':258}"), "4502010000");
    assert_record(RECORD("{'body':{'intValue':'-1'}}"), "2a8b8080800018ffffffffffffffffff01");
    assert_record(RECORD("{'body':{'doubleValue':1.5}}"), "2a898080800021000000000000f83f");
    assert_record(RECORD("{'body':{'doubleValue':'Infinity'}}"), "2a898080800021000000000000f07f");
    assert_record(RECORD("{'body':{'boolValue':true}}"), "2a82808080001001");
}

static void text_and_bytes_are_read(void **state) {
    (void)state;
    assert_record(RECORD("{'traceId':'0aFF','severityText':'x'}"), "4a020aff1a0178");
    assert_record(RECORD("{'body':{'bytesValue':'YWI='}}"), "2a84808080003a026162");
    assert_record(RECORD("{'body':{'arrayValue':{'values':[{'stringValue':''}]}}}"),
                  "2a8e808080002a88808080000a82808080000a00");
    assert_record(RECORD("{'unknown':[{'a':1}],'body':null,'traceId':''}"), "4a00");
}

static void packed_numbers_are_read(void **state) {
    (void)state;
    const char *text = hex(
        SN_OTLP_METRICS,
        "{'resourceMetrics':[{'scopeMetrics':[{'metrics':[{'exponentialHistogram':"
        "{'dataPoints':[{'scale':-1,'positive':{'offset':1,'bucketCounts':['1',300]}}]}}]}]}]}");
    assert_non_null(strstr(text, "3001" /* scale */));
    assert_non_null(strstr(text, "0802" /* offset */ "128380808000"
                                 "01ac02"));
}

static void assert_refused(const char *json, sn_status status, const char *words) {
    struct sn_arena arena;
    struct sn_buf buf;
    struct sn_err err = {.status = SN_OK};
    char copy[512];
    (void)snprintf(copy, sizeof copy, "%s", json);
    for (char *at = copy; *at != '\0'; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    sn_arena_init(&arena, 0);
    sn_buf_init(&buf, 0);
    assert_int_equal(sn_otlp_from_json(SN_OTLP_LOGS, sn_str_from(copy), 1, &arena, &buf, &err),
                     status);
    if (strstr(err.text, words) == NULL) {
        fail_msg("%s: %s", json, err.text);
    }
    sn_buf_release(&buf);
    sn_arena_release(&arena);
}

static void what_is_wrong_is_refused_with_its_place(void **state) {
    (void)state;
    assert_refused("", SN_ERR_INVALID, "line 1");
    assert_refused("[]", SN_ERR_INVALID, "object");
    assert_refused("{'resourceLogs':{}}", SN_ERR_INVALID, "array");
    assert_refused(RECORD("{'timeUnixNano':'x'}"), SN_ERR_INVALID, "integer without a sign");
    assert_refused(RECORD("{'timeUnixNano':-1}"), SN_ERR_LIMIT, "");
    assert_refused(RECORD("{'traceId':'0'}"), SN_ERR_INVALID, "hexadecimal");
    assert_refused(RECORD("{'traceId':'zz'}"), SN_ERR_INVALID, "hexadecimal");
    assert_refused(RECORD("{'body':{'bytesValue':'!'}}"), SN_ERR_INVALID, "base64");
    assert_refused(RECORD("{'body':{'intValue':'1.5'}}"), SN_ERR_INVALID, "integer");
    assert_refused(RECORD("{'body':{'doubleValue':'a'}}"), SN_ERR_INVALID, "NaN");
    assert_refused(RECORD("{'severityNumber':'LOUD'}"), SN_ERR_INVALID, "enum");
    assert_refused(RECORD("{'a':1,'a':2}"), SN_ERR_INVALID, "");
    assert_refused(RECORD("{"), SN_ERR_INVALID, "");
}

static void limits_of_memory_are_told(void **state) {
    (void)state;
    static const struct sn_str json = SN_STR(
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"severityText\":\"a\\n\"}]}]}]}");
    bool has_failed = true;
    for (uint64_t n = 1; has_failed; n++) {
        struct sn_arena arena;
        struct sn_buf buf;
        sn_arena_init(&arena, 0);
        sn_buf_init(&buf, 0);
        sn_mem_fail_nth(n);
        sn_status status = sn_otlp_from_json(SN_OTLP_LOGS, json, 1, &arena, &buf, NULL);
        has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        sn_buf_release(&buf);
        sn_arena_release(&arena);
    }
    struct sn_arena arena;
    struct sn_buf buf;
    sn_arena_init(&arena, 0);
    sn_buf_init(&buf, 10);
    assert_int_equal(sn_otlp_from_json(SN_OTLP_LOGS, json, 1, &arena, &buf, NULL), SN_ERR_LIMIT);
    sn_buf_release(&buf);
    sn_arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_nested),
        cmocka_unit_test(every_kind_of_number_is_read),
        cmocka_unit_test(text_and_bytes_are_read),
        cmocka_unit_test(packed_numbers_are_read),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_place),
        cmocka_unit_test(limits_of_memory_are_told),
    };
    return cmocka_run_group_tests_name("otlp_json", tests, NULL, NULL);
}
