/*
 * Records as samples. See record_samples.h.
 */
#include "records/record_samples.h"

#include "base/limits.h"

enum { SUFFIX_BYTES_MAX = 16, NAME_BYTES_MAX = 1 + SN_RECORD_NAME_BYTES_MAX + SUFFIX_BYTES_MAX };

void sn_sample_times_init(struct sn_sample_times *times, uint64_t seed) {
    memset(times->slots, 0, sizeof times->slots);
    times->seed = seed;
    sn_mutex_init(&times->mu, SN_RANK_RECORDS, "sample-times");
}

void sn_sample_times_release(struct sn_sample_times *times) {
    sn_mutex_release(&times->mu);
}

static uint64_t hash_labels(uint64_t seed, const struct sn_label *labels, size_t count) {
    uint64_t hash = seed;
    for (size_t i = 0; i < count; i++)
        hash = sn_hash_bytes(labels[i].value.ptr, labels[i].value.len, hash + i);
    return hash | 1;
}

/* The time for the next sample of a series. */
static int64_t next_time(struct sn_sample_times *times, uint64_t hash, int64_t time_ms) {
    struct sn_sample_slot *slot = &times->slots[(hash >> 32) % SN_SAMPLE_SLOTS];
    sn_mutex_lock(&times->mu);
    bool is_same = slot->hash == hash && time_ms >= slot->time_ms && time_ms <= slot->given_ms;
    int64_t given_ms = is_same ? slot->given_ms + 1 : time_ms;
    if (given_ms > time_ms + SN_SAMPLE_AHEAD_MS || given_ms > SN_TIME_MS_MAX)
        given_ms = time_ms; /* the store counts it as a duplicate */
    else if (slot->hash != hash || given_ms > slot->given_ms)
        *slot = (struct sn_sample_slot){
            .hash = hash, .time_ms = is_same ? slot->time_ms : time_ms, .given_ms = given_ms};
    sn_mutex_unlock(&times->mu);
    return given_ms;
}

static struct sn_str make_name(struct sn_str name, const char *suffix, char ret[NAME_BYTES_MAX]) {
    size_t len = 0;
    if (name.ptr[0] >= '0' && name.ptr[0] <= '9')
        ret[len++] = '_';
    for (size_t i = 0; i < name.len && i < SN_RECORD_NAME_BYTES_MAX; i++) {
        char c = name.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '_' || c == ':';
        ret[len++] = is_plain ? c : '_';
    }
    size_t suffix_len = strlen(suffix);
    memcpy(ret + len, suffix, suffix_len);
    return sn_str_make(ret, len + suffix_len);
}

struct value {
    const char *suffix;
    double value;
};

static sn_status add(struct sn_sample_times *times, const struct sn_record *record,
                     struct value value, struct sn_batch_builder *builder, struct sn_err *err) {
    char name[NAME_BYTES_MAX];
    struct sn_label items[] = {
        {SN_LABEL_METRIC_NAME, make_name(record->name, value.suffix, name)},
        {SN_STR("metric_type"), record->metric_type},
        {SN_STR("service"), record->service},
    };
    size_t count = sizeof items / sizeof items[0];
    uint64_t hash = hash_labels(times->seed, items, count);
    struct sn_labels labels;
    SN_TRY(sn_labels_make(items, count, &labels, err));
    int64_t time_ms = next_time(times, hash, record->time_ms);
    return sn_batch_builder_add(builder, labels, time_ms, value.value, err);
}

sn_status sn_record_samples_add(struct sn_sample_times *times, const struct sn_record *records,
                                size_t count, struct sn_batch_builder *builder,
                                struct sn_err *err) {
    for (size_t i = 0; i < count; i++) {
        const struct sn_record *record = &records[i];
        if (record->has_counts) {
            struct value ok = {"_succeeded", (double)record->ok_count};
            struct value total = {"_attempted", (double)record->total_count};
            SN_TRY(add(times, record, ok, builder, err));
            SN_TRY(add(times, record, total, builder, err));
        } else {
            SN_TRY(add(times, record, (struct value){"", record->value}, builder, err));
        }
    }
    return SN_OK;
}
