/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The listing of a region. One operation a line:
 *     v12:i32 = add v3, #0x10
 * Constants are shown where they are used; a snapshot as @pc_offset/icount with its
 * pending values.
 */
#include "util/osdep.h"
#include "tcg/ir.h"
#include "tcg/vec.h"

static void print_var(const IrRegion *r, IrVar v, FILE *f)
{
    if (ir_var_is_global(v)) {
        fprintf(f, "%s", v < r->globals->count ? r->globals->globals[v].name : "?");
    } else {
        fprintf(f, "loc%u", v - IR_MAX_GLOBALS);
    }
}

static void print_value(const IrRegion *r, IrValue v, FILE *f)
{
    if (v == IR_NO_VALUE) {
        fprintf(f, "-");
    } else if (v < r->n_ops && r->ops[v].opcode == IR_CONST) {
        fprintf(f, "#0x%" PRIx64, r->ops[v].imm);
    } else {
        fprintf(f, "v%u", v);
    }
}

static void print_snap(const IrRegion *r, uint32_t n, FILE *f)
{
    const IrSnapshot *s = &r->snaps[n];

    fprintf(f, "  @0x%x/%u", s->pc_offset, s->icount);
    if (s->aux) {
        fprintf(f, " aux=0x%x", s->aux);
    }
    for (unsigned i = 0; i < s->n_pending; i++) {
        fprintf(f, " ");
        print_var(r, s->pending[i].var, f);
        fprintf(f, "=");
        print_value(r, s->pending[i].value, f);
    }
}

static void print_memop(IrMemOp m, FILE *f)
{
    fprintf(f, ".%u%s%s%s%s%s mmu%u", ir_mo_bytes(m) * 8, m & IR_MO_SIGN ? "s" : "",
            m & IR_MO_BE ? "be" : "", m & IR_MO_ALIGN ? " align" : "",
            m & IR_MO_ATOMIC ? " atomic" : "", m & IR_MO_PROBE_W ? " rmw" : "",
            (m & IR_MO_MMU) >> IR_MO_MMU_SHIFT);
}

static bool uses_memop(unsigned opcode)
{
    return (opcode >= IR_LD && opcode <= IR_FILL);
}

/* What stands between the mnemonic and the operands. */
static void print_detail(const IrRegion *r, const IrOp *o, FILE *f)
{
    static const char *const exits[] = { "next", "irq_check", "halt", "insn_limit", "debug" };
    static const char *const hints[] = { "plain", "call", "ret" };

    if (uses_memop(o->opcode)) {
        print_memop(o->memop, f);
    }
    switch (o->opcode) {
    case IR_GET: case IR_PUT:
        fprintf(f, " ");
        print_var(r, o->var, f);
        fprintf(f, "%s", o->opcode == IR_PUT ? "," : "");
        break;
    case IR_SETCOND: case IR_SELECT:
        fprintf(f, ".%s.%s", ir_type_name[o->imm], ir_cond_name[o->cond]);
        break;
    case IR_BRCOND:
        fprintf(f, ".%s.%s", ir_type_name[o->type], ir_cond_name[o->cond]);
        break;
    case IR_X86FLAGS:
        fprintf(f, ".%s.%s", ir_type_name[o->imm], ir_x86flags_name[o->cond]);
        break;
    case IR_PROBE:
        fprintf(f, " %s", o->cond ? "write" : "read");
        break;
    case IR_ST: case IR_ST_ENV:
        fprintf(f, ".%s", ir_type_name[o->type]);
        break;
    case IR_FCMP: case IR_FTOI:
        fprintf(f, "%s", !o->cond ? "" : o->opcode == IR_FCMP ? ".sig" : ".trunc");
        break;
    case IR_CALL:
        fprintf(f, " %s", o->helper->name);
        break;
    case IR_GOTO_IND:
        fprintf(f, ".%s", o->cond < ARRAY_SIZE(hints) ? hints[o->cond] : "?");
        break;
    case IR_EXIT:
        if (o->imm < ARRAY_SIZE(exits)) {
            fprintf(f, " %s", exits[o->imm]);
        } else {
            fprintf(f, " %" PRIu64, o->imm);
        }
        break;
    case IR_VCONST:
        fprintf(f, " 0x%08x%08x_%016" PRIx64, o->arg[1], o->arg[0], o->imm);
        break;
    default:
        break;
    }
}

static void print_trailer(const IrOp *o, FILE *f)
{
    switch (o->opcode) {
    case IR_CONST:
        fprintf(f, " 0x%" PRIx64, o->imm);
        break;
    case IR_LD_ENV: case IR_ST_ENV:
        fprintf(f, "%s [env+0x%x]", o->nargs ? "," : "", (unsigned)o->imm);
        break;
    case IR_LD_CODE:
        fprintf(f, " [code]");
        break;
    case IR_EXTRACT: case IR_SEXTRACT: case IR_DEPOSIT:
        fprintf(f, ", %u:%u", (unsigned)(o->imm & 0xff), (unsigned)(o->imm >> 8 & 0xff));
        break;
    case IR_VEC:
        if (o->imm) {
            fprintf(f, ", %u", (unsigned)o->imm);
        }
        break;
    case IR_BRCOND: case IR_JMP:
        fprintf(f, "%s b%u%s", o->nargs ? "," : "", o->br.target,
                o->opcode == IR_BRCOND && o->br.likely ? " likely" : "");
        break;
    case IR_GOTO:
        fprintf(f, " pc+0x%" PRIx64, o->pc_offset);
        break;
    default:
        break;
    }
}

static void print_op(const IrRegion *r, IrValue v, FILE *f)
{
    const IrOp *o = &r->ops[v];
    const IrOpInfo *info = &ir_op_info[o->opcode];

    fprintf(f, "    ");
    if (info->result != '-' && o->type != IR_VOID) {
        fprintf(f, "v%u:%s = ", v, ir_type_name[o->type]);
    }
    fprintf(f, "%s", o->opcode == IR_VEC ? ir_vec_info[o->vop].name : info->name);
    print_detail(r, o, f);
    for (unsigned i = 0; i < o->nargs; i++) {
        fprintf(f, i ? ", " : " ");
        print_value(r, ir_arg(o, i), f);
    }
    print_trailer(o, f);
    if (o->snap) {
        print_snap(r, o->snap, f);
    }
    fprintf(f, "\n");
}

void ir_print(const IrRegion *r, FILE *f)
{
    fprintf(f, "region entry_offset=0x%x insns=%u mode=0x%" PRIx64 "%s\n", r->entry_offset,
            r->n_insns, r->mode, r->overflow ? " overflow" : "");
    for (uint32_t n = 0; n < r->n_order; n++) {
        const IrBlock *b = &r->blocks[r->order[n]];

        if (b->first == 0) {
            continue;
        }
        fprintf(f, "b%u: preds=%u @0x%x insns=%u%s%s\n", r->order[n], b->n_preds,
                b->pc_offset, b->n_insns, b->flags & IR_BLOCK_COLD ? " cold" : "",
                b->flags & IR_BLOCK_LOOP_HEADER ? " loop" : "");
        for (IrValue v = b->first; v <= b->last; v++) {
            if (r->ops[v].opcode != IR_NOP && r->ops[v].opcode != IR_CONST) {
                print_op(r, v, f);
            }
        }
    }
}
