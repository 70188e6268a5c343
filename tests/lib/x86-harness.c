/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/x86-harness.h"

#include <setjmp.h>
#include <signal.h>
#include <asm/ldt.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <glib.h>
#include "accel/tcg/region.h"
#include "accel/tcg/vcpu.h"
#include "target/i386/seg.h"
#include "target/i386/xsave.h"
#include "util/main-loop.h"
#include "config.h"

enum {
    RAM_SIZE = 0x80000, PML4 = 0x1000, PDPT = 0x2000, PD = 0x3000, PT = 0x4000,
    STUB_PHYS = 0x10000, CODE_PHYS = 0x20000, DATA_PHYS = 0x30000,
    STUB_OFF = 0x30000,         /* from XH_CODE */
    CODE16_SEL = 0x07, DATA16_SEL = 0x0f,       /* in the host's LDT */
    CACHE_SIZE = 32 << 20,
};

struct Xh {
    X86Cpu *cpu;
    X86State *s;
    TargetOps ops;
    VcpuTcg v;
    AddressSpace as;
    MemRegion root, ram;
    uint8_t *host;
    XhState *out;
};

static unsigned code_offset(const XhState *st)
{
    return st->bits == 16 || st->bits == 86 ? st->rip : st->rip - XH_CODE;
}

static Xh *the_xh;              /* for take_exception() */

void xh_state_init(XhState *st, unsigned bits)
{
    memset(st, 0, sizeof(*st));
    st->bits = bits;
    st->rip = bits == 16 || bits == 86 ? 0 : XH_CODE;
    st->eflags = 0x202;
    st->fx[0] = 0x7f;           /* FCW 037f */
    st->fx[1] = 0x03;
    st->fx[24] = 0x80;          /* MXCSR 1f80 */
    st->fx[25] = 0x1f;
    st->fx[28] = 0xff;
    st->fx[29] = 0xff;
}

/* ------------------------------------------------------------- the emulator */

static void put64(Xh *h, unsigned phys, uint64_t v)
{
    memcpy(h->host + phys, &v, 8);
}

static void take_state(Xh *h, XhState *out)
{
    X86State *s = h->s;

    memcpy(out->regs, s->regs, sizeof(out->regs));
    out->rip = s->tcg.pc;
    out->eflags = x86_get_eflags(s);
    x86_fp_collect(s);
    x86_fxsave_image(s, out->fx, true, true);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(out->ymmh[i], s->xmm[i] + 16, 16);
    }
    memcpy(out->data, h->host + DATA_PHYS, XH_DATA_SIZE);
}

static void set_mode(Xh *h, const XhState *in);

/* Instead of the guest's IDT: note it, then halt at CPL 0. */
static bool take_exception(TcgEnv *env)
{
    X86State *s = x86_state(env);
    Xh *h = the_xh;

    h->out->vector = s->excp;
    h->out->error = s->excp_has_error ? s->excp_error : 0;
    h->out->cr2 = s->excp == EXCP_PF ? s->cr[2] : 0;
    take_state(h, h->out);
    s->excp = s->excp_old = EXCP_NONE;
    if (s->eflags & FL_VM) {
        s->eflags &= ~FL_VM;
        set_mode(h, NULL);
    }
    s->seg[S_CS].flags |= SEG_L;
    s->seg[S_CS].flags &= ~SEG_DB;
    s->seg[S_CS].base = 0;
    s->cpl = 0;
    env->pc = XH_CODE + STUB_OFF;
    x86_mode_sync(s);
    return true;
}

static bool map_cache(const TcgBackend *be, const IrGlobalTable *globals)
{
    size_t size = CACHE_SIZE;
    int fd = memfd_create("test-cache", MFD_CLOEXEC);
    uint8_t *rw, *rx;

    if (fd < 0 || ftruncate(fd, size) < 0) {
        return false;
    }
    rw = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    rx = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    close(fd);
    return rw != MAP_FAILED && rx != MAP_FAILED && be->init(globals, rw, rx, size);
}

static void set_segments(Xh *h, unsigned bits)
{
    X86State *s = h->s;
    uint32_t data = SEG_P | SEG_S | SEG_RW | SEG_ACCESSED | SEG_G | SEG_DB | 3 << SEG_DPL_SHIFT;

    for (int i = S_ES; i <= S_GS; i++) {
        s->seg[i] = (X86Segment){ .selector = 0x2b, .limit = UINT32_MAX, .flags = data };
    }
    s->seg[S_CS].selector = bits == 64 ? 0x33 : 0x23;
    s->seg[S_CS].flags |= SEG_CODE;
    if (bits == 64) {
        s->seg[S_CS].flags = (s->seg[S_CS].flags & ~SEG_DB) | SEG_L;
    }
    if (bits == 16) {
        for (int i = S_ES; i <= S_DS; i++) {
            s->seg[i].selector = i == S_CS ? CODE16_SEL : DATA16_SEL;
            s->seg[i].base = i == S_CS ? XH_CODE : XH_DATA;
            s->seg[i].limit = i == S_CS ? 0xffff : XH_DATA_SIZE - 1;
            s->seg[i].flags &= ~(SEG_G | SEG_DB);
        }
    }
    s->cpl = 3;
}

enum {
    CR4_64 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_FSGSBASE,
};

/* Long mode with paging, where 64-, 32- and 16-bit code runs; or protected mode without. */
static void set_mode(Xh *h, const XhState *in)
{
    X86State *s = h->s;
    bool v86 = in && in->bits == 86;

    s->cr[0] = CR0_PE | CR0_WP | CR0_NE | CR0_ET | CR0_MP | (v86 ? 0 : CR0_PG);
    s->cr[4] = v86 ? CR4_OSFXSR | in->cr4 : CR4_64;
    s->efer = EFER_SCE | EFER_NXE | (v86 ? 0 : EFER_LME | EFER_LMA);
    for (int i = S_ES; v86 && i <= S_GS; i++) {
        uint16_t sel = (i == S_CS ? CODE_PHYS : DATA_PHYS) >> 4;

        s->seg[i] = (X86Segment){ .selector = sel, .base = sel << 4, .limit = 0xffff,
            .flags = SEG_P | SEG_S | SEG_RW | SEG_ACCESSED | 3 << SEG_DPL_SHIFT };
    }
    tcg_tlb_flush(&s->tcg);
}

static void map_page(Xh *h, unsigned index, unsigned phys, unsigned flags)
{
    put64(h, PT + 8 * index, phys | flags | 0x61);
}

/* A CPU that isn't realized, with RAM of its own. */
static Xh *make_cpu(const TcgBackend *be, const char *type, uint64_t ram_size)
{
    static bool ready;
    Xh *h = g_new0(Xh, 1);
    Object *o;

    o = object_new(type);
    if (!o) {
        g_free(h);
        return NULL;
    }
    h->cpu = X86_CPU(o);
    h->s = h->cpu->env;
    h->ops = *h->cpu->parent.ops->target;
    if (!map_cache(be, h->ops.globals)) {
        return NULL;
    }
    if (!big_lock_held()) {
        big_lock();
    }
    memory_region_init(&h->root, NULL, "root", UINT64_MAX);
    if (!memory_region_init_ram(&h->ram, NULL, ready ? "ram2" : "ram", ram_size, NULL)) {
        return NULL;
    }
    memory_region_add(&h->root, 0, &h->ram);
    address_space_init(&h->as, &h->root, "test");
    h->host = memory_region_ram_ptr(&h->ram);
    h->cpu->parent.as[0] = &h->as;
    h->cpu->parent.num_as = 1;
    region_init(be);
    if (!ready) {
        softmmu_init();
    }
    ready = true;
    atomic_store(&cpu_list_head, &h->cpu->parent);      /* the only one */
    h->v = (VcpuTcg){ .cpu = &h->cpu->parent, .env = &h->s->tcg, .ops = &h->ops, .be = be };
    h->v.jc = g_new0(JumpCacheEntry, JC_SIZE);
    h->s->tcg.jc = h->v.jc;
    h->s->tcg.cpu = h->cpu;
    h->v.generation = 1;
    h->cpu->parent.accel = &h->v;
    tlb_init(&h->v);
    return h;
}

Xh *xh_new_real(const TcgBackend *be, const char *type)
{
    Xh *h = make_cpu(be, type, XH_REAL_SIZE);

    if (!h || !x86_apply_model(h->cpu, NULL)) {
        return NULL;
    }
    h->s->a20_mask = h->s->generation == X86_8086 ? ~BIT(20) : UINT32_MAX;
    x86_reset_state(h->s);
    return h;
}

uint8_t *xh_ram(Xh *h)
{
    return h->host;
}

void xh_forget(Xh *h, uint32_t addr, uint32_t n)
{
    region_forget(h->ram.ram->start + addr, n);
}

void xh_step(Xh *h)
{
    CPUState *cpu = &h->cpu->parent;

    if (h->v.be->used() > CACHE_SIZE / 2) {
        region_lock();
        region_flush_all();
        region_unlock();
    }
    x86_mode_sync(h->s);
    tcg_mode_changed(&h->s->tcg);
    h->v.single_step = true;
    cpu->halted = false;
    cpu->interrupt_request = 0;
    current_cpu = cpu;
    vcpu_exec(&h->v);
}

Xh *xh_new(const TcgBackend *be)
{
    Xh *h = make_cpu(be, "max-x86_64-cpu", RAM_SIZE);

    if (!h) {
        return NULL;
    }
    h->ops.take_exception = take_exception;
    put64(h, PML4, PDPT | 0x67);
    put64(h, PDPT, PD | 0x67);
    put64(h, PD + 8 * 128, PT | 0x67);
    for (unsigned i = 0; i < XH_CODE_SIZE / 4096; i++) {
        map_page(h, i, CODE_PHYS + i * 4096, 4);
    }
    for (unsigned i = 0; i < XH_DATA_SIZE / 4096; i++) {
        map_page(h, 16 + i, DATA_PHYS + i * 4096, 6);
    }
    map_page(h, STUB_OFF / 4096, STUB_PHYS, 0);
    h->host[STUB_PHYS] = 0xf4;                  /* HLT */

    for (unsigned i = 0; i < FEAT_NUM; i++) {
        h->s->features[i] = UINT32_MAX;
    }
    h->s->a20_mask = UINT32_MAX;
    h->s->phys_bits = 40;
    x86_fpu_init(h->s);
    h->s->cr[3] = PML4;
    h->s->xcr0 = XSTATE_X87 | XSTATE_SSE | XSTATE_AVX;
    set_mode(h, NULL);
    return h;
}

void xh_map_data(Xh *h, unsigned page, unsigned to, bool global)
{
    map_page(h, 16 + page, DATA_PHYS + to * 4096, 6 | (global ? 0x100 : 0));
}

X86State *xh_cpu(Xh *h)
{
    return h->s;
}

void xh_run(Xh *h, const uint8_t *code, size_t n, const XhState *in, XhState *out)
{
    X86State *s = h->s;
    CPUState *cpu = &h->cpu->parent;

    n = MIN(n, XH_CODE_SIZE - code_offset(in));
    the_xh = h;
    h->out = out;
    out->bits = in->bits;
    region_forget(h->ram.ram->start + CODE_PHYS, XH_CODE_SIZE);
    if (in->exec_data && memcmp(h->host + DATA_PHYS, in->data, XH_DATA_SIZE)) {
        region_forget(h->ram.ram->start + DATA_PHYS, XH_DATA_SIZE);
    }
    if (h->v.be->used() > CACHE_SIZE / 2) {
        region_lock();
        region_flush_all();
        region_unlock();
    }
    memset(h->host + CODE_PHYS, 0xf4, XH_CODE_SIZE);
    memcpy(h->host + CODE_PHYS + code_offset(in), code, n);
    memcpy(h->host + DATA_PHYS, in->data, XH_DATA_SIZE);
    memcpy(s->regs, in->regs, sizeof(s->regs));
    set_segments(h, in->bits);
    if (in->bits == 86) {
        set_mode(h, in);
    }
    /* Both tiers in turns, and from one to the other. */
    tcg_options.tiers = !tcg_options.tiers;
    tcg_options.hot_entries = 5;
    s->tcg.pc = in->rip;
    s->excp = s->excp_old = EXCP_NONE;
    s->int_shadow = false;
    x86_set_eflags(s, in->eflags);
    x86_fxrstor_image(s, in->fx, true, true);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(s->xmm[i], in->fx + 160 + 16 * i, 16);   /* in 32-bit code 8 are loaded */
        memcpy(s->xmm[i] + 16, in->ymmh[i], 16);
    }
    x86_fp_update_env(s);
    x86_mode_sync(s);
    tcg_mode_changed(&s->tcg);
    cpu->halted = false;
    cpu->interrupt_request = 0;
    current_cpu = cpu;
    while (!cpu->halted) {
        vcpu_exec(&h->v);
    }
}

/* ----------------------------------------------------------------- the host */

/* A sanitizer's shadow memory lies all over the address space: there random code would find memory
 * where the emulator has none, and destroy it. */
#if defined(__x86_64__) && !defined(CONFIG_ASAN) && !defined(CONFIG_TSAN)
static struct {
    bool ready, ok, ldt, running;
    const XhState *in;
    XhState *out;
    gregset_t gregs;            /* where the test program was */
    uint8_t fx[512];
    uint8_t header[64], ymmh[256];      /* behind it, where the host has AVX */
    bool avx;
} nat;

static const int greg_of[16] = {
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
    REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static void on_start(UNUSED int sig, UNUSED siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    greg_t *g = uc->uc_mcontext.gregs;

    nat.running = true;
    memcpy(nat.gregs, g, sizeof(nat.gregs));
    memcpy(nat.fx, uc->uc_mcontext.fpregs, 512);
    if (nat.avx) {                      /* XSAVE's area, standard format */
        uint8_t *area = (uint8_t *)uc->uc_mcontext.fpregs;

        memcpy(nat.header, area + XSAVE_HEADER, 64);
        memcpy(nat.ymmh, area + XSAVE_EXTENDED, 256);
        area[XSAVE_HEADER] |= XSTATE_X87 | XSTATE_SSE | XSTATE_AVX;
        memcpy(area + XSAVE_EXTENDED, nat.in->ymmh, 256);
    }
    for (int i = 0; i < 16; i++) {
        g[greg_of[i]] = nat.in->regs[i];
    }
    g[REG_RIP] = nat.in->rip;
    g[REG_EFL] = nat.in->eflags;
    if (nat.in->bits == 16) {
        g[REG_CSGSFS] = (g[REG_CSGSFS] & INT64_C(0xffffffff0000)) | CODE16_SEL |
                        (greg_t)DATA16_SEL << 48;
    } else if (nat.in->bits == 32) {
        g[REG_CSGSFS] = (g[REG_CSGSFS] & ~(greg_t)0xffff) | 0x23;
    }
    memcpy(uc->uc_mcontext.fpregs, nat.in->fx, 464);    /* behind are the kernel's words */
}

static void on_exception(int sig, UNUSED siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    greg_t *g = uc->uc_mcontext.gregs;

    if (!nat.running) {
        signal(sig, SIG_DFL);           /* the emulator's own: it comes again */
        return;
    }
    nat.running = false;
    for (int i = 0; i < 16; i++) {
        nat.out->regs[i] = g[greg_of[i]];
    }
    nat.out->rip = g[REG_RIP];
    nat.out->eflags = g[REG_EFL];
    nat.out->vector = g[REG_TRAPNO];
    nat.out->error = nat.out->vector == 14 || nat.out->vector == 13 ? g[REG_ERR] : 0;
    nat.out->cr2 = nat.out->vector == 14 ? g[REG_CR2] : 0;
    memcpy(nat.out->fx, uc->uc_mcontext.fpregs, 464);
    if (nat.avx) {
        uint8_t *area = (uint8_t *)uc->uc_mcontext.fpregs;

        if (area[XSAVE_HEADER] & XSTATE_AVX) {
            memcpy(nat.out->ymmh, area + XSAVE_EXTENDED, 256);
        } else {
            memset(nat.out->ymmh, 0, 256);
        }
        memcpy(area + XSAVE_HEADER, nat.header, 64);
        memcpy(area + XSAVE_EXTENDED, nat.ymmh, 256);
    }
    memcpy(g, nat.gregs, sizeof(nat.gregs));
    memcpy(uc->uc_mcontext.fpregs, nat.fx, 464);
}

static bool set_ldt(unsigned n, uint64_t base, uint32_t limit, unsigned contents)
{
    struct user_desc d = { .entry_number = n, .base_addr = base, .limit = limit,
                           .contents = contents, .useable = 1 };

    return syscall(SYS_modify_ldt, 1, &d, sizeof(d)) == 0;
}

static void load_data_segments(unsigned sel)
{
    __asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(sel));
}

static bool native_init(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
    static uint8_t stack[131072];
    stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
    int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

    if (mmap((void *)XH_CODE, XH_CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, fixed, -1, 0) !=
            (void *)XH_CODE ||
        mmap((void *)XH_DATA, XH_DATA_SIZE, PROT_READ | PROT_WRITE, fixed, -1, 0) !=
            (void *)XH_DATA) {
        return false;
    }
    sigaltstack(&ss, NULL);
    nat.avx = __builtin_cpu_supports("avx");
    nat.ldt = set_ldt(0, XH_CODE, 0xffff, 2) && set_ldt(1, XH_DATA, XH_DATA_SIZE - 1, 0);
    sa.sa_sigaction = on_exception;
    for (unsigned i = 0; i < ARRAY_SIZE(signals); i++) {
        sigaction(signals[i], &sa, NULL);
    }
    sa.sa_sigaction = on_start;
    sigaction(SIGUSR1, &sa, NULL);
    return true;
}

bool xh_native(const uint8_t *code, size_t n, const XhState *in, XhState *out)
{
    if (!nat.ready) {
        nat.ready = true;
        nat.ok = native_init();
    }
    if (!nat.ok || (in->bits == 16 && !nat.ldt)) {
        return false;
    }
    n = MIN(n, XH_CODE_SIZE - code_offset(in));
    mprotect((void *)XH_CODE, XH_CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
    memset((void *)XH_CODE, 0xf4, XH_CODE_SIZE);
    memcpy((void *)(XH_CODE + code_offset(in)), code, n);
    mprotect((void *)XH_CODE, XH_CODE_SIZE, PROT_READ | PROT_EXEC);
    mprotect((void *)XH_DATA, XH_DATA_SIZE,
             PROT_READ | PROT_WRITE | (in->exec_data ? PROT_EXEC : 0));
    memcpy((void *)XH_DATA, in->data, XH_DATA_SIZE);
    memcpy(out->fx, in->fx, 512);
    out->bits = in->bits;
    nat.in = in;
    nat.out = out;
    /* 64-bit code doesn't look at these. */
    load_data_segments(in->bits == 16 ? DATA16_SEL : 0x2b);
    raise(SIGUSR1);             /* comes back when the code has raised */
    load_data_segments(0x2b);
    memcpy(out->data, (void *)XH_DATA, XH_DATA_SIZE);
    return true;
}
#else
bool xh_native(UNUSED const uint8_t *code, UNUSED size_t n, UNUSED const XhState *in,
               UNUSED XhState *out)
{
    return false;
}
#endif

/* --------------------------------------------------------------- comparison */

static void say(char **p, char *end, const char *what, uint64_t a, uint64_t b)
{
    if (*p < end) {
        *p += snprintf(*p, end - *p, "%s: %" PRIx64 " / %" PRIx64 "\n", what, a, b);
        *p = MIN(*p, end);
    }
}

bool xh_same(const XhState *a, const XhState *b, uint32_t flags, bool fx, char *buf, size_t size)
{
    static const char *const names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi",
        "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15" };
    char *p = buf, *end = buf + size;
    unsigned regs = a->bits == 64 ? 16 : 8;
    uint64_t mask = a->bits == 64 ? UINT64_MAX : UINT32_MAX;

    *buf = 0;
    for (unsigned i = 0; i < regs; i++) {
        if ((a->regs[i] ^ b->regs[i]) & mask) {
            say(&p, end, names[i], a->regs[i], b->regs[i]);
        }
    }
    if (a->rip != b->rip) {
        say(&p, end, "rip", a->rip, b->rip);
    }
    if ((a->eflags ^ b->eflags) & flags) {
        say(&p, end, "eflags", a->eflags & flags, b->eflags & flags);
    }
    if (a->vector != b->vector) {
        say(&p, end, "vector", a->vector, b->vector);
    } else {
        if (a->cr2 != b->cr2) {
            say(&p, end, "cr2", a->cr2, b->cr2);
        }
        /* The host has a page where we have none, or not: P differs outside the areas. */
        if ((a->error ^ b->error) & (a->vector == EXCP_PF ? ~1u : ~0u)) {
            say(&p, end, "error", a->error, b->error);
        }
    }
    for (unsigned i = 0; i < XH_DATA_SIZE; i++) {
        if (a->data[i] != b->data[i]) {
            say(&p, end, "data at", i, a->data[i] | (uint64_t)b->data[i] << 32);
            break;
        }
    }
    for (unsigned i = 0; fx && i < (a->bits == 64 ? 416 : 288); i++) {
        /* AMD stores the x87's pointers only where an exception is pending (ES). */
        bool pointers = i >= 6 && i < 24;

        if (a->fx[i] != b->fx[i] && (!pointers || (b->fx[2] & 0x80)) && (i < 28 || i >= 32)) {
            say(&p, end, "fx byte", i, a->fx[i] | (uint64_t)b->fx[i] << 32);
            break;
        }
    }
    for (unsigned i = 0; fx && i < (a->bits == 64 ? 256 : 128); i++) {
        if (a->ymmh[i / 16][i % 16] != b->ymmh[i / 16][i % 16]) {
            say(&p, end, "ymm upper byte", i, a->ymmh[i / 16][i % 16] |
                (uint64_t)b->ymmh[i / 16][i % 16] << 32);
            break;
        }
    }
    return p == buf;
}
