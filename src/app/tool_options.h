/*
 * Command line of the subcommands that look after data: backup, restore, verify, export, import. One
 * table of options, of which each command allows some.
 */
#ifndef SN_APP_TOOL_OPTIONS_H
#define SN_APP_TOOL_OPTIONS_H

#include "app/config.h"
#include "base/status.h"

/* Options that a command may allow; -q, -h and words always. */
#define SN_TOOL_DATA 1u    /* --data DIR, --config FILE */
#define SN_TOOL_SERVER 2u  /* --url URL, --token-file FILE */
#define SN_TOOL_SELECT 4u  /* --match SELECTOR, --start TIME, --end TIME */
#define SN_TOOL_FORMAT 8u  /* --format NAME */
#define SN_TOOL_OUTPUT 16u /* --output FILE */
#define SN_TOOL_FROM 32u   /* --from BYTES */

enum { SN_TOOL_WORDS_MAX = 2, SN_TOOL_MATCHES_MAX = 16 };

/* What the command line said; text is argv's. */
struct sn_tool_options {
    const char *words[SN_TOOL_WORDS_MAX];
    size_t word_count;
    const char *data;
    const char *config_path;
    const char *url;
    const char *token_path;
    const char *matches[SN_TOOL_MATCHES_MAX];
    size_t match_count;
    const char *start;
    const char *end;
    const char *format;
    const char *output;
    const char *from;
    bool is_quiet;
    bool wants_help;
};

/*
 *   allowed   SN_TOOL_ bits
 *   words     how many words the command wants
 *
 * SN_ERR_INVALID with a sentence that names the option. Reorders argv as getopt does.
 */
sn_status sn_tool_options_parse(int argc, char **argv, unsigned allowed, size_t words,
                                struct sn_tool_options *ret_options,
                                struct sn_err *err) SN_MUST_USE;

/* The configuration that counts: the file of --config, or the defaults; --data wins. To be released in
 * any case. Statuses of sn_config_load. */
sn_status sn_tool_options_config(const struct sn_tool_options *options, struct sn_config *config,
                                 struct sn_err *err) SN_MUST_USE;

/* --start and --end, all time when they are missing. SN_ERR_INVALID. */
sn_status sn_tool_options_range(const struct sn_tool_options *options, struct sn_range *ret_range,
                                struct sn_err *err) SN_MUST_USE;

#endif
