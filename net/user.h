/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Others' ways to -netdev user: forwarded ports, folders served by Samba. Big lock. */
#ifndef NET_USER_H
#define NET_USER_H

#include "qobject/error.h"

/* @id NULL: the only user network there is. @rule as for hostfwd. */
bool user_hostfwd_add(const char *id, const char *rule, Error **errp);
/* "[tcp|udp]:[HOST-ADDRESS]:PORT" */
bool user_hostfwd_remove(const char *id, const char *rule, Error **errp);
/*
 * Folder @path, by the name @name, in every user network that is made from now on, where the host has Samba; where
 * that can't be started the offer is passed over.
 */
void user_smb_offer(const char *name, const char *path, bool read_only);

#endif
