/*
 * Remote write: see remote_write.h. The schemas are those of prometheus/prometheus,
 * prompb/remote.proto, prompb/types.proto and prompb/io/prometheus/write/v2/types.proto.
 *
 * 1. A series is scanned twice: for its labels, which may stand anywhere, and then for its points,
 *    from the first field that is not a label. The first scan skips points by their length.
 * 2. The two versions differ in field numbers and in how text is named; struct
 *    sn_remote_write_layout holds the numbers, and 0 stands for a field that a version lacks.
 */
#include "wire/remote_write.h"

#include "base/check.h"

enum { SIDE_MAX = SN_HISTOGRAM_BUCKETS_MAX };

struct sn_remote_write_layout {
    enum sn_remote_write_version version;
    /* Of the request. */
    uint32_t symbols, series, metadata;
    /* Of a series. */
    uint32_t labels, samples, histograms, exemplars, series_metadata, created;
    /* Of metadata. */
    uint32_t help, unit;
};

static const struct sn_remote_write_layout layouts[] = {
    {.version = SN_REMOTE_WRITE_1,
     .series = 1,
     .metadata = 3,
     .labels = 1,
     .samples = 2,
     .exemplars = 3,
     .histograms = 4,
     .help = 4,
     .unit = 5},
    {.version = SN_REMOTE_WRITE_2,
     .symbols = 4,
     .series = 5,
     .labels = 1,
     .samples = 2,
     .histograms = 3,
     .exemplars = 4,
     .series_metadata = 5,
     .created = 6,
     .help = 3,
     .unit = 4},
};

/* One side of a histogram while it is read. Counts beyond the limit are counted and not kept. */
struct side {
    struct sn_bucket_span spans[SIDE_MAX];
    double counts[SIDE_MAX];
    uint32_t span_count;
    uint32_t bucket_count;
    int64_t last; /* integer count of the newest bucket: the next one is told by its difference */
};

struct sn_remote_write_histogram {
    struct sn_histogram result;
    struct side positive;
    struct side negative;
    double custom_bounds[SIDE_MAX];
    uint32_t custom_bound_count;
};

/* ---- failures ---- */

static sn_status malformed(const struct sn_remote_write_reader *reader, const char *what,
                           struct sn_err *err) {
    return sn_err_set(err, SN_ERR_INVALID, "series %zu: %s", reader->series_count, what);
}

/* ---- text ---- */

static bool find_symbol(const struct sn_remote_write_reader *reader, uint64_t reference,
                        struct sn_str *ret_text) {
    if (reference >= reader->symbol_count) {
        return false;
    }
    *ret_text = reader->symbols[reference];
    return true;
}

/* Text of a field that is a string in 1.0 and a reference to one in 2.0. */
static bool read_text(const struct sn_remote_write_reader *reader,
                      const struct sn_protobuf_field *field, struct sn_str *ret_text) {
    if (reader->layout->version == SN_REMOTE_WRITE_1) {
        *ret_text = field->bytes;
        return field->type == SN_PROTOBUF_BYTES;
    }
    if (field->type != SN_PROTOBUF_VARINT) {
        return false;
    }
    if (field->bits == 0) { /* the default: nothing was said, whatever symbol 0 is */
        *ret_text = SN_STR("");
        return true;
    }
    return find_symbol(reader, field->bits, ret_text);
}

/* ---- labels ---- */

/* Labels of a series or an exemplar while they are read. */
struct label_list {
    struct sn_label *items; /* [SN_LABELS_MAX] */
    size_t count;           /* as sent */
    struct sn_str name;     /* 2.0: its value is still to come */
    bool has_name;
};

static void add_label(struct label_list *list, struct sn_str name, struct sn_str value) {
    if (list->count < SN_LABELS_MAX) {
        list->items[list->count] = (struct sn_label){name, value};
    }
    list->count++;
}

/* 1.0: message Label { string name = 1; string value = 2; } */
static bool read_label(struct label_list *list, struct sn_str message) {
    struct sn_protobuf_reader label;
    struct sn_protobuf_field field;
    struct sn_str name = SN_STR("");
    struct sn_str value = SN_STR("");
    sn_protobuf_open(&label, message);
    while (sn_protobuf_next(&label, &field)) {
        if (field.number > 2) {
            continue;
        }
        if (field.type != SN_PROTOBUF_BYTES) {
            return false;
        }
        *(field.number == 1 ? &name : &value) = field.bytes;
    }
    add_label(list, name, value);
    return !sn_protobuf_is_broken(&label);
}

/* 2.0: references, name and value by turns. */
static bool add_reference(const struct sn_remote_write_reader *reader, struct label_list *list,
                          uint64_t reference) {
    struct sn_str text;
    if (!find_symbol(reader, reference, &text)) {
        return false;
    }
    if (list->has_name) {
        add_label(list, list->name, text);
    }
    list->name = text;
    list->has_name = !list->has_name;
    return true;
}

static bool read_references(const struct sn_remote_write_reader *reader, struct label_list *list,
                            const struct sn_protobuf_field *field) {
    if (field->type == SN_PROTOBUF_VARINT) {
        return add_reference(reader, list, field->bits);
    }
    if (field->type != SN_PROTOBUF_BYTES) {
        return false;
    }
    const uint8_t *at = (const uint8_t *)field->bytes.ptr;
    const uint8_t *end = at + field->bytes.len;
    while (at != end) {
        uint64_t reference;
        at = sn_varint_get(at, end, &reference);
        if (at == NULL || !add_reference(reader, list, reference)) {
            return false;
        }
    }
    return true;
}

static bool read_label_field(const struct sn_remote_write_reader *reader, struct label_list *list,
                             const struct sn_protobuf_field *field) {
    if (reader->layout->version == SN_REMOTE_WRITE_2) {
        return read_references(reader, list, field);
    }
    return field->type == SN_PROTOBUF_BYTES && read_label(list, field->bytes);
}

static struct sn_str find_metric_name(const struct label_list *list) {
    for (size_t i = 0; i < list->count && i < SN_LABELS_MAX; i++) {
        if (sn_str_equal(list->items[i].name, SN_LABEL_METRIC_NAME)) {
            return list->items[i].value;
        }
    }
    return SN_STR("");
}

/* ---- series ---- */

static sn_status read_series(struct sn_remote_write_reader *reader, struct sn_str message,
                             struct sn_remote_write_entry *entry, struct sn_err *err) {
    struct label_list list = {.items = reader->labels};
    struct sn_protobuf_reader series;
    struct sn_protobuf_field field;
    const uint8_t *points = NULL; /* first field that is not a label */
    sn_protobuf_open(&series, message);
    reader->series_count++;
    for (const uint8_t *at = series.at; sn_protobuf_next(&series, &field); at = series.at) {
        if (field.number == reader->layout->labels) {
            if (!read_label_field(reader, &list, &field)) {
                return malformed(reader, "its labels are malformed", err);
            }
            continue;
        }
        points = points != NULL ? points : at;
        if (field.number == reader->layout->created && field.type == SN_PROTOBUF_VARINT) {
            entry->start_time_ms = (int64_t)field.bits;
        }
    }
    if (sn_protobuf_is_broken(&series)) {
        return malformed(reader, "it is not a Protobuf message", err);
    }
    if (list.has_name) {
        return malformed(reader, "the last label has no value", err);
    }
    reader->series = (struct sn_protobuf_reader){points != NULL ? points : series.end, series.end};
    reader->metric_name = find_metric_name(&list);
    entry->kind = SN_REMOTE_WRITE_SERIES;
    entry->labels = reader->labels;
    entry->label_count = list.count;
    return SN_OK;
}

/* ---- samples, exemplars ---- */

/* message Sample { double value = 1; int64 timestamp = 2; int64 start_timestamp = 3 (2.0); } */
static bool read_sample(struct sn_str message, struct sn_remote_write_entry *entry) {
    struct sn_protobuf_reader sample;
    struct sn_protobuf_field field;
    entry->kind = SN_REMOTE_WRITE_SAMPLE;
    sn_protobuf_open(&sample, message);
    while (sn_protobuf_next(&sample, &field)) {
        if (field.number > 3) {
            continue;
        }
        if (field.type != (field.number == 1 ? SN_PROTOBUF_FIXED64 : SN_PROTOBUF_VARINT)) {
            return false;
        }
        if (field.number == 1) {
            entry->value = sn_protobuf_double(&field);
        } else {
            *(field.number == 2 ? &entry->time_ms : &entry->start_time_ms) = (int64_t)field.bits;
        }
    }
    return !sn_protobuf_is_broken(&sample);
}

/* message Exemplar { labels = 1; double value = 2; int64 timestamp = 3; } */
static bool read_exemplar_field(struct sn_remote_write_reader *reader,
                                const struct sn_protobuf_field *field, struct label_list *list,
                                struct sn_remote_write_entry *entry) {
    switch (field->number) {
    case 1:
        return read_label_field(reader, list, field);
    case 2:
        entry->value = sn_protobuf_double(field);
        return field->type == SN_PROTOBUF_FIXED64;
    case 3:
        entry->time_ms = (int64_t)field->bits;
        return field->type == SN_PROTOBUF_VARINT;
    default:
        return true;
    }
}

static bool read_exemplar(struct sn_remote_write_reader *reader, struct sn_str message,
                          struct sn_remote_write_entry *entry) {
    struct label_list list = {.items = reader->labels};
    struct sn_protobuf_reader exemplar;
    struct sn_protobuf_field field;
    entry->kind = SN_REMOTE_WRITE_EXEMPLAR;
    sn_protobuf_open(&exemplar, message);
    while (sn_protobuf_next(&exemplar, &field)) {
        if (!read_exemplar_field(reader, &field, &list, entry)) {
            return false;
        }
    }
    entry->labels = reader->labels;
    entry->label_count = list.count;
    return !sn_protobuf_is_broken(&exemplar) && !list.has_name;
}

/* ---- histograms ---- */

/* message BucketSpan { sint32 offset = 1; uint32 length = 2; } */
static bool read_span(struct side *side, const struct sn_protobuf_field *of) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    int64_t offset = 0;
    uint64_t length = 0;
    sn_protobuf_open(&reader, of->bytes);
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number <= 2 && field.type != SN_PROTOBUF_VARINT) {
            return false;
        }
        if (field.number == 1) {
            offset = sn_zigzag_decode(field.bits);
        } else if (field.number == 2) {
            length = field.bits;
        }
    }
    if (sn_protobuf_is_broken(&reader) || of->type != SN_PROTOBUF_BYTES || offset < INT32_MIN ||
        offset > INT32_MAX || length > UINT32_MAX) {
        return false;
    }
    if (side->span_count < SIDE_MAX) {
        side->spans[side->span_count] =
            (struct sn_bucket_span){.offset = (int32_t)offset, .length = (uint32_t)length};
    }
    side->span_count++;
    return true;
}

static void add_number(double *items, uint32_t *count, double number) {
    if (*count < SIDE_MAX) {
        items[*count] = number;
    }
    *count += 1;
}

/* Differences become counts. false: beyond 63 bits. */
static bool add_delta(struct side *side, uint64_t bits) {
    if (__builtin_add_overflow(side->last, sn_zigzag_decode(bits), &side->last)) {
        return false;
    }
    add_number(side->counts, &side->bucket_count, (double)side->last);
    return true;
}

static bool read_deltas(struct side *side, const struct sn_protobuf_field *field) {
    if (field->type == SN_PROTOBUF_VARINT) {
        return add_delta(side, field->bits);
    }
    if (field->type != SN_PROTOBUF_BYTES) {
        return false;
    }
    const uint8_t *at = (const uint8_t *)field->bytes.ptr;
    const uint8_t *end = at + field->bytes.len;
    while (at != end) {
        uint64_t bits;
        at = sn_varint_get(at, end, &bits);
        if (at == NULL || !add_delta(side, bits)) {
            return false;
        }
    }
    return true;
}

static bool read_doubles(double *items, uint32_t *count, const struct sn_protobuf_field *field) {
    if (field->type == SN_PROTOBUF_FIXED64) {
        add_number(items, count, sn_protobuf_double(field));
        return true;
    }
    for (size_t i = 0; i + 8 <= field->bytes.len; i += 8) {
        add_number(items, count, sn_double_from_bits(sn_load_u64le(field->bytes.ptr + i)));
    }
    return field->type == SN_PROTOBUF_BYTES && field->bytes.len % 8 == 0;
}

/* A number that is a double, or an integer when is_integer. */
static bool read_count(const struct sn_protobuf_field *field, bool is_integer, double *ret) {
    *ret = is_integer ? (double)field->bits : sn_protobuf_double(field);
    return field->type == (is_integer ? SN_PROTOBUF_VARINT : SN_PROTOBUF_FIXED64);
}

static bool read_schema(const struct sn_protobuf_field *field, int32_t *ret_schema) {
    int64_t schema = sn_zigzag_decode(field->bits);
    *ret_schema = (int32_t)schema;
    return field->type == SN_PROTOBUF_VARINT && schema >= INT32_MIN && schema <= INT32_MAX;
}

static bool read_hint(const struct sn_protobuf_field *field, enum sn_counter_reset_hint *ret_hint) {
    *ret_hint =
        field->bits <= SN_RESET_GAUGE ? (enum sn_counter_reset_hint)field->bits : SN_RESET_UNKNOWN;
    return field->type == SN_PROTOBUF_VARINT;
}

/* Fields of message Histogram that hold arrays: spans, deltas, counts of both sides, bounds. */
static bool read_histogram_array(struct sn_remote_write_histogram *histogram,
                                 const struct sn_protobuf_field *field) {
    struct side *side = field->number <= 10 ? &histogram->negative : &histogram->positive;
    switch (field->number) {
    case 8:
    case 11:
        return read_span(side, field);
    case 9:
    case 12:
        return read_deltas(side, field);
    case 10:
    case 13:
        return read_doubles(side->counts, &side->bucket_count, field);
    case 16:
        return read_doubles(histogram->custom_bounds, &histogram->custom_bound_count, field);
    default:
        return true; /* of a version to come */
    }
}

static bool read_histogram_field(struct sn_remote_write_histogram *histogram,
                                 const struct sn_protobuf_field *field,
                                 struct sn_remote_write_entry *entry) {
    struct sn_histogram *result = &histogram->result;
    switch (field->number) {
    case 1: /* integers: counts of a counter histogram; doubles: of a float histogram */
    case 2:
        return read_count(field, field->number == 1, &result->count);
    case 3:
        return read_count(field, false, &result->sum);
    case 4:
        return read_schema(field, &result->schema);
    case 5:
        return read_count(field, false, &result->zero_threshold);
    case 6:
    case 7:
        return read_count(field, field->number == 6, &result->zero_count);
    case 14:
        return read_hint(field, &result->reset_hint);
    case 15:
        entry->time_ms = (int64_t)field->bits;
        return field->type == SN_PROTOBUF_VARINT;
    case 17:
        entry->start_time_ms = (int64_t)field->bits;
        return field->type == SN_PROTOBUF_VARINT;
    default:
        return read_histogram_array(histogram, field);
    }
}

/* Arrays that were filled become the result's; NULL when something was not kept. */
static const struct sn_histogram *finish_histogram(struct sn_remote_write_histogram *histogram) {
    struct sn_histogram *result = &histogram->result;
    const struct side *positive = &histogram->positive;
    const struct side *negative = &histogram->negative;
    if (positive->span_count > SIDE_MAX || positive->bucket_count > SIDE_MAX ||
        negative->span_count > SIDE_MAX || negative->bucket_count > SIDE_MAX ||
        histogram->custom_bound_count > SIDE_MAX) {
        return NULL;
    }
    result->positive_spans = positive->spans;
    result->positive_span_count = positive->span_count;
    result->positive_counts = positive->counts;
    result->positive_bucket_count = positive->bucket_count;
    result->negative_spans = negative->spans;
    result->negative_span_count = negative->span_count;
    result->negative_counts = negative->counts;
    result->negative_bucket_count = negative->bucket_count;
    result->custom_bounds = histogram->custom_bounds;
    result->custom_bound_count = histogram->custom_bound_count;
    return result;
}

static void reset_side(struct side *side) {
    side->span_count = 0;
    side->bucket_count = 0;
    side->last = 0;
}

/* The arrays are large and are not cleared. */
static void reset_histogram(struct sn_remote_write_histogram *histogram) {
    histogram->result = (struct sn_histogram){.schema = 0};
    reset_side(&histogram->positive);
    reset_side(&histogram->negative);
    histogram->custom_bound_count = 0;
}

static sn_status read_histogram(struct sn_remote_write_reader *reader, struct sn_str message,
                                struct sn_remote_write_entry *entry, struct sn_err *err) {
    struct sn_protobuf_reader histogram;
    struct sn_protobuf_field field;
    if (reader->histogram == NULL) {
        reader->histogram = sn_arena_alloc(reader->arena, sizeof *reader->histogram);
    }
    if (reader->histogram == NULL) {
        return sn_arena_failure(reader->arena, sizeof *reader->histogram, err);
    }
    reset_histogram(reader->histogram);
    sn_protobuf_open(&histogram, message);
    while (sn_protobuf_next(&histogram, &field)) {
        if (!read_histogram_field(reader->histogram, &field, entry)) {
            return malformed(reader, "a histogram is malformed", err);
        }
    }
    if (sn_protobuf_is_broken(&histogram)) {
        return malformed(reader, "a histogram is not a Protobuf message", err);
    }
    entry->kind = SN_REMOTE_WRITE_HISTOGRAM;
    entry->histogram = finish_histogram(reader->histogram);
    return SN_OK;
}

/* ---- metadata ---- */

static bool has_ending(enum sn_metric_type type, struct sn_str name, struct sn_str ending) {
    bool is_histogram = type == SN_METRIC_HISTOGRAM || type == SN_METRIC_GAUGE_HISTOGRAM;
    bool is_bucket = sn_str_equal(ending, SN_STR("_bucket"));
    return (is_histogram || (type == SN_METRIC_SUMMARY && !is_bucket)) && name.len > ending.len &&
           sn_str_ends_with(name, ending);
}

/* Name of the family that a series belongs to. */
static struct sn_str family_name(enum sn_metric_type type, struct sn_str name) {
    static const struct sn_str endings[] = {{"_bucket", 7}, {"_count", 6}, {"_sum", 4}};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (has_ending(type, name, endings[i])) {
            return sn_str_make(name.ptr, name.len - endings[i].len);
        }
    }
    return name;
}

static bool read_metadata_field(const struct sn_remote_write_reader *reader,
                                const struct sn_protobuf_field *field,
                                struct sn_metadata *metadata) {
    const struct sn_remote_write_layout *layout = reader->layout;
    if (field->number == 1) { /* the numbers of the schema's types are ours */
        metadata->type = field->bits <= SN_METRIC_STATESET ? (enum sn_metric_type)field->bits
                                                           : SN_METRIC_UNKNOWN;
        return field->type == SN_PROTOBUF_VARINT;
    }
    if (field->number == layout->help) {
        return read_text(reader, field, &metadata->help);
    }
    if (field->number == layout->unit) {
        return read_text(reader, field, &metadata->unit);
    }
    if (field->number == 2 && layout->version == SN_REMOTE_WRITE_1) {
        return read_text(reader, field, &metadata->metric_name);
    }
    return true;
}

static sn_status read_metadata(struct sn_remote_write_reader *reader, struct sn_str message,
                               struct sn_remote_write_entry *entry, struct sn_err *err) {
    struct sn_protobuf_reader metadata;
    struct sn_protobuf_field field;
    entry->kind = SN_REMOTE_WRITE_METADATA;
    entry->metadata.metric_name = SN_STR("");
    sn_protobuf_open(&metadata, message);
    while (sn_protobuf_next(&metadata, &field)) {
        if (!read_metadata_field(reader, &field, &entry->metadata)) {
            return malformed(reader, "metadata are malformed", err);
        }
    }
    if (sn_protobuf_is_broken(&metadata)) {
        return malformed(reader, "metadata are not a Protobuf message", err);
    }
    if (reader->layout->version == SN_REMOTE_WRITE_2) {
        entry->metadata.metric_name = family_name(entry->metadata.type, reader->metric_name);
    }
    return SN_OK;
}

/* ---- walking ---- */

/* One field of a series behind its labels; kind stays END when it is none to hand out. */
static sn_status read_point(struct sn_remote_write_reader *reader,
                            const struct sn_protobuf_field *field,
                            struct sn_remote_write_entry *entry, struct sn_err *err) {
    const struct sn_remote_write_layout *layout = reader->layout;
    bool is_sample = field->number == layout->samples;
    bool is_histogram = field->number == layout->histograms;
    bool is_exemplar = field->number == layout->exemplars;
    bool is_metadata = field->number == layout->series_metadata;
    if (!is_sample && !is_histogram && !is_exemplar && !is_metadata) {
        return SN_OK;
    }
    if (field->type != SN_PROTOBUF_BYTES) {
        return malformed(reader, "a field has the wrong wire type", err);
    }
    if (is_histogram) {
        return read_histogram(reader, field->bytes, entry, err);
    }
    if (is_metadata) {
        return read_metadata(reader, field->bytes, entry, err);
    }
    if (is_exemplar) {
        return read_exemplar(reader, field->bytes, entry)
                   ? SN_OK
                   : malformed(reader, "an exemplar is malformed", err);
    }
    return read_sample(field->bytes, entry) ? SN_OK
                                            : malformed(reader, "a sample is malformed", err);
}

/* One field of the request. */
static sn_status read_top(struct sn_remote_write_reader *reader,
                          const struct sn_protobuf_field *field,
                          struct sn_remote_write_entry *entry, struct sn_err *err) {
    bool is_series = field->number == reader->layout->series;
    if (!is_series && field->number != reader->layout->metadata) {
        return SN_OK;
    }
    if (field->type != SN_PROTOBUF_BYTES) {
        return malformed(reader, "what follows it has the wrong wire type", err);
    }
    return is_series ? read_series(reader, field->bytes, entry, err)
                     : read_metadata(reader, field->bytes, entry, err);
}

sn_status sn_remote_write_next(struct sn_remote_write_reader *reader,
                               struct sn_remote_write_entry *ret_entry, struct sn_err *err) {
    struct sn_protobuf_field field;
    *ret_entry = (struct sn_remote_write_entry){.kind = SN_REMOTE_WRITE_END};
    while (ret_entry->kind == SN_REMOTE_WRITE_END) {
        if (sn_protobuf_next(&reader->series, &field)) {
            SN_TRY(read_point(reader, &field, ret_entry, err));
        } else if (sn_protobuf_next(&reader->request, &field)) {
            SN_TRY(read_top(reader, &field, ret_entry, err));
        } else {
            break;
        }
    }
    SN_CHECK(!sn_protobuf_is_broken(&reader->series)); /* read_series has been over it */
    return SN_OK;
}

/* ---- opening ---- */

/*
 * Walk over the request once: it is whole, it is of this version, and it has so many symbols. The
 * field numbers of the versions do not overlap, so that one is never read as the other: a sender
 * that names the wrong version would otherwise lose everything and be told that all is well.
 */
static sn_status check_request(const struct sn_remote_write_reader *reader, size_t *ret_symbols,
                               struct sn_err *err) {
    const struct sn_remote_write_layout *layout = reader->layout;
    bool is_first = layout->version == SN_REMOTE_WRITE_1;
    struct sn_protobuf_reader request = reader->request;
    struct sn_protobuf_field field;
    size_t symbols = 0;
    while (sn_protobuf_next(&request, &field)) {
        if (is_first ? field.number == 4 || field.number == 5 : field.number <= 3) {
            return sn_err_set(err, SN_ERR_INVALID,
                              "field %u is not one of remote write %d.0: the body is of another "
                              "version than its Content-Type says",
                              field.number, (int)layout->version);
        }
        symbols += field.number == layout->symbols;
    }
    if (sn_protobuf_is_broken(&request)) {
        return sn_err_set(err, SN_ERR_INVALID, "the body is not a Protobuf message, or cut short");
    }
    if (symbols > SN_REMOTE_WRITE_SYMBOLS_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT, "the request has %zu symbols, the limit is %zu",
                          symbols, SN_REMOTE_WRITE_SYMBOLS_MAX);
    }
    *ret_symbols = symbols;
    return SN_OK;
}

static sn_status collect_symbols(struct sn_remote_write_reader *reader, size_t count,
                                 struct sn_err *err) {
    struct sn_protobuf_reader request = reader->request;
    struct sn_protobuf_field field;
    struct sn_str *symbols = sn_arena_alloc(reader->arena, count * sizeof *symbols);
    if (symbols == NULL) {
        return sn_arena_failure(reader->arena, count * sizeof *symbols, err);
    }
    while (sn_protobuf_next(&request, &field)) {
        if (field.number != reader->layout->symbols) {
            continue;
        }
        if (field.type != SN_PROTOBUF_BYTES) {
            return sn_err_set(err, SN_ERR_INVALID, "symbol %zu has the wrong wire type",
                              reader->symbol_count);
        }
        SN_CHECK(reader->symbol_count < count);
        symbols[reader->symbol_count++] = field.bytes;
    }
    reader->symbols = symbols;
    return SN_OK;
}

sn_status sn_remote_write_open(struct sn_remote_write_reader *reader, struct sn_str body,
                               enum sn_remote_write_version version, struct sn_arena *arena,
                               struct sn_err *err) {
    size_t symbol_count = 0;
    reader->layout = &layouts[version - SN_REMOTE_WRITE_1];
    reader->arena = arena;
    sn_protobuf_open(&reader->request, body);
    sn_protobuf_open(&reader->series, SN_STR(""));
    reader->symbols = NULL;
    reader->symbol_count = 0;
    reader->series_count = 0;
    reader->metric_name = SN_STR("");
    reader->histogram = NULL;
    SN_TRY(check_request(reader, &symbol_count, err));
    return symbol_count > 0 ? collect_symbols(reader, symbol_count, err) : SN_OK;
}
