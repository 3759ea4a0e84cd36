/* What several tests of app need: a directory of their own, what a function writes to a stream, and
 * commands whose end is known. */
#ifndef SN_TESTS_APP_SUPPORT_H
#define SN_TESTS_APP_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A new empty directory under $TMPDIR or /tmp, for remove_temp_dir. */
char *make_temp_dir(void);
/* Remove the directory with all that is in it, and free its name. Disarms faults. */
void remove_temp_dir(char *dir);
/* Make a file in the directory; returns its path, for free(). */
char *make_file(const char *dir, const char *name, const char *text);

/* Catch what is written to a descriptor (1 or 2) until capture_end, which returns it, for free(). */
struct capture {
    int fd;
    int saved_fd;
    int file_fd;
};
void capture_begin(struct capture *capture, int fd);
char *capture_end(struct capture *capture);

/* Run a command, which must end with that code and write these words to one of its two outputs. */
void expect_command(int (*command)(int argc, char **argv), int argc, char **argv, int code,
                    const char *words);

#endif
