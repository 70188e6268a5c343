/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor's way to the forwarded ports of -netdev user. Big lock. */
#ifndef NET_USER_H
#define NET_USER_H

#include "qobject/error.h"

/* @id NULL: the only user network there is. @rule as for hostfwd. */
bool user_hostfwd_add(const char *id, const char *rule, Error **errp);
/* "[tcp|udp]:[HOST-ADDRESS]:PORT" */
bool user_hostfwd_remove(const char *id, const char *rule, Error **errp);

#endif
