/*
 * A prefork server: one parent, several workers, one set of metrics in a shared file. A worker that is
 * killed loses nothing of what it has counted, and `sonde attach FILE` reads the file from outside.
 * Build it with: cc prefork.c $(pkg-config --cflags --libs sonde)
 *
 *     prefork FILE PORT      serves http://127.0.0.1:PORT/ with 4 workers, dead ones are replaced;
 *                            /metrics of any worker shows the sums of all
 *     prefork --self-test    lets workers count, kills one, and checks the sums
 */
#include <sonde/sonde.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 4

static sonde_counter_family *requests;
static sonde_gauge *open_connections;
static sonde_operation *answer_operation;

/* Before the first fork: every worker inherits the open file. */
static int begin(const char *file) {
    static const char *const labels[] = {"path"};
    sonde_error error;
    sonde_registry_options options = {.shared_file = file};
    sonde_metric metric = {.name = "prefork_requests_total",
                           .help = "Requests by path.",
                           .label_names = labels,
                           .label_count = 1};
    sonde_metric gauge = {.name = "prefork_connections", .help = "Connections now."};
    if (sonde_registry_global_init(&options, &error) != SONDE_OK) {
        fprintf(stderr, "%s\n", error.text); /* and counts on, for each process alone */
        return -1;
    }
    requests = sonde_counter_family_new(NULL, &metric, NULL);
    open_connections = sonde_gauge_new(NULL, &gauge, NULL);
    answer_operation = sonde_operation_get(sonde_service_get(NULL, "prefork"), "answer");
    return 0;
}

static void count(const char *path) {
    sonde_counter_inc(SONDE_COUNTER_AT(requests, path));
}

static void answer(int fd) {
    char request[1024];
    char *page = NULL;
    const char *body = "hello\n";
    SONDE_TRACK(track, answer_operation);
    ssize_t len = read(fd, request, sizeof request - 1);
    request[len > 0 ? len : 0] = '\0';
    int is_metrics = strncmp(request, "GET /metrics ", 13) == 0;
    count(is_metrics ? "/metrics" : "/");
    if (is_metrics && sonde_registry_write_text(NULL, SONDE_FORMAT_TEXT, &page, NULL) == SONDE_OK)
        body = page;
    dprintf(fd, "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\r\n%s", body);
    sonde_free(page);
    sonde_track_complete(&track);
}

static void serve(int listener) {
    while (1) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        sonde_gauge_inc(open_connections);
        answer(fd);
        sonde_gauge_dec(open_connections);
        close(fd);
    }
}

static int listen_on(unsigned port) {
    int yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 64) != 0) {
        perror("prefork: listen");
        exit(1);
    }
    return fd;
}

static void run(const char *file, unsigned port) {
    int listener = listen_on(port);
    (void)begin(file);
    for (int running = 0;; running--) {
        for (; running < WORKERS; running++) {
            if (fork() == 0)
                serve(listener);
        }
        (void)wait(NULL); /* a worker died: its counts stay, what it had in hand is "aborted" */
    }
}

/* Workers count to 1000; the first one dies in the middle of an operation. */

static void work(int number, int ready) {
    char path[16];
    snprintf(path, sizeof path, "/worker/%d", number);
    for (int i = 0; i < 1000; i++)
        count(path);
    sonde_gauge_inc(open_connections);
    sonde_tracker track = sonde_track_begin(answer_operation);
    if (write(ready, "x", 1) != 1)
        _exit(1);
    if (number == 0)
        pause(); /* until it is killed */
    sonde_track_complete(&track);
    sonde_gauge_dec(open_connections);
    _exit(0);
}

static int shows(const char *page, const char *line) {
    int is_there = strstr(page, line) != NULL;
    if (!is_there)
        printf("missing: %s\n", line);
    return is_there;
}

static int self_test(void) {
    char directory[] = "/tmp/sonde-prefork-XXXXXX", file[64], byte, *page = NULL;
    pid_t workers[WORKERS];
    int ready[2], status;
    if (mkdtemp(directory) == NULL || pipe(ready) != 0)
        return 1;
    snprintf(file, sizeof file, "%s/metrics", directory);
    int is_good = begin(file) == 0;
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = fork();
        if (workers[i] == 0)
            work(i, ready[1]);
    }
    for (int i = 0; i < WORKERS; i++)
        is_good = read(ready[0], &byte, 1) == 1 && is_good;
    kill(workers[0], SIGKILL);
    for (int i = 0; i < WORKERS; i++)
        waitpid(workers[i], &status, 0);
    if (sonde_registry_write_text(NULL, SONDE_FORMAT_TEXT, &page, NULL) != SONDE_OK)
        return 1;
    is_good = shows(page, "prefork_requests_total{path=\"/worker/0\"} 1000\n") && is_good;
    is_good = shows(page, "prefork_requests_total{path=\"/worker/3\"} 1000\n") && is_good;
    is_good = shows(page, "prefork_connections 0\n") && is_good;
    is_good =
        shows(page, "outcome=\"ok\"} 3\n") && shows(page, "outcome=\"aborted\"} 1\n") && is_good;
    sonde_free(page);
    unlink(file);
    rmdir(directory);
    return is_good ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc != 3)
        return self_test();
    run(argv[1], (unsigned)strtoul(argv[2], NULL, 10));
    return 1;
}
