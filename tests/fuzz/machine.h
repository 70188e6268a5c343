/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine of a fuzz target: one a process, made from words as on a command line.
 * FUZZ_MACHINE in the environment replaces the target's own words.
 */
#ifndef TESTS_FUZZ_MACHINE_H
#define TESTS_FUZZ_MACHINE_H

#include "util/osdep.h"

/* What a fuzz target has of a machine: no user, stopped. */
#define FUZZ_PC "-M pc -S -display none -monitor none -serial null -parallel none -net none "
/* Words for every device that a user can add; their back ends hold nothing. */
extern const char fuzz_every_device[];

/* @words: separated by blanks; their last @more too, if not NULL. Ends the program with a message
 * if they make no machine. */
void fuzz_machine(const char *words, const char *more);
/* Devices that the guest had ejected come back; true if there were any. */
bool fuzz_machine_mend(void);
/* A frame for the guest, of the network number @n modulo their number. */
void fuzz_frame(unsigned n, const void *frame, size_t len);

#endif
