/*
 * One JSON document about the host, now. See host_status.h.
 */
#include "collect/host_status.h"

#include "base/os.h"
#include "collect/host_filesystem.h"
#include "collect/host_memory.h"
#include "collect/process.h"
#include "collect/scan.h"

/* Two CPU readings closer than this say nothing: the kernel counts in steps of 10 ms. */
#define CPU_TICKS_BETWEEN_MIN 5

/* What one call works with: dies with it. */
struct taking {
    const struct sn_host_status *status;
    struct sn_json_writer *json;
    struct sn_arena arena;
    struct sn_buf file;
};

static sn_status read_proc(struct sn_buf *file, const char *root, const char *name,
                           struct sn_str *ret_text, struct sn_err *err) {
    struct sn_buf path;
    sn_buf_init(&path, 0);
    sn_buf_printf(&path, "%s/%s", root, name);
    sn_buf_put_byte(&path, 0);
    sn_status status = sn_buf_status(&path, err);
    sn_buf_reset(file);
    if (status == SN_OK)
        status = sn_os_read_file((const char *)path.ptr, file, err);
    sn_buf_release(&path);
    if (status == SN_OK)
        *ret_text = sn_buf_str(file);
    return status;
}

static sn_status take(struct taking *t, const char *name, struct sn_str *ret_text,
                      struct sn_err *err) {
    return read_proc(&t->file, t->status->roots.proc, name, ret_text, err);
}

sn_status sn_host_status_init(struct sn_host_status *status, struct sn_collect_roots roots,
                              const struct sn_clock *clock, struct sn_err *err) {
    memset(status, 0, sizeof *status);
    status->roots = roots;
    status->clock = clock ? clock : sn_clock_system();
    sn_mutex_init(&status->mu, SN_RANK_COLLECT, "host-status");
    struct sn_buf file;
    struct sn_str text;
    sn_buf_init(&file, SN_COLLECT_FILE_BYTES_MAX);
    sn_status result = read_proc(&file, roots.proc, "stat", &text, err);
    if (result == SN_OK)
        result = sn_cpu_ticks_parse(text, &status->previous, err);
    sn_buf_release(&file);
    if (result != SN_OK)
        sn_mutex_release(&status->mu);
    return result;
}

void sn_host_status_release(struct sn_host_status *status) {
    sn_mutex_release(&status->mu);
}

static uint64_t ticks_total(const struct sn_cpu_ticks *ticks) {
    uint64_t total = 0;
    for (size_t i = 0; i < SN_CPU_MODES; i++)
        total += ticks->mode[i];
    return total;
}

/* Busy share since the previous call; calls in quick succession get the same answer. */
static double cpu_percent_since(struct sn_host_status *status, const struct sn_cpu_ticks *now) {
    sn_mutex_lock(&status->mu);
    if (ticks_total(now) >= ticks_total(&status->previous) + CPU_TICKS_BETWEEN_MIN) {
        status->cpu_percent = sn_cpu_busy_percent(&status->previous, now);
        status->previous = *now;
    }
    double percent = status->cpu_percent;
    sn_mutex_unlock(&status->mu);
    return percent;
}

static sn_status write_cpu(struct taking *t, struct sn_host_status *status, struct sn_err *err) {
    static const struct sn_str keys[] = {SN_STR("load1"), SN_STR("load5"), SN_STR("load15")};
    struct sn_str text;
    struct sn_cpu_ticks ticks;
    SN_TRY(take(t, "stat", &text, err));
    SN_TRY(sn_cpu_ticks_parse(text, &ticks, err));
    sn_json_write_key(t->json, SN_STR("cpu"));
    sn_json_write_object_begin(t->json);
    sn_json_write_key_double(t->json, SN_STR("percent"), cpu_percent_since(status, &ticks));
    sn_json_write_key_int64(t->json, SN_STR("count"), sn_os_cpu_count());
    SN_TRY(take(t, "loadavg", &text, err));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct sn_str field;
        double load;
        if (sn_scan_field(&text, &field) && sn_scan_double(field, &load))
            sn_json_write_key_double(t->json, keys[i], load);
    }
    sn_json_write_object_end(t->json);
    return SN_OK;
}

static sn_status write_memory(struct taking *t, struct sn_err *err) {
    struct sn_str text;
    struct sn_memory_use use;
    SN_TRY(take(t, "meminfo", &text, err));
    SN_TRY(sn_memory_use_parse(text, &use, err));
    sn_json_write_key(t->json, SN_STR("memory"));
    sn_json_write_object_begin(t->json);
    sn_json_write_key_uint64(t->json, SN_STR("total_bytes"), use.total_bytes);
    sn_json_write_key_uint64(t->json, SN_STR("available_bytes"), use.available_bytes);
    sn_json_write_key_uint64(t->json, SN_STR("used_bytes"), use.total_bytes - use.available_bytes);
    sn_json_write_key_double(t->json, SN_STR("percent"), sn_memory_used_percent(&use));
    sn_json_write_object_end(t->json);
    sn_json_write_key(t->json, SN_STR("swap"));
    sn_json_write_object_begin(t->json);
    sn_json_write_key_uint64(t->json, SN_STR("total_bytes"), use.swap_total_bytes);
    sn_json_write_key_uint64(t->json, SN_STR("used_bytes"),
                             use.swap_total_bytes - use.swap_free_bytes);
    sn_json_write_object_end(t->json);
    return SN_OK;
}

/* Filesystems that ask another machine, which may never answer. */
static bool is_network(struct sn_str fstype) {
    return sn_str_starts_with(fstype, SN_STR("nfs")) ||
           sn_str_starts_with(fstype, SN_STR("fuse")) ||
           sn_str_starts_with(fstype, SN_STR("smb")) ||
           sn_str_starts_with(fstype, SN_STR("ceph")) || sn_str_equal(fstype, SN_STR("cifs")) ||
           sn_str_equal(fstype, SN_STR("9p")) || sn_str_equal(fstype, SN_STR("afs")) ||
           sn_str_equal(fstype, SN_STR("glusterfs"));
}

static void write_disk(struct sn_json_writer *json, const struct sn_mount *mount,
                       const struct statvfs *sizes) {
    uint64_t block = sizes->f_frsize;
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("device"), mount->device);
    sn_json_write_key_string(json, SN_STR("mountpoint"), mount->mountpoint);
    sn_json_write_key_string(json, SN_STR("fstype"), mount->fstype);
    sn_json_write_key_uint64(json, SN_STR("total_bytes"), sizes->f_blocks * block);
    sn_json_write_key_uint64(json, SN_STR("available_bytes"), sizes->f_bavail * block);
    sn_json_write_key_double(
        json, SN_STR("percent"),
        sn_filesystem_used_percent(sizes->f_blocks, sizes->f_bfree, sizes->f_bavail));
    sn_json_write_object_end(json);
}

/* A mount that cannot be asked, or that has no blocks, has no size to show. */
static void write_mount(struct sn_json_writer *json, const struct sn_mount *mount) {
    struct statvfs sizes;
    if (sn_os_statvfs(mount->mountpoint.ptr, &sizes) == 0 && sizes.f_blocks > 0)
        write_disk(json, mount, &sizes);
}

static sn_status write_disks(struct taking *t, struct sn_err *err) {
    bool has_root = false;
    struct sn_str text, line;
    SN_TRY(take(t, "self/mountinfo", &text, err));
    sn_json_write_key(t->json, SN_STR("disks"));
    sn_json_write_array_begin(t->json);
    while (sn_scan_line(&text, &line)) {
        struct sn_mount mount;
        SN_TRY(sn_mount_parse(line, &t->arena, &mount, err));
        if (!sn_mount_is_storage(&mount) || is_network(mount.fstype))
            continue;
        has_root = has_root || sn_str_equal(mount.mountpoint, SN_STR("/"));
        write_mount(t->json, &mount);
    }
    if (!has_root)
        write_mount(t->json, &sn_mount_unlisted_root);
    sn_json_write_array_end(t->json);
    return SN_OK;
}

static sn_status write_process(struct taking *t, struct sn_err *err) {
    struct sn_str text;
    struct sn_process_use use;
    SN_TRY(take(t, "self/stat", &text, err));
    SN_TRY(sn_process_use_parse(text, sn_os_page_size(), &use, err));
    sn_json_write_key(t->json, SN_STR("process"));
    sn_json_write_object_begin(t->json);
    sn_json_write_key_int64(t->json, SN_STR("pid"), sn_os_pid());
    sn_json_write_key_double(t->json, SN_STR("cpu_seconds"), use.cpu_seconds);
    sn_json_write_key_uint64(t->json, SN_STR("resident_bytes"), use.resident_bytes);
    sn_json_write_key_uint64(t->json, SN_STR("threads"), use.thread_count);
    sn_json_write_object_end(t->json);
    return SN_OK;
}

static sn_status write_head(struct taking *t, struct sn_err *err) {
    char time_text[SN_TIME_TEXT_SIZE];
    struct sn_str text, field;
    double uptime;
    sn_time_format(sn_clock_wall_ms(t->status->clock), time_text);
    sn_json_write_key_string(t->json, SN_STR("timestamp"), sn_str_from(time_text));
    SN_TRY(take(t, "sys/kernel/hostname", &text, err));
    sn_json_write_key_string(t->json, SN_STR("hostname"), sn_str_trim(text));
    SN_TRY(take(t, "uptime", &text, err));
    if (sn_scan_field(&text, &field) && sn_scan_double(field, &uptime))
        sn_json_write_key_double(t->json, SN_STR("uptime_seconds"), uptime);
    return SN_OK;
}

static sn_status write_parts(struct taking *t, struct sn_host_status *status, struct sn_err *err) {
    SN_TRY(write_head(t, err));
    SN_TRY(write_cpu(t, status, err));
    SN_TRY(write_memory(t, err));
    SN_TRY(write_disks(t, err));
    return write_process(t, err);
}

sn_status sn_host_status_write(struct sn_host_status *status, struct sn_json_writer *json,
                               struct sn_err *err) {
    struct taking t = {.status = status, .json = json};
    sn_arena_init(&t.arena, SN_COLLECT_FILE_BYTES_MAX);
    sn_buf_init(&t.file, SN_COLLECT_FILE_BYTES_MAX);
    sn_json_write_object_begin(json);
    sn_status result = write_parts(&t, status, err);
    sn_json_write_object_end(json);
    sn_buf_release(&t.file);
    sn_arena_release(&t.arena);
    return result;
}
