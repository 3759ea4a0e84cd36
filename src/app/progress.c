/* The line of long work. See progress.h. */
#include "app/progress.h"

#include "base/os.h"

#include <stdlib.h>
#include <unistd.h>

#define TERMINAL_EVERY_NS INT64_C(250000000)
#define PLAIN_EVERY_NS INT64_C(10000000000)
#define SECOND_NS INT64_C(1000000000)
enum { BAR_CELLS = 12 };

static bool is_utf8_locale(void) {
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value == NULL || *value == '\0')
            continue;
        struct sn_str text = sn_str_from(value);
        return sn_str_ends_with(text, SN_STR("UTF-8")) || sn_str_ends_with(text, SN_STR("utf8"));
    }
    return false;
}

void sn_progress_init(struct sn_progress *progress, const char *verb, const char *unit,
                      bool is_quiet) {
    *progress = (struct sn_progress){.verb = verb,
                                     .unit = unit,
                                     .clock = sn_clock_system(),
                                     .is_quiet = is_quiet,
                                     .is_terminal = isatty(STDERR_FILENO) == 1,
                                     .is_utf8 = is_utf8_locale()};
    progress->start_ns = sn_clock_mono_ns(progress->clock);
    progress->shown_ns = progress->start_ns;
}

/* ---- texts ---- */

/* Three digits and a decimal unit: "987", "12.4 k", "1.10 M" is "1.1 M". No %f: the locale. */
static void put_scaled(struct sn_buf *buf, uint64_t number, const char *const units[5]) {
    uint64_t scale = 1;
    int unit = 0;
    while (unit < 4 && number / scale >= 1000) {
        scale *= 1000;
        unit++;
    }
    uint64_t tenths = scale > 1 ? number / (scale / 10) : number * 10;
    if (unit == 0 || tenths >= 1000)
        sn_buf_printf(buf, "%llu", (unsigned long long)(tenths / 10));
    else
        sn_buf_printf(buf, "%llu.%llu", (unsigned long long)(tenths / 10),
                      (unsigned long long)(tenths % 10));
    sn_buf_put_text(buf, units[unit]);
}

static void put_count(struct sn_buf *buf, uint64_t number) {
    static const char *const units[5] = {"", " k", " M", " G", " T"};
    put_scaled(buf, number, units);
}

static void put_bytes(struct sn_buf *buf, uint64_t number) {
    static const char *const units[5] = {" B", " kB", " MB", " GB", " TB"};
    put_scaled(buf, number, units);
}

static void put_time(struct sn_buf *buf, int64_t seconds) {
    if (seconds >= 3600)
        sn_buf_printf(buf, "%lld:%02lld:%02lld", (long long)(seconds / 3600),
                      (long long)(seconds / 60 % 60), (long long)(seconds % 60));
    else
        sn_buf_printf(buf, "%lld:%02lld", (long long)(seconds / 60), (long long)(seconds % 60));
}

static uint64_t per_second(uint64_t number, int64_t elapsed_ns) {
    return elapsed_ns > 0 ? (uint64_t)((double)number * 1e9 / (double)elapsed_ns) : 0;
}

static void put_bar(const struct sn_progress *progress, struct sn_buf *buf) {
    double share = (double)progress->done_bytes / (double)progress->total_bytes;
    if (share > 1)
        share = 1;
    int full = (int)(share * BAR_CELLS + 0.5);
    sn_buf_put_text(buf, "  ");
    for (int i = 0; i < BAR_CELLS; i++) {
        if (progress->is_utf8)
            sn_buf_put_text(buf, i < full ? "\xe2\x96\x88" : "\xe2\x96\x91");
        else
            sn_buf_put_text(buf, i < full ? "#" : "-");
    }
    sn_buf_printf(buf, " %d %%", (int)(share * 100));
}

static void put_left(const struct sn_progress *progress, int64_t elapsed_ns, struct sn_buf *buf) {
    if (progress->done_bytes == 0 || progress->done_bytes >= progress->total_bytes)
        return;
    double left = (double)(progress->total_bytes - progress->done_bytes);
    double seconds = (double)elapsed_ns / 1e9 * left / (double)progress->done_bytes;
    sn_buf_put_text(buf, "  ");
    put_time(buf, seconds < 1e9 ? (int64_t)(seconds + 0.5) : 999999999);
    sn_buf_put_text(buf, " left");
}

void sn_progress_format(const struct sn_progress *progress, int64_t now_ns, struct sn_buf *buf) {
    int64_t elapsed_ns = now_ns - progress->start_ns;
    bool has_total = progress->total_bytes > 0;
    sn_buf_put_text(buf, progress->verb);
    if (has_total)
        put_bar(progress, buf);
    if (progress->unit != NULL) {
        sn_buf_put_text(buf, "  ");
        put_count(buf, progress->count);
        sn_buf_printf(buf, " %s  ", progress->unit);
        put_count(buf, per_second(progress->count, elapsed_ns));
        sn_buf_put_text(buf, "/s");
    }
    sn_buf_put_text(buf, "  ");
    put_bytes(buf, progress->done_bytes);
    if (has_total) {
        sn_buf_put_text(buf, " of ");
        put_bytes(buf, progress->total_bytes);
        put_left(progress, elapsed_ns, buf);
    } else {
        sn_buf_put_text(buf, "  ");
        put_time(buf, elapsed_ns / SECOND_NS);
    }
}

void sn_progress_summarise(const struct sn_progress *progress, int64_t now_ns, struct sn_buf *buf) {
    int64_t elapsed_ns = now_ns - progress->start_ns;
    sn_buf_printf(buf, "%s: ", progress->verb);
    if (progress->unit != NULL) {
        put_count(buf, progress->count);
        sn_buf_printf(buf, " %s, ", progress->unit);
    }
    put_bytes(buf, progress->done_bytes);
    sn_buf_put_text(buf, " in ");
    put_time(buf, elapsed_ns / SECOND_NS);
    sn_buf_put_text(buf, ", ");
    if (progress->unit != NULL)
        put_count(buf, per_second(progress->count, elapsed_ns));
    else
        put_bytes(buf, per_second(progress->done_bytes, elapsed_ns));
    sn_buf_put_text(buf, "/s");
}

/* ---- showing ---- */

static void write_out(struct sn_buf *buf) {
    /* A terminal that has gone away is no reason to stop the work. */
    (void)sn_os_write_all(STDERR_FILENO, buf->ptr, buf->len);
    sn_buf_release(buf);
}

void sn_progress_clear(struct sn_progress *progress) {
    struct sn_buf buf;
    if (!progress->has_line)
        return;
    sn_buf_init(&buf, 0);
    sn_buf_put_text(&buf, "\r\x1b[K");
    write_out(&buf);
    progress->has_line = false;
}

void sn_progress_step(struct sn_progress *progress) {
    int64_t now_ns = sn_clock_mono_ns(progress->clock);
    int64_t every_ns = progress->is_terminal ? TERMINAL_EVERY_NS : PLAIN_EVERY_NS;
    struct sn_buf buf;
    if (progress->is_quiet || now_ns - progress->shown_ns < every_ns)
        return;
    progress->shown_ns = now_ns;
    sn_buf_init(&buf, 0);
    if (progress->is_terminal)
        sn_buf_put_text(&buf, "\r");
    sn_progress_format(progress, now_ns, &buf);
    sn_buf_put_text(&buf, progress->is_terminal ? "\x1b[K" : "\n");
    progress->has_line = progress->is_terminal;
    write_out(&buf);
}

void sn_progress_end(struct sn_progress *progress) {
    struct sn_buf buf;
    sn_progress_clear(progress);
    if (progress->is_quiet)
        return;
    sn_buf_init(&buf, 0);
    sn_progress_summarise(progress, sn_clock_mono_ns(progress->clock), &buf);
    sn_buf_put_text(&buf, "\n");
    write_out(&buf);
}
