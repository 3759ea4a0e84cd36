/*
 * What the JSON of all instruments has in common. One thread per writer.
 */
#ifndef SN_CLIENT_INSTRUMENT_JSON_PRIV_H
#define SN_CLIENT_INSTRUMENT_JSON_PRIV_H

#include "client/instrument_priv.h"
#include "codec/json_write.h"
#include "codec/number.h"

#include <stdio.h>

/* End the document and hand it to the host; the buffer is released or handed over. */
static inline sonde_status sn_instrument_json_end(struct sn_json_writer *json, struct sn_buf *buf,
                                                  char **ret_text, size_t *ret_len) {
    sn_status status = sn_json_write_finish(json, NULL);
    sn_buf_put_byte(buf, '\0');
    if (status == SN_OK)
        status = buf->status;
    if (status != SN_OK) {
        sn_buf_release(buf);
        return status == SN_ERR_NO_MEMORY ? SONDE_ERR_NO_MEMORY : SONDE_ERR_LIMIT;
    }
    *ret_text = (char *)buf->ptr;
    if (ret_len != NULL)
        *ret_len = buf->len - 1;
    return SONDE_OK;
}

/* A label of the instrument as a member. */
static inline void sn_instrument_json_label(struct sn_json_writer *json, struct sn_str key,
                                            const struct sn_instrument *instrument, size_t label) {
    sn_json_write_key_string(json, key, sn_series_value(instrument->series, label));
}

/* An active alert, as the members of an object that is open. */
struct sn_alert_shown {
    const char *name;
    double value;
    double threshold;
    int64_t since_wall_ms;
};

static inline void sn_instrument_json_alert(struct sn_json_writer *json,
                                            const struct sn_alert_shown *alert) {
    char value[SN_DOUBLE_TEXT_SIZE], threshold[SN_DOUBLE_TEXT_SIZE], message[160];
    (void)sn_double_format(alert->value, SN_DOUBLE_TEXT, value);
    (void)sn_double_format(alert->threshold, SN_DOUBLE_TEXT, threshold);
    (void)snprintf(message, sizeof message, "%s is %s, the threshold is %s", alert->name, value,
                   threshold);
    sn_json_write_key_string(json, SN_STR("alert"), sn_str_from(alert->name));
    sn_json_write_key_double(json, SN_STR("value"), alert->value);
    sn_json_write_key_double(json, SN_STR("threshold"), alert->threshold);
    sn_json_write_key_int64(json, SN_STR("since_time_ms"), alert->since_wall_ms);
    sn_json_write_key_string(json, SN_STR("message"), sn_str_from(message));
}

#endif
