/*
 * Text as Go writes it. Pure functions; any thread.
 *
 * What Go calls printable is "letter, mark, number, punctuation, symbol or the ASCII blank" of its
 * Unicode tables. We list what is not: blanks, controls, format characters, private use and
 * non-characters. Unassigned code points count as printable here; both forms read back the same.
 */
#include "query/gotext_priv.h"

#include "codec/number.h"

#include <math.h>

#define REPLACEMENT 0xFFFDu

static const struct {
    uint32_t first;
    uint32_t last;
} unprintable[] = {
    {0x00, 0x1F},     {0x7F, 0xA0},     {0xAD, 0xAD},     {0x600, 0x605},     {0x61C, 0x61C},
    {0x6DD, 0x6DD},   {0x70F, 0x70F},   {0x1680, 0x1680}, {0x180E, 0x180E},   {0x2000, 0x200F},
    {0x2028, 0x202F}, {0x205F, 0x206F}, {0x3000, 0x3000}, {0xD800, 0xF8FF},   {0xFDD0, 0xFDEF},
    {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFB}, {0xFFFE, 0xFFFF}, {0xE0000, 0xE00FF}, {0xE01F0, 0x10FFFF},
};

static bool is_printable(uint32_t rune) {
    for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++) {
        if (rune >= unprintable[i].first && rune <= unprintable[i].last) {
            return false;
        }
    }
    return true;
}

size_t sn_gotext_decode(struct sn_str s, uint32_t *ret_rune) {
    static const unsigned char lead_mask[5] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    size_t len = sn_str_utf8_char_len(s);
    if (len == 0) {
        *ret_rune = REPLACEMENT;
        return 1;
    }
    uint32_t rune = (unsigned char)s.ptr[0] & lead_mask[len];
    for (size_t i = 1; i < len; i++) {
        rune = rune << 6 | ((unsigned char)s.ptr[i] & 0x3F);
    }
    *ret_rune = rune;
    return len;
}

size_t sn_gotext_encode(uint32_t rune, char ret_bytes[4]) {
    if (rune < 0x80) {
        ret_bytes[0] = (char)rune;
        return 1;
    }
    size_t len = rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
    static const unsigned char lead_bits[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--) {
        ret_bytes[i] = (char)(0x80 | (rune & 0x3F));
        rune >>= 6;
    }
    ret_bytes[0] = (char)(lead_bits[len] | rune);
    return len;
}

/* Letter of a one-letter escape such as \n, or 0. */
static char short_escape(uint32_t rune) {
    switch (rune) {
    case '\a':
        return 'a';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\v':
        return 'v';
    case '\\':
        return '\\';
    default:
        return 0;
    }
}

/* Append one character inside of `quote` quotes. len 1 and REPLACEMENT: a byte that is no text. */
static void put_char(struct sn_buf *buf, struct sn_str bytes, uint32_t rune, char quote) {
    char letter = rune == (unsigned char)quote ? quote : short_escape(rune);
    if (letter != 0) {
        sn_buf_put_byte(buf, '\\');
        sn_buf_put_byte(buf, (uint8_t)letter);
    } else if (rune == REPLACEMENT && bytes.len == 1) {
        sn_buf_printf(buf, "\\x%02x", (unsigned char)bytes.ptr[0]);
    } else if (is_printable(rune)) {
        sn_buf_put_str(buf, bytes);
    } else if (rune < 0x80) {
        sn_buf_printf(buf, "\\x%02x", rune);
    } else if (rune < 0x10000) {
        sn_buf_printf(buf, "\\u%04x", rune);
    } else {
        sn_buf_printf(buf, "\\U%08x", rune);
    }
}

void sn_gotext_quote(struct sn_buf *buf, struct sn_str s) {
    sn_buf_put_byte(buf, '"');
    for (size_t at = 0; at < s.len;) {
        uint32_t rune;
        size_t len = sn_gotext_decode(sn_str_make(s.ptr + at, s.len - at), &rune);
        put_char(buf, sn_str_make(s.ptr + at, len), rune, '"');
        at += len;
    }
    sn_buf_put_byte(buf, '"');
}

void sn_gotext_float(struct sn_buf *buf, double value) {
    if (!isfinite(value)) {
        sn_buf_put_text(buf, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
        return;
    }
    struct sn_decimal decimal = sn_double_to_decimal(value);
    char digits[SN_INTEGER_TEXT_SIZE];
    size_t len = sn_uint64_format(decimal.digits, digits);
    int32_t exponent = decimal.digits == 0 ? 0 : decimal.exponent;
    if (decimal.is_negative) {
        sn_buf_put_byte(buf, '-');
    }
    if (exponent >= 0) {
        sn_buf_put(buf, digits, len);
        for (int32_t i = 0; i < exponent; i++) {
            sn_buf_put_byte(buf, '0');
        }
        return;
    }
    size_t fraction = (size_t)-exponent;
    if (fraction >= len) {
        sn_buf_put_text(buf, "0.");
        for (size_t i = len; i < fraction; i++) {
            sn_buf_put_byte(buf, '0');
        }
        sn_buf_put(buf, digits, len);
        return;
    }
    sn_buf_put(buf, digits, len - fraction);
    sn_buf_put_byte(buf, '.');
    sn_buf_put(buf, digits + (len - fraction), fraction);
}

/* Copy what buf holds, as far as there is room, with a NUL; release buf. */
static void finish(struct sn_buf *buf, char *ret_text, size_t size) {
    size_t len = buf->len < size ? buf->len : size - 1;
    if (len > 0) {
        memcpy(ret_text, buf->ptr, len);
    }
    ret_text[len] = '\0';
    sn_buf_release(buf);
}

void sn_gotext_rune(char ret_text[SN_GOTEXT_RUNE_SIZE], struct sn_str s) {
    struct sn_buf buf;
    uint32_t rune = REPLACEMENT;
    size_t len = s.len > 0 ? sn_gotext_decode(s, &rune) : 0;
    sn_buf_init(&buf, 0);
    sn_buf_put_byte(&buf, '\'');
    if (rune == REPLACEMENT) {
        sn_buf_put_text(&buf, "\xEF\xBF\xBD");
    } else {
        put_char(&buf, sn_str_make(s.ptr, len), rune, '\'');
    }
    sn_buf_put_byte(&buf, '\'');
    finish(&buf, ret_text, SN_GOTEXT_RUNE_SIZE);
}

void sn_gotext_unicode(char ret_text[SN_GOTEXT_UNICODE_SIZE], struct sn_str s) {
    struct sn_buf buf;
    uint32_t rune = REPLACEMENT;
    size_t len = s.len > 0 ? sn_gotext_decode(s, &rune) : 0;
    sn_buf_init(&buf, 0);
    sn_buf_printf(&buf, "U+%04X", rune);
    if (is_printable(rune)) {
        sn_buf_put_text(&buf, " '");
        sn_buf_put_str(&buf,
                       rune == REPLACEMENT ? SN_STR("\xEF\xBF\xBD") : sn_str_make(s.ptr, len));
        sn_buf_put_byte(&buf, '\'');
    }
    finish(&buf, ret_text, SN_GOTEXT_UNICODE_SIZE);
}

const char *sn_gotext_quoted(char ret_text[SN_GOTEXT_QUOTED_SIZE], struct sn_str s) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_gotext_quote(
        &buf, sn_str_make(s.ptr, s.len < SN_GOTEXT_QUOTED_SIZE ? s.len : SN_GOTEXT_QUOTED_SIZE));
    finish(&buf, ret_text, SN_GOTEXT_QUOTED_SIZE);
    return ret_text;
}
