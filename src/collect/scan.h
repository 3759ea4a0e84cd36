/*
 * Reading the kernel's text files: lines, blank-separated fields, numbers.
 *
 * Pure: works on text that somebody else has read. Spans borrow from that text. Kernel text is
 * trusted no more than any other outside input: a field that is not a number is reported, never
 * guessed. Any thread.
 */
#ifndef SN_COLLECT_SCAN_H
#define SN_COLLECT_SCAN_H

#include "base/status.h"
#include "base/str.h"

/* Most fields of one line that anybody here looks at (/proc/self/stat has 52). */
#define SN_SCAN_FIELDS_MAX 64

/* Next line without its newline. Start with *rest = the whole text; false at the end. */
bool sn_scan_line(struct sn_str *rest, struct sn_str *ret_line);

/* Next field between blanks and tabs. false when only blanks are left. */
bool sn_scan_field(struct sn_str *rest, struct sn_str *ret_field);

/* Split a line into at most max fields; further ones are left out. Returns how many. */
size_t sn_scan_fields(struct sn_str line, struct sn_str *ret_fields, size_t max);

/* Field as number; false when it is not one (or does not fit). */
bool sn_scan_u64(struct sn_str field, uint64_t *ret_value);
bool sn_scan_double(struct sn_str field, double *ret_value);

/* The number behind "key" in lines of the form "key value" or "key: value unit"; false: no such. */
bool sn_scan_keyed(struct sn_str text, struct sn_str key, uint64_t *ret_value);

#endif
