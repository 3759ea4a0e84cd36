/* A sink that writes down what it gets, as text. */
#ifndef SN_TESTS_INGEST_SUPPORT_H
#define SN_TESTS_INGEST_SUPPORT_H

#include "base/buf.h"
#include "model/doors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* One thread, or guarded by what calls it. */
struct book {
    struct sn_buf text;    /* lines "name{label=\"x\"} 1.5 @1000 start=5", NUL-terminated */
    sn_status push_status; /* what push answers */
    sn_status done_status;
    size_t push_count;
    bool is_closed;         /* nothing is written: for tests without memory */
    uint64_t refused_count; /* samples of each batch that are duplicates */
};

void book_init(struct book *book);
void book_release(struct book *book);
struct sn_sink book_sink(struct book *book);

/* What was pushed since the last call: sorted lines. Borrowed until the next push. */
const char *book_read(struct book *book);

#endif
