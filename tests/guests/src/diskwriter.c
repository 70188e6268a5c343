/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a disk in a guest that will be killed, and looks on the host at what is left.
 *   diskwriter write DEVICE SEED       for ever: blocks at random places, each with its number and the
 *                                      write's; after some of them a flush, and then "flushed WRITE"
 *   diskwriter verify FILE SEED WRITE  whether all up to the flushed WRITE is there: each block holds what
 *                                      was last written to it by then, or something later
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 4096, GROUP = 24, LATER = 1000 };

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

/* The record stands at both ends of the block, and a pattern of the write between. */
static void fill(uint8_t *b, uint64_t seed, uint64_t write, uint64_t block)
{
    Record r = { MAGIC, seed, write, block, mix(seed ^ write ^ block << 20) };

    memset(b, (int)(mix(write) & 0xff), BLOCK);
    memcpy(b, &r, sizeof(r));
    memcpy(b + BLOCK - sizeof(r), &r, sizeof(r));
}

static int write_for_ever(const char *path, uint64_t seed)
{
    int fd = open(path, O_RDWR | O_DIRECT);
    uint64_t size = 0;
    void *buf;

    if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) < 0 || posix_memalign(&buf, BLOCK, BLOCK)) {
        perror(path);
        return 1;
    }
    for (uint64_t i = 1;; i++) {
        uint64_t block = block_of(seed, i, size / BLOCK);

        fill(buf, seed, i, block);
        if (pwrite(fd, buf, BLOCK, (off_t)(block * BLOCK)) != BLOCK) {
            perror("pwrite");
            return 1;
        }
        if (i % GROUP == 0) {
            if (fdatasync(fd) < 0) {
                perror("fdatasync");
                return 1;
            }
            printf("flushed %llu\n", (unsigned long long)i);
            fflush(stdout);
        }
    }
}

static int verify(const char *path, uint64_t seed, uint64_t flushed)
{
    int fd = open(path, O_RDONLY);
    uint8_t b[BLOCK], want[BLOCK];
    uint64_t *last, blocks, bad = 0, newer = 0;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        perror(path);
        return 1;
    }
    blocks = (uint64_t)st.st_size / BLOCK;
    last = calloc(blocks + 1, sizeof(*last));
    for (uint64_t i = 1; last && i <= flushed; i++) {
        last[block_of(seed, i, blocks)] = i;
    }
    for (uint64_t n = 0; last && n < blocks; n++) {
        Record r;

        if (pread(fd, b, BLOCK, (off_t)(n * BLOCK)) != BLOCK) {
            perror("pread");
            return 1;
        }
        memcpy(&r, b, sizeof(r));
        if (r.magic != MAGIC) {
            bad += last[n] != 0;
            continue;
        }
        /* A write that wasn't flushed may be there in part; the program's own record at the front tells which. */
        fill(want, seed, r.write, n);
        newer += r.write > last[n];
        if (r.seed != seed || r.write < last[n] || r.write > flushed + LATER || (r.write <= flushed && memcmp(b, want, BLOCK)) ||
            block_of(seed, r.write, blocks) != n) {
            bad++;
            fprintf(stderr, "block %llu: write %llu, expected %llu or later\n", (unsigned long long)n,
                    (unsigned long long)r.write, (unsigned long long)last[n]);
        }
    }
    printf("%llu flushed writes, %llu blocks newer, %llu wrong\n", (unsigned long long)flushed,
           (unsigned long long)newer, (unsigned long long)bad);
    return bad != 0 || !last;
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "write")) {
        return write_for_ever(argv[2], strtoull(argv[3], NULL, 10));
    }
    if (argc == 5 && !strcmp(argv[1], "verify")) {
        return verify(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
    }
    fprintf(stderr, "diskwriter write DEVICE SEED | verify FILE SEED WRITE\n");
    return 2;
}
