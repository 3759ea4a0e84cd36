/*
 * What the parts of the demo share: a small media service ("studio") that stores gray pictures, makes
 * thumbnails, encodes, and tells a Sonde server what it did.
 *
 *     api.c      HTTP by libmicrohttpd                      service media-api
 *     library.c  the stored media, with a quota             service storage
 *     thumbs.c   thumbnails and their cache                 services thumbnailer, thumb-cache
 *     jobs.c     a queue with workers that encode           service transcoder
 *     credits.c  what each user may still spend
 *     events.c   application events for the server, in batches
 *     main.c     starts and stops all of it
 *
 * A medium is "SMD1", then width, height and frame count as 16-bit little-endian numbers, then one
 * byte per pixel.
 */
#ifndef STUDIO_H
#define STUDIO_H

#include <sonde/cache.h>
#include <sonde/encoder.h>
#include <sonde/memory.h>
#include <sonde/sonde.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEDIUM_HEADER_BYTES 10
#define MEDIUM_BYTES_MAX ((size_t)1 << 20)
#define NAME_SIZE 33 /* users and titles: letters, digits, '-', '_' */
#define ERROR_SIZE 160

/* Why something did not work: a class as the server knows it, a sentence, an HTTP status. */
struct failure {
    const char *error_class;
    unsigned status;
    char text[ERROR_SIZE];
};

/* Fill in a failure. Returns false, so that `return fail(...)` reads well. */
bool fail(struct failure *failure, unsigned status, const char *error_class, const char *format,
          ...) __attribute__((format(printf, 4, 5)));
/* Finish a run: well, or with the failure. */
void track_end(sonde_tracker *track, bool is_good, const struct failure *failure);

double seconds_now(void); /* monotonic */

/* ---- library.c ---- */

struct medium {
    uint64_t id;
    unsigned width, height, frames;
    char title[NAME_SIZE];
    size_t len;
    unsigned char *bytes; /* with its header */
};

/* Media are files in a directory of its own below TMPDIR, and kept in memory. */
bool library_open(size_t quota_bytes);
void library_close(void); /* the directory goes */
/* Check and copy a medium. */
bool library_put(const unsigned char *bytes, size_t len, const char *title, uint64_t *ret_id,
                 struct failure *failure);
/* Copy a medium out; release with medium_release. */
bool library_get(uint64_t id, struct medium *ret_medium, struct failure *failure);
bool library_delete(uint64_t id, struct failure *failure);
/* How many titles contain the text. */
size_t library_search(const char *text);
void medium_release(struct medium *medium);

/* ---- thumbs.c ---- */

#define THUMB_SIDE 32
#define THUMB_BYTES (THUMB_SIDE * THUMB_SIDE)

void thumbs_open(size_t bytes_max);
void thumbs_close(void);
/* From the cache, or made and put there. */
bool thumbs_get(uint64_t id, unsigned char ret_thumb[THUMB_BYTES], struct failure *failure);
void thumbs_forget(uint64_t id);

/* ---- credits.c ---- */

bool credits_take(const char *user, unsigned amount, struct failure *failure);
void credits_give(const char *user, unsigned amount);

/* ---- jobs.c ---- */

struct preset {
    const char *id, *name, *category;
    unsigned passes, step, credits; /* step of the quantiser */
};

const struct preset *preset_find(const char *id);

struct order {
    uint64_t medium_id;
    char user[NAME_SIZE];
    const struct preset *preset;
    uint16_t notify_port; /* on this machine, told when the job is done; 0: nobody */
};

bool jobs_open(unsigned workers, unsigned deadline_ms);
void jobs_close(void); /* what runs is finished, what waits is dropped */
bool jobs_add(const struct order *order, uint64_t *ret_id, struct failure *failure);
/* How many are done, whatever came out. */
uint64_t jobs_done(void);
/* How many wait, and for how long the first of them has. */
size_t jobs_waiting(double *ret_oldest_s);

/* ---- events.c ---- */

struct event {
    const char *type, *user;
    double seconds;
    unsigned quantity;
    int credits;                   /* below 0: given back */
    const struct preset *preset;   /* NULL: none was used */
    const struct failure *failure; /* NULL: it went well */
};

/* url: "http://127.0.0.1:9464"; NULL: events are not sent. */
bool events_open(const char *url, const char *app);
void events_close(void);
void events_add(const struct event *event);

/* ---- api.c ---- */

unsigned api_open(uint16_t port); /* the port; 0: failed */
void api_close(void);

#endif
