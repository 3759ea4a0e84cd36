/*
 * Every ceiling of the program that is not configuration, with its reason. A limit that is
 * reached is SN_ERR_LIMIT and a counter, never a crash and never silent truncation.
 */
#ifndef SN_BASE_LIMITS_H
#define SN_BASE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* Memory. */
#define SN_BUF_LIMIT_DEFAULT ((size_t)1 << 30)    /* a buffer nobody sized is a bug above 1 GiB */
#define SN_ARENA_LIMIT_DEFAULT ((size_t)64 << 20) /* one request: 16 MiB body and its parse */
#define SN_ARENA_BLOCK_BYTES ((size_t)64 << 10)   /* first block; later ones double up to 1 MiB */

/* Labels: Prometheus has no limit by default; these are far above what its users set. */
#define SN_LABELS_MAX 128 /* label pairs of one series, the name included */
#define SN_LABEL_NAME_BYTES_MAX 1024
#define SN_LABEL_VALUE_BYTES_MAX 8192
#define SN_LABELS_BYTES_MAX 32768  /* canonical bytes of one series: a log record holds them */
#define SN_METADATA_BYTES_MAX 4096 /* help text, unit */
#define SN_MATCHERS_MAX 64         /* of one selector */

/* Timestamps: years 1970 to 9999, so that every date prints and differences fit in 63 bits. */
#define SN_TIME_MS_MIN INT64_C(0)
#define SN_TIME_MS_MAX INT64_C(253402300799999)

/* Directory levels that a recursive removal enters: each holds a descriptor open. */
#define SN_TREE_DEPTH_MAX 64

/* JSON. */
#define SN_JSON_DEPTH_MAX 64
#define SN_JSON_BODY_BYTES_MAX ((size_t)16 << 20)

/* HTTP. */
#define SN_HTTP_BODY_BYTES_MAX ((size_t)32 << 20) /* a remote_write of 1 M samples, compressed */
#define SN_HTTP_HEADER_BYTES_MAX ((size_t)32 << 10)
#define SN_HTTP_CONNECTIONS_MAX 4096
#define SN_HTTP_CONNECTIONS_PER_IP_MAX 1024

/* Configuration. */
#define SN_CONFIG_BYTES_MAX ((size_t)1 << 20)
#define SN_CONFIG_DEPTH_MAX 32
#define SN_CONFIG_NODES_MAX ((size_t)200000) /* aliases included: a MiB of short list items */

/* Server log: lines waiting for the writer; more are dropped and counted. */
#define SN_LOG_LINE_BYTES_MAX 2048
#define SN_LOG_QUEUE_LINES 4096
#define SN_LOG_QUEUE_BYTES ((size_t)1 << 20) /* 4096 lines of 256 bytes; no line is near 2048 */

#endif
