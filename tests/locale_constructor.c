/*
 * Linked into every test. With SN_TEST_LOCALE set it calls setlocale before main, as a host
 * program may have done: the same tests must pass where a decimal point is a comma.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void set_locale(void) {
    const char *name = getenv("SN_TEST_LOCALE");
    if (name == NULL) {
        return;
    }
    if (setlocale(LC_ALL, name) == NULL || localeconv()->decimal_point[0] != ',') {
        fprintf(stderr, "no locale %s with a decimal comma here\n", name);
        exit(EXIT_FAILURE);
    }
}
