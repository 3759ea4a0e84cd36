/*
 * Signals as messages: blocked in every thread, waited for by the main thread.
 */
#ifndef SN_APP_SIGNALS_H
#define SN_APP_SIGNALS_H

#include "base/status.h"

#include <stdbool.h>

enum sn_signal {
    SN_SIGNAL_STOP,   /* SIGTERM, SIGINT */
    SN_SIGNAL_RELOAD, /* SIGHUP */
};

/* Block them (threads started later inherit that) and ignore SIGPIPE. Before any thread starts. */
sn_status sn_signals_block(struct sn_err *err) SN_MUST_USE;

/* Wait for the next one. Main thread. */
enum sn_signal sn_signals_wait(void);

/* Whether STOP has come, without waiting; once true it stays so. Main thread. */
bool sn_signals_stop_asked(void);

/* Let sn_signals_wait return SN_SIGNAL_RELOAD soon. Any thread, once the signals are blocked. */
void sn_signals_ask_reload(void);

#endif
