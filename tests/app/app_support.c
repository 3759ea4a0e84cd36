/* Helpers of the tests of app; see app_support.h. One thread. */
#include "app_support.h"

#include "base/os.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

char *make_temp_dir(void) {
    const char *parent = getenv("TMPDIR");
    char *dir = NULL;
    assert_true(asprintf(&dir, "%s/sonde_app_XXXXXX", parent ? parent : "/tmp") > 0);
    assert_non_null(mkdtemp(dir));
    return dir;
}

void remove_temp_dir(char *dir) {
    struct sn_err err = {.status = SN_OK};
    sn_fault_disarm_all();
    if (sn_os_remove_tree(dir, &err) != SN_OK)
        fail_msg("%s", err.text);
    free(dir);
}

char *make_file(const char *dir, const char *name, const char *text) {
    char *path = NULL;
    assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
    int fd = sn_os_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(sn_os_write_all(fd, text, strlen(text)), 0);
    assert_int_equal(sn_os_close(fd), 0);
    return path;
}

void capture_begin(struct capture *capture, int fd) {
    (void)fflush(NULL);
    capture->fd = fd;
    capture->saved_fd = dup(fd);
    capture->file_fd = memfd_create("capture", 0);
    assert_true(capture->saved_fd >= 0 && capture->file_fd >= 0);
    assert_int_equal(dup2(capture->file_fd, fd), fd);
}

char *capture_end(struct capture *capture) {
    assert_int_equal(dup2(capture->saved_fd, capture->fd), capture->fd);
    (void)close(capture->saved_fd);
    off_t len = lseek(capture->file_fd, 0, SEEK_END);
    assert_true(len >= 0);
    char *text = calloc(1, (size_t)len + 1);
    assert_non_null(text);
    assert_int_equal(pread(capture->file_fd, text, (size_t)len, 0), len);
    (void)close(capture->file_fd);
    return text;
}

void expect_command(int (*command)(int argc, char **argv), int argc, char **argv, int code,
                    const char *words) {
    struct capture out, err;
    capture_begin(&out, 1);
    capture_begin(&err, 2);
    int got = command(argc, argv);
    char *err_text = capture_end(&err), *out_text = capture_end(&out);
    if (got != code || (!strstr(err_text, words) && !strstr(out_text, words)))
        fail_msg("%d %s%s", got, out_text, err_text);
    free(err_text);
    free(out_text);
}
