/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs short pieces of x86 user code in the emulator and on the host CPU, from the
 * same state in the same (linear) memory, so that tests can compare.
 *
 * Memory, at the same linear addresses in both: code at XH_CODE (XH_CODE_SIZE, readable),
 * data at XH_DATA (XH_DATA_SIZE); all around is unmapped. Code runs at CPL 3, paging on, flat
 * segments, 64-bit or 32-bit (compatibility mode), up to its first exception; end it with
 * UD2 where nothing else raises. 16-bit code has segments of 64 KiB and XH_DATA_SIZE at
 * XH_CODE (CS) and XH_DATA (DS, ES, SS, with a 16-bit stack); its RIP starts from 0. @bits 86 is
 * virtual-8086 mode without paging, in the emulator alone: CS, and the others, are segments of
 * 64 KiB with code and data at their beginning; CR4.VME and IOPL are the caller's.
 */
#ifndef TESTS_LIB_X86_HARNESS_H
#define TESTS_LIB_X86_HARNESS_H

#include "target/i386/cpu.h"

#define XH_CODE         UINT64_C(0x10000000)
#define XH_CODE_SIZE    0x4000
#define XH_DATA         UINT64_C(0x10010000)
#define XH_DATA_SIZE    0x4000
#define XH_REAL_SIZE    0x120000

typedef struct XhState {
    /* In and out. */
    unsigned bits;              /* 64, 32, 16, or 86 */
    uint64_t cr4;               /* 86: bits to be set */
    bool exec_data;             /* the host may execute the data (the emulator does anyway) */
    uint64_t regs[16], rip, eflags;
    uint8_t fx[512] __attribute__((aligned(16)));   /* FXSAVE image */
    uint8_t ymmh[16][16];       /* upper halves of the YMM registers, if the host has AVX */
    uint8_t data[XH_DATA_SIZE];
    /* Out. */
    int vector;                 /* of the exception that ended it */
    uint64_t cr2;               /* for #PF */
    uint32_t error;             /* for #PF, #GP ... */
} XhState;

/* All zero but for RIP = XH_CODE, EFLAGS, and a sane FP state. */
void xh_state_init(XhState *st, unsigned bits);

typedef struct Xh Xh;
/* One at a time in a process; all features of the CPU are on. NULL: can't be made. */
Xh *xh_new(const TcgBackend *be);
X86State *xh_cpu(Xh *h);
/* Map page @page of the data area to where page @to of it is; flushes nothing. */
void xh_map_data(Xh *h, unsigned page, unsigned to, bool global);
/* From state @in with @code at its RIP, in the code area (cut to it). */
void xh_run(Xh *h, const uint8_t *code, size_t n, const XhState *in, XhState *out);

/* A CPU of the type @type, fresh from reset (real mode), with XH_REAL_SIZE bytes of RAM and nothing else; the exceptions
 * are the guest's. After writing code to the RAM, tell it. */
Xh *xh_new_real(const TcgBackend *be, const char *type);
uint8_t *xh_ram(Xh *h);
void xh_forget(Xh *h, uint32_t addr, uint32_t n);
/* One instruction, or as much of it as there is before its exception, whose handler is entered. */
void xh_step(Xh *h);

/* On the host; false if it can't (another architecture, no 32-bit code). */
bool xh_native(const uint8_t *code, size_t n, const XhState *in, XhState *out);

/* What differs, one line each, to @buf; true if nothing does. @flags: EFLAGS bits
 * to be compared; @fx: compare the FXSAVE image and YMM registers too. */
bool xh_same(const XhState *a, const XhState *b, uint32_t flags, bool fx, char *buf, size_t size);

#endif
