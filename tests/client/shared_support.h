/*
 * What the tests of shared files share: a directory for them, children that are killed.
 */
#ifndef SN_TESTS_CLIENT_SHARED_SUPPORT_H
#define SN_TESTS_CLIENT_SHARED_SUPPORT_H

#include "client_support.h"

#include <sys/types.h>

/* A directory of this test's own, and the file in it that most tests use. */
int make_directory(void **state);
int remove_directory(void **state);
const char *shared_path(void);
const char *path_in_directory(const char *name);

/* A registry that counts into shared_path(). */
sonde_registry *open_shared(void);

/* The same with the smallest file. */
sonde_registry *open_small(void);

/*
 * Run a function in a child until it says that it is done; then kill it with SIGKILL and wait for it.
 * The child keeps everything open.
 */
void killed_child(void (*run)(void *ctx), void *ctx);

/* As killed_child, but returns while the child lives. */
pid_t living_child(void (*run)(void *ctx), void *ctx);
void kill_child(pid_t pid);

/* A sample of the file as another program sees it; NaN: no such line. */
double loaded(const char *series);

#endif
