/* Records of a shared file's catalogue. */
#include "client_support.h"

#include "client/family_priv.h"
#include "client/shared_record_priv.h"
#include "codec/crc32c.h"
#include "codec/varint.h"

static const char *const label_names[] = {"path", "code"};

static struct sn_family *family_of(sonde_registry *registry, enum sn_kind kind) {
    static const double bounds[] = {0.25, 1, 8};
    sonde_metric metric = {.name = "a_seconds",
                           .help = "What \"it\"\ntook.",
                           .unit = "seconds",
                           .label_names = label_names,
                           .label_count = 2,
                           .bounds = bounds,
                           .bound_count = 3};
    return sn_family_get(registry, &metric, kind, NULL);
}

static sn_status get(const struct sn_buf *buf, struct sn_shared_record *record,
                     struct sn_err *err) {
    return sn_shared_get_record(sn_buf_str(buf), record, err);
}

static void a_family_comes_back(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    struct sn_shared_record record;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_shared_put_family(&buf, family_of(registry, SN_KIND_HISTOGRAM));
    assert_int_equal(get(&buf, &record, NULL), SN_OK);
    assert_int_equal(record.bytes, buf.len);
    assert_int_equal(record.bytes % 8, 0);
    assert_int_equal(record.type, SN_SHARED_FAMILY);
    assert_int_equal(record.family.kind, SN_KIND_HISTOGRAM);
    const sonde_metric *metric = &record.family.metric;
    assert_string_equal(metric->name, "a_seconds");
    assert_string_equal(metric->help, "What \"it\"\ntook.");
    assert_string_equal(metric->unit, "seconds");
    assert_int_equal(metric->label_count, 2);
    assert_string_equal(metric->label_names[1], "code");
    assert_int_equal(metric->bound_count, 3);
    assert_true(metric->bounds[2] == 8);
    sn_buf_release(&buf);
    (void)sonde_registry_free(registry);
}

static void a_series_comes_back(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    const char *const values[] = {"/\"x\"", ""};
    struct sn_series *series = sn_series_get(family_of(registry, SN_KIND_GAUGE), values, 2);
    struct sn_shared_record record;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_shared_put_series(&buf, series, 17, (sonde_ref){3, 509});
    assert_int_equal(get(&buf, &record, NULL), SN_OK);
    assert_int_equal(record.type, SN_SHARED_SERIES);
    assert_int_equal(record.series.family, 17);
    assert_int_equal(record.series.ref.chunk, 3);
    assert_int_equal(record.series.ref.cell, 509);
    assert_true(record.series.created_wall_ms == series->created_wall_ms);
    assert_int_equal(record.series.value_count, 2);
    assert_string_equal(record.series.values[0], "/\"x\"");
    assert_string_equal(record.series.values[1], "");
    sn_buf_release(&buf);
    (void)sonde_registry_free(registry);
}

static void every_changed_byte_and_every_cut_is_noticed(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    struct sn_shared_record record;
    struct sn_err err;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_shared_put_family(&buf, family_of(registry, SN_KIND_HISTOGRAM));
    for (size_t i = 0; i < buf.len; i++) {
        buf.ptr[i] ^= 0x10;
        assert_int_equal(get(&buf, &record, &err), SN_ERR_CORRUPT);
        buf.ptr[i] ^= 0x10;
        assert_int_equal(sn_shared_get_record(sn_str_make(buf.ptr, i), &record, &err),
                         SN_ERR_CORRUPT);
    }
    sn_buf_release(&buf);
    (void)sonde_registry_free(registry);
}

/* With a right checksum, as somebody hostile would write it. */
static void lengths_that_lie_stay_inside_the_record(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    struct sn_shared_record record;
    struct sn_err err;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_shared_put_family(&buf, family_of(registry, SN_KIND_HISTOGRAM));
    for (size_t i = 8; i < buf.len; i++) {
        uint8_t old = buf.ptr[i];
        for (unsigned value = 0; value < 256; value += 5) {
            buf.ptr[i] = (uint8_t)value;
            sn_store_u32le(buf.ptr + 4, sn_crc32c(0, buf.ptr + 8, buf.len - 8));
            sn_status status = get(&buf, &record, &err);
            assert_true(status == SN_OK || status == SN_ERR_CORRUPT);
        }
        buf.ptr[i] = old;
    }
    sn_buf_release(&buf);
    (void)sonde_registry_free(registry);
}

static void the_length_is_told_only_when_the_record_is_there(void **state) {
    (void)state;
    uint8_t bytes[32] = {24};
    assert_int_equal(sn_shared_record_bytes(sn_str_make(bytes, 32)), 24);
    assert_int_equal(sn_shared_record_bytes(sn_str_make(bytes, 24)), 24);
    assert_int_equal(sn_shared_record_bytes(sn_str_make(bytes, 23)), 0);
    bytes[0] = 23;
    assert_int_equal(sn_shared_record_bytes(sn_str_make(bytes, 32)), 0);
    bytes[0] = 8;
    assert_int_equal(sn_shared_record_bytes(sn_str_make(bytes, 32)), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_comes_back),
        cmocka_unit_test(a_series_comes_back),
        cmocka_unit_test(every_changed_byte_and_every_cut_is_noticed),
        cmocka_unit_test(lengths_that_lie_stay_inside_the_record),
        cmocka_unit_test(the_length_is_told_only_when_the_record_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
