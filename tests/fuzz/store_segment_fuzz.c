/*
 * Segment bytes from anywhere: a pack, and a footer with its directory. Property: what is accepted
 * decodes without leaving its bytes, ascends in time, and packed again gives the same samples.
 */
#include "store/pack.h"
#include "store/segment_format.h"

#include "base/check.h"
#include "base/mem.h"
#include "codec/crc32c.h"
#include "codec/varint.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_histograms(const struct sn_pack *pack, uint32_t chunk) {
    struct sn_histograms histograms;
    struct sn_histograms again;
    struct sn_pack_builder builder;
    struct sn_pack copy;
    struct sn_buf out;
    sn_histograms_init(&histograms, 0);
    sn_histograms_init(&again, 0);
    sn_buf_init(&out, 0);
    if (sn_pack_decode_histograms(pack, chunk, &histograms) == SN_OK) {
        size_t taken = 0;
        SN_CHECK(sn_pack_builder_init(&builder) == SN_OK);
        SN_CHECK(sn_pack_add_histograms(&builder, 1, &histograms, 0, &taken) == SN_OK);
        SN_CHECK(sn_pack_finish(&builder, &out) == SN_OK);
        SN_CHECK(sn_pack_parse(out.ptr, out.len, &copy, NULL) == SN_OK);
        SN_CHECK(sn_pack_decode_histograms(&copy, 0, &again) == SN_OK);
        SN_CHECK(again.count == taken && taken > 0);
        for (size_t i = 0; i < taken; i++) {
            SN_CHECK(again.time_ms[i] == histograms.time_ms[i]);
            SN_CHECK(again.start_ms[i] == histograms.start_ms[i]);
            SN_CHECK(sn_histogram_equal(&again.items[i], &histograms.items[i]));
        }
        sn_pack_release(&copy);
        sn_pack_builder_release(&builder);
    }
    sn_buf_release(&out);
    sn_histograms_release(&histograms);
    sn_histograms_release(&again);
}

static void check_chunk(const struct sn_pack *pack, uint32_t chunk) {
    struct sn_samples samples;
    struct sn_samples again;
    struct sn_pack_builder builder;
    struct sn_pack copy;
    struct sn_buf out;
    sn_samples_init(&samples);
    if (sn_pack_decode(pack, chunk, &samples) == SN_OK) {
        sn_samples_init(&again);
        sn_buf_init(&out, 0);
        SN_CHECK(sn_pack_builder_init(&builder) == SN_OK);
        SN_CHECK(sn_pack_add(&builder, pack->chunks[chunk].series, &samples) == SN_OK);
        SN_CHECK(sn_pack_finish(&builder, &out) == SN_OK);
        SN_CHECK(sn_pack_parse(out.ptr, out.len, &copy, NULL) == SN_OK);
        SN_CHECK(sn_pack_decode(&copy, 0, &again) == SN_OK);
        SN_CHECK(again.count == samples.count);
        SN_CHECK(memcmp(again.time_ms, samples.time_ms, again.count * 8) == 0);
        SN_CHECK(memcmp(again.value, samples.value, again.count * 8) == 0);
        for (size_t i = 0; i < samples.count; i++)
            SN_CHECK((again.has_start ? again.start_ms[i] : 0) ==
                     (samples.has_start ? samples.start_ms[i] : 0));
        sn_pack_release(&copy);
        sn_pack_builder_release(&builder);
        sn_buf_release(&out);
        sn_samples_release(&again);
    }
    sn_samples_release(&samples);
}

static void check_pack(const uint8_t *bytes, size_t len) {
    struct sn_pack pack;
    if (sn_pack_parse(bytes, len, &pack, NULL) != SN_OK)
        return;
    for (uint32_t i = 0; i < pack.chunk_count && i < 16; i++) {
        if (pack.chunks[i].is_histogram)
            check_histograms(&pack, i);
        else
            check_chunk(&pack, i);
    }
    sn_pack_release(&pack);
}

/* The sum keeps mutations away from the parser: give the bytes the header they need. */
static void check_body(const uint8_t *data, size_t len) {
    uint8_t *bytes = malloc(SN_PACK_HEADER_BYTES + len);
    SN_CHECK(bytes != NULL);
    memset(bytes, 0, SN_PACK_HEADER_BYTES);
    sn_store_u32le(bytes + 4, (uint32_t)len);
    sn_store_u32le(bytes + 8, (uint32_t)len);
    memcpy(bytes + SN_PACK_HEADER_BYTES, data, len);
    sn_store_u32le(bytes, sn_crc32c(0, bytes + 4, SN_PACK_HEADER_BYTES - 4 + len));
    check_pack(bytes, SN_PACK_HEADER_BYTES + len);
    bytes[13] = 1; /* the layout with flags */
    sn_store_u32le(bytes, sn_crc32c(0, bytes + 4, SN_PACK_HEADER_BYTES - 4 + len));
    check_pack(bytes, SN_PACK_HEADER_BYTES + len);
    free(bytes);
}

static void check_footer(const uint8_t *data, size_t len) {
    struct sn_segment_footer footer;
    uint8_t bytes[SN_SEGMENT_FOOTER_BYTES];
    if (len < SN_SEGMENT_HEADER_BYTES + SN_SEGMENT_FOOTER_BYTES)
        return;
    (void)(sn_segment_check_header(data, NULL) == SN_OK);
    memcpy(bytes, data + len - sizeof bytes, sizeof bytes);
    sn_store_u32le(bytes + sizeof bytes - 4, sn_crc32c(0, bytes, sizeof bytes - 4));
    if (sn_segment_get_footer(bytes, len, &footer, NULL) != SN_OK)
        return;
    const uint8_t *directory = data + footer.directory_offset;
    size_t directory_len = footer.pack_count * SN_SEGMENT_ENTRY_BYTES;
    SN_CHECK(footer.directory_offset + directory_len + footer.series_bytes + sizeof bytes == len);
    struct sn_segment_entry *entries = calloc(footer.pack_count, sizeof *entries);
    SN_CHECK(entries != NULL);
    footer.directory_crc = sn_crc32c(0, directory, directory_len);
    if (sn_segment_get_directory(directory, &footer, entries, NULL) == SN_OK) {
        for (size_t i = 0; i < footer.pack_count; i++) {
            SN_CHECK(entries[i].offset + entries[i].len <= footer.directory_offset);
            check_pack(data + entries[i].offset, entries[i].len);
        }
    }
    free(entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    check_pack(data, len);
    check_body(data, len);
    check_footer(data, len);
    return 0;
}
