/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queued commands that have ended, told to the guest together: one Set Device Bits frame has a bit for each tag
 * (SATA 10.5.7), and its interrupt costs the guest as much for one tag as for 32.
 *
 * What the host has in its cache is there before the guest's write to PxCI returns, so with each command told by itself
 * a driver that keeps 32 under way would never have more than one. How many it keeps is learned: after every so many
 * frames one is held back until the CPU that gave the commands has nothing else to do. Then the driver has nothing under
 * way and begins anew: the next frame is held back too, and as many as are gathered for that one are awaited from then on.
 * With a driver that waits for each command the rounds that try become rare.
 *
 * Only what ends in a CPU's thread is put off, and only if an interrupt is to tell of it: whoever polls sees it at once.
 */
#include "util/osdep.h"
#include "hw/ide/ahci-int.h"

#include <pthread.h>
#include <time.h>

/* A busy guest is told when its CPU has run for so long: not while the host runs others, since it would seem to give
 * commands slowly. But nobody waits for ever. */
#define WAIT_NS         (2 * NS_PER_MS)
#define WAIT_MAX_NS     (20 * NS_PER_MS)
#define TRY_MIN         16              /* frames between two that try for more, while it pays */
#define TRY_MAX         1024

/* The processor time of the calling thread: the name of its clock. */
static clockid_t thread_clock(void)
{
    clockid_t id;

    return pthread_getcpuclockid(pthread_self(), &id) == 0 ? id : CLOCK_THREAD_CPUTIME_ID;
}

/* -1: the thread has ended. Any thread may ask. */
static int64_t thread_ran_ns(clockid_t clock)
{
    struct timespec ts;

    return clock_gettime(clock, &ts) == 0 ? ts.tv_sec * NS_PER_SECOND + ts.tv_nsec : -1;
}

static bool may_gather(const AhciPort *p)
{
    const AhciState *s = p->s;

    return current_cpu && !p->pm && !main_loop_is_counted() && s->reg[R_GHC] & GHC_IE &&
           p->reg[P_IE] & PIS_SDBS && !(s->reg[R_CCC_CTL] & CCC_EN);
}

void ahci_tell_finished(AhciLink *l)
{
    AhciPort *p = l->port;
    uint32_t tags = l->finished;

    if (!tags) {
        return;
    }
    l->finished = 0;
    ahci_fis_sdb(l, tags, ATA_DRDY, 0, false);
    ahci_command_done(p, __builtin_popcount(tags));
    ahci_port_idle(p);
}

/* So many came before the guest waited. */
static void learn(AhciGather *g, unsigned n)
{
    g->every = n != g->expect ? TRY_MIN : MIN(g->every * 2, TRY_MAX);
    g->expect = n;
    g->tries = 0;
    g->until_try = g->every;
}

static void wait_for_more(AhciPort *p)
{
    AhciGather *g = &p->gather;

    cpu_before_idle(current_cpu, &g->idle);
    if (!g->waits) {
        int64_t now = clock_get_ns(CLOCK_VIRTUAL);

        g->waits = true;
        g->latest = now + WAIT_MAX_NS;
        g->cpu_clock = thread_clock();
        g->cpu_ran = thread_ran_ns(g->cpu_clock);
        /* One that was set for the frame before serves as well. */
        if (!timer_pending(&g->timer)) {
            timer_mod_ns(&g->timer, now + WAIT_NS);
        }
    }
}

void ahci_gather(AhciLink *l)
{
    AhciPort *p = l->port;
    AhciGather *g = &p->gather;
    unsigned n = __builtin_popcount(l->finished);

    if (!n) {
        return;
    }
    if (may_gather(p)) {
        if (n == AHCI_SLOTS) {
            learn(g, n);
        } else if (g->tries || n < g->expect) {
            wait_for_more(p);
            return;
        } else if (--g->until_try == 0) {
            g->tries = 2;
            wait_for_more(p);
            return;
        }
    }
    g->waits = false;
    ahci_tell_finished(l);
}

/* @seen: the guest waits, or it was busy for long enough to give what it has. Else the host hasn't let it. */
static void end_wait(AhciPort *p, bool seen)
{
    if (p->gather.waits) {
        p->gather.waits = false;
        if (p->link[0].finished) {
            if (seen && p->gather.tries == 1) {
                learn(&p->gather, __builtin_popcount(p->link[0].finished));
            } else if (seen) {
                p->gather.tries = 1;
            }
            ahci_tell_finished(&p->link[0]);
        }
    }
}

static void cpu_is_idle(void *opaque)
{
    AhciPort *p = opaque;

    ahci_lock(p->s);
    end_wait(p, true);
    ahci_unlock(p->s);
}

static void timeout(void *opaque)
{
    AhciPort *p = opaque;
    AhciGather *g = &p->gather;
    int64_t now = clock_get_ns(CLOCK_VIRTUAL), ran;
    bool busy;

    ahci_lock(p->s);
    ran = g->waits ? thread_ran_ns(g->cpu_clock) : 0;
    busy = ran - g->cpu_ran >= WAIT_NS;
    if (g->waits && now < g->latest && ran >= 0 && !busy) {
        timer_mod_ns(&g->timer, now + WAIT_NS);
    } else {
        end_wait(p, busy);
    }
    ahci_unlock(p->s);
}

void ahci_gather_init(AhciPort *p)
{
    cpu_idle_work_init(&p->gather.idle, cpu_is_idle, p);
    timer_init_ns(&p->gather.timer, CLOCK_VIRTUAL, timeout, p);
    ahci_gather_reset(p);
}

void ahci_gather_reset(AhciPort *p)
{
    AhciGather *g = &p->gather;

    g->expect = 1;
    g->every = g->until_try = TRY_MIN;
    g->tries = 0;
    g->waits = false;
}

void ahci_gather_cleanup(AhciPort *p)
{
    cpu_idle_work_forget(&p->gather.idle);
    timer_del(&p->gather.timer);
}
