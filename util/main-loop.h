/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event loops: file descriptors, timers and bottom halves on a GLib context.
 *
 * There is one main loop. It runs with the big lock held and drops it while it
 * waits, so that everything called from it owns all device models. An I/O
 * thread has a loop of its own, which knows nothing of the big lock.
 *
 * "The current loop" is the loop that the calling thread runs, or the main loop
 * if it runs none (a vCPU thread, say).
 */
#ifndef UTIL_MAIN_LOOP_H
#define UTIL_MAIN_LOOP_H

#include "util/osdep.h"
#include "util/thread.h"

typedef struct EventLoop EventLoop;

/* ------------------------------------------------------------- main loop */

/* Once, first thing in main() and in tests that need a loop; the calling
 * thread is the main thread and owns the big lock from then on. Calls after
 * the first do nothing. */
void main_loop_init(void);
/* Run until main_loop_quit(). */
void main_loop_run(void);
/* Any thread, and signal handlers. */
void main_loop_quit(void);
/* One round: wait (if @block) until something happens, handle it. True if
 * anything was handled. */
bool main_loop_iterate(bool block);
/* Rounds until *done is true. For set-up and tests, in the main thread. */
void main_loop_run_until(const bool *done);
/* One waiting round, for those that look at all there may be after each: what another thread
 * does under the big lock needn't wake it. */
void main_loop_round(void);
/* Whether somebody runs rounds of the main loop until something has happened (main_loop_iterate),
 * and would sleep through what another thread does under the big lock. Big lock. */
bool main_loop_is_waited_for(void);
bool in_main_thread(void);
/* In the thread of a loop that isn't the main one. */
bool in_io_thread(void);
/* The main loop handles nothing until main_loop_release(), but while the thread that holds it waits on a
 * condition with the big lock. Big lock; not in the main thread. */
void main_loop_hold(void);
void main_loop_release(void);
/* No bottom half waits, nor does the main loop for its release. Big lock. */
bool main_loop_is_quiet(void);
/* One round more. Any thread. */
void main_loop_kick(void);
/* Called at the end of each round, with the big lock. */
void main_loop_set_round_hook(void (*fn)(void));
/* Whether rounds come at counted instructions only (a hook is set). Then nothing that takes the host a
 * while may end outside of them: the guest would see how fast the host was. Any thread. */
bool main_loop_is_counted(void);
EventLoop *main_event_loop(void);
EventLoop *current_event_loop(void);

/* -------------------------------------------------------------- big lock */

/* Not recursive: taking it twice is a programmer's mistake. */
#define big_lock()      big_lock_at(CALL_SITE)
void big_lock_at(const char *site);
void big_unlock(void);
bool big_lock_held(void);       /* by this thread */
/* Wait on @c as cond_wait() does with the big lock as the mutex. */
#define big_lock_wait(c)        big_lock_wait_at(c, CALL_SITE)
#define big_lock_wait_ns(c, ns) big_lock_wait_ns_at(c, ns, CALL_SITE)
void big_lock_wait_at(Cond *c, const char *site);
bool big_lock_wait_ns_at(Cond *c, int64_t ns, const char *site);
/* Let others have it for a moment, the main loop above all, who waits for what it will do. */
void big_lock_rest(void);

/*
 * @observer is called by whoever holds the big lock after each step that may have changed what the lock guards: an
 * access to a device, a timer, a bottom half, input on a descriptor, and before the lock is let go. It must not let go
 * of the lock. NULL, as at the start: nobody looks, and nothing is spent on it. Big lock.
 */
void big_lock_observe(void (*observer)(void));
extern void (*_Atomic big_lock_observer)(void);         /* private */
void big_lock_step_slow(void);                          /* private */
/* A step is done; for those who make them. */
static inline void big_lock_step(void)
{
    if (unlikely(atomic_load_explicit(&big_lock_observer, memory_order_relaxed))) {
        big_lock_step_slow();
    }
}

/* --------------------------------------------------------- bottom halves */

/*
 * A function that runs in its loop soon after it was scheduled, once however
 * often it was scheduled before it ran. Scheduling is cheap and allowed from
 * any thread.
 */
typedef struct BottomHalf BottomHalf;
typedef void BhFn(void *opaque);

BottomHalf *bh_new(BhFn *cb, void *opaque);             /* in the current loop */
BottomHalf *bh_new_on(EventLoop *loop, BhFn *cb, void *opaque);
void bh_schedule(BottomHalf *bh);
/* The loop's thread only (main loop: big lock held): it won't run. */
void bh_cancel(BottomHalf *bh);
/* As bh_cancel(), and free it. Its own callback may do this. NULL is allowed. */
void bh_delete(BottomHalf *bh);
/* Run @cb once in @loop (NULL: the main loop). */
void bh_once(EventLoop *loop, BhFn *cb, void *opaque);

/* ------------------------------------------------------------ fd watches */

enum {
    FD_READ  = 1,
    FD_WRITE = 2,
    FD_HANGUP = 4,              /* reported also if not asked for, as errors are */
};

/* @events: what is ready, of FD_READ, FD_WRITE, FD_HANGUP. */
typedef void FdFn(int fd, unsigned events, void *opaque);
typedef struct FdWatch FdWatch;

/* Calls @cb in the current loop whenever @fd is ready for one of @events, as
 * long as it is (level triggered). The fd stays the caller's. */
FdWatch *fd_watch_new(int fd, unsigned events, FdFn *cb, void *opaque);
FdWatch *fd_watch_new_on(EventLoop *loop, int fd, unsigned events, FdFn *cb, void *opaque);
/* Change what is waited for; 0: nothing (errors and hang-up neither). */
void fd_watch_set(FdWatch *w, unsigned events);
/* Its own callback may do this. NULL is allowed. Remove before closing the fd. */
void fd_watch_remove(FdWatch *w);

/* ----------------------------------------------------------- other loops */

/* A loop with a thread of its own (an I/O thread), running at return. */
EventLoop *event_loop_new(const char *name);
/* Ends the thread; nothing of the loop may be pending or watched. */
void event_loop_free(EventLoop *loop);
/* The loop's GMainContext, for libraries that speak GLib. Borrowed. */
struct _GMainContext *event_loop_context(EventLoop *loop);
/* Make the loop look at its sources again. Any thread. */
void event_loop_kick(EventLoop *loop);
/* How many requests its users shall hand over to the kernel at once; 0: as many as there are. Any thread. */
void event_loop_set_max_batch(EventLoop *loop, unsigned n);
unsigned event_loop_max_batch(const EventLoop *loop);
/*
 * Between these nothing of an I/O thread's loop runs: its callbacks have returned, and the next one begins after
 * event_loop_unpark(). What that thread and holders of the big lock both look at is changed so. By holders of the big
 * lock, which is let go of while the loop comes to its rest; not by I/O threads, which could wait for each other. Nests,
 * for several threads too. For the main loop and NULL there is nothing to be done.
 */
void event_loop_park(EventLoop *loop);
void event_loop_unpark(EventLoop *loop);
/* Parked until the end of the block. */
static inline void loop_parked_end(EventLoop **loop)
{
    event_loop_unpark(*loop);
}
#define LOOP_PARKED(loop) LOOP_PARKED_(loop, __COUNTER__)
#define LOOP_PARKED_(loop, n) LOOP_PARKED__(loop, n)
#define LOOP_PARKED__(loop, n) \
    UNUSED __attribute__((cleanup(loop_parked_end))) EventLoop *loop_parked_##n = (loop); \
    event_loop_park(loop_parked_##n)

#endif
