/*
 * Lines of text pages. See page_line_priv.h.
 */
#include "client/page_line_priv.h"

#include <assert.h>

_Static_assert(SN_LINE_NUMBER_BYTES > SN_DOUBLE_TEXT_SIZE, "a number and a line feed fit");
_Static_assert(SN_LINE_NUMBER_BYTES > SN_INTEGER_TEXT_SIZE, "a number and a line feed fit");

void sn_line_head_set(struct sn_line_head *head, struct sn_str name, struct sn_str suffix) {
    assert(name.len <= SONDE_NAME_BYTES_MAX && suffix.len <= SN_LINE_SUFFIX_BYTES);
    memcpy(head->bytes, name.ptr, name.len);
    if (suffix.len > 0)
        memcpy(head->bytes + name.len, suffix.ptr, suffix.len);
    head->bytes[name.len + suffix.len] = '{';
    head->len = name.len + suffix.len + 1;
}

void sn_line_heads_set(struct sn_line_heads *heads, struct sn_str name, sonde_type type) {
    /* Only histograms have other lines than those called as the family. */
    size_t count = type == SONDE_TYPE_HISTOGRAM ? SN_SUFFIX_COUNT : 1;
    for (size_t i = 0; i < count; i++)
        sn_line_head_set(&heads->of[i], name, sn_suffix_text((enum sn_suffix)i));
}

char *sn_page_room_anew(struct sn_page *page, size_t size) {
    if (size > SN_PAGE_PIECE_BYTES)
        return NULL;
    sn_page_flush(page);
    return page->piece;
}

char *sn_page_begin_large_line(struct sn_page *page, struct sn_str head, struct sn_str labels,
                               struct sn_str end) {
    sn_page_put_str(page, head);
    sn_page_put_str(page, labels);
    sn_page_put_str(page, end);
    return sn_page_room(page, SN_LINE_NUMBER_BYTES);
}
