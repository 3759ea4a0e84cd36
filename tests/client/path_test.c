/* Tests of paths as label values. */
#include "client/path_priv.h"

#include "client_support.h"

/* The path by the rules; static buffer. */
static const char *by(const sonde_path_rules *rules, const char *path) {
    static char out[SONDE_PATH_SIZE];
    size_t len = sonde_path_normalise(rules, path, strlen(path), out, sizeof out);
    assert_int_equal(strlen(out), len);
    return out;
}

static void assert_paths(const char *const (*pairs)[2], size_t count) {
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(by(NULL, pairs[i][0]), pairs[i][1]);
        assert_string_equal(by(NULL, pairs[i][1]), pairs[i][1]);
    }
}

#define ASSERT_PATHS(pairs) assert_paths((pairs), sizeof(pairs) / sizeof(pairs)[0])

static void ids_become_id(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"/users/123", "/users/:id"},
        {"/users/123/orders/7", "/users/:id/orders/:id"},
        {"/u/0", "/u/:id"},
        {"/u/-12", "/u/:id"},
        {"/u/2024-01-31", "/u/:id"},
        {"/u/1.5", "/u/:id"},
        {"/u/123e4567-e89b-12d3-a456-426614174000", "/u/:id"},
        {"/u/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "/u/:id"},
        {"/u/7f3a91c2", "/u/:id"},
        {"/u/DEADBEEFDEADBEEF", "/u/:id"},
        {"/u/507f1f77bcf86cd799439011", "/u/:id"},
        {"/u/order-98765", "/u/:id"},
        {"/u/eyJhbGciOiJIUzI1NiJ9abc", "/u/:id"},
        {"/u/bob@example.com", "/u/:id"},
        {"/u/%31%32%33", "/u/:id"},
        {"/u/:42", "/u/:id"},
    };
    ASSERT_PATHS(pairs);
}

static void words_stay(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"/", "/"},
        {"/api/v1/items", "/api/v1/items"},
        {"/feedback/facade", "/feedback/facade"},
        {"/deadbee/abcdef", "/deadbee/abcdef"},
        {"/s3/mp4/http2", "/s3/mp4/http2"},
        {"/jquery-3.6.0.min.js", "/jquery-3.6.0.min.js"},
        {"/a/../b", "/a/../b"},
        {"*", "*"},
    };
    ASSERT_PATHS(pairs);
}

static void hexadecimal_words_are_ids_from_their_lengths_on(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"/1abcdef", "/1abcdef"},
        {"/1abcdef0", "/:id"},
        {"/abcdefabcdefabc", "/abcdefabcdefabc"},
        {"/abcdefabcdefabcd", "/:id"},
        {"/x1234", "/x1234"},
        {"/x12345", "/:id"},
        {"/abcdefghijklmnopqr1", "/abcdefghijklmnopqr1"},
        {"/abcdefghijklmnopqrs1", "/:id"},
        {"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
        {"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "/:id"},
    };
    ASSERT_PATHS(pairs);
}

static void extensions_stay_behind_ids(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"/v/123.mp4", "/v/:id.mp4"},
        {"/v/7f3a91c2.jsonl", "/v/:id.jsonl"},
        {"/v/photo12345.jpg", "/v/:id.jpg"},
        {"/v/index.html", "/v/index.html"},
        {"/v/123.abcdef", "/v/123.abcdef"},
        {"/v/12345.abcdef", "/v/:id"},
        {"/v/1.7z", "/v/1.7z"},
        {"/v/123.", "/v/:id"},
        {"/v/a@b.com", "/v/:id"},
        {"/v/:id.", "/v/:id"},
    };
    ASSERT_PATHS(pairs);
}

static void what_is_no_part_of_the_route_goes(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"/a?b=/c/1", "/a"},
        {"/a#b/c", "/a"},
        {"/?x", "/"},
        {"/a//b///", "/a/b"},
        {"/./a/./", "/a"},
        {"http://example.com/users/5?x", "/users/:id"},
        {"https://example.com", "/"},
        {"http://example.com?x=/y", "/"},
        {"example.com:443", ":other"},
        {"", ":other"},
        {"relative/path", ":other"},
    };
    ASSERT_PATHS(pairs);
    char out[SONDE_PATH_SIZE];
    (void)sonde_path_normalise(NULL, NULL, 7, out, sizeof out);
    assert_string_equal(out, ":other");
}

static void bytes_that_are_not_ascii_show_nothing(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"/\xd0\xbf\xd1\x80/x", "/:other/x"},
        {"/a\xff/1", "/:other/:id"},
        {"/a\nb", "/:other"},
        {"/a b", "/:other"},
        {"/\x7f", "/:other"},
        {"/\"}", "/\"}"},
    };
    ASSERT_PATHS(pairs);
    char out[SONDE_PATH_SIZE];
    (void)sonde_path_normalise(NULL, "/a\0b/c", 6, out, sizeof out);
    assert_string_equal(out, "/:other/c");
}

static void segments_beyond_the_limit_are_the_rest(void **state) {
    (void)state;
    sonde_path_options options = {.segment_max = 2};
    sonde_path_rules *rules = sonde_path_rules_new(&options, NULL);
    assert_string_equal(by(rules, "/a/b"), "/a/b");
    assert_string_equal(by(rules, "/a/b//"), "/a/b");
    assert_string_equal(by(rules, "/a/b/c"), "/a/b/:rest");
    assert_string_equal(by(rules, "/a/b/c/d"), "/a/b/:rest");
    assert_string_equal(by(rules, "/a/b/:rest"), "/a/b/:rest");
    (void)sonde_path_rules_free(rules);
}

static void the_output_stays_inside_of_any_buffer(void **state) {
    (void)state;
    static const char path[] = "/alpha/beta/gamma/123/delta";
    for (size_t size = 1; size <= sizeof path + 4; size++) {
        char *out = test_malloc(size);
        size_t len = sonde_path_normalise(NULL, path, strlen(path), out, size);
        assert_true(len < size);
        assert_int_equal(strlen(out), len);
        char *again = test_malloc(size);
        (void)sonde_path_normalise(NULL, out, len, again, size);
        assert_string_equal(again, len > 0 ? out : "");
        test_free(again);
        test_free(out);
    }
    char small[13];
    (void)sonde_path_normalise(NULL, "/alpha/beta/x", 13, small, 13);
    assert_string_equal(small, "/alpha/:rest");
    (void)sonde_path_normalise(NULL, "/alpha/beta", 11, small, 12);
    assert_string_equal(small, "/:rest");
    (void)sonde_path_normalise(NULL, "/alpha/beta", 11, small, 6);
    assert_string_equal(small, "");
    assert_int_equal(sonde_path_normalise(NULL, "/a", 2, NULL, 0), 0);
}

static void a_huge_path_is_short(void **state) {
    (void)state;
    size_t len = (size_t)1 << 20;
    char *path = test_malloc(len);
    char out[SONDE_PATH_SIZE];
    memset(path, 'a', len);
    path[0] = '/';
    (void)sonde_path_normalise(NULL, path, len, out, sizeof out);
    assert_string_equal(out, "/:id");
    memset(path, '/', len);
    (void)sonde_path_normalise(NULL, path, len, out, sizeof out);
    assert_string_equal(out, "/");
    test_free(path);
}

static void rules_of_ones_own_need_memory(void **state) {
    (void)state;
    static const char *const templates[] = {"/a/:b"};
    sonde_path_options options = {.templates = templates, .template_count = 1};
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1; n <= 3; n++) {
        sonde_error error;
        sn_mem_fail_nth(n);
        sonde_path_rules *rules = sonde_path_rules_new(&options, &error);
        assert_int_equal(error.status, n < 3 ? SONDE_ERR_NO_MEMORY : SONDE_OK);
        assert_true((rules != NULL) == (n == 3));
        assert_string_equal(by(rules, "/a/x"), n < 3 ? "/a/x" : "/a/:b");
        (void)sonde_path_rules_free(rules);
    }
    sn_mem_fail_nth(0);
    assert_int_equal(sn_mem_block_count(), before);
    (void)sonde_path_rules_free(NULL);
}

static void segment_max_has_a_limit(void **state) {
    (void)state;
    sonde_error error;
    sonde_path_options options = {.segment_max = SONDE_PATH_SEGMENTS_MAX};
    sonde_path_rules *rules = sonde_path_rules_new(&options, &error);
    assert_int_equal(error.status, SONDE_OK);
    (void)sonde_path_rules_free(rules);
    options.segment_max++;
    assert_null(sonde_path_rules_new(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_LIMIT);
    assert_string_equal(error.text, "segment_max is 33, the limit is 32");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_become_id),
        cmocka_unit_test(words_stay),
        cmocka_unit_test(hexadecimal_words_are_ids_from_their_lengths_on),
        cmocka_unit_test(extensions_stay_behind_ids),
        cmocka_unit_test(what_is_no_part_of_the_route_goes),
        cmocka_unit_test(bytes_that_are_not_ascii_show_nothing),
        cmocka_unit_test(segments_beyond_the_limit_are_the_rest),
        cmocka_unit_test(the_output_stays_inside_of_any_buffer),
        cmocka_unit_test(a_huge_path_is_short),
        cmocka_unit_test(rules_of_ones_own_need_memory),
        cmocka_unit_test(segment_max_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
