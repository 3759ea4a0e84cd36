/*
 * Number, duration and time texts. Properties: what is accepted prints to a text that reads back
 * to the same value; integers and doubles agree; nothing accepted is out of its range.
 */
#include "base/check.h"
#include "base/limits.h"
#include "codec/duration.h"
#include "codec/number.h"
#include "codec/timetext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static void round_trip(double value) {
    for (int style = SN_DOUBLE_API; style <= SN_DOUBLE_OPENMETRICS; style++) {
        char text[SN_DOUBLE_TEXT_SIZE];
        size_t len = sn_double_format(value, (enum sn_double_style)style, text);
        double back = 0;
        SN_CHECK(len < sizeof(text) && text[len] == '\0');
        SN_CHECK(sn_double_parse(sn_str_make(text, len), &back) == SN_OK);
        SN_CHECK(bits_of(back) == bits_of(value) || (back != back && value != value));
    }
}

static void check_integers(struct sn_str text) {
    int64_t value;
    uint64_t magnitude;
    double real;
    if (sn_int64_parse(text, &value) == SN_OK) {
        char back[SN_INTEGER_TEXT_SIZE];
        int64_t again = 0;
        size_t len = sn_int64_format(value, back);
        SN_CHECK(sn_int64_parse(sn_str_make(back, len), &again) == SN_OK && again == value);
        SN_CHECK(sn_double_parse(text, &real) == SN_OK && real == (double)value);
    }
    if (sn_uint64_parse(text, &magnitude) == SN_OK) {
        SN_CHECK(sn_double_parse(text, &real) == SN_OK && real == (double)magnitude);
    }
}

static void check_times(struct sn_str text) {
    int64_t ms;
    if (sn_duration_parse_ms(text, &ms, NULL) == SN_OK) {
        char back[SN_DURATION_TEXT_SIZE];
        int64_t again = -1;
        size_t len = sn_duration_format(ms, back);
        SN_CHECK(ms >= 0 && ms <= SN_DURATION_MS_MAX && len < sizeof(back));
        SN_CHECK(sn_duration_parse_ms(sn_str_make(back, len), &again, NULL) == SN_OK);
        SN_CHECK(again == ms);
    }
    if (sn_time_parse_ms(text, &ms, NULL) == SN_OK) {
        SN_CHECK(ms >= SN_TIME_MS_MIN && ms <= SN_TIME_MS_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_str text = sn_str_make(data, len);
    double value;
    if (sn_double_parse(text, &value) == SN_OK) {
        round_trip(value);
    }
    if (len >= sizeof(value)) {
        memcpy(&value, data, sizeof(value));
        round_trip(value);
    }
    check_integers(text);
    check_times(text);
    return 0;
}
