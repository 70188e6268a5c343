/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a return address in generated code back to the guest's state at an
 * instruction's start, and from C straight back to the caller of enter().
 */
#include "util/osdep.h"
#include "tcg/x86_64/backend.h"
#include "config.h"
#ifdef CONFIG_ASAN
#include <sanitizer/asan_interface.h>
#endif

const uint8_t *x86_64_leave_c;

typedef struct Bits { uint64_t lo, hi; } Bits;

static Bits read_place(const TcgEnv *env, const SnapItem *it)
{
    Bits b = { 0, 0 };

    switch (it->kind) {
    case PL_REG:
        b.lo = env->host_regs[it->reg];
        break;
    case PL_VREG:
        memcpy(&b, env->host_vregs[it->reg], 16);
        break;
    case PL_SLOT:
        memcpy(&b, (const uint8_t *)env->host_sp + it->val, 16);
        break;
    case PL_HOME:
        memcpy(&b, (const uint8_t *)env + it->val, 16);
        break;
    default:
        b.lo = (uint64_t)it->val;
        break;
    }
    if (it->bits < 64) {
        b.lo = b.lo >> it->shift & (((uint64_t)1 << it->bits) - 1);
    }
    return b;
}

static void write_home(TcgEnv *env, const IrGlobal *g, const Bits *b)
{
    memcpy((uint8_t *)env + g->offset, b, type_bytes(g->type));
}

bool x86_64_unwind(TcgEnv *env, void *ra, uint32_t *icount, uint32_t *aux)
{
    const RegionHead *h = cache_find(ra);
    const IrGlobal *globals;
    SnapView s;
    Bits pending[IR_SNAP_MAX_PENDING];

    if (!h || !tables_find(h, (uint32_t)((const uint8_t *)ra - (const uint8_t *)(h + 1)), &s)) {
        return false;
    }
    globals = h->thunks->globals->globals;
    /* Read all before anything is written: one may name another's home. */
    for (unsigned n = 0; n < s.n; n++) {
        pending[n] = read_place(env, &s.items[n]);
    }
    for (unsigned n = 0; n < s.n_residents && !s.at_home; n++) {
        Bits b = read_place(env, &s.residents[n]);
        write_home(env, &globals[s.residents[n].var], &b);
    }
    for (unsigned n = 0; n < s.n; n++) {
        write_home(env, &globals[s.items[n].var], &pending[n]);
    }
    env->pc = env->pc_bias + (uint64_t)(int64_t)s.pc_offset;
    env->budget -= s.charge;
    *icount = s.icount;
    *aux = s.aux;
    return true;
}

void x86_64_leave(TcgEnv *env, uint32_t reason)
{
#ifdef CONFIG_ASAN
    __asan_handle_no_return();          /* the frames between here and enter() are no more */
#endif
    __asm__ volatile(
        "movq %0, %%rbp\n\t"
        "movq %1, %%rsp\n\t"
        "xorl %%edx, %%edx\n\t"
        "xorl %%ecx, %%ecx\n\t"
        "jmp *%3"
        : : "D"(env), "S"(env->host_sp), "a"(reason), "b"(x86_64_leave_c)
        : "memory", "rdx", "rcx");
    __builtin_unreachable();
}

void x86_64_leave_edge(TcgEnv *env)
{
    uint32_t icount, aux;

    x86_64_unwind(env, env->jit_ra, &icount, &aux);
    x86_64_leave(env, TCG_LEAVE_REQUEST);
}
