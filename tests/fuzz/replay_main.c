/*
 * A main for fuzz targets in builds without libFuzzer: runs the target on the empty input and on
 * every file of the corpus directories named on the command line, so that every build and every
 * sanitizer replays what fuzzing has found.
 *
 * 1. A directory that does not exist counts as empty; a file that cannot be read is a failure.
 * 2. Each input is copied into memory of exactly its size: a read past the end is seen by ASan.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_BYTES_MAX = 1 << 20, PATH_BYTES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int replay_file(const char *path) {
    static uint8_t buf[INPUT_BYTES_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "cannot open %s: %s\n", path, strerrordesc_np(errno));
        return -1;
    }
    size_t len = fread(buf, 1, sizeof(buf), file);
    int failed = ferror(file) || fgetc(file) != EOF;
    fclose(file);
    if (failed) {
        fprintf(stderr, "cannot read %s, or it is larger than %d bytes\n", path, INPUT_BYTES_MAX);
        return -1;
    }
    uint8_t *exact = malloc(len > 0 ? len : 1);
    if (exact == NULL) {
        return -1;
    }
    memcpy(exact, buf, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return 0;
}

static int replay_directory(const char *path, size_t *count) {
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return errno == ENOENT ? 0 : -1;
    }
    int status = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char file[PATH_BYTES_MAX];
        if (entry->d_name[0] == '.') {
            continue;
        }
        int len = snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        if (len < 0 || (size_t)len >= sizeof(file) || replay_file(file) != 0) {
            status = -1;
            break;
        }
        *count += 1;
    }
    closedir(dir);
    return status;
}

int main(int argc, char **argv) {
    static const uint8_t nothing[1];
    size_t count = 0;
    LLVMFuzzerTestOneInput(nothing, 0);
    for (int i = 1; i < argc; i++) {
        if (replay_directory(argv[i], &count) != 0) {
            return EXIT_FAILURE;
        }
    }
    printf("%zu inputs replayed\n", count);
    return EXIT_SUCCESS;
}
