/* Tests of content codings. */
#include "clienthttp/encoding_priv.h"

#include "clienthttp_support.h"

static void gzip_is_used_when_it_is_accepted(void **state) {
    (void)state;
    static const char *const yes[] = {
        "gzip", "deflate, gzip",        "GZIP;q=0.001", "x-gzip",
        "*",    "identity, gzip;q=1.0", " gzip ; q=1 ", "deflate, *;q=0.5"};
    static const char *const no[] = {"",       "identity",    "gzip;q=0",      "gzip;q=0.000",
                                     "*;q=0",  "gzip;q=0, *", "deflate",       "gzipped",
                                     "gzip;q", "gzip;q=x",    "gzip;q=0.0001", ",;="};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        assert_true(sn_encoding_has_gzip(sn_str_from(yes[i])));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        bool is_lenient = strcmp(no[i], "gzip;q") == 0; /* no value: no parameter */
        assert_int_equal(sn_encoding_has_gzip(sn_str_from(no[i])), is_lenient);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_is_used_when_it_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
