/*
 * Megabytes per second of JSON: a batch of metrics as a client posts it, read by the own reader
 * and (where it is installed) by jansson, and written by the own writer.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "codec/json_read.h"
#include "codec/json_write.h"

#if __has_include(<jansson.h>)
#include <jansson.h>
#endif

enum { METRICS = 10000, ROUNDS = 7 };

static struct sn_buf text;
static double sink;

static void put_metric(struct sn_json_writer *json, struct sn_rng *rng) {
    static const struct {
        const char *name;
        const char *unit;
    } names[] = {{"http_request_duration_seconds", "seconds"},
                 {"process_resident_memory_bytes", "bytes"},
                 {"queue_length", "items"},
                 {"node_cpu_seconds_total", "seconds"}};
    char host[32];
    size_t kind = sn_rng_below(rng, 4);
    (void)snprintf(host, sizeof(host), "host-%02u.example.net", (unsigned)sn_rng_below(rng, 64));
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("name"), sn_str_from(names[kind].name));
    sn_json_write_key_double(json, SN_STR("value"), (double)sn_rng_below(rng, 1000000) / 1000);
    sn_json_write_key_string(json, SN_STR("unit"), sn_str_from(names[kind].unit));
    sn_json_write_key_int64(json, SN_STR("timestamp"),
                            1700000000000 + (int64_t)sn_rng_below(rng, 1000000));
    sn_json_write_key(json, SN_STR("labels"));
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("host"), sn_str_from(host));
    sn_json_write_key_string(json, SN_STR("region"), SN_STR("eu-central-1"));
    sn_json_write_key_string(json, SN_STR("service"), SN_STR("checkout"));
    sn_json_write_object_end(json);
    sn_json_write_object_end(json);
}

static void write_own(void) {
    struct sn_json_writer json;
    struct sn_rng rng;
    sn_rng_init(&rng, 1);
    sn_buf_reset(&text);
    sn_json_write_init(&json, &text, 0);
    sn_json_write_object_begin(&json);
    sn_json_write_key(&json, SN_STR("metrics"));
    sn_json_write_array_begin(&json);
    for (int i = 0; i < METRICS; i++) {
        put_metric(&json, &rng);
    }
    sn_json_write_array_end(&json);
    sn_json_write_object_end(&json);
    sink += sn_json_write_finish(&json, NULL);
}

static void read_labels(struct sn_json_reader *json) {
    struct sn_str key;
    (void)sn_json_read_object(json);
    while (sn_json_read_key(json, &key)) {
        sink += (double)sn_json_read_string(json).len;
    }
}

static void read_metric(struct sn_json_reader *json) {
    struct sn_str key;
    (void)sn_json_read_object(json);
    while (sn_json_read_key(json, &key)) {
        if (sn_str_equal(key, SN_STR("name"))) {
            sink += (double)sn_json_read_string(json).len;
        } else if (sn_str_equal(key, SN_STR("value"))) {
            sink += sn_json_read_double(json);
        } else if (sn_str_equal(key, SN_STR("timestamp"))) {
            sink += (double)sn_json_read_int64(json);
        } else if (sn_str_equal(key, SN_STR("labels"))) {
            read_labels(json);
        } else {
            sn_json_read_skip(json);
        }
    }
}

static void read_own(void) {
    struct sn_json_reader json;
    struct sn_arena arena;
    struct sn_str key;
    sn_arena_init(&arena, 0);
    sn_json_read_init(&json, sn_buf_str(&text), &(struct sn_json_options){.arena = &arena});
    (void)sn_json_read_object(&json);
    while (sn_json_read_key(&json, &key)) {
        (void)sn_json_read_array(&json);
        while (sn_json_read_element(&json)) {
            read_metric(&json);
        }
    }
    sink += sn_json_read_finish(&json, NULL);
    sn_arena_release(&arena);
}

static void skip_own(void) {
    struct sn_json_reader json;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    sn_json_read_init(&json, sn_buf_str(&text), &(struct sn_json_options){.arena = &arena});
    sn_json_read_skip(&json);
    sink += sn_json_read_finish(&json, NULL);
    sn_arena_release(&arena);
}

#if __has_include(<jansson.h>)
static void read_jansson(void) {
    json_t *value = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    sink += (double)json_object_size(value);
    json_decref(value);
}
#endif

static void run(const char *name, void (*work)(void)) {
    const struct sn_clock *clock = sn_clock_system();
    int64_t best = INT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t start = sn_clock_mono_ns(clock);
        work();
        int64_t taken = sn_clock_mono_ns(clock) - start;
        best = taken < best ? taken : best;
    }
    printf("%-24s %8.0f MB/s %8.0f ns per metric\n", name, (double)text.len * 1e3 / (double)best,
           (double)best / METRICS);
}

int main(void) {
    sn_buf_init(&text, 0);
    write_own();
    printf("%d metrics, %zu bytes\n", METRICS, text.len);
    run("write", write_own);
    run("read", read_own);
    run("check and pass over", skip_own);
#if __has_include(<jansson.h>)
    run("jansson, tree", read_jansson);
#endif
    sn_buf_release(&text);
    return !(sink > 0);
}
