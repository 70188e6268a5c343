/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 16550A as a part of other devices: eight registers, an interrupt, a
 * byte stream. Zero-initialised inside its owner. Big lock.
 */
#ifndef HW_CHAR_SERIAL16550_H
#define HW_CHAR_SERIAL16550_H

#include "chardev/chardev.h"
#include "hw/core/irq.h"
#include "memory/memory.h"
#include "util/timer.h"
#include "vmstate/vmstate.h"

#define UART_FIFO_SIZE  16
#define UART_REGS       8

typedef struct Uart {
    IrqLine *irq;                   /* set by the owner */
    CharFrontend fe;
    uint32_t clock_hz;              /* baud base times 16 */
    Timer rx_timeout;
    /* Registers. */
    uint16_t divisor;
    uint8_t ier, lcr, mcr, lsr, msr, scr, fcr;
    bool thr_pending;               /* THRE interrupt not yet answered */
    bool timeout_pending;           /* character timeout likewise */
    /* Received bytes, each with its error bits of LSR. */
    uint8_t rx[UART_FIFO_SIZE], rx_err[UART_FIFO_SIZE];
    uint8_t rx_head, rx_count;
    /* Bytes that the back end did not take yet. */
    uint8_t tx[UART_FIFO_SIZE];
    uint8_t tx_count;
} Uart;

/* @chr may be NULL. False when the back end is in use. */
bool uart_init(Uart *u, Chardev *chr, uint32_t clock_hz, Error **errp);
void uart_cleanup(Uart *u);
void uart_reset(Uart *u);
uint8_t uart_read(Uart *u, unsigned reg, bool debug);
void uart_write(Uart *u, unsigned reg, uint8_t val);
/* With a Uart as opaque; one byte a register. */
extern const MemOps uart_mem_ops;
extern const VmState uart_vm;

#endif
