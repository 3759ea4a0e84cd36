/*
 * What the tests of libsonde-http share: a client that sends bytes and reads until the end.
 */
#ifndef SN_TESTS_CLIENTHTTP_SUPPORT_H
#define SN_TESTS_CLIENTHTTP_SUPPORT_H

#include "base/mem.h"
#include "base/os.h"
#include "sonde/sonde.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A connection to this machine's port. */
int connect_to(unsigned port);

/* Send the text on a connection. */
void send_text(int fd, const char *text);

/* What the server sends until it closes the connection; release with test_free. NUL-terminated. */
char *read_all(int fd, size_t *ret_len);

/* One request on a connection of its own; as read_all. The request must close the connection. */
char *exchange(unsigned port, const char *request, size_t *ret_len);

/* GET with "Connection: close" and further header lines, each ended with CRLF. */
char *get(unsigned port, const char *path, const char *headers);

/* Where an answer's body begins. */
const char *body_of(const char *answer);

/* Value of a series of a registry, NaN when there is none. */
double value_of(sonde_registry *registry, const char *series);

/* Wait until a series has a value: the server counts after the client has its answer. */
void wait_for(sonde_registry *registry, const char *series, double value);

#endif
