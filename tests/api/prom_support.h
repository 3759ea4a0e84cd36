/*
 * Servers of the Prometheus API: the real engine on a small table of series, or an engine that does
 * what a test says.
 */
#ifndef SN_TESTS_PROM_SUPPORT_H
#define SN_TESTS_PROM_SUPPORT_H

#include "api_support.h"
#include "query/engine.h"

#include <stdatomic.h>

#define NOW "1700000000"

/*
 * The table, a sample every 15 s of the last ten minutes, all with the same value:
 *   temp{instance="a",job="x"} 1.5      temp{instance="b",job="x"} 2.5
 *   hits{instance="a"} 7                wide.name{a.b="c/d",job="y"} +Inf
 *   gone{job="x"} ended with a stale marker at NOW
 *   past{job="x"} 4, one sample ten minutes ago
 * hits has metadata: counter, help "Hits.", unit ""; and exemplars: {} 0.5 a minute before NOW,
 * {trace_id="abc"} 2 at NOW.
 */
struct sn_reader table_reader(void);

/* What the scripted engine does and saw. One query at a time. */
struct scripted_engine {
    sn_status status;                     /* of the answer */
    const struct sn_query_result *result; /* of SN_OK; NULL: that of the real engine */
    bool waits_for_cancel;                /* answers when it is cancelled */
    uint64_t fail_nth;                    /* this allocation after the call fails; 0: none */
    struct sn_query last;                 /* its text is gone */
    atomic_bool is_entered, was_cancelled;
};

/* Real engine; or scripted. Only one server at a time. */
struct test_server *prom_server_start(struct scripted_engine *script);
void prom_server_stop(struct test_server *server);

/* GET answers 200 and {"status":"success","data":<data>} with `data` also holding what follows. */
void assert_data(const struct test_server *server, const char *target, const char *data);
/* POST of a form. */
void assert_form_data(const struct test_server *server, const char *target, const char *form,
                      const char *data);
/* GET is refused: 400 bad_data with that text. */
void assert_bad(const struct test_server *server, const char *target, const char *text);

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

#endif
