/* The OpenAPI document: it is written, as JSON, and says what the tables say. */
#include "api/openapi.h"

#include "base/mem.h"
#include "codec/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static sn_status write(struct sn_buf *buf, struct sn_err *err) {
    struct sn_json_writer json;
    sn_buf_init(buf, 0);
    sn_json_write_init(&json, buf, 0);
    sn_status status = sn_openapi_write(&json, err);
    return status == SN_OK ? sn_json_write_finish(&json, err) : status;
}

static int set_up(void **state) {
    static struct sn_buf buf;
    struct sn_err err = {0};
    if (write(&buf, &err) != SN_OK)
        fail_msg("%s", err.text);
    sn_buf_put_byte(&buf, '\0');
    *state = &buf;
    return 0;
}

static int tear_down(void **state) {
    sn_buf_release(*state);
    return 0;
}

static void assert_says(void **state, const char *words) {
    const struct sn_buf *buf = *state;
    if (strstr((const char *)buf->ptr, words) == NULL)
        fail_msg("the document does not say %s", words);
}

static void it_is_one_json_document_without_repeated_names(void **state) {
    const struct sn_buf *buf = *state;
    static struct sn_json_reader json;
    struct sn_arena arena;
    struct sn_err err = {0};
    struct sn_str key;
    size_t count = 0;
    sn_arena_init(&arena, 0);
    sn_json_read_init(&json, sn_str_make(buf->ptr, buf->len - 1),
                      &(struct sn_json_options){.arena = &arena});
    assert_true(sn_json_read_object(&json));
    while (sn_json_read_key(&json, &key)) {
        count++;
        sn_json_read_skip(&json);
    }
    if (sn_json_read_finish(&json, &err) != SN_OK)
        fail_msg("%s", err.text);
    assert_int_equal(count, 4);
    sn_arena_release(&arena);
}

static void operations_name_their_role_and_parameters(void **state) {
    assert_says(state,
                "\"/api/v1/metrics/{id}\":{\"get\":{\"operationId\":\"get_api_v1_metrics_id\"");
    assert_says(state, "\"security\":[{\"bearer\":[\"admin\"]},{\"basic\":[\"admin\"]}]");
    assert_says(state, "\"security\":[],\"x-role\":\"public\"");
    assert_says(state, "{\"name\":\"id\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":"
                       "\"string\",\"format\":\"uuid\"}}");
    assert_says(state, "{\"name\":\"match[]\",\"in\":\"query\",\"required\":true");
    assert_says(state, "\"/metrics/job/{rest}\":{\"post\"");
    assert_says(state, "\"application/x-www-form-urlencoded\":{\"schema\":{\"type\":\"object\"");
    assert_says(state, "{\"name\":\"kind\",\"in\":\"path\",\"required\":true");
}

static void answers_name_their_status(void **state) {
    assert_says(state, "\"responses\":{\"201\":{\"description\":\"Success\",\"content\"");
    assert_says(state, "\"responses\":{\"204\":{\"description\":\"Success\"},\"default\"");
    assert_says(state, "\"503\":{\"description\":\"The same, with another verdict\"");
}

static void it_fails_cleanly_without_memory(void **state) {
    (void)state;
    uint64_t n = 0;
    for (bool has_failed = true; has_failed;) {
        struct sn_buf buf;
        struct sn_err err = {0};
        sn_mem_fail_nth(++n);
        sn_status status = write(&buf, &err);
        has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        sn_buf_release(&buf);
    }
    assert_true(n > 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_one_json_document_without_repeated_names),
        cmocka_unit_test(operations_name_their_role_and_parameters),
        cmocka_unit_test(answers_name_their_status),
        cmocka_unit_test(it_fails_cleanly_without_memory),
    };
    return cmocka_run_group_tests_name("openapi", tests, set_up, tear_down);
}
