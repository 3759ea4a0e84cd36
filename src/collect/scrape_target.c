/*
 * Making targets, after PopulateLabels and Target.URL of Prometheus 3. See scrape_target.h.
 */
#include "collect/scrape_target.h"

#include "base/mem.h"
#include "codec/duration.h"

#define URL_BYTES_MAX ((size_t)64 << 10)
#define NAME(literal) SN_STR("__" literal "__")

/* ---- labels before relabelling ---- */

/* What is not said becomes what the job says. */
static sn_status set_default(struct sn_label_draft *draft, struct sn_str name, struct sn_str value,
                             struct sn_err *err) {
    return sn_label_draft_get(draft, name).len > 0 ? SN_OK
                                                   : sn_label_draft_set(draft, name, value, err);
}

static sn_status set_duration(struct sn_label_draft *draft, struct sn_str name, int64_t duration_ms,
                              struct sn_err *err) {
    char text[SN_DURATION_TEXT_SIZE];
    struct sn_str copy;
    size_t len = sn_duration_format(duration_ms, text);
    if (!sn_arena_copy(draft->arena, sn_str_make(text, len), &copy))
        return sn_arena_failure(draft->arena, len, err);
    return set_default(draft, name, copy, err);
}

static sn_status set_params(struct sn_label_draft *draft, const struct sn_scrape_job *job,
                            struct sn_err *err) {
    for (size_t i = 0; i < job->params.count; i++) {
        const struct sn_param *param = &job->params.items[i];
        if (param->values.count == 0)
            continue;
        char *name = sn_arena_printf(draft->arena, "__param_%s", param->name);
        if (name == NULL)
            return sn_arena_failure(draft->arena, strlen(param->name) + 9, err);
        SN_TRY(set_default(draft, sn_str_from(name), sn_str_from(param->values.items[0]), err));
    }
    return SN_OK;
}

static sn_status set_discovered(struct sn_label_draft *draft, const struct sn_scrape_job *job,
                                const char *address, const struct sn_pair_list *labels,
                                struct sn_err *err) {
    draft->count = 0;
    for (size_t i = 0; i < labels->count; i++)
        SN_TRY(sn_label_draft_set(draft, sn_str_from(labels->items[i].name),
                                  sn_str_from(labels->items[i].value), err));
    SN_TRY(sn_label_draft_set(draft, NAME("address"), sn_str_from(address), err));
    SN_TRY(set_default(draft, SN_STR("job"), sn_str_from(job->name), err));
    SN_TRY(set_duration(draft, NAME("scrape_interval"), job->rules.interval_ms, err));
    SN_TRY(set_duration(draft, NAME("scrape_timeout"), job->rules.timeout_ms, err));
    SN_TRY(set_default(draft, NAME("metrics_path"), sn_str_from(job->metrics_path), err));
    SN_TRY(set_default(draft, NAME("scheme"), sn_str_from(job->scheme), err));
    return set_params(draft, job, err);
}

/* ---- URL ---- */

static bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-_.~", c) != NULL;
}

static void put_escaped(struct sn_buf *buf, struct sn_str text, const char *also_plain) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c != '\0' && (is_unreserved(c) || strchr(also_plain, c) != NULL))
            sn_buf_put_byte(buf, (uint8_t)c);
        else
            sn_buf_printf(buf, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static void put_param(struct sn_buf *buf, struct sn_str name, struct sn_str value,
                      bool *has_params) {
    sn_buf_put_byte(buf, *has_params ? '&' : '?');
    *has_params = true;
    put_escaped(buf, name, "");
    sn_buf_put_byte(buf, '=');
    put_escaped(buf, value, "");
}

static const struct sn_param *find_param(const struct sn_scrape_job *job, struct sn_str name) {
    for (size_t i = 0; i < job->params.count; i++)
        if (sn_str_equal(sn_str_from(job->params.items[i].name), name))
            return &job->params.items[i];
    return NULL;
}

/* Labels __param_x in order of x; the first value is the label's, others are the job's. */
static void put_params(struct sn_buf *buf, const struct sn_scrape_job *job,
                       struct sn_labels labels) {
    static const struct sn_str prefix = {"__param_", 8};
    bool has_params = false;
    for (size_t i = 0; i < labels.count; i++) {
        if (!sn_str_starts_with(labels.items[i].name, prefix))
            continue;
        struct sn_str name = labels.items[i].name;
        name = sn_str_make(name.ptr + prefix.len, name.len - prefix.len);
        put_param(buf, name, labels.items[i].value, &has_params);
        const struct sn_param *param = find_param(job, name);
        for (size_t k = 1; param != NULL && k < param->values.count; k++)
            put_param(buf, name, sn_str_from(param->values.items[k]), &has_params);
    }
}

static sn_status make_url(struct sn_scrape_target *target, struct sn_labels labels,
                          struct sn_err *err) {
    struct sn_str scheme = sn_labels_get(labels, NAME("scheme"));
    struct sn_str path = sn_labels_get(labels, NAME("metrics_path"));
    struct sn_str address = sn_labels_get(labels, NAME("address"));
    struct sn_buf buf;
    if (!sn_str_equal(scheme, SN_STR("http")) && !sn_str_equal(scheme, SN_STR("https")))
        return sn_err_set(err, SN_ERR_INVALID, "scheme \"%.*s\" is neither http nor https",
                          (int)(scheme.len < 20 ? scheme.len : 20), scheme.ptr ? scheme.ptr : "");
    sn_buf_init(&buf, URL_BYTES_MAX);
    sn_buf_printf(&buf, "%.*s://%.*s", SN_STR_ARG(scheme), SN_STR_ARG(address));
    if (path.len == 0 || path.ptr[0] != '/')
        sn_buf_put_byte(&buf, '/');
    put_escaped(&buf, path, "/!$&'()*+,;=:@");
    put_params(&buf, target->job, labels);
    sn_status status = sn_buf_status(&buf, err);
    if (status == SN_OK) {
        target->url = sn_strndup((const char *)buf.ptr, buf.len);
        if (target->url == NULL)
            status = sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a target");
    }
    sn_buf_release(&buf);
    return status;
}

/* ---- the target ---- */

/* Canonical labels of a draft, on the heap. `labels` borrows from the draft. */
static sn_status keep_labels(struct sn_label_draft *draft, struct sn_str *ret_bytes,
                             struct sn_labels *ret_labels, struct sn_err *err) {
    struct sn_buf buf;
    SN_TRY(sn_labels_make(draft->items, draft->count, ret_labels, err));
    sn_buf_init(&buf, SN_LABELS_BYTES_MAX);
    sn_labels_encode(*ret_labels, &buf);
    sn_status status = sn_buf_status(&buf, err);
    if (status == SN_OK)
        *ret_bytes = sn_buf_str(&buf); /* the buffer's memory is the target's now */
    else
        sn_buf_release(&buf);
    return status;
}

static sn_status check_address(struct sn_str address, struct sn_err *err) {
    if (address.len == 0)
        return sn_err_set(err, SN_ERR_INVALID, "no address");
    for (size_t i = 0; i < address.len; i++)
        if ((unsigned char)address.ptr[i] <= ' ' || strchr("/?#@\\%", address.ptr[i]) != NULL)
            return sn_err_set(err, SN_ERR_INVALID, "\"%.*s\" is not a valid hostname",
                              (int)(address.len < 80 ? address.len : 80), address.ptr);
    return SN_OK;
}

static sn_status read_duration(const struct sn_label_draft *draft, struct sn_str name,
                               int64_t *ret_ms, struct sn_err *err) {
    SN_TRY(sn_duration_parse_ms(sn_label_draft_get(draft, name), ret_ms, err));
    return *ret_ms > 0 ? SN_OK
                       : sn_err_set(err, SN_ERR_INVALID, "%.*s cannot be 0", SN_STR_ARG(name));
}

static sn_status read_schedule(struct sn_scrape_target *target, const struct sn_label_draft *draft,
                               struct sn_err *err) {
    SN_TRY(read_duration(draft, NAME("scrape_interval"), &target->interval_ms, err));
    SN_TRY(read_duration(draft, NAME("scrape_timeout"), &target->timeout_ms, err));
    if (target->timeout_ms > target->interval_ms)
        return sn_err_set(
            err, SN_ERR_INVALID,
            "scrape timeout cannot be greater than scrape interval (%lld ms > %lld ms)",
            (long long)target->timeout_ms, (long long)target->interval_ms);
    return SN_OK;
}

static void drop_prefixed(struct sn_label_draft *draft, struct sn_str prefix) {
    size_t kept = 0;
    for (size_t i = 0; i < draft->count; i++)
        if (!sn_str_starts_with(draft->items[i].name, prefix))
            draft->items[kept++] = draft->items[i];
    draft->count = kept;
}

/* From relabelled labels. */
static sn_status complete(struct sn_scrape_target *target, struct sn_label_draft *draft,
                          struct sn_err *err) {
    struct sn_labels all, labels;
    struct sn_str address = sn_label_draft_get(draft, NAME("address"));
    SN_TRY(check_address(address, err));
    SN_TRY(read_schedule(target, draft, err));
    drop_prefixed(draft, SN_STR("__meta_"));
    SN_TRY(set_default(draft, SN_STR("instance"), address, err));
    SN_TRY(sn_labels_make(draft->items, draft->count, &all, err));
    draft->count = all.count;
    SN_TRY(make_url(target, all, err));
    uint64_t seed = sn_hash_bytes(target->url, strlen(target->url), 0);
    target->identity = sn_labels_hash(all, seed);
    drop_prefixed(draft, SN_STR("__"));
    return keep_labels(draft, &target->labels, &labels, err);
}

sn_status sn_scrape_target_make(const struct sn_scrape_job *job, const char *address,
                                const struct sn_pair_list *labels, struct sn_label_draft *scratch,
                                struct sn_scrape_target **ret_target, struct sn_err *err) {
    struct sn_labels discovered;
    bool is_kept = true;
    struct sn_scrape_target *target = sn_alloc_zero(1, sizeof *target);
    if (target == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a target");
    target->job = job;
    sn_scrape_cache_init(&target->cache);
    sn_status status = set_discovered(scratch, job, address, labels, err);
    if (status == SN_OK)
        status = keep_labels(scratch, &target->discovered, &discovered, err);
    if (status == SN_OK) {
        scratch->count = discovered.count;
        status = sn_relabel(&job->target_rules, scratch, &is_kept, err);
    }
    target->is_dropped = !is_kept || scratch->count == 0;
    if (status == SN_OK && !target->is_dropped)
        status = complete(target, scratch, err);
    if (status != SN_OK) {
        (void)sn_scrape_target_free(target); /* NULL, always */
        return status;
    }
    *ret_target = target;
    return SN_OK;
}

static void free_text(struct sn_str text) {
    sn_free((void *)(uintptr_t)text.ptr); /* ours, const for everybody else */
}

struct sn_scrape_target *sn_scrape_target_free(struct sn_scrape_target *target) {
    if (target == NULL)
        return NULL;
    sn_scrape_cache_release(&target->cache);
    free_text(target->discovered);
    free_text(target->labels);
    sn_free(target->url);
    sn_free(target);
    return NULL;
}

int64_t sn_scrape_target_due_ms(const struct sn_scrape_target *target, int64_t now_ms) {
    int64_t offset_ms = (int64_t)(target->identity % (uint64_t)target->interval_ms);
    int64_t phase_ms = (now_ms - offset_ms) % target->interval_ms;
    if (phase_ms < 0)
        phase_ms += target->interval_ms;
    return phase_ms == 0 ? now_ms : now_ms + target->interval_ms - phase_ms;
}
