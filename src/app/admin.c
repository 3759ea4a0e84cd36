/*
 * `sonde admin`: accounts on the host itself, beside a running server or without one. It works on
 * the database that the server's configuration names, or that of the data directory; whoever may write
 * there needs no password.
 *
 * A running server notices within a second.
 */
#include "app/command.h"
#include "app/sign_in.h"
#include "app/tool_options.h"
#include "base/os.h"
#include "codec/duration.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_LINE_MAX = 1024, AUDIT_ROWS = 100 };

static const char usage[] =
    "usage: sonde admin COMMAND [--config FILE] [--data DIR]\n"
    "\n"
    "  user add NAME [--role user|admin] [--password-file FILE]\n"
    "  user list\n"
    "  user password NAME [--password-file FILE]\n"
    "  user role NAME user|admin\n"
    "  user remove NAME\n"
    "  token add NAME --user USER --scopes ingest,read,admin [--expires 90d]\n"
    "  token list\n"
    "  token remove ID\n"
    "  setup-link [--url URL]   a link to make an administrator, for an hour, once\n"
    "  audit                    the last 100 entries, newest first\n"
    "\n"
    "  --config FILE  the server's configuration: needed where records.database is PostgreSQL,\n"
    "                 which has the accounts then\n"
    "  --data DIR     the server's data directory [" SN_CONFIG_DATA_DEFAULT "]\n"
    "\n"
    "A password is asked for on a terminal, else read as the first line of stdin.\n"
    "\n"
    "examples:\n"
    "  sonde admin user add ann --role admin\n"
    "  sonde admin token add grafana --user ann --scopes read\n"
    "  sonde admin setup-link\n"
    "  sonde admin user list --config /etc/sonde/sonde.yml\n";

static const struct sn_auth_actor shell = {SN_STR("command line"), SN_STR(""), true};

/* What the command line said; text is argv's. */
struct admin {
    struct sn_tool_options place; /* --data, --config */
    const char *role;
    const char *password_file;
    const char *user;
    const char *scopes;
    const char *expires;
    const char *url;
    bool wants_help;
    char **words; /* [word_count] without options */
    int word_count;
    struct sn_accounts *accounts;
    struct sn_auth *auth;
    struct sn_arena arena;
};

/* ---- passwords ---- */

static void show_echo(bool is_shown, struct termios *saved) {
    if (is_shown) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH,
                        saved); /* The terminal is gone: nothing to mend. */
        return;
    }
    struct termios quiet = *saved;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet); /* Then it is seen, as everywhere else. */
}

/* One line of stdin, byte by byte: what follows is not ours. */
static sn_status read_line(struct sn_buf *buf, struct sn_str *ret_line, struct sn_err *err) {
    char c = '\0';
    sn_buf_init(buf, PASSWORD_LINE_MAX);
    ssize_t count;
    while ((count = sn_os_read(STDIN_FILENO, &c, 1)) == 1 && c != '\n')
        sn_buf_put_byte(buf, (uint8_t)c);
    SN_TRY(sn_buf_status(buf, err));
    if (count != 1 && buf->len == 0)
        return sn_err_set(err, SN_ERR_INVALID, "no password: give one on stdin");
    *ret_line = sn_buf_str(buf);
    return SN_OK;
}

static sn_status read_password(const struct admin *admin, struct sn_buf *buf,
                               struct sn_str *ret_password, struct sn_err *err) {
    if (admin->password_file != NULL)
        return sn_read_password_file(admin->password_file, buf, ret_password, err);
    struct termios saved;
    bool is_terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &saved) == 0;
    if (is_terminal) {
        sn_command_print("Password (at least %d bytes): ", 10);
        show_echo(false, &saved);
    }
    sn_status status = read_line(buf, ret_password, err);
    if (is_terminal) {
        show_echo(true, &saved);
        sn_command_print("\n");
    }
    return status;
}

/* ---- users ---- */

static sn_status find_user(struct admin *admin, const char *name, struct sn_account *ret_account,
                           struct sn_err *err) {
    return sn_accounts_find_user(admin->accounts, sn_str_from(name), ret_account, err);
}

static sn_status user_add(struct admin *admin, struct sn_err *err) {
    struct sn_buf buf = {0};
    struct sn_auth_user_new user = {.name = sn_str_from(admin->words[2]), .actor = shell};
    int64_t id = 0;
    SN_TRY(sn_role_parse(sn_str_from(admin->role ? admin->role : "user"), &user.role, err));
    sn_status status = read_password(admin, &buf, &user.password, err);
    if (status == SN_OK)
        status = sn_auth_add_user(admin->auth, &user, &id, err);
    sn_buf_release(&buf);
    if (status == SN_OK)
        sn_command_print("user %s added as %s\n", admin->words[2], sn_role_name(user.role));
    return status;
}

static sn_status user_list(struct admin *admin, struct sn_err *err) {
    struct sn_account_list list;
    SN_TRY(sn_accounts_list_users(admin->accounts, &admin->arena, &list, err));
    sn_command_print("%-24s %-6s %-24s %s\n", "NAME", "ROLE", "CREATED", "LAST SIGN-IN");
    for (size_t i = 0; i < list.count; i++) {
        char created[SN_TIME_TEXT_SIZE], login[SN_TIME_TEXT_SIZE] = "never";
        sn_time_format(list.items[i].created_wall_ms, created);
        if (list.items[i].last_login_wall_ms > 0)
            sn_time_format(list.items[i].last_login_wall_ms, login);
        sn_command_print("%-24s %-6s %-24s %s\n", list.items[i].name,
                         sn_role_name(list.items[i].role), created, login);
    }
    return SN_OK;
}

static sn_status user_password(struct admin *admin, struct sn_err *err) {
    struct sn_account account;
    struct sn_buf buf = {0};
    struct sn_str password;
    SN_TRY(find_user(admin, admin->words[2], &account, err));
    sn_status status = read_password(admin, &buf, &password, err);
    if (status == SN_OK)
        status = sn_auth_set_password(admin->auth, account.id, password, &shell, err);
    sn_buf_release(&buf);
    if (status == SN_OK)
        sn_command_print("password of %s changed, sessions ended\n", account.name);
    return status;
}

static sn_status user_role(struct admin *admin, struct sn_err *err) {
    struct sn_account account;
    enum sn_account_role role;
    SN_TRY(sn_role_parse(sn_str_from(admin->words[3]), &role, err));
    SN_TRY(find_user(admin, admin->words[2], &account, err));
    SN_TRY(sn_auth_set_role(admin->auth, account.id, role, &shell, err));
    sn_command_print("%s is %s now\n", account.name, sn_role_name(role));
    return SN_OK;
}

static sn_status user_remove(struct admin *admin, struct sn_err *err) {
    struct sn_account account;
    SN_TRY(find_user(admin, admin->words[2], &account, err));
    SN_TRY(sn_auth_remove_user(admin->auth, account.id, &shell, err));
    sn_command_print("user %s removed\n", account.name);
    return SN_OK;
}

/* ---- tokens ---- */

static sn_status token_add(struct admin *admin, struct sn_err *err) {
    struct sn_account account;
    struct sn_auth_token_new token = {.name = sn_str_from(admin->words[2]), .actor = shell};
    struct sn_secret secret;
    int64_t id = 0, lives_ms = 0;
    if (admin->user == NULL || admin->scopes == NULL)
        return sn_err_set(err, SN_ERR_INVALID, "a token needs --user and --scopes");
    SN_TRY(sn_scopes_parse(sn_str_from(admin->scopes), &token.scopes, err));
    if (admin->expires != NULL) {
        SN_TRY(sn_duration_parse_ms(sn_str_from(admin->expires), &lives_ms, err));
        token.expires_wall_ms = sn_clock_wall_ms(sn_clock_system()) + lives_ms;
    }
    SN_TRY(find_user(admin, admin->user, &account, err));
    token.user_id = account.id;
    SN_TRY(sn_auth_add_token(admin->auth, &token, &secret, &id, err));
    sn_command_print("%s\n", secret.text);
    return SN_OK;
}

static const char *scopes_text(unsigned scopes) {
    static const char *const texts[] = {"",      "ingest",       "read",       "ingest,read",
                                        "admin", "ingest,admin", "read,admin", "ingest,read,admin"};
    return texts[scopes & 7];
}

static sn_status token_list(struct admin *admin, struct sn_err *err) {
    struct sn_account_token_list list;
    SN_TRY(sn_accounts_list_tokens(admin->accounts, &admin->arena, &list, err));
    sn_command_print("%-6s %-20s %-16s %-18s %-10s %s\n", "ID", "NAME", "USER", "SCOPES", "SECRET",
                     "EXPIRES");
    for (size_t i = 0; i < list.count; i++) {
        const struct sn_account_token *token = &list.items[i];
        char expires[SN_TIME_TEXT_SIZE] = "never";
        if (token->expires_wall_ms > 0)
            sn_time_format(token->expires_wall_ms, expires);
        sn_command_print("%-6lld %-20.*s %-16.*s %-18s %.*s... %s\n", (long long)token->id,
                         SN_STR_ARG(token->name), SN_STR_ARG(token->user_name),
                         scopes_text(token->scopes), SN_STR_ARG(token->hint), expires);
    }
    return SN_OK;
}

static sn_status token_remove(struct admin *admin, struct sn_err *err) {
    char *end = NULL;
    long long id = strtoll(admin->words[2], &end, 10);
    if (end == admin->words[2] || *end != '\0' || id <= 0)
        return sn_err_set(err, SN_ERR_INVALID, "\"%s\" is no token id; see: sonde admin token list",
                          admin->words[2]);
    SN_TRY(sn_auth_remove_token(admin->auth, id, &shell, err));
    sn_command_print("token %lld removed\n", id);
    return SN_OK;
}

/* ---- the rest ---- */

static sn_status setup_link(struct admin *admin, struct sn_err *err) {
    char code[SN_SETUP_CODE_TEXT_SIZE];
    SN_TRY(sn_auth_new_setup_code(admin->auth, code, &shell, err));
    sn_command_print("%s/#/setup/%s\n",
                     admin->url ? admin->url : "http://" SN_CONFIG_LISTEN_DEFAULT, code);
    return SN_OK;
}

static sn_status audit(struct admin *admin, struct sn_err *err) {
    struct sn_audit_list list;
    SN_TRY(sn_accounts_list_audit(admin->accounts, 0, AUDIT_ROWS, &admin->arena, &list, err));
    for (size_t i = 0; i < list.count; i++) {
        const struct sn_audit_row *row = &list.items[i];
        char time[SN_TIME_TEXT_SIZE];
        sn_time_format(row->time_ms, time);
        sn_command_print("%s %-16.*s %-20.*s %-16.*s %.*s\n", time, SN_STR_ARG(row->actor),
                         SN_STR_ARG(row->peer), SN_STR_ARG(row->action), SN_STR_ARG(row->detail));
    }
    return SN_OK;
}

static const struct {
    const char *noun, *verb; /* verb NULL: none */
    int word_count;          /* nouns and verbs included */
    sn_status (*run)(struct admin *admin, struct sn_err *err);
} actions[] = {
    {"user", "add", 3, user_add},           {"user", "list", 2, user_list},
    {"user", "password", 3, user_password}, {"user", "role", 4, user_role},
    {"user", "remove", 3, user_remove},     {"token", "add", 3, token_add},
    {"token", "list", 2, token_list},       {"token", "remove", 3, token_remove},
    {"setup-link", NULL, 1, setup_link},    {"audit", NULL, 1, audit},
};
enum { ACTION_COUNT = sizeof actions / sizeof actions[0] };

/* Index of what the words ask for, or ACTION_COUNT. */
static size_t find_action(const struct admin *admin) {
    for (size_t i = 0; i < ACTION_COUNT; i++) {
        bool is_it = admin->word_count == actions[i].word_count &&
                     strcmp(admin->words[0], actions[i].noun) == 0 &&
                     (actions[i].verb == NULL || strcmp(admin->words[1], actions[i].verb) == 0);
        if (is_it)
            return i;
    }
    return ACTION_COUNT;
}

static bool parse(int argc, char **argv, struct admin *admin) {
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'},
        {"config", required_argument, NULL, 'c'},
        {"role", required_argument, NULL, 'r'},
        {"user", required_argument, NULL, 'u'},
        {"password-file", required_argument, NULL, 'p'},
        {"scopes", required_argument, NULL, 's'},
        {"expires", required_argument, NULL, 'e'},
        {"url", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const struct {
        int letter;
        const char **ret_value;
    } rows[] = {{'d', &admin->place.data}, {'c', &admin->place.config_path},
                {'r', &admin->role},       {'u', &admin->user},
                {'s', &admin->scopes},     {'p', &admin->password_file},
                {'l', &admin->url},        {'e', &admin->expires}};
    int letter;
    optind = 1;
    while ((letter = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (letter == '?')
            return false; /* getopt has said what is wrong. */
        admin->wants_help |= letter == 'h';
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            if (rows[i].letter == letter)
                *rows[i].ret_value = optarg;
    }
    admin->words = argv + optind;
    admin->word_count = argc - optind;
    return true;
}

/* SQLite's file is made where its directory is, which is a slip of the keyboard otherwise. */
static sn_status check_data(const struct sn_config *config, struct sn_err *err) {
    struct stat info;
    if (config->records_database == NULL && sn_os_stat(config->data, &info) != 0)
        return sn_err_set(err, SN_ERR_NOT_FOUND,
                          "there is no data directory %s; see --data, or start the server first",
                          config->data);
    return SN_OK;
}

static sn_status open_accounts(struct admin *admin, struct sn_err *err) {
    struct sn_config config;
    sn_status status = sn_tool_options_config(&admin->place, &config, err);
    if (status == SN_OK)
        status = check_data(&config, err);
    if (status == SN_OK)
        status = sn_config_accounts(&config, &admin->accounts, err);
    sn_config_release(&config);
    SN_TRY(status);
    const struct sn_auth_options options = {.accounts = admin->accounts};
    return sn_auth_open(&options, &admin->auth, err);
}

int sn_command_admin(int argc, char **argv) {
    struct admin admin = {.word_count = 0};
    struct sn_err err = {0};
    if (!parse(argc, argv, &admin))
        return SN_EXIT_USAGE;
    if (admin.wants_help) {
        sn_command_print("%s", usage);
        return SN_EXIT_OK;
    }
    size_t at = admin.word_count > 0 ? find_action(&admin) : ACTION_COUNT;
    if (at == ACTION_COUNT) {
        sn_command_complain("admin", "unknown command or wrong number of words",
                            "see: sonde admin --help");
        return SN_EXIT_USAGE;
    }
    sn_arena_init(&admin.arena, 0);
    sn_status status = open_accounts(&admin, &err);
    if (status == SN_OK)
        status = actions[at].run(&admin, &err);
    admin.auth = sn_auth_close(admin.auth);
    admin.accounts = sn_accounts_close(admin.accounts);
    sn_arena_release(&admin.arena);
    if (status != SN_OK)
        sn_command_complain("admin", err.text, NULL);
    return sn_exit_of(status);
}
