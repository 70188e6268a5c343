/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every device against a hostile guest: reads and writes of ports and MMIO, with RAM behind DMA,
 * frames from networks and time going on, as the input says. The machine is a stopped PC with all
 * devices that users can add; FUZZ_MACHINE replaces those arguments.
 *
 * Input: two bytes that choose the device in focus, then operations of one byte and their
 * arguments. Addresses are (region, offset), so that each byte of input reaches a device. A region
 * is chosen by a number near the hash of its name: inputs keep their meaning when devices are added.
 */
#include "util/osdep.h"
#include <glib.h>
#include "hw/core/device.h"
#include "hw/core/machine.h"
#include "hw/core/reset.h"
#include "memory/memory.h"
#include "tests/fuzz/machine.h"
#include "util/bswap.h"
#include "util/main-loop.h"
#include "util/rcu.h"
#include "util/timer.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef FUZZ_WORDS
#define FUZZ_WORDS      FUZZ_PC "-accel tcg -m 16 -vga none"
#define FUZZ_MORE       fuzz_every_device
#endif
#define SECTIONS_MAX    1024
#define OPS_MAX         512             /* of one input */
#define BAR_MEM         0xe0000000      /* where BARs are put */
#define BAR_IO          0xd000          /* above what firmware gives to the board */

typedef struct Input {
    const uint8_t *p;
    size_t left;
} Input;

typedef struct Section {
    AddressSpace *as;
    const MemRegion *mr;
    hwaddr addr;
    uint64_t size;
    uint16_t hash;
} Section;

static Section sections[SECTIONS_MAX];      /* sorted by hash */
static size_t n_sections;
static const Section *focus[SECTIONS_MAX];  /* those of one device */
static size_t n_focus;

/* What an input put into RAM, to be taken away after it. */
#define WRITTEN_MAX 1024
static hwaddr written[WRITTEN_MAX];
static unsigned n_written;

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

static void write_ram(hwaddr addr, uint32_t v)
{
    write_as(&address_space_memory, addr, v, 4);
    if (n_written < WRITTEN_MAX) {
        written[n_written++] = addr;
    }
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

/* Regions are taken from the address space that shows them first. */
static int collect(AddressSpace *as, void *opaque)
{
    GHashTable *seen = opaque;          /* regions and views: many address spaces share one */
    RCU_READ_GUARD();
    const FlatView *v = rcu_load(&as->view);
    size_t before = n_sections;

    if (!g_hash_table_add(seen, (void *)v)) {
        return 0;
    }
    for (uint32_t i = 0; i < v->num && n_sections < SECTIONS_MAX; i++) {
        const MemSection *s = &v->sections[i];

        if ((s->mr->kind == MEM_MMIO || s->mr->kind == MEM_ROMD) &&
            !g_hash_table_contains(seen, s->mr)) {
            sections[n_sections++] = (Section){
                as, s->mr, s->start, s->last - s->start + 1
            };
        }
    }
    for (size_t i = before; i < n_sections; i++) {
        g_hash_table_add(seen, (void *)sections[i].mr);
    }
    return 0;
}

/* Of the owner's and the region's name, and which of several it is. */
static uint16_t hash_of(const Section *s, size_t i)
{
    const Object *owner = s->mr->owner;
    const char *id = owner && type_find(TYPE_DEVICE) && object_is_a(owner, TYPE_DEVICE)
                     ? DEVICE(owner)->id : NULL;
    unsigned nth = 0;

    while (i && sections[i - 1].mr == s->mr) {
        i--;
        nth++;
    }
    return (uint16_t)((g_str_hash(id ? id : owner ? object_type_name(owner) : "") * 31 +
                       g_str_hash(memory_region_name(s->mr)) + nth) * 2654435761u >> 16);
}

static int by_hash(const void *a, const void *b)
{
    const Section *x = a, *y = b;

    return x->hash != y->hash ? (x->hash > y->hash) - (x->hash < y->hash)
                              : (x->addr > y->addr) - (x->addr < y->addr);
}

static const Section *section_near(uint32_t hash)
{
    for (size_t i = 0; i < n_sections; i++) {
        if (sections[i].hash >= hash) {
            return &sections[i];
        }
    }
    return &sections[0];
}

static void collect_all(uint32_t focus_hash)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    const Object *owner;

    n_sections = n_focus = 0;
    address_space_foreach(collect, seen);
    for (size_t i = 0; i < n_sections; i++) {
        sections[i].hash = hash_of(&sections[i], i);
    }
    qsort(sections, n_sections, sizeof(Section), by_hash);
    owner = section_near(focus_hash)->mr->owner;
    for (size_t i = 0; i < n_sections; i++) {
        if (sections[i].mr->owner == owner) {
            focus[n_focus++] = &sections[i];
        }
    }
}

static const Section *take_place(Input *in, hwaddr *addr, bool any)
{
    const Section *s = any ? section_near(take(in, 2)) : focus[take(in, 1) % n_focus];

    *addr = s->addr + take(in, s->size > 256 ? 2 : 1) % MAX(s->size, 1);
    return s;
}

static void run_op(Input *in, uint32_t focus_hash)
{
    unsigned op = take(in, 1), size = 1 << (op >> 4 & 3) % 3;
    const Section *s;
    uint8_t frame[1600];
    hwaddr addr;

    switch (op & 15) {
    case 0 ... 3:
        s = take_place(in, &addr, op & 0x80);
        write_as(s->as, addr, take(in, size), size);
        break;
    case 4:                                             /* where a structure of case 11 is */
        s = take_place(in, &addr, op & 0x80);
        write_as(s->as, addr, take(in, 2) * 16, 4);
        break;
    case 5 ... 6:
        s = take_place(in, &addr, op & 0x80);
        read_as(s->as, addr, size);
        break;
    case 7:                                             /* a frame of some pattern */
        memset(frame, (int)take(in, 1), sizeof(frame));
        for (unsigned i = 0; i < 16; i++) {
            frame[i] = (uint8_t)take(in, 1);
        }
        fuzz_frame(op >> 4, frame, take(in, 2) % (sizeof(frame) + 1));
        break;
    case 8:                                             /* a structure that begins with a pointer */
        addr = take(in, 2) * 16;
        write_ram(addr, take(in, 2) * 16);
        write_ram(addr + 4, 0);
        write_ram(addr + 8, take(in, 4));
        write_ram(addr + 12, take(in, 4));
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
            write_ram(addr + 4 * i, take(in, 4));
        }
        break;
    case 12:
        addr = take(in, 1);
        config_write((unsigned)addr, take(in, 1), take(in, size));
        break;
    case 13:
        virtual_clock_advance_to(clock_get_ns(CLOCK_VIRTUAL) + take(in, 2) * 1000);
        break;
    case 14:
        main_loop_iterate(false);
        break;
    default:
        collect_all(focus_hash);
        break;
    }
}

int LLVMFuzzerInitialize(UNUSED int *argc, UNUSED char ***argv)
{
    fuzz_machine(FUZZ_WORDS, FUZZ_MORE);
    virtual_clock_set_manual(true);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input in = { data, size };
    uint32_t focus_hash = take(&in, 2);

    memory_transaction_begin();         /* the memory map is made once */
    machine_reset(RESET_COLD);
    fuzz_machine_mend();
    assign_bars();
    memory_transaction_commit();
    collect_all(focus_hash);
    for (int i = 0; i < OPS_MAX && in.left; i++) {
        run_op(&in, focus_hash);
    }
    /* What it began must end before the next input. */
    for (int i = 0; i < 100 && main_loop_iterate(false); i++) {
    }
    while (n_written) {
        write_as(&address_space_memory, written[--n_written], 0, 4);
    }
    return 0;
}
