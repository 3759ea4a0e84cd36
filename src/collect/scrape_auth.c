/*
 * Credentials. See scrape_auth.h. No sentence holds a secret.
 */
#include "collect/scrape_auth.h"

#include "base/os.h"

/* The text, or what stands in the file, without blanks around it. NULL: neither. */
static sn_status secret(const char *text, const char *path, struct sn_arena *scratch,
                        const char **ret_secret, struct sn_err *err) {
    *ret_secret = text;
    if (text != NULL || path == NULL)
        return SN_OK;
    struct sn_buf file;
    sn_buf_init(&file, SN_SECRET_BYTES_MAX);
    sn_status status = sn_os_read_file(path, &file, err);
    if (status == SN_OK) {
        struct sn_str trimmed = sn_str_trim(sn_buf_str(&file));
        *ret_secret = sn_arena_printf(scratch, "%.*s", SN_STR_ARG(trimmed));
        if (*ret_secret == NULL)
            status = sn_arena_failure(scratch, trimmed.len, err);
    }
    sn_buf_release(&file);
    return status;
}

static sn_status add_authorization(const char *type, const char *credentials,
                                   struct sn_arena *scratch, const char **headers,
                                   size_t *header_count, struct sn_err *err) {
    /* A line break would be a header of its own. */
    if (credentials[strcspn(credentials, "\r\n")] != '\0')
        return sn_err_set(err, SN_ERR_INVALID, "credentials with a line break");
    const char *line = sn_arena_printf(scratch, "Authorization: %s %s", type, credentials);
    if (line == NULL)
        return sn_arena_failure(scratch, strlen(credentials), err);
    headers[(*header_count)++] = line;
    return SN_OK;
}

sn_status sn_scrape_auth_fill(const struct sn_scrape_http *http, struct sn_arena *scratch,
                              struct sn_http_ask *ask, const char **headers, size_t *header_count,
                              struct sn_err *err) {
    const char *credentials, *token;
    ask->tls = &http->tls;
    ask->proxy = http->proxy_url;
    ask->follows_redirects = !http->has_no_redirects;
    SN_TRY(secret(http->user, http->user_file, scratch, &ask->user, err));
    SN_TRY(secret(http->password, http->password_file, scratch, &ask->password, err));
    if (ask->user == NULL && ask->password != NULL)
        ask->user = "";
    SN_TRY(secret(http->credentials, http->credentials_file, scratch, &credentials, err));
    SN_TRY(secret(http->bearer_token, http->bearer_token_file, scratch, &token, err));
    if (credentials != NULL)
        return add_authorization(http->credentials_type ? http->credentials_type : "Bearer",
                                 credentials, scratch, headers, header_count, err);
    if (token != NULL)
        return add_authorization("Bearer", token, scratch, headers, header_count, err);
    return SN_OK;
}
