/*
 * Reader of the Protobuf wire format: one message, field after field, without a schema.
 *
 *     struct sn_protobuf_reader reader;
 *     struct sn_protobuf_field field;
 *     sn_protobuf_open(&reader, bytes);
 *     while (sn_protobuf_next(&reader, &field))
 *         ... field.number, field.type, and field.bits or field.bytes ...
 *     if (sn_protobuf_is_broken(&reader)) ...
 *
 * 1. Zero copy, no allocation: field.bytes lies inside the message; nothing outside is looked at.
 * 2. A field that the caller does not know is skipped by not looking at it: as the format demands.
 * 3. Strict: cut fields, lengths beyond the end, varints above 64 bits, field number 0 or above
 *    2^29 - 1 and groups (wire types 3 and 4, gone since 2010) break the reader; it stays broken.
 *
 * Pure. One thread per reader. Cost: 1 to 3 ns per field.
 */
#ifndef SN_CODEC_PROTOBUF_H
#define SN_CODEC_PROTOBUF_H

#include "base/str.h"
#include "codec/varint.h"

#include <stdbool.h>

#define SN_PROTOBUF_FIELD_MAX ((UINT32_C(1) << 29) - 1)

/* How a field's bytes are laid out; the numbers are those of the format. */
enum sn_protobuf_type {
    SN_PROTOBUF_VARINT = 0,
    SN_PROTOBUF_FIXED64 = 1,
    SN_PROTOBUF_BYTES = 2, /* string, bytes, message, packed numbers */
    SN_PROTOBUF_FIXED32 = 5,
};

struct sn_protobuf_field {
    uint32_t number; /* 1..SN_PROTOBUF_FIELD_MAX */
    enum sn_protobuf_type type;
    uint64_t bits;       /* VARINT, FIXED64, FIXED32; 0 for BYTES */
    struct sn_str bytes; /* BYTES; empty for the others */
};

struct sn_protobuf_reader {
    const uint8_t *at; /* NULL: broken */
    const uint8_t *end;
};

/* Read a message from its first field. `bytes` is borrowed while the reader is used. */
static inline void sn_protobuf_open(struct sn_protobuf_reader *reader, struct sn_str bytes) {
    /* An empty message may have no pointer, which must not look broken. */
    reader->at = (const uint8_t *)(bytes.len > 0 ? bytes.ptr : "");
    reader->end = reader->at + bytes.len;
}

/* Whether the bytes read so far are no message. */
static inline bool sn_protobuf_is_broken(const struct sn_protobuf_reader *reader) {
    return reader->at == NULL;
}

/* The part of a field behind its tag; where the next one begins, or NULL. */
static inline const uint8_t *sn_protobuf_value(const uint8_t *at, const uint8_t *end,
                                               struct sn_protobuf_field *field) {
    switch (field->type) {
    case SN_PROTOBUF_VARINT:
        return sn_varint_get(at, end, &field->bits);
    case SN_PROTOBUF_FIXED64:
        if (end - at < 8) {
            return NULL;
        }
        field->bits = sn_load_u64le(at);
        return at + 8;
    case SN_PROTOBUF_BYTES: {
        uint64_t len;
        at = sn_varint_get(at, end, &len);
        if (at == NULL || len > (uint64_t)(end - at)) {
            return NULL;
        }
        field->bytes = sn_str_make(at, (size_t)len);
        return at + len;
    }
    case SN_PROTOBUF_FIXED32:
        if (end - at < 4) {
            return NULL;
        }
        field->bits = sn_load_u32le(at);
        return at + 4;
    }
    return NULL; /* groups, and types that do not exist */
}

/* Read one field. false: the message is over, or broken; *ret_field is then undefined. */
static inline bool sn_protobuf_next(struct sn_protobuf_reader *reader,
                                    struct sn_protobuf_field *ret_field) {
    uint64_t tag;
    if (reader->at == reader->end || reader->at == NULL) {
        return false;
    }
    reader->at = sn_varint_get(reader->at, reader->end, &tag);
    if (reader->at == NULL || tag >> 3 == 0 || tag >> 3 > SN_PROTOBUF_FIELD_MAX) {
        reader->at = NULL;
        return false;
    }
    *ret_field = (struct sn_protobuf_field){
        .number = (uint32_t)(tag >> 3),
        .type = (enum sn_protobuf_type)(tag & 7),
    };
    reader->at = sn_protobuf_value(reader->at, reader->end, ret_field);
    return reader->at != NULL;
}

/* The number of a FIXED64 field of type double, bit by bit: NaN payloads arrive. */
static inline double sn_protobuf_double(const struct sn_protobuf_field *field) {
    double value;
    memcpy(&value, &field->bits, sizeof value);
    return value;
}

#endif
