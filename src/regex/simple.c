/*
 * Patterns that need no regex engine. Most matchers of dashboards are of these forms, and a hash
 * lookup or a memcmp is ten times faster than any automaton.
 *
 * Both readers give up at the first character that they do not know; the pattern then goes to
 * PCRE2. They are given patterns that the syntax reader has accepted, so that parentheses match and
 * recursion is bounded by SN_REGEX_DEPTH_MAX.
 */
#include "regex/simple_priv.h"

#include "base/check.h"

#include <stdlib.h>

enum { TEXT_BYTES_MAX = 1 << 20 };

/* A set of texts under construction. */
struct set {
    struct sn_str *items;
    size_t count;
    size_t capacity;
};

struct expander {
    const char *at;
    const char *end;
    struct sn_arena *arena;
    size_t bytes; /* written so far: bounds the work of products */
};

static bool read_alternatives(struct expander *x, struct set *ret_set);

/* --- Characters ----------------------------------------------------------------------------- */

/* Whether c means something outside of a class. */
static bool is_meta(char c) {
    return c != '\0' && strchr("\\.+*?()|[]{}^$", c) != NULL;
}

/* Whether c stands for itself behind a backslash. */
static bool is_escapable(char c) {
    bool is_alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return (unsigned char)c < 0x80 && !is_alnum;
}

/*
 * Bytes of the literal character at `at`, *ret_text being what it stands for: 1 to 4, or 2 for an
 * escape. 0: not a literal.
 */
static size_t literal_len(const char *at, const char *end, struct sn_str *ret_text) {
    if (at < end && *at == '\\' && end - at >= 2 && is_escapable(at[1])) {
        *ret_text = sn_str_make(at + 1, 1);
        return 2;
    }
    if (at == end || is_meta(*at)) {
        return 0;
    }
    size_t len = sn_str_utf8_char_len(sn_str_make(at, (size_t)(end - at)));
    *ret_text = sn_str_make(at, len);
    return len;
}

/* --- Sets ----------------------------------------------------------------------------------- */

static bool set_of_one(struct expander *x, struct sn_str text, struct set *ret_set) {
    ret_set->items = sn_arena_alloc(x->arena, sizeof(struct sn_str));
    if (ret_set->items == NULL) {
        return false;
    }
    ret_set->items[0] = text;
    ret_set->count = 1;
    ret_set->capacity = 1;
    return true;
}

/* The arena frees nothing: the set doubles, so that thousands of alternatives cost linear space. */
static bool set_union(struct expander *x, struct set *set, const struct set *more) {
    size_t count = set->count + more->count;
    if (count > SN_REGEX_LITERALS_MAX) {
        return false;
    }
    if (count > set->capacity) {
        size_t capacity = count * 2;
        struct sn_str *items = sn_arena_alloc(x->arena, capacity * sizeof(*items));
        if (items == NULL) {
            return false;
        }
        if (set->count > 0) {
            memcpy(items, set->items, set->count * sizeof(*items));
        }
        *set = (struct set){items, set->count, capacity};
    }
    memcpy(set->items + set->count, more->items, more->count * sizeof(*more->items));
    set->count = count;
    return true;
}

/* a followed by b, in the arena. */
static bool join(struct expander *x, struct sn_str a, struct sn_str b, struct sn_str *ret_text) {
    if (a.len == 0 || b.len == 0) {
        *ret_text = a.len == 0 ? b : a;
        return true;
    }
    if (a.ptr + a.len == b.ptr) { /* neighbours in the pattern: nothing to copy */
        *ret_text = sn_str_make(a.ptr, a.len + b.len);
        return true;
    }
    x->bytes += a.len + b.len;
    char *text = x->bytes <= TEXT_BYTES_MAX ? sn_arena_alloc(x->arena, a.len + b.len) : NULL;
    if (text == NULL) {
        return false;
    }
    memcpy(text, a.ptr, a.len);
    memcpy(text + a.len, b.ptr, b.len);
    *ret_text = sn_str_make(text, a.len + b.len);
    return true;
}

/* Every text of set followed by every one of `next`. */
static bool set_product(struct expander *x, struct set *set, const struct set *next) {
    size_t count = set->count * next->count;
    if (count > SN_REGEX_LITERALS_MAX) {
        return false;
    }
    struct sn_str *items = set->items;
    size_t capacity = set->capacity;
    if (count > 1) {
        items = sn_arena_alloc(x->arena, count * sizeof(*items));
        if (items == NULL) {
            return false;
        }
        capacity = count;
    }
    for (size_t i = 0; i < set->count; i++) {
        for (size_t j = 0; j < next->count; j++) {
            if (!join(x, set->items[i], next->items[j], &items[i * next->count + j])) {
                return false;
            }
        }
    }
    *set = (struct set){items, count, capacity};
    return true;
}

enum { ASCII_COUNT = 128 };

/* Mark the members of a class between its brackets. False: more than plain characters and ranges. */
static bool mark_members(const char *at, const char *close, bool is_member[ASCII_COUNT]) {
    while (at < close) {
        bool is_range = close - at > 2 && at[1] == '-';
        char first = *at;
        char last = is_range ? at[2] : first;
        bool is_ascii = (first & 0x80) == 0 && (last & 0x80) == 0 && first <= last;
        if (!is_ascii || strchr("\\[^-", first) != NULL || strchr("\\[^-", last) != NULL) {
            return false;
        }
        for (int c = first; c <= last; c++) {
            is_member[c] = true;
        }
        at += is_range ? 3 : 1;
    }
    return true;
}

/* [abc] and [a-c] of plain ASCII characters; the bracket is the next byte. */
static bool read_small_class(struct expander *x, struct set *ret_set) {
    const char *close = memchr(x->at, ']', (size_t)(x->end - x->at));
    bool is_member[ASCII_COUNT] = {false};
    if (close == NULL || close == x->at + 1 || !mark_members(x->at + 1, close, is_member)) {
        return false;
    }
    char *bytes = sn_arena_alloc(x->arena, ASCII_COUNT);
    struct sn_str *items = sn_arena_alloc(x->arena, ASCII_COUNT * sizeof(*items));
    if (bytes == NULL || items == NULL) {
        return false;
    }
    *ret_set = (struct set){items, 0, ASCII_COUNT};
    for (size_t c = 0; c < ASCII_COUNT; c++) {
        if (is_member[c]) {
            bytes[ret_set->count] = (char)c;
            items[ret_set->count] = sn_str_make(&bytes[ret_set->count], 1);
            ret_set->count++;
        }
    }
    x->at = close + 1;
    return true;
}

static bool read_group(struct expander *x, struct set *ret_set) {
    x->at++;
    if (x->at < x->end && *x->at == '?') {
        if (x->end - x->at < 2 || x->at[1] != ':') {
            return false;
        }
        x->at += 2;
    }
    if (!read_alternatives(x, ret_set) || x->at == x->end) {
        return false;
    }
    assert(*x->at == ')');
    x->at++;
    return true;
}

static bool read_item(struct expander *x, struct set *ret_set) {
    struct sn_str text;
    size_t len = literal_len(x->at, x->end, &text);
    if (len > 0) {
        x->at += len;
        return set_of_one(x, text, ret_set);
    }
    if (*x->at == '(') {
        return read_group(x, ret_set);
    }
    return *x->at == '[' && read_small_class(x, ret_set);
}

static bool read_sequence(struct expander *x, struct set *ret_set) {
    if (!set_of_one(x, sn_str_make(NULL, 0), ret_set)) {
        return false;
    }
    while (x->at < x->end && *x->at != '|' && *x->at != ')') {
        struct set item;
        struct set empty;
        if (!read_item(x, &item)) {
            return false;
        }
        if (x->at < x->end && *x->at == '?') {
            x->at++;
            if (!set_of_one(x, sn_str_make(NULL, 0), &empty) || !set_union(x, &item, &empty)) {
                return false;
            }
        }
        if (!set_product(x, ret_set, &item)) {
            return false;
        }
    }
    return true;
}

static bool read_alternatives(struct expander *x, struct set *ret_set) {
    *ret_set = (struct set){NULL, 0, 0};
    for (;;) {
        struct set sequence;
        if (!read_sequence(x, &sequence) || !set_union(x, ret_set, &sequence)) {
            return false;
        }
        if (x->at == x->end || *x->at != '|') {
            return true;
        }
        x->at++;
    }
}

static int compare_items(const void *a, const void *b) {
    return sn_str_compare(*(const struct sn_str *)a, *(const struct sn_str *)b);
}

/* Without ^ at the start and $ at the end, which say nothing in an anchored pattern. */
static struct sn_str strip_anchors(struct sn_str pattern) {
    if (pattern.len == 0 || memchr(pattern.ptr, '|', pattern.len) != NULL) {
        return pattern; /* they would belong to one alternative only */
    }
    if (pattern.ptr[0] == '^') {
        pattern = sn_str_make(pattern.ptr + 1, pattern.len - 1);
    }
    bool is_dollar = pattern.len > 0 && pattern.ptr[pattern.len - 1] == '$';
    bool is_escaped = pattern.len > 1 && pattern.ptr[pattern.len - 2] == '\\';
    return sn_str_make(pattern.ptr, pattern.len - (is_dollar && !is_escaped));
}

bool sn_regex_expand_literals(struct sn_str pattern, struct sn_arena *arena,
                              struct sn_str **ret_items, size_t *ret_count) {
    struct sn_str stripped = strip_anchors(pattern);
    struct expander x = {.at = stripped.ptr, .end = stripped.ptr + stripped.len, .arena = arena};
    struct set set;
    if (stripped.len == 0) {
        x.at = x.end = "";
    }
    if (!read_alternatives(&x, &set) || x.at != x.end) {
        return false;
    }
    qsort(set.items, set.count, sizeof(*set.items), compare_items);
    size_t count = 0;
    for (size_t i = 0; i < set.count; i++) {
        if (count == 0 || !sn_str_equal(set.items[count - 1], set.items[i])) {
            set.items[count++] = set.items[i];
        }
    }
    *ret_items = set.items;
    *ret_count = count;
    return true;
}

/* --- Literals with gaps --------------------------------------------------------------------- */

/*
 * Whether a quantifier may belong to the character before `at`: one stands here, or something
 * that is no item itself, as in x(?i)* and x\Q\E*.
 */
static bool is_repeat_ahead(const char *at, const char *end) {
    if (at == end) {
        return false;
    }
    bool is_flag_group = *at == '(' && end - at >= 2 && at[1] == '?';
    bool is_quote = *at == '\\' && end - at >= 2 && at[1] == 'Q';
    return is_flag_group || is_quote || strchr("*+?{", *at) != NULL;
}

/* Copy literal characters from *at on into `text`, which has room; what follows may be a meta. */
static struct sn_str read_literal_run(const char **at, const char *end, char *text) {
    size_t len = 0;
    struct sn_str c;
    size_t step;
    while ((step = literal_len(*at, end, &c)) > 0) {
        const char *after = *at + step;
        if (is_repeat_ahead(after, end)) {
            break;
        }
        memcpy(text + len, c.ptr, c.len);
        len += c.len;
        *at = after;
    }
    return sn_str_make(text, len);
}

bool sn_regex_read_gaps(struct sn_str pattern, struct sn_arena *arena, struct sn_gap **ret_gaps,
                        size_t *ret_count) {
    struct sn_str stripped = strip_anchors(pattern);
    const char *at = stripped.ptr;
    const char *end = at + stripped.len;
    /* Each gap comes from at least one byte; .+ makes two of two. */
    struct sn_gap *gaps = sn_arena_alloc(arena, (stripped.len + 1) * sizeof(*gaps));
    char *text = sn_arena_alloc(arena, stripped.len + 1);
    size_t count = 0;
    if (gaps == NULL || text == NULL || stripped.len == 0) {
        return false;
    }
    while (at < end) {
        if (*at == '.') {
            char quantifier = at + 1 < end ? at[1] : '\0';
            bool is_repeated = quantifier == '*' || quantifier == '+';
            if (quantifier == '?' || quantifier == '{') {
                return false;
            }
            if (quantifier != '*') {
                gaps[count++] = (struct sn_gap){.kind = SN_GAP_ONE};
            }
            if (is_repeated) {
                gaps[count++] = (struct sn_gap){.kind = SN_GAP_ANY};
            }
            at += 1 + is_repeated;
            at += is_repeated && at < end && *at == '?'; /* lazy: the same texts */
            continue;
        }
        struct sn_str run = read_literal_run(&at, end, text);
        if (run.len == 0) {
            return false;
        }
        text += run.len;
        gaps[count++] = (struct sn_gap){.kind = SN_GAP_TEXT, .text = run};
    }
    *ret_gaps = gaps;
    *ret_count = count;
    return true;
}

/* Bytes of the character at `at`; one byte when it is not text. */
static size_t char_len(struct sn_str text, size_t at) {
    size_t len = sn_str_utf8_char_len(sn_str_make(text.ptr + at, text.len - at));
    return len > 0 ? len : 1;
}

/* Step over one gap that is not SN_GAP_ANY. */
static bool step_gap(const struct sn_gap *gap, struct sn_str text, size_t *at) {
    if (gap->kind == SN_GAP_ONE) {
        if (*at == text.len) {
            return false;
        }
        *at += char_len(text, *at);
        return true;
    }
    struct sn_str rest = {text.ptr + *at, text.len - *at};
    if (!sn_str_starts_with(rest, gap->text)) {
        return false;
    }
    *at += gap->text.len;
    return true;
}

/* Where the part behind an .* may start next, from `at` on; SIZE_MAX: nowhere. */
static size_t next_start(const struct sn_gap *gap, struct sn_str text, size_t at) {
    if (gap->kind != SN_GAP_TEXT || at > text.len) {
        return at <= text.len ? at : SIZE_MAX;
    }
    const char *found = memmem(text.ptr + at, text.len - at, gap->text.ptr, gap->text.len);
    return found ? (size_t)(found - text.ptr) : SIZE_MAX;
}

/*
 * The last .* is the only one that ever has to give way: what an earlier one could gain, the later
 * one can too.
 */
bool sn_regex_match_gaps(const struct sn_gap *gaps, size_t count, struct sn_str text) {
    size_t at = 0;
    size_t gap = 0;
    size_t any_gap = SIZE_MAX; /* index behind the last .* */
    size_t any_at = 0;         /* where the part behind it was tried last */
    text.ptr = text.len > 0 ? text.ptr : "";
    for (;;) {
        if (gap < count && gaps[gap].kind == SN_GAP_ANY) {
            any_gap = ++gap;
            if (gap == count) {
                return true;
            }
            any_at = at = next_start(&gaps[gap], text, at);
        } else if (gap < count && step_gap(&gaps[gap], text, &at)) {
            gap++;
        } else if (gap == count && at == text.len) {
            return true;
        } else if (any_gap == SIZE_MAX || any_at >= text.len) {
            return false;
        } else {
            any_at = at = next_start(&gaps[any_gap], text, any_at + char_len(text, any_at));
            gap = any_gap;
        }
        if (at == SIZE_MAX) {
            return false;
        }
    }
}

struct sn_str sn_regex_literal_prefix(struct sn_str pattern, struct sn_arena *arena) {
    struct sn_str none = {NULL, 0};
    if (pattern.len == 0 || memchr(pattern.ptr, '|', pattern.len) != NULL) {
        return none;
    }
    char *text = sn_arena_alloc(arena, pattern.len);
    const char *at = pattern.ptr + (pattern.ptr[0] == '^');
    return text ? read_literal_run(&at, pattern.ptr + pattern.len, text) : none;
}
