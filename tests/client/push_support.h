/*
 * What the tests of push clients share: a server on 127.0.0.1 that does what a script says, one
 * action per request, and afterwards answers well.
 */
#ifndef SN_TESTS_CLIENT_PUSH_SUPPORT_H
#define SN_TESTS_CLIENT_PUSH_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/push_priv.h"

#include <pthread.h>

enum push_action {
    PUSH_OK,            /* 200 with all accepted; the only one that stores the body */
    PUSH_OK_SLOWLY,     /* as above, byte by byte */
    PUSH_OK_LENGTHLESS, /* as above, and the end of the connection ends the answer */
    PUSH_OK_THEN_CLOSE, /* as above, and closes without a word */
    PUSH_ONE_LESS,      /* 200, one of them not accepted */
    PUSH_204,
    PUSH_400,
    PUSH_408,
    PUSH_413_EARLY, /* answers and closes after the head */
    PUSH_429,       /* Retry-After: 7 */
    PUSH_302,
    PUSH_503,
    PUSH_CLOSE,     /* no answer */
    PUSH_TRUNCATED, /* half an answer */
    PUSH_GARBAGE,
    PUSH_HANG, /* until the client goes */
    PUSH_ENDLESS_HEAD,
};

struct push_server {
    char url[64];
    int listen_fd;
    int port;
    pthread_t thread;
    _Atomic int connection;
    _Atomic bool is_stopping;
    const enum push_action *script; /* [script_len], borrowed */
    _Atomic size_t script_len;
    _Atomic size_t request_count;
    _Atomic size_t connection_count;
    char head[8192];      /* of the last request */
    char stored[1 << 20]; /* bodies one after the other, NUL-terminated */
    size_t stored_len;
};

/* The bodies are to be looked at while no request is on its way. */
struct push_server *push_server_start(const enum push_action *script, size_t script_len);
/* The same port once more, after push_server_stop; keeps what is stored. */
void push_server_restart(struct push_server *server);
void push_server_stop(struct push_server *server);
void push_server_free(struct push_server *server);

size_t push_count_lines(const char *text);

#endif
