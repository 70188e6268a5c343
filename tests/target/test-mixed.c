/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine with an x86 and an m68k CPU, which share memory: each waits for what the other one writes, in its own byte order,
 * and the same sum is computed by both. The m68k ends the machine, with status 42 if all was well.
 */
#include "util/osdep.h"

#include <glib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "block/block.h"
#include "hw/core/cpu.h"
#include "hw/core/machine.h"
#include "hw/core/reset.h"
#include "hw/core/runstate.h"
#include "monitor/monitor.h"
#include "qobject/error.h"
#include "system/config.h"
#include "tests/lib/test.h"
#include "util/main-loop.h"

enum { EXIT_PORT = 0x800000, ROM_SIZE = 0x10000, GOOD = 42 };

/* At FFFF0000; the reset vector at its end jumps to 100. Real mode. */
static const uint8_t x86_code[] = {
    0x31, 0xc0, 0x8e, 0xd8,                     /* xor ax,ax; mov ds,ax */
    0xc7, 0x06, 0x00, 0x10, 0x34, 0x12,         /* mov word [1000h],1234h */
    0x81, 0x3e, 0x02, 0x10, 0x21, 0x43,         /* 1: cmp word [1002h],4321h */
    0x75, 0xf8,                                 /* jne 1b */
    0xb9, 0xe8, 0x03, 0x31, 0xd2,               /* mov cx,1000; xor dx,dx */
    0x01, 0xca, 0xe2, 0xfc,                     /* 2: add dx,cx; loop 2b */
    0x89, 0x16, 0x06, 0x10,                     /* mov [1006h],dx */
    0xc7, 0x06, 0x04, 0x10, 0x01, 0x00,         /* mov word [1004h],1 */
    0xf4, 0xeb, 0xfd,                           /* hlt; jmp .-1 */
};
static const uint8_t x86_vector[] = { 0xe9, 0x0d, 0x01 };      /* FFF0: jmp 100h */

static const uint16_t m68k_code[] = {           /* at 2000 */
    0x0c79, 0x3412, 0x0000, 0x1000, 0x66f6,     /* 1: cmpi.w #$3412,$1000; bne 1b */
    0x33fc, 0x2143, 0x0000, 0x1002,             /* move.w #$2143,$1002 */
    0x7000, 0x323c, 0x03e8,                     /* moveq #0,d0; move.w #1000,d1 */
    0xd041, 0x5341, 0x66fa,                     /* 2: add.w d1,d0; subq.w #1,d1; bne 2b */
    0x4a79, 0x0000, 0x1004, 0x67f8,             /* 3: tst.w $1004; beq 3b */
    0xe158, 0xb079, 0x0000, 0x1006,             /* rol.w #8,d0; cmp.w $1006,d0 */
    0x660a, 0x33fc, GOOD, 0x0080, 0x0000, 0x60fe,       /* bne 4f; move.w #42,$800000; bra . */
    0x33fc, 0x0001, 0x0080, 0x0000, 0x60fe,     /* 4: move.w #1,$800000; bra . */
};

typedef struct Mixed {
    Machine parent;
    MemRegion rom, port;
} Mixed;

static MemResult port_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val, UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = 0;
    return MEM_OK;
}

static MemResult port_write(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t val, UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, (int)val);
    return MEM_OK;
}

static const MemOps port_ops = {
    .read = port_read, .write = port_write, .order = MEM_BE, .impl = { .min = 2, .max = 2 },
};

static bool mixed_init(Machine *m, Error **errp)
{
    Mixed *x = (Mixed *)m;
    static const char *const types[] = { "qemu64-x86_64-cpu", "m68040-m68k-cpu" };
    uint8_t *p;

    memory_region_add(system_memory(), 0, m->ram);
    memory_region_init_io(&x->port, x, &port_ops, x, "mixed.exit", 2);
    memory_region_add(system_memory(), EXIT_PORT, &x->port);
    if (!memory_region_init_rom(&x->rom, x, "mixed.rom", ROM_SIZE, errp)) {
        return false;
    }
    p = memory_region_ram_ptr(&x->rom);
    memcpy(p + 0x100, x86_code, sizeof(x86_code));
    memcpy(p + 0xfff0, x86_vector, sizeof(x86_vector));
    memory_region_add(system_memory(), 0xffff0000, &x->rom);
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        Device *cpu = machine_new_cpu(m, types[i], errp);

        if (!cpu || !device_realize_unref(cpu, NULL, errp)) {
            return false;
        }
    }
    return true;
}

static void mixed_reset(UNUSED Machine *m, ResetKind kind)
{
    AddressSpace *as = &address_space_memory;

    address_space_store(as, 0, 0x4000, 4, MEM_BE, MEM_ATTRS_NONE, NULL);
    address_space_store(as, 4, 0x2000, 4, MEM_BE, MEM_ATTRS_NONE, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(m68k_code); i++) {
        address_space_store(as, 0x2000 + 2 * i, m68k_code[i], 2, MEM_BE, MEM_ATTRS_NONE, NULL);
    }
    system_reset(kind);
}

static const char *const mixed_arch[] = { "m68k", "x86_64", NULL };
static const MachineType mixed_type = {
    .name = "test-mixed", .desc = "x86 and m68k", .size = sizeof(Mixed), .arch = mixed_arch, .max_cpus = 2,
    .default_ram_size = 4 * MIB, .default_ram_id = "test.ram", .default_cpu = "m68040-m68k-cpu", .no_parallel = true, .no_floppy = true, .no_cdrom = true,
    .no_sdcard = true, .init = mixed_init, .reset = mixed_reset,
};
MACHINE_TYPE(mixed_type)

/* The whole life of an emulator; its status. */
static int emulate(const char *accel)
{
    char *argv[] = { "qemu-system-m68k", "-M", "test-mixed", "-accel", (char *)accel, "-nodefaults", "-display", "none",
                     "-serial", "none", "-monitor", "none", NULL };
    static Config c;
    Error *err = NULL;

    config_parse(&c, ARRAY_SIZE(argv) - 1, argv);
    main_loop_init();
    monitor_init();
    if (config_report(&c) || !config_build(&c)) {
        config_report(&c);
        return 2;
    }
    machine_reset(RESET_COLD);
    if (!vm_start(&err)) {
        error_report(err);
        return 3;
    }
    return runstate_main_loop();
}

static void both_run(Test *t, const char *accel)
{
    pid_t pid = fork();
    int status = 0;

    if (!pid) {
        _exit(emulate(accel));
    }
    check_true(t, pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status), "the machine ends");
    check_u32(t, (uint32_t)WEXITSTATUS(status), GOOD, "what the m68k says of it");
}

TEST(mixed, x86_and_m68k_in_one_machine)
{
    both_run(t, "tcg");
}

TEST(mixed, by_the_interpreter)
{
    both_run(t, "tcg,interp=on");
}

TEST(mixed, without_tiers)
{
    both_run(t, "tcg,tiers=off");
}
