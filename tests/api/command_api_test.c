/* Commands over HTTP without a server behind them; tests/system/commands_test.py has the rest. */
#include "api_support.h"

static int set_up(void **state) {
    *state = test_server_start(SN_API_ACCESS_OPEN);
    return 0;
}

static int set_up_accounts(void **state) {
    *state = test_server_start_accounts();
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

static void without_commands_the_answer_is_501(void **state) {
    assert_ask_fails(*state, "POST", "/api/v1/commands/get_all_metrics", "", "{}", 501,
                     "unsupported", "no commands");
}

static void commands_that_change_something_have_routes_of_their_own(void **state) {
    (void)state;
    for (size_t i = 0; sn_commands_name(i) != NULL; i++) {
        char path[128] = "/api/v1/commands/";
        struct sn_str name = sn_str_from(sn_commands_name(i));
        memcpy(path + strlen(path), name.ptr, name.len);
        const struct sn_api_route *route = sn_api_find_route(sn_str_from(path), SN_HTTP_POST);
        assert_int_equal(route->role, sn_commands_is_change(name) ? SN_API_ADMIN : SN_API_READ);
    }
}

static void nobody_runs_commands_without_sign_in(void **state) {
    for (size_t i = 0; sn_commands_name(i) != NULL; i++) {
        char path[128] = "/api/v1/commands/";
        memcpy(path + strlen(path), sn_commands_name(i), strlen(sn_commands_name(i)));
        assert_ask_fails(*state, "POST", path, "", "{}", 401, "unauthorized", "not signed in");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_commands_the_answer_is_501, set_up, tear_down),
        cmocka_unit_test(commands_that_change_something_have_routes_of_their_own),
        cmocka_unit_test_setup_teardown(nobody_runs_commands_without_sign_in, set_up_accounts,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("command_api", tests, NULL, NULL);
}
