/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers for people and tools: by name, as gdb numbers them, and "info registers". */
#include "util/osdep.h"
#include <glib.h>
#include "target/m68k/cpu.h"
#include "target/m68k/fp-double.h"
#include "hw/core/regs.h"
#include "util/bswap.h"

static const RegFlag sr_bits[] = {
    { "C", CCR_C }, { "V", CCR_V }, { "Z", CCR_Z }, { "N", CCR_N }, { "X", CCR_X },
    { "I", SR_IPL }, { "M", SR_M }, { "S", SR_S }, { "T0", SR_T0 }, { "T1", SR_T1 }, { NULL, 0 }
};

enum {
    N_PC = 16, N_SR, N_USP, N_ISP, N_MSP, N_VBR, N_SFC, N_DFC, N_CACR, N_TC, N_URP, N_SRP,
    N_ITT0, N_ITT1, N_DTT0, N_DTT1, N_FPCR, N_FPSR, N_FPIAR, N_NUM
};
_Static_assert(N_NUM == M68K_NUM_REGS, "the table and its size");

const CpuRegInfo m68k_reg_info[M68K_NUM_REGS] = {
    { "d0", 32, NULL }, { "d1", 32, NULL }, { "d2", 32, NULL }, { "d3", 32, NULL },
    { "d4", 32, NULL }, { "d5", 32, NULL }, { "d6", 32, NULL }, { "d7", 32, NULL },
    { "a0", 32, NULL }, { "a1", 32, NULL }, { "a2", 32, NULL }, { "a3", 32, NULL },
    { "a4", 32, NULL }, { "a5", 32, NULL }, { "a6", 32, NULL }, { "a7", 32, NULL },
    [N_PC] = { "pc", 32, NULL }, { "sr", 16, sr_bits }, { "usp", 32, NULL }, { "isp", 32, NULL },
    { "msp", 32, NULL }, { "vbr", 32, NULL }, { "sfc", 8, NULL }, { "dfc", 8, NULL },
    { "cacr", 32, NULL }, { "tc", 32, NULL }, { "urp", 32, NULL }, { "srp", 32, NULL },
    { "itt0", 32, NULL }, { "itt1", 32, NULL }, { "dtt0", 32, NULL }, { "dtt1", 32, NULL },
    { "fpcr", 32, NULL }, { "fpsr", 32, NULL }, { "fpiar", 32, NULL },
};

static uint32_t sp_of(const M68kState *s, uint32_t sr, uint32_t waiting)
{
    return m68k_banked_sp((M68kState *)s, s->sr) == m68k_banked_sp((M68kState *)s, sr)
           ? (uint32_t)s->a[7] : waiting;
}

bool m68k_get_reg(CPUState *cpu, unsigned n, uint64_t *value)
{
    M68kState *s = M68K_CPU(cpu)->env;

    switch (n) {
    case 0 ... 7: *value = s->d[n]; return true;
    case 8 ... 15: *value = s->a[n - 8]; return true;
    case N_PC: *value = s->tcg.pc; return true;
    case N_SR: *value = m68k_get_sr(s); return true;
    case N_USP: *value = sp_of(s, 0, s->usp); return true;
    case N_ISP: *value = sp_of(s, SR_S, s->isp); return true;
    case N_MSP: *value = sp_of(s, SR_S | SR_M, s->msp); return true;
    case N_VBR: *value = s->vbr; return true;
    case N_SFC: *value = s->sfc; return true;
    case N_DFC: *value = s->dfc; return true;
    case N_CACR: *value = s->cacr; return true;
    case N_TC: *value = s->tc; return true;
    case N_URP: *value = s->urp; return true;
    case N_SRP: *value = s->srp; return true;
    case N_ITT0: case N_ITT1: *value = s->itt[n - N_ITT0]; return true;
    case N_DTT0: case N_DTT1: *value = s->dtt[n - N_DTT0]; return true;
    case N_FPCR: *value = s->fpcr; return true;
    case N_FPSR: *value = m68k_fp_fpsr(s); return true;
    case N_FPIAR: *value = s->fpiar; return true;
    default: return false;
    }
}

bool m68k_set_reg(CPUState *cpu, unsigned n, uint64_t value)
{
    M68kState *s = M68K_CPU(cpu)->env;

    if (n < 8) {
        s->d[n] = (uint32_t)value;
    } else if (n < 16) {
        s->a[n - 8] = (uint32_t)value;
    } else if (n == N_PC) {
        s->tcg.pc = (uint32_t)value;
    } else if (n == N_SR) {
        m68k_set_sr(s, (uint32_t)value);
    } else {
        return false;
    }
    m68k_mode_sync(s);
    return true;
}

/* ------------------------------------------------------------------------- gdb */

/* "org.gnu.gdb.m68k.core": D0-D7, A0-A7, PS, PC; FP0-FP7, FPCR, FPSR, FPIAR. */
enum { GDB_PS = 16, GDB_PC, GDB_FP0, GDB_FPCR = GDB_FP0 + 8, GDB_NUM = GDB_FPCR + 3 };

static char *core_xml(void)
{
    GString *x = g_string_new("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
                              "<target><architecture>m68k</architecture>\n"
                              "<feature name=\"org.gnu.gdb.m68k.core\">\n");
    static const char *const a_names[] = { "a0", "a1", "a2", "a3", "a4", "a5", "fp", "sp" };
    static const char *const fp_ctl[] = { "fpcontrol", "fpstatus", "fpiaddr" };

    for (unsigned i = 0; i < 8; i++) {
        g_string_append_printf(x, "<reg name=\"d%u\" bitsize=\"32\"/>\n", i);
    }
    for (unsigned i = 0; i < 8; i++) {
        g_string_append_printf(x, "<reg name=\"%s\" bitsize=\"32\" type=\"data_ptr\"/>\n", a_names[i]);
    }
    g_string_append(x, "<reg name=\"ps\" bitsize=\"32\"/>\n"
                       "<reg name=\"pc\" bitsize=\"32\" type=\"code_ptr\"/>\n");
    for (unsigned i = 0; i < 8; i++) {
        g_string_append_printf(x, "<reg name=\"fp%u\" bitsize=\"96\" type=\"m68881_ext\"/>\n", i);
    }
    for (unsigned i = 0; i < 3; i++) {
        g_string_append_printf(x, "<reg name=\"%s\" bitsize=\"32\"/>\n", fp_ctl[i]);
    }
    g_string_append(x, "</feature></target>\n");
    return g_string_free(x, FALSE);
}

/* Made once, when a debugger first asks. */
const char *m68k_gdb_xml(UNUSED TcgEnv *env, const char *annex)
{
    static char *text;

    if (strcmp(annex, "target.xml")) {
        return NULL;
    }
    if (!text) {
        text = core_xml();
    }
    return text;
}

static uint32_t *gdb_fp_ctl(M68kState *s, unsigned n)
{
    return n == GDB_FPCR ? &s->fpcr : n == GDB_FPCR + 1 ? &s->fpsr : &s->fpiar;
}

unsigned m68k_gdb_read(TcgEnv *env, unsigned n, uint8_t *buf)
{
    M68kState *s = m68k_state(env);

    if (n < GDB_FP0) {
        store_be32(buf, (uint32_t)(n < 8 ? s->d[n] : n < 16 ? s->a[n - 8] :
                                   n == GDB_PS ? m68k_get_sr(s) : env->pc));
        return 4;
    } else if (n < GDB_FPCR) {
        m68k_fp_need(s, n - GDB_FP0);
        store_be16(buf, s->fp[n - GDB_FP0].se);
        store_be16(buf + 2, 0);
        store_be64(buf + 4, s->fp[n - GDB_FP0].m);
        return 12;
    } else if (n < GDB_NUM) {
        m68k_fp_status(s);
        store_be32(buf, *gdb_fp_ctl(s, n));
        return 4;
    }
    return 0;
}

unsigned m68k_gdb_write(TcgEnv *env, unsigned n, const uint8_t *buf)
{
    M68kState *s = m68k_state(env);

    if (n < GDB_FP0) {
        uint32_t v = load_be32(buf);

        if (n < 8) {
            s->d[n] = v;
        } else if (n < 16) {
            s->a[n - 8] = v;
        } else if (n == GDB_PS) {
            m68k_set_sr(s, v);
        } else {
            env->pc = v;
        }
        m68k_mode_sync(s);
        return 4;
    } else if (n < GDB_FPCR) {
        s->fp[n - GDB_FP0] = (F80){ load_be64(buf + 4), load_be16(buf) };
        s->fptag[n - GDB_FP0] = 0;
        return 12;
    } else if (n < GDB_NUM) {
        m68k_fp_fpsr(s);
        *gdb_fp_ctl(s, n) = load_be32(buf);
        m68k_fp_mode(s);
        return 4;
    }
    return 0;
}

/* ---------------------------------------------------------------- info registers */

char *m68k_dump(TcgEnv *env)
{
    M68kState *s = m68k_state(env);
    uint32_t sr = m68k_get_sr(s);
    GString *x = g_string_new(NULL);

    m68k_fp_settle(s);
    for (unsigned i = 0; i < 8; i++) {
        g_string_append_printf(x, "D%u = %08x   A%u = %08x   F%u = %04x %016" PRIx64 "\n", i,
                               (uint32_t)s->d[i], i, (uint32_t)s->a[i], i, s->fp[i].se, s->fp[i].m);
    }
    g_string_append_printf(x, "PC = %08x   SR = %04x T:%x I:%x %c%c %c%c%c%c%c\n", (uint32_t)env->pc,
                           sr, sr >> 14, sr >> 8 & 7, sr & SR_S ? 'S' : 'U', sr & SR_M ? 'M' : 'I',
                           sr & CCR_X ? 'X' : '-', sr & CCR_N ? 'N' : '-', sr & CCR_Z ? 'Z' : '-',
                           sr & CCR_V ? 'V' : '-', sr & CCR_C ? 'C' : '-');
    g_string_append_printf(x, "FPSR = %08x FPCR = %08x FPIAR = %08x\n", s->fpsr, s->fpcr, s->fpiar);
    g_string_append_printf(x, "USP = %08x ISP = %08x MSP = %08x VBR = %08x SFC = %x DFC = %x CACR = %08x\n",
                           sp_of(s, 0, s->usp), sp_of(s, SR_S, s->isp), sp_of(s, SR_S | SR_M, s->msp),
                           s->vbr, s->sfc, s->dfc, s->cacr);
    if (m68k_has(s, M68K_030)) {
        g_string_append_printf(x, "TC = %08x CRP = %016" PRIx64 " SRP = %016" PRIx64
                               " TT0/1 = %08x %08x MMUSR = %04x\n", s->tc, s->crp64, s->srp64,
                               s->tt[0], s->tt[1], s->mmusr);
    } else if (m68k_has(s, M68K_MMU)) {
        g_string_append_printf(x, "TCR = %08x SRP = %08x URP = %08x MMUSR = %08x\n"
                               "DTTR0/1 = %08x/%08x ITTR0/1 = %08x/%08x\n", s->tc, s->srp, s->urp,
                               s->mmusr, s->dtt[0], s->dtt[1], s->itt[0], s->itt[1]);
    }
    return g_string_free(x, FALSE);
}
