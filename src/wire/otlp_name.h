/*
 * Names of OpenTelemetry as Prometheus writes them (its translation strategy
 * "UnderscoreEscapingWithSuffixes"): http.server.duration in ms is http_server_duration_milliseconds, a
 * counter ends in _total, a gauge of unit 1 in _ratio.
 *
 * Pure. Any thread. Failures are in the buffer's status.
 */
#ifndef SN_WIRE_OTLP_NAME_H
#define SN_WIRE_OTLP_NAME_H

#include "base/buf.h"
#include "wire/otlp.h"

/* Append the name of a metric, without _bucket, _sum and _count. Nothing when no character is left. */
void sn_otlp_put_metric_name(const struct sn_otlp_metric *metric, struct sn_buf *buf);

/* Append the unit in words: "bytes", "meters_per_second"; nothing when it says nothing. */
void sn_otlp_put_unit(struct sn_str unit, struct sn_buf *buf);

/* Append the name of a label: what may not stand there is '_'. Nothing for an empty key. */
void sn_otlp_put_label_name(struct sn_str key, struct sn_buf *buf);

/* A bound or a quantile as the value of le or quantile: "0.005", "10", "+Inf". The text is inside. */
#define SN_OTLP_NUMBER_SIZE 32
struct sn_str sn_otlp_number_text(double number, char ret_text[SN_OTLP_NUMBER_SIZE]);

#endif
