/*
 * Documents by key over either database. See settings.h.
 */
#include "records/settings_priv.h"

/* ---- life ---- */

struct sn_settings *sn_settings_new(const struct sn_settings_ops *ops, struct sn_err *err) {
    struct sn_settings *settings = sn_alloc_zero(1, sizeof *settings);
    if (settings == NULL) {
        (void)sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the settings"); /* NULL says it */
        return NULL;
    }
    sn_mutex_init(&settings->mu, SN_RANK_ACCOUNTS, "settings");
    settings->ops = ops;
    return settings;
}

struct sn_settings *sn_settings_close(struct sn_settings *settings) {
    if (settings == NULL)
        return NULL;
    settings->ops->close(settings);
    sn_mutex_release(&settings->mu);
    sn_free(settings);
    return NULL;
}

sn_status sn_setting_listing_add(struct sn_setting_listing *listing, struct sn_str key,
                                 struct sn_str value, struct sn_err *err) {
    struct sn_setting_list *list = &listing->list;
    SN_TRY(sn_arena_grow(listing->arena, &list->items, list->count, &listing->capacity,
                         sizeof *list->items, err));
    struct sn_setting *item = &list->items[list->count++];
    if (!sn_arena_copy(listing->arena, key, &item->key) ||
        !sn_arena_copy(listing->arena, value, &item->value))
        return sn_arena_failure(listing->arena, SN_SETTING_VALUE_BYTES_MAX, err);
    return SN_OK;
}

/* ---- documents ---- */

static sn_status check(struct sn_str key, struct sn_str value, struct sn_err *err) {
    if (key.len == 0 || key.len > SN_SETTING_KEY_BYTES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "the key of a setting has %zu bytes, it needs 1 to %d",
                          key.len, SN_SETTING_KEY_BYTES_MAX);
    if (value.len > SN_SETTING_VALUE_BYTES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "the setting has %zu bytes, the limit is %d",
                          value.len, SN_SETTING_VALUE_BYTES_MAX);
    return SN_OK;
}

sn_status sn_settings_put(struct sn_settings *settings, struct sn_str key, struct sn_str value,
                          struct sn_err *err) {
    SN_TRY(check(key, value, err));
    sn_mutex_lock(&settings->mu);
    sn_status status = settings->ops->put(settings, key, value, err);
    sn_mutex_unlock(&settings->mu);
    if (status == SN_ERR_LIMIT)
        return sn_err_set(err, status, "there are %d settings already, the limit", SN_SETTINGS_MAX);
    return status;
}

static sn_status not_found(struct sn_str key, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no setting \"%.*s\"",
                      (int)(key.len < 80 ? key.len : 80), key.ptr != NULL ? key.ptr : "");
}

sn_status sn_settings_get(struct sn_settings *settings, struct sn_str key, struct sn_arena *arena,
                          struct sn_str *ret_value, struct sn_err *err) {
    sn_mutex_lock(&settings->mu);
    sn_status status = settings->ops->get(settings, key, arena, ret_value, err);
    sn_mutex_unlock(&settings->mu);
    return status == SN_ERR_NOT_FOUND ? not_found(key, err) : status;
}

sn_status sn_settings_remove(struct sn_settings *settings, struct sn_str key, struct sn_err *err) {
    sn_mutex_lock(&settings->mu);
    sn_status status = settings->ops->remove(settings, key, err);
    sn_mutex_unlock(&settings->mu);
    return status == SN_ERR_NOT_FOUND ? not_found(key, err) : status;
}

sn_status sn_settings_list(struct sn_settings *settings, struct sn_str prefix,
                           struct sn_arena *arena, struct sn_setting_list *ret_list,
                           struct sn_err *err) {
    sn_mutex_lock(&settings->mu);
    sn_status status = settings->ops->list(settings, prefix, arena, ret_list, err);
    sn_mutex_unlock(&settings->mu);
    return status;
}
