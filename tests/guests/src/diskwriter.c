/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a disk in a guest that will be killed, and looks on the host at what is left.
 *   diskwriter write DEVICE SEED [JOBS DEPTH]  for ever: blocks at random places, each with its number and the
 *                                      write's, up to DEPTH (1 to 32) at a time; after some of them a flush, and then
 *                                      "flushed WRITE". With several JOBS (up to 16) each has its part of the disk, and
 *                                      says "flushed JOB WRITE", from 0
 *   diskwriter verify FILE SEED WRITE...   whether all up to the flushed WRITE of each job is there: each block holds
 *                                      what was last written to it by then, or something later
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BLOCK = 4096, GROUP = 24, LATER = 1000, JOBS_MAX = 16, DEPTH_MAX = 32 };

typedef struct Record {
    uint64_t magic, seed, write, block, check;
} Record;

#define MAGIC   UINT64_C(0x6b696c6c74657374)

static uint64_t mix(uint64_t v)
{
    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

static uint64_t block_of(uint64_t seed, uint64_t write, uint64_t blocks)
{
    return mix(seed * UINT64_C(0x9e3779b97f4a7c15) + write) % blocks;
}

static uint64_t seed_of(uint64_t seed, unsigned job)
{
    return job ? mix(seed + ((uint64_t)job << 32)) : seed;
}

/* The record stands at both ends of the block, and a pattern of the write between. */
static void fill(uint8_t *b, uint64_t seed, uint64_t write, uint64_t block)
{
    Record r = { MAGIC, seed, write, block, mix(seed ^ write ^ block << 20) };

    memset(b, (int)(mix(write) & 0xff), BLOCK);
    memcpy(b, &r, sizeof(r));
    memcpy(b + BLOCK - sizeof(r), &r, sizeof(r));
}

/* --- in the guest --- */

typedef struct Job {
    int fd;
    aio_context_t ctx;
    struct iocb cb[DEPTH_MAX];
    uint64_t block[DEPTH_MAX];  /* of those under way */
    uint8_t busy[DEPTH_MAX];
    unsigned depth, in_flight;
    uint8_t *buf;               /* of depth blocks */
} Job;

/* At least @min of them have ended afterwards. */
static int collect(Job *j, unsigned min)
{
    struct io_event ev[DEPTH_MAX];
    long n = min ? syscall(SYS_io_getevents, j->ctx, (long)min, (long)j->in_flight, ev, NULL) : 0;

    for (long i = 0; i < n; i++) {
        if (ev[i].res != BLOCK) {
            fprintf(stderr, "write: result %lld\n", (long long)ev[i].res);
            return -1;
        }
        j->busy[ev[i].data] = 0;
        j->in_flight--;
    }
    return n < (long)min ? -1 : 0;
}

/* Which of two writes of a block comes last isn't told: they never meet. */
static int is_under_way(const Job *j, uint64_t block)
{
    for (unsigned i = 0; i < j->depth; i++) {
        if (j->busy[i] && j->block[i] == block) {
            return 1;
        }
    }
    return 0;
}

static int begin_write(Job *j, uint64_t seed, uint64_t write, uint64_t block)
{
    struct iocb *c;
    unsigned i = 0;

    if ((j->in_flight == j->depth && collect(j, 1) < 0) || (is_under_way(j, block) && collect(j, j->in_flight) < 0)) {
        return -1;
    }
    while (j->busy[i]) {
        i++;
    }
    fill(j->buf + i * BLOCK, seed, write, block);
    c = &j->cb[i];
    memset(c, 0, sizeof(*c));
    c->aio_lio_opcode = IOCB_CMD_PWRITE;
    c->aio_fildes = j->fd;
    c->aio_data = i;
    c->aio_buf = (uintptr_t)(j->buf + i * BLOCK);
    c->aio_nbytes = BLOCK;
    c->aio_offset = (int64_t)(block * BLOCK);
    j->busy[i] = 1;
    j->block[i] = block;
    j->in_flight++;
    return syscall(SYS_io_submit, j->ctx, 1L, &c) == 1 ? 0 : -1;
}

static int write_for_ever(const char *path, uint64_t seed, unsigned job, unsigned jobs, unsigned depth)
{
    Job j = { .fd = open(path, O_RDWR | O_DIRECT), .depth = depth };
    uint64_t size = 0, blocks;
    void *buf;

    if (j.fd < 0 || ioctl(j.fd, BLKGETSIZE64, &size) < 0 || posix_memalign(&buf, BLOCK, (size_t)BLOCK * depth) ||
        syscall(SYS_io_setup, DEPTH_MAX, &j.ctx) < 0) {
        perror(path);
        return 1;
    }
    j.buf = buf;
    blocks = size / BLOCK / jobs;
    seed = seed_of(seed, job);
    for (uint64_t i = 1;; i++) {
        if (begin_write(&j, seed, i, job * blocks + block_of(seed, i, blocks)) < 0) {
            perror("write");
            return 1;
        }
        if (i % GROUP == 0) {
            char line[64];
            int len = jobs > 1 ? snprintf(line, sizeof(line), "flushed %u %llu\n", job, (unsigned long long)i)
                               : snprintf(line, sizeof(line), "flushed %llu\n", (unsigned long long)i);

            if (collect(&j, j.in_flight) < 0 || fdatasync(j.fd) < 0) {
                perror("fdatasync");
                return 1;
            }
            /* At once, so that the jobs' lines don't mix. */
            if (write(1, line, (size_t)len) != len) {
                return 1;
            }
        }
    }
}

static int run_jobs(const char *path, uint64_t seed, unsigned jobs, unsigned depth)
{
    for (unsigned job = 1; job < jobs; job++) {
        pid_t pid = fork();

        if (pid <= 0) {
            return pid < 0 ? 1 : write_for_ever(path, seed, job, jobs, depth);
        }
    }
    return write_for_ever(path, seed, 0, jobs, depth);
}

/* --- on the host --- */

static int verify_job(int fd, uint64_t seed, uint64_t first, uint64_t blocks, uint64_t flushed, uint64_t *newer)
{
    uint64_t *last = calloc(blocks + 1, sizeof(*last));
    uint8_t b[BLOCK], want[BLOCK];
    int bad = !last;

    for (uint64_t i = 1; last && i <= flushed; i++) {
        last[block_of(seed, i, blocks)] = i;
    }
    for (uint64_t n = 0; last && n < blocks; n++) {
        Record r;

        if (pread(fd, b, BLOCK, (off_t)((first + n) * BLOCK)) != BLOCK) {
            perror("pread");
            bad++;
            break;
        }
        memcpy(&r, b, sizeof(r));
        if (r.magic != MAGIC) {
            bad += last[n] != 0;
            continue;
        }
        /* A write that wasn't flushed may be there in part; the program's own record at the front tells which. */
        fill(want, seed, r.write, first + n);
        *newer += r.write > last[n];
        if (r.seed != seed || r.write < last[n] || r.write > flushed + LATER || (r.write <= flushed && memcmp(b, want, BLOCK)) ||
            block_of(seed, r.write, blocks) != n) {
            bad++;
            fprintf(stderr, "block %llu: write %llu, expected %llu or later\n", (unsigned long long)(first + n),
                    (unsigned long long)r.write, (unsigned long long)last[n]);
        }
    }
    free(last);
    return bad;
}

static int verify(const char *path, uint64_t seed, unsigned jobs, char **flushed)
{
    int fd = open(path, O_RDONLY), bad = 0;
    uint64_t blocks, newer = 0, writes = 0;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        perror(path);
        return 1;
    }
    blocks = (uint64_t)st.st_size / BLOCK / jobs;
    for (unsigned j = 0; j < jobs; j++) {
        uint64_t f = strtoull(flushed[j], NULL, 10);

        writes += f;
        bad += verify_job(fd, seed_of(seed, j), j * blocks, blocks, f, &newer);
    }
    printf("%llu flushed writes, %llu blocks newer, %d wrong\n", (unsigned long long)writes,
           (unsigned long long)newer, bad);
    return bad != 0;
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    unsigned jobs = 1, depth = 1;

    if (argc == 6) {
        jobs = (unsigned)atoi(argv[4]);
        depth = (unsigned)atoi(argv[5]);
    }
    if ((argc == 4 || argc == 6) && !strcmp(argv[1], "write") && jobs >= 1 && jobs <= JOBS_MAX && depth >= 1 &&
        depth <= DEPTH_MAX) {
        return run_jobs(argv[2], seed, jobs, depth);
    }
    if (argc >= 5 && argc - 4 <= JOBS_MAX && !strcmp(argv[1], "verify")) {
        return verify(argv[2], seed, (unsigned)argc - 4, argv + 4);
    }
    fprintf(stderr, "diskwriter write DEVICE SEED [JOBS DEPTH] | verify FILE SEED WRITE...\n");
    return 2;
}
