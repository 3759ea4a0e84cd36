/*
 * Helpers that every source uses to read its file and to add its samples. See source.h.
 */
#include "collect/source.h"

#include "base/os.h"

/* Label pairs a source may add besides job and instance: builder takes 15 in all. */
#define PAIRS_MAX 12

static sn_status read_below(struct sn_gather *gather, const char *root, const char *name,
                            struct sn_str *ret_text, struct sn_err *err) {
    char *path = sn_arena_printf(&gather->batch.arena, "%s/%s", root, name);
    if (path == NULL)
        return sn_arena_failure(&gather->batch.arena, strlen(root) + strlen(name) + 2, err);
    sn_buf_reset(&gather->file);
    SN_TRY(sn_os_read_file(path, &gather->file, err));
    *ret_text = sn_buf_str(&gather->file);
    return SN_OK;
}

sn_status sn_gather_read_proc(struct sn_gather *gather, const char *name, struct sn_str *ret_text,
                              struct sn_err *err) {
    return read_below(gather, gather->roots.proc, name, ret_text, err);
}

sn_status sn_gather_read_sys(struct sn_gather *gather, const char *name, struct sn_str *ret_text,
                             struct sn_err *err) {
    return read_below(gather, gather->roots.sys, name, ret_text, err);
}

/* A mount point or device name may hold any bytes; a label value is UTF-8. */
static sn_status make_utf8(struct sn_gather *gather, struct sn_str *value, struct sn_err *err) {
    if (sn_str_is_utf8(*value))
        return SN_OK;
    char *copy = sn_arena_alloc(&gather->batch.arena, value->len);
    if (copy == NULL)
        return sn_arena_failure(&gather->batch.arena, value->len, err);
    for (size_t i = 0; i < value->len; i++)
        copy[i] = (unsigned char)value->ptr[i] < 0x80 ? value->ptr[i] : '?';
    value->ptr = copy;
    return SN_OK;
}

sn_status sn_gather_add(struct sn_gather *gather, struct sn_str name, const struct sn_str *pairs,
                        size_t pair_count, double value, struct sn_err *err) {
    assert(pair_count <= PAIRS_MAX);
    struct sn_str all[2 * (PAIRS_MAX + 2)];
    size_t used = 0;
    for (size_t i = 0; i < pair_count; i++) {
        all[used] = pairs[2 * i];
        all[used + 1] = pairs[2 * i + 1];
        SN_TRY(make_utf8(gather, &all[used + 1], err));
        used += 2;
    }
    all[used++] = SN_STR("job");
    all[used++] = gather->job;
    all[used++] = SN_STR("instance");
    all[used++] = gather->instance;
    return sn_batch_builder_add_pairs(&gather->batch, name, all, used / 2, gather->time_ms, value,
                                      err);
}

sn_status sn_gather_add_plain(struct sn_gather *gather, const char *name, double value,
                              struct sn_err *err) {
    return sn_gather_add(gather, sn_str_from(name), NULL, 0, value, err);
}

sn_status sn_gather_add_labelled(struct sn_gather *gather, const char *name, struct sn_str label,
                                 struct sn_str label_value, double value, struct sn_err *err) {
    const struct sn_str pair[2] = {label, label_value};
    return sn_gather_add(gather, sn_str_from(name), pair, 1, value, err);
}
