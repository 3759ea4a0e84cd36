/*
 * Types of JSON values in a short notation, and as JSON Schema. Pure.
 *
 *   string number int bool null any object      what JSON has; object: with any members
 *   time uuid                                    texts of that format
 *   int(1,1000)                                  within, both included
 *   'ok' | 'error'                               these texts and no other
 *   T[]   map(T)   [T, T]                        array; object of any names; array of that length
 *   A | B   (A)                                  one of them
 *   {name: T, unit?: T, ...}                     object; "?" may be missing; "..." and others
 *   Record                                       a named schema, #/components/schemas/Record
 *
 * A type of a member may be followed by `a remark in backticks`, its description. Parameters of a
 * route are written as the members of an object without its braces; "*: string" stands for
 * parameters of any name.
 *
 * The notation is part of the program: a mistake in it is found by the test of every row.
 */
#ifndef SN_API_SCHEMA_H
#define SN_API_SCHEMA_H

#include "base/status.h"
#include "base/str.h"
#include "codec/json_write.h"

#define SN_SCHEMA_DEPTH_MAX 16 /* of types inside types: answers have some 6 */

/*
 * Write a type as one JSON value: its schema.
 *
 *   is_closed  objects without "..." refuse other members: what a request may have
 *
 * Returns SN_OK, SN_ERR_INVALID (not in the notation; what was written is to be thrown away),
 * SN_ERR_LIMIT (depth). What the writer lacks is told by its finish.
 */
sn_status sn_schema_write(struct sn_json_writer *json, struct sn_str type, bool is_closed,
                          struct sn_err *err) SN_MUST_USE;

/* One member of an object, or one parameter. Borrows from the text. */
struct sn_schema_field {
    struct sn_str name; /* "*": any; "...": and others, without a type */
    struct sn_str type;
    struct sn_str note; /* empty: none */
    bool is_optional;
};

/* Cut the next one from "a: int, b?: string". SN_OK, SN_ERR_NOT_FOUND at the end, SN_ERR_INVALID. */
sn_status sn_schema_next_field(struct sn_str *rest, struct sn_schema_field *ret_field,
                               struct sn_err *err) SN_MUST_USE;

#endif
