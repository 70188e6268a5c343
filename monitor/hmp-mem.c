/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor's commands that look at memory, ports and registers. */
#include "util/osdep.h"
#include "accel/tcg/disas.h"
#include "accel/tcg/target-ops.h"
#include "hw/core/cpu.h"
#include "memory/memory.h"
#include "hw/core/memory-save.h"
#include "monitor/hmp-cmds.h"
#include "monitor/hmp-regs.h"
#include "qapi/commands-machine.h"

CPUState *hmp_cpu(Hmp *hmp)
{
    CPUState *cpu = cpu_by_index(hmp->cpu_index);

    if (!cpu) {
        hmp_printf(hmp, "No CPU available\n");
    }
    return cpu;
}

bool hmp_get_register(Hmp *hmp, const char *name, uint64_t *value, Error **errp)
{
    CPUState *cpu = cpu_by_index(hmp->cpu_index);

    if (!cpu) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "no CPU available for $%s", name);
        return false;
    }
    return cpu_get_register(cpu, name, value, errp);
}

void hmp_print(Hmp *hmp, const QDict *args)
{
    HmpFormat f = hmp_format(args, 'd', 8);

    f.size = 8;
    if (f.letter == 'x') {
        hmp_printf(hmp, "%#" PRIx64, (uint64_t)qdict_int_or(args, "val", 0));
    } else {
        hmp_print_value(hmp, (uint64_t)qdict_int_or(args, "val", 0), f.letter, f.size);
    }
    hmp_printf(hmp, "\n");
}

/* ---------------------------------------------------------------- dumps */

static uint64_t load(const uint8_t *p, int size, MemOrder order)
{
    uint64_t v = 0;

    for (int i = 0; i < size; i++) {
        v |= (uint64_t)p[order == MEM_LE ? i : size - 1 - i] << (8 * i);
    }
    return v;
}

static bool read_bytes(CPUState *cpu, bool physical, uint64_t addr, uint8_t *buf, size_t len)
{
    if (physical) {
        AddressSpace *as = cpu ? cpu_address_space(cpu, 0) : &address_space_memory;

        return address_space_read(as, addr, MEM_ATTRS_DEBUG, buf, len) == MEM_OK;
    }
    return cpu && cpu_memory_rw_debug(cpu, addr, buf, len, false, NULL);
}

/* Longest instruction of any architecture here, in bytes (SDM 2, 2.3.11). */
#define INSN_MAX    15

static void disassemble(Hmp *hmp, CPUState *cpu, bool physical, uint64_t addr, int count)
{
    const TargetOps *ops = cpu ? cpu->ops->target : NULL;
    size_t len = (size_t)MIN(count, 1024) * INSN_MAX, got = 0, text_len;
    uint8_t *code;
    char *text = NULL, *p;
    FILE *f;

    if (!ops || !ops->mode_word) {
        hmp_printf(hmp, "Error: no CPU whose instructions could be shown\n");
        return;
    }
    code = g_malloc(len);
    while (got < len && read_bytes(cpu, physical, addr + got, code + got, 1)) {
        got++;
    }
    f = open_memstream(&text, &text_len);
    if (f) {
        disas_guest(f, ops, ops->mode_word(ops->env_of(cpu)), code, got, addr);
        fclose(f);
        p = text;
        for (int i = 0; i < count && *p && *p != '\n'; i++) {
            size_t n = strcspn(p, "\n");

            hmp_printf(hmp, "%.*s\n", (int)n, p);
            p += n + (p[n] == '\n');
        }
        free(text);
    }
    if (!got) {
        hmp_printf(hmp, "%016" PRIx64 ": Cannot access memory\n", addr);
    }
    g_free(code);
}

static void dump(Hmp *hmp, const QDict *args, bool physical)
{
    HmpFormat f = hmp_format(args, 'x', 4);
    uint64_t addr = (uint64_t)qdict_int_or(args, "addr", 0);
    CPUState *cpu = physical ? cpu_by_index(hmp->cpu_index) : hmp_cpu(hmp);
    MemOrder order = cpu ? cpu->ops->order : MEM_LE;
    int width = cpu && cpu->ops->address_bits <= 32 ? 8 : 16;
    int per_line = f.letter == 'c' ? 8 : MAX(16 / f.size, 1) / (f.letter == 'x' ? 1 : 2);

    if (!physical && !cpu) {
        return;
    }
    if (f.letter == 'i') {
        disassemble(hmp, cpu, physical, addr, f.count);
        return;
    }
    if (f.letter == 'c') {
        f.size = 1;
    }
    per_line = MAX(per_line, 1);
    for (int i = 0; i < f.count; i++, addr += f.size) {
        uint8_t buf[8];

        if (i % per_line == 0) {
            hmp_printf(hmp, "%s%0*" PRIx64 ":", i ? "\n" : "", width, addr);
        }
        if (!read_bytes(cpu, physical, addr, buf, f.size)) {
            hmp_printf(hmp, " Cannot access memory");
            break;
        }
        hmp_printf(hmp, " ");
        hmp_print_value(hmp, load(buf, f.size, order), f.letter, f.size);
    }
    hmp_printf(hmp, "\n");
}

void hmp_x(Hmp *hmp, const QDict *args)
{
    dump(hmp, args, false);
}

void hmp_xp(Hmp *hmp, const QDict *args)
{
    dump(hmp, args, true);
}

void hmp_gva2gpa(Hmp *hmp, const QDict *args)
{
    uint64_t addr = (uint64_t)qdict_int_or(args, "addr", 0), mask;
    CPUState *cpu = hmp_cpu(hmp);
    MemAttrs attrs = MEM_ATTRS_DEBUG;
    hwaddr phys;

    if (!cpu) {
        return;
    }
    mask = MASK64(0, cpu->ops->page_bits ? cpu->ops->page_bits : 12);
    if (!cpu->ops->debug_translate ||
        !cpu->ops->debug_translate(cpu, addr & ~mask, &phys, &attrs)) {
        hmp_printf(hmp, "Unmapped\n");
        return;
    }
    hmp_printf(hmp, "gpa: %#" PRIx64 "\n", (phys & ~mask) | (addr & mask));
}

/* ---------------------------------------------------------------- ports */

void hmp_i(Hmp *hmp, const QDict *args)
{
    HmpFormat f = hmp_format(args, 'x', 1);
    uint64_t addr = (uint64_t)qdict_int_or(args, "addr", 0) & 0xffff, value;

    f.size = MIN(f.size, 4);
    value = address_space_load(&address_space_io, addr, f.size, MEM_LE, MEM_ATTRS_NONE, NULL);
    hmp_printf(hmp, "port%c[0x%04" PRIx64 "] = 0x%0*" PRIx64 "\n",
               f.size == 1 ? 'b' : f.size == 2 ? 'w' : 'l', addr, 2 * f.size, value);
}

void hmp_o(Hmp *hmp, const QDict *args)
{
    HmpFormat f = hmp_format(args, 'x', 1);

    (void)hmp;
    address_space_store(&address_space_io, (uint64_t)qdict_int_or(args, "addr", 0) & 0xffff,
                        (uint64_t)qdict_int_or(args, "val", 0), MIN(f.size, 4), MEM_LE,
                        MEM_ATTRS_NONE, NULL);
}

/* ---------------------------------------------------------------- files */

static void save(Hmp *hmp, const QDict *args, bool is_virtual)
{
    MemorySave what = { is_virtual, hmp->cpu_index, (uint64_t)qdict_int_or(args, "val", 0),
                        qdict_int_or(args, "size", 0), qdict_str_or(args, "filename", "") };
    Error *err = NULL;

    memory_save_wait(&what, &err);
    hmp_error(hmp, err);
}

void hmp_memsave(Hmp *hmp, const QDict *args)
{
    save(hmp, args, true);
}

void hmp_pmemsave(Hmp *hmp, const QDict *args)
{
    save(hmp, args, false);
}
