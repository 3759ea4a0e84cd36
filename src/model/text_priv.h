/*
 * Text forms that labels and matchers share. Only for src/model.
 */
#ifndef SN_MODEL_TEXT_PRIV_H
#define SN_MODEL_TEXT_PRIV_H

#include "base/buf.h"
#include "base/str.h"

/* Append a label name: as it is when it is plain, in quotes otherwise. */
void sn_text_put_label_name(struct sn_buf *buf, struct sn_str name);

/* Foreign text in an error sentence: printf precision that shows at most its first 64 bytes. */
static inline int sn_text_shown_len(struct sn_str s) {
    return s.len < 64 ? (int)s.len : 64;
}

#endif
