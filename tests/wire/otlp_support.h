/* OTLP written as JSON, for tests. */
#ifndef SN_TESTS_OTLP_SUPPORT_H
#define SN_TESTS_OTLP_SUPPORT_H

#include "wire/otlp.h"
#include "wire/otlp_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The Protobuf form of a JSON document in which ' stands for ". Release it. */
void otlp_from_text(enum sn_otlp_signal signal, const char *json, struct sn_buf *ret_protobuf);

#endif
