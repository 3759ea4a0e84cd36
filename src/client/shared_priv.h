/*
 * Shared files: cells of a registry that lie in a file instead of on the heap, so that other
 * processes read them, also after this one was killed, and so that several processes (the workers
 * of a prefork server) count into one set of series. Layout: docs/FORMATS.md, "Shared file of
 * metrics".
 *
 *     header | processes | heads of chunks | infos of pages | pages of 512 cells | catalogue
 *
 * Invariants:
 *   1. A page belongs to one process (or to all: the numbers of gauges that are set) and within it to
 *      one slab: only its thread writes its cells. So records of different processes never meet.
 *   2. The catalogue only grows. A record is complete before catalogue_len says so, and records are
 *      written under the catalogue lock, which the kernel takes away from a process that dies. Every
 *      process has read all of it before it adds to it.
 *   3. Nothing in the mapping is trusted: numbers read there are checked before they are used,
 *      lists are followed at most as far as they can be long.
 *   4. Blocks of the file are allocated before they are touched: a full disk is a lost record, never
 *      a signal.
 *
 * Locks of bytes of the file (sn_os_lock_byte), each process by its own descriptor:
 *     0 shared: the file is in use     1: the catalogue     64 + n: process n lives
 *
 * The mapping uses a descriptor of its own: a child of fork keeps it, and with it would keep alive
 * the locks of its parent.
 */
#ifndef SN_CLIENT_SHARED_PRIV_H
#define SN_CLIENT_SHARED_PRIV_H

#include "base/status.h"
#include "client/slab_priv.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SN_SHARED_MAGIC "SNDSHM1\n"
#define SN_SHARED_VERSION 1
#define SN_SHARED_PAGE 4096u
#define SN_SHARED_PROCESSES 256u /* workers at a time; one page of slots */
#define SN_SHARED_BYTES_MIN ((size_t)1 << 20)
#define SN_SHARED_BYTES_MAX ((size_t)1 << 30)
#define SN_SHARED_BYTES_DEFAULT ((size_t)64 << 20)
#define SN_SHARED_BYTES_RESERVED 4096u /* of the catalogue, for SONDE_OTHER of full families */

#define SN_SHARED_OWNER_ALL UINT32_MAX /* of pages whose cells every process writes */

enum { SN_SHARED_LOCK_USE = 0, SN_SHARED_LOCK_CATALOGUE = 1, SN_SHARED_LOCK_PROCESS = 64 };

/* The clocks at one moment; tick 0: no processor counter. */
struct sn_shared_moment {
    uint64_t tick;
    int64_t mono_ns;
    int64_t wall_ms;
};

/* What does not change. The checksum is that of these bytes with checksum 0. */
struct sn_shared_fixed {
    char magic[8];
    uint32_t version;
    uint32_t checksum;
    uint64_t file_bytes;
    uint32_t process_count;
    uint32_t chunk_count;
    uint32_t page_count;
    uint32_t chunk_cells;
    uint64_t heads_offset;
    uint64_t infos_offset;
    uint64_t pages_offset;
    uint64_t catalogue_offset;
    uint64_t catalogue_bytes;
    struct sn_shared_moment first;
    char boot_id[40];
};

struct sn_shared_header {
    struct sn_shared_fixed fixed;
    struct sn_shared_moment last;
    _Atomic uint64_t catalogue_len;
    _Atomic uint32_t page_used;
    uint32_t chunk_used; /* chunks 1 to chunk_used have cells; with the catalogue lock */
    uint32_t cell_used;  /* of the last one; with the catalogue lock */
    uint32_t reserved;
    struct sn_lost lost;
};

struct sn_shared_process {
    _Atomic uint32_t is_used;
    uint32_t pid;
    int64_t start_wall_ms;
};

struct sn_shared_page {
    _Atomic uint32_t chunk;    /* 0: not in use */
    _Atomic uint32_t owner;    /* process + 1, or SN_SHARED_OWNER_ALL */
    _Atomic uint32_t next;     /* of the same chunk: page + 1; 0: none */
    _Atomic uint32_t is_taken; /* by a slab of its process */
};

_Static_assert(sizeof(struct sn_shared_fixed) == 144, "stored");
_Static_assert(offsetof(struct sn_shared_header, catalogue_len) == 168, "stored");
_Static_assert(offsetof(struct sn_shared_header, lost) == 192, "stored");
_Static_assert(sizeof(struct sn_shared_process) == 16, "stored");
_Static_assert(sizeof(struct sn_shared_page) == 16, "stored");
_Static_assert(sizeof(struct sn_lost) == SONDE_LOST_REASON_COUNT * sizeof(uint64_t), "stored");

struct sn_family;
struct sonde_registry;

/* An open file. Fields are fixed once it is open, or guarded by the registration lock. */
struct sn_shared {
    struct sn_shared *next; /* of all open ones */
    char *path;
    unsigned char *base; /* [bytes], mapped */
    size_t bytes;
    struct sn_shared_header *header;
    struct sn_shared_process *processes; /* [SN_SHARED_PROCESSES] */
    _Atomic uint32_t *heads;             /* [chunk_count + 1] page + 1; 0: none */
    struct sn_shared_page *infos;        /* [page_count] */
    int map_fd;
    int lock_fd;            /* -1: no locks (a child that could not open the file again) */
    _Atomic uint32_t owner; /* own process + 1; 0: none. Read by any thread */
    _Atomic uint32_t fails; /* attempts to get a page since the disk was full */
    size_t catalogue_ready; /* bytes of the catalogue whose blocks are allocated */
    uint32_t *local_chunks; /* [chunk_count + 1] numbers in this process; 0: none */
    struct sonde_registry *registry;
    struct sn_shared_fixed layout; /* computed from `bytes` */
    uint64_t seen;                 /* bytes of the catalogue that this process knows */
    struct sn_family **families; /* [family_count] by the number of their record; NULL: not taken */
    size_t family_count;
    size_t family_cap;
};

/* Fill in all offsets and counts for a file of this size. */
void sn_shared_layout(size_t file_bytes, struct sn_shared_fixed *ret_fixed);

/* Whether these are the first bytes of a shared file of ours: NOT_FOUND (no magic), UNSUPPORTED
 * (version), CORRUPT (checksum, layout), each with a sentence about `path`. */
sn_status sn_shared_check_fixed(const struct sn_shared_fixed *fixed, uint64_t file_bytes,
                                const char *path, struct sn_err *err) SN_MUST_USE;

/*
 * Open a file, without entering it: join it when a living process has it open, else make a new one. What an ended host
 * left there is renamed to PATH.last.
 *
 *   bytes  of a new file
 *
 * Returns SN_OK, or SN_ERR_INVALID (not ours, bytes), UNSUPPORTED, CORRUPT, LIMIT (name), BUSY,
 * NO_MEMORY, DENIED, NO_SPACE, NOT_FOUND, IO. With the registration lock.
 */
sn_status sn_shared_open(const char *path, size_t bytes, struct sn_shared **ret_shared,
                         struct sn_err *err) SN_MUST_USE;

/* Close it; the file stays. With the registration lock. NULL is fine; returns NULL. */
struct sn_shared *sn_shared_close(struct sn_shared *shared);

/* Take the catalogue lock; false: another process held it for 50 ms. With the registration lock. */
bool sn_shared_lock(struct sn_shared *shared);
void sn_shared_unlock(struct sn_shared *shared);

/* Take cells; false: none left. With both locks. ret_ref: chunk and cell in the file. */
bool sn_shared_take(struct sn_shared *shared, uint32_t count, sonde_ref *ret_ref);

/* Whether what is left is needed for SONDE_OTHER. With the registration lock. */
bool sn_shared_is_full(const struct sn_shared *shared);

/* Add a record to the catalogue; false: full. With both locks. */
bool sn_shared_append(struct sn_shared *shared, const void *record, size_t len);

/* Bytes of the catalogue now, at most those that there can be. */
uint64_t sn_shared_catalogue_len(const struct sn_shared *shared);
const unsigned char *sn_shared_catalogue(const struct sn_shared *shared);

/* Which start of the machine this is, as text; nothing is written when it cannot be told. */
void sn_shared_boot_id(char *ret_id, size_t size);

/* Note what the clocks say. With the registration lock. */
void sn_shared_note_moment(struct sn_shared *shared);

/* A page for the calling thread's cells of a chunk of the file; NULL: none. Any thread, no locks. */
uint64_t *sn_shared_attach(struct sn_shared *shared, uint32_t chunk);

/* The page of a chunk that all processes share; NULL: none. With both locks. */
uint64_t *sn_shared_common(struct sn_shared *shared, uint32_t chunk);

/*
 * Walk over the pages of a chunk that belong to processes.
 *
 *   at   0 to begin; afterwards what it was left at
 *   owner  whose pages: process + 1; 0: everybody's
 *
 * Returns the cells of a page, NULL after the last. Any thread.
 */
uint64_t *sn_shared_next_page(const struct sn_shared *shared, uint32_t chunk, uint32_t owner,
                              uint64_t *at);

/*
 * Take the first free slot of a process: its pages are ours. False: none. Who calls has put the slots
 * of dead processes in order (shared_sync_priv.h). With the registration lock.
 */
bool sn_shared_enter(struct sn_shared *shared);

/* In a child of fork: its locks and its slot are its parent's. Open the file again. */
void sn_shared_leave_parent(struct sn_shared *shared);

/*
 * Find a process that died with its slot in use and hold its slot, from number `from` on.
 * sn_shared_bury frees the slot. Returns its number, or SN_SHARED_PROCESSES. With the registration
 * lock.
 */
uint32_t sn_shared_find_dead(struct sn_shared *shared, uint32_t from);
void sn_shared_bury(struct sn_shared *shared, uint32_t process);

/* All open files. With the registration lock. */
struct sn_shared *sn_shared_first(void);

/* What a file is called that an ended host left: PATH.last. */
#define SN_SHARED_LAST_SUFFIX ".last"

#endif
