/*
 * Accept-Encoding headers. Properties: reading stays inside of the text; letters of the other case
 * and a coding that nobody knows at the end change nothing; "gzip" in front asks for gzip.
 */
#include "base/check.h"
#include "clienthttp/encoding_priv.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static const char front[] = "gzip,", back[] = ",none";
    size_t front_len = sizeof front - 1, back_len = sizeof back - 1;
    char *text = malloc(front_len + len + back_len);
    SN_CHECK(text != NULL);
    memcpy(text, front, front_len);
    for (size_t i = 0; i < len; i++) {
        char c = (char)data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        text[front_len + i] = (char)(is_letter ? c ^ 0x20 : c);
    }
    memcpy(text + front_len + len, back, back_len);
    bool has_gzip = sn_encoding_has_gzip(sn_str_make(data, len));
    SN_CHECK(sn_encoding_has_gzip(sn_str_make(text + front_len, len)) == has_gzip);
    SN_CHECK(sn_encoding_has_gzip(sn_str_make(text + front_len, len + back_len)) == has_gzip);
    SN_CHECK(sn_encoding_has_gzip(sn_str_make(text, front_len + len)));
    free(text);
    return 0;
}
