/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Image locking. Whoever uses an image holds read locks (fcntl, open file
 * description) on single bytes: 100 + n for each right that it uses, 200 + n for
 * each right that it denies to others. It then looks whether somebody holds the
 * opposite byte. n: 0 consistent reads, 1 writes, 2 writes of what is there
 * already, 3 resizing. Programs that use images agree on these numbers; the
 * data under the bytes doesn't matter.
 */
#include "util/osdep.h"
#include <fcntl.h>
#include "block/file.h"

#define USED    100
#define DENIED  200

enum { RIGHT_READ = 1, RIGHT_WRITE = 2, RIGHT_RESIZE = 8, RIGHTS = 4 };
static const char *const right_names[RIGHTS] = { "consistent read", "write", "write unchanged",
                                                 "resize" };

static int set(int fd, off_t byte, short type)
{
    struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

    return fcntl(fd, F_OFD_SETLK, &l) < 0 ? -errno : 0;
}

/* Somebody else's lock, which would be in the way of an exclusive one. */
static bool taken(int fd, off_t byte)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

    return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

static void hold(int fd, unsigned used, unsigned denied)
{
    for (unsigned i = 0; i < RIGHTS; i++) {
        set(fd, USED + i, used >> i & 1 ? F_RDLCK : F_UNLCK);
        set(fd, DENIED + i, denied >> i & 1 ? F_RDLCK : F_UNLCK);
    }
}

static bool conflict(int fd, const char *name, unsigned used, unsigned denied, Error **errp)
{
    for (unsigned i = 0; i < RIGHTS; i++) {
        bool by_use = used >> i & 1 && taken(fd, DENIED + i);

        if (by_use || (denied >> i & 1 && taken(fd, USED + i))) {
            error_setf(errp, ERR_IN_USE, "Failed to get %s\"%s\" lock", by_use ? "" : "shared ",
                       right_names[i]);
            error_hint(errp, "Is another process using the image [%s]?", name);
            return true;
        }
    }
    return false;
}

static bool take(int fd, const char *name, bool write, bool was_write, bool held, Error **errp)
{
    unsigned used = RIGHT_READ | (write ? RIGHT_WRITE | RIGHT_RESIZE : 0);
    unsigned denied = RIGHT_WRITE | RIGHT_RESIZE;
    int r = set(fd, USED, F_RDLCK);

    if (r == -EINVAL || r == -ENOLCK || r == -EOPNOTSUPP || r == -ENOSYS) {
        return true;                    /* the file system has no locks */
    }
    hold(fd, used, denied);
    if (!conflict(fd, name, used, denied, errp)) {
        return true;
    }
    if (held) {
        hold(fd, RIGHT_READ | (was_write ? RIGHT_WRITE | RIGHT_RESIZE : 0), denied);
    } else {
        hold(fd, 0, 0);
    }
    return false;
}

void file_unlock(int fd)
{
    hold(fd, 0, 0);
}

bool file_lock(int fd, const char *name, bool write, Error **errp)
{
    return take(fd, name, write, false, false, errp);
}

bool file_relock(int fd, const char *name, bool write, Error **errp)
{
    return take(fd, name, write, !write, true, errp);
}
