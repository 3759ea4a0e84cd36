/*
 * Command line of `sonde serve`. See options.h.
 */
#include "app/options.h"

#include <getopt.h>

/* What getopt has just refused: argv[optind - 1], or one letter of a word such as "-xh". */
static sn_status refuse_option(char **argv, struct sn_err *err) {
    bool is_letter = optopt != 0 && optopt != 'h'; /* 'h': "--help=5" */
    if (is_letter)
        return sn_err_set(err, SN_ERR_INVALID, "unknown option -%c", optopt);
    return sn_err_set(err, SN_ERR_INVALID, "unknown option %s", argv[optind - 1]);
}

sn_status sn_serve_options_parse(int argc, char **argv, struct sn_serve_options *ret_options,
                                 struct sn_err *err) {
    static const struct option known[] = {
        {"listen", required_argument, NULL, 'l'}, {"data", required_argument, NULL, 'd'},
        {"config", required_argument, NULL, 'c'}, {"access", required_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    struct sn_serve_options options = {0};
    int letter;
    opterr = 0; /* We say it ourselves. */
    optind = 0; /* Start anew: tests call this more than once. */
    while ((letter = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        switch (letter) {
        case 'l':
            options.listen = optarg;
            break;
        case 'd':
            options.data = optarg;
            break;
        case 'c':
            options.config_path = optarg;
            break;
        case 'a':
            options.access = optarg;
            break;
        case 'h':
            options.wants_help = true;
            break;
        case ':':
            return sn_err_set(err, SN_ERR_INVALID, "option %s needs a value", argv[optind - 1]);
        default:
            return refuse_option(argv, err);
        }
    }
    if (optind < argc)
        return sn_err_set(err, SN_ERR_INVALID, "unexpected argument \"%s\"", argv[optind]);
    *ret_options = options;
    return SN_OK;
}

sn_status sn_serve_options_apply(const struct sn_serve_options *options, struct sn_config *config,
                                 struct sn_err *err) {
    sn_config_init(config);
    if (options->config_path != NULL)
        SN_TRY(sn_config_load(config, options->config_path, err));
    if (options->listen != NULL)
        config->listen = options->listen;
    if (options->data != NULL)
        config->data = options->data;
    if (options->access != NULL)
        SN_TRY(sn_config_parse_access(sn_str_from(options->access), &config->access, err));
    return sn_config_check(config, err);
}
