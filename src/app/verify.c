/*
 * `sonde verify DIR`: read every byte of a data directory or a backup, and name what is damaged.
 */
#include "app/verify.h"

#include "app/command.h"
#include "app/data_command.h"
#include "base/os.h"

static const char usage[] =
    "usage: sonde verify DIR [-q]\n"
    "\n"
    "Reads every byte of a data directory that no server has open, or of a backup, and names what is\n"
    "damaged. Nothing is changed. To verify a running server, verify a backup of it.\n"
    "\n"
    "Exit status: 0 all is well, 6 damage was found, 5 there is no data, 1 it could not be read.\n"
    "\n"
    "examples:\n"
    "  sonde verify /backup/sonde\n"
    "  sonde verify /var/lib/sonde -q && echo good\n";

struct verifying {
    struct sn_progress progress;
    bool is_quiet;
};

static void found(void *ctx, bool is_damage, const char *sentence) {
    struct verifying *verifying = ctx;
    struct sn_buf buf;
    if (verifying->is_quiet && !is_damage)
        return;
    sn_progress_clear(&verifying->progress);
    sn_buf_init(&buf, 0);
    sn_buf_printf(&buf, "%s: %s\n", is_damage ? "damaged" : "note", sentence);
    (void)sn_os_write_all(2, buf.ptr, buf.len); /* a terminal that has gone away */
    sn_buf_release(&buf);
}

static bool step(void *ctx, uint64_t done_bytes, uint64_t total_bytes) {
    struct verifying *verifying = ctx;
    verifying->progress.done_bytes = done_bytes;
    verifying->progress.total_bytes = total_bytes;
    sn_progress_step(&verifying->progress);
    return sn_data_command_goes_on();
}

sn_status sn_verify_data(const char *dir, bool is_quiet, struct sn_verify_report *ret_report,
                         struct sn_err *err) {
    struct verifying verifying = {.is_quiet = is_quiet};
    const struct sn_verify_options options = {
        .dir = dir, .found = found, .step = step, .ctx = &verifying};
    sn_progress_init(&verifying.progress, "verify", NULL, is_quiet);
    sn_status status = sn_store_verify(&options, ret_report, err);
    sn_progress_clear(&verifying.progress);
    if (status == SN_OK)
        sn_progress_end(&verifying.progress);
    return status;
}

int sn_command_verify(int argc, char **argv) {
    struct sn_data_command command = {.name = "verify", .usage = usage, .words = 1};
    struct sn_verify_report report = {.bytes = 0};
    struct sn_err err = {.status = SN_OK};
    int code = SN_EXIT_OK;
    if (!sn_data_command_begin(&command, argc, argv, &code))
        return code;
    const char *dir = command.options.words[0];
    sn_status status = sn_verify_data(dir, command.options.is_quiet, &report, &err);
    if (status != SN_OK)
        return sn_data_command_fail(
            &command, status, &err, false,
            status == SN_ERR_BUSY ? "verify a backup of it: sonde backup DIR" : NULL);
    sn_command_print(
        "%s: %s: %llu series, %llu segments with %llu samples and %llu rollups, %llu logs with "
        "%llu samples, %llu damaged, %llu notes\n",
        dir, report.damage_count > 0 ? "damaged" : "ok", (unsigned long long)report.series_count,
        (unsigned long long)report.segment_count, (unsigned long long)report.sample_count,
        (unsigned long long)report.rollup_count, (unsigned long long)report.log_count,
        (unsigned long long)report.log_sample_count, (unsigned long long)report.damage_count,
        (unsigned long long)report.note_count);
    return report.damage_count > 0 ? SN_EXIT_BAD_DATA : SN_EXIT_OK;
}
