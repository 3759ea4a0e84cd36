/*
 * The queue and its workers: a job takes a medium from the library, encodes it frame by frame, and
 * tells whoever wants to know. Jobs that take longer than the deadline are given up, which happens to
 * large media with an archive preset. Shown as service "transcoder" with the operations fetch, encode,
 * notify and transcode (the whole job), the encoder's own numbers, and memory.
 */
#include "studio.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define WAITING_MAX 64
#define WORKERS_MAX 8
#define BLOCK 8 /* pixels of a side */

static const struct preset presets[] = {
    {"fast-240p", "Fast 240p", "fast", 1, 24, 1},
    {"fast-480p", "Fast 480p", "fast", 2, 20, 1},
    {"balanced-480p", "Balanced 480p", "balanced", 8, 12, 2},
    {"balanced-720p", "Balanced 720p", "balanced", 12, 10, 2},
    {"archive-720p", "Archive 720p", "archive", 24, 4, 5},
    {"archive-lossless", "Archive lossless", "archive", 40, 1, 5},
};

struct job {
    struct order order;
    double added_s;
};

static struct {
    pthread_mutex_t mu;
    pthread_cond_t is_wanted;
    struct job waiting[WAITING_MAX]; /* ring; this and the following guarded by mu */
    size_t first, count;
    uint64_t added, done;
    bool is_closing;
    pthread_t threads[WORKERS_MAX];
    unsigned thread_count;
    double deadline_s;
    sonde_operation *transcode, *fetch, *encode, *notify;
    sonde_memory *memory;
    sonde_encoder *encoder;
    sonde_counter *output_bytes;
} jobs = {.mu = PTHREAD_MUTEX_INITIALIZER, .is_wanted = PTHREAD_COND_INITIALIZER};

const struct preset *preset_find(const char *id) {
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++)
        if (strcmp(presets[i].id, id) == 0)
            return &presets[i];
    return NULL;
}

/* Sums and differences of eight numbers that lie `stride` apart: a Hadamard transform. */
static void transform(int *values, size_t stride) {
    for (size_t half = 1; half < BLOCK; half *= 2) {
        for (size_t i = 0; i < BLOCK; i++) {
            if ((i & half) == 0) {
                int a = values[i * stride], b = values[(i + half) * stride];
                values[i * stride] = a + b;
                values[(i + half) * stride] = a - b;
            }
        }
    }
}

/* The size of one block after transform, quantiser and run lengths. */
static size_t encode_block(const unsigned char *pixels, size_t width, int step) {
    int values[BLOCK * BLOCK];
    size_t out = 0;
    int run = 0;
    for (size_t y = 0; y < BLOCK; y++)
        for (size_t x = 0; x < BLOCK; x++)
            values[y * BLOCK + x] = pixels[y * width + x];
    for (size_t i = 0; i < BLOCK; i++)
        transform(values + i * BLOCK, 1);
    for (size_t i = 0; i < BLOCK; i++)
        transform(values + i, BLOCK);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (values[i] / (step * BLOCK) == 0) {
            run++;
        } else {
            out += run > 0 ? 3 : 2;
            run = 0;
        }
    }
    return out + 1;
}

/* A pass per quantiser from coarse to fine; the last one's size is what would be written. */
static size_t encode_frame(const struct medium *medium, unsigned index,
                           const struct preset *preset) {
    const unsigned char *frame =
        medium->bytes + MEDIUM_HEADER_BYTES + (size_t)index * medium->width * medium->height;
    size_t out = 0;
    for (unsigned pass = preset->passes; pass > 0; pass--) {
        out = 0;
        for (unsigned y = 0; y < medium->height; y += BLOCK)
            for (unsigned x = 0; x < medium->width; x += BLOCK)
                out += encode_block(frame + (size_t)y * medium->width + x, medium->width,
                                    (int)(preset->step + pass - 1));
    }
    return out;
}

static bool encode(const struct medium *medium, const struct preset *preset,
                   struct failure *failure) {
    SONDE_TRACK(track, jobs.encode);
    double start_s = seconds_now();
    bool is_good = true;
    size_t out = 0;
    sonde_encoder_session_begin(jobs.encoder);
    for (unsigned i = 0; i < medium->frames && is_good; i++) {
        out += encode_frame(medium, i, preset);
        sonde_encoder_frames(jobs.encoder, 1);
        if (seconds_now() - start_s > jobs.deadline_s) {
            sonde_encoder_dropped(jobs.encoder, medium->frames - i - 1);
            is_good = fail(failure, 504, "TIMEOUT_ERROR", "encoder timed out after %.0f ms",
                           1e3 * jobs.deadline_s);
        }
    }
    sonde_encoder_session_end(jobs.encoder);
    sonde_counter_add(jobs.output_bytes, out);
    track_end(&track, is_good, failure);
    return is_good;
}

/* One line to a program on this machine, which has a second to take it. */
static bool notify(uint16_t port, struct failure *failure) {
    static const char line[] = "done\n";
    SONDE_TRACK(track, jobs.notify);
    const struct timeval timeout = {.tv_sec = 1};
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_good = fd >= 0 &&
                   setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0 &&
                   connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                   send(fd, line, sizeof line - 1, MSG_NOSIGNAL) == (ssize_t)(sizeof line - 1);
    if (!is_good)
        (void)fail(failure, 502, "NETWORK_ERROR", "webhook: %s",
                   errno == ECONNREFUSED ? "connection refused" : "network gives no answer");
    if (fd >= 0)
        (void)close(fd);
    track_end(&track, is_good, failure);
    return is_good;
}

static bool fetch(uint64_t id, struct medium *ret_medium, struct failure *failure) {
    SONDE_TRACK(track, jobs.fetch);
    bool is_good = library_get(id, ret_medium, failure);
    track_end(&track, is_good, failure);
    return is_good;
}

static bool run_steps(const struct order *order, unsigned *ret_frames, struct failure *failure) {
    struct medium medium;
    if (!fetch(order->medium_id, &medium, failure))
        return false;
    sonde_memory_alloc(jobs.memory, medium.len);
    *ret_frames = medium.frames;
    bool is_good = encode(&medium, order->preset, failure);
    sonde_memory_free(jobs.memory, medium.len);
    medium_release(&medium);
    return is_good && (order->notify_port == 0 || notify(order->notify_port, failure));
}

static void run(const struct order *order) {
    SONDE_TRACK(track, jobs.transcode);
    struct failure failure = {.error_class = ""};
    unsigned frames = 0;
    double start_s = seconds_now();
    int credits = (int)order->preset->credits;
    bool is_good = run_steps(order, &frames, &failure);
    struct event event = {.type = "transcode",
                          .user = order->user,
                          .quantity = is_good ? frames : 0,
                          .credits = is_good ? credits : -credits,
                          .preset = order->preset,
                          .failure = is_good ? NULL : &failure};
    if (!is_good)
        credits_give(order->user, order->preset->credits);
    event.seconds = seconds_now() - start_s;
    events_add(&event);
    track_end(&track, is_good, &failure);
}

static void *work(void *unused) {
    (void)unused;
    (void)pthread_mutex_lock(&jobs.mu);
    while (!jobs.is_closing) {
        if (jobs.count == 0) {
            (void)pthread_cond_wait(&jobs.is_wanted, &jobs.mu);
            continue;
        }
        struct order order = jobs.waiting[jobs.first].order;
        jobs.first = (jobs.first + 1) % WAITING_MAX;
        jobs.count--;
        sonde_encoder_queue_set(jobs.encoder, jobs.count);
        (void)pthread_mutex_unlock(&jobs.mu);
        run(&order);
        (void)pthread_mutex_lock(&jobs.mu);
        jobs.done++;
    }
    (void)pthread_mutex_unlock(&jobs.mu);
    return NULL;
}

bool jobs_open(unsigned workers, unsigned deadline_ms) {
    sonde_service *service = sonde_service_get(NULL, "transcoder");
    sonde_metric output = {.name = "studio_encoded_bytes_total",
                           .help = "Bytes that encoders made."};
    jobs.transcode = sonde_operation_get(service, "transcode");
    jobs.fetch = sonde_operation_get(service, "fetch");
    jobs.encode = sonde_operation_get(service, "encode");
    jobs.notify = sonde_operation_get(service, "notify");
    jobs.memory = sonde_memory_get(NULL, "transcoder");
    jobs.encoder = sonde_encoder_new(NULL, "studio", NULL);
    jobs.output_bytes = sonde_counter_new(NULL, &output, NULL);
    jobs.deadline_s = 1e-3 * deadline_ms;
    for (unsigned i = 0; i < workers && i < WORKERS_MAX; i++) {
        if (pthread_create(&jobs.threads[i], NULL, work, NULL) != 0)
            break;
        jobs.thread_count++;
    }
    return jobs.thread_count > 0;
}

void jobs_close(void) {
    (void)pthread_mutex_lock(&jobs.mu);
    jobs.is_closing = true;
    (void)pthread_cond_broadcast(&jobs.is_wanted);
    (void)pthread_mutex_unlock(&jobs.mu);
    for (unsigned i = 0; i < jobs.thread_count; i++)
        (void)pthread_join(jobs.threads[i], NULL);
    jobs.thread_count = 0;
    jobs.encoder = sonde_encoder_free(jobs.encoder);
}

bool jobs_add(const struct order *order, uint64_t *ret_id, struct failure *failure) {
    (void)pthread_mutex_lock(&jobs.mu);
    bool has_room = jobs.count < WAITING_MAX;
    if (has_room) {
        struct job *job = &jobs.waiting[(jobs.first + jobs.count++) % WAITING_MAX];
        *job = (struct job){.order = *order, .added_s = seconds_now()};
        *ret_id = ++jobs.added;
        sonde_encoder_queue_set(jobs.encoder, jobs.count);
        (void)pthread_cond_signal(&jobs.is_wanted);
    }
    (void)pthread_mutex_unlock(&jobs.mu);
    return has_room ||
           fail(failure, 503, "QUEUE_ERROR", "queue is full: %d jobs wait", WAITING_MAX);
}

uint64_t jobs_done(void) {
    (void)pthread_mutex_lock(&jobs.mu);
    uint64_t done = jobs.done;
    (void)pthread_mutex_unlock(&jobs.mu);
    return done;
}

size_t jobs_waiting(double *ret_oldest_s) {
    (void)pthread_mutex_lock(&jobs.mu);
    size_t count = jobs.count;
    *ret_oldest_s = count > 0 ? seconds_now() - jobs.waiting[jobs.first].added_s : 0.0;
    (void)pthread_mutex_unlock(&jobs.mu);
    return count;
}
