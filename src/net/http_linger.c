/*
 * Reading and throwing away after an early refusal; why is said in http_priv.h.
 *
 * Bounded three ways: LINGERS_MAX sockets per worker, LINGER_NS each, and nothing is kept of what
 * they send.
 */
#include "base/mem.h"
#include "base/os.h"
#include "net/http_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

#define LINGERS_MAX 64
#define LINGER_NS INT64_C(1000000000)
#define READS_PER_TURN 16 /* so that one fast sender does not hold up the others */

struct sn_http_linger {
    struct sn_http_watch watch; /* fd is owned */
    struct sn_http_linger *next;
    int64_t deadline_ns;
};

static void linger_free(struct sn_http_worker *worker, struct sn_http_linger *linger) {
    struct sn_http_linger **slot = &worker->lingers;
    while (*slot != linger)
        slot = &(*slot)->next;
    *slot = linger->next;
    worker->linger_count--;
    (void)sn_os_close(linger->watch.fd); /* leaves the epoll set by itself: no duplicate is left */
    sn_free(linger);
}

void sn_http_linger_begin(struct sn_http_worker *worker, int fd) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP};
    struct sn_http_linger **slot = &worker->lingers;
    if (worker->linger_count == LINGERS_MAX || worker->is_draining)
        return;
    struct sn_http_linger *linger = sn_alloc_zero(1, sizeof(*linger));
    if (linger == NULL)
        return;
    linger->watch = (struct sn_http_watch){SN_HTTP_WATCH_LINGER, fcntl(fd, F_DUPFD_CLOEXEC, 0)};
    event.data.ptr = linger;
    if (linger->watch.fd < 0 ||
        sn_os_epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, linger->watch.fd, &event) != 0) {
        if (linger->watch.fd >= 0)
            (void)sn_os_close(linger->watch.fd);
        sn_free(linger);
        return;
    }
    while (*slot != NULL)
        slot = &(*slot)->next;
    *slot = linger;
    worker->linger_count++;
    linger->deadline_ns = worker->now_ns + LINGER_NS;
}

void sn_http_linger_read(struct sn_http_worker *worker, struct sn_http_watch *watch) {
    struct sn_http_linger *linger = (struct sn_http_linger *)watch;
    char scratch[4096];
    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t got = sn_os_recv(watch->fd, scratch, sizeof(scratch), MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            linger_free(worker, linger);
            return;
        }
    }
}

void sn_http_linger_sweep(struct sn_http_worker *worker) {
    while (worker->lingers != NULL && worker->lingers->deadline_ns <= worker->now_ns)
        linger_free(worker, worker->lingers);
}

void sn_http_linger_end_all(struct sn_http_worker *worker) {
    while (worker->lingers != NULL)
        linger_free(worker, worker->lingers);
}

int64_t sn_http_linger_deadline_ns(const struct sn_http_worker *worker) {
    return worker->lingers != NULL ? worker->lingers->deadline_ns : INT64_MAX;
}
