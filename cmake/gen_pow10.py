#!/usr/bin/env python3
"""Write src/codec/pow10.c: the first 128 bits of every power of ten that doubles need.

    python3 cmake/gen_pow10.py > src/codec/pow10.c

-342 is the smallest exponent with which 19 digits are not always 0, 324 the largest that printing
the smallest double needs. Exact integer arithmetic throughout.
"""

FIRST, LAST = -342, 324


def top_bits(exponent):
    """floor(10^exponent / 2^k) with k such that 2^127 <= result < 2^128."""
    if exponent >= 0:
        value = 10**exponent
        shift = value.bit_length() - 128
        return value >> shift if shift >= 0 else value << -shift
    divisor = 10**-exponent
    # One bit too many at most; cut it off.
    value = (1 << (divisor.bit_length() + 127)) // divisor
    return value >> (value.bit_length() - 128)


def check_logarithm():
    """The integer formula of pow10_priv.h agrees with the exact floor(log2(10^e))."""
    for exponent in range(FIRST, LAST + 1):
        if exponent >= 0:
            exact = (10**exponent).bit_length() - 1
        else:
            exact = -(10**-exponent).bit_length()
        assert (exponent * 1741647) >> 19 == exact, exponent


def main():
    check_logarithm()
    print("/*")
    print(" * Powers of ten, cut (not rounded) to 128 bits with the highest bit set.")
    print(" * Written by cmake/gen_pow10.py; do not edit.")
    print(" */")
    print('#include "codec/pow10_priv.h"')
    print()
    print("const struct sn_pow10 sn_pow10_table[SN_POW10_LAST - SN_POW10_FIRST + 1] = {")
    for exponent in range(FIRST, LAST + 1):
        bits = top_bits(exponent)
        high, low = bits >> 64, bits & (2**64 - 1)
        print(f"    {{0x{high:016x}, 0x{low:016x}}}, /* 1e{exponent} */")
    print("};")


if __name__ == "__main__":
    main()
