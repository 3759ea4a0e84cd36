/*
 * Label sets: making, checking, canonical bytes, text.
 *
 * 1. The order is that of bytes, so that two machines agree whatever their locale is.
 * 2. Limits are checked before any work that grows with the input, so that a hostile set of a
 *    million labels costs one pass.
 *
 * Pure functions. Any thread.
 */
#include "model/labels.h"

#include "base/check.h"
#include "base/limits.h"
#include "model/text_priv.h"

enum {
    LENGTH_BYTES = 2,       /* u16le in front of every name and value */
    HASH_SMALL_BYTES = 1024 /* nearly all sets fit; the rest pays for touching a larger frame */
};

_Static_assert(SN_LABELS_MAX <= UINT8_MAX, "the count of a set is one byte");
_Static_assert(SN_LABEL_NAME_BYTES_MAX <= UINT16_MAX, "lengths are two bytes");
_Static_assert(SN_LABEL_VALUE_BYTES_MAX <= UINT16_MAX, "lengths are two bytes");

/* ---- checking ---- */

/* Those of base/limits.h. */
static const struct sn_label_limits widest = {.count_max = SN_LABELS_MAX,
                                              .name_bytes_max = SN_LABEL_NAME_BYTES_MAX,
                                              .value_bytes_max = SN_LABEL_VALUE_BYTES_MAX,
                                              .bytes_max = SN_LABELS_BYTES_MAX};

static sn_status check_name_len(struct sn_str name, const struct sn_label_limits *limits,
                                struct sn_err *err) {
    if (name.len > limits->name_bytes_max) {
        return sn_err_set(err, SN_ERR_LIMIT,
                          "label name \"%.*s...\" has %zu bytes, the limit is %u",
                          sn_text_shown_len(name), name.ptr, name.len, limits->name_bytes_max);
    }
    return SN_OK;
}

static sn_status check_value_len(const struct sn_label *label, const struct sn_label_limits *limits,
                                 struct sn_err *err) {
    if (label->value.len > limits->value_bytes_max) {
        return sn_err_set(err, SN_ERR_LIMIT,
                          "value of label \"%.*s\" has %zu bytes, the limit is %u",
                          sn_text_shown_len(label->name), label->name.ptr, label->value.len,
                          limits->value_bytes_max);
    }
    return SN_OK;
}

static sn_status check_count(size_t count, const struct sn_label_limits *limits,
                             struct sn_err *err) {
    if (count > limits->count_max) {
        return sn_err_set(err, SN_ERR_LIMIT, "a series has %zu labels, the limit is %u", count,
                          limits->count_max);
    }
    return SN_OK;
}

static sn_status check_bytes(size_t bytes, const struct sn_label_limits *limits,
                             struct sn_err *err) {
    if (bytes > limits->bytes_max) {
        return sn_err_set(err, SN_ERR_LIMIT, "labels of a series take %zu bytes, the limit is %u",
                          bytes, limits->bytes_max);
    }
    return SN_OK;
}

static sn_status check_name(struct sn_str name, struct sn_err *err) {
    if (name.len == 0) {
        return sn_err_set(err, SN_ERR_INVALID, "a label has an empty name");
    }
    SN_TRY(check_name_len(name, &widest, err));
    if (!sn_str_is_utf8(name)) {
        return sn_err_set(err, SN_ERR_INVALID, "a label name of %zu bytes is not UTF-8", name.len);
    }
    return SN_OK;
}

static sn_status check_value(const struct sn_label *label, struct sn_err *err) {
    if (label->value.len == 0) {
        return sn_err_set(err, SN_ERR_INVALID, "label \"%.*s\" has an empty value",
                          sn_text_shown_len(label->name), label->name.ptr);
    }
    SN_TRY(check_value_len(label, &widest, err));
    if (!sn_str_is_utf8(label->value)) {
        return sn_err_set(err, SN_ERR_INVALID, "value of label \"%.*s\" is not UTF-8",
                          sn_text_shown_len(label->name), label->name.ptr);
    }
    return SN_OK;
}

static sn_status check_order(struct sn_str previous, struct sn_str name, struct sn_err *err) {
    int order = sn_str_compare(previous, name);
    if (order == 0) {
        return sn_err_set(err, SN_ERR_INVALID, "label \"%.*s\" is there twice",
                          sn_text_shown_len(name), name.ptr);
    }
    if (order > 0) {
        return sn_err_set(err, SN_ERR_INVALID, "label \"%.*s\" is not in sorted order",
                          sn_text_shown_len(name), name.ptr);
    }
    return SN_OK;
}

sn_status sn_labels_validate(struct sn_labels labels, struct sn_err *err) {
    SN_TRY(check_count(labels.count, &widest, err));
    size_t bytes = 1;
    for (size_t i = 0; i < labels.count; i++) {
        const struct sn_label *label = &labels.items[i];
        SN_TRY(check_name(label->name, err));
        SN_TRY(check_value(label, err));
        if (i > 0) {
            SN_TRY(check_order(labels.items[i - 1].name, label->name, err));
        }
        bytes += 2 * LENGTH_BYTES + label->name.len + label->value.len;
    }
    return check_bytes(bytes, &widest, err);
}

/* ---- making ---- */

/* Move the labels that have a value to the front; their number. */
static size_t drop_empty_values(struct sn_label *items, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].value.len > 0) {
            items[kept++] = items[i];
        }
    }
    return kept;
}

/* Where in the sorted items[0..count) a name belongs: after all names that are not greater. */
static size_t insertion_point(const struct sn_label *items, size_t count, struct sn_str name) {
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sn_str_compare(items[middle].name, name) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/*
 * Insertion sort with binary search: at most SN_LABELS_MAX items, most sets arrive sorted (one
 * comparison per label then), and qsort may allocate.
 */
static void sort_by_name(struct sn_label *items, size_t count) {
    for (size_t i = 1; i < count; i++) {
        if (sn_str_compare(items[i - 1].name, items[i].name) <= 0) {
            continue;
        }
        struct sn_label moved = items[i];
        size_t at = insertion_point(items, i, moved.name);
        memmove(&items[at + 1], &items[at], (i - at) * sizeof items[0]);
        items[at] = moved;
    }
}

sn_status sn_labels_make(struct sn_label *items, size_t count, struct sn_labels *ret_labels,
                         struct sn_err *err) {
    struct sn_labels labels = {.items = items, .count = drop_empty_values(items, count)};
    SN_TRY(check_count(labels.count, &widest, err));
    sort_by_name(items, labels.count);
    SN_TRY(sn_labels_validate(labels, err));
    *ret_labels = labels;
    return SN_OK;
}

/* Copy s to *at and move *at behind it. */
static struct sn_str copy_text(char **at, struct sn_str s) {
    struct sn_str copy = sn_str_make(*at, s.len);
    if (s.len > 0) {
        memcpy(*at, s.ptr, s.len);
        *at += s.len;
    }
    return copy;
}

/* One allocation: the array, then all text. */
sn_status sn_labels_copy(struct sn_labels labels, struct sn_arena *arena,
                         struct sn_labels *ret_labels) {
    size_t bytes = labels.count * sizeof(struct sn_label);
    for (size_t i = 0; i < labels.count; i++) {
        bytes += labels.items[i].name.len + labels.items[i].value.len;
    }
    struct sn_label *items = sn_arena_alloc(arena, bytes);
    if (items == NULL) {
        return sn_arena_failure(arena, bytes, NULL);
    }
    char *text = (char *)(items + labels.count);
    for (size_t i = 0; i < labels.count; i++) {
        items[i].name = copy_text(&text, labels.items[i].name);
        items[i].value = copy_text(&text, labels.items[i].value);
    }
    *ret_labels = (struct sn_labels){.items = items, .count = labels.count};
    return SN_OK;
}

/* ---- canonical bytes ---- */

static size_t canonical_len(struct sn_labels labels) {
    size_t len = 1 + labels.count * 2 * LENGTH_BYTES;
    for (size_t i = 0; i < labels.count; i++) {
        len += labels.items[i].name.len + labels.items[i].value.len;
    }
    return len;
}

static uint8_t *write_text(uint8_t *at, struct sn_str s) {
    at[0] = (uint8_t)(s.len & 0xff);
    at[1] = (uint8_t)(s.len >> 8);
    memcpy(at + LENGTH_BYTES, s.ptr, s.len);
    return at + LENGTH_BYTES + s.len;
}

/* `at` has room for canonical_len(labels) bytes. */
static void write_canonical(struct sn_labels labels, uint8_t *at) {
    SN_CHECK(labels.count <= SN_LABELS_MAX);
    *at++ = (uint8_t)labels.count;
    for (size_t i = 0; i < labels.count; i++) {
        at = write_text(at, labels.items[i].name);
        at = write_text(at, labels.items[i].value);
    }
}

void sn_labels_encode(struct sn_labels labels, struct sn_buf *buf) {
    size_t len = canonical_len(labels);
    SN_CHECK(len <= SN_LABELS_BYTES_MAX);
    uint8_t *at = sn_buf_reserve(buf, len);
    if (at != NULL) {
        write_canonical(labels, at);
        buf->len += len;
    }
}

/* Cut a u16le length and so many bytes off the front of *rest. */
static bool read_text(struct sn_str *rest, struct sn_str *ret_text) {
    if (rest->len < LENGTH_BYTES) {
        return false;
    }
    const unsigned char *at = (const unsigned char *)rest->ptr;
    size_t len = (size_t)at[0] | (size_t)at[1] << 8;
    if (rest->len - LENGTH_BYTES < len) {
        return false;
    }
    *ret_text = sn_str_make(rest->ptr + LENGTH_BYTES, len);
    *rest = sn_str_make(rest->ptr + LENGTH_BYTES + len, rest->len - LENGTH_BYTES - len);
    return true;
}

/* Split bytes into items[count]. `rest` stands behind the count byte. */
static sn_status read_items(struct sn_str rest, struct sn_label *items, size_t count,
                            struct sn_err *err) {
    for (size_t i = 0; i < count; i++) {
        if (!read_text(&rest, &items[i].name) || !read_text(&rest, &items[i].value)) {
            return sn_err_set(err, SN_ERR_CORRUPT, "label bytes end inside label %zu of %zu", i + 1,
                              count);
        }
    }
    if (rest.len > 0) {
        return sn_err_set(err, SN_ERR_CORRUPT, "label bytes have %zu bytes behind the last label",
                          rest.len);
    }
    return SN_OK;
}

/* ---- limits of an operator ---- */

static uint32_t pick(uint32_t given, uint32_t widest_one) {
    return given == 0 || given > widest_one ? widest_one : given;
}

struct sn_label_limits sn_label_limits_fill(struct sn_label_limits given) {
    return (struct sn_label_limits){
        .count_max = pick(given.count_max, widest.count_max),
        .name_bytes_max = pick(given.name_bytes_max, widest.name_bytes_max),
        .value_bytes_max = pick(given.value_bytes_max, widest.value_bytes_max),
        .bytes_max = pick(given.bytes_max, widest.bytes_max),
    };
}

bool sn_label_limits_are_narrow(const struct sn_label_limits *limits) {
    return limits->count_max < widest.count_max || limits->name_bytes_max < widest.name_bytes_max ||
           limits->value_bytes_max < widest.value_bytes_max || limits->bytes_max < widest.bytes_max;
}

sn_status sn_labels_check_limits(struct sn_str canonical, const struct sn_label_limits *limits,
                                 struct sn_err *err) {
    if (canonical.len == 0) {
        return sn_err_set(err, SN_ERR_CORRUPT, "label bytes have length 0");
    }
    size_t count = (unsigned char)canonical.ptr[0];
    struct sn_str rest = sn_str_make(canonical.ptr + 1, canonical.len - 1);
    SN_TRY(check_count(count, limits, err));
    for (size_t i = 0; i < count; i++) {
        struct sn_label label;
        if (!read_text(&rest, &label.name) || !read_text(&rest, &label.value)) {
            return sn_err_set(err, SN_ERR_CORRUPT, "label bytes end inside label %zu of %zu", i + 1,
                              count);
        }
        SN_TRY(check_name_len(label.name, limits, err));
        SN_TRY(check_value_len(&label, limits, err));
    }
    return check_bytes(canonical.len, limits, err);
}

sn_status sn_labels_decode(struct sn_str bytes, struct sn_arena *arena,
                           struct sn_labels *ret_labels, struct sn_err *err) {
    if (bytes.len == 0 || bytes.len > SN_LABELS_BYTES_MAX) {
        return sn_err_set(err, SN_ERR_CORRUPT, "label bytes have length %zu, 1 to %d is possible",
                          bytes.len, SN_LABELS_BYTES_MAX);
    }
    size_t count = (unsigned char)bytes.ptr[0];
    struct sn_label *items = sn_arena_alloc(arena, count * sizeof *items);
    if (items == NULL) {
        return sn_arena_failure(arena, count * sizeof *items, err);
    }
    SN_TRY(read_items(sn_str_make(bytes.ptr + 1, bytes.len - 1), items, count, err));
    struct sn_labels labels = {.items = items, .count = count};
    struct sn_err why = {.status = SN_OK};
    if (sn_labels_validate(labels, &why) != SN_OK) {
        return sn_err_set(err, SN_ERR_CORRUPT, "label bytes break a rule: %s", why.text);
    }
    *ret_labels = labels;
    return SN_OK;
}

/* A valid set may need a frame above -Wframe-larger-than; a hash must not be able to fail. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wframe-larger-than="
static __attribute__((noinline)) uint64_t hash_large(struct sn_labels labels, size_t len,
                                                     uint64_t seed) {
    uint8_t bytes[SN_LABELS_BYTES_MAX];
    SN_CHECK(len <= sizeof bytes);
    write_canonical(labels, bytes);
    return sn_hash_bytes(bytes, len, seed);
}
#pragma GCC diagnostic pop

uint64_t sn_labels_hash(struct sn_labels labels, uint64_t seed) {
    size_t len = canonical_len(labels);
    if (SN_UNLIKELY(len > HASH_SMALL_BYTES)) {
        return hash_large(labels, len, seed);
    }
    uint8_t bytes[HASH_SMALL_BYTES];
    write_canonical(labels, bytes);
    return sn_hash_bytes(bytes, len, seed);
}

/* ---- reading ---- */

struct sn_str sn_labels_get(struct sn_labels labels, struct sn_str name) {
    size_t low = 0;
    size_t high = labels.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = sn_str_compare(labels.items[middle].name, name);
        if (order == 0) {
            return labels.items[middle].value;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return sn_str_make(NULL, 0);
}

bool sn_labels_equal(struct sn_labels a, struct sn_labels b) {
    return a.count == b.count && sn_labels_compare(a, b) == 0;
}

int sn_labels_compare(struct sn_labels a, struct sn_labels b) {
    size_t count = a.count < b.count ? a.count : b.count;
    for (size_t i = 0; i < count; i++) {
        int order = sn_str_compare(a.items[i].name, b.items[i].name);
        if (order == 0) {
            order = sn_str_compare(a.items[i].value, b.items[i].value);
        }
        if (order != 0) {
            return order;
        }
    }
    return (a.count > b.count) - (a.count < b.count);
}

/* ---- text ---- */

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_plain(struct sn_str name, bool may_have_colon) {
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_digit = c >= '0' && c <= '9';
        if (!is_letter(c) && !(is_digit && i > 0) && !(c == ':' && may_have_colon)) {
            return false;
        }
    }
    return name.len > 0;
}

bool sn_metric_name_is_plain(struct sn_str name) {
    return is_plain(name, true);
}

bool sn_label_name_is_plain(struct sn_str name) {
    return is_plain(name, false);
}

void sn_text_put_quoted(struct sn_buf *buf, struct sn_str s) {
    sn_buf_put_byte(buf, '"');
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '\n') {
            sn_buf_put_text(buf, "\\n");
            continue;
        }
        if (c == '\\' || c == '"') {
            sn_buf_put_byte(buf, '\\');
        }
        sn_buf_put_byte(buf, (uint8_t)c);
    }
    sn_buf_put_byte(buf, '"');
}

void sn_text_put_label_name(struct sn_buf *buf, struct sn_str name) {
    if (sn_label_name_is_plain(name)) {
        sn_buf_put_str(buf, name);
    } else {
        sn_text_put_quoted(buf, name);
    }
}

void sn_labels_format(struct sn_labels labels, struct sn_buf *buf) {
    struct sn_str metric_name = sn_labels_get(labels, SN_LABEL_METRIC_NAME);
    bool is_name_outside = sn_metric_name_is_plain(metric_name);
    if (is_name_outside) {
        sn_buf_put_str(buf, metric_name);
        if (labels.count == 1) {
            return;
        }
    }
    sn_buf_put_byte(buf, '{');
    const char *separator = "";
    if (!is_name_outside && metric_name.len > 0) {
        sn_text_put_quoted(buf, metric_name);
        separator = ",";
    }
    for (size_t i = 0; i < labels.count; i++) {
        if (sn_str_equal(labels.items[i].name, SN_LABEL_METRIC_NAME)) {
            continue;
        }
        sn_buf_put_text(buf, separator);
        separator = ",";
        sn_text_put_label_name(buf, labels.items[i].name);
        sn_buf_put_byte(buf, '=');
        sn_text_put_quoted(buf, labels.items[i].value);
    }
    sn_buf_put_byte(buf, '}');
}
