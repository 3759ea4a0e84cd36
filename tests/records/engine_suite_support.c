/* See engine_suite_support.h. */
#include "engine_suite_support.h"

#include "base/limits.h"
#include "base/rng.h"

#include <stdlib.h>

#define EVIL "'); DROP TABLE record; DROP TABLE system_metrics; --\"`\\$1 \xc3\xa9"

/* ---- records ---- */

enum { COUNT = 300 };

static struct sn_record *fill(struct test_place *place) {
    static const char *const names[] = {"n0", "n1", "n2", "n3", "n4"};
    static const char *const services[] = {"s0", "s1", ""};
    struct sn_record *records = calloc(COUNT, sizeof *records);
    struct sn_rng rng;
    assert_non_null(records);
    sn_rng_init(&rng, 5);
    for (size_t i = 0; i < COUNT; i++) {
        records[i] =
            test_record(names[sn_rng_below(&rng, 5)], (int64_t)sn_rng_below(&rng, 40), (double)i);
        records[i].service = sn_str_from(services[sn_rng_below(&rng, 3)]);
    }
    assert_int_equal(test_commit(place, records, COUNT), SN_OK);
    return records;
}

static bool passes(const struct sn_record *record, const struct sn_record_filter *filter) {
    return (filter->name.len == 0 || sn_str_equal(filter->name, record->name)) &&
           (filter->service.len == 0 || sn_str_equal(filter->service, record->service)) &&
           (filter->metric_type.len == 0 ||
            sn_str_equal(filter->metric_type, record->metric_type)) &&
           record->time_ms >= filter->start_ms && record->time_ms <= filter->end_ms;
}

static struct sn_record_list list(struct test_place *place, const struct sn_record_page *page) {
    struct sn_record_list found;
    struct sn_err err = {.status = SN_OK};
    if (place->engine.ops->list(place->engine.ctx, page, &place->arena, &found, &err) != SN_OK)
        fail_msg("%s", err.text);
    return found;
}

static void walk(struct test_place *place, const struct sn_record *records,
                 struct sn_record_page page) {
    bool seen[COUNT] = {false};
    size_t count = 0, expected = 0;
    int64_t last_ms = INT64_MAX;
    struct sn_record_list found;
    do {
        found = list(place, &page);
        assert_true(found.count <= page.limit);
        for (size_t i = 0; i < found.count; i++, count++) {
            const struct sn_record *item = &found.items[i];
            size_t number = (size_t)item->value;
            assert_true(passes(item, &page.filter) && !seen[number] && item->time_ms <= last_ms);
            assert_memory_equal(item->id.bytes, records[number].id.bytes, sizeof item->id.bytes);
            seen[number] = true;
            last_ms = item->time_ms;
        }
        if (found.has_more)
            page.cursor = found.items[found.count - 1].id;
        page.has_cursor = found.has_more;
    } while (found.has_more);
    for (size_t i = 0; i < COUNT; i++)
        expected += passes(&records[i], &page.filter);
    assert_int_equal(count, expected);
}

void suite_pages_hold_every_record_once_newest_first(struct test_place *place) {
    struct sn_record *records = fill(place);
    const size_t limits[] = {7, 100, 1000};
    for (size_t i = 0; i < 3; i++) {
        struct sn_record_page page = test_page(limits[i]);
        walk(place, records, page);
        page.filter.name = SN_STR("n3");
        walk(place, records, page);
        page.filter.service = SN_STR("s1");
        page.filter.metric_type = SN_STR("t");
        walk(place, records, page);
        page.filter =
            (struct sn_record_filter){.start_ms = TEST_NOW_MS + 10, .end_ms = TEST_NOW_MS + 20};
        walk(place, records, page);
        page.filter.service = SN_STR("none");
        walk(place, records, page);
    }
    free(records);
}

void suite_records_come_back_whole(struct test_place *place) {
    struct sn_record record = test_record("a", 1, 0.1), found;
    record.metric_type = SN_STR("success_rate");
    record.metadata = SN_STR("{\"a\": [1, \"\\ud83d\\ude00\", 1e300]}");
    record.description = SN_STR("d");
    record.has_counts = true;
    record.ok_count = 1;
    record.total_count = SN_RECORD_COUNT_MAX;
    assert_int_equal(test_commit(place, &record, 1), SN_OK);
    assert_int_equal(
        place->engine.ops->get(place->engine.ctx, &record.id, &place->arena, &found, NULL), SN_OK);
    assert_true(sn_str_equal(found.metadata, record.metadata));
    assert_true(sn_str_equal(found.description, SN_STR("d")));
    assert_true(sn_str_equal(found.unit, SN_STR("u")));
    assert_true(sn_str_equal(found.service, SN_STR("s")));
    assert_int_equal(found.time_ms, record.time_ms);
    assert_true(found.value == 0.1 && found.has_counts && found.ok_count == 1);
    assert_int_equal(found.total_count, SN_RECORD_COUNT_MAX);
    struct sn_record_id id = sn_record_id_random(record.time_ms, 1, 2);
    assert_int_equal(place->engine.ops->get(place->engine.ctx, &id, &place->arena, &found, NULL),
                     SN_ERR_NOT_FOUND);
    assert_int_equal(place->engine.ops->ping(place->engine.ctx, NULL), SN_OK);
}

static sn_status add_up(void *ctx, const struct sn_record *record, struct sn_err *err) {
    double *sums = ctx;
    (void)err;
    sums[0] += record->value;
    sums[1] += record->has_counts ? (double)record->ok_count : 0;
    sums[2] += record->has_counts ? (double)record->total_count : 0;
    sums[3] += 1;
    return SN_OK;
}

void suite_values_are_scanned_with_their_counts(struct test_place *place) {
    double sums[4] = {0};
    const struct sn_record_visitor visitor = {sums, add_up};
    struct sn_record rows[] = {test_record("a", 0, 1), test_record("a", 1, 2),
                               test_record("b", 1, 4), test_record("a", 9, 8)};
    rows[1].metric_type = SN_STR("success_rate");
    rows[1].has_counts = true;
    rows[1].ok_count = 3;
    rows[1].total_count = 5;
    assert_int_equal(test_commit(place, rows, 4), SN_OK);
    const struct sn_record_filter filter = {
        .name = SN_STR("a"), .start_ms = TEST_NOW_MS, .end_ms = TEST_NOW_MS + 1};
    assert_int_equal(place->engine.ops->scan(place->engine.ctx, &filter, &visitor, NULL), SN_OK);
    assert_true(sums[0] == 3 && sums[1] == 3 && sums[2] == 5 && sums[3] == 2);
}

static size_t purge(struct test_place *place, const struct sn_engine_purge *what) {
    size_t count = 0;
    struct sn_err err = {.status = SN_OK};
    if (place->engine.ops->purge(place->engine.ctx, what, &count, &err) != SN_OK)
        fail_msg("%s", err.text);
    return count;
}

void suite_records_are_purged_by_age_and_type(struct test_place *place) {
    struct sn_record records[20];
    for (int i = 0; i < 20; i++) {
        records[i] = test_record("a", i, 1);
        if (i % 2 == 0)
            records[i].metric_type = SN_STR("even");
    }
    assert_int_equal(test_commit(place, records, 20), SN_OK);
    struct sn_engine_purge what = {
        .before_ms = TEST_NOW_MS + 10, .metric_type = SN_STR("even"), .row_max = 3};
    assert_int_equal(purge(place, &what), 3);
    assert_int_equal(purge(place, &what), 2);
    const struct sn_str even = SN_STR("even");
    what = (struct sn_engine_purge){
        .before_ms = TEST_NOW_MS + 100, .excepts = &even, .except_count = 1, .row_max = 100};
    assert_int_equal(purge(place, &what), 10);
    const struct sn_record_page page = test_page(100);
    assert_int_equal(list(place, &page).count, 5);
}

void suite_sql_in_every_field_is_only_text(struct test_place *place) {
    struct sn_record found;
    struct sn_record record = {.metric_type = SN_STR(EVIL),
                               .name = SN_STR(EVIL),
                               .service = SN_STR(EVIL),
                               .unit = SN_STR(EVIL),
                               .description = SN_STR(EVIL),
                               .metadata = SN_STR("{\"a\":\"'); DROP TABLE record; --\"}"),
                               .time_ms = TEST_NOW_MS};
    assert_int_equal(test_commit(place, &record, 1), SN_OK);
    assert_int_equal(
        place->engine.ops->get(place->engine.ctx, &record.id, &place->arena, &found, NULL), SN_OK);
    const struct sn_str texts[] = {found.metric_type, found.name, found.service, found.unit,
                                   found.description};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_true(sn_str_equal(texts[i], SN_STR(EVIL)));
    struct sn_record_page page = test_page(10);
    page.filter.name = SN_STR(EVIL);
    assert_int_equal(list(place, &page).count, 1);
    page.filter.name = SN_STR("' OR 1=1 --");
    assert_int_equal(list(place, &page).count, 0);
}

/* ---- events ---- */

struct seen {
    size_t count;
    struct sn_app_event last; /* without texts */
    char user_id[16], item[16], message[16];
    int64_t hours[8];
    bool has_summary[8];
};

static void keep(char *target, struct sn_str text) {
    if (text.len > 0)
        memcpy(target, text.ptr, text.len < 15 ? text.len : 15);
}

static sn_status see_event(void *ctx, const struct sn_app_event *event, struct sn_err *err) {
    struct seen *seen = ctx;
    (void)err;
    seen->count++;
    seen->last = *event;
    keep(seen->user_id, event->user_id);
    keep(seen->message, event->error_message);
    if (event->item_count > 0)
        keep(seen->item, event->items[0].name);
    return SN_OK;
}

static sn_status see_hour(void *ctx, struct sn_str app, int64_t hour, struct sn_str summary,
                          struct sn_err *err) {
    struct seen *seen = ctx;
    (void)err;
    assert_true(sn_str_equal(app, SN_STR("a")));
    assert_true(seen->count < 8);
    seen->hours[seen->count] = hour;
    seen->has_summary[seen->count++] = summary.ptr != NULL;
    return SN_OK;
}

static struct seen scan(struct test_place *place, int64_t start_ms, int64_t end_ms) {
    struct seen seen = {0};
    const struct sn_app_event_visitor visitor = {&seen, see_event};
    const struct sn_range_ms range = {TEST_NOW_MS + start_ms, TEST_NOW_MS + end_ms};
    assert_int_equal(
        place->engine.ops->scan_events(place->engine.ctx, SN_STR("a"), range, &visitor, NULL),
        SN_OK);
    return seen;
}

static struct seen scan_hours(struct test_place *place, const char *app) {
    struct seen seen = {0};
    const struct sn_usage_visitor visitor = {&seen, see_hour};
    const struct sn_range_ms range = {0, TEST_NOW_MS + 100 * SN_HOUR_MS};
    assert_int_equal(
        place->engine.ops->scan_usage(place->engine.ctx, sn_str_from(app), range, &visitor, NULL),
        SN_OK);
    return seen;
}

static void add(struct test_place *place, const struct sn_app_event *events, size_t count) {
    struct sn_engine_write write = {.events = events, .event_count = count};
    assert_int_equal(test_commit_write(place, &write), SN_OK);
}

void suite_events_come_back_whole(struct test_place *place) {
    static const struct sn_app_event_item item = {SN_STR("k"), SN_STR("i"), SN_STR("n"),
                                                  SN_STR("c"), 2};
    struct sn_app_event event = test_event("u1", 0, "m");
    event.has_duration = true;
    event.duration_ms = 1.5;
    event.quantity = 2;
    event.credits = -3;
    event.items = &item;
    event.item_count = 1;
    event.outcome = SN_OUTCOME_ABORTED;
    event.metadata = SN_STR("{}");
    add(place, &event, 1);
    struct seen seen = scan(place, 0, 1);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.user_id, "u1");
    assert_string_equal(seen.item, "n");
    assert_string_equal(seen.message, "m");
    assert_true(seen.last.has_duration && seen.last.duration_ms == 1.5);
    assert_true(seen.last.quantity == 2 && seen.last.credits == -3);
    assert_int_equal(seen.last.outcome, SN_OUTCOME_ABORTED);
    assert_int_equal(scan(place, 1, 100).count, 0);
    assert_int_equal(scan(place, -100, 0).count, 0);
    struct sn_app_event plain = test_event("", 1, NULL);
    add(place, &plain, 1);
    seen = scan(place, 1, 2);
    assert_int_equal(seen.count, 1);
    assert_false(seen.last.has_duration);
    assert_int_equal(seen.last.error_class.len, 0);
}

void suite_hours_are_marked_until_their_summary_fits(struct test_place *place) {
    const int64_t hour = TEST_NOW_MS / SN_HOUR_MS;
    const struct sn_app_event events[] = {test_event("u", 0, NULL), test_event("u", 1, NULL)};
    add(place, events, 2);
    struct seen seen = scan_hours(place, "a");
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.hours[0], hour);
    assert_false(seen.has_summary[0]);
    assert_int_equal(scan_hours(place, "").count, 1);
    struct sn_engine_usage usage = {SN_STR("a"), hour, SN_STR("sum"), 1};
    struct sn_engine_write write = {.usage = &usage};
    assert_int_equal(test_commit_write(place, &write), SN_ERR_BUSY);
    usage.event_count = 2;
    write = (struct sn_engine_write){.usage = &usage};
    assert_int_equal(test_commit_write(place, &write), SN_OK);
    seen = scan_hours(place, "a");
    assert_int_equal(seen.count, 1);
    assert_true(seen.has_summary[0]);
    assert_int_equal(scan_hours(place, "").count, 0);
    add(place, events, 1); /* late */
    seen = scan_hours(place, "a");
    assert_int_equal(seen.count, 1);
    assert_false(seen.has_summary[0]);
}

/* ---- errors ---- */

static struct sn_error_list errors(struct test_place *place, struct sn_error_filter filter) {
    struct sn_error_list found;
    filter.limit = 100;
    assert_int_equal(
        place->engine.ops->list_errors(place->engine.ctx, &filter, &place->arena, &found, NULL),
        SN_OK);
    return found;
}

static sn_status resolve(struct test_place *place, int64_t id, bool is_resolved,
                         int64_t offset_ms) {
    const struct sn_engine_error_change change = {id, is_resolved, TEST_NOW_MS + offset_ms};
    struct sn_engine_write write = {.error_change = &change};
    return test_commit_write(place, &write);
}

void suite_errors_group_resolve_and_reopen(struct test_place *place) {
    const struct sn_app_event events[] = {test_event("u1", 5, "x"), test_event("u2", 9, "x"),
                                          test_event("u1", 1, "x"), test_event("", 2, "x"),
                                          test_event("u1", 7, "y")};
    add(place, events, 5);
    struct sn_error_list found = errors(place, (struct sn_error_filter){.app = SN_STR("a")});
    assert_int_equal(found.count, 2);
    const struct sn_error_group *group = &found.items[0];
    assert_true(sn_str_equal(group->message, SN_STR("x")));
    assert_int_equal(group->count, 4);
    assert_int_equal(group->user_count, 2);
    assert_int_equal(group->first_ms, TEST_NOW_MS + 1);
    assert_int_equal(group->last_ms, TEST_NOW_MS + 9);
    assert_int_equal(group->resolved_ms, 0);
    int64_t id = group->id;
    assert_int_equal(resolve(place, id, true, 10), SN_OK);
    assert_int_equal(errors(place, (struct sn_error_filter){.state = SN_ERROR_RESOLVED}).count, 1);
    assert_int_equal(errors(place, (struct sn_error_filter){.state = SN_ERROR_OPEN}).count, 1);
    const struct sn_app_event older = test_event("u1", 6, "x"), newer = test_event("u1", 11, "x");
    add(place, &older, 1);
    assert_int_equal(errors(place, (struct sn_error_filter){.id = id}).items[0].resolved_ms,
                     TEST_NOW_MS + 10);
    add(place, &newer, 1);
    found = errors(place, (struct sn_error_filter){.id = id});
    assert_int_equal(found.items[0].resolved_ms, 0);
    assert_int_equal(found.items[0].reopened_count, 1);
    assert_int_equal(found.items[0].count, 6);
    assert_int_equal(resolve(place, id, true, 20), SN_OK);
    assert_int_equal(resolve(place, id, false, 30), SN_OK);
    found = errors(place, (struct sn_error_filter){.id = id});
    assert_int_equal(found.items[0].resolved_ms, 0);
    assert_int_equal(found.items[0].reopened_count, 2);
    assert_int_equal(resolve(place, 99999, true, 0), SN_ERR_NOT_FOUND);
    assert_int_equal(errors(place, (struct sn_error_filter){.error_class = SN_STR("none")}).count,
                     0);
}

void suite_events_are_purged_by_whole_hours(struct test_place *place) {
    const int64_t hour = TEST_NOW_MS / SN_HOUR_MS;
    const struct sn_app_event events[] = {test_event("u", 0, "m"),
                                          test_event("u", 2 * SN_HOUR_MS, NULL)};
    add(place, events, 2);
    const struct sn_engine_usage usage = {SN_STR("a"), hour, SN_STR("sum"), 1};
    struct sn_engine_write write = {.usage = &usage};
    assert_int_equal(test_commit_write(place, &write), SN_OK);
    const struct sn_engine_purge what = {
        .is_events = true, .before_ms = (hour + 1) * SN_HOUR_MS + 5, .row_max = 10};
    assert_int_equal(purge(place, &what), 1);
    assert_int_equal(scan_hours(place, "a").count, 2);
    assert_int_equal(errors(place, (struct sn_error_filter){.id = 0}).count, 0);
}

/* ---- without memory ---- */

void suite_a_write_that_lacks_memory_leaves_nothing(struct test_place *place) {
    const struct sn_record_page page = test_page(1000);
    size_t acknowledged = 0;
    bool is_over = false;
    assert_int_equal(test_commit_all_kinds(place), SN_OK); /* connections and statements are made */
    acknowledged++;
    for (uint64_t n = 1; !is_over; n++) {
        sn_mem_fail_nth(n);
        sn_status status = test_commit_all_kinds(place);
        is_over = !sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_true(status == SN_OK || (!is_over && status == SN_ERR_NO_MEMORY));
        acknowledged += status == SN_OK;
        sn_arena_reset(&place->arena);
        assert_int_equal(list(place, &page).count, 2 * acknowledged);
        assert_int_equal(scan(place, 0, 1).count, acknowledged);
    }
}

/* One read of each kind. */
static sn_status read_all_kinds(struct test_place *place, const struct sn_record_id *id) {
    const struct sn_engine_ops *ops = place->engine.ops;
    const struct sn_record_page page = test_page(1000);
    const struct sn_error_filter filter = {.limit = 10};
    struct sn_record_list records;
    struct sn_error_list errors;
    struct sn_record record;
    sn_arena_reset(&place->arena);
    SN_TRY(ops->list(place->engine.ctx, &page, &place->arena, &records, NULL));
    SN_TRY(ops->get(place->engine.ctx, id, &place->arena, &record, NULL));
    return ops->list_errors(place->engine.ctx, &filter, &place->arena, &errors, NULL);
}

void suite_a_read_that_lacks_memory_says_so(struct test_place *place) {
    struct sn_record record = test_record("a", 0, 1);
    bool is_over = false;
    assert_int_equal(test_commit_all_kinds(place), SN_OK);
    assert_int_equal(test_commit(place, &record, 1), SN_OK);
    for (uint64_t n = 1; !is_over; n++) {
        sn_arena_release(&place->arena); /* so that it has to ask for memory */
        sn_arena_init(&place->arena, 0);
        sn_mem_fail_nth(n);
        sn_status status = read_all_kinds(place, &record.id);
        is_over = !sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, is_over ? SN_OK : SN_ERR_NO_MEMORY);
        assert_int_equal(read_all_kinds(place, &record.id), SN_OK);
    }
}
