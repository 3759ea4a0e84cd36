/* The server and the client of api_support.h. */
#include "api_support.h"

#include "base/mem.h"
#include "base/os.h"
#include "codec/json_read.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { REPLY_BYTES_MAX = 1 << 20, CLIENT_TIMEOUT_S = 60 };

/* ---- reader ---- */

static sn_status fake_select(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                             struct sn_series_list *ret_series, struct sn_err *err) {
    static const struct sn_label label = {SN_STR("__name__"), SN_STR("up")};
    struct fake_store *store = ctx;
    struct sn_series_list list = {.items = sn_arena_alloc_zero(arena, 1, sizeof *list.items)};
    sn_mutex_lock(&store->mu);
    store->reads_waiting++;
    sn_cond_broadcast(&store->changed);
    while (store->is_holding_reads)
        sn_cond_wait(&store->changed, &store->mu);
    store->reads_waiting--;
    sn_status status = store->select_status;
    sn_mutex_unlock(&store->mu);
    if (status != SN_OK)
        return sn_err_set(err, status, "the reader said no");
    list.items[0].labels = (struct sn_labels){&label, 1};
    list.count = sn_matchers_pass(select->matchers, select->matcher_count, list.items[0].labels);
    *ret_series = list;
    return SN_OK;
}

static sn_status fake_samples(void *ctx, uint64_t series_id, struct sn_range range,
                              struct sn_samples *samples, struct sn_err *err) {
    (void)ctx;
    (void)series_id;
    (void)err;
    SN_TRY(sn_samples_reserve(samples, 1));
    if (sn_range_contains(range, NOW_MS - 1000)) {
        samples->time_ms[samples->count] = NOW_MS - 1000;
        samples->value[samples->count++] = 1;
    }
    return SN_OK;
}

/* ---- sink ---- */

static void write_down(struct fake_store *store, const struct sn_batch *batch) {
    struct sn_buf buf;
    struct sn_arena arena;
    sn_buf_init(&buf, sizeof store->text - 1);
    sn_arena_init(&arena, 0);
    for (size_t i = 0; i < batch->sample_count; i++) {
        struct sn_labels labels;
        if (sn_labels_decode(batch->series[batch->samples[i].series].labels, &arena, &labels,
                             NULL) == SN_OK)
            sn_labels_format(labels, &buf);
        if (sn_is_stale(batch->samples[i].value))
            sn_buf_put_text(&buf, " stale");
        else
            sn_buf_printf(&buf, " %.17g", trunc(batch->samples[i].value));
        sn_buf_printf(&buf, " @%lld\n", (long long)batch->samples[i].time_ms);
    }
    memset(store->text, 0, sizeof store->text);
    if (buf.len > 0)
        memcpy(store->text, buf.ptr, buf.len);
    sn_buf_release(&buf);
    sn_arena_release(&arena);
}

static void finish(struct sn_push_done done, sn_status status) {
    struct sn_err err = {.status = SN_OK};
    if (status != SN_OK)
        (void)sn_err_set(&err, status, "the disk said no");
    done.fn(done.ctx, status, &err);
}

static sn_status fake_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                           struct sn_push_result *ret_result, struct sn_err *err) {
    struct fake_store *store = ctx;
    sn_mutex_lock(&store->mu);
    sn_status status = store->push_status, done_status = store->done_status;
    bool is_holding = store->is_holding_done;
    if (status == SN_OK) {
        write_down(store, batch);
        store->pending = done;
        *ret_result =
            (struct sn_push_result){.accepted_count = batch->sample_count - store->duplicate_count};
        ret_result->rejected_count[SN_REJECT_DUPLICATE] = store->duplicate_count;
        if (store->duplicate_count > 0)
            (void)sn_err_set(&ret_result->first_reject, SN_ERR_EXISTS, "it is there already");
    }
    store->push_count++;
    sn_cond_broadcast(&store->changed);
    sn_mutex_unlock(&store->mu);
    if (status != SN_OK)
        return sn_err_set(err, status, "the sink said no");
    if (!is_holding)
        finish(done, done_status);
    return SN_OK;
}

/* ---- server ---- */

static sn_status answer_health(void *ctx, struct sn_err *err) {
    const struct test_server *server = ctx;
    if (server->health_status == SN_OK)
        return SN_OK;
    return sn_err_set(err, server->health_status, "writes are refused");
}

static sn_status answer_host_status(void *ctx, struct sn_json_writer *json, struct sn_err *err) {
    const struct test_server *server = ctx;
    if (server->host_status != SN_OK)
        return sn_err_set(err, server->host_status, "cannot read /proc");
    sn_json_write_object_begin(json);
    sn_json_write_key_uint64(json, SN_STR("cpu"), 1);
    sn_json_write_object_end(json);
    return SN_OK;
}

static sn_status answer_config_text(void *ctx, struct sn_buf *buf, struct sn_err *err) {
    const struct test_server *server = ctx;
    sn_buf_put_text(buf, "access: \"open\"\n");
    return server->config_status == SN_OK ? SN_OK
                                          : sn_err_set(err, server->config_status, "no text");
}

static sn_status answer_targets(void *ctx, const struct sn_api_target_query *query,
                                struct sn_json_writer *json, struct sn_err *err) {
    struct test_server *server = ctx;
    (void)err;
    server->target_query = *query;
    (void)snprintf(server->target_pool, sizeof server->target_pool, "%.*s",
                   SN_STR_ARG(query->pool));
    sn_json_write_object_begin(json);
    sn_json_write_object_end(json);
    return SN_OK;
}

static void answer_scrape_pools(void *ctx, struct sn_json_writer *json) {
    (void)ctx;
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("scrapePools"), SN_STR("j"));
    sn_json_write_object_end(json);
}

/* The instances a and b of job x. */
static sn_status answer_each_target(void *ctx, struct sn_arena *arena,
                                    bool (*visit)(void *visit_ctx, struct sn_labels labels),
                                    void *visit_ctx, struct sn_err *err) {
    static const struct sn_label labels[2][2] = {
        {{{"instance", 8}, {"a", 1}}, {{"job", 3}, {"x", 1}}},
        {{{"instance", 8}, {"b", 1}}, {{"job", 3}, {"x", 1}}},
    };
    (void)ctx;
    (void)arena;
    (void)err;
    for (size_t i = 0; i < 2; i++)
        if (!visit(visit_ctx, (struct sn_labels){labels[i], 2}))
            break;
    return SN_OK;
}

static sn_status answer_external_labels(void *ctx, struct sn_arena *arena,
                                        struct sn_labels *ret_labels, struct sn_err *err) {
    const struct test_server *server = ctx;
    (void)arena;
    (void)err;
    *ret_labels = server->external_labels;
    return SN_OK;
}

static sn_status answer_reload(void *ctx, struct sn_err *err) {
    const struct test_server *server = ctx;
    return server->reload_status == SN_OK
               ? SN_OK
               : sn_err_set(err, server->reload_status, "f.yml:1:1: a mistake");
}

static struct sn_querier open_engine(struct test_server *server, struct sn_reader reader) {
    const struct sn_query_engine_options options = {.reader = reader, .clock = sn_clock_system()};
    assert_int_equal(sn_query_engine_new(&options, &server->engine, NULL), SN_OK);
    return sn_query_engine_querier(server->engine);
}

static void open_api(struct test_server *server, enum sn_api_access access,
                     const struct sn_reader *given_reader, struct sn_querier querier) {
    struct sn_err err = {.status = SN_OK};
    const struct sn_reader fake = {
        .ctx = &server->store, .select = fake_select, .samples = fake_samples};
    const struct sn_reader reader = given_reader != NULL ? *given_reader : fake;
    struct sn_sink sink = {&server->store, fake_push};
    sn_ingest_init(&server->ingest, sink);
    const struct sn_api_options options = {
        .access = access,
        .auth = server->auth,
        .shares_queries = true,
        .clock = &server->clock.clock,
        .reader = reader,
        .querier = querier.query != NULL ? querier : open_engine(server, reader),
        .start_wall_ms = NOW_MS - 60000,
        .retention_text = "15d",
        .ingest = &server->ingest,
        .records = server->records,
        .commands = server->has_board ? &server->commands : NULL,
        .board = server->has_board ? &server->board : NULL,
        .sparks = server->has_board ? &server->sparks : NULL,
        .registry = server->registry,
        .health = answer_health,
        .host_status = answer_host_status,
        .config_text = answer_config_text,
        .targets = answer_targets,
        .scrape_pools = answer_scrape_pools,
        .each_target = answer_each_target,
        .external_labels = answer_external_labels,
        .reload = answer_reload,
        .ctx = server,
        .job_worker_count = 1,
    };
    assert_int_equal(sn_api_open(&options, &server->api, &err), SN_OK);
    struct sn_http_server_options http = {.listen = SN_STR("127.0.0.1:0"), .worker_count = 1};
    sn_api_attach(server->api, &http);
    if (sn_http_server_open(&http, &server->http, &err) != SN_OK)
        fail_msg("%s", err.text);
}

static void add_user(struct test_server *server, struct sn_str name, enum sn_account_role role) {
    const struct sn_auth_user_new user = {.name = name,
                                          .password = SN_STR(TEST_PASSWORD),
                                          .role = role,
                                          .actor = {SN_STR("test"), SN_STR(""), true}};
    int64_t id = 0;
    assert_int_equal(sn_auth_add_user(server->auth, &user, &id, NULL), SN_OK);
}

static void open_accounts(struct test_server *server) {
    char path[160];
    const char *base = getenv("TMPDIR");
    (void)snprintf(server->dir, sizeof server->dir, "%s/sonde-api-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(server->dir));
    (void)snprintf(path, sizeof path, "%s/records.db", server->dir);
    assert_int_equal(sn_accounts_open(path, &server->accounts, NULL), SN_OK);
    const struct sn_auth_options options = {.accounts = server->accounts,
                                            .clock = &server->clock.clock};
    assert_int_equal(sn_auth_open(&options, &server->auth, NULL), SN_OK);
    add_user(server, SN_STR("root"), SN_ACCOUNT_ADMIN);
    add_user(server, SN_STR("ann"), SN_ACCOUNT_USER);
}

static void open_records(struct test_server *server) {
    struct sn_err err = {.status = SN_OK};
    const char *root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(server->records_dir, sizeof server->records_dir, "%s/sonde_api_XXXXXX", root);
    assert_non_null(mkdtemp(server->records_dir));
    const struct sn_records_options options = {
        .dir = server->records_dir,
        .clock = &server->clock.clock,
        .sink = {&server->store, fake_push},
    };
    if (sn_records_open(&options, &server->records, &err) != SN_OK)
        fail_msg("%s", err.text);
}

static void open_board(struct test_server *server, struct sn_reader reader,
                       struct sn_querier querier) {
    char path[128];
    const struct sn_board_options options = {.querier = querier,
                                             .reader = reader,
                                             .records = server->records,
                                             .clock = &server->clock.clock};
    (void)snprintf(path, sizeof path, "%s/settings.db", server->records_dir);
    assert_int_equal(sn_settings_open(path, &server->settings, NULL), SN_OK);
    server->commands = (struct sn_commands){.querier = querier,
                                            .reader = reader,
                                            .settings = server->settings,
                                            .clock = &server->clock.clock};
    sn_board_init(&server->board, &options);
    sn_sparks_init(&server->sparks, querier);
}

static void close_board(struct test_server *server) {
    if (!server->has_board)
        return;
    sn_board_release(&server->board);
    sn_sparks_release(&server->sparks);
    server->settings = sn_settings_close(server->settings);
}

static void start_worker(struct test_server *server, struct sn_worker worker) {
    size_t i = server->count++;
    server->workers[i] = worker;
    assert_int_equal(
        sn_thread_start(&server->threads[i], worker.name, worker.run, worker.ctx, NULL), SN_OK);
}

static struct test_server *start_with(struct test_server *server, enum sn_api_access access,
                                      const struct sn_reader *reader, struct sn_querier querier) {
    sn_mutex_init(&server->store.mu, SN_RANK_STORE_APPEND, "fake store");
    sn_cond_init(&server->store.changed);
    sn_fake_clock_init(&server->clock, 0, NOW_MS);
    if (server->records_dir[0] != '\0')
        open_records(server);
    if (server->dir[0] != '\0')
        open_accounts(server);
    if (server->has_board)
        open_board(server, *reader, querier);
    server->registry = sonde_registry_new(NULL, NULL);
    open_api(server, access, reader, querier);
    struct sn_worker workers[1 + SN_API_WORKERS_MAX];
    assert_int_equal(sn_http_server_workers(server->http, workers, 1), 1);
    assert_int_equal(sn_api_workers(server->api, workers + 1, SN_API_WORKERS_MAX), 3);
    for (size_t i = 0; i < 4; i++)
        start_worker(server, workers[i]);
    if (server->records != NULL) /* the last one to stop: what is under way is written */
        start_worker(server, sn_records_worker(server->records));
    return server;
}

static struct test_server *start(enum sn_api_access access, const struct sn_reader *reader,
                                 struct sn_querier querier) {
    struct test_server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    return start_with(server, access, reader, querier);
}

struct test_server *test_server_start_records(void) {
    struct test_server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    server->records_dir[0] = '/'; /* wanted */
    return start_with(server, SN_API_ACCESS_OPEN, NULL, (struct sn_querier){.ctx = NULL});
}

struct test_server *test_server_start_board(struct sn_reader reader, struct sn_querier querier) {
    struct test_server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    server->records_dir[0] = '/'; /* wanted */
    server->has_board = true;
    return start_with(server, SN_API_ACCESS_OPEN, &reader, querier);
}

struct test_server *test_server_start(enum sn_api_access access) {
    return start(access, NULL, (struct sn_querier){.ctx = NULL});
}

struct test_server *test_server_start_promql(struct sn_reader reader, struct sn_querier querier) {
    return start(SN_API_ACCESS_OPEN, &reader, querier);
}

struct test_server *test_server_start_accounts(void) {
    struct test_server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    server->dir[0] = '/'; /* wanted */
    return start_with(server, SN_API_ACCESS_REQUIRED, NULL, (struct sn_querier){.ctx = NULL});
}

void test_server_stop(struct test_server *server) {
    test_server_release_reads(server);
    for (size_t i = 0; i < server->count; i++) {
        server->workers[i].stop(server->workers[i].ctx);
        sn_thread_join(&server->threads[i]);
    }
    sn_http_server_close(server->http);
    assert_null(sn_api_close(server->api));
    close_board(server);
    server->engine = sn_query_engine_free(server->engine);
    if (sn_records_close(server->records) == NULL && server->records_dir[0] != '\0')
        assert_int_equal(sn_os_remove_tree(server->records_dir, NULL), SN_OK);
    server->auth = sn_auth_close(server->auth);
    server->accounts = sn_accounts_close(server->accounts);
    if (server->dir[0] != '\0')
        assert_int_equal(sn_os_remove_tree(server->dir, NULL), SN_OK);
    (void)sonde_registry_free(server->registry); /* NULL, always */
    sn_cond_release(&server->store.changed);
    sn_mutex_release(&server->store.mu);
    free(server);
}

void test_server_release_reads(struct test_server *server) {
    sn_mutex_lock(&server->store.mu);
    server->store.is_holding_reads = false;
    sn_cond_broadcast(&server->store.changed);
    sn_mutex_unlock(&server->store.mu);
}

void test_server_release_done(struct test_server *server) {
    sn_mutex_lock(&server->store.mu);
    struct sn_push_done done = server->store.pending;
    sn_status status = server->store.done_status;
    sn_mutex_unlock(&server->store.mu);
    finish(done, status);
}

void test_server_await_read(struct test_server *server) {
    sn_mutex_lock(&server->store.mu);
    while (server->store.reads_waiting == 0)
        sn_cond_wait(&server->store.changed, &server->store.mu);
    sn_mutex_unlock(&server->store.mu);
}

void test_server_await_pushes(struct test_server *server, size_t count) {
    sn_mutex_lock(&server->store.mu);
    while (server->store.push_count < count)
        sn_cond_wait(&server->store.changed, &server->store.mu);
    sn_mutex_unlock(&server->store.mu);
}

/* ---- client ---- */

static int connect_to(const struct test_server *server) {
    const char *colon = strrchr(sn_http_server_address(server->http), ':');
    assert_non_null(colon);
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10)),
                                   .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const struct timeval timeout = {.tv_sec = CLIENT_TIMEOUT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

int client_send(const struct test_server *server, const char *method, const char *target,
                const char *headers, struct sn_str body) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_buf_printf(&buf, "%s %s HTTP/1.1\r\nConnection: close\r\n%s%s", method, target,
                  strstr(headers, "Host:") ? "" : "Host: 127.0.0.1\r\n", headers);
    if (body.len > 0)
        sn_buf_printf(&buf, "Content-Length: %zu\r\n", body.len);
    sn_buf_put_text(&buf, "\r\n");
    sn_buf_put_str(&buf, body);
    assert_int_equal(buf.status, SN_OK);
    int fd = connect_to(server);
    assert_int_equal(send(fd, buf.ptr, buf.len, MSG_NOSIGNAL), buf.len);
    sn_buf_release(&buf);
    return fd;
}

bool client_has_answer(int fd) {
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    assert_true(got >= 0 || errno == EAGAIN);
    return got >= 0;
}

/* Put the chunks of a body together, in place; an answer that was cut has no last one. */
static void join_chunks(struct reply *reply) {
    const char *from = reply->body;
    const char *end = reply->body + reply->body_len;
    reply->body_len = 0;
    reply->is_cut = true;
    while (from < end) {
        char *rest;
        size_t len = (size_t)strtoul(from, &rest, 16);
        from = rest + 2; /* CRLF */
        reply->is_cut = len > 0;
        if (len == 0 || len > (size_t)(end - from))
            break;
        memmove(reply->body + reply->body_len, from, len);
        reply->body_len += len;
        from += len + 2;
    }
    reply->body[reply->body_len] = '\0';
}

void client_receive(int fd, struct reply *ret_reply) {
    char *text = calloc(1, REPLY_BYTES_MAX + 1);
    assert_non_null(text);
    size_t len = 0;
    ssize_t got;
    while ((got = recv(fd, text + len, REPLY_BYTES_MAX - len, 0)) > 0)
        len += (size_t)got;
    (void)close(fd);
    assert_int_equal(got, 0);
    char *end = strstr(text, "\r\n\r\n");
    assert_non_null(end);
    assert_int_equal(strncmp(text, "HTTP/1.1 ", 9), 0);
    *end = '\0';
    *ret_reply = (struct reply){.status = (int)strtol(text + 9, NULL, 10),
                                .head = text,
                                .body = end + 4,
                                .body_len = len - (size_t)(end + 4 - text)};
    if (reply_header(ret_reply, "Transfer-Encoding") != NULL)
        join_chunks(ret_reply);
}

void ask(const struct test_server *server, const char *method, const char *target,
         const char *headers, const char *body, struct reply *ret_reply) {
    client_receive(client_send(server, method, target, headers, sn_str_from(body)), ret_reply);
}

void reply_release(struct reply *reply) {
    free(reply->head);
}

const char *reply_header(const struct reply *reply, const char *name) {
    static char value[1024];
    size_t name_len = strlen(name);
    for (const char *line = strstr(reply->head, "\r\n"); line != NULL;
         line = strstr(line, "\r\n")) {
        line += 2;
        if (strncmp(line, name, name_len) != 0 || line[name_len] != ':')
            continue;
        const char *start = line + name_len + 1 + strspn(line + name_len + 1, " ");
        (void)snprintf(value, sizeof value, "%.*s", (int)strcspn(start, "\r"), start);
        return value;
    }
    return NULL;
}

void assert_json(const struct reply *reply) {
    struct sn_arena arena;
    static struct sn_json_reader json;
    struct sn_err err = {.status = SN_OK};
    sn_arena_init(&arena, 0);
    sn_json_read_init(&json, sn_str_make(reply->body, reply->body_len),
                      &(struct sn_json_options){.arena = &arena});
    sn_json_read_skip(&json);
    if (sn_json_read_finish(&json, &err) != SN_OK)
        fail_msg("%s in: %s", err.text, reply->body);
    sn_arena_release(&arena);
    assert_string_equal(reply_header(reply, "Content-Type"), "application/json");
}

void assert_error(const struct reply *reply, int status, const char *type, const char *words) {
    char start[128];
    (void)snprintf(start, sizeof start, "{\"status\":\"error\",\"errorType\":\"%s\",\"error\":\"",
                   type);
    if (reply->status != status || strncmp(reply->body, start, strlen(start)) != 0 ||
        strstr(reply->body, words) == NULL)
        fail_msg("wanted %d %s %s, got %d: %s", status, type, words, reply->status, reply->body);
    assert_json(reply);
}

void assert_ask_fails(const struct test_server *server, const char *method, const char *target,
                      const char *headers, const char *body, int status, const char *type,
                      const char *words) {
    struct reply reply;
    ask(server, method, target, headers, body, &reply);
    assert_error(&reply, status, type, words);
    reply_release(&reply);
}

bool next_param(const void *params, size_t *cursor, struct sn_str *ret_name,
                struct sn_str *ret_value) {
    const struct param *param = (const struct param *)params + *cursor;
    if (param->name == NULL)
        return false;
    *ret_name = sn_str_from(param->name);
    *ret_value = sn_str_from(param->value);
    ++*cursor;
    return true;
}
