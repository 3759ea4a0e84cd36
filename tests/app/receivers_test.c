/* Receivers beside HTTP: opened, started, stopped, and seen as metrics. */
#include "app/receivers.h"

#include "app_support.h"

#include <stdio.h>
#include <stdlib.h>

struct scene {
    char *dir;
    struct sn_config config;
    struct sn_ingest ingest;
    struct sn_receivers receivers;
    size_t pushed_count;
};

static sn_status taking_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                             struct sn_push_result *ret_result, struct sn_err *err) {
    struct scene *scene = ctx;
    (void)err;
    scene->pushed_count += batch->sample_count;
    *ret_result = (struct sn_push_result){.accepted_count = batch->sample_count};
    if (done.fn != NULL)
        done.fn(done.ctx, SN_OK, NULL);
    return SN_OK;
}

static int set_up(void **state) {
    struct scene *scene = calloc(1, sizeof *scene);
    if (scene == NULL)
        return -1;
    scene->dir = make_temp_dir();
    sn_config_init(&scene->config);
    scene->config.data = scene->dir;
    sn_ingest_init(&scene->ingest, (struct sn_sink){.ctx = scene, .push = taking_push});
    *state = scene;
    return 0;
}

static int tear_down(void **state) {
    struct scene *scene = *state;
    sn_config_release(&scene->config);
    remove_temp_dir(scene->dir);
    free(scene);
    return 0;
}

static void pushed_groups_are_taken_and_counted(void **state) {
    struct scene *scene = *state;
    struct sn_label label = {SN_STR("job"), SN_STR("j")};
    struct sn_ingest_result result;
    assert_int_equal(sn_receivers_open(&scene->receivers, &scene->config, &scene->ingest, NULL),
                     SN_OK);
    assert_int_equal(sn_receivers_start(&scene->receivers, NULL), SN_OK);
    assert_int_equal(sn_push_groups_put(scene->receivers.push_groups, (struct sn_labels){&label, 1},
                                        &(struct sn_push_page){.bytes = SN_STR("a 1\n")}, &result,
                                        NULL),
                     SN_OK);
    for (size_t i = 0; i < scene->receivers.metric_count; i++)
        assert_non_null(scene->receivers.metrics[i].callback);
    sn_receivers_stop(&scene->receivers);
    sn_receivers_close(&scene->receivers);
    sn_receivers_close(&scene->receivers);
    assert_true(scene->pushed_count >= 3);
}

static void a_directory_that_cannot_be_made_is_told(void **state) {
    struct scene *scene = *state;
    struct sn_err err = {.status = SN_OK};
    char *file = make_file(scene->dir, "push", "");
    assert_int_equal(sn_receivers_open(&scene->receivers, &scene->config, &scene->ingest, &err),
                     SN_ERR_IO);
    assert_true(err.text[0] != '\0');
    sn_receivers_close(&scene->receivers);
    free(file);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(pushed_groups_are_taken_and_counted),
        TEST(a_directory_that_cannot_be_made_is_told),
    };
    return cmocka_run_group_tests_name("receivers", tests, NULL, NULL);
}
