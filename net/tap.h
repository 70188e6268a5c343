/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that makes a tap interface and hands over its descriptor. Blocks until it is through. */
#ifndef NET_TAP_H
#define NET_TAP_H

#include "net/net.h"

#define TAP_BRIDGE_DEFAULT  "br0"

/*
 * Run @helper (NULL: the project's own) with --br=@bridge --fd=N [--use-vnet]; the descriptor comes over
 * the socket N. A helper with blanks is a shell command. -1 with *errp set.
 */
int tap_run_helper(const char *helper, const char *bridge, Error **errp);
/* Run "@script IFNAME" and wait for it. */
bool tap_run_script(const char *script, const char *ifname, Error **errp);

#endif
