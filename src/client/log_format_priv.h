/*
 * Lines to text. Pure: no clock, no memory of their own, no locale; so the crash flush may call
 * sn_log_format_logfmt in a signal handler when buf has its memory already.
 *
 * Every function appends to buf. When buf is full its status says so and its length is anything
 * from before to behind; the caller sets both back.
 *
 * Each line format ends with the only '\n' of what it wrote, whatever the fields hold.
 */
#ifndef SN_CLIENT_LOG_FORMAT_PRIV_H
#define SN_CLIENT_LOG_FORMAT_PRIV_H

#include "base/buf.h"
#include "client/log_record_priv.h"

/* Most bytes of text that a record can become: control characters as six bytes in JSON, and room
 * for times, names and the counts of the line. */
#define SN_LOG_TEXT_BYTES_MAX (7 * (size_t)SONDE_LOG_RECORD_BYTES_MAX + 4096)

void sn_log_format_json(const struct sn_log_view *view, struct sn_buf *buf);
void sn_log_format_logfmt(const struct sn_log_view *view, struct sn_buf *buf);
void sn_log_format_console(const struct sn_log_view *view, struct sn_buf *buf, bool is_colored);

/* Who is logging, for the formats of other programs. Texts are borrowed. */
struct sn_log_identity {
    struct sn_str program;
    struct sn_str host;
    int pid;
    unsigned facility; /* syslog */
};

/* One datagram, without a newline at its end: RFC 5424, and systemd's journal protocol. */
void sn_log_format_syslog(const struct sn_log_view *view, const struct sn_log_identity *identity,
                          struct sn_buf *buf);
void sn_log_format_journald(const struct sn_log_view *view, const struct sn_log_identity *identity,
                            struct sn_buf *buf);

/* Shared by the two files that implement this. */

/* "2026-11-21T10:11:12.345678Z" with 3, 6 or 9 decimals. */
#define SN_LOG_TIME_TEXT_SIZE 40
struct sn_str sn_log_time_text(int64_t time_ns, unsigned decimals,
                               char ret_text[SN_LOG_TIME_TEXT_SIZE]);

/* The value of a field that is not an error as plain text: a number's in text, else the field's. */
#define SN_LOG_VALUE_TEXT_SIZE 48
struct sn_str sn_log_value_text(const struct sn_log_field *field,
                                char text[SN_LOG_VALUE_TEXT_SIZE]);

/* Nanoseconds as seconds with as many decimals as there are: "0.0015". */
struct sn_str sn_log_seconds_text(int64_t ns, char ret_text[SN_LOG_VALUE_TEXT_SIZE]);

/* The counts that a line may have beside its fields, in this order. False: no more. */
bool sn_log_count_next(const struct sn_log_view *view, unsigned *at,
                       struct sn_log_field *ret_field);

/* "debug", "info", ...; "?" for what is none. */
struct sn_str sn_log_level_text(sonde_level level);

/*
 * Append text with what could end a line, or steer a terminal, as \n, \t, \r, \\ (when
 * is_quoted also \") and \u009b; bytes that are not UTF-8 become U+FFFD.
 */
void sn_log_put_escaped(struct sn_buf *buf, struct sn_str text, bool is_quoted);

#endif
