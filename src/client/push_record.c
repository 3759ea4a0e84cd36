/*
 * The calls that record: from arguments to lines. See sonde/push.h for what becomes of them.
 *
 * Any thread; a line is made on the caller's stack and copied under the lock.
 */
#include "client/push_priv.h"

#include <math.h>

struct sample {
    struct sn_push_entry entry;
    char text[SONDE_PUSH_RECORD_BYTES_MAX];
};

/* The name and the labels that all samples of a collector have. */
static void begin(struct sample *sample, const sonde_collector *collector, const char *name,
                  const char *suffix, const char *metric_type) {
    struct sn_push_line *line = &sample->entry.line;
    *line = (struct sn_push_line){.ptr = sample->text, .cap = sizeof sample->text};
    sn_push_line_name(line, name, suffix);
    sn_push_line_label(line, "service", sn_str_from(collector->service));
    if (collector->instance != NULL)
        sn_push_line_label(line, "instance", sn_str_from(collector->instance));
    sn_push_line_label(line, "metric_type", sn_str_from(metric_type));
}

static void end(struct sample *sample, double value, bool is_valid) {
    struct sn_push_line *line = &sample->entry.line;
    sample->entry.slot = sn_hash_bytes(line->ptr, line->len, 0) % SN_PUSH_SLOTS;
    sn_push_line_value(line, value);
    if (!is_valid && line->status == SN_OK)
        line->status = SN_ERR_INVALID;
}

static bool is_duration(double seconds) {
    return isfinite(seconds) && seconds >= 0;
}

/* Whether this collector has met the message, or has room to remember it. */
static bool may_name_error(sonde_collector *collector, struct sn_str message) {
    uint64_t hash = sn_hash_bytes(message.ptr, message.len, 0) | 1;
    for (size_t i = 0; i < SONDE_PUSH_ERRORS_MAX; i++) {
        uint64_t seen = 0;
        if (atomic_compare_exchange_strong(&collector->errors[i], &seen, hash) || seen == hash)
            return true;
    }
    return false;
}

static struct sn_str cut_message(const char *text) {
    struct sn_str message = {text, strnlen(text, SONDE_PUSH_ERROR_BYTES_MAX + 1)};
    if (message.len <= SONDE_PUSH_ERROR_BYTES_MAX)
        return message;
    message.len--;
    while (message.len > 0 && ((unsigned char)text[message.len] & 0xc0) == 0x80)
        message.len--;
    return message;
}

void sonde_collector_track_operation(sonde_collector *collector, const char *name, double seconds,
                                     const char *error_message) {
    struct sample sample;
    if (collector == NULL)
        return;
    begin(&sample, collector, name, "_seconds", "processing_time");
    sn_push_line_label(&sample.entry.line, "outcome",
                       error_message == NULL ? SN_STR("ok") : SN_STR("error"));
    if (error_message != NULL) {
        struct sn_str message = cut_message(error_message);
        if (sn_str_is_utf8(message) && !may_name_error(collector, message))
            message = SN_STR(SONDE_OTHER);
        sn_push_line_label(&sample.entry.line, "error", message);
    }
    end(&sample, seconds, is_duration(seconds));
    sn_push_submit(collector, &sample.entry, 1);
}

typedef char label_name[SN_PUSH_NAME_BYTES_MAX + 2];

static bool is_taken(const char *name, label_name *names, size_t count) {
    static const char *const ours[] = {"service", "instance", "metric_type", "__name__"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strcmp(name, ours[i]) == 0)
            return true;
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool put_metadata(struct sn_push_line *line, const sonde_metadata *metadata, size_t count) {
    label_name names[SONDE_PUSH_METADATA_MAX];
    if (count > SONDE_PUSH_METADATA_MAX || (count > 0 && metadata == NULL))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (metadata[i].value == NULL || sn_push_label_name(metadata[i].key, names[i]) != SN_OK ||
            is_taken(names[i], names, i))
            return false;
        sn_push_line_label(line, names[i], sn_str_from(metadata[i].value));
    }
    return true;
}

void sonde_collector_track_processing_time(sonde_collector *collector, const char *phase,
                                           double seconds, const sonde_metadata *metadata,
                                           size_t count) {
    struct sample sample;
    if (collector == NULL)
        return;
    begin(&sample, collector, phase, "_seconds", "processing_time");
    bool is_valid = put_metadata(&sample.entry.line, metadata, count);
    end(&sample, seconds, is_valid && is_duration(seconds));
    sn_push_submit(collector, &sample.entry, 1);
}

struct pair_names {
    const char *first;
    const char *second;
    const char *metric_type;
};

static void submit_pair(sonde_collector *collector, const char *name, struct pair_names names,
                        const double values[2], bool is_valid) {
    struct sample first, second;
    begin(&first, collector, name, names.first, names.metric_type);
    end(&first, values[0], is_valid);
    begin(&second, collector, name, names.second, names.metric_type);
    end(&second, values[1], is_valid);
    struct sn_push_entry entries[2] = {first.entry, second.entry};
    sn_push_submit(collector, entries, 2);
}

void sonde_collector_record_success_rate(sonde_collector *collector, const char *operation,
                                         uint64_t ok, uint64_t total) {
    const struct pair_names names = {"_succeeded", "_attempted", "success_rate"};
    if (collector != NULL)
        submit_pair(collector, operation, names, (const double[]){(double)ok, (double)total},
                    ok <= total);
}

void sonde_collector_record_queue_depth(sonde_collector *collector, const char *queue,
                                        uint64_t depth, double wait_seconds) {
    const struct pair_names names = {"_depth", "_wait_seconds", "queue_metrics"};
    if (collector != NULL)
        submit_pair(collector, queue, names, (const double[]){(double)depth, wait_seconds},
                    is_duration(wait_seconds));
}
