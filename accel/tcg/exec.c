/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The execution loop of one vCPU: exceptions, interrupts, finding the next
 * region, running it, chaining.
 *
 * Leaving generated code from C (faults, retries): the state is unwound to
 * the instruction's start, then the back end returns to our call of enter().
 * Outside generated code (exception entry that faults itself) we jump back by
 * siglongjmp.
 */
#include "util/osdep.h"
#include "accel/tcg/icount.h"
#include "accel/tcg/profile.h"
#include "accel/tcg/region.h"
#include "util/log.h"
#include "util/main-loop.h"
#include "util/rcu.h"

#define LEAVE_RETRY     0x1ff       /* our own: nothing to be done but to go on */

/* --- stop the world --- */

static struct {
    Mutex lock;
    Cond cond;
    _Atomic bool active;
} ex = { MUTEX_INITIALIZER, { PTHREAD_COND_INITIALIZER }, false };

static void exec_start(VcpuTcg *v)
{
    v->running = true;
    if (unlikely(ex.active)) {
        mutex_lock(&ex.lock);
        v->running = false;
        cond_broadcast(&ex.cond);
        while (ex.active) {
            cond_wait(&ex.cond, &ex.lock);
        }
        v->running = true;
        mutex_unlock(&ex.lock);
    }
}

static void exec_end(VcpuTcg *v)
{
    v->running = false;
    if (unlikely(ex.active)) {
        mutex_lock(&ex.lock);
        cond_broadcast(&ex.cond);
        mutex_unlock(&ex.lock);
    }
}

static bool others_run(VcpuTcg *self)
{
    CPU_FOREACH(cpu) {
        VcpuTcg *v = cpu->accel;

        if (v && v != self && v->running) {
            return true;
        }
    }
    return false;
}

void exclusive_begin(VcpuTcg *self)
{
    mutex_lock(&ex.lock);
    self->running = false;
    cond_broadcast(&ex.cond);
    while (ex.active) {
        cond_wait(&ex.cond, &ex.lock);
    }
    ex.active = true;
    CPU_FOREACH(cpu) {
        VcpuTcg *v = cpu->accel;

        if (v && v != self) {
            __atomic_store_n(&v->env->exit_request, 1, __ATOMIC_SEQ_CST);
        }
    }
    while (others_run(self)) {
        cond_wait(&ex.cond, &ex.lock);
    }
    mutex_unlock(&ex.lock);
    self->exclusive = true;
}

void exclusive_end(VcpuTcg *self)
{
    self->exclusive = false;
    mutex_lock(&ex.lock);
    ex.active = false;
    self->running = true;
    cond_broadcast(&ex.cond);
    mutex_unlock(&ex.lock);
}

void tcg_exclusive_begin(TcgEnv *env)
{
    exclusive_begin(vcpu_of(env));
}

void tcg_exclusive_end(TcgEnv *env)
{
    exclusive_end(vcpu_of(env));
}

/* --- leaving --- */

void vcpu_unwind(VcpuTcg *v)
{
    TcgEnv *env = v->env;
    uint32_t icount, aux;

    if (env->jit_ra && v->be->unwind(env, env->jit_ra, &icount, &aux)) {
        if (v->ops->restore_aux) {
            v->ops->restore_aux(env, aux);
        }
    }
}

void vcpu_leave(VcpuTcg *v)
{
    if (v->exclusive) {
        exclusive_end(v);
    }
    v->env->jit_ra = NULL;
    if (v->in_code) {
        v->be->leave(v->env, LEAVE_RETRY);
    }
    siglongjmp(v->unwind, 1);
}

void tcg_sync_state(TcgEnv *env)
{
    vcpu_unwind(vcpu_of(env));
}

void tcg_leave_next(TcgEnv *env)
{
    VcpuTcg *v = vcpu_of(env);

    v->check_irq = true;
    vcpu_leave(v);
}

void tcg_raise_here(TcgEnv *env)
{
    VcpuTcg *v = vcpu_of(env);

    v->excp_pending = true;
    vcpu_leave(v);
}

void tcg_retry_alone(TcgEnv *env)
{
    VcpuTcg *v = vcpu_of(env);

    vcpu_unwind(v);
    v->single_insn = true;
    vcpu_leave(v);
}

void tcg_io_alone(TcgEnv *env)
{
    VcpuTcg *v = vcpu_of(env);
    struct TcgRegion *r;

    if (likely(!tcg_icount) || !v->in_code || !env->jit_ra) {
        return;
    }
    r = v->be->find(env, env->jit_ra);
    if (r && !r->one_insn) {
        tcg_retry_alone(env);
    }
    /* Nothing follows before the loop has looked what came of it. */
    v->did_io = true;
    __atomic_store_n(&env->exit_request, 1, __ATOMIC_SEQ_CST);
}

void tcg_raise(TcgEnv *env)
{
    VcpuTcg *v = vcpu_of(env);

    vcpu_unwind(v);
    v->excp_pending = true;
    vcpu_leave(v);
}

void tcg_mode_changed(TcgEnv *env)
{
    VcpuTcg *v = vcpu_of(env);
    uint64_t base;

    if (!v) {
        return;
    }
    /* The jump cache knows virtual PCs: with another code segment they mean another place. */
    base = v->ops->code_address(env, 0);
    if (base != v->code_base) {
        v->code_base = base;
        tlb_new_generation(v);
    }
    env->mode_gen = (uint64_t)v->generation << 32 | v->ops->mode_word(env);
}

/* --- the next region --- */

static uint64_t next_page(uint64_t address)
{
    return (address & ~(uint64_t)(TCG_PAGE_SIZE - 1)) + TCG_PAGE_SIZE;
}

static bool page1_agrees(VcpuTcg *v, const struct TcgRegion *r, uint64_t address)
{
    TlbFull *f = tlb_get(v, next_page(address), MMU_EXEC, v->ops->code_mmu(v->env), false);

    return f && f->host && f->ram->start + f->ram_offset == r->page1;
}

/*
 * What the jump cache had for @pc before a flush: mostly the mapping is what it was, and the entry needs
 * but a new tag. Regions that are dropped are taken out of it before they are freed.
 */
static struct TcgRegion *jc_candidate(const JumpCacheEntry *e, uint64_t pc, uint32_t mode,
                                      ram_addr_t entry)
{
    struct TcgRegion *r = __atomic_load_n(&e->region, __ATOMIC_RELAXED);

    return r && e->pc == pc && r->entry == entry && r->mode == mode && !r->one_insn &&
           !r->invalid ? r : NULL;
}

static void jc_fill(VcpuTcg *v, uint64_t pc, uint64_t address, struct TcgRegion *r, bool global)
{
    unsigned i = jc_index(pc);
    JumpCacheEntry *e = &v->jc[i];
    bool known = __atomic_load_n(&e->region, __ATOMIC_RELAXED) == r;

    for (unsigned k = 0; k < __atomic_load_n(&r->n_jc, __ATOMIC_ACQUIRE); k++) {
        known |= r->jc[k] == i;
    }
    if (!known) {
        region_note_jc(r, i);
    }
    tlb_note_code(v, i, address, global);
    if (r->page1 != RAM_ADDR_INVALID) {
        tlb_note_code(v, i, next_page(address), false);
    }
    __atomic_store_n(&e->mode_gen, 0, __ATOMIC_RELAXED);
    e->pc = pc;
    e->code = r->code.full_entry;
    __atomic_store_n(&e->region, r, __ATOMIC_RELAXED);
    /* Before the look at invalid: whoever sets that clears the entries after it. */
    __atomic_store_n(&e->mode_gen, v->env->mode_gen, __ATOMIC_SEQ_CST);
    if (r->invalid) {
        __atomic_store_n(&e->mode_gen, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&e->region, NULL, __ATOMIC_RELAXED);
    }
}

/* Is @v at the entry of the region that was entered so often, and is that still there? */
static bool at_hot(const VcpuTcg *v, const struct TcgRegion *hot, ram_addr_t entry)
{
    return v->epoch == region_epoch() && !hot->invalid && hot->entry == entry &&
           hot->mode == (uint32_t)v->env->mode_gen;
}

/* Let others have the world for themselves meanwhile. False: translations may be gone. */
static bool wait_a_little(VcpuTcg *v, uint64_t flushes)
{
    if (ex.active) {
        exec_end(v);
        exec_start(v);
    }
    sched_yield();
    return region_flushes() == flushes;
}

/*
 * Pages that @r has made watched may still be written by other vCPUs that have looked at their TLBs
 * before: until each of those has passed an edge, @r isn't run by anyone, and then its bytes
 * are compared. False: look for a translation again. @mine: this vCPU made it.
 */
static bool settle(VcpuTcg *v, struct TcgRegion *r, bool mine)
{
    uint64_t flushes = region_flushes();

    while (!mine && r->unsettled) {
        if (!wait_a_little(v, flushes)) {
            return false;
        }
    }
    if (!mine) {
        return !r->invalid;
    }
    CPU_FOREACH(cpu) {
        VcpuTcg *o = cpu->accel;
        uint64_t edges;

        if (!o || o == v) {
            continue;
        }
        edges = o->edges;
        while (o->running && o->in_code && o->edges == edges) {
            __atomic_store_n(&o->env->exit_request, 1, __ATOMIC_SEQ_CST);
            if (!wait_a_little(v, flushes)) {
                return false;
            }
        }
    }
    region_settle(r);
    return !r->invalid;
}

void tcg_drop_transient(VcpuTcg *v)
{
    struct TcgRegion *r = v->transient;

    if (r) {
        v->transient = NULL;
        /* The code bytes stay until the next flush of the cache. */
        region_free(r);
    }
}

static struct TcgRegion *find_region(VcpuTcg *v, bool *again)
{
    TcgEnv *env = v->env;
    uint64_t pc = env->pc, address = v->ops->code_address(env, pc);
    bool one = v->single_insn || v->single_step || cpus_singlestep();
    JumpCacheEntry *e = &v->jc[jc_index(pc)];
    struct TcgRegion *r = NULL, *hot = v->hot;
    TlbFull *f;
    bool global, found, mine = false;

    *again = false;
    v->stats.lookups++;
    v->hot = NULL;
    if (!one && !hot && e->pc == pc &&
        __atomic_load_n(&e->mode_gen, __ATOMIC_ACQUIRE) == env->mode_gen) {
        r = __atomic_load_n(&e->region, __ATOMIC_RELAXED);
        if (likely(r)) {        /* else it has just been dropped */
            return r;
        }
    }
    f = tlb_get(v, address, MMU_EXEC, v->ops->code_mmu(env), true);
    global = f->global;
    if (f->host) {
        ram_addr_t entry = f->ram->start + f->ram_offset + (address & (TCG_PAGE_SIZE - 1));

        hot = hot && !one && at_hot(v, hot, entry) ? hot : NULL;
        r = hot || one ? NULL : jc_candidate(e, pc, (uint32_t)env->mode_gen, entry);
        found = hot || (r && !r->guarded &&
                        (r->page1 == RAM_ADDR_INVALID || page1_agrees(v, r, address)));
        r = found ? r : NULL;
        while (!found) {
            r = region_find(entry, (uint32_t)env->mode_gen, one, r);
            found = !r || ((r->page1 == RAM_ADDR_INVALID || page1_agrees(v, r, address)) &&
                           (!r->guarded || region_holds(r)));
        }
    } else {
        hot = NULL;
    }
    if (!r) {
        tcg_drop_transient(v);          /* one that was left by a fault, or never run */
        r = tcg_translate(v, pc, address, hot);
        v->transient = r->transient ? r : NULL;
        mine = true;
    }
    if (unlikely(r->unsettled) && !settle(v, r, mine)) {
        *again = true;
        return NULL;
    }
    if (!one && !r->transient && !r->one_insn && !v->n_breakpoints && r->code.full_entry &&
        tcg_options.jump_cache) {
        jc_fill(v, pc, address, r, global);
    }
    return r;
}

static struct TcgRegion *next_region(VcpuTcg *v)
{
    struct TcgRegion *r;
    bool again;

    do {
        r = find_region(v, &again);
    } while (again);
    return r;
}

static bool at_breakpoint(const VcpuTcg *v)
{
    for (unsigned i = 0; i < v->n_breakpoints; i++) {
        if (v->breakpoints[i] == v->env->pc) {
            return true;
        }
    }
    return false;
}

static void log_state(VcpuTcg *v, const struct TcgRegion *r)
{
    if (log_is_on(LOG_EXEC)) {
        log_write("EXEC %d: pc %016" PRIx64 " mode %08" PRIx32 " host %p\n", v->cpu->index,
                  v->env->pc, (uint32_t)v->env->mode_gen, (void *)r->code.code);
    }
    if (log_is_on(LOG_CPU) && v->ops->dump) {
        char *text = v->ops->dump(v->env);

        log_write("%s\n", text);
        g_free(text);
    }
}

/* Under -icount. */
static bool slice_is_over(VcpuTcg *v)
{
    if (v->did_io) {
        v->did_io = false;
        icount_look_again(v);
    }
    return v->env->budget <= 0 && !v->single_insn;
}

/* True: back to the outer loop. */
static bool requests(VcpuTcg *v, VcpuExit *why)
{
    CPUState *cpu = v->cpu;

    atomic_store_explicit(&v->edges, v->edges + 1, memory_order_release);
    if (unlikely(tcg_icount) && slice_is_over(v)) {
        *why = VCPU_REQUEST;
        return true;
    }
    if (__atomic_exchange_n(&v->env->exit_request, 0, __ATOMIC_SEQ_CST)) {
        v->check_irq = true;
        if (atomic_load(&v->hints_stale)) {
            atomic_store(&v->hints_stale, false);
            tlb_hints_clear(v);
        }
        if (v->tlb_crowded) {
            v->tlb_crowded = false;
            tlb_grow(v);
        }
        if (ex.active) {
            exec_end(v);
            exec_start(v);
        }
    }
    if (cpu->stop || cpu->unplug || cpu_has_queued_work(cpu) || cpu->exit_request) {
        cpu->exit_request = 0;
        *why = VCPU_REQUEST;
        return true;
    }
    if (v->watch_hit || v->debug_hit) {
        *why = VCPU_DEBUG;
        return true;
    }
    return false;
}

/* True if the CPU doesn't go on where generated code left: an exit must not be
 * linked to what comes now. */
static bool events(VcpuTcg *v)
{
    bool elsewhere = v->excp_pending;

    if (v->excp_pending) {
        v->excp_pending = false;
        v->stats.exceptions++;
        v->ops->take_exception(v->env);
        tcg_mode_changed(v->env);
        v->check_irq = true;
    }
    if (v->check_irq) {
        v->check_irq = v->single_insn;          /* that one first */
        if (v->cpu->interrupt_request && !v->single_insn) {
            bool changed;

            big_lock();
            changed = v->ops->take_interrupt(v->env);
            big_unlock();
            if (changed) {
                v->stats.interrupts++;
                v->check_irq = true;
                elsewhere = true;
            }
        }
        tcg_mode_changed(v->env);
    }
    return elsewhere;
}

static unsigned left_kind(uint32_t reason)
{
    switch (reason) {
    case TCG_LEAVE_GOTO: return TCG_LEFT_LINK;
    case TCG_LEAVE_LOOKUP: return TCG_LEFT_LOOKUP;
    case TCG_LEAVE_REQUEST: return TCG_LEFT_REQUEST;
    case TCG_LEAVE_STALE: return TCG_LEFT_STALE;
    case TCG_LEAVE_HOT: return TCG_LEFT_HOT;
    case IR_EXIT_NEXT: return TCG_LEFT_NEXT;
    case IR_EXIT_IRQ_CHECK: return TCG_LEFT_IRQ;
    case LEAVE_RETRY: return TCG_LEFT_FAULT;
    default: return TCG_LEFT_OTHER;
    }
}

/* Run one region (and what is chained to it); false: back to the outer loop. */
static bool run(VcpuTcg *v, TcgLeave *leave, VcpuExit *why)
{
    struct TcgRegion *r = next_region(v);

    if (unlikely(tcg_icount) && (int32_t)r->n_insns > v->env->budget && !r->one_insn) {
        v->single_insn = true;
        r = next_region(v);
    }

    bool chain = !v->n_breakpoints && tcg_options.links && !log_is_on(LOG_NOCHAIN);

    if (leave->reason == TCG_LEAVE_GOTO && leave->from && chain && !r->one_insn &&
        v->epoch == region_epoch() &&               /* else it is gone */
        !r->transient && r->page1 == RAM_ADDR_INVALID) {
        struct TcgRegion *from = leave->from;

        if (!from->one_insn && from->code.exits[leave->exit_index].same_page) {
            region_link(from, leave->exit_index, r);
            v->stats.chained++;
        }
    }
    if (log_is_on(LOG_EXEC | LOG_CPU)) {
        log_state(v, r);
    }
    v->single_insn = false;
    leave->from = NULL;
    leave->reason = LEAVE_RETRY;
    v->in_code = true;
    v->be->enter(v->env, &r->code, leave);
    region_met(leave->from);
    v->in_code = false;
    v->stats.leaves++;
    v->stats.left[left_kind(leave->reason)]++;
    v->env->jit_ra = NULL;
    if (unlikely(v->sample)) {
        v->sample = false;
        if (leave->reason == TCG_LEAVE_REQUEST) {
            profile_note(v->env->pc, (uint32_t)v->env->mode_gen);
        }
    }
    if (r->transient) {
        if (leave->from == r) {
            leave->from = NULL;
        }
        tcg_drop_transient(v);
    }
    switch (leave->reason) {
    case TCG_LEAVE_STALE:
        region_stale(leave->from);
        leave->from = NULL;
        break;
    case TCG_LEAVE_HOT:
        v->hot = leave->from;
        leave->from = NULL;
        break;
    case IR_EXIT_IRQ_CHECK:
        v->check_irq = true;
        tcg_mode_changed(v->env);
        break;
    case IR_EXIT_NEXT:
        tcg_mode_changed(v->env);
        break;
    case IR_EXIT_HALT:
        *why = VCPU_HALTED;
        return false;
    case IR_EXIT_DEBUG:
        *why = VCPU_DEBUG;
        return false;
    }
    return true;
}

VcpuExit vcpu_exec(VcpuTcg *v)
{
    CPUState *cpu = v->cpu;
    TcgLeave leave = { .reason = LEAVE_RETRY };
    VcpuExit why = VCPU_REQUEST;
    bool step = v->single_step;

    if (cpu->halted) {
        if (!v->ops->has_work(v->env)) {
            return VCPU_HALTED;
        }
        cpu->halted = false;
    }
    big_unlock();
    exec_start(v);
    rcu_read_lock();
    v->check_irq = true;
    sigsetjmp(v->unwind, 0);
    if (big_lock_held()) {
        big_unlock();           /* interrupt delivery that faulted */
    }
    v->in_code = false;
    leave.from = NULL;
    for (;;) {
        /* Let memory maps and translations be reclaimed. */
        rcu_read_unlock();
        rcu_read_lock();
        if (unlikely(v->epoch != region_epoch())) {
            v->epoch = region_epoch();
            leave.from = NULL;
            v->hot = NULL;
        }
        if (requests(v, &why)) {
            break;
        }
        if (events(v)) {
            leave.from = NULL;
        }
        if (unlikely(v->n_breakpoints) && !step && at_breakpoint(v)) {
            why = VCPU_DEBUG;
            break;
        }
        if (!run(v, &leave, &why)) {
            break;
        }
        if (unlikely(step) && !v->single_insn && leave.reason != TCG_LEAVE_REQUEST) {
            events(v);
            why = VCPU_DEBUG;
            break;
        }
    }
    rcu_read_unlock();
    exec_end(v);
    big_lock();
    return why;
}
