/*
 * PING. See redis_ping.h.
 */
#include "net/redis_ping.h"

#include "base/str.h"
#include "codec/number.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <string.h>

enum { HOST_BYTES_MAX = 256, PORT_DEFAULT = 6379 };

struct place {
    char host[HOST_BYTES_MAX];
    int port;
};

static sn_status parse(const char *target, struct place *ret_place, struct sn_err *err) {
    struct sn_str text = sn_str_from(target), host = text, port = {NULL, 0};
    uint64_t number = PORT_DEFAULT;
    const char *colon = strrchr(target, ':');
    bool is_bracketed = text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']';
    if (colon != NULL && !is_bracketed) {
        host.len = (size_t)(colon - target);
        port = sn_str_from(colon + 1);
    }
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = sn_str_make(host.ptr + 1, host.len - 2);
    if (host.len == 0 || host.len >= HOST_BYTES_MAX ||
        (port.ptr != NULL &&
         (sn_uint64_parse(port, &number) != SN_OK || number < 1 || number > 65535)))
        return sn_err_set(err, SN_ERR_INVALID, "\"%s\" is not host:port", target);
    memcpy(ret_place->host, host.ptr, host.len);
    ret_place->host[host.len] = '\0';
    ret_place->port = (int)number;
    return SN_OK;
}

static sn_status failure(const redisContext *redis, const char *target, struct sn_err *err) {
    if (redis->err == REDIS_ERR_OOM)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to ask %s", target);
    bool is_late = redis->err == REDIS_ERR_IO && (errno == EAGAIN || errno == ETIMEDOUT);
    return sn_err_set(err, is_late ? SN_ERR_TIMEOUT : SN_ERR_IO, "%s: %s", target,
                      is_late ? "no answer in time" : redis->errstr);
}

static sn_status judge(const redisReply *reply, const char *target, struct sn_err *err) {
    struct sn_str text = sn_str_make(reply->str, reply->str != NULL ? (size_t)reply->len : 0);
    if (reply->type == REDIS_REPLY_STATUS && sn_str_equal(text, SN_STR("PONG")))
        return SN_OK;
    bool is_denied = reply->type == REDIS_REPLY_ERROR && sn_str_starts_with(text, SN_STR("NOAUTH"));
    return sn_err_set(err, is_denied ? SN_ERR_DENIED : SN_ERR_IO, "%s: %.*s", target,
                      SN_STR_ARG(text));
}

sn_status sn_redis_ping(const char *target, int64_t timeout_ms, struct sn_err *err) {
    struct place place;
    SN_TRY(parse(target, &place, err));
    const struct timeval timeout = {.tv_sec = timeout_ms / 1000,
                                    .tv_usec = timeout_ms % 1000 * 1000};
    redisContext *redis = redisConnectWithTimeout(place.host, place.port, timeout);
    if (redis == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to ask %s", target);
    sn_status status = SN_OK;
    if (redis->err != 0 || redisSetTimeout(redis, timeout) != REDIS_OK)
        status = failure(redis, target, err);
    redisReply *reply = status == SN_OK ? redisCommand(redis, "PING") : NULL;
    if (status == SN_OK && reply == NULL)
        status = failure(redis, target, err);
    else if (status == SN_OK)
        status = judge(reply, target, err);
    if (reply != NULL)
        freeReplyObject(reply);
    redisFree(redis);
    return status;
}
