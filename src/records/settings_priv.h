/*
 * The table of functions that a database offers for settings. settings.c has the lock, the limits and
 * the sentences, lite_settings.c SQLite, postgres_settings.c PostgreSQL.
 */
#ifndef SN_RECORDS_SETTINGS_PRIV_H
#define SN_RECORDS_SETTINGS_PRIV_H

#include "base/lock.h"
#include "records/pg_link.h"
#include "records/settings.h"
#include "records/sqlite.h"

/* The functions of settings.h, called with the lock held. SN_ERR_LIMIT (of put: too many keys) and
 * SN_ERR_NOT_FOUND come without a sentence: settings.c writes it. */
struct sn_settings_ops {
    void (*close)(struct sn_settings *settings);
    sn_status (*put)(struct sn_settings *settings, struct sn_str key, struct sn_str value,
                     struct sn_err *err);
    sn_status (*get)(struct sn_settings *settings, struct sn_str key, struct sn_arena *arena,
                     struct sn_str *ret_value, struct sn_err *err);
    sn_status (*remove)(struct sn_settings *settings, struct sn_str key, struct sn_err *err);
    sn_status (*list)(struct sn_settings *settings, struct sn_str prefix, struct sn_arena *arena,
                      struct sn_setting_list *ret_list, struct sn_err *err);
};

struct sn_settings {
    const struct sn_settings_ops *ops;
    struct sn_mutex mu;     /* guards what follows */
    sqlite3 *db;            /* SQLite's */
    struct sn_pg_link link; /* PostgreSQL's */
};

/* Settings without a database. NULL without memory. */
struct sn_settings *sn_settings_new(const struct sn_settings_ops *ops, struct sn_err *err);

/* A list in the making. */
struct sn_setting_listing {
    struct sn_arena *arena;
    struct sn_setting_list list;
    size_t capacity;
};

/* One more, copied into the arena. SN_ERR_LIMIT, SN_ERR_NO_MEMORY: as sn_arena_failure says it. */
sn_status sn_setting_listing_add(struct sn_setting_listing *listing, struct sn_str key,
                                 struct sn_str value, struct sn_err *err) SN_MUST_USE;

#endif
