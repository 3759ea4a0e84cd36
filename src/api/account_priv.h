/*
 * What auth_api.c and admin_api.c share: reading small JSON objects, writing answers.
 */
#ifndef SN_API_ACCOUNT_PRIV_H
#define SN_API_ACCOUNT_PRIV_H

#include "api/api_priv.h"
#include "auth/auth.h"
#include "codec/json_read.h"

/* One text of a JSON object. *ret_value has ptr NULL before; text borrows from request and arena. */
struct sn_api_field {
    struct sn_str name;
    struct sn_str *ret_value;
    bool is_optional;
};

/* Read {"name":"text",...}: other names are refused. SN_ERR_INVALID, SN_ERR_LIMIT,
 * SN_ERR_NO_MEMORY. */
sn_status sn_api_account_read(struct sn_http_request *request, const struct sn_api_field *fields,
                              size_t field_count, struct sn_err *err) SN_MUST_USE;

/* Who asks, for the audit log. */
struct sn_auth_actor sn_api_account_actor(struct sn_http_request *request, struct sn_str name);

/* {"status":"success","data": ... }: begin, write one value, end. Never kept by caches. */
void sn_api_account_begin(struct sn_json_writer *json, struct sn_buf *buf);
void sn_api_account_end(struct sn_http_request *request, struct sn_json_writer *json,
                        struct sn_buf *buf);
void sn_api_account_done(struct sn_http_request *request); /* 204 */
void sn_api_account_failure(struct sn_http_request *request, sn_status status,
                            const struct sn_err *err);

/* RFC 3339 text, null for 0. */
void sn_api_write_key_wall(struct sn_json_writer *json, struct sn_str key, int64_t wall_ms);
void sn_api_write_scopes(struct sn_json_writer *json, unsigned scopes);

#endif
