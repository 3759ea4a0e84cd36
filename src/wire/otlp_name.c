/* Names of OpenTelemetry as Prometheus writes them: see otlp_name.h. */
#include "wire/otlp_name.h"

#include "codec/number.h"

struct unit {
    const char *otlp;
    const char *word;
};

static const struct unit units[] = {{"d", "days"},
                                    {"h", "hours"},
                                    {"min", "minutes"},
                                    {"s", "seconds"},
                                    {"ms", "milliseconds"},
                                    {"us", "microseconds"},
                                    {"ns", "nanoseconds"},
                                    {"By", "bytes"},
                                    {"KiBy", "kibibytes"},
                                    {"MiBy", "mebibytes"},
                                    {"GiBy", "gibibytes"},
                                    {"TiBy", "tibibytes"},
                                    {"KBy", "kilobytes"},
                                    {"MBy", "megabytes"},
                                    {"GBy", "gigabytes"},
                                    {"TBy", "terabytes"},
                                    {"m", "meters"},
                                    {"V", "volts"},
                                    {"A", "amperes"},
                                    {"J", "joules"},
                                    {"W", "watts"},
                                    {"g", "grams"},
                                    {"Cel", "celsius"},
                                    {"Hz", "hertz"},
                                    {"1", ""},
                                    {"%", "percent"},
                                    {NULL, NULL}};

static const struct unit per_units[] = {{"s", "second"}, {"m", "minute"}, {"h", "hour"},
                                        {"d", "day"},    {"w", "week"},   {"mo", "month"},
                                        {"y", "year"},   {NULL, NULL}};

static bool is_word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Next piece of letters and digits (and ':' where it may stand); false: none is left. */
static bool next_word(struct sn_str *text, bool has_colons, struct sn_str *ret_word) {
    size_t begin = 0;
    if (text->len == 0) { /* perhaps without a pointer */
        return false;
    }
    while (begin < text->len &&
           !(is_word_char(text->ptr[begin]) || (has_colons && text->ptr[begin] == ':'))) {
        begin++;
    }
    size_t end = begin;
    while (end < text->len &&
           (is_word_char(text->ptr[end]) || (has_colons && text->ptr[end] == ':'))) {
        end++;
    }
    *ret_word = sn_str_make(text->ptr + begin, end - begin);
    *text = sn_str_make(text->ptr + end, text->len - end);
    return ret_word->len > 0;
}

/* A unit in words; empty when it says nothing, or is an annotation in braces. */
static struct sn_str unit_word(struct sn_str unit, const struct unit *table) {
    unit = sn_str_trim(unit);
    if (sn_str_find_char(unit, '{') != SIZE_MAX || sn_str_find_char(unit, '}') != SIZE_MAX) {
        return SN_STR("");
    }
    for (size_t i = 0; table[i].otlp != NULL; i++) {
        if (sn_str_equal(unit, sn_str_from(table[i].otlp))) {
            return sn_str_from(table[i].word);
        }
    }
    return unit;
}

struct unit_words {
    struct sn_str main;
    struct sn_str per;
};

static struct unit_words split_unit(struct sn_str unit) {
    struct unit_words words;
    struct sn_str main, per;
    (void)sn_str_cut(unit, '/', &main, &per); /* without '/' there is no per */
    words.main = unit_word(main, units);
    words.per = unit_word(per, per_units);
    return words;
}

/* Append a word of a name behind an underscore. */
static void put_word(struct sn_buf *buf, size_t begin, struct sn_str word) {
    if (buf->len > begin) {
        sn_buf_put_byte(buf, '_');
    }
    sn_buf_put_str(buf, word);
}

/* The words of a unit, cleaned up. */
static void put_words(struct sn_buf *buf, size_t begin, struct sn_str text) {
    struct sn_str word;
    while (next_word(&text, false, &word)) {
        put_word(buf, begin, word);
    }
}

static void put_unit_words(struct sn_buf *buf, size_t begin, const struct unit_words *words) {
    struct sn_str rest = words->per, word;
    put_words(buf, begin, words->main);
    if (next_word(&rest, false, &word)) {
        put_word(buf, begin, SN_STR("per"));
        put_words(buf, begin, words->per);
    }
}

void sn_otlp_put_unit(struct sn_str unit, struct sn_buf *buf) {
    struct unit_words words = split_unit(unit);
    put_unit_words(buf, buf->len, &words);
}

/* The word that goes to the end of the name, and nowhere else in it. */
static struct sn_str last_word(const struct sn_otlp_metric *metric) {
    if (metric->kind == SN_OTLP_SUM && metric->is_monotonic) {
        return SN_STR("total");
    }
    if (metric->kind == SN_OTLP_GAUGE && sn_str_equal(metric->unit, SN_STR("1"))) {
        return SN_STR("ratio");
    }
    return SN_STR("");
}

void sn_otlp_put_metric_name(const struct sn_otlp_metric *metric, struct sn_buf *buf) {
    size_t begin = buf->len;
    struct sn_str rest = metric->name, word, last = last_word(metric);
    struct unit_words unit = split_unit(metric->unit);
    if (rest.len > 0 && next_word(&rest, true, &word) && word.ptr[0] >= '0' && word.ptr[0] <= '9') {
        sn_buf_put_byte(buf, '_');
        begin = buf->len;
    }
    rest = metric->name;
    while (next_word(&rest, true, &word)) {
        if (sn_str_equal(word, unit.main)) {
            unit.main = SN_STR("");
        }
        if (last.len == 0 || !sn_str_equal(word, last)) {
            put_word(buf, begin, word);
        }
    }
    if (buf->len == begin && last.len == 0) {
        return; /* no name: a unit does not make one */
    }
    put_unit_words(buf, begin, &unit);
    if (last.len > 0) {
        put_word(buf, begin, last);
    }
}

void sn_otlp_put_label_name(struct sn_str key, struct sn_buf *buf) {
    if (key.len == 0) {
        return;
    }
    if (key.ptr[0] >= '0' && key.ptr[0] <= '9') {
        sn_buf_put_text(buf, "key_");
    } else if (!is_word_char(key.ptr[0]) && (key.len == 1 || key.ptr[1] != '_')) {
        sn_buf_put_text(buf, "key"); /* "_x" is for Prometheus itself, "__x" as well and stays */
    }
    for (size_t i = 0; i < key.len;) {
        size_t len = sn_str_utf8_char_len(sn_str_make(key.ptr + i, key.len - i));
        char c = is_word_char(key.ptr[i]) ? key.ptr[i] : '_';
        sn_buf_put_byte(buf, (uint8_t)c);
        i += len > 0 ? len : 1;
    }
}

struct sn_str sn_otlp_number_text(double number, char ret_text[SN_OTLP_NUMBER_SIZE]) {
    _Static_assert(SN_OTLP_NUMBER_SIZE == SN_DOUBLE_TEXT_SIZE, "room for every number");
    return sn_str_make(ret_text, sn_double_format(number, SN_DOUBLE_API, ret_text));
}
