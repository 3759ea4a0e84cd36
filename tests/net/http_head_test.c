/* Tests of request lines, framing headers and lists in headers. */
#include "http_support.h"

#include "net/http_priv.h"

/* "name: value\n" lines to fields, in static memory. */
static struct sn_http_fields fields_from(const char *text) {
    static struct sn_http_field items[16];
    struct sn_http_fields fields = {items, 0};
    struct sn_str rest = sn_str_from(text);
    struct sn_str line;
    while (rest.len > 0) {
        assert_true(fields.count < 16);
        sn_str_cut(rest, '\n', &line, &rest);
        sn_str_cut(line, ':', &items[fields.count].name, &items[fields.count].value);
        items[fields.count].value = sn_str_trim(items[fields.count].value);
        fields.count++;
    }
    return fields;
}

static void framing_is_read(void **state) {
    struct sn_http_framing framing;
    struct sn_http_fields fields = fields_from("Host: a\ncontent-LENGTH: 123456789012345678");
    (void)state;
    assert_int_equal(sn_http_check_fields(&fields, true, &framing, NULL), SN_OK);
    assert_int_equal(framing.content_length, 123456789012345678);
    assert_false(framing.is_chunked);
    fields = fields_from("Host: a\nTransfer-Encoding: Chunked");
    assert_int_equal(sn_http_check_fields(&fields, true, &framing, NULL), SN_OK);
    assert_true(framing.is_chunked);
    assert_int_equal(framing.content_length, 0);
    fields = fields_from("");
    assert_int_equal(sn_http_check_fields(&fields, false, &framing, NULL), SN_OK);
}

static void what_two_parsers_could_read_differently_is_refused(void **state) {
    static const struct {
        const char *text;
        const char *sentence;
    } cases[] = {
        {"Host: a\nContent-Length: 1\ncontent-length: 1", "header content-length is repeated"},
        {"Host: a\nHost: a", "header Host is repeated"},
        {"Host: a\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked",
         "header Transfer-Encoding is repeated"},
        {"Host: a\nTransfer-Encoding: chunked\nContent-Length: 1",
         "Content-Length and Transfer-Encoding exclude each other"},
        {"Host: a\nContent-Length: 1234567890123456789",
         "Content-Length '1234567890123456789' is not a number of bytes"},
        {"Host: a\nContent-Length:", "Content-Length '' is not a number of bytes"},
        {"Host: a\nContent-Length: -1", "Content-Length '-1' is not a number of bytes"},
        {"Host: a\nTransfer-Encoding: chunked, chunked",
         "Transfer-Encoding 'chunked, chunked' is not supported"},
        {"Content-Length: 1", "header Host is missing"},
        {"Host: a\nContent-Length : 1", "a header name holds bytes that are not allowed"},
        {"Host: a\n: 1", "a header name holds bytes that are not allowed"},
        {"Host: a\nX: a\x7f", "header X holds control characters"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sn_http_fields fields = fields_from(cases[i].text);
        struct sn_http_framing framing;
        struct sn_err err;
        assert_int_equal(sn_http_check_fields(&fields, true, &framing, &err), SN_ERR_INVALID);
        assert_string_equal(err.text, cases[i].sentence);
    }
    struct sn_http_fields fields = fields_from("Transfer-Encoding: chunked");
    struct sn_http_framing framing;
    assert_int_equal(sn_http_check_fields(&fields, false, &framing, NULL), SN_ERR_INVALID);
}

static void request_lines_are_checked(void **state) {
    (void)state;
    assert_int_equal(sn_http_check_line(SN_STR("GET"), SN_STR("/a?b"), NULL), SN_OK);
    assert_int_equal(sn_http_check_line(SN_STR("M-SEARCH"), SN_STR("*"), NULL), SN_OK);
    assert_int_equal(sn_http_check_line(SN_STR(""), SN_STR("/"), NULL), SN_ERR_INVALID);
    assert_int_equal(sn_http_check_line(SN_STR("G(T"), SN_STR("/"), NULL), SN_ERR_INVALID);
    assert_int_equal(sn_http_check_line(SN_STR("GET"), SN_STR(""), NULL), SN_ERR_INVALID);
    assert_int_equal(sn_http_check_line(SN_STR("GET"), SN_STR("a"), NULL), SN_ERR_INVALID);
    assert_int_equal(sn_http_check_line(SN_STR("GET"), SN_STR("/ "), NULL), SN_ERR_INVALID);
    assert_int_equal(sn_http_check_line(SN_STR("GET"), SN_STR("/\x7f"), NULL), SN_ERR_INVALID);
    assert_int_equal(sn_http_check_line(SN_STR("GET"), SN_STR("/\x80"), NULL), SN_ERR_INVALID);
}

static void names_are_found_in_any_letter_case(void **state) {
    struct sn_http_fields fields = fields_from("X-A: 1\nx-a: 2");
    (void)state;
    assert_true(sn_str_equal(sn_http_field_find(&fields, SN_STR("X-a"))->value, SN_STR("1")));
    assert_null(sn_http_field_find(&fields, SN_STR("X")));
    assert_true(sn_http_equal_nocase(SN_STR("aZ@["), SN_STR("Az@[")));
    assert_false(sn_http_equal_nocase(SN_STR("@"), SN_STR("`")));
}

static void gzip_is_accepted_when_the_list_says_so(void **state) {
    static const char *const yes[] = {"gzip", "GZIP",        "br, gzip",          "gzip;q=0.1",
                                      "*",    "*;q=0, gzip", "deflate,gzip ; q=1"};
    static const char *const no[] = {"",         "br",    "gzip;q=0", "gzip;q=0.000",
                                     "gzip;Q=0", "*;q=0", "gzipped",  "gzip;q=0, *"};
    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        assert_true(sn_http_accepts_gzip(sn_str_from(yes[i])));
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_false(sn_http_accepts_gzip(sn_str_from(no[i])));
}

static void etags_match_weakly(void **state) {
    struct sn_str etag = SN_STR("\"abc\"");
    (void)state;
    assert_true(sn_http_matches_etag(SN_STR("\"abc\""), etag));
    assert_true(sn_http_matches_etag(SN_STR("W/\"abc\""), etag));
    assert_true(sn_http_matches_etag(SN_STR("\"x\" , W/\"abc\""), etag));
    assert_true(sn_http_matches_etag(SN_STR("*"), etag));
    assert_false(sn_http_matches_etag(SN_STR("\"ab\""), etag));
    assert_false(sn_http_matches_etag(SN_STR("abc"), etag));
    assert_false(sn_http_matches_etag(SN_STR(""), etag));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(framing_is_read),
        cmocka_unit_test(what_two_parsers_could_read_differently_is_refused),
        cmocka_unit_test(request_lines_are_checked),
        cmocka_unit_test(names_are_found_in_any_letter_case),
        cmocka_unit_test(gzip_is_accepted_when_the_list_says_so),
        cmocka_unit_test(etags_match_weakly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
