/*
 * Metrics that outlive their program: a registry whose numbers lie in a file that is mapped into
 * memory, at the same cost per record as on the heap.
 *
 *     sonde_registry_options options = {.shared_file = "/run/shop/metrics.sonde"};
 *     sonde_registry_global_init(&options, NULL);       // before anything is registered
 *
 * Then, without any thread or port in the program, also while it hangs and after it was killed:
 *
 *     sonde attach /run/shop/metrics.sonde              # the page, as a scraper would get it
 *
 * Several processes may have one file open: those that fork after this call and those that open the
 * same name. They count into one set of series, each in cells of its own, so that nothing is lost
 * when one of them dies at any moment; each of them shows the sums of all. Gauges that are set are one
 * number for all. What a dead process had added to gauges is taken back, and the operations it was
 * in the middle of count as aborted, when a living one reads or joins.
 *
 * Callbacks cannot be asked from outside, so the file has what each gave when somebody in the program
 * read the registry last: an exporter, a push client, or a timer of yours that calls
 * sonde_registry_visit(NULL, &(sonde_visitor){0}). Before that it is not shown. With several processes
 * it is the number of the one that was read last. Instruments keep theirs up to date without that: what
 * caches hold and the memory of services at each change, hit ratios, alerts of caches and the rates of
 * encoders once a second while they are used; the process's heap and alerts of memory are as callbacks.
 *
 * Not in the file: slow and recent operations, and the infos sonde_cache_info and sonde_memory_info.
 * sonde_command's reset counts for the process that was asked.
 *
 * The file. When the program starts and no living process has the file open, what is there is renamed
 * to FILE.last and a new one is begun: numbers start at 0, as scrapers expect of a new process.
 * Another file of that name is left alone (SONDE_ERR_INVALID). Put it on a file system in memory
 * (/run, /dev/shm): elsewhere the kernel writes changed pages to the disk every few seconds. It has
 * mode 0640. Blocks are taken as they are needed; a full disk loses records (sonde_lost_total),
 * never the program. Who may write the file can harm the program: truncating a mapped file kills
 * those who have it mapped. At most 256 processes at a time.
 */
#ifndef SONDE_SHARED_H
#define SONDE_SHARED_H

#include <stddef.h>
#include <stdint.h>

#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a shared file is like. */
typedef struct sonde_shared_info {
    uint64_t file_bytes;
    uint64_t used_bytes;     /* of pages and of the catalogue */
    size_t living_count;     /* processes that have it open */
    size_t ended_count;      /* processes that died and whose leftovers nobody has put in order */
    int64_t created_wall_ms; /* Unix milliseconds */
} sonde_shared_info;

/*
 * Read a shared file, of a running program or of an ended one. The file is not changed and its bytes
 * are not trusted.
 *
 *   path      borrowed
 *   ret_info  may be NULL
 *   error     NO_MEMORY, NOT_FOUND, INVALID (no shared file), UNSUPPORTED (another version), CORRUPT
 *             (cut off, damaged; the sentence says where), LIMIT, IO
 *
 * Returns a registry with the numbers of this moment, to be written in any format, visited, and
 * released with sonde_registry_free; NULL after an error.
 * Threads: any. Blocks: on the disk. Cost: reads what is used of the file; O(series).
 */
SONDE_API sonde_registry *sonde_shared_load(const char *path, sonde_shared_info *ret_info,
                                            sonde_error *error);

#ifdef __cplusplus
}
#endif
#endif
