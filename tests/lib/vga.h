/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC with the display controller "VGA", for tests: its registers, and its frame buffer at VGA_LFB. */
#ifndef TESTS_LIB_VGA_H
#define TESTS_LIB_VGA_H

#include "tests/lib/qtest.h"

#define VGA_BDF     (2 << 3)
#define VGA_LFB     0xe0000000u

QTest *vga_pc(Test *t);
/* Ports of an index and, after it, a value: the sequencer's, the CRT controller's, the graphics controller's. */
void vga_indexed(QTest *q, uint16_t port, uint8_t index, uint8_t val);
/* DISPI registers. */
void vga_dispi(QTest *q, uint16_t index, uint16_t val);
uint16_t vga_dispi_get(QTest *q, uint16_t index);

#endif
