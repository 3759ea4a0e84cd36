/*
 * `sonde attach FILE`: the metrics in a shared file of a program that runs, hangs or is gone, as the
 * page that a scraper would get. One read, then the end.
 */
#include "app/command.h"

#include <sonde/sonde.h>

#include <getopt.h>
#include <string.h>

static const char usage[] = "usage: sonde attach [--format text|openmetrics|json] [--info] FILE";

static const struct {
    const char *name;
    sonde_format format;
} formats[] = {
    {"text", SONDE_FORMAT_TEXT},
    {"openmetrics", SONDE_FORMAT_OPENMETRICS},
    {"json", SONDE_FORMAT_JSON},
};

struct attach {
    const char *path;
    sonde_format format;
    bool wants_info;
    bool wants_help;
};

static bool find_format(const char *name, sonde_format *ret_format) {
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, name) == 0) {
            *ret_format = formats[i].format;
            return true;
        }
    }
    return false;
}

/* What is wrong with the command line; NULL: nothing. */
static const char *parse(int argc, char **argv, struct attach *ret_attach) {
    static const struct option known[] = {
        {"format", required_argument, NULL, 'f'},
        {"info", no_argument, NULL, 'i'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int letter;
    opterr = 0;
    optind = 0;
    while ((letter = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (letter) {
        case 'f':
            if (!find_format(optarg, &ret_attach->format))
                return "--format is text, openmetrics or json";
            break;
        case 'i':
            ret_attach->wants_info = true;
            break;
        case 'h':
            ret_attach->wants_help = true;
            return NULL;
        default:
            return "unknown option, or an option without its value";
        }
    }
    if (optind + 1 != argc)
        return "expected the name of one file";
    ret_attach->path = argv[optind];
    return NULL;
}

static void print_info(const char *path, const sonde_shared_info *info) {
    sn_command_print(
        "%s: %zu living and %zu ended processes, %llu of %llu bytes used, since %lld.%03d\n", path,
        info->living_count, info->ended_count, (unsigned long long)info->used_bytes,
        (unsigned long long)info->file_bytes, (long long)(info->created_wall_ms / 1000),
        (int)(info->created_wall_ms % 1000));
}

static int attach(const struct attach *attach) {
    sonde_error error;
    sonde_shared_info info;
    sonde_registry *registry = sonde_shared_load(attach->path, &info, &error);
    if (registry == NULL) {
        sn_command_complain("attach", error.text, NULL);
        return sn_exit_of((sn_status)error.status);
    }
    sonde_status status = SONDE_OK;
    if (attach->wants_info)
        print_info(attach->path, &info);
    else
        status = sonde_registry_write_fd(registry, attach->format, 1);
    (void)sonde_registry_free(registry);
    if (status != SONDE_OK)
        sn_command_complain("attach", "cannot write the page", NULL);
    return sn_exit_of((sn_status)status);
}

int sn_command_attach(int argc, char **argv) {
    struct attach options = {.format = SONDE_FORMAT_TEXT};
    const char *complaint = parse(argc, argv, &options);
    if (complaint != NULL) {
        sn_command_complain("attach", complaint, usage);
        return SN_EXIT_USAGE;
    }
    if (options.wants_help) {
        sn_command_print(
            "%s\n\nPrints the metrics that a program keeps in a shared file (libsonde, "
            "sonde/shared.h), also when\nthe program hangs or was killed; --info tells who has the "
            "file open instead.\n\nExit status: 0 all is well, 5 no such file, 6 it is no shared "
            "file or it is damaged.\n",
            usage);
        return SN_EXIT_OK;
    }
    return attach(&options);
}
