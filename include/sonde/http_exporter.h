/*
 * A small HTTP server inside the program that shows a registry to scrapers (library libsonde-http):
 *
 *     sonde_http_exporter *exporter = sonde_http_exporter_start(NULL, NULL);   // 127.0.0.1:9465
 *     ...
 *     sonde_http_exporter_stop(exporter);
 *
 * It answers GET and HEAD of one path, in the best format that the scraper accepts, compressed
 * with gzip if it accepts that. One thread of libmicrohttpd's own does everything, with all
 * signals blocked; callback gauges of the registry run in it. Connections, time and memory are
 * bounded; whatever happens to the exporter, the program goes on. In a child of fork there is no
 * exporter; start another one there.
 *
 * Who can connect can read the metrics and keep the exporter (not the program) busy. So the
 * default address is this machine's only; put a proxy with access rules before anything else.
 */
#ifndef SONDE_HTTP_EXPORTER_H
#define SONDE_HTTP_EXPORTER_H

#include <stddef.h>

#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sonde_http_exporter sonde_http_exporter;

#define SONDE_EXPORTER_CONNECTIONS_MAX 100

/* Every field: zero means the default in brackets. */
typedef struct sonde_http_exporter_options {
    const char *address;      /* "127.0.0.1:9465", "[::1]:0"; no names; port 0: any free one */
    const char *path;         /* starts with "/" ["/metrics"] */
    sonde_registry *registry; /* [global]; must live until stop returns */
    size_t page_bytes_max;    /* of an answer; above it is 503 [256 MiB] */
    unsigned connection_max;  /* 1 to SONDE_EXPORTER_CONNECTIONS_MAX [8]; more wait */
    unsigned idle_timeout_s;  /* a connection that is silent for so long is closed [30] */
} sonde_http_exporter_options;

/*
 * Start an exporter.
 *
 *   options  NULL: all defaults; strings are copied
 *   error    NO_MEMORY, LIMIT (connection_max), INVALID (address, path), IO (cannot listen)
 *
 * Returns NULL after an error. Threads: any. Blocks: never. Cost: one thread.
 */
SONDE_API sonde_http_exporter *sonde_http_exporter_start(const sonde_http_exporter_options *options,
                                                         sonde_error *error);

/*
 * Stop an exporter: close its connections, wait for its thread, release it. NULL is fine.
 * Returns NULL. Threads: any, not from a callback gauge. Blocks: until a page that is being made
 * is ready.
 */
SONDE_API sonde_http_exporter *sonde_http_exporter_stop(sonde_http_exporter *exporter);

/* The port it listens on; 0 for NULL. Threads: any. Blocks: never. */
SONDE_API unsigned sonde_http_exporter_port(const sonde_http_exporter *exporter);

#ifdef __cplusplus
}
#endif
#endif
