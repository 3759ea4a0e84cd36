/*
 * `sonde command NAME [JSON]`: run a command of the server and print its answer.
 */
#include "app/remote.h"
#include "base/os.h"
#include "engine/commands.h"

#include <getopt.h>
#include <stdio.h>

enum { TIMEOUT_MS = 60000 };

static const char usage[] =
    "usage: sonde command NAME [JSON] [--url URL] [--token-file FILE]\n"
    "\n"
    "Runs a command of the server and prints its JSON answer.\n"
    "\n" SN_REMOTE_USAGE "\n"
    "examples:\n"
    "  sonde command get_all_metrics\n"
    "  sonde command get_slow_operations '{\"service\":\"cache\",\"limit\":5}'\n"
    "  sonde command get_metrics_history '{\"query\":\"node_load1\",\"hours\":6}'\n"
    "\n"
    "commands:\n";

static int print_usage(void) {
    sn_command_print("%s", usage);
    for (size_t i = 0; sn_commands_name(i) != NULL; i++)
        sn_command_print("  %s\n", sn_commands_name(i));
    return SN_EXIT_OK;
}

/* Names have no characters that an address would need to escape. */
static bool is_name(const char *text) {
    for (; *text != '\0'; text++)
        if (!((*text >= 'a' && *text <= 'z') || *text == '_'))
            return false;
    return true;
}

static sn_status run(const struct sn_remote_options *remote, const char *name, const char *args,
                     int *ret_exit, struct sn_err *err) {
    char path[256];
    struct sn_buf answer;
    int len = snprintf(path, sizeof path, "/api/v1/commands/%s", name);
    if (!is_name(name) || len >= (int)sizeof path) {
        *ret_exit = SN_EXIT_NOT_FOUND;
        return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no command \"%.64s\"", name);
    }
    const struct sn_remote_call ask = {
        .path = path, .body = sn_str_from(args), .timeout_ms = TIMEOUT_MS};
    sn_buf_init(&answer, 0);
    sn_status status = sn_remote_ask(remote, &ask, &answer, ret_exit, err);
    if (status == SN_OK) {
        sn_buf_put_byte(&answer, '\n');
        (void)sn_os_write_all(1, answer.ptr, answer.len); /* a reader that has gone is no failure */
    }
    sn_buf_release(&answer);
    return status;
}

int sn_command_command(int argc, char **argv) {
    static const struct option options[] = {
        SN_REMOTE_OPTIONS, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct sn_remote_options remote = {0};
    struct sn_err err = {0};
    int exit_code = SN_EXIT_OK;
    int letter;
    optind = 1;
    while ((letter = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (letter == 'h')
            return print_usage();
        if (!sn_remote_option(&remote, letter, optarg))
            return SN_EXIT_USAGE; /* getopt has said what is wrong. */
    }
    int word_count = argc - optind;
    if (word_count < 1 || word_count > 2) {
        sn_command_complain("command", "expected the name of a command and perhaps its arguments",
                            "see: sonde command --help");
        return SN_EXIT_USAGE;
    }
    sn_status status =
        run(&remote, argv[optind], word_count == 2 ? argv[optind + 1] : "{}", &exit_code, &err);
    if (status != SN_OK)
        sn_command_complain("command", err.text, NULL);
    return exit_code;
}
