/*
 * One worker: the loop around one libmicrohttpd daemon, its deadlines, and its end.
 *
 *   one turn:  wait   own epoll: the daemon's epoll, the eventfd, clients of suspended connections
 *              wake   pop what other threads pushed, resume their connections
 *              run    MHD_run: accepts, reads, calls http_connection.c, writes
 *              sweep  shut down connections whose deadline has passed
 *              drain  after stop()
 *
 * Invariants:
 *   1. The eventfd is read before the stack is popped, and the stack before MHD_run: a push is
 *      either seen in this turn or makes the next wait return.
 *   2. Every connection is in the list of its phase, and a list is in order of deadlines.
 *   3. Only answered requests are on the stack: they are not abandoned any more, so whoever pops them
 *      may touch them.
 *   4. No suspended connection is left when the daemon is stopped (libmicrohttpd would abort).
 *
 * The internal loops of libmicrohttpd 0.9.75 are not used: they hang when exactly 128 * k
 * connections are ready, and lose resumes.
 */
#include "base/mem.h"
#include "base/os.h"
#include "net/http_priv.h"

#include <errno.h>
#include <sys/epoll.h>

#define EVENTS_PER_WAIT 64
#define RING_ATTEMPTS 3
#define NS_PER_MS INT64_C(1000000)
/* The longest wait while a deadline is set: a clock of a test, or one that was stopped with the
 * machine, moves without waking anybody. */
#define WAIT_MS_MAX 250

/* ---- phases and deadlines ---- */

static int64_t phase_timeout_ms(const struct sn_http_worker *worker, enum sn_http_phase phase) {
    const struct sn_http_server_options *options = &worker->server->options;
    switch (phase) {
    case SN_HTTP_PHASE_HEADER:
        return options->header_timeout_ms;
    case SN_HTTP_PHASE_BODY:
        return options->body_timeout_ms;
    case SN_HTTP_PHASE_IDLE:
        return options->idle_timeout_ms;
    case SN_HTTP_PHASE_ANSWER:
    case SN_HTTP_PHASE_COUNT:
        break;
    }
    return 0;
}

void sn_http_connection_leave(struct sn_http_connection *connection) {
    if (connection->phase == SN_HTTP_PHASE_COUNT)
        return;
    struct sn_http_phase_list *list = &connection->worker->phases[connection->phase];
    if (connection->prev != NULL)
        connection->prev->next = connection->next;
    else
        list->head = connection->next;
    if (connection->next != NULL)
        connection->next->prev = connection->prev;
    else
        list->tail = connection->prev;
    connection->prev = NULL;
    connection->next = NULL;
    connection->phase = SN_HTTP_PHASE_COUNT;
}

void sn_http_connection_enter(struct sn_http_connection *connection, enum sn_http_phase phase) {
    struct sn_http_worker *worker = connection->worker;
    struct sn_http_phase_list *list = &worker->phases[phase];
    sn_http_connection_leave(connection);
    connection->phase = phase;
    connection->deadline_ns = worker->now_ns + phase_timeout_ms(worker, phase) * NS_PER_MS;
    connection->prev = list->tail;
    if (list->tail != NULL)
        list->tail->next = connection;
    else
        list->head = connection;
    list->tail = connection;
    /* What the client sent before is still read, then the stream ends and the connection closes. */
    if (worker->is_draining && phase == SN_HTTP_PHASE_IDLE)
        (void)sn_os_shutdown(connection->watch.fd, SHUT_RD);
}

static void resume(struct sn_http_connection *connection) {
    if (!connection->is_suspended)
        return;
    connection->is_suspended = false;
    MHD_resume_connection(connection->mhd);
}

void sn_http_connection_cut(struct sn_http_connection *connection) {
    connection->is_cut = true;
    (void)sn_os_shutdown(connection->watch.fd, SHUT_RDWR); /* it may be broken already */
    resume(connection);
}

/* libmicrohttpd does not look at suspended sockets, so we do. The first suspension of a connection
 * adds it; edge-triggered and for hang-ups only, it costs nothing afterwards. */
void sn_http_connection_suspend(struct sn_http_connection *connection) {
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = connection};
    if (!connection->is_watched)
        connection->is_watched = sn_os_epoll_ctl(connection->worker->epoll_fd, EPOLL_CTL_ADD,
                                                 connection->watch.fd, &event) == 0;
    connection->is_suspended = true;
    MHD_suspend_connection(connection->mhd);
}

static void sweep_phase(struct sn_http_worker *worker, enum sn_http_phase phase,
                        enum sn_http_counter counter) {
    struct sn_http_connection *connection = worker->phases[phase].head;
    while (connection != NULL && connection->deadline_ns <= worker->now_ns) {
        sn_http_count(worker, counter, 1);
        sn_http_connection_cut(connection);
        sn_http_connection_enter(connection, SN_HTTP_PHASE_ANSWER); /* no second deadline */
        connection = worker->phases[phase].head;
    }
}

static void sweep(struct sn_http_worker *worker) {
    sweep_phase(worker, SN_HTTP_PHASE_HEADER, SN_HTTP_COUNT_TIMEOUT_HEADER);
    sweep_phase(worker, SN_HTTP_PHASE_BODY, SN_HTTP_COUNT_TIMEOUT_BODY);
    sweep_phase(worker, SN_HTTP_PHASE_IDLE, SN_HTTP_COUNT_TIMEOUT_IDLE);
    sn_http_linger_sweep(worker);
}

/* ---- hand-over from other threads ---- */

/* A lost ring would leave a client waiting, so a failure is tried again; EAGAIN says that the bell
 * is ringing already. */
static void ring(struct sn_http_worker *worker) {
    for (int i = 0; i < RING_ATTEMPTS; i++) {
        if (sn_os_eventfd_ring(worker->event_watch.fd) == 0 || errno == EAGAIN)
            return;
    }
}

void sn_http_request_wake(struct sn_http_request *request) {
    struct sn_http_worker *worker = request->worker;
    if (atomic_exchange(&request->is_woken, true))
        return;
    struct sn_http_request *head = atomic_load_explicit(&worker->woken, memory_order_relaxed);
    do {
        request->next_woken = head;
    } while (!atomic_compare_exchange_weak(&worker->woken, &head, request));
    /* Who finds the stack empty rings; the others are popped together with it. */
    if (head == NULL)
        ring(worker);
}

/* Resume everything on the stack. A request that ended in the meantime waits here to be freed. */
static void pop_woken(struct sn_http_worker *worker) {
    struct sn_http_request *request = atomic_exchange(&worker->woken, NULL);
    while (request != NULL) {
        struct sn_http_request *next = request->next_woken;
        assert(atomic_load(&request->answer_state) == SN_HTTP_ANSWERED);
        request->next_woken = NULL;
        atomic_store(&request->is_woken, false);
        if (request->connection != NULL)
            resume(request->connection);
        else
            sn_http_request_retire(request);
        request = next;
    }
}

/* ---- waiting ---- */

static int64_t next_deadline_ns(const struct sn_http_worker *worker) {
    int64_t next = sn_http_linger_deadline_ns(worker);
    for (int phase = 0; phase < SN_HTTP_PHASE_COUNT; phase++) {
        const struct sn_http_connection *oldest = worker->phases[phase].head;
        if (phase != SN_HTTP_PHASE_ANSWER && oldest != NULL && oldest->deadline_ns < next)
            next = oldest->deadline_ns;
    }
    if (worker->is_draining && !worker->is_past_deadline && worker->stop_deadline_ns < next)
        next = worker->stop_deadline_ns;
    return next;
}

static int wait_ms(const struct sn_http_worker *worker) {
    MHD_UNSIGNED_LONG_LONG daemon_ms;
    int64_t deadline_ns = next_deadline_ns(worker);
    if (worker->is_place_free)
        return 0;
    /* Connections that are ready but not in the epoll any more: edge-triggered. */
    if (MHD_get_timeout(worker->daemon, &daemon_ms) == MHD_YES && daemon_ms == 0)
        return 0;
    if (deadline_ns == INT64_MAX)
        return -1;
    int64_t left_ms = (deadline_ns - worker->now_ns + NS_PER_MS - 1) / NS_PER_MS;
    if (left_ms < 0)
        return 0;
    return left_ms > WAIT_MS_MAX ? WAIT_MS_MAX : (int)left_ms;
}

/* The stage is looked at first: until it is SENDING the rest may be another thread's. */
static bool is_streaming(const struct sn_http_connection *connection) {
    const struct sn_http_request *request = connection->request;
    return request != NULL && request->stage == SN_HTTP_STAGE_SENDING && request->has_stream;
}

static void client_hung_up(struct sn_http_connection *connection) {
    connection->is_gone = true;
    if (connection->request == NULL)
        return;
    atomic_store_explicit(&connection->request->is_gone, true, memory_order_relaxed);
    /* A stream has nobody to talk to: pull is not asked again. A handler answers in its time. */
    if (is_streaming(connection))
        resume(connection);
}

static void take_event(struct sn_http_worker *worker, struct sn_http_watch *watch) {
    uint64_t count;
    switch (watch->kind) {
    case SN_HTTP_WATCH_DAEMON:
        break;
    case SN_HTTP_WATCH_EVENT:
        (void)!sn_os_read(watch->fd, &count, sizeof(count)); /* only to empty it */
        break;
    case SN_HTTP_WATCH_CONNECTION:
        client_hung_up((struct sn_http_connection *)watch);
        break;
    case SN_HTTP_WATCH_LINGER:
        sn_http_linger_read(worker, watch);
        break;
    }
}

static void wait_for_events(struct sn_http_worker *worker) {
    struct epoll_event events[EVENTS_PER_WAIT];
    int count = sn_os_epoll_wait(worker->epoll_fd, events, EVENTS_PER_WAIT, wait_ms(worker));
    worker->is_place_free = false;
    worker->now_ns = sn_clock_mono_ns(worker->server->options.clock);
    for (int i = 0; i < count; i++)
        take_event(worker, events[i].data.ptr);
}

/* ---- the end ---- */

static bool is_waiting_endless(const struct sn_http_connection *connection) {
    return connection->is_suspended && is_streaming(connection) &&
           connection->request->stream.is_endless;
}

/* Stop accepting; let go of connections on which nothing is in flight. */
static void begin_drain(struct sn_http_worker *worker) {
    struct sn_http_connection *connection;
    (void)MHD_run(worker->daemon); /* clients that the kernel has accepted already */
    worker->is_draining = true;
    worker->stop_deadline_ns = worker->now_ns + worker->server->options.stop_timeout_ms * NS_PER_MS;
    if (MHD_quiesce_daemon(worker->daemon) != MHD_INVALID_SOCKET)
        (void)sn_os_close(worker->listen_fd);
    worker->listen_fd = -1;
    for (connection = worker->phases[SN_HTTP_PHASE_IDLE].head; connection != NULL;
         connection = connection->next)
        (void)sn_os_shutdown(connection->watch.fd, SHUT_RD);
    for (connection = worker->phases[SN_HTTP_PHASE_HEADER].head; connection != NULL;
         connection = connection->next) {
        if (connection->request == NULL)
            (void)sn_os_shutdown(connection->watch.fd, SHUT_RD);
    }
    for (connection = worker->phases[SN_HTTP_PHASE_ANSWER].head; connection != NULL;
         connection = connection->next) {
        if (is_waiting_endless(connection))
            resume(connection);
    }
    sn_http_linger_end_all(worker);
}

/* The deadline has passed: close, whatever the state. Requests that a handler still holds become
 * its own; an answer that is on its way through the stack arrives in a moment. */
static void give_up(struct sn_http_connection *connection) {
    struct sn_http_request *request = connection->request;
    int waiting = SN_HTTP_WAITING;
    if (connection->is_suspended && !is_streaming(connection)) {
        atomic_fetch_add(&connection->worker->server->held_count, 1);
        atomic_store(&request->is_gone, true);
        if (!atomic_compare_exchange_strong(&request->answer_state, &waiting, SN_HTTP_ABANDONED)) {
            atomic_fetch_sub(&connection->worker->server->held_count, 1);
            return;
        }
    }
    sn_http_connection_cut(connection);
}

static void drain(struct sn_http_worker *worker) {
    if (!worker->is_draining)
        begin_drain(worker);
    if (worker->now_ns < worker->stop_deadline_ns)
        return;
    worker->is_past_deadline = true;
    for (int phase = 0; phase < SN_HTTP_PHASE_COUNT; phase++) {
        struct sn_http_connection *connection = worker->phases[phase].head;
        for (; connection != NULL; connection = connection->next) {
            if (!connection->is_cut)
                give_up(connection);
        }
    }
}

void sn_http_worker_run(void *ctx) {
    struct sn_http_worker *worker = ctx;
    worker->now_ns = sn_clock_mono_ns(worker->server->options.clock);
    while (!worker->is_draining || worker->connection_count > 0) {
        wait_for_events(worker);
        pop_woken(worker);
        (void)MHD_run(worker->daemon); /* fails only for a daemon that was stopped */
        sweep(worker);
        if (atomic_load(&worker->is_stopping))
            drain(worker);
    }
    pop_woken(worker);
    MHD_stop_daemon(SN_TAKE(worker->daemon));
}

void sn_http_worker_stop(void *ctx) {
    struct sn_http_worker *worker = ctx;
    atomic_store(&worker->is_stopping, true);
    ring(worker);
}
