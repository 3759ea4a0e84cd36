/*
 * Encoders and other frame-by-frame work: how fast, how much waits, how many sessions.
 *
 *     sonde_encoder *encoder = sonde_encoder_new(NULL, "h264", NULL);
 *     sonde_encoder_session_begin(encoder);
 *     sonde_encoder_frames(encoder, 1);               // after each frame
 *     sonde_encoder_queue_set(encoder, queue_length);
 *     sonde_encoder_session_end(encoder);
 *
 * Shown as encoder_frames_total{encoder}, encoder_frames_dropped_total{encoder},
 * encoder_frames_per_second{encoder} (over the last 10 seconds), encoder_queue_length{encoder} and
 * encoder_sessions_active{encoder}.
 *
 * All calls but new and free: any thread, never block, no allocation; with NULL they do nothing.
 */
#ifndef SONDE_ENCODER_H
#define SONDE_ENCODER_H

#include <stdint.h>

#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sonde_encoder sonde_encoder;

/*
 * Make the instrument of an encoder.
 *
 *   registry  NULL: global
 *   name      label value
 *   error     NO_MEMORY, LIMIT (families, series), INVALID (name), EXISTS (the registry has an
 *             encoder of this name, or a family of one of these names)
 *
 * Returns NULL after an error.
 * Threads: any. Blocks: on the registration lock and while the registry is being read.
 */
SONDE_API sonde_encoder *sonde_encoder_new(sonde_registry *registry, const char *name,
                                           sonde_error *error);

/*
 * Release an encoder, before its registry. Its counters stay, the frame rate is no longer shown,
 * and the name may be used again. NULL is fine. Returns NULL.
 * Threads: any, with no other user of the encoder. Blocks: while the registry is being read.
 */
SONDE_API sonde_encoder *sonde_encoder_free(sonde_encoder *encoder);

/* Count frames that were encoded. Cost: about 35 ns. */
SONDE_API void sonde_encoder_frames(sonde_encoder *encoder, uint32_t n);

/* Count frames that were given up. Cost: about 3 ns, as the calls below. */
SONDE_API void sonde_encoder_dropped(sonde_encoder *encoder, uint32_t n);

/* Frames (or jobs) that wait: now, or a step up or down. */
SONDE_API void sonde_encoder_queue_set(sonde_encoder *encoder, uint64_t length);
SONDE_API void sonde_encoder_queue_add(sonde_encoder *encoder, int64_t n);

SONDE_API void sonde_encoder_session_begin(sonde_encoder *encoder);
SONDE_API void sonde_encoder_session_end(sonde_encoder *encoder);

/* An encoder's numbers at one moment. */
typedef struct sonde_encoder_stats {
    uint64_t frames;
    uint64_t dropped;
    double frames_per_second; /* over the last 10 whole seconds, less for a young encoder */
    double queue_length;
    double sessions_active;
} sonde_encoder_stats;

/* Read an encoder's numbers; all 0 for NULL. Cost: O(threads). */
SONDE_API void sonde_encoder_read(const sonde_encoder *encoder, sonde_encoder_stats *ret_stats);

#ifdef __cplusplus
}
#endif
#endif
