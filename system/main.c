/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program's entry point.
 */
#include "util/osdep.h"

int main(void)
{
    fprintf(stderr, "qemu-system: no machine types are built in\n");
    return 1;
}
