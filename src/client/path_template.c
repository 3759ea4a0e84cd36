/*
 * Templates of paths: compiled once into one block, compared segment by segment.
 *
 *     struct sn_path_templates | templates | segments | text of all templates
 *
 * A template's text is what a path that matches is shown as; its segments point into that text.
 */
#include "client/path_priv.h"

#include "base/mem.h"

enum segment_kind { SEGMENT_TEXT, SEGMENT_PARAMETER, SEGMENT_REST };

struct segment {
    struct sn_str text;
    enum segment_kind kind;
};

struct template {
    struct sn_str text;
    struct segment *segments; /* [segment_count] */
    size_t segment_count;
    bool has_rest; /* the last segment is "*" */
};

struct sn_path_templates {
    size_t count;
    struct template *templates; /* [count] */
    struct segment *segments;   /* those of all templates */
    char *text;
};

/* Matching. */

/* ":rest" and "*" are what longer paths became; see invariant 2 of path.c. */
static bool is_filler(struct sn_str text) {
    return sn_str_equal(text, SN_PATH_REST) || sn_str_equal(text, SN_STR("*"));
}

static bool segment_matches(const struct segment *segment, struct sn_str text) {
    if (segment->kind == SEGMENT_TEXT)
        return sn_str_equal(segment->text, text);
    if (segment->kind == SEGMENT_PARAMETER)
        return !is_filler(text);
    return !sn_str_equal(text, SN_PATH_REST);
}

static bool template_matches(const struct template *template, const struct sn_path *path) {
    if (template->has_rest ? path->count < template->segment_count
                           : path->count != template->segment_count || path->has_more)
        return false;
    for (size_t i = 0; i < template->segment_count; i++) {
        if (!segment_matches(&template->segments[i], path->segments[i].text))
            return false;
    }
    return true;
}

struct sn_str sn_path_templates_match(const struct sn_path_templates *templates,
                                      const struct sn_path *path) {
    size_t count = templates != NULL ? templates->count : 0;
    for (size_t i = 0; i < count; i++) {
        if (template_matches(&templates->templates[i], path))
            return templates->templates[i].text;
    }
    return (struct sn_str){NULL, 0};
}

/* Compiling. */

static bool is_parameter_name(struct sn_str name) {
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && !(c >= '0' && c <= '9' && i > 0))
            return false;
    }
    return name.len > 0;
}

/* The kind of a segment, and the name of a parameter. False: it is none of the kinds. */
static bool parse_segment(struct sn_str text, enum segment_kind *ret_kind,
                          struct sn_str *ret_name) {
    *ret_name = text;
    if (sn_str_equal(text, SN_STR("*"))) {
        *ret_kind = SEGMENT_REST;
        return true;
    }
    if (text.ptr[0] == ':' || text.ptr[0] == '{') {
        *ret_kind = SEGMENT_PARAMETER;
        bool has_braces = text.ptr[0] == '{';
        if (has_braces && text.ptr[text.len - 1] != '}')
            return false;
        *ret_name = sn_str_make(text.ptr + 1, text.len - (has_braces ? 2 : 1));
        return is_parameter_name(*ret_name);
    }
    *ret_kind = SEGMENT_TEXT;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || strchr("{}*?#", text.ptr[i]) != NULL)
            return false;
    }
    return true;
}

static char *append(char *at, const char *bytes, size_t len) {
    memcpy(at, bytes, len);
    return at + len;
}

/* Add a segment; the texts of all lie one behind the other. Returns where the text ends. */
static char *add_segment(struct template *template, char *at, struct sn_str name,
                         enum segment_kind kind) {
    *at++ = '/';
    char *start = at;
    if (kind == SEGMENT_PARAMETER)
        *at++ = ':';
    at = append(at, name.ptr, name.len);
    template->segments[template->segment_count++] =
        (struct segment){sn_str_make(start, (size_t)(at - start)), kind};
    template->has_rest = kind == SEGMENT_REST;
    return at;
}

static sn_status compile(struct template *template, const char *source, const sonde_path_options *o,
                         char **at, struct sn_err *err) {
    struct sn_path path;
    sn_path_split(sn_str_from(source), o->segment_max, &path);
    if (path.has_more)
        return sn_err_set(err, SN_ERR_LIMIT, "template %s has more than %zu segments", source,
                          o->segment_max);
    char *start = *at;
    for (size_t i = 0; i < path.count; i++) {
        enum segment_kind kind;
        struct sn_str name;
        struct sn_str text = path.segments[i].text;
        if (!parse_segment(text, &kind, &name) || (kind == SEGMENT_REST && i + 1 < path.count))
            return sn_err_set(err, SN_ERR_INVALID, "template %s: \"%.*s\" is no segment", source,
                              SN_STR_ARG(text));
        *at = add_segment(template, *at, name, kind);
    }
    if (path.count == 0)
        *(*at)++ = '/';
    template->text = sn_str_make(start, (size_t)(*at - start));
    return SN_OK;
}

static sn_status check_source(const char *source, size_t index, struct sn_err *err) {
    if (source == NULL || source[0] != '/')
        return sn_err_set(err, SN_ERR_INVALID, "template %zu does not start with /", index);
    size_t len = strlen(source);
    if (len > SONDE_PATH_TEMPLATE_BYTES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "template %zu has %zu bytes, the limit is %d", index,
                          len, SONDE_PATH_TEMPLATE_BYTES_MAX);
    if (strchr(source, '?') != NULL || strchr(source, '#') != NULL)
        return sn_err_set(err, SN_ERR_INVALID, "template %s has a query or a fragment", source);
    return SN_OK;
}

/* Bytes of all texts; segments are at most one per slash. */
static sn_status measure(const sonde_path_options *options, size_t *ret_bytes, size_t *ret_segments,
                         struct sn_err *err) {
    size_t bytes = 0, segments = 0;
    for (size_t i = 0; i < options->template_count; i++) {
        SN_TRY(check_source(options->templates[i], i, err));
        bytes += strlen(options->templates[i]);
        for (const char *c = options->templates[i]; *c != '\0'; c++)
            segments += *c == '/';
    }
    *ret_bytes = bytes;
    *ret_segments = segments;
    return SN_OK;
}

static struct sn_path_templates *templates_alloc(size_t count, size_t segments, size_t bytes) {
    struct sn_path_templates *templates =
        sn_alloc_zero(1, sizeof *templates + count * sizeof(struct template) +
                             segments * sizeof(struct segment) + bytes);
    if (templates == NULL)
        return NULL;
    templates->templates = (void *)(templates + 1);
    templates->segments = (void *)(templates->templates + count);
    templates->text = (char *)(templates->segments + segments);
    return templates;
}

static sn_status compile_all(struct sn_path_templates *templates, const sonde_path_options *options,
                             struct sn_err *err) {
    struct segment *segments = templates->segments;
    char *at = templates->text;
    for (size_t i = 0; i < options->template_count; i++) {
        struct template *template = &templates->templates[i];
        template->segments = segments;
        SN_TRY(compile(template, options->templates[i], options, &at, err));
        segments += template->segment_count;
        templates->count++;
    }
    return SN_OK;
}

sn_status sn_path_templates_new(const sonde_path_options *options, size_t segment_max,
                                struct sn_path_templates **ret_templates, struct sn_err *err) {
    size_t count = options->template_count;
    if (count > SONDE_PATH_TEMPLATES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "%zu templates, the limit is %d", count,
                          SONDE_PATH_TEMPLATES_MAX);
    if (count == 0) {
        *ret_templates = NULL;
        return SN_OK;
    }
    if (options->templates == NULL)
        return sn_err_set(err, SN_ERR_INVALID, "%zu templates at NULL", count);
    size_t bytes, segments;
    SN_TRY(measure(options, &bytes, &segments, err));
    struct sn_path_templates *templates = templates_alloc(count, segments, bytes);
    if (templates == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu templates", count);
    sonde_path_options resolved = *options;
    resolved.segment_max = segment_max;
    sn_status status = compile_all(templates, &resolved, err);
    if (status != SN_OK) {
        (void)sn_path_templates_free(templates);
        return status;
    }
    *ret_templates = templates;
    return SN_OK;
}

struct sn_path_templates *sn_path_templates_free(struct sn_path_templates *templates) {
    sn_free(templates);
    return NULL;
}
