/*
 * What a record must be. See record.h.
 */
#include "records/record.h"

#include "base/limits.h"

#include <math.h>

sn_status sn_record_check_text(const char *field, struct sn_str text, size_t max,
                               struct sn_err *err) {
    if (text.len > max)
        return sn_err_set(err, SN_ERR_LIMIT, "%s has %zu bytes, the limit is %zu", field, text.len,
                          max);
    if (!sn_str_is_utf8(text))
        return sn_err_set(err, SN_ERR_INVALID, "%s is not UTF-8", field);
    if (sn_str_find_char(text, '\0') != SIZE_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "%s has a NUL character", field);
    return SN_OK;
}

static sn_status check_counts(const struct sn_record *record, struct sn_err *err) {
    if (!record->has_counts)
        return SN_OK;
    if (!sn_str_equal(record->metric_type, SN_STR("success_rate")))
        return sn_err_set(err, SN_ERR_INVALID, "ok and total are for metric_type success_rate");
    if (record->total_count < 1 || record->total_count > SN_RECORD_COUNT_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "total is %lld, must be 1 to 2^53",
                          (long long)record->total_count);
    if (record->ok_count < 0 || record->ok_count > record->total_count)
        return sn_err_set(err, SN_ERR_INVALID, "ok is %lld, must be 0 to total, which is %lld",
                          (long long)record->ok_count, (long long)record->total_count);
    return SN_OK;
}

static sn_status check_texts(const struct sn_record *record, struct sn_err *err) {
    const struct {
        const char *field;
        struct sn_str text;
        size_t max;
    } rows[] = {
        {"metric_type", record->metric_type, SN_RECORD_TYPE_BYTES_MAX},
        {"name", record->name, SN_RECORD_NAME_BYTES_MAX},
        {"service", record->service, SN_RECORD_SERVICE_BYTES_MAX},
        {"unit", record->unit, SN_RECORD_UNIT_BYTES_MAX},
        {"description", record->description, SN_RECORD_DESCRIPTION_BYTES_MAX},
        {"metadata", record->metadata, SN_RECORD_METADATA_BYTES_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        SN_TRY(sn_record_check_text(rows[i].field, rows[i].text, rows[i].max, err));
    return SN_OK;
}

sn_status sn_record_check(const struct sn_record *record, struct sn_err *err) {
    if (record->metric_type.len == 0)
        return sn_err_set(err, SN_ERR_INVALID, "metric_type is missing");
    if (record->name.len == 0)
        return sn_err_set(err, SN_ERR_INVALID, "name is missing");
    if (!isfinite(record->value))
        return sn_err_set(err, SN_ERR_INVALID, "value is not a finite number");
    if (record->time_ms < SN_TIME_MS_MIN || record->time_ms > SN_TIME_MS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "timestamp is not within the years 1970 to 9999");
    SN_TRY(check_texts(record, err));
    return check_counts(record, err);
}
