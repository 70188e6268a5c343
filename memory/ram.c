/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM blocks: host memory, ids, and the list that look-ups read under RCU.
 */
#include "util/osdep.h"
#include "memory/ram.h"
#include "memory/ram-int.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/bitmap.h"
#include "util/rcu.h"

/* Published as a whole; sorted by RAM address. */
typedef struct RamList {
    size_t num;
    RamBlock *blocks[];
} RamList;

static RamList *ram_list;

/* Blocks start on whole words of a bitmap of pages. */
#define RAM_START_ALIGN     (64 * MEM_PAGE_SIZE)
#define HUGE_PAGE           (UINT64_C(2) << 20)     /* of hosts that have them */

static RamList *list_copy(size_t num)
{
    RamList *new = calloc(1, sizeof(*new) + num * sizeof(new->blocks[0]));

    if (new && ram_list) {
        memcpy(new->blocks, ram_list->blocks,
               MIN(num, ram_list->num) * sizeof(new->blocks[0]));
    }
    return new;
}

static void list_publish(RamList *new)
{
    RamList *old = ram_list;

    rcu_store(&ram_list, new);
    if (old) {
        rcu_call_free(old);
    }
}

static bool list_insert(RamBlock *block)
{
    size_t num = ram_list ? ram_list->num : 0, at = num;
    RamList *new = list_copy(num + 1);
    ram_addr_t start = 0;

    if (!new) {
        return false;
    }
    /* The lowest gap that holds it. */
    for (size_t i = 0; i < num; i++) {
        RamBlock *b = new->blocks[i];

        if (b->start - start >= block->size) {
            at = i;
            break;
        }
        start = ALIGN_UP(b->start + b->size, RAM_START_ALIGN);
    }
    block->start = start;
    memmove(&new->blocks[at + 1], &new->blocks[at],
            (num - at) * sizeof(new->blocks[0]));
    new->blocks[at] = block;
    new->num = num + 1;
    list_publish(new);
    return true;
}

static void list_remove(RamBlock *block)
{
    size_t n = 0;
    RamList *new = list_copy(ram_list->num);

    if (!new) {
        /* No memory for a copy: readers may see the list while it shrinks,
         * but never the freed block after a grace period. */
        new = ram_list;
    }
    for (size_t i = 0; i < ram_list->num; i++) {
        if (ram_list->blocks[i] != block) {
            new->blocks[n++] = ram_list->blocks[i];
        }
    }
    new->num = n;
    if (new != ram_list) {
        list_publish(new);
    }
}

static bool check_id(const RamBlock *self, const char *id, Error **errp)
{
    RamBlock *other;

    if (strlen(id) >= sizeof(self->id)) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "RAM block id '%s' is longer than %zu characters", id,
                   sizeof(self->id) - 1);
        return false;
    }
    other = ram_block_find(id);
    if (other && other != self) {
        error_setf(errp, ERR_DUPLICATE_ID, "RAM block '%s' exists already", id);
        return false;
    }
    return true;
}

static void block_destroy(void *opaque)
{
    RamBlock *block = opaque;

    if (block->host && !block->borrowed) {
        munmap(block->host, block->size);
    }
    if (block->fd >= 0) {
        close(block->fd);
    }
    for (int i = 0; i < RAM_DIRTY_NUM; i++) {
        free(block->dirty[i]);
    }
    free(block);
}

static RamBlock *block_alloc(const char *id, uint64_t size, Error **errp)
{
    RamBlock *block;

    if (size == 0 || size > INT64_MAX - MEM_PAGE_SIZE) {
        error_setf(errp, ERR_OUT_OF_RANGE,
                   "RAM block '%s' cannot have a size of %" PRIu64 " bytes",
                   id, size);
        return NULL;
    }
    block = calloc(1, sizeof(*block));
    if (!block) {
        error_setf(errp, ERR_NO_MEMORY, "no memory for RAM block '%s'", id);
        return NULL;
    }
    block->fd = -1;
    if (!check_id(block, id, errp)) {
        free(block);
        return NULL;
    }
    snprintf(block->id, sizeof(block->id), "%s", id);
    block->size = ALIGN_UP(size, MEM_PAGE_SIZE);
    for (int i = 0; i < RAM_DIRTY_NUM; i++) {
        block->dirty[i] = bitmap_new(block->size >> MEM_PAGE_BITS);
    }
    return block;
}

static RamBlock *block_publish(RamBlock *block, Error **errp)
{
    if (!list_insert(block)) {
        error_setf(errp, ERR_NO_MEMORY, "no memory for RAM block '%s'",
                   block->id);
        block_destroy(block);
        return NULL;
    }
    return block;
}

/* Addresses that nothing else uses, @size of them from a multiple of @align on. */
static void *find_room(uint64_t size, uint64_t align)
{
    uint8_t *p = mmap(NULL, size + align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint64_t before;

    if (p == MAP_FAILED) {
        return p;
    }
    before = -(uintptr_t)p & (align - 1);
    if (before) {
        munmap(p, before);
    }
    munmap(p + before + size, align - before);
    return p + before;
}

/* Map what block->fd has, at a multiple of @align; 0: the kernel's. */
static bool block_map(RamBlock *block, uint64_t align, uint32_t flags, Error **errp)
{
    int prot = PROT_READ | (flags & RAM_READ_ONLY ? 0 : PROT_WRITE);
    int how = (flags & RAM_PMEM ? MAP_SHARED_VALIDATE | MAP_SYNC : flags & RAM_SHARED ? MAP_SHARED : MAP_PRIVATE) |
              (align ? MAP_FIXED : 0) | MAP_NORESERVE;
    void *room = align ? find_room(block->size, align) : NULL;
    void *p = room == MAP_FAILED ? room : mmap(room, block->size, prot, how, block->fd, (off_t)block->fd_offset);

    if (p == MAP_FAILED && flags & RAM_PMEM && (errno == EOPNOTSUPP || errno == EINVAL)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "the file of RAM block '%s' isn't in persistent memory: its file system has no DAX", block->id);
    } else if (p == MAP_FAILED) {
        error_set_errno(errp, errno, "cannot map %" PRIu64 " bytes for RAM block '%s'",
                        block->size, block->id);
    }
    if (p == MAP_FAILED) {
        if (room && room != MAP_FAILED) {
            munmap(room, block->size);
        }
        return false;
    }
    block->host = p;
    block->shared = flags & RAM_SHARED;
    block->read_only = flags & RAM_READ_ONLY;
    return true;
}

static RamBlock *new_fd(const char *id, uint64_t size, int fd, uint64_t offset, uint64_t align, uint32_t flags, Error **errp)
{
    RamBlock *block;

    if (offset % MEM_PAGE_SIZE) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "offset %" PRIu64 " of RAM block '%s' is not a multiple of the page size",
                   offset, id);
        close(fd);
        return NULL;
    }
    block = block_alloc(id, size, errp);
    if (!block) {
        close(fd);
        return NULL;
    }
    block->fd = fd;
    block->fd_offset = offset;
    if (!block_map(block, align, flags, errp)) {
        block_destroy(block);
        return NULL;
    }
    return block_publish(block, errp);
}

RamBlock *ram_block_new_fd(const char *id, uint64_t size, int fd,
                           uint64_t offset, uint32_t flags, Error **errp)
{
    return new_fd(id, size, fd, offset, 0, flags, errp);
}

/* For others to see; ours alone otherwise, and then in huge pages where the host has some. */
static RamBlock *new_shared(const char *id, uint64_t size, uint32_t flags, Error **errp)
{
    int fd = memfd_create("ram", MFD_CLOEXEC);

    if (fd < 0) {
        error_set_errno(errp, errno, "cannot create memory for RAM block '%s'", id);
        return NULL;
    }
    if (size > INT64_MAX || ftruncate(fd, (off_t)ALIGN_UP(size, MEM_PAGE_SIZE)) < 0) {
        error_set_errno(errp, size > INT64_MAX ? EFBIG : errno,
                        "cannot reserve %" PRIu64 " bytes for RAM block '%s'",
                        size, id);
        close(fd);
        return NULL;
    }
    return ram_block_new_fd(id, size, fd, 0, flags, errp);
}

/* Anonymous memory that begins at a multiple of HUGE_PAGE if it is that large. */
static bool block_map_anonymous(RamBlock *block, Error **errp)
{
    uint64_t slack = block->size >= HUGE_PAGE ? HUGE_PAGE : 0, before;
    uint8_t *p = mmap(NULL, block->size + slack, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        error_set_errno(errp, errno, "cannot reserve %" PRIu64 " bytes for RAM block '%s'",
                        block->size, block->id);
        return false;
    }
    if (slack) {
        before = -(uintptr_t)p & (HUGE_PAGE - 1);
        if (before) {
            munmap(p, before);
        }
        if (before < slack) {
            munmap(p + before + block->size, slack - before);
        }
        p += before;
        madvise(p, block->size, MADV_HUGEPAGE);
    }
    /* A child that is about to run another program needn't have it all copied on write. */
    madvise(p, block->size, MADV_DONTFORK);
    block->host = p;
    return true;
}

RamBlock *ram_block_new(const char *id, uint64_t size, uint32_t flags,
                        Error **errp)
{
    RamBlock *block;

    if (flags & RAM_SHARED) {
        return new_shared(id, size, flags, errp);
    }
    block = block_alloc(id, size, errp);
    if (!block) {
        return NULL;
    }
    if (!block_map_anonymous(block, errp)) {
        block_destroy(block);
        return NULL;
    }
    return block_publish(block, errp);
}

RamBlock *ram_block_new_file(const char *id, uint64_t size, const char *path,
                             uint64_t offset, uint64_t align, uint32_t flags, Error **errp)
{
    bool ro = flags & RAM_READ_ONLY;
    uint64_t end = offset + ALIGN_UP(size, MEM_PAGE_SIZE);
    struct stat st;
    int fd = open(path, O_CLOEXEC | (ro ? O_RDONLY : O_RDWR | O_CREAT), 0644);

    if (fd < 0) {
        error_set_errno(errp, errno, "cannot open '%s'", path);
        return NULL;
    }
    if (fstat(fd, &st) < 0) {
        error_set_errno(errp, errno, "cannot get the size of '%s'", path);
        close(fd);
        return NULL;
    }
    if (S_ISREG(st.st_mode) && (end > INT64_MAX || (uint64_t)st.st_size < end)) {
        if (end > INT64_MAX || ro) {
            error_setf(errp, ERR_OUT_OF_RANGE,
                       "'%s' is smaller than the %" PRIu64 " bytes asked for", path, end);
            close(fd);
            return NULL;
        }
        if (ftruncate(fd, (off_t)end) < 0) {
            error_set_errno(errp, errno, "cannot grow '%s'", path);
            close(fd);
            return NULL;
        }
    }
    return new_fd(id, size, fd, offset, align > MEM_PAGE_SIZE ? align : 0, flags, errp);
}

RamBlock *ram_block_new_ptr(const char *id, uint64_t size, void *host,
                            Error **errp)
{
    RamBlock *block = block_alloc(id, size, errp);

    if (!block) {
        return NULL;
    }
    block->host = host;
    block->borrowed = true;
    return block_publish(block, errp);
}

void ram_block_free(RamBlock *block)
{
    if (!block) {
        return;
    }
    list_remove(block);
    if (ram_accel_hooks && ram_accel_hooks->unmapped) {
        ram_accel_hooks->unmapped(block->start, block->size);
    }
    rcu_call(block_destroy, block);
}

bool ram_block_set_id(RamBlock *block, const char *id, Error **errp)
{
    if (!check_id(block, id, errp)) {
        return false;
    }
    snprintf(block->id, sizeof(block->id), "%s", id);
    return true;
}

RamBlock *ram_block_find(const char *id)
{
    for (size_t i = 0; ram_list && i < ram_list->num; i++) {
        if (!strcmp(ram_list->blocks[i]->id, id)) {
            return ram_list->blocks[i];
        }
    }
    return NULL;
}

int ram_block_foreach(int (*fn)(RamBlock *block, void *opaque), void *opaque)
{
    for (size_t i = 0; ram_list && i < ram_list->num; i++) {
        int ret = fn(ram_list->blocks[i], opaque);

        if (ret) {
            return ret;
        }
    }
    return 0;
}

RamBlock *ram_block_at(ram_addr_t addr)
{
    RamList *list = rcu_load(&ram_list);
    size_t lo = 0, hi = list ? list->num : 0;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        RamBlock *b = list->blocks[mid];

        if (addr < b->start) {
            hi = mid;
        } else if (addr - b->start >= b->size) {
            lo = mid + 1;
        } else {
            return b;
        }
    }
    return NULL;
}

RamBlock *ram_block_of_host(const void *host, uint64_t *offset)
{
    RamList *list = rcu_load(&ram_list);

    for (size_t i = 0; list && i < list->num; i++) {
        RamBlock *b = list->blocks[i];
        uintptr_t off = (uintptr_t)host - (uintptr_t)b->host;

        if ((uintptr_t)host >= (uintptr_t)b->host && off < b->size) {
            *offset = off;
            return b;
        }
    }
    return NULL;
}

uint64_t ram_total_size(void)
{
    uint64_t sum = 0;

    for (size_t i = 0; ram_list && i < ram_list->num; i++) {
        sum += ram_list->blocks[i]->size;
    }
    return sum;
}

void ram_block_discard(RamBlock *block, uint64_t offset, uint64_t len)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), first = ALIGN_UP(offset, page), last;
    bool gone;

    if (offset > block->size || len > block->size - offset || block->borrowed ||
        block->read_only || block->kept) {
        return;
    }
    last = ALIGN_DOWN(offset + len, page);
    if (first >= last) {
        return;
    }
    /* A private mapping of a file would show the file again. */
    gone = block->fd >= 0
           ? block->shared && !fallocate(block->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                         (off_t)(block->fd_offset + first), (off_t)(last - first))
           : !madvise(block->host + first, last - first, MADV_DONTNEED);
    if (gone) {
        ram_written(block, first, last - first);
    }
}
