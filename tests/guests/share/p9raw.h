/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtio-9p-pci device driven by a program of the guest's root, without the kernel's 9P client between: any bytes as
 * messages, several at a time. No driver may be bound to it.
 */
#ifndef TESTS_GUESTS_SHARE_P9RAW_H
#define TESTS_GUESTS_SHARE_P9RAW_H

#include <stdint.h>

#define SLOTS	16		/* messages under way */
#define PAGE	4096

enum { TLOPEN = 12, TLCREATE = 14, TSYMLINK = 16, TMKNOD = 18, TRENAME = 20, TREADLINK = 22, TGETATTR = 24,
	TSETATTR = 26, TXATTRWALK = 30, TXATTRCREATE = 32, TREADDIR = 40, TFSYNC = 50, TLOCK = 52, TGETLOCK = 54, TLINK = 70,
	TMKDIR = 72, TRENAMEAT = 74, TUNLINKAT = 76, TVERSION = 100, TATTACH = 104, TFLUSH = 108, TWALK = 110, TREAD = 116,
	TWRITE = 118, TCLUNK = 120, TREMOVE = 122 };
#define NOFID	0xffffffffu

extern uint32_t answered[SLOTS];	/* bytes; what is longer than a page isn't asked for */
extern int broken;			/* the device takes nothing more until it is reset */

_Noreturn void die(const char *what);
uint32_t load32(const uint8_t *p);
void raw_open(void);
void raw_reset(void);
/* The pages of a slot's message and its answer. */
uint8_t *out_of(int slot);
uint8_t *answer_of(int slot);
/* @len bytes of the slot's page, which needn't be a message, and @room for an answer. */
void raw_send(int slot, uint32_t len, uint32_t room);
/* Until the slot's answer is there, or the device is broken. */
void raw_wait(int slot);
/* A message by a format, as p9_client() of tests/lib has it: b, h, w, q numbers, s a string, D bytes. */
void begin(int slot, uint8_t type, const char *fmt, ...);
/* Its answer: 0, an error number, or -1: none, or one of another kind. */
int end(int slot);
/* Both, in slot 0. */
int call(uint8_t type, const char *fmt, ...);

#endif
