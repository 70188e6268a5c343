/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers for people and tools: by name, as gdb's target description has
 * them, and "info registers".
 */
#include "util/osdep.h"
#include <glib.h>
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "hw/core/regs.h"
#include "util/bswap.h"

static const RegFlag eflags_bits[] = {
    { "CF", FL_CF }, { "PF", FL_PF }, { "AF", FL_AF }, { "ZF", FL_ZF }, { "SF", FL_SF },
    { "TF", FL_TF }, { "IF", FL_IF }, { "DF", FL_DF }, { "OF", FL_OF }, { "IOPL", FL_IOPL },
    { "NT", FL_NT }, { "RF", FL_RF }, { "VM", FL_VM }, { "AC", FL_AC }, { "VIF", FL_VIF },
    { "VIP", FL_VIP }, { "ID", FL_ID }, { NULL, 0 }
};
static const RegFlag cr0_bits[] = {
    { "PE", CR0_PE }, { "MP", CR0_MP }, { "EM", CR0_EM }, { "TS", CR0_TS }, { "ET", CR0_ET },
    { "NE", CR0_NE }, { "WP", CR0_WP }, { "AM", CR0_AM }, { "NW", CR0_NW }, { "CD", CR0_CD },
    { "PG", CR0_PG }, { NULL, 0 }
};
static const RegFlag cr4_bits[] = {
    { "VME", CR4_VME }, { "PVI", CR4_PVI }, { "TSD", CR4_TSD }, { "DE", CR4_DE },
    { "PSE", CR4_PSE }, { "PAE", CR4_PAE }, { "MCE", CR4_MCE }, { "PGE", CR4_PGE },
    { "PCE", CR4_PCE }, { "OSFXSR", CR4_OSFXSR }, { "OSXMMEXCPT", CR4_OSXMMEXCPT },
    { "UMIP", CR4_UMIP }, { "FSGSBASE", CR4_FSGSBASE }, { "PCIDE", CR4_PCIDE },
    { "OSXSAVE", CR4_OSXSAVE }, { "SMEP", CR4_SMEP }, { "SMAP", CR4_SMAP }, { NULL, 0 }
};
static const RegFlag efer_bits[] = {
    { "SCE", EFER_SCE }, { "LME", EFER_LME }, { "LMA", EFER_LMA }, { "NXE", EFER_NXE },
    { NULL, 0 }
};

enum {
    N_RIP = 16, N_EFLAGS, N_SEL, N_BASE = N_SEL + 6, N_GDT = N_BASE + 6, N_GDT_LIMIT, N_IDT,
    N_IDT_LIMIT, N_LDTR, N_TR, N_TR_BASE, N_CR0, N_CR2, N_CR3, N_CR4, N_CR8, N_EFER, N_DR6,
    N_DR7, N_MXCSR, N_FCTRL, N_NUM
};
_Static_assert(N_NUM == X86_NUM_REGS, "the table and its size");

const CpuRegInfo x86_reg_info[X86_NUM_REGS] = {
    { "rax", 64, NULL }, { "rcx", 64, NULL }, { "rdx", 64, NULL }, { "rbx", 64, NULL },
    { "rsp", 64, NULL }, { "rbp", 64, NULL }, { "rsi", 64, NULL }, { "rdi", 64, NULL },
    { "r8", 64, NULL }, { "r9", 64, NULL }, { "r10", 64, NULL }, { "r11", 64, NULL },
    { "r12", 64, NULL }, { "r13", 64, NULL }, { "r14", 64, NULL }, { "r15", 64, NULL },
    [N_RIP] = { "rip", 64, NULL }, { "eflags", 32, eflags_bits },
    [N_SEL] = { "es", 16, NULL }, { "cs", 16, NULL }, { "ss", 16, NULL }, { "ds", 16, NULL },
    { "fs", 16, NULL }, { "gs", 16, NULL },
    [N_BASE] = { "es_base", 64, NULL }, { "cs_base", 64, NULL }, { "ss_base", 64, NULL },
    { "ds_base", 64, NULL }, { "fs_base", 64, NULL }, { "gs_base", 64, NULL },
    [N_GDT] = { "gdtr_base", 64, NULL }, { "gdtr_limit", 16, NULL }, { "idtr_base", 64, NULL },
    { "idtr_limit", 16, NULL }, { "ldtr", 16, NULL }, { "tr", 16, NULL },
    { "tr_base", 64, NULL }, { "cr0", 64, cr0_bits }, { "cr2", 64, NULL }, { "cr3", 64, NULL },
    { "cr4", 64, cr4_bits }, { "cr8", 64, NULL }, { "efer", 64, efer_bits },
    { "dr6", 64, NULL }, { "dr7", 64, NULL }, { "mxcsr", 32, NULL }, { "fctrl", 16, NULL },
};

/* Control registers change the whole machine: debuggers only read them. */
static uint64_t *reg_place(X86State *s, unsigned n)
{
    switch (n) {
    case 0 ... 15: return &s->regs[n];
    case N_RIP: return &s->tcg.pc;
    case N_BASE ... N_BASE + 5: return &s->seg[n - N_BASE].base;
    case N_GDT: return &s->gdt.base;
    case N_IDT: return &s->idt.base;
    case N_TR_BASE: return &s->seg[S_TR].base;
    case N_CR0: return &s->cr[0];
    case N_CR2: return &s->cr[2];
    case N_CR3: return &s->cr[3];
    case N_CR4: return &s->cr[4];
    case N_EFER: return &s->efer;
    case N_DR6: return &s->dr[6];
    case N_DR7: return &s->dr[7];
    default: return NULL;
    }
}

bool x86_get_reg(CPUState *cpu, unsigned n, uint64_t *value)
{
    X86State *s = X86_CPU(cpu)->env;
    const uint64_t *p = reg_place(s, n);

    if (p) {
        *value = *p;
        return true;
    }
    switch (n) {
    case N_EFLAGS: *value = x86_get_eflags(s); return true;
    case N_SEL ... N_SEL + 5: *value = s->seg[n - N_SEL].selector; return true;
    case N_GDT_LIMIT: *value = s->gdt.limit; return true;
    case N_IDT_LIMIT: *value = s->idt.limit; return true;
    case N_LDTR: *value = s->seg[S_LDT].selector; return true;
    case N_TR: *value = s->seg[S_TR].selector; return true;
    case N_CR8: *value = x86_get_cr8(s); return true;
    case N_MXCSR: *value = s->mxcsr; return true;
    case N_FCTRL: *value = s->fpu_fcw; return true;
    default: return false;
    }
}

bool x86_set_reg(CPUState *cpu, unsigned n, uint64_t value)
{
    X86State *s = X86_CPU(cpu)->env;

    if (n <= N_RIP || (n >= N_BASE && n <= N_BASE + 5)) {
        *reg_place(s, n) = value;
    } else if (n == N_EFLAGS) {
        x86_set_eflags(s, (uint32_t)value | FL_1);
    } else {
        return false;
    }
    x86_mode_sync(s);
    return true;
}

/* ---------------------------------------------------------------------- gdb */

/* gdb's order of the general registers, as ours are numbered. */
static const uint8_t gdb_order64[16] = {
    R_AX, R_BX, R_CX, R_DX, R_SI, R_DI, R_BP, R_SP, R_8, R_9, R_10, R_11, R_12, R_13, R_14, R_15,
};
static const uint8_t gdb_order32[8] = {
    R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI,
};
static const uint8_t gdb_seg[6] = { S_CS, S_SS, S_DS, S_ES, S_FS, S_GS };
static const char *const gdb_seg_name[6] = { "cs", "ss", "ds", "es", "fs", "gs" };
static const char *const gdb_fpu_name[8] = {
    "fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop",
};
static const char *const gdb_ctl_name[6] = { "cr0", "cr2", "cr3", "cr4", "cr8", "efer" };

/* The numbering of one width. */
typedef struct Layout {
    bool wide;
    unsigned gpr, pc, flags, seg, st, fpu, xmm, n_xmm, mxcsr, base, ctl, num;
} Layout;
static const Layout layout64 = { true, 16, 16, 17, 18, 24, 32, 40, 16, 56, 57, 60, 66 };
static const Layout layout32 = { false, 8, 8, 9, 10, 16, 24, 32, 8, 40, 41, 41, 47 };

static const Layout *layout_of(const TcgEnv *env)
{
    return env->cpu && X86_CPU(env->cpu)->is_i386 ? &layout32 : &layout64;
}

static void reg_xml(GString *x, const char *name, unsigned bits, const char *type, unsigned n)
{
    g_string_append_printf(x, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"/>\n",
                           name, bits, type, n);
}

static const char vec_types[] =
    "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>\n"
    "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>\n"
    "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>\n"
    "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>\n"
    "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>\n"
    "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>\n"
    "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
    "<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
    "<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
    "<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/>"
    "</union>\n";

/* The features are those of the GDB manual, "i386 Features". */
static char *core_xml(const Layout *l)
{
    GString *x = g_string_new("<?xml version=\"1.0\"?>\n"
                              "<!DOCTYPE feature SYSTEM \"gdb-target.dtd\">\n"
                              "<feature name=\"org.gnu.gdb.i386.core\">\n"
                              "<flags id=\"i386_eflags\" size=\"4\">\n");
    unsigned bits = l->wide ? 64 : 32;
    const char *word = l->wide ? "int64" : "int32";
    char name[16];

    for (const RegFlag *f = eflags_bits; f->name; f++) {
        unsigned lo = (unsigned)__builtin_ctz(f->mask), hi = 31 - (unsigned)__builtin_clz(f->mask);

        g_string_append_printf(x, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>\n", f->name, lo, hi);
    }
    g_string_append(x, "</flags>\n");
    for (unsigned i = 0; i < l->gpr; i++) {
        const char *full = x86_reg_info[l->wide ? gdb_order64[i] : gdb_order32[i]].name;
        unsigned r = l->wide ? gdb_order64[i] : gdb_order32[i];

        snprintf(name, sizeof(name), "%s%s", l->wide ? "" : "e", l->wide ? full : full + 1);
        reg_xml(x, name, bits, r == R_SP || r == R_BP ? "data_ptr" : word, i);
    }
    reg_xml(x, l->wide ? "rip" : "eip", bits, "code_ptr", l->pc);
    reg_xml(x, "eflags", 32, "i386_eflags", l->flags);
    for (unsigned i = 0; i < 6; i++) {
        reg_xml(x, gdb_seg_name[i], 32, "int32", l->seg + i);
    }
    for (unsigned i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "st%u", i);
        reg_xml(x, name, 80, "i387_ext", l->st + i);
    }
    for (unsigned i = 0; i < 8; i++) {
        reg_xml(x, gdb_fpu_name[i], 32, "int\" group=\"float", l->fpu + i);
    }
    g_string_append(x, "</feature>\n");
    return g_string_free(x, FALSE);
}

static char *sse_xml(const Layout *l)
{
    GString *x = g_string_new("<?xml version=\"1.0\"?>\n"
                              "<!DOCTYPE feature SYSTEM \"gdb-target.dtd\">\n"
                              "<feature name=\"org.gnu.gdb.i386.sse\">\n");
    char name[16];

    g_string_append(x, vec_types);
    for (unsigned i = 0; i < l->n_xmm; i++) {
        snprintf(name, sizeof(name), "xmm%u", i);
        reg_xml(x, name, 128, "vec128", l->xmm + i);
    }
    reg_xml(x, "mxcsr", 32, "int\" group=\"vector", l->mxcsr);
    g_string_append(x, "</feature>\n");
    return g_string_free(x, FALSE);
}

static char *system_xml(const Layout *l)
{
    GString *x = g_string_new("<?xml version=\"1.0\"?>\n"
                              "<!DOCTYPE feature SYSTEM \"gdb-target.dtd\">\n"
                              "<feature name=\"org.qemu-system.i386.system\">\n");

    if (l->wide) {
        reg_xml(x, "fs_base", 64, "int64", l->base);
        reg_xml(x, "gs_base", 64, "int64", l->base + 1);
        reg_xml(x, "k_gs_base", 64, "int64", l->base + 2);
    }
    for (unsigned i = 0; i < 6; i++) {
        reg_xml(x, gdb_ctl_name[i], l->wide ? 64 : 32, l->wide ? "int64" : "int32", l->ctl + i);
    }
    g_string_append(x, "</feature>\n");
    return g_string_free(x, FALSE);
}

/* Texts that need making are made once, when a debugger first asks. */
const char *x86_gdb_xml(TcgEnv *env, const char *annex)
{
    static char *texts[2][3];
    static char *target[2];
    const Layout *l = layout_of(env);

    if (!strcmp(annex, "target.xml")) {
        if (!target[l->wide]) {
            target[l->wide] = g_strdup_printf(
                "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
                "<target><architecture>%s</architecture>\n"
                "<xi:include href=\"core.xml\"/><xi:include href=\"sse.xml\"/>"
                "<xi:include href=\"system.xml\"/></target>\n",
                l->wide ? "i386:x86-64" : "i386");
        }
        return target[l->wide];
    }
    if (!texts[l->wide][0]) {
        texts[l->wide][1] = sse_xml(l);
        texts[l->wide][2] = system_xml(l);
        texts[l->wide][0] = core_xml(l);
    }
    return !strcmp(annex, "core.xml") ? texts[l->wide][0] :
           !strcmp(annex, "sse.xml") ? texts[l->wide][1] :
           !strcmp(annex, "system.xml") ? texts[l->wide][2] : NULL;
}

static unsigned put(uint8_t *buf, uint64_t v, bool wide)
{
    if (wide) {
        store_le64(buf, v);
        return 8;
    }
    store_le32(buf, v);
    return 4;
}

static uint32_t fpu_reg(const X86State *s, unsigned i)
{
    switch (i) {
    case 0: return s->fpu_fcw;
    case 1: return x86_fpu_status(s);
    case 2: return x86_fpu_tag_word(s);
    case 3: return s->fpu_fcs;
    case 4: return s->fpu_fip;
    case 5: return s->fpu_fds;
    case 6: return s->fpu_fdp;
    default: return s->fpu_fop;
    }
}

static uint64_t ctl_reg(X86State *s, unsigned i)
{
    switch (i) {
    case 0: return s->cr[0];
    case 1: return s->cr[2];
    case 2: return s->cr[3];
    case 3: return s->cr[4];
    case 4: return x86_get_cr8(s);
    default: return s->efer;
    }
}

unsigned x86_gdb_read(TcgEnv *env, unsigned n, uint8_t *buf)
{
    X86State *s = x86_state(env);
    const Layout *l = layout_of(env);

    if (n < l->gpr) {
        return put(buf, s->regs[l->wide ? gdb_order64[n] : gdb_order32[n]], l->wide);
    } else if (n == l->pc) {
        return put(buf, env->pc, l->wide);
    } else if (n == l->flags) {
        return put(buf, x86_get_eflags(s), false);
    } else if (n < l->st) {
        return put(buf, s->seg[gdb_seg[n - l->seg]].selector, false);
    } else if (n < l->fpu) {
        const F80 *f = &s->st[(s->fpu_top + n - l->st) & 7];

        store_le64(buf, f->m);
        store_le16(buf + 8, f->se);
        return 10;
    } else if (n < l->xmm) {
        return put(buf, fpu_reg(s, n - l->fpu), false);
    } else if (n < l->mxcsr) {
        memcpy(buf, s->xmm[n - l->xmm], 16);
        return 16;
    } else if (n == l->mxcsr) {
        return put(buf, s->mxcsr, false);
    } else if (n < l->ctl) {
        return put(buf, n == l->base ? s->seg[S_FS].base : n == l->base + 1 ? s->seg[S_GS].base :
                        s->kernel_gs_base, true);
    } else if (n < l->num) {
        return put(buf, ctl_reg(s, n - l->ctl), l->wide);
    }
    return 0;
}

/* A selector from a debugger: with base and limit where the mode has plain ones. */
static void gdb_set_selector(X86State *s, int seg, uint16_t sel)
{
    if (sel != s->seg[seg].selector && !x86_protected(s)) {
        x86_set_segment_real(s, seg, sel);
    }
}

unsigned x86_gdb_write(TcgEnv *env, unsigned n, const uint8_t *buf)
{
    X86State *s = x86_state(env);
    const Layout *l = layout_of(env);
    unsigned word = l->wide ? 8 : 4;
    uint64_t v = l->wide ? load_le64(buf) : load_le32(buf);

    if (n < l->gpr) {
        s->regs[l->wide ? gdb_order64[n] : gdb_order32[n]] = v;
    } else if (n == l->pc) {
        env->pc = v;
    } else if (n == l->flags) {
        x86_set_eflags(s, load_le32(buf) | FL_1);
        word = 4;
    } else if (n < l->st) {
        gdb_set_selector(s, gdb_seg[n - l->seg], load_le32(buf));
        word = 4;
    } else if (n < l->fpu) {
        F80 *f = &s->st[(s->fpu_top + n - l->st) & 7];

        f->m = load_le64(buf);
        f->se = load_le16(buf + 8);
        word = 10;
    } else if (n < l->xmm) {
        word = 4;                       /* accepted: gdb writes all registers back */
    } else if (n < l->mxcsr) {
        memcpy(s->xmm[n - l->xmm], buf, 16);
        word = 16;
    } else if (n == l->mxcsr) {
        s->mxcsr = load_le32(buf) & x86_mxcsr_mask(s);
        x86_fp_update_env(s);
        word = 4;
    } else if (n < l->ctl) {
        *(n == l->base ? &s->seg[S_FS].base : n == l->base + 1 ? &s->seg[S_GS].base :
          &s->kernel_gs_base) = load_le64(buf);
        word = 8;
    } else if (n >= l->num) {
        return 0;
    }
    x86_mode_sync(s);
    return word;
}

/* ---------------------------------------------------------------- info registers */

static void dump_segment(GString *x, const char *name, const X86Segment *sg, bool wide)
{
    g_string_append_printf(x, "%-3s=%04x %0*" PRIx64 " %08x %08x\n", name, sg->selector,
                           wide ? 16 : 8, sg->base, sg->limit, sg->flags);
}

char *x86_dump(TcgEnv *env)
{
    static const char *const seg_names[S_NUM] = {
        "ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR",
    };
    static const char *const reg32[8] = {
        "EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI",
    };
    static const char flag_letters[] = "CPAZSO";
    static const uint16_t flag_masks[] = { FL_CF, FL_PF, FL_AF, FL_ZF, FL_SF, FL_OF };
    X86State *s = x86_state(env);
    const CPUState *cpu = env->cpu;
    bool wide = x86_lma(s);
    uint32_t eflags = x86_get_eflags(s);
    GString *x = g_string_new(NULL);
    int w = wide ? 16 : 8;

    for (unsigned i = 0; i < (wide ? 16u : 8u); i++) {
        char name[16];

        snprintf(name, sizeof(name), wide && i < 8 ? "R%s" : "%s",
                 i < 8 ? reg32[i] + wide : "");
        if (i >= 8) {
            snprintf(name, sizeof(name), "R%u", i);
        }
        g_string_append_printf(x, "%-3s=%0*" PRIx64 "%c", name, w, s->regs[i],
                               i % 4 == 3 ? '\n' : ' ');
    }
    g_string_append_printf(x, "%s=%0*" PRIx64 " %s=%08x [", wide ? "RIP" : "EIP", w, env->pc,
                           wide ? "RFL" : "EFL", eflags);
    g_string_append_c(x, eflags & FL_DF ? 'D' : '-');
    for (int i = 5; i >= 0; i--) {
        g_string_append_c(x, eflags & flag_masks[i] ? flag_letters[i] : '-');
    }
    g_string_append_printf(x, "] CPL=%u II=%d A20=%d SMM=%d HLT=%d\n", s->cpl, s->int_shadow,
                           s->a20_mask >> 20 & 1, s->smm, cpu ? (int)cpu->halted : 0);
    for (unsigned i = 0; i < S_NUM; i++) {
        dump_segment(x, seg_names[i], &s->seg[i], wide);
    }
    g_string_append_printf(x, "GDT=     %0*" PRIx64 " %08x\nIDT=     %0*" PRIx64 " %08x\n", w,
                           s->gdt.base, s->gdt.limit, w, s->idt.base, s->idt.limit);
    g_string_append_printf(x, "CR0=%08" PRIx64 " CR2=%0*" PRIx64 " CR3=%0*" PRIx64
                           " CR4=%08" PRIx64 "\n", s->cr[0], w, s->cr[2], w, s->cr[3], s->cr[4]);
    for (unsigned i = 0; i < 4; i++) {
        g_string_append_printf(x, "DR%u=%016" PRIx64 " ", i, s->dr[i]);
    }
    g_string_append_printf(x, "\nDR6=%016" PRIx64 " DR7=%016" PRIx64 "\nEFER=%016" PRIx64 "\n",
                           s->dr[6], s->dr[7], s->efer);
    g_string_append_printf(x, "FCW=%04x FSW=%04x [ST=%u] FTW=%04x MXCSR=%08x\n", s->fpu_fcw,
                           x86_fpu_status(s), s->fpu_top, x86_fpu_tag_word(s), s->mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        g_string_append_printf(x, "FPR%u=%016" PRIx64 " %04x%c", i, s->st[i].m, s->st[i].se,
                               i & 1 ? '\n' : ' ');
    }
    for (unsigned i = 0; i < (wide ? 16u : 8u); i++) {
        g_string_append_printf(x, "XMM%02u=%016" PRIx64 "%016" PRIx64 "%c", i,
                               load_le64(s->xmm[i] + 8), load_le64(s->xmm[i]), i & 1 ? '\n' : ' ');
    }
    return g_string_free(x, FALSE);
}
