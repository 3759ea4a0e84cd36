/*
 * `sonde serve`: read settings, start the server, wait for signals, stop.
 */
#include "app/command.h"
#include "app/options.h"
#include "app/server.h"
#include "app/signals.h"
#include "base/os.h"

#include <sonde/sonde.h>

#include <stdlib.h>

static const char usage[] =
    "usage: sonde serve [--listen ADDRESS] [--data DIR] [--config FILE] [--access required|open]\n"
    "\n"
    "  --listen ADDRESS   address and port of the HTTP server [" SN_CONFIG_LISTEN_DEFAULT "]\n"
    "  --data DIR         directory of the database, made when missing [" SN_CONFIG_DATA_DEFAULT
    "]\n"
    "  --config FILE      settings in YAML; options given here win over it\n"
    "  --access ACCESS    required: sign-in needed [default]\n"
    "                     open: no sign-in, for loopback addresses only\n"
    "\n"
    "SIGTERM or Ctrl-C stops gracefully, SIGHUP reads the file again.\n"
    "\n"
    "examples:\n"
    "  sonde serve --access open --data ./data\n"
    "  sonde serve --listen 127.0.0.1:9500 --config sonde.yml\n";

/* Everything of one run. Large, so not on the stack. */
static struct {
    struct sn_serve_options options;
    struct sn_config configs[2]; /* the one in use and the next of a reload */
    size_t current;
    struct sn_server server;
    struct sn_crew log_crew;
} run;

static int fail(sn_status status, const struct sn_err *err) {
    const char *hint = NULL;
    if (status == SN_ERR_EXISTS)
        hint = "stop it, or choose another address with --listen";
    else if (status == SN_ERR_BUSY)
        hint = "stop it, or choose another directory with --data";
    sn_command_complain("serve", err->text, hint);
    return sn_exit_of(status);
}

static sn_status start_log(struct sn_err *err) {
    const struct sn_log_options options = {.level_min = run.configs[0].log_level, .fd = 2};
    SN_TRY(sn_log_open(&options, err));
    run.log_crew.workers[0] = sn_log_worker();
    run.log_crew.count = 1;
    return sn_crew_start(&run.log_crew, err);
}

static void stop_log(void) {
    sn_crew_stop(&run.log_crew);
    sn_crew_join(&run.log_crew);
    sn_log_close();
}

/* System tests let calls fail in the real binary: SONDE_FAULT=fsync:1+:EIO (not in releases). */
static sn_status arm_faults(struct sn_err *err) {
    const char *text = getenv("SONDE_FAULT");
    return text == NULL ? SN_OK : sn_fault_arm_text(sn_str_from(text), err);
}

static sn_status announce(struct sn_err *err) {
    const struct sn_config *config = &run.configs[run.current];
    const char *address = sn_http_server_address(run.server.http);
    bool is_tls = sn_sign_in_has_tls(&run.server.sign_in);
    sn_command_print("sonde %s  data %s  listening on %s://%s\n", sonde_version(), config->data,
                     is_tls ? "https" : "http", address);
    if (config->access == SN_API_ACCESS_OPEN) {
        sn_command_print("open access: every program on this machine can read and write\n");
        return SN_OK;
    }
    return sn_sign_in_announce(&run.server.sign_in, config, address, err);
}

static void log_warnings(const struct sn_config *config) {
    struct sn_str rest = sn_buf_str(&config->warnings), line;
    while (rest.len > 0) {
        (void)sn_str_cut(rest, '\n', &line, &rest);
        sn_log_warn("config", "%.*s", SN_STR_ARG(line));
    }
}

static void reload(void) {
    struct sn_config *next = &run.configs[1 - run.current];
    struct sn_err err = {0};
    bool needs_restart = false;
    sn_reload_gate_begin(&run.server.reload_gate);
    sn_status status = sn_serve_options_apply(&run.options, next, &err);
    if (status == SN_OK)
        status = sn_server_reload(&run.server, next, &needs_restart, &err);
    if (status != SN_OK) {
        sn_log_error("serve", "reload failed, the old settings stay: %s", err.text);
        sn_config_release(next);
        sn_reload_gate_end(&run.server.reload_gate, status, &err);
        return;
    }
    sn_config_release(&run.configs[run.current]);
    run.current = 1 - run.current;
    log_warnings(next);
    sn_log_info("serve", "settings reloaded%s",
                needs_restart ? "; some of the changes need a restart" : "");
    sn_reload_gate_end(&run.server.reload_gate, SN_OK, NULL);
}

static sn_status serve(struct sn_err *err) {
    log_warnings(&run.configs[0]);
    (void)sn_os_raise_fd_limit(); /* Too low a limit shows as a failing open, with its sentence. */
    SN_TRY(sn_server_start(&run.server, &run.configs[0], err));
    sn_status status = announce(err); /* before faults, which may be for every write */
    if (status == SN_OK)
        status = arm_faults(err);
    if (status == SN_OK) {
        while (sn_signals_wait() == SN_SIGNAL_RELOAD)
            reload();
        sn_log_info("serve", "stopping");
    }
    sn_server_stop(&run.server);
    return status;
}

int sn_command_serve(int argc, char **argv) {
    struct sn_err err = {0};
    sn_status status = sn_serve_options_parse(argc, argv, &run.options, &err);
    if (status != SN_OK) {
        sn_command_complain("serve", err.text, "see: sonde serve --help");
        return SN_EXIT_USAGE;
    }
    if (run.options.wants_help) {
        sn_command_print("%s", usage);
        return SN_EXIT_OK;
    }
    status = sn_serve_options_apply(&run.options, &run.configs[0], &err);
    if (status == SN_OK)
        status = sn_signals_block(&err);
    if (status == SN_OK)
        status = start_log(&err);
    if (status == SN_OK) {
        status = serve(&err);
        stop_log();
    }
    int code = status == SN_OK ? SN_EXIT_OK : fail(status, &err);
    sn_config_release(&run.configs[run.current]);
    return code;
}
