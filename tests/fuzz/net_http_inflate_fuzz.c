/* Property: unpacking stays inside its limit; what our own deflate makes inflates to the same. */
#include "net/http_priv.h"

#include <stdlib.h>

#define INFLATED_MAX 10000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sn_str input = sn_str_make(data, size);
    struct sn_buf plain;
    struct sn_buf packed;
    sn_buf_init(&plain, INFLATED_MAX);
    if (sn_http_inflate(input, &plain, NULL) == SN_OK && plain.len > INFLATED_MAX)
        abort();
    sn_buf_release(&plain);
    for (int i = SN_HTTP_SNAPPY; i <= SN_HTTP_ZSTD; i++) {
        sn_buf_init(&plain, INFLATED_MAX);
        sn_status status = sn_http_unpack((enum sn_http_encoding)i, input, &plain, NULL);
        if (plain.len > INFLATED_MAX ||
            (status != SN_OK && status != SN_ERR_INVALID && status != SN_ERR_LIMIT))
            abort();
        sn_buf_release(&plain);
    }
    sn_buf_init(&packed, 0);
    sn_buf_init(&plain, size + 1);
    if (sn_http_deflate(input, 1, &packed) &&
        (sn_http_inflate(sn_buf_str(&packed), &plain, NULL) != SN_OK ||
         !sn_str_equal(sn_buf_str(&plain), input)))
        abort();
    sn_buf_release(&packed);
    sn_buf_release(&plain);
    return 0;
}
