/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System management mode: entry, the state save area, RSM.
 *
 * A processor with long mode uses the AMD64 layout (APM vol. 2, table 10-1;
 * revision 0x20064), one without the legacy layout (SDM 3C table 31-1;
 * revision 0x20000). Both offer SMBASE relocation; I/O restart is not
 * offered. What the documents call reserved holds the descriptor caches in
 * the legacy layout.
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "util/bswap.h"
#include "util/log.h"

#define AREA_BASE   0xfe00      /* offset from SMBASE */
#define AREA_SIZE   0x200
#define REV_AMD64   0x00020064
#define REV_LEGACY  0x00020000

typedef struct Area {
    uint8_t b[AREA_SIZE];
} Area;

static void put16(Area *a, unsigned off, uint16_t v) { store_le16(a->b + (off - AREA_BASE), v); }
static void put32(Area *a, unsigned off, uint32_t v) { store_le32(a->b + (off - AREA_BASE), v); }
static void put64(Area *a, unsigned off, uint64_t v) { store_le64(a->b + (off - AREA_BASE), v); }
static uint16_t get16(const Area *a, unsigned off) { return load_le16(a->b + (off - AREA_BASE)); }
static uint32_t get32(const Area *a, unsigned off) { return load_le32(a->b + (off - AREA_BASE)); }
static uint64_t get64(const Area *a, unsigned off) { return load_le64(a->b + (off - AREA_BASE)); }

/* Where the AMD64 layout has the segment registers; limit at +4, base at +8. */
static const struct { uint8_t seg; uint16_t off; } seg64[] = {
    { S_ES, 0xfe00 }, { S_CS, 0xfe10 }, { S_SS, 0xfe20 }, { S_DS, 0xfe30 },
    { S_FS, 0xfe40 }, { S_GS, 0xfe50 }, { S_LDT, 0xfe70 }, { S_TR, 0xfe90 },
};

/* Without it the save area has no place for EFER, which may have NXE then: it stays as it is. */
static bool has_long_mode(const X86State *s)
{
    return x86_has(s, FEAT_8000_0001_EDX, 29);
}

static void save_amd64(const X86State *s, Area *a, uint32_t eflags, bool halted)
{
    for (size_t i = 0; i < ARRAY_SIZE(seg64); i++) {
        const X86Segment *sg = &s->seg[seg64[i].seg];

        put16(a, seg64[i].off, sg->selector);
        /* Attributes: bits 8..15 and 20..23 of the descriptor, side by side. */
        put16(a, seg64[i].off + 2, (sg->flags >> 8 & 0xff) | (sg->flags >> 12 & 0xf00));
        put32(a, seg64[i].off + 4, sg->limit);
        put64(a, seg64[i].off + 8, sg->base);
    }
    put32(a, 0xfe64, s->gdt.limit);
    put64(a, 0xfe68, s->gdt.base);
    put32(a, 0xfe84, s->idt.limit);
    put64(a, 0xfe88, s->idt.base);
    a->b[0xfec9 - AREA_BASE] = halted;
    put64(a, 0xfed0, s->efer);
    put32(a, 0xfefc, REV_AMD64);
    put32(a, 0xff00, s->smbase);
    put64(a, 0xff48, s->cr[4]);
    put64(a, 0xff50, s->cr[3]);
    put64(a, 0xff58, s->cr[0]);
    put64(a, 0xff60, s->dr[7]);
    put64(a, 0xff68, s->dr[6]);
    put64(a, 0xff70, eflags);
    put64(a, 0xff78, s->tcg.pc);
    for (unsigned i = 8; i < 16; i++) {
        put64(a, 0xff80 + (15 - i) * 8, s->regs[i]);
    }
    put64(a, 0xffc0, s->regs[R_DI]);
    put64(a, 0xffc8, s->regs[R_SI]);
    put64(a, 0xffd0, s->regs[R_BP]);
    put64(a, 0xffd8, s->regs[R_SP]);
    put64(a, 0xffe0, s->regs[R_BX]);
    put64(a, 0xffe8, s->regs[R_DX]);
    put64(a, 0xfff0, s->regs[R_CX]);
    put64(a, 0xfff8, s->regs[R_AX]);
}

static void load_amd64(X86State *s, const Area *a)
{
    uint64_t cr0 = get64(a, 0xff58), cr4 = get64(a, 0xff48);
    uint64_t efer = get64(a, 0xfed0);
    uint32_t eflags = get64(a, 0xff70);

    for (size_t i = 0; i < ARRAY_SIZE(seg64); i++) {
        X86Segment *sg = &s->seg[seg64[i].seg];
        uint16_t attr = get16(a, seg64[i].off + 2);

        sg->selector = get16(a, seg64[i].off);
        sg->flags = (uint32_t)(attr & 0xff) << 8 | (uint32_t)(attr & 0xf00) << 12;
        sg->limit = get32(a, seg64[i].off + 4);
        sg->base = get64(a, seg64[i].off + 8);
    }
    s->gdt.limit = get32(a, 0xfe64);
    s->gdt.base = get64(a, 0xfe68);
    s->idt.limit = get32(a, 0xfe84);
    s->idt.base = get64(a, 0xfe88);
    s->smbase = get32(a, 0xff00);
    s->efer = efer & (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR);
    s->cr[4] = cr4;
    s->cr[3] = get64(a, 0xff50);
    s->cr[0] = cr0 | CR0_ET;
    s->dr[7] = get64(a, 0xff60);
    s->dr[6] = get64(a, 0xff68);
    x86_set_eflags(s, eflags | FL_1);
    s->tcg.pc = get64(a, 0xff78);
    for (unsigned i = 8; i < 16; i++) {
        s->regs[i] = get64(a, 0xff80 + (15 - i) * 8);
    }
    s->regs[R_DI] = get64(a, 0xffc0);
    s->regs[R_SI] = get64(a, 0xffc8);
    s->regs[R_BP] = get64(a, 0xffd0);
    s->regs[R_SP] = get64(a, 0xffd8);
    s->regs[R_BX] = get64(a, 0xffe0);
    s->regs[R_DX] = get64(a, 0xffe8);
    s->regs[R_CX] = get64(a, 0xfff0);
    s->regs[R_AX] = get64(a, 0xfff8);
}

/* Selectors of the legacy layout, and our places for the caches (12 bytes each). */
static const struct { uint8_t seg; uint16_t off; } seg32[] = {
    { S_ES, 0xffa8 }, { S_CS, 0xffac }, { S_SS, 0xffb0 }, { S_DS, 0xffb4 },
    { S_FS, 0xffb8 }, { S_GS, 0xffbc }, { S_LDT, 0xffc0 }, { S_TR, 0xffc4 },
};
#define CACHE32(i)  (0xff08 + (i) * 12)

static void save_legacy(const X86State *s, Area *a, uint32_t eflags, bool halted)
{
    static const uint8_t order[] = { R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI };

    put32(a, 0xfffc, s->cr[0]);
    put32(a, 0xfff8, s->cr[3]);
    put32(a, 0xfff4, eflags);
    put32(a, 0xfff0, s->tcg.pc);
    for (unsigned i = 0; i < 8; i++) {
        put32(a, 0xffd0 + i * 4, s->regs[order[i]]);
    }
    put32(a, 0xffcc, s->dr[6]);
    put32(a, 0xffc8, s->dr[7]);
    for (unsigned i = 0; i < ARRAY_SIZE(seg32); i++) {
        const X86Segment *sg = &s->seg[seg32[i].seg];

        put32(a, seg32[i].off, sg->selector);
        put32(a, CACHE32(i), sg->flags);
        put32(a, CACHE32(i) + 4, sg->base);
        put32(a, CACHE32(i) + 8, sg->limit);
    }
    put32(a, 0xff68, s->gdt.base);
    put32(a, 0xff6c, s->gdt.limit);
    put32(a, 0xff70, s->idt.base);
    put32(a, 0xff74, s->idt.limit);
    put32(a, 0xff78, s->cr[4]);
    put16(a, 0xff02, halted);
    put32(a, 0xfefc, REV_LEGACY);
    put32(a, 0xfef8, s->smbase);
}

static void load_legacy(X86State *s, const Area *a)
{
    static const uint8_t order[] = { R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI };

    s->cr[0] = get32(a, 0xfffc) | CR0_ET;
    s->cr[3] = get32(a, 0xfff8);
    s->cr[4] = get32(a, 0xff78);
    x86_set_eflags(s, get32(a, 0xfff4) | FL_1);
    s->tcg.pc = get32(a, 0xfff0);
    for (unsigned i = 0; i < 8; i++) {
        s->regs[order[i]] = get32(a, 0xffd0 + i * 4);
    }
    s->dr[6] = get32(a, 0xffcc);
    s->dr[7] = get32(a, 0xffc8);
    for (unsigned i = 0; i < ARRAY_SIZE(seg32); i++) {
        X86Segment *sg = &s->seg[seg32[i].seg];

        sg->selector = get32(a, seg32[i].off);
        sg->flags = get32(a, CACHE32(i)) & 0x00f0ff00;
        sg->base = get32(a, CACHE32(i) + 4);
        sg->limit = get32(a, CACHE32(i) + 8);
    }
    s->gdt.base = get32(a, 0xff68);
    s->gdt.limit = get32(a, 0xff6c);
    s->idt.base = get32(a, 0xff70);
    s->idt.limit = get32(a, 0xff74);
    s->efer = has_long_mode(s) ? 0 : s->efer;
    s->smbase = get32(a, 0xfef8);
}

static void set_smm(X86State *s, bool on)
{
    s->smm = on;
    s->tcg.as_index = on;
    tcg_tlb_flush(&s->tcg);
}

void x86_enter_smm(X86State *s)
{
    CPUState *cpu = s->tcg.cpu;
    uint32_t eflags = x86_get_eflags(s);
    bool halted = s->in_hlt;
    Area a;

    log_printf(LOG_INT, "SMI: enter SMM, smbase %08" PRIx64 " pc %016" PRIx64 "\n", s->smbase,
               s->tcg.pc);
    set_smm(s, true);
    s->smi_count++;
    memset(&a, 0, sizeof(a));
    if (has_long_mode(s)) {
        save_amd64(s, &a, eflags, halted);
    } else {
        save_legacy(s, &a, eflags, halted);
    }
    if (!tcg_phys_st(&s->tcg, s->smbase + AREA_BASE, a.b, sizeof(a.b))) {
        log_guest_error("cpu", "nothing answers at the SMM save area %08" PRIx64, s->smbase);
    }
    cpu->halted = false;
    s->in_hlt = s->shutdown = false;
    /* Blocked until an IRET; RSM restores what was before (SDM 3C 31.8). */
    s->smm_nmi_masked = s->nmi_masked;
    s->nmi_masked = true;
    s->int_shadow = false;
    s->efer = has_long_mode(s) ? 0 : s->efer;
    s->cr[0] &= ~(uint64_t)(CR0_PE | CR0_EM | CR0_TS | CR0_PG);
    s->cr[4] = 0;
    s->dr[7] = 0x400;
    x86_set_eflags(s, FL_1);
    for (int i = S_ES; i <= S_GS; i++) {
        s->seg[i] = (X86Segment){
            .limit = UINT32_MAX, .flags = SEG_P | SEG_S | SEG_RW | SEG_ACCESSED | SEG_G,
        };
    }
    s->seg[S_CS].selector = s->smbase >> 4;
    s->seg[S_CS].base = s->smbase;
    s->tcg.pc = 0x8000;
    x86_set_cpl(s, 0);
    x86_mode_sync(s);
}

void x86_rsm(X86State *s)
{
    uint32_t rev;
    bool halted;
    Area a;

    if (!s->smm) {
        x86_raise(s, EXCP_UD);
    }
    if (!tcg_phys_ld(&s->tcg, s->smbase + AREA_BASE, a.b, sizeof(a.b))) {
        memset(&a, 0xff, sizeof(a));
    }
    rev = get32(&a, 0xfefc);
    if (rev == REV_AMD64) {
        load_amd64(s, &a);
        halted = a.b[0xfec9 - AREA_BASE] & 1;
    } else {
        if (rev != REV_LEGACY) {
            log_guest_error("cpu", "RSM: revision %08x in the save area", rev);
        }
        load_legacy(s, &a);
        halted = get16(&a, 0xff02) & 1;
    }
    s->nmi_masked = s->smm_nmi_masked;
    set_smm(s, false);
    if (!(s->cr[0] & CR0_PE)) {
        x86_set_cpl(s, 0);
    } else {
        x86_set_cpl(s, s->eflags & FL_VM ? 3 : desc_dpl(s->seg[S_SS].flags));
        if (!(s->seg[S_SS].flags & SEG_P)) {            /* null SS of 64-bit code */
            x86_set_cpl(s, s->seg[S_CS].selector & 3);
        }
    }
    if (halted) {                               /* auto-halt restart: HLT is one byte */
        s->tcg.pc--;
    }
    log_printf(LOG_INT, "RSM: to %04x:%016" PRIx64 "\n", s->seg[S_CS].selector, s->tcg.pc);
    x86_mode_sync(s);
}
