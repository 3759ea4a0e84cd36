/*
 * Selectors: name{matchers}, and what may stand behind one: [range], [range:step], offset, @,
 * anchored, smoothed. Part of the parser; see parser.c.
 */
#include "query/parser_priv.h"

#include "base/check.h"
#include "base/limits.h"
#include "query/gotext_priv.h"
#include "regex/regex.h"

#include <math.h>

/* --- Matchers ------------------------------------------------------------------------------- */

struct matchers {
    struct sn_matcher *items;
    size_t count;
    bool is_selective;
};

static struct sn_matcher *add_matcher(struct sn_parser *p, struct matchers *matchers) {
    if (matchers->count >= SN_MATCHERS_MAX) {
        return sn_parser_fail_status(p, p->token.start, SN_ERR_LIMIT,
                                     "a selector has more than %d matchers", SN_MATCHERS_MAX);
    }
    matchers->items = sn_parser_grow(p, matchers->items, matchers->count, sizeof(*matchers->items));
    return matchers->items ? &matchers->items[matchers->count++] : NULL;
}

static bool match_kind_of(enum sn_token_kind token, enum sn_match_kind *ret_kind) {
    switch ((int)token) {
    case SN_TOKEN_ASSIGN:
        *ret_kind = SN_MATCH_EQUAL;
        return true;
    case SN_TOKEN_NOT_EQUAL:
        *ret_kind = SN_MATCH_NOT_EQUAL;
        return true;
    case SN_TOKEN_MATCH_REGEX:
        *ret_kind = SN_MATCH_REGEX;
        return true;
    case SN_TOKEN_MATCH_NOT_REGEX:
        *ret_kind = SN_MATCH_NOT_REGEX;
        return true;
    default:
        return false;
    }
}

/* Check the pattern of a regex matcher; whether the empty value passes goes to *ret_passes_empty. */
static bool check_regex(struct sn_parser *p, const struct sn_matcher *matcher, uint32_t at,
                        bool *ret_passes_empty) {
    struct sn_err err = {0};
    bool matches_empty = false;
    sn_status status = sn_regex_check(matcher->value, &matches_empty, &err);
    if (status != SN_OK) {
        sn_parser_fail_status(p, at, status, "%s", err.text);
        return false;
    }
    *ret_passes_empty = matches_empty == (matcher->kind == SN_MATCH_REGEX);
    return true;
}

/* Judge a matcher whose fields are set. */
static bool finish_matcher(struct sn_parser *p, struct matchers *matchers,
                           const struct sn_matcher *matcher, uint32_t at) {
    bool passes_empty = false;
    switch (matcher->kind) {
    case SN_MATCH_EQUAL:
        passes_empty = matcher->value.len == 0;
        break;
    case SN_MATCH_NOT_EQUAL:
        passes_empty = matcher->value.len != 0;
        break;
    case SN_MATCH_REGEX:
    case SN_MATCH_NOT_REGEX:
        if (!check_regex(p, matcher, at, &passes_empty)) {
            return false;
        }
        break;
    }
    matchers->is_selective |= !passes_empty;
    return true;
}

/* name op "value", or "name" alone, which is the metric's. */
static bool parse_matcher(struct sn_parser *p, struct matchers *matchers) {
    struct sn_token name = p->token;
    bool is_quoted = name.kind == SN_TOKEN_STRING;
    if (!is_quoted && name.kind != SN_TOKEN_IDENTIFIER) {
        sn_parser_unexpected(p, "label matching", "identifier or \"}\"");
        return false;
    }
    struct sn_matcher matcher = {.kind = SN_MATCH_EQUAL, .name = name.text};
    if (is_quoted && !sn_parser_unquote(p, &name, &matcher.name)) {
        return false;
    }
    sn_parser_advance(p);
    if (match_kind_of(p->token.kind, &matcher.kind)) {
        sn_parser_advance(p);
        if (p->token.kind != SN_TOKEN_STRING) {
            sn_parser_unexpected(p, "label matching", "string");
            return false;
        }
        if (!sn_parser_unquote(p, &p->token, &matcher.value)) {
            return false;
        }
        sn_parser_advance(p);
    } else if (is_quoted) {
        matcher.value = matcher.name;
        matcher.name = SN_LABEL_METRIC_NAME;
    } else {
        sn_parser_unexpected(p, "label matching", "label matching operator");
        return false;
    }
    struct sn_matcher *added = add_matcher(p, matchers);
    if (added == NULL) {
        return false;
    }
    *added = matcher;
    return finish_matcher(p, matchers, added, name.start);
}

/* { ... }; the next token is the brace. */
static bool parse_braces(struct sn_parser *p, struct matchers *matchers, uint32_t *ret_end) {
    sn_parser_advance(p);
    while (p->token.kind != SN_TOKEN_RIGHT_BRACE) {
        if (p->status != SN_OK || !parse_matcher(p, matchers)) {
            return false;
        }
        if (!sn_parser_accept(p, SN_TOKEN_COMMA) && p->token.kind != SN_TOKEN_RIGHT_BRACE) {
            sn_parser_unexpected(p, "label matching", "\",\" or \"}\"");
            return false;
        }
    }
    *ret_end = sn_token_end(&p->token);
    sn_parser_advance(p);
    return p->status == SN_OK;
}

/* The array has stopped moving: remember which of its matchers are regexes. */
static bool register_regexes(struct sn_parser *p, const struct matchers *matchers) {
    for (size_t i = 0; i < matchers->count; i++) {
        if (matchers->items[i].kind < SN_MATCH_REGEX) {
            continue;
        }
        p->regex_matchers =
            sn_parser_grow(p, p->regex_matchers, p->regex_count, sizeof(*p->regex_matchers));
        if (p->regex_matchers == NULL) {
            return false;
        }
        p->regex_matchers[p->regex_count++] = &matchers->items[i];
    }
    return true;
}

struct sn_node *sn_parser_vector(struct sn_parser *p, const struct sn_token *name) {
    struct matchers matchers = {0};
    const struct sn_token *first = name ? name : &p->token;
    struct sn_span span = {first->start, sn_token_end(first)};
    if (p->token.kind == SN_TOKEN_LEFT_BRACE && !parse_braces(p, &matchers, &span.end)) {
        return NULL;
    }
    if (name != NULL) {
        struct sn_matcher *matcher = add_matcher(p, &matchers);
        if (matcher == NULL) {
            return NULL;
        }
        *matcher = (struct sn_matcher){
            .kind = SN_MATCH_EQUAL, .name = SN_LABEL_METRIC_NAME, .value = name->text};
        matchers.is_selective = true;
    }
    struct sn_node *node = sn_parser_node(p, SN_NODE_VECTOR, span, NULL, NULL);
    if (node == NULL || p->status != SN_OK || !register_regexes(p, &matchers)) {
        return NULL;
    }
    node->type = SN_VALUE_VECTOR;
    node->vector = (struct sn_vector_node){.name = name ? name->text : (struct sn_str){0},
                                           .matchers = matchers.items,
                                           .matcher_count = matchers.count,
                                           .is_selective = matchers.is_selective};
    return node;
}

/* --- Ranges --------------------------------------------------------------------------------- */

static struct sn_node *finish_matrix(struct sn_parser *p, struct sn_node *child, uint32_t bracket,
                                     struct sn_duration range) {
    const struct sn_time_shift *shift = &child->vector.shift;
    uint32_t end = sn_token_end(&p->token);
    sn_parser_advance(p);
    if (child->kind != SN_NODE_VECTOR) {
        return sn_parser_fail(p, bracket, "ranges only allowed for vector selectors");
    }
    if (shift->offset.ms != 0 || shift->offset.expr != NULL) {
        return sn_parser_fail(p, bracket, "no offset modifiers allowed before range");
    }
    if (shift->at != SN_AT_NONE) {
        return sn_parser_fail(p, bracket, "no @ modifiers allowed before range");
    }
    struct sn_node *node =
        sn_parser_node(p, SN_NODE_MATRIX, (struct sn_span){child->span.start, end}, child, NULL);
    if (node != NULL) {
        node->type = SN_VALUE_MATRIX;
        node->matrix = (struct sn_matrix_node){.vector = child, .range = range};
    }
    return node;
}

/* Behind the colon. */
static struct sn_node *finish_subquery(struct sn_parser *p, const struct sn_node *child,
                                       struct sn_duration range) {
    struct sn_duration step = {0};
    bool has_step = p->token.kind != SN_TOKEN_RIGHT_BRACKET;
    if (has_step && !sn_parser_range_value(p, &step)) {
        return NULL;
    }
    if (p->token.kind != SN_TOKEN_RIGHT_BRACKET) {
        return sn_parser_unexpected(p, "subquery selector", "\"]\"");
    }
    struct sn_span span = {child->span.start, sn_token_end(&p->token)};
    sn_parser_advance(p);
    struct sn_node *node = sn_parser_node(p, SN_NODE_SUBQUERY, span, child, NULL);
    if (node != NULL) {
        node->type = SN_VALUE_MATRIX;
        node->subquery = (struct sn_subquery_node){.child = child, .range = range, .step = step};
    }
    return node;
}

static struct sn_node *parse_brackets(struct sn_parser *p, struct sn_node *child) {
    uint32_t bracket = p->token.start;
    struct sn_duration range;
    sn_parser_advance(p);
    if (!sn_parser_range_value(p, &range)) {
        return NULL;
    }
    if (p->token.kind == SN_TOKEN_RIGHT_BRACKET) {
        return finish_matrix(p, child, bracket, range);
    }
    if (!sn_parser_accept(p, SN_TOKEN_COLON)) {
        return sn_parser_unexpected(p, "subquery or range", "\":\" or \"]\"");
    }
    return finish_subquery(p, child, range);
}

/* --- offset, @, anchored, smoothed ---------------------------------------------------------- */

/*
 * The vector selector in `node`, or NULL. A matrix selector was made a moment ago by this parser and
 * nobody else has seen its vector, so that writing to it through the const pointer is fine.
 */
static struct sn_node *vector_of(struct sn_node *node) {
    union {
        const struct sn_node *read_only;
        struct sn_node *mine;
    } vector = {node->kind == SN_NODE_MATRIX ? node->matrix.vector : NULL};
    return node->kind == SN_NODE_VECTOR ? node : vector.mine;
}

/* The time shift of what can be shifted; NULL with a failure for everything else. */
static struct sn_time_shift *shift_of(struct sn_parser *p, struct sn_node *node, const char *name) {
    struct sn_node *vector = vector_of(node);
    if (vector != NULL) {
        return &vector->vector.shift;
    }
    if (node->kind == SN_NODE_SUBQUERY) {
        return &node->subquery.shift;
    }
    return sn_parser_fail(p, node->span.start,
                          "%s modifier must be preceded by an instant vector selector or range "
                          "vector selector or a subquery",
                          name);
}

static bool parse_offset(struct sn_parser *p, struct sn_node *node) {
    struct sn_duration offset;
    sn_parser_advance(p);
    if (!sn_parser_offset_value(p, &offset)) {
        return false;
    }
    struct sn_time_shift *shift = shift_of(p, node, "offset");
    if (shift == NULL) {
        return false;
    }
    if (shift->offset.ms != 0 || shift->offset.expr != NULL) {
        sn_parser_fail(p, node->span.start, "offset may not be set multiple times");
        return false;
    }
    shift->offset = offset;
    return true;
}

static bool parse_at_time(struct sn_parser *p, const struct sn_node *node, int64_t *ret_at_ms) {
    struct sn_number_node number;
    bool is_minus = p->token.kind == SN_TOKEN_SUB;
    if (is_minus || p->token.kind == SN_TOKEN_ADD) {
        sn_parser_advance(p);
    }
    if (p->token.kind != SN_TOKEN_NUMBER && p->token.kind != SN_TOKEN_DURATION) {
        sn_parser_unexpected(p, "@", "timestamp");
        return false;
    }
    if (!sn_parser_number(p, &number)) {
        return false;
    }
    double seconds = is_minus ? -number.value : number.value;
    double ms = round(seconds * 1000);
    if (!(fabs(ms) < 0x1p63)) { /* also when it is not a number */
        struct sn_buf text;
        sn_buf_init(&text, 0);
        sn_gotext_float(&text, seconds);
        sn_parser_fail(p, node->span.start, "timestamp out of bounds for @ modifier: %.*s%s",
                       SN_STR_ARG(sn_buf_str(&text)), isfinite(seconds) ? ".000000" : "");
        sn_buf_release(&text);
        return false;
    }
    *ret_at_ms = (int64_t)ms;
    return true;
}

/* start() or end(); the next token is the word. */
static bool parse_at_edge(struct sn_parser *p, enum sn_at_kind *ret_at) {
    *ret_at = p->token.kind == SN_TOKEN_START ? SN_AT_START : SN_AT_END;
    sn_parser_advance(p);
    if (p->token.kind != SN_TOKEN_LEFT_PAREN) {
        sn_parser_unexpected(p, "@", "timestamp");
        return false;
    }
    sn_parser_advance(p);
    if (p->token.kind != SN_TOKEN_RIGHT_PAREN) {
        sn_parser_unexpected(p, "@", "timestamp");
        return false;
    }
    sn_parser_advance(p);
    return true;
}

static bool parse_at(struct sn_parser *p, struct sn_node *node) {
    enum sn_at_kind at = SN_AT_TIME;
    int64_t at_ms = 0;
    sn_parser_advance(p);
    bool is_edge = p->token.kind == SN_TOKEN_START || p->token.kind == SN_TOKEN_END_OF_RANGE;
    if (is_edge ? !parse_at_edge(p, &at) : !parse_at_time(p, node, &at_ms)) {
        return false;
    }
    struct sn_time_shift *shift = shift_of(p, node, "@");
    if (shift == NULL) {
        return false;
    }
    if (shift->at != SN_AT_NONE) {
        sn_parser_fail(p, node->span.start, "@ <timestamp> may not be set multiple times");
        return false;
    }
    shift->at = at;
    shift->at_ms = at_ms;
    return true;
}

static bool parse_edge(struct sn_parser *p, struct sn_node *node) {
    bool is_anchored = p->token.kind == SN_TOKEN_ANCHORED;
    const char *name = is_anchored ? "anchored" : "smoothed";
    enum sn_range_edge edge = is_anchored ? SN_EDGE_ANCHORED : SN_EDGE_SMOOTHED;
    uint32_t start = node->span.start;
    struct sn_node *vector = vector_of(node);
    sn_parser_advance(p);
    if (!p->options.has_extended_selectors) {
        sn_parser_fail(p, start, "%s modifier is experimental and not enabled", name);
    } else if (vector == NULL && node->kind == SN_NODE_SUBQUERY) {
        sn_parser_fail(p, start, "%s modifier is not supported for subqueries", name);
    } else if (vector == NULL) {
        sn_parser_fail(p, start, "%s modifier not implemented", name);
    } else if (vector->vector.edge != SN_EDGE_PLAIN && vector->vector.edge != edge) {
        sn_parser_fail(p, start, "anchored and smoothed modifiers cannot be used together");
    } else {
        vector->vector.edge = edge;
    }
    return p->status == SN_OK;
}

struct sn_node *sn_parser_postfix(struct sn_parser *p, struct sn_node *node) {
    while (node != NULL && p->status == SN_OK) {
        bool is_ok = true;
        uint32_t end = p->token.start;
        if (p->token.kind == SN_TOKEN_LEFT_BRACKET) {
            node = parse_brackets(p, node);
            continue;
        }
        switch ((int)p->token.kind) {
        case SN_TOKEN_OFFSET:
            is_ok = parse_offset(p, node);
            break;
        case SN_TOKEN_AT:
            is_ok = parse_at(p, node);
            break;
        case SN_TOKEN_ANCHORED:
        case SN_TOKEN_SMOOTHED:
            is_ok = parse_edge(p, node);
            break;
        default:
            return node;
        }
        if (!is_ok) {
            return NULL;
        }
        /* The end is where blanks before the next token begin. */
        end = p->token.start;
        while (end > node->span.end && strchr(" \t\r\n", p->text.ptr[end - 1]) != NULL) {
            end--;
        }
        node->span.end = end;
    }
    return p->status == SN_OK ? node : NULL;
}
