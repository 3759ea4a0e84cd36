/*
 * Accept headers from anywhere. Properties: the answer is one of two formats, and it is
 * OpenMetrics when that stands in front of whatever else with the highest quality there is.
 */
#include "base/check.h"
#include "sonde/expose.h"

#include <string.h>

#define HEADER_SIZE 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char first[] = "application/openmetrics-text,";
    char header[HEADER_SIZE];
    size_t room = sizeof header - sizeof first;
    memcpy(header, first, sizeof first - 1);
    memcpy(header + sizeof first - 1, data, size < room ? size : room);
    header[sizeof first - 1 + (size < room ? size : room)] = '\0';
    sonde_format format = sonde_format_negotiate(header + sizeof first - 1);
    SN_CHECK(format == SONDE_FORMAT_TEXT || format == SONDE_FORMAT_OPENMETRICS);
    SN_CHECK(sonde_format_negotiate(header) == SONDE_FORMAT_OPENMETRICS);
    return 0;
}
