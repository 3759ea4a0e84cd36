/*
 * `sonde export`: write samples to a file or to stdout. Reads a snapshot, so that what is written is one
 * moment, whoever writes meanwhile.
 */
#include "app/command.h"
#include "app/data_command.h"
#include "app/data_source.h"
#include "app/progress.h"
#include "base/os.h"
#include "query/parser.h"
#include "wire/json_series.h"
#include "wire/text_write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static const char usage[] =
    "usage: sonde export [--match SELECTOR]... [--start TIME] [--end TIME] [--format FORMAT]\n"
    "                    [--output FILE] [--data DIR | --url URL] [--config FILE]\n"
    "                    [--token-file FILE] [-q]\n"
    "\n"
    "  --match SELECTOR   series to write, as in PromQL; several are united [all]\n"
    "  --start, --end     RFC 3339 or Unix seconds, both included [all time]\n"
    "  --format FORMAT    jsonl: JSON lines, every bit of a value, histograms [default]\n"
    "                     prometheus: text format with milliseconds\n"
    "                     openmetrics: OpenMetrics with seconds\n"
    "  --output FILE      a new file [stdout]\n"
    "  --data, --url, --config, --token-file, -q   see: sonde backup --help\n"
    "\n"
    "Stale markers and native histograms are written as JSON lines only; exemplars are not written.\n"
    "\n"
    "examples:\n"
    "  sonde export --match '{job=\"api\"}' --start 2026-11-01T00:00:00Z --output api.jsonl\n"
    "  sonde export --format openmetrics | zstd > all.om.zst\n"
    "  sonde export --data ./data --match up --format prometheus\n";

enum format { FORMAT_JSONL, FORMAT_PROMETHEUS, FORMAT_OPENMETRICS };

#define SLICE_MS INT64_C(604800000) /* samples of one series in memory: a week at 1 s is 10 MB */
/* Histograms of one series in memory: where a slice has more it is halved. */
#define HISTOGRAM_BYTES ((size_t)64 << 20)
#define WRITE_BYTES ((size_t)1 << 20)
#define ARENA_BYTES ((size_t)2 << 30) /* labels of all series */

struct exporting {
    struct sn_data_command command;
    struct sn_data_source source;
    struct sn_store *store; /* of the snapshot */
    struct sn_reader reader;
    struct sn_arena arena;
    struct sn_range range;
    struct sn_progress progress;
    struct sn_samples samples;
    struct sn_histograms histograms;
    struct sn_buf out;
    enum format format;
    int fd;
    struct sn_str metric; /* whose metadata was written last */
    uint64_t stale_count;
    uint64_t histogram_count;
};

/* ---- output ---- */

static sn_status write_out(struct exporting *exporting, struct sn_err *err) {
    SN_TRY(sn_buf_status(&exporting->out, err));
    if (sn_os_write_all(exporting->fd, exporting->out.ptr, exporting->out.len) != 0)
        return sn_err_set_errno(
            err, errno, "cannot write %s",
            exporting->command.options.output ? exporting->command.options.output : "to stdout");
    exporting->progress.done_bytes += exporting->out.len;
    sn_buf_reset(&exporting->out);
    return SN_OK;
}

static void put_metadata(struct exporting *exporting, struct sn_labels labels) {
    struct sn_str name = sn_labels_get(labels, SN_LABEL_METRIC_NAME);
    struct sn_metadata metadata;
    if (exporting->format == FORMAT_JSONL || sn_str_equal(name, exporting->metric))
        return;
    exporting->metric = name;
    if (exporting->reader.metadata(exporting->reader.ctx, name, &exporting->arena, &metadata))
        sn_text_write_metadata(exporting->format == FORMAT_OPENMETRICS ? SN_TEXT_OPENMETRICS
                                                                       : SN_TEXT_PROMETHEUS,
                               &metadata, &exporting->out);
}

static void put_text(struct exporting *exporting, struct sn_labels labels) {
    enum sn_text_format format =
        exporting->format == FORMAT_OPENMETRICS ? SN_TEXT_OPENMETRICS : SN_TEXT_PROMETHEUS;
    const struct sn_samples *samples = &exporting->samples;
    for (size_t i = 0; i < samples->count; i++) {
        if (sn_is_stale(samples->value[i])) {
            exporting->stale_count++;
            continue;
        }
        sn_text_write_series(labels, &exporting->out);
        sn_text_write_sample(format, samples->time_ms[i], samples->value[i], &exporting->out);
    }
}

static void put_lines(struct exporting *exporting, struct sn_labels labels) {
    const struct sn_samples *samples = &exporting->samples;
    for (size_t at = 0; at < samples->count; at += SN_JSON_SERIES_SAMPLES_MAX) {
        size_t count = samples->count - at;
        if (count > SN_JSON_SERIES_SAMPLES_MAX)
            count = SN_JSON_SERIES_SAMPLES_MAX;
        sn_json_series_write(labels, samples, at, count, &exporting->out);
    }
}

/* ---- series ---- */

/* Behind each slice: write when there is enough, tell, and see whether to stop. */
static sn_status end_slice(struct exporting *exporting, size_t count, struct sn_err *err) {
    exporting->progress.count += count;
    if (exporting->out.len >= WRITE_BYTES)
        SN_TRY(write_out(exporting, err));
    sn_progress_step(&exporting->progress);
    if (!sn_data_command_goes_on())
        return sn_err_set(err, SN_ERR_CLOSED, "stopped");
    return SN_OK;
}

static sn_status export_slice(struct exporting *exporting, const struct sn_read_series *series,
                              struct sn_range slice, struct sn_err *err) {
    struct sn_samples *samples = &exporting->samples;
    sn_samples_reset(samples);
    SN_TRY(exporting->reader.samples(exporting->reader.ctx, series->id, slice, samples, err));
    if (samples->count == 0)
        return SN_OK;
    put_metadata(exporting, series->labels);
    if (exporting->format == FORMAT_JSONL)
        put_lines(exporting, series->labels);
    else
        put_text(exporting, series->labels);
    return end_slice(exporting, samples->count, err);
}

static sn_status put_histograms(struct exporting *exporting, const struct sn_read_series *series,
                                struct sn_err *err) {
    const struct sn_histograms *histograms = &exporting->histograms;
    if (exporting->format != FORMAT_JSONL) {
        exporting->histogram_count += histograms->count;
        return SN_OK;
    }
    for (size_t at = 0; at < histograms->count;)
        at += sn_json_series_write_histograms(series->labels, histograms, at, &exporting->out);
    return histograms->count > 0 ? end_slice(exporting, histograms->count, err) : SN_OK;
}

/* A slice, in smaller ones where it has more histograms than there is room for. */
static sn_status export_histograms(struct exporting *exporting, const struct sn_read_series *series,
                                   struct sn_range slice, struct sn_err *err) {
    int64_t at = slice.start_ms;
    int64_t width_ms = slice.end_ms - slice.start_ms + 1;
    while (at <= slice.end_ms) {
        int64_t end_ms = width_ms <= slice.end_ms - at ? at + width_ms - 1 : slice.end_ms;
        sn_histograms_reset(&exporting->histograms);
        sn_status status = exporting->reader.histograms(exporting->reader.ctx, series->id,
                                                        (struct sn_range){at, end_ms},
                                                        &exporting->histograms, err);
        if (status == SN_ERR_LIMIT && width_ms > 1) {
            width_ms = (width_ms + 1) / 2;
            continue;
        }
        SN_TRY(status);
        SN_TRY(put_histograms(exporting, series, err));
        at = end_ms + 1;
    }
    return SN_OK;
}

static sn_status export_series(struct exporting *exporting, const struct sn_read_series *series,
                               struct sn_err *err) {
    struct sn_range range = exporting->range;
    for (int64_t at = range.start_ms; at <= range.end_ms; at += SLICE_MS) {
        struct sn_range slice = {at, at + SLICE_MS - 1};
        if (slice.end_ms > range.end_ms)
            slice.end_ms = range.end_ms;
        SN_TRY(export_slice(exporting, series, slice, err));
        if (exporting->reader.histograms)
            SN_TRY(export_histograms(exporting, series, slice, err));
    }
    return SN_OK;
}

/* Series of a selector that none of the selectors before it has. */
static sn_status export_selector(struct exporting *exporting, const struct sn_expr *exprs, size_t i,
                                 struct sn_err *err) {
    struct sn_series_list list;
    const struct sn_node *node = exprs[i].root;
    const struct sn_select select = {.matchers = node->vector.matchers,
                                     .matcher_count = node->vector.matcher_count,
                                     .range = exporting->range};
    SN_TRY(exporting->reader.select(exporting->reader.ctx, &select, &exporting->arena, &list, err));
    SN_TRY(sn_expr_regex_status(&exprs[i], err));
    for (size_t k = 0; k < list.count; k++) {
        bool is_done = false;
        for (size_t before = 0; before < i && !is_done; before++)
            is_done =
                sn_matchers_pass(exprs[before].root->vector.matchers,
                                 exprs[before].root->vector.matcher_count, list.items[k].labels);
        if (!is_done)
            SN_TRY(export_series(exporting, &list.items[k], err));
    }
    return SN_OK;
}

static sn_status export_all(struct exporting *exporting, struct sn_err *err) {
    static const char *const everything[] = {"{__name__!=\"\"}"};
    const struct sn_tool_options *options = &exporting->command.options;
    const char *const *texts = options->match_count > 0 ? options->matches : everything;
    size_t count = options->match_count > 0 ? options->match_count : 1;
    struct sn_expr exprs[SN_TOOL_MATCHES_MAX] = {{.root = NULL}};
    sn_status status = SN_OK;
    for (size_t i = 0; i < count && status == SN_OK; i++) {
        status = sn_expr_parse_selector(sn_str_from(texts[i]), &exporting->arena, &exprs[i], err);
        if (status == SN_OK)
            status = sn_expr_compile(&exprs[i], err);
        if (status != SN_OK)
            sn_err_prefix(err, "--match %s", texts[i]);
    }
    for (size_t i = 0; i < count && status == SN_OK; i++)
        status = export_selector(exporting, exprs, i, err);
    for (size_t i = 0; i < count; i++) {
        if (exprs[i].root)
            sn_expr_release(&exprs[i]);
    }
    if (status == SN_OK && exporting->format == FORMAT_OPENMETRICS)
        sn_buf_put_text(&exporting->out, "# EOF\n");
    return status == SN_OK ? write_out(exporting, err) : status;
}

/* ---- from begin to end ---- */

static sn_status parse_format(struct exporting *exporting, struct sn_err *err) {
    static const char *const names[] = {"jsonl", "prometheus", "openmetrics"};
    const char *text = exporting->command.options.format;
    for (int i = 0; i < 3; i++) {
        if (text == NULL || strcmp(text, names[i]) == 0) {
            exporting->format = (enum format)i;
            return SN_OK;
        }
    }
    return sn_err_set(err, SN_ERR_INVALID, "\"%s\" is none of jsonl, prometheus, openmetrics",
                      text);
}

static sn_status open_output(struct exporting *exporting, struct sn_err *err) {
    const char *path = exporting->command.options.output;
    exporting->fd = path == NULL ? 1 : sn_os_open(path, O_WRONLY | O_CREAT | O_EXCL, 0640);
    if (exporting->fd < 0)
        return sn_err_set_errno(err, errno, "cannot create %s", path);
    return SN_OK;
}

static sn_status close_output(struct exporting *exporting, sn_status status, struct sn_err *err) {
    const char *path = exporting->command.options.output;
    if (path == NULL || exporting->fd < 0)
        return status;
    if (status == SN_OK && sn_os_fsync(exporting->fd) != 0)
        status = sn_err_set_errno(err, errno, "cannot sync %s", path);
    if (sn_os_close(exporting->fd) != 0 && status == SN_OK)
        status = sn_err_set_errno(err, errno, "cannot write %s", path);
    if (status != SN_OK)
        (void)sn_os_unlink(path); /* half an export is none */
    return status;
}

/* No further than what there is: slices of empty time cost nothing then. */
static void clip_range(struct exporting *exporting) {
    struct sn_admin admin = sn_store_admin(exporting->store);
    struct sn_storage storage;
    admin.storage(admin.ctx, &storage);
    if (exporting->range.start_ms < storage.time_min)
        exporting->range.start_ms = storage.time_min;
    if (exporting->range.end_ms > storage.time_max)
        exporting->range.end_ms = storage.time_max;
}

static sn_status open_snapshot(struct exporting *exporting, struct sn_err *err) {
    const struct sn_store_options options = {
        .dir = exporting->source.snapshot.path, .retention_ms = -1, .compact_window_ms = -1};
    SN_TRY(sn_store_open(&options, &exporting->store, err));
    exporting->reader = sn_store_reader(exporting->store);
    clip_range(exporting);
    return SN_OK;
}

static sn_status run(struct exporting *exporting, struct sn_err *err) {
    SN_TRY(parse_format(exporting, err));
    SN_TRY(sn_tool_options_range(&exporting->command.options, &exporting->range, err));
    SN_TRY(sn_data_source_open(&exporting->source, &exporting->command.options, err));
    SN_TRY(open_snapshot(exporting, err));
    SN_TRY(open_output(exporting, err));
    return close_output(exporting, export_all(exporting, err), err);
}

static void tell_left_out(const struct exporting *exporting) {
    char text[160];
    if (exporting->stale_count > 0 && !exporting->progress.is_quiet) {
        (void)snprintf(text, sizeof text,
                       "%llu stale markers were not written: the format has none",
                       (unsigned long long)exporting->stale_count); /* it fits */
        sn_command_complain("export", text, NULL);
    }
    if (exporting->histogram_count > 0 && !exporting->progress.is_quiet) {
        (void)snprintf(text, sizeof text,
                       "%llu native histograms were not written: only JSON lines have them",
                       (unsigned long long)exporting->histogram_count); /* it fits */
        sn_command_complain("export", text, NULL);
    }
}

int sn_command_export(int argc, char **argv) {
    static struct exporting exporting; /* large */
    struct sn_err err = {.status = SN_OK};
    int code = SN_EXIT_OK;
    exporting =
        (struct exporting){.fd = -1,
                           .command = {.name = "export",
                                       .usage = usage,
                                       .allowed = SN_TOOL_DATA | SN_TOOL_SERVER | SN_TOOL_SELECT |
                                                  SN_TOOL_FORMAT | SN_TOOL_OUTPUT}};
    if (!sn_data_command_begin(&exporting.command, argc, argv, &code))
        return code;
    sn_progress_init(&exporting.progress, "export", "samples", exporting.command.options.is_quiet);
    sn_arena_init(&exporting.arena, ARENA_BYTES);
    sn_samples_init(&exporting.samples);
    sn_histograms_init(&exporting.histograms, HISTOGRAM_BYTES);
    sn_buf_init(&exporting.out, 0);
    sn_status status = run(&exporting, &err);
    bool is_unreachable =
        status != SN_OK && exporting.source.has_remote && exporting.source.remote.is_unreachable;
    exporting.store = sn_store_close(exporting.store);
    sn_data_source_close(&exporting.source);
    sn_progress_clear(&exporting.progress);
    if (status == SN_OK)
        sn_progress_end(&exporting.progress);
    else
        code =
            sn_data_command_fail(&exporting.command, status, &err, is_unreachable,
                                 status == SN_ERR_CLOSED ? "nothing is left; run it again" : NULL);
    tell_left_out(&exporting);
    sn_buf_release(&exporting.out);
    sn_histograms_release(&exporting.histograms);
    sn_samples_release(&exporting.samples);
    sn_arena_release(&exporting.arena);
    return code;
}
