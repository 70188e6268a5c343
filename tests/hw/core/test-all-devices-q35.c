/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every device type there is, in a q35. */
#define BOARD "q35"
#include "tests/hw/core/test-all-devices.c"
