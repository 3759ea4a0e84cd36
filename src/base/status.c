/*
 * Status codes and error sentences.
 *
 * Invariants:
 *   1. err->text is always NUL-terminated, and what is cut ends in "..." after whole characters.
 *   2. Arguments may point into err->text: a sentence is built aside and copied at the end.
 * Any thread; the struct sn_err belongs to the caller. Nothing here allocates or looks at the
 * locale: errno texts come from strerrordesc_np, which is never translated.
 */
#include "base/status.h"

#include "base/check.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Text under construction: [size] bytes, len used without the NUL, cut once something was lost. */
struct sentence {
    char text[SN_ERR_TEXT_SIZE];
    size_t len;
    bool is_cut;
};

static void sentence_add_va(struct sentence *sentence, const char *format, va_list args)
    SN_PRINTF(2, 0);
static void sentence_add(struct sentence *sentence, const char *format, ...) SN_PRINTF(2, 3);

static void sentence_add_va(struct sentence *sentence, const char *format, va_list args) {
    size_t room = sizeof(sentence->text) - sentence->len;
    int written = vsnprintf(sentence->text + sentence->len, room, format, args);
    if (written < 0) { /* an argument that printf refuses, such as a width above INT_MAX */
        sentence->text[sentence->len] = '\0';
        sentence->is_cut = true;
    } else if ((size_t)written >= room) {
        sentence->len = sizeof(sentence->text) - 1;
        sentence->is_cut = true;
    } else {
        sentence->len += (size_t)written;
    }
}

static void sentence_add(struct sentence *sentence, const char *format, ...) {
    va_list args;
    va_start(args, format);
    sentence_add_va(sentence, format, args);
    va_end(args);
}

/* Put "..." over the last bytes of a cut sentence, never after half a UTF-8 character. */
static void sentence_mark_cut(struct sentence *sentence) {
    size_t room = sizeof(sentence->text) - sizeof("...");
    size_t at = sentence->len < room ? sentence->len : room;
    while (at > 0 && ((unsigned char)sentence->text[at] & 0xC0) == 0x80)
        at--;
    memcpy(sentence->text + at, "...", sizeof("..."));
    sentence->len = at + 3;
}

static void sentence_store(struct sentence *sentence, struct sn_err *err) {
    if (sentence->is_cut)
        sentence_mark_cut(sentence);
    memcpy(err->text, sentence->text, sentence->len + 1);
}

/* A failure must not look like success, whatever the caller passed. */
static sn_status as_failure(sn_status status) {
    return SN_NEVER(status >= SN_OK) ? SN_ERR_INTERNAL : status;
}

sn_status sn_err_set_va(struct sn_err *err, sn_status status, const char *format, va_list args) {
    status = as_failure(status);
    if (err != NULL) {
        struct sentence sentence = {.len = 0};
        sentence_add_va(&sentence, format, args);
        err->status = status;
        sentence_store(&sentence, err);
    }
    return status;
}

sn_status sn_err_set(struct sn_err *err, sn_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    status = sn_err_set_va(err, status, format, args);
    va_end(args);
    return status;
}

static sn_status status_of_errno(int errno_value) {
    switch (errno_value) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SN_ERR_NO_SPACE;
    case ENOMEM:
        return SN_ERR_NO_MEMORY;
    case ENOENT:
        return SN_ERR_NOT_FOUND;
    case EEXIST:
        return SN_ERR_EXISTS;
    case EACCES:
    case EPERM:
        return SN_ERR_DENIED;
    default: /* errno is an open set, not an enum of ours */
        return SN_ERR_IO;
    }
}

sn_status sn_err_set_errno(struct sn_err *err, int errno_value, const char *format, ...) {
    sn_status status = status_of_errno(errno_value);
    if (err == NULL)
        return status;
    struct sentence sentence = {.len = 0};
    va_list args;
    va_start(args, format);
    sentence_add_va(&sentence, format, args);
    va_end(args);
    const char *description = strerrordesc_np(errno_value);
    if (description != NULL)
        sentence_add(&sentence, ": %s", description);
    else
        sentence_add(&sentence, ": error number %d", errno_value);
    err->status = status;
    sentence_store(&sentence, err);
    return status;
}

void sn_err_prefix(struct sn_err *err, const char *format, ...) {
    if (err == NULL)
        return;
    struct sentence sentence = {.len = 0};
    va_list args;
    va_start(args, format);
    sentence_add_va(&sentence, format, args);
    va_end(args);
    sentence_add(&sentence, ": %s", err->text);
    sentence_store(&sentence, err);
}

const char *sn_status_name(sn_status status) {
    switch (status) {
    case SN_OK:
        return "ok";
    case SN_ERR_NO_MEMORY:
        return "no_memory";
    case SN_ERR_LIMIT:
        return "limit";
    case SN_ERR_INVALID:
        return "invalid";
    case SN_ERR_NOT_FOUND:
        return "not_found";
    case SN_ERR_EXISTS:
        return "exists";
    case SN_ERR_IO:
        return "io";
    case SN_ERR_NO_SPACE:
        return "no_space";
    case SN_ERR_CORRUPT:
        return "corrupt";
    case SN_ERR_UNSUPPORTED:
        return "unsupported";
    case SN_ERR_BUSY:
        return "busy";
    case SN_ERR_TIMEOUT:
        return "timeout";
    case SN_ERR_CLOSED:
        return "closed";
    case SN_ERR_DENIED:
        return "denied";
    case SN_ERR_INTERNAL:
        return "internal";
    }
    return "unknown"; /* a number that came from outside */
}
