/* What the data commands share. See data_command.h. */
#include "app/data_command.h"

#include "app/command.h"
#include "app/signals.h"

bool sn_data_command_begin(struct sn_data_command *command, int argc, char **argv, int *ret_code) {
    struct sn_err err = {.status = SN_OK};
    if (sn_tool_options_parse(argc, argv, command->allowed, command->words, &command->options,
                              &err) != SN_OK) {
        char hint[64] = "see: sonde help";
        (void)snprintf(hint, sizeof hint, "see: sonde %s --help", command->name); /* it fits */
        sn_command_complain(command->name, err.text, hint);
        *ret_code = SN_EXIT_USAGE;
        return false;
    }
    if (command->options.wants_help) {
        sn_command_print("%s", command->usage);
        *ret_code = SN_EXIT_OK;
        return false;
    }
    sn_status status = sn_signals_block(&err);
    if (status != SN_OK) {
        *ret_code = sn_data_command_fail(command, status, &err, false, NULL);
        return false;
    }
    return true;
}

bool sn_data_command_goes_on(void) {
    return !sn_signals_stop_asked();
}

int sn_data_command_fail(const struct sn_data_command *command, sn_status status,
                         const struct sn_err *err, bool is_unreachable, const char *hint) {
    if (is_unreachable && hint == NULL)
        hint = "is it running? give its address with --url, or its data directory with --data";
    sn_command_complain(command->name, err->text[0] ? err->text : sn_status_name(status), hint);
    if (is_unreachable)
        return SN_EXIT_UNREACHABLE;
    return status == SN_ERR_CLOSED ? SN_EXIT_INTERRUPTED : sn_exit_of(status);
}
