/*
 * Shared files: arbitrary records and pages never lead the reader outside the image, and what it
 * accepts makes a page. The input is the catalogue; checksums are put right and the rest of the file
 * is that of a new one, so that the fuzzer gets past both. The first bytes fill the infos of pages.
 */
#include "base/mem.h"
#include "client/shared_load_priv.h"
#include "codec/crc32c.h"
#include "codec/varint.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES ((size_t)1 << 20)
#define INFO_BYTES 64u /* four pages */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void seal_header(unsigned char *image, struct sn_shared_fixed *ret_fixed) {
    struct sn_shared_header *header = (void *)image;
    sn_shared_layout(FILE_BYTES, &header->fixed);
    header->fixed.first = (struct sn_shared_moment){1000, 1000, 1700000000000};
    header->fixed.checksum = sn_crc32c(0, &header->fixed, sizeof header->fixed);
    *ret_fixed = header->fixed;
}

static void seal_records(unsigned char *bytes, size_t len) {
    for (size_t at = 0; at < len;) {
        size_t record = sn_shared_record_bytes(sn_str_make(bytes + at, len - at));
        if (record == 0)
            return;
        sn_store_u32le(bytes + at + 4, sn_crc32c(0, bytes + at + 8, record - 8));
        at += record;
    }
}

static int ignore(void *ctx, const char *bytes, size_t len) {
    (void)ctx;
    (void)bytes;
    (void)len;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static unsigned char image[FILE_BYTES] __attribute__((aligned(64)));
    struct sn_shared_fixed fixed;
    memset(image, 0, FILE_BYTES);
    seal_header(image, &fixed);
    struct sn_shared_header *header = (void *)image;
    if (size < INFO_BYTES || size - INFO_BYTES > fixed.catalogue_bytes)
        return 0;
    memcpy(image + fixed.infos_offset, data, INFO_BYTES);
    memcpy(image + fixed.catalogue_offset, data + INFO_BYTES, size - INFO_BYTES);
    memcpy(image + fixed.pages_offset, data, size < 16384 ? size : 16384);
    seal_records(image + fixed.catalogue_offset, size - INFO_BYTES);
    header->page_used = INFO_BYTES / sizeof(struct sn_shared_page);
    header->catalogue_len = size - INFO_BYTES;
    sonde_registry *registry = sonde_registry_new(&sn_shared_load_options, NULL);
    if (registry == NULL)
        return 0;
    struct sn_err err = {SN_OK, ""};
    if (sn_shared_load_image(image, FILE_BYTES, "input", registry, &err) == SN_OK) {
        for (int format = SONDE_FORMAT_TEXT; format <= SONDE_FORMAT_JSON; format++) {
            if (sonde_registry_write(registry, (sonde_format)format, ignore, NULL) != SONDE_OK)
                abort();
        }
    } else if (err.text[0] == '\0') {
        abort();
    }
    (void)sonde_registry_free(registry);
    return 0;
}
