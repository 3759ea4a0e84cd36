/*
 * Asking for a reload. See reload_gate.h.
 */
#include "app/reload_gate.h"

#include "base/clock.h"

void sn_reload_gate_init(struct sn_reload_gate *gate, void (*wake)(void)) {
    *gate = (struct sn_reload_gate){.wake = wake};
    sn_mutex_init(&gate->mu, SN_RANK_APP, "reload");
    sn_cond_init(&gate->cond);
}

void sn_reload_gate_release(struct sn_reload_gate *gate) {
    sn_cond_release(&gate->cond);
    sn_mutex_release(&gate->mu);
}

sn_status sn_reload_gate_ask(struct sn_reload_gate *gate, int64_t timeout_ns, struct sn_err *err) {
    const struct sn_clock *clock = sn_clock_system();
    int64_t deadline_ns = sn_clock_mono_ns(clock) + timeout_ns;
    sn_mutex_lock(&gate->mu);
    uint64_t ticket = ++gate->asked;
    gate->wake();
    while (gate->ended < ticket && sn_clock_mono_ns(clock) < deadline_ns)
        (void)sn_cond_wait_ns(&gate->cond, &gate->mu,
                              deadline_ns - sn_clock_mono_ns(clock)); /* The loop looks again. */
    sn_status status = gate->status;
    if (gate->ended < ticket)
        status = sn_err_set(err, SN_ERR_TIMEOUT, "the configuration is still being read");
    else if (status != SN_OK && err != NULL)
        *err = gate->err;
    sn_mutex_unlock(&gate->mu);
    return status;
}

void sn_reload_gate_begin(struct sn_reload_gate *gate) {
    sn_mutex_lock(&gate->mu);
    gate->begun = gate->asked;
    sn_mutex_unlock(&gate->mu);
}

void sn_reload_gate_end(struct sn_reload_gate *gate, sn_status status, const struct sn_err *err) {
    sn_mutex_lock(&gate->mu);
    gate->ended = gate->begun;
    gate->status = status;
    gate->err = (struct sn_err){.status = status};
    if (err != NULL)
        gate->err = *err;
    sn_cond_broadcast(&gate->cond);
    sn_mutex_unlock(&gate->mu);
}
