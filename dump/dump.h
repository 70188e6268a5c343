/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dumps of guest memory into files that debuggers read.
 *
 * dump-qmp.c   commands, the thread that writes, the machine's standing still
 * notes.c      the CPUs' registers as ELF notes
 * elf.c        ELF core files: System V ABI, chapters 4 and 5 ("ELF")
 * kdump.c      the compressed format of kdump, as makedumpfile's IMPLEMENTATION text and crash read it
 *
 * What to write is settled under the big lock with the machine stopped; a thread then reads guest
 * memory through the address space and touches nothing else of the machine.
 */
#ifndef DUMP_DUMP_H
#define DUMP_DUMP_H

#include "util/osdep.h"
#include <glib.h>
#include "hw/core/cpu.h"
#include "qapi/types-dump.h"

/* Guest RAM from @start on. */
typedef struct DumpRange {
    hwaddr start;
    uint64_t size;
    uint64_t offset;            /* in the file's memory part (ELF) */
} DumpRange;

/* A piece of virtual addresses, with paging. */
typedef struct DumpMapping {
    uint64_t vaddr;
    hwaddr phys;
    uint64_t size;
} DumpMapping;

typedef struct Dump {
    int fd;                     /* owned */
    DumpGuestMemoryFormat format;
    bool long_mode;             /* 64-bit registers and addresses */
    unsigned num_cpus;
    GArray *ranges;             /* of DumpRange, by rising address */
    GArray *mappings;           /* of DumpMapping; NULL: without paging */
    GByteArray *notes;
    uint64_t total;
    _Atomic uint64_t completed; /* bytes of memory */
} Dump;

/* Appends the notes of all CPUs; false where the architecture has none. */
bool dump_add_notes(Dump *d, Error **errp);

/* The whole file; on the dump's thread. */
bool dump_write_elf(Dump *d, Error **errp);
bool dump_write_kdump(Dump *d, Error **errp);

/* All of it, from where the file stands; and guest memory, of which what can't be read is zeros. */
bool dump_write(const Dump *d, const void *buf, size_t len, Error **errp);
void dump_read(hwaddr addr, void *buf, size_t len);

#endif
