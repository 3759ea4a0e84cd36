/*
 * Events of applications: what a user did, how it ended, what it made. And the groups of errors
 * that come of them. Text is UTF-8 without NUL.
 */
#ifndef SN_RECORDS_APP_EVENT_H
#define SN_RECORDS_APP_EVENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SN_EVENT_NAME_BYTES_MAX 128 /* app, type, user_id, kind, category, error type, class */
#define SN_EVENT_ITEM_BYTES_MAX 256 /* id and name of an item */
#define SN_EVENT_MESSAGE_BYTES_MAX 4096
#define SN_EVENT_METADATA_BYTES_MAX 16384
#define SN_EVENT_ITEMS_MAX 100
#define SN_EVENT_BATCH_MAX 1000
#define SN_EVENT_COUNT_MAX (INT64_C(1) << 40) /* of one item */

enum sn_outcome { SN_OUTCOME_OK = 0, SN_OUTCOME_ERROR = 1, SN_OUTCOME_ABORTED = 2 };
const char *sn_outcome_name(enum sn_outcome outcome); /* "ok", "error", "aborted" */

struct sn_app_event_item {
    struct sn_str kind; /* "pose" */
    struct sn_str id;
    struct sn_str name;
    struct sn_str category;
    int64_t count; /* how often it was used, at least 1 */
};

struct sn_app_event {
    int64_t time_ms;
    struct sn_str app;     /* "pose-generator" */
    struct sn_str type;    /* "generation"; of an error: the operation */
    struct sn_str user_id; /* empty: nobody */
    enum sn_outcome outcome;
    bool has_duration;
    double duration_ms;
    double quantity;                       /* items made */
    double credits;                        /* used; negative: refunded */
    const struct sn_app_event_item *items; /* [item_count] */
    size_t item_count;
    struct sn_str error_message;
    struct sn_str error_type;
    struct sn_str error_class; /* given by the server; empty: no error */
    struct sn_str error_group; /* the message without what differs */
    struct sn_str metadata;    /* one JSON object; empty: none */
};

/* Limits, UTF-8, finite numbers. SN_ERR_INVALID, SN_ERR_LIMIT, with a sentence. */
sn_status sn_app_event_check(const struct sn_app_event *event, struct sn_err *err) SN_MUST_USE;

/* Items as bytes for the database: per item a varint count and four texts behind varint lengths. */
void sn_app_event_items_encode(const struct sn_app_event_item *items, size_t count,
                               struct sn_buf *buf);
/* Foreign bytes: SN_ERR_CORRUPT, SN_ERR_NO_MEMORY, SN_ERR_LIMIT. Texts point into the bytes. */
sn_status sn_app_event_items_decode(struct sn_str bytes, struct sn_arena *arena,
                                    const struct sn_app_event_item **ret_items, size_t *ret_count,
                                    struct sn_err *err) SN_MUST_USE;

/* Called for each event; texts are valid during the call. */
struct sn_app_event_visitor {
    void *ctx;
    sn_status (*visit)(void *ctx, const struct sn_app_event *event, struct sn_err *err);
};

/* ---- groups of errors ---- */

struct sn_error_group {
    int64_t id;
    struct sn_str app;
    struct sn_str operation;
    struct sn_str error_class;
    struct sn_str message; /* without what differs */
    struct sn_str sample;  /* the newest message as it came */
    struct sn_str sample_type;
    uint64_t count;
    uint64_t user_count;
    uint64_t reopened_count;
    int64_t first_ms;
    int64_t last_ms;
    int64_t resolved_ms; /* 0: open */
};

enum sn_error_state { SN_ERROR_ANY = 0, SN_ERROR_OPEN = 1, SN_ERROR_RESOLVED = 2 };

struct sn_error_filter {
    struct sn_str app;         /* empty: all */
    struct sn_str error_class; /* empty: all */
    enum sn_error_state state;
    int64_t id;   /* 0: all */
    size_t limit; /* newest first */
};

struct sn_error_list {
    struct sn_error_group *items; /* [count] in the arena */
    size_t count;
};

#endif
