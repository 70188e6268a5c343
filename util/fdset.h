/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of file descriptors that whoever started or controls the program has opened for it. A file
 * name "/dev/fdset/N" means one of set N that has the access mode wanted, so that files can be used
 * which the program itself may not open. Main thread.
 */
#ifndef UTIL_FDSET_H
#define UTIL_FDSET_H

#include "util/osdep.h"

typedef struct FdsetFd {
    int fd;                     /* owned by the set */
    char *opaque;               /* the user's text, or NULL; owned */
    struct FdsetFd *next;
} FdsetFd;

typedef struct Fdset {
    int64_t id;
    FdsetFd *fds;
    struct Fdset *next;         /* by rising id */
} Fdset;

extern Fdset *fdset_list;

/* Takes @fd; @opaque (may be NULL) is copied. @id < 0: a new set with the lowest free number. The
 * set's number. */
int64_t fdset_add(int64_t id, int fd, const char *opaque);
/* Closes one descriptor of the set, or all with @fd < 0; a set without any goes. False: not there. */
bool fdset_remove(int64_t id, int fd);
/* open(), but a name "/dev/fdset/N" gives a duplicate out of the set; -1 with errno set. */
int fdset_open(const char *path, int flags, int mode);

#endif
