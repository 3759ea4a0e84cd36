/*
 * Signals as messages. See signals.h.
 */
#include "app/signals.h"

#include "base/os.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

static void fill(sigset_t *set) {
    (void)sigemptyset(set); /* These cannot fail: the set is ours and the numbers are valid. */
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGHUP);
}

sn_status sn_signals_block(struct sn_err *err) {
    sigset_t set;
    fill(&set);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    int failure = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (failure != 0)
        return sn_err_set_errno(err, failure, "cannot block signals");
    if (sigaction(SIGPIPE, &ignore, NULL) != 0)
        return sn_err_set_errno(err, errno, "cannot ignore SIGPIPE");
    return SN_OK;
}

bool sn_signals_stop_asked(void) {
    static bool is_asked; /* the main thread's */
    const struct timespec now = {0, 0};
    sigset_t set;
    fill(&set);
    (void)sigdelset(&set, SIGHUP); /* the number is valid */
    if (!is_asked && sigtimedwait(&set, NULL, &now) > 0)
        is_asked = true;
    return is_asked;
}

enum sn_signal sn_signals_wait(void) {
    sigset_t set;
    int number;
    fill(&set);
    while (sigwait(&set, &number) != 0) {
        /* EINTR by a signal that is not ours, such as SIGCONT. */
    }
    return number == SIGHUP ? SN_SIGNAL_RELOAD : SN_SIGNAL_STOP;
}

void sn_signals_ask_reload(void) {
    (void)kill(sn_os_pid(), SIGHUP); /* To ourselves: this cannot fail. */
}
