/*
 * PromQL expressions: a Pratt parser (precedence climbing over one table).
 *
 * Invariants:
 *   1. The first failure wins: it is what Prometheus shows, and later ones are its consequences.
 *   2. Recursion is bounded by SN_QUERY_DEPTH_MAX, the tree's height by SN_QUERY_HEIGHT_MAX.
 *   3. Nothing is allocated outside of the arena. Types are checked afterwards, in typecheck.c.
 * Precedence, lowest first: or; and unless; comparisons; + -; * / % atan2; ^ (right to left). A sign
 * stands below ^, so that -1^2 is -(1^2). Ranges, offset and @ bind tighter than everything.
 */
#include "query/parser_priv.h"

#include "base/check.h"
#include "codec/duration.h"
#include "codec/number.h"
#include "query/gotext_priv.h"
#include "regex/regex.h"

enum { PRECEDENCE_LOWEST = 1, PRECEDENCE_POWER = 6 };

static const unsigned char precedence[SN_BINARY_OP_COUNT] = {
    [SN_BINARY_OR] = PRECEDENCE_LOWEST,
    [SN_BINARY_AND] = 2,
    [SN_BINARY_UNLESS] = 2,
    [SN_BINARY_EQUAL] = 3,
    [SN_BINARY_NOT_EQUAL] = 3,
    [SN_BINARY_GREATER] = 3,
    [SN_BINARY_LESS] = 3,
    [SN_BINARY_GREATER_EQUAL] = 3,
    [SN_BINARY_LESS_EQUAL] = 3,
    [SN_BINARY_TRIM_UPPER] = 3,
    [SN_BINARY_TRIM_LOWER] = 3,
    [SN_BINARY_ADD] = 4,
    [SN_BINARY_SUB] = 4,
    [SN_BINARY_MUL] = 5,
    [SN_BINARY_DIV] = 5,
    [SN_BINARY_MOD] = 5,
    [SN_BINARY_ATAN2] = 5,
    [SN_BINARY_POW] = PRECEDENCE_POWER,
};

/* --- Failures ------------------------------------------------------------------------------- */

void sn_parse_error_prefix(struct sn_err *err, struct sn_str text, uint32_t at) {
    if (text.len == 0) {
        sn_err_prefix(err, "unknown position: parse error");
        return;
    }
    unsigned line = 1;
    unsigned column = 1;
    for (uint32_t i = 0; i < at && i < text.len; i++) {
        line += text.ptr[i] == '\n';
        column = text.ptr[i] == '\n' ? 1 : column + 1;
    }
    sn_err_prefix(err, "%u:%u: parse error", line, column);
}

static void fail_va(struct sn_parser *p, uint32_t at, sn_status status, const char *format,
                    va_list args) SN_PRINTF(4, 0);
static void fail_va(struct sn_parser *p, uint32_t at, sn_status status, const char *format,
                    va_list args) {
    if (p->status == SN_OK) {
        p->status = sn_err_set_va(p->err, status, format, args);
        sn_parse_error_prefix(p->err, p->text, at);
    }
}

void *sn_parser_fail(struct sn_parser *p, uint32_t at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_va(p, at, SN_ERR_INVALID, format, args);
    va_end(args);
    return NULL;
}

void *sn_parser_fail_status(struct sn_parser *p, uint32_t at, sn_status status, const char *format,
                            ...) {
    va_list args;
    va_start(args, format);
    fail_va(p, at, status, format, args);
    va_end(args);
    return NULL;
}

enum { SHOWN_CHARS = 10 };

/* The first characters of a text that is shown shortened. */
static struct sn_str shorten(struct sn_str text) {
    size_t at = 0;
    for (int i = 0; i < SHOWN_CHARS && at < text.len; i++) {
        uint32_t rune;
        at += sn_gotext_decode(sn_str_make(text.ptr + at, text.len - at), &rune);
    }
    return sn_str_make(text.ptr, at);
}

/* A number, string or punctuation, shortened. */
static void describe_quoted(const struct sn_token *token, struct sn_buf *buf) {
    const char *noun = token->kind == SN_TOKEN_NUMBER     ? "number "
                       : token->kind == SN_TOKEN_DURATION ? "duration "
                       : token->kind == SN_TOKEN_STRING   ? "string "
                                                          : "";
    bool is_long = token->text.len > SHOWN_CHARS;
    sn_buf_put_text(buf, noun);
    sn_gotext_quote(buf, is_long ? shorten(token->text) : token->text);
    sn_buf_put_text(buf, is_long ? "..." : "");
}

/* What a token is called in messages: identifier "foo", <op:+>, <by>, end of input. */
static void describe(const struct sn_token *token, struct sn_buf *buf) {
    enum sn_token_kind kind = token->kind;
    if (kind == SN_TOKEN_END) {
        sn_buf_put_text(buf, "end of input");
    } else if (kind == SN_TOKEN_IDENTIFIER || kind == SN_TOKEN_METRIC_IDENTIFIER) {
        sn_buf_put_text(buf, kind == SN_TOKEN_IDENTIFIER ? "identifier " : "metric identifier ");
        sn_gotext_quote(buf, token->text);
    } else if (sn_token_is_keyword(kind) || sn_token_is_operator(kind) ||
               sn_token_is_aggregate(kind)) {
        sn_buf_put_text(buf, sn_token_is_keyword(kind)    ? "<"
                             : sn_token_is_operator(kind) ? "<op:"
                                                          : "<aggr:");
        sn_buf_put_str(buf, token->text);
        sn_buf_put_byte(buf, '>');
    } else {
        describe_quoted(token, buf);
    }
}

void *sn_parser_unexpected(struct sn_parser *p, const char *context, const char *expected) {
    struct sn_buf shown;
    sn_buf_init(&shown, 0);
    describe(&p->token, &shown);
    struct sn_str text = sn_buf_str(&shown);
    text.len = text.len < SN_GOTEXT_QUOTED_SIZE ? text.len : SN_GOTEXT_QUOTED_SIZE;
    sn_parser_fail(p, p->token.start, "unexpected %.*s%s%s%s%s", SN_STR_ARG(text),
                   context ? " in " : "", context ? context : "", expected ? ", expected " : "",
                   expected ? expected : "");
    sn_buf_release(&shown);
    return NULL;
}

/* Where nothing more precise is known: the innermost aggregation is all that Prometheus names. */
static void *unexpected_here(struct sn_parser *p) {
    return sn_parser_unexpected(p, p->aggregate_depth > 0 ? "aggregation" : NULL, NULL);
}

/* --- Tokens and memory ---------------------------------------------------------------------- */

void sn_parser_advance(struct sn_parser *p) {
    if (p->status != SN_OK) {
        return; /* err holds the first failure's sentence: the lexer must not write there */
    }
    sn_lexer_next(&p->lexer, &p->token);
    if (p->token.kind == SN_TOKEN_ERROR) {
        p->status = SN_ERR_INVALID;
        sn_parse_error_prefix(p->err, p->text, p->token.start);
    }
}

bool sn_parser_accept(struct sn_parser *p, enum sn_token_kind kind) {
    if (p->token.kind != kind) {
        return false;
    }
    sn_parser_advance(p);
    return true;
}

bool sn_parser_expect(struct sn_parser *p, enum sn_token_kind kind) {
    if (p->token.kind != kind) {
        unexpected_here(p);
        return false;
    }
    sn_parser_advance(p);
    return p->status == SN_OK;
}

void *sn_parser_alloc(struct sn_parser *p, size_t size) {
    void *memory = sn_arena_alloc(p->arena, size);
    if (memory == NULL && p->status == SN_OK) {
        p->status = sn_arena_failure(p->arena, size, p->err);
    }
    return memory;
}

void *sn_parser_grow(struct sn_parser *p, void *array, size_t count, size_t element_size) {
    enum { FIRST = 4 };
    if (array != NULL && (count < FIRST || (count & (count - 1)) != 0)) {
        return array;
    }
    void *grown = sn_parser_alloc(p, element_size * (count < FIRST ? FIRST : 2 * count));
    if (grown != NULL && count > 0) {
        memcpy(grown, array, count * element_size);
    }
    return grown;
}

struct sn_node *sn_parser_node(struct sn_parser *p, enum sn_node_kind kind, struct sn_span span,
                               const struct sn_node *left, const struct sn_node *right) {
    struct sn_node *node = sn_parser_alloc(p, sizeof(*node));
    if (node == NULL) {
        return NULL;
    }
    uint32_t below = left ? left->height : 0;
    if (right && right->height > below) {
        below = right->height;
    }
    if (below >= SN_QUERY_HEIGHT_MAX) {
        return sn_parser_fail_status(p, span.start, SN_ERR_LIMIT,
                                     "expression is more than %d levels high", SN_QUERY_HEIGHT_MAX);
    }
    memset(node, 0, sizeof(*node));
    node->kind = kind;
    node->span = span;
    node->height = below + 1;
    return node;
}

bool sn_parser_enter(struct sn_parser *p) {
    if (p->depth >= SN_QUERY_DEPTH_MAX) {
        sn_parser_fail_status(p, p->token.start, SN_ERR_LIMIT,
                              "expression is nested more than %d levels deep", SN_QUERY_DEPTH_MAX);
        return false;
    }
    p->depth++;
    return true;
}

bool sn_parser_unquote(struct sn_parser *p, const struct sn_token *token, struct sn_str *ret_text) {
    char *room = NULL;
    if (sn_token_has_escapes(token->text)) {
        room = sn_parser_alloc(p, token->text.len);
        if (room == NULL) {
            return false;
        }
    }
    *ret_text = sn_token_unquote(token->text, room);
    return true;
}

/* --- Numbers -------------------------------------------------------------------------------- */

/* Whether the underscore at i stands between digits, or behind the prefix 0x. */
static bool is_separator(struct sn_str text, size_t i) {
    bool is_hex = text.len > 2 && (text.ptr[1] | 0x20) == 'x';
    char before = i > 0 ? text.ptr[i - 1] : '\0';
    char after = i + 1 < text.len ? text.ptr[i + 1] : '_';
    bool is_behind_digit = (before >= '0' && before <= '9') || (is_hex && (before | 0x20) >= 'a');
    return (is_behind_digit || (is_hex && i == 2)) && after != '_' && after != '.';
}

/* Copy a number without its underscores. False: one stands elsewhere, or there is no room. */
static bool strip_underscores(struct sn_str text, char *room, size_t size,
                              struct sn_str *ret_text) {
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool is_underscore = text.ptr[i] == '_';
        if (is_underscore ? !is_separator(text, i) : len == size) {
            return false;
        }
        if (!is_underscore) {
            room[len++] = text.ptr[i];
        }
    }
    *ret_text = sn_str_make(room, len);
    return true;
}

/* Digits of a base as an integer. False: another character, none at all, above 63 bits. */
static bool parse_digits(struct sn_str digits, unsigned base, double *ret_value) {
    int64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.ptr[i];
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0')
                         : (c | 0x20) >= 'a' && (c | 0x20) <= 'f'
                             ? (unsigned)((c | 0x20) - 'a' + 10)
                             : 16;
        if (digit >= base || __builtin_mul_overflow(value, (int64_t)base, &value) ||
            __builtin_add_overflow(value, (int64_t)digit, &value)) {
            return false;
        }
    }
    *ret_value = (double)value;
    return digits.len > 0;
}

/* An integer as Go reads it with base 0: 0x1f and 017; otherwise a decimal number. */
static sn_status parse_number(struct sn_str text, double *ret_value) {
    enum { DIGITS_MAX = 400 }; /* above that only without underscores */
    char room[DIGITS_MAX];
    if (memchr(text.ptr, '_', text.len) != NULL &&
        !strip_underscores(text, room, sizeof(room), &text)) {
        return SN_ERR_INVALID;
    }
    if (text.len > 1 && text.ptr[0] == '0') {
        bool is_hex = (text.ptr[1] | 0x20) == 'x';
        size_t prefix = is_hex ? 2 : 1;
        struct sn_str digits = {text.ptr + prefix, text.len - prefix};
        if (parse_digits(digits, is_hex ? 16 : 8, ret_value)) {
            return SN_OK;
        }
        if (is_hex) {
            return SN_ERR_INVALID;
        }
    }
    return sn_double_parse(text, ret_value);
}

static bool parse_duration_token(struct sn_parser *p, struct sn_number_node *ret_number) {
    int64_t ms = 0;
    sn_status status = sn_duration_parse_ms(p->token.text, &ms, NULL);
    if (status != SN_OK) {
        char quoted[SN_GOTEXT_QUOTED_SIZE];
        sn_parser_fail(p, p->token.start,
                       status == SN_ERR_LIMIT ? "duration out of range%s"
                                              : "not a valid duration string: %s",
                       status == SN_ERR_LIMIT ? "" : sn_gotext_quoted(quoted, p->token.text));
        return false;
    }
    *ret_number = (struct sn_number_node){.value = (double)(ms / 1000) + (double)(ms % 1000) / 1e3,
                                          .is_duration = true};
    return true;
}

bool sn_parser_number(struct sn_parser *p, struct sn_number_node *ret_number) {
    if (p->token.kind == SN_TOKEN_DURATION) {
        if (!parse_duration_token(p, ret_number)) {
            return false;
        }
    } else {
        *ret_number = (struct sn_number_node){0};
        sn_status status = parse_number(p->token.text, &ret_number->value);
        if (status != SN_OK) {
            char quoted[SN_GOTEXT_QUOTED_SIZE];
            sn_parser_fail(p, p->token.start,
                           "error parsing number: strconv.ParseFloat: parsing %s: %s",
                           sn_gotext_quoted(quoted, p->token.text),
                           status == SN_ERR_LIMIT ? "value out of range" : "invalid syntax");
            return false;
        }
    }
    sn_parser_advance(p);
    return p->status == SN_OK;
}

/* --- Literals, parentheses, calls ----------------------------------------------------------- */

static struct sn_span span_of(const struct sn_token *token) {
    return (struct sn_span){token->start, sn_token_end(token)};
}

static struct sn_node *parse_number_literal(struct sn_parser *p) {
    struct sn_span span = span_of(&p->token);
    struct sn_number_node number;
    if (!sn_parser_number(p, &number)) {
        return NULL;
    }
    struct sn_node *node = sn_parser_node(p, SN_NODE_NUMBER, span, NULL, NULL);
    if (node != NULL) {
        node->type = SN_VALUE_SCALAR;
        node->number = number;
    }
    return node;
}

static struct sn_node *parse_string_literal(struct sn_parser *p) {
    struct sn_node *node = sn_parser_node(p, SN_NODE_STRING, span_of(&p->token), NULL, NULL);
    if (node == NULL || !sn_parser_unquote(p, &p->token, &node->string)) {
        return NULL;
    }
    node->type = SN_VALUE_STRING;
    sn_parser_advance(p);
    return node;
}

static struct sn_node *parse_paren(struct sn_parser *p) {
    struct sn_span span = span_of(&p->token);
    sn_parser_advance(p);
    struct sn_node *child = sn_parser_expr(p);
    span.end = sn_token_end(&p->token);
    if (child == NULL || !sn_parser_expect(p, SN_TOKEN_RIGHT_PAREN)) {
        return NULL;
    }
    struct sn_node *node = sn_parser_node(p, SN_NODE_PAREN, span, child, NULL);
    if (node != NULL) {
        node->type = child->type;
        node->paren = child;
    }
    return node;
}

/* Arguments in parentheses, the first of which is the next token; what a call or aggregation has. */
struct arguments {
    const struct sn_node **items;
    size_t count;
    uint32_t end;                  /* behind the closing parenthesis */
    const struct sn_node *highest; /* for the height of the node above */
};

static bool add_argument(struct sn_parser *p, struct arguments *args) {
    const struct sn_node *item = sn_parser_expr(p);
    if (item == NULL) {
        return false;
    }
    args->items = sn_parser_grow(p, args->items, args->count, sizeof(*args->items));
    if (args->items == NULL) {
        return false;
    }
    args->items[args->count++] = item;
    if (args->highest == NULL || item->height > args->highest->height) {
        args->highest = item;
    }
    return true;
}

static bool parse_arguments(struct sn_parser *p, struct arguments *ret_args) {
    *ret_args = (struct arguments){0};
    sn_parser_advance(p);
    if (p->token.kind != SN_TOKEN_RIGHT_PAREN) {
        if (!add_argument(p, ret_args)) {
            return false;
        }
        while (p->token.kind == SN_TOKEN_COMMA) {
            uint32_t comma = p->token.start;
            sn_parser_advance(p);
            if (p->token.kind == SN_TOKEN_RIGHT_PAREN) {
                sn_parser_fail(p, comma, "trailing commas not allowed in function call args");
                return false;
            }
            if (!add_argument(p, ret_args)) {
                return false;
            }
        }
    }
    ret_args->end = sn_token_end(&p->token);
    return sn_parser_expect(p, SN_TOKEN_RIGHT_PAREN);
}

static void *fail_unknown_function(struct sn_parser *p, const struct sn_token *name) {
    char quoted[SN_GOTEXT_QUOTED_SIZE];
    const char *near = sn_function_suggest(name->text);
    sn_gotext_quoted(quoted, name->text);
    return sn_parser_fail(p, name->start, "unknown function with name %s%s%s%s", quoted,
                          near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static struct sn_node *parse_call(struct sn_parser *p, const struct sn_token *name) {
    struct arguments args;
    if (!parse_arguments(p, &args)) {
        return NULL;
    }
    const struct sn_function *function = sn_function_find(name->text);
    if (function == NULL) {
        return fail_unknown_function(p, name);
    }
    if (function->is_experimental && !p->options.has_experimental_functions) {
        return sn_parser_fail(p, name->start, "function \"%s\" is not enabled", function->name);
    }
    struct sn_node *node = sn_parser_node(p, SN_NODE_CALL, (struct sn_span){name->start, args.end},
                                          args.highest, NULL);
    if (node != NULL) {
        node->type = function->result;
        node->call =
            (struct sn_call_node){.function = function, .args = args.items, .count = args.count};
    }
    return node;
}

/* A word that is a function when a parenthesis follows and a metric otherwise. */
static struct sn_node *parse_word(struct sn_parser *p) {
    struct sn_token name = p->token;
    sn_parser_advance(p);
    bool is_call = p->token.kind == SN_TOKEN_LEFT_PAREN && name.kind != SN_TOKEN_METRIC_IDENTIFIER;
    return is_call ? parse_call(p, &name) : sn_parser_vector(p, &name);
}

/* --- Label lists ---------------------------------------------------------------------------- */

static bool is_label_token(enum sn_token_kind kind) {
    bool is_word_operator = kind == SN_TOKEN_ATAN2 || kind == SN_TOKEN_AND || kind == SN_TOKEN_OR ||
                            kind == SN_TOKEN_UNLESS;
    return kind == SN_TOKEN_IDENTIFIER || kind == SN_TOKEN_METRIC_IDENTIFIER ||
           kind >= SN_TOKEN_SUM || is_word_operator;
}

static bool parse_label_name(struct sn_parser *p, struct sn_str *ret_name) {
    if (p->token.kind != SN_TOKEN_STRING && !is_label_token(p->token.kind)) {
        sn_parser_unexpected(p, "grouping opts", "label");
        return false;
    }
    *ret_name = p->token.text;
    if (p->token.kind == SN_TOKEN_STRING) {
        if (!sn_parser_unquote(p, &p->token, ret_name)) {
            return false;
        }
        if (ret_name->len == 0 || !sn_str_is_utf8(*ret_name)) {
            char quoted[SN_GOTEXT_QUOTED_SIZE];
            sn_parser_fail(p, p->token.start, "invalid label name for grouping: %s",
                           sn_gotext_quoted(quoted, *ret_name));
            return false;
        }
    }
    sn_parser_advance(p);
    return true;
}

bool sn_parser_label_list(struct sn_parser *p, struct sn_names *ret_names) {
    struct sn_str *items = NULL;
    size_t count = 0;
    if (!sn_parser_accept(p, SN_TOKEN_LEFT_PAREN)) {
        sn_parser_unexpected(p, "grouping opts", "\"(\"");
        return false;
    }
    while (p->token.kind != SN_TOKEN_RIGHT_PAREN) {
        items = sn_parser_grow(p, items, count, sizeof(*items));
        if (items == NULL || !parse_label_name(p, &items[count])) {
            return false;
        }
        count++;
        if (!sn_parser_accept(p, SN_TOKEN_COMMA) && p->token.kind != SN_TOKEN_RIGHT_PAREN) {
            sn_parser_unexpected(p, "grouping opts", "\",\" or \")\"");
            return false;
        }
    }
    sn_parser_advance(p);
    *ret_names = (struct sn_names){items, count};
    return p->status == SN_OK;
}

/* --- Aggregations --------------------------------------------------------------------------- */

static bool is_grouping(enum sn_token_kind kind) {
    return kind == SN_TOKEN_BY || kind == SN_TOKEN_WITHOUT;
}

static bool parse_grouping(struct sn_parser *p, struct sn_aggregate_node *aggregate) {
    aggregate->is_without = p->token.kind == SN_TOKEN_WITHOUT;
    sn_parser_advance(p);
    return sn_parser_label_list(p, &aggregate->labels);
}

/* Give the arguments to the node; their number is part of the syntax for Prometheus. */
static bool take_arguments(struct sn_parser *p, struct sn_aggregate_node *aggregate,
                           const struct arguments *args, uint32_t start) {
    size_t wanted = sn_aggregate_has_parameter(aggregate->op) ? 2 : 1;
    bool is_experimental =
        aggregate->op == SN_AGGREGATE_LIMITK || aggregate->op == SN_AGGREGATE_LIMIT_RATIO;
    if (args->count == 0) {
        sn_parser_fail(p, start, "no arguments for aggregate expression provided");
    } else if (is_experimental && !p->options.has_experimental_functions) {
        sn_parser_fail(p, start,
                       "%s() is experimental and must be enabled with "
                       "--enable-feature=promql-experimental-functions",
                       aggregate->op == SN_AGGREGATE_LIMITK ? "limitk" : "limit_ratio");
    } else if (args->count != wanted) {
        sn_parser_fail(p, start,
                       "wrong number of arguments for aggregate expression provided, expected %zu, "
                       "got %zu",
                       wanted, args->count);
    } else {
        aggregate->param = wanted == 2 ? args->items[0] : NULL;
        aggregate->child = args->items[wanted - 1];
        return true;
    }
    return false;
}

/* The next token is by, without or the parenthesis; *ret_end: behind the last one read. */
static bool parse_aggregate_parts(struct sn_parser *p, struct sn_aggregate_node *aggregate,
                                  struct arguments *ret_args, uint32_t *ret_end) {
    bool is_grouped = is_grouping(p->token.kind);
    if (is_grouped && !parse_grouping(p, aggregate)) {
        return false;
    }
    if (p->token.kind != SN_TOKEN_LEFT_PAREN) {
        sn_parser_unexpected(p, "aggregation", NULL);
        return false;
    }
    p->aggregate_depth++;
    bool is_ok = parse_arguments(p, ret_args);
    p->aggregate_depth--;
    *ret_end = ret_args->end;
    if (is_ok && !is_grouped && is_grouping(p->token.kind)) {
        is_ok = parse_grouping(p, aggregate);
        *ret_end = p->token.start; /* near enough: only starts are shown */
    }
    return is_ok;
}

static struct sn_node *parse_aggregate(struct sn_parser *p) {
    struct sn_token name = p->token;
    sn_parser_advance(p);
    if (!is_grouping(p->token.kind) && p->token.kind != SN_TOKEN_LEFT_PAREN) {
        bool is_operand = p->token.kind >= SN_TOKEN_IDENTIFIER && p->token.kind <= SN_TOKEN_STRING;
        return is_operand ? sn_parser_unexpected(p, "aggregation", NULL)
                          : sn_parser_vector(p, &name);
    }
    struct sn_aggregate_node aggregate = {.op = (enum sn_aggregate_op)(name.kind - SN_TOKEN_SUM)};
    struct arguments args;
    struct sn_span span = {.start = name.start};
    if (!parse_aggregate_parts(p, &aggregate, &args, &span.end) ||
        !take_arguments(p, &aggregate, &args, name.start)) {
        return NULL;
    }
    struct sn_node *node = sn_parser_node(p, SN_NODE_AGGREGATE, span, args.highest, NULL);
    if (node != NULL) {
        node->type = SN_VALUE_VECTOR;
        node->aggregate = aggregate;
    }
    return node;
}

/* --- Operands ------------------------------------------------------------------------------- */

static struct sn_node *parse_primary(struct sn_parser *p) {
    enum sn_token_kind kind = p->token.kind;
    if (sn_token_is_aggregate(kind)) {
        return parse_aggregate(p);
    }
    switch ((int)kind) {
    case SN_TOKEN_NUMBER:
    case SN_TOKEN_DURATION:
        return parse_number_literal(p);
    case SN_TOKEN_STRING:
        return parse_string_literal(p);
    case SN_TOKEN_LEFT_PAREN:
        return parse_paren(p);
    case SN_TOKEN_LEFT_BRACE:
        return sn_parser_vector(p, NULL);
    case SN_TOKEN_IDENTIFIER:
    case SN_TOKEN_METRIC_IDENTIFIER:
    case SN_TOKEN_START:
    case SN_TOKEN_END_OF_RANGE:
    case SN_TOKEN_STEP:
    case SN_TOKEN_RANGE:
        return parse_word(p);
    case SN_TOKEN_AND:
    case SN_TOKEN_OR:
    case SN_TOKEN_UNLESS:
    case SN_TOKEN_BY:
    case SN_TOKEN_WITHOUT:
    case SN_TOKEN_OFFSET:
    case SN_TOKEN_ANCHORED:
    case SN_TOKEN_SMOOTHED: {
        struct sn_token name = p->token;
        sn_parser_advance(p);
        return sn_parser_vector(p, &name);
    }
    default:
        return unexpected_here(p);
    }
}

static struct sn_node *parse_operators(struct sn_parser *p, int precedence_min);

static struct sn_node *parse_sign(struct sn_parser *p) {
    uint32_t start = p->token.start;
    bool is_minus = p->token.kind == SN_TOKEN_SUB;
    sn_parser_advance(p);
    struct sn_node *child = parse_operators(p, PRECEDENCE_POWER);
    if (child == NULL) {
        return NULL;
    }
    if (child->kind == SN_NODE_NUMBER) {
        child->number.value = is_minus ? -child->number.value : child->number.value;
        child->span.start = start;
        return child;
    }
    struct sn_node *node =
        sn_parser_node(p, SN_NODE_UNARY, (struct sn_span){start, child->span.end}, child, NULL);
    if (node != NULL) {
        node->type = child->type;
        node->unary = (struct sn_unary_node){.is_minus = is_minus, .child = child};
    }
    return node;
}

static struct sn_node *parse_operand(struct sn_parser *p) {
    if (p->token.kind == SN_TOKEN_ADD || p->token.kind == SN_TOKEN_SUB) {
        return parse_sign(p);
    }
    struct sn_node *node = parse_primary(p);
    return node ? sn_parser_postfix(p, node) : NULL;
}

/* --- Operators ------------------------------------------------------------------------------ */

static bool parse_group_side(struct sn_parser *p, struct sn_vector_match *match) {
    if (p->token.kind != SN_TOKEN_GROUP_LEFT && p->token.kind != SN_TOKEN_GROUP_RIGHT) {
        return true;
    }
    match->card = p->token.kind == SN_TOKEN_GROUP_LEFT ? SN_CARD_MANY_TO_ONE : SN_CARD_ONE_TO_MANY;
    sn_parser_advance(p);
    return p->token.kind != SN_TOKEN_LEFT_PAREN || sn_parser_label_list(p, &match->include);
}

/* The number in the parentheses behind fill, fill_left or fill_right. */
static bool parse_fill_value(struct sn_parser *p, double *ret_value) {
    struct sn_number_node number;
    sn_parser_advance(p);
    if (!sn_parser_expect(p, SN_TOKEN_LEFT_PAREN)) {
        return false;
    }
    bool is_minus = p->token.kind == SN_TOKEN_SUB;
    if (is_minus || p->token.kind == SN_TOKEN_ADD) {
        sn_parser_advance(p);
    }
    if (p->token.kind != SN_TOKEN_NUMBER && p->token.kind != SN_TOKEN_DURATION) {
        sn_parser_unexpected(p, "fill", "number");
        return false;
    }
    if (!sn_parser_number(p, &number)) {
        return false;
    }
    *ret_value = is_minus ? -number.value : number.value;
    return sn_parser_expect(p, SN_TOKEN_RIGHT_PAREN);
}

static bool parse_fill(struct sn_parser *p, struct sn_vector_match *match) {
    while (p->token.kind >= SN_TOKEN_FILL && p->token.kind <= SN_TOKEN_FILL_RIGHT) {
        enum sn_token_kind kind = p->token.kind;
        bool is_left = kind != SN_TOKEN_FILL_RIGHT;
        bool is_right = kind != SN_TOKEN_FILL_LEFT;
        double value;
        if ((is_left && match->has_fill_left) || (is_right && match->has_fill_right)) {
            unexpected_here(p);
            return false;
        }
        if (!parse_fill_value(p, &value)) {
            return false;
        }
        match->has_fill_left |= is_left;
        match->has_fill_right |= is_right;
        match->fill_left = is_left ? value : match->fill_left;
        match->fill_right = is_right ? value : match->fill_right;
    }
    return true;
}

/* Everything between an operator and its right side. */
static bool parse_match(struct sn_parser *p, struct sn_binary_node *binary) {
    struct sn_vector_match *match = &binary->match;
    binary->returns_bool = sn_parser_accept(p, SN_TOKEN_BOOL);
    if (p->token.kind == SN_TOKEN_ON || p->token.kind == SN_TOKEN_IGNORING) {
        match->is_on = p->token.kind == SN_TOKEN_ON;
        sn_parser_advance(p);
        if (!sn_parser_label_list(p, &match->labels) || !parse_group_side(p, match)) {
            return false;
        }
    }
    return parse_fill(p, match);
}

/* Matching means something between two vectors only; elsewhere it is forgotten, or an error later. */
static void normalise_match(struct sn_binary_node *binary) {
    struct sn_vector_match *match = &binary->match;
    bool is_between_vectors =
        binary->left->type == SN_VALUE_VECTOR && binary->right->type == SN_VALUE_VECTOR;
    bool has_fill = match->has_fill_left || match->has_fill_right;
    if (!is_between_vectors && match->labels.count == 0 && !has_fill) {
        *match = (struct sn_vector_match){0};
    }
    if (sn_binary_is_set(binary->op) && match->card == SN_CARD_ONE_TO_ONE) {
        match->card = SN_CARD_MANY_TO_MANY;
    }
}

/* The next token is the operator behind `left`. */
static struct sn_node *parse_right_side(struct sn_parser *p, struct sn_node *left) {
    struct sn_binary_node binary = {.op = (enum sn_binary_op)(p->token.kind - SN_TOKEN_ADD),
                                    .left = left};
    int level = precedence[binary.op];
    sn_parser_advance(p);
    if (!parse_match(p, &binary)) {
        return NULL;
    }
    struct sn_node *right = parse_operators(p, level == PRECEDENCE_POWER ? level : level + 1);
    if (right == NULL) {
        return NULL;
    }
    binary.right = right;
    struct sn_span span = {left->span.start, right->span.end};
    bool has_fill = binary.match.has_fill_left || binary.match.has_fill_right;
    if (has_fill && !p->options.has_fill) {
        return sn_parser_fail(p, span.start,
                              "binop fill modifiers are experimental and not enabled");
    }
    normalise_match(&binary);
    struct sn_node *node = sn_parser_node(p, SN_NODE_BINARY, span, left, right);
    if (node != NULL) {
        bool is_scalar = left->type == SN_VALUE_SCALAR && right->type == SN_VALUE_SCALAR;
        node->type = is_scalar ? SN_VALUE_SCALAR : SN_VALUE_VECTOR;
        node->binary = binary;
    }
    return node;
}

static struct sn_node *parse_operators(struct sn_parser *p, int precedence_min) {
    if (p->status != SN_OK || !sn_parser_enter(p)) {
        return NULL;
    }
    struct sn_node *node = parse_operand(p);
    while (node != NULL && sn_token_is_binary(p->token.kind) &&
           precedence[p->token.kind - SN_TOKEN_ADD] >= precedence_min) {
        node = parse_right_side(p, node);
    }
    sn_parser_leave(p);
    return p->status == SN_OK ? node : NULL;
}

struct sn_node *sn_parser_expr(struct sn_parser *p) {
    return parse_operators(p, PRECEDENCE_LOWEST);
}

/* --- Entry ---------------------------------------------------------------------------------- */

static sn_status start(struct sn_parser *p, struct sn_str text,
                       const struct sn_parse_options *options, struct sn_arena *arena,
                       struct sn_err *err) {
    *p = (struct sn_parser){.arena = arena, .err = err};
    if (text.len > SN_QUERY_BYTES_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT, "query has %zu bytes, the limit is %zu", text.len,
                          SN_QUERY_BYTES_MAX);
    }
    if (!sn_arena_copy(arena, text, &p->text)) {
        return sn_arena_failure(arena, text.len, err);
    }
    if (options != NULL) {
        p->options = *options;
    }
    sn_lexer_init(&p->lexer, p->text, err);
    sn_parser_advance(p);
    return p->status;
}

static sn_status finish(struct sn_parser *p, const struct sn_node *root, struct sn_expr *ret_expr) {
    if (p->status == SN_OK) {
        assert(root != NULL);
        *ret_expr = (struct sn_expr){.text = p->text,
                                     .root = root,
                                     .regex_matchers = p->regex_matchers,
                                     .regex_count = p->regex_count};
    }
    return p->status;
}

sn_status sn_expr_parse(struct sn_str text, const struct sn_parse_options *options,
                        struct sn_arena *arena, struct sn_expr *ret_expr, struct sn_err *err) {
    struct sn_parser p;
    SN_TRY(start(&p, text, options, arena, err));
    if (p.token.kind == SN_TOKEN_END) {
        sn_parser_fail(&p, 0, "no expression found in input");
        return p.status;
    }
    const struct sn_node *root = sn_parser_expr(&p);
    if (root != NULL && p.token.kind != SN_TOKEN_END) {
        sn_parser_unexpected(&p, NULL, NULL);
    }
    if (p.status == SN_OK) {
        sn_parser_typecheck(&p, root);
    }
    return finish(&p, root, ret_expr);
}

sn_status sn_expr_parse_selector(struct sn_str text, struct sn_arena *arena,
                                 struct sn_expr *ret_expr, struct sn_err *err) {
    struct sn_parser p;
    SN_TRY(start(&p, text, NULL, arena, err));
    struct sn_token name = p.token;
    bool is_braces = name.kind == SN_TOKEN_LEFT_BRACE;
    bool is_name = name.kind != SN_TOKEN_ATAN2 && name.kind != SN_TOKEN_BOOL &&
                   is_label_token(name.kind) &&
                   !(name.kind >= SN_TOKEN_ON && name.kind <= SN_TOKEN_GROUP_RIGHT);
    if (!is_braces && !is_name) {
        sn_parser_unexpected(&p, NULL, NULL);
        return p.status;
    }
    if (is_name) {
        sn_parser_advance(&p);
    }
    const struct sn_node *root = sn_parser_vector(&p, is_name ? &name : NULL);
    if (root != NULL && p.token.kind != SN_TOKEN_END) {
        sn_parser_unexpected(&p, NULL, NULL);
    }
    if (p.status == SN_OK && !root->vector.is_selective) {
        return sn_err_set(err, SN_ERR_INVALID,
                          "match[] must contain at least one non-empty matcher");
    }
    return finish(&p, root, ret_expr);
}

/* --- Regexes of a tree ---------------------------------------------------------------------- */

void sn_expr_release(struct sn_expr *expr) {
    for (size_t i = 0; i < expr->regex_count; i++) {
        struct sn_matcher *matcher = expr->regex_matchers[i];
        union {
            const void *borrowed;
            struct sn_regex *owned; /* the tree is the owner: sn_expr_compile made it */
        } compiled = {matcher->compiled};
        (void)sn_regex_free(compiled.owned);
        matcher->compiled = NULL;
        matcher->regex_match = NULL;
    }
}

sn_status sn_expr_compile(struct sn_expr *expr, struct sn_err *err) {
    for (size_t i = 0; i < expr->regex_count; i++) {
        struct sn_matcher *matcher = expr->regex_matchers[i];
        struct sn_regex *regex;
        if (matcher->compiled != NULL) {
            continue;
        }
        sn_status status = sn_regex_new(matcher->value, &regex, err);
        if (status != SN_OK) {
            sn_expr_release(expr);
            return status;
        }
        matcher->compiled = regex;
        matcher->regex_match = sn_regex_match_fn;
    }
    return SN_OK;
}

sn_status sn_expr_regex_status(const struct sn_expr *expr, struct sn_err *err) {
    for (size_t i = 0; i < expr->regex_count; i++) {
        if (expr->regex_matchers[i]->compiled != NULL) {
            SN_TRY(sn_regex_status(expr->regex_matchers[i]->compiled, err));
        }
    }
    return SN_OK;
}
