/* The remote write reader: both versions byte by byte, and everything that is neither. */
#include "wire/remote_write.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- bodies by hand ---- */

#define VALUE_1 "\x09\0\0\0\0\0\0\xf0\x3f" /* field 1: double 1 */

/* up{job="a"} 1 @5, then metadata: up is a gauge, "h", unit "u". */
static const char first[] = "\x0a\x2c"                           /* time series, 44 bytes */
                            "\x0a\x0e\x0a\x08__name__\x12\x02up" /* label */
                            "\x0a\x08\x0a\x03job\x12\x01"
                            "a"                           /* label */
                            "\x12\x0b" VALUE_1 "\x10\x05" /* sample */
                            "\x1a\x03\x22\x01x"           /* exemplar with something new */
                            "\x1a\x0c\x08\x02\x12\x02up\x22\x01h\x2a\x01u";

/* The same in 2.0, with a start time of 3. */
static const char second[] = "\x22\x00\x22\x08__name__\x22\x02up\x22\x03job\x22\x01"
                             "a\x22\x01h"
                             "\x22\x01u"                /* 7 symbols */
                             "\x2a\x1d"                 /* time series, 29 bytes */
                             "\x0a\x04\x01\x02\x03\x04" /* references */
                             "\x12\x0d" VALUE_1 "\x10\x05\x18\x03"
                             "\x2a\x06\x08\x02\x18\x05\x20\x06";

static struct sn_str first_body(void) {
    return sn_str_make(first, sizeof first - 1);
}

static struct sn_str second_body(void) {
    return sn_str_make(second, sizeof second - 1);
}

/* Bodies that are built: a message inside a field, with its length in front. */
static void put_varint(struct sn_buf *buf, uint64_t value) {
    uint8_t bytes[SN_VARINT_BYTES_MAX];
    sn_buf_put(buf, bytes, (size_t)(sn_varint_put(bytes, value) - bytes));
}

static void put_bytes(struct sn_buf *buf, uint32_t number, struct sn_str bytes) {
    put_varint(buf, number << 3 | SN_PROTOBUF_BYTES);
    put_varint(buf, bytes.len);
    sn_buf_put_str(buf, bytes);
}

static void put_number(struct sn_buf *buf, uint32_t number, uint64_t value) {
    put_varint(buf, number << 3 | SN_PROTOBUF_VARINT);
    put_varint(buf, value);
}

static void put_double(struct sn_buf *buf, uint32_t number, uint64_t bits) {
    put_varint(buf, number << 3 | SN_PROTOBUF_FIXED64);
    sn_buf_put_u64le(buf, bits);
}

static void put_label(struct sn_buf *buf, const char *name, const char *value) {
    struct sn_buf label;
    sn_buf_init(&label, 0);
    put_bytes(&label, 1, sn_str_from(name));
    put_bytes(&label, 2, sn_str_from(value));
    put_bytes(buf, 1, sn_buf_str(&label));
    sn_buf_release(&label);
}

/* ---- reading ---- */

struct reading {
    struct sn_arena arena;
    struct sn_buf text; /* one line per entry */
    struct sn_err err;
    sn_status status;
};

static void print_labels(struct sn_buf *text, const struct sn_remote_write_entry *entry) {
    for (size_t i = 0; i < entry->label_count && i < SN_LABELS_MAX; i++) {
        sn_buf_printf(text, " %.*s=%.*s", SN_STR_ARG(entry->labels[i].name),
                      SN_STR_ARG(entry->labels[i].value));
    }
}

static void print_histogram(struct sn_buf *text, const struct sn_remote_write_entry *entry) {
    const struct sn_histogram *h = entry->histogram;
    sn_buf_printf(text, "histogram @%lld since %lld:", (long long)entry->time_ms,
                  (long long)entry->start_time_ms);
    if (h == NULL) {
        sn_buf_put_text(text, " too large\n");
        return;
    }
    sn_buf_printf(text, " schema %d hint %d count %lld sum %lld zero %lld/%lld", h->schema,
                  (int)h->reset_hint, (long long)h->count, (long long)h->sum,
                  (long long)h->zero_count, (long long)h->zero_threshold);
    for (uint32_t i = 0; i < h->positive_span_count; i++) {
        sn_buf_printf(text, " +(%d,%u)", h->positive_spans[i].offset, h->positive_spans[i].length);
    }
    for (uint32_t i = 0; i < h->positive_bucket_count; i++) {
        sn_buf_printf(text, " +%lld", (long long)h->positive_counts[i]);
    }
    for (uint32_t i = 0; i < h->negative_span_count; i++) {
        sn_buf_printf(text, " -(%d,%u)", h->negative_spans[i].offset, h->negative_spans[i].length);
    }
    for (uint32_t i = 0; i < h->negative_bucket_count; i++) {
        sn_buf_printf(text, " -%lld", (long long)h->negative_counts[i]);
    }
    for (uint32_t i = 0; i < h->custom_bound_count; i++) {
        sn_buf_printf(text, " <%lld", (long long)h->custom_bounds[i]);
    }
    sn_buf_put_byte(text, '\n');
}

static void print_entry(struct sn_buf *text, const struct sn_remote_write_entry *entry) {
    switch (entry->kind) {
    case SN_REMOTE_WRITE_END:
        break;
    case SN_REMOTE_WRITE_SERIES:
        sn_buf_put_text(text, "series");
        print_labels(text, entry);
        sn_buf_put_byte(text, '\n');
        break;
    case SN_REMOTE_WRITE_SAMPLE:
        sn_buf_printf(text, "sample %llx @%lld since %lld\n",
                      (unsigned long long)sn_double_bits(entry->value), (long long)entry->time_ms,
                      (long long)entry->start_time_ms);
        break;
    case SN_REMOTE_WRITE_HISTOGRAM:
        print_histogram(text, entry);
        break;
    case SN_REMOTE_WRITE_EXEMPLAR:
        sn_buf_printf(text, "exemplar %lld @%lld", (long long)entry->value,
                      (long long)entry->time_ms);
        print_labels(text, entry);
        sn_buf_put_byte(text, '\n');
        break;
    case SN_REMOTE_WRITE_METADATA:
        sn_buf_printf(text, "metadata %.*s %s [%.*s] [%.*s]\n",
                      SN_STR_ARG(entry->metadata.metric_name),
                      sn_metric_type_name(entry->metadata.type), SN_STR_ARG(entry->metadata.help),
                      SN_STR_ARG(entry->metadata.unit));
        break;
    }
}

/* Read a copy of exactly the body's size, so that a look beyond it is found. */
static struct reading *read_body(struct sn_str body, enum sn_remote_write_version version) {
    static struct reading reading;
    static struct sn_remote_write_reader reader;
    struct sn_remote_write_entry entry;
    char *exact = malloc(body.len + (body.len == 0));
    assert_non_null(exact);
    memcpy(exact, body.ptr, body.len);
    sn_arena_release(&reading.arena);
    sn_buf_release(&reading.text);
    sn_arena_init(&reading.arena, 0);
    sn_buf_init(&reading.text, 0);
    reading.err = (struct sn_err){.status = SN_OK};
    reading.status = sn_remote_write_open(&reader, sn_str_make(exact, body.len), version,
                                          &reading.arena, &reading.err);
    do {
        entry.kind = SN_REMOTE_WRITE_END;
        if (reading.status == SN_OK) {
            reading.status = sn_remote_write_next(&reader, &entry, &reading.err);
        }
        if (reading.status == SN_OK) {
            print_entry(&reading.text, &entry);
        }
    } while (reading.status == SN_OK && entry.kind != SN_REMOTE_WRITE_END);
    sn_buf_put_byte(&reading.text, 0);
    free(exact);
    return &reading;
}

static void expect(struct sn_str body, enum sn_remote_write_version version, const char *text) {
    struct reading *reading = read_body(body, version);
    assert_string_equal(reading->err.text, "");
    assert_int_equal(reading->status, SN_OK);
    assert_string_equal((const char *)reading->text.ptr, text);
}

static void expect_refused(struct sn_str body, enum sn_remote_write_version version,
                           const char *words) {
    struct reading *reading = read_body(body, version);
    assert_int_equal(reading->status, SN_ERR_INVALID);
    if (strstr(reading->err.text, words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", reading->err.text, words);
    }
}

/* A request with one series of this content. */
static struct sn_str request_of(struct sn_buf *series, struct sn_buf *ret_request,
                                uint32_t number) {
    sn_buf_init(ret_request, 0);
    put_bytes(ret_request, number, sn_buf_str(series));
    assert_int_equal(sn_buf_status(ret_request, NULL), SN_OK);
    sn_buf_release(series);
    return sn_buf_str(ret_request);
}

/* ---- what is read ---- */

static void version_1_is_read(void **state) {
    (void)state;
    expect(first_body(), SN_REMOTE_WRITE_1,
           "series __name__=up job=a\nsample 3ff0000000000000 @5 since 0\nexemplar 0 @0\n"
           "metadata up gauge [h] [u]\n");
}

static void version_2_is_read(void **state) {
    (void)state;
    expect(second_body(), SN_REMOTE_WRITE_2,
           "series __name__=up job=a\nsample 3ff0000000000000 @5 since 3\n"
           "metadata up gauge [h] [u]\n");
}

static void an_empty_body_holds_nothing(void **state) {
    (void)state;
    expect(SN_STR(""), SN_REMOTE_WRITE_1, "");
    expect(SN_STR(""), SN_REMOTE_WRITE_2, "");
    expect(SN_STR("\x0a\x00"), SN_REMOTE_WRITE_1, "series\n");
    expect(SN_STR("\x2a\x00"), SN_REMOTE_WRITE_2, "series\n");
}

static void bits_of_values_and_every_time_arrive(void **state) {
    (void)state;
    struct sn_buf series;
    struct sn_buf sample;
    struct sn_buf request;
    sn_buf_init(&series, 0);
    sn_buf_init(&sample, 0);
    put_double(&sample, 1, SN_STALE_NAN_BITS);
    put_number(&sample, 2, (uint64_t)INT64_MIN);
    put_bytes(&series, 2, sn_buf_str(&sample));
    put_bytes(&series, 2, SN_STR("")); /* all default: 0 @0 */
    sn_buf_release(&sample);
    expect(request_of(&series, &request, 1), SN_REMOTE_WRITE_1,
           "series\nsample 7ff0000000000002 @-9223372036854775808 since 0\n"
           "sample 0 @0 since 0\n");
    sn_buf_release(&request);
}

static void labels_may_follow_their_samples_and_symbols_their_series(void **state) {
    (void)state;
    expect(SN_STR("\x0a\x16\x12\x02\x10\x07"
                  "\x0a\x0e\x0a\x08__name__\x12\x02up\x12\x00"),
           SN_REMOTE_WRITE_1, "series __name__=up\nsample 0 @7 since 0\nsample 0 @0 since 0\n");
    expect(SN_STR("\x2a\x08\x12\x02\x10\x07\x0a\x02\x00\x01\x22\x01"
                  "a\x22\x01"
                  "b"),
           SN_REMOTE_WRITE_2, "series a=b\nsample 0 @7 since 0\n");
}

static void references_may_be_unpacked_and_come_in_pieces(void **state) {
    (void)state;
    expect(SN_STR("\x22\x01"
                  "a\x22\x01"
                  "b\x2a\x07\x08\x00\x0a\x03\x01\x01\x00"),
           SN_REMOTE_WRITE_2, "series a=b b=a\n");
}

static void unknown_fields_are_skipped_at_every_level(void **state) {
    (void)state;
    expect(SN_STR("\x32\x01x\x0a\x14\xfa\x01\x00\x0a\x08\x0a\x01"
                  "a\x12\x01"
                  "b\x18\x05"
                  "\x12\x05\x10\x07\x22\x01x\x39\0\0\0\0\0\0\0\0"),
           SN_REMOTE_WRITE_1, "series a=b\nsample 0 @7 since 0\n");
}

static void labels_are_handed_out_as_sent(void **state) {
    (void)state;
    struct sn_buf series;
    struct sn_buf request;
    sn_buf_init(&series, 0);
    put_label(&series, "z", "1");
    put_label(&series, "a", "");
    put_label(&series, "z", "2");
    put_label(&series, "", "3");
    expect(request_of(&series, &request, 1), SN_REMOTE_WRITE_1, "series z=1 a= z=2 =3\n");
    sn_buf_release(&request);
}

static void exemplars_have_labels_of_their_own(void **state) {
    (void)state;
    expect(SN_STR("\x0a\x23\x0a\x06\x0a\x01"
                  "a\x12\x01"
                  "b\x1a\x19\x0a\x0c\x0a\x05trace\x12\x03"
                  "abc\x11\0\0\0\0\0\0\x08\x40\x18\x09"),
           SN_REMOTE_WRITE_1, "series a=b\nexemplar 3 @9 trace=abc\n");
    expect(SN_STR("\x22\x00\x22\x01"
                  "a\x22\x01"
                  "b\x2a\x15\x0a\x02\x01\x02\x22\x0f\x0a\x02\x02\x01"
                  "\x11\0\0\0\0\0\0\x08\x40\x18\x09"),
           SN_REMOTE_WRITE_2, "series a=b\nexemplar 3 @9 b=a\n");
}

static void a_series_of_version_2_may_carry_its_start_time(void **state) {
    (void)state;
    struct sn_remote_write_reader *reader = calloc(1, sizeof *reader);
    struct sn_remote_write_entry entry;
    struct sn_arena arena;
    assert_non_null(reader);
    sn_arena_init(&arena, 0);
    assert_int_equal(
        sn_remote_write_open(reader, SN_STR("\x2a\x02\x30\x2a"), SN_REMOTE_WRITE_2, &arena, NULL),
        SN_OK);
    assert_int_equal(sn_remote_write_next(reader, &entry, NULL), SN_OK);
    assert_int_equal(entry.kind, SN_REMOTE_WRITE_SERIES);
    assert_int_equal(entry.start_time_ms, 42);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sn_remote_write_next(reader, &entry, NULL), SN_OK);
        assert_int_equal(entry.kind, SN_REMOTE_WRITE_END);
    }
    free(reader);
    sn_arena_release(&arena);
}

static void metadata_of_version_2_are_those_of_the_family(void **state) {
    (void)state;
    static const struct {
        const char *name;
        uint64_t type;
        const char *text;
    } cases[] = {
        {"d_bucket", SN_METRIC_HISTOGRAM, "metadata d histogram [] []\n"},
        {"d_sum", SN_METRIC_HISTOGRAM, "metadata d histogram [] []\n"},
        {"d_count", SN_METRIC_GAUGE_HISTOGRAM, "metadata d gaugehistogram [] []\n"},
        {"d_bucket", SN_METRIC_SUMMARY, "metadata d_bucket summary [] []\n"},
        {"d_sum", SN_METRIC_SUMMARY, "metadata d summary [] []\n"},
        {"d_sum", SN_METRIC_COUNTER, "metadata d_sum counter [] []\n"},
        {"_sum", SN_METRIC_HISTOGRAM, "metadata _sum histogram [] []\n"},
        {"d", 99, "metadata d unknown [] []\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_buf request;
        struct sn_buf series;
        struct sn_buf metadata;
        char text[128];
        sn_buf_init(&request, 0);
        sn_buf_init(&series, 0);
        sn_buf_init(&metadata, 0);
        put_bytes(&request, 4, SN_STR("__name__"));
        put_bytes(&request, 4, sn_str_from(cases[i].name));
        put_number(&metadata, 1, cases[i].type);
        put_bytes(&series, 1, SN_STR("\x00\x01"));
        put_bytes(&series, 5, sn_buf_str(&metadata));
        put_bytes(&request, 5, sn_buf_str(&series));
        (void)snprintf(text, sizeof text, "series __name__=%s\n%s", cases[i].name, cases[i].text);
        expect(sn_buf_str(&request), SN_REMOTE_WRITE_2, text);
        sn_buf_release(&metadata);
        sn_buf_release(&series);
        sn_buf_release(&request);
    }
}

/* ---- histograms ---- */

static void put_span(struct sn_buf *buf, uint32_t number, int32_t offset, uint32_t length) {
    struct sn_buf span;
    sn_buf_init(&span, 0);
    put_number(&span, 1, sn_zigzag_encode(offset));
    put_number(&span, 2, length);
    put_bytes(buf, number, sn_buf_str(&span));
    sn_buf_release(&span);
}

/* A request of version 1 with one series that has one histogram. */
static struct sn_str histogram_request(struct sn_buf *histogram, struct sn_buf *ret_request) {
    struct sn_buf series;
    sn_buf_init(&series, 0);
    put_bytes(&series, 4, sn_buf_str(histogram));
    sn_buf_release(histogram);
    return request_of(&series, ret_request, 1);
}

static void integer_histograms_become_counts(void **state) {
    (void)state;
    struct sn_buf h;
    struct sn_buf request;
    sn_buf_init(&h, 0);
    put_number(&h, 1, 12);
    put_double(&h, 3, sn_double_bits(18));
    put_number(&h, 4, sn_zigzag_encode(-4));
    put_double(&h, 5, sn_double_bits(2));
    put_number(&h, 6, 1);
    put_span(&h, 8, -2, 1);
    put_number(&h, 9, sn_zigzag_encode(3)); /* unpacked */
    put_span(&h, 11, 0, 2);
    put_span(&h, 11, 3, 1);
    put_bytes(&h, 12, SN_STR("\x04\x01\x06")); /* +2 -1 +3 */
    put_number(&h, 14, SN_RESET_GAUGE);
    put_number(&h, 15, 1234);
    put_number(&h, 17, 1000);
    expect(histogram_request(&h, &request), SN_REMOTE_WRITE_1,
           "series\nhistogram @1234 since 1000: schema -4 hint 3 count 12 sum 18 zero 1/2 +(0,2) "
           "+(3,1) +2 +1 +4 -(-2,1) -3\n");
    sn_buf_release(&request);
}

static void float_histograms_and_custom_bounds_are_read(void **state) {
    (void)state;
    struct sn_buf h;
    struct sn_buf request;
    struct sn_buf doubles;
    sn_buf_init(&h, 0);
    sn_buf_init(&doubles, 0);
    sn_buf_put_u64le(&doubles, sn_double_bits(4));
    sn_buf_put_u64le(&doubles, sn_double_bits(5));
    put_double(&h, 2, sn_double_bits(9));
    put_number(&h, 4, sn_zigzag_encode(-53));
    put_double(&h, 7, sn_double_bits(0));
    put_span(&h, 11, 0, 2);
    put_bytes(&h, 13, sn_buf_str(&doubles));
    put_bytes(&h, 16, sn_buf_str(&doubles));
    put_double(&h, 16, sn_double_bits(6)); /* unpacked */
    put_number(&h, 14, 77);                /* a hint of a version to come */
    expect(histogram_request(&h, &request), SN_REMOTE_WRITE_1,
           "series\nhistogram @0 since 0: schema -53 hint 0 count 9 sum 0 zero 0/0 +(0,2) +4 +5 "
           "<4 <5 <6\n");
    sn_buf_release(&doubles);
    sn_buf_release(&request);
}

static void the_bucket_limit_holds_at_both_sides(void **state) {
    (void)state;
    for (uint32_t field = 8; field <= 16; field++) {
        if (field == 14 || field == 15) {
            continue;
        }
        for (int over = 0; over < 2; over++) {
            struct sn_buf h;
            struct sn_buf request;
            sn_buf_init(&h, 0);
            for (int i = 0; i < SN_HISTOGRAM_BUCKETS_MAX + over; i++) {
                if (field == 8 || field == 11) {
                    put_span(&h, field, 0, 0);
                } else if (field == 9 || field == 12) {
                    put_number(&h, field, 0);
                } else {
                    put_double(&h, field, 0);
                }
            }
            struct reading *reading = read_body(histogram_request(&h, &request), SN_REMOTE_WRITE_1);
            assert_int_equal(reading->status, SN_OK);
            assert_int_equal(strstr((const char *)reading->text.ptr, "too large") != NULL, over);
            sn_buf_release(&request);
        }
    }
}

static void malformed_histograms_are_refused(void **state) {
    (void)state;
    static const struct sn_str cases[] = {
        SN_STR("\x09\0\0\0\0\0\0\0\0"),             /* count_int as a double */
        SN_STR("\x10\x01"),                         /* count_float as an integer */
        SN_STR("\x20\xff\xff\xff\xff\xff\x01"),     /* schema beyond 32 bits */
        SN_STR("\x42\x06\x08\xff\xff\xff\xff\x7f"), /* offset beyond 32 bits */
        SN_STR("\x42\x06\x10\xff\xff\xff\xff\x7f"), /* length beyond 32 bits */
        SN_STR("\x42\x02\x0d\x00"),                 /* span that is cut */
        SN_STR("\x40\x01"),                         /* span that is a number */
        SN_STR("\x4a\x01\x80"),                     /* delta that is cut */
        SN_STR("\x4d\0\0\0\0"),                     /* deltas as fixed32 */
        SN_STR("\x52\x07"                           /* counts of 7 bytes */
               "1234567"),
        SN_STR("\x62\x14\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\xfe\xff\xff\xff\xff\xff\xff\xff"
               "\xff\x01"), /* sums to more than 63 bits */
        SN_STR("\x71\0\0\0\0\0\0\0\0"),
        SN_STR("\x79\0\0\0\0\0\0\0\0"),
        SN_STR("\x08"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_buf h;
        struct sn_buf request;
        sn_buf_init(&h, 0);
        sn_buf_put_str(&h, cases[i]);
        expect_refused(histogram_request(&h, &request), SN_REMOTE_WRITE_1,
                       "series 1: a histogram is");
        sn_buf_release(&request);
    }
}

/* ---- what is refused ---- */

static void every_cut_is_shorter_or_refused(void **state) {
    (void)state;
    for (size_t len = 0; len < sizeof first - 1; len++) {
        bool is_whole = len == 0 || len == 46;
        struct reading *reading = read_body(sn_str_make(first, len), SN_REMOTE_WRITE_1);
        assert_int_equal(reading->status, is_whole ? SN_OK : SN_ERR_INVALID);
        assert_int_equal(reading->err.text[0] == '\0', is_whole);
    }
    for (size_t len = 0; len < sizeof second - 1; len++) {
        struct reading *reading = read_body(sn_str_make(second, len), SN_REMOTE_WRITE_2);
        assert_true(reading->status == SN_OK || reading->err.text[0] != '\0');
    }
}

static void every_flipped_byte_is_survived(void **state) {
    (void)state;
    char body[sizeof first];
    for (size_t i = 0; i < sizeof first - 1; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(body, first, sizeof body);
            body[i] = (char)(body[i] ^ (1 << bit));
            struct reading *reading =
                read_body(sn_str_make(body, sizeof body - 1), SN_REMOTE_WRITE_1);
            assert_true(reading->status == SN_OK || reading->status == SN_ERR_INVALID);
        }
    }
}

static void malformed_messages_are_refused_with_their_series(void **state) {
    (void)state;
    static const struct {
        struct sn_str body;
        enum sn_remote_write_version version;
        const char *words;
    } cases[] = {
        {SN_STR("garbage"), 1, "not a Protobuf message"},
        {SN_STR("\xff\xff\xff\xff"), 1, "not a Protobuf message"},
        {SN_STR("\x0a\x00\x0a\x01\x12"), 1, "series 2: it is not a Protobuf message"},
        {SN_STR("\x08\x01"), 1, "wrong wire type"},
        {SN_STR("\x18\x01"), 1, "wrong wire type"},
        {SN_STR("\x0a\x02\x08\x01"), 1, "series 1: its labels are malformed"},
        {SN_STR("\x0a\x04\x0a\x02\x08\x01"), 1, "its labels are malformed"},
        {SN_STR("\x0a\x04\x0a\x02\x0a\x05"), 1, "its labels are malformed"},
        {SN_STR("\x0a\x02\x10\x01"), 1, "a field has the wrong wire type"},
        {SN_STR("\x0a\x04\x12\x02\x08\x01"), 1, "a sample is malformed"},
        {SN_STR("\x0a\x04\x12\x02\x11\x01"), 1, "a sample is malformed"},
        {SN_STR("\x0a\x04\x1a\x02\x10\x01"), 1, "an exemplar is malformed"},
        {SN_STR("\x0a\x04\x1a\x02\x1a\x00"), 1, "an exemplar is malformed"},
        {SN_STR("\x1a\x02\x12\x05"), 1, "metadata are not a Protobuf message"},
        {SN_STR("\x1a\x02\x10\x05"), 1, "metadata are malformed"},
        {SN_STR("\x1a\x02\x0a\x00"), 1, "metadata are malformed"},
        {SN_STR("\x20\x00"), 2, "symbol 0 has the wrong wire type"},
        {SN_STR("\x22\x00\x2a\x04\x0a\x02\x00\x01"), 2, "its labels are malformed"},
        {SN_STR("\x22\x00\x2a\x04\x0a\x02\x00\x80"), 2, "its labels are malformed"},
        {SN_STR("\x22\x00\x2a\x07\x0d\0\0\0\0\x12\x00"), 2, "its labels are malformed"},
        {SN_STR("\x22\x00\x2a\x05\x0a\x03\x00\x00\x00"), 2, "the last label has no value"},
        {SN_STR("\x22\x00\x2a\x05\x22\x03\x0a\x01\x00"), 2, "an exemplar is malformed"},
        {SN_STR("\x22\x00\x2a\x04\x2a\x02\x18\x01"), 2, "metadata are malformed"},
        {SN_STR("\x22\x00\x2a\x04\x2a\x02\x1a\x00"), 2, "metadata are malformed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_refused(cases[i].body, cases[i].version, cases[i].words);
    }
}

static void one_version_is_not_read_as_the_other(void **state) {
    (void)state;
    expect_refused(first_body(), SN_REMOTE_WRITE_2, "another version than its Content-Type says");
    expect_refused(second_body(), SN_REMOTE_WRITE_1, "another version than its Content-Type says");
}

static void a_million_labels_are_counted_and_not_kept(void **state) {
    (void)state;
    struct sn_remote_write_reader *reader = calloc(1, sizeof *reader);
    struct sn_remote_write_entry entry;
    struct sn_arena arena;
    struct sn_buf series;
    struct sn_buf request;
    assert_non_null(reader);
    sn_arena_init(&arena, 0);
    sn_buf_init(&series, 0);
    for (int i = 0; i < 1000000; i++) {
        sn_buf_put(&series,
                   "\x0a\x06\x0a\x01"
                   "a\x12\x01"
                   "b",
                   8);
    }
    struct sn_str body = request_of(&series, &request, 1);
    assert_int_equal(sn_remote_write_open(reader, body, SN_REMOTE_WRITE_1, &arena, NULL), SN_OK);
    assert_int_equal(sn_remote_write_next(reader, &entry, NULL), SN_OK);
    assert_int_equal(entry.label_count, 1000000);
    assert_int_equal(arena.used, 0);
    sn_buf_release(&request);
    sn_arena_release(&arena);
    free(reader);
}

static void the_symbol_limit_holds_at_both_sides(void **state) {
    (void)state;
    struct sn_buf body;
    sn_buf_init(&body, 0);
    for (size_t i = 0; i < SN_REMOTE_WRITE_SYMBOLS_MAX; i++) {
        sn_buf_put(&body, "\x22\x00", 2);
    }
    expect(sn_buf_str(&body), SN_REMOTE_WRITE_2, "");
    sn_buf_put(&body, "\x22\x00", 2);
    struct reading *reading = read_body(sn_buf_str(&body), SN_REMOTE_WRITE_2);
    assert_int_equal(reading->status, SN_ERR_LIMIT);
    assert_string_equal(reading->err.text, "the request has 2097153 symbols, the limit is 2097152");
    sn_buf_release(&body);
}

static void every_failing_allocation_is_a_status(void **state) {
    (void)state;
#ifndef SN_FAULTS
    skip();
#endif
    static struct sn_remote_write_reader reader;
    struct sn_str body = SN_STR("\x22\x00\x2a\x02\x1a\x00");
    for (uint64_t n = 1;; n++) {
        struct sn_arena arena;
        struct sn_remote_write_entry entry = {.kind = SN_REMOTE_WRITE_SERIES};
        sn_arena_init(&arena, 0);
        sn_mem_fail_nth(n);
        sn_status status = sn_remote_write_open(&reader, body, SN_REMOTE_WRITE_2, &arena, NULL);
        while (status == SN_OK && entry.kind != SN_REMOTE_WRITE_END) {
            status = sn_remote_write_next(&reader, &entry, NULL);
        }
        bool is_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, is_fired ? SN_ERR_NO_MEMORY : SN_OK);
        sn_arena_release(&arena);
        if (!is_fired) {
            break;
        }
    }
}

static int release_reading(void **state) {
    (void)state;
    struct reading *reading = read_body(SN_STR(""), SN_REMOTE_WRITE_1);
    sn_buf_release(&reading->text);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_1_is_read),
        cmocka_unit_test(version_2_is_read),
        cmocka_unit_test(an_empty_body_holds_nothing),
        cmocka_unit_test(bits_of_values_and_every_time_arrive),
        cmocka_unit_test(labels_may_follow_their_samples_and_symbols_their_series),
        cmocka_unit_test(references_may_be_unpacked_and_come_in_pieces),
        cmocka_unit_test(unknown_fields_are_skipped_at_every_level),
        cmocka_unit_test(labels_are_handed_out_as_sent),
        cmocka_unit_test(exemplars_have_labels_of_their_own),
        cmocka_unit_test(a_series_of_version_2_may_carry_its_start_time),
        cmocka_unit_test(metadata_of_version_2_are_those_of_the_family),
        cmocka_unit_test(integer_histograms_become_counts),
        cmocka_unit_test(float_histograms_and_custom_bounds_are_read),
        cmocka_unit_test(the_bucket_limit_holds_at_both_sides),
        cmocka_unit_test(malformed_histograms_are_refused),
        cmocka_unit_test(every_cut_is_shorter_or_refused),
        cmocka_unit_test(every_flipped_byte_is_survived),
        cmocka_unit_test(malformed_messages_are_refused_with_their_series),
        cmocka_unit_test(one_version_is_not_read_as_the_other),
        cmocka_unit_test(a_million_labels_are_counted_and_not_kept),
        cmocka_unit_test(the_symbol_limit_holds_at_both_sides),
        cmocka_unit_test(every_failing_allocation_is_a_status),
    };
    return cmocka_run_group_tests_name("remote_write", tests, NULL, release_reading);
}
