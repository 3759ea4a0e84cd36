/*
 * Values of samples in JSON lines: numbers, and texts for what JSON has no number for (json_series.h).
 *
 * Pure. Any thread.
 */
#ifndef SN_WIRE_JSON_VALUE_PRIV_H
#define SN_WIRE_JSON_VALUE_PRIV_H

#include "codec/json_read.h"
#include "codec/json_write.h"

/* One value; the writer has SN_JSON_NON_FINITE_TEXT. Every bit of it comes back. */
void sn_json_value_write(struct sn_json_writer *json, double value);

/* A value, or null for NaN. What is none is SN_ERR_INVALID in the reader; 0 is returned then. */
double sn_json_value_read(struct sn_json_reader *json);

#endif
