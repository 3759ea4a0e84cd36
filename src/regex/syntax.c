/*
 * Go's regex syntax: a reader that knows what RE2 accepts, and writes what it read for PCRE2.
 *
 * Nothing of the pattern is copied through: every piece is understood and written anew (a literal
 * "-" becomes "\-"), so that no PCRE2 syntax can slip in that Go does not have. Where the two
 * differ in meaning the translation makes up for it: \s has no \v in Go, \p{Greek} is the script
 * and not its extensions, {,5} is literal text, ^* is allowed, \x{D800} matches nothing.
 *
 * One loop over the pattern with a stack of open groups; no recursion. Any thread.
 */
#include "regex/syntax_priv.h"

#include "base/check.h"

enum { REPEAT_NONE = -1, RUNE_MAX = 0x10FFFF };

/* An open group, or the pattern itself. */
struct frame {
    bool others_match_empty;   /* some alternative that is complete does */
    bool before_matches_empty; /* this alternative up to its last item */
    bool item_matches_empty;
    bool folds_case;      /* (?i) */
    bool has_item;        /* there is something to repeat */
    bool is_item_fragile; /* the item needs parentheses before it can be repeated */
    size_t item_start;    /* in out */
    size_t item_end;
    unsigned item_repeats; /* product of the {n,m} in the last item */
    unsigned repeats;      /* largest such product so far */
};

struct reader {
    struct sn_regex_syntax *syntax;
    const char *at;
    const char *end;
    struct sn_err *err;
    sn_status status;
    const char *last_repeat; /* where the quantifier just before `at` starts; NULL: there is none */
    unsigned depth;
    struct frame frames[SN_REGEX_DEPTH_MAX + 1];
};

/* --- Failures ------------------------------------------------------------------------------- */

/* Refuse with Go's message about the text from `from` to `to`. Always false. */
static bool fail(struct reader *r, const char *what, const char *from, const char *to) {
    enum { SHOWN_MAX = 120 };
    size_t len = (size_t)(to - from);
    if (r->status == SN_OK) {
        r->status = sn_err_set(r->err, SN_ERR_INVALID, "error parsing regexp: %s: `%.*s`", what,
                               len < SHOWN_MAX ? (int)len : SHOWN_MAX, from);
    }
    return false;
}

/* --- Writing -------------------------------------------------------------------------------- */

static size_t out_len(const struct reader *r) {
    return r->syntax->out ? r->syntax->out->len : 0;
}

static void put(struct reader *r, const char *text) {
    if (r->syntax->out != NULL) {
        sn_buf_put_text(r->syntax->out, text);
    }
}

static void put_bytes(struct reader *r, const char *bytes, size_t len) {
    if (r->syntax->out != NULL) {
        sn_buf_put(r->syntax->out, bytes, len);
    }
}

/* A text at an earlier position of what was written. */
static void insert(struct reader *r, size_t at, struct sn_str text) {
    struct sn_buf *out = r->syntax->out;
    if (out == NULL) {
        return;
    }
    sn_buf_put_str(out, text); /* room, and the right length */
    if (out->status == SN_OK) {
        memmove(out->ptr + at + text.len, out->ptr + at, out->len - text.len - at);
        memcpy(out->ptr + at, text.ptr, text.len);
    }
}

static bool is_surrogate(uint32_t rune) {
    return rune >= 0xD800 && rune < 0xE000;
}

/* One character, in a class or outside: letters and digits plain, everything else by number. */
static void put_rune(struct reader *r, uint32_t rune) {
    bool is_plain = (rune >= '0' && rune <= '9') || (rune >= 'A' && rune <= 'Z') ||
                    (rune >= 'a' && rune <= 'z') || rune == '_';
    if (is_plain) {
        char c = (char)rune;
        put_bytes(r, &c, 1);
    } else if (r->syntax->out != NULL) {
        sn_buf_printf(r->syntax->out, "\\x{%x}", rune);
    }
}

/* --- Items ---------------------------------------------------------------------------------- */

static struct frame *top(struct reader *r) {
    return &r->frames[r->depth];
}

/* Start an item of the current alternative. */
static void begin_item(struct reader *r) {
    struct frame *frame = top(r);
    if (frame->has_item) {
        frame->before_matches_empty &= frame->item_matches_empty;
    }
    frame->has_item = true;
    frame->is_item_fragile = false;
    frame->item_start = out_len(r);
    frame->item_repeats = 1;
}

static void end_item(struct reader *r, bool matches_empty) {
    top(r)->item_matches_empty = matches_empty;
    top(r)->item_end = out_len(r);
}

static bool alternative_matches_empty(const struct frame *frame) {
    return frame->before_matches_empty && (!frame->has_item || frame->item_matches_empty);
}

static void add_literal(struct reader *r, uint32_t rune) {
    begin_item(r);
    if (is_surrogate(rune)) {
        put(r, "(?!)"); /* no text has one */
    } else {
        put_rune(r, rune);
    }
    end_item(r, false);
}

/* ^ $ \A \z \b \B */
static void add_assertion(struct reader *r, const char *text, bool matches_empty) {
    begin_item(r);
    put(r, text);
    end_item(r, matches_empty);
    top(r)->is_item_fragile = true;
}

static void add_class(struct reader *r, const char *text) {
    begin_item(r);
    put(r, text);
    end_item(r, false);
}

static void open_frame(struct reader *r) {
    bool folds_case = top(r)->folds_case;
    r->depth++;
    *top(r) = (struct frame){.before_matches_empty = true, .folds_case = folds_case};
}

/* --- Characters and escapes ----------------------------------------------------------------- */

/* The code point of one well-formed character. */
static uint32_t decode(const char *at, size_t len) {
    static const unsigned char lead_masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t rune = (unsigned char)at[0] & lead_masks[len];
    for (size_t i = 1; i < len; i++) {
        rune = rune << 6 | ((unsigned char)at[i] & 0x3f);
    }
    return rune;
}

static bool next_rune(struct reader *r, uint32_t *ret_rune) {
    struct sn_str rest = {r->at, (size_t)(r->end - r->at)};
    if (rest.len == 0) {
        *ret_rune = 0xFFFD;
        return true;
    }
    size_t len = sn_str_utf8_char_len(rest);
    if (len == 0) {
        return fail(r, "invalid UTF-8", r->syntax->pattern.ptr, r->end);
    }
    *ret_rune = decode(r->at, len);
    r->at += len;
    return true;
}

static int hex_digit(uint32_t rune) {
    if (rune >= '0' && rune <= '9') {
        return (int)(rune - '0');
    }
    if (rune >= 'A' && rune <= 'F') {
        return (int)(rune - 'A' + 10);
    }
    return rune >= 'a' && rune <= 'f' ? (int)(rune - 'a' + 10) : -1;
}

/* Behind \x{. False: not a number below 0x110000 with a closing brace. */
static bool read_braced_hex(struct reader *r, uint32_t *ret_rune) {
    uint32_t value = 0;
    const char *first = r->at;
    for (; r->at < r->end; r->at++) {
        if (*r->at == '}') {
            *ret_rune = value;
            return r->at++ > first;
        }
        int digit = hex_digit((unsigned char)*r->at);
        value = value * 16 + (uint32_t)digit;
        if (digit < 0 || value > RUNE_MAX) {
            r->at++;
            return false;
        }
    }
    return false;
}

/* Behind \x. */
static bool read_hex(struct reader *r, uint32_t *ret_rune) {
    if (r->at < r->end && *r->at == '{') {
        r->at++;
        return read_braced_hex(r, ret_rune);
    }
    uint32_t high;
    uint32_t low;
    if (r->at == r->end || !next_rune(r, &high) || !next_rune(r, &low)) {
        return false;
    }
    if (hex_digit(high) < 0 || hex_digit(low) < 0) {
        return false;
    }
    *ret_rune = (uint32_t)(hex_digit(high) * 16 + hex_digit(low));
    return true;
}

static bool is_octal(const struct reader *r) {
    return r->at < r->end && *r->at >= '0' && *r->at <= '7';
}

/* Behind a backslash and the first digit; one digit but 0 would be a back-reference. */
static bool read_octal(struct reader *r, uint32_t first, uint32_t *ret_rune) {
    if (first != '0' && !is_octal(r)) {
        return false;
    }
    uint32_t value = first - '0';
    for (int i = 0; i < 2 && is_octal(r); i++) {
        value = value * 8 + (uint32_t)(*r->at++ - '0');
    }
    *ret_rune = value;
    return true;
}

/* The character that a letter stands for behind a backslash, or -1. */
static int control_letter(uint32_t letter) {
    switch (letter) {
    case 'a':
        return '\a';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'v':
        return '\v';
    default:
        return -1;
    }
}

static bool is_alnum(uint32_t rune) {
    return (rune >= '0' && rune <= '9') || (rune >= 'A' && rune <= 'Z') ||
           (rune >= 'a' && rune <= 'z');
}

/* A backslash and what belongs to it, as one character. */
static bool read_escape(struct reader *r, uint32_t *ret_rune) {
    const char *start = r->at++;
    uint32_t c;
    if (r->at == r->end) {
        return fail(r, "trailing backslash at end of expression", r->end, r->end);
    }
    if (!next_rune(r, &c)) {
        return false;
    }
    bool is_ok = false;
    if (c < 0x80 && !is_alnum(c)) {
        *ret_rune = c;
        is_ok = true;
    } else if (c >= '0' && c <= '7') {
        is_ok = read_octal(r, c, ret_rune);
    } else if (c == 'x') {
        is_ok = read_hex(r, ret_rune);
    } else if (control_letter(c) >= 0) {
        *ret_rune = (uint32_t)control_letter(c);
        is_ok = true;
    }
    return is_ok || fail(r, "invalid escape sequence", start, r->at);
}

/* --- Classes -------------------------------------------------------------------------------- */

/*
 * \d \s \w and their opposites, as members of a bracketed class. NULL: something else. Not the
 * names that PCRE2 has for them: its \s includes \v.
 */
static const char *perl_class(const struct reader *r) {
    if (r->end - r->at < 2 || *r->at != '\\') {
        return NULL;
    }
    switch (r->at[1]) {
    case 'd':
        return "0-9";
    case 'D':
        return "\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}";
    case 's':
        return "\\x{9}\\x{a}\\x{c}\\x{d}\\x{20}";
    case 'S':
        return "\\x{0}-\\x{8}\\x{b}\\x{e}-\\x{1f}\\x{21}-\\x{10ffff}";
    case 'w':
        return "0-9A-Z_a-z";
    case 'W':
        return "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}\\x{7b}-\\x{10ffff}";
    default:
        return NULL;
    }
}

static bool is_unicode_class(const struct reader *r) {
    return r->end - r->at >= 2 && r->at[0] == '\\' && (r->at[1] == 'p' || r->at[1] == 'P');
}

/* Whether case folding makes upper, lower and title case letters one: Go folds \p{Lu}, PCRE2 not. */
static bool is_case_class(struct sn_str name) {
    return name.len == 2 && name.ptr[0] == 'L' && strchr("ult", name.ptr[1]) != NULL;
}

/* \pN, \p{Greek}, \p{^Greek}, \P...; fine inside of a class and outside. */
static bool read_unicode_class(struct reader *r) {
    const char *start = r->at;
    bool is_negated = r->at[1] == 'P';
    struct sn_str name;
    r->at += 2;
    if (r->at < r->end && *r->at == '{') {
        const char *close = memchr(r->at, '}', (size_t)(r->end - r->at));
        if (close == NULL) {
            return fail(r, "invalid character class range", start, r->end);
        }
        name = sn_str_make(r->at + 1, (size_t)(close - r->at - 1));
        r->at = close + 1;
    } else {
        uint32_t rune;
        const char *first = r->at;
        if (!next_rune(r, &rune)) {
            return false;
        }
        name = sn_str_make(first, (size_t)(r->at - first));
    }
    if (name.len > 0 && name.ptr[0] == '^') {
        is_negated = !is_negated;
        name = sn_str_make(name.ptr + 1, name.len - 1);
    }
    bool is_script;
    if (!sn_regex_unicode_class(name, &is_script)) {
        return fail(r, "invalid character class range", start, r->at);
    }
    if (top(r)->folds_case && is_case_class(name)) {
        name = SN_STR("L&");
    }
    put(r, is_negated ? "\\P{" : "\\p{");
    put(r, is_script ? "sc:" : "");
    put_bytes(r, name.ptr, name.len);
    put(r, "}");
    return true;
}

/* [:alpha:] or [:^alpha:] inside of a class; the current position is its bracket. */
static bool read_posix_class(struct reader *r, const char *close) {
    static const char *const names[] = {
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph",
        "lower", "print", "punct", "space", "upper", "word",  "xdigit",
    };
    const char *first = r->at + 2 + (r->at[2] == '^');
    struct sn_str name = {first, close > first ? (size_t)(close - first) : 0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (sn_str_equal(name, sn_str_from(names[i]))) {
            put_bytes(r, r->at, (size_t)(close + 2 - r->at));
            r->at = close + 2;
            return true;
        }
    }
    return fail(r, "invalid character class range", r->at, close + 2);
}

static bool read_class_char(struct reader *r, const char *class_start, uint32_t *ret_rune) {
    if (r->at == r->end) {
        return fail(r, "missing closing ]", class_start, r->end);
    }
    return *r->at == '\\' ? read_escape(r, ret_rune) : next_rune(r, ret_rune);
}

/* a or a-z. *has_member: something was written (surrogates are left out). */
static bool read_class_range(struct reader *r, const char *class_start, bool *has_member) {
    const char *start = r->at;
    uint32_t low;
    if (!read_class_char(r, class_start, &low)) {
        return false;
    }
    uint32_t high = low;
    if (r->end - r->at >= 2 && r->at[0] == '-' && r->at[1] != ']') {
        r->at++;
        if (!read_class_char(r, class_start, &high)) {
            return false;
        }
        if (high < low) {
            return fail(r, "invalid character class range", start, r->at);
        }
    }
    low = is_surrogate(low) ? 0xE000 : low;
    high = is_surrogate(high) ? 0xD7FF : high;
    if (low <= high) {
        *has_member = true;
        put_rune(r, low);
        if (high > low) {
            put(r, "-");
            put_rune(r, high);
        }
    }
    return true;
}

/* One member of a class. */
static bool read_class_member(struct reader *r, const char *class_start, bool *has_member) {
    struct sn_str rest = {r->at, (size_t)(r->end - r->at)};
    if (rest.len > 2 && rest.ptr[0] == '[' && rest.ptr[1] == ':') {
        const char *close = memmem(rest.ptr + 2, rest.len - 2, ":]", 2);
        if (close != NULL) {
            *has_member = true;
            return read_posix_class(r, close);
        }
    }
    const char *perl = perl_class(r);
    if (perl != NULL) {
        put(r, perl);
        r->at += 2;
        *has_member = true;
        return true;
    }
    if (is_unicode_class(r)) {
        *has_member = true;
        return read_unicode_class(r);
    }
    return read_class_range(r, class_start, has_member);
}

static bool read_class(struct reader *r) {
    const char *start = r->at++;
    bool is_negated = r->at < r->end && *r->at == '^';
    bool has_member = false;
    begin_item(r);
    size_t out_start = out_len(r);
    put(r, is_negated ? "[^" : "[");
    r->at += is_negated;
    bool is_first = true;
    while (r->at == r->end || *r->at != ']' || is_first) {
        is_first = false;
        if (!read_class_member(r, start, &has_member)) {
            return false;
        }
    }
    r->at++;
    if (!has_member && r->syntax->out != NULL) {
        r->syntax->out->len = out_start;
        put(r, is_negated ? "[\\x{0}-\\x{10ffff}]" : "(?!)");
    } else {
        put(r, "]");
    }
    end_item(r, false);
    return true;
}

/* --- Groups --------------------------------------------------------------------------------- */

static bool enter_group(struct reader *r) {
    if (r->depth >= SN_REGEX_DEPTH_MAX) {
        r->status =
            sn_err_set(r->err, SN_ERR_LIMIT,
                       "regular expression is nested more than %d levels deep", SN_REGEX_DEPTH_MAX);
        return false;
    }
    begin_item(r);
    open_frame(r);
    return true;
}

static bool enter_capture(struct reader *r) {
    struct sn_regex_syntax *syntax = r->syntax;
    if (syntax->captures && syntax->group_count >= SN_REGEX_CAPTURES_MAX) {
        r->status = sn_err_set(r->err, SN_ERR_LIMIT, "regular expression has more than %d groups",
                               SN_REGEX_CAPTURES_MAX);
        return false;
    }
    syntax->group_count++;
    if (!enter_group(r)) {
        return false;
    }
    put(r, syntax->captures ? "(" : "(?:");
    return true;
}

/* (?P<name>, or (?<name>; `name` is where the name starts. */
static bool read_named_group(struct reader *r, const char *name) {
    struct sn_regex_syntax *syntax = r->syntax;
    const char *start = r->at;
    const char *close = memchr(name, '>', (size_t)(r->end - name));
    if (close == NULL) {
        return fail(r, "invalid named capture", start, r->end);
    }
    bool is_valid = close > name;
    for (const char *at = name; at < close; at++) {
        is_valid &= is_alnum((unsigned char)*at) || *at == '_';
    }
    if (!is_valid) {
        return fail(r, "invalid named capture", start, close + 1);
    }
    r->at = close + 1;
    if (!enter_capture(r)) {
        return false;
    }
    if (syntax->names != NULL && syntax->name_count < SN_REGEX_CAPTURES_MAX) {
        syntax->names[syntax->name_count++] = (struct sn_regex_name){
            .name = {name, (size_t)(close - name)}, .group = syntax->group_count};
    }
    return true;
}

/*
 * Step over flags. False when they end in a minus that nothing follows.
 *
 *   folds_case   whether (?i) holds behind them; in: whether it holds before
 */
static bool scan_flags(struct reader *r, bool *folds_case) {
    bool is_negative = false;
    bool has_flag = false;
    for (; r->at < r->end; r->at++) {
        char c = *r->at;
        if (c == '-' && !is_negative) {
            is_negative = true;
            has_flag = false;
        } else if (c == 'i') {
            has_flag = true;
            *folds_case = !is_negative;
        } else if (c == 'm' || c == 's' || c == 'U') {
            has_flag = true;
        } else {
            break;
        }
    }
    return has_flag || !is_negative;
}

/* (?flags) or (?flags:; both mean the same in PCRE2. */
static bool read_flags(struct reader *r) {
    const char *start = r->at;
    bool folds_case = top(r)->folds_case;
    r->at += 2;
    bool is_complete = scan_flags(r, &folds_case);
    char last = r->at < r->end ? *r->at : '\0';
    if (!is_complete || (last != ':' && last != ')')) {
        uint32_t rune;
        return next_rune(r, &rune) && fail(r, "invalid or unsupported Perl syntax", start, r->at);
    }
    r->at++;
    if (last == ':' && !enter_group(r)) {
        return false;
    }
    top(r)->folds_case = folds_case;
    put_bytes(r, start, (size_t)(r->at - start));
    return true;
}

static bool read_open(struct reader *r) {
    size_t len = (size_t)(r->end - r->at);
    if (len < 2 || r->at[1] != '?') {
        r->at++;
        return enter_capture(r);
    }
    if (len > 4 && r->at[2] == 'P' && r->at[3] == '<') {
        return read_named_group(r, r->at + 4);
    }
    if (len > 3 && r->at[2] == '<') {
        return read_named_group(r, r->at + 3);
    }
    return read_flags(r);
}

static bool read_close(struct reader *r) {
    if (r->depth == 0) {
        return fail(r, "unexpected )", r->syntax->pattern.ptr, r->end);
    }
    const struct frame *closed = top(r);
    bool matches_empty = closed->others_match_empty || alternative_matches_empty(closed);
    unsigned repeats = closed->repeats;
    r->depth--;
    put(r, ")");
    r->at++;
    end_item(r, matches_empty);
    top(r)->item_repeats = repeats > 0 ? repeats : 1;
    return true;
}

static void read_bar(struct reader *r) {
    struct frame *frame = top(r);
    frame->others_match_empty |= alternative_matches_empty(frame);
    frame->before_matches_empty = true;
    frame->has_item = false;
    put(r, "|");
    r->at++;
}

/* --- Repetition ----------------------------------------------------------------------------- */

struct repeat {
    int min;
    int max; /* REPEAT_NONE: no upper bound */
};

/* Digits without leading zeros; more than a thousand is as good as a thousand and one. */
static bool read_count(const char **at, const char *end, int *ret_count) {
    const char *first = *at;
    int count = 0;
    while (*at < end && **at >= '0' && **at <= '9') {
        count = count > SN_REGEX_REPEAT_MAX ? count : count * 10 + (**at - '0');
        (*at)++;
    }
    *ret_count = count;
    return *at > first && !(*first == '0' && *at - first > 1);
}

/* {n}, {n,} or {n,m} at the current position. False: literal text. */
static bool read_braces(const struct reader *r, struct repeat *ret_repeat, const char **ret_after) {
    const char *at = r->at + 1;
    if (!read_count(&at, r->end, &ret_repeat->min) || at == r->end) {
        return false;
    }
    ret_repeat->max = ret_repeat->min;
    if (*at == ',') {
        at++;
        if (at < r->end && *at == '}') {
            ret_repeat->max = REPEAT_NONE;
        } else if (!read_count(&at, r->end, &ret_repeat->max)) {
            return false;
        }
    }
    if (at == r->end || *at != '}') {
        return false;
    }
    *ret_after = at + 1;
    return true;
}

/* Account for the repetition of the last item. Only {n,m} count: * and + cost nothing. */
static bool check_repeats(struct reader *r, struct repeat repeat, bool is_counted,
                          const char *after) {
    struct frame *frame = top(r);
    if (is_counted) {
        unsigned most = (unsigned)(repeat.max == REPEAT_NONE ? repeat.min : repeat.max);
        frame->item_repeats *= most;
        bool is_checked = repeat.min >= 2 || repeat.max >= 2;
        if (is_checked && frame->item_repeats > SN_REGEX_REPEAT_MAX) {
            return fail(r, "invalid repeat count", r->at, after);
        }
    }
    if (frame->item_repeats > frame->repeats) {
        frame->repeats = frame->item_repeats;
    }
    return true;
}

/* The quantifier from the current position to `after`. */
static bool apply_repeat(struct reader *r, struct repeat repeat, bool is_counted,
                         const char *after) {
    struct frame *frame = top(r);
    const char *start = r->at;
    if (after < r->end && *after == '?') {
        after++;
    }
    if (r->last_repeat != NULL) {
        return fail(r, "invalid nested repetition operator", r->last_repeat, after);
    }
    if (!frame->has_item) {
        return fail(r, "missing argument to repetition operator", start, after);
    }
    if (!check_repeats(r, repeat, is_counted, after)) {
        return false;
    }
    if (frame->is_item_fragile) {
        insert(r, frame->item_end, SN_STR(")"));
        insert(r, frame->item_start, SN_STR("(?:"));
        frame->item_end += strlen("(?:)");
    }
    insert(r, frame->item_end, sn_str_make(start, (size_t)(after - start)));
    frame->item_end += (size_t)(after - start);
    frame->is_item_fragile = true; /* repeated once more it needs parentheses */
    frame->item_matches_empty |= repeat.min == 0;
    r->at = after;
    r->last_repeat = start;
    return true;
}

static bool read_repeat(struct reader *r, struct repeat repeat) {
    return apply_repeat(r, repeat, false, r->at + 1);
}

static bool read_brace(struct reader *r) {
    struct repeat repeat;
    const char *after;
    if (!read_braces(r, &repeat, &after)) {
        r->at++;
        r->last_repeat = NULL;
        add_literal(r, '{');
        return true;
    }
    bool is_in_range = repeat.min <= SN_REGEX_REPEAT_MAX && repeat.max <= SN_REGEX_REPEAT_MAX &&
                       (repeat.max == REPEAT_NONE || repeat.min <= repeat.max);
    if (!is_in_range) {
        return fail(r, "invalid repeat count", r->at, after);
    }
    return apply_repeat(r, repeat, true, after);
}

/* --- The loop ------------------------------------------------------------------------------- */

/* \Q...\E: the characters between are themselves. */
static bool read_quoted(struct reader *r) {
    const char *first = r->at + 2;
    const char *close = memmem(first, (size_t)(r->end - first), "\\E", 2);
    const char *last = close ? close : r->end;
    r->at = first;
    while (r->at < last) {
        uint32_t rune;
        if (!next_rune(r, &rune)) {
            return false;
        }
        add_literal(r, rune);
    }
    r->at = close ? close + 2 : r->end;
    return true;
}

static bool read_backslash(struct reader *r) {
    char letter = r->end - r->at >= 2 ? r->at[1] : '\0';
    switch (letter) {
    case 'A':
    case 'z':
    case 'b':
    case 'B':
        add_assertion(r, (char[]){'\\', letter, '\0'}, letter != 'b');
        r->at += 2;
        return true;
    case 'C':
        return fail(r, "invalid escape sequence", r->at, r->at + 2);
    case 'Q':
        return read_quoted(r);
    default:
        break;
    }
    const char *perl = perl_class(r);
    if (perl != NULL) {
        begin_item(r);
        put(r, "[");
        put(r, perl);
        put(r, "]");
        end_item(r, false);
        r->at += 2;
        return true;
    }
    if (is_unicode_class(r)) {
        begin_item(r);
        bool is_ok = read_unicode_class(r);
        end_item(r, false);
        return is_ok;
    }
    uint32_t rune;
    if (!read_escape(r, &rune)) {
        return false;
    }
    add_literal(r, rune);
    return true;
}

static bool read_literal(struct reader *r) {
    uint32_t rune;
    if (!next_rune(r, &rune)) {
        return false;
    }
    add_literal(r, rune);
    return true;
}

static bool read_quantifier(struct reader *r) {
    switch (*r->at) {
    case '*':
        return read_repeat(r, (struct repeat){0, REPEAT_NONE});
    case '+':
        return read_repeat(r, (struct repeat){1, REPEAT_NONE});
    case '?':
        return read_repeat(r, (struct repeat){0, 1});
    default:
        return read_brace(r);
    }
}

/* One piece that is not a quantifier. */
static bool read_piece(struct reader *r) {
    switch (*r->at) {
    case '(':
        return read_open(r);
    case ')':
        return read_close(r);
    case '[':
        return read_class(r);
    case '\\':
        return read_backslash(r);
    case '|':
        read_bar(r);
        return true;
    case '^':
        add_assertion(r, "^", true);
        break;
    case '$':
        add_assertion(r, "$", true);
        break;
    case '.':
        add_class(r, ".");
        break;
    default:
        return read_literal(r);
    }
    r->at++;
    return true;
}

static bool read_all(struct reader *r) {
    while (r->at < r->end) {
        bool is_quantifier = *r->at == '*' || *r->at == '+' || *r->at == '?' || *r->at == '{';
        if (!is_quantifier) {
            r->last_repeat = NULL;
        }
        if (!(is_quantifier ? read_quantifier(r) : read_piece(r))) {
            return false;
        }
    }
    if (r->depth > 0) {
        return fail(r, "missing closing )", r->syntax->pattern.ptr, r->end);
    }
    return true;
}

sn_status sn_regex_syntax_read(struct sn_regex_syntax *syntax, struct sn_err *err) {
    struct reader r;
    if (syntax->pattern.len > SN_REGEX_BYTES_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT, "regular expression has %zu bytes, the limit is %zu",
                          syntax->pattern.len, SN_REGEX_BYTES_MAX);
    }
    r.syntax = syntax;
    r.at = syntax->pattern.len > 0 ? syntax->pattern.ptr : "";
    r.end = r.at + syntax->pattern.len;
    r.err = err;
    r.status = SN_OK;
    r.last_repeat = NULL;
    r.depth = 0;
    r.frames[0] = (struct frame){.before_matches_empty = true};
    if (!read_all(&r)) {
        assert(r.status != SN_OK);
        return r.status;
    }
    syntax->matches_empty = r.frames[0].others_match_empty || alternative_matches_empty(top(&r));
    return SN_OK;
}
