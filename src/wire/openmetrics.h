/*
 * Reader of OpenMetrics 1.0 text, with the quoted UTF-8 names of Prometheus 3. It accepts and refuses
 * what Prometheus accepts and refuses: one blank between the parts, no empty lines, no comments but
 * HELP, TYPE, UNIT, and "# EOF" at the end.
 *
 * Entries are those of wire/text.h: times are seconds on the wire and milliseconds here, samples may
 * have exemplars. Samples called x_created are entries like others: who knows the type of x decides.
 *
 * 1. Zero copy, no allocation: every span lies inside the body.
 * 2. Pure. One thread per reader.
 */
#ifndef SN_WIRE_OPENMETRICS_H
#define SN_WIRE_OPENMETRICS_H

#include "wire/text.h"

/* OpenMetrics allows 128 characters of names and values together: names of a few letters. */
#define SN_OPENMETRICS_EXEMPLAR_LABELS_MAX 32

/* One thread. Caller's memory, nothing to release. */
struct sn_openmetrics_reader {
    struct sn_text_reader text;
    struct sn_text_exemplar exemplar;
    struct sn_text_label exemplar_labels[SN_OPENMETRICS_EXEMPLAR_LABELS_MAX];
    bool is_ended; /* "# EOF" has been read */
};

/* Start to read a body, which must stay as it is while the reader and its spans are used. */
void sn_openmetrics_reader_init(struct sn_openmetrics_reader *reader, struct sn_str body);

/*
 * Read the next entry; kind SN_TEXT_END when "# EOF" has been read and nothing follows.
 *
 * Returns SN_OK, SN_ERR_INVALID (as sn_text_reader_next; also a body without "# EOF"). After a
 * failure every further call fails in the same way.
 */
sn_status sn_openmetrics_reader_next(struct sn_openmetrics_reader *reader,
                                     struct sn_text_entry *ret_entry,
                                     struct sn_err *err) SN_MUST_USE;

#endif
