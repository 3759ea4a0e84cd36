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
    static const unsigned scopes[] = {0, SN_SCOPE_INGEST, SN_SCOPE_READ, SN_SCOPE_ADMIN};
    if (facts->role == SN_API_PUBLIC)
        return true;
    if (facts->access == SN_API_ACCESS_OPEN)
        return is_own_host || facts->host.len == 0;
    if (facts->is_signed_in)
        return (facts->scopes & scopes[facts->role]) != 0;
    if (facts->role != SN_API_INGEST || facts->ingest_access == SN_API_INGEST_TOKEN)
        return false;
    return facts->ingest_access == SN_API_INGEST_ANYONE || (facts->is_loopback && is_own_host);
}

static void check(const struct sn_access_facts *facts, bool is_own_host, const char *path) {
    struct sn_err err = {.status = SN_OK};
    sn_status status = sn_access_check(facts, &err);
    if ((status == SN_OK) != is_expected(facts, is_own_host))
        fail_msg("%s: access %d, ingest %d, loopback %d, scopes %u, Host \"%.*s\": %s", path,
                 (int)facts->access, (int)facts->ingest_access, facts->is_loopback, facts->scopes,
                 SN_STR_ARG(facts->host), sn_status_name(status));
    if (status != SN_OK) {
        assert_int_equal(status, SN_ERR_DENIED);
        assert_true(err.text[0] != '\0');
    }
}

/* Every host, with the other facts as given. */
static void check_hosts(struct sn_access_facts facts, const char *path) {
    for (size_t h = 0; h < HOST_COUNT; h++) {
        facts.host = hosts[h].text;
        check(&facts, hosts[h].is_own, path);
    }
    facts.host = SN_STR("");
    check(&facts, false, path);
}

static void every_route_is_open_to_exactly_whom_it_says(void **state) {
    (void)state;
    for (size_t r = 0; r < sn_api_route_count; r++)
        for (unsigned bits = 0; bits < 4 * 3 * 9; bits++) {
            /* access, loopback, ingest access, nobody or somebody with any scopes */
            unsigned who = bits / 12;
            const struct sn_access_facts facts = {
                .access = (enum sn_api_access)(bits & 1),
                .ingest_access = (enum sn_api_ingest_access)(bits / 4 % 3),
                .role = sn_api_routes[r].role,
                .is_loopback = (bits & 2) != 0,
                .is_signed_in = who > 0,
                .scopes = who > 0 ? who - 1 : 0,
            };
            check_hosts(facts, sn_api_routes[r].path);
        }
}

static void a_page_from_elsewhere_cannot_write_without_sign_in(void **state) {
    (void)state;
    static const struct {
        struct sn_str text;
        bool is_own;
    } origins[] = {
        {SN_STR("http://localhost:9464"), true},
        {SN_STR("https://127.0.0.1"), true},
        {SN_STR("http://[::1]:80"), true},
        {SN_STR("http://evil.example"), false},
        {SN_STR("https://localhost.evil.example"), false},
        {SN_STR("null"), false},
        {SN_STR("localhost"), false},
        {SN_STR("http:localhost"), false},
        {SN_STR("file://"), false},
    };
    for (size_t i = 0; i < sizeof origins / sizeof origins[0]; i++) {
        struct sn_access_facts facts = {
            .access = SN_API_ACCESS_OPEN,
            .role = SN_API_INGEST,
            .is_loopback = true,
            .is_write = true,
            .host = SN_STR("localhost"),
            .origin = origins[i].text,
        };
        sn_status wanted = origins[i].is_own ? SN_OK : SN_ERR_DENIED;
        assert_int_equal(sn_access_check(&facts, NULL), wanted);
        facts.access = SN_API_ACCESS_REQUIRED;
        assert_int_equal(sn_access_check(&facts, NULL), wanted);
        facts.is_write = false; /* what is read stays with the page: no answer allows it to look */
        assert_int_equal(sn_access_check(&facts, NULL), SN_OK);
        facts.is_write = true;
        facts.is_signed_in = true;
        facts.scopes = SN_SCOPE_INGEST;
        assert_int_equal(sn_access_check(&facts, NULL), SN_OK);
    }
}

static void secrets_are_found_in_the_header(void **state) {
    (void)state;
    static const struct {
        struct sn_str header, secret;
    } rows[] = {
        {SN_STR("Bearer abc"), SN_STR("abc")},
        {SN_STR("bEARER   abc "), SN_STR("abc")},
        {SN_STR("Basic YW5uOnNlY3JldA=="), SN_STR("secret")},
        {SN_STR("basic YW5uOnNlY3JldA"), SN_STR("secret")},
        {SN_STR("Basic YW5uOnM6OnQ="), SN_STR("s::t")},
        {SN_STR("Basic YW5u"), SN_STR("")},
        {SN_STR("Basic ????"), SN_STR("")},
        {SN_STR("Basic"), SN_STR("")},
        {SN_STR("Bearer"), SN_STR("")},
        {SN_STR("Bearerx abc"), SN_STR("")},
        {SN_STR("Digest abc"), SN_STR("")},
        {SN_STR(""), SN_STR("")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[SN_ACCESS_SECRET_SIZE];
        struct sn_str secret = sn_access_secret(rows[i].header, buf);
        if (!sn_str_equal(secret, rows[i].secret))
            fail_msg("\"%.*s\" gave \"%.*s\"", SN_STR_ARG(rows[i].header), SN_STR_ARG(secret));
    }
    char header[400] = "Basic ", buf[SN_ACCESS_SECRET_SIZE];
    memset(header + 6, 'A', sizeof header - 6);
    assert_int_equal(sn_access_secret(sn_str_make(header, sizeof header), buf).len, 0);
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
        cmocka_unit_test(a_page_from_elsewhere_cannot_write_without_sign_in),
        cmocka_unit_test(secrets_are_found_in_the_header),
        cmocka_unit_test(a_refusal_names_the_host_cut_to_a_length),
    };
    return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
