/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory: the TLB hit path inline, the rest in stubs behind the region.
 */
#include "util/osdep.h"
#include "tcg/x86_64/backend.h"

void cg_load(Cg *cg, IrType t, int r, Mem m)
{
    Asm *a = &cg->a;

    switch (t) {
    case IR_I8:
        x_rm(a, 0xb6 | X_0F, r, m);
        break;
    case IR_I16:
        x_rm(a, 0xb7 | X_0F, r, m);
        break;
    case IR_I32:
    case IR_I64:
        x_ld(a, t == IR_I64, r, m);
        break;
    case IR_F32:
        x_vld(a, 4, r, m);
        break;
    case IR_F64:
        x_vld(a, 8, r, m);
        break;
    default:
        x_vld(a, 16, r, m);
        break;
    }
}

void cg_store(Cg *cg, IrType t, int r, Mem m)
{
    if (type_is_int(t)) {
        x_st(&cg->a, type_bytes(t), r, m);
    } else {
        x_vst(&cg->a, t == IR_F32 ? 4 : t == IR_F64 ? 8 : 16, r, m);
    }
}

void cg_move(Cg *cg, IrType t, int d, int s)
{
    if (d == s) {
        return;
    }
    if (type_is_int(t)) {
        x_mov_rr(&cg->a, t == IR_I64, d, s);
    } else {
        x_movaps(&cg->a, d, s);
    }
}

/* Are vector registers in use that a slow path must save? */
static bool vregs_live(Cg *cg)
{
    for (int r = R_XMM0; r < R_NUM; r++) {
        if (cg->reg_var[r] != IR_NO_VAR || cg->head[r]) {
            return true;
        }
    }
    return false;
}

/*
 * Order matters: all that may move or spill values (scratch registers, then
 * the snapshot, then the result's register) comes before the check, as the
 * slow path goes on behind the access. The result's register is written by
 * the very access, so the snapshot may still name what lay there.
 */
typedef struct TlbRegs {
    int e;                      /* the entry, then the addend */
    int t;                      /* the page; free after the check if not @hold */
    bool cached;                /* e is the page cache's addend */
    bool hold;                  /* make e and t the page cache */
    bool write;                 /* the page is to be one that may be written, and so read */
    int hint;                   /* offset of the page hint to be tried, or 0 */
    int guess;                  /* of the guess, or 0; it comes to @a */
    int a;                      /* register of the addend at last */
} TlbRegs;

/* What an address is an offset from; guests of 32 bits compute the sum in 32. */
static IrValue root_of(Cg *cg, IrValue addr)
{
    IrOp *op = cg_op(cg, addr);
    uint64_t c;

    if (op->opcode == IR_ZEXT && cg_op(cg, op->arg[0])->type == IR_I32) {
        addr = op->arg[0];
        op = cg_op(cg, addr);
    }
    if (op->opcode == IR_ADD && ra_const(cg, op->arg[1], &c)) {
        addr = op->arg[0];
        op = cg_op(cg, addr);
    }
    return op->opcode == IR_TRUNC && op->type == IR_I32 ? op->arg[0] : addr;
}

static bool op_writes(const IrOp *op)
{
    return op->opcode == IR_ST || op->memop & IR_MO_PROBE_W;
}

/* Plain accesses of up to 16 bytes take part in the page cache. */
static bool cacheable(Cg *cg, const IrOp *op)
{
    IrType t = op->opcode == IR_ST ? cg_op(cg, op->arg[1])->type : op->type;

    return (op->opcode == IR_LD || op->opcode == IR_ST) && t != IR_F80 &&
           !(op->memop & (IR_MO_ALIGN | IR_MO_ATOMIC)) && !(op->memop & IR_MO_BE && ir_mo_bytes(op->memop) > 8);
}

/* Does an access come soon, before anything that ends the cache, for which a page cached for writing (for reading) would do? */
static bool more_of(Cg *cg, IrValue root, bool write, IrMemOp mmu)
{
    for (IrValue i = cg->pos + 1; i < cg->block_end && i < cg->pos + 32; i++) {
        IrOp *op = cg_op(cg, i);

        if (op->opcode == IR_CALL) {
            return false;
        }
        if (cacheable(cg, op) && (write || !op_writes(op)) && (op->memop & IR_MO_MMU) == mmu &&
            root_of(cg, op->arg[0]) == root) {
            return true;
        }
    }
    return false;
}

/* Is it written there soon, whatever is decided meanwhile? */
static bool written_soon(Cg *cg, IrValue root, IrMemOp mmu)
{
    for (IrValue i = cg->pos + 1; i < cg->block_end && i < cg->pos + 32; i++) {
        IrOp *op = cg_op(cg, i);

        if (op->opcode == IR_CALL || op->opcode == IR_BRCOND) {
            return false;
        }
        if (cacheable(cg, op) && op_writes(op) && (op->memop & IR_MO_MMU) == mmu &&
            root_of(cg, op->arg[0]) == root) {
            return true;
        }
    }
    return false;
}

static TlbRegs tlb_regs(Cg *cg, const IrOp *op)
{
    TlbRegs g = { 0 };
    IrMemOp mmu = op->memop & IR_MO_MMU;

    if (op->opcode != IR_LD && op->opcode != IR_ST) {
        g.e = ra_scratch(cg);
        g.t = ra_scratch(cg);
        return g;
    }
    bool write = op_writes(op), can = cacheable(cg, op);
    IrValue root = root_of(cg, op->arg[0]);
    if (!(cg->temps & 0xffff & ~cg->locked & ~cg->held)) {
        ra_drop_page(cg);                       /* nothing left to compare with */
    }
    g.write = write;
    if (can && cg->tc_root == root && (cg->tc_write || !write) && cg->tc_mmu == mmu) {
        g.write = cg->tc_write;
        cg->locked |= cg->held;
        g.t = ra_scratch(cg);
        g.e = cg->tc_add;
        g.cached = true;
        return g;
    }
    g.e = ra_scratch(cg);
    g.t = ra_scratch(cg);
    if (cg->r->quick) {
        return g;
    }
    if (can && tcg_switches.page_sharing && (!cg->tc_root || cg->tc_root == root)) {
        /* A page for reads and writes, where the stub can do without the latter. */
        if (!write && written_soon(cg, root, mmu) && hint_of(cg, op->arg[0], op->memop, true) > 0) {
            g.write = true;
        }
        g.hold = more_of(cg, root, g.write, mmu);
        g.write = g.write && (write || g.hold);
        if (g.hold) {
            ra_drop_page(cg);
        }
    }
    if (can) {
        g.hint = MAX(hint_of(cg, op->arg[0], op->memop, g.write), 0);
    }
    if (can && !g.hint && op->opcode == IR_LD && tcg_switches.guesses) {
        g.a = !g.hold ? g.t : ra_spare(cg);
        if (g.a != R_NONE) {
            g.guess = (int)offsetof(TcgEnv, guess) +
                      (int)(((unsigned)cg->r->entry_offset + cg->n_stubs) % TCG_GUESSES *
                            sizeof(TcgGuess));
        }
    }
    return g;
}

/* After the access: what is held on to. */
static void tlb_done(Cg *cg, const IrOp *op, TlbRegs g)
{
    if (g.hold) {
        cg->tc_root = root_of(cg, op->arg[0]);
        cg->tc_write = g.write;
        cg->tc_mmu = op->memop & IR_MO_MMU;
        cg->tc_page = (int8_t)g.t;
        cg->tc_add = (int8_t)g.e;
        cg->held = 1u << g.t | 1u << g.e;
    } else if (cg->tc_root && !more_of(cg, cg->tc_root, cg->tc_write, cg->tc_mmu)) {
        ra_drop_page(cg);
    }
}

void emit_tlb_index(Asm *a, int e, int addr, IrMemOp mo)
{
    Mem tlb = ENV(tlb);

    tlb.disp += (int32_t)((mo & IR_MO_MMU) >> IR_MO_MMU_SHIFT) * (int32_t)sizeof(TlbFast);
    if (a->has_bmi1) {
        tlb.disp += (int32_t)offsetof(TlbFast, field);
        x_ld(a, false, e, tlb);
        x_flags_lost(a);
        x_vrr(a, 0xf7 | X_0F38 | X_W, e, e, addr);                  /* BEXTR */
    } else {
        x_mov_rr(a, true, e, addr);
        x_shift_i(a, SH_SHR, true, e, TCG_PAGE_BITS);
        x_alu_rm(a, ALU_AND, false, e, tlb);
    }
}

static Mem tlb_word(int e, IrMemOp mo, size_t array)
{
    size_t mode = (mo & IR_MO_MMU) >> IR_MO_MMU_SHIFT;

    return mem_bi(R_RBP, e, 3, (int32_t)(offsetof(TcgEnv, tlb_table) + mode * sizeof(TlbTable) + array));
}

Mem emit_tlb_tag(int e, IrMemOp mo, bool write)
{
    return tlb_word(e, mo, write ? offsetof(TlbTable, tag_write) : offsetof(TlbTable, tag_read));
}

Mem emit_tlb_addend(int e, IrMemOp mo)
{
    return tlb_word(e, mo, offsetof(TlbTable, addend));
}

void emit_last_page(Asm *a, int t, int addr, unsigned n)
{
    if (n > 1) {
        x_lea(a, true, t, mem_b(addr, (int32_t)n - 1));
    } else {
        x_mov_rr(a, true, t, addr);
    }
    x_alu_ri(a, ALU_AND, true, t, -TCG_PAGE_SIZE);
}

/* @addr: register with the address. */
static void tlb_check(Cg *cg, uint32_t stub, TlbRegs g, int addr, IrMemOp mo, bool write)
{
    Asm *a = &cg->a;
    unsigned n = ir_mo_bytes(mo);
    Stub *st = &cg->stubs[stub];

    if (n > 1 && n != 10 && mo & (IR_MO_ALIGN | IR_MO_ATOMIC)) {
        x_flags_lost(a);
        x_rr(a, 0xf6 | X_RM8, 0, addr);         /* TEST r8, n - 1 */
        x_byte(a, (uint8_t)(n - 1));
        st->from[1] = x_jcc(a, X_NE);
    }
    st->tc_page = cg->held ? cg->tc_page : g.hold ? (int8_t)g.t : R_NONE;
    if (g.cached) {
        /* All of it: it could begin in the page before, too. */
        x_lea(a, true, g.t, mem_bi(cg->tc_page, addr, 0, 0));
        x_alu_ri(a, ALU_CMP, true, g.t, TCG_PAGE_SIZE - (int32_t)n);
        st->from[0] = x_jcc(a, X_A);
        st->lookup = true;
        st->write = write;
        st->reads = !(mo & IR_MO_PROBE_W) && (st->slow == SLOW_LD || st->slow == SLOW_LD_BUF);
        st->tc_add = (int8_t)g.e;
        st->tc_t = (int8_t)g.t;
        st->access = asm_pos(a);
        return;
    }
    if (g.hint) {
        Mem page = mem_b(R_RBP, g.hint + (int32_t)offsetof(TcgHint, minus_page));
        Mem limit = mem_b(R_RBP, g.hint + (int32_t)offsetof(TcgHint, limit));

        if (g.hold) {
            x_ld(a, true, g.t, page);
            x_lea(a, true, g.e, mem_bi(g.t, addr, 0, 0));
        } else {
            x_mov_rr(a, true, g.e, addr);
            x_alu_rm(a, ALU_ADD, true, g.e, page);
        }
        x_alu_rm(a, ALU_CMP, true, g.e, limit);
        st->from[0] = x_jcc(a, X_AE);
        x_ld(a, true, g.e, mem_b(R_RBP, g.hint + (int32_t)offsetof(TcgHint, addend)));
        st->hint = g.hint;
        st->write = write;
        st->reads = !(mo & IR_MO_PROBE_W) && (st->slow == SLOW_LD || st->slow == SLOW_LD_BUF);
        st->tc_add = (int8_t)g.e;
        st->tc_t = (int8_t)g.t;
        st->access = asm_pos(a);
        return;
    }
    emit_tlb_index(a, g.e, addr, mo);
    emit_last_page(a, g.t, addr, n);
    x_alu_rm(a, ALU_CMP, true, g.t, emit_tlb_tag(g.e, mo, write));
    st->from[0] = x_jcc(a, X_NE);
    if (g.hold) {
        x_flags_lost(a);
        x_neg(a, g.t);
    }
    if (g.guess) {
        x_ld(a, true, g.a, mem_b(R_RBP, g.guess + (int32_t)offsetof(TcgGuess, addend)));
        x_alu_rm(a, ALU_CMP, true, g.a, emit_tlb_addend(g.e, mo));
        uint32_t wrong = x_jcc(a, X_NE);
        st = cg_stub(cg, ST_GUESS);
        st->from[0] = wrong;
        st->hint = g.guess;
        st->memop = mo;
        st->tc_add = (int8_t)g.e;
        st->tc_t = (int8_t)g.a;
        st->back = asm_pos(a);
        return;
    }
    x_ld(a, true, g.e, emit_tlb_addend(g.e, mo));
}

/* Gives its index: the array may move. */
static uint32_t slow_stub(Cg *cg, unsigned slow, int addr, IrMemOp mo, uint32_t snap)
{
    uint32_t k = cg->n_stubs;
    Stub *st = cg_stub(cg, ST_SLOW);

    st->slow = (uint8_t)slow;
    st->addr = (int8_t)addr;
    st->value = st->expect = st->dst = R_NONE;
    st->memop = mo;
    st->vregs = vregs_live(cg);
    st->snap = snap ? ra_snapshot(cg, snap) : UINT32_MAX;
    return k;
}

static void byte_swap(Cg *cg, unsigned n, int r)
{
    Asm *a = &cg->a;

    if (n == 2) {
        x_flags_lost(a);
        x_rr(a, 0xc1 | X_66, SH_ROL, r);
        x_byte(a, 8);
    } else {
        if (n == 8 || r & 8) {
            x_byte(a, (uint8_t)(0x40 | (n == 8 ? 8 : 0) | r >> 3));
        }
        x_byte(a, 0x0f);
        x_byte(a, (uint8_t)(0xc8 | (r & 7)));
    }
}

static IrType int_type(unsigned bytes)
{
    return bytes == 8 ? IR_I64 : bytes == 4 ? IR_I32 : bytes == 2 ? IR_I16 : IR_I8;
}

/* Big-endian: @n is 2, 4 or 8. */
static void load_be(Cg *cg, unsigned n, int r, Mem m)
{
    if (cg->a.has_movbe && n > 2) {             /* of 16 bits it would leave the register's others */
        x_rm(&cg->a, 0xf0 | X_0F38 | (n == 8 ? X_W : 0), r, m);
    } else {
        cg_load(cg, int_type(n), r, m);
        byte_swap(cg, n, r);
    }
}

/* @t: a scratch register, where there is no MOVBE. */
static void store_be(Cg *cg, unsigned n, int r, int t, Mem m)
{
    if (cg->a.has_movbe) {
        x_rm(&cg->a, 0xf1 | X_0F38 | (n == 8 ? X_W : n == 2 ? X_66 : 0), r, m);
        return;
    }
    x_mov_rr(&cg->a, n == 8, t, r);
    byte_swap(cg, n, t);
    x_st(&cg->a, n, t, m);
}

/* In the first tier code that runs a few times is to be small: the look-up is a thunk's. */
static bool is_quick(Cg *cg, const IrOp *op, IrType t)
{
    IrMemOp plain = IR_MO_SIZE | IR_MO_SIGN | IR_MO_MMU | IR_MO_BE;

    return cg->r->quick && tcg_switches.quick_thunks && type_is_int(t) && ir_mo_bytes(op->memop) <= 8 &&
           !(op->memop & ~plain) && (op->memop & IR_MO_MMU) < IR_MO_MMU_IDX(TLB_MODES) && !vregs_live(cg);
}

static void call_quick(Cg *cg, uint8_t *const thunks[TLB_MODES][4], const IrOp *op)
{
    uint32_t snap;

    ra_fixed(cg, R_RCX);
    ra_fixed(cg, R_R11);
    snap = op->snap ? ra_snapshot(cg, op->snap) : UINT32_MAX;
    cg_call_thunk(cg, thunks[(op->memop & IR_MO_MMU) >> IR_MO_MMU_SHIFT][op->memop & IR_MO_SIZE]);
    if (snap != UINT32_MAX) {
        cg->snaps[snap].ra = asm_pos(&cg->a);
    }
    x_flags_lost(&cg->a);
}

static void quick_ld(Cg *cg, IrValue i, IrOp *op)
{
    unsigned n = ir_mo_bytes(op->memop);
    bool sign = op->memop & IR_MO_SIGN && n < type_bytes(op->type);

    ra_use_fixed(cg, op->arg[0], R_RAX);
    call_quick(cg, cg->th->quick_ld, op);
    if (op->memop & IR_MO_BE && n > 1) {
        byte_swap(cg, n, R_RAX);
    }
    if (sign) {
        x_movsx(&cg->a, n, op->type == IR_I64, R_RAX, R_RAX);
    }
    ra_def_at(cg, i, R_RAX);
    cg->val[i].zbits = sign ? (op->type == IR_I32 ? 32 : 64) : (uint8_t)(8 * n);
}

static void quick_st(Cg *cg, IrOp *op)
{
    ra_use_fixed(cg, op->arg[0], R_RAX);
    ra_use_fixed(cg, op->arg[1], R_RDX);
    if (op->memop & IR_MO_BE && ir_mo_bytes(op->memop) > 1) {
        byte_swap(cg, ir_mo_bytes(op->memop), R_RDX);
    }
    call_quick(cg, cg->th->quick_st, op);
}

static void emit_ld(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    IrMemOp mo = op->memop;
    unsigned n = ir_mo_bytes(mo);
    bool w = op->type == IR_I64, be = mo & IR_MO_BE && n > 1, vec = type_is_vec(op->type);
    int addr = ra_use(cg, op->arg[0]), slot = 0, d = R_NONE;
    TlbRegs g = tlb_regs(cg, op);
    int s = vec && be && g.hold ? ra_scratch(cg) : g.t;
    uint32_t k = slow_stub(cg, n > 8 ? SLOW_LD_BUF : SLOW_LD, addr, mo, op->snap);
    Mem m = mem_bi(g.guess ? g.a : g.e, addr, 0, 0);

    if (op->type == IR_F80) {
        slot = ra_slot(cg, i, 16);
    } else {
        d = ra_def(cg, i, vec || g.hold ? R_NONE : g.t, 0);
    }
    cg->stubs[k].type = op->type;
    cg->stubs[k].dst = (int8_t)d;
    cg->stubs[k].mem = op->type == IR_F80 ? slot : FR_BUF;
    tlb_check(cg, k, g, addr, mo, g.write);
    if (op->type == IR_F80) {
        x_ld(a, true, g.t, m);
        x_st(a, 8, g.t, mem_b(R_RSP, slot));
        m.disp = 8;
        x_rm(a, 0xb7 | X_0F, g.t, m);
        x_st(a, 8, g.t, mem_b(R_RSP, slot + 8));
    } else if (vec && be && n <= 8) {
        load_be(cg, n, s, m);
        x_rr(a, 0x6e | X_66 | X_0F | (n == 8 ? X_W : 0), d & 15, s);
    } else if (vec) {
        x_vld(a, n, d, m);
    } else {
        bool sign = mo & IR_MO_SIGN && n < type_bytes(op->type);
        if (be) {
            load_be(cg, n, d, m);
            if (sign) {
                x_movsx(a, n, w, d, d);
            }
        } else if (sign) {
            x_rm(a, n == 1 ? 0xbe | X_0F | (w ? X_W : 0)
                    : n == 2 ? 0xbf | X_0F | (w ? X_W : 0) : 0x63 | X_W, d, m);
        } else {
            cg_load(cg, int_type(n), d, m);
        }
        cg->val[i].zbits = sign ? (op->type == IR_I32 ? 32 : 64) : (uint8_t)(8 * n);
    }
    x_flags_lost(a);
    cg->stubs[k].back = asm_pos(a);
    g.e = g.guess ? g.a : g.e;
    tlb_done(cg, op, g);
}

static void emit_st(Cg *cg, IrOp *op)
{
    Asm *a = &cg->a;
    IrMemOp mo = op->memop;
    unsigned n = ir_mo_bytes(mo);
    bool be = mo & IR_MO_BE && n > 1;
    IrValue v = op->arg[1];
    IrType t = cg_op(cg, v)->type;
    int addr = ra_use(cg, op->arg[0]), rv = R_NONE;
    int32_t imm = 0;
    uint64_t c;
    Mem from = mem_b(R_RSP, FR_BUF);

    bool is_imm = type_is_int(t) && !(be && n == 8) && ra_const(cg, v, &c) && cg->val[v].reg == R_NONE &&
                  ra_imm32(cg, v, int_type(n), &imm);
    if (t == IR_F80) {
        x87_save(cg, v);
        if (cg->val[v].slot >= 0) {
            from.disp = FR_SPILL + 8 * cg->val[v].slot;
        } else {                    /* the stub wants it in the frame */
            int s = ra_scratch_v(cg);
            cg_load(cg, IR_V128, s, ra_home(cg, cg->val[v].var));
            cg_store(cg, IR_V128, s, from);
        }
    } else if (!is_imm) {
        rv = ra_use(cg, v);
    }
    TlbRegs g = tlb_regs(cg, op);
    int swap = be && g.hold && (!type_is_int(t) || !a->has_movbe) ? ra_scratch(cg) : g.t;
    uint32_t k = slow_stub(cg, n > 8 ? SLOW_ST_BUF : SLOW_ST, addr, mo, op->snap);
    Stub *s = &cg->stubs[k];
    s->value = (int8_t)rv;
    s->type = t;
    s->mem = from.disp;
    s->imm = (uint64_t)(int64_t)imm;
    tlb_check(cg, k, g, addr, mo, true);
    Mem m = mem_bi(g.e, addr, 0, 0);
    if (t == IR_F80) {
        x_ld(a, true, g.t, from);
        x_st(a, 8, g.t, m);
        from.disp += 8;
        m.disp = 8;
        x_rm(a, 0xb7 | X_0F, g.t, from);
        x_st(a, 2, g.t, m);
    } else if (is_imm) {
        uint32_t swapped = n == 2 ? __builtin_bswap16((uint16_t)imm) : __builtin_bswap32((uint32_t)imm);

        x_st_imm(a, n, be ? swapped : (uint64_t)(int64_t)imm, m);
    } else if (be && n <= 8) {
        if (!type_is_int(t)) {
            x_rr(a, 0x7e | X_66 | X_0F | (n == 8 ? X_W : 0), rv & 15, swap);
            rv = swap;
        }
        store_be(cg, n, rv, swap, m);
    } else if (type_is_int(t)) {
        x_st(a, n, rv, m);
    } else {
        x_vst(a, n, rv, m);
    }
    x_flags_lost(a);
    s->back = asm_pos(a);
    tlb_done(cg, op, g);
}

static void emit_probe(Cg *cg, IrOp *op)
{
    int addr = ra_use(cg, op->arg[0]);
    TlbRegs g = tlb_regs(cg, op);
    uint32_t k = slow_stub(cg, SLOW_PROBE, addr, op->memop, op->snap);

    cg->stubs[k].aux = op->cond;
    tlb_check(cg, k, g, addr, op->memop & ~(IrMemOp)IR_MO_ATOMIC, op->cond);
    cg->stubs[k].back = asm_pos(&cg->a);
}

/*
 * LOCK'ed operations on the host's memory. Misaligned ones of IR_MO_ATOMIC
 * take the slow path, which stops the other vCPUs; big-endian ones too, but for CMPXCHG and XCHG.
 */
static void emit_atomic(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    IrMemOp mo = op->memop;
    unsigned n = ir_mo_bytes(mo);
    bool is_cas = op->opcode == IR_ATOMIC_CMPXCHG;
    bool loop = op->opcode >= IR_ATOMIC_AND && op->opcode <= IR_ATOMIC_XOR, be = mo & IR_MO_BE && n > 1;
    uint32_t size = n == 8 ? X_W : n == 2 ? X_66 : n == 1 ? X_REG8 : 0;
    int addr, rv, re = R_NONE, d;

    if (is_cas) {
        ra_use_fixed(cg, op->arg[1], R_RAX);
        re = R_RAX;
    } else if (loop) {
        ra_fixed(cg, R_RAX);
    }
    addr = ra_use(cg, op->arg[0]);
    rv = ra_use(cg, op->arg[is_cas ? 2 : 1]);
    TlbRegs g = tlb_regs(cg, op);
    d = is_cas || loop ? R_RAX : g.t;
    uint32_t k = slow_stub(cg, SLOW_ATOMIC, addr, mo, op->snap);
    Stub *s = &cg->stubs[k];
    s->value = (int8_t)rv;
    s->expect = (int8_t)re;
    s->aux = op->opcode;
    s->type = op->type;
    s->dst = (int8_t)d;
    if (be && !is_cas && op->opcode != IR_ATOMIC_XCHG) {
        s->from[0] = x_jmp(a);
    } else {
        Mem m = mem_bi(g.e, addr, 0, 0);
        tlb_check(cg, k, g, addr, mo, true);
        if (is_cas && be) {
            x_mov_rr(a, true, g.t, rv);
            byte_swap(cg, n, g.t);
            byte_swap(cg, n, R_RAX);
            x_rm(a, 0xb1 | X_0F | X_LOCK | size, g.t, m);
            byte_swap(cg, n, R_RAX);
        } else if (is_cas) {
            x_rm(a, (n == 1 ? 0xb0 : 0xb1) | X_0F | X_LOCK | size, rv, m);
        } else if (be) {
            x_mov_rr(a, true, g.t, rv);
            byte_swap(cg, n, g.t);
            x_rm(a, 0x87 | size, g.t, m);
            byte_swap(cg, n, g.t);
        } else if (loop) {
            static const uint8_t alu[] = { ALU_AND, ALU_OR, ALU_XOR };
            cg_load(cg, int_type(n), R_RAX, m);
            uint32_t again = asm_pos(a);
            x_mov_rr(a, true, g.t, R_RAX);
            x_alu_rr(a, alu[op->opcode - IR_ATOMIC_AND], true, g.t, rv);
            x_rm(a, (n == 1 ? 0xb0 : 0xb1) | X_0F | X_LOCK | size, g.t, m);
            x_jcc_back(a, X_NE, again);
        } else {
            /* The value is overwritten with the old one: in a copy. */
            x_mov_rr(a, true, g.t, rv);
            if (op->opcode == IR_ATOMIC_ADD) {
                x_rm(a, (n == 1 ? 0xc0 : 0xc1) | X_0F | X_LOCK | size, g.t, m);
            } else {
                x_rm(a, (n == 1 ? 0x86 : 0x87) | size, g.t, m);
            }
        }
    }
    x_flags_lost(a);
    ra_def_at(cg, i, d);
    cg->stubs[k].back = asm_pos(a);
}

/* By a thunk, in either tier: it is long. No C, so that no snapshot is needed. */
static void emit_bulk(Cg *cg, IrValue i, IrOp *op)
{
    bool copy = op->opcode == IR_COPY;
    unsigned mmu = (op->memop & IR_MO_MMU) >> IR_MO_MMU_SHIFT;

    ra_use_fixed(cg, op->arg[0], R_RDX);
    ra_use_fixed(cg, op->arg[1], R_RAX);
    ra_use_fixed(cg, op->arg[2], R_RCX);
    ra_fixed(cg, R_R11);
    for (int r = R_XMM0; r < R_XMM0 + (copy ? 4 : 1); r++) {
        ra_fixed(cg, r);
    }
    cg_call_thunk(cg, copy ? cg->th->copy[mmu] : cg->th->fill[mmu]);
    x_flags_lost(&cg->a);
    ra_def_at(cg, i, R_RAX);
}

bool emit_mem(Cg *cg, IrValue i, IrOp *op)
{
    switch (op->opcode) {
    case IR_LD:
        if (is_quick(cg, op, op->type)) {
            quick_ld(cg, i, op);
        } else {
            emit_ld(cg, i, op);
        }
        return true;
    case IR_ST:
        if (is_quick(cg, op, cg_op(cg, op->arg[1])->type)) {
            quick_st(cg, op);
        } else {
            emit_st(cg, op);
        }
        return true;
    case IR_PROBE:
        emit_probe(cg, op);
        return true;
    case IR_ATOMIC_XCHG:
    case IR_ATOMIC_ADD:
    case IR_ATOMIC_AND:
    case IR_ATOMIC_OR:
    case IR_ATOMIC_XOR:
    case IR_ATOMIC_CMPXCHG:
        emit_atomic(cg, i, op);
        return true;
    case IR_COPY:
    case IR_FILL:
        emit_bulk(cg, i, op);
        return true;
    case IR_FENCE:
        /* A LOCK'ed operation on the frame is a full barrier (SDM vol. 3,
         * 8.2.5) and cheaper than MFENCE. */
        x_flags_lost(&cg->a);
        x_rm(&cg->a, 0x83 | X_LOCK, ALU_OR, mem_b(R_RSP, FR_BUF));
        x_byte(&cg->a, 0);
        return true;
    default:
        return false;
    }
}
