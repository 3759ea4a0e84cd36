/*
 * See push_support.h. Plain system calls: faults are armed for the client only.
 */
#include "push_support.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void send_text(int fd, const char *text, size_t len, bool is_slow) {
    while (len > 0) {
        ssize_t sent = send(fd, text, is_slow ? 1 : len, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        text += sent;
        len -= (size_t)sent;
    }
}

static void wait_for_end(int fd) {
    char byte;
    while (recv(fd, &byte, 1, 0) > 0) {
    }
}

size_t push_count_lines(const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static void store(struct push_server *server, const char *body) {
    size_t len = strlen(body);
    assert_true(server->stored_len + len < sizeof server->stored);
    memcpy(server->stored + server->stored_len, body, len + 1);
    server->stored_len += len;
}

static void answer_ok(int fd, const char *body, size_t less, enum push_action action) {
    char text[512], json[256];
    int len = snprintf(json, sizeof json, "{\"status\":\"success\",\"data\":{\"accepted\":%zu}}",
                       push_count_lines(body) - less);
    if (action == PUSH_OK_LENGTHLESS)
        len = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n\r\n%s", json);
    else
        len = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len,
                       json);
    send_text(fd, text, (size_t)len, action == PUSH_OK_SLOWLY);
}

/* False: the connection ends. */
static bool act(struct push_server *server, int fd, enum push_action action, const char *body) {
    static const char *const texts[] = {
        [PUSH_204] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        [PUSH_400] = "HTTP/1.1 400 Bad\r\nContent-Length: 3\r\n\r\nbad",
        [PUSH_408] = "HTTP/1.1 408 Slow\r\nContent-Length: 0\r\n\r\n",
        [PUSH_413_EARLY] = "HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n",
        [PUSH_429] = "HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
        [PUSH_302] = "HTTP/1.1 302 There\r\nContent-Length: 0\r\n\r\n",
        [PUSH_503] = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
        [PUSH_TRUNCATED] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
        [PUSH_GARBAGE] = "\x01\x02 nothing like http\n\n",
        [PUSH_ENDLESS_HEAD] = NULL,
    };
    switch (action) {
    case PUSH_OK:
    case PUSH_OK_SLOWLY:
    case PUSH_OK_LENGTHLESS:
    case PUSH_OK_THEN_CLOSE:
        store(server, body);
        answer_ok(fd, body, 0, action);
        return action == PUSH_OK || action == PUSH_OK_SLOWLY;
    case PUSH_ONE_LESS:
        answer_ok(fd, body, 1, action);
        return true;
    case PUSH_HANG:
        wait_for_end(fd);
        return false;
    case PUSH_CLOSE:
        return false;
    case PUSH_ENDLESS_HEAD:
        send_text(fd, "HTTP/1.1 200 OK\r\n", 17, false);
        for (int i = 0; i < 2000; i++)
            send_text(fd, "header: value\r\n", 15, false);
        return false;
    case PUSH_204:
    case PUSH_400:
    case PUSH_408:
    case PUSH_413_EARLY:
    case PUSH_429:
    case PUSH_302:
    case PUSH_503:
    case PUSH_TRUNCATED:
    case PUSH_GARBAGE:
        send_text(fd, texts[action], strlen(texts[action]), false);
        return action != PUSH_TRUNCATED && action != PUSH_GARBAGE;
    }
    return false;
}

static size_t read_head(struct push_server *server, int fd) {
    size_t len = 0;
    while (len < sizeof server->head - 1) {
        if (recv(fd, server->head + len, 1, 0) <= 0)
            return 0;
        server->head[++len] = '\0';
        if (len >= 4 && memcmp(server->head + len - 4, "\r\n\r\n", 4) == 0)
            return len;
    }
    return 0;
}

static char *read_body(struct push_server *server, int fd) {
    const char *at = strstr(server->head, "Content-Length: ");
    size_t len = at != NULL ? strtoul(at + 16, NULL, 10) : 0, got = 0;
    char *body = malloc(len + 1);
    while (got < len) {
        ssize_t more = recv(fd, body + got, len - got, 0);
        if (more <= 0)
            break;
        got += (size_t)more;
    }
    body[got] = '\0';
    if (got == len)
        return body;
    free(body);
    return NULL;
}

static bool serve_one(struct push_server *server, int fd) {
    if (read_head(server, fd) == 0)
        return false;
    size_t number = atomic_load(&server->request_count);
    enum push_action action =
        number < atomic_load(&server->script_len) ? server->script[number] : PUSH_OK;
    if (action == PUSH_413_EARLY) {
        atomic_fetch_add(&server->request_count, 1);
        return act(server, fd, action, "") && false;
    }
    char *body = read_body(server, fd);
    if (body == NULL)
        return false;
    atomic_fetch_add(&server->request_count, 1);
    bool goes_on = act(server, fd, action, body);
    free(body);
    return goes_on;
}

static void *run(void *ctx) {
    struct push_server *server = ctx;
    while (!atomic_load(&server->is_stopping)) {
        int fd = accept(server->listen_fd, NULL, NULL);
        if (fd < 0)
            continue;
        atomic_fetch_add(&server->connection_count, 1);
        atomic_store(&server->connection, fd);
        while (!atomic_load(&server->is_stopping) && serve_one(server, fd)) {
        }
        atomic_store(&server->connection, -1);
        close(fd);
    }
    return NULL;
}

void push_server_restart(struct push_server *server) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)},
                                  .sin_port = htons((uint16_t)server->port)};
    socklen_t len = sizeof address;
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listen_fd >= 0);
    (void)setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    assert_int_equal(bind(server->listen_fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listen_fd, 8), 0);
    assert_int_equal(getsockname(server->listen_fd, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
    (void)snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d", server->port);
    atomic_store(&server->is_stopping, false);
    atomic_store(&server->connection, -1);
    assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
}

struct push_server *push_server_start(const enum push_action *script, size_t script_len) {
    struct push_server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    server->script = script;
    atomic_store(&server->script_len, script_len);
    push_server_restart(server);
    return server;
}

void push_server_stop(struct push_server *server) {
    atomic_store(&server->is_stopping, true);
    (void)shutdown(server->listen_fd, SHUT_RDWR);
    int fd = atomic_load(&server->connection);
    if (fd >= 0)
        (void)shutdown(fd, SHUT_RDWR);
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    close(server->listen_fd);
    server->listen_fd = -1;
}

void push_server_free(struct push_server *server) {
    if (server->listen_fd >= 0)
        push_server_stop(server);
    free(server);
}
