/*
 * What several tests of base need: watching a process die, a temporary directory, and whether
 * faults are compiled in.
 */
#ifndef SN_TESTS_BASE_SUPPORT_H
#define SN_TESTS_BASE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef SN_FAULTS
#define HAS_FAULTS true
#else
#define HAS_FAULTS false
#endif

/* Run `function` in a child process; true when it aborted and its stderr contained `words`. */
bool dies_saying(void (*function)(void), const char *words);

/* A new empty directory under $TMPDIR or /tmp, for free() after remove_temp_dir. */
char *make_temp_dir(void);

/* `dir` + "/" + `name`, in one of a few static buffers that are reused in turn. */
const char *path_in(const char *dir, const char *name);

/* Remove the directory with all that is in it, and free its name. */
void remove_temp_dir(char *dir);

#endif
