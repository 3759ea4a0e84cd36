/*
 * Encoders with a clock of one's own, for tests.
 */
#ifndef SN_CLIENT_ENCODER_PRIV_H
#define SN_CLIENT_ENCODER_PRIV_H

#include "base/clock.h"
#include "sonde/encoder.h"

/* As sonde_encoder_new; clock is kept. */
sonde_encoder *sn_encoder_new(sonde_registry *registry, const char *name,
                              const struct sn_clock *clock, sonde_error *error);

#endif
