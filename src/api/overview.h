/*
 * The overview as a JSON value: for its route, and for streams that send it again and again.
 */
#ifndef SN_API_OVERVIEW_H
#define SN_API_OVERVIEW_H

#include "api/api_priv.h"

/*
 * Write "data" of GET /api/v1/overview.
 *
 *   range  of the small charts; its end is now for a live page
 *   arena  for the work; nothing of the answer is in it
 *
 * SN_ERR_UNSUPPORTED (no board), SN_ERR_NO_MEMORY, SN_ERR_LIMIT, and the statuses of sn_board_read
 * and sn_sparks_read. Any thread. Blocks on queries, rarely: see engine/board.h.
 */
sn_status sn_overview_write(struct sn_api *api, const struct sn_range *range,
                            struct sn_arena *arena, struct sn_json_writer *json,
                            struct sn_err *err) SN_MUST_USE;

#endif
