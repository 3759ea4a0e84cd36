/* Lists of targets that change: files, URLs, what stays when they fail. */
#include "collect/discovery.h"

#include "base/mem.h"
#include "base/os.h"
#include "scrape_support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

static char dir[64];
static struct sn_scrape_config config;
static struct sn_scrape_job job;
static struct sn_file_discovery files;
static struct sn_http_discovery url;
static const char *patterns[1];
static char pattern[128];
static char url_text[128];
static _Atomic int change_count, failure_count;

static void on_targets(void *ctx) {
    (void)ctx;
}

static void on_change(void *ctx, const char *name, const struct sn_err *err) {
    (void)ctx;
    (void)name;
    change_count++;
    failure_count += err != NULL;
}

static struct sn_discovery *open_discovery(void) {
    const struct sn_discovery_options options = {.config = &config,
                                                 .clock = sn_clock_system(),
                                                 .on_targets = on_targets,
                                                 .on_change = on_change};
    struct sn_discovery *discovery = NULL;
    assert_int_equal(sn_discovery_open(&options, &discovery, NULL), SN_OK);
    return discovery;
}

static int open_all(void **state) {
    (void)state;
    (void)snprintf(dir, sizeof dir, "%s", "/tmp/sonde-found-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    (void)snprintf(pattern, sizeof pattern, "%s/*.yml", dir);
    patterns[0] = pattern;
    files = (struct sn_file_discovery){.files = {patterns, 1}, .refresh_interval_ms = 1000};
    job = (struct sn_scrape_job){.name = "j", .files = {&files, 1}};
    config = (struct sn_scrape_config){.jobs = {&job, 1}};
    change_count = failure_count = 0;
    return 0;
}

static int close_all(void **state) {
    (void)state;
    return sn_os_remove_tree(dir, NULL) == SN_OK ? 0 : -1;
}

/* Each writing gets a time of its own, however coarse the filesystem's clock is. */
static void write_file(const char *name, const char *text) {
    static int count;
    count++;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    const struct timeval times[2] = {{1700000000 + count, 0}, {1700000000 + count, 0}};
    assert_int_equal(utimes(path, times), 0);
}

static sn_status add_group(void *ctx, const struct sn_target_group *group, struct sn_err *err) {
    for (size_t i = 0; i < group->targets.count; i++)
        sn_buf_printf(ctx, "%s ", group->targets.items[i]);
    return sn_buf_status(ctx, err);
}

static bool has_targets(struct sn_discovery *discovery, const char *expected) {
    struct sn_buf buf = {.len = 0};
    assert_int_equal(sn_discovery_each(discovery, 0, add_group, &buf, NULL), SN_OK);
    bool is_same = sn_str_equal(sn_buf_str(&buf), sn_str_from(expected));
    sn_buf_release(&buf);
    return is_same;
}

static void files_are_read_again_when_they_change(void **state) {
    (void)state;
    write_file("a.yml", "- targets: [a]\n");
    struct sn_discovery *discovery = open_discovery();
    sn_discovery_look(discovery);
    assert_true(has_targets(discovery, "a "));
    uint64_t generation = sn_discovery_generation(discovery, 0);
    sn_discovery_look(discovery);
    assert_int_equal(sn_discovery_generation(discovery, 0), generation);
    write_file("a.yml", "- targets: [b, c]\n");
    sn_discovery_look(discovery);
    assert_true(has_targets(discovery, "b c "));
    assert_true(sn_discovery_generation(discovery, 0) > generation);
    write_file("b.yml", "- targets: [d]\n");
    sn_discovery_look(discovery);
    assert_true(has_targets(discovery, "b c d "));
    (void)sn_discovery_close(discovery);
}

static void a_file_with_a_mistake_changes_nothing_and_one_that_is_gone_does(void **state) {
    (void)state;
    char path[128];
    write_file("a.yml", "- targets: [a]\n");
    struct sn_discovery *discovery = open_discovery();
    sn_discovery_look(discovery);
    write_file("a.yml", "- targets: [\n");
    sn_discovery_look(discovery);
    sn_discovery_look(discovery);
    assert_true(has_targets(discovery, "a "));
    assert_int_equal(failure_count, 1);
    write_file("a.yml", "- targets: [b]\n");
    sn_discovery_look(discovery);
    assert_true(has_targets(discovery, "b "));
    assert_int_equal(change_count, 2);
    (void)snprintf(path, sizeof path, "%s/a.yml", dir);
    assert_int_equal(sn_os_unlink(path), 0);
    sn_discovery_look(discovery);
    assert_true(has_targets(discovery, ""));
    (void)sn_discovery_close(discovery);
}

/* What the thread of a discovery is to find. */
struct hope {
    struct sn_discovery *discovery;
    const char *targets;
};

static bool is_found(void *ctx) {
    const struct hope *hope = ctx;
    return has_targets(hope->discovery, hope->targets);
}

static bool has_failed(void *ctx) {
    (void)ctx;
    return failure_count > 0;
}

static void urls_are_asked_and_their_last_answer_counts(void **state) {
    (void)state;
    struct page_server server;
    struct sn_thread thread = {0};
    page_server_start(&server);
    page_server_say(&server, 200, "application/json", "[{\"targets\":[\"x\"]}]");
    (void)snprintf(url_text, sizeof url_text, "http://%s/sd", page_server_address(&server));
    url = (struct sn_http_discovery){.url = url_text, .refresh_interval_ms = 10};
    job.files.count = 0;
    job.urls = (struct sn_http_discovery_list){&url, 1};
    struct sn_discovery *discovery = open_discovery();
    struct sn_worker worker = sn_discovery_worker(discovery);
    assert_int_equal(sn_thread_start(&thread, worker.name, worker.run, worker.ctx, NULL), SN_OK);
    wait_until(is_found, &(struct hope){discovery, "x "});
    page_server_say(&server, 200, "application/json", "[{\"targets\":[\"y\"]}]");
    wait_until(is_found, &(struct hope){discovery, "y "});
    page_server_say(&server, 500, "text/plain", "no");
    wait_until(has_failed, NULL);
    assert_true(has_targets(discovery, "y "));
    worker.stop(worker.ctx);
    sn_thread_join(&thread);
    struct sn_discovery *next = open_discovery();
    sn_discovery_adopt(next, discovery);
    assert_true(has_targets(next, "y "));
    assert_true(has_targets(discovery, ""));
    (void)sn_discovery_close(discovery);
    (void)sn_discovery_close(next);
    page_server_stop(&server);
}

static void any_allocation_may_fail(void **state) {
    (void)state;
    write_file("a.yml", "- targets: [a]\n  labels: {x: y}\n");
    for (uint64_t n = 1;; n++) {
        const struct sn_discovery_options options = {.config = &config,
                                                     .clock = sn_clock_system(),
                                                     .on_targets = on_targets,
                                                     .on_change = on_change};
        struct sn_discovery *discovery = NULL;
        sn_mem_fail_nth(n);
        sn_status status = sn_discovery_open(&options, &discovery, NULL);
        if (status == SN_OK)
            sn_discovery_look(discovery);
        bool has_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_true(status == SN_OK || (has_fired && status == SN_ERR_NO_MEMORY));
        (void)sn_discovery_close(discovery);
        if (!has_fired)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
        TEST(files_are_read_again_when_they_change),
        TEST(a_file_with_a_mistake_changes_nothing_and_one_that_is_gone_does),
        TEST(urls_are_asked_and_their_last_answer_counts),
        TEST(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
