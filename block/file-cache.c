/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files: the host's cache is dropped when an image comes from another host, by a file system that both have. */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "block/file.h"

#define WINDOW      (256 * MIB)     /* of the file, mapped at once */

/* How many pages of [@offset, @offset + @len) are in memory; -1: the kernel doesn't tell. */
static int64_t resident(int fd, uint64_t offset, size_t len, size_t page)
{
    size_t pages = DIV_ROUND_UP(len, page);
    void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)offset);
    unsigned char *there;
    int64_t count = 0;

    if (map == MAP_FAILED) {
        return -1;
    }
    there = g_malloc(pages);
    if (mincore(map, len, there) < 0) {
        count = -1;
    }
    for (size_t i = 0; i < pages && count >= 0; i++) {
        count += there[i] & 1;
    }
    g_free(there);
    munmap(map, len);
    return count;
}

static bool check_gone(int fd, const char *name, Error **errp)
{
    size_t page = sysconf(_SC_PAGESIZE);
    struct stat st;

    if (fstat(fd, &st) < 0) {
        error_set_errno(errp, errno, "can't get the size of '%s'", name);
        return false;
    }
    for (uint64_t at = 0; S_ISREG(st.st_mode) && at < (uint64_t)st.st_size; at += WINDOW) {
        int64_t count = resident(fd, at, MIN(st.st_size - at, WINDOW), page);

        if (count) {
            error_setf(errp, ERR_IN_USE, count < 0 ? "'%s': what is in the host's cache can't be told"
                       : "'%s': the host's cache still has some of it: somebody else uses it", name);
            return false;
        }
    }
    return true;
}

bool file_drop_cache(int fd, const char *name, bool check, Error **errp)
{
    int r;

    /* What is to be written yet can't be dropped. */
    r = fdatasync(fd) < 0 ? errno : posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    if (r) {
        error_set_errno(errp, r, "the host's cache of '%s' can't be dropped", name);
        return false;
    }
    return !check || check_gone(fd, name, errp);
}
