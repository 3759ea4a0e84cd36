/*
 * Records as JSON. See record_json.h.
 *
 * A record of a wrong kind ("value": "1") is that record's error and not the document's: each field
 * is looked at before it is read, and what does not fit is passed over.
 */
#include "api/record_json.h"

#include "base/clock.h"
#include "codec/number.h"
#include "codec/timetext.h"
#include "records/record_id.h"

/* One record in the making. */
struct item {
    struct sn_json_reader *json;
    struct sn_record record;
    struct sn_err err; /* status SN_OK: valid so far */
    bool has_value;
    bool has_ok;
    bool has_total;
};

static void fail(struct item *item, const char *field, const char *what) {
    if (item->err.status == SN_OK)
        (void)sn_err_set(&item->err, SN_ERR_INVALID, "%s must be %s", field, what);
}

/* ---- fields ---- */

static void read_text(struct item *item, const char *field, struct sn_str *text) {
    enum sn_json_kind kind = sn_json_read_peek(item->json);
    if (kind == SN_JSON_STRING) {
        *text = sn_json_read_string(item->json);
        return;
    }
    if (kind != SN_JSON_NULL)
        fail(item, field, "text");
    sn_json_read_skip(item->json);
}

static void read_value(struct item *item) {
    if (sn_json_read_peek(item->json) == SN_JSON_NUMBER) {
        struct sn_str text = sn_json_read_number_text(item->json);
        item->has_value = true;
        if (sn_double_parse(text, &item->record.value) != SN_OK)
            fail(item, "value", "a number that a double can hold");
        return;
    }
    fail(item, "value", "a number");
    sn_json_read_skip(item->json);
}

static void read_count(struct item *item, const char *field, bool *has_it, int64_t *count) {
    *has_it = true;
    if (sn_json_read_peek(item->json) == SN_JSON_NUMBER) {
        if (sn_int64_parse(sn_json_read_number_text(item->json), count) != SN_OK)
            fail(item, field, "a whole number");
        return;
    }
    fail(item, field, "a whole number");
    sn_json_read_skip(item->json);
}

bool sn_json_has_nul(struct sn_str json) {
    for (size_t i = 0; i + 5 < json.len; i++) {
        if (json.ptr[i] != '\\')
            continue;
        if (memcmp(json.ptr + i + 1, "u0000", 5) == 0)
            return true;
        i++; /* what is escaped */
    }
    return false;
}

static void read_metadata(struct item *item) {
    enum sn_json_kind kind = sn_json_read_peek(item->json);
    struct sn_str text = sn_json_read_raw(item->json);
    if (kind == SN_JSON_NULL)
        return;
    if (kind != SN_JSON_OBJECT)
        fail(item, "metadata", "an object");
    else if (sn_json_has_nul(text))
        fail(item, "metadata", "without the escape of a NUL character");
    item->record.metadata = text;
}

bool sn_record_json_time(struct sn_json_reader *json, int64_t *ret_time_ms, struct sn_err *err) {
    enum sn_json_kind kind = sn_json_read_peek(json);
    struct sn_str text = {NULL, 0};
    if (kind == SN_JSON_STRING)
        text = sn_json_read_string(json);
    else if (kind == SN_JSON_NUMBER)
        text = sn_json_read_number_text(json);
    else
        sn_json_read_skip(json);
    return sn_time_parse_ms(text, ret_time_ms, err) == SN_OK;
}

static void read_time(struct item *item) {
    struct sn_err err = {0};
    if (sn_json_read_peek(item->json) == SN_JSON_NULL)
        sn_json_read_skip(item->json);
    else if (!sn_record_json_time(item->json, &item->record.time_ms, &err))
        fail(item, "timestamp", "a time of RFC 3339 or a number of Unix seconds");
}

static bool read_text_field(struct item *item, struct sn_str key) {
    const struct {
        const char *field;
        struct sn_str *text;
    } rows[] = {
        {"metric_type", &item->record.metric_type}, {"name", &item->record.name},
        {"service", &item->record.service},         {"unit", &item->record.unit},
        {"description", &item->record.description},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (sn_str_equal(key, sn_str_from(rows[i].field))) {
            read_text(item, rows[i].field, rows[i].text);
            return true;
        }
    return false;
}

static void read_field(struct item *item, struct sn_str key) {
    if (read_text_field(item, key))
        return;
    if (sn_str_equal(key, SN_STR("value")))
        read_value(item);
    else if (sn_str_equal(key, SN_STR("timestamp")))
        read_time(item);
    else if (sn_str_equal(key, SN_STR("metadata")))
        read_metadata(item);
    else if (sn_str_equal(key, SN_STR("ok")))
        read_count(item, "ok", &item->has_ok, &item->record.ok_count);
    else if (sn_str_equal(key, SN_STR("total")))
        read_count(item, "total", &item->has_total, &item->record.total_count);
    else {
        if (item->err.status == SN_OK)
            (void)sn_err_set(&item->err, SN_ERR_INVALID, "unknown field \"%.*s\"",
                             (int)(key.len < 80 ? key.len : 80), key.ptr ? key.ptr : "");
        sn_json_read_skip(item->json);
    }
}

/* ---- records ---- */

static void settle(struct item *item) {
    struct sn_record *record = &item->record;
    record->has_counts = item->has_ok && item->has_total;
    if (item->err.status != SN_OK)
        return;
    if (item->has_ok != item->has_total)
        fail(item, item->has_ok ? "total" : "ok", "there, too");
    else if (!item->has_value && !record->has_counts)
        (void)sn_err_set(&item->err, SN_ERR_INVALID, "value is missing");
    if (item->err.status == SN_OK && record->has_counts && record->total_count > 0)
        record->value = (double)record->ok_count / (double)record->total_count;
    if (item->err.status == SN_OK && sn_record_check(record, &item->err) != SN_OK)
        return; /* its sentence is in err */
}

static void read_item(struct item *item) {
    struct sn_str key;
    if (sn_json_read_peek(item->json) != SN_JSON_OBJECT) {
        (void)sn_err_set(&item->err, SN_ERR_INVALID, "a record must be an object");
        sn_json_read_skip(item->json);
        return;
    }
    (void)sn_json_read_object(item->json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_key(item->json, &key))
        read_field(item, key);
    settle(item);
}

static sn_status note_error(struct sn_record_reading *reading, const struct item *item,
                            struct sn_arena *arena, struct sn_err *err) {
    reading->invalid_count++;
    if (reading->error_count == SN_RECORD_ERRORS_MAX)
        return SN_OK;
    struct sn_record_error *error = &reading->errors[reading->error_count];
    error->text = sn_arena_printf(arena, "%s", item->err.text);
    if (error->text == NULL)
        return sn_arena_failure(arena, sizeof item->err.text, err);
    error->index = reading->count;
    reading->error_count++;
    return SN_OK;
}

static sn_status reserve(struct sn_record_reading *reading, struct sn_arena *arena,
                         struct sn_err *err) {
    if ((reading->count & (reading->count - 1)) != 0 && reading->count > 0)
        return SN_OK; /* full at powers of two */
    size_t cap = reading->count > 0 ? 2 * reading->count : 1;
    struct sn_record *records = sn_arena_alloc_zero(arena, cap, sizeof *records);
    if (records == NULL)
        return sn_arena_failure(arena, cap * sizeof *records, err);
    if (reading->count > 0)
        memcpy(records, reading->records, reading->count * sizeof *records);
    reading->records = records;
    return SN_OK;
}

static sn_status read_one(struct sn_json_reader *json, const struct sn_record_json_options *options,
                          struct sn_record_reading *reading, struct sn_err *err) {
    struct item item = {.json = json, .record = {.time_ms = options->now_ms}};
    if (reading->count == SN_RECORD_BATCH_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d records in one batch",
                          SN_RECORD_BATCH_MAX);
    SN_TRY(reserve(reading, options->arena, err));
    read_item(&item);
    reading->records[reading->count] = item.record;
    if (item.err.status != SN_OK)
        SN_TRY(note_error(reading, &item, options->arena, err));
    reading->count++;
    return SN_OK;
}

static sn_status read_array(struct sn_json_reader *json,
                            const struct sn_record_json_options *options,
                            struct sn_record_reading *reading, struct sn_err *err) {
    (void)sn_json_read_array(json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_element(json))
        SN_TRY(read_one(json, options, reading, err));
    return SN_OK;
}

static sn_status read_batch(struct sn_json_reader *json,
                            const struct sn_record_json_options *options,
                            struct sn_record_reading *reading, struct sn_err *err) {
    struct sn_str key;
    if (sn_json_read_peek(json) != SN_JSON_OBJECT)
        return read_array(json, options, reading, err);
    (void)sn_json_read_object(json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_key(json, &key)) {
        if (sn_str_equal(key, SN_STR("metrics")))
            SN_TRY(read_array(json, options, reading, err));
        else
            sn_json_read_fail(json, SN_ERR_INVALID,
                              "unknown field: a batch is an array of "
                              "records or {\"metrics\": [...]}");
    }
    return SN_OK;
}

sn_status sn_record_json_read(struct sn_str body, const struct sn_record_json_options *options,
                              struct sn_record_reading *ret_reading, struct sn_err *err) {
    struct sn_json_reader json;
    struct sn_record_reading reading = {0};
    const size_t error_bytes = SN_RECORD_ERRORS_MAX * sizeof *reading.errors;
    reading.errors = sn_arena_alloc(options->arena, error_bytes);
    if (reading.errors == NULL)
        return sn_arena_failure(options->arena, error_bytes, err);
    sn_json_read_init(
        &json, body,
        &(struct sn_json_options){.arena = options->arena, .hash_seed = options->hash_seed});
    if (options->is_batch)
        SN_TRY(read_batch(&json, options, &reading, err));
    else
        SN_TRY(read_one(&json, options, &reading, err));
    SN_TRY(sn_json_read_finish(&json, err));
    *ret_reading = reading;
    return SN_OK;
}

/* ---- writing ---- */

static void put_optional(struct sn_json_writer *json, struct sn_str key, struct sn_str text) {
    if (text.len > 0)
        sn_json_write_key_string(json, key, text);
}

void sn_record_json_write(struct sn_json_writer *json, const struct sn_record *record) {
    char id[SN_RECORD_ID_TEXT_SIZE], time[SN_TIME_TEXT_SIZE];
    sn_record_id_format(&record->id, id);
    sn_time_format(record->time_ms, time);
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("id"), sn_str_from(id));
    sn_json_write_key_string(json, SN_STR("timestamp"), sn_str_from(time));
    sn_json_write_key_string(json, SN_STR("metric_type"), record->metric_type);
    sn_json_write_key_string(json, SN_STR("name"), record->name);
    sn_json_write_key_double(json, SN_STR("value"), record->value);
    put_optional(json, SN_STR("unit"), record->unit);
    put_optional(json, SN_STR("service"), record->service);
    put_optional(json, SN_STR("description"), record->description);
    if (record->has_counts) {
        sn_json_write_key_int64(json, SN_STR("ok"), record->ok_count);
        sn_json_write_key_int64(json, SN_STR("total"), record->total_count);
    }
    if (record->metadata.len > 0) {
        sn_json_write_key(json, SN_STR("metadata"));
        sn_json_write_raw(json, record->metadata);
    }
    sn_json_write_object_end(json);
}
