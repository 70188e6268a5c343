/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control flow: the region's entries, branches, exits, and what lies behind
 * the last block (slow paths, unlinked exits).
 */
#include "util/osdep.h"
#include "tcg/x86_64/backend.h"

void cg_call_thunk(Cg *cg, const uint8_t *fn)
{
    uint32_t at = x_call(&cg->a);

    asm_patch32(&cg->a, at, (uint32_t)(fn - (cg->rx + at + 4)));
}

static void jmp_thunk(Cg *cg, const uint8_t *fn)
{
    uint32_t at = x_jmp(&cg->a);

    asm_patch32(&cg->a, at, (uint32_t)(fn - (cg->rx + at + 4)));
}

Stub *cg_stub(Cg *cg, unsigned kind)
{
    GROW(cg->stubs, cg->n_stubs, cg->cap_stubs);
    Stub *s = &cg->stubs[cg->n_stubs++];
    *s = (Stub){ .kind = (uint8_t)kind, .snap = UINT32_MAX, .tc_page = R_NONE };
    return s;
}

/* Dirty residents to their homes; pinned ones stay. */
static void store_residents(Cg *cg)
{
    for (int r = 0; r < R_NUM; r++) {
        IrVar v = cg->reg_var[r];
        if (v != IR_NO_VAR && ir_var_is_global(v) && cg->var_dirty[v] &&
            (r == R_R9 || r == R_R10 || reg_is_xmm(r))) {
            cg_store(cg, ir_var_type(cg->r, v), r, ra_home(cg, v));
        }
    }
}

void emit_load_residents(Cg *cg, bool all, uint64_t mask)
{
    for (int r = 0; r < R_NUM; r++) {
        IrVar v = cg->reg_var[r];
        if (v != IR_NO_VAR && ir_var_is_global(v) &&
            (r == R_R9 || r == R_R10 || reg_is_xmm(r)) &&
            (all || (v < 64 && mask >> v & 1))) {
            cg_load(cg, ir_var_type(cg->r, v), r, ra_home(cg, v));
        }
    }
}

static void test_exit(Cg *cg, uint32_t from[2])
{
    Asm *a = &cg->a;

    x_alu_mi(a, ALU_CMP, false, ENV(exit_request), 0);
    from[0] = x_jcc(a, X_NE);
    if (cg->r->count_insns) {
        x_alu_mi(a, ALU_CMP, false, ENV(budget), (int32_t)cg->r->n_insns);
        from[1] = x_jcc(a, X_L);
    }
}

/* Compare the code bytes that nobody watches with what they were. */
static void emit_guards(Cg *cg)
{
    Asm *a = &cg->a;
    const uint8_t *base = NULL;
    Stub *s;

    for (uint32_t i = 0; i < cg->r->n_guards; i++) {
        const IrGuard *g = &cg->r->guards[i];
        Mem m;

        if (a->end - a->p < 2048) {
            cg->fail = true;
            return;
        }
        if (!base || g->host - base != (int32_t)(g->host - base)) {
            base = g->host;
            x_mov_ri(a, R_RCX, (uintptr_t)base);
        }
        m = mem_b(R_RCX, (int32_t)(g->host - base));
        if (g->size == 8) {
            x_mov_ri(a, R_RAX, g->value);
            x_alu_rm(a, ALU_CMP, true, R_RAX, m);
        } else if (g->size == 4) {
            x_alu_mi(a, ALU_CMP, false, m, (int32_t)g->value);
        } else {
            x_rm(a, 0x80, ALU_CMP, m);
            x_byte(a, (uint8_t)g->value);
        }
        GROW(cg->stale, cg->n_stale, cg->cap_stale);
        cg->stale[cg->n_stale++] = x_jcc(a, X_NE);
    }
    if (cg->n_stale) {
        s = cg_stub(cg, ST_STALE);
        s->imm = (uint64_t)(int64_t)cg->r->entry_offset;
    }
}

/* The full entry makes pc_bias of the PC, in RAX, and falls into the chained one. */
void emit_entry(Cg *cg, uint32_t *chained)
{
    Asm *a = &cg->a;
    Stub *s;
    uint32_t from[2] = { 0, 0 };

    if (cg->r->entry_offset) {
        x_alu_ri(a, ALU_SUB, true, R_RAX, cg->r->entry_offset);
    }
    x_st(a, 8, R_RAX, ENV(pc_bias));
    *chained = asm_pos(a);
    test_exit(cg, from);
    s = cg_stub(cg, ST_LEAVE);
    s->imm = (uint64_t)(int64_t)cg->r->entry_offset;
    memcpy(s->from, from, sizeof(from));
    if (cg->r->heat) {
        x_mov_ri(a, R_RAX, (uintptr_t)cg->r->heat);
        x_alu_mi(a, ALU_SUB, false, mem_b(R_RAX, 0), 1);
        from[0] = x_jcc(a, X_S);
        s = cg_stub(cg, ST_HOT);
        s->imm = (uint64_t)(int64_t)cg->r->entry_offset;
        s->from[0] = from[0];
    }
    emit_guards(cg);
    emit_load_residents(cg, true, 0);
}

/* ---------------------------------------------------------------- branches */

static void jump_to(Cg *cg, uint32_t at, IrBlockId to)
{
    GROW(cg->fix, cg->n_fix, cg->cap_fix);
    cg->fix[cg->n_fix].at = at;
    cg->fix[cg->n_fix++].to = to;
}

static bool is_back_edge(Cg *cg, IrBlockId to)
{
    return cg->order[to] <= cg->order[cg->block];
}

static void charge(Cg *cg, unsigned n)
{
    if (cg->r->count_insns && n) {
        x_alu_mi(&cg->a, ALU_SUB, false, ENV(budget), (int32_t)n);
    }
}

/* To a block that is emitted already, with the test for exit requests. */
static void emit_back_jump(Cg *cg, IrOp *op)
{
    Asm *a = &cg->a;
    IrBlockId to = op->br.target;

    if (!(cg->r->blocks[to].flags & IR_BLOCK_NO_EXIT) && op->snap) {
        uint32_t from[2] = { 0, 0 };
        uint32_t k = cg->n_stubs;
        cg_stub(cg, ST_EDGE);
        cg->stubs[k].snap = ra_snapshot(cg, op->snap);
        cg->snaps[cg->stubs[k].snap].charge = 0;        /* the branch has done that */
        if (cg->r->count_insns) {
            test_exit(cg, from);
            x_jmp_back(a, cg->block_pos[to]);
        } else {
            x_alu_mi(a, ALU_CMP, false, ENV(exit_request), 0);
            x_jcc_back(a, X_E, cg->block_pos[to]);
            from[0] = x_jmp(a);
        }
        memcpy(cg->stubs[k].from, from, sizeof(from));
    } else {
        x_jmp_back(a, cg->block_pos[to]);
    }
}

static void emit_brcond(Cg *cg, IrOp *op)
{
    Asm *a = &cg->a;
    unsigned cc = emit_compare(cg, op->cond, op->type, op->arg[0], op->arg[1]);
    IrBlockId to = op->br.target;
    bool plain = !cg->r->count_insns || !op->br.icount;

    if (!is_back_edge(cg, to) && plain) {
        jump_to(cg, x_jcc(a, cc), to);
        return;
    }
    if (is_back_edge(cg, to) && plain &&
        (cg->r->blocks[to].flags & IR_BLOCK_NO_EXIT || !op->snap)) {
        x_jcc_back(a, cc, cg->block_pos[to]);
        return;
    }
    AsmFlags f = a->flags;
    uint32_t skip = x_jcc(a, cc ^ 1);
    charge(cg, op->br.icount);
    if (is_back_edge(cg, to)) {
        emit_back_jump(cg, op);
    } else {
        jump_to(cg, x_jmp(a), to);
    }
    asm_bind(a, skip);
    a->flags = f;
}

static void emit_jmp(Cg *cg, IrOp *op)
{
    IrBlockId to = op->br.target;

    if (is_back_edge(cg, to)) {
        emit_back_jump(cg, op);
    } else if (cg->order[to] != cg->order[cg->block] + 1) {
        jump_to(cg, x_jmp(&cg->a), to);
    }
}

/* ------------------------------------------------------------------- exits */

/* RAX = pc_bias + @offset. */
static void make_pc(Cg *cg, int64_t offset)
{
    Asm *a = &cg->a;

    x_ld(a, true, R_RAX, ENV(pc_bias));
    if (offset != (int32_t)offset) {
        x_mov_ri(a, R_RCX, (uint64_t)offset);
        x_alu_rr(a, ALU_ADD, true, R_RAX, R_RCX);
    } else if (offset) {
        x_alu_ri(a, ALU_ADD, true, R_RAX, (int32_t)offset);
    }
}

/* To where RAX leads. */
static void probe_jump_cache(Cg *cg)
{
    Stub *s;
    uint32_t from[2];

    if (cg->r->quick) {
        jmp_thunk(cg, cg->th->probe);
        return;
    }
    emit_jump_probe(&cg->a, from);
    s = cg_stub(cg, ST_LOOKUP);
    memcpy(s->from, from, sizeof(from));
}

static void emit_goto(Cg *cg, IrOp *op)
{
    Asm *a = &cg->a;
    int64_t off = op->pc_offset;

    store_residents(cg);
    if (off < 0 || off >= TCG_PAGE_SIZE) {
        make_pc(cg, off);
        probe_jump_cache(cg);
        return;
    }
    /* The displacement is patched by one aligned store. */
    x_nops(a, (unsigned)(-(uintptr_t)(a->p + 1) & 3));
    uint32_t at = x_jmp(a);
    GROW(cg->exits, cg->n_exits, cg->cap_exits);
    GROW(cg->host_exits, cg->n_exits, cg->cap_host_exits);
    cg->exits[cg->n_exits] = (TcgExit){ .same_page = true, .pc_offset = (uint16_t)off };
    cg->host_exits[cg->n_exits].at = at;
    Stub *s = cg_stub(cg, ST_UNLINKED);
    s->aux = cg->n_exits++;
    s->imm = (uint64_t)off;
    s->from[0] = at;
}

bool emit_control(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    unsigned n = cg->r->blocks[cg->block].n_insns;

    (void)i;
    switch (op->opcode) {
    case IR_BRCOND:
        emit_brcond(cg, op);
        return true;
    case IR_JMP:
        charge(cg, n);
        emit_jmp(cg, op);
        return true;
    case IR_GOTO:
        charge(cg, n);
        emit_goto(cg, op);
        return true;
    case IR_GOTO_IND:
        charge(cg, n);
        ra_use_fixed(cg, op->arg[0], R_RAX);
        store_residents(cg);
        probe_jump_cache(cg);
        return true;
    case IR_EXIT:
        charge(cg, n);
        store_residents(cg);
        x_mov_ri(a, R_RAX, op->imm);
        x_mov_ri(a, R_RDX, 0);
        x_mov_ri(a, R_RCX, 0);
        jmp_thunk(cg, cg->th->leave);
        return true;
    case IR_UNREACHABLE:
        x_byte(a, 0x0f);
        x_byte(a, 0x0b);
        return true;
    default:
        return false;
    }
}

/* ------------------------------------------------------------------- stubs */

/* Of the page cache, negated or not: no guest has memory at this address. */
#define NO_PAGE ((uint64_t)1 << 63)

static void stub_slow(Cg *cg, Stub *s)
{
    Asm *a = &cg->a;
    unsigned n = ir_mo_bytes(s->memop);
    uint32_t miss = 0;

    if (s->lookup || s->hint) {
        /* Another page than the cached one or the hint: it becomes that. */
        emit_tlb_index(a, s->tc_add, s->addr, s->memop);
        emit_last_page(a, s->tc_t, s->addr, n);
        x_alu_rm(a, ALU_CMP, true, s->tc_t, emit_tlb_tag(s->tc_add, s->memop, s->write));
        miss = x_jcc(a, X_NE);
        x_neg(a, s->tc_t);
        if (s->lookup) {
            x_mov_rr(a, true, s->tc_page, s->tc_t);
        }
        x_ld(a, true, s->tc_add, emit_tlb_addend(s->tc_add, s->memop));
        if (s->hint) {
            x_st(a, 8, s->tc_t, mem_b(R_RBP, s->hint + (int32_t)offsetof(TcgHint, minus_page)));
            x_st(a, 8, s->tc_add, mem_b(R_RBP, s->hint + (int32_t)offsetof(TcgHint, addend)));
            x_st_imm(a, 8, TCG_HINT_LIMIT,
                     mem_b(R_RBP, s->hint + (int32_t)offsetof(TcgHint, limit)));
        }
        x_jmp_back(a, s->access);
        asm_bind(a, miss);
        if (s->write && s->reads) {
            /* It may be read, at least. */
            x_alu_rm(a, ALU_CMP, true, s->tc_t, emit_tlb_tag(s->tc_add, s->memop, false));
            miss = x_jcc(a, X_NE);
            if (s->lookup || s->tc_page == s->tc_t) {
                x_mov_ri(a, s->tc_page, NO_PAGE);
            }
            x_ld(a, true, s->tc_add, emit_tlb_addend(s->tc_add, s->memop));
            x_jmp_back(a, s->access);
            asm_bind(a, miss);
        }
    }
    x_st(a, 8, s->addr, mem_b(R_RSP, FR_ARG0));
    x_st_imm(a, 4, s->memop, mem_b(R_RSP, FR_ARG3));
    switch (s->slow) {
    case SLOW_ATOMIC:
        x_st_imm(a, 4, s->aux, mem_b(R_RSP, FR_ARG4));
        x_st(a, 8, s->value, mem_b(R_RSP, FR_ARG1));
        if (s->expect != R_NONE) {
            x_st(a, 8, s->expect, mem_b(R_RSP, FR_ARG2));
        }
        break;
    case SLOW_ST:
        if (s->value == R_NONE) {
            x_st_imm(a, 8, s->imm, mem_b(R_RSP, FR_ARG1));
        } else if (reg_is_xmm(s->value)) {
            x_vst(a, 8, s->value, mem_b(R_RSP, FR_ARG1));
        } else {
            x_st(a, 8, s->value, mem_b(R_RSP, FR_ARG1));
        }
        break;
    case SLOW_PROBE:
        x_st_imm(a, 4, s->aux, mem_b(R_RSP, FR_ARG4));
        break;
    case SLOW_ST_BUF:
        if (s->value != R_NONE) {
            x_vst(a, 16, s->value, mem_b(R_RSP, FR_BUF));
        }
        x_st_imm(a, 4, (uint32_t)s->mem, mem_b(R_RSP, FR_ARG1));
        break;
    case SLOW_LD_BUF:
        x_st_imm(a, 4, (uint32_t)s->mem, mem_b(R_RSP, FR_ARG1));
        break;
    }
    cg_call_thunk(cg, cg->th->slow[s->vregs][s->slow]);
    if (s->snap != UINT32_MAX) {
        cg->snaps[s->snap].ra = asm_pos(a);
    }
    if (s->dst != R_NONE) {
        Mem m = mem_b(R_RSP, FR_ARG0);
        bool sign = s->memop & IR_MO_SIGN && n < type_bytes(s->type);
        uint32_t w = s->type == IR_I64 ? X_W : 0;

        if (s->slow == SLOW_LD_BUF) {
            x_vld(a, 16, s->dst, mem_b(R_RSP, FR_BUF));
        } else if (reg_is_xmm(s->dst)) {
            x_vld(a, n, s->dst, m);
        } else if (sign && n == 4) {
            x_rm(a, 0x63 | X_W, s->dst, m);
        } else if (sign) {
            x_rm(a, (n == 1 ? 0xbe : 0xbf) | X_0F | w, s->dst, m);
        } else {
            cg_load(cg, n == 8 ? IR_I64 : n == 4 ? IR_I32 : n == 2 ? IR_I16 : IR_I8, s->dst, m);
        }
    }
    if (s->tc_page != R_NONE) {
        /* C may have changed the TLB. */
        x_mov_ri(a, s->tc_page, NO_PAGE);
    }
    x_jmp_back(a, s->back);
}

/* The right addend, and whether to guess it next time. */
static void stub_guess(Cg *cg, const Stub *s)
{
    Asm *a = &cg->a;
    Mem addend = mem_b(R_RBP, s->hint + (int32_t)offsetof(TcgGuess, addend));
    Mem left = mem_b(R_RBP, s->hint + (int32_t)offsetof(TcgGuess, left));
    uint32_t counted, pause;

    x_ld(a, true, s->tc_t, emit_tlb_addend(s->tc_add, s->memop));
    x_alu_mi(a, ALU_SUB, false, left, 1);
    counted = x_jcc(a, X_NS);
    x_st_imm(a, 4, TCG_GUESS_WRONG, left);
    asm_bind(a, counted);
    x_alu_mi(a, ALU_CMP, false, left, TCG_GUESS_PAUSE);
    pause = x_jcc(a, X_B);
    x_st(a, 8, s->tc_t, addend);
    x_jmp_back(a, s->back);
    asm_bind(a, pause);
    x_st_imm(a, 8, TCG_GUESS_NONE, addend);
    x_jmp_back(a, s->back);
}

/* Leave as this region, with the PC at @offset. What is common to all is there once. */
static void leave_at(Cg *cg, uint32_t reason, uint32_t exit_index, uint64_t offset)
{
    Asm *a = &cg->a;

    x_mov_ri(a, R_RAX, reason);
    x_mov_ri(a, R_RDX, exit_index);
    x_mov_ri(a, R_RCX, offset);
    if (cg->leave_pos) {
        x_jmp_back(a, cg->leave_pos);
        return;
    }
    cg->leave_pos = asm_pos(a);
    x_alu_rm(a, ALU_ADD, true, R_RCX, ENV(pc_bias));
    x_st(a, 8, R_RCX, ENV(pc));
    x_mov_ri(a, R_RCX, (uintptr_t)cg->user);
    jmp_thunk(cg, cg->th->leave);
}

void emit_stubs(Cg *cg)
{
    Asm *a = &cg->a;

    cg->leave_pos = 0;
    for (uint32_t k = 0; k < cg->n_fix; k++) {
        asm_bind_to(a, cg->fix[k].at, cg->block_pos[cg->fix[k].to]);
    }
    for (uint32_t k = 0; k < cg->n_stubs && !cg->fail; k++) {
        Stub *s = &cg->stubs[k];

        if (a->end - a->p < 512) {
            cg->fail = true;
            return;
        }
        x_flags_lost(a);
        for (unsigned n = 0; n < 2; n++) {
            if (s->from[n]) {
                asm_bind(a, s->from[n]);
            }
        }
        switch (s->kind) {
        case ST_SLOW:
            stub_slow(cg, s);
            break;
        case ST_EDGE:
            /* C reads the snapshot and leaves. */
            cg_call_thunk(cg, cg->th->edge);
            cg->snaps[s->snap].ra = asm_pos(a);
            break;
        case ST_UNLINKED:
            cg->host_exits[s->aux].unlinked = asm_pos(a) - (s->from[0] + 4);
            leave_at(cg, TCG_LEAVE_GOTO, s->aux, s->imm);
            break;
        case ST_STALE:
            for (uint32_t n = 0; n < cg->n_stale; n++) {
                asm_bind(a, cg->stale[n]);
            }
            leave_at(cg, TCG_LEAVE_STALE, 0, s->imm);
            break;
        case ST_GUESS:
            stub_guess(cg, s);
            break;
        case ST_HOT:
            leave_at(cg, TCG_LEAVE_HOT, 0, s->imm);
            break;
        case ST_LEAVE:
            x_mov_ri(a, R_RCX, s->imm);
            jmp_thunk(cg, cg->th->request);
            break;
        case ST_LOOKUP:
            jmp_thunk(cg, cg->th->lookup);
            break;
        }
    }
}
