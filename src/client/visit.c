/*
 * Reading a registry sample by sample, without text in between. See sonde/expose.h.
 */
#include "client/read_priv.h"

#include <assert.h>

/* A sample's full name: a family's name and its longest suffix. */
#define SAMPLE_NAME_SIZE (SONDE_NAME_BYTES_MAX + sizeof "_bucket")

struct visit {
    const sonde_visitor *visitor;
    char name[SAMPLE_NAME_SIZE];
    sonde_label labels[SONDE_LABELS_MAX + 1];
};

static int visit_family(void *ctx, const sonde_family_info *info, const struct sn_family *family) {
    const sonde_visitor *visitor = ((struct visit *)ctx)->visitor;
    (void)family;
    return visitor->family != NULL ? visitor->family(visitor->ctx, info) : 0;
}

static size_t fill_labels(struct visit *visit, const struct sn_line *line) {
    size_t count = line->series != NULL ? line->series->family->label_count : 0;
    for (size_t i = 0; i < count; i++) {
        struct sn_str value = sn_series_value(line->series, i);
        visit->labels[i] =
            (sonde_label){line->series->family->label_names[i], value.ptr, value.len};
    }
    if (line->extra != NULL)
        visit->labels[count++] =
            (sonde_label){line->extra->name, line->extra->value, strlen(line->extra->value)};
    return count;
}

static int visit_line(void *ctx, const struct sn_line *line) {
    struct visit *visit = ctx;
    if (visit->visitor->sample == NULL)
        return 0;
    struct sn_str suffix = sn_suffix_text(line->suffix);
    assert(line->name.len + suffix.len < sizeof visit->name);
    memcpy(visit->name, line->name.ptr, line->name.len);
    memcpy(visit->name + line->name.len, suffix.ptr, suffix.len);
    visit->name[line->name.len + suffix.len] = '\0';
    sonde_sample sample = {
        .name = visit->name,
        .labels = visit->labels,
        .label_count = fill_labels(visit, line),
        .value = line->number,
        .created_wall_ms = line->created_wall_ms,
    };
    return visit->visitor->sample(visit->visitor->ctx, &sample);
}

sonde_status sonde_registry_visit(sonde_registry *registry, const sonde_visitor *visitor) {
    struct visit visit = {.visitor = visitor};
    struct sn_line_sink lines = {.family = visit_family, .line = visit_line, .ctx = &visit};
    return sn_registry_read(registry, &lines);
}
