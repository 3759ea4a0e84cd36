/*
 * Source "filesystem": sizes of mounted filesystems.
 *
 * statvfs on a dead network mount blocks for as long as it likes; that is why each source has a
 * thread of its own, and why sonde_collector_up says which one hangs.
 */
#include "collect/host_filesystem.h"

#include "base/os.h"
#include "collect/scan.h"
#include "collect/source.h"

static const struct sn_collect_family families[] = {
    {"node_filesystem_size_bytes", SN_METRIC_GAUGE, "Size of the filesystem."},
    {"node_filesystem_free_bytes", SN_METRIC_GAUGE, "Free space, root's reserve included."},
    {"node_filesystem_avail_bytes", SN_METRIC_GAUGE, "Free space for ordinary users."},
    {"node_filesystem_files", SN_METRIC_GAUGE, "Inodes of the filesystem."},
    {"node_filesystem_files_free", SN_METRIC_GAUGE, "Free inodes."},
    {"node_filesystem_readonly", SN_METRIC_GAUGE, "1 when mounted read-only."},
    {"node_filesystem_device_error", SN_METRIC_GAUGE, "1 when its sizes could not be read."},
    {"sonde_host_disk_used_percent", SN_METRIC_GAUGE, "Space in use as df shows it, 0 to 100."},
};

/* Filesystems that are interfaces or views, as node_exporter leaves them out. Sorted for reading. */
static const struct sn_str ignored_types[] = {
    SN_STR("autofs"),    SN_STR("binfmt_misc"), SN_STR("bpf"),        SN_STR("cgroup"),
    SN_STR("cgroup2"),   SN_STR("configfs"),    SN_STR("debugfs"),    SN_STR("devpts"),
    SN_STR("devtmpfs"),  SN_STR("fusectl"),     SN_STR("hugetlbfs"),  SN_STR("iso9660"),
    SN_STR("mqueue"),    SN_STR("nsfs"),        SN_STR("overlay"),    SN_STR("proc"),
    SN_STR("procfs"),    SN_STR("pstore"),      SN_STR("rpc_pipefs"), SN_STR("securityfs"),
    SN_STR("selinuxfs"), SN_STR("squashfs"),    SN_STR("sysfs"),      SN_STR("tracefs"),
};

static bool is_octal(char c) {
    return c >= '0' && c <= '7';
}

/* Copy a field of mountinfo into the arena, NUL-terminated, with \ooo undone. */
static sn_status unescape(struct sn_arena *arena, struct sn_str field, struct sn_str *ret_text,
                          struct sn_err *err) {
    char *copy = sn_arena_alloc(arena, field.len + 1);
    if (copy == NULL)
        return sn_arena_failure(arena, field.len + 1, err);
    size_t len = 0;
    for (size_t i = 0; i < field.len;) {
        const char *at = field.ptr + i;
        if (at[0] == '\\' && field.len - i >= 4 && is_octal(at[1]) && is_octal(at[2]) &&
            is_octal(at[3])) {
            copy[len++] = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
            i += 4;
        } else {
            copy[len++] = at[0];
            i++;
        }
    }
    copy[len] = '\0';
    *ret_text = sn_str_make(copy, len);
    return SN_OK;
}

/* 36 35 98:0 /root /mountpoint rw,noatime shared:1 - ext3 /dev/root rw,errors=continue */
sn_status sn_mount_parse(struct sn_str line, struct sn_arena *arena, struct sn_mount *ret_mount,
                         struct sn_err *err) {
    struct sn_str fields[SN_SCAN_FIELDS_MAX];
    size_t count = sn_scan_fields(line, fields, SN_SCAN_FIELDS_MAX);
    size_t dash = 6; /* Optional fields, in unknown number, come before the dash. */
    while (dash < count && !sn_str_equal(fields[dash], SN_STR("-")))
        dash++;
    if (dash + 2 >= count)
        return sn_err_set(err, SN_ERR_CORRUPT, "mountinfo: no filesystem type in \"%.*s\"",
                          (int)(line.len < 100 ? line.len : 100), line.ptr);
    struct sn_mount mount;
    SN_TRY(unescape(arena, fields[4], &mount.mountpoint, err));
    SN_TRY(unescape(arena, fields[dash + 1], &mount.fstype, err));
    SN_TRY(unescape(arena, fields[dash + 2], &mount.device, err));
    *ret_mount = mount;
    return SN_OK;
}

const struct sn_mount sn_mount_unlisted_root = {
    .device = SN_STR("unknown"), .mountpoint = SN_STR("/"), .fstype = SN_STR("unknown")};

bool sn_mount_is_storage(const struct sn_mount *mount) {
    if (sn_str_equal(mount->mountpoint, SN_STR("/")))
        return true;
    for (size_t i = 0; i < sizeof ignored_types / sizeof ignored_types[0]; i++)
        if (sn_str_equal(mount->fstype, ignored_types[i]))
            return false;
    /* The same rule as node_exporter: what lives below these is not the host's storage. */
    return !sn_str_starts_with(mount->mountpoint, SN_STR("/dev/")) &&
           !sn_str_starts_with(mount->mountpoint, SN_STR("/proc/")) &&
           !sn_str_starts_with(mount->mountpoint, SN_STR("/sys/")) &&
           !sn_str_starts_with(mount->mountpoint, SN_STR("/var/lib/docker/"));
}

double sn_filesystem_used_percent(uint64_t blocks, uint64_t bfree, uint64_t bavail) {
    uint64_t used = blocks > bfree ? blocks - bfree : 0;
    uint64_t usable = used + bavail;
    return usable == 0 ? 0.0 : 100.0 * (double)used / (double)usable;
}

static sn_status add_sizes(struct sn_gather *gather, const struct sn_str *pairs,
                           const struct statvfs *sizes, struct sn_err *err) {
    double block = (double)sizes->f_frsize;
    const struct {
        struct sn_str metric;
        double value;
    } rows[] = {
        {SN_STR("node_filesystem_size_bytes"), (double)sizes->f_blocks * block},
        {SN_STR("node_filesystem_free_bytes"), (double)sizes->f_bfree * block},
        {SN_STR("node_filesystem_avail_bytes"), (double)sizes->f_bavail * block},
        {SN_STR("node_filesystem_files"), (double)sizes->f_files},
        {SN_STR("node_filesystem_files_free"), (double)sizes->f_ffree},
        {SN_STR("node_filesystem_readonly"), (sizes->f_flag & ST_RDONLY) != 0 ? 1 : 0},
        {SN_STR("sonde_host_disk_used_percent"),
         sn_filesystem_used_percent(sizes->f_blocks, sizes->f_bfree, sizes->f_bavail)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        SN_TRY(sn_gather_add(gather, rows[i].metric, pairs, 3, rows[i].value, err));
    return SN_OK;
}

static sn_status add_mount(struct sn_gather *gather, const struct sn_mount *mount,
                           struct sn_err *err) {
    const struct sn_str pairs[] = {SN_STR("device"), mount->device,        SN_STR("fstype"),
                                   mount->fstype,    SN_STR("mountpoint"), mount->mountpoint};
    struct statvfs sizes;
    bool is_readable = sn_os_statvfs(mount->mountpoint.ptr, &sizes) == 0;
    SN_TRY(sn_gather_add(gather, SN_STR("node_filesystem_device_error"), pairs, 3,
                         is_readable ? 0 : 1, err));
    return is_readable ? add_sizes(gather, pairs, &sizes, err) : SN_OK;
}

/* Whether a later line mounts over the same place: only the topmost mount can be seen. */
static bool is_covered(struct sn_str rest, struct sn_str mountpoint_field) {
    struct sn_str line, fields[5];
    while (sn_scan_line(&rest, &line))
        if (sn_scan_fields(line, fields, 5) == 5 && sn_str_equal(fields[4], mountpoint_field))
            return true;
    return false;
}

static sn_status collect(struct sn_gather *gather, void **state, struct sn_err *err) {
    (void)state;
    bool has_root = false;
    struct sn_str text, line;
    SN_TRY(sn_gather_read_proc(gather, "self/mountinfo", &text, err));
    while (sn_scan_line(&text, &line)) {
        struct sn_mount mount;
        SN_TRY(sn_mount_parse(line, &gather->batch.arena, &mount, err));
        if (!sn_mount_is_storage(&mount))
            continue;
        has_root = has_root || sn_str_equal(mount.mountpoint, SN_STR("/"));
        struct sn_str fields[5];
        if (sn_scan_fields(line, fields, 5) == 5 && is_covered(text, fields[4]))
            continue;
        SN_TRY(add_mount(gather, &mount, err));
    }
    return has_root ? SN_OK : add_mount(gather, &sn_mount_unlisted_root, err);
}

const struct sn_source sn_source_filesystem = {
    .name = "filesystem",
    .families = families,
    .family_count = sizeof families / sizeof families[0],
    .collect = collect,
};
