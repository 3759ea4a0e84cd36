/*
 * The `sonde` program: find the subcommand, run it. Nothing else may grow here.
 */
#include "app/command.h"
#include "app/schema.h"

#include <sonde/sonde.h>

#include <stdio.h>
#include <string.h>

static const struct sn_command commands[] = {
    {"serve", "Collect, store and serve metrics.", sn_command_serve},
    {"check-config", "Check a configuration file and say what is wrong with it.",
     sn_command_check_config},
    {"backup", "Copy everything to a directory, while the server runs.", sn_command_backup},
    {"restore", "Make a data directory of a backup.", sn_command_restore},
    {"verify", "Read every byte of a data directory and name what is damaged.", sn_command_verify},
    {"export", "Write samples as JSON lines, Prometheus text or OpenMetrics.", sn_command_export},
    {"import", "Store samples of any age from such a file.", sn_command_import},
    {"query", "Ask a running server in PromQL.", sn_command_query},
    {"attach", "Print the metrics in a shared file of a program, also of a dead one.",
     sn_command_attach},
    {"services", "List services with their rates, errors and durations.", sn_command_services},
    {"scrape", "List what is scraped, and what is down.", sn_command_scrape},
    {"command", "Run a command of the server, JSON in and out.", sn_command_command},
    {"push", "Store records or events of a JSON file.", sn_command_push},
    {"errors", "Groups of errors: list, resolve, open again.", sn_command_errors},
    {"admin", "Users, API tokens, the setup link, the audit log.", sn_command_admin},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static int print_help(void) {
    sn_command_print("sonde %s: metrics of your services and machines\n\nusage: sonde COMMAND "
                     "[OPTIONS]\n\n",
                     sonde_version());
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        sn_command_print("  %-14s %s\n", commands[i].name, commands[i].summary);
    sn_command_print("  %-14s %s\n  %-14s %s\n\n`sonde COMMAND --help` tells more about one.\n",
                     "help", "Print this.", "version", "Print the version.");
    return SN_EXIT_OK;
}

static const char *command_name(const void *ctx, size_t i) {
    return ((const struct sn_command *)ctx)[i].name;
}

static int complain_unknown(const char *word) {
    char hint[64] = "see: sonde help";
    const char *nearest =
        sn_schema_nearest(sn_str_from(word), command_name, commands, COMMAND_COUNT);
    if (nearest != NULL)
        (void)snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest); /* names are short */
    sn_command_complain(word, "there is no such command", hint);
    return SN_EXIT_USAGE;
}

int main(int argc, char **argv) {
    const char *word = argc > 1 ? argv[1] : "help";
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return print_help();
    if (strcmp(word, "version") == 0 || strcmp(word, "--version") == 0) {
        sn_command_print("sonde %s\n", sonde_version());
        return SN_EXIT_OK;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(word, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return complain_unknown(word);
}
