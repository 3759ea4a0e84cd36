/*
 * Compiled regexes of label matchers.
 *
 * Invariants:
 *   1. A struct sn_regex does not change after sn_regex_new, apart from its state, which is atomic:
 *      one spare match block (a thread takes it by exchange, another thread makes its own) and the
 *      first failure.
 *   2. PCRE2 is only given what the syntax reader wrote and text that is valid UTF-8, so that its
 *      own checks may be off.
 *   3. All memory of a regex but PCRE2's is in its arena. PCRE2 allocates through base/mem.h; the
 *      machine code of its JIT is mapped by itself and goes with the code.
 */
#include "regex/regex.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/mem.h"
#include "regex/simple_priv.h"
#include "regex/syntax_priv.h"

#include <stdatomic.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    HEAP_LIMIT_KIB = 1024, /* of one match that the JIT's 32 KiB stack is too small for */
    OUT_FACTOR = 16,       /* "\x{10ffff}" for one byte, and parentheses */
};

enum form {
    FORM_SET,  /* one of a few literals */
    FORM_GAPS, /* literals with . and .* between */
    FORM_CODE, /* PCRE2 */
};

struct state {
    _Atomic(pcre2_match_data *) spare;
    atomic_int failure; /* sn_status of the first match that gave up */
};

struct sn_regex {
    enum form form;
    struct sn_arena arena;
    struct state *state; /* in the arena */
    struct sn_str prefix;
    struct sn_str *literals; /* [literal_count], sorted: FORM_SET */
    size_t literal_count;
    uint16_t *slots; /* [slot_count]: index into literals + 1, by hash; NULL for few literals */
    size_t slot_count;
    struct sn_gap *gaps; /* [gap_count]: FORM_GAPS */
    size_t gap_count;
    pcre2_code *code; /* FORM_CODE */
    pcre2_match_context *match_context;
    struct sn_regex_name *names; /* [name_count]: of a capturing regex */
    unsigned name_count;
    unsigned group_count;
    struct sn_str pattern; /* copy, for messages and names */
};

_Static_assert(SN_REGEX_LITERALS_MAX < UINT16_MAX, "slots hold an index + 1");

sn_status sn_regex_check(struct sn_str pattern, bool *ret_matches_empty, struct sn_err *err) {
    struct sn_regex_syntax syntax = {.pattern = pattern};
    SN_TRY(sn_regex_syntax_read(&syntax, err));
    if (ret_matches_empty != NULL) {
        *ret_matches_empty = syntax.matches_empty;
    }
    return SN_OK;
}

/* --- Sets ----------------------------------------------------------------------------------- */

enum { FEW_LITERALS = 4 };

/* Index the literals; without memory for it lookups go by bisection. */
static void build_slots(struct sn_regex *regex) {
    if (regex->literal_count <= FEW_LITERALS) {
        return;
    }
    size_t slot_count = 2 * FEW_LITERALS;
    while (slot_count < 2 * regex->literal_count) {
        slot_count *= 2;
    }
    uint16_t *slots = sn_arena_alloc_zero(&regex->arena, slot_count, sizeof(*slots));
    if (slots == NULL) {
        return;
    }
    for (size_t i = 0; i < regex->literal_count; i++) {
        struct sn_str literal = regex->literals[i];
        size_t slot = sn_hash_bytes(literal.ptr, literal.len, 0) & (slot_count - 1);
        while (slots[slot] != 0) {
            slot = (slot + 1) & (slot_count - 1);
        }
        slots[slot] = (uint16_t)(i + 1);
    }
    regex->slots = slots;
    regex->slot_count = slot_count;
}

static bool match_set(const struct sn_regex *regex, struct sn_str text) {
    if (regex->slots == NULL) {
        for (size_t i = 0; i < regex->literal_count; i++) {
            if (sn_str_equal(regex->literals[i], text)) {
                return true;
            }
        }
        return false;
    }
    size_t mask = regex->slot_count - 1;
    size_t slot = sn_hash_bytes(text.ptr, text.len, 0) & mask;
    for (; regex->slots[slot] != 0; slot = (slot + 1) & mask) {
        if (sn_str_equal(regex->literals[regex->slots[slot] - 1], text)) {
            return true;
        }
    }
    return false;
}

/* --- PCRE2 ---------------------------------------------------------------------------------- */

static void *pcre2_alloc(size_t size, void *data) {
    (void)data;
    return sn_alloc(size);
}

static void pcre2_release(void *ptr, void *data) {
    (void)data;
    sn_free(ptr);
}

static sn_status fail_no_memory(struct sn_err *err) {
    return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a regular expression");
}

/* What PCRE2 says about a pattern that our reader accepted: too large, or a bug of ours. */
static sn_status compile_failure(int code, struct sn_err *err) {
    unsigned char text[120] = "";
    if (code == PCRE2_ERROR_HEAP_FAILED) {
        return fail_no_memory(err);
    }
    (void)pcre2_get_error_message(code, text, sizeof(text)); /* a cut text is fine */
    return sn_err_set(err, SN_ERR_LIMIT, "regular expression cannot be compiled: %s",
                      (const char *)text);
}

/* Make code and match context from a translated pattern. */
static sn_status compile_translated(struct sn_regex *regex, struct sn_str translated,
                                    pcre2_general_context *general, pcre2_compile_context *context,
                                    struct sn_err *err) {
    uint32_t options = PCRE2_UTF | PCRE2_DOTALL | PCRE2_ANCHORED | PCRE2_ENDANCHORED |
                       PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_ALT_CIRCUMFLEX |
                       PCRE2_NO_UTF_CHECK;
    options |= regex->names != NULL ? 0 : PCRE2_NO_AUTO_CAPTURE;
    int code = 0;
    PCRE2_SIZE offset = 0;
    (void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    (void)pcre2_set_parens_nest_limit(context, 2 * SN_REGEX_DEPTH_MAX + 2);
    regex->code = pcre2_compile((PCRE2_SPTR)(translated.ptr ? translated.ptr : ""), translated.len,
                                options, &code, &offset, context);
    if (regex->code == NULL) {
        return compile_failure(code, err);
    }
    regex->match_context = pcre2_match_context_create(general);
    if (regex->match_context == NULL) {
        return fail_no_memory(err);
    }
    (void)pcre2_set_match_limit(regex->match_context, SN_REGEX_MATCH_LIMIT);
    (void)pcre2_set_heap_limit(regex->match_context, HEAP_LIMIT_KIB);
    /* Without the JIT (no executable memory) matching is slower and nothing else. */
    (void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
    return SN_OK;
}

static sn_status compile_code(struct sn_regex *regex, struct sn_str translated,
                              struct sn_err *err) {
    pcre2_general_context *general = pcre2_general_context_create(pcre2_alloc, pcre2_release, NULL);
    pcre2_compile_context *context = general ? pcre2_compile_context_create(general) : NULL;
    sn_status status = context ? compile_translated(regex, translated, general, context, err)
                               : fail_no_memory(err);
    pcre2_compile_context_free(context);
    pcre2_general_context_free(general);
    return status;
}

static void remember_failure(const struct sn_regex *regex, sn_status status) {
    int none = SN_OK;
    (void)atomic_compare_exchange_strong(&regex->state->failure, &none, (int)status);
}

/* Take a match block: the spare one, or a new one. */
static pcre2_match_data *take_match_data(const struct sn_regex *regex) {
    pcre2_match_data *data = atomic_exchange(&regex->state->spare, NULL);
    if (data == NULL) {
        data = pcre2_match_data_create_from_pattern(regex->code, NULL);
    }
    if (data == NULL) {
        remember_failure(regex, SN_ERR_NO_MEMORY);
    }
    return data;
}

static void give_match_data(const struct sn_regex *regex, pcre2_match_data *data) {
    pcre2_match_data_free(atomic_exchange(&regex->state->spare, data));
}

/* Groups matched + 1; 0: no match; a failure (negative) is remembered. */
static int run_code(const struct sn_regex *regex, struct sn_str text, pcre2_match_data *data) {
    PCRE2_SPTR subject = (PCRE2_SPTR)(text.len > 0 ? text.ptr : "");
    int found = pcre2_match(regex->code, subject, text.len, 0, PCRE2_NO_UTF_CHECK, data,
                            regex->match_context);
    if (SN_UNLIKELY(found == PCRE2_ERROR_JIT_STACKLIMIT)) {
        found = pcre2_match(regex->code, subject, text.len, 0, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                            data, regex->match_context);
    }
    if (found == PCRE2_ERROR_NOMATCH) {
        return 0;
    }
    if (found < 0) {
        sn_status status = found == PCRE2_ERROR_NOMEMORY ? SN_ERR_NO_MEMORY : SN_ERR_LIMIT;
        remember_failure(regex, status);
        return status;
    }
    return found > 0 ? found : 1;
}

static bool match_code(const struct sn_regex *regex, struct sn_str text) {
    if (!sn_str_starts_with(text, regex->prefix) || !sn_str_is_utf8(text)) {
        return false;
    }
    pcre2_match_data *data = take_match_data(regex);
    if (data == NULL) {
        return false;
    }
    bool is_match = run_code(regex, text, data) > 0;
    give_match_data(regex, data);
    return is_match;
}

/* --- Life ----------------------------------------------------------------------------------- */

struct sn_regex *sn_regex_free(struct sn_regex *regex) {
    if (regex != NULL) {
        if (regex->state != NULL) {
            pcre2_match_data_free(atomic_load(&regex->state->spare));
        }
        pcre2_match_context_free(regex->match_context);
        pcre2_code_free(regex->code);
        sn_arena_release(&regex->arena);
        sn_free(regex);
    }
    return NULL;
}

/* Use the cheapest form that fits; FORM_CODE when none does. */
static void choose_form(struct sn_regex *regex) {
    regex->form = FORM_CODE;
    if (sn_regex_expand_literals(regex->pattern, &regex->arena, &regex->literals,
                                 &regex->literal_count)) {
        regex->form = FORM_SET;
        build_slots(regex);
        regex->prefix = regex->literal_count == 1 ? regex->literals[0] : regex->prefix;
    } else if (sn_regex_read_gaps(regex->pattern, &regex->arena, &regex->gaps, &regex->gap_count)) {
        regex->form = FORM_GAPS;
        regex->prefix = regex->gaps[0].text;
    } else {
        regex->prefix = sn_regex_literal_prefix(regex->pattern, &regex->arena);
    }
}

static sn_status build_code(struct sn_regex *regex, struct sn_err *err) {
    struct sn_buf out;
    struct sn_regex_syntax syntax = {.pattern = regex->pattern,
                                     .out = &out,
                                     .captures = regex->names != NULL,
                                     .names = regex->names};
    sn_buf_init(&out, OUT_FACTOR * SN_REGEX_BYTES_MAX);
    sn_status status = sn_regex_syntax_read(&syntax, err);
    if (status == SN_OK) {
        status = sn_buf_status(&out, err);
    }
    if (status == SN_OK) {
        regex->name_count = syntax.name_count;
        regex->group_count = syntax.group_count;
        status = compile_code(regex, sn_buf_str(&out), err);
    }
    sn_buf_release(&out);
    return status;
}

static sn_status build(struct sn_regex *regex, struct sn_str pattern, bool captures,
                       struct sn_err *err) {
    regex->state = sn_arena_alloc_zero(&regex->arena, 1, sizeof(*regex->state));
    if (regex->state == NULL || !sn_arena_copy(&regex->arena, pattern, &regex->pattern)) {
        return fail_no_memory(err);
    }
    if (captures) {
        regex->form = FORM_CODE;
        regex->names =
            sn_arena_alloc_zero(&regex->arena, SN_REGEX_CAPTURES_MAX, sizeof(*regex->names));
        return regex->names ? build_code(regex, err) : fail_no_memory(err);
    }
    choose_form(regex);
    return regex->form == FORM_CODE ? build_code(regex, err) : SN_OK;
}

static sn_status new_regex(struct sn_str pattern, bool captures, struct sn_regex **ret_regex,
                           struct sn_err *err) {
    enum { ARENA_BYTES_MAX = 4 << 20 }; /* 4096 literals of a 64 KiB pattern stay far below */
    SN_TRY(sn_regex_check(pattern, NULL, err));
    struct sn_regex *regex = sn_alloc_zero(1, sizeof(*regex));
    if (regex == NULL) {
        return fail_no_memory(err);
    }
    sn_arena_init(&regex->arena, ARENA_BYTES_MAX);
    sn_status status = build(regex, pattern, captures, err);
    if (status != SN_OK) {
        (void)sn_regex_free(regex);
        return status;
    }
    *ret_regex = regex;
    return SN_OK;
}

sn_status sn_regex_new(struct sn_str pattern, struct sn_regex **ret_regex, struct sn_err *err) {
    return new_regex(pattern, false, ret_regex, err);
}

sn_status sn_regex_new_capturing(struct sn_str pattern, struct sn_regex **ret_regex,
                                 struct sn_err *err) {
    return new_regex(pattern, true, ret_regex, err);
}

/* --- Matching ------------------------------------------------------------------------------- */

bool sn_regex_match(const struct sn_regex *regex, struct sn_str text) {
    switch (regex->form) {
    case FORM_SET:
        return match_set(regex, text);
    case FORM_GAPS:
        return sn_regex_match_gaps(regex->gaps, regex->gap_count, text);
    case FORM_CODE:
        return match_code(regex, text);
    }
    return false;
}

bool sn_regex_match_fn(const void *regex, struct sn_str text) {
    return sn_regex_match(regex, text);
}

static sn_status explain(const struct sn_regex *regex, sn_status status, struct sn_err *err) {
    if (status == SN_ERR_NO_MEMORY) {
        return fail_no_memory(err);
    }
    if (status != SN_OK) {
        return sn_err_set(err, SN_ERR_LIMIT,
                          "regular expression `%.*s` needs more than %d steps for a value",
                          regex->pattern.len < 80 ? (int)regex->pattern.len : 80,
                          regex->pattern.ptr, SN_REGEX_MATCH_LIMIT);
    }
    return SN_OK;
}

sn_status sn_regex_status(const struct sn_regex *regex, struct sn_err *err) {
    return explain(regex, (sn_status)atomic_load(&regex->state->failure), err);
}

bool sn_regex_literals(const struct sn_regex *regex, const struct sn_str **ret_items,
                       size_t *ret_count) {
    if (regex->form != FORM_SET) {
        return false;
    }
    *ret_items = regex->literals;
    *ret_count = regex->literal_count;
    return true;
}

struct sn_str sn_regex_prefix(const struct sn_regex *regex) {
    return regex->prefix;
}

/* --- Templates ------------------------------------------------------------------------------ */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Letters of any alphabet count, so that $1é is a name (that no group has). */
static bool is_name_char(char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/*
 * Read what follows a dollar: name or {name}. Returns the bytes consumed, 0 when it is neither and
 * the dollar stands for itself.
 */
static size_t read_reference(struct sn_str rest, struct sn_str *ret_name) {
    bool is_braced = rest.len > 0 && rest.ptr[0] == '{';
    size_t first = is_braced;
    size_t last = first;
    while (last < rest.len && is_name_char(rest.ptr[last])) {
        last++;
    }
    if (last == first || (is_braced && (last == rest.len || rest.ptr[last] != '}'))) {
        return 0;
    }
    *ret_name = sn_str_make(rest.ptr + first, last - first);
    return last + is_braced;
}

/* The number that a name is, or -1: Go takes no leading zeros. */
static int number_of(struct sn_str name) {
    int number = 0;
    for (size_t i = 0; i < name.len; i++) {
        if (!is_digit(name.ptr[i]) || number > SN_REGEX_CAPTURES_MAX) {
            return is_digit(name.ptr[i]) ? SN_REGEX_CAPTURES_MAX + 1 : -1;
        }
        number = number * 10 + (name.ptr[i] - '0');
    }
    return name.ptr[0] == '0' && name.len > 1 ? -1 : number;
}

/* What a match is about: its text, and where its groups are. */
struct match {
    const struct sn_regex *regex;
    struct sn_str text;
    const PCRE2_SIZE *ends; /* start and end of each group */
    int group_count;        /* that took part, the whole included; negative: a failure */
};

static bool put_group(const struct match *match, unsigned group, struct sn_buf *buf) {
    if (group >= (unsigned)match->group_count || match->ends[2 * group] == PCRE2_UNSET) {
        return false;
    }
    size_t start = match->ends[2 * group];
    sn_buf_put(buf, match->text.ptr + start, match->ends[2 * group + 1] - start);
    return true;
}

static void put_reference(const struct match *match, struct sn_str name, struct sn_buf *buf) {
    int number = number_of(name);
    if (number >= 0) {
        (void)put_group(match, (unsigned)number, buf); /* a group that is not there is empty */
        return;
    }
    for (unsigned i = 0; i < match->regex->name_count; i++) {
        const struct sn_regex_name *named = &match->regex->names[i];
        if (sn_str_equal(named->name, name) && put_group(match, named->group, buf)) {
            return;
        }
    }
}

static void expand(const struct match *match, struct sn_str rest, struct sn_buf *buf) {
    struct sn_str before;
    struct sn_str after;
    while (sn_str_cut(rest, '$', &before, &after)) {
        struct sn_str name;
        sn_buf_put_str(buf, before);
        size_t len = read_reference(after, &name);
        if (after.len > 0 && after.ptr[0] == '$') {
            sn_buf_put_byte(buf, '$');
            len = 1;
        } else if (len == 0) {
            sn_buf_put_byte(buf, '$');
        } else {
            put_reference(match, name, buf);
        }
        rest = sn_str_make(after.ptr + len, after.len - len);
    }
    sn_buf_put_str(buf, rest);
}

sn_status sn_regex_expand(const struct sn_regex *regex, struct sn_str text,
                          struct sn_str template_text, bool *ret_matched, struct sn_buf *buf,
                          struct sn_err *err) {
    assert(regex->names != NULL);
    if (!sn_str_is_utf8(text)) {
        *ret_matched = false;
        return SN_OK;
    }
    pcre2_match_data *data = take_match_data(regex);
    struct match match = {.regex = regex, .text = text, .group_count = SN_ERR_NO_MEMORY};
    if (data != NULL) {
        match.group_count = run_code(regex, text, data);
        match.ends = pcre2_get_ovector_pointer(data);
        if (match.group_count > 0) {
            expand(&match, template_text, buf);
        }
        give_match_data(regex, data);
    }
    /* Of this match alone: a rule that lives for months outlives one value that is too hard. */
    SN_TRY(explain(regex, match.group_count < 0 ? (sn_status)match.group_count : SN_OK, err));
    SN_TRY(sn_buf_status(buf, err));
    *ret_matched = match.group_count > 0;
    return SN_OK;
}
