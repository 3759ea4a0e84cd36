/*
 * A server with a board on real PromQL over series in memory, and looks at parts of its answers.
 */
#ifndef TESTS_API_DASH_SUPPORT_H
#define TESTS_API_DASH_SUPPORT_H

#include "api_support.h"
#include "query/engine.h"

#define DASH_SERIES_MAX 4096
#define DASH_LABELS_MAX 8 /* of a series, its name among them */

struct dash_series {
    struct sn_labels labels; /* in the arena `texts` */
    struct sn_samples samples;
};

struct dash {
    struct dash_series *series[DASH_SERIES_MAX];
    size_t count;
    struct sn_arena texts;
    struct sn_query_engine *engine;
    struct test_server *server; /* after dash_start */
    struct reply reply;         /* of the last question; released by the next and by dash_stop */
};

struct dash *dash_new(void);
/* Append a sample at NOW_MS - ago_ms, times ascending; labels: name, value, ..., NULL. */
void dash_add(struct dash *dash, int64_t ago_ms, double value, const char *metric, ...)
    __attribute__((sentinel));
/* Samples every 15 s of the last ten minutes, as of a service with one operation "o". */
void dash_add_service(struct dash *dash, const char *name, double ok_per_s, double errors_per_s);
void dash_start(struct dash *dash);
void dash_stop(struct dash *dash);

/* GET, which must answer 200 with {"status":"success","data":...}; the body. */
const char *dash_get(struct dash *dash, const char *target);
/* The body of the last answer has this text. */
void dash_has(const struct dash *dash, const char *text);
void dash_has_not(const struct dash *dash, const char *text);
/* GET is refused: 400 bad_data with these words. */
void dash_refuses(struct dash *dash, const char *target, const char *words);

#endif
