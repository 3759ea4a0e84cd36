/* What each user may still spend: a small table, and credits that come back with time. */
#include "studio.h"

#include <stdio.h>
#include <string.h>

#define USERS_MAX 512
#define CREDITS_MAX 60.0
#define CREDITS_PER_SECOND 0.5

struct account {
    char user[NAME_SIZE]; /* "": free */
    double credits, since_s;
};

static struct {
    pthread_mutex_t mu;
    struct account accounts[USERS_MAX]; /* guarded by mu */
} credits = {.mu = PTHREAD_MUTEX_INITIALIZER};

/* The account of a user, up to date; NULL: the table is full. */
static struct account *account_locked(const char *user) {
    double now_s = seconds_now();
    for (size_t i = 0; i < USERS_MAX; i++) {
        struct account *account = &credits.accounts[i];
        if (account->user[0] == '\0') {
            (void)snprintf(account->user, sizeof account->user, "%s", user);
            account->credits = CREDITS_MAX;
            account->since_s = now_s;
        }
        if (strcmp(account->user, user) == 0) {
            account->credits += CREDITS_PER_SECOND * (now_s - account->since_s);
            account->credits = account->credits < CREDITS_MAX ? account->credits : CREDITS_MAX;
            account->since_s = now_s;
            return account;
        }
    }
    return NULL;
}

bool credits_take(const char *user, unsigned amount, struct failure *failure) {
    (void)pthread_mutex_lock(&credits.mu);
    struct account *account = account_locked(user);
    bool is_enough = account != NULL && account->credits >= amount;
    if (is_enough)
        account->credits -= amount;
    (void)pthread_mutex_unlock(&credits.mu);
    return is_enough ||
           fail(failure, 402, "CREDIT_ERROR", "not enough credits: %u are needed", amount);
}

void credits_give(const char *user, unsigned amount) {
    (void)pthread_mutex_lock(&credits.mu);
    struct account *account = account_locked(user);
    if (account != NULL)
        account->credits += amount;
    (void)pthread_mutex_unlock(&credits.mu);
}
