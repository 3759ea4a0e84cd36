/*
 * How fast a page is read: a page like that of node_exporter (about 100 bytes and 2 labels per
 * line of sample, one line of eight is HELP or TYPE), parsed alone and with the making of labels.
 *
 *   bench_wire_text [megabytes]
 */
#include "wire/text.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/rng.h"
#include "codec/number.h"

#include <inttypes.h>
#include <stdlib.h>

enum { ROUNDS = 7 };

static const char *const families[] = {
    "node_cpu_seconds_total",           "node_disk_io_time_seconds_total",
    "node_network_receive_bytes_total", "node_filesystem_avail_bytes",
    "node_hwmon_temp_celsius",          "node_systemd_unit_state",
};

static void put_family(struct sn_buf *page, struct sn_rng *rng, const char *name) {
    sn_buf_printf(page, "# HELP %s Seconds that something spent in each mode, or bytes.\n", name);
    sn_buf_printf(page, "# TYPE %s counter\n", name);
    for (int i = 0; i < 16; i++) {
        char number[SN_DOUBLE_TEXT_SIZE];
        double value = i % 4 == 0 ? 0 : (double)sn_rng_below(rng, 100000000) / (i % 3 ? 100.0 : 1);
        sn_double_format(value, SN_DOUBLE_TEXT, number);
        sn_buf_printf(page, "%s{cpu=\"%d\",mode=\"mode_%" PRIu64 "\"} %s\n", name, i,
                      sn_rng_below(rng, 10), number);
    }
}

static void put_page(struct sn_buf *page, size_t bytes) {
    struct sn_rng rng;
    sn_rng_init(&rng, 1);
    for (size_t i = 0; page->len < bytes; i++) {
        put_family(page, &rng, families[i % (sizeof families / sizeof families[0])]);
    }
}

/* One pass over the page; how many samples there are. */
static size_t read_page(struct sn_str page, bool is_making_labels) {
    struct sn_text_reader reader;
    struct sn_text_entry entry;
    struct sn_arena arena;
    size_t count = 0;
    sn_arena_init(&arena, 0);
    sn_text_reader_init(&reader, page);
    while (sn_text_reader_next(&reader, &entry, NULL) == SN_OK && entry.kind != SN_TEXT_END) {
        if (entry.kind != SN_TEXT_SAMPLE) {
            continue;
        }
        count++;
        if (is_making_labels) {
            struct sn_label items[1 + SN_LABELS_MAX];
            struct sn_labels labels;
            if (sn_text_entry_labels(&entry, &arena, items, NULL) != SN_OK ||
                sn_labels_make(items, 1 + entry.label_count, &labels, NULL) != SN_OK) {
                abort();
            }
        }
    }
    sn_arena_release(&arena);
    return count;
}

static void measure(const char *what, struct sn_str page, bool is_making_labels) {
    int64_t best_ns = INT64_MAX;
    size_t count = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t start_ns = sn_clock_mono_ns(sn_clock_system());
        count = read_page(page, is_making_labels);
        int64_t took_ns = sn_clock_mono_ns(sn_clock_system()) - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    printf("%-24s %7.0f MB/s %7.1f ns/sample %6.2f M samples/s\n", what,
           (double)page.len * 1e3 / (double)best_ns, (double)best_ns / (double)count,
           (double)count * 1e3 / (double)best_ns);
}

int main(int argc, char **argv) {
    uint64_t megabytes = 16;
    struct sn_buf page;
    if (argc > 1 && sn_uint64_parse(sn_str_from(argv[1]), &megabytes) != SN_OK) {
        fprintf(stderr, "usage: bench_wire_text [megabytes]\n");
        return EXIT_FAILURE;
    }
    sn_buf_init(&page, 0);
    put_page(&page, (size_t)megabytes << 20);
    measure("read", sn_buf_str(&page), false);
    measure("read and make labels", sn_buf_str(&page), true);
    sn_buf_release(&page);
    return EXIT_SUCCESS;
}
