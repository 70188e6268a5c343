/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File descriptors that clients have sent, by the names they gave them. */
#include "util/osdep.h"
#include <fcntl.h>
#include <unistd.h>
#include "monitor/monitor-int.h"
#include "qapi/commands-misc.h"
#include "qapi/sockets.h"
#include "util/fdset.h"

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

/* ----------------------------------------------------------------- sets */

AddfdInfo *qmp_add_fd(bool has_fdset_id, int64_t fdset_id, const char *opaque, Error **errp)
{
    int fd = monitor_current ? chr_fe_take_fd(&monitor_current->fe) : -1;
    AddfdInfo *info;

    if (fd < 0) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "No file descriptor supplied via SCM_RIGHTS");
        return NULL;
    }
    if (has_fdset_id && fdset_id < 0) {
        close(fd);
        error_setf(errp, ERR_OUT_OF_RANGE, "Parameter 'fdset-id' expects a non-negative value");
        error_argument(errp, "fdset-id", NULL, "0 or more");
        return NULL;
    }
    info = qapi_new(AddfdInfo);
    info->fdset_id = fdset_add(has_fdset_id ? fdset_id : -1, fd, opaque);
    info->fd = fd;
    return info;
}

bool qmp_remove_fd(int64_t fdset_id, bool has_fd, int64_t fd, Error **errp)
{
    if ((has_fd && (fd < 0 || fd > INT32_MAX)) ||
        !fdset_remove(fdset_id, has_fd ? (int)fd : -1)) {
        g_autofree char *more = has_fd ? g_strdup_printf(", fd:%" PRId64, fd) : g_strdup("");

        error_setf(errp, ERR_NO_SUCH_OBJECT,
                   "File descriptor named 'fdset-id:%" PRId64 "%s' not found", fdset_id, more);
        error_hint(errp, "query-fdsets shows what there is");
        return false;
    }
    return true;
}

FdsetInfoList *qmp_query_fdsets(UNUSED Error **errp)
{
    FdsetInfoList *list = qapi_new(FdsetInfoList);

    for (const Fdset *s = fdset_list; s; s = s->next) {
        FdsetInfo *info = qapi_new(FdsetInfo);

        info->fdset_id = s->id;
        info->fds = qapi_new(FdsetFdInfoList);
        for (const FdsetFd *f = s->fds; f; f = f->next) {
            FdsetFdInfo *fd = qapi_new(FdsetFdInfo);

            fd->fd = f->fd;
            fd->opaque = f->opaque ? strdup(f->opaque) : NULL;
            qapi_list_append(info->fds, fd);
        }
        qapi_list_append(list, info);
    }
    return list;
}
