/*
 * The last day of all applications. See day.h.
 */
#include "engine/day.h"

#include <stdlib.h>

#define HOURS (2 * SN_DAY_HOURS)
#define GROUPS_MAX 1000 /* newest groups of errors that are asked when a class was first seen */

/* One hour of one application, to be summed up after the visit: a visit holds the database. */
struct piece {
    struct sn_str app;
    int64_t hour;
};

struct reading {
    struct sn_records *records;
    struct sn_arena *arena;
    struct sn_err *err;
    int64_t first_hour; /* of HOURS */
    struct piece *pieces;
    size_t piece_count, piece_capacity;
    struct sn_day *day;
    size_t class_capacity;
};

static sn_status visit_hour(void *ctx, struct sn_str app, int64_t hour, struct sn_str summary,
                            struct sn_err *err) {
    struct reading *reading = ctx;
    (void)summary; /* sn_usage_read takes it, when there is one */
    SN_TRY(sn_arena_grow(reading->arena, &reading->pieces, reading->piece_count,
                         &reading->piece_capacity, sizeof *reading->pieces, err));
    struct piece *piece = &reading->pieces[reading->piece_count];
    piece->hour = hour;
    if (!sn_arena_copy(reading->arena, app, &piece->app))
        return sn_arena_failure(reading->arena, app.len, err);
    reading->piece_count++;
    return SN_OK;
}

static sn_status find_class(struct reading *reading, struct sn_str name,
                            struct sn_day_class **ret_class) {
    struct sn_day *day = reading->day;
    for (size_t i = 0; i < day->class_count; i++)
        if (sn_str_equal(day->classes[i].name, name)) {
            *ret_class = &day->classes[i];
            return SN_OK;
        }
    *ret_class = NULL;
    if (day->class_count == SN_USAGE_ERRORS_MAX)
        return SN_OK; /* counted in today.error_count, not told apart */
    SN_TRY(sn_arena_grow(reading->arena, &day->classes, day->class_count, &reading->class_capacity,
                         sizeof *day->classes, reading->err));
    struct sn_day_class *added = &day->classes[day->class_count];
    if (!sn_arena_copy(reading->arena, name, &added->name))
        return sn_arena_failure(reading->arena, name.len, reading->err);
    day->class_count++;
    *ret_class = added;
    return SN_OK;
}

static sn_status add_errors(struct reading *reading, const struct sn_usage *usage, size_t hour) {
    for (size_t i = 0; i < usage->errors.count; i++) {
        const struct sn_topk_entry *entry = &usage->errors.entries[i];
        struct sn_day_class *found;
        SN_TRY(find_class(reading, entry->key, &found));
        if (found == NULL)
            continue;
        found->count += entry->count;
        found->hours[hour] += entry->count;
        if (found->first_ms == 0 || entry->first_ms < found->first_ms)
            found->first_ms = entry->first_ms;
        if (entry->last_ms > found->last_ms)
            found->last_ms = entry->last_ms;
    }
    return SN_OK;
}

static sn_status add_piece(struct reading *reading, const struct piece *piece) {
    int64_t hour = piece->hour - reading->first_hour;
    const struct sn_range_ms range = {piece->hour * SN_HOUR_MS, (piece->hour + 1) * SN_HOUR_MS};
    if (hour < 0 || hour >= HOURS)
        return SN_OK;
    struct sn_usage *usage = sn_usage_new();
    if (usage == NULL)
        return sn_err_set(reading->err, SN_ERR_NO_MEMORY, "no memory to sum up events");
    sn_status status = sn_usage_read(reading->records, piece->app, range, usage, reading->err);
    if (status == SN_OK && hour >= SN_DAY_HOURS) {
        sn_usage_totals_add(&reading->day->today, &usage->totals);
        status = add_errors(reading, usage, (size_t)hour - SN_DAY_HOURS);
    } else if (status == SN_OK) {
        sn_usage_totals_add(&reading->day->before, &usage->totals);
    }
    (void)sn_usage_free(usage); /* NULL, always */
    return status;
}

/* When classes were seen first, from the groups of errors. */
static sn_status date_classes(struct reading *reading) {
    struct sn_error_list list;
    const struct sn_error_filter filter = {.limit = GROUPS_MAX};
    if (reading->day->class_count == 0)
        return SN_OK;
    SN_TRY(sn_records_list_errors(reading->records, &filter, reading->arena, &list, reading->err));
    for (size_t i = 0; i < list.count; i++)
        for (size_t j = 0; j < reading->day->class_count; j++) {
            struct sn_day_class *known = &reading->day->classes[j];
            if (sn_str_equal(known->name, list.items[i].error_class) &&
                list.items[i].first_ms < known->first_ms)
                known->first_ms = list.items[i].first_ms;
        }
    return SN_OK;
}

static int by_count(const void *left, const void *right) {
    const struct sn_day_class *a = left, *b = right;
    if (a->count != b->count)
        return (a->count < b->count) - (a->count > b->count);
    return sn_str_compare(a->name, b->name);
}

static sn_status read_all(struct reading *reading) {
    const struct sn_usage_visitor visitor = {.ctx = reading, .visit = visit_hour};
    const struct sn_range_ms range = {reading->first_hour * SN_HOUR_MS,
                                      (reading->first_hour + HOURS) * SN_HOUR_MS};
    SN_TRY(sn_records_scan_usage(reading->records, SN_STR(""), range, &visitor, reading->err));
    for (size_t i = 0; i < reading->piece_count; i++)
        SN_TRY(add_piece(reading, &reading->pieces[i]));
    SN_TRY(date_classes(reading));
    struct sn_day *day = reading->day;
    if (day->class_count > 0)
        qsort(day->classes, day->class_count, sizeof *day->classes, by_count);
    if (day->class_count > SN_DAY_CLASSES_MAX)
        day->class_count = SN_DAY_CLASSES_MAX;
    return SN_OK;
}

sn_status sn_day_read(struct sn_records *records, int64_t now_ms, struct sn_arena *arena,
                      struct sn_day *ret_day, struct sn_err *err) {
    struct sn_day day = {.class_count = 0};
    struct reading reading = {.records = records, .arena = arena, .err = err, .day = &day};
    reading.first_hour = now_ms / SN_HOUR_MS - HOURS + 1;
    if (records != NULL)
        SN_TRY(read_all(&reading));
    *ret_day = day;
    return SN_OK;
}

sn_status sn_day_copy(const struct sn_day *day, struct sn_arena *arena, struct sn_day *ret_copy,
                      struct sn_err *err) {
    struct sn_day copy = *day;
    copy.classes = sn_arena_alloc_zero(arena, day->class_count + 1, sizeof *copy.classes);
    bool is_copied = copy.classes != NULL;
    for (size_t i = 0; is_copied && i < day->class_count; i++) {
        copy.classes[i] = day->classes[i];
        is_copied = sn_arena_copy(arena, day->classes[i].name, &copy.classes[i].name);
    }
    if (!is_copied)
        return sn_arena_failure(arena, day->class_count * sizeof *copy.classes, err);
    *ret_copy = copy;
    return SN_OK;
}
