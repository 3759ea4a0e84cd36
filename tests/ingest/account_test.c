/* The accounting of ingest: names, what a request shares, how results add up. */
#include "ingest/ingest_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void every_protocol_and_reason_has_its_own_name(void **state) {
    (void)state;
    for (unsigned i = 0; i < SN_INGEST_REASON_COUNT; i++) {
        assert_string_not_equal(sn_ingest_reason_name(i), "unknown");
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(sn_ingest_reason_name(i), sn_ingest_reason_name(j));
        }
    }
    assert_string_equal(sn_ingest_reason_name(SN_INGEST_REASON_COUNT), "unknown");
    for (unsigned i = 0; i < SN_INGEST_PROTOCOL_COUNT; i++) {
        assert_string_not_equal(sn_ingest_protocol_name((enum sn_ingest_protocol)i), "unknown");
    }
    assert_string_equal(sn_ingest_protocol_name(SN_INGEST_PROTOCOL_COUNT), "unknown");
}

static void extra_labels_replace_those_of_the_same_name(void **state) {
    (void)state;
    struct sn_label items[4] = {{SN_STR("a"), SN_STR("1")}, {SN_STR("b"), SN_STR("2")}};
    struct sn_label extra[] = {{SN_STR("b"), SN_STR("3")}, {SN_STR("c"), SN_STR("4")}};
    assert_int_equal(sn_ingest_put_labels(items, 2, (struct sn_labels){extra, 2}), 3);
    assert_true(sn_str_equal(items[1].value, SN_STR("3")));
    assert_true(sn_str_equal(items[2].value, SN_STR("4")));
}

static void the_first_sentence_is_kept(void **state) {
    (void)state;
    struct sn_ingest_result result = {.accepted_count = 0};
    sn_ingest_reject(&result, SN_INGEST_LABEL_LIMIT, "line", 7, "too long");
    sn_ingest_reject(&result, SN_INGEST_LABEL_LIMIT, "line", 8, "too many");
    assert_int_equal(result.rejected_count[SN_INGEST_LABEL_LIMIT], 2);
    assert_string_equal(result.first_reject.text, "line 7: too long");
}

/* Takes two of three samples, the histogram and no exemplar. */
static sn_status partial_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                              struct sn_push_result *ret_result, struct sn_err *err) {
    (void)ctx;
    (void)batch;
    (void)err;
    *ret_result = (struct sn_push_result){.accepted_count = 3, .accepted_histogram_count = 1};
    ret_result->rejected_count[SN_REJECT_UNSUPPORTED] = 1;
    ret_result->rejected_count[SN_REJECT_TOO_OLD] = 1;
    (void)sn_err_set(&ret_result->first_reject, SN_ERR_INVALID, "of the sink");
    done.fn(done.ctx, SN_OK, NULL);
    return SN_OK;
}

static void what_was_left_out_and_what_the_sink_did_add_up(void **state) {
    (void)state;
    struct sn_ingest ingest;
    struct sn_ingest_result result = {.lost_count = 2};
    struct sn_batch batch = {.sample_count = 3, .histogram_count = 1, .exemplar_count = 1};
    result.rejected_count[SN_REJECT_TOO_OLD] = 2;
    sn_ingest_init(&ingest, (struct sn_sink){.ctx = NULL, .push = partial_push});
    assert_int_equal(sn_ingest_push(&ingest, SN_INGEST_REMOTE_WRITE, &batch, NULL, &result, NULL),
                     SN_OK);
    sn_ingest_count_request(&ingest, SN_OK);
    sn_ingest_count_request(&ingest, SN_ERR_INVALID);
    assert_int_equal(result.accepted_count, 3);
    assert_int_equal(result.accepted_histogram_count, 1);
    assert_int_equal(result.accepted_exemplar_count, 0);
    assert_int_equal(result.lost_count, 3);
    assert_int_equal(result.rejected_count[SN_REJECT_TOO_OLD], 3);
    assert_string_equal(result.first_reject.text, "of the sink");
    struct sn_ingest_counters counters = sn_ingest_read_counters(&ingest);
    assert_int_equal(counters.ingested_count[SN_INGEST_REMOTE_WRITE], 3);
    assert_int_equal(counters.ingested_count[SN_INGEST_PROMETHEUS_TEXT], 0);
    assert_int_equal(counters.rejected_count[SN_REJECT_TOO_OLD], 3);
    assert_int_equal(counters.rejected_count[SN_REJECT_UNSUPPORTED], 1);
    assert_int_equal(counters.request_count, 2);
    assert_int_equal(counters.refused_request_count, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_protocol_and_reason_has_its_own_name),
        cmocka_unit_test(extra_labels_replace_those_of_the_same_name),
        cmocka_unit_test(the_first_sentence_is_kept),
        cmocka_unit_test(what_was_left_out_and_what_the_sink_did_add_up),
    };
    return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
