/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File descriptors that clients have sent, by the names they gave them. */
#include "util/osdep.h"
#include <fcntl.h>
#include <unistd.h>
#include "monitor/monitor-int.h"
#include "qapi/commands-misc.h"
#include "qapi/sockets.h"

typedef struct NamedFd {
    char *name;
    int fd;
    struct NamedFd *next;
} NamedFd;

static NamedFd *named_fds;      /* big lock */

static NamedFd *unlink_fd(const char *name)
{
    for (NamedFd **p = &named_fds; *p; p = &(*p)->next) {
        NamedFd *n = *p;

        if (!strcmp(n->name, name)) {
            *p = n->next;
            return n;
        }
    }
    return NULL;
}

void monitor_keep_fd(const char *name, int fd)
{
    NamedFd *n = unlink_fd(name);

    if (n) {
        close(n->fd);
    } else {
        n = g_new0(NamedFd, 1);
        n->name = g_strdup(name);
    }
    n->fd = fd;
    n->next = named_fds;
    named_fds = n;
}

bool monitor_close_fd(const char *name)
{
    NamedFd *n = unlink_fd(name);

    if (!n) {
        return false;
    }
    close(n->fd);
    g_free(n->name);
    g_free(n);
    return true;
}

void monitor_fds_cleanup(void)
{
    while (named_fds) {
        monitor_close_fd(named_fds->name);
    }
}

int monitor_take_fd(const char *name, Error **errp)
{
    NamedFd *n = unlink_fd(name);
    char *end;
    long number;
    int fd;

    if (n) {
        fd = n->fd;
        g_free(n->name);
        g_free(n);
        return fd;
    }
    number = strtol(name, &end, 10);
    if (end == name || *end || number < 0 || number > INT32_MAX) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "File descriptor named '%s' has not been found",
                   name);
        error_hint(errp, "getfd gives a name to a descriptor sent with it");
        return -1;
    }
    fd = fcntl(number, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) {
        error_set_errno(errp, errno, "file descriptor %ld", number);
    }
    return fd;
}

bool qmp_getfd(const char *fdname, Error **errp)
{
    int fd;

    if (*fdname >= '0' && *fdname <= '9') {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "Parameter 'fdname' expects a name not starting with a digit");
        error_argument(errp, "fdname", fdname, "a name that doesn't start with a digit");
        return false;
    }
    fd = monitor_current ? chr_fe_take_fd(&monitor_current->fe) : -1;
    if (fd < 0) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "No file descriptor supplied via SCM_RIGHTS");
        return false;
    }
    monitor_keep_fd(fdname, fd);
    return true;
}

bool qmp_closefd(const char *fdname, Error **errp)
{
    if (!monitor_close_fd(fdname)) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "File descriptor named '%s' not found", fdname);
        return false;
    }
    return true;
}
