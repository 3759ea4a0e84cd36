/*
 * Open chunks as byte tokens.
 *
 * The first sample: varint time (zigzag), value token without time part. Every other sample:
 *
 *   00rrrrrr                            r + 1 samples: same value, same time step as before
 *   01vvvvvv <value>                    same time step as before
 *   10vvvvvv <step change: 1> <value>   the time step changes by -128 .. 127
 *   11vvvvvv <step change: varint> <value>
 *
 *   v = 0         the value before
 *   v = 1 .. 24   the integer before plus -12 .. -1, 1 .. 12
 *   v = 25 .. 32  the integer before plus a zigzag number of v - 24 bytes
 *   v = 33        bits of the value before, changed: 4 bits zero bytes on top, 4 bits length, bytes
 *   v = 34        exponent, varint integer (zigzag): value = integer / 10^exponent from here on
 *
 * 1. Encoder and decoder keep the same state (time, step, value bits, integer, exponent); a token
 *    is a change of it. The integer is only touched by integer tokens.
 * 2. The encoder takes an integer only if integer / 10^exponent has the bits of the value.
 * 3. Bytes that a token does not fill are still written by 8-byte stores: the room of
 *    SN_HEAD_TOKEN_BYTES_MAX covers them.
 *
 * In memory only: the tokens are no file format and may change from build to build. One writer;
 * see the header for readers.
 */
#include "codec/head_chunk.h"

#include "base/check.h"
#include "codec/bits.h"
#include "codec/varint.h"

#include <stdbool.h>
#include <string.h>

enum {
    RUN_SAMPLES_MAX = 64,
    SAME_STEP = 0x40,
    SHORT_STEP = 0x80,
    LONG_STEP = 0xc0,
    STEP_MASK = 0xc0,
    VALUE_MASK = 0x3f,
};

/* Value parts of a token. */
enum {
    VALUE_SAME = 0,
    VALUE_NEAR = 1, /* .. 24 */
    VALUE_NEAR_MAX = 24,
    NEAR_DISTANCE = 12,
    VALUE_BYTES = 24, /* + length 1 .. 8 */
    VALUE_BYTES_MAX = 32,
    VALUE_BITS = 33,
    VALUE_EXPONENT = 34,
};

enum {
    EXPONENT_MAX = 9,
    EXPONENT_MASK = 0x0f,
    FAILURE = 0x10,        /* one failure in `mode` */
    GIVE_UP = 0x80,        /* so many: no more attempts in this chunk */
    FAILURES_PER_MISS = 2, /* a hit takes one back */
};

/* Control, step change, and the longest value part. */
_Static_assert(1 + SN_VARINT_BYTES_MAX + 1 + 8 <= SN_HEAD_TOKEN_BYTES_MAX, "longest token");
_Static_assert(SN_VARINT_BYTES_MAX + 2 + 8 <= SN_HEAD_TOKEN_BYTES_MAX, "first token");
_Static_assert(SN_HEAD_CHUNK_SAMPLES_MAX * 20 + SN_HEAD_TOKEN_BYTES_MAX <= UINT16_MAX, "len");

/* Beyond 2^53 not every integer is a double. */
#define INTEGER_LIMIT 9007199254740992.0

/* As many as `mode` has room for, so that no state leads outside. */
static const double powers[EXPONENT_MASK + 1] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static uint64_t bits_of_decimal(int64_t integer, unsigned exponent) {
    double value = (double)integer;
    return bits_of(exponent == 0 ? value : value / powers[exponent]);
}

/* Whether value is integer / 10^exponent, bit for bit. */
static inline bool fits(double value, unsigned exponent, int64_t *ret_integer) {
    double scaled = value * powers[exponent];
    if (!(scaled < INTEGER_LIMIT && scaled > -INTEGER_LIMIT)) {
        return false; /* also NaN */
    }
    *ret_integer = (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
    return bits_of_decimal(*ret_integer, exponent) == bits_of(value);
}

/* The step between two times as the state keeps it: 32 bits, longer ones count as 0. */
static int32_t short_step(uint64_t step) {
    int64_t wide = (int64_t)step;
    return wide >= INT32_MIN && wide <= INT32_MAX ? (int32_t)wide : 0;
}

static unsigned byte_length(uint64_t value) {
    return (sn_bit_length(value | 1) + 7) / 8;
}

/* Token of an integer near or farther from the one before. */
static uint8_t *put_integer(struct sn_head_chunk *head, int64_t integer, uint8_t *control,
                            uint8_t *at) {
    int64_t distance = integer - head->integer_last;
    head->integer_last = integer;
    if (distance >= -NEAR_DISTANCE && distance <= NEAR_DISTANCE && distance != 0) {
        *control |= (uint8_t)(distance + NEAR_DISTANCE + (distance < 0));
        return at;
    }
    uint64_t zigzag = sn_zigzag_encode(distance);
    unsigned len = byte_length(zigzag);
    *control |= (uint8_t)(VALUE_BYTES + len);
    sn_store_u64le(at, zigzag);
    return at + len;
}

/* Token of changed bits: the bytes between the zero bytes on both sides of the difference. */
static uint8_t *put_bits(uint64_t bits, uint64_t before, uint8_t *control, uint8_t *at) {
    uint64_t change = bits ^ before;
    unsigned top = (unsigned)__builtin_clzll(change) / 8;
    unsigned bottom = (unsigned)__builtin_ctzll(change) / 8;
    unsigned len = 8 - top - bottom;
    *control |= VALUE_BITS;
    *at++ = (uint8_t)(top << 4 | len);
    sn_store_u64le(at, change >> (bottom * 8));
    return at + len;
}

/*
 * A value that does not fit the exponent: a larger exponent, or its bits. Misses are counted, and
 * after four in a row the chunk stops trying, because ten divisions for nothing cost 30 ns.
 */
static uint8_t *put_other(struct sn_head_chunk *head, double value, uint8_t *control, uint8_t *at) {
    if (head->mode < GIVE_UP) {
        for (unsigned exponent = 0; exponent <= EXPONENT_MAX; exponent++) {
            int64_t integer;
            if (!fits(value, exponent, &integer)) {
                continue;
            }
            head->mode = (uint8_t)((head->mode & ~EXPONENT_MASK) | exponent);
            head->integer_last = integer;
            *control |= VALUE_EXPONENT;
            *at++ = (uint8_t)exponent;
            return sn_varint_put_signed(at, integer);
        }
        head->mode = (uint8_t)(head->mode + FAILURES_PER_MISS * FAILURE);
    }
    return put_bits(bits_of(value), head->value_bits_last, control, at);
}

static uint8_t *put_value(struct sn_head_chunk *head, double value, uint8_t *control, uint8_t *at) {
    int64_t integer;
    if (bits_of(value) == head->value_bits_last) {
        return at;
    }
    if (head->mode < GIVE_UP && fits(value, head->mode & EXPONENT_MASK, &integer)) {
        head->mode = (uint8_t)(head->mode >= FAILURE ? head->mode - FAILURE : head->mode);
        return put_integer(head, integer, control, at);
    }
    return put_other(head, value, control, at);
}

/* The first sample sets the state from nothing: step 0, bits 0, integer 0, exponent 0. */
static void append_first(struct sn_head_chunk *head, uint8_t *bytes, int64_t time, double value) {
    head->time_last = time;
    head->time_delta_last = 0;
    head->value_bits_last = 0;
    head->integer_last = 0;
    head->run = 0;
    head->mode = 0;
    head->count = 1;
    uint8_t *control = sn_varint_put_signed(bytes, time);
    *control = 0;
    uint8_t *at = put_value(head, value, control, control + 1);
    head->value_bits_last = bits_of(value);
    head->len = (uint16_t)(at - bytes);
}

/* One more sample that changes nothing: usually no new byte. */
static void append_same(struct sn_head_chunk *head, uint8_t *at) {
    if (head->run > 0 && head->run < RUN_SAMPLES_MAX) {
        at[-1]++;
        head->run++;
        return;
    }
    *at = 0;
    head->len++;
    head->run = 1;
}

void sn_head_chunk_append_at(struct sn_head_chunk *head, uint8_t *at, int64_t time, double value) {
    assert(head->count < SN_HEAD_CHUNK_SAMPLES_MAX);
    if (SN_UNLIKELY(head->count == 0)) {
        append_first(head, at, time, value);
        return;
    }
    uint64_t step = (uint64_t)time - (uint64_t)head->time_last;
    int64_t change = (int64_t)(step - (uint64_t)head->time_delta_last);
    head->time_last = time;
    head->time_delta_last = short_step(step);
    head->count++;
    uint64_t bits = bits_of(value);
    if (change == 0 && bits == head->value_bits_last) {
        append_same(head, at);
        return;
    }
    head->run = 0;
    uint8_t *control = at;
    at = control + 1;
    if (change == 0) {
        *control = SAME_STEP;
    } else if (change >= INT8_MIN && change <= INT8_MAX) {
        *control = SHORT_STEP;
        *at++ = (uint8_t)(change & 0xff);
    } else {
        *control = LONG_STEP;
        at = sn_varint_put_signed(at, change);
    }
    at = put_value(head, value, control, at);
    head->value_bits_last = bits;
    head->len = (uint16_t)(head->len + (at - control));
}

/* What a decoder knows between two tokens: the mirror of the encoder's state. */
struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    uint64_t time;
    uint64_t step;
    uint64_t bits;
    uint64_t integer;
    unsigned exponent;
};

/* Load a number of `len` bytes, 1 .. 8; false when they are not there. */
static bool get_bytes(struct cursor *c, unsigned len, uint64_t *ret) {
    if ((size_t)(c->end - c->at) < len) {
        return false;
    }
    uint64_t value = 0;
    if (c->end - c->at >= 8) {
        value = sn_load_u64le(c->at) & sn_bit_mask(len * 8);
    } else {
        for (unsigned i = 0; i < len; i++) {
            value |= (uint64_t)c->at[i] << (8 * i);
        }
    }
    c->at += len;
    *ret = value;
    return true;
}

static bool get_bits(struct cursor *c) {
    if (c->at == c->end) {
        return false;
    }
    unsigned top = *c->at >> 4;
    unsigned len = *c->at & 0x0f;
    c->at++;
    uint64_t change;
    if (len == 0 || top + len > 8 || !get_bytes(c, len, &change)) {
        return false;
    }
    c->bits ^= change << (8 * (8 - top - len));
    return true;
}

static bool get_exponent(struct cursor *c) {
    int64_t integer;
    if (c->at == c->end || *c->at > EXPONENT_MAX) {
        return false;
    }
    c->exponent = *c->at;
    c->at = sn_varint_get_signed(c->at + 1, c->end, &integer);
    if (c->at == NULL) {
        return false;
    }
    c->integer = (uint64_t)integer;
    c->bits = bits_of_decimal(integer, c->exponent);
    return true;
}

/* Apply the value part of a token. */
static bool get_value(struct cursor *c, unsigned code) {
    if (code == VALUE_SAME) {
        return true;
    }
    if (code <= VALUE_NEAR_MAX) {
        int distance = (int)code - NEAR_DISTANCE - (code <= NEAR_DISTANCE);
        c->integer += (uint64_t)(int64_t)distance;
    } else if (code <= VALUE_BYTES_MAX) {
        uint64_t zigzag;
        if (!get_bytes(c, code - VALUE_BYTES, &zigzag)) {
            return false;
        }
        c->integer += (uint64_t)sn_zigzag_decode(zigzag);
    } else if (code == VALUE_BITS) {
        return get_bits(c);
    } else {
        return code == VALUE_EXPONENT && get_exponent(c);
    }
    c->bits = bits_of_decimal((int64_t)c->integer, c->exponent);
    return true;
}

/* Apply the time part of a token. */
static bool get_time(struct cursor *c, unsigned kind) {
    if (kind == SHORT_STEP) {
        if (c->at == c->end) {
            return false;
        }
        uint64_t byte = *c->at++;
        c->step += (byte ^ 0x80) - 0x80; /* sign from bit 7 */
    } else if (kind == LONG_STEP) {
        int64_t change;
        c->at = sn_varint_get_signed(c->at, c->end, &change);
        if (c->at == NULL) {
            return false;
        }
        c->step += (uint64_t)change;
    }
    c->time += c->step;
    c->step = (uint64_t)short_step(c->step);
    return true;
}

static bool get_first(struct cursor *c) {
    int64_t time;
    c->at = sn_varint_get_signed(c->at, c->end, &time);
    if (c->at == NULL || c->at == c->end) {
        return false;
    }
    c->time = (uint64_t)time;
    unsigned control = *c->at++;
    return control <= VALUE_MASK && get_value(c, control);
}

/* Read one token that is not the first; returns how many samples it stands for, 0 for rubbish. */
static size_t get_token(struct cursor *c, size_t left, int64_t *ret_times, double *ret_values) {
    if (c->at == c->end) {
        return 0;
    }
    unsigned control = *c->at++;
    unsigned kind = control & STEP_MASK;
    if (kind != 0) {
        if (!get_time(c, kind) || !get_value(c, control & VALUE_MASK)) {
            return 0;
        }
        *ret_times = (int64_t)c->time;
        *ret_values = double_of(c->bits);
        return 1;
    }
    size_t run = control + 1;
    if (run > left) {
        return 0;
    }
    double value = double_of(c->bits);
    for (size_t i = 0; i < run; i++) {
        c->time += c->step;
        ret_times[i] = (int64_t)c->time;
        ret_values[i] = value;
    }
    return run;
}

/* Differences of near integers by the value part of their token; 0 for others. */
static const int8_t near_distance[VALUE_BYTES_MAX + 1] = {
    0, -12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
};

/* The lowest bytes of a number, by how many. */
static const uint64_t low_bytes[9] = {
    0,
    UINT64_C(0xff),
    UINT64_C(0xffff),
    UINT64_C(0xffffff),
    UINT64_C(0xffffffff),
    UINT64_C(0xffffffffff),
    UINT64_C(0xffffffffffff),
    UINT64_C(0xffffffffffffff),
    UINT64_MAX,
};

/*
 * Tokens of the usual kind one after the other: the same step, and an integer that is near or not. Most
 * tokens of most series are. Ends at the first other one, and where loads of 8 bytes would leave the
 * chunk. Returns how many samples there were. No branch on near or far: values mix both at random.
 */
static size_t get_plain(struct cursor *c, size_t left, int64_t *ret_times, double *ret_values) {
    const uint8_t *at = c->at;
    uint64_t time = c->time;
    uint64_t integer = c->integer;
    double power = powers[c->exponent];
    size_t count = 0;
    while (count < left && c->end - at >= 1 + 8) {
        unsigned code = (unsigned)*at ^ SAME_STEP;
        if (code - 1 >= VALUE_BYTES_MAX) {
            break;
        }
        unsigned len = code > VALUE_BYTES ? code - VALUE_BYTES : 0;
        uint64_t zigzag = sn_load_u64le(at + 1) & low_bytes[len];
        integer += (uint64_t)sn_zigzag_decode(zigzag) + (uint64_t)(int64_t)near_distance[code];
        at += 1 + len;
        time += c->step;
        ret_times[count] = (int64_t)time;
        ret_values[count++] = (double)(int64_t)integer / power; /* by 1 is exact as well */
    }
    c->at = at;
    c->time = time;
    c->integer = integer;
    if (count > 0) {
        c->bits = bits_of(ret_values[count - 1]);
    }
    return count;
}

sn_status sn_head_chunk_decode(const uint8_t *bytes, size_t len, size_t count, int64_t *ret_times,
                               double *ret_values) {
    if (count == 0) {
        return len == 0 ? SN_OK : SN_ERR_CORRUPT;
    }
    struct cursor c = {.at = bytes, .end = bytes + len};
    if (!get_first(&c)) {
        return SN_ERR_CORRUPT;
    }
    ret_times[0] = (int64_t)c.time;
    ret_values[0] = double_of(c.bits);
    for (size_t i = 1; i < count;) {
        i += get_plain(&c, count - i, ret_times + i, ret_values + i);
        if (i == count) {
            break;
        }
        size_t decoded = get_token(&c, count - i, ret_times + i, ret_values + i);
        if (decoded == 0) {
            return SN_ERR_CORRUPT;
        }
        i += decoded;
    }
    return c.at == c.end ? SN_OK : SN_ERR_CORRUPT;
}

sn_status sn_head_chunk_first_time(const uint8_t *bytes, size_t len, int64_t *ret_time) {
    return sn_varint_get_signed(bytes, bytes + len, ret_time) != NULL ? SN_OK : SN_ERR_CORRUPT;
}
