/* Property: what is read as an address is written, and what is written reads as the same. */
#include "net/address.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sn_address first;
    struct sn_address second;
    char text[SN_ADDRESS_TEXT_SIZE];
    if (sn_address_parse(sn_str_make(data, size), &first, NULL) != SN_OK)
        return 0;
    sn_address_format(&first, text);
    if (sn_address_parse(sn_str_from(text), &second, NULL) != SN_OK ||
        sn_address_port(&first) != sn_address_port(&second) ||
        sn_address_is_loopback(&first) != sn_address_is_loopback(&second))
        abort();
    return 0;
}
