/*
 * The shared conformance cases of text exposition, when they lie beside the source tree: every
 * page gets the verdict that is demanded, and its samples.
 */
#include "text_support.h"

#include "codec/number.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int base64_digit(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);
    return at != NULL && c != '\0' ? (int)(at - digits) : -1;
}

static void put_base64(struct sn_buf *buf, const char *text) {
    unsigned bits = 0;
    int count = 0;
    for (; base64_digit(*text) >= 0; text++) {
        bits = bits << 6 | (unsigned)base64_digit(*text);
        count += 6;
        if (count >= 8) {
            count -= 8;
            sn_buf_put_byte(buf, (uint8_t)(bits >> count & 0xff));
        }
    }
}

static void put_page(struct sn_buf *buf, const json_t *test) {
    const json_t *input = json_object_get(test, "input");
    if (input != NULL) {
        sn_buf_put(buf, json_string_value(input), json_string_length(input));
    } else {
        put_base64(buf, json_string_value(json_object_get(test, "input_b64")));
    }
}

/* Sample of a case as label set and number, in the form of text_render. */
static void render_expected(json_t *sample, struct sn_buf *buf) {
    struct sn_label items[1 + SN_LABELS_MAX];
    size_t count = 0;
    json_t *name = json_object_get(sample, "name");
    items[count++] = (struct sn_label){SN_LABEL_METRIC_NAME, sn_str_from(json_string_value(name))};
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(sample, "labels"), key, value) {
        items[count++] = (struct sn_label){
            sn_str_from(key), sn_str_make(json_string_value(value), json_string_length(value))};
    }
    struct sn_labels labels;
    assert_int_equal(sn_labels_make(items, count, &labels, NULL), SN_OK);
    sn_labels_format(labels, buf);
    double number;
    char text[SN_DOUBLE_TEXT_SIZE];
    const char *value_text = json_string_value(json_object_get(sample, "value"));
    assert_int_equal(sn_double_parse(sn_str_from(value_text), &number), SN_OK);
    sn_double_format(number, SN_DOUBLE_TEXT, text);
    sn_buf_printf(buf, " %s", text);
    json_t *time_ms = json_object_get(sample, "timestamp_ms");
    if (json_is_integer(time_ms)) {
        sn_buf_printf(buf, " @%lld", (long long)json_integer_value(time_ms));
    }
}

/* One sample without its exemplar. */
static sn_status render_line(bool is_openmetrics, struct sn_str line, struct sn_buf *buf) {
    struct sn_buf page;
    sn_buf_init(&page, 0);
    sn_buf_put_str(&page, line);
    if (is_openmetrics) {
        sn_buf_put_text(&page, "# EOF\n");
    }
    sn_status status = text_render_any(is_openmetrics, sn_buf_str(&page), buf, NULL);
    uint8_t *exemplar = memmem(buf->ptr, buf->len, " # {", 4);
    if (exemplar != NULL) {
        buf->len = (size_t)(exemplar - buf->ptr);
    }
    sn_buf_release(&page);
    return status;
}

/* The samples of the page, one by one, are those of the case. */
static bool has_samples(bool is_openmetrics, struct sn_str page, json_t *samples) {
    static struct text_any_reader reader;
    const struct sn_text_reader *text = &reader.reader.text;
    struct sn_buf expected;
    struct sn_buf actual;
    size_t index = 0;
    bool is_equal = true;
    text_any_reader_init(&reader, is_openmetrics, page);
    sn_buf_init(&expected, 0);
    sn_buf_init(&actual, 0);
    for (;;) {
        struct sn_text_entry entry;
        assert_int_equal(text_any_reader_next(&reader, &entry, NULL), SN_OK);
        if (entry.kind == SN_TEXT_END) {
            break;
        }
        if (entry.kind != SN_TEXT_SAMPLE) {
            continue;
        }
        sn_buf_reset(&expected);
        sn_buf_reset(&actual);
        struct sn_str line = sn_str_make(text->entry, (size_t)(text->at - text->entry));
        assert_int_equal(render_line(is_openmetrics, line, &actual), SN_OK);
        render_expected(json_array_get(samples, index++), &expected);
        is_equal = is_equal && sn_str_equal(sn_buf_str(&actual), sn_buf_str(&expected));
    }
    sn_buf_release(&expected);
    sn_buf_release(&actual);
    return is_equal && index == json_array_size(samples);
}

static __attribute__((noinline)) bool case_holds(bool is_openmetrics, const json_t *test) {
    struct sn_buf page;
    struct sn_buf rendered;
    struct sn_err err = {.status = SN_OK};
    sn_buf_init(&page, 0);
    sn_buf_init(&rendered, 0);
    put_page(&page, test);
    sn_status status = text_render_any(is_openmetrics, sn_buf_str(&page), &rendered, &err);
    const char *expect = json_string_value(json_object_get(test, "expect"));
    json_t *samples = json_object_get(test, "samples");
    bool is_right =
        strcmp(expect, "either") == 0 || (strcmp(expect, "accept") == 0) == (status == SN_OK);
    if (is_right && status == SN_OK && json_is_array(samples)) {
        is_right = has_samples(is_openmetrics, sn_buf_str(&page), samples);
    }
    if (!is_right) {
        print_error("case %s: expected %s, status %d, %s\n%.*s\n",
                    json_string_value(json_object_get(test, "id")), expect, (int)status, err.text,
                    SN_STR_ARG(sn_buf_str(&rendered)));
    }
    sn_buf_release(&rendered);
    sn_buf_release(&page);
    return is_right;
}

static void run_file(bool is_openmetrics, const char *name) {
    char path[1024];
    char *line = NULL;
    size_t size = 0;
    size_t count = 0;
    size_t wrong = 0;
    (void)snprintf(path, sizeof path, "%s/../shared/conformance/cases/exposition/%s",
                   text_source_dir(), name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        print_message("no conformance cases beside the source tree\n");
        skip();
    }
    while (getline(&line, &size, file) > 0) {
        json_error_t error;
        json_t *test = json_loads(line, JSON_ALLOW_NUL, &error);
        assert_non_null(test);
        wrong += !case_holds(is_openmetrics, test);
        count++;
        json_decref(test);
    }
    free(line);
    (void)fclose(file);
    print_message("%zu cases, %zu wrong\n", count, wrong);
    assert_true(count > 0);
    assert_int_equal(wrong, 0);
}

static void every_page_of_text_gets_its_verdict(void **state) {
    (void)state;
    run_file(false, "text.jsonl");
}

static void every_page_of_openmetrics_gets_its_verdict(void **state) {
    (void)state;
    run_file(true, "openmetrics.jsonl");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_of_text_gets_its_verdict),
        cmocka_unit_test(every_page_of_openmetrics_gets_its_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
