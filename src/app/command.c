/*
 * What subcommands share. See command.h.
 */
#include "app/command.h"

#include "base/os.h"

int sn_exit_of(sn_status status) {
    switch (status) {
    case SN_OK:
        return SN_EXIT_OK;
    case SN_ERR_INVALID:
    case SN_ERR_CORRUPT:
    case SN_ERR_UNSUPPORTED:
        return SN_EXIT_BAD_DATA;
    case SN_ERR_NOT_FOUND:
        return SN_EXIT_NOT_FOUND;
    case SN_ERR_DENIED:
        return SN_EXIT_DENIED;
    case SN_ERR_INTERNAL:
        return SN_EXIT_INTERNAL;
    case SN_ERR_NO_MEMORY:
    case SN_ERR_LIMIT:
    case SN_ERR_EXISTS:
    case SN_ERR_IO:
    case SN_ERR_NO_SPACE:
    case SN_ERR_BUSY:
    case SN_ERR_TIMEOUT:
    case SN_ERR_CLOSED:
        return SN_EXIT_FAILED;
    }
    return SN_EXIT_INTERNAL;
}

static void write_out(int fd, struct sn_buf *buf) {
    /* A reader that has gone away, such as `head`, is not our failure. */
    (void)sn_os_write_all(fd, buf->ptr, buf->len);
    sn_buf_release(buf);
}

void sn_command_complain(const char *command, const char *sentence, const char *hint) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_buf_printf(&buf, "sonde: %s: %s\n", command, sentence);
    if (hint != NULL)
        sn_buf_printf(&buf, "  %s\n", hint);
    write_out(2, &buf);
}

void sn_command_print(const char *format, ...) {
    struct sn_buf buf;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    sn_buf_init(&buf, 0);
    char *at = len > 0 ? (char *)sn_buf_reserve(&buf, (size_t)len + 1) : NULL;
    if (at != NULL)
        buf.len = (size_t)vsnprintf(at, (size_t)len + 1, format, again);
    va_end(again);
    write_out(1, &buf);
}
