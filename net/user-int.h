/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State of -netdev user, shared by user.c (the network), user-forward.c (forwarded ports) and user-smb.c (Samba). */
#ifndef NET_USER_INT_H
#define NET_USER_INT_H

#include <glib.h>
#include <slirp/libslirp.h>
#include "net/net.h"
#include "qapi/types-net.h"

typedef struct User {
    NetBackend *net;
    Slirp *slirp;
    void *source;                   /* what polls its descriptors */
    GArray *fds, *wanted;           /* GPollFD: those that are polled; those that libslirp asks for */
    bool in_libslirp;               /* a loop in a loop leaves it alone */
    uint32_t timeout_ms;
    NetdevUserOptions opts;         /* libslirp borrows its strings */
    char **search;
    struct in_addr first_guest;     /* that DHCP gives */
    GPtrArray *guest_forwards;
    struct UserSmb *smb;            /* user-smb.c */
} User;

/* What the options say. */
bool user_forwards_start(User *u, Error **errp);
/* The network may take more of what comes for the guest. */
void user_forwards_poll(User *u);
void user_forwards_end(User *u);
/* Folders served by Samba at @server: that of the options, and those offered by user_smb_offer(). */
bool user_smb_start(User *u, struct in_addr server, Error **errp);
void user_smb_end(User *u);
/* Its shares, a line each, for people; "" without any. g_free(). */
char *user_smb_info(User *u);
User *user_find(const char *id, Error **errp);

#endif
