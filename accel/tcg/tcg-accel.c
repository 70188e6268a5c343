/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TCG accelerator: a thread for each vCPU, starting and stopping them with
 * the machine, the code cache, properties.
 *
 * Properties of -accel tcg: interp=on|off (the IR interpreter instead of the host's back end),
 * tb-size=MiB (code cache), perf-map=on|off (/tmp/perf-PID.map, which perf reads), thread=multi|single (single is
 * accepted; there is a thread a vCPU in any case), and a switch for each decision that can be left out (TcgOptions,
 * TcgSwitches).
 */
#include "util/osdep.h"
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include "accel/accel.h"
#include "accel/tcg/debug.h"
#include "accel/tcg/icount.h"
#include "accel/tcg/profile.h"
#include "accel/tcg/region.h"
#include "accel/tcg/stats.h"
#include "hw/core/runstate.h"
#include "util/doorbell.h"
#include "util/main-loop.h"

#define CACHE_DEFAULT   (256 * MIB)
#define CACHE_MAX       (1024 * MIB)    /* what a 32-bit displacement reaches, amply */

static struct {
    const TcgBackend *be;
    bool backend_ready;
    uint8_t *rw, *rx;
    size_t cache_size, trimmed;  /* trimmed: MiB in which code went when that was done */
    Cond pause_cond;            /* a vCPU has stopped, or come up */
} tcg = { .cache_size = CACHE_DEFAULT };

TcgOptions tcg_options = { .guarded_code = true, .regions = true, .links = true, .jump_cache = true,
                           .optimise = true, .tiers = true, .hot_entries = 1000 };

/* perf(1) takes symbols of anonymous memory alone from its map file. */
static bool cache_map_for_perf(Error **errp)
{
    tcg.rw = mmap(NULL, tcg.cache_size, PROT_READ | PROT_WRITE | PROT_EXEC,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    tcg.rx = tcg.rw;
    if (tcg.rw == MAP_FAILED) {
        error_set_errno(errp, errno, "can't map the code cache writable and executable");
        return false;
    }
    return true;
}

static bool cache_map(Error **errp)
{
    int fd = memfd_create("code-cache", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, tcg.cache_size) < 0) {
        error_set_errno(errp, errno, "can't get %zu MiB of memory for the code cache",
                        (size_t)(tcg.cache_size / MIB));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    tcg.rw = mmap(NULL, tcg.cache_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    tcg.rx = mmap(NULL, tcg.cache_size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    close(fd);
    if (tcg.rw == MAP_FAILED || tcg.rx == MAP_FAILED) {
        error_set_errno(errp, errno, "can't map the code cache");
        error_hint(errp, "where executable memory is forbidden, use -accel tcg,interp=on");
        return false;
    }
    return true;
}

void tcg_cache_trim(void)
{
    static const size_t step = MIB;
    size_t at, behind;

    if (tcg.rw == tcg.rx || !tcg.be->position) {
        return;                 /* one mapping, or none yet */
    }
    at = tcg.be->position() / step;
    if (at == tcg.trimmed) {
        return;
    }
    tcg.trimmed = at;
    behind = (at + 1) * step;
    /* The memory stays, in the file; it comes back here where a jump is patched. */
    madvise(tcg.rw, at * step, MADV_DONTNEED);
    if (behind < tcg.cache_size) {
        madvise(tcg.rw + behind, tcg.cache_size - behind, MADV_DONTNEED);
    }
}

/* --- a vCPU's thread --- */

static bool can_run(CPUState *cpu)
{
    return !cpu->stop && !cpu->stopped && runstate_is_running();
}

/* Under -icount: a slice, if it is this CPU's turn. */
static VcpuExit run_slice(VcpuTcg *v)
{
    VcpuExit why = VCPU_REQUEST;

    if (icount_has_turn(v->cpu) && icount_begin(v)) {
        why = vcpu_exec(v);
        icount_end(v, why == VCPU_HALTED);
    }
    return why;
}

static bool idle(VcpuTcg *v)
{
    CPUState *cpu = v->cpu;

    if (cpu->stop || cpu->unplug || cpu_has_queued_work(cpu)) {
        return false;
    }
    if (cpu->stopped || !runstate_is_running()) {
        return true;
    }
    if (tcg_icount) {
        return !icount_has_turn(cpu);
    }
    return cpu->halted && !v->ops->has_work(v->env) && !v->single_step;
}

/* False: there is nothing to wait for but the condition. */
static bool wait_for_doorbells(VcpuTcg *v)
{
    if (tcg_icount || v->cpu->stopped || !runstate_is_running() || !doorbell_watch_begin()) {
        return false;
    }
    if (v->wake < 0) {
        v->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    }
    /* The order counts: who kicks after idle() has looked sees @watching. */
    atomic_store(&v->watching, v->wake >= 0);
    if (v->wake >= 0 && idle(v)) {
        big_unlock();
        doorbell_watch(v->wake);
        big_lock();
    }
    atomic_store(&v->watching, false);
    doorbell_watch_end();
    return v->wake >= 0 || !idle(v);
}

/* What a guest halts for is often there before a sleeping thread would be awake. */
static void look_for_kicks(VcpuTcg *v)
{
    atomic_store(&v->kicked, false);
    if (!idle(v)) {
        return;
    }
    big_unlock();
    while (!atomic_load(&v->kicked) && patience_lasts(&v->patience)) {
    }
    big_lock();
}

static void wait_for_kicks(VcpuTcg *v)
{
    CPUState *cpu = v->cpu;

    if (tcg_icount || cpu->stopped || !runstate_is_running()) {
        big_lock_wait(&cpu->halt_cond);
        return;
    }
    patience_begin(&v->patience);
    if (v->patience.looking) {
        look_for_kicks(v);
    }
    if (idle(v)) {
        big_lock_wait(&cpu->halt_cond);
    }
    patience_end(&v->patience);
}

static void *vcpu_thread(void *opaque)
{
    VcpuTcg *v = opaque;
    CPUState *cpu = v->cpu;

    big_lock();
    current_cpu = cpu;
    cpu->thread_id = thread_tid();
    cpu->created = true;
    cond_broadcast(&tcg.pause_cond);
    while (!cpu->unplug) {
        if (can_run(cpu) && (tcg_icount ? run_slice(v) : vcpu_exec(v)) == VCPU_DEBUG) {
            tcg_debug_stop(v);
        }
        while (idle(v)) {
            if (cpu->idle_work && can_run(cpu) && !tcg_icount) {
                cpu_run_idle_work(cpu);
            } else if (!wait_for_doorbells(v)) {
                wait_for_kicks(v);
            }
        }
        if (cpu->stop) {
            cpu->stop = false;
            cpu->stopped = true;
            icount_leave(cpu);
            cond_broadcast(&tcg.pause_cond);
        }
        cpu_process_work(cpu);
    }
    cpu->created = false;
    icount_leave(cpu);
    current_cpu = NULL;
    cond_broadcast(&tcg.pause_cond);
    big_unlock();
    return NULL;
}

static void kick(CPUState *cpu)
{
    VcpuTcg *v = cpu->accel;

    if (v) {
        __atomic_store_n(&v->env->exit_request, 1, __ATOMIC_SEQ_CST);
        atomic_store(&v->kicked, true);
        cond_broadcast(&cpu->halt_cond);
        if (atomic_load(&v->watching)) {
            eventfd_write(v->wake, 1);
        }
        if (tcg_icount) {
            icount_kick();
        }
    }
}

static bool create(CPUState *cpu, Error **errp)
{
    const TargetOps *ops = cpu->ops->target;
    VcpuTcg *v;
    char name[16];

    if (!ops) {
        error_setf(errp, ERR_NOT_SUPPORTED, "CPUs of architecture '%s' can't run under TCG",
                   cpu->ops->arch);
        return false;
    }
    if (!tcg.backend_ready && !(tcg_options.perf_map ? cache_map_for_perf(errp) : cache_map(errp))) {
        return false;
    }
    tcg.backend_ready = true;
    if (!tcg.be->init(ops->globals, tcg.rw, tcg.rx, tcg.cache_size)) {     /* once for each architecture */
        error_setf(errp, ERR_HOST, "back end '%s' can't run CPUs of architecture '%s' on this host", tcg.be->name,
                   cpu->ops->arch);
        return false;
    }
    v = g_new0(VcpuTcg, 1);
    v->cpu = cpu;
    v->ops = ops;
    v->be = tcg.be;
    v->env = ops->env_of(cpu);
    v->env->cpu = cpu;
    v->jc = g_new0(JumpCacheEntry, JC_SIZE);
    v->env->jc = v->jc;
    v->generation = 1;
    v->wake = -1;
    tlb_init(v);
    cpu->stopped = true;
    cpu->accel = v;
    tcg_mode_changed(v->env);
    snprintf(name, sizeof(name), "CPU %d/TCG", cpu->index);
    thread_create(&cpu->thread, name, vcpu_thread, v);
    while (!cpu->created) {
        big_lock_wait(&tcg.pause_cond);
    }
    return true;
}

static void destroy(CPUState *cpu)
{
    VcpuTcg *v = cpu->accel;

    if (!v) {
        return;
    }
    cpu->unplug = true;
    kick(cpu);
    while (cpu->created) {
        big_lock_wait(&tcg.pause_cond);
    }
    thread_join(&cpu->thread);
    cpu->accel = NULL;
    if (v->wake >= 0) {
        close(v->wake);
    }
    tcg_drop_transient(v);
    tlb_cleanup(v);
    g_free(v->jc);
    g_free(v->breakpoints);
    g_free(v->watches);
    g_free(v);
}

static void reset(CPUState *cpu)
{
    VcpuTcg *v = cpu->accel;

    if (v) {
        v->excp_pending = false;
        v->single_insn = false;
        tcg_tlb_flush(v->env);
        tcg_mode_changed(v->env);
    }
}

static void run_exclusive(CPUState *cpu, CpuWorkFn fn, void *data)
{
    VcpuTcg *v = cpu->accel;

    big_unlock();
    exclusive_begin(v);
    big_lock();
    fn(cpu, data);
    big_unlock();
    exclusive_end(v);
    v->running = false;         /* we're outside of the loop */
    big_lock();
}

static const CpuAccelOps cpu_ops = {
    .name = "tcg", .create = create, .destroy = destroy, .kick = kick, .interrupt = kick,
    .reset = reset, .run_exclusive = run_exclusive,
};

/* --- with the machine --- */

static void pause_all(void)
{
    CPU_FOREACH(cpu) {
        if (cpu == current_cpu) {
            cpu->stop = false;
            cpu->stopped = true;
            cpu_exit(cpu);
        } else if (!cpu->stopped) {
            cpu->stop = true;
            kick(cpu);
        }
    }
    CPU_FOREACH(cpu) {
        while (cpu->created && !cpu->stopped) {
            big_lock_wait(&tcg.pause_cond);
        }
    }
}

static void resume_all(void)
{
    CPU_FOREACH(cpu) {
        cpu->stop = false;
        cpu->stopped = false;
        kick(cpu);
    }
}

static bool parse_size(const QDict *props, Error **errp)
{
    uint64_t mib = 0;
    const char *text = qdict_str_or(props, "tb-size", NULL);

    if (text) {
        char *end;

        mib = strtoull(text, &end, 10);
        if (*end || mib < 1 || mib > CACHE_MAX / MIB) {
            error_setf(errp, ERR_OUT_OF_RANGE,
                       "-accel tcg: property 'tb-size' is '%s'; accepted: 1 to %" PRIu64 " (MiB)",
                       text, CACHE_MAX / MIB);
            return false;
        }
        tcg.cache_size = mib * MIB;
    }
    return true;
}

static bool parse_bool(const QDict *props, const char *name, bool *out, Error **errp)
{
    const char *text = qdict_str_or(props, name, qdict_bool_or(props, name, false) ? "on" : NULL);

    if (text) {
        bool on = !strcmp(text, "on") || !strcmp(text, "yes") || !strcmp(text, "true");

        if (!on && strcmp(text, "off") && strcmp(text, "no") && strcmp(text, "false")) {
            error_setf(errp, ERR_INVALID_ARGUMENT,
                       "-accel tcg: property '%s' is '%s'; accepted: on, off", name, text);
            return false;
        }
        *out = on;
    }
    return true;
}

/* What names places in guest code: profile=HZ, symbols=FILE. */
static bool parse_profile(const QDict *props, Error **errp)
{
    const char *rate = props ? qdict_str_or(props, "profile", NULL) : NULL;
    const char *symbols = props ? qdict_str_or(props, "symbols", NULL) : NULL;
    unsigned long hz = 0;
    char *end;

    if (rate) {
        hz = strtoul(rate, &end, 10);
        if (*end || end == rate || hz > 10000) {
            error_setf(errp, ERR_OUT_OF_RANGE,
                       "-accel tcg: property 'profile' is '%s'; accepted: 0 to 10000 (samples a "
                       "second)", rate);
            return false;
        }
    }
    if (symbols && !tcg_symbols_load(symbols, errp)) {
        return false;
    }
    if (hz) {
        profile_start((unsigned)hz);
    }
    return true;
}

static bool open_perf_map(Error **errp)
{
    char *name = g_strdup_printf("/tmp/perf-%d.map", (int)getpid());

    tcg_options.perf_map = fopen(name, "we");
    if (!tcg_options.perf_map) {
        error_set_errno(errp, errno, "can't write '%s'", name);
    }
    g_free(name);
    return tcg_options.perf_map;
}

static bool init(const QDict *props, Error **errp)
{
    bool interp = false, perf_map = false;
    const struct { const char *name; bool *value; } bools[] = {
        { "interp", &interp }, { "perf-map", &perf_map },
        { "guarded-code", &tcg_options.guarded_code }, { "page-hints", &tcg_switches.page_hints },
        { "guesses", &tcg_switches.guesses },
        { "page-sharing", &tcg_switches.page_sharing }, { "residents", &tcg_switches.residents },
        { "quick-thunks", &tcg_switches.quick_thunks },
        { "regions", &tcg_options.regions }, { "links", &tcg_options.links },
        { "jump-cache", &tcg_options.jump_cache }, { "bulk", &tcg_switches.bulk },
        { "optimise", &tcg_options.optimise }, { "tiers", &tcg_options.tiers },
    };

    if (props && !parse_size(props, errp)) {
        return false;
    }
    for (size_t k = 0; props && k < ARRAY_SIZE(bools); k++) {
        if (!parse_bool(props, bools[k].name, bools[k].value, errp)) {
            return false;
        }
    }
#if defined(__x86_64__)
    tcg.be = interp ? &tcg_backend_interp : &tcg_backend_x86_64;
#else
    tcg.be = &tcg_backend_interp;
#endif
    if ((perf_map && !open_perf_map(errp)) || !parse_profile(props, errp)) {
        return false;
    }
    cond_init(&tcg.pause_cond);
    region_init(tcg.be);
    softmmu_init();
    cpu_set_accel(&cpu_ops);
    runstate_set_cpu_hooks(pause_all, resume_all);
    return true;
}

static Accel accel_tcg = { .name = "tcg", .desc = "dynamic translation", .init = init };

static void CONSTRUCTOR register_tcg(void)
{
    accel_register(&accel_tcg);
}

/* --- statistics --- */

TcgInfo tcg_info(void)
{
    RegionStats r = region_stats();
    TcgInfo i = {
        .backend = tcg.be ? tcg.be->name : NULL,
        .cache_size = tcg.cache_size,
        .cache_used = tcg.backend_ready ? tcg.be->used() : 0,
        .tier = { r.tier[0], r.tier[1] }, .live = r.live,
        .invalidated = r.invalidated, .flushes = r.flushes, .reclaimed = r.reclaimed,
        .guarded = r.guarded, .stale = r.stale,
    };

    CPU_FOREACH(cpu) {
        VcpuTcg *v = cpu->accel;

        if (!tcg.be || !v) {
            break;
        }
        i.lookups += v->stats.lookups;
        i.leaves += v->stats.leaves;
        for (unsigned k = 0; k < TCG_LEFT_NUM; k++) {
            i.left[k] += v->stats.left[k];
        }
        i.chained += v->stats.chained;
        i.tlb_fills += v->stats.tlb_fills;
        i.tlb_kept += v->stats.tlb_kept;
        i.tlb_flushes += v->stats.tlb_flushes;
        i.page_flushes += v->stats.page_flushes;
        i.slow_loads += v->stats.slow_ld;
        i.slow_stores += v->stats.slow_st;
        i.mmio += v->stats.mmio;
        i.exceptions += v->stats.exceptions;
        i.interrupts += v->stats.interrupts;
        i.smc_retries += v->stats.smc_retries;
    }
    return i;
}
