/* Reading shared files whose bytes come from anywhere. What whole files hold: shared_sync_test. */
#include "shared_support.h"

#include "base/os.h"
#include "client/shared_load_priv.h"
#include "codec/crc32c.h"

#include <fcntl.h>
#include <unistd.h>

#define SMALL ((size_t)1 << 20)

static const char *const label_names[] = {"path"};

static double read_answer(void *ctx) {
    (void)ctx;
    return 42;
}

/* The bytes of a file with something of everything. */
static unsigned char *make_image(void) {
    sonde_registry *registry = open_small();
    sonde_counter_add(sonde_counter_new(registry, &(sonde_metric){.name = "a_total"}, NULL), 3);
    sonde_float_counter_add(
        sonde_float_counter_new(registry, &(sonde_metric){.name = "f_total"}, NULL), 0.5);
    sonde_histogram_observe(
        sonde_histogram_new(registry, &(sonde_metric){.name = "h_seconds"}, NULL), 0.2);
    sonde_metric paths = {.name = "paths", .label_names = label_names, .label_count = 1};
    const char *const values[] = {"/x"};
    sonde_gauge_set(
        sonde_gauge_family_get(sonde_gauge_family_new(registry, &paths, NULL), values, 1), 4);
    sonde_tracker tracker =
        sonde_track_begin(sonde_operation_get(sonde_service_get(registry, "s"), "o"));
    sonde_track_fail(&tracker, "no");
    sonde_callback_options callback = {.metric = {.name = "answer"}, .read = read_answer};
    assert_non_null(sonde_callback_new(registry, &callback, NULL));
    sonde_free(page_of(registry));
    (void)sonde_registry_free(registry);
    unsigned char *image = malloc(SMALL);
    int fd = sn_os_open(shared_path(), O_RDONLY, 0);
    assert_non_null(image);
    assert_int_equal(sn_os_pread_all(fd, image, SMALL, 0), SMALL);
    assert_int_equal(sn_os_close(fd), 0);
    return image;
}

static sn_status load(const unsigned char *image, size_t len, struct sn_err *err) {
    sonde_registry *registry = sonde_registry_new(&sn_shared_load_options, NULL);
    sn_status status = sn_shared_load_image(image, len, "f", registry, err);
    if (status == SN_OK)
        sonde_free(page_of(registry));
    (void)sonde_registry_free(registry);
    return status;
}

static void files_that_are_none_are_named(void **state) {
    (void)state;
    sonde_error error;
    char path[256];
    (void)snprintf(path, sizeof path, "%s", path_in_directory("other"));
    assert_null(sonde_shared_load(path, NULL, &error));
    assert_int_equal(error.status, SONDE_ERR_NOT_FOUND);
    assert_null(sonde_shared_load("/tmp", NULL, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_null(sonde_shared_load(path, NULL, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    assert_int_equal(ftruncate(fd, 5 << 20), 0);
    assert_null(sonde_shared_load(path, NULL, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    assert_non_null(strstr(error.text, "is no shared file of libsonde"));
    assert_int_equal(close(fd), 0);
}

static void a_file_that_is_cut_off_is_named(void **state) {
    (void)state;
    unsigned char *image = make_image();
    sonde_error error;
    free(image);
    assert_int_equal(truncate(shared_path(), SMALL - 4096), 0);
    assert_null(sonde_shared_load(shared_path(), NULL, &error));
    assert_int_equal(error.status, SONDE_ERR_CORRUPT);
    assert_non_null(strstr(error.text, "is cut off: 1044480 bytes instead of 1048576"));
}

static void the_sentence_says_where_the_damage_is(void **state) {
    (void)state;
    unsigned char *image = make_image();
    const struct sn_shared_header *header = (const void *)image;
    struct sn_err err;
    assert_int_equal(load(image, SMALL, &err), SN_OK);
    image[header->fixed.catalogue_offset + 20] ^= 1;
    assert_int_equal(load(image, SMALL, &err), SN_ERR_CORRUPT);
    assert_string_equal(err.text,
                        "f is damaged: record at byte 0 of the catalogue: its checksum is wrong");
    free(image);
}

/* Every byte of the header, of the infos and of the catalogue, with right checksums of records. */
static void changed_bytes_are_survived(void **state) {
    (void)state;
    unsigned char *image = make_image();
    struct sn_shared_header header;
    struct sn_err err;
    memcpy(&header, image, sizeof header);
    const uint64_t ranges[][2] = {
        {0, sizeof header},
        {header.fixed.infos_offset, 16u * (uint64_t)header.page_used},
        {header.fixed.catalogue_offset, header.catalogue_len},
    };
    for (size_t r = 0; r < 3; r++) {
        for (uint64_t i = 0; i < ranges[r][1]; i++) {
            unsigned char *at = image + ranges[r][0] + i;
            unsigned char old = *at;
            *at = (unsigned char)(old + 1 + i % 100);
            sn_status status = load(image, SMALL, &err);
            assert_true(status == SN_OK || err.text[0] != '\0');
            *at = old;
        }
    }
    free(image);
}

static unsigned char *record_at(unsigned char *image, size_t number) {
    const struct sn_shared_header *header = (const void *)image;
    unsigned char *at = image + header->fixed.catalogue_offset;
    for (; number > 0; number--)
        at += at[0] + 256u * at[1];
    return at;
}

static void seal(unsigned char *record) {
    size_t len = record[0] + 256u * record[1];
    uint32_t crc = sn_crc32c(0, record + 8, len - 8);
    memcpy(record + 4, &crc, 4);
}

/* Series of a counter: chunk at 24, cell at 28. */
static void cells_that_overlap_or_lie_outside_are_refused(void **state) {
    (void)state;
    unsigned char *image = make_image();
    struct sn_err err;
    unsigned char *first = record_at(image, 1);  /* a_total */
    unsigned char *second = record_at(image, 3); /* f_total */
    assert_int_equal(first[8], SN_SHARED_SERIES);
    assert_int_equal(second[8], SN_SHARED_SERIES);
    unsigned char cell = second[28];
    second[28] = first[28];
    seal(second);
    assert_int_equal(load(image, SMALL, &err), SN_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "its cells lie where they cannot"));
    second[28] = cell;
    second[25] = 0xff;
    seal(second);
    assert_int_equal(load(image, SMALL, &err), SN_ERR_CORRUPT);
    second[25] = 0;
    second[12] = 99; /* family */
    seal(second);
    assert_int_equal(load(image, SMALL, &err), SN_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "it belongs to no family"));
    free(image);
}

static void memory_that_runs_out_is_an_error(void **state) {
    (void)state;
#if SN_FAULTS
    unsigned char *image = make_image();
    free(image);
    warm_up();
    int64_t blocks = sn_mem_block_count();
    for (uint64_t nth = 1;; nth++) {
        sonde_error error;
        sn_mem_fail_nth(nth);
        sonde_registry *registry = sonde_shared_load(shared_path(), NULL, &error);
        bool is_over = !sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        if (registry == NULL)
            assert_int_equal(error.status, SONDE_ERR_NO_MEMORY);
        (void)sonde_registry_free(registry);
        assert_int_equal(sn_mem_block_count(), blocks);
        if (is_over)
            break;
    }
#endif
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(files_that_are_none_are_named),
        IN_DIRECTORY(a_file_that_is_cut_off_is_named),
        IN_DIRECTORY(the_sentence_says_where_the_damage_is),
        IN_DIRECTORY(changed_bytes_are_survived),
        IN_DIRECTORY(cells_that_overlap_or_lie_outside_are_refused),
        IN_DIRECTORY(memory_that_runs_out_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
