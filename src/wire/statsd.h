/*
 * Reader of StatsD and DogStatsD datagrams:
 *
 *     name:value[:value ...]|type[|@rate][|#tag:value,tag ...][|T...][|c:...] NEWLINE ...
 *
 * types: c counter, g gauge (with a sign: change by), ms timer, h histogram, d distribution, s set.
 * `_e{...}` events and `_sc|` service checks are told apart and not read. Other sections (container,
 * timestamp, external data) are skipped: samples are of the time at which they arrive.
 *
 * 1. Zero copy, no allocation: text lies inside the datagram.
 * 2. Each line stands for itself: after a malformed one the reader goes on with the next.
 *
 * Pure. One thread per reader.
 */
#ifndef SN_WIRE_STATSD_H
#define SN_WIRE_STATSD_H

#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum sn_statsd_type {
    SN_STATSD_COUNTER = 0,
    SN_STATSD_GAUGE = 1,
    SN_STATSD_TIMER = 2, /* milliseconds */
    SN_STATSD_HISTOGRAM = 3,
    SN_STATSD_DISTRIBUTION = 4,
    SN_STATSD_SET = 5,
    SN_STATSD_TYPE_COUNT = 6,
};

enum sn_statsd_kind {
    SN_STATSD_END = 0, /* nothing is left */
    SN_STATSD_METRIC = 1,
    SN_STATSD_EVENT = 2,
    SN_STATSD_SERVICE_CHECK = 3,
};

/* One line. */
struct sn_statsd_entry {
    enum sn_statsd_kind kind;
    struct sn_str line;
    /* SN_STATSD_METRIC */
    struct sn_str name;   /* not empty; any bytes but ':' and '|' */
    struct sn_str values; /* one or more, with ':' between: sn_statsd_next_value */
    struct sn_str tags;   /* behind '#': sn_statsd_next_tag; may be empty */
    double rate;          /* 0 < rate <= 1: share of the events that was sent */
    enum sn_statsd_type type;
};

struct sn_statsd_reader {
    const char *at;
    const char *end;
};

void sn_statsd_open(struct sn_statsd_reader *reader, struct sn_str datagram);

/*
 * Read the next line that is not empty.
 *
 * Returns SN_OK; SN_ERR_INVALID: this line is malformed, `line` is set and the sentence says why; the
 * next call reads the next line.
 */
sn_status sn_statsd_next(struct sn_statsd_reader *reader, struct sn_statsd_entry *ret_entry,
                         struct sn_err *err) SN_MUST_USE;

/* Cut the next value off; false: none is left. */
bool sn_statsd_next_value(struct sn_str *values, struct sn_str *ret_value);

/*
 * Read a value of any type but sets.
 *
 *   ret_is_change  "+5", "-5": of a gauge, change by that much
 *
 * SN_ERR_INVALID: not a number, or not a finite one.
 */
sn_status sn_statsd_number(struct sn_str value, double *ret_number,
                           bool *ret_is_change) SN_MUST_USE;

/* Cut the next tag off; false: none is left. Without ':' its value is empty. */
bool sn_statsd_next_tag(struct sn_str *tags, struct sn_str *ret_name, struct sn_str *ret_value);

#endif
