/*
 * Source "netdev": /proc/net/dev, counters of network interfaces.
 */
#include "collect/scan.h"
#include "collect/source.h"

/* Columns of the file after "device:"; NULL where node_exporter gives none by default either. */
static const char *const columns[] = {
    "node_network_receive_bytes_total",      "node_network_receive_packets_total",
    "node_network_receive_errs_total",       "node_network_receive_drop_total",
    "node_network_receive_fifo_total",       "node_network_receive_frame_total",
    "node_network_receive_compressed_total", "node_network_receive_multicast_total",
    "node_network_transmit_bytes_total",     "node_network_transmit_packets_total",
    "node_network_transmit_errs_total",      "node_network_transmit_drop_total",
    "node_network_transmit_fifo_total",      "node_network_transmit_colls_total",
    "node_network_transmit_carrier_total",   "node_network_transmit_compressed_total",
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

static const struct sn_collect_family families[] = {
    {"node_network_receive_bytes_total", SN_METRIC_COUNTER, "Bytes received."},
    {"node_network_receive_packets_total", SN_METRIC_COUNTER, "Packets received."},
    {"node_network_receive_errs_total", SN_METRIC_COUNTER, "Receive errors."},
    {"node_network_receive_drop_total", SN_METRIC_COUNTER, "Received packets dropped."},
    {"node_network_transmit_bytes_total", SN_METRIC_COUNTER, "Bytes sent."},
    {"node_network_transmit_packets_total", SN_METRIC_COUNTER, "Packets sent."},
    {"node_network_transmit_errs_total", SN_METRIC_COUNTER, "Send errors."},
    {"node_network_transmit_drop_total", SN_METRIC_COUNTER, "Packets dropped while sending."},
};

static sn_status add_device(struct sn_gather *gather, struct sn_str device, struct sn_str counters,
                            struct sn_err *err) {
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        struct sn_str field = {0};
        uint64_t value;
        if (!sn_scan_field(&counters, &field) || !sn_scan_u64(field, &value))
            return sn_err_set(err, SN_ERR_CORRUPT, "net/dev: column %zu of %.*s is not a number",
                              i + 1, SN_STR_ARG(device));
        SN_TRY(sn_gather_add_labelled(gather, columns[i], SN_STR("device"), device, (double)value,
                                      err));
    }
    return SN_OK;
}

static sn_status collect(struct sn_gather *gather, void **state, struct sn_err *err) {
    (void)state;
    struct sn_str text, line, device, counters;
    SN_TRY(sn_gather_read_proc(gather, "net/dev", &text, err));
    while (sn_scan_line(&text, &line))
        if (sn_str_cut(line, ':', &device, &counters)) /* The two head lines have no colon. */
            SN_TRY(add_device(gather, sn_str_trim(device), counters, err));
    return SN_OK;
}

const struct sn_source sn_source_netdev = {
    .name = "netdev",
    .families = families,
    .family_count = sizeof families / sizeof families[0],
    .collect = collect,
};
