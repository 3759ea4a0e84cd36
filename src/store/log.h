/*
 * The files of the log: wal/<number>.log, written by one thread, each until it is full of what one
 * epoch of the head holds, or until a write or an fsync on it fails.
 *
 * Invariants:
 *   1. A file is only ever appended to. After a failed write or fsync it is never touched again:
 *      what the kernel did with its dirty pages is unknown. It is deleted when nothing in it was
 *      acknowledged, else it stays for recovery.
 *   2. Numbers only go up; a number is never used for a second file.
 *   3. All groups in a file are of one epoch, so a flushed epoch frees whole files.
 *
 * Threads: the file is the committer's alone (one thread at a time). The list of files is guarded
 * by its own lock and may be read by any thread.
 */
#ifndef SN_STORE_LOG_H
#define SN_STORE_LOG_H

#include "base/lock.h"
#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Files at one time: a failing disk makes new ones, a flush removes them. */
#define SN_LOG_FILES_MAX 4096

struct sn_log_file {
    uint64_t number;
    uint64_t epoch; /* of its groups; what was replayed counts as the first epoch */
    uint64_t bytes;
};

struct sn_log {
    const char *dir; /* borrowed: the wal directory */
    int fd;          /* -1: no file is open */
    uint64_t number; /* of the newest file */
    uint64_t epoch;  /* of the open file */
    uint64_t bytes;  /* of the open file */
    bool is_used;    /* the open file holds a group that was acknowledged */

    struct sn_mutex mu;
    struct sn_log_file *files; /* [file_capacity], owned, ascending; guarded by mu */
    size_t file_count;
    size_t file_capacity;
    uint64_t sync_count;
    uint64_t failure_count;
};

void sn_log_files_init(struct sn_log *log, const char *dir);
void sn_log_files_release(struct sn_log *log); /* closes; files stay */

/* Path of a log file; false when it is too long. ret_path has SN_PATH_BYTES_MAX bytes. */
bool sn_log_path(char *ret_path, const char *dir, uint64_t number);

/* Note a file that recovery has replayed. SN_ERR_NO_MEMORY, SN_ERR_LIMIT. */
sn_status sn_log_note_file(struct sn_log *log, struct sn_log_file file) SN_MUST_USE;

/*
 * Append bytes (whole records) of a group and, when `sync`, force them to disk. Opens a new file
 * when none is open or the epoch differs. On failure the file is given up.
 * SN_ERR_NO_SPACE, SN_ERR_IO, SN_ERR_DENIED, SN_ERR_LIMIT, SN_ERR_NO_MEMORY, with a sentence.
 */
sn_status sn_log_append(struct sn_log *log, uint64_t epoch, struct sn_str bytes, bool sync,
                        struct sn_err *err) SN_MUST_USE;

/* Force earlier appends to disk. Same failures; nothing open is fine. */
sn_status sn_log_sync(struct sn_log *log, struct sn_err *err) SN_MUST_USE;

/* Try whether a new file can be created, written and synced. Same failures. */
sn_status sn_log_probe(struct sn_log *log, uint64_t epoch, struct sn_err *err) SN_MUST_USE;

/* Number of the newest file of which this and all older ones are of epochs <= epoch; 0: none. */
uint64_t sn_log_last_of_epoch(struct sn_log *log, uint64_t epoch);

/* Delete the files up to this number. A file that cannot be deleted is left for recovery. */
void sn_log_delete_through(struct sn_log *log, uint64_t number);

struct sn_log_totals {
    uint64_t file_count;
    uint64_t bytes;
    uint64_t sync_count;
    uint64_t failure_count;
};
struct sn_log_totals sn_log_totals(struct sn_log *log);

#endif
