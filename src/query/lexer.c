/*
 * PromQL text to tokens. One pass, no allocation, no copies: tokens point into the text.
 *
 * Numbers are scanned by the same rules as Prometheus' lexer, oddities included (no 0xeee, 1_000 is
 * fine), because what one accepts the other must accept too.
 */
#include "query/lexer_priv.h"

#include "base/check.h"
#include "query/gotext_priv.h"

enum { IS_ALPHA = 1, IS_DIGIT = 2, IS_SPACE = 4, IS_COLON = 8, IS_HEX = 16 };

static const unsigned char char_class[256] = {
    ['a' ... 'f'] = IS_ALPHA | IS_HEX,
    ['g' ... 'z'] = IS_ALPHA,
    ['A' ... 'F'] = IS_ALPHA | IS_HEX,
    ['G' ... 'Z'] = IS_ALPHA,
    ['_'] = IS_ALPHA,
    ['0' ... '9'] = IS_DIGIT | IS_HEX,
    [' '] = IS_SPACE,
    ['\t'] = IS_SPACE,
    ['\n'] = IS_SPACE,
    ['\r'] = IS_SPACE,
    [':'] = IS_COLON,
};

static bool is_class(char c, unsigned classes) {
    return (char_class[(unsigned char)c] & classes) != 0;
}

/* The byte at the current position, '\0' at the end: no token contains a NUL. */
static char peek(const struct sn_lexer *lexer) {
    return lexer->at < lexer->len ? lexer->text[lexer->at] : '\0';
}

static struct sn_str rest(const struct sn_lexer *lexer) {
    return sn_str_make(lexer->text + lexer->at, lexer->len - lexer->at);
}

/* Step over one character if it is one of `set`. */
static bool accept(struct sn_lexer *lexer, const char *set) {
    char c = peek(lexer);
    if (c == '\0' || strchr(set, c) == NULL) {
        return false;
    }
    lexer->at++;
    return true;
}

static void skip_class(struct sn_lexer *lexer, unsigned classes) {
    while (lexer->at < lexer->len && is_class(lexer->text[lexer->at], classes)) {
        lexer->at++;
    }
}

/* --- Keywords ------------------------------------------------------------------------------- */

enum { KEYWORD_LEN_MAX = 12 };

/* By length, so that few are compared. */
static const struct keyword {
    char name[KEYWORD_LEN_MAX + 1];
    unsigned char len;
    unsigned char kind;
} keywords[] = {
    {"or", 2, SN_TOKEN_OR},
    {"by", 2, SN_TOKEN_BY},
    {"on", 2, SN_TOKEN_ON},
    {"sum", 3, SN_TOKEN_SUM},
    {"avg", 3, SN_TOKEN_AVG},
    {"max", 3, SN_TOKEN_MAX},
    {"min", 3, SN_TOKEN_MIN},
    {"and", 3, SN_TOKEN_AND},
    {"end", 3, SN_TOKEN_END_OF_RANGE},
    {"inf", 3, SN_TOKEN_NUMBER},
    {"nan", 3, SN_TOKEN_NUMBER},
    {"topk", 4, SN_TOKEN_TOPK},
    {"bool", 4, SN_TOKEN_BOOL},
    {"step", 4, SN_TOKEN_STEP},
    {"fill", 4, SN_TOKEN_FILL},
    {"count", 5, SN_TOKEN_COUNT},
    {"group", 5, SN_TOKEN_GROUP},
    {"start", 5, SN_TOKEN_START},
    {"range", 5, SN_TOKEN_RANGE},
    {"atan2", 5, SN_TOKEN_ATAN2},
    {"offset", 6, SN_TOKEN_OFFSET},
    {"unless", 6, SN_TOKEN_UNLESS},
    {"stddev", 6, SN_TOKEN_STDDEV},
    {"stdvar", 6, SN_TOKEN_STDVAR},
    {"limitk", 6, SN_TOKEN_LIMITK},
    {"bottomk", 7, SN_TOKEN_BOTTOMK},
    {"without", 7, SN_TOKEN_WITHOUT},
    {"ignoring", 8, SN_TOKEN_IGNORING},
    {"quantile", 8, SN_TOKEN_QUANTILE},
    {"anchored", 8, SN_TOKEN_ANCHORED},
    {"smoothed", 8, SN_TOKEN_SMOOTHED},
    {"fill_left", 9, SN_TOKEN_FILL_LEFT},
    {"group_left", 10, SN_TOKEN_GROUP_LEFT},
    {"fill_right", 10, SN_TOKEN_FILL_RIGHT},
    {"group_right", 11, SN_TOKEN_GROUP_RIGHT},
    {"limit_ratio", 11, SN_TOKEN_LIMIT_RATIO},
    {"count_values", 12, SN_TOKEN_COUNT_VALUES},
};

enum { KEYWORD_COUNT = sizeof(keywords) / sizeof(keywords[0]) };

/* Index of the first keyword of a length; [len + 1] is one behind the last. */
static const unsigned char keyword_first[KEYWORD_LEN_MAX + 2] = {0,  0,  0,  3,  11, 15, 20,
                                                                 25, 27, 31, 32, 34, 36, 37};
_Static_assert(KEYWORD_COUNT == 37, "keyword_first belongs to the table above");

/* Token kind of a word in any case; SN_TOKEN_IDENTIFIER when it is no keyword. */
static enum sn_token_kind keyword_of(struct sn_str word) {
    if (word.len > KEYWORD_LEN_MAX) {
        return SN_TOKEN_IDENTIFIER;
    }
    char lower[KEYWORD_LEN_MAX];
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    for (size_t i = keyword_first[word.len]; i < keyword_first[word.len + 1]; i++) {
        if (keywords[i].name[0] == lower[0] && memcmp(keywords[i].name, lower, word.len) == 0) {
            return (enum sn_token_kind)keywords[i].kind;
        }
    }
    return SN_TOKEN_IDENTIFIER;
}

/* --- Tokens --------------------------------------------------------------------------------- */

static void emit(const struct sn_lexer *lexer, struct sn_token *token, enum sn_token_kind kind) {
    token->kind = kind;
    token->text = sn_str_make(lexer->text + token->start, lexer->at - token->start);
}

static void fail(const struct sn_lexer *lexer, struct sn_token *token, const char *format, ...)
    SN_PRINTF(3, 4);
static void fail(const struct sn_lexer *lexer, struct sn_token *token, const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)sn_err_set_va(lexer->err, SN_ERR_INVALID, format, args);
    va_end(args);
    token->kind = SN_TOKEN_ERROR;
}

/* Refuse with a message that ends in the character at `at` of the text, quoted. */
static void fail_at_char(const struct sn_lexer *lexer, struct sn_token *token, uint32_t at,
                         const char *message) {
    char quoted[SN_GOTEXT_RUNE_SIZE];
    sn_gotext_rune(quoted, sn_str_make(lexer->text + at, lexer->len - at));
    fail(lexer, token, "%s%s", message, quoted);
}

enum scan { SCAN_BAD = -1, SCAN_END = 0, SCAN_MORE = 1 };

struct number_scan {
    unsigned digits; /* class of its digits */
    bool has_dot;
    bool has_exponent;
};

/* What must not follow an exponent or an underscore; neither may the end of the text. */
static enum scan scan_separator(struct sn_lexer *lexer) {
    return accept(lexer, "._eE") || lexer->at == lexer->len ? SCAN_BAD : SCAN_MORE;
}

static enum scan scan_dot(struct sn_lexer *lexer, struct number_scan *number) {
    bool is_second = number->has_dot;
    lexer->at++;
    number->has_dot = true;
    return is_second || accept(lexer, "_.") || number->digits == IS_HEX ? SCAN_BAD : SCAN_MORE;
}

static enum scan scan_exponent(struct sn_lexer *lexer, struct number_scan *number) {
    lexer->at++;
    if (number->has_exponent) {
        return SCAN_BAD;
    }
    number->has_exponent = true;
    (void)accept(lexer, "+-");
    return scan_separator(lexer);
}

/* One step of scan_number's loop. */
static enum scan scan_number_part(struct sn_lexer *lexer, struct number_scan *number) {
    char c = peek(lexer);
    if (c == '.') {
        return scan_dot(lexer, number);
    }
    if (c == 'e' || c == 'E') {
        return scan_exponent(lexer, number);
    }
    if (c == '_') {
        lexer->at++;
        return scan_separator(lexer);
    }
    if (!is_class(c, number->digits)) {
        return SCAN_END;
    }
    skip_class(lexer, number->digits);
    return SCAN_MORE;
}

/* Whether a number ends at the current position; steps over what looks like one. */
static bool scan_number(struct sn_lexer *lexer) {
    struct number_scan number = {.digits = IS_DIGIT};
    enum scan next;
    if (accept(lexer, "0") && accept(lexer, "xX")) {
        (void)accept(lexer, "_");
        number.digits = IS_HEX;
    }
    (void)accept(lexer, ".");
    if (is_class(peek(lexer), number.digits)) {
        lexer->at++;
    }
    do {
        next = scan_number_part(lexer, &number);
    } while (next == SCAN_MORE);
    return next == SCAN_END && !is_class(peek(lexer), IS_ALPHA | IS_DIGIT);
}

/* What follows the first digits of a duration: m30s. Order of units is checked by the parser. */
static bool scan_duration(struct sn_lexer *lexer) {
    if (!accept(lexer, "smhdwy")) {
        return false;
    }
    (void)accept(lexer, "s"); /* ms; hs is refused by the parser */
    while (is_class(peek(lexer), IS_DIGIT)) {
        skip_class(lexer, IS_DIGIT);
        if (!accept(lexer, "smhdw")) {
            return false;
        }
        (void)accept(lexer, "s");
    }
    if (is_class(peek(lexer), IS_ALPHA | IS_DIGIT)) {
        lexer->at++; /* shown in the message */
        return false;
    }
    return true;
}

static void lex_number(struct sn_lexer *lexer, struct sn_token *token) {
    lexer->has_duration = true;
    if (scan_number(lexer)) {
        emit(lexer, token, SN_TOKEN_NUMBER);
    } else if (scan_duration(lexer)) {
        emit(lexer, token, SN_TOKEN_DURATION);
    } else {
        char quoted[SN_GOTEXT_QUOTED_SIZE];
        struct sn_str shown = {lexer->text + token->start, lexer->at - token->start};
        fail(lexer, token, "bad number or duration syntax: %s", sn_gotext_quoted(quoted, shown));
    }
}

/* --- Strings -------------------------------------------------------------------------------- */

static int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
}

struct escape {
    unsigned digits;
    int base;
    uint32_t max;
};

/* Form of a numeric escape by the letter after the backslash; digits 0: not numeric. */
static struct escape numeric_escape(char letter) {
    switch (letter) {
    case 'x':
        return (struct escape){2, 16, 0xFF};
    case 'u':
        return (struct escape){4, 16, 0x10FFFF};
    case 'U':
        return (struct escape){8, 16, 0x10FFFF};
    default:
        return letter >= '0' && letter <= '7' ? (struct escape){3, 8, 0xFF}
                                              : (struct escape){0, 0, 0};
    }
}

/* Check the digits of an escape; the current position is the first of them. */
static bool check_digits(struct sn_lexer *lexer, struct sn_token *token, struct escape escape) {
    uint32_t value = 0;
    for (unsigned i = 0; i < escape.digits; i++) {
        int digit = lexer->at < lexer->len ? hex_value(lexer->text[lexer->at]) : -1;
        if (digit < 0) {
            fail(lexer, token, "escape sequence not terminated");
            return false;
        }
        if (digit >= escape.base) {
            char shown[SN_GOTEXT_UNICODE_SIZE];
            sn_gotext_unicode(shown, rest(lexer));
            fail(lexer, token, "illegal character %s in escape sequence", shown);
            return false;
        }
        value = value * (uint32_t)escape.base + (uint32_t)digit;
        lexer->at++;
    }
    if (value > escape.max || (value >= 0xD800 && value < 0xE000)) {
        fail(lexer, token, "escape sequence is an invalid Unicode code point");
        return false;
    }
    return true;
}

/* The current position is behind a backslash. */
static bool check_escape(struct sn_lexer *lexer, struct sn_token *token, char quote) {
    if (lexer->at == lexer->len) {
        fail(lexer, token, "escape sequence not terminated");
        return false;
    }
    char letter = lexer->text[lexer->at];
    if (letter == quote || (letter != '\0' && strchr("abfnrtv\\", letter) != NULL)) {
        lexer->at++;
        return true;
    }
    struct escape escape = numeric_escape(letter);
    if (escape.digits > 0) {
        lexer->at += escape.base == 16;
        return check_digits(lexer, token, escape);
    }
    char shown[SN_GOTEXT_UNICODE_SIZE];
    sn_gotext_unicode(shown, rest(lexer));
    fail(lexer, token, "unknown escape sequence %s", shown);
    return false;
}

/* Step over one character of a string. U+FFFD is refused like the bytes it stands for. */
static bool check_text_char(struct sn_lexer *lexer, struct sn_token *token) {
    if ((unsigned char)lexer->text[lexer->at] < 0x80) {
        lexer->at++;
        return true;
    }
    uint32_t rune;
    lexer->at += (uint32_t)sn_gotext_decode(rest(lexer), &rune);
    if (rune == 0xFFFD) {
        fail(lexer, token, "invalid UTF-8 rune");
        return false;
    }
    return true;
}

static void lex_string(struct sn_lexer *lexer, struct sn_token *token) {
    char quote = lexer->text[lexer->at++];
    bool is_raw = quote == '`';
    for (;;) {
        if (lexer->at == lexer->len || (!is_raw && lexer->text[lexer->at] == '\n')) {
            fail(lexer, token, is_raw ? "unterminated raw string" : "unterminated quoted string");
            return;
        }
        char c = lexer->text[lexer->at];
        if (c == quote) {
            lexer->at++;
            emit(lexer, token, SN_TOKEN_STRING);
            return;
        }
        if (c == '\\' && !is_raw) {
            lexer->at++;
            if (!check_escape(lexer, token, quote)) {
                return;
            }
        } else if (!check_text_char(lexer, token)) {
            return;
        }
    }
}

bool sn_token_has_escapes(struct sn_str quoted) {
    return quoted.len > 2 && quoted.ptr[0] != '`' && memchr(quoted.ptr, '\\', quoted.len) != NULL;
}

/* Resolve the escape that `at` stands behind the backslash of; returns where it ends. */
static const char *resolve_escape(const char *at, char **out) {
    static const char letters[] = "abfnrtv";
    static const char values[] = "\a\b\f\n\r\t\v";
    struct escape escape = numeric_escape(*at);
    if (escape.digits == 0) {
        const char *found = strchr(letters, *at);
        *(*out)++ = found ? values[found - letters] : *at;
        return at + 1;
    }
    uint32_t value = 0;
    at += escape.base == 16;
    for (unsigned i = 0; i < escape.digits; i++) {
        value = value * (uint32_t)escape.base + (uint32_t)hex_value(*at++);
    }
    if (escape.max == 0xFF) {
        *(*out)++ = (char)value;
    } else {
        *out += sn_gotext_encode(value, *out);
    }
    return at;
}

struct sn_str sn_token_unquote(struct sn_str quoted, char *ret_bytes) {
    assert(quoted.len >= 2);
    if (!sn_token_has_escapes(quoted)) {
        return sn_str_make(quoted.ptr + 1, quoted.len - 2);
    }
    char *out = ret_bytes;
    const char *end = quoted.ptr + quoted.len - 1;
    for (const char *at = quoted.ptr + 1; at < end;) {
        if (*at != '\\') {
            *out++ = *at++;
        } else {
            at = resolve_escape(at + 1, &out);
        }
    }
    return sn_str_make(ret_bytes, (size_t)(out - ret_bytes));
}

/* --- States --------------------------------------------------------------------------------- */

/* Whether the next character but blanks is a parenthesis: fill is a keyword only then. */
static bool is_before_paren(const struct sn_lexer *lexer) {
    uint32_t at = lexer->at;
    while (at < lexer->len && is_class(lexer->text[at], IS_SPACE)) {
        at++;
    }
    return at < lexer->len && lexer->text[at] == '(';
}

static void lex_word(struct sn_lexer *lexer, struct sn_token *token) {
    skip_class(lexer, IS_ALPHA | IS_DIGIT | IS_COLON);
    struct sn_str word = {lexer->text + token->start, lexer->at - token->start};
    enum sn_token_kind kind = keyword_of(word);
    bool is_fill = kind >= SN_TOKEN_FILL && kind <= SN_TOKEN_FILL_RIGHT;
    if (is_fill && !is_before_paren(lexer)) {
        kind = SN_TOKEN_IDENTIFIER;
    }
    if (kind == SN_TOKEN_IDENTIFIER && memchr(word.ptr, ':', word.len) != NULL) {
        kind = SN_TOKEN_METRIC_IDENTIFIER;
    }
    emit(lexer, token, kind);
}

static void lex_in_braces(struct sn_lexer *lexer, struct sn_token *token) {
    if (lexer->at == lexer->len) {
        fail(lexer, token, "unexpected end of input inside braces");
        return;
    }
    char c = lexer->text[lexer->at];
    if (is_class(c, IS_ALPHA)) {
        skip_class(lexer, IS_ALPHA | IS_DIGIT);
        emit(lexer, token, SN_TOKEN_IDENTIFIER);
        return;
    }
    if (c == '"' || c == '\'' || c == '`') {
        lex_string(lexer, token);
        return;
    }
    lexer->at++;
    switch (c) {
    case ',':
        emit(lexer, token, SN_TOKEN_COMMA);
        return;
    case '=':
        emit(lexer, token, accept(lexer, "~") ? SN_TOKEN_MATCH_REGEX : SN_TOKEN_ASSIGN);
        return;
    case '!':
        if (accept(lexer, "~")) {
            emit(lexer, token, SN_TOKEN_MATCH_NOT_REGEX);
        } else if (accept(lexer, "=")) {
            emit(lexer, token, SN_TOKEN_NOT_EQUAL);
        } else {
            fail_at_char(lexer, token, lexer->at, "unexpected character after '!' inside braces: ");
        }
        return;
    case '{':
        fail_at_char(lexer, token, token->start, "unexpected left brace ");
        return;
    case '}':
        lexer->is_in_braces = false;
        emit(lexer, token, SN_TOKEN_RIGHT_BRACE);
        return;
    default:
        fail_at_char(lexer, token, token->start, "unexpected character inside braces: ");
    }
}

/* Parentheses mean the same outside and in brackets. */
static void lex_paren(struct sn_lexer *lexer, struct sn_token *token) {
    bool is_open = lexer->text[lexer->at++] == '(';
    emit(lexer, token, is_open ? SN_TOKEN_LEFT_PAREN : SN_TOKEN_RIGHT_PAREN);
    if (is_open) {
        lexer->paren_depth++;
    } else if (lexer->paren_depth-- == 0) {
        fail_at_char(lexer, token, token->start, "unexpected right parenthesis ");
        token->start++;
    }
}

/* Kind of a one-byte token that means the same outside and in brackets, or SN_TOKEN_ERROR. */
static enum sn_token_kind single_kind(char c) {
    switch (c) {
    case ',':
        return SN_TOKEN_COMMA;
    case '+':
        return SN_TOKEN_ADD;
    case '-':
        return SN_TOKEN_SUB;
    case '*':
        return SN_TOKEN_MUL;
    case '/':
        return SN_TOKEN_DIV;
    case '%':
        return SN_TOKEN_MOD;
    case '^':
        return SN_TOKEN_POW;
    default:
        return SN_TOKEN_ERROR;
    }
}

static void lex_duration_word(struct sn_lexer *lexer, struct sn_token *token) {
    skip_class(lexer, IS_ALPHA | IS_DIGIT);
    struct sn_str word = {lexer->text + token->start, lexer->at - token->start};
    enum sn_token_kind kind = keyword_of(word);
    bool is_choice = sn_str_equal(word, SN_STR("min_of")) || sn_str_equal(word, SN_STR("max_of"));
    if (kind == SN_TOKEN_STEP || kind == SN_TOKEN_RANGE || is_choice) {
        lexer->has_duration = true;
        emit(lexer, token, kind);
        return;
    }
    fail_at_char(lexer, token, token->start, "unexpected character in duration expression: ");
}

static void lex_colon(struct sn_lexer *lexer, struct sn_token *token) {
    lexer->at++;
    emit(lexer, token, SN_TOKEN_COLON);
    if (!lexer->has_duration) {
        fail(lexer, token, "unexpected colon before duration in duration expression");
    } else if (lexer->has_colon) {
        fail(lexer, token, "unexpected repeated colon in duration expression");
    }
    lexer->has_colon = true;
}

static void lex_end_in_brackets(const struct sn_lexer *lexer, struct sn_token *token) {
    if (!lexer->has_duration) {
        fail(lexer, token, "unexpected end of input in duration expression");
    } else {
        fail(lexer, token,
             lexer->paren_depth > 0 ? "unclosed left parenthesis" : "unclosed left bracket");
    }
}

static void lex_in_brackets(struct sn_lexer *lexer, struct sn_token *token) {
    if (lexer->at == lexer->len) {
        lex_end_in_brackets(lexer, token);
        return;
    }
    char c = lexer->text[lexer->at];
    char next = lexer->at + 1 < lexer->len ? lexer->text[lexer->at + 1] : '\0';
    if (is_class(c, IS_DIGIT) || (c == '.' && is_class(next, IS_DIGIT))) {
        lex_number(lexer, token);
    } else if (is_class(c, IS_ALPHA)) {
        lex_duration_word(lexer, token);
    } else if (c == '(' || c == ')') {
        lex_paren(lexer, token);
    } else if (c == ':') {
        lex_colon(lexer, token);
    } else if (c == ']') {
        lexer->at++;
        lexer->is_in_brackets = false;
        emit(lexer, token, SN_TOKEN_RIGHT_BRACKET);
    } else if (single_kind(c) != SN_TOKEN_ERROR) {
        lexer->at++;
        emit(lexer, token, single_kind(c));
    } else {
        fail_at_char(lexer, token, token->start, "unexpected character in duration expression: ");
    }
}

/* ==, !=, <, <=, </, >, >=, >/ and =; the current position is the first character. */
static void lex_comparison(struct sn_lexer *lexer, struct sn_token *token) {
    char c = lexer->text[lexer->at++];
    if (c == '=') {
        if (peek(lexer) == '~') {
            fail(lexer, token, "unexpected character after '=': '~'");
            return;
        }
        emit(lexer, token, accept(lexer, "=") ? SN_TOKEN_EQUAL : SN_TOKEN_ASSIGN);
    } else if (c == '!') {
        if (!accept(lexer, "=")) {
            fail_at_char(lexer, token, lexer->at, "unexpected character after '!': ");
            return;
        }
        emit(lexer, token, SN_TOKEN_NOT_EQUAL);
    } else if (accept(lexer, "=")) {
        emit(lexer, token, c == '<' ? SN_TOKEN_LESS_EQUAL : SN_TOKEN_GREATER_EQUAL);
    } else if (accept(lexer, "/")) {
        emit(lexer, token, c == '<' ? SN_TOKEN_TRIM_UPPER : SN_TOKEN_TRIM_LOWER);
    } else {
        emit(lexer, token, c == '<' ? SN_TOKEN_LESS : SN_TOKEN_GREATER);
    }
}

static void lex_left_bracket(struct sn_lexer *lexer, struct sn_token *token) {
    lexer->at++;
    lexer->is_in_brackets = true;
    lexer->has_colon = false;
    lexer->has_duration = false;
    emit(lexer, token, SN_TOKEN_LEFT_BRACKET);
}

static void lex_punctuation(struct sn_lexer *lexer, struct sn_token *token) {
    char c = lexer->text[lexer->at];
    switch (c) {
    case '(':
    case ')':
        lex_paren(lexer, token);
        return;
    case '{':
        lexer->at++;
        lexer->is_in_braces = true;
        emit(lexer, token, SN_TOKEN_LEFT_BRACE);
        return;
    case '[':
        lex_left_bracket(lexer, token);
        return;
    case ']':
        fail_at_char(lexer, token, token->start, "unexpected right bracket ");
        return;
    case '=':
    case '!':
    case '<':
    case '>':
        lex_comparison(lexer, token);
        return;
    case '"':
    case '\'':
    case '`':
        lex_string(lexer, token);
        return;
    default:
        break;
    }
    enum sn_token_kind kind = c == '@' ? SN_TOKEN_AT : single_kind(c);
    if (kind == SN_TOKEN_ERROR) {
        fail_at_char(lexer, token, token->start, "unexpected character: ");
        return;
    }
    lexer->at++;
    emit(lexer, token, kind);
}

static void lex_outside(struct sn_lexer *lexer, struct sn_token *token) {
    if (lexer->at == lexer->len) {
        if (lexer->paren_depth > 0) {
            fail(lexer, token, "unclosed left parenthesis");
        } else {
            emit(lexer, token, SN_TOKEN_END);
        }
        return;
    }
    char c = lexer->text[lexer->at];
    char next = lexer->at + 1 < lexer->len ? lexer->text[lexer->at + 1] : '\0';
    if (is_class(c, IS_ALPHA | IS_COLON)) {
        lex_word(lexer, token);
    } else if (is_class(c, IS_DIGIT) || (c == '.' && is_class(next, IS_DIGIT))) {
        lex_number(lexer, token);
    } else {
        lex_punctuation(lexer, token);
    }
}

static void skip_blanks(struct sn_lexer *lexer) {
    for (;;) {
        skip_class(lexer, IS_SPACE);
        if (peek(lexer) != '#') {
            return;
        }
        while (lexer->at < lexer->len && lexer->text[lexer->at] != '\n' &&
               lexer->text[lexer->at] != '\r') {
            lexer->at++;
        }
    }
}

void sn_lexer_init(struct sn_lexer *lexer, struct sn_str text, struct sn_err *err) {
    assert(text.len < UINT32_MAX);
    *lexer = (struct sn_lexer){.text = text.ptr, .len = (uint32_t)text.len, .err = err};
}

void sn_lexer_next(struct sn_lexer *lexer, struct sn_token *ret_token) {
    skip_blanks(lexer);
    ret_token->start = lexer->at;
    ret_token->text = sn_str_make(lexer->text + lexer->at, 0);
    if (lexer->is_in_braces) {
        lex_in_braces(lexer, ret_token);
    } else if (lexer->is_in_brackets) {
        lex_in_brackets(lexer, ret_token);
    } else {
        lex_outside(lexer, ret_token);
    }
}
