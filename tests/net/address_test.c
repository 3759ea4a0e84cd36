/* Tests of socket addresses and their text. */
#include "net/address.h"

#include "http_support.h"

static void text_survives_a_round_trip(void **state) {
    static const char *const texts[] = {"127.0.0.1:9464", "0.0.0.0:0", "[::1]:65535",
                                        "[2001:db8::1]:80", "[::]:1"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct sn_address address;
        char text[SN_ADDRESS_TEXT_SIZE];
        assert_int_equal(sn_address_parse(sn_str_from(texts[i]), &address, NULL), SN_OK);
        sn_address_format(&address, text);
        assert_string_equal(text, texts[i]);
    }
}

static void what_is_no_address_is_refused_with_an_example(void **state) {
    static const char *const texts[] = {
        "",
        ":9464",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.1:80",
        "1.2.3.4:+8",
        "1.2.3.4: 8",
        "[::1]",
        "[::1]80",
        "[::1:80",
        "::1:80",
        "[::1]:",
        "[127.0.0.1]:80",
        "example.org:80",
        "1.2.3.4:8x",
        "1.2.3.4:000080",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct sn_address address;
        struct sn_err err;
        if (sn_address_parse(sn_str_from(texts[i]), &address, &err) != SN_ERR_INVALID)
            fail_msg("accepted: %s", texts[i]);
        assert_non_null(strstr(err.text, "such as 127.0.0.1:9464"));
    }
    struct sn_address address;
    assert_int_equal(sn_address_parse(SN_STR("1.2.3.4\0:80"), &address, NULL), SN_ERR_INVALID);
}

static void localhost_is_the_only_name(void **state) {
    struct sn_address address;
    char text[SN_ADDRESS_TEXT_SIZE];
    (void)state;
    assert_int_equal(sn_address_parse(SN_STR("localhost:80"), &address, NULL), SN_OK);
    sn_address_format(&address, text);
    assert_string_equal(text, "127.0.0.1:80");
}

static void loopback_has_three_spellings(void **state) {
    static const struct {
        const char *text;
        bool is_loopback;
    } cases[] = {{"127.0.0.1:1", true},
                 {"127.255.0.9:1", true},
                 {"128.0.0.1:1", false},
                 {"[::1]:1", true},
                 {"[::2]:1", false},
                 {"0.0.0.0:1", false},
                 {"[::ffff:127.1.2.3]:1", true},
                 {"[::ffff:10.0.0.1]:1", false}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sn_address address;
        assert_int_equal(sn_address_parse(sn_str_from(cases[i].text), &address, NULL), SN_OK);
        assert_int_equal(sn_address_is_loopback(&address), cases[i].is_loopback);
    }
}

static void mapped_addresses_are_written_as_ipv4(void **state) {
    struct sn_address address;
    char text[SN_ADDRESS_TEXT_SIZE];
    (void)state;
    assert_int_equal(sn_address_parse(SN_STR("[::ffff:10.1.2.3]:5"), &address, NULL), SN_OK);
    sn_address_format(&address, text);
    assert_string_equal(text, "10.1.2.3:5");
    sn_address_format_host(&address, text);
    assert_string_equal(text, "10.1.2.3");
}

static void other_families_become_unknown(void **state) {
    struct sockaddr other = {.sa_family = AF_UNIX};
    struct sn_address address;
    char text[SN_ADDRESS_TEXT_SIZE];
    (void)state;
    sn_address_from_socket(&other, &address);
    sn_address_format(&address, text);
    assert_string_equal(text, "unknown");
    assert_false(sn_address_is_loopback(&address));
    sn_address_from_socket(NULL, &address);
    sn_address_format_host(&address, text);
    assert_string_equal(text, "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_survives_a_round_trip),
        cmocka_unit_test(what_is_no_address_is_refused_with_an_example),
        cmocka_unit_test(localhost_is_the_only_name),
        cmocka_unit_test(loopback_has_three_spellings),
        cmocka_unit_test(mapped_addresses_are_written_as_ipv4),
        cmocka_unit_test(other_families_become_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
