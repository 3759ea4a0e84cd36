/* Tests of reading the arguments of commands: strict, and helpful about mistakes. */
#include "client/command_args_priv.h"

#include "client_support.h"

static const struct sn_args_rule rule = {"test_command",
                                         SN_ARG_BIT(SN_ARG_SERVICE) | SN_ARG_BIT(SN_ARG_LIMIT) |
                                             SN_ARG_BIT(SN_ARG_MIN_HIT_RATE),
                                         SN_ARG_BIT(SN_ARG_SERVICE)};

static sn_status read_args(const char *json, struct sn_args *args, struct sn_err *err) {
    struct sn_arena arena;
    sn_arena_init(&arena, 1 << 16);
    *err = (struct sn_err){SN_OK, ""};
    sn_status status = sn_args_read(sn_str_from(json), &rule, &arena, args, err);
    sn_arena_release(&arena);
    return status;
}

static void arguments_arrive(void **state) {
    (void)state;
    struct sn_args args;
    struct sn_err err;
    const char *json = " {\"limit\": 7, \"service\": \"x\", \"min_hit_rate\": 0.5} ";
    assert_int_equal(read_args(json, &args, &err), SN_OK);
    assert_true(sn_args_has(&args, SN_ARG_LIMIT) && !sn_args_has(&args, SN_ARG_CACHE));
    assert_int_equal(args.integers[SN_ARG_LIMIT], 7);
    assert_true(args.numbers[SN_ARG_MIN_HIT_RATE] == 0.5);
    assert_true(sn_str_equal(args.texts[SN_ARG_SERVICE], SN_STR("x")));
}

static void mistakes_are_named(void **state) {
    (void)state;
    static const struct {
        const char *json;
        const char *part; /* of the sentence */
    } cases[] = {
        {"", "needs the argument \"service\""},
        {"{}", "needs the argument \"service\""},
        {"{\"servise\":\"x\"}", "did you mean \"service\"?"},
        {"{\"cache\":\"x\"}", "has no argument \"cache\""},
        {"{\"service\":1}", ""},
        {"{\"service\":\"x\",\"service\":\"y\"}", ""},
        {"{\"service\":\"x\",\"limit\":-1}", ""},
        {"{\"service\":\"x\",\"limit\":\"1\"}", ""},
        {"[]", ""},
        {"{\"service\":\"x\"} x", ""},
        {"{\"service\":\"x\"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_args args;
        struct sn_err err;
        assert_int_not_equal(read_args(cases[i].json, &args, &err), SN_OK);
        if (err.text[0] == '\0' || strstr(err.text, cases[i].part) == NULL)
            fail_msg("%s: %s", cases[i].json, err.text);
    }
}

static void the_closest_name_is_meant(void **state) {
    (void)state;
    const char *names[] = {"alpha", NULL, "beta"};
    assert_string_equal(sn_closest_name(SN_STR("alhpa"), names, 3), "alpha");
    assert_string_equal(sn_closest_name(SN_STR("bet"), names, 3), "beta");
    assert_null(sn_closest_name(SN_STR("something else"), names, 3));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_arrive),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(the_closest_name_is_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
