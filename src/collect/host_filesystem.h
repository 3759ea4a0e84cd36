/*
 * Mounted filesystems from /proc/self/mountinfo and their sizes from statvfs.
 */
#ifndef SN_COLLECT_HOST_FILESYSTEM_H
#define SN_COLLECT_HOST_FILESYSTEM_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

/* One line of mountinfo. Text is in the arena, with octal escapes (\040) undone. */
struct sn_mount {
    struct sn_str device;
    struct sn_str mountpoint; /* NUL-terminated behind its length: goes to statvfs */
    struct sn_str fstype;
};

/*
 * Read one line. Returns SN_OK; SN_ERR_CORRUPT when the line has not the documented form;
 * SN_ERR_NO_MEMORY.
 */
sn_status sn_mount_parse(struct sn_str line, struct sn_arena *arena, struct sn_mount *ret_mount,
                         struct sn_err *err) SN_MUST_USE;

/*
 * Whether this is storage that can fill up, not a kernel interface such as proc or cgroup2. "/" always
 * is: in a container it is an overlay, and still what fills up.
 */
bool sn_mount_is_storage(const struct sn_mount *mount);

/* "/" where mountinfo does not list it, as in a chroot: device and type are "unknown". */
extern const struct sn_mount sn_mount_unlisted_root;

/*
 * Used share in percent as df shows it: of what is there for ordinary users. 0..100.
 *   blocks, bfree, bavail   counts of equal blocks
 */
double sn_filesystem_used_percent(uint64_t blocks, uint64_t bfree, uint64_t bavail);

#endif
