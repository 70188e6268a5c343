/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions: making one pending, stacking its frame, entering the handler; interrupts; returning.
 *
 * An access error is restarted: its frame has the address of the instruction and no pending
 * write-backs (040UM chapter 8: the V bits are clear), and the 68020's and 68030's long frame says
 * that nothing needs to be rerun by software (030UM chapter 8). RTE then begins the instruction anew,
 * whose registers are as before it.
 *
 * Sources: PRM appendix B; 020UM chapter 6, 030UM chapter 8, 040UM chapter 8, 060UM chapter 8.
 */
#include "util/osdep.h"
#include "hw/core/runstate.h"
#include "target/m68k/helpers.h"
#include "target/m68k/state.h"
#include "util/bswap.h"
#include "util/log.h"
#include "util/main-loop.h"

bool m68k_lock(void)
{
    if (big_lock_held()) {
        return false;
    }
    big_lock();
    return true;
}

void m68k_unlock(bool locked)
{
    if (locked) {
        big_unlock();
    }
}

/* --------------------------------------------------------------------- raising */

static void queue(M68kState *s, int vector, unsigned len, unsigned format, uint32_t ea)
{
    s->excp = (int16_t)vector;
    s->excp_len = (uint8_t)len;
    s->excp_format = (uint8_t)format;
    s->excp_ea = ea;
}

void m68k_raise(M68kState *s, int vector, unsigned len)
{
    queue(s, vector, len, 0, 0);
    tcg_raise(&s->tcg);
}

void m68k_raise_format2(M68kState *s, int vector, unsigned len)
{
    queue(s, vector, len, m68k_has(s, M68K_000 | M68K_010) ? 0 : 2, 0);
    tcg_raise(&s->tcg);
}

void m68k_raise_after(M68kState *s, int vector, unsigned format, uint32_t after, uint32_t ea)
{
    unsigned an = after >> 8 & 7;

    s->a[an] = (uint32_t)(s->a[an] + (uint32_t)(int8_t)(after >> 16));
    queue(s, vector, after & 0xff, format, ea);
    tcg_raise_here(&s->tcg);
}

void m68k_restore_aux(TcgEnv *env, uint32_t aux)
{
    m68k_state(env)->excp_aux = aux;
}

/* Function code of an access (030UM chapter 4). */
static unsigned function_code(MmuAccess access, unsigned mmu)
{
    return (mmu == M68K_MMU_SUPER ? 4u : 0) | (access == MMU_EXEC ? 2u : 1u);
}

/* Special status words: what was accessed, and why it failed. */
static uint16_t ssw_040(const M68kState *s, MmuAccess access, unsigned fc, bool atc)
{
    static const uint8_t size[] = { 1, 2, 0, 3 };       /* 040UM chapter 8: SIZE */
    uint32_t aux = s->excp_aux;

    return (uint16_t)((atc ? BIT(10) : 0) | (access != MMU_WRITE ? BIT(8) : 0) | fc |
                      (aux & AUX_LOCKED ? BIT(9) : 0) |
                      (uint32_t)size[access == MMU_EXEC ? 2 : aux & AUX_SIZE] << 5);
}

/* 030UM chapter 8, special status word: FC FB RC RB 0 0 0 DF RM RW SIZ 0 FC. */
static uint16_t ssw_030(const M68kState *s, MmuAccess access, unsigned fc)
{
    static const uint8_t size[] = { 1, 2, 0, 3 };
    uint32_t aux = s->excp_aux;

    if (access == MMU_EXEC) {
        return (uint16_t)(BIT(15) | BIT(13));           /* fault on stage C, to be rerun */
    }
    return (uint16_t)(BIT(8) | (aux & AUX_LOCKED ? BIT(7) : 0) | (access != MMU_WRITE ? BIT(6) : 0) |
                      (uint32_t)size[aux & AUX_SIZE] << 4 | fc);
}

/* 060UM chapter 8: the fault status long word of format 4. */
static uint32_t fslw_060(const M68kState *s, MmuAccess access, unsigned fc, bool atc)
{
    return (access == MMU_WRITE ? BIT(23) : BIT(24)) |
           (uint32_t)(access == MMU_EXEC ? 0 : (s->excp_aux & AUX_SIZE) + 1) % 4 << 21 |
           (fc & 7) << 16 | (access == MMU_EXEC ? BIT(15) : 0) | (atc ? BIT(10) : BIT(2));
}

static void access_error(M68kState *s, uint32_t addr, MmuAccess access, unsigned mmu, bool atc)
{
    unsigned fc = function_code(access, mmu);

    queue(s, EXCP_ACCESS, 0, m68k_has(s, M68K_040) ? 7 : m68k_has(s, M68K_060) ? 4 :
          m68k_has(s, M68K_010) ? 8 : m68k_has(s, M68K_000) ? 0xf : 0xb, addr);
    s->excp_ssw = m68k_has(s, M68K_040) ? ssw_040(s, access, fc, atc) : ssw_030(s, access, fc);
    if (m68k_has(s, M68K_060)) {
        s->excp_fslw = fslw_060(s, access, fc, atc);
    }
    s->excp_write = access == MMU_WRITE;
    s->excp_fc = (uint8_t)fc;
}

void m68k_raise_access_level(M68kState *s)
{
    tcg_sync_state(&s->tcg);
    s->excp_aux &= ~(uint32_t)AUX_SIZE;
    access_error(s, 0x10000, MMU_READ, M68K_MMU_SUPER, false);
    s->excp_ssw |= 7;                   /* CPU space */
    s->excp_fc = 7;
    tcg_raise(&s->tcg);
}

void m68k_mmu_fault(TcgEnv *env, uint64_t addr, MmuAccess access, unsigned mmu,
                    UNUSED const uint64_t fault[4])
{
    M68kState *s = m68k_state(env);

    if (access == MMU_EXEC) {
        s->excp_aux = 0;
    }
    log_printf(LOG_MMU, "access error at %08x (%s) pc %08x\n", (uint32_t)addr,
               access == MMU_WRITE ? "write" : access == MMU_READ ? "read" : "fetch",
               (uint32_t)env->pc);
    access_error(s, (uint32_t)addr, access, mmu, true);
}

bool m68k_bus_fault(TcgEnv *env, uint64_t addr, UNUSED uint64_t phys, MmuAccess access,
                    UNUSED MemResult res)
{
    M68kState *s = m68k_state(env);

    log_printf(LOG_MMU, "bus error at %08x pc %08x\n", (uint32_t)addr, (uint32_t)env->pc);
    access_error(s, (uint32_t)addr, access, m68k_mmu_mode(s), false);
    return true;
}

/* What a 68000's frame says of the place where the instruction was (AUX_PC). */
static void prefetch_of(M68kState *s)
{
    if (m68k_has(s, M68K_000)) {
        s->excp_len = (uint8_t)(2 * ((s->excp_aux & AUX_PC) >> AUX_PC_SHIFT));
        s->excp_fc = s->excp_aux & AUX_PROGRAM ? (s->excp_fc & 4) | 2 : s->excp_fc;
    }
}

/* 68000 and 68010: a word at an odd address. */
void m68k_unaligned(TcgEnv *env, uint64_t addr, MmuAccess access, unsigned mmu)
{
    M68kState *s = m68k_state(env);

    access_error(s, (uint32_t)addr, access, mmu, false);
    s->excp = EXCP_ADDRESS;
    prefetch_of(s);
}

static void h_odd_target(void *env, uint32_t target, uint32_t where)
{
    M68kState *s = env;

    if (target & 1) {
        s->excp_aux = where;
        access_error(s, target, MMU_EXEC, m68k_mmu_mode(s), false);
        s->excp = EXCP_ADDRESS;
        prefetch_of(s);
        tcg_raise(&s->tcg);
    }
}
const IrHelper m68k_h_odd_target = { "m68k_odd_target", h_odd_target, "v:ell", IR_H_RAISES, 0, 0 };

/* -------------------------------------------------------------------- stacking */

/* A frame is put together downwards, as the chip pushes it, then stored at once: all of it or nothing. */
typedef struct Frame {
    unsigned at;
    uint8_t b[92];
} Frame;

static void push16(Frame *f, uint32_t v)
{
    f->at -= 2;
    store_be16(f->b + f->at, (uint16_t)v);
}

static void push32(Frame *f, uint32_t v)
{
    f->at -= 4;
    store_be32(f->b + f->at, v);
}

static void push_zeros(Frame *f, unsigned words)
{
    f->at -= 2 * words;
    memset(f->b + f->at, 0, 2 * words);
}

static void store_frame(M68kState *s, const Frame *f)
{
    unsigned n = (unsigned)sizeof(f->b) - f->at;
    uint32_t sp = (uint32_t)s->a[7] - n;

    if (n == 8) {                       /* by far the most */
        tcg_stu64(&s->tcg, sp, load_le64(f->b + f->at), M68K_MMU_SUPER);
    } else {
        tcg_st_bytes(&s->tcg, sp, f->b + f->at, n, M68K_MMU_SUPER);
    }
    s->a[7] = sp;
}

/* SR, PC and, from the 68010 on, format and vector offset. */
static void push_short(const M68kState *s, Frame *f, unsigned format, unsigned vector, uint32_t pc, uint32_t sr)
{
    if (!m68k_has(s, M68K_000)) {
        push16(f, format << 12 | vector * 4);
    }
    push32(f, pc);
    push16(f, sr);
}

static void store_short(M68kState *s, unsigned format, unsigned vector, uint32_t pc, uint32_t sr)
{
    Frame f = { .at = sizeof(f.b) };

    push_short(s, &f, format, vector, pc, sr);
    store_frame(s, &f);
}

/* Bus and address errors of the 68000 (M68000UM chapter 6): function code, I/N, R/W; address; IR. */
static void push_group0(const M68kState *s, Frame *f, uint32_t pc, uint32_t sr)
{
    uint32_t ir = s->excp_aux >> AUX_OPCODE_SHIFT;

    push32(f, s->excp_aux & AUX_PC ? pc : s->excp_ea);          /* BSR's tells of where it leads */
    push16(f, sr);
    push16(f, ir);
    push32(f, s->excp_ea);
    push16(f, (ir & 0xffe0) | (s->excp_write ? 0 : 0x10) | (s->excp_nested ? 8 : 0) | s->excp_fc);
}

/* 040UM chapter 8: 30 words, none of the write-backs valid. */
static void push_format7(const M68kState *s, Frame *f)
{
    push_zeros(f, 2 * 9);               /* PD3-PD0, WB1D to WB3A */
    push32(f, s->excp_ea);              /* fault address */
    push_zeros(f, 3);                   /* WB1S, WB2S, WB3S */
    push16(f, s->excp_ssw);
    push32(f, s->excp_ea);              /* effective address */
}

/* 030UM chapter 8, bus fault frames: 46 words. */
static void push_format_b(const M68kState *s, Frame *f, uint32_t pc)
{
    push_zeros(f, 18);                  /* internal registers */
    push16(f, 0x3000);                  /* version */
    push_zeros(f, 3);
    push32(f, 0);                       /* data input buffer */
    push_zeros(f, 2);
    push32(f, pc);                      /* stage B address */
    push_zeros(f, 4);
    push32(f, 0);                       /* data output buffer */
    push_zeros(f, 2);
    push32(f, s->excp_ea);              /* data cycle fault address */
    push16(f, 0);                       /* instruction pipe, stages B and C */
    push16(f, s->excp_aux >> AUX_OPCODE_SHIFT);
    push16(f, s->excp_ssw);
    push16(f, 0);
}

/* M68000UM chapter 6: 29 words. */
static void push_format8(const M68kState *s, Frame *f)
{
    push_zeros(f, 16);
    push_zeros(f, 6);                   /* buffers, unused words */
    push32(f, s->excp_ea);
    push16(f, (s->excp_write ? 0 : BIT(8)) | s->excp_fc);
}

static void push_frame(M68kState *s, unsigned vector, uint32_t sr)
{
    uint32_t insn = (uint32_t)s->tcg.pc, pc = insn + s->excp_len;
    Frame f = { .at = sizeof(f.b) };

    switch (s->excp_format) {
    case 2:
        push32(&f, insn);
        break;
    case 3:
        push32(&f, s->excp_ea);
        break;
    case 4:
        push32(&f, s->excp == EXCP_ACCESS ? s->excp_fslw : insn);   /* FPU disabled: PC of the faulted instruction */
        push32(&f, s->excp_ea);
        break;
    case 7:
        push_format7(s, &f);
        break;
    case 8:
        push_format8(s, &f);
        break;
    case 0xb:
        push_format_b(s, &f, pc);
        break;
    case 0xf:
        push_group0(s, &f, pc, sr);
        store_frame(s, &f);
        return;
    default:
        break;
    }
    push_short(s, &f, s->excp_format, vector, pc, sr);
    store_frame(s, &f);
}

/* ------------------------------------------------------------------- entering */

/* A second fault while a bus or address error is entered stops the processor until reset
 * (M68000UM chapter 5, 040UM chapter 8). */
static void double_fault(M68kState *s)
{
    CPUState *cpu = s->tcg.cpu;

    log_printf(LOG_CPU_RESET | LOG_INT, "CPU %d: double bus fault at pc %08x: halted\n",
               cpu->index, (uint32_t)s->tcg.pc);
    s->excp = EXCP_NONE;
    s->delivering = false;
    s->dead = true;
    cpu->halted = true;
    cpu_exit(cpu);
}

static const char *vector_name(int vector)
{
    static const char *const names[] = {
        [2] = "access error", [3] = "address error", [4] = "illegal instruction", [5] = "zero divide",
        [6] = "CHK", [7] = "TRAPcc", [8] = "privilege violation", [9] = "trace", [10] = "line A",
        [11] = "line F", [14] = "format error",
    };

    return vector < (int)ARRAY_SIZE(names) && names[vector] ? names[vector] :
           vector >= 32 && vector < 48 ? "TRAP" : vector >= 24 && vector < 32 ? "interrupt" : "";
}

/* To supervisor mode with the stack pointer of SR's M bit; no trace. */
static void enter_supervisor(M68kState *s, uint32_t sr)
{
    uint32_t ccr = sr & CCR_ALL;

    m68k_set_sr(s, ((sr & SR_SYSTEM) | SR_S) & ~(uint32_t)(SR_T0 | SR_T1));
    m68k_set_ccr(s, ccr);
}

static void jump_vector(M68kState *s, unsigned vector)
{
    s->tcg.pc = m68k_ld32(s, s->vbr + vector * 4, M68K_MMU_SUPER);
    s->excp = EXCP_NONE;
    s->delivering = s->in_group0 = false;
    m68k_mode_sync(s);
}

bool m68k_take_exception(TcgEnv *env)
{
    M68kState *s = m68k_state(env);
    unsigned vector = (unsigned)s->excp;
    uint32_t sr = m68k_get_sr(s);

    if (s->excp == EXCP_NONE || s->dead) {
        return false;
    }
    if (s->delivering && (vector == EXCP_ACCESS || vector == EXCP_ADDRESS) && s->in_group0) {
        double_fault(s);
        return true;
    }
    log_printf(LOG_INT, "CPU %d: exception %u (%s) pc %08x sr %04x%s\n", ((CPUState *)env->cpu)->index,
               vector, vector_name((int)vector), (uint32_t)env->pc, sr,
               s->delivering ? " while entering another" : "");
    s->trace_pending = false;
    if (vector == EXCP_DIV0) {
        sr &= ~(uint32_t)CCR_C;         /* PRM, DIVS and DIVU: always cleared */
    }
    if (vector == EXCP_ADDRESS && s->excp_format == 0) {        /* a jump to an odd address */
        s->excp_ea = (uint32_t)env->pc;
        s->excp_write = false;
        s->excp_fc = s->sr & SR_S ? 6 : 2;
        s->excp_format = m68k_has(s, M68K_000) ? 0xf : m68k_has(s, M68K_010) ? 8 :
                         m68k_has(s, M68K_020 | M68K_030) ? 0xb : 2;
    }
    enter_supervisor(s, sr);
    s->in_group0 = vector == EXCP_ACCESS || vector == EXCP_ADDRESS;
    s->excp_nested = s->delivering;
    s->delivering = true;
    push_frame(s, vector, sr);
    jump_vector(s, vector);
    return true;
}

static void h_enter(void *env, uint32_t vector, uint32_t len)
{
    queue(env, (int)vector, len, 0, 0);
    m68k_take_exception(env);
}
const IrHelper m68k_h_enter = { "m68k_enter", h_enter, "v:ell", IR_H_RAISES | IR_H_READS | IR_H_WRITES, 0, 0 };

/* ------------------------------------------------------------------ interrupts */

static void take_trace(M68kState *s)
{
    s->trace_pending = false;
    queue(s, EXCP_TRACE, 0, m68k_has(s, M68K_000 | M68K_010) ? 0 : 2, 0);
    m68k_take_exception(&s->tcg);
}

static void enter_interrupt(M68kState *s, unsigned vector, unsigned level)
{
    uint32_t sr = m68k_get_sr(s), pc = (uint32_t)s->tcg.pc;
    bool master;

    enter_supervisor(s, sr);
    master = s->sr & SR_M;
    s->delivering = true;
    store_short(s, 0, vector, pc, sr);
    if (master && !m68k_has(s, M68K_060)) {
        /* 040UM chapter 8: a throwaway frame on the interrupt stack, M cleared. */
        uint32_t inner = m68k_get_sr(s);

        m68k_set_sr(s, inner & ~(uint32_t)SR_M);
        store_short(s, 1, vector, pc, inner);
    }
    s->sr = (uint16_t)((s->sr & ~(uint32_t)(SR_IPL | (m68k_has(s, M68K_060) ? SR_M : 0))) |
                       level << SR_IPL_SHIFT);
    jump_vector(s, vector);
}

static bool interrupt_due(const M68kState *s)
{
    unsigned level = s->ipl;

    return level > (unsigned)(s->sr & SR_IPL) >> SR_IPL_SHIFT || (level == 7 && s->nmi);
}

void m68k_let_interrupts_in(M68kState *s)
{
    if (interrupt_due(s)) {
        __atomic_store_n(&s->tcg.exit_request, 1, __ATOMIC_SEQ_CST);
    }
}

bool m68k_take_interrupt(TcgEnv *env)
{
    M68kState *s = m68k_state(env);
    CPUState *cpu = env->cpu;
    unsigned level;
    int vector = -1;

    if (s->dead) {
        return false;
    }
    if (cpu_line_is_raised(cpu, CPU_INTR_DEBUG)) {
        cpu_lower(cpu, CPU_INTR_DEBUG);
        if (s->trace_pending) {
            s->stopped = false;
            take_trace(s);
            return true;
        }
    }
    if (!cpu_line_is_raised(cpu, CPU_INTR_HARD) || !interrupt_due(s)) {
        return false;
    }
    level = s->ipl;
    s->nmi = false;
    if (cpu->int_ack) {
        vector = cpu->int_ack(cpu->int_ack_opaque);
    }
    if (vector < 0) {
        vector = EXCP_AUTOVECTOR + (int)level;
    }
    log_printf(LOG_INT, "CPU %d: interrupt level %u vector %d pc %08x sr %04x\n", cpu->index, level,
               vector, (uint32_t)env->pc, m68k_get_sr(s));
    cpu->halted = false;
    s->stopped = false;
    enter_interrupt(s, (unsigned)vector, level);
    return true;
}

bool m68k_has_work(const TcgEnv *env)
{
    const M68kState *s = (const M68kState *)env;

    return !s->dead && (interrupt_due(s) || s->trace_pending);
}

/* ------------------------------------------------------------------- returning */

/* Bytes of each frame beyond the first eight; 0xff: a format error. */
static unsigned frame_extra(const M68kState *s, unsigned format)
{
    switch (format) {
    case 0: return 0;
    case 1: return m68k_has(s, M68K_060) ? 0xff : 0;
    case 2: return m68k_has(s, M68K_020UP) ? 4 : 0xff;
    case 3: return m68k_has(s, M68K_040UP) ? 4 : 0xff;
    case 4: return m68k_has(s, M68K_040UP) ? 8 : 0xff;
    case 7: return m68k_has(s, M68K_040) ? 52 : 0xff;
    case 8: return m68k_has(s, M68K_010) ? 50 : 0xff;
    case 9: return m68k_has(s, M68K_020 | M68K_030) ? 12 : 0xff;
    case 0xa: return m68k_has(s, M68K_020 | M68K_030) ? 24 : 0xff;
    case 0xb: return m68k_has(s, M68K_020 | M68K_030) ? 84 : 0xff;
    default: return 0xff;
    }
}

static void h_rte(void *env)
{
    M68kState *s = env;
    uint32_t sp, sr, pc, format = 0, ccr;
    unsigned extra = 0;
    uint64_t frame;

    for (;;) {
        sp = (uint32_t)s->a[7];
        if (m68k_has(s, M68K_000)) {
            sr = m68k_ld16(s, sp, M68K_MMU_SUPER);
            pc = m68k_ld32(s, sp + 2, M68K_MMU_SUPER);
            s->a[7] = (uint32_t)(sp + 6);
            break;
        }
        frame = __builtin_bswap64(tcg_ldu64(&s->tcg, sp, M68K_MMU_SUPER));
        sr = (uint32_t)(frame >> 48);
        pc = (uint32_t)(frame >> 16);
        format = (uint32_t)frame >> 12 & 15;
        extra = frame_extra(s, format);
        if (extra == 0xff) {
            m68k_raise(s, EXCP_FORMAT, 0);
        }
        if (extra) {            /* the whole of it can be read, or nothing happens */
            tcg_probe(&s->tcg, sp + 8 + extra - 2, 2, false, M68K_MMU_SUPER);
        }
        s->a[7] = (uint32_t)(sp + 8 + extra);
        if (format != 1) {
            break;
        }
        m68k_set_sr(s, sr);     /* throwaway: go on with the other stack */
    }
    ccr = sr & CCR_ALL;
    s->tcg.pc = pc;
    m68k_set_sr(s, sr);
    m68k_set_ccr(s, ccr);
    if (m68k_has(s, M68K_000)) {
        h_odd_target(s, pc, AUX_PROGRAM | 1 << AUX_PC_SHIFT);
    }
    m68k_let_interrupts_in(s);
}
const IrHelper m68k_h_rte = { "m68k_rte", h_rte, "v:e", IR_H_RAISES | IR_H_READS | IR_H_WRITES, 0, 0 };
