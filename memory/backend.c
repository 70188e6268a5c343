/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory back ends. The RAM block gets the object's id, which is what makes
 * the machine's RAM have the same name whoever made it.
 */
#include "util/osdep.h"
#include "memory/backend.h"
#include "memory/memory-int.h"
#include "util/rcu.h"

#include <sys/mman.h>
#include <unistd.h>

typedef struct MemoryBackend {
    Object obj;
    uint64_t size;
    bool share, prealloc, merge, dump, reserve;
    uint32_t prealloc_threads;
    int policy;
    /* -file */
    char *path;
    uint64_t file_offset;
    bool readonly, discard_data;
    /* -memfd */
    bool hugetlb, seal;
    uint64_t hugetlb_size;
    MemRegion *mr;              /* readers of the memory map may outlive the object */
    bool in_use;
} MemoryBackend;
DEFINE_CAST(MEMORY_BACKEND, MemoryBackend, TYPE_MEMORY_BACKEND)

static const char *const policies[] = { "default", NULL };

static const Property backend_props[] = {
    PROP_SIZE("size", MemoryBackend, size, 0, "bytes"),
    PROP_BOOL("share", MemoryBackend, share, false, "other processes see writes"),
    PROP_BOOL("prealloc", MemoryBackend, prealloc, false, "take the memory at once"),
    PROP_U32_RANGE("prealloc-threads", MemoryBackend, prealloc_threads, 1, 1, 256,
                   "accepted; one thread does it"),
    PROP_BOOL("merge", MemoryBackend, merge, true, "the host may share equal pages"),
    PROP_BOOL("dump", MemoryBackend, dump, true, "part of core dumps of the emulator"),
    PROP_BOOL("reserve", MemoryBackend, reserve, true, "accepted; swap is never reserved"),
    PROP_ENUM("policy", MemoryBackend, policy, 0, policies, "NUMA policy of the host"),
    PROP_END
};

/* Hints only: a host that doesn't know them loses nothing. */
static void advise(const MemoryBackend *b)
{
    RamBlock *ram = memory_region_ram_block(b->mr);

    if (b->merge) {
        madvise(ram->host, ram->size, MADV_MERGEABLE);
    }
    if (!b->dump) {
        madvise(ram->host, ram->size, MADV_DONTDUMP);
    }
}

static bool adopt(MemoryBackend *b, RamBlock *block)
{
    if (!block) {
        return false;
    }
    b->mr = g_new0(MemRegion, 1);
    memory_region_init_ram_block(b->mr, &b->obj, b->obj.name, block);
    advise(b);
    return true;
}

static bool check_size(const MemoryBackend *b, Error **errp)
{
    if (!b->size) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "can't create backend with size 0");
        error_argument(errp, "size", "0", "a size in bytes");
        return false;
    }
    return true;
}

static uint32_t flags_of(const MemoryBackend *b)
{
    return (b->share ? RAM_SHARED : 0) | (b->prealloc ? RAM_PREALLOC : 0) |
           (b->readonly ? RAM_READ_ONLY : 0);
}

static bool ram_complete(Object *obj, Error **errp)
{
    MemoryBackend *b = MEMORY_BACKEND(obj);

    return check_size(b, errp) &&
           adopt(b, ram_block_new(obj->name, b->size, flags_of(b), errp));
}

static bool file_complete(Object *obj, Error **errp)
{
    MemoryBackend *b = MEMORY_BACKEND(obj);

    if (!check_size(b, errp)) {
        return false;
    }
    if (!b->path || !*b->path) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "mem-path property not set");
        error_argument(errp, "mem-path", NULL, "path of a file");
        return false;
    }
    return adopt(b, ram_block_new_file(obj->name, b->size, b->path, b->file_offset,
                                       flags_of(b), errp));
}

static bool memfd_complete(Object *obj, Error **errp)
{
    MemoryBackend *b = MEMORY_BACKEND(obj);
    unsigned flags = MFD_CLOEXEC | (b->seal ? MFD_ALLOW_SEALING : 0) |
                     (b->hugetlb ? MFD_HUGETLB : 0);
    int fd;

    if (!check_size(b, errp)) {
        return false;
    }
    if (b->hugetlb && b->hugetlb_size) {
        if (!IS_POWER_OF_2(b->hugetlb_size)) {
            error_setf(errp, ERR_PROPERTY_RANGE,
                       "property 'hugetlbsize' is %" PRIu64 "; accepted: powers of two",
                       b->hugetlb_size);
            return false;
        }
        flags |= (unsigned)__builtin_ctzll(b->hugetlb_size) << MAP_HUGE_SHIFT;
    }
    fd = memfd_create("memory-backend-memfd", flags);
    if (fd < 0 || ftruncate(fd, (off_t)ALIGN_UP(b->size, MEM_PAGE_SIZE)) < 0) {
        error_set_errno(errp, errno, "failed to create memfd of %" PRIu64 " bytes", b->size);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    return adopt(b, ram_block_new_fd(obj->name, b->size, fd, 0, flags_of(b), errp));
}

static void backend_finalize(Object *obj)
{
    MemoryBackend *b = MEMORY_BACKEND(obj);

    if (b->mr) {
        memory_region_cleanup(b->mr);
        rcu_call(g_free, b->mr);
    }
}

static bool backend_can_be_deleted(Object *obj, Error **errp)
{
    if (MEMORY_BACKEND(obj)->in_use) {
        error_setf(errp, ERR_IN_USE, "object '%s' is in use, can not be deleted", obj->name);
        return false;
    }
    return true;
}

static const TypeInfo backend_info = {
    .name = TYPE_MEMORY_BACKEND, .size = sizeof(MemoryBackend), .abstract = true,
    .user_creatable = true, .props = backend_props, .finalize = backend_finalize,
    .can_be_deleted = backend_can_be_deleted,
};
TYPE(backend_info)

static const TypeInfo ram_info = {
    .name = "memory-backend-ram", .parent = TYPE_MEMORY_BACKEND, .complete = ram_complete,
    .desc = "RAM of the host",
};
TYPE(ram_info)

static const Property file_props[] = {
    PROP_STR("mem-path", MemoryBackend, path, NULL, "the file"),
    PROP_U64("offset", MemoryBackend, file_offset, 0, "where in the file it begins"),
    PROP_BOOL("readonly", MemoryBackend, readonly, false, "never written"),
    PROP_BOOL("discard-data", MemoryBackend, discard_data, false,
              "accepted; the kernel decides what it writes back"),
    PROP_END
};
static const TypeInfo file_info = {
    .name = "memory-backend-file", .parent = TYPE_MEMORY_BACKEND,
    .complete = file_complete, .props = file_props, .desc = "RAM in a file",
};
TYPE(file_info)

static const Property memfd_props[] = {
    PROP_BOOL("hugetlb", MemoryBackend, hugetlb, false, "of huge pages"),
    PROP_SIZE("hugetlbsize", MemoryBackend, hugetlb_size, 0, "size of a huge page"),
    PROP_BOOL("seal", MemoryBackend, seal, true, "whoever gets it may seal it"),
    PROP_BOOL("share", MemoryBackend, share, true, "other processes see writes"),
    PROP_END
};
static const TypeInfo memfd_info = {
    .name = "memory-backend-memfd", .parent = TYPE_MEMORY_BACKEND,
    .complete = memfd_complete, .props = memfd_props, .desc = "RAM in an anonymous file",
};
TYPE(memfd_info)

MemRegion *memory_backend_use(Object *obj, Error **errp)
{
    MemoryBackend *b = MEMORY_BACKEND(obj);

    if (b->in_use) {
        error_setf(errp, ERR_IN_USE, "memory backend '%s' is already in use", obj->name);
        return NULL;
    }
    b->in_use = true;
    return b->mr;
}

void memory_backend_release(Object *obj)
{
    MEMORY_BACKEND(obj)->in_use = false;
}

uint64_t memory_backend_size(const Object *obj)
{
    return MEMORY_BACKEND(obj)->size;
}
