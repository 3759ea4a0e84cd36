/*
 * JSON. Property: what the reader accepts, written again from what was read, is accepted with the
 * same events, and writing that again gives the same bytes. Strings lie inside of the text or of
 * the arena (ASan sees it otherwise).
 */
#include "base/check.h"
#include "codec/json_read.h"
#include "codec/json_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct copy {
    struct sn_json_reader in;
    struct sn_json_writer out;
    uint64_t digest; /* of all events */
};

static void note(struct copy *copy, enum sn_json_kind kind, struct sn_str text) {
    copy->digest = sn_hash_bytes(text.ptr, text.len, copy->digest * 31 + (uint64_t)kind);
}

static void copy_value(struct copy *copy);

static void copy_object(struct copy *copy) {
    struct sn_str key;
    (void)sn_json_read_object(&copy->in);
    sn_json_write_object_begin(&copy->out);
    while (sn_json_read_key(&copy->in, &key)) {
        note(copy, SN_JSON_OBJECT, key);
        sn_json_write_key(&copy->out, key);
        copy_value(copy);
    }
    if (!sn_json_read_failed(&copy->in)) {
        sn_json_write_object_end(&copy->out);
    }
}

static void copy_array(struct copy *copy) {
    (void)sn_json_read_array(&copy->in);
    sn_json_write_array_begin(&copy->out);
    while (sn_json_read_element(&copy->in)) {
        copy_value(copy);
    }
    if (!sn_json_read_failed(&copy->in)) {
        sn_json_write_array_end(&copy->out);
    }
}

static void copy_value(struct copy *copy) {
    enum sn_json_kind kind = sn_json_read_peek(&copy->in);
    struct sn_str text = {NULL, 0};
    switch (kind) {
    case SN_JSON_OBJECT:
        copy_object(copy);
        break;
    case SN_JSON_ARRAY:
        copy_array(copy);
        break;
    case SN_JSON_STRING:
        text = sn_json_read_string(&copy->in);
        sn_json_write_string(&copy->out, text);
        break;
    case SN_JSON_NUMBER:
        text = sn_json_read_number_text(&copy->in);
        sn_json_write_raw(&copy->out, text);
        break;
    case SN_JSON_BOOL:
        text = sn_json_read_bool(&copy->in) ? SN_STR("true") : SN_STR("false");
        sn_json_write_raw(&copy->out, text);
        break;
    case SN_JSON_NULL:
        sn_json_read_null(&copy->in);
        sn_json_write_null(&copy->out);
        break;
    case SN_JSON_NOTHING:
        sn_json_read_skip(&copy->in);
        SN_CHECK(sn_json_read_failed(&copy->in));
        break;
    }
    note(copy, kind, text);
}

/* Read `text` and write it to `buf`. False: refused. */
static bool copy_document(struct sn_str text, struct sn_arena *arena, struct sn_buf *buf,
                          uint64_t *ret_digest) {
    struct copy copy = {.digest = 1};
    sn_json_read_init(&copy.in, text, &(struct sn_json_options){.arena = arena});
    sn_json_write_init(&copy.out, buf, 0);
    copy_value(&copy);
    *ret_digest = copy.digest;
    if (sn_json_read_finish(&copy.in, NULL) != SN_OK) {
        return false;
    }
    SN_CHECK(sn_json_write_finish(&copy.out, NULL) == SN_OK);
    return true;
}

/* Passing over a document accepts what reading it in full accepts; typed reads do not crash. */
static void check_other_ways(struct sn_str text, struct sn_arena *arena, bool is_accepted) {
    struct sn_json_reader reader;
    struct sn_json_options options = {.arena = arena, .hash_seed = 7};
    sn_json_read_init(&reader, text, &options);
    struct sn_str raw = sn_json_read_raw(&reader);
    SN_CHECK((sn_json_read_finish(&reader, NULL) == SN_OK) == is_accepted);
    SN_CHECK(raw.len <= text.len);
    sn_json_read_init(&reader, text, &options);
    (void)sn_json_read_double(&reader);
    SN_CHECK(sn_json_read_finish(&reader, NULL) != SN_OK || is_accepted);
    sn_json_read_init(&reader, text, &options);
    (void)sn_json_read_int64(&reader);
    SN_CHECK(sn_json_read_finish(&reader, NULL) != SN_OK || is_accepted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_arena arena;
    struct sn_buf once;
    struct sn_buf twice;
    uint64_t digest;
    uint64_t digest_again;
    sn_arena_init(&arena, 0);
    sn_buf_init(&once, 0);
    sn_buf_init(&twice, 0);
    bool is_accepted = copy_document(sn_str_make(data, len), &arena, &once, &digest);
    if (is_accepted) {
        SN_CHECK(copy_document(sn_buf_str(&once), &arena, &twice, &digest_again));
        SN_CHECK(digest == digest_again);
        SN_CHECK(sn_str_equal(sn_buf_str(&once), sn_buf_str(&twice)));
    }
    check_other_ways(sn_str_make(data, len), &arena, is_accepted);
    sn_buf_release(&twice);
    sn_buf_release(&once);
    sn_arena_release(&arena);
    return 0;
}
