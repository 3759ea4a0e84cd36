/* Trees of expressions as JSON, in the words of Prometheus. */
#include "api/prom_priv.h"

#include "prom_support.h"

#include <stdio.h>

static struct test_server *server;

static int set_up(void **state) {
    (void)state;
    server = prom_server_start(NULL);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    prom_server_stop(server);
    return 0;
}

/* What every selector without offset and @ says about them. */
#define NO_SHIFT "\"offset\":0,\"timestamp\":null,\"startOrEnd\":null"
#define NAMED(name)                                                                                \
    "\"name\":\"" name "\",\"matchers\":[{\"name\":\"__name__\",\"type\":\"=\",\"value\":\"" name  \
    "\"}],"
#define VECTOR(name) "{\"type\":\"vectorSelector\"," NAMED(name) NO_SHIFT "}"

static void assert_tree(const char *query, const char *tree) {
    char form[512];
    (void)snprintf(form, sizeof form, "query=%s", query);
    assert_form_data(server, "/api/v1/parse_query", form, tree);
}

static void literals_and_parentheses(void **state) {
    (void)state;
    assert_tree("1.5", "{\"type\":\"numberLiteral\",\"val\":\"1.5\"}");
    assert_tree("'a'", "{\"type\":\"stringLiteral\",\"val\":\"a\"}");
    assert_tree("-(Inf)", "{\"type\":\"unaryExpr\",\"op\":\"-\",\"expr\":{\"type\":\"parenExpr\","
                          "\"expr\":{\"type\":\"numberLiteral\",\"val\":\"+Inf\"}}}");
}

static void selectors_with_matchers_and_shifts(void **state) {
    (void)state;
    assert_tree("a", VECTOR("a"));
    assert_tree("{x!=\"1\",y=~\"2\",z!~\"3\"} offset 1m @ 5",
                "{\"type\":\"vectorSelector\",\"name\":\"\",\"matchers\":["
                "{\"name\":\"x\",\"type\":\"!=\",\"value\":\"1\"},"
                "{\"name\":\"y\",\"type\":\"=~\",\"value\":\"2\"},"
                "{\"name\":\"z\",\"type\":\"!~\",\"value\":\"3\"}],"
                "\"offset\":60000,\"timestamp\":5000,\"startOrEnd\":null}");
    assert_tree("a[5m] @ start()",
                "{\"type\":\"matrixSelector\",\"range\":300000," NAMED(
                    "a") "\"offset\":0,\"timestamp\":null,\"startOrEnd\":\"start\"}");
    assert_tree("a[5m:1m] @ end()",
                "{\"type\":\"subquery\",\"expr\":" VECTOR(
                    "a") ",\"range\":300000,\"step\":60000,\"offset\":0,\"timestamp\":null,"
                         "\"startOrEnd\":\"end\"}");
}

static void aggregations_and_calls(void **state) {
    (void)state;
    assert_tree("sum(a)", "{\"type\":\"aggregation\",\"op\":\"sum\",\"expr\":" VECTOR(
                              "a") ",\"param\":null,\"grouping\":[],\"without\":false}");
    assert_tree("topk without(x,y)(3,a)",
                "{\"type\":\"aggregation\",\"op\":\"topk\",\"expr\":" VECTOR(
                    "a") ",\"param\":{\"type\":\"numberLiteral\",\"val\":\"3\"},\"grouping\":"
                         "[\"x\",\"y\"],\"without\":true}");
    assert_tree("round(a)", "{\"type\":\"call\",\"func\":{\"name\":\"round\",\"argTypes\":["
                            "\"vector\",\"scalar\"],\"variadic\":1,\"returnType\":\"vector\"},"
                            "\"args\":[" VECTOR("a") "]}");
}

static void binary_operators_with_matching(void **state) {
    (void)state;
    assert_tree("a > bool 1",
                "{\"type\":\"binaryExpr\",\"op\":\">\",\"bool\":true,\"lhs\":" VECTOR(
                    "a") ",\"rhs\":{\"type\":\"numberLiteral\",\"val\":\"1\"},\"matching\":null}");
    assert_tree("a / on(x) group_left(y) b",
                "{\"type\":\"binaryExpr\",\"op\":\"/\",\"bool\":false,\"lhs\":" VECTOR(
                    "a") ",\"rhs\":" VECTOR("b") ",\"matching\":{\"card\":\"many-to-one\","
                                                 "\"include\":[\"y\"],\"labels\":[\"x\"],"
                                                 "\"on\":true}}");
    assert_tree("a or b", "{\"type\":\"binaryExpr\",\"op\":\"or\",\"bool\":false,\"lhs\":" VECTOR(
                              "a") ",\"rhs\":" VECTOR("b") ",\"matching\":{\"card\":"
                                                           "\"many-to-many\",\"include\":[],"
                                                           "\"labels\":[],\"on\":false}}");
}

static void mistakes_are_400(void **state) {
    (void)state;
    assert_bad(server, "/api/v1/parse_query", "invalid parameter \\\"query\\\"");
    assert_bad(server, "/api/v1/parse_query?query=sum(", "parse error");
}

static void trees_too_high_for_json_are_refused(void **state) {
    (void)state;
    struct reply reply;
    char form[] =
        "query=1..........................................................................."
        "...............................................................................";
    for (char *at = form; *at != '\0'; at++)
        if (*at == '.')
            *at = (at - form) % 2 ? '/' : '1';
    ask(server, "POST", "/api/v1/parse_query", FORM, form, &reply);
    assert_error(&reply, 422, "limit", "deep");
    reply_release(&reply);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(literals_and_parentheses), TEST(selectors_with_matchers_and_shifts),
        TEST(aggregations_and_calls),   TEST(binary_operators_with_matching),
        TEST(mistakes_are_400),         TEST(trees_too_high_for_json_are_refused),
    };
    return cmocka_run_group_tests_name("prom_ast", tests, NULL, NULL);
}
