/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs in a guest: times direct accesses of a disk, one line for each kind.
 *   diskbench DEVICE SECONDS [KIND...]     kinds: r1 w1 r32 w32 (4 KiB at random places, one or 32
 *   requests at a time), rs ws (1 MiB in order, four at a time)
 * Linux's own asynchronous I/O by its system calls: no library is needed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH_MAX = 32, BLOCK = 4096, LARGE = 1024 * 1024 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static uint64_t state = 88172645463325252u;

static uint64_t place(uint64_t blocks)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % blocks;
}

static int run(int fd, uint64_t size, const char *kind, double seconds)
{
    int write = kind[0] == 'w', in_order = kind[1] == 's';
    unsigned depth = in_order ? 4 : atoi(kind + 1), in_flight = 0;
    size_t len = in_order ? LARGE : BLOCK;
    struct iocb cb[DEPTH_MAX], *free_cb[DEPTH_MAX];
    uint64_t done = 0, next = 0;
    aio_context_t ctx = 0;
    double begin, end;
    void *buf;

    if (depth < 1 || depth > DEPTH_MAX || posix_memalign(&buf, BLOCK, len * depth) ||
        syscall(SYS_io_setup, DEPTH_MAX, &ctx) < 0) {
        perror("setup");
        return 1;
    }
    memset(buf, 0x5a, len * depth);
    for (unsigned i = 0; i < depth; i++) {
        free_cb[i] = &cb[i];
    }
    begin = now();
    end = begin + seconds;
    do {
        struct io_event ev[DEPTH_MAX];
        int more = now() < end;
        long n;

        while (more && in_flight < depth) {
            struct iocb *c = free_cb[depth - 1 - in_flight];
            uint64_t at = in_order ? next++ % (size / len) : place(size / len);

            memset(c, 0, sizeof(*c));
            c->aio_lio_opcode = write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
            c->aio_fildes = fd;
            c->aio_buf = (uintptr_t)buf + (c - cb) * len;
            c->aio_nbytes = len;
            c->aio_offset = at * len;
            if (syscall(SYS_io_submit, ctx, 1, &c) != 1) {
                perror("io_submit");
                return 1;
            }
            in_flight++;
        }
        if (!in_flight) {
            break;
        }
        n = syscall(SYS_io_getevents, ctx, 1, depth, ev, NULL);
        for (long i = 0; i < n; i++) {
            if (ev[i].res != (int64_t)len) {
                fprintf(stderr, "%s: result %lld\n", kind, (long long)ev[i].res);
                return 1;
            }
            in_flight--;
            free_cb[depth - 1 - in_flight] = (struct iocb *)(uintptr_t)ev[i].obj;
        }
        done += n > 0 ? n : 0;
    } while (1);
    end = now();
    printf("diskbench %s %.1f\n", kind, in_order ? done / (end - begin) : done / (end - begin));
    fflush(stdout);
    syscall(SYS_io_destroy, ctx);
    free(buf);
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const all[] = { "r1", "w1", "r32", "w32", "rs", "ws" };
    int fd = argc > 2 ? open(argv[1], O_RDWR | O_DIRECT) : -1;
    uint64_t size = 0;

    if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) < 0 || size < LARGE) {
        perror(argc > 2 ? argv[1] : "diskbench DEVICE SECONDS [KIND...]");
        return 1;
    }
    for (int i = 0; i < (argc > 3 ? argc - 3 : 6); i++) {
        if (run(fd, size, argc > 3 ? argv[3 + i] : all[i], atof(argv[2]))) {
            return 1;
        }
    }
    return 0;
}
