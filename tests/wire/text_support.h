/* What the tests of the text reader share: a page as one line of text. */
#ifndef TESTS_WIRE_TEXT_SUPPORT_H
#define TESTS_WIRE_TEXT_SUPPORT_H

#include "wire/openmetrics.h"

/*
 * Read a whole page and write what it says into buf: entries separated by " ; ", a sample as
 * name{label="value"} number @time. A label set that sn_labels_make refuses refuses the page.
 */
sn_status text_render(struct sn_str page, struct sn_buf *buf, struct sn_err *err);

sn_status text_render_any(bool is_openmetrics, struct sn_str page, struct sn_buf *buf,
                          struct sn_err *err);

/* Either reader. */
struct text_any_reader {
    bool is_openmetrics;
    struct sn_openmetrics_reader reader;
};
void text_any_reader_init(struct text_any_reader *reader, bool is_openmetrics, struct sn_str page);
sn_status text_any_reader_next(struct text_any_reader *reader, struct sn_text_entry *ret_entry,
                               struct sn_err *err);

/* Check the cases of tests/wire/data/NAME; how many there are. */
int text_run_data_file(bool is_openmetrics, const char *name);

/* $SONDE_SOURCE (set by ctest), or the working directory. */
const char *text_source_dir(void);

#endif
