/*
 * Copying text into a buffer of fixed size.
 */
#ifndef SN_CLIENT_CUT_PRIV_H
#define SN_CLIENT_CUT_PRIV_H

#include <stddef.h>
#include <string.h>

/* Copy text (NULL: ""), cut between characters of UTF-8 when it is too long. size > 0. */
static inline void sn_cut(char *ret_text, size_t size, const char *text) {
    size_t len = text != NULL ? strnlen(text, size) : 0;
    if (len == size) {
        len = size - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    if (len > 0)
        memcpy(ret_text, text, len);
    ret_text[len] = '\0';
}

#endif
