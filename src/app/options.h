/*
 * Command line of `sonde serve`.
 */
#ifndef SN_APP_OPTIONS_H
#define SN_APP_OPTIONS_H

#include "app/config.h"

/* What the command line said; NULL or false: nothing. Text is argv's. */
struct sn_serve_options {
    const char *listen;
    const char *data;
    const char *config_path;
    const char *access;
    bool wants_help;
};

/* SN_OK, or SN_ERR_INVALID with a sentence that names the option. Reorders argv as getopt does. */
sn_status sn_serve_options_parse(int argc, char **argv, struct sn_serve_options *ret_options,
                                 struct sn_err *err) SN_MUST_USE;

/*
 * Defaults, file, command line, in this order, checked together. config is initialised here and to be
 * released in any case. Statuses of sn_config_load and sn_config_check.
 */
sn_status sn_serve_options_apply(const struct sn_serve_options *options, struct sn_config *config,
                                 struct sn_err *err) SN_MUST_USE;

#endif
