/* Exit codes and how errors look. */
#include "app/command.h"

#include "app_support.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void every_status_has_its_exit_code(void **state) {
    (void)state;
    static const struct {
        sn_status status;
        int code;
    } cases[] = {
        {SN_OK, 0},
        {SN_ERR_NO_MEMORY, 1},
        {SN_ERR_LIMIT, 1},
        {SN_ERR_INVALID, 6},
        {SN_ERR_NOT_FOUND, 5},
        {SN_ERR_EXISTS, 1},
        {SN_ERR_IO, 1},
        {SN_ERR_NO_SPACE, 1},
        {SN_ERR_CORRUPT, 6},
        {SN_ERR_UNSUPPORTED, 6},
        {SN_ERR_BUSY, 1},
        {SN_ERR_TIMEOUT, 1},
        {SN_ERR_CLOSED, 1},
        {SN_ERR_DENIED, 4},
        {SN_ERR_INTERNAL, 70},
        {(sn_status)-99, 70},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(sn_exit_of(cases[i].status), cases[i].code);
}

static void scripts_rely_on_the_numbers(void **state) {
    (void)state;
    assert_int_equal(SN_EXIT_USAGE, 2);
    assert_int_equal(SN_EXIT_UNREACHABLE, 3);
    assert_int_equal(SN_EXIT_INTERRUPTED, 130);
}

static char *complain(const char *sentence, const char *hint) {
    struct capture capture;
    capture_begin(&capture, 2);
    sn_command_complain("serve", sentence, hint);
    return capture_end(&capture);
}

static void a_complaint_is_a_sentence_and_perhaps_a_hint(void **state) {
    (void)state;
    char *text = complain("it is late", NULL);
    assert_string_equal(text, "sonde: serve: it is late\n");
    free(text);
    text = complain("it is late", "go home");
    assert_string_equal(text, "sonde: serve: it is late\n  go home\n");
    free(text);
}

static void long_text_is_printed_whole(void **state) {
    (void)state;
    static char word[100001];
    struct capture capture;
    memset(word, 'x', sizeof word - 1);
    capture_begin(&capture, 1);
    sn_command_print("%s|%d\n", word, 7);
    sn_command_print("%s", "");
    char *text = capture_end(&capture);
    assert_int_equal(strlen(text), sizeof word - 1 + 3);
    assert_string_equal(text + sizeof word - 1, "|7\n");
    free(text);
}

static void without_memory_nothing_is_printed_and_nothing_breaks(void **state) {
    (void)state;
#ifdef SN_FAULTS
    struct capture capture;
    capture_begin(&capture, 1);
    sn_mem_fail_nth(1);
    sn_command_print("%d\n", 7);
    sn_mem_fail_nth(0);
    char *text = capture_end(&capture);
    assert_string_equal(text, "");
    free(text);
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_exit_code),
        cmocka_unit_test(scripts_rely_on_the_numbers),
        cmocka_unit_test(a_complaint_is_a_sentence_and_perhaps_a_hint),
        cmocka_unit_test(long_text_is_printed_whole),
        cmocka_unit_test(without_memory_nothing_is_printed_and_nothing_breaks),
    };
    return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
