/*
 * The one line that long work shows on stderr:
 *
 *   import  ████████░░░░ 64 %  12.4 M samples  1.1 M/s  412 MB of 640 MB  0:19 left
 *
 * On a terminal it is written over four times a second; elsewhere it is a plain line every ten seconds.
 * Without a known total there is no bar, only counts and rate. The end is a summary line.
 * One thread.
 */
#ifndef SN_APP_PROGRESS_H
#define SN_APP_PROGRESS_H

#include "base/buf.h"
#include "base/clock.h"

struct sn_progress {
    const char *verb; /* "import" */
    const char *unit; /* "samples"; NULL: nothing is counted but bytes */
    const struct sn_clock *clock;
    bool is_quiet;
    bool is_terminal;
    bool is_utf8;
    uint64_t done_bytes;
    uint64_t total_bytes; /* 0: unknown */
    uint64_t count;
    int64_t start_ns;
    int64_t shown_ns;
    bool has_line; /* a line stands on the terminal */
};

/* Start. Whether stderr is a terminal and the locale is UTF-8 is asked here. */
void sn_progress_init(struct sn_progress *progress, const char *verb, const char *unit,
                      bool is_quiet);

/* Show the line when it is time. */
void sn_progress_step(struct sn_progress *progress);

/* Take the line away, so that something else can be said. */
void sn_progress_clear(struct sn_progress *progress);

/* The summary: "import: 12.4 M samples, 640 MB in 0:58, 214 k/s". Nothing when quiet. */
void sn_progress_end(struct sn_progress *progress);

/* The texts, for tests: append the line, or the summary, as of now_ns. */
void sn_progress_format(const struct sn_progress *progress, int64_t now_ns, struct sn_buf *buf);
void sn_progress_summarise(const struct sn_progress *progress, int64_t now_ns, struct sn_buf *buf);

#endif
