/*
 * What the files of the board share: the state in the making and what a refresh works with.
 */
#ifndef SN_ENGINE_BOARD_PRIV_H
#define SN_ENGINE_BOARD_PRIV_H

#include "engine/ask.h"
#include "engine/board.h"

/* One service and what the refreshes keep of it. */
struct sn_board_row {
    struct sn_board_service service;
    double ok, errors, aborted; /* per second over the window that was asked last; 0: none */
    bool has_rates;
};

/* A published table is not changed any more. */
struct sn_board_state {
    struct sn_arena arena; /* everything of it */
    int64_t now_ms;
    int64_t slot;              /* the running half hour since 1970 */
    uint64_t done_slots;       /* bit i: slot - i is settled */
    struct sn_board_row *rows; /* [count], by name once published */
    size_t count, capacity;
    struct sn_hosts hosts;
    struct sn_day day;
    struct sn_board_totals totals;
    int64_t day_ms; /* when day and totals were summed up */
    bool has_data;
};

/* A refresh. */
struct sn_board_round {
    struct sn_board *board;
    struct sn_board_state *state;     /* in the making */
    const struct sn_board_state *old; /* NULL: the first */
    struct sn_row_index index;        /* of state->rows */
    struct sn_ask ask;
    struct sn_err *err;
};

/* The row of a service; made when it is new. SN_ERR_LIMIT, SN_ERR_NO_MEMORY. */
sn_status sn_board_row(struct sn_board_round *round, struct sn_str name,
                       struct sn_board_row **ret_row) SN_MUST_USE;

/* board_services.c: who is there and how it is now. */
sn_status sn_board_read_services(struct sn_board_round *round) SN_MUST_USE;
/* Rates by outcome over (time - window, time] into all rows. */
sn_status sn_board_read_rates(struct sn_board_round *round, int64_t time_ms,
                              int64_t window_ms) SN_MUST_USE;
enum sn_health sn_board_judge(const struct sn_board *board, const struct sn_board_row *row);

/* board_slots.c: move strips on, fill them from what is stored, and store what is over. */
sn_status sn_board_settle_slots(struct sn_board_round *round) SN_MUST_USE;

/* board_totals.c: a day of everything, of which the settled half hours are read as stored. */
sn_status sn_board_read_totals(struct sn_board_round *round) SN_MUST_USE;

#endif
