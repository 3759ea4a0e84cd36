/*
 * Status codes and the two-part error: a code for programs, one sentence for people.
 *
 * Every function that can fail returns an sn_status and, where a sentence helps, takes a
 * `struct sn_err *err` as its last parameter. The caller may pass NULL when nobody will read it.
 */
#ifndef SN_BASE_STATUS_H
#define SN_BASE_STATUS_H

#include <stdarg.h>
#include <stddef.h>

#define SN_MUST_USE __attribute__((warn_unused_result))
#define SN_PRINTF(fmt_index, arg_index) __attribute__((format(printf, fmt_index, arg_index)))

/* Zero is success, every failure is negative. Numbers are fixed: they appear in logs and tests. */
typedef enum sn_status {
    SN_OK = 0,
    SN_ERR_NO_MEMORY = -1,   /* an allocation failed */
    SN_ERR_LIMIT = -2,       /* a limit of ours was reached; the sentence names it */
    SN_ERR_INVALID = -3,     /* the caller's or the user's input is wrong */
    SN_ERR_NOT_FOUND = -4,   /* what was asked for does not exist */
    SN_ERR_EXISTS = -5,      /* it exists already, or with another type */
    SN_ERR_IO = -6,          /* a system call failed; the sentence has errno's text */
    SN_ERR_NO_SPACE = -7,    /* ENOSPC, EDQUOT, EFBIG */
    SN_ERR_CORRUPT = -8,     /* stored bytes fail their checks */
    SN_ERR_UNSUPPORTED = -9, /* a feature, version or format that we do not handle */
    SN_ERR_BUSY = -10,       /* held by somebody else, or a queue is full: try again later */
    SN_ERR_TIMEOUT = -11,    /* a deadline passed */
    SN_ERR_CLOSED = -12,     /* the object is shutting down */
    SN_ERR_DENIED = -13,     /* not signed in, or not allowed */
    SN_ERR_INTERNAL = -14,   /* a bug of ours, survived */
} sn_status;

/* Bytes of the sentence including the final NUL. Longer sentences are cut with "..." at the end. */
#define SN_ERR_TEXT_SIZE 256

/* Owned by the caller, usually on its stack. One thread. A zeroed struct is "no error". */
struct sn_err {
    sn_status status;
    char text[SN_ERR_TEXT_SIZE];
};

/*
 * Write status and sentence into err and return status, so that a failing branch is one line:
 * `return sn_err_set(err, SN_ERR_LIMIT, "label name has %zu bytes, the limit is %d", len, MAX);`
 *
 *   err      may be NULL: only the status is returned
 *   status   a failure
 *   format   printf format: what, which value, which limit; no newline, no "error:", no secrets;
 *            arguments may point into err->text
 *
 * Threads: any. Blocks: never. Cost: one vsnprintf, no allocation.
 */
sn_status sn_err_set(struct sn_err *err, sn_status status, const char *format, ...) SN_PRINTF(3, 4);
sn_status sn_err_set_va(struct sn_err *err, sn_status status, const char *format, va_list args)
    SN_PRINTF(3, 0);

/*
 * As sn_err_set, for a failed system call: picks the status from errno_value (ENOSPC, EDQUOT and
 * EFBIG give SN_ERR_NO_SPACE, ENOMEM SN_ERR_NO_MEMORY, ENOENT SN_ERR_NOT_FOUND, EEXIST
 * SN_ERR_EXISTS, EACCES and EPERM SN_ERR_DENIED, the rest SN_ERR_IO) and appends ": " and
 * errno's text to the sentence.
 */
sn_status sn_err_set_errno(struct sn_err *err, int errno_value, const char *format, ...)
    SN_PRINTF(3, 4);

/* Put "context: " in front of the sentence that err already holds; cut at the end when too long. */
void sn_err_prefix(struct sn_err *err, const char *format, ...) SN_PRINTF(2, 3);

/* Short fixed name of a status ("no_memory", "limit", ...): for metrics labels and logs. */
const char *sn_status_name(sn_status status);

/* Return from the enclosing function when the expression fails. The only macro that may return. */
#define SN_TRY(expression)                                                                         \
    do {                                                                                           \
        sn_status sn_try_status_ = (expression);                                                   \
        if (__builtin_expect(sn_try_status_ != SN_OK, 0))                                          \
            return sn_try_status_;                                                                 \
    } while (0)

#endif
