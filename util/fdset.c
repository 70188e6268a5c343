/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of file descriptors. */
#include "util/osdep.h"
#include <fcntl.h>
#include <unistd.h>
#include <glib.h>
#include "util/fdset.h"

#define PREFIX  "/dev/fdset/"

Fdset *fdset_list;

static Fdset *find_set(int64_t id)
{
    for (Fdset *s = fdset_list; s; s = s->next) {
        if (s->id == id) {
            return s;
        }
    }
    return NULL;
}

static Fdset *new_set(int64_t id)
{
    Fdset **p = &fdset_list, *s = g_new0(Fdset, 1);

    if (id < 0) {
        for (id = 0; *p && (*p)->id == id; p = &(*p)->next) {
            id++;
        }
    } else {
        while (*p && (*p)->id < id) {
            p = &(*p)->next;
        }
    }
    s->id = id;
    s->next = *p;
    *p = s;
    return s;
}

int64_t fdset_add(int64_t id, int fd, const char *opaque)
{
    Fdset *s = id < 0 ? NULL : find_set(id);
    FdsetFd *f = g_new0(FdsetFd, 1);

    if (!s) {
        s = new_set(id);
    }
    f->fd = fd;
    f->opaque = g_strdup(opaque);
    f->next = s->fds;
    s->fds = f;
    return s->id;
}

static void drop_if_empty(Fdset *s)
{
    if (s->fds) {
        return;
    }
    for (Fdset **p = &fdset_list; *p; p = &(*p)->next) {
        if (*p == s) {
            *p = s->next;
            g_free(s);
            return;
        }
    }
}

bool fdset_remove(int64_t id, int fd)
{
    Fdset *s = find_set(id);
    bool found = false;

    for (FdsetFd **p = s ? &s->fds : NULL; p && *p;) {
        FdsetFd *f = *p;

        if (fd >= 0 && f->fd != fd) {
            p = &f->next;
            continue;
        }
        *p = f->next;
        close(f->fd);
        g_free(f->opaque);
        g_free(f);
        found = true;
    }
    if (s) {
        drop_if_empty(s);
    }
    return found;
}

/* The descriptor's flags must fit what is wanted; the kernel shares the offset of duplicates. */
static int dup_from(const Fdset *s, int flags)
{
    for (const FdsetFd *f = s->fds; f; f = f->next) {
        int have = fcntl(f->fd, F_GETFL);

        if (have >= 0 && (have & O_ACCMODE) == (flags & O_ACCMODE)) {
            return fcntl(f->fd, flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 3);
        }
    }
    errno = EACCES;
    return -1;
}

int fdset_open(const char *path, int flags, int mode)
{
    const Fdset *s;
    char *end;
    int64_t id;

    if (strncmp(path, PREFIX, strlen(PREFIX))) {
        return open(path, flags, mode);
    }
    path += strlen(PREFIX);
    errno = 0;
    id = strtoll(path, &end, 10);
    s = end != path && !*end && !errno && id >= 0 ? find_set(id) : NULL;
    if (!s) {
        errno = ENOENT;
        return -1;
    }
    return dup_from(s, flags);
}
