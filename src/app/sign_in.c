/*
 * Accounts and TLS of a starting server. See sign_in.h.
 */
#include "app/sign_in.h"

#include "app/command.h"
#include "base/log.h"
#include "base/os.h"
#include "net/address.h"
#include "records/records_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PATH_SIZE = 4096,
    PEM_BYTES_MAX = 256 << 10, /* a chain of a few certificates is 10 KiB */
    PASSWORD_FILE_BYTES_MAX = 4096,
};

#define LOOK_EVERY_NS (SN_AUTH_STALE_MAX_MS * INT64_C(1000000))

static const struct sn_auth_actor shell = {SN_STR("command line"), SN_STR(""), true};

/* ---- files ---- */

sn_status sn_config_accounts(const struct sn_config *config, struct sn_accounts **ret_accounts,
                             struct sn_err *err) {
    char path[SN_RECORDS_DB_PATH_SIZE];
    if (config->records_database != NULL)
        return sn_accounts_open_postgres(config->records_database, ret_accounts, err);
    SN_TRY(sn_records_db_path(config->data, path, err));
    return sn_accounts_open(path, ret_accounts, err);
}

sn_status sn_config_settings(const struct sn_config *config, struct sn_settings **ret_settings,
                             struct sn_err *err) {
    char path[SN_RECORDS_DB_PATH_SIZE];
    if (config->records_database != NULL)
        return sn_settings_open_postgres(config->records_database, ret_settings, err);
    SN_TRY(sn_records_db_path(config->data, path, err));
    return sn_settings_open(path, ret_settings, err);
}

sn_status sn_read_password_file(const char *path, struct sn_buf *buf, struct sn_str *ret_password,
                                struct sn_err *err) {
    struct sn_str rest;
    sn_buf_init(buf, PASSWORD_FILE_BYTES_MAX);
    SN_TRY(sn_os_read_file(path, buf, err));
    (void)sn_str_cut(sn_buf_str(buf), '\n', ret_password, &rest); /* One line is all of it. */
    return SN_OK;
}

static sn_status read_pem(const char *path, struct sn_buf *buf, struct sn_err *err) {
    sn_buf_init(buf, PEM_BYTES_MAX);
    SN_TRY(sn_os_read_file(path, buf, err));
    sn_buf_put_byte(buf, '\0'); /* libmicrohttpd wants text */
    return sn_buf_status(buf, err);
}

static sn_status open_tls(struct sn_sign_in *sign_in, const struct sn_config *config,
                          struct sn_err *err) {
    if ((config->tls_certificate == NULL) != (config->tls_key == NULL))
        return sn_err_set(err, SN_ERR_INVALID,
                          "tls.certificate and tls.key go together, one of them is missing");
    if (config->tls_certificate == NULL)
        return SN_OK;
    SN_TRY(read_pem(config->tls_certificate, &sign_in->certificate, err));
    return read_pem(config->tls_key, &sign_in->key, err);
}

/* ---- opening ---- */

/* "--data DIR", or what else tells `sonde admin` which database it is. */
static const char *place_option(const struct sn_config *config) {
    return config->records_database != NULL ? "--config" : "--data";
}

static const char *place_value(const struct sn_config *config) {
    return config->records_database != NULL ? "FILE" : config->data;
}

static sn_status check_address(const struct sn_sign_in *sign_in, const struct sn_config *config,
                               struct sn_err *err) {
    struct sn_address address;
    SN_TRY(sn_address_parse(sn_str_from(config->listen), &address, err));
    if (sn_address_is_loopback(&address))
        return SN_OK;
    if (!sn_auth_has_admin(sign_in->auth))
        return sn_err_set(err, SN_ERR_INVALID,
                          "%s can be reached from elsewhere and there is no administrator yet: run "
                          "`sonde admin user add NAME --role admin %s %s`, or listen on "
                          "127.0.0.1 for the setup page",
                          config->listen, place_option(config), place_value(config));
    if (!sn_sign_in_has_tls(sign_in) && !config->tls_allow_plain)
        return sn_err_set(err, SN_ERR_INVALID,
                          "%s would take passwords in plain text: set tls.certificate and tls.key, "
                          "or tls.allow_plain: true where the network is trusted",
                          config->listen);
    return SN_OK;
}

/* The first administrator from the environment, once. */
static sn_status add_first_admin(struct sn_sign_in *sign_in, struct sn_err *err) {
    const char *path = getenv("SONDE_ADMIN_PASSWORD_FILE");
    if (path == NULL || path[0] == '\0' || sn_auth_has_admin(sign_in->auth))
        return SN_OK;
    struct sn_buf buf;
    struct sn_auth_user_new user = {
        .name = SN_STR("admin"), .role = SN_ACCOUNT_ADMIN, .actor = shell};
    int64_t id = 0;
    sn_status status = sn_read_password_file(path, &buf, &user.password, err);
    if (status == SN_OK)
        status = sn_auth_add_user(sign_in->auth, &user, &id, err);
    sn_buf_release(&buf);
    if (status == SN_ERR_EXISTS && sn_auth_refresh(sign_in->auth, err) == SN_OK &&
        sn_auth_has_admin(sign_in->auth))
        return SN_OK; /* another server on this database was quicker */
    if (status != SN_OK && err != NULL)
        sn_err_prefix(err, "SONDE_ADMIN_PASSWORD_FILE");
    return status;
}

sn_status sn_sign_in_open(struct sn_sign_in *sign_in, const struct sn_config *config,
                          struct sn_err *err) {
    SN_TRY(sn_config_accounts(config, &sign_in->accounts, err));
    const struct sn_auth_options options = {.accounts = sign_in->accounts,
                                            .session_ms = config->session_ms};
    SN_TRY(sn_auth_open(&options, &sign_in->auth, err));
    sn_mutex_init(&sign_in->mu, SN_RANK_APP, "sign-in");
    sn_cond_init(&sign_in->wake);
    sign_in->has_mu = true;
    sign_in->wants_admin = config->access != SN_API_ACCESS_OPEN;
    sign_in->was_known = sn_auth_is_known(sign_in->auth);
    if (!sign_in->was_known)
        sn_sign_in_look(sign_in); /* it says why */
    SN_TRY(open_tls(sign_in, config, err));
    if (config->access == SN_API_ACCESS_OPEN)
        return SN_OK;
    SN_TRY(add_first_admin(sign_in, err));
    return check_address(sign_in, config, err);
}

void sn_sign_in_close(struct sn_sign_in *sign_in) {
    if (sign_in->has_mu) {
        sn_cond_release(&sign_in->wake);
        sn_mutex_release(&sign_in->mu);
    }
    sign_in->has_mu = false;
    sign_in->auth = sn_auth_close(sign_in->auth);
    sign_in->accounts = sn_accounts_close(sign_in->accounts);
    sn_buf_release(&sign_in->certificate);
    if (sign_in->key.ptr != NULL)
        explicit_bzero(sign_in->key.ptr, sign_in->key.len);
    sn_buf_release(&sign_in->key);
}

/* ---- a database that others change, and that may be away ---- */

/* What start could not do without the database. */
static void catch_up(struct sn_sign_in *sign_in) {
    struct sn_err err = {.status = SN_OK};
    if (!sign_in->wants_admin)
        return;
    if (add_first_admin(sign_in, &err) != SN_OK)
        sn_log_error("sign-in", "%s", err.text);
    if (!sn_auth_has_admin(sign_in->auth))
        sn_log_warn("sign-in",
                    "there is no administrator yet: run `sonde admin user add NAME --role admin "
                    "--config FILE`");
}

void sn_sign_in_look(struct sn_sign_in *sign_in) {
    struct sn_err err = {.status = SN_OK};
    bool is_away = sn_auth_refresh(sign_in->auth, &err) != SN_OK;
    if (is_away && !sign_in->was_away)
        sn_log_warn("sign-in", "%s: %s",
                    sign_in->was_known ? "nobody new can sign in" : "nobody can sign in", err.text);
    if (!is_away && sign_in->was_away)
        sn_log_info("sign-in", "works again");
    sign_in->was_away = is_away;
    if (is_away || sign_in->was_known)
        return;
    sign_in->was_known = true;
    catch_up(sign_in);
}

/* Sleep for a second or until stop; false: stop. */
static bool pause_between(struct sn_sign_in *sign_in) {
    sn_mutex_lock(&sign_in->mu);
    if (!sign_in->is_stopping)
        (void)sn_cond_wait_ns(&sign_in->wake, &sign_in->mu, LOOK_EVERY_NS); /* early is fine */
    bool goes_on = !sign_in->is_stopping;
    sn_mutex_unlock(&sign_in->mu);
    return goes_on;
}

static void run(void *ctx) {
    while (pause_between(ctx))
        sn_sign_in_look(ctx);
}

static void stop(void *ctx) {
    struct sn_sign_in *sign_in = ctx;
    sn_mutex_lock(&sign_in->mu);
    sign_in->is_stopping = true;
    sn_cond_broadcast(&sign_in->wake);
    sn_mutex_unlock(&sign_in->mu);
}

bool sn_sign_in_worker(struct sn_sign_in *sign_in, struct sn_worker *ret_worker) {
    if (!sn_accounts_are_remote(sign_in->accounts))
        return false;
    *ret_worker = (struct sn_worker){"sign-in", run, stop, sign_in};
    return true;
}

/* ---- the first minutes ---- */

static sn_status write_code_file(const char *data, const char *code, struct sn_err *err) {
    char path[PATH_SIZE], text[SN_SETUP_CODE_TEXT_SIZE + 1];
    int path_len = snprintf(path, sizeof path, "%s/" SN_SETUP_CODE_FILE, data);
    int text_len = snprintf(text, sizeof text, "%s\n", code);
    if (path_len >= (int)sizeof path || text_len >= (int)sizeof text)
        return sn_err_set(err, SN_ERR_LIMIT, "the name of the data directory is too long");
    int fd = sn_os_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return sn_err_set_errno(err, errno, "cannot write %s", path);
    int result = sn_os_write_all(fd, text, (size_t)text_len);
    int errno_value = errno;
    (void)sn_os_close(fd); /* What matters was written, or the failure is known. */
    return result == 0 ? SN_OK : sn_err_set_errno(err, errno_value, "cannot write %s", path);
}

sn_status sn_sign_in_announce(struct sn_sign_in *sign_in, const struct sn_config *config,
                              const char *address, struct sn_err *err) {
    char code[SN_SETUP_CODE_TEXT_SIZE];
    if (sn_auth_has_admin(sign_in->auth))
        return SN_OK;
    SN_TRY(sn_auth_new_setup_code(sign_in->auth, code, &shell, err));
    if (isatty(STDOUT_FILENO)) {
        sn_command_print("Create the first administrator (works once, for 60 min):\n"
                         "  %s://%s/#/setup/%s\n",
                         sn_sign_in_has_tls(sign_in) ? "https" : "http", address, code);
        return SN_OK;
    }
    SN_TRY(write_code_file(config->data, code, err));
    sn_command_print("there is no administrator yet: the setup code is in %s/" SN_SETUP_CODE_FILE
                     ", or run `sonde admin user add NAME --role admin %s %s`\n",
                     config->data, place_option(config), place_value(config));
    return SN_OK;
}
