/*
 * StatsD: lines per second and core, from a socket of loopback into the state, sent by another thread
 * with sendmmsg. The time is the CPU time of the receiving thread, kernel included.
 *
 *   bench_app_statsd [lines]
 */
#include "base/clock.h"
#include "base/lock.h"
#include "ingest/statsd_state.h"
#include "net/address.h"
#include "net/datagrams.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LINES_DEFAULT = 2000000, SERIES = 2000, BATCH = 64, PACKET_BYTES_MAX = 4096 };

static sn_status taking_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                             struct sn_push_result *ret_result, struct sn_err *err) {
    (void)ctx;
    (void)err;
    *ret_result = (struct sn_push_result){.accepted_count = batch->sample_count};
    if (done.fn != NULL) {
        done.fn(done.ctx, SN_OK, NULL);
    }
    return SN_OK;
}

struct run {
    struct sn_statsd_state *state;
    struct sn_datagrams *datagrams;
    uint64_t line_count; /* to send */
    int lines_per_packet;
    atomic_bool is_sent;
};

static int put_line(char *to, size_t room, uint64_t i) {
    static const char *const types[] = {"c", "g", "ms", "h", "c", "c"};
    uint64_t series = i * 2654435761u % SERIES;
    return snprintf(to, room, "app.requests.%llu:%llu|%s|#env:prod,host:web%llu,path:/v1/items\n",
                    (unsigned long long)(series / 20), (unsigned long long)(i % 997),
                    types[series / 20 % 6], (unsigned long long)(series % 20));
}

static void send_all(void *ctx) {
    static char packets[BATCH][PACKET_BYTES_MAX];
    struct run *run = ctx;
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    struct sn_address address;
    uint64_t sent = 0;
    if (sn_address_parse(sn_str_from(sn_datagrams_address(run->datagrams)), &address, NULL) !=
        SN_OK) {
        abort();
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, &address.socket.any, sn_address_socket_len(&address)) != 0) {
        abort();
    }
    while (sent < run->line_count) {
        for (int i = 0; i < BATCH; i++) {
            int len = 0;
            for (int j = 0; j < run->lines_per_packet; j++) {
                len += put_line(packets[i] + len, PACKET_BYTES_MAX - (size_t)len, sent++);
            }
            parts[i] = (struct iovec){packets[i], (size_t)len};
            messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
        }
        if (sendmmsg(fd, messages, BATCH, 0) < 0) {
            abort();
        }
    }
    (void)close(fd);
    atomic_store(&run->is_sent, true);
}

static void take(void *ctx, struct sn_str datagram) {
    struct run *run = ctx;
    if (sn_statsd_state_take(run->state, datagram, 1000, NULL) != SN_OK) {
        abort();
    }
}

static double cpu_s(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void open_run(struct run *run, struct sn_ingest *ingest) {
    const struct sn_datagrams_options options = {.listen = SN_STR("127.0.0.1:0")};
    const struct sn_statsd_state_options state_options = {.ingest = ingest};
    sn_ingest_init(ingest, (struct sn_sink){.ctx = NULL, .push = taking_push});
    if (sn_datagrams_open(&options, &run->datagrams, NULL) != SN_OK ||
        sn_statsd_state_new(&state_options, &run->state, NULL) != SN_OK) {
        abort();
    }
}

static void close_run(struct run *run) {
    (void)sn_statsd_state_free(run->state);   /* NULL, always */
    (void)sn_datagrams_close(run->datagrams); /* the same */
}

static void measure_socket(uint64_t line_count, int lines_per_packet) {
    struct sn_ingest ingest;
    struct sn_thread thread = {.is_running = false};
    struct run run = {.line_count = line_count, .lines_per_packet = lines_per_packet};
    struct sn_statsd_state_stats stats;
    struct sn_datagrams_stats datagrams;
    open_run(&run, &ingest);
    if (sn_thread_start(&thread, "sender", send_all, &run, NULL) != SN_OK) {
        abort();
    }
    double start_s = cpu_s();
    while (sn_datagrams_receive(run.datagrams, 100, take, &run) > 0 || !atomic_load(&run.is_sent)) {
    }
    double took_s = cpu_s() - start_s;
    sn_thread_join(&thread);
    sn_statsd_state_stats(run.state, &stats);
    sn_datagrams_stats(run.datagrams, &datagrams);
    printf("StatsD socket, %2d lines/packet: %5.2f M lines/s/core, %6.1f ns/line, %4.1f %% of %llu "
           "packets dropped\n",
           lines_per_packet, (double)stats.line_count / took_s / 1e6,
           took_s * 1e9 / (double)stats.line_count,
           100.0 * (double)datagrams.dropped_count /
               (double)(datagrams.dropped_count + datagrams.received_count),
           (unsigned long long)(datagrams.dropped_count + datagrams.received_count));
    close_run(&run);
}

static void measure_state(uint64_t line_count) {
    static char packet[PACKET_BYTES_MAX];
    struct sn_ingest ingest;
    struct run run = {.line_count = line_count};
    double took_s = 0;
    open_run(&run, &ingest);
    for (uint64_t sent = 0; sent < line_count;) {
        int len = 0;
        for (int j = 0; j < 20; j++) {
            len += put_line(packet + len, sizeof packet - (size_t)len, sent++);
        }
        double start_s = cpu_s();
        take(&run, sn_str_make(packet, (size_t)len));
        took_s += cpu_s() - start_s;
    }
    printf("StatsD in memory: %5.2f M lines/s/core, %6.1f ns/line\n",
           (double)line_count / took_s / 1e6, took_s * 1e9 / (double)line_count);
    close_run(&run);
}

int main(int argc, char **argv) {
    char *end = NULL;
    uint64_t lines = argc > 1 ? strtoull(argv[1], &end, 10) : LINES_DEFAULT;
    if (lines == 0 || (end != NULL && *end != '\0')) {
        fprintf(stderr, "usage: bench_app_statsd [lines]\n");
        return EXIT_FAILURE;
    }
    measure_state(lines);
    measure_socket(lines, 1);
    measure_socket(lines, 20);
    return EXIT_SUCCESS;
}
