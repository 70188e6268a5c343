/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory back ends. The RAM block gets the object's id, which is what makes
 * the machine's RAM have the same name whoever made it.
 */
#include "util/osdep.h"
#include "memory/backend.h"
#include "memory/host-set.h"
#include "memory/memory-int.h"
#include "memory/thread-context.h"
#include "qobject/qobject.h"
#include "util/rcu.h"

#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HOST_NODES = 128 };

typedef struct MemoryBackend {
    Object obj;
    uint64_t size;
    bool share, prealloc, merge, dump, reserve;
    bool path_as_id;                    /* the RAM block's id is the object's path */
    uint32_t prealloc_threads;
    ThreadContext *prealloc_context;    /* where these are from; NULL: from anywhere */
    int policy;
    uint64_t nodes[HOST_NODES / 64];    /* of the host */
    /* -file */
    char *path;
    uint64_t file_offset, align;
    bool readonly, discard_data, pmem;
    /* -memfd */
    bool hugetlb, seal;
    uint64_t hugetlb_size;
    MemRegion *mr;              /* readers of the memory map may outlive the object */
    bool in_use;
} MemoryBackend;
DEFINE_CAST(MEMORY_BACKEND, MemoryBackend, TYPE_MEMORY_BACKEND)

/* In the order of MPOL_. */
static const char *const policies[] = { "default", "preferred", "bind", "interleave", NULL };

static QObject *get_nodes(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    return host_set_get(MEMORY_BACKEND(obj)->nodes, HOST_NODES);
}

static bool set_nodes(Object *obj, const Property *p, const QObject *v, Error **errp)
{
    return host_set_put(MEMORY_BACKEND(obj)->nodes, HOST_NODES, p->name, v, errp);
}

static bool check_policy(const MemoryBackend *b, Error **errp)
{
    bool any = b->nodes[0] || b->nodes[1];

    if (any == (b->policy != MPOL_DEFAULT)) {
        return true;
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, any ? "host-nodes must be empty for policy %s" : "host-nodes must be set for policy %s",
               policies[b->policy]);
    error_argument(errp, "host-nodes", NULL, "with policy preferred, bind or interleave: nodes of the host; else none");
    return false;
}

/* mbind(2). What was taken already moves. A kernel without NUMA has one node only. */
static bool apply_policy(const MemoryBackend *b, Error **errp)
{
    RamBlock *ram = memory_region_ram_block(b->mr);
    unsigned long mask[HOST_NODES / (8 * sizeof(long))];

    if (b->policy == MPOL_DEFAULT) {
        return true;
    }
    memset(mask, 0, sizeof(mask));
    for (unsigned i = 0; i < HOST_NODES; i++) {
        mask[i / (8 * sizeof(long))] |= (unsigned long)(b->nodes[i / 64] >> i % 64 & 1) << i % (8 * sizeof(long));
    }
    if (syscall(SYS_mbind, ram->host, (size_t)ram->size, b->policy, mask, HOST_NODES + 1, MPOL_MF_STRICT | MPOL_MF_MOVE) == 0 ||
        errno == ENOSYS) {
        return true;
    }
    error_set_errno(errp, errno, "cannot bind memory of '%s' to host NUMA nodes", b->obj.name);
    return false;
}

static const Property backend_props[] = {
    PROP_SIZE("size", MemoryBackend, size, 0, "bytes"),
    PROP_BOOL("share", MemoryBackend, share, false, "other processes see writes"),
    PROP_BOOL("prealloc", MemoryBackend, prealloc, false, "take the memory at once"),
    PROP_U32_RANGE("prealloc-threads", MemoryBackend, prealloc_threads, 1, 1, 256,
                   "how many threads do that"),
    PROP_BOOL("x-use-canonical-path-for-ramblock-id", MemoryBackend, path_as_id, false,
              "the RAM block's id is the object's path, else its id"),
    PROP_LINK("prealloc-context", MemoryBackend, prealloc_context, TYPE_THREAD_CONTEXT, "where these threads are made"),
    PROP_BOOL("merge", MemoryBackend, merge, true, "the host may share equal pages"),
    PROP_BOOL("dump", MemoryBackend, dump, true, "part of core dumps of the emulator"),
    PROP_BOOL("reserve", MemoryBackend, reserve, true, "accepted; swap is never reserved"),
    PROP_ENUM("policy", MemoryBackend, policy, 0, policies, "how the host's NUMA nodes are used"),
    PROP_CUSTOM("host-nodes", "list", get_nodes, set_nodes, "the host's NUMA nodes, with a policy"),
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

static bool adopt(MemoryBackend *b, RamBlock *block, Error **errp)
{
    if (!block) {
        return false;
    }
    b->mr = g_new0(MemRegion, 1);
    memory_region_init_ram_block(b->mr, &b->obj, b->obj.name, block);
    advise(b);
    return apply_policy(b, errp) && (!b->prealloc || b->readonly || ram_prealloc(block, b->prealloc_threads, b->prealloc_context, errp));
}

static bool check_size(const MemoryBackend *b, Error **errp)
{
    if (!b->size) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "can't create backend with size 0");
        error_argument(errp, "size", "0", "a size in bytes");
        return false;
    }
    return check_policy(b, errp);
}

static uint32_t flags_of(const MemoryBackend *b)
{
    return (b->share ? RAM_SHARED : 0) | (b->readonly ? RAM_READ_ONLY : 0) | (b->pmem ? RAM_PMEM : 0);
}

/* Freed by the caller. An id of a block that is too long is refused where it is made. */
static char *block_id(const MemoryBackend *b)
{
    return b->path_as_id ? object_canonical_path(b) : g_strdup(b->obj.name);
}

static bool ram_complete(Object *obj, Error **errp)
{
    MemoryBackend *b = MEMORY_BACKEND(obj);
    g_autofree char *id = block_id(b);

    return check_size(b, errp) &&
           adopt(b, ram_block_new(id, b->size, flags_of(b), errp), errp);
}

static bool file_complete(Object *obj, Error **errp)
{
    MemoryBackend *b = MEMORY_BACKEND(obj);
    g_autofree char *id = block_id(b);

    if (!check_size(b, errp)) {
        return false;
    }
    if (!b->path || !*b->path) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "mem-path property not set");
        error_argument(errp, "mem-path", NULL, "path of a file");
        return false;
    }
    if (b->align && (!IS_POWER_OF_2(b->align) || b->size % b->align)) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'align' is %" PRIu64 "; accepted: powers of two that the size, %" PRIu64
                   ", is a multiple of", b->align, b->size);
        return false;
    }
    if (b->pmem && !b->share) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'pmem=on' needs 'share=on': what is written to private memory isn't kept");
        return false;
    }
    return adopt(b, ram_block_new_file(id, b->size, b->path, b->file_offset, b->align,
                                       flags_of(b), errp), errp);
}

static bool memfd_complete(Object *obj, Error **errp)
{
    MemoryBackend *b = MEMORY_BACKEND(obj);
    g_autofree char *id = block_id(b);
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
    return adopt(b, ram_block_new_fd(id, b->size, fd, 0, flags_of(b), errp), errp);
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
    PROP_SIZE("align", MemoryBackend, align, 0, "what its address in the emulator is a multiple of; 0: a page"),
    PROP_BOOL("pmem", MemoryBackend, pmem, false, "the file is in persistent memory: what is written is kept"),
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
