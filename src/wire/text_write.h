/*
 * Samples as lines of the Prometheus text format or of OpenMetrics. Pure. Any thread.
 */
#ifndef SN_WIRE_TEXT_WRITE_H
#define SN_WIRE_TEXT_WRITE_H

#include "base/buf.h"
#include "model/sample.h"

enum sn_text_format {
    SN_TEXT_PROMETHEUS = 0,  /* time in milliseconds */
    SN_TEXT_OPENMETRICS = 1, /* time in seconds */
};

/* Append the series as it stands before its value: name{label="value"}; names that are not plain are
 * quoted, as in Prometheus 3. */
void sn_text_write_series(struct sn_labels labels, struct sn_buf *buf);

/* Append " value time\n". */
void sn_text_write_sample(enum sn_text_format format, int64_t time_ms, double value,
                          struct sn_buf *buf);

/* Append "# TYPE name type\n" and, when there is one, "# HELP name text\n". */
void sn_text_write_metadata(enum sn_text_format format, const struct sn_metadata *metadata,
                            struct sn_buf *buf);

#endif
