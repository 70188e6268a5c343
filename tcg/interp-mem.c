/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interpreter's guest memory accesses: the TLB, else the slow path. */
#include "util/osdep.h"
#include "util/bswap.h"
#include "tcg/eval.h"
#include "tcg/interp.h"

/* Host address of @n bytes in a page that the TLB has, or NULL. */
static uint8_t *tlb_find(TcgEnv *env, uint64_t addr, uint64_t n, IrMemOp mo, bool write)
{
    unsigned mode = (mo & IR_MO_MMU) >> IR_MO_MMU_SHIFT, i = addr >> TCG_PAGE_BITS & env->tlb[mode].mask;
    const TlbTable *t = &env->tlb_table[mode];
    uint64_t tag = write ? t->tag_write[i] : t->tag_read[i];

    if (((addr + n - 1) & -(uint64_t)TCG_PAGE_SIZE) != tag) {
        return NULL;
    }
    return (uint8_t *)(uintptr_t)(addr + t->addend[i]);
}

/* Host address of a hit, or NULL. */
static uint8_t *tlb_lookup(TcgEnv *env, uint64_t addr, IrMemOp mo, bool write)
{
    unsigned n = ir_mo_bytes(mo);

    if (mo & (IR_MO_ALIGN | IR_MO_ATOMIC) && (addr & (n - 1))) {
        return NULL;
    }
    return tlb_find(env, addr, n, mo, write);
}

static uint64_t host_load(const uint8_t *p, IrMemOp mo)
{
    unsigned n = ir_mo_bytes(mo);

    return mo & IR_MO_BE ? load_be(p, n) : load_le(p, n);
}

/* Widened to the result's type as the memory operand says. */
static uint64_t widen(uint64_t v, IrType t, IrMemOp mo)
{
    unsigned n = 64 - 8 * ir_mo_bytes(mo);

    v = mo & IR_MO_SIGN ? (uint64_t)((int64_t)(v << n) >> n) : v << n >> n;
    return ir_zext_of(t, v);
}

static bool is_wide(IrMemOp mo)
{
    return (mo & IR_MO_SIZE) > IR_MO_64;
}

static void wide_from_bytes(InterpValue *d, const uint8_t *p, IrMemOp mo)
{
    if ((mo & IR_MO_SIZE) == IR_MO_80) {
        d->x.m = load_le(p, 8);
        d->x.se = load_le(p + 8, 2);
    } else {
        memcpy(d->b, p, ir_mo_bytes(mo));
    }
}

static void wide_to_bytes(uint8_t *p, const InterpValue *v, IrMemOp mo)
{
    if ((mo & IR_MO_SIZE) == IR_MO_80) {
        store_le(p, 8, v->x.m);
        store_le(p + 8, 2, v->x.se);
    } else {
        memcpy(p, v->b, ir_mo_bytes(mo));
    }
}

static void load(InterpFrame *f, const IrOp *o, uint64_t addr, InterpValue *d)
{
    IrMemOp mo = o->memop;
    const uint8_t *p = tlb_lookup(f->env, addr, mo, mo & IR_MO_PROBE_W);
    uint8_t buf[32];

    if (is_wide(mo)) {
        if (!p) {
            tcg_slow_paths.ld_buf(f->env, addr, buf, mo, f);
            p = buf;
        }
        wide_from_bytes(d, p, mo);
    } else {
        d->i = widen(p ? host_load(p, mo) : tcg_slow_paths.ld(f->env, addr, mo, f), o->type, mo);
    }
}

static void store(InterpFrame *f, const IrOp *o, uint64_t addr, const InterpValue *v)
{
    IrMemOp mo = o->memop;
    uint8_t *p = tlb_lookup(f->env, addr, mo, true);
    uint8_t buf[32];

    if (is_wide(mo)) {
        wide_to_bytes(p ? p : buf, v, mo);
        if (!p) {
            tcg_slow_paths.st_buf(f->env, addr, buf, mo, f);
        }
    } else if (!p) {
        uint64_t mask = MASK64(0, 8 * ir_mo_bytes(mo));

        tcg_slow_paths.st(f->env, addr, v->i & mask, mo, f);
    } else if (mo & IR_MO_BE) {
        store_be(p, ir_mo_bytes(mo), v->i);
    } else {
        store_le(p, ir_mo_bytes(mo), v->i);
    }
}

#define ATOMIC_OF(T) \
static uint64_t atomic_##T(T *p, IrOpcode op, uint64_t v, uint64_t expect) \
{ \
    T old = expect; \
    switch (op) { \
    case IR_ATOMIC_XCHG: \
        return __atomic_exchange_n(p, (T)v, __ATOMIC_SEQ_CST); \
    case IR_ATOMIC_ADD: \
        return __atomic_fetch_add(p, (T)v, __ATOMIC_SEQ_CST); \
    case IR_ATOMIC_AND: \
        return __atomic_fetch_and(p, (T)v, __ATOMIC_SEQ_CST); \
    case IR_ATOMIC_OR: \
        return __atomic_fetch_or(p, (T)v, __ATOMIC_SEQ_CST); \
    case IR_ATOMIC_XOR: \
        return __atomic_fetch_xor(p, (T)v, __ATOMIC_SEQ_CST); \
    default: \
        __atomic_compare_exchange_n(p, &old, (T)v, false, __ATOMIC_SEQ_CST, \
                                    __ATOMIC_SEQ_CST); \
        return old; \
    } \
}
ATOMIC_OF(uint8_t)
ATOMIC_OF(uint16_t)
ATOMIC_OF(uint32_t)
ATOMIC_OF(uint64_t)
#undef ATOMIC_OF

/* The host's own atomic operations need its byte order and alignment. */
static bool host_can(uint64_t addr, IrMemOp mo)
{
    bool host_be = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

    return !!(mo & IR_MO_BE) == host_be && (addr & (ir_mo_bytes(mo) - 1)) == 0;
}

static void atomic_op(InterpFrame *f, const IrOp *o, InterpValue *d)
{
    uint64_t addr = f->val[o->arg[0]].i, v = f->val[o->arg[o->nargs - 1]].i, old;
    uint64_t expect = o->opcode == IR_ATOMIC_CMPXCHG ? f->val[o->arg[1]].i : 0;
    IrMemOp mo = o->memop;
    uint8_t *p = host_can(addr, mo) ? tlb_lookup(f->env, addr, mo, true) : NULL;

    if (!p) {
        old = tcg_slow_paths.atomic(f->env, addr, v, expect, mo, o->opcode, f);
    } else {
        switch (mo & IR_MO_SIZE) {
        case IR_MO_8:
            old = atomic_uint8_t(p, o->opcode, v, expect);
            break;
        case IR_MO_16:
            old = atomic_uint16_t((uint16_t *)p, o->opcode, v, expect);
            break;
        case IR_MO_32:
            old = atomic_uint32_t((uint32_t *)p, o->opcode, v, expect);
            break;
        default:
            old = atomic_uint64_t((uint64_t *)p, o->opcode, v, expect);
            break;
        }
    }
    d->i = widen(old, o->type, mo);
}

static uint64_t copy(TcgEnv *env, uint64_t to, uint64_t from, uint64_t n, IrMemOp mo)
{
    uint8_t *s, *d;

    if (n - 1 >= IR_BULK_MAX || !(s = tlb_find(env, from, n, mo, false)) || !(d = tlb_find(env, to, n, mo, true)) ||
        (uintptr_t)d - (uintptr_t)s < n) {
        return 0;
    }
    memmove(d, s, n);
    return n;
}

static uint64_t fill(TcgEnv *env, uint64_t at, uint64_t pattern, uint64_t n, IrMemOp mo)
{
    uint8_t *d;

    if (n - 1 >= IR_BULK_MAX || !(d = tlb_find(env, at, n, mo, true))) {
        return 0;
    }
    for (uint64_t k = 0; k < n; k++) {
        d[k] = (uint8_t)(pattern >> (k % 8 * 8));
    }
    return n;
}

void interp_mem_op(InterpFrame *f, const IrOp *o, InterpValue *d)
{
    uint64_t addr = f->val[o->arg[0]].i;

    switch (o->opcode) {
    case IR_LD:
        load(f, o, addr, d);
        break;
    case IR_ST:
        store(f, o, addr, &f->val[o->arg[1]]);
        break;
    case IR_PROBE:
        if (!tlb_lookup(f->env, addr, o->memop, o->cond)) {
            tcg_slow_paths.probe(f->env, addr, o->memop, o->cond, f);
        }
        break;
    case IR_COPY:
        d->i = copy(f->env, addr, f->val[o->arg[1]].i, f->val[o->arg[2]].i, o->memop);
        break;
    case IR_FILL:
        d->i = fill(f->env, addr, f->val[o->arg[1]].i, f->val[o->arg[2]].i, o->memop);
        break;
    default:
        atomic_op(f, o, d);
        break;
    }
}
