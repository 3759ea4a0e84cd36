/* Receiving datagrams over UDP and unix sockets. */
#include "net/datagrams.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/os.h"
#include "net/address.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 30000 };

struct scene {
    char directory[64];
    char path[96];
};

static int set_up(void **state) {
    struct scene *scene = calloc(1, sizeof *scene);
    if (scene == NULL) {
        return -1;
    }
    (void)snprintf(scene->directory, sizeof scene->directory, "/tmp/sonde_datagrams_XXXXXX");
    if (mkdtemp(scene->directory) == NULL) {
        return -1;
    }
    (void)snprintf(scene->path, sizeof scene->path, "%s/socket", scene->directory);
    *state = scene;
    return 0;
}

static int tear_down(void **state) {
    struct scene *scene = *state;
    sn_fault_disarm_all();
    sn_status status = sn_os_remove_tree(scene->directory, NULL);
    free(scene);
    return status == SN_OK ? 0 : -1;
}

static struct sn_datagrams *open_both(const struct scene *scene, int receive_bytes) {
    const struct sn_datagrams_options options = {.listen = SN_STR("127.0.0.1:0"),
                                                 .socket_path = scene->path,
                                                 .receive_bytes = receive_bytes};
    struct sn_datagrams *datagrams = NULL;
    struct sn_err err = {.status = SN_OK};
    if (sn_datagrams_open(&options, &datagrams, &err) != SN_OK) {
        fail_msg("%s", err.text);
    }
    return datagrams;
}

static void send_udp(const struct sn_datagrams *datagrams, const char *bytes, size_t len) {
    struct sn_address address;
    assert_int_equal(sn_address_parse(sn_str_from(sn_datagrams_address(datagrams)), &address, NULL),
                     SN_OK);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &address.socket.any, sn_address_socket_len(&address)), 0);
    assert_int_equal(send(fd, bytes, len, 0), len);
    (void)close(fd);
}

static void send_unix(const struct scene *scene, const char *text) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", scene->path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
    (void)close(fd);
}

static void take(void *ctx, struct sn_str datagram) {
    struct sn_buf *text = ctx;
    sn_buf_put_str(text, datagram);
    sn_buf_put_byte(text, ';');
}

static void assert_received(struct sn_datagrams *datagrams, size_t count, const char *expected) {
    struct sn_buf text;
    sn_buf_init(&text, 0);
    for (size_t got = 0; got < count;) {
        size_t more = sn_datagrams_receive(datagrams, PATIENCE_MS, take, &text);
        assert_true(more > 0);
        got += more;
    }
    assert_true(sn_str_equal(sn_buf_str(&text), sn_str_from(expected)));
    sn_buf_release(&text);
}

static void both_kinds_of_sockets_receive(void **state) {
    struct scene *scene = *state;
    struct sn_datagrams *datagrams = open_both(scene, 0);
    send_udp(datagrams, "one", 3);
    assert_received(datagrams, 1, "one;");
    send_unix(scene, "two");
    assert_received(datagrams, 1, "two;");
    send_udp(datagrams, "", 0);
    assert_received(datagrams, 1, ";");
    assert_int_equal(sn_datagrams_receive(datagrams, 0, take, NULL), 0);
    assert_null(sn_datagrams_close(datagrams));
    assert_int_equal(access(scene->path, F_OK), -1);
}

static void a_long_queue_comes_in_portions_and_in_order(void **state) {
    struct scene *scene = *state;
    struct sn_datagrams *datagrams = open_both(scene, 4 << 20);
    struct sn_buf expected, text;
    sn_buf_init(&expected, 0);
    sn_buf_init(&text, 0);
    for (int i = 0; i < 100; i++) {
        char line[16];
        int len = snprintf(line, sizeof line, "%d", i);
        send_udp(datagrams, line, (size_t)len);
        sn_buf_printf(&expected, "%d;", i);
    }
    for (size_t got = 0; got < 100;) {
        got += sn_datagrams_receive(datagrams, PATIENCE_MS, take, &text);
    }
    assert_true(sn_str_equal(sn_buf_str(&text), sn_buf_str(&expected)));
    sn_buf_release(&expected);
    sn_buf_release(&text);
    (void)sn_datagrams_close(datagrams);
}

static void a_wake_ends_the_waiting(void **state) {
    struct sn_datagrams *datagrams = open_both(*state, 0);
    sn_datagrams_wake(datagrams);
    sn_datagrams_wake(datagrams);
    assert_int_equal(sn_datagrams_receive(datagrams, PATIENCE_MS, take, NULL), 0);
    assert_int_equal(sn_datagrams_receive(datagrams, 1, take, NULL), 0); /* it rings once */
    (void)sn_datagrams_close(datagrams);
}

static void what_the_kernel_drops_is_counted(void **state) {
    struct sn_datagrams *datagrams = open_both(*state, 4096);
    struct sn_datagrams_stats stats;
    static char large[30000];
    struct sn_buf text;
    sn_buf_init(&text, 0);
    for (int i = 0; i < 200; i++) {
        send_udp(datagrams, large, 1000);
    }
    while (sn_datagrams_receive(datagrams, 0, take, &text) > 0) {
    }
    sn_datagrams_stats(datagrams, &stats);
    assert_true(stats.dropped_count > 0);
    assert_int_equal(stats.received_count + stats.dropped_count, 200);
    assert_int_equal(stats.too_long_count, 0);
    sn_buf_release(&text);
    (void)sn_datagrams_close(datagrams);
}

static void a_socket_that_is_left_over_is_replaced_and_a_used_one_is_not(void **state) {
    struct scene *scene = *state;
    struct sn_err err = {.status = SN_OK};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct sn_datagrams_options options = {.socket_path = scene->path};
    struct sn_datagrams *first = NULL, *second = NULL;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", scene->path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    (void)close(fd);
    assert_int_equal(sn_datagrams_open(&options, &first, &err), SN_OK);
    assert_string_equal(sn_datagrams_address(first), "");
    assert_int_equal(sn_datagrams_open(&options, &second, &err), SN_ERR_EXISTS);
    assert_non_null(strstr(err.text, scene->path));
    (void)sn_datagrams_close(first);
    fd = open(scene->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    (void)close(fd);
    assert_int_equal(sn_datagrams_open(&options, &second, &err), SN_ERR_EXISTS); /* a file */
}

static void bad_options_are_told(void **state) {
    (void)state;
    char path[200];
    struct sn_err err = {.status = SN_OK};
    struct sn_datagrams *datagrams = NULL;
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    struct sn_datagrams_options options = {.socket_path = path};
    assert_int_equal(sn_datagrams_open(&options, &datagrams, &err), SN_ERR_INVALID);
    options = (struct sn_datagrams_options){.listen = SN_STR("nowhere")};
    assert_int_equal(sn_datagrams_open(&options, &datagrams, &err), SN_ERR_INVALID);
}

static void every_failing_call_leaves_nothing_behind(void **state) {
    struct scene *scene = *state;
    const struct sn_datagrams_options options = {.listen = SN_STR("127.0.0.1:0"),
                                                 .socket_path = scene->path};
    int64_t blocks = sn_mem_block_count();
    bool has_failed = true;
    for (uint64_t n = 1; has_failed; n++) {
        struct sn_datagrams *datagrams = NULL;
        sn_fault_arm(SN_FAULT_ANY, n, 1, EIO);
        sn_status status = sn_datagrams_open(&options, &datagrams, NULL);
        has_failed = sn_fault_fired_count() > 0;
        sn_fault_disarm_all();
        assert_true(status == SN_OK || has_failed);
        (void)sn_datagrams_close(datagrams);
        assert_int_equal(sn_mem_block_count(), blocks);
        (void)unlink(scene->path);
    }
    has_failed = true;
    for (uint64_t n = 1; has_failed; n++) {
        struct sn_datagrams *datagrams = NULL;
        sn_mem_fail_nth(n);
        sn_status status = sn_datagrams_open(&options, &datagrams, NULL);
        has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        (void)sn_datagrams_close(datagrams);
        assert_int_equal(sn_mem_block_count(), blocks);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(both_kinds_of_sockets_receive),
        TEST(a_long_queue_comes_in_portions_and_in_order),
        TEST(a_wake_ends_the_waiting),
        TEST(what_the_kernel_drops_is_counted),
        TEST(a_socket_that_is_left_over_is_replaced_and_a_used_one_is_not),
        TEST(bad_options_are_told),
        TEST(every_failing_call_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("datagrams", tests, NULL, NULL);
}
