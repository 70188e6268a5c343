/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "config.h"
#include "accel/tcg/disas.h"

#if !defined(CONFIG_CAPSTONE) || !defined(__x86_64__)
static void bytes(FILE *f, const uint8_t *code, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        fprintf(f, "%02x%c", code[i], i % 16 == 15 ? '\n' : ' ');
    }
    fputc('\n', f);
}
#endif

#ifdef CONFIG_CAPSTONE
#include <capstone/capstone.h>

static void disas(FILE *f, int arch, int mode, const uint8_t *code, size_t size, uint64_t pc)
{
    csh h;
    cs_insn *insn;

    if (cs_open(arch, mode, &h) != CS_ERR_OK) {
        return;
    }
    cs_option(h, CS_OPT_SKIPDATA, CS_OPT_ON);
    insn = cs_malloc(h);
    while (size && cs_disasm_iter(h, &code, &size, &pc, insn)) {
        fprintf(f, "%016" PRIx64 ":  %-8s %s\n", insn->address, insn->mnemonic, insn->op_str);
    }
    fputc('\n', f);
    cs_free(insn, 1);
    cs_close(&h);
}
#else
#define CS_ARCH_X86 0
#define CS_MODE_64  0

static void disas(FILE *f, UNUSED int arch, UNUSED int mode, const uint8_t *code, size_t size,
                  UNUSED uint64_t pc)
{
    bytes(f, code, size);
}
#endif

void disas_guest(FILE *f, const TargetOps *ops, uint64_t mode, const uint8_t *code,
                 size_t size, uint64_t pc)
{
    disas(f, ops->capstone_arch, ops->capstone_mode ? ops->capstone_mode(mode) : 0, code, size,
          pc);
}

void disas_host(FILE *f, const uint8_t *code, size_t size)
{
#if defined(__x86_64__)
    disas(f, CS_ARCH_X86, CS_MODE_64, code, size, (uintptr_t)code);
#else
    bytes(f, code, size);
#endif
}
