/*
 * `sonde check-config FILE`: read a configuration as `serve` would, and say what is wrong.
 */
#include "app/command.h"
#include "app/config.h"

#include <string.h>

static const char usage[] = "usage: sonde check-config FILE";

/* What is read and not used. */
static void print_warnings(const struct sn_config *config) {
    struct sn_str rest = sn_buf_str(&config->warnings), line;
    while (rest.len > 0) {
        (void)sn_str_cut(rest, '\n', &line, &rest);
        sn_command_print("warning: %.*s\n", SN_STR_ARG(line));
    }
}

int sn_command_check_config(int argc, char **argv) {
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        sn_command_print("%s\n\nExit status: 0 all is well, 6 the file is wrong, 5 no such file.\n",
                         usage);
        return SN_EXIT_OK;
    }
    if (argc != 2) {
        sn_command_complain("check-config", "expected the name of one file", usage);
        return SN_EXIT_USAGE;
    }
    struct sn_config config;
    struct sn_err err = {0};
    sn_config_init(&config);
    sn_status status = sn_config_load(&config, argv[1], &err);
    if (status == SN_OK)
        status = sn_config_check(&config, &err);
    print_warnings(&config);
    sn_config_release(&config);
    if (status != SN_OK)
        sn_command_complain("check-config", err.text, NULL);
    else
        sn_command_print("%s: ok\n", argv[1]);
    return sn_exit_of(status);
}
