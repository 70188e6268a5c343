/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPUs' registers as ELF notes: "CORE" with what Linux's struct elf_prstatus holds (linux/elfcore.h
 * of x86), and "QEMU" with the system registers, whose layout crash's reader documents.
 */
#include "util/osdep.h"
#include "dump/dump.h"
#include "util/bswap.h"

#define NT_PRSTATUS     1

static uint64_t reg(CPUState *cpu, const char *name)
{
    uint64_t value = 0;

    return cpu_get_register(cpu, name, &value, NULL) ? value : 0;
}

static void put_bytes(GByteArray *b, const void *p, size_t len)
{
    g_byte_array_append(b, p, len);
}

static void put32(GByteArray *b, uint32_t v)
{
    v = host_to_le32(v);
    put_bytes(b, &v, 4);
}

static void put64(GByteArray *b, uint64_t v)
{
    v = host_to_le64(v);
    put_bytes(b, &v, 8);
}

static void put_zeros(GByteArray *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_bytes(b, "", 1);
    }
}

/* ELF 5: name and descriptor are padded to four bytes. */
static void put_note(GByteArray *b, const char *name, uint32_t type, const GByteArray *desc)
{
    size_t len = strlen(name) + 1;

    put32(b, len);
    put32(b, desc->len);
    put32(b, type);
    put_bytes(b, name, len);
    put_zeros(b, -len & 3);
    put_bytes(b, desc->data, desc->len);
    put_zeros(b, -(size_t)desc->len & 3);
}

static const char *const order64[] = {
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi",
    "rdi", NULL /* orig_rax */, "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es",
    "fs", "gs",
};
static const char *const order32[] = {
    "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rax", "ds", "es", "fs", "gs", NULL /* orig_eax */,
    "rip", "cs", "eflags", "rsp", "ss",
};

static void put_prstatus(Dump *d, CPUState *cpu)
{
    g_autoptr(GByteArray) b = g_byte_array_new();
    const char *const *order = d->long_mode ? order64 : order32;
    size_t n = d->long_mode ? ARRAY_SIZE(order64) : ARRAY_SIZE(order32);

    /* Signal information, then the process id, then times. */
    put_zeros(b, d->long_mode ? 32 : 24);
    put32(b, cpu->index + 1);
    put_zeros(b, d->long_mode ? 112 - 36 : 72 - 28);
    for (size_t i = 0; i < n; i++) {
        uint64_t v = order[i] ? reg(cpu, order[i]) : 0;

        if (d->long_mode) {
            put64(b, v);
        } else {
            put32(b, v);
        }
    }
    put_zeros(b, d->long_mode ? 8 : 4);         /* no floating-point registers; padding */
    put_note(d->notes, "CORE", NT_PRSTATUS, b);
}

static void put_segment(GByteArray *b, CPUState *cpu, const char *sel, const char *base,
                        const char *limit)
{
    put32(b, sel ? reg(cpu, sel) : 0);
    put32(b, limit ? reg(cpu, limit) : 0);
    put32(b, 0);
    put32(b, 0);
    put64(b, base ? reg(cpu, base) : 0);
}

static void put_system(Dump *d, CPUState *cpu)
{
    static const char *const regs[] = {
        "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15", "rip", "eflags",
    };
    static const char *const segs[][3] = {
        { "cs", "cs_base", NULL }, { "ds", "ds_base", NULL }, { "es", "es_base", NULL },
        { "fs", "fs_base", NULL }, { "gs", "gs_base", NULL }, { "ss", "ss_base", NULL },
        { "ldtr", NULL, NULL }, { "tr", "tr_base", NULL }, { NULL, "gdtr_base", "gdtr_limit" },
        { NULL, "idtr_base", "idtr_limit" },
    };
    static const char *const ctl[] = { "cr0", NULL, "cr2", "cr3", "cr4" };
    g_autoptr(GByteArray) b = g_byte_array_new();
    uint32_t size = 8 + 8 * ARRAY_SIZE(regs) + 24 * ARRAY_SIZE(segs) + 8 * ARRAY_SIZE(ctl);

    put32(b, 1);                                /* version of the note */
    put32(b, size);
    for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
        put64(b, reg(cpu, regs[i]));
    }
    for (size_t i = 0; i < ARRAY_SIZE(segs); i++) {
        put_segment(b, cpu, segs[i][0], segs[i][1], segs[i][2]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(ctl); i++) {
        put64(b, ctl[i] ? reg(cpu, ctl[i]) : 0);
    }
    put_note(d->notes, "QEMU", 0, b);
}

bool dump_add_notes(Dump *d, Error **errp)
{
    CPUState *first = cpu_by_index(0);

    if (!first || (strcmp(first->ops->arch, "x86_64") && strcmp(first->ops->arch, "i386"))) {
        error_setf(errp, ERR_NOT_SUPPORTED, "this feature or command is not currently supported");
        error_hint(errp, "dumps are of x86 machines");
        return false;
    }
    d->long_mode = reg(first, "efer") >> 10 & 1;        /* LMA, SDM 3A 2.2.1 */
    CPU_FOREACH(cpu) {
        put_prstatus(d, cpu);
        d->num_cpus++;
    }
    CPU_FOREACH(cpu) {
        put_system(d, cpu);
    }
    return true;
}
