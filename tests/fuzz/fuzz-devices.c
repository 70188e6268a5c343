/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every device of a machine against a hostile guest: reads and writes of ports and
 * MMIO, with RAM behind DMA and time going on, as the input says. The machine is
 * a PC with its usual devices, stopped; FUZZ_MACHINE replaces those arguments.
 *
 * Input: operations of one byte and their arguments. Addresses are (section of
 * the flat view, offset), so that each byte of input reaches a device.
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "hw/core/reset.h"
#include "memory/memory.h"
#include "system/config.h"
#include "util/bswap.h"
#include "util/main-loop.h"
#include "util/rcu.h"
#include "util/timer.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MACHINE_ARGS \
    "-M pc -accel tcg -S -display none -m 16 -monitor none -serial null -parallel none " \
    "-drive file=null-co://,format=raw,if=ide -cdrom null-co://"
#define SECTIONS_MAX    512
#define OPS_MAX         512             /* of one input */
#define BAR_MEM         0xe0000000      /* where BARs are put */
#define BAR_IO          0xc000

typedef struct Input {
    const uint8_t *p;
    size_t left;
} Input;

typedef struct Section {
    AddressSpace *as;
    const MemRegion *mr;
    hwaddr addr;
    uint64_t size;
} Section;

static Section sections[SECTIONS_MAX];
static size_t n_sections;

static uint32_t take(Input *in, unsigned n)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < n && in->left; i++) {
        v |= (uint32_t)*in->p++ << 8 * i;
        in->left--;
    }
    return v;
}

static void write_as(AddressSpace *as, hwaddr addr, uint32_t v, unsigned size)
{
    uint8_t buf[4];

    store_le32(buf, v);
    address_space_write(as, addr, MEM_ATTRS_NONE, buf, size);
}

static uint32_t read_as(AddressSpace *as, hwaddr addr, unsigned size)
{
    uint8_t buf[4] = { 0 };

    address_space_read(as, addr, MEM_ATTRS_NONE, buf, size);
    return load_le32(buf);
}

/* PCI 3.2.2.3.2: configuration mechanism 1. */
static void config_select(unsigned devfn, unsigned reg)
{
    write_as(&address_space_io, 0xcf8, 0x80000000 | devfn << 8 | (reg & 0xfc), 4);
}

static void config_write(unsigned devfn, unsigned reg, uint32_t v)
{
    config_select(devfn, reg);
    write_as(&address_space_io, 0xcfc, v, 4);
}

static uint32_t config_read(unsigned devfn, unsigned reg)
{
    config_select(devfn, reg);
    return read_as(&address_space_io, 0xcfc, 4);
}

/* What firmware does: BARs get addresses, all functions are switched on. */
static void assign_bars(void)
{
    uint32_t mem = BAR_MEM, io = BAR_IO;

    for (unsigned devfn = 0; devfn < 256; devfn++) {
        if ((config_read(devfn, 0) & 0xffff) == 0xffff ||
            config_read(devfn, 0xc) >> 16 & 0x7f) {     /* no plain header */
            continue;
        }
        for (unsigned reg = 0x10; reg < 0x28; reg += 4) {
            uint32_t mask, size;

            config_write(devfn, reg, UINT32_MAX);
            mask = config_read(devfn, reg);
            if (!mask) {
                continue;
            }
            if (mask & 1) {                             /* PCI 6.2.5.1 */
                size = -(mask & 0xfffc) & 0xffff;
                io = ALIGN_UP(io, MAX(size, 4u));
                config_write(devfn, reg, io);
                io += size;
            } else {
                size = -(mask & ~0xfu);
                mem = ALIGN_UP(mem, MAX(size, 0x1000u));
                config_write(devfn, reg, mem);
                mem += size;
                if ((mask & 6) == 4) {
                    reg += 4;
                    config_write(devfn, reg, 0);
                }
            }
        }
        config_write(devfn, 4, 7);
    }
}

/* True if another address space has shown the region already. */
static bool seen(const MemRegion *mr, size_t before)
{
    for (size_t i = 0; i < before; i++) {
        if (sections[i].mr == mr) {
            return true;
        }
    }
    return false;
}

static int collect(AddressSpace *as, UNUSED void *opaque)
{
    RCU_READ_GUARD();
    const FlatView *v = rcu_load(&as->view);
    size_t before = n_sections;

    for (uint32_t i = 0; i < v->num && n_sections < SECTIONS_MAX; i++) {
        const MemSection *s = &v->sections[i];

        if ((s->mr->kind == MEM_MMIO || s->mr->kind == MEM_ROMD) && !seen(s->mr, before)) {
            sections[n_sections++] = (Section){
                as, s->mr, s->start, s->last - s->start + 1
            };
        }
    }
    return 0;
}

static void collect_all(void)
{
    n_sections = 0;
    address_space_foreach(collect, NULL);
}

static const Section *take_place(Input *in, hwaddr *addr)
{
    const Section *s = &sections[take(in, 2) % MAX(n_sections, 1)];

    *addr = s->addr + take(in, s->size > 256 ? 3 : 1) % MAX(s->size, 1);
    return s;
}

static void run_op(Input *in)
{
    unsigned op = take(in, 1), size = 1 << (op >> 4 & 3) % 3;
    const Section *s;
    hwaddr addr;

    switch (op & 15) {
    case 0 ... 5:
        s = take_place(in, &addr);
        write_as(s->as, addr, take(in, size), size);
        break;
    case 6 ... 8:
        s = take_place(in, &addr);
        read_as(s->as, addr, size);
        break;
    case 9:                                             /* any port */
        addr = take(in, 2);
        write_as(&address_space_io, addr, take(in, size), size);
        break;
    case 10:                                            /* any address */
        addr = take(in, 4);
        write_as(&address_space_memory, addr, take(in, size), size);
        break;
    case 11:                                            /* descriptors and the like */
        addr = take(in, 2) * 16;
        for (int i = 0; i < 4; i++) {
            write_as(&address_space_memory, addr + 4 * i, take(in, 4), 4);
        }
        break;
    case 12:
        addr = take(in, 1);
        config_write(addr % 64, take(in, 1), take(in, size));
        break;
    case 13:
        virtual_clock_advance_to(clock_get_ns(CLOCK_VIRTUAL) + take(in, 2) * 1000);
        break;
    case 14:
        main_loop_iterate(false);
        break;
    default:
        collect_all();
        break;
    }
}

int LLVMFuzzerInitialize(UNUSED int *argc, UNUSED char ***argv)
{
    static Config config;
    const char *args = getenv("FUZZ_MACHINE");
    static char *text;          /* the configuration points into it */
    char *words[64] = { (char *)"qemu-system-x86_64" }, *save;
    int n = 1;

    text = strdup(args ? args : MACHINE_ARGS);
    for (char *w = strtok_r(text, " ", &save); w && n < 63; w = strtok_r(NULL, " ", &save)) {
        words[n++] = w;
    }
    config_parse(&config, n, words);
    main_loop_init();
    if (config_report(&config) || !config_build(&config)) {
        config_report(&config);
        exit(1);
    }
    virtual_clock_set_manual(true);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input in = { data, size };

    machine_reset(RESET_COLD);
    assign_bars();
    collect_all();
    for (int i = 0; i < OPS_MAX && in.left; i++) {
        run_op(&in);
    }
    /* What it began must end before the next input. */
    for (int i = 0; i < 100 && main_loop_iterate(false); i++) {
    }
    return 0;
}
