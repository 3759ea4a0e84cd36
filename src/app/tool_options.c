/* Command line of the data commands. See tool_options.h. */
#include "app/tool_options.h"

#include "base/limits.h"
#include "codec/timetext.h"

#include <getopt.h>

static sn_status refuse_option(char **argv, struct sn_err *err) {
    bool is_letter = optopt != 0 && optopt != 'h'; /* 'h': "--help=5" */
    if (is_letter)
        return sn_err_set(err, SN_ERR_INVALID, "unknown option -%c", optopt);
    return sn_err_set(err, SN_ERR_INVALID, "unknown option %s", argv[optind - 1]);
}

/* One option with a value: where it goes and which bit allows it. */
struct place {
    int letter;
    unsigned bit;
    const char **value;
};

static sn_status take_value(const struct place *place, unsigned allowed, char **argv,
                            struct sn_err *err) {
    if ((place->bit & allowed) == 0)
        return sn_err_set(err, SN_ERR_INVALID, "this command has no option %s", argv[optind - 2]);
    *place->value = optarg;
    return SN_OK;
}

static sn_status take_match(struct sn_tool_options *options, unsigned allowed, struct sn_err *err) {
    if ((allowed & SN_TOOL_SELECT) == 0)
        return sn_err_set(err, SN_ERR_INVALID, "this command has no option --match");
    if (options->match_count == SN_TOOL_MATCHES_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "more than %d selectors", SN_TOOL_MATCHES_MAX);
    options->matches[options->match_count++] = optarg;
    return SN_OK;
}

static sn_status take_option(int letter, char **argv, unsigned allowed,
                             struct sn_tool_options *options, struct sn_err *err) {
    const struct place places[] = {
        {'d', SN_TOOL_DATA, &options->data},     {'c', SN_TOOL_DATA, &options->config_path},
        {'u', SN_TOOL_SERVER, &options->url},    {'t', SN_TOOL_SERVER, &options->token_path},
        {'s', SN_TOOL_SELECT, &options->start},  {'e', SN_TOOL_SELECT, &options->end},
        {'f', SN_TOOL_FORMAT, &options->format}, {'o', SN_TOOL_OUTPUT, &options->output},
        {'r', SN_TOOL_FROM, &options->from},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (places[i].letter == letter)
            return take_value(&places[i], allowed, argv, err);
    }
    switch (letter) {
    case 'm':
        return take_match(options, allowed, err);
    case 'q':
        options->is_quiet = true;
        return SN_OK;
    case 'h':
        options->wants_help = true;
        return SN_OK;
    case ':':
        return sn_err_set(err, SN_ERR_INVALID, "option %s needs a value", argv[optind - 1]);
    default:
        return refuse_option(argv, err);
    }
}

sn_status sn_tool_options_parse(int argc, char **argv, unsigned allowed, size_t words,
                                struct sn_tool_options *ret_options, struct sn_err *err) {
    static const struct option known[] = {
        {"data", required_argument, NULL, 'd'},
        {"config", required_argument, NULL, 'c'},
        {"url", required_argument, NULL, 'u'},
        {"token-file", required_argument, NULL, 't'},
        {"match", required_argument, NULL, 'm'},
        {"start", required_argument, NULL, 's'},
        {"end", required_argument, NULL, 'e'},
        {"format", required_argument, NULL, 'f'},
        {"output", required_argument, NULL, 'o'},
        {"from", required_argument, NULL, 'r'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct sn_tool_options options = {0};
    int letter;
    opterr = 0; /* We say it ourselves. */
    optind = 0; /* Start anew: tests call this more than once. */
    while ((letter = getopt_long(argc, argv, ":hq", known, NULL)) != -1)
        SN_TRY(take_option(letter, argv, allowed, &options, err));
    for (; optind < argc; optind++) {
        if (options.word_count == words)
            return sn_err_set(err, SN_ERR_INVALID, "unexpected argument \"%s\"", argv[optind]);
        options.words[options.word_count++] = argv[optind];
    }
    if (options.word_count < words && !options.wants_help)
        return sn_err_set(err, SN_ERR_INVALID, "an argument is missing");
    *ret_options = options;
    return SN_OK;
}

sn_status sn_tool_options_config(const struct sn_tool_options *options, struct sn_config *config,
                                 struct sn_err *err) {
    sn_config_init(config);
    if (options->config_path != NULL)
        SN_TRY(sn_config_load(config, options->config_path, err));
    if (options->data != NULL)
        config->data = options->data;
    return SN_OK;
}

static sn_status parse_time(const char *name, const char *text, int64_t *time_ms,
                            struct sn_err *err) {
    if (text == NULL)
        return SN_OK;
    sn_status status = sn_time_parse_ms(sn_str_from(text), time_ms, err);
    if (status != SN_OK)
        sn_err_prefix(err, "%s", name);
    return status;
}

sn_status sn_tool_options_range(const struct sn_tool_options *options, struct sn_range *ret_range,
                                struct sn_err *err) {
    struct sn_range range = {SN_TIME_MS_MIN, SN_TIME_MS_MAX};
    SN_TRY(parse_time("--start", options->start, &range.start_ms, err));
    SN_TRY(parse_time("--end", options->end, &range.end_ms, err));
    if (range.start_ms > range.end_ms)
        return sn_err_set(err, SN_ERR_INVALID, "--start is after --end");
    *ret_range = range;
    return SN_OK;
}
