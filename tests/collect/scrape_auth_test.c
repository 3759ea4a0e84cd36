/* Credentials of a scrape: as text and from files. */
#include "collect/scrape_auth.h"

#include "base/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char path[] = "/tmp/sonde-secret-XXXXXX";
static struct sn_arena arena;
static struct sn_http_ask ask;
static const char *headers[4];
static size_t header_count;
static struct sn_err err;

static void write_secret(const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_file(void **state) {
    (void)state;
    int fd = mkstemp(path);
    sn_arena_init(&arena, 0);
    return fd >= 0 && sn_os_close(fd) == 0 ? 0 : -1;
}

static int remove_file(void **state) {
    (void)state;
    sn_arena_release(&arena);
    return sn_os_unlink(path);
}

static sn_status fill(const struct sn_scrape_http *http) {
    memset(&ask, 0, sizeof ask);
    header_count = 0;
    err = (struct sn_err){.status = SN_OK};
    return sn_scrape_auth_fill(http, &arena, &ask, headers, &header_count, &err);
}

static void text_is_taken_as_it_is(void **state) {
    (void)state;
    struct sn_scrape_http http = {.user = "u", .password = "p", .proxy_url = "http://x"};
    assert_int_equal(fill(&http), SN_OK);
    assert_string_equal(ask.user, "u");
    assert_string_equal(ask.password, "p");
    assert_string_equal(ask.proxy, "http://x");
    assert_true(ask.follows_redirects);
    assert_int_equal(header_count, 0);
    http = (struct sn_scrape_http){.credentials = "c", .has_no_redirects = true};
    assert_int_equal(fill(&http), SN_OK);
    assert_string_equal(headers[0], "Authorization: Bearer c");
    assert_false(ask.follows_redirects);
    http = (struct sn_scrape_http){.credentials = "c", .credentials_type = "Token"};
    assert_int_equal(fill(&http), SN_OK);
    assert_string_equal(headers[0], "Authorization: Token c");
}

static void files_are_read_each_time(void **state) {
    (void)state;
    struct sn_scrape_http http = {.bearer_token_file = path};
    write_secret("one\n");
    assert_int_equal(fill(&http), SN_OK);
    assert_string_equal(headers[0], "Authorization: Bearer one");
    write_secret("two");
    assert_int_equal(fill(&http), SN_OK);
    assert_string_equal(headers[0], "Authorization: Bearer two");
    http = (struct sn_scrape_http){.password_file = path};
    assert_int_equal(fill(&http), SN_OK);
    assert_string_equal(ask.user, "");
    assert_string_equal(ask.password, "two");
}

static void what_cannot_be_used_is_refused_without_the_secret(void **state) {
    (void)state;
    struct sn_scrape_http http = {.credentials_file = "/nonexistent/secret"};
    assert_int_equal(fill(&http), SN_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nonexistent/secret"));
    write_secret("hush\nX-Evil: 1");
    http = (struct sn_scrape_http){.credentials_file = path};
    assert_int_equal(fill(&http), SN_ERR_INVALID);
    assert_null(strstr(err.text, "hush"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_taken_as_it_is),
        cmocka_unit_test(files_are_read_each_time),
        cmocka_unit_test(what_cannot_be_used_is_refused_without_the_secret),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
