/*
 * Tests of records: what goes in comes out, what does not fit is cut and counted, what is no
 * record is refused.
 */
#include "log_support.h"

static uint8_t space[SONDE_LOG_RECORD_BYTES_MAX] __attribute__((aligned(8)));

static sonde_log_line line_of(const char *message, const sonde_field *fields, size_t count) {
    return (sonde_log_line){.message = message,
                            .message_len = strlen(message),
                            .fields = fields,
                            .field_count = count,
                            .level = SONDE_LEVEL_INFO};
}

static struct sn_log_view put_and_view(const sonde_log_line *line) {
    struct sn_log_view view;
    size_t size = sn_log_record_size(line);
    assert_true(size <= sizeof space);
    memset(space, 0xEE, sizeof space);
    sn_log_record_put((struct sn_log_record *)(void *)space, size, line);
    ((struct sn_log_record *)(void *)space)->flags = 0;
    assert_true(sn_log_record_view(space, size, &view));
    assert_ptr_equal(view.fields_end, space + size);
    return view;
}

static void a_line_comes_out_as_it_went_in(void **state) {
    (void)state;
    const sonde_field fields[] = {
        SONDE_STR("user", "ada"),
        SONDE_I64("n", -3),
        SONDE_ERROR("error", "timeout", "no answer", 110),
        SONDE_STR("none", NULL),
    };
    sonde_log_line line = line_of("hello", fields, 4);
    struct sn_log_view view = put_and_view(&line);
    struct sn_log_field field;
    const uint8_t *at = view.fields;
    assert_memory_equal(view.message.ptr, "hello", 5);
    assert_int_equal(view.level, SONDE_LEVEL_INFO);
    assert_true(sn_log_field_next(&view, &at, &field));
    assert_true(sn_str_equal(field.key, SN_STR("user")));
    assert_true(sn_str_equal(field.text, SN_STR("ada")));
    assert_true(sn_log_field_next(&view, &at, &field));
    assert_int_equal((int64_t)field.number, -3);
    assert_true(sn_log_field_next(&view, &at, &field));
    assert_true(sn_str_equal(field.extra, SN_STR("timeout")));
    assert_true(sn_str_equal(field.text, SN_STR("no answer")));
    assert_true(sn_log_field_next(&view, &at, &field));
    assert_int_equal(field.kind, SONDE_FIELD_NULL);
    assert_false(sn_log_field_next(&view, &at, &field));
}

static void texts_of_every_length_are_copied_whole(void **state) {
    (void)state;
    char text[100];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 26);
    for (size_t len = 0; len <= sizeof text; len++) {
        const sonde_field fields[] = {sonde_field_text(text, len % 50, text, len)};
        sonde_log_line line = line_of("", fields, 1);
        line.message = text;
        line.message_len = len;
        struct sn_log_view view = put_and_view(&line);
        struct sn_log_field field;
        const uint8_t *at = view.fields;
        assert_true(sn_log_field_next(&view, &at, &field));
        assert_true(sn_str_equal(view.message, sn_str_make(text, len)));
        assert_true(sn_str_equal(field.text, sn_str_make(text, len)));
        assert_true(sn_str_equal(field.key, sn_str_make(text, len % 50)));
    }
}

static void a_line_at_the_limit_fits_and_one_byte_more_does_not(void **state) {
    (void)state;
    static char text[SONDE_LOG_RECORD_BYTES_MAX];
    memset(text, 'x', sizeof text);
    sonde_log_line line = line_of("", NULL, 0);
    line.message = text;
    line.message_len = SONDE_LOG_RECORD_BYTES_MAX - sizeof(struct sn_log_record);
    assert_int_equal(sn_log_record_size(&line), SONDE_LOG_RECORD_BYTES_MAX);
    line.message_len++;
    assert_true(sn_log_record_size(&line) == SIZE_MAX);
}

static void what_is_cut_is_counted_to_the_byte(void **state) {
    (void)state;
    static char text[40000];
    static struct sn_log_cut cut;
    memset(text, 'x', sizeof text);
    const sonde_field fields[] = {
        sonde_field_text("a", 1, text, 20000),
        sonde_field_text("b", 1, text, 20000),
        SONDE_I64("c", 1),
    };
    sonde_log_line line = line_of("", fields, 3);
    line.message = text;
    line.message_len = 30000;
    sn_log_cut(&line, &cut);
    assert_true(sn_log_record_size(&cut.line) <= SONDE_LOG_RECORD_BYTES_MAX);
    size_t kept = cut.line.message_len;
    for (size_t i = 0; i < cut.line.field_count; i++)
        kept += cut.fields[i].key_len + cut.fields[i].text_len;
    assert_int_equal(kept + cut.truncated, 30000 + 20001 + 20001 + 1);
    assert_true(cut.line.message_len >= 8000 && cut.fields[0].text_len >= 8000);
}

static void a_cut_does_not_split_a_character(void **state) {
    (void)state;
    static char text[30000];
    static struct sn_log_cut cut;
    for (size_t i = 0; i + 3 <= sizeof text; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    sonde_log_line line = line_of("", NULL, 0);
    line.message = text;
    line.message_len = sizeof text;
    sn_log_cut(&line, &cut);
    assert_int_equal(cut.line.message_len % 3, 0);
    assert_true(sn_str_is_utf8(sn_str_make(cut.line.message, cut.line.message_len)));
}

static void more_fields_than_the_limit_are_left_out_and_counted(void **state) {
    (void)state;
    static struct sn_log_cut cut;
    sonde_field fields[SONDE_LOG_FIELDS_MAX + 2];
    for (size_t i = 0; i < SONDE_LOG_FIELDS_MAX + 2; i++)
        fields[i] = SONDE_STR("key", "value");
    sonde_log_line line = line_of("m", fields, SONDE_LOG_FIELDS_MAX);
    assert_true(sn_log_record_size(&line) != SIZE_MAX);
    line.field_count += 2;
    assert_true(sn_log_record_size(&line) == SIZE_MAX);
    sn_log_cut(&line, &cut);
    assert_int_equal(cut.line.field_count, SONDE_LOG_FIELDS_MAX);
    assert_int_equal(cut.truncated, 2 * 8);
}

static void keys_levels_and_kinds_beyond_their_range_are_mended(void **state) {
    (void)state;
    static struct sn_log_cut cut;
    static char key[SONDE_LOG_KEY_BYTES_MAX + 1];
    memset(key, 'k', sizeof key);
    sonde_field fields[] = {sonde_field_number(key, sizeof key, SONDE_FIELD_I64, 1),
                            SONDE_I64("x", 2)};
    fields[1].kind = 77;
    sonde_log_line line = line_of("m", fields, 2);
    line.level = (sonde_level)9;
    assert_true(sn_log_record_size(&line) == SIZE_MAX);
    sn_log_cut(&line, &cut);
    assert_int_equal(cut.line.field_count, 1);
    assert_int_equal(cut.fields[0].key_len, SONDE_LOG_KEY_BYTES_MAX);
    assert_int_equal(cut.truncated, 2);
    assert_int_equal(cut.line.level, SONDE_LEVEL_ERROR);
    assert_true(sn_log_record_size(&cut.line) != SIZE_MAX);
}

static void bytes_that_are_no_record_are_refused(void **state) {
    (void)state;
    struct sn_log_view view;
    struct sn_log_record *record = (struct sn_log_record *)(void *)space;
    const sonde_field fields[] = {SONDE_STR("k", "v")};
    sonde_log_line line = line_of("hello", fields, 1);
    size_t size = sn_log_record_size(&line);
    (void)put_and_view(&line);
    assert_false(sn_log_record_view(space, sizeof *record - 1, &view));
    assert_false(sn_log_record_view(space, size - 8, &view));
    record->size = (uint32_t)size + 1;
    assert_false(sn_log_record_view(space, sizeof space, &view));
    record->size = (uint32_t)size;
    record->message_len = UINT32_MAX;
    assert_false(sn_log_record_view(space, size, &view));
    record->message_len = 5;
    record->level = 0;
    assert_false(sn_log_record_view(space, size, &view));
    record->level = SONDE_LEVEL_WARN;
    record->flags = SN_LOG_RECORD_SKIP;
    assert_false(sn_log_record_view(space, size, &view));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_comes_out_as_it_went_in),
        cmocka_unit_test(texts_of_every_length_are_copied_whole),
        cmocka_unit_test(a_line_at_the_limit_fits_and_one_byte_more_does_not),
        cmocka_unit_test(what_is_cut_is_counted_to_the_byte),
        cmocka_unit_test(a_cut_does_not_split_a_character),
        cmocka_unit_test(more_fields_than_the_limit_are_left_out_and_counted),
        cmocka_unit_test(keys_levels_and_kinds_beyond_their_range_are_mended),
        cmocka_unit_test(bytes_that_are_no_record_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
