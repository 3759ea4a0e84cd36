/*
 * What happens when a check fails: a line on stderr and abort, or a count.
 *
 * The message is written with write(2) itself and not through base/os.h: an armed fault must not
 * eat it, and nothing here may allocate, because the heap may be what is broken. Any thread.
 */
#include "base/check.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Atomic uint64_t never_count;
static _Atomic uint64_t sometimes_count;

static void say(const char *what, const char *expression, const char *file, int line) {
    char text[512];
    int len = snprintf(text, sizeof(text), "%s:%d: %s: %s\n", file, line, what, expression);
    if (len < 0)
        return;
    size_t size = (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1;
    ssize_t written = write(STDERR_FILENO, text, size);
    (void)written; /* nobody is left to tell */
}

_Noreturn void sn_check_failed(const char *expression, const char *file, int line) {
    say("check failed, stopping before more is damaged", expression, file, line);
    abort();
}

bool sn_never_happened(const char *expression, const char *file, int line) {
    atomic_fetch_add_explicit(&never_count, 1, memory_order_relaxed);
#ifdef SN_FAULTS
    say("believed impossible, but true", expression, file, line);
    abort();
#else
    (void)expression;
    (void)file;
    (void)line;
    return true;
#endif
}

bool sn_sometimes_happened(const char *file, int line) {
    (void)file; /* kept in the signature for a debugger's breakpoint */
    (void)line;
    atomic_fetch_add_explicit(&sometimes_count, 1, memory_order_relaxed);
    return true;
}

uint64_t sn_never_count(void) {
    return atomic_load_explicit(&never_count, memory_order_relaxed);
}

uint64_t sn_sometimes_count(void) {
    return atomic_load_explicit(&sometimes_count, memory_order_relaxed);
}
