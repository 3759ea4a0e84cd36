/*
 * What the tests of libsonde share: registries, pages as text, one line of a page.
 */
#ifndef SN_TESTS_CLIENT_SUPPORT_H
#define SN_TESTS_CLIENT_SUPPORT_H

#include "base/mem.h"
#include "sonde/sonde.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A registry with default options that nobody else uses. */
sonde_registry *new_registry(void);

/* The page of a registry; release with sonde_free. */
char *page_of(sonde_registry *registry);

/* Whether the page has exactly this line. */
bool has_line(sonde_registry *registry, const char *line);

/* The value of the first sample whose line starts with `series` and a blank; NaN: no such line. */
double value_of(const char *page, const char *series);

/* Run a function in a thread of its own and wait for it. */
void in_thread(void *(*run)(void *ctx), void *ctx);

/* End a child of fork without the sanitizers' farewell, which counts its parent's threads as lost. */
_Noreturn void leave_child(int code);

/* Give the calling thread its slab, so that later counts of blocks do not include it. */
void warm_up(void);

#endif
