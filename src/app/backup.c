/*
 * `sonde backup DIR`: copy a snapshot of the data to a directory; a second time only what is new.
 */
#include "app/command.h"
#include "app/copy_data.h"
#include "app/data_command.h"
#include "app/data_source.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static const char usage[] =
    "usage: sonde backup DIR [--data DIR | --url URL] [--config FILE] [--token-file FILE] [-q]\n"
    "\n"
    "Copies everything that was acknowledged before the call to DIR, while the server runs or\n"
    "without one. A backup in DIR is brought up to date: only what is new is copied. DIR is a data\n"
    "directory of its own: see `sonde restore` and `sonde verify`.\n"
    "\n"
    "  --data DIR         the data directory [" SN_CONFIG_DATA_DEFAULT "]\n"
    "  --url URL          the server that has it open [SONDE_URL, http://" SN_CONFIG_LISTEN_DEFAULT
    "]\n"
    "  --config FILE      settings of the server, for both\n"
    "  --token-file FILE  an administrator's token [SONDE_TOKEN]\n"
    "  -q                 no progress\n"
    "\n"
    "examples:\n"
    "  sonde backup /backup/sonde\n"
    "  sonde backup /backup/sonde --url http://127.0.0.1:9500 --token-file ~/.sonde-token\n"
    "  sonde backup /backup/sonde --data ./data\n";

static bool note_name(void *ctx, const char *name) {
    bool *is_empty = ctx;
    (void)name;
    *is_empty = false;
    return false;
}

static bool exists(const char *dir, const char *name) {
    char path[4096];
    struct stat info;
    int len = snprintf(path, sizeof path, "%s/%s", dir, name);
    return len > 0 && (size_t)len < sizeof path && sn_os_stat(path, &info) == 0;
}

#define MARKER "BACKUP"

static bool note_log(void *ctx, const char *name) {
    bool *has_log = ctx;
    *has_log = *has_log || sn_str_ends_with(sn_str_from(name), SN_STR(".log"));
    return true;
}

/* A server was started on the backup, and what it took since is in there only. */
static bool has_log(const char *dir) {
    char path[4096];
    bool found = false;
    int len = snprintf(path, sizeof path, "%s/wal", dir);
    if (len > 0 && (size_t)len < sizeof path)
        (void)(sn_os_list_dir(path, note_log, &found, NULL) == SN_OK); /* none: no logs */
    return found;
}

/* New, empty, or a backup, which has a file that says so. */
static sn_status check_target(const char *dir, struct sn_err *err) {
    bool is_empty = true;
    sn_status status = sn_os_list_dir(dir, note_name, &is_empty, err);
    if (status == SN_ERR_NOT_FOUND || (status == SN_OK && is_empty))
        return SN_OK;
    SN_TRY(status);
    if (!exists(dir, MARKER))
        return sn_err_set(err, SN_ERR_EXISTS, "%s is not empty and holds no backup", dir);
    if (has_log(dir))
        return sn_err_set(err, SN_ERR_EXISTS,
                          "a server has written to the backup in %s: it is not overwritten", dir);
    return SN_OK;
}

static sn_status mark(const char *dir, struct sn_err *err) {
    static const char text[] = "A backup by `sonde backup`, which may overwrite this directory.\n";
    char path[4096];
    SN_TRY(sn_os_make_dirs(dir, err));
    int len = snprintf(path, sizeof path, "%s/" MARKER, dir);
    if (len <= 0 || (size_t)len >= sizeof path)
        return sn_err_set(err, SN_ERR_LIMIT, "the path %s is too long", dir);
    int fd = sn_os_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    if (fd < 0)
        return sn_err_set_errno(err, errno, "cannot create %s", path);
    int failed = sn_os_write_all(fd, text, sizeof text - 1);
    if (sn_os_close(fd) != 0 || failed != 0)
        return sn_err_set_errno(err, errno, "cannot write %s", path);
    return SN_OK;
}

int sn_command_backup(int argc, char **argv) {
    static struct sn_data_source source;
    struct sn_data_command command = {
        .name = "backup", .usage = usage, .allowed = SN_TOOL_DATA | SN_TOOL_SERVER, .words = 1};
    struct sn_err err = {.status = SN_OK};
    struct sn_progress progress;
    int code = SN_EXIT_OK;
    if (!sn_data_command_begin(&command, argc, argv, &code))
        return code;
    const char *dir = command.options.words[0];
    sn_progress_init(&progress, "backup", NULL, command.options.is_quiet);
    sn_status status = check_target(dir, &err);
    if (status == SN_OK)
        status = sn_data_source_open(&source, &command.options, &err);
    if (status == SN_OK)
        status = mark(dir, &err);
    bool is_unreachable = status != SN_OK && source.has_remote && source.remote.is_unreachable;
    if (status == SN_OK)
        status = sn_copy_data(source.snapshot.path, dir, sn_data_command_goes_on, &progress, &err);
    sn_data_source_close(&source);
    sn_progress_clear(&progress);
    if (status == SN_OK)
        sn_progress_end(&progress);
    else if (status == SN_ERR_CLOSED)
        code = sn_data_command_fail(&command, status, &err, false,
                                    "run the same command again: it goes on where it stopped");
    else
        code = sn_data_command_fail(&command, status, &err, is_unreachable, NULL);
    return code;
}
