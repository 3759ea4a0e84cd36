/*
 * MD5 (RFC 1321): not for secrets. Prometheus' relabel action "hashmod" is defined by it, and sharding
 * by hashmod must come out the same here.
 */
#ifndef SN_CODEC_MD5_H
#define SN_CODEC_MD5_H

#include "base/str.h"

/* Hash of any bytes. Any thread; no allocation. */
void sn_md5(struct sn_str bytes, uint8_t ret_hash[16]);

#endif
