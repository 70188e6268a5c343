/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every device type there is, in an intelmac. */
#define BOARD "intelmac"
#include "tests/hw/core/test-all-devices.c"
