/* Values of samples in JSON lines: see json_value_priv.h. */
#include "wire/json_value_priv.h"

#include "model/sample.h"

#include <math.h>

#define GO_NAN_BITS UINT64_C(0x7ff8000000000001) /* what parsers of numbers make of "NaN" */
enum { HEX_DIGITS = 16 };
static const struct sn_str nan_prefix = SN_STR("nan:");

/* ---- writing ---- */

static void write_nan(struct sn_json_writer *json, uint64_t bits) {
    static const char digits[] = "0123456789abcdef";
    char text[4 + HEX_DIGITS];
    if (bits == SN_STALE_NAN_BITS) {
        sn_json_write_string(json, SN_STR("stale"));
        return;
    }
    if (bits == GO_NAN_BITS) {
        sn_json_write_string(json, SN_STR("NaN"));
        return;
    }
    memcpy(text, nan_prefix.ptr, nan_prefix.len);
    for (int i = 0; i < HEX_DIGITS; i++)
        text[4 + i] = digits[(bits >> (60 - 4 * i)) & 15];
    sn_json_write_string(json, sn_str_make(text, sizeof text));
}

void sn_json_value_write(struct sn_json_writer *json, double value) {
    if (isnan(value))
        write_nan(json, sn_double_bits(value));
    else
        sn_json_write_double(json, value);
}

/* ---- reading ---- */

static bool parse_hex(struct sn_str text, uint64_t *ret_bits) {
    uint64_t bits = 0;
    if (text.len != HEX_DIGITS)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 16;
        if (digit > 15)
            return false;
        bits = bits << 4 | digit;
    }
    *ret_bits = bits;
    return isnan(sn_double_from_bits(bits));
}

static double read_text_value(struct sn_json_reader *json) {
    static const struct {
        struct sn_str text;
        uint64_t bits;
    } words[] = {
        {SN_STR("NaN"), GO_NAN_BITS},
        {SN_STR("stale"), SN_STALE_NAN_BITS},
        {SN_STR("+Inf"), UINT64_C(0x7ff0000000000000)},
        {SN_STR("Inf"), UINT64_C(0x7ff0000000000000)},
        {SN_STR("Infinity"), UINT64_C(0x7ff0000000000000)},
        {SN_STR("-Inf"), UINT64_C(0xfff0000000000000)},
        {SN_STR("-Infinity"), UINT64_C(0xfff0000000000000)},
    };
    struct sn_str text = sn_json_read_string(json);
    uint64_t bits;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (sn_str_equal(text, words[i].text))
            return sn_double_from_bits(words[i].bits);
    }
    if (sn_str_starts_with(text, nan_prefix) &&
        parse_hex(sn_str_make(text.ptr + nan_prefix.len, text.len - nan_prefix.len), &bits))
        return sn_double_from_bits(bits);
    sn_json_read_fail(json, SN_ERR_INVALID, "\"%.*s\" is not a value",
                      (int)(text.len < 40 ? text.len : 40), text.ptr);
    return 0;
}

double sn_json_value_read(struct sn_json_reader *json) {
    if (sn_json_read_null_if(json))
        return sn_double_from_bits(GO_NAN_BITS);
    if (sn_json_read_peek(json) == SN_JSON_STRING)
        return read_text_value(json);
    return sn_json_read_double(json);
}
