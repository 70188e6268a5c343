/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disassembly of guest and host code for the log, by Capstone. */
#ifndef ACCEL_TCG_DISAS_H
#define ACCEL_TCG_DISAS_H

#include "accel/tcg/target-ops.h"

/* @mode: the mode word. Without Capstone: bytes in hexadecimal. */
void disas_guest(FILE *f, const TargetOps *ops, uint64_t mode, const uint8_t *code,
                 size_t size, uint64_t pc);
void disas_host(FILE *f, const uint8_t *code, size_t size);

#endif
