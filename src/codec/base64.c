/* Base64: see base64.h. */
#include "codec/base64.h"

/* 0 to 63, or -1. */
static int value_of(char c) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '+' || c == '-') {
        return 62;
    }
    return c == '/' || c == '_' ? 63 : -1;
}

/* Without padding: complete groups of four need none, others at most what fills the group. */
static bool cut_padding(struct sn_str *text) {
    size_t padding = 0;
    while (padding < text->len && text->ptr[text->len - 1 - padding] == '=') {
        padding++;
    }
    text->len -= padding;
    return padding == 0 || (padding + text->len) % 4 == 0 || text->len == 0;
}

sn_status sn_base64_decode(struct sn_str text, uint8_t *ret_bytes, size_t *ret_len) {
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t len = 0;
    if (!cut_padding(&text) || text.len % 4 == 1) {
        return SN_ERR_INVALID;
    }
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.ptr[i]);
        if (value < 0) {
            return SN_ERR_INVALID;
        }
        bits = bits << 6 | (uint32_t)value;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            ret_bytes[len++] = (uint8_t)(bits >> bit_count);
            bits &= (1u << bit_count) - 1;
        }
    }
    if (bits != 0) {
        return SN_ERR_INVALID;
    }
    *ret_len = len;
    return SN_OK;
}
