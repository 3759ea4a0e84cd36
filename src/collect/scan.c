/*
 * Lines and fields of kernel text. See scan.h.
 */
#include "collect/scan.h"

#include "codec/number.h"

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

bool sn_scan_line(struct sn_str *rest, struct sn_str *ret_line) {
    if (rest->len == 0)
        return false;
    struct sn_str tail;
    (void)sn_str_cut(*rest, '\n', ret_line, &tail); /* The last line may lack its newline. */
    *rest = tail;
    return true;
}

bool sn_scan_field(struct sn_str *rest, struct sn_str *ret_field) {
    size_t start = 0;
    while (start < rest->len && is_blank(rest->ptr[start]))
        start++;
    size_t end = start;
    while (end < rest->len && !is_blank(rest->ptr[end]))
        end++;
    if (start == end)
        return false;
    *ret_field = sn_str_make(rest->ptr + start, end - start);
    *rest = sn_str_make(rest->ptr + end, rest->len - end);
    return true;
}

size_t sn_scan_fields(struct sn_str line, struct sn_str *ret_fields, size_t max) {
    size_t count = 0;
    while (count < max && sn_scan_field(&line, &ret_fields[count]))
        count++;
    return count;
}

bool sn_scan_u64(struct sn_str field, uint64_t *ret_value) {
    return sn_uint64_parse(field, ret_value) == SN_OK;
}

bool sn_scan_double(struct sn_str field, double *ret_value) {
    return sn_double_parse(field, ret_value) == SN_OK;
}

bool sn_scan_keyed(struct sn_str text, struct sn_str key, uint64_t *ret_value) {
    struct sn_str line;
    while (sn_scan_line(&text, &line)) {
        struct sn_str fields[2];
        if (sn_scan_fields(line, fields, 2) < 2)
            continue;
        struct sn_str name = fields[0];
        if (name.len > 0 && name.ptr[name.len - 1] == ':')
            name.len--;
        if (sn_str_equal(name, key))
            return sn_scan_u64(fields[1], ret_value);
    }
    return false;
}
