/* Who may use which route: the whole route table against every kind of client. */
#include "api/access.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    struct sn_str text;
    bool is_own;
} hosts[] = {
    {SN_STR("localhost"), true},
    {SN_STR("localhost:9464"), true},
    {SN_STR("127.0.0.1"), true},
    {SN_STR("127.0.0.1:9464"), true},
    {SN_STR("127.1.2.3:80"), true},
    {SN_STR("[::1]"), true},
    {SN_STR("[::1]:1"), true},
    {SN_STR("evil.example"), false},
    {SN_STR("127.0.0.1.evil.example"), false},
    {SN_STR("127.0.0.1.evil.example:9464"), false},
    {SN_STR("127.evil.example"), false},
    {SN_STR("localhost.evil.example"), false},
    {SN_STR("notlocalhost"), false},
    {SN_STR("evil.example:127.0.0.1"), false},
    {SN_STR("evil.example#localhost"), false},
    {SN_STR("[::1].evil.example"), false},
    {SN_STR("[::1]evil:80"), false},
    {SN_STR("[::1"), false},
    {SN_STR("[::2]:80"), false},
    {SN_STR("[::ffff:10.0.0.1]"), false},
    {SN_STR("::1"), false},
    {SN_STR("10.0.0.1:9464"), false},
    {SN_STR("0.0.0.0:9464"), false},
    {SN_STR("1270.0.0.1"), false},
    {SN_STR(" localhost"), false},
    {SN_STR(":9464"), false},
    {SN_STR("["), false},
};
#define HOST_COUNT (sizeof hosts / sizeof hosts[0])

/* The rules once more, in the words of access.h. */
static bool is_expected(const struct sn_access_facts *facts, bool is_own_host) {
    if (facts->role == SN_API_PUBLIC)
        return true;
    if (facts->access == SN_API_ACCESS_OPEN)
        return is_own_host || facts->host.len == 0;
    return facts->role == SN_API_INGEST && facts->is_loopback && is_own_host;
}

static void check(const struct sn_access_facts *facts, bool is_own_host, const char *path) {
    struct sn_err err = {.status = SN_OK};
    sn_status status = sn_access_check(facts, &err);
    if ((status == SN_OK) != is_expected(facts, is_own_host))
        fail_msg("%s: access %d, loopback %d, Host \"%.*s\": %s", path, (int)facts->access,
                 facts->is_loopback, SN_STR_ARG(facts->host), sn_status_name(status));
    if (status != SN_OK) {
        assert_int_equal(status, SN_ERR_DENIED);
        assert_true(err.text[0] != '\0');
    }
}

static void every_route_is_open_to_exactly_whom_it_says(void **state) {
    (void)state;
    static const struct sn_str none = {NULL, 0};
    for (size_t r = 0; r < sn_api_route_count; r++)
        for (int access = SN_API_ACCESS_REQUIRED; access <= SN_API_ACCESS_OPEN; access++)
            for (int is_loopback = 0; is_loopback <= 1; is_loopback++)
                for (size_t h = 0; h <= HOST_COUNT; h++) {
                    const struct sn_access_facts facts = {
                        .access = (enum sn_api_access)access,
                        .role = sn_api_routes[r].role,
                        .is_loopback = is_loopback,
                        .host = h < HOST_COUNT ? hosts[h].text : none,
                    };
                    check(&facts, h < HOST_COUNT && hosts[h].is_own, sn_api_routes[r].path);
                }
}

static void a_refusal_names_the_host_cut_to_a_length(void **state) {
    (void)state;
    char name[5000];
    memset(name, 'x', sizeof name);
    struct sn_access_facts facts = {.access = SN_API_ACCESS_OPEN,
                                    .role = SN_API_READ,
                                    .is_loopback = true,
                                    .host = SN_STR("evil.example")};
    struct sn_err err = {.status = SN_OK};
    assert_int_equal(sn_access_check(&facts, &err), SN_ERR_DENIED);
    assert_non_null(strstr(err.text, "Host \"evil.example\""));
    facts.host = sn_str_make(name, sizeof name);
    assert_int_equal(sn_access_check(&facts, &err), SN_ERR_DENIED);
    assert_true(strlen(err.text) < 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_open_to_exactly_whom_it_says),
        cmocka_unit_test(a_refusal_names_the_host_cut_to_a_length),
    };
    return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
