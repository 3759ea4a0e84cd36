/*
 * Accounts and TLS of a starting server. See sign_in.h.
 */
#include "app/sign_in.h"

#include "app/command.h"
#include "base/log.h"
#include "base/os.h"
#include "net/address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PEM_BYTES_MAX = 256 << 10, /* a chain of a few certificates is 10 KiB */
    PASSWORD_FILE_BYTES_MAX = 4096,
};

static const struct sn_auth_actor shell = {SN_STR("command line"), SN_STR(""), true};

/* ---- files ---- */

sn_status sn_accounts_path(const char *data, char ret_path[SN_ACCOUNTS_PATH_SIZE],
                           struct sn_err *err) {
    int len = snprintf(ret_path, SN_ACCOUNTS_PATH_SIZE, "%s/sonde.db", data);
    if (len < 0 || len >= SN_ACCOUNTS_PATH_SIZE)
        return sn_err_set(err, SN_ERR_LIMIT, "the name of the data directory is too long");
    return SN_OK;
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

static sn_status check_address(const struct sn_sign_in *sign_in, const struct sn_config *config,
                               struct sn_err *err) {
    struct sn_address address;
    SN_TRY(sn_address_parse(sn_str_from(config->listen), &address, err));
    if (sn_address_is_loopback(&address))
        return SN_OK;
    if (!sn_auth_has_admin(sign_in->auth))
        return sn_err_set(err, SN_ERR_INVALID,
                          "%s can be reached from elsewhere and there is no administrator yet: run "
                          "`sonde admin user add NAME --role admin --data %s`, or listen on "
                          "127.0.0.1 for the setup page",
                          config->listen, config->data);
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
    if (status != SN_OK && err != NULL)
        sn_err_prefix(err, "SONDE_ADMIN_PASSWORD_FILE");
    return status;
}

sn_status sn_sign_in_open(struct sn_sign_in *sign_in, const struct sn_config *config,
                          struct sn_err *err) {
    char path[SN_ACCOUNTS_PATH_SIZE];
    SN_TRY(sn_accounts_path(config->data, path, err));
    SN_TRY(sn_accounts_open(path, &sign_in->accounts, err));
    const struct sn_auth_options options = {.accounts = sign_in->accounts,
                                            .session_ms = config->session_ms};
    SN_TRY(sn_auth_open(&options, &sign_in->auth, err));
    SN_TRY(open_tls(sign_in, config, err));
    if (config->access == SN_API_ACCESS_OPEN)
        return SN_OK;
    SN_TRY(add_first_admin(sign_in, err));
    return check_address(sign_in, config, err);
}

void sn_sign_in_close(struct sn_sign_in *sign_in) {
    sign_in->auth = sn_auth_close(sign_in->auth);
    sign_in->accounts = sn_accounts_close(sign_in->accounts);
    sn_buf_release(&sign_in->certificate);
    if (sign_in->key.ptr != NULL)
        explicit_bzero(sign_in->key.ptr, sign_in->key.len);
    sn_buf_release(&sign_in->key);
}

/* ---- the first minutes ---- */

static sn_status write_code_file(const char *data, const char *code, struct sn_err *err) {
    char path[SN_ACCOUNTS_PATH_SIZE], text[SN_SETUP_CODE_TEXT_SIZE + 1];
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
                     ", or run `sonde admin user add NAME --role admin --data %s`\n",
                     config->data, config->data);
    return SN_OK;
}
