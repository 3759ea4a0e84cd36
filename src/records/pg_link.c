/*
 * A connection that comes back by itself. See pg_link.h.
 */
#include "records/pg_link.h"

#include "base/clock.h"
#include "base/mem.h"

#include <string.h>

sn_status sn_pg_link_open(struct sn_pg_link *link, const char *url,
                          const struct sn_pg_schema *schema, struct sn_err *err) {
    SN_TRY(sn_pg_check_url(url, err));
    char *copy = sn_strdup(url);
    if (copy == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the %s", schema->subject);
    *link = (struct sn_pg_link){.url = copy, .schema = schema};
    return SN_OK;
}

void sn_pg_link_close(struct sn_pg_link *link) {
    sn_pg_disconnect(&link->pg);
    if (link->url != NULL)
        explicit_bzero(link->url, strlen(link->url));
    sn_free(link->url);
    link->url = NULL;
}

static int64_t now_ns(void) {
    return sn_clock_mono_ns(sn_clock_system());
}

sn_status sn_pg_link_ready(struct sn_pg_link *link, struct sn_err *err) {
    if (link->pg.conn == NULL && now_ns() < link->retry_ns) {
        if (err != NULL)
            *err = link->away;
        return link->away.status;
    }
    struct sn_err why = {.status = SN_OK};
    sn_status status = sn_pg_schema_ready(link->schema, &link->pg, link->url, &why);
    if (status == SN_OK)
        return SN_OK;
    if (err != NULL)
        *err = why;
    if (link->pg.conn == NULL) {
        link->away = why;
        link->retry_ns = now_ns() + SN_PG_LINK_RETRY_MS * INT64_C(1000000);
    }
    return status;
}

sn_status sn_pg_link_read(struct sn_pg_link *link, const char *sql,
                          const struct sn_pg_params *params, struct pg_result **ret_result,
                          struct sn_err *err) {
    sn_status status = SN_ERR_INTERNAL;
    for (int i = 0; i < 2; i++) {
        SN_TRY(sn_pg_link_ready(link, err));
        status = sn_pg_run(&link->pg, sql, params, ret_result, err);
        if (status != SN_ERR_IO || link->pg.conn != NULL)
            break;
    }
    return status;
}

sn_status sn_pg_link_change(struct sn_pg_link *link,
                            sn_status (*work)(void *args, struct sn_pg *pg, struct sn_err *err),
                            void *args, struct sn_err *err) {
    SN_TRY(sn_pg_link_ready(link, err));
    return sn_pg_transaction(&link->pg, work, args, err);
}
