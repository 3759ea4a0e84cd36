/* What the tests of libsonde-http share. */
#include "clienthttp_support.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#define WAIT_MS 20000

int connect_to(unsigned port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

void send_text(int fd, const char *text) {
    size_t len = strlen(text);
    assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
}

char *read_all(int fd, size_t *ret_len) {
    size_t len = 0, cap = 65536;
    char *text = test_malloc(cap);
    for (;;) {
        struct pollfd wait = {fd, POLLIN, 0};
        assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
        if (len + 1 == cap)
            text = test_realloc(text, cap *= 2);
        ssize_t n = recv(fd, text + len, cap - len - 1, 0);
        if (n <= 0) /* a reset is an end as well */
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
    if (ret_len != NULL)
        *ret_len = len;
    assert_int_equal(close(fd), 0);
    return text;
}

char *exchange(unsigned port, const char *request, size_t *ret_len) {
    int fd = connect_to(port);
    send_text(fd, request);
    return read_all(fd, ret_len);
}

char *get(unsigned port, const char *path, const char *headers) {
    char request[1024];
    int len = snprintf(request, sizeof request,
                       "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", path, headers);
    assert_in_range(len, 1, sizeof request - 1);
    return exchange(port, request, NULL);
}

const char *body_of(const char *answer) {
    const char *end = strstr(answer, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

/* Whole numbers only: what these tests count. */
static double number(const char *text) {
    double value = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (*text - '0');
    return value;
}

double value_of(sonde_registry *registry, const char *series) {
    char *page;
    double value = (double)NAN;
    size_t len = strlen(series);
    assert_int_equal(sonde_registry_write_text(registry, SONDE_FORMAT_TEXT, &page, NULL), SONDE_OK);
    for (const char *at = page; *at != '\0'; at = strchr(at, '\n') + 1) {
        if (strncmp(at, series, len) == 0 && at[len] == ' ')
            value = number(at + len + 1);
    }
    sonde_free(page);
    return value;
}

void wait_for(sonde_registry *registry, const char *series, double value) {
    for (int i = 0; value_of(registry, series) != value; i++) {
        if (i == WAIT_MS)
            fail_msg("%s never became what it should", series);
        (void)poll(NULL, 0, 1);
    }
}
