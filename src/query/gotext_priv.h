/*
 * Text as Go's fmt and strconv write it: messages and format_query promise Prometheus' own bytes.
 * Only for src/query. Any thread.
 */
#ifndef SN_QUERY_GOTEXT_PRIV_H
#define SN_QUERY_GOTEXT_PRIV_H

#include "base/buf.h"
#include "base/str.h"

/* Append s as strconv.Quote does: "a\n\x00\u200b". Any bytes. */
void sn_gotext_quote(struct sn_buf *buf, struct sn_str s);

/* A number as strconv.FormatFloat(value, 'f', -1, 64): never with an exponent. */
void sn_gotext_float(struct sn_buf *buf, double value);

/* The character at the start of s in single quotes, as %q of a rune; {NULL, 0}: end of text. */
#define SN_GOTEXT_RUNE_SIZE 16
void sn_gotext_rune(char ret_text[SN_GOTEXT_RUNE_SIZE], struct sn_str s);

/* The same in the form of %#U: U+0063 'c'. */
#define SN_GOTEXT_UNICODE_SIZE 32
void sn_gotext_unicode(char ret_text[SN_GOTEXT_UNICODE_SIZE], struct sn_str s);

/* s in double quotes for a sentence, cut to what a sentence holds. Returns ret_text. */
#define SN_GOTEXT_QUOTED_SIZE 200
const char *sn_gotext_quoted(char ret_text[SN_GOTEXT_QUOTED_SIZE], struct sn_str s);

/* Decode the character that s (not empty) starts with; bytes that are none give U+FFFD and 1. */
size_t sn_gotext_decode(struct sn_str s, uint32_t *ret_rune);

/* Write a code point as UTF-8; returns 1 to 4. */
size_t sn_gotext_encode(uint32_t rune, char ret_bytes[4]);

#endif
