/*
 * A reload that somebody asks for and waits for: HTTP threads ask, the main thread, which alone
 * reloads, answers.
 */
#ifndef SN_APP_RELOAD_GATE_H
#define SN_APP_RELOAD_GATE_H

#include "base/lock.h"

/* Any thread. Fields are guarded by mu. */
struct sn_reload_gate {
    struct sn_mutex mu;
    struct sn_cond cond;
    uint64_t asked;   /* number of the last question */
    uint64_t begun;   /* the last question that the reload in progress answers */
    uint64_t ended;   /* the last question that is answered */
    sn_status status; /* of the last reload */
    struct sn_err err;
    void (*wake)(void); /* lets the main thread reload soon */
};

void sn_reload_gate_init(struct sn_reload_gate *gate, void (*wake)(void));
void sn_reload_gate_release(struct sn_reload_gate *gate);

/* Ask and wait. What the reload returned, or SN_ERR_TIMEOUT. Not on the main thread. */
sn_status sn_reload_gate_ask(struct sn_reload_gate *gate, int64_t timeout_ns,
                             struct sn_err *err) SN_MUST_USE;

/* The main thread, around a reload, whoever asked for it. err may be NULL. */
void sn_reload_gate_begin(struct sn_reload_gate *gate);
void sn_reload_gate_end(struct sn_reload_gate *gate, sn_status status, const struct sn_err *err);

#endif
