/* Tests of the exporter's addresses. */
#include "clienthttp/address_priv.h"

#include "clienthttp_support.h"

#include <arpa/inet.h>

static void addresses_of_both_kinds_are_read(void **state) {
    (void)state;
    union sn_exporter_address address;
    assert_int_equal(sn_exporter_address_parse("127.0.0.1:9465", &address, NULL), SN_OK);
    assert_int_equal(address.v4.sin_family, AF_INET);
    assert_int_equal(ntohs(address.v4.sin_port), 9465);
    assert_int_equal(ntohl(address.v4.sin_addr.s_addr), INADDR_LOOPBACK);
    assert_int_equal(sn_exporter_address_len(&address), sizeof(struct sockaddr_in));
    assert_int_equal(sn_exporter_address_parse("[::1]:65535", &address, NULL), SN_OK);
    assert_int_equal(address.v6.sin6_family, AF_INET6);
    assert_int_equal(ntohs(address.v6.sin6_port), 65535);
    assert_int_equal(sn_exporter_address_len(&address), sizeof(struct sockaddr_in6));
    assert_int_equal(sn_exporter_address_parse("0.0.0.0:0", &address, NULL), SN_OK);
    assert_int_equal(address.v4.sin_port, 0);
}

static void everything_else_is_refused_with_a_sentence(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",
        ":",
        "9465",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "1.1.1.1:a",
        "1.1.1:1",
        "::1:9465",
        "[::1]",
        "[::1:9465",
        "[127.0.0.1]:1",
        "[]:1",
        ":9465",
        "1.1.1.1:-1",
        "localhost:9465",
        "1.1.1.1: 1",
        "1.1.1.1:000001",
        "[::1]]:1",
        "[::1%lo]:1",
        "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc]:1",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct sn_err err;
        union sn_exporter_address address = {.any = {.sa_family = 77}};
        assert_int_equal(sn_exporter_address_parse(wrong[i], &address, &err), SN_ERR_INVALID);
        assert_non_null(strstr(err.text, "is no address"));
        assert_int_equal(address.any.sa_family, 77);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_both_kinds_are_read),
        cmocka_unit_test(everything_else_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
