/*
 * The subcommands of the `sonde` program and what they share: exit codes and how errors look.
 *
 *   sonde: serve: cannot listen on 127.0.0.1:9464: address already in use
 *     stop it, or choose another address with --listen
 */
#ifndef SN_APP_COMMAND_H
#define SN_APP_COMMAND_H

#include "base/status.h"

/* Exit codes; scripts rely on these numbers. */
enum sn_exit {
    SN_EXIT_OK = 0,
    SN_EXIT_FAILED = 1,
    SN_EXIT_USAGE = 2,
    SN_EXIT_UNREACHABLE = 3,
    SN_EXIT_DENIED = 4,
    SN_EXIT_NOT_FOUND = 5,
    SN_EXIT_BAD_DATA = 6,
    SN_EXIT_INTERNAL = 70,
    SN_EXIT_INTERRUPTED = 130,
};

/* One subcommand. argv[0] is its name; returns an exit code. */
struct sn_command {
    const char *name;
    const char *summary; /* one line for `sonde help` */
    int (*run)(int argc, char **argv);
};

int sn_command_serve(int argc, char **argv);
int sn_command_check_config(int argc, char **argv);
int sn_command_backup(int argc, char **argv);
int sn_command_restore(int argc, char **argv);
int sn_command_verify(int argc, char **argv);
int sn_command_export(int argc, char **argv);
int sn_command_import(int argc, char **argv);
int sn_command_query(int argc, char **argv);
int sn_command_push(int argc, char **argv);
int sn_command_errors(int argc, char **argv);
int sn_command_attach(int argc, char **argv);
int sn_command_admin(int argc, char **argv);
int sn_command_command(int argc, char **argv);
int sn_command_services(int argc, char **argv);
int sn_command_scrape(int argc, char **argv);

/* The exit code that a failure stands for. */
int sn_exit_of(sn_status status);

/* Print "sonde: COMMAND: sentence", and a line of help when `hint` is not NULL, to stderr. */
void sn_command_complain(const char *command, const char *sentence, const char *hint);

/* Write text to stdout; failures (a closed pipe) are for the caller to ignore: nothing is lost. */
void sn_command_print(const char *format, ...) SN_PRINTF(1, 2);

#endif
