/*
 * Patterns of file names. See glob.h.
 */
#include "collect/glob.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/os.h"

#include <fnmatch.h>
#include <stdlib.h>

#define NAMES_BYTES_MAX ((size_t)16 << 20)

/* Names that match, while a directory is listed. */
struct names {
    const char *pattern; /* of the last part */
    struct sn_arena arena;
    const char *items[SN_GLOB_FILES_MAX];
    size_t count;
    bool is_over, is_out_of_memory;
};

static bool add_name(void *ctx, const char *name) {
    struct names *names = ctx;
    if (fnmatch(names->pattern, name, FNM_PERIOD | FNM_NOESCAPE) != 0)
        return true;
    names->is_over = names->count == SN_GLOB_FILES_MAX;
    if (names->is_over)
        return false;
    names->items[names->count] = sn_arena_printf(&names->arena, "%s", name);
    names->is_out_of_memory = names->items[names->count] == NULL;
    names->count += !names->is_out_of_memory;
    return !names->is_out_of_memory;
}

static int compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static sn_status visit_all(struct names *names, const char *dir, size_t dir_len,
                           sn_status (*visit)(void *, const char *, struct sn_err *), void *ctx,
                           struct sn_err *err) {
    qsort(names->items, names->count, sizeof names->items[0], compare);
    for (size_t i = 0; i < names->count; i++) {
        char *path = sn_arena_printf(&names->arena, "%.*s%s", (int)dir_len, dir, names->items[i]);
        if (path == NULL)
            return sn_arena_failure(&names->arena, dir_len + strlen(names->items[i]), err);
        SN_TRY(visit(ctx, path, err));
    }
    return SN_OK;
}

static sn_status list(struct names *names, const char *dir, const char *pattern,
                      struct sn_err *err) {
    sn_status status = sn_os_list_dir(dir, add_name, names, err);
    if (status == SN_ERR_NOT_FOUND)
        return SN_OK;
    SN_TRY(status);
    if (names->is_over)
        return sn_err_set(err, SN_ERR_LIMIT, "%s: more than %d files", pattern, SN_GLOB_FILES_MAX);
    return names->is_out_of_memory ? sn_arena_failure(&names->arena, 0, err) : SN_OK;
}

sn_status sn_glob(const char *pattern,
                  sn_status (*visit)(void *ctx, const char *path, struct sn_err *err), void *ctx,
                  struct sn_err *err) {
    struct stat facts;
    const char *slash = strrchr(pattern, '/');
    const char *last = slash != NULL ? slash + 1 : pattern;
    size_t dir_len = (size_t)(last - pattern);
    if (strpbrk(last, "*?[") == NULL)
        return sn_os_stat(pattern, &facts) == 0 ? visit(ctx, pattern, err) : SN_OK;
    struct names *names = sn_alloc_zero(1, sizeof *names);
    if (names == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to look for %s", pattern);
    sn_arena_init(&names->arena, NAMES_BYTES_MAX);
    names->pattern = last;
    const char *dir =
        dir_len == 0 ? "." : sn_arena_printf(&names->arena, "%.*s", (int)dir_len, pattern);
    sn_status status = dir == NULL ? sn_arena_failure(&names->arena, dir_len, err)
                                   : list(names, dir, pattern, err);
    if (status == SN_OK)
        status = visit_all(names, pattern, dir_len, visit, ctx, err);
    sn_arena_release(&names->arena);
    sn_free(names);
    return status;
}
