/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/thread-pool.h"
#include "util/coroutine.h"
#include "util/main-loop.h"
#include "util/patience.h"
#include "util/thread.h"

#define THREADS_MAX     32
#define IDLE_NS         (10 * NS_PER_SECOND)

struct ThreadPoolJob {
    ThreadPoolFn *fn;
    void *arg;
    ThreadPoolDone *done;
    void *opaque;
    EventLoop *loop;            /* where @done runs */
    int result;
    bool queued;                /* under the pool's lock */
    bool fast;                  /* main loop: @done may come in the worker, under the big lock */
    ThreadPoolJob *next;
};

static struct {
    Mutex lock;
    Cond work;
    ThreadPoolJob *first, **last;
    _Atomic unsigned queued;    /* changed under the lock */
    unsigned threads, idle;     /* idle: asleep, or looking */
    bool looking;               /* one of them does */
    Patience patience;          /* of them all; .since: when the last one had nothing to do */
} pool = { .lock = MUTEX_BRIEF, .last = &pool.first };

CONSTRUCTOR static void pool_init(void)
{
    cond_init(&pool.work);
}

/* The pool's lock is held. */
static ThreadPoolJob *take_job(void)
{
    ThreadPoolJob *job = pool.first;

    pool.first = job->next;
    pool.queued--;
    if (!pool.first) {
        pool.last = &pool.first;
    }
    job->queued = false;
    return job;
}

static void job_done(void *opaque)
{
    ThreadPoolJob *job = opaque;

    if (job->done) {
        job->done(job->opaque, job->result);
    }
    free(job);
}

/* In the worker. Whoever iterates the main loop for something particular must see it there. */
static void finish(ThreadPoolJob *job)
{
    if (job->fast && !main_loop_is_counted()) {
        bool waited_for;

        big_lock();
        waited_for = main_loop_is_waited_for();
        if (!waited_for) {
            job_done(job);
        }
        big_unlock();
        if (!waited_for) {
            return;
        }
    }
    bh_once(job->loop, job_done, job);
}

/* The pool's lock is held, before and after. */
static void look_for_work(Patience *p)
{
    pool.looking = true;
    mutex_unlock(&pool.lock);
    while (!atomic_load(&pool.queued) && patience_lasts(p)) {
    }
    mutex_lock(&pool.lock);
    pool.looking = false;
}

/* The pool's lock is held, before and after. False: nobody has wanted anything for a long time. */
static bool wait_for_work(void)
{
    Patience p = pool.patience;
    bool signalled = true;

    patience_begin(&p);
    pool.patience.since = p.since;
    pool.idle++;
    if (p.looking && !pool.looking) {
        look_for_work(&p);
    }
    patience_end(&p);
    while (!pool.first && signalled) {
        signalled = cond_wait_ns(&pool.work, &pool.lock, IDLE_NS);
    }
    pool.idle--;
    patience_end(&pool.patience);
    return pool.first;
}

static void *worker(UNUSED void *opaque)
{
    mutex_lock(&pool.lock);
    while (pool.first || wait_for_work()) {
        ThreadPoolJob *job = take_job();

        mutex_unlock(&pool.lock);
        job->result = job->fn(job->arg);
        finish(job);
        mutex_lock(&pool.lock);
    }
    pool.threads--;
    mutex_unlock(&pool.lock);
    return NULL;
}

static ThreadPoolJob *submit(ThreadPoolFn *fn, void *arg, ThreadPoolDone *done, void *opaque, bool fast)
{
    ThreadPoolJob *job = calloc(1, sizeof(*job));
    bool start;

    if (!job) {
        abort();
    }
    *job = (ThreadPoolJob){
        .fn = fn, .arg = arg, .done = done, .opaque = opaque,
        .loop = current_event_loop(), .queued = true,
        .fast = fast && current_event_loop() == main_event_loop(),
    };
    mutex_lock(&pool.lock);
    *pool.last = job;
    pool.last = &job->next;
    pool.queued++;
    /* A signalled thread is idle until it runs: compare with all that wait. */
    start = pool.queued > pool.idle && pool.threads < THREADS_MAX;
    pool.threads += start;
    if (pool.queued > (pool.looking ? 1 : 0)) {
        cond_signal(&pool.work);
    }
    mutex_unlock(&pool.lock);
    if (start) {
        thread_create_detached("worker", worker, NULL);
    }
    return job;
}

ThreadPoolJob *thread_pool_submit(ThreadPoolFn *fn, void *arg,
                                  ThreadPoolDone *done, void *opaque)
{
    return submit(fn, arg, done, opaque, false);
}

bool thread_pool_cancel(ThreadPoolJob *job)
{
    mutex_lock(&pool.lock);
    if (!job->queued) {
        mutex_unlock(&pool.lock);
        return false;
    }
    for (ThreadPoolJob **p = &pool.first; *p; p = &(*p)->next) {
        if (*p == job) {
            *p = job->next;
            pool.queued--;
            if (pool.last == &job->next) {
                pool.last = p;
            }
            break;
        }
    }
    job->queued = false;
    mutex_unlock(&pool.lock);
    job->result = -ECANCELED;
    bh_once(job->loop, job_done, job);
    return true;
}

typedef struct CoWork {
    Coroutine *co;
    int result;
} CoWork;

static void co_work_done(void *opaque, int result)
{
    CoWork *w = opaque;

    w->result = result;
    co_enter(w->co);
}

int coroutine_fn thread_pool_co(ThreadPoolFn *fn, void *arg)
{
    CoWork w = { .co = co_self() };

    thread_pool_submit(fn, arg, co_work_done, &w);
    co_yield();
    return w.result;
}

int coroutine_fn thread_pool_co_fast(ThreadPoolFn *fn, void *arg)
{
    CoWork w = { .co = co_self() };

    submit(fn, arg, co_work_done, &w, true);
    co_yield();
    return w.result;
}
