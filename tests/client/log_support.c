/*
 * See log_support.h.
 */
#include "log_support.h"

#include "base/os.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int log_setup(void **state) {
    static struct log_fixture fixture;
    const char *top = getenv("TMPDIR");
    fixture = (struct log_fixture){.log = NULL};
    (void)snprintf(fixture.dir, sizeof fixture.dir, "%.40s/sonde-log-XXXXXX",
                   top != NULL && strlen(top) <= 40 ? top : "/tmp");
    sn_fake_clock_init(&fixture.clock, 0, LOG_TIME_MS);
    *state = &fixture;
    return mkdtemp(fixture.dir) == NULL;
}

int log_teardown(void **state) {
    struct log_fixture *f = *state;
    sn_fault_disarm_all();
    f->log = sonde_log_free(f->log);
    sn_buf_release(&f->lines);
    return sn_os_remove_tree(f->dir, NULL) != SN_OK;
}

static int collect(void *ctx, const sonde_log_entry *entry) {
    struct log_fixture *f = ctx;
    if (f->refuse != 0)
        return f->refuse;
    sn_buf_put(&f->lines, entry->text, entry->len);
    f->line_count++;
    return 0;
}

sonde_log_sink log_callback_sink(struct log_fixture *f, sonde_log_format format) {
    return (
        sonde_log_sink){.type = SONDE_SINK_CALLBACK, .format = format, .write = collect, .ctx = f};
}

void log_open_options(struct log_fixture *f, const sonde_log_options *options) {
    sonde_error error;
    f->log = sn_log_system_open(options, &f->clock.clock, false, &error);
    if (f->log == NULL)
        fail_msg("%s", error.text);
}

void log_open_sink(struct log_fixture *f, const sonde_log_sink *sink) {
    log_open_options(f, &(sonde_log_options){.name = "shop",
                                             .level = SONDE_LEVEL_DEBUG,
                                             .sinks = sink,
                                             .sink_count = 1,
                                             .ring_bytes = 65536,
                                             .thread_max = 4});
}

void log_open_callback(struct log_fixture *f, sonde_log_format format) {
    const sonde_log_sink sink = log_callback_sink(f, format);
    log_open_sink(f, &sink);
}

const char *log_lines(struct log_fixture *f) {
    static char text[1 << 20];
    assert_true(sonde_log_flush(f->log, 1000));
    assert_true(f->lines.len < sizeof text);
    if (f->lines.len > 0)
        memcpy(text, f->lines.ptr, f->lines.len);
    text[f->lines.len] = '\0';
    sn_buf_reset(&f->lines);
    return text;
}

const char *log_path(const struct log_fixture *f, const char *name) {
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s/%s", f->dir, name);
    return path;
}

const char *log_file_text(struct log_fixture *f, const char *name) {
    static char text[1 << 20];
    struct sn_buf buf;
    sn_buf_init(&buf, sizeof text - 1);
    text[0] = '\0';
    if (sn_os_read_file(log_path(f, name), &buf, NULL) == SN_OK && buf.len > 0) {
        memcpy(text, buf.ptr, buf.len);
        text[buf.len] = '\0';
    }
    sn_buf_release(&buf);
    return text;
}

size_t log_count_char(const char *text, char c) {
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == c;
    return count;
}

int log_bind_socket(const struct log_fixture *f, const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", f->dir, name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

const char *log_receive(int fd, size_t *ret_len) {
    static char text[1 << 18];
    ssize_t len = recv(fd, text, sizeof text - 1, 0);
    *ret_len = len > 0 ? (size_t)len : 0;
    text[*ret_len] = '\0';
    return text;
}
