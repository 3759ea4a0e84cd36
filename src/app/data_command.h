/*
 * What the data commands share: how they begin, how they end. One thread.
 */
#ifndef SN_APP_DATA_COMMAND_H
#define SN_APP_DATA_COMMAND_H

#include "app/tool_options.h"

struct sn_data_command {
    const char *name;
    const char *usage;
    unsigned allowed; /* SN_TOOL_ bits */
    size_t words;
    struct sn_tool_options options;
};

/* Parse, print help, block signals. True: go on; false: *ret_code is the exit code. */
bool sn_data_command_begin(struct sn_data_command *command, int argc, char **argv, int *ret_code);

/* False after SIGINT or SIGTERM: stop at the next safe point. */
bool sn_data_command_goes_on(void);

/*
 * Say what failed, and give the exit code.
 *
 *   hint            NULL: none
 *   is_unreachable  no server answered
 */
int sn_data_command_fail(const struct sn_data_command *command, sn_status status,
                         const struct sn_err *err, bool is_unreachable, const char *hint);

#endif
