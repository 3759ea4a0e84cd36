/* scrape_config_files: jobs of other files, beside the file that names them. */
#include "app/prometheus_files.h"

#include "app/config.h"
#include "app_support.h"
#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char dir[256];

static void write_file(const char *name, const char *text) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static sn_status load(struct sn_config *config, struct sn_err *err) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/main.yml", dir);
    sn_config_init(config);
    return sn_config_load(config, path, err);
}

static int make_dir(void **state) {
    (void)state;
    (void)snprintf(dir, sizeof dir, "%s", "/tmp/sonde-files-XXXXXX");
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state) {
    (void)state;
    return sn_os_remove_tree(dir, NULL) == SN_OK ? 0 : -1;
}

static void jobs_of_all_files_are_appended_in_order(void **state) {
    (void)state;
    static struct sn_config config;
    struct sn_err err = {.status = SN_OK};
    write_file("main.yml",
               "global: {scrape_interval: 7s}\nscrape_config_files: ['job_*.yml', none.yml]\n"
               "scrape_configs: [{job_name: first}]\n");
    write_file("job_b.yml", "scrape_configs: [{job_name: b}, {job_name: c}]\n");
    write_file("job_a.yml",
               "scrape_configs: [{job_name: a, relabel_configs: [{target_label: x}]}]\n");
    if (load(&config, &err) != SN_OK)
        fail_msg("%s", err.text);
    assert_int_equal(config.scrape.jobs.count, 4);
    static const char *const names[] = {"first", "a", "b", "c"};
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(config.scrape.jobs.items[i].name, names[i]);
        assert_int_equal(config.scrape.jobs.items[i].rules.interval_ms, 7000);
    }
    sn_config_release(&config);
}

static void a_mistake_in_a_file_is_named_with_its_file(void **state) {
    (void)state;
    static struct sn_config config;
    struct sn_err err = {.status = SN_OK};
    write_file("main.yml", "scrape_config_files: ['bad*.yml']\n");
    write_file("bad.yml", "scrape_configs:\n- job_name: a\n  relabel_configs: [{target_label: x}]\n"
                          "- job_nam: b\n");
    assert_int_equal(load(&config, &err), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "bad.yml:4:3: unknown key \"job_nam\""));
    sn_config_release(&config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(jobs_of_all_files_are_appended_in_order, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(a_mistake_in_a_file_is_named_with_its_file, make_dir,
                                        remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
