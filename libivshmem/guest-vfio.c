/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program of a Linux guest as a peer: the PCI function by VFIO, each vector an eventfd. The device reads no memory, so
 * nothing is mapped for it, and a guest without an IOMMU loses nothing by VFIO's no-IOMMU mode.
 */
#include "util/osdep.h"
#include "libivshmem/ivshmem-int.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct Vfio {
    Ivshmem iv;
    int container, group, device, epoll;
    uint64_t regs, config;      /* where they are in @device */
    bool intx;                  /* the function has no MSI-X */
    unsigned n;
    int *fds;                   /* [n]: the vectors' */
} Vfio;

/* What is less than a page can't always be mapped; a register is a system call then, which a doorbell is worth. */
static int read_reg(const Vfio *v, unsigned at, uint32_t *value)
{
    uint32_t raw;

    if (pread(v->device, &raw, sizeof(raw), (off_t)(v->regs + at)) != sizeof(raw)) {
        return -EIO;
    }
    *value = le32toh(raw);
    return 0;
}

static int write_reg(const Vfio *v, unsigned at, uint32_t value)
{
    uint32_t raw = htole32(value);

    return pwrite(v->device, &raw, sizeof(raw), (off_t)(v->regs + at)) == sizeof(raw) ? 0 : -EIO;
}

/* --- Ivshmem --- */

static int vfio_peers(UNUSED Ivshmem *iv, UNUSED uint16_t *ids, UNUSED int max)
{
    return -ENOTSUP;
}

static int vfio_peer_vectors(UNUSED const Ivshmem *iv, UNUSED unsigned peer)
{
    return -ENOTSUP;
}

static int vfio_notify(Ivshmem *iv, unsigned peer, unsigned vector)
{
    return peer > UINT16_MAX || vector > UINT16_MAX ? -EINVAL
                                                    : write_reg((Vfio *)iv, IVSHMEM_DOORBELL, peer << 16 | vector);
}

/* INTx is masked by the kernel at each interrupt. Reading INTRSTATUS lets the line go. */
static int answer_intx(Vfio *v, uint32_t *vectors)
{
    struct vfio_irq_set set = { .argsz = sizeof(set), .flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK,
                                .index = VFIO_PCI_INTX_IRQ_INDEX, .count = 1 };
    int r = read_reg(v, IVSHMEM_INTRSTATUS, vectors);

    *vectors &= 1;
    return r < 0 ? r : ioctl(v->device, VFIO_DEVICE_SET_IRQS, &set) < 0 ? -errno : 0;
}

static int vfio_wait(Ivshmem *iv, int timeout_ms, uint32_t *vectors)
{
    Vfio *v = (Vfio *)iv;
    struct epoll_event e[16];
    int n = epoll_wait(v->epoll, e, ARRAY_SIZE(e), timeout_ms), r = 0;

    *vectors = 0;
    if (n < 0) {
        return errno == EINTR ? 1 : -errno;
    }
    for (int i = 0; i < n && r == 0; i++) {
        uint32_t vector = e[i].data.u32;
        eventfd_t count;

        if (eventfd_read(v->fds[vector], &count) == 0) {
            if (v->intx) {
                r = answer_intx(v, vectors);
            } else {
                *vectors |= vector < 32 ? BIT(vector) : 0;
            }
        }
    }
    return r < 0 ? r : n > 0;
}

static int vfio_fd(const Ivshmem *iv)
{
    return ((const Vfio *)iv)->epoll;
}

static void close_if(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

static void vfio_close(Ivshmem *iv)
{
    Vfio *v = (Vfio *)iv;

    if (v->intx) {
        write_reg(v, IVSHMEM_INTRMASK, 0);
    }
    close_if(v->epoll);
    close_if(v->device);
    close_if(v->group);
    close_if(v->container);
    for (unsigned i = 0; i < v->n; i++) {
        close_if(v->fds[i]);
    }
    free(v->fds);
    free(v);
}

static const IvshmemOps vfio_ops = {
    .peers = vfio_peers, .peer_vectors = vfio_peer_vectors, .notify = vfio_notify, .wait = vfio_wait, .fd = vfio_fd,
    .close = vfio_close,
};

/* --- opening --- */

/* The group's file: without an IOMMU it has another name, and another kind of container. */
static int open_group(Vfio *v, const char *number, unsigned long *kind)
{
    char path[80];

    snprintf(path, sizeof(path), "/dev/vfio/%.40s", number);
    v->group = open(path, O_RDWR | O_CLOEXEC);
    *kind = VFIO_TYPE1v2_IOMMU;
    if (v->group < 0 && errno == ENOENT) {
        snprintf(path, sizeof(path), "/dev/vfio/noiommu-%.40s", number);
        v->group = open(path, O_RDWR | O_CLOEXEC);
        *kind = VFIO_NOIOMMU_IOMMU;
    }
    return v->group < 0 ? -errno : 0;
}

static int open_device(Vfio *v, const char *address)
{
    struct vfio_group_status status = { .argsz = sizeof(status) };
    char group[300];
    unsigned long kind;
    int r;

    if (!ivshmem_pci_link(address, "iommu_group", group, sizeof(group))) {
        return -ENODEV;
    }
    r = open_group(v, group, &kind);
    if (r < 0) {
        return r;
    }
    v->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
    if (v->container < 0 || ioctl(v->group, VFIO_GROUP_GET_STATUS, &status) < 0) {
        return -errno;
    }
    if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
        return -EBUSY;              /* another function of the group has another driver */
    }
    if (ioctl(v->group, VFIO_GROUP_SET_CONTAINER, &v->container) < 0 || ioctl(v->container, VFIO_SET_IOMMU, kind) < 0) {
        return -errno;
    }
    v->device = ioctl(v->group, VFIO_GROUP_GET_DEVICE_FD, address);
    return v->device < 0 ? -errno : 0;
}

static int region(const Vfio *v, unsigned index, struct vfio_region_info *info)
{
    *info = (struct vfio_region_info){ .argsz = sizeof(*info), .index = index };
    return ioctl(v->device, VFIO_DEVICE_GET_REGION_INFO, info) < 0 ? -errno : info->size ? 0 : -ENODEV;
}

static int map_regions(Vfio *v)
{
    struct vfio_region_info regs, config, memory;
    uint16_t command;
    void *p;
    int r = region(v, VFIO_PCI_BAR0_REGION_INDEX, &regs);

    r = r < 0 ? r : region(v, VFIO_PCI_CONFIG_REGION_INDEX, &config);
    r = r < 0 ? r : region(v, VFIO_PCI_BAR2_REGION_INDEX, &memory);
    if (r < 0) {
        return r;
    }
    v->regs = regs.offset;
    v->config = config.offset;
    p = mmap(NULL, memory.size, PROT_READ | PROT_WRITE, MAP_SHARED, v->device, (off_t)memory.offset);
    if (p == MAP_FAILED) {
        return -errno;
    }
    v->iv.memory = p;
    v->iv.size = memory.size;
    /* A message-signalled interrupt is a write by the device. */
    if (pread(v->device, &command, sizeof(command), (off_t)(v->config + PCI_COMMAND)) != sizeof(command)) {
        return -EIO;
    }
    command |= htole16(PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
    return pwrite(v->device, &command, sizeof(command), (off_t)(v->config + PCI_COMMAND)) == sizeof(command) ? 0 : -EIO;
}

static int set_irqs(Vfio *v, uint32_t index)
{
    size_t size = sizeof(struct vfio_irq_set) + v->n * sizeof(int);
    struct vfio_irq_set *set = calloc(1, size);
    int r;

    if (!set) {
        return -ENOMEM;
    }
    *set = (struct vfio_irq_set){ .argsz = (uint32_t)size, .index = index, .count = v->n,
                                  .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER };
    memcpy(set->data, v->fds, v->n * sizeof(int));
    r = ioctl(v->device, VFIO_DEVICE_SET_IRQS, set) < 0 ? -errno : 0;
    free(set);
    return r;
}

static int listen_to_vectors(Vfio *v)
{
    struct vfio_irq_info info = { .argsz = sizeof(info), .index = VFIO_PCI_MSIX_IRQ_INDEX };
    unsigned count;
    int r;

    v->intx = ioctl(v->device, VFIO_DEVICE_GET_IRQ_INFO, &info) < 0 || !info.count;
    count = v->intx ? 1 : info.count;
    v->fds = calloc(count, sizeof(int));
    v->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!v->fds || v->epoll < 0) {
        return -errno;
    }
    for (unsigned i = 0; i < count; i++) {
        struct epoll_event e = { .events = EPOLLIN, .data.u32 = i };

        v->fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (v->fds[i] < 0) {
            return -errno;
        }
        v->n++;
        if (epoll_ctl(v->epoll, EPOLL_CTL_ADD, v->fds[i], &e) < 0) {
            return -errno;
        }
    }
    r = set_irqs(v, v->intx ? VFIO_PCI_INTX_IRQ_INDEX : VFIO_PCI_MSIX_IRQ_INDEX);
    return r == 0 && v->intx ? write_reg(v, IVSHMEM_INTRMASK, 1) : r;
}

Ivshmem *ivshmem_open_vfio(const char *address, char *err)
{
    Vfio *v = calloc(1, sizeof(*v));
    uint32_t id = 0;
    int r;

    if (!v) {
        ivshmem_err(err, "no memory");
        return NULL;
    }
    v->iv.ops = &vfio_ops;
    v->container = v->group = v->device = v->epoll = -1;
    r = open_device(v, address);
    r = r < 0 ? r : map_regions(v);
    r = r < 0 ? r : read_reg(v, IVSHMEM_IVPOSITION, &id);
    r = r < 0 ? r : listen_to_vectors(v);
    if (r < 0) {
        ivshmem_err(err, "can't use '%.40s' by VFIO: %s", address, strerror(-r));
        ivshmem_close(&v->iv);
        return NULL;
    }
    v->iv.id = id;
    return &v->iv;
}
