/* A sink that keeps what it gets as sorted text, and a gather on the fixture folder. */
#ifndef SN_TESTS_COLLECT_SUPPORT_H
#define SN_TESTS_COLLECT_SUPPORT_H

#include "base/buf.h"
#include "base/lock.h"
#include "collect/source.h"
#include "model/doors.h"

#define FIXED_TIME_MS INT64_C(1700000123456)

/* One line per sample: name{labels} value, in the order of the batch. */
struct capture {
    struct sn_buf text;
    size_t push_count;
    size_t sample_count;
    size_t metadata_count;
    int64_t last_time_ms;
    sn_status refuse_with;   /* SN_OK: take everything */
    uint64_t reject_count;   /* samples reported as rejected, of each batch */
    struct sn_event *pushed; /* NULL, or set at every push */
};

void capture_init(struct capture *capture);
void capture_release(struct capture *capture);
void capture_clear(struct capture *capture);
struct sn_sink capture_sink(struct capture *capture);
/* Whether one of the lines is exactly this one. */
bool capture_has(const struct capture *capture, const char *line);
/* The text as a C string, valid until the next push. */
const char *capture_text(struct capture *capture);

/* Path of the fixture folder: "proc", unless another was chosen. */
struct sn_collect_roots fixture_roots(void);
void fixture_proc(const char *name);

/* Run one pass of one source on the fixtures and return its samples as text in `capture`. */
sn_status gather_fixture(const struct sn_source *source, struct capture *capture, void **state,
                         struct sn_err *err);

#endif
