/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of tcg/ir.h and tcg/ops.def, checked on a finished region. */
#include "util/osdep.h"
#include "tcg/eval.h"
#include "tcg/ir.h"
#include "tcg/vec.h"

typedef struct Verify {
    const IrRegion *r;
    const IrBlock *block;
    IrValue at;
    char *why;
    size_t why_size;
} Verify;

PRINTF_LIKE(2, 3)
static bool fail(Verify *c, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(c->why, c->why_size, "v%u %s: ", c->at,
                     c->at && c->at < c->r->n_ops && c->r->ops[c->at].opcode < IR_OPCODE_NUM
                     ? ir_op_info[c->r->ops[c->at].opcode].name : "?");

    if (n >= 0 && (size_t)n < c->why_size) {
        va_start(ap, fmt);
        vsnprintf(c->why + n, c->why_size - n, fmt, ap);
        va_end(ap);
    }
    return false;
}

static bool produces_value(const IrOp *o)
{
    return ir_op_info[o->opcode].result != '-' && o->type != IR_VOID;
}

/* Defined in this block before the operation that uses it. */
static bool check_use(Verify *c, IrValue v)
{
    if (v == IR_NO_VALUE || v >= c->at || v < c->block->first) {
        return fail(c, "value v%u isn't defined in the block before its use", v);
    }
    if (!produces_value(&c->r->ops[v])) {
        return fail(c, "v%u has no value", v);
    }
    return true;
}

static bool is_float(IrType t)
{
    return t == IR_F32 || t == IR_F64 || t == IR_F80;
}

/* @letter: of the row's operand types. */
static bool check_type(Verify *c, unsigned n, char letter, IrType t)
{
    const IrOp *o = &c->r->ops[c->at];
    bool ok;

    switch (letter) {
    case 'T':
        ok = t == o->type;
        break;
    case 'X':
        ok = is_float(t) && (o->opcode == IR_FCMP || o->type == IR_F80 || t == o->type);
        break;
    case 'b':
        ok = t == IR_I8;
        break;
    case 'l':
        ok = t == IR_I32;
        break;
    case 'q': case 'A':
        ok = t == IR_I64;
        break;
    case 'i':
        ok = ir_type_is_int(t);
        break;
    case 'V':
        ok = t == IR_V128;
        break;
    default:
        ok = t != IR_VOID;
        break;
    }
    return ok || fail(c, "operand %u is of type %s", n, ir_type_name[t]);
}

static bool check_call(Verify *c, const IrOp *o)
{
    const char *sig = o->helper->sig;
    const char *args = sig[1] == ':' ? sig + 2 : sig + 1;
    static const IrType types[128] = {
        ['b'] = IR_I8, ['w'] = IR_I16, ['l'] = IR_I32, ['q'] = IR_I64, ['v'] = IR_VOID,
    };

    if (*args == 'e') {
        args++;
    }
    if (strlen(args) != o->nargs || o->nargs > IR_MAX_ARGS) {
        return fail(c, "%s takes other than %u arguments", o->helper->name, o->nargs);
    }
    if (types[sig[0] & 0x7f] != o->type) {
        return fail(c, "%s has another result type", o->helper->name);
    }
    for (unsigned i = 0; i < o->nargs; i++) {
        IrValue v = ir_arg(o, i);

        if (!check_use(c, v)) {
            return false;
        }
        if (c->r->ops[v].type != types[args[i] & 0x7f]) {
            return fail(c, "argument %u of %s is of type %s", i, o->helper->name,
                        ir_type_name[c->r->ops[v].type]);
        }
    }
    return true;
}

static bool check_vec(Verify *c, const IrOp *o)
{
    const IrVecInfo *info;

    if (o->vop >= IR_VEC_NUM) {
        return fail(c, "unknown vector operation %u", o->vop);
    }
    info = &ir_vec_info[o->vop];
    if (o->type != info->result || o->nargs != strlen(info->args)) {
        return fail(c, "%s: wrong result or number of operands", info->name);
    }
    for (unsigned i = 0; i < o->nargs; i++) {
        char l = info->args[i];

        if (!check_use(c, o->arg[i]) ||
            !check_type(c, i, l, c->r->ops[o->arg[i]].type)) {
            return false;
        }
    }
    return true;
}

static bool check_var(Verify *c, const IrOp *o)
{
    const IrRegion *r = c->r;

    if (ir_var_is_global(o->var) ? o->var >= r->globals->count
                                 : o->var - IR_MAX_GLOBALS >= (int)r->n_locals) {
        return fail(c, "no variable %u", o->var);
    }
    if (ir_var_type(r, o->var) != o->type) {
        return fail(c, "variable %u is of another type", o->var);
    }
    return true;
}

static bool check_snap(Verify *c, const IrOp *o)
{
    const IrRegion *r = c->r;
    const IrSnapshot *s;

    if (!(ir_op_flags(o) & IR_F_SNAP)) {
        return o->snap == 0 || fail(c, "has a snapshot and can't fault");
    }
    if (o->snap == 0 || o->snap >= r->n_snaps) {
        return fail(c, "has no snapshot");
    }
    s = &r->snaps[o->snap];
    if (s->n_pending > IR_SNAP_MAX_PENDING) {
        return fail(c, "too many pending values");
    }
    for (unsigned i = 0; i < s->n_pending; i++) {
        const IrPending *p = &s->pending[i];

        if (p->var >= r->globals->count) {
            return fail(c, "pending value for no global");
        }
        if (!check_use(c, p->value)) {
            return false;
        }
        if (r->ops[p->value].type != r->globals->globals[p->var].type) {
            return fail(c, "pending value of '%s' has another type",
                        r->globals->globals[p->var].name);
        }
    }
    return true;
}

static bool check_args(Verify *c, const IrOp *o)
{
    const IrOpInfo *info = &ir_op_info[o->opcode];
    const IrRegion *r = c->r;

    if (o->nargs != info->nargs) {
        return fail(c, "has %u operands", o->nargs);
    }
    for (unsigned i = 0; i < o->nargs; i++) {
        if (o->opcode == IR_X86FLAGS && i && o->arg[i] == IR_NO_VALUE) {
            continue;
        }
        if (!check_use(c, o->arg[i]) ||
            !check_type(c, i, info->args[i], r->ops[o->arg[i]].type)) {
            return false;
        }
    }
    return true;
}

/* The two compared operands of SETCOND, SELECT, X86FLAGS, BRCOND. */
static bool check_operand_type(Verify *c, const IrOp *o, IrType t)
{
    if (!ir_type_is_int(t)) {
        return fail(c, "operand type isn't an integer's");
    }
    for (unsigned i = 0; i < 2; i++) {
        if (o->arg[i] && c->r->ops[o->arg[i]].type != t) {
            return fail(c, "operand %u isn't of type %s", i, ir_type_name[t]);
        }
    }
    return true;
}

static bool check_detail(Verify *c, const IrOp *o)
{
    const IrRegion *r = c->r;
    IrType from = o->nargs ? r->ops[o->arg[0]].type : IR_VOID;
    IrType second = o->nargs == 2 ? r->ops[o->arg[1]].type : IR_VOID;

    switch (o->opcode) {
    case IR_GET: case IR_PUT:
        return check_var(c, o);
    case IR_SETCOND: case IR_SELECT:
        return o->cond < IR_COND_NUM ? check_operand_type(c, o, o->imm)
                                     : fail(c, "no such condition");
    case IR_BRCOND:
        return o->cond < IR_COND_NUM ? check_operand_type(c, o, o->type)
                                     : fail(c, "no such condition");
    case IR_X86FLAGS:
        if (o->cond >= IR_XF_NUM) {
            return fail(c, "no such kind");
        }
        /* A shift's count may be of another type than the operand's. */
        return o->cond >= IR_XF_SHL || check_operand_type(c, o, o->imm);
    case IR_ZEXT: case IR_SEXT:
        return from < o->type || fail(c, "doesn't widen");
    case IR_TRUNC:
        return from > o->type || fail(c, "doesn't narrow");
    case IR_EXTRACT: case IR_SEXTRACT: case IR_DEPOSIT:
        if ((o->imm >> 8 & 0xff) == 0 ||
            (o->imm & 0xff) + (o->imm >> 8 & 0xff) > ir_int_bits(o->type)) {
            return fail(c, "bits outside the type");
        }
        return true;
    case IR_SECOND:
        if (r->ops[o->arg[0]].opcode != IR_DIVU2 && r->ops[o->arg[0]].opcode != IR_DIVS2) {
            return fail(c, "of an operation without a second result");
        }
        return true;
    case IR_FCMP:
        return from == second || (from == IR_F80 && o->cond) || fail(c, "operands of two types");
    case IR_FADD: case IR_FSUB: case IR_FMUL: case IR_FDIV:
        return (is_float(o->type) && (from == o->type || second == o->type)) ||
               fail(c, "isn't of its operands' type");
    case IR_FSQRT: case IR_FNEG:
    case IR_FABS: case IR_FRINT:
        return is_float(o->type) || fail(c, "isn't of a floating-point type");
    case IR_FCVT:
        return (is_float(o->type) && (is_float(from) || from == IR_I32 || from == IR_I64)) ||
               fail(c, "no such conversion");
    case IR_FTOI:
        return (is_float(from) && o->type >= IR_I16 && o->type <= IR_I64) ||
               fail(c, "no such conversion");
    case IR_FBITS:
        return (ir_type_bits(from) == ir_type_bits(o->type) && from != o->type &&
                (is_float(from) || is_float(o->type))) || fail(c, "no such conversion");
    case IR_ADD: case IR_SUB: case IR_MUL: case IR_MULHU: case IR_MULHS:
    case IR_AND: case IR_OR: case IR_XOR: case IR_NEG: case IR_NOT:
    case IR_SHL: case IR_SHR: case IR_SAR: case IR_ROTL: case IR_ROTR:
    case IR_CLZ: case IR_CTZ: case IR_POPCNT: case IR_BSWAP:
    case IR_DIVU2: case IR_DIVS2:
        return ir_type_is_int(o->type) || fail(c, "isn't of an integer type");
    case IR_CONST:
        return ir_type_is_int(o->type) || o->type == IR_F32 || o->type == IR_F64 ||
               fail(c, "no constants of that type");
    case IR_JMP:
        break;
    default:
        return true;
    }
    return true;
}

static bool check_op(Verify *c, const IrOp *o)
{
    const IrRegion *r = c->r;
    unsigned flags;

    if (o->opcode >= IR_OPCODE_NUM || o->type >= IR_TYPE_NUM) {
        return fail(c, "unknown operation or type");
    }
    if (o->opcode == IR_CALL ? !check_call(c, o) :
        o->opcode == IR_VEC ? !check_vec(c, o) :
        o->opcode != IR_VCONST && o->opcode != IR_NOP && !check_args(c, o)) {
        return false;
    }
    if (o->opcode == IR_NOP) {
        return true;
    }
    flags = ir_op_info[o->opcode].flags;
    if (flags & IR_F_BRANCH &&
        (o->br.target >= r->n_blocks || !r->blocks[o->br.target].first)) {
        return fail(c, "to block %u, which was never begun", o->br.target);
    }
    if (flags & IR_F_BRANCH && r->blocks[o->br.target].first <= c->at && !o->snap) {
        return fail(c, "a back edge has no snapshot");
    }
    if (!!(flags & IR_F_TERM) != (c->at == c->block->last)) {
        return fail(c, "a terminator has to be the last operation, and the last one");
    }
    return check_snap(c, o) && check_detail(c, o);
}

bool ir_verify(const IrRegion *r, char *why, size_t why_size)
{
    Verify c = { .r = r, .why = why, .why_size = why_size };
    IrValue next = 1;

    if (why_size) {
        why[0] = 0;
    }
    if (r->n_order == 0 || r->order[0] != 0 || r->blocks[0].first == 0) {
        return fail(&c, "block 0 isn't the first");
    }
    for (uint32_t n = 0; n < r->n_order; n++) {
        c.block = &r->blocks[r->order[n]];
        if (c.block->first == 0) {
            continue;
        }
        c.at = c.block->first;
        if (c.block->first < next || c.block->last < c.block->first ||
            c.block->last >= r->n_ops) {
            return fail(&c, "block %u isn't in its place or isn't terminated", r->order[n]);
        }
        for (; c.at <= c.block->last; c.at++) {
            if (!check_op(&c, &r->ops[c.at])) {
                return false;
            }
        }
        next = c.block->last + 1;
    }
    return true;
}
