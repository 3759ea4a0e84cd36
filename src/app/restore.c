/*
 * `sonde restore BACKUP DIR`: make a data directory of a backup, and verify it.
 */
#include "app/command.h"
#include "app/copy_data.h"
#include "app/data_command.h"
#include "app/verify.h"
#include "base/os.h"
#include "model/data_dir.h"

#include <stdio.h>

enum { PATH_BYTES = 4096, LOG_NAME_BYTES = 64 };

static const char usage[] =
    "usage: sonde restore BACKUP DIR [-q]\n"
    "\n"
    "Copies a backup into a new data directory and verifies every byte of it. DIR must be new or\n"
    "empty. Then start the server with --data DIR. A data directory that was in use has logs, which\n"
    "a backup has not: it is refused.\n"
    "\n"
    "examples:\n"
    "  sonde restore /backup/sonde /var/lib/sonde\n"
    "  sonde restore /backup/sonde /tmp/look && sonde serve --data /tmp/look --access open\n";

static bool exists(const char *dir, const char *name) {
    char path[PATH_BYTES];
    struct stat info;
    int len = snprintf(path, sizeof path, "%s/%s", dir, name);
    return len > 0 && (size_t)len < sizeof path && sn_os_stat(path, &info) == 0;
}

struct seen {
    bool has_segments;
    bool has_records;
    bool has_others;
};

static bool see_name(void *ctx, const char *name) {
    static const char *const parts[] = {"wal", SN_RECORDS_DB_NAME ".part",
                                        SN_STORE_DB_NAME ".part"};
    struct seen *seen = ctx;
    struct sn_str text = sn_str_from(name);
    bool is_part = false;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        is_part |= sn_str_equal(text, sn_str_from(parts[i]));
    if (sn_str_equal(text, SN_STR("seg")))
        seen->has_segments = true;
    else if (sn_str_equal(text, SN_STR(SN_RECORDS_DB_NAME)))
        seen->has_records = true;
    else if (!is_part)
        seen->has_others = true;
    return !seen->has_others;
}

/*
 * A directory that a stopped restore has left has segments, perhaps records.db, and no sonde.db. One that
 * has records.db alone was made by `sonde admin`: its accounts are not overwritten.
 */
static bool is_left_by_restore(const struct seen *seen) {
    return !seen->has_others && (seen->has_segments || !seen->has_records);
}

/* The first log there is. */
static bool see_log(void *ctx, const char *name) {
    char *found = ctx;
    if (!sn_str_ends_with(sn_str_from(name), SN_STR(".log")))
        return true;
    (void)snprintf(found, LOG_NAME_BYTES, "wal/%s", name); /* cut: still says which directory */
    return false;
}

/* Samples and rows that only a log has are not copied: a backup has none there, see sonde backup. */
static sn_status check_is_whole(const char *backup, struct sn_err *err) {
    static const char *const logs[] = {SN_STORE_DB_NAME "-wal", SN_RECORDS_DB_NAME "-wal"};
    char path[PATH_BYTES], found[LOG_NAME_BYTES] = "";
    struct stat info;
    (void)snprintf(path, sizeof path, "%s/wal", backup); /* too long: it is not there */
    sn_status status = sn_os_list_dir(path, see_log, found, err);
    if (status != SN_OK && status != SN_ERR_NOT_FOUND)
        return status;
    for (size_t i = 0; i < sizeof logs / sizeof logs[0] && found[0] == '\0'; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", backup, logs[i]); /* the same */
        if (sn_os_stat(path, &info) == 0 && info.st_size > 0)
            (void)snprintf(found, sizeof found, "%s", logs[i]); /* fits */
    }
    if (found[0] == '\0')
        return SN_OK;
    return sn_err_set(err, SN_ERR_INVALID,
                      "%s is a data directory that was in use and not a backup: %s would be left "
                      "behind; make a backup of it with sonde backup",
                      backup, found);
}

static sn_status check(const char *backup, const char *dir, struct sn_err *err) {
    struct seen seen = {.has_others = false};
    if (!exists(backup, SN_STORE_DB_NAME))
        return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no backup in %s", backup);
    SN_TRY(check_is_whole(backup, err));
    sn_status status = sn_os_list_dir(dir, see_name, &seen, err);
    if (status == SN_ERR_NOT_FOUND)
        return SN_OK;
    if (status == SN_OK && !is_left_by_restore(&seen))
        return sn_err_set(err, SN_ERR_EXISTS, "%s is not empty", dir);
    return status;
}

static sn_status copy(const struct sn_data_command *command, struct sn_err *err) {
    struct sn_progress progress;
    sn_progress_init(&progress, "restore", NULL, command->options.is_quiet);
    sn_status status = sn_copy_data(command->options.words[0], command->options.words[1],
                                    sn_data_command_goes_on, &progress, err);
    sn_progress_clear(&progress);
    if (status == SN_OK)
        sn_progress_end(&progress);
    return status;
}

int sn_command_restore(int argc, char **argv) {
    struct sn_data_command command = {.name = "restore", .usage = usage, .words = 2};
    struct sn_verify_report report = {.bytes = 0};
    struct sn_err err = {.status = SN_OK};
    int code = SN_EXIT_OK;
    if (!sn_data_command_begin(&command, argc, argv, &code))
        return code;
    sn_status status = check(command.options.words[0], command.options.words[1], &err);
    if (status == SN_OK)
        status = copy(&command, &err);
    if (status == SN_ERR_CLOSED)
        return sn_data_command_fail(&command, status, &err, false,
                                    "run the same command again: it goes on where it stopped");
    if (status == SN_OK)
        status = sn_verify_data(command.options.words[1], command.options.is_quiet, &report, &err);
    if (status == SN_OK && report.damage_count > 0)
        status = sn_err_set(&err, SN_ERR_CORRUPT, "the backup is damaged in %llu places",
                            (unsigned long long)report.damage_count);
    if (status != SN_OK)
        return sn_data_command_fail(&command, status, &err, false, NULL);
    sn_command_print("%s: restored: %llu series, %llu samples\n", command.options.words[1],
                     (unsigned long long)report.series_count,
                     (unsigned long long)report.sample_count);
    return SN_EXIT_OK;
}
