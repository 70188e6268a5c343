/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls of C functions (System V ABI, section 3.2). Only what the helper
 * declares is brought to its home or loaded again; what else lives in registers that
 * the callee may change goes through TcgEnv.host_regs and back.
 */
#include "util/osdep.h"
#include "tcg/x86_64/backend.h"

static const uint8_t arg_regs[6] = { R_RDI, R_RSI, R_RDX, R_RCX, R_R8, R_R9 };

void cg_call_abs(Cg *cg, const void *fn)
{
    int64_t rel = (const uint8_t *)fn - (cg->rx + asm_pos(&cg->a) + 5);

    x_flags_lost(&cg->a);
    if (rel == (int32_t)rel) {
        asm_patch32(&cg->a, x_call(&cg->a), (uint32_t)rel);
    } else {
        x_mov_ri(&cg->a, R_RAX, (uintptr_t)fn);
        x_rr(&cg->a, 0xff, 2, R_RAX);
    }
}

void emit_save_live(Cg *cg, uint32_t mask)
{
    for (int r = 0; r < R_NUM; r++) {
        if (mask >> r & 1) {
            if (reg_is_xmm(r)) {
                x_vst(&cg->a, 16, r, ENV_VREG(r));
            } else {
                x_st(&cg->a, 8, r, ENV_REG(r));
            }
        }
    }
}

void emit_restore_live(Cg *cg, uint32_t mask)
{
    for (int r = 0; r < R_NUM; r++) {
        if (mask >> r & 1) {
            if (reg_is_xmm(r)) {
                x_vld(&cg->a, 16, r, ENV_VREG(r));
            } else {
                x_ld(&cg->a, true, r, ENV_REG(r));
            }
        }
    }
}

/* Arguments into their registers; sources in registers move in parallel. */
static void move_args(Cg *cg, bool env, unsigned n, const IrValue *args, bool has_last,
                      uint64_t last)
{
    Asm *a = &cg->a;
    int src[6];
    bool todo[6];
    unsigned first = env ? 1 : 0, left = 0;

    for (unsigned k = 0; k < n; k++) {
        src[k] = cg->val[args[k]].reg;
        todo[k] = src[k] != R_NONE && src[k] != arg_regs[first + k];
        left += todo[k];
    }
    while (left) {
        bool moved = false;
        for (unsigned k = 0; k < n; k++) {
            if (!todo[k]) {
                continue;
            }
            int d = arg_regs[first + k];
            bool blocked = false;
            for (unsigned j = 0; j < n; j++) {
                blocked |= j != k && todo[j] && src[j] == d;
            }
            if (blocked) {
                continue;
            }
            x_mov_rr(a, true, d, src[k]);
            todo[k] = false;
            left--;
            moved = true;
        }
        if (!moved) {
            /* Only cycles are left: swap one member into place. */
            for (unsigned k = 0; k < n; k++) {
                if (todo[k]) {
                    int d = arg_regs[first + k], s = src[k];
                    x_rr(a, 0x87 | X_W, d, s);
                    todo[k] = false;
                    left--;
                    for (unsigned j = 0; j < n; j++) {
                        if (todo[j] && src[j] == d) {
                            src[j] = s;
                            if (s == arg_regs[first + j]) {
                                todo[j] = false;
                                left--;
                            }
                        } else if (todo[j] && src[j] == s) {
                            src[j] = d;
                        }
                    }
                    break;
                }
            }
        }
    }
    for (unsigned k = 0; k < n; k++) {
        int d = arg_regs[first + k];
        IrType t = cg_op(cg, args[k])->type;
        Val *x = &cg->val[args[k]];

        if (src[k] == R_NONE) {
            uint64_t imm;
            if (ra_const(cg, args[k], &imm)) {
                x_mov_ri(a, d, imm & (UINT64_MAX >> (64 - ir_type_bits(t))));
                continue;
            } else if (x->slot >= 0) {
                x_ld(a, true, d, mem_b(R_RSP, FR_SPILL + 8 * x->slot));
            } else {
                cg_load(cg, t, d, ra_home(cg, x->var));
                continue;
            }
        }
        if (t == IR_I8 || t == IR_I16) {
            x_movzx(a, type_bytes(t), d, d);
        }
    }
    if (has_last) {
        x_mov_ri(a, arg_regs[first + n], last);
    }
    if (env) {
        x_mov_rr(a, true, R_RDI, R_RBP);
    }
}

typedef struct CallDesc {
    const void *fn;
    bool env, has_last, has_last2, noreturn, raises, reads_all, writes_all, fp;
    uint64_t last, last2, reads, writes;
    unsigned n;
    const IrValue *args;
    uint32_t snap;
    IrValue result;
} CallDesc;

static bool is_pinned(Cg *cg, IrVar v)
{
    for (unsigned i = 0; i < cg->th->n_pinned; i++) {
        if (cg->th->pinned_var[i] == v) {
            return true;
        }
    }
    return false;
}

static void do_call(Cg *cg, const CallDesc *c)
{
    Asm *a = &cg->a;
    uint32_t keep, from_home = 0;

    x_flags_lost(a);
    x87_drop(cg);
    ra_drop_page(cg);
    if (c->writes_all) {
        ra_force_lazy(cg, IR_NO_VAR);
    } else {
        for (IrVar v = 0; v < 64; v++) {
            if (c->writes >> v & 1) {
                ra_force_lazy(cg, v);
            }
        }
    }
    for (int r = 0; r < R_NUM; r++) {
        IrVar v = cg->reg_var[r];
        if (v != IR_NO_VAR && (c->writes_all || (v < 64 && c->writes >> v & 1))) {
            ra_overwritten(cg, r);
        }
    }
    ra_fixed(cg, R_RAX);
    /* Homes that the helper reads. */
    if (c->reads_all) {
        cg_call_thunk(cg, cg->th->sync);
    }
    for (int r = 0; r < R_NUM; r++) {
        IrVar v = cg->reg_var[r];
        if (v == IR_NO_VAR || !ir_var_is_global(v)) {
            continue;
        }
        bool writes = c->writes_all || (v < 64 && c->writes >> v & 1);
        bool reads = c->reads_all || (v < 64 && c->reads >> v & 1);
        if (reads) {
            if (!(c->reads_all && is_pinned(cg, v))) {
                cg_store(cg, ir_var_type(cg->r, v), r, ra_home(cg, v));
            }
            /* Not a narrow one: a wider value may share its register. */
            IrType t = ir_var_type(cg->r, v);
            if (CALLER_SAVED >> r & 1 && (t == IR_I64 || t == IR_V128)) {
                from_home |= 1u << r;
            }
        }
        if (writes) {
            from_home |= 1u << r;
        }
    }
    keep = ra_live_after(cg) & CALLER_SAVED & ~from_home & ~(1u << R_RAX);
    if (c->noreturn) {
        keep = 0;
    }
    if (c->raises) {
        uint32_t snap = ra_snapshot(cg, c->snap);
        /* Vector registers that the snapshot may name. */
        uint32_t v = ra_live_now(cg) & 0xffff0000u;
        emit_save_live(cg, v | (keep & 0xffff0000u));
        cg_call_thunk(cg, cg->th->dump);
        cg->snaps[snap].ra = asm_pos(a);
        cg->snaps[snap].at_home = c->reads_all && c->writes_all;
    } else {
        emit_save_live(cg, keep);
    }
    move_args(cg, c->env, c->n, c->args, c->has_last, c->last);
    if (c->has_last2) {
        x_mov_ri(a, arg_regs[c->env + c->n + 1], c->last2);
    }
    if (c->fp) {
        cg_call_thunk(cg, cg->th->fp_out);
    }
    cg_call_abs(cg, c->fn);
    x_flags_lost(a);
    if (c->noreturn) {
        return;
    }
    if (c->fp) {
        cg_call_thunk(cg, cg->th->fp_in);
    }
    emit_restore_live(cg, keep);
    if (c->writes_all) {
        cg_call_thunk(cg, cg->th->reload);
    }
    for (int r = 0; r < R_NUM; r++) {
        IrVar v = cg->reg_var[r];
        if (from_home >> r & 1 && !(c->writes_all && is_pinned(cg, v))) {
            cg_load(cg, ir_var_type(cg->r, v), r, ra_home(cg, v));
        }
    }
    if (c->result) {
        int d = ra_def(cg, c->result, R_RAX, 0);
        if (d != R_RAX) {
            x_mov_rr(a, true, d, R_RAX);
        }
    }
}

void emit_call_pure(Cg *cg, void *fn, IrValue result, unsigned n, const IrValue *args,
                    uint64_t last)
{
    do_call(cg, &(CallDesc){ .fn = fn, .n = n, .args = args, .result = result,
                             .has_last = true, .last = last });
}

void emit_call_env(Cg *cg, void *fn, uint32_t x, uint32_t y, bool fp)
{
    do_call(cg, &(CallDesc){ .fn = fn, .env = true, .has_last = true, .last = x,
                             .has_last2 = true, .last2 = y, .fp = fp });
}

bool emit_call(Cg *cg, IrValue i, IrOp *op)
{
    if (op->opcode != IR_CALL) {
        return false;
    }
    const IrHelper *h = op->helper;
    IrValue args[IR_MAX_ARGS];
    bool pure = h->flags & IR_H_PURE;

    for (unsigned k = 0; k < op->nargs; k++) {
        args[k] = ir_arg(op, k);
    }
    do_call(cg, &(CallDesc){
        .fn = h->fn, .n = op->nargs, .args = args, .env = strstr(h->sig, ":e") != NULL,
        .noreturn = h->flags & IR_H_NORETURN,
        .raises = h->flags & (IR_H_RAISES | IR_H_NORETURN) && op->snap,
        .reads_all = h->flags & IR_H_READS && !pure,
        .writes_all = h->flags & IR_H_WRITES && !pure,
        .reads = h->reads, .writes = h->writes,
        .fp = h->flags & (IR_H_FP | IR_H_FPENV),
        .snap = op->snap, .result = h->sig[0] == 'v' ? IR_NO_VALUE : i,
    });
    return true;
}
