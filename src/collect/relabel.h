/*
 * Relabelling: rules that change a label set or drop it, exactly as Prometheus' relabel_configs and
 * metric_relabel_configs.
 *
 * Rules are read-only once prepared: any thread. A draft belongs to one thread.
 */
#ifndef SN_COLLECT_RELABEL_H
#define SN_COLLECT_RELABEL_H

#include "base/arena.h"
#include "base/limits.h"
#include "model/labels.h"
#include "regex/regex.h"

struct sn_text_list {
    const char **items;
    size_t count;
};

enum sn_relabel_action {
    SN_RELABEL_REPLACE = 0,
    SN_RELABEL_KEEP = 1,
    SN_RELABEL_DROP = 2,
    SN_RELABEL_KEEP_EQUAL = 3,
    SN_RELABEL_DROP_EQUAL = 4,
    SN_RELABEL_HASHMOD = 5,
    SN_RELABEL_LABELMAP = 6,
    SN_RELABEL_LABELDROP = 7,
    SN_RELABEL_LABELKEEP = 8,
    SN_RELABEL_LOWERCASE = 9,
    SN_RELABEL_UPPERCASE = 10,
};

/* Texts are borrowed from the configuration; NULL: not said. */
struct sn_relabel_rule {
    int action; /* enum sn_relabel_action */
    struct sn_text_list source_labels;
    const char *separator; /* NULL: ";" */
    const char *pattern;   /* NULL: "(.*)" */
    const char *target_label;
    const char *replacement; /* NULL: "$1" */
    int64_t modulus;
    struct sn_regex *regex; /* owned; made by prepare */
};

struct sn_relabel_rules {
    struct sn_relabel_rule *items;
    size_t count;
};

/*
 * Check a rule as Prometheus does and compile its pattern. SN_ERR_INVALID, SN_ERR_LIMIT,
 * SN_ERR_NO_MEMORY.
 */
sn_status sn_relabel_rule_prepare(struct sn_relabel_rule *rule, struct sn_err *err) SN_MUST_USE;
void sn_relabel_rules_release(struct sn_relabel_rules *rules);
bool sn_relabel_rules_equal(const struct sn_relabel_rules *a, const struct sn_relabel_rules *b);

/* Labels in the making: a target has its own, those of discovery and what relabelling adds. */
#define SN_LABEL_DRAFT_MAX (3 * SN_LABELS_MAX)
struct sn_label_draft {
    struct sn_label
        items[SN_LABEL_DRAFT_MAX]; /* [count], any order, no name twice, no empty value */
    size_t count;
    struct sn_arena *arena; /* keeps what rules write */
};

/* Value of a label, empty when there is none. */
struct sn_str sn_label_draft_get(const struct sn_label_draft *draft, struct sn_str name);
/* Set a label; an empty value deletes it. Texts are borrowed. SN_ERR_LIMIT (labels). */
sn_status sn_label_draft_set(struct sn_label_draft *draft, struct sn_str name, struct sn_str value,
                             struct sn_err *err) SN_MUST_USE;

/*
 * Apply rules in order.
 *
 *   *ret_is_kept   false: a rule dropped the set, which is then half changed
 *
 * SN_ERR_LIMIT (labels, a regex that gives up, the arena), SN_ERR_NO_MEMORY.
 */
sn_status sn_relabel(const struct sn_relabel_rules *rules, struct sn_label_draft *draft,
                     bool *ret_is_kept, struct sn_err *err) SN_MUST_USE;

#endif
