/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slow paths of guest memory accesses: what the TLB check in generated code
 * didn't let through. Page-crossing accesses are checked on both pages before any byte
 * is read or written.
 *
 * Stores to bytes that have been translated. If the region that the store is in holds them, the store
 * isn't made: the state is unwound to the instruction, which then runs as a region of its own, so that
 * the next instruction is fetched anew. Others are just invalidated.
 */
#include "util/osdep.h"
#include "accel/tcg/region.h"
#include "memory/memory.h"
#include "memory/guest-ram.h"
#include "util/bswap.h"
#include "util/log.h"
#include "util/main-loop.h"
#include "util/rcu.h"

static inline unsigned mmu_of(uint32_t memop)
{
    return (memop & IR_MO_MMU) >> IR_MO_MMU_SHIFT;
}

static inline bool crosses(uint64_t addr, unsigned n)
{
    return (addr & (TCG_PAGE_SIZE - 1)) + n > TCG_PAGE_SIZE;
}

static inline unsigned page_off(uint64_t addr)
{
    return addr & (TCG_PAGE_SIZE - 1);
}

static uint64_t from_bytes(const uint8_t *b, unsigned n, bool be)
{
    uint64_t x = 0;

    for (unsigned i = 0; i < n; i++) {
        x |= (uint64_t)b[be ? n - 1 - i : i] << (8 * i);
    }
    return x;
}

static void to_bytes(uint8_t *b, uint64_t x, unsigned n, bool be)
{
    for (unsigned i = 0; i < n; i++) {
        b[be ? n - 1 - i : i] = x >> (8 * i);
    }
}

/* --- one page, bytes in guest order --- */

static void host_read(void *buf, const uint8_t *p, unsigned n)
{
    switch (n) {
    case 1: *(uint8_t *)buf = __atomic_load_n(p, __ATOMIC_RELAXED); break;
    case 2: store_le16(buf, ram_load(p, 2)); break;
    case 4: store_le32(buf, ram_load(p, 4)); break;
    case 8: store_le64(buf, ram_load(p, 8)); break;
    default: ram_copy(buf, p, n);
    }
}

static void host_write(uint8_t *p, const void *buf, unsigned n)
{
    switch (n) {
    case 1: __atomic_store_n(p, *(const uint8_t *)buf, __ATOMIC_RELAXED); break;
    case 2: ram_store(p, load_le16(buf), 2); break;
    case 4: ram_store(p, load_le32(buf), 4); break;
    case 8: ram_store(p, load_le64(buf), 8); break;
    default: ram_copy(p, buf, n);
    }
}

/* What no fast path can do: MMIO, ROM stores, pages that several regions share. A device may change the memory map: the TLB is
 * flushed then, and *@f may be gone when this returns. */
static void io_access(VcpuTcg *v, TlbFull *f, uint64_t addr, void *buf, unsigned n,
                      MmuAccess access)
{
    AddressSpace *as = cpu_address_space(v->cpu, f->as_index);
    hwaddr phys = f->phys + page_off(addr);
    MemResult res;
    uint64_t val = 0;

    tcg_io_alone(v->env);
    v->stats.mmio++;
    if (f->mr && (n == 1 || n == 2 || n == 4 || n == 8)) {
        hwaddr off = f->mr_offset + page_off(addr);

        if (access == MMU_WRITE) {
            res = memory_region_dispatch_write(f->mr, off, from_bytes(buf, n, false), n, MEM_LE,
                                               f->attrs);
        } else {
            res = memory_region_dispatch_read(f->mr, off, &val, n, MEM_LE, f->attrs);
            to_bytes(buf, val, n, false);
        }
    } else {
        res = address_space_rw(as, phys, f->attrs, buf, n, access == MMU_WRITE);
    }
    if (res != MEM_OK && v->ops->bus_fault) {
        vcpu_unwind(v);
        if (v->ops->bus_fault(v->env, addr, phys, access, res)) {
            tcg_raise(v->env);
        }
    }
}

/* After an access to a page with watched bytes: by the debugger, or the guest's own. */
static void check_watch(VcpuTcg *v, bool guest_watch, uint64_t addr, unsigned n, MmuAccess access)
{
    for (unsigned i = 0; i < v->n_watches; i++) {
        const TcgWatch *w = &v->watches[i];

        if ((w->access & 1 << access) && addr < w->addr + w->len && addr + n > w->addr) {
            v->watch_hit = true;
            v->debug_addr = w->addr;
            __atomic_store_n(&v->env->exit_request, 1, __ATOMIC_SEQ_CST);
        }
    }
    if (guest_watch && v->ops->debug_hit) {
        v->ops->debug_hit(v->env, addr, n, access);
    }
}

/* Accesses to watched pages are made by an instruction that is a region of its
 * own, so that the stop comes right behind it. */
static void alone_if_watched(VcpuTcg *v, const TlbFull *f)
{
    struct TcgRegion *r;

    if (likely(!f->watch) || !v->env->jit_ra) {
        return;
    }
    r = v->be->find(v->env, v->env->jit_ra);
    if (r && !r->one_insn) {
        vcpu_unwind(v);
        v->single_insn = true;
        vcpu_leave(v);
    }
}

static void read_page(VcpuTcg *v, TlbFull *f, uint64_t addr, void *buf, unsigned n)
{
    bool watch = f->watch, guest_watch = f->guest_watch;

    alone_if_watched(v, f);
    if (likely(f->host)) {
        host_read(buf, f->host + page_off(addr), n);
    } else {
        io_access(v, f, addr, buf, n, MMU_READ);
    }
    if (unlikely(watch)) {
        check_watch(v, guest_watch, addr, n, MMU_READ);
    }
}

/* Before a store of @buf (NULL: not known): see the comment at the top. Bytes that stay as they are
 * change nothing. */
static void check_code(VcpuTcg *v, TlbFull *f, uint64_t addr, const void *buf, unsigned n)
{
    struct TcgRegion *r;
    ram_addr_t ra;

    alone_if_watched(v, f);
    if (!f->host || f->readonly) {
        return;
    }
    ra = f->ram->start + f->ram_offset + page_off(addr);
    if (!v->env->jit_ra || !region_watches(ra, n) ||
        (buf && !memcmp(f->host + page_off(addr), buf, n))) {
        return;
    }
    r = v->be->find(v->env, v->env->jit_ra);
    if (r && !r->one_insn && region_contains(r, ra, n)) {
        v->stats.smc_retries++;
        vcpu_unwind(v);
        v->single_insn = true;
        vcpu_leave(v);
    }
}

/* False: *@f may be gone. */
static bool write_page(VcpuTcg *v, TlbFull *f, uint64_t addr, const void *buf, unsigned n)
{
    bool watch = f->watch, guest_watch = f->guest_watch, ram = f->host && !f->readonly;

    if (likely(ram)) {
        host_write(f->host + page_off(addr), buf, n);
        if (ram_needs_tracking(f->ram, f->ram_offset, TCG_PAGE_SIZE)) {
            ram_written(f->ram, f->ram_offset + page_off(addr), n);
        }
    } else {
        uint8_t tmp[32];

        memcpy(tmp, buf, n);
        io_access(v, f, addr, tmp, n, MMU_WRITE);
    }
    if (unlikely(watch)) {
        check_watch(v, guest_watch, addr, n, MMU_WRITE);
    }
    return ram;
}

/* If a page of RAM that is tracked turned out not to need it, let the fast path have it. */
static void retag(VcpuTcg *v, TlbFull *f, uint64_t addr, unsigned mmu)
{
    TlbTable *t = &v->env->tlb_table[mmu];
    unsigned i = addr >> TCG_PAGE_BITS & v->env->tlb[mmu].mask;

    if ((f->prot & 1 << MMU_WRITE) && (f->prot & 1 << MMU_READ) && !f->watch) {
        mutex_lock(&v->tlb_lock);
        if (!ram_needs_tracking(f->ram, f->ram_offset, TCG_PAGE_SIZE)) {
            t->addend[i] = (uintptr_t)f->host - f->vpage;
            __atomic_store_n(&t->tag_write[i], f->vpage, __ATOMIC_RELAXED);
        }
        mutex_unlock(&v->tlb_lock);
    }
}

/* --- any access --- */

static void do_read(VcpuTcg *v, uint64_t addr, void *buf, unsigned n, unsigned mmu, bool probe_w)
{
    TlbFull *f, page;

    if (probe_w) {
        tlb_get(v, addr, MMU_WRITE, mmu, true);
    }
    if (likely(!crosses(addr, n))) {
        f = tlb_get(v, addr, MMU_READ, mmu, true);
        read_page(v, f, addr, buf, n);
    } else {
        unsigned n0 = TCG_PAGE_SIZE - page_off(addr);
        uint64_t addr1 = addr + n0;

        if (probe_w) {
            tlb_get(v, addr1, MMU_WRITE, mmu, true);
        }
        tlb_get(v, addr, MMU_READ, mmu, true);
        tlb_get(v, addr1, MMU_READ, mmu, true);
        /* The second look-up may have replaced the first entry, and a device's answer may flush both. */
        page = *tlb_get(v, addr, MMU_READ, mmu, true);
        for (unsigned i = 0; i < n0; i++) {
            read_page(v, &page, addr + i, (uint8_t *)buf + i, 1);
        }
        page = *tlb_get(v, addr1, MMU_READ, mmu, true);
        for (unsigned i = n0; i < n; i++) {
            read_page(v, &page, addr + i, (uint8_t *)buf + i, 1);
        }
    }
}

static void do_write(VcpuTcg *v, uint64_t addr, const void *buf, unsigned n, unsigned mmu)
{
    TlbFull *f, page;

    if (likely(!crosses(addr, n))) {
        f = tlb_get(v, addr, MMU_WRITE, mmu, true);
        check_code(v, f, addr, buf, n);
        if (write_page(v, f, addr, buf, n)) {
            retag(v, f, addr, mmu);
        }
    } else {
        unsigned n0 = TCG_PAGE_SIZE - page_off(addr);
        uint64_t addr1 = addr + n0;

        f = tlb_get(v, addr, MMU_WRITE, mmu, true);
        check_code(v, f, addr, buf, n0);
        f = tlb_get(v, addr1, MMU_WRITE, mmu, true);
        check_code(v, f, addr1, (const uint8_t *)buf + n0, n - n0);
        page = *tlb_get(v, addr, MMU_WRITE, mmu, true);
        for (unsigned i = 0; i < n0; i++) {
            write_page(v, &page, addr + i, (const uint8_t *)buf + i, 1);
        }
        page = *tlb_get(v, addr1, MMU_WRITE, mmu, true);
        for (unsigned i = n0; i < n; i++) {
            write_page(v, &page, addr + i, (const uint8_t *)buf + i, 1);
        }
    }
}

static void check_align(VcpuTcg *v, uint64_t addr, uint32_t memop, MmuAccess access)
{
    if ((memop & IR_MO_ALIGN) && (addr & (ir_mo_bytes(memop) - 1))) {
        vcpu_unwind(v);
        v->ops->unaligned(v->env, addr, access, mmu_of(memop));
        tcg_raise(v->env);
    }
}

static uint64_t extend(uint64_t x, uint32_t memop)
{
    unsigned n = ir_mo_bytes(memop);

    if ((memop & IR_MO_SIGN) && n < 8) {
        unsigned sh = 64 - 8 * n;

        return (uint64_t)((int64_t)(x << sh) >> sh);
    }
    return x;
}

uint64_t tcg_slow_ld(TcgEnv *env, uint64_t addr, uint32_t memop, void *ra)
{
    VcpuTcg *v = vcpu_of(env);
    unsigned n = ir_mo_bytes(memop);
    uint8_t b[8];

    env->jit_ra = ra;
    v->stats.slow_ld++;
    check_align(v, addr, memop, MMU_READ);
    do_read(v, addr, b, n, mmu_of(memop), memop & IR_MO_PROBE_W);
    env->jit_ra = NULL;
    return extend(from_bytes(b, n, memop & IR_MO_BE), memop);
}

void tcg_slow_st(TcgEnv *env, uint64_t addr, uint64_t x, uint32_t memop, void *ra)
{
    VcpuTcg *v = vcpu_of(env);
    unsigned n = ir_mo_bytes(memop);
    uint8_t b[8];

    env->jit_ra = ra;
    v->stats.slow_st++;
    check_align(v, addr, memop, MMU_WRITE);
    to_bytes(b, x, n, memop & IR_MO_BE);
    do_write(v, addr, b, n, mmu_of(memop));
    env->jit_ra = NULL;
}

void tcg_slow_ld_buf(TcgEnv *env, uint64_t addr, void *buf, uint32_t memop, void *ra)
{
    VcpuTcg *v = vcpu_of(env);

    env->jit_ra = ra;
    v->stats.slow_ld++;
    check_align(v, addr, memop, MMU_READ);
    do_read(v, addr, buf, ir_mo_bytes(memop), mmu_of(memop), memop & IR_MO_PROBE_W);
    env->jit_ra = NULL;
}

void tcg_slow_st_buf(TcgEnv *env, uint64_t addr, const void *buf, uint32_t memop, void *ra)
{
    VcpuTcg *v = vcpu_of(env);

    env->jit_ra = ra;
    v->stats.slow_st++;
    check_align(v, addr, memop, MMU_WRITE);
    do_write(v, addr, buf, ir_mo_bytes(memop), mmu_of(memop));
    env->jit_ra = NULL;
}

static void probe(VcpuTcg *v, uint64_t addr, unsigned n, bool write, unsigned mmu)
{
    MmuAccess a = write ? MMU_WRITE : MMU_READ;

    tlb_get(v, addr, a, mmu, true);
    if (crosses(addr, n)) {
        tlb_get(v, (addr + n - 1) & ~(uint64_t)(TCG_PAGE_SIZE - 1), a, mmu, true);
    }
}

void tcg_slow_probe(TcgEnv *env, uint64_t addr, uint32_t memop, uint32_t write, void *ra)
{
    env->jit_ra = ra;
    probe(vcpu_of(env), addr, ir_mo_bytes(memop), write, mmu_of(memop));
    env->jit_ra = NULL;
}

/* --- atomics --- */

static uint64_t new_value(uint32_t op, uint64_t old, uint64_t x, uint64_t expect, uint64_t mask)
{
    switch (op) {
    case IR_ATOMIC_XCHG: return x;
    case IR_ATOMIC_ADD: return old + x;
    case IR_ATOMIC_AND: return old & x;
    case IR_ATOMIC_OR: return old | x;
    case IR_ATOMIC_XOR: return old ^ x;
    default: return (old & mask) == (expect & mask) ? x : old;
    }
}

#define DEFINE_RMW(bits) \
static uint64_t rmw##bits(uint8_t *p, uint64_t x, uint64_t expect, uint32_t op, bool be) \
{ \
    uint##bits##_t *w = (uint##bits##_t *)p, old = __atomic_load_n(w, __ATOMIC_RELAXED), nw; \
    do { \
        uint8_t b[8]; \
        uint##bits##_t hv = old; \
        uint64_t o; \
        memcpy(b, &hv, sizeof(hv)); \
        o = from_bytes(b, sizeof(hv), be); \
        to_bytes(b, new_value(op, o, x, expect, UINT64_MAX >> (64 - bits)), sizeof(hv), be); \
        memcpy(&nw, b, sizeof(nw)); \
    } while (!__atomic_compare_exchange_n(w, &old, nw, false, __ATOMIC_SEQ_CST, \
                                          __ATOMIC_RELAXED)); \
    uint8_t r[8]; \
    memcpy(r, &old, sizeof(old)); \
    return from_bytes(r, sizeof(old), be); \
}
DEFINE_RMW(8)
DEFINE_RMW(16)
DEFINE_RMW(32)
DEFINE_RMW(64)

uint64_t tcg_slow_atomic(TcgEnv *env, uint64_t addr, uint64_t x, uint64_t expect,
                         uint32_t memop, uint32_t op, void *ra)
{
    VcpuTcg *v = vcpu_of(env);
    unsigned n = ir_mo_bytes(memop), mmu = mmu_of(memop);
    bool be = memop & IR_MO_BE;
    uint64_t old, nv;
    uint8_t b[8];
    TlbFull *f;

    env->jit_ra = ra;
    v->stats.slow_st++;
    check_align(v, addr, memop, MMU_WRITE);
    probe(v, addr, n, true, mmu);
    f = tlb_get(v, addr, MMU_WRITE, mmu, true);
    if (!crosses(addr, n) && f->host && !f->readonly && !(addr & (n - 1))) {
        uint8_t *p = f->host + page_off(addr);

        check_code(v, f, addr, NULL, n);
        old = n == 1 ? rmw8(p, x, expect, op, be) : n == 2 ? rmw16(p, x, expect, op, be)
              : n == 4 ? rmw32(p, x, expect, op, be) : rmw64(p, x, expect, op, be);
        if (ram_needs_tracking(f->ram, f->ram_offset, TCG_PAGE_SIZE)) {
            ram_written(f->ram, f->ram_offset + page_off(addr), n);
        }
        retag(v, f, addr, mmu);
        if (unlikely(f->watch)) {
            check_watch(v, f->guest_watch, addr, n, MMU_WRITE);
        }
    } else {
        /* Split or MMIO: nobody else may run meanwhile. */
        tlb_get(v, addr, MMU_READ, mmu, true);
        exclusive_begin(v);
        do_read(v, addr, b, n, mmu, true);
        old = from_bytes(b, n, be);
        nv = new_value(op, old, x, expect, UINT64_MAX >> (64 - 8 * n));
        to_bytes(b, nv, n, be);
        do_write(v, addr, b, n, mmu);
        exclusive_end(v);
    }
    env->jit_ra = NULL;
    return extend(old, memop);
}

/* --- for the targets' helpers --- */

/* What generated code does first; NULL: the slow path. */
static inline uint8_t *fast_host(VcpuTcg *v, uint64_t addr, unsigned n, unsigned mmu, bool write)
{
    const TlbTable *t = &v->env->tlb_table[mmu];
    unsigned i = addr >> TCG_PAGE_BITS & v->env->tlb[mmu].mask;
    uint64_t tag = __atomic_load_n(write ? &t->tag_write[i] : &t->tag_read[i], __ATOMIC_RELAXED);

    return likely(((addr + n - 1) & ~(uint64_t)(TCG_PAGE_SIZE - 1)) == tag)
        ? (uint8_t *)(uintptr_t)(addr + t->addend[i]) : NULL;
}

#define DEFINE_LDST(bits) \
uint64_t tcg_ldu##bits(TcgEnv *env, uint64_t addr, unsigned mmu) \
{ \
    VcpuTcg *v = vcpu_of(env); \
    const uint8_t *p = fast_host(v, addr, bits / 8, mmu, false); \
    uint8_t b[8]; \
    if (p) { \
        host_read(b, p, bits / 8); \
    } else { \
        do_read(v, addr, b, bits / 8, mmu, false); \
    } \
    return from_bytes(b, bits / 8, false); \
} \
void tcg_stu##bits(TcgEnv *env, uint64_t addr, uint64_t x, unsigned mmu) \
{ \
    VcpuTcg *v = vcpu_of(env); \
    uint8_t *p = fast_host(v, addr, bits / 8, mmu, true), b[8]; \
    to_bytes(b, x, bits / 8, false); \
    if (p) { \
        host_write(p, b, bits / 8); \
    } else { \
        do_write(v, addr, b, bits / 8, mmu); \
    } \
}
DEFINE_LDST(8)
DEFINE_LDST(16)
DEFINE_LDST(32)
DEFINE_LDST(64)

void tcg_ld_bytes(TcgEnv *env, uint64_t addr, void *buf, unsigned n, unsigned mmu)
{
    VcpuTcg *v = vcpu_of(env);

    probe(v, addr, MIN(n, TCG_PAGE_SIZE), false, mmu);
    for (unsigned done = 0; done < n; ) {
        unsigned k = MIN(n - done, TCG_PAGE_SIZE - page_off(addr + done));
        const uint8_t *p = fast_host(v, addr + done, k, mmu, false);

        if (p) {
            memcpy((uint8_t *)buf + done, p, k);
        } else {
            k = MIN(k, 16);
            do_read(v, addr + done, (uint8_t *)buf + done, k, mmu, false);
        }
        done += k;
    }
}

void tcg_st_bytes(TcgEnv *env, uint64_t addr, const void *buf, unsigned n, unsigned mmu)
{
    VcpuTcg *v = vcpu_of(env);

    probe(v, addr, MIN(n, TCG_PAGE_SIZE), true, mmu);
    for (unsigned done = 0; done < n; ) {
        unsigned k = MIN(n - done, TCG_PAGE_SIZE - page_off(addr + done));
        uint8_t *p = fast_host(v, addr + done, k, mmu, true);

        if (p) {
            memcpy(p, (const uint8_t *)buf + done, k);
        } else {
            k = MIN(k, 16);
            do_write(v, addr + done, (const uint8_t *)buf + done, k, mmu);
        }
        done += k;
    }
}

void tcg_probe(TcgEnv *env, uint64_t addr, unsigned n, bool write, unsigned mmu)
{
    probe(vcpu_of(env), addr, n, write, mmu);
}

void *tcg_host_ptr(TcgEnv *env, uint64_t addr, unsigned *n, bool write, unsigned mmu)
{
    VcpuTcg *v = vcpu_of(env);
    uint8_t *p = fast_host(v, addr, 1, mmu, write);
    TlbFull *f;
    ram_addr_t a;

    if (unlikely(!tcg_switches.bulk)) {
        return NULL;
    }
    if (p) {
        *n = MIN(*n, TCG_PAGE_SIZE - page_off(addr));
        return p;
    }
    f = tlb_get(v, addr, write ? MMU_WRITE : MMU_READ, mmu, true);
    if (!f->host || (write && f->readonly) || f->watch) {
        return NULL;
    }
    *n = MIN(*n, TCG_PAGE_SIZE - page_off(addr));
    if (write && ram_needs_tracking(f->ram, f->ram_offset, TCG_PAGE_SIZE)) {
        a = f->ram->start + f->ram_offset + page_off(addr);
        /* Another byte of the page may become watched before the caller has written. */
        if (region_watches_page(a)) {
            return NULL;
        }
        ram_written(f->ram, f->ram_offset + page_off(addr), *n);
    }
    return f->host + page_off(addr);
}

/* --- physical --- */

static uint8_t *phys_host(VcpuTcg *v, uint64_t phys, unsigned n, const MemSection **out,
                          hwaddr *off)
{
    hwaddr len = n;
    const MemSection *s = memory_lookup(cpu_address_space(v->cpu, v->env->as_index), phys, off,
                                        &len);

    *out = s;
    return s->host && len == n ? memory_section_host(s, *off) : NULL;
}

bool tcg_phys_ld(TcgEnv *env, uint64_t phys, void *buf, unsigned n)
{
    VcpuTcg *v = vcpu_of(env);
    const MemSection *s;
    uint8_t *p;
    hwaddr off;
    bool ok = true;

    rcu_read_lock();
    p = phys_host(v, phys, n, &s, &off);
    if (p) {
        host_read(buf, p, n);
    } else {
        ok = address_space_read(cpu_address_space(v->cpu, env->as_index), phys,
                                (MemAttrs){ .secure = env->as_index != 0 }, buf, n) == MEM_OK;
    }
    rcu_read_unlock();
    return ok;
}

bool tcg_phys_st(TcgEnv *env, uint64_t phys, const void *buf, unsigned n)
{
    return address_space_write(cpu_address_space(vcpu_of(env)->cpu, env->as_index), phys,
                               (MemAttrs){ .secure = env->as_index != 0 }, buf, n) == MEM_OK;
}

bool tcg_phys_cmpxchg(TcgEnv *env, uint64_t phys, uint64_t old, uint64_t x, unsigned n)
{
    VcpuTcg *v = vcpu_of(env);
    const MemSection *s;
    uint8_t *p;
    hwaddr off;
    bool done = false;

    rcu_read_lock();
    p = phys_host(v, phys, n, &s, &off);
    if (!p || s->readonly) {
        rcu_read_unlock();
        return true;        /* tables in ROM or MMIO: bits can't be kept */
    }
    if (n == 4) {
        uint32_t o = host_to_le32(old);

        done = __atomic_compare_exchange_n((uint32_t *)p, &o, host_to_le32(x), false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
    } else {
        uint64_t o = host_to_le64(old);

        done = __atomic_compare_exchange_n((uint64_t *)p, &o, host_to_le64(x), false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
    }
    if (done) {
        uint64_t boff = s->ram_offset + (off - s->offset);

        if (ram_needs_tracking(s->ram, boff, n)) {
            ram_written(s->ram, boff, n);
        }
    }
    rcu_read_unlock();
    return done;
}

/* --- what memory/ tells us --- */

static void code_written(ram_addr_t addr, uint64_t len)
{
    region_invalidate(addr, len);
}

static void track_writes(ram_addr_t addr, uint64_t len)
{
    CPU_FOREACH(cpu) {
        if (cpu->accel) {
            tlb_untag_writes(cpu->accel, addr, len);
        }
    }
}

static void flush_cpu(CPUState *cpu, UNUSED void *data)
{
    tcg_tlb_flush(((VcpuTcg *)cpu->accel)->env);
}

static void flush_all_cpus(void)
{
    CPU_FOREACH(cpu) {
        if (!cpu->accel) {
            continue;
        }
        if (cpu == current_cpu || !cpu->created) {
            flush_cpu(cpu, NULL);
        } else {
            async_run_on_cpu(cpu, flush_cpu, NULL);
        }
    }
}

static void unmapped(ram_addr_t addr, uint64_t len)
{
    region_forget(addr, len);
    flush_all_cpus();
}

static void listener_commit(UNUSED MemListener *l)
{
    flush_all_cpus();
}

static const RamAccelHooks ram_hooks = {
    .code_written = code_written, .track_writes = track_writes, .unmapped = unmapped,
};

void softmmu_init(void)
{
    static MemListener listener = { .name = "tcg", .commit = listener_commit };

    ram_set_accel_hooks(&ram_hooks);
    memory_listener_add(&address_space_memory, &listener);
}
