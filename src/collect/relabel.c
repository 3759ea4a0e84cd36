/*
 * Relabelling, action by action, after Prometheus' model/relabel. See relabel.h.
 */
#include "collect/relabel.h"

#include "codec/md5.h"
#include "codec/number.h"

/* A joined source, an expanded name or value. */
#define TEXT_BYTES_MAX ((size_t)1 << 20)
#define PATTERN_DEFAULT "(.*)"
#define SEPARATOR_DEFAULT ";"
#define REPLACEMENT_DEFAULT "$1"

static struct sn_str or_default(const char *text, const char *fallback) {
    return sn_str_from(text != NULL ? text : fallback);
}

/* ---- preparing ---- */

static bool is_default(const char *text, const char *fallback) {
    return text == NULL || strcmp(text, fallback) == 0;
}

static const char *action_name(int action) {
    static const char *const names[] = {"replace",   "keep",      "drop",     "keepequal",
                                        "dropequal", "hashmod",   "labelmap", "labeldrop",
                                        "labelkeep", "lowercase", "uppercase"};
    return names[action];
}

static bool needs_target(int action) {
    switch ((enum sn_relabel_action)action) {
    case SN_RELABEL_REPLACE:
    case SN_RELABEL_HASHMOD:
    case SN_RELABEL_LOWERCASE:
    case SN_RELABEL_UPPERCASE:
    case SN_RELABEL_KEEP_EQUAL:
    case SN_RELABEL_DROP_EQUAL:
        return true;
    case SN_RELABEL_KEEP:
    case SN_RELABEL_DROP:
    case SN_RELABEL_LABELMAP:
    case SN_RELABEL_LABELDROP:
    case SN_RELABEL_LABELKEEP:
        return false;
    }
    return false;
}

static sn_status check_pattern_only(const struct sn_relabel_rule *rule, struct sn_err *err) {
    if (rule->source_labels.count > 0 || rule->target_label != NULL || rule->modulus != 0 ||
        !is_default(rule->separator, SEPARATOR_DEFAULT) ||
        !is_default(rule->replacement, REPLACEMENT_DEFAULT))
        return sn_err_set(err, SN_ERR_INVALID, "%s takes only a regex and no other key",
                          action_name(rule->action));
    return SN_OK;
}

static sn_status check_comparison(const struct sn_relabel_rule *rule, struct sn_err *err) {
    if (!is_default(rule->pattern, PATTERN_DEFAULT) || rule->modulus != 0 ||
        !is_default(rule->separator, SEPARATOR_DEFAULT) ||
        !is_default(rule->replacement, REPLACEMENT_DEFAULT))
        return sn_err_set(err, SN_ERR_INVALID,
                          "%s takes only source_labels and target_label and no other key",
                          action_name(rule->action));
    return SN_OK;
}

static sn_status check_rule(const struct sn_relabel_rule *rule, struct sn_err *err) {
    if (needs_target(rule->action) && (rule->target_label == NULL || rule->target_label[0] == '\0'))
        return sn_err_set(err, SN_ERR_INVALID, "%s needs a target_label",
                          action_name(rule->action));
    switch ((enum sn_relabel_action)rule->action) {
    case SN_RELABEL_HASHMOD:
        return rule->modulus != 0
                   ? SN_OK
                   : sn_err_set(err, SN_ERR_INVALID, "hashmod needs a modulus that is not 0");
    case SN_RELABEL_LABELDROP:
    case SN_RELABEL_LABELKEEP:
        return check_pattern_only(rule, err);
    case SN_RELABEL_KEEP_EQUAL:
    case SN_RELABEL_DROP_EQUAL:
        return check_comparison(rule, err);
    case SN_RELABEL_LABELMAP:
        return or_default(rule->replacement, REPLACEMENT_DEFAULT).len > 0
                   ? SN_OK
                   : sn_err_set(err, SN_ERR_INVALID, "labelmap needs a replacement");
    case SN_RELABEL_REPLACE:
    case SN_RELABEL_KEEP:
    case SN_RELABEL_DROP:
    case SN_RELABEL_LOWERCASE:
    case SN_RELABEL_UPPERCASE:
        break;
    }
    return SN_OK;
}

sn_status sn_relabel_rule_prepare(struct sn_relabel_rule *rule, struct sn_err *err) {
    SN_TRY(check_rule(rule, err));
    return sn_regex_new_capturing(or_default(rule->pattern, PATTERN_DEFAULT), &rule->regex, err);
}

void sn_relabel_rules_release(struct sn_relabel_rules *rules) {
    for (size_t i = 0; i < rules->count; i++)
        rules->items[i].regex = sn_regex_free(rules->items[i].regex);
}

static bool is_same(const char *a, const char *b, const char *fallback) {
    return strcmp(a != NULL ? a : fallback, b != NULL ? b : fallback) == 0;
}

static bool rule_equal(const struct sn_relabel_rule *a, const struct sn_relabel_rule *b) {
    if (a->action != b->action || a->modulus != b->modulus ||
        a->source_labels.count != b->source_labels.count)
        return false;
    for (size_t i = 0; i < a->source_labels.count; i++)
        if (strcmp(a->source_labels.items[i], b->source_labels.items[i]) != 0)
            return false;
    return is_same(a->separator, b->separator, SEPARATOR_DEFAULT) &&
           is_same(a->pattern, b->pattern, PATTERN_DEFAULT) &&
           is_same(a->target_label, b->target_label, "") &&
           is_same(a->replacement, b->replacement, REPLACEMENT_DEFAULT);
}

bool sn_relabel_rules_equal(const struct sn_relabel_rules *a, const struct sn_relabel_rules *b) {
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!rule_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

/* ---- drafts ---- */

static size_t find(const struct sn_label_draft *draft, struct sn_str name) {
    size_t i = 0;
    while (i < draft->count && !sn_str_equal(draft->items[i].name, name))
        i++;
    return i;
}

struct sn_str sn_label_draft_get(const struct sn_label_draft *draft, struct sn_str name) {
    size_t i = find(draft, name);
    return i < draft->count ? draft->items[i].value : SN_STR("");
}

sn_status sn_label_draft_set(struct sn_label_draft *draft, struct sn_str name, struct sn_str value,
                             struct sn_err *err) {
    size_t i = find(draft, name);
    if (value.len == 0) {
        if (i < draft->count)
            draft->items[i] = draft->items[--draft->count];
        return SN_OK;
    }
    if (i == SN_LABEL_DRAFT_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "relabelling: more than %d labels",
                          SN_LABEL_DRAFT_MAX);
    draft->items[i] = (struct sn_label){name, value};
    draft->count += i == draft->count;
    return SN_OK;
}

/* ---- pieces of actions ---- */

/* Everything one rule works with. */
struct work {
    const struct sn_relabel_rule *rule;
    struct sn_label_draft *draft;
    struct sn_str source; /* values of source_labels, joined */
    struct sn_buf text;   /* scratch */
    struct sn_err *err;
};

static sn_status join_sources(struct work *work) {
    const struct sn_text_list *names = &work->rule->source_labels;
    if (names->count == 1) {
        work->source = sn_label_draft_get(work->draft, sn_str_from(names->items[0]));
        return SN_OK;
    }
    sn_buf_reset(&work->text);
    for (size_t i = 0; i < names->count; i++) {
        if (i > 0)
            sn_buf_put_str(&work->text, or_default(work->rule->separator, SEPARATOR_DEFAULT));
        sn_buf_put_str(&work->text, sn_label_draft_get(work->draft, sn_str_from(names->items[i])));
    }
    SN_TRY(sn_buf_status(&work->text, work->err));
    if (!sn_arena_copy(work->draft->arena, sn_buf_str(&work->text), &work->source))
        return sn_arena_failure(work->draft->arena, work->text.len, work->err);
    return SN_OK;
}

/* A template filled in from a match of `text`; *ret_matches false: no match. */
static sn_status expand(struct work *work, struct sn_str text, struct sn_str template_text,
                        bool *ret_matches, struct sn_str *ret_result) {
    sn_buf_reset(&work->text);
    SN_TRY(sn_regex_expand(work->rule->regex, text, template_text, ret_matches, &work->text,
                           work->err));
    SN_TRY(sn_buf_status(&work->text, work->err));
    if (*ret_matches && !sn_arena_copy(work->draft->arena, sn_buf_str(&work->text), ret_result))
        return sn_arena_failure(work->draft->arena, work->text.len, work->err);
    return SN_OK;
}

/* Whether the rule's pattern matches. A match that gives up is a failure, never a guess. */
static sn_status matches(struct work *work, struct sn_str text, bool *ret_matches) {
    sn_buf_reset(&work->text);
    return sn_regex_expand(work->rule->regex, text, SN_STR(""), ret_matches, &work->text,
                           work->err);
}

static sn_status replace(struct work *work) {
    struct sn_str target = SN_STR(""), value = SN_STR("");
    bool does_match = false;
    SN_TRY(expand(work, work->source, sn_str_from(work->rule->target_label), &does_match, &target));
    if (!does_match || target.len == 0 || !sn_str_is_utf8(target))
        return SN_OK;
    SN_TRY(expand(work, work->source, or_default(work->rule->replacement, REPLACEMENT_DEFAULT),
                  &does_match, &value));
    return sn_label_draft_set(work->draft, target, value, work->err);
}

static sn_status set_target(struct work *work, struct sn_str value) {
    return sn_label_draft_set(work->draft, sn_str_from(work->rule->target_label), value, work->err);
}

/* The remainder of the hash's last 8 bytes, as earlier versions of Prometheus took them. */
static sn_status hashmod(struct work *work) {
    uint8_t hash[16];
    uint64_t number = 0;
    char text[SN_INTEGER_TEXT_SIZE];
    struct sn_str value;
    sn_md5(work->source, hash);
    for (unsigned i = 8; i < 16; i++)
        number = number << 8 | hash[i];
    size_t len = sn_uint64_format(number % (uint64_t)work->rule->modulus, text);
    if (!sn_arena_copy(work->draft->arena, sn_str_make(text, len), &value))
        return sn_arena_failure(work->draft->arena, len, work->err);
    return set_target(work, value);
}

/* ---- upper and lower case ---- */

/* Pairs of letters that stand apart by a fixed distance: Latin, Greek, Cyrillic. */
static const struct {
    uint16_t first, last; /* the capitals; every second one when the distance is 1 */
    uint8_t distance;
} cases[] = {
    {'A', 'Z', 32},     {0xc0, 0xd6, 32},   {0xd8, 0xde, 32},   {0x100, 0x12e, 1},
    {0x132, 0x136, 1},  {0x139, 0x147, 1},  {0x14a, 0x176, 1},  {0x179, 0x17d, 1},
    {0x391, 0x3a1, 32}, {0x3a3, 0x3ab, 32}, {0x400, 0x40f, 80}, {0x410, 0x42f, 32},
};

static uint32_t change_case(uint32_t rune, bool is_upper) {
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t distance = cases[i].distance;
        uint32_t capital = is_upper ? rune - distance : rune;
        if (capital < cases[i].first || capital > cases[i].last)
            continue;
        if (distance == 1 && (capital - cases[i].first) % 2 != 0)
            continue;
        return is_upper ? capital : capital + distance;
    }
    return rune;
}

static sn_status set_case(struct work *work, bool is_upper) {
    struct sn_str rest = work->source, value;
    sn_buf_reset(&work->text);
    while (rest.len > 0) {
        unsigned char lead = (unsigned char)rest.ptr[0];
        size_t len = sn_str_utf8_char_len(rest);
        if (len == 1) {
            sn_buf_put_byte(&work->text, (uint8_t)change_case(lead, is_upper));
        } else if (len == 2) {
            uint32_t rune = (lead & 0x1fu) << 6 | ((unsigned char)rest.ptr[1] & 0x3fu);
            rune = change_case(rune, is_upper); /* stays within two bytes */
            sn_buf_put_byte(&work->text, (uint8_t)(0xc0 | rune >> 6));
            sn_buf_put_byte(&work->text, (uint8_t)(0x80 | (rune & 0x3f)));
        } else {
            len = len > 0 ? len : 1;
            sn_buf_put(&work->text, rest.ptr, len);
        }
        rest = sn_str_make(rest.ptr + len, rest.len - len);
    }
    SN_TRY(sn_buf_status(&work->text, work->err));
    if (!sn_arena_copy(work->draft->arena, sn_buf_str(&work->text), &value))
        return sn_arena_failure(work->draft->arena, work->text.len, work->err);
    return set_target(work, value);
}

/* ---- actions on names ---- */

/* The labels as they were before: what a rule adds is not looked at again. */
static sn_status labelmap(struct work *work) {
    size_t count = work->draft->count;
    struct sn_label *before =
        sn_arena_alloc(work->draft->arena, count * sizeof work->draft->items[0]);
    if (before == NULL)
        return sn_arena_failure(work->draft->arena, count * sizeof *before, work->err);
    memcpy(before, work->draft->items, count * sizeof *before);
    for (size_t i = 0; i < count; i++) {
        struct sn_str name = SN_STR("");
        bool does_match = false;
        SN_TRY(expand(work, before[i].name,
                      or_default(work->rule->replacement, REPLACEMENT_DEFAULT), &does_match,
                      &name));
        if (does_match && name.len > 0)
            SN_TRY(sn_label_draft_set(work->draft, name, before[i].value, work->err));
    }
    return SN_OK;
}

static sn_status filter_names(struct work *work, bool drops_matching) {
    struct sn_label_draft *draft = work->draft;
    size_t kept = 0;
    for (size_t i = 0; i < draft->count; i++) {
        bool does_match = false;
        SN_TRY(matches(work, draft->items[i].name, &does_match));
        if (does_match != drops_matching)
            draft->items[kept++] = draft->items[i];
    }
    draft->count = kept;
    return SN_OK;
}

/* ---- one rule ---- */

static sn_status apply(struct work *work, bool *ret_is_kept) {
    switch ((enum sn_relabel_action)work->rule->action) {
    case SN_RELABEL_REPLACE:
        return replace(work);
    case SN_RELABEL_KEEP:
        return matches(work, work->source, ret_is_kept);
    case SN_RELABEL_DROP:
        SN_TRY(matches(work, work->source, ret_is_kept));
        *ret_is_kept = !*ret_is_kept;
        return SN_OK;
    case SN_RELABEL_KEEP_EQUAL:
    case SN_RELABEL_DROP_EQUAL: {
        struct sn_str other =
            sn_label_draft_get(work->draft, sn_str_from(work->rule->target_label));
        *ret_is_kept =
            sn_str_equal(other, work->source) == (work->rule->action == SN_RELABEL_KEEP_EQUAL);
        return SN_OK;
    }
    case SN_RELABEL_HASHMOD:
        return hashmod(work);
    case SN_RELABEL_LABELMAP:
        return labelmap(work);
    case SN_RELABEL_LABELDROP:
    case SN_RELABEL_LABELKEEP:
        return filter_names(work, work->rule->action == SN_RELABEL_LABELDROP);
    case SN_RELABEL_LOWERCASE:
    case SN_RELABEL_UPPERCASE:
        return set_case(work, work->rule->action == SN_RELABEL_UPPERCASE);
    }
    return SN_OK;
}

sn_status sn_relabel(const struct sn_relabel_rules *rules, struct sn_label_draft *draft,
                     bool *ret_is_kept, struct sn_err *err) {
    struct work work = {.draft = draft, .err = err};
    sn_status status = SN_OK;
    bool is_kept = true;
    sn_buf_init(&work.text, TEXT_BYTES_MAX);
    for (size_t i = 0; i < rules->count && status == SN_OK && is_kept; i++) {
        work.rule = &rules->items[i];
        work.source = SN_STR("");
        status = join_sources(&work);
        if (status == SN_OK)
            status = apply(&work, &is_kept);
    }
    sn_buf_release(&work.text);
    *ret_is_kept = is_kept;
    return status;
}
