/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest architecture gives to the TCG accelerator: all that the
 * execution loop, the soft MMU, the monitor and the gdb stub know of it. The CPU state of a target is a
 * struct that begins with TcgEnv (tcg/exec.h) and lives inside its CPUState
 * object; functions get the TcgEnv pointer and run on the vCPU's thread, without the big
 * lock unless it says otherwise.
 */
#ifndef ACCEL_TCG_TARGET_OPS_H
#define ACCEL_TCG_TARGET_OPS_H

#include "tcg/exec.h"
#include "hw/core/cpu.h"

typedef enum MmuAccess { MMU_READ, MMU_WRITE, MMU_EXEC } MmuAccess;

/* Result of a page walk: one translation, as the fast TLB will keep it. */
typedef struct MmuResult {
    uint64_t phys;          /* physical address of the page (4 KiB granule) */
    MemAttrs attrs;
    uint8_t prot;           /* 1 << MmuAccess bits that need no new walk; a
                               clean page in a dirty-bit architecture has no write */
    uint64_t page_size;     /* size of the mapping, for flushes by range */
    bool global;
    bool watch;             /* the guest watches bytes of the page: data accesses take the
                               slow path, which calls debug_hit after each */
    uint8_t as_index;       /* CPUState.as[] that @phys is in */
} MmuResult;

/*
 * Where translation stands. The front end fetches code bytes with the tcg_fetch_*
 * functions, which end the region (overflow) rather than touch
 * a third page, and make the exception pending if the first instruction can't
 * be fetched.
 */
typedef struct TcgTranslate {
    IrRegion *ir;
    TcgEnv *env;            /* for tcg_fetch_* only: translation depends on the
                               mode word and the bytes alone */
    uint64_t mode;          /* mode word (low 32 bits) */
    uint64_t pc;            /* virtual PC of the entry, to compute offsets; must
                               not be baked into the code except as IR offsets */
    int32_t entry_offset;   /* of the entry in its physical page */
    unsigned max_insns;     /* region limit; 1: single step or retry */
    bool straight;          /* no branches inside the region */
    const uint64_t *breakpoints; /* virtual PCs, sorted; end before one */
    unsigned n_breakpoints;
    void *priv;             /* accel's fetch state */
    uint32_t bytes;         /* out: guest bytes used, lowest to highest address */
    uint32_t below;         /* of them before the entry, in its page */
} TcgTranslate;

/* PC bias offset of the instruction at virtual PC @pc. */
static inline int64_t tcg_pc_offset(const TcgTranslate *t, uint64_t pc)
{
    return (int64_t)(pc - t->pc) + t->entry_offset;
}

/*
 * Read @n bytes of code at @delta bytes from the entry (modulo 2^32; not before its page). False: some of them are
 * outside the two pages that a region may touch, or can't be fetched: end the
 * region before this instruction. Where it is the region's first instruction,
 * call tcg_fetch_fault(), which raises the guest's exception and doesn't return.
 */
bool tcg_fetch(TcgTranslate *t, uint32_t delta, void *buf, unsigned n);
void tcg_fetch_fault(TcgTranslate *t) NORETURN;

/*
 * Code that is rewritten often isn't watched, but compared with what it was whenever a region of
 * it is entered. A region has either only instructions with such bytes or none.
 * tcg_code_hot: have these @n bytes at @delta from the entry any of them? If so, the region is
 * left after each instruction that may write memory, and has no branches inside.
 * tcg_code_patched: where such bytes (1, 2, 4 or 8) keep changing while the rest of the code stays, the
 * host address that an IR_LD_CODE shall take them from; else NULL, and they are constants.
 */
bool tcg_code_hot(const TcgTranslate *t, uint32_t delta, unsigned n);
const void *tcg_code_patched(TcgTranslate *t, uint32_t delta, unsigned n);

typedef struct TargetOps {
    const char *name;               /* "x86_64" */
    TcgEnv *(*env_of)(CPUState *cpu);       /* its state; env->cpu points back */
    const IrGlobalTable *globals;
    bool big_endian;                /* default data order, for monitors */
    unsigned mmu_modes;             /* up to TLB_MODES */
    uint64_t pc_mask;               /* of TcgEnv.pc when it isn't narrower */

    /* Translate guest code from the entry into t->ir (built, ir_finish'ed). */
    void (*translate)(TcgTranslate *t);

    /* Virtual PC to the address that the MMU sees for fetches (x86: CS.base + EIP, masked). */
    uint64_t (*code_address)(const TcgEnv *env, uint64_t pc);
    /* MMU mode for fetches now. */
    unsigned (*code_mmu)(const TcgEnv *env);
    /* Recompute env->mode_gen's low half from the state. Called on entering the
     * loop and after IR_EXIT_NEXT/IRQ_CHECK; targets may do it themselves earlier. */
    uint32_t (*mode_word)(const TcgEnv *env);

    /* Tag of the address space that the CPU is in (tcg_tlb_switch), 0: it has none. NULL: none ever has. */
    uint32_t (*address_space)(const TcgEnv *env);
    /* Walk. On failure raise nothing: fill *fault for mmu_fault and return
     * false. @probe: change no accessed/dirty bits (debugger). */
    bool (*mmu_walk)(TcgEnv *env, uint64_t addr, MmuAccess access, unsigned mmu,
                     bool probe, MmuResult *out, uint64_t fault[4]);
    /* Deliver the fault of a failed walk: state has been unwound to the
     * instruction (env->pc); makes the exception pending for take_exception. */
    void (*mmu_fault)(TcgEnv *env, uint64_t addr, MmuAccess access, unsigned mmu,
                      const uint64_t fault[4]);
    /* A physical access failed (MemResult) after unwinding. True: an exception is pending;
     * false: the architecture ignores it (x86 reads all ones). */
    bool (*bus_fault)(TcgEnv *env, uint64_t addr, uint64_t phys, MmuAccess access,
                      MemResult res);
    /* Misaligned IR_MO_ALIGN access, after unwinding. */
    void (*unaligned)(TcgEnv *env, uint64_t addr, MmuAccess access, unsigned mmu);

    /* Snapshot's aux word on unwinding: front end's extra state. May be NULL. */
    void (*restore_aux)(TcgEnv *env, uint32_t aux);

    /* Enter the pending exception, if any (guest's vectors); changes PC, mode.
     * May itself raise (nested faults) by tcg_raise. Runs before interrupts. */
    bool (*take_exception)(TcgEnv *env);
    /* An interrupt request word is set (hw/core/cpu.h): accept what may be
     * accepted now (NMI, SMI, INTR, INIT ...). True if state changed. Called with the big lock. */
    bool (*take_interrupt)(TcgEnv *env);
    /* For a halted CPU: is there something to wake it? */
    bool (*has_work)(const TcgEnv *env);

    /* A watchpoint or debug hit of the guest's own debug registers. May be NULL. */
    void (*debug_hit)(TcgEnv *env, uint64_t addr, unsigned size, MmuAccess access);

    /* Called after the FP environment has been collected into env->fp_* (leaving generated code). May be NULL. */
    void (*fp_collect)(TcgEnv *env);

    /* gdb and monitor: registers by number in the order of the target
     * description; size in bytes or 0. */
    unsigned (*gdb_read)(TcgEnv *env, unsigned reg, uint8_t *buf);
    unsigned (*gdb_write)(TcgEnv *env, unsigned reg, const uint8_t *buf);
    const char *(*gdb_xml)(TcgEnv *env, const char *annex);
    /* Text for "info registers"; caller frees. */
    char *(*dump)(TcgEnv *env);
    int capstone_arch;
    int (*capstone_mode)(uint64_t mode);
} TargetOps;

/* --- services for targets (accel/tcg/) --- */

/* Raise from a helper (IR_H_RAISES) or MMU code: unwinds generated code to the current
 * instruction if called from it, then goes to the loop, which calls
 * take_exception. What is pending is in the target's state already; for a fault the target
 * restores from env->pc itself. Only on the vCPU's thread. */
void tcg_raise(TcgEnv *env) NORETURN;
/* Bring the state up to date as of the current instruction, within a helper
 * with IR_H_RAISES (e.g. to compute PC). Afterwards the helper must tcg_raise or tcg_leave_next. */
void tcg_sync_state(TcgEnv *env);
/* After tcg_sync_state and changes: go to the execution loop. */
void tcg_leave_next(TcgEnv *env) NORETURN;
/* Likewise, to the exception that is pending: tcg_raise() of the state as it is by now. */
void tcg_raise_here(TcgEnv *env) NORETURN;
/* Before a helper (with IR_H_RAISES) asks a device, or what time it is. Under -icount the time is exact only for
 * an instruction that is a region of its own: else this is tcg_retry_alone(). */
void tcg_io_alone(TcgEnv *env);
/* From a helper with IR_H_RAISES: undo, and run the current instruction again as a region of its
 * own (max_insns 1), where the front end takes a path that can do it. */
void tcg_retry_alone(TcgEnv *env) NORETURN;

/* Between these no other vCPU runs: for what the guest does in several accesses that nothing may come between. From helpers
 * with IR_H_RAISES; a fault between them ends it. */
void tcg_exclusive_begin(TcgEnv *env);
void tcg_exclusive_end(TcgEnv *env);

/* This vCPU's TLB. By address: of every mode, pages and large pages that contain it. */
void tcg_tlb_flush(TcgEnv *env);                    /* all */
void tcg_tlb_flush_non_global(TcgEnv *env);         /* of every address space */
void tcg_tlb_flush_page(TcgEnv *env, uint64_t addr);    /* of the current address space, and global ones */
/* The CPU has changed to another address space, whose entries are still good (@keep) or not; global ones stay. Those of other
 * spaces with tags are kept. */
void tcg_tlb_switch(TcgEnv *env, bool keep);
/* Entries that aren't global of the space of this tag, current or not; or those of one page. */
void tcg_tlb_forget_space(TcgEnv *env, uint32_t tag);
void tcg_tlb_forget_page(TcgEnv *env, uint32_t tag, uint64_t addr);
/* Mode word changed by C code: recompute, keep jump cache honest. */
void tcg_mode_changed(TcgEnv *env);

/* Data accesses of helpers, with faults raised precisely (callers: helpers with
 * IR_H_RAISES, or exception entry inside take_exception where a fault raises
 * a nested exception). @mmu as the front end's IR_MO_MMU_IDX. */
uint64_t tcg_ldu8(TcgEnv *env, uint64_t addr, unsigned mmu);
uint64_t tcg_ldu16(TcgEnv *env, uint64_t addr, unsigned mmu);   /* little-endian */
uint64_t tcg_ldu32(TcgEnv *env, uint64_t addr, unsigned mmu);
uint64_t tcg_ldu64(TcgEnv *env, uint64_t addr, unsigned mmu);
void tcg_stu8(TcgEnv *env, uint64_t addr, uint64_t v, unsigned mmu);
void tcg_stu16(TcgEnv *env, uint64_t addr, uint64_t v, unsigned mmu);
void tcg_stu32(TcgEnv *env, uint64_t addr, uint64_t v, unsigned mmu);
void tcg_stu64(TcgEnv *env, uint64_t addr, uint64_t v, unsigned mmu);
void tcg_ld_bytes(TcgEnv *env, uint64_t addr, void *buf, unsigned n, unsigned mmu);
void tcg_st_bytes(TcgEnv *env, uint64_t addr, const void *buf, unsigned n, unsigned mmu);
void tcg_probe(TcgEnv *env, uint64_t addr, unsigned n, bool write, unsigned mmu);
/*
 * Bulk operations: host pointer to guest memory at @addr for plain RAM, and in
 * *n (in: wanted, out: how many bytes up to the page's end) bytes; NULL if it is not plain RAM
 * (use the functions above). Raises on faults. Code and dirty tracking are done for *n bytes.
 */
void *tcg_host_ptr(TcgEnv *env, uint64_t addr, unsigned *n, bool write, unsigned mmu);

/* Physical memory as the CPU sees it (page walks, SMM save area): guest
 * little-endian; result false on bus error. No exception raised. */
bool tcg_phys_ld(TcgEnv *env, uint64_t phys, void *buf, unsigned n);
bool tcg_phys_st(TcgEnv *env, uint64_t phys, const void *buf, unsigned n);
/* For page walkers: compare-and-swap of a 4- or 8-byte entry (accessed/dirty bits). */
bool tcg_phys_cmpxchg(TcgEnv *env, uint64_t phys, uint64_t old, uint64_t v, unsigned n);

/* Registers an architecture (constructor); CPU types refer to it. */
void tcg_register_target(const TargetOps *ops);

#endif
