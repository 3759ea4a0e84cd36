/* Tests of visiting: the visitor sees the samples of the page, with labels as they were given. */
#include "client_support.h"

#include "base/buf.h"

struct notes {
    struct sn_buf text;
    size_t family_count;
    size_t stop_after;
    size_t sample_count;
    int64_t created_wall_ms;
};

static int note_family(void *ctx, const sonde_family_info *family) {
    struct notes *notes = ctx;
    notes->family_count++;
    sn_buf_printf(&notes->text, "[%s %d %s %s]", family->name, (int)family->type, family->unit,
                  family->help);
    return 0;
}

static int note_sample(void *ctx, const sonde_sample *sample) {
    struct notes *notes = ctx;
    if (strstr(sample->name, "sonde_lost_total") != NULL)
        return 0;
    sn_buf_printf(&notes->text, "%s", sample->name);
    for (size_t i = 0; i < sample->label_count; i++)
        sn_buf_printf(&notes->text, " %s=<%.*s>", sample->labels[i].name,
                      (int)sample->labels[i].value_len, sample->labels[i].value);
    sn_buf_printf(&notes->text, " %d;", (int)sample->value);
    notes->created_wall_ms = sample->created_wall_ms;
    return ++notes->sample_count == notes->stop_after;
}

static sonde_status visit(sonde_registry *registry, struct notes *notes) {
    sonde_visitor visitor = {note_family, note_sample, notes};
    sn_buf_reset(&notes->text);
    sonde_status status = sonde_registry_visit(registry, &visitor);
    sn_buf_put_byte(&notes->text, '\0');
    return status;
}

#define LOST "[sonde_lost_total 0  What the library could not record as asked, by reason.]"

static void samples_have_raw_labels_and_full_names(void **state) {
    (void)state;
    static const char *const labels[] = {"a", "b"};
    const double bounds[] = {0.5};
    sonde_registry *registry = new_registry();
    struct notes notes = {0};
    sonde_metric counter = {
        .name = "c_total", .help = "Help.", .label_names = labels, .label_count = 2};
    sonde_metric histogram = {
        .name = "h_seconds", .unit = "seconds", .bounds = bounds, .bound_count = 1};
    sonde_counter_family *family = sonde_counter_family_new(registry, &counter, NULL);
    sonde_counter_inc(SONDE_COUNTER_AT(family, "say \"x\"\n\\", "plain"));
    sonde_histogram_observe(sonde_histogram_new(registry, &histogram, NULL), 2);
    assert_int_equal(visit(registry, &notes), SONDE_OK);
    assert_string_equal((const char *)notes.text.ptr,
                        "[c_total 0  Help.]c_total a=<say \"x\"\n\\> b=<plain> 1;"
                        "[h_seconds 2 seconds ]h_seconds_bucket le=<0.5> 0;"
                        "h_seconds_bucket le=<+Inf> 1;h_seconds_sum 2;h_seconds_count 1;" LOST);
    assert_true(notes.created_wall_ms > 0);
    sn_buf_release(&notes.text);
    (void)sonde_registry_free(registry);
}

static void a_visitor_can_stop(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    struct notes notes = {.stop_after = 1};
    (void)sonde_gauge_new(registry, &(sonde_metric){.name = "a"}, NULL);
    (void)sonde_gauge_new(registry, &(sonde_metric){.name = "b"}, NULL);
    assert_int_equal(visit(registry, &notes), SONDE_ERR_IO);
    assert_int_equal(notes.sample_count, 1);
    sn_buf_release(&notes.text);
    (void)sonde_registry_free(registry);
}

static void either_function_may_be_missing(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    struct notes notes = {0};
    (void)sonde_gauge_new(registry, &(sonde_metric){.name = "a"}, NULL);
    sonde_visitor families = {note_family, NULL, &notes}, samples = {NULL, note_sample, &notes};
    assert_int_equal(sonde_registry_visit(registry, &families), SONDE_OK);
    assert_int_equal(notes.family_count, 2);
    assert_int_equal(sonde_registry_visit(registry, &samples), SONDE_OK);
    assert_int_equal(notes.sample_count, 1);
    sn_buf_release(&notes.text);
    (void)sonde_registry_free(registry);
}

static void the_longest_names_fit(void **state) {
    (void)state;
    char name[SONDE_NAME_BYTES_MAX + 1];
    sonde_registry *registry = new_registry();
    struct notes notes = {0};
    memset(name, 'n', sizeof name);
    name[SONDE_NAME_BYTES_MAX] = '\0';
    (void)sonde_histogram_new(registry, &(sonde_metric){.name = name}, NULL);
    assert_int_equal(visit(registry, &notes), SONDE_OK);
    assert_int_equal(notes.sample_count, 14);
    sn_buf_release(&notes.text);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_have_raw_labels_and_full_names),
        cmocka_unit_test(a_visitor_can_stop),
        cmocka_unit_test(either_function_may_be_missing),
        cmocka_unit_test(the_longest_names_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
