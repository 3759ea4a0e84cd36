/*
 * The rings to a descriptor, from a signal handler of the host: write(2), the clocks, and memory
 * that lies ready. No lock is taken, so everything that is read may change meanwhile; records are
 * checked before they are followed.
 */
#include "client/log_priv.h"

#include "base/os.h"

#include <errno.h>

static char text[SN_LOG_TEXT_BYTES_MAX];
static atomic_flag is_writing = ATOMIC_FLAG_INIT; /* one crash at a time: `text` is one */

struct crash {
    const sonde_log *log;
    struct sn_log_moment moment;
    int fd;
};

static void write_record(void *ctx, const struct sn_log_record *record, size_t room) {
    const struct crash *crash = ctx;
    struct sn_log_view view;
    /* All of it is there: the buffer never asks for memory. */
    struct sn_buf buf = {.ptr = (uint8_t *)text, .cap = sizeof text - 1, .limit = sizeof text - 1};
    if (room < sizeof *record || !sn_log_record_view(record, room, &view))
        return;
    const sonde_logger *logger = sn_logger_at(crash->log, record->logger);
    if (logger == NULL)
        return;
    view.logger = sn_str_make(logger->name, logger->name_len);
    view.time_ns = sn_log_time_of(&crash->moment, record);
    sn_log_format_logfmt(&view, &buf);
    (void)sn_os_write_all(crash->fd, buf.ptr, buf.len); /* there is nobody left to tell */
}

void sonde_log_crash_flush(int fd) {
    int errno_before = errno;
    if (atomic_flag_test_and_set(&is_writing))
        return;
    for (unsigned slot = 0; slot < SONDE_LOGS_MAX; slot++) {
        struct crash crash = {.log = sn_log_in_slot(slot), .fd = fd};
        if (crash.log == NULL)
            continue;
        crash.moment = sn_log_moment_now(crash.log);
        for (size_t i = 0; i < crash.log->ring_count; i++)
            sn_log_ring_walk(&crash.log->rings[i], write_record, &crash);
    }
    atomic_flag_clear(&is_writing);
    errno = errno_before;
}
