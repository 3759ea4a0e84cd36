/* File names by pattern. */
#include "collect/glob.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/os.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static char dir[64];

static int make_dir(void **state) {
    (void)state;
    static const char *const names[] = {"a.yml", "b.yml", "c.json", ".d.yml", "ab.yml"};
    (void)snprintf(dir, sizeof dir, "%s", "/tmp/sonde-glob-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        FILE *file = fopen(path, "w");
        if (file == NULL || fclose(file) != 0)
            return -1;
    }
    return 0;
}

static int remove_dir(void **state) {
    (void)state;
    return sn_os_remove_tree(dir, NULL) == SN_OK ? 0 : -1;
}

static sn_status add(void *ctx, const char *path, struct sn_err *err) {
    struct sn_buf *buf = ctx;
    sn_buf_printf(buf, "%s%s", buf->len > 0 ? " " : "", path + strlen(dir) + 1);
    return sn_buf_status(buf, err);
}

static void expect(const char *pattern, const char *names) {
    struct sn_buf buf = {.len = 0};
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", dir, pattern);
    assert_int_equal(sn_glob(path, add, &buf, NULL), SN_OK);
    sn_buf_put_byte(&buf, '\0');
    assert_string_equal((const char *)buf.ptr, names);
    sn_buf_release(&buf);
}

static void patterns_name_files_in_order(void **state) {
    (void)state;
    expect("*.yml", "a.yml ab.yml b.yml");
    expect("a.yml", "a.yml");
    expect("?.*", "a.yml b.yml c.json");
    expect("[ac].*", "a.yml c.json");
    expect(".*.yml", ".d.yml");
    expect("none.yml", "");
    expect("none/*.yml", "");
    expect("*.txt", "");
}

static sn_status refuse(void *ctx, const char *path, struct sn_err *err) {
    int *count = ctx;
    (*count)++;
    return sn_err_set(err, SN_ERR_INVALID, "%s", path);
}

static void the_first_failure_ends_it(void **state) {
    (void)state;
    int count = 0;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/*", dir);
    assert_int_equal(sn_glob(path, refuse, &count, NULL), SN_ERR_INVALID);
    assert_int_equal(count, 1);
}

static void any_call_may_fail(void **state) {
    (void)state;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/*.yml", dir);
    for (uint64_t n = 1;; n++) {
        struct sn_buf buf = {.len = 0};
        sn_mem_fail_nth(n);
        sn_status status = sn_glob(path, add, &buf, NULL);
        bool has_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        sn_buf_release(&buf);
        assert_int_equal(status, has_fired ? SN_ERR_NO_MEMORY : SN_OK);
        if (!has_fired)
            break;
    }
    sn_fault_arm(SN_FAULT_DIR, 1, 1, EIO);
    assert_int_equal(sn_glob(path, add, NULL, NULL), SN_ERR_IO);
    sn_fault_disarm_all();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_name_files_in_order),
        cmocka_unit_test(the_first_failure_ends_it),
        cmocka_unit_test(any_call_may_fail),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
