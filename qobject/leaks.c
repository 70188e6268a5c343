/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "qobject/leaks.h"

#ifdef CONFIG_DEBUG

#include "qobject/strbuf.h"
#include <execinfo.h>
#include <pthread.h>

#define FRAMES      8           /* of the stack, the constructor's included */
#define BUCKETS     4096

typedef struct Live {
    const QObject *o;
    void *frames[FRAMES];
    struct Live *next;
} Live;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Live *buckets[BUCKETS];  /* by address, under lock */
static size_t live;

static Live **bucket(const QObject *o)
{
    return &buckets[((uintptr_t)o >> 4) % BUCKETS];
}

void qobject_track(const QObject *o)
{
    Live *l = calloc(1, sizeof(*l)), **b = bucket(o);

    if (!l) {
        abort();
    }
    l->o = o;
    backtrace(l->frames, FRAMES);
    pthread_mutex_lock(&lock);
    l->next = *b;
    *b = l;
    live++;
    pthread_mutex_unlock(&lock);
}

void qobject_untrack(const QObject *o)
{
    Live *found = NULL;

    pthread_mutex_lock(&lock);
    for (Live **p = bucket(o); *p; p = &(*p)->next) {
        if ((*p)->o == o) {
            found = *p;
            *p = found->next;
            live--;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
    free(found);
}

size_t qobject_live_count(void)
{
    size_t n;

    pthread_mutex_lock(&lock);
    n = live;
    pthread_mutex_unlock(&lock);
    return n;
}

static int by_site(const void *a, const void *b)
{
    return memcmp((*(Live *const *)a)->frames, (*(Live *const *)b)->frames,
                  sizeof((*(Live *const *)a)->frames));
}

typedef struct Site {
    size_t count;
    void *const *frames;
} Site;

static int by_count(const void *a, const void *b)
{
    size_t ca = ((const Site *)a)->count, cb = ((const Site *)b)->count;

    return ca < cb ? 1 : ca > cb ? -1 : 0;
}

static void print_site(FILE *f, const Site *s)
{
    char **names;
    int n = 0;

    while (n < FRAMES && s->frames[n]) {
        n++;
    }
    names = backtrace_symbols(s->frames, n);
    fprintf(f, "%zu values made by:\n", s->count);
    for (int i = 1; i < n; i++) {       /* 0 is qobject_track() */
        fprintf(f, "    %s\n", names ? names[i] : "?");
    }
    free(names);
}

void qobject_leaks_report(FILE *f)
{
    size_t n = 0, sites = 0;
    Live **all;
    Site *site;

    pthread_mutex_lock(&lock);
    all = qobject_alloc((live + 1) * sizeof(*all));
    site = qobject_alloc((live + 1) * sizeof(*site));
    for (int i = 0; i < BUCKETS; i++) {
        for (Live *l = buckets[i]; l; l = l->next) {
            all[n++] = l;
        }
    }
    qsort(all, n, sizeof(*all), by_site);
    for (size_t i = 0; i < n; i++) {
        if (i && !by_site(&all[i - 1], &all[i])) {
            site[sites - 1].count++;
        } else {
            site[sites++] = (Site){ 1, all[i]->frames };
        }
    }
    qsort(site, sites, sizeof(*site), by_count);
    fprintf(f, "%zu values are alive\n", n);
    for (size_t i = 0; i < sites; i++) {
        print_site(f, &site[i]);
    }
    pthread_mutex_unlock(&lock);
    free(site);
    free(all);
}

static void report_at_exit(void)
{
    if (getenv("QOBJECT_LEAKS")) {
        qobject_leaks_report(stderr);
    }
}

CONSTRUCTOR static void register_report(void)
{
    atexit(report_at_exit);
}

#endif
