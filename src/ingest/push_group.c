/*
 * One group of pushed metrics: page to families, families to bytes, bytes to a batch.
 *
 *     "SNPG" u32 version  u64 hash of all that follows
 *     i64 push_ms  i64 failure_ms  u32 families  u32 samples
 *     u16 len, canonical labels of the group
 *     family:  u32 bytes that follow  u8 type  u16 len, name  u16 len, help
 *              sample ...:  u64 value  u16 len, canonical labels
 *
 * Numbers are little-endian. Any thread: no state.
 */
#include "ingest/push_group.h"

#include "base/check.h"
#include "base/map.h"
#include "ingest/ingest_priv.h"
#include "wire/metric_family.h"
#include "wire/text.h"

enum { HASHED_FROM = 16, HEAD_BYTES = 40, VERSION = 1 };

#define MAGIC "SNPG"
#define PUSH_TIME SN_STR("push_time_seconds")
#define PUSH_TIME_HELP SN_STR("Last Unix time when changing this group succeeded.")
#define FAILURE_TIME SN_STR("push_failure_time_seconds")
#define FAILURE_TIME_HELP SN_STR("Last Unix time when changing this group failed.")

/* ---- reading bytes ---- */

/* What is left to read; every step checks the end. */
struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

static bool take(struct cursor *cursor, size_t len, const uint8_t **ret_at) {
    if ((size_t)(cursor->end - cursor->at) < len) {
        return false;
    }
    *ret_at = cursor->at;
    cursor->at += len;
    return true;
}

static bool take_number(struct cursor *cursor, size_t bytes, uint64_t *ret_value) {
    const uint8_t *at;
    uint64_t value = 0;
    if (!take(cursor, bytes, &at)) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    *ret_value = value;
    return true;
}

/* u16 length and text. */
static bool take_text(struct cursor *cursor, struct sn_str *ret_text) {
    uint64_t len;
    const uint8_t *at;
    if (!take_number(cursor, 2, &len) || !take(cursor, (size_t)len, &at)) {
        return false;
    }
    *ret_text = sn_str_make(at, (size_t)len);
    return true;
}

struct stored_family {
    struct sn_metadata metadata;
    struct cursor samples;
    const uint8_t *begin; /* with its length */
};

static bool take_family(struct cursor *cursor, struct stored_family *ret_family) {
    uint64_t len, type;
    const uint8_t *at;
    ret_family->begin = cursor->at;
    if (!take_number(cursor, 4, &len) || !take(cursor, (size_t)len, &at)) {
        return false;
    }
    struct cursor inside = {at, at + len};
    ret_family->metadata = (struct sn_metadata){.type = SN_METRIC_UNKNOWN};
    if (!take_number(&inside, 1, &type) || type > SN_METRIC_STATESET ||
        !take_text(&inside, &ret_family->metadata.metric_name) ||
        !take_text(&inside, &ret_family->metadata.help)) {
        return false;
    }
    ret_family->metadata.type = (enum sn_metric_type)type;
    ret_family->samples = inside;
    return true;
}

static bool take_sample(struct cursor *cursor, struct sn_str *ret_labels, double *ret_value) {
    uint64_t bits;
    if (!take_number(cursor, 8, &bits) || !take_text(cursor, ret_labels)) {
        return false;
    }
    *ret_value = sn_double_from_bits(bits);
    return true;
}

static struct cursor families_of(const struct sn_push_group *group) {
    const uint8_t *begin = group->bytes.ptr;
    return (struct cursor){begin + HEAD_BYTES + 2 + group->labels.len, begin + group->bytes.len};
}

/* ---- a page ---- */

struct sample {
    struct sn_str labels; /* canonical */
    double value;
    struct sample *next;
};

struct family {
    struct sn_metadata metadata;
    struct sample *first;
    struct sample *last;
    struct family *next;
};

/* One page while it is read. Everything lives in its arena. */
struct page {
    struct sn_labels group;
    struct sn_str body;
    bool is_protobuf;
    struct sn_text_reader reader; /* of text */
    struct family *current;       /* of Protobuf: NULL when it is a reserved one */
    struct sn_arena arena;
    struct sn_map families; /* name -> struct family */
    struct sn_map series;   /* labels of every sample */
    struct sn_buf scratch;  /* canonical labels in the making */
    struct family *first;
    struct family *last;
    size_t sample_count;
};

static void page_init(struct page *page, const struct sn_push_change *change) {
    memset(page, 0, sizeof *page);
    page->group = change->labels;
    page->body = change->page.bytes;
    page->is_protobuf = change->page.is_protobuf;
    sn_text_reader_init(&page->reader, change->page.bytes);
    sn_arena_init(&page->arena, SN_INGEST_MEMORY_MAX);
    sn_map_init(&page->families, SN_INGEST_SAMPLES_MAX, change->seed);
    sn_map_init(&page->series, SN_INGEST_SAMPLES_MAX, change->seed);
    sn_buf_init(&page->scratch, SN_LABELS_BYTES_MAX);
}

static void page_release(struct page *page) {
    sn_buf_release(&page->scratch);
    sn_map_release(&page->series);
    sn_map_release(&page->families);
    sn_arena_release(&page->arena);
}

/* Refuse what was read last. */
static sn_status refuse_line(const struct page *page, sn_status status, const char *what,
                             struct sn_err *err) {
    if (page->is_protobuf) {
        struct sn_str name =
            page->current != NULL ? page->current->metadata.metric_name : SN_STR("");
        return sn_err_set(err, status, "metric %.*s: %s", (int)(name.len < 80 ? name.len : 80),
                          name.len > 0 ? name.ptr : "", what);
    }
    return sn_err_set(err, status, "line %zu: %s", sn_text_reader_line(&page->reader), what);
}

static struct family *find_family(const struct page *page, struct sn_str name) {
    uint64_t value;
    return sn_map_get(&page->families, name, &value) ? (struct family *)(uintptr_t)value : NULL;
}

static sn_status get_family(struct page *page, struct sn_str name, struct family **ret_family,
                            struct sn_err *err) {
    struct family *family = find_family(page, name);
    if (family == NULL) {
        if (name.len > SN_LABEL_VALUE_BYTES_MAX) {
            return refuse_line(page, SN_ERR_LIMIT, "the name of the metric is too long", err);
        }
        family = sn_arena_alloc_zero(&page->arena, 1, sizeof *family);
        if (family == NULL) {
            return sn_arena_failure(&page->arena, sizeof *family, err);
        }
        family->metadata.metric_name = name;
        sn_status status = sn_map_put(&page->families, name, (uintptr_t)family);
        if (status != SN_OK) {
            return refuse_line(page, status, "the page has too many metrics", err);
        }
        *(page->last != NULL ? &page->last->next : &page->first) = family;
        page->last = family;
    }
    *ret_family = family;
    return SN_OK;
}

/* The family that a sample belongs to: its name, or without an ending that its type gives. */
static sn_status family_of_sample(struct page *page, struct sn_str name, struct family **ret_family,
                                  struct sn_err *err) {
    static const char *const endings[] = {"_bucket", "_sum", "_count"};
    for (size_t i = 0; find_family(page, name) == NULL && i < 3; i++) {
        struct sn_str ending = sn_str_from(endings[i]);
        if (!sn_str_ends_with(name, ending)) {
            continue;
        }
        struct family *family = find_family(page, sn_str_make(name.ptr, name.len - ending.len));
        if (family != NULL && (family->metadata.type == SN_METRIC_HISTOGRAM ||
                               (family->metadata.type == SN_METRIC_SUMMARY && i > 0))) {
            *ret_family = family;
            return SN_OK;
        }
    }
    return get_family(page, name, ret_family, err);
}

/* Canonical labels of a sample, those of the group included, in the arena. Room for SN_INGEST_LABELS_MAX. */
static sn_status keep_labels(struct page *page, struct sn_label *items, size_t count,
                             struct sn_str *ret_labels, struct sn_err *err) {
    struct sn_labels labels;
    struct sn_err why = {.status = SN_OK};
    count = sn_ingest_put_labels(items, count, page->group);
    sn_status status = sn_labels_make(items, count, &labels, &why);
    if (status == SN_OK) {
        sn_buf_reset(&page->scratch);
        sn_labels_encode(labels, &page->scratch);
        status = sn_buf_status(&page->scratch, &why);
    }
    if (status != SN_OK) {
        return refuse_line(page, status, why.text, err);
    }
    if (!sn_arena_copy(&page->arena, sn_buf_str(&page->scratch), ret_labels)) {
        return sn_arena_failure(&page->arena, page->scratch.len, err);
    }
    return SN_OK;
}

static sn_status sample_labels(struct page *page, const struct sn_text_entry *entry,
                               struct sn_str *ret_labels, struct sn_err *err) {
    struct sn_label items[SN_INGEST_LABELS_MAX];
    if (entry->label_count > SN_LABELS_MAX) {
        return refuse_line(page, SN_ERR_LIMIT, "the series has more labels than a series may", err);
    }
    SN_TRY(sn_text_entry_labels(entry, &page->arena, items, err));
    return keep_labels(page, items, 1 + entry->label_count, ret_labels, err);
}

static sn_status add_once(struct page *page, struct sn_str labels, struct sn_err *err) {
    uint64_t value;
    if (sn_map_get(&page->series, labels, &value)) {
        return refuse_line(page, SN_ERR_INVALID, "the series is in the page already", err);
    }
    sn_status status = sn_map_put(&page->series, labels, 0);
    return status == SN_OK ? SN_OK
                           : refuse_line(page, status, "the page has too many samples", err);
}

static sn_status keep_sample(struct page *page, struct family *family, struct sn_str labels,
                             double value, struct sn_err *err) {
    SN_TRY(add_once(page, labels, err));
    struct sample *sample = sn_arena_alloc(&page->arena, sizeof *sample);
    if (sample == NULL) {
        return sn_arena_failure(&page->arena, sizeof *sample, err);
    }
    *sample = (struct sample){.labels = labels, .value = value};
    *(family->last != NULL ? &family->last->next : &family->first) = sample;
    family->last = sample;
    page->sample_count++;
    return SN_OK;
}

static bool is_reserved(struct sn_str name) {
    return sn_str_equal(name, PUSH_TIME) || sn_str_equal(name, FAILURE_TIME);
}

static sn_status add_sample(struct page *page, const struct sn_text_entry *entry,
                            struct sn_err *err) {
    struct sn_str name, labels;
    struct family *family;
    SN_TRY(sn_text_resolve(entry->metric_name, &page->arena, &name, err));
    if (is_reserved(name)) {
        return SN_OK;
    }
    if (entry->has_time) {
        return refuse_line(page, SN_ERR_INVALID, "pushed metrics must not have timestamps", err);
    }
    SN_TRY(sample_labels(page, entry, &labels, err));
    SN_TRY(family_of_sample(page, name, &family, err));
    return keep_sample(page, family, labels, entry->value, err);
}

static sn_status add_metadata(struct page *page, const struct sn_text_entry *entry,
                              struct sn_err *err) {
    struct sn_str name, help;
    struct family *family;
    SN_TRY(sn_text_resolve(entry->metric_name, &page->arena, &name, err));
    SN_TRY(sn_text_resolve(entry->help, &page->arena, &help, err));
    if (is_reserved(name)) {
        return SN_OK;
    }
    if (help.len > SN_METADATA_BYTES_MAX) {
        return refuse_line(page, SN_ERR_LIMIT, "the help text is too long", err);
    }
    SN_TRY(get_family(page, name, &family, err));
    if (entry->kind == SN_TEXT_TYPE) {
        family->metadata.type = entry->type;
    } else {
        family->metadata.help = help;
    }
    return SN_OK;
}

static sn_status read_text(struct page *page, struct sn_err *err) {
    for (;;) {
        struct sn_text_entry entry;
        SN_TRY(sn_text_reader_next(&page->reader, &entry, err));
        switch (entry.kind) {
        case SN_TEXT_END:
            return SN_OK;
        case SN_TEXT_SAMPLE:
            SN_TRY(add_sample(page, &entry, err));
            break;
        case SN_TEXT_HELP:
        case SN_TEXT_TYPE:
            SN_TRY(add_metadata(page, &entry, err));
            break;
        case SN_TEXT_UNIT: /* OpenMetrics only */
            break;
        }
    }
}

/* ---- a page in Protobuf ---- */

static sn_status on_family(void *ctx, const struct sn_metadata *metadata, struct sn_err *err) {
    struct page *page = ctx;
    struct sn_str name, help;
    page->current = NULL;
    if (is_reserved(metadata->metric_name)) {
        return SN_OK;
    }
    if (!sn_arena_copy(&page->arena, metadata->metric_name, &name) ||
        !sn_arena_copy(&page->arena, metadata->help, &help)) {
        return sn_arena_failure(&page->arena, metadata->metric_name.len + metadata->help.len, err);
    }
    SN_TRY(get_family(page, name, &page->current, err));
    if (help.len > SN_METADATA_BYTES_MAX) {
        return refuse_line(page, SN_ERR_LIMIT, "the help text is too long", err);
    }
    page->current->metadata.type = metadata->type;
    page->current->metadata.help = help;
    return SN_OK;
}

static sn_status on_point(void *ctx, const struct sn_family_point *point, struct sn_err *err) {
    struct page *page = ctx;
    struct sn_label items[SN_INGEST_LABELS_MAX];
    struct sn_str labels;
    if (page->current == NULL) {
        return SN_OK;
    }
    if (point->time_ms != 0) {
        return refuse_line(page, SN_ERR_INVALID, "pushed metrics must not have timestamps", err);
    }
    if (point->label_count > 1 + SN_LABELS_MAX) {
        return refuse_line(page, SN_ERR_LIMIT, "the series has more labels than a series may", err);
    }
    memcpy(items, point->labels, point->label_count * sizeof *items);
    SN_TRY(keep_labels(page, items, point->label_count, &labels, err));
    return keep_sample(page, page->current, labels, point->value, err);
}

static sn_status read_protobuf(struct page *page, struct sn_err *err) {
    const struct sn_family_visitor visitor = {.ctx = page, .family = on_family, .point = on_point};
    struct sn_arena scratch;
    sn_arena_init(&scratch, SN_ARENA_LIMIT_DEFAULT);
    sn_status status = sn_metric_families_read(page->body, &visitor, &scratch, err);
    sn_arena_release(&scratch);
    return status;
}

static sn_status read_page(struct page *page, struct sn_err *err) {
    return page->is_protobuf ? read_protobuf(page, err) : read_text(page, err);
}

/* ---- writing bytes ---- */

static void set_u32(struct sn_buf *bytes, size_t at, uint32_t value) {
    if (bytes->status == SN_OK) {
        for (unsigned i = 0; i < 4; i++) {
            bytes->ptr[at + i] = (uint8_t)(value >> (8 * i));
        }
    }
}

static void put_text(struct sn_buf *bytes, struct sn_str text) {
    sn_buf_put_u16le(bytes, (uint16_t)text.len);
    sn_buf_put_str(bytes, text);
}

/* Head of a family; where its length goes. */
static size_t begin_family(struct sn_buf *bytes, const struct sn_metadata *metadata) {
    size_t at = bytes->len;
    sn_buf_put_u32le(bytes, 0);
    sn_buf_put_byte(bytes, (uint8_t)metadata->type);
    put_text(bytes, metadata->metric_name);
    put_text(bytes, metadata->help);
    return at;
}

static void put_sample(struct sn_buf *bytes, struct sn_str labels, double value) {
    sn_buf_put_u64le(bytes, sn_double_bits(value));
    put_text(bytes, labels);
}

static void end_family(struct sn_buf *bytes, size_t at) {
    set_u32(bytes, at, (uint32_t)(bytes->len - at - 4));
}

/* What is known while a group is written. */
struct writer {
    struct sn_push_group *group;
    const struct page *page;
};

/* One of the two times of a group, as a gauge. */
static sn_status put_time(struct writer *writer, struct sn_str name, struct sn_str help,
                          int64_t time_ms, struct sn_err *err) {
    struct sn_label items[SN_INGEST_LABELS_MAX];
    struct sn_labels labels;
    struct sn_buf *bytes = &writer->group->bytes;
    struct sn_metadata metadata = {.metric_name = name, .help = help, .type = SN_METRIC_GAUGE};
    struct sn_buf canonical;
    items[0] = (struct sn_label){SN_LABEL_METRIC_NAME, name};
    size_t count = sn_ingest_put_labels(items, 1, writer->page->group);
    SN_TRY(sn_labels_make(items, count, &labels, err));
    sn_buf_init(&canonical, SN_LABELS_BYTES_MAX);
    sn_labels_encode(labels, &canonical);
    sn_status status = sn_buf_status(&canonical, err);
    if (status == SN_OK) {
        size_t at = begin_family(bytes, &metadata);
        put_sample(bytes, sn_buf_str(&canonical), (double)time_ms / 1000);
        end_family(bytes, at);
        writer->group->family_count++;
        writer->group->sample_count++;
    }
    sn_buf_release(&canonical);
    return status;
}

static void put_page(struct writer *writer) {
    struct sn_buf *bytes = &writer->group->bytes;
    for (const struct family *family = writer->page->first; family != NULL; family = family->next) {
        if (family->first == NULL) {
            continue; /* HELP and TYPE of nothing */
        }
        size_t at = begin_family(bytes, &family->metadata);
        for (const struct sample *sample = family->first; sample != NULL; sample = sample->next) {
            put_sample(bytes, sample->labels, sample->value);
        }
        end_family(bytes, at);
        writer->group->family_count++;
    }
    writer->group->sample_count += writer->page->sample_count;
}

static size_t count_samples(struct cursor samples) {
    struct sn_str labels;
    double value;
    size_t count = 0;
    while (take_sample(&samples, &labels, &value)) {
        count++;
    }
    return count;
}

/* Metrics of the old group that the page does not have. */
static void put_others(struct writer *writer, const struct sn_push_group *old) {
    struct cursor cursor = families_of(old);
    struct stored_family family;
    while (cursor.at != cursor.end && take_family(&cursor, &family)) {
        struct sn_str name = family.metadata.metric_name;
        if (is_reserved(name) || find_family(writer->page, name) != NULL) {
            continue;
        }
        sn_buf_put(&writer->group->bytes, family.begin, (size_t)(cursor.at - family.begin));
        writer->group->family_count++;
        writer->group->sample_count += count_samples(family.samples);
    }
}

static void put_head(struct sn_push_group *group, struct sn_labels labels) {
    struct sn_buf *bytes = &group->bytes;
    sn_buf_put_text(bytes, MAGIC);
    sn_buf_put_u32le(bytes, VERSION);
    sn_buf_put_u64le(bytes, 0); /* hash, when all is written */
    sn_buf_put_u64le(bytes, (uint64_t)group->push_ms);
    sn_buf_put_u64le(bytes, (uint64_t)group->failure_ms);
    sn_buf_put_u64le(bytes, 0); /* counts, the same */
    size_t at = bytes->len;
    sn_buf_put_u16le(bytes, 0);
    sn_labels_encode(labels, bytes);
    if (bytes->status == SN_OK) {
        size_t len = bytes->len - at - 2; /* at most SN_LABELS_BYTES_MAX */
        bytes->ptr[at] = (uint8_t)len;
        bytes->ptr[at + 1] = (uint8_t)(len >> 8);
        group->labels.len = len;
    }
}

static void finish_head(struct sn_push_group *group) {
    struct sn_buf *bytes = &group->bytes;
    set_u32(bytes, 32, (uint32_t)group->family_count);
    set_u32(bytes, 36, (uint32_t)group->sample_count);
    uint64_t hash = sn_hash_bytes(bytes->ptr + HASHED_FROM, bytes->len - HASHED_FROM, 0);
    set_u32(bytes, 8, (uint32_t)hash);
    set_u32(bytes, 12, (uint32_t)(hash >> 32));
    group->labels.ptr = (const char *)bytes->ptr + HEAD_BYTES + 2;
}

static sn_status write_group(struct writer *writer, const struct sn_push_change *change,
                             struct sn_err *err) {
    struct sn_push_group *group = writer->group;
    put_head(group, change->labels);
    SN_TRY(put_time(writer, PUSH_TIME, PUSH_TIME_HELP, group->push_ms, err));
    SN_TRY(put_time(writer, FAILURE_TIME, FAILURE_TIME_HELP, group->failure_ms, err));
    put_page(writer);
    if (change->old != NULL && (change->page.keeps_others || change->is_failure)) {
        put_others(writer, change->old);
    }
    SN_TRY(sn_buf_status(&group->bytes, err));
    if (group->sample_count > SN_INGEST_SAMPLES_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT, "the group has %zu samples, the limit is %zu",
                          group->sample_count, SN_INGEST_SAMPLES_MAX);
    }
    finish_head(group);
    return SN_OK;
}

sn_status sn_push_group_make(const struct sn_push_change *change, struct sn_push_group *ret_group,
                             struct sn_err *err) {
    struct page page;
    struct sn_push_group group = {.sample_count = 0};
    const struct sn_push_group *old = change->old;
    group.push_ms = change->is_failure ? (old != NULL ? old->push_ms : 0) : change->now_ms;
    group.failure_ms = change->is_failure ? change->now_ms : (old != NULL ? old->failure_ms : 0);
    sn_buf_init(&group.bytes, SN_PUSH_GROUP_BYTES_MAX);
    page_init(&page, change);
    sn_status status = change->is_failure ? SN_OK : read_page(&page, err);
    if (status == SN_OK) {
        struct writer writer = {&group, &page};
        status = write_group(&writer, change, err);
    }
    page_release(&page);
    if (status == SN_OK) {
        *ret_group = group;
    } else {
        sn_buf_release(&group.bytes);
    }
    return status;
}

void sn_push_group_release(struct sn_push_group *group) {
    sn_buf_release(&group->bytes);
    memset(group, 0, sizeof *group);
}

/* ---- opening ---- */

static sn_status damaged(const char *what, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_CORRUPT, "a file of pushed metrics: %s", what);
}

static bool labels_are_valid(struct sn_str canonical, struct sn_arena *arena) {
    struct sn_labels labels;
    sn_arena_reset(arena);
    return sn_labels_decode(canonical, arena, &labels, NULL) == SN_OK;
}

static bool family_is_valid(const struct stored_family *family, struct sn_arena *arena,
                            size_t *sample_count) {
    struct cursor samples = family->samples;
    struct sn_str labels;
    double value;
    while (samples.at != samples.end) {
        if (!take_sample(&samples, &labels, &value) || !labels_are_valid(labels, arena)) {
            return false;
        }
        ++*sample_count;
    }
    return family->metadata.metric_name.len > 0 &&
           family->metadata.metric_name.len <= SN_LABEL_VALUE_BYTES_MAX &&
           family->metadata.help.len <= SN_METADATA_BYTES_MAX;
}

/* The families behind the head: whole, valid, and as many as it says. */
static bool families_are_valid(const struct sn_push_group *group) {
    struct sn_arena arena;
    struct cursor cursor = families_of(group);
    struct stored_family family;
    size_t families = 0, samples = 0;
    sn_arena_init(&arena, 0);
    bool is_valid = labels_are_valid(group->labels, &arena);
    while (is_valid && cursor.at != cursor.end) {
        is_valid = take_family(&cursor, &family) && family_is_valid(&family, &arena, &samples);
        families++;
    }
    sn_arena_release(&arena);
    return is_valid && families == group->family_count && samples == group->sample_count;
}

sn_status sn_push_group_open(struct sn_buf *bytes, struct sn_push_group *ret_group,
                             struct sn_err *err) {
    struct cursor cursor = {bytes->ptr, bytes->ptr + bytes->len};
    uint64_t version, hash, push_ms, failure_ms, families, samples;
    const uint8_t *magic;
    struct sn_push_group group = {.bytes = *bytes};
    if (bytes->len < HEAD_BYTES || !take(&cursor, 4, &magic) || memcmp(magic, MAGIC, 4) != 0 ||
        !take_number(&cursor, 4, &version) || !take_number(&cursor, 8, &hash)) {
        return damaged("it does not begin as one", err);
    }
    if (version != VERSION) {
        return sn_err_set(err, SN_ERR_CORRUPT,
                          "a file of pushed metrics has version %u, known is %d", (unsigned)version,
                          VERSION);
    }
    if (sn_hash_bytes(bytes->ptr + HASHED_FROM, bytes->len - HASHED_FROM, 0) != hash) {
        return damaged("its hash is wrong", err);
    }
    if (!take_number(&cursor, 8, &push_ms) || !take_number(&cursor, 8, &failure_ms) ||
        !take_number(&cursor, 4, &families) || !take_number(&cursor, 4, &samples) ||
        !take_text(&cursor, &group.labels)) {
        return damaged("it is too short", err);
    }
    group.push_ms = (int64_t)push_ms;
    group.failure_ms = (int64_t)failure_ms;
    group.family_count = (size_t)families;
    group.sample_count = (size_t)samples;
    if (!families_are_valid(&group)) {
        return damaged("what it holds is not valid", err);
    }
    *ret_group = group;
    sn_buf_init(bytes, bytes->limit);
    return SN_OK;
}

/* ---- as a batch ---- */

/* A batch while it is filled; arrays have room for everything. */
struct filling {
    struct sn_batch_series *series;
    struct sn_batch_sample *samples;
    struct sn_metadata *metadata;
    size_t count;
    size_t metadata_count;
    int64_t time_ms;
};

static void fill(struct filling *filling, struct sn_str labels, double value) {
    size_t at = filling->count++;
    filling->series[at] = (struct sn_batch_series){.labels = labels};
    filling->samples[at] = (struct sn_batch_sample){
        .time_ms = filling->time_ms, .value = value, .series = (uint32_t)at};
}

/* All values; `seen` learns their labels unless it is NULL. */
static sn_status fill_values(struct filling *filling, const struct sn_push_group *group,
                             struct sn_map *seen) {
    struct cursor cursor = families_of(group);
    struct stored_family family;
    struct sn_str labels;
    double value;
    while (cursor.at != cursor.end && take_family(&cursor, &family)) {
        filling->metadata[filling->metadata_count++] = family.metadata;
        while (take_sample(&family.samples, &labels, &value)) {
            fill(filling, labels, value);
            if (seen != NULL) {
                SN_TRY(sn_map_put(seen, labels, 0));
            }
        }
    }
    return SN_OK;
}

static void fill_stale(struct filling *filling, const struct sn_push_group *old,
                       const struct sn_map *seen) {
    struct cursor cursor = families_of(old);
    struct stored_family family;
    struct sn_str labels;
    double value;
    uint64_t unused;
    while (cursor.at != cursor.end && take_family(&cursor, &family)) {
        while (take_sample(&family.samples, &labels, &value)) {
            if (!sn_map_get(seen, labels, &unused)) {
                fill(filling, labels, sn_double_from_bits(SN_STALE_NAN_BITS));
            }
        }
    }
}

static sn_status make_room(struct filling *filling, size_t samples, size_t families,
                           struct sn_arena *arena, struct sn_err *err) {
    filling->series = sn_arena_alloc(arena, samples * sizeof *filling->series);
    filling->samples = sn_arena_alloc(arena, samples * sizeof *filling->samples);
    filling->metadata = sn_arena_alloc(arena, families * sizeof *filling->metadata);
    if (filling->series == NULL || filling->samples == NULL || filling->metadata == NULL) {
        return sn_arena_failure(arena, samples * sizeof *filling->series, err);
    }
    return SN_OK;
}

static sn_status fill_both(struct filling *filling, const struct sn_push_group *now,
                           const struct sn_push_group *old, uint64_t seed) {
    struct sn_map seen;
    sn_map_init(&seen, SN_INGEST_SAMPLES_MAX, seed);
    sn_status status = now != NULL ? fill_values(filling, now, old != NULL ? &seen : NULL) : SN_OK;
    if (status == SN_OK && old != NULL) {
        fill_stale(filling, old, &seen);
    }
    sn_map_release(&seen);
    return status;
}

sn_status sn_push_group_batch(const struct sn_push_group *now, const struct sn_push_group *old,
                              int64_t time_ms, uint64_t seed, struct sn_arena *arena,
                              struct sn_batch *ret_batch, struct sn_err *err) {
    struct filling filling = {.time_ms = time_ms};
    size_t samples = (now != NULL ? now->sample_count : 0) + (old != NULL ? old->sample_count : 0);
    SN_TRY(make_room(&filling, samples, now != NULL ? now->family_count : 0, arena, err));
    sn_status status = fill_both(&filling, now, old, seed);
    if (status != SN_OK) {
        return sn_err_set(err, status, "no memory for %zu pushed samples", samples);
    }
    *ret_batch = (struct sn_batch){
        .series = filling.series,
        .samples = filling.samples,
        .metadata = filling.metadata,
        .series_count = filling.count,
        .sample_count = filling.count,
        .metadata_count = filling.metadata_count,
    };
    return SN_OK;
}
