/* What the tests of the text reader share: a page as one line of text. */
#ifndef TESTS_WIRE_TEXT_SUPPORT_H
#define TESTS_WIRE_TEXT_SUPPORT_H

#include "wire/text.h"

/*
 * Read a whole page and write what it says into buf: entries separated by " ; ", a sample as
 * name{label="value"} number @time. A label set that sn_labels_make refuses refuses the page.
 */
sn_status text_render(struct sn_str page, struct sn_buf *buf, struct sn_err *err);

/* $SONDE_SOURCE (set by ctest), or the working directory. */
const char *text_source_dir(void);

#endif
