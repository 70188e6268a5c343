/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device tests through the qtest socket: the emulator runs as a process of its
 * own under -accel qtest, and the test does what a CPU would do.
 *
 *     TEST(rtc, alarm)
 *     {
 *         QTest *q = qtest_start(t, "-machine pc -device ...");
 *
 *         qtest_outb(q, 0x70, 0x0b);
 *         qtest_clock_step(q, 1000000000);
 *         check_true(t, qtest_irq_level(q, 8), "...");
 *     }
 *
 * It ends with the case. When the emulator ends early, or answers with FAIL
 * where that isn't asked for, the case fails and what is read is all ones.
 */
#ifndef TESTS_LIB_QTEST_H
#define TESTS_LIB_QTEST_H

#include "libqmp/qmp-client.h"
#include "tests/lib/test.h"

typedef struct QTest QTest;

/* @args: as in a shell; with an -accel of their own the guest may run. Never NULL. */
QTest *qtest_start(Test *t, const char *args, ...) PRINTF_LIKE(2, 3);
/* With a QMP monitor: see qtest_qmp(). */
QTest *qtest_start_qmp(Test *t, const char *args, ...) PRINTF_LIKE(2, 3);
/* Before the case ends; the exit status, -1 if a signal ended it. */
int qtest_stop(QTest *q);
/* Wait until it ends by itself; as qtest_stop(). */
int qtest_wait(QTest *q);
/* Borrowed; NULL without qtest_start_qmp(), or when it isn't there. */
QmpClient *qtest_qmp(QTest *q);
int qtest_pid(const QTest *q);

/* One line of the protocol; what follows "OK ", freed with free(). NULL: FAIL,
 * whose text *fail gets (may be NULL). */
char *qtest_ask(QTest *q, char **fail, const char *fmt, ...) PRINTF_LIKE(3, 4);

uint8_t qtest_inb(QTest *q, uint16_t port);
uint16_t qtest_inw(QTest *q, uint16_t port);
uint32_t qtest_inl(QTest *q, uint16_t port);
void qtest_outb(QTest *q, uint16_t port, uint8_t v);
void qtest_outw(QTest *q, uint16_t port, uint16_t v);
void qtest_outl(QTest *q, uint16_t port, uint32_t v);
/* In the byte order of the machine's first CPU. */
uint8_t qtest_readb(QTest *q, uint64_t addr);
uint16_t qtest_readw(QTest *q, uint64_t addr);
uint32_t qtest_readl(QTest *q, uint64_t addr);
uint64_t qtest_readq(QTest *q, uint64_t addr);
void qtest_writeb(QTest *q, uint64_t addr, uint8_t v);
void qtest_writew(QTest *q, uint64_t addr, uint16_t v);
void qtest_writel(QTest *q, uint64_t addr, uint32_t v);
void qtest_writeq(QTest *q, uint64_t addr, uint64_t v);
void qtest_read(QTest *q, uint64_t addr, void *buf, size_t len);
void qtest_write(QTest *q, uint64_t addr, const void *buf, size_t len);
void qtest_memset(QTest *q, uint64_t addr, uint8_t byte, size_t len);

/* Interrupt lines of one device, by QOM path or id. */
bool qtest_irq_intercept_in(QTest *q, const char *path);
bool qtest_irq_intercept_out(QTest *q, const char *path);
/* As told last; lines start low. */
bool qtest_irq_level(QTest *q, unsigned n);
/* How often it went up since the start. */
unsigned qtest_irq_count(QTest *q, unsigned n);
/* @name NULL: the unnamed lines. */
void qtest_set_irq_in(QTest *q, const char *path, const char *name, int n, int level);

/* Guest time; the new one is returned. */
int64_t qtest_clock_step(QTest *q, int64_t ns);
int64_t qtest_clock_step_next(QTest *q);        /* to the next deadline; -1: none */
int64_t qtest_clock_set(QTest *q, int64_t ns);

/* Save the state of all devices, reset the machine, load it again: what was in progress
 * goes on as if nothing had been. Memory stays as it is. */
void qtest_reload(QTest *q);

/* PCI by mechanism #1. @bdf: bus << 8 | devfn. */
uint8_t qpci_readb(QTest *q, unsigned bdf, unsigned reg);
uint16_t qpci_readw(QTest *q, unsigned bdf, unsigned reg);
uint32_t qpci_readl(QTest *q, unsigned bdf, unsigned reg);
void qpci_writeb(QTest *q, unsigned bdf, unsigned reg, uint8_t v);
void qpci_writew(QTest *q, unsigned bdf, unsigned reg, uint16_t v);
void qpci_writel(QTest *q, unsigned bdf, unsigned reg, uint32_t v);
/* On bus 0; -1 if it isn't there. */
int qpci_find(QTest *q, uint16_t vendor, uint16_t device);
/* Size of a BAR, 0: there is none. Writes ones and puts the old value back. */
uint64_t qpci_bar_size(QTest *q, unsigned bdf, int n);
/* Put a BAR at @addr and enable decoding and bus mastering. */
void qpci_map(QTest *q, unsigned bdf, int n, uint64_t addr);

#endif
