/* What the tests of libsonde share. */
#include "client_support.h"

#include "codec/number.h"

#include <math.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

sonde_registry *new_registry(void) {
    sonde_registry *registry = sonde_registry_new(NULL, NULL);
    assert_non_null(registry);
    return registry;
}

char *page_of(sonde_registry *registry) {
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(sonde_registry_write_text(registry, SONDE_FORMAT_TEXT, &text, &len), SONDE_OK);
    assert_int_equal(strlen(text), len);
    return text;
}

bool has_line(sonde_registry *registry, const char *line) {
    char *page = page_of(registry);
    size_t len = strlen(line);
    bool found = false;
    for (const char *at = page; *at != '\0' && !found;) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        found = (size_t)(end - at) == len && memcmp(at, line, len) == 0;
        at = end + 1;
    }
    sonde_free(page);
    return found;
}

double value_of(const char *page, const char *series) {
    size_t len = strlen(series);
    for (const char *at = page; *at != '\0'; at = strchr(at, '\n') + 1) {
        if (strncmp(at, series, len) == 0 && at[len] == ' ') {
            double value = 0;
            const char *text = at + len + 1;
            size_t text_len = (size_t)(strchr(text, '\n') - text);
            assert_int_equal(sn_double_parse(sn_str_make(text, text_len), &value), SN_OK);
            return value;
        }
    }
    return (double)NAN;
}

void in_thread(void *(*run)(void *ctx), void *ctx) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, ctx), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

_Noreturn void leave_child(int code) {
    syscall(SYS_exit_group, code);
    _exit(code);
}

void warm_up(void) {
    sonde_registry *registry = new_registry();
    sonde_counter_inc(sonde_counter_new(registry, &(sonde_metric){.name = "warm_total"}, NULL));
    (void)sonde_registry_free(registry);
}
