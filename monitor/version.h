/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The version of the interface that clients find here, and our own name. */
#ifndef MONITOR_VERSION_H
#define MONITOR_VERSION_H

#define VERSION_MAJOR   7
#define VERSION_MINOR   2
#define VERSION_MICRO   0
#define VERSION_PACKAGE "qemu-system 0.1"

#endif
