/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCO timer of Intel's I/O controller hubs: a watchdog that first makes an SMI, then resets. Part of the power
 * management ports, at 60h. Big lock.
 */
#ifndef HW_WATCHDOG_TCO_H
#define HW_WATCHDOG_TCO_H

#include "hw/core/device.h"
#include "util/timer.h"

#define TCO_IO_SIZE     0x20

typedef struct Tco {
    uint16_t sts1, sts2, cnt1, cnt2, tmr;
    uint8_t dat_in, dat_out, message[2], wdcnt, sw_irq;
    int64_t deadline_ns;        /* of CLOCK_VIRTUAL; 0: halted */
    Timer timer;
    void (*smi)(void *opaque);          /* STS.TIMEOUT was set */
    bool (*no_reboot)(void *opaque);    /* GCS.NR, or its strap */
    void *opaque;
} Tco;

void tco_init(Tco *s, void (*smi)(void *opaque), bool (*no_reboot)(void *opaque), void *opaque);
void tco_cleanup(Tco *s);
void tco_reset(Tco *s);
/* One byte; @reg below TCO_IO_SIZE. */
uint8_t tco_read(Tco *s, unsigned reg);
/* A whole register's width at once: @size 1, 2. */
void tco_write(Tco *s, unsigned reg, uint16_t val, unsigned size);
bool tco_post_load(Tco *s, Error **errp);
extern const VmState tco_vm;

#endif
