/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "libivshmem/server.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>
#include "libivshmem/ivshmem-int.h"

static int open_it(IvshmemMemoryKind kind, const char *name, char *err)
{
    char path[4096];
    int fd = -1;

    switch (kind) {
    case IVSHMEM_MEMORY_POSIX:
        fd = shm_open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        break;
    case IVSHMEM_MEMORY_DIR:
        if (snprintf(path, sizeof(path), "%s/ivshmem.XXXXXX", name) >= (int)sizeof(path)) {
            errno = ENAMETOOLONG;
            break;
        }
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) {
            unlink(path);
        }
        break;
    case IVSHMEM_MEMORY_MEMFD:
        fd = memfd_create("ivshmem", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        break;
    case IVSHMEM_MEMORY_HUGE:
        fd = memfd_create("ivshmem", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
        break;
    }
    if (fd < 0) {
        ivshmem_err(err, "can't make the shared memory '%s': %s", name ? name : "memfd", strerror(errno));
    }
    return fd;
}

int ivshmem_memory_new(IvshmemMemoryKind kind, const char *name, uint64_t size, char *err)
{
    int fd = open_it(kind, name, err);
    struct statfs fs;
    struct stat st;
    uint64_t page;

    if (fd < 0) {
        return -1;
    }
    if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0) {
        goto fail;
    }
    /* A page of hugetlbfs is what its blocks are. */
    page = MAX((uint64_t)fs.f_bsize, (uint64_t)sysconf(_SC_PAGESIZE));
    size = (size + page - 1) / page * page;
    if ((uint64_t)st.st_size < size) {
        void *p;

        if (ftruncate(fd, (off_t)size) < 0) {
            goto fail;
        }
        /* What hugetlbfs can't hold is told now, and not when a guest writes there. */
        p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED) {
            goto fail;
        }
        munmap(p, size);
    }
    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);      /* where it can be sealed */
    return fd;
fail:
    ivshmem_err(err, "can't make %" PRIu64 " bytes of shared memory: %s", size, strerror(errno));
    close(fd);
    return -1;
}
