/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * djMEMC (djmemc.h).
 *
 * Source: "djMEMC Information" of the mac68k.info wiki: interleave register, ten bank registers of nine bits, unused bits
 * read as 1. Behind them lie registers that nobody has described, which keep what is written.
 * Not modelled: interleaving (it changes times only), refresh.
 */
#include "util/osdep.h"
#include "hw/misc/djmemc.h"

#include "hw/core/regs.h"

#define NUM_BANKS       10
#define BANK_MIN        (4 * MIB)       /* what the lowest address bit of a bank register stands for */
#define BANK_MAX        (64 * MIB)
#define BANK_SMALL      (32 * MIB)
#define COPIES          (BANK_MAX / BANK_MIN)
#define BANK_ADDR       0xffu           /* A29 to A22 */
#define BANK_LARGE      0x100u          /* 64 Mbytes are decoded, not 32 */
#define UNUSED_BITS     0xfffffe00u

enum { R_INTERLEAVE, R_BANK0, R_OTHER = R_BANK0 + NUM_BANKS, R_NUM = R_OTHER + 5 };

/* A bank: the window that is decoded, in which smaller RAM repeats. */
typedef struct Bank {
    MemRegion window, copy[COPIES];
    uint64_t size;              /* of its RAM; 0: it is empty */
} Bank;

typedef struct Djmemc {
    Device dev;
    MemRegion regs, space, flat;
    MemRegion *ram;             /* lent */
    Bank bank[NUM_BANKS];
    uint32_t reg[R_NUM];
    bool banked;                /* a bank register was written since reset */
} Djmemc;
DEFINE_CAST(DJMEMC, Djmemc, TYPE_DJMEMC)

static void place(Djmemc *s)
{
    memory_transaction_begin();
    memory_region_set_enabled(&s->flat, !s->banked);
    for (unsigned n = 0; n < NUM_BANKS; n++) {
        Bank *b = &s->bank[n];
        uint32_t r = s->reg[R_BANK0 + n];
        uint64_t seen = r & BANK_LARGE ? BANK_MAX : BANK_SMALL;

        for (unsigned k = 0; b->size && k < BANK_MAX / b->size; k++) {
            memory_region_set_enabled(&b->copy[k], k * b->size < seen);
        }
        if (b->size) {
            memory_region_set_address(&b->window, (uint64_t)(r & BANK_ADDR) * BANK_MIN);
            memory_region_set_enabled(&b->window, s->banked);
        }
    }
    memory_transaction_commit();
}

static void bank_written(void *opaque)
{
    Djmemc *s = opaque;

    s->banked = true;
    place(s);
}

#define BANK(n) { 4 + 4 * n, "BANK" #n, .reset = UNUSED_BITS, .rw = BANK_ADDR | BANK_LARGE, \
                  .flags = FLAGS({ "A29_22", BANK_ADDR }, { "64M", BANK_LARGE }), .written = bank_written }
#define OTHER(n) { 0x2c + 4 * n, "REG" #n, .rw = UINT32_MAX }
static const RegDef djmemc_defs[R_NUM] = {
    { 0, "INTERLEAVE", .reset = ~0x1fu, .rw = 0x1f }, BANK(0), BANK(1), BANK(2), BANK(3), BANK(4), BANK(5), BANK(6), BANK(7),
    BANK(8), BANK(9), OTHER(0), OTHER(1), OTHER(2), OTHER(3), OTHER(4),
};

void djmemc_set_ram(Device *dev, MemRegion *ram)
{
    DJMEMC(dev)->ram = ram;
}

MemRegion *djmemc_regs(Device *dev)
{
    return &DJMEMC(dev)->regs;
}

MemRegion *djmemc_ram(Device *dev)
{
    return &DJMEMC(dev)->space;
}

static void djmemc_reset_hold(Device *dev)
{
    Djmemc *s = DJMEMC(dev);

    regs_reset(s->reg, djmemc_defs, R_NUM);
    s->banked = false;
    place(s);
}

/* The largest first, as modules are put in; sizes are powers of two. */
static void make_bank(Djmemc *s, unsigned n, uint64_t *at, uint64_t most)
{
    Bank *b = &s->bank[n];
    uint64_t rest = memory_region_size(s->ram) - *at;

    for (b->size = most; b->size > rest; b->size /= 2) {
    }
    if (b->size < BANK_MIN) {
        b->size = 0;
        return;
    }
    memory_region_init(&b->window, s, "djmemc.bank", BANK_MAX);
    for (unsigned k = 0; k < BANK_MAX / b->size; k++) {
        memory_region_init_alias(&b->copy[k], s, "djmemc.copy", s->ram, *at, b->size);
        memory_region_add(&b->window, k * b->size, &b->copy[k]);
    }
    memory_region_set_enabled(&b->window, false);
    memory_region_add_overlap(&s->space, 0, &b->window, NUM_BANKS - (int)n);
    *at += b->size;
}

static bool djmemc_realize(Device *dev, UNUSED Error **errp)
{
    Djmemc *s = DJMEMC(dev);
    uint64_t size = memory_region_size(s->ram), at = 0;

    regs_init_region_full(&s->regs, s, "djmemc", DJMEMC_SIZE, djmemc_defs, R_NUM, s->reg, s, BIG_ENDIAN_REGS, 1);
    memory_region_init(&s->space, s, "djmemc.ram", DJMEMC_SPACE);
    memory_region_init_alias(&s->flat, s, "djmemc.flat", s->ram, 0, size);
    memory_region_add(&s->space, 0, &s->flat);
    for (unsigned n = 0; n < NUM_BANKS; n++) {
        make_bank(s, n, &at, size > NUM_BANKS * BANK_SMALL ? BANK_MAX : BANK_SMALL);
    }
    return true;
}

static void djmemc_unrealize(Device *dev)
{
    Djmemc *s = DJMEMC(dev);

    for (unsigned n = 0; n < NUM_BANKS; n++) {
        Bank *b = &s->bank[n];

        for (unsigned k = 0; b->size && k < BANK_MAX / b->size; k++) {
            memory_region_cleanup(&b->copy[k]);
        }
        if (b->size) {
            memory_region_cleanup(&b->window);
        }
    }
    memory_region_cleanup(&s->flat);
    memory_region_cleanup(&s->space);
    memory_region_cleanup(&s->regs);
}

static bool djmemc_post_load(void *opaque, Error **errp)
{
    Djmemc *s = opaque;

    if (!regs_valid(s->reg, djmemc_defs, R_NUM, errp)) {
        return false;
    }
    place(s);
    return true;
}

static const VmField djmemc_fields[] = {
    VM_REGS(Djmemc, reg, djmemc_defs), VM_BOOL(Djmemc, banked), VM_END
};
static const VmMeaning djmemc_meanings[] = {
    { "banked", "RAM lies where the bank registers say" }, { .name = NULL }
};

static const DeviceType djmemc_type = {
    .name = TYPE_DJMEMC, .size = sizeof(Djmemc), .desc = "Quadra memory controller", .category = DEVICE_MISC,
    .not_user_creatable = true, .realize = djmemc_realize, .unrealize = djmemc_unrealize, .reset_hold = djmemc_reset_hold,
    .vm = { 1, djmemc_fields, .post_load = djmemc_post_load, .meanings = djmemc_meanings },
};
DEVICE_TYPE(djmemc_type)
