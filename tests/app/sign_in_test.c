/* How a server starts with sign-in: which addresses, which certificate, the first administrator. */
#include "app/sign_in.h"

#include "app_support.h"
#include "base/os.h"
#include "postgres_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place {
    char *dir;
    struct sn_config config;
    struct sn_sign_in sign_in;
    struct sn_err err;
};

static int set_up(void **state) {
    static struct place place;
    memset(&place, 0, sizeof place);
    place.dir = make_temp_dir();
    sn_config_init(&place.config);
    place.config.data = place.dir;
    *state = &place;
    return 0;
}

static int tear_down(void **state) {
    struct place *place = *state;
    sn_sign_in_close(&place->sign_in);
    sn_config_release(&place->config);
    remove_temp_dir(place->dir);
    return 0;
}

static sn_status open_sign_in(struct place *place) {
    sn_sign_in_close(&place->sign_in);
    return sn_sign_in_open(&place->sign_in, &place->config, &place->err);
}

static void add_admin(struct place *place) {
    int64_t id = 0;
    const struct sn_auth_user_new user = {.name = SN_STR("root"),
                                          .password = SN_STR("correct horse"),
                                          .role = SN_ACCOUNT_ADMIN,
                                          .actor = {SN_STR("test"), SN_STR(""), true}};
    assert_int_equal(open_sign_in(place), SN_OK);
    assert_int_equal(sn_auth_add_user(place->sign_in.auth, &user, &id, NULL), SN_OK);
}

static void without_an_administrator_only_loopback_is_served(void **state) {
    struct place *place = *state;
    assert_int_equal(open_sign_in(place), SN_OK);
    place->config.listen = "0.0.0.0:9464";
    assert_int_equal(open_sign_in(place), SN_ERR_INVALID);
    assert_non_null(strstr(place->err.text, "sonde admin user add"));
}

static void other_addresses_want_tls_or_a_word_for_plain_text(void **state) {
    struct place *place = *state;
    add_admin(place);
    place->config.listen = "[::]:9464";
    assert_int_equal(open_sign_in(place), SN_ERR_INVALID);
    assert_non_null(strstr(place->err.text, "tls.certificate"));
    place->config.tls_allow_plain = true;
    assert_int_equal(open_sign_in(place), SN_OK);
    assert_false(sn_sign_in_has_tls(&place->sign_in));
}

static void certificate_and_key_go_together_and_are_read(void **state) {
    struct place *place = *state;
    char *file = make_file(place->dir, "x.pem", "-----BEGIN");
    place->config.tls_certificate = file;
    assert_int_equal(open_sign_in(place), SN_ERR_INVALID);
    assert_non_null(strstr(place->err.text, "go together"));
    place->config.tls_key = "/nonexistent/key.pem";
    assert_int_equal(open_sign_in(place), SN_ERR_NOT_FOUND);
    assert_non_null(strstr(place->err.text, "/nonexistent/key.pem"));
    place->config.tls_key = file;
    assert_int_equal(open_sign_in(place), SN_OK);
    assert_true(sn_sign_in_has_tls(&place->sign_in));
    assert_string_equal((const char *)place->sign_in.key.ptr, "-----BEGIN");
    free(file);
}

static void the_setup_code_goes_to_a_file_of_the_owner(void **state) {
    struct place *place = *state;
    struct capture out;
    char path[256];
    struct stat info;
    assert_int_equal(open_sign_in(place), SN_OK);
    capture_begin(&out, 1);
    assert_int_equal(sn_sign_in_announce(&place->sign_in, &place->config, "127.0.0.1:1", NULL),
                     SN_OK);
    char *text = capture_end(&out);
    assert_non_null(strstr(text, "/setup-code"));
    (void)snprintf(path, sizeof path, "%s/setup-code", place->dir);
    assert_int_equal(sn_os_stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(info.st_size, SN_SETUP_CODE_TEXT_SIZE);
    free(text);
    add_admin(place);
    capture_begin(&out, 1);
    assert_int_equal(sn_sign_in_announce(&place->sign_in, &place->config, "127.0.0.1:1", NULL),
                     SN_OK);
    text = capture_end(&out);
    assert_string_equal(text, "");
    free(text);
}

static void the_environment_makes_the_first_administrator_once(void **state) {
    struct place *place = *state;
    struct sn_account account;
    char *file = make_file(place->dir, "password", "from the file\n");
    assert_int_equal(setenv("SONDE_ADMIN_PASSWORD_FILE", "/nonexistent", 1), 0);
    assert_int_equal(open_sign_in(place), SN_ERR_NOT_FOUND);
    assert_int_equal(setenv("SONDE_ADMIN_PASSWORD_FILE", file, 1), 0);
    assert_int_equal(open_sign_in(place), SN_OK);
    assert_int_equal(
        sn_accounts_find_user(place->sign_in.accounts, SN_STR("admin"), &account, NULL), SN_OK);
    assert_int_equal(account.role, SN_ACCOUNT_ADMIN);
    assert_int_equal(setenv("SONDE_ADMIN_PASSWORD_FILE", "/nonexistent", 1), 0);
    assert_int_equal(open_sign_in(place), SN_OK); /* not read again */
    assert_int_equal(unsetenv("SONDE_ADMIN_PASSWORD_FILE"), 0);
    free(file);
}

/* ---- a database of several servers ---- */

static bool has_user(const struct place *place, const char *name) {
    struct sn_account account;
    return sn_accounts_find_user(place->sign_in.accounts, sn_str_from(name), &account, NULL) ==
           SN_OK;
}

/* Starts while the database is away, on any address; the administrator of the environment is made as
 * soon as it is there, by one of two servers. */
static void a_server_starts_without_its_database_and_catches_up(void **state) {
    struct place *place = *state;
    struct test_postgres server;
    struct sn_worker worker;
    if (!test_postgres_wanted(false))
        return;
    test_postgres_init(&server);
    test_postgres_stop(&server);
    char *file = make_file(place->dir, "password", "from the file\n");
    assert_int_equal(setenv("SONDE_ADMIN_PASSWORD_FILE", file, 1), 0);
    place->config.records_database = server.url;
    place->config.listen = "0.0.0.0:9464";
    assert_int_equal(open_sign_in(place), SN_ERR_INVALID); /* rules about TLS stay */
    place->config.tls_allow_plain = true;
    assert_int_equal(open_sign_in(place), SN_OK);
    assert_false(sn_auth_is_known(place->sign_in.auth));
    assert_true(sn_sign_in_worker(&place->sign_in, &worker));
    sn_sign_in_look(&place->sign_in);
    assert_true(place->sign_in.was_away);
    test_postgres_start(&server);
    while (!sn_auth_is_known(place->sign_in.auth))
        sn_sign_in_look(&place->sign_in);
    assert_false(place->sign_in.was_away);
    assert_true(has_user(place, "admin"));
    sn_sign_in_look(&place->sign_in); /* nothing to do any more */
    struct sn_sign_in other = {.was_known = false};
    assert_int_equal(sn_sign_in_open(&other, &place->config, NULL), SN_OK);
    assert_true(sn_auth_has_admin(other.auth));
    sn_sign_in_close(&other);
    assert_int_equal(unsetenv("SONDE_ADMIN_PASSWORD_FILE"), 0);
    sn_sign_in_close(&place->sign_in);
    test_postgres_release(&server);
    free(file);
}

static void without_an_administrator_in_postgres_the_configuration_is_named(void **state) {
    struct place *place = *state;
    struct test_postgres server;
    struct sn_worker worker;
    if (!test_postgres_wanted(false))
        return;
    assert_int_equal(open_sign_in(place), SN_OK);
    assert_false(sn_sign_in_worker(&place->sign_in, &worker)); /* a file needs no looks */
    test_postgres_init(&server);
    place->config.records_database = server.url;
    place->config.listen = "0.0.0.0:9464";
    assert_int_equal(open_sign_in(place), SN_ERR_INVALID);
    assert_non_null(strstr(place->err.text, "--config FILE"));
    sn_sign_in_close(&place->sign_in);
    test_postgres_release(&server);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(without_an_administrator_only_loopback_is_served),
        TEST(other_addresses_want_tls_or_a_word_for_plain_text),
        TEST(certificate_and_key_go_together_and_are_read),
        TEST(the_setup_code_goes_to_a_file_of_the_owner),
        TEST(the_environment_makes_the_first_administrator_once),
        TEST(a_server_starts_without_its_database_and_catches_up),
        TEST(without_an_administrator_in_postgres_the_configuration_is_named),
    };
    return cmocka_run_group_tests_name("sign_in", tests, NULL, NULL);
}
