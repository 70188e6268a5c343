/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every device type there is, in a Quadra 800. */
#define BOARD "q800"
#include "tests/hw/core/test-all-devices.c"
