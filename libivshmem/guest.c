/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program of a Linux guest as a peer: the PCI function by sysfs, its interrupt by UIO. VFIO: guest-vfio.c. */
#include "util/osdep.h"
#include "libivshmem/ivshmem-int.h"

#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PCI         "/sys/bus/pci/devices"
#define PCI_COMMAND     4
#define INTX_DISABLE    0x400
#define LOOK_AGAIN_NS   50000

typedef struct Guest {
    Ivshmem iv;
    volatile uint32_t *regs;
    int uio, config;            /* -1: looked at again and again */
} Guest;

/* The file @name of the function, as text without its newline. */
static bool read_text(const char *address, const char *name, char *text, size_t room)
{
    char path[300];
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), PCI "/%s/%s", address, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, text, room - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    text[MAX(n, 0)] = 0;
    text[strcspn(text, "\n")] = 0;
    return n > 0;
}

static int open_file(const char *address, const char *name, int flags)
{
    char path[300];

    snprintf(path, sizeof(path), PCI "/%s/%s", address, name);
    return open(path, flags | O_CLOEXEC);
}

bool ivshmem_pci_link(const char *address, const char *name, char *text, size_t room)
{
    char path[300], target[300];
    const char *last;
    ssize_t n;

    snprintf(path, sizeof(path), PCI "/%s/%s", address, name);
    n = readlink(path, target, sizeof(target) - 1);
    target[MAX(n, 0)] = 0;
    last = strrchr(target, '/');
    snprintf(text, room, "%s", last ? last + 1 : target);
    return n > 0;
}

static bool is_ivshmem(const char *address)
{
    char vendor[16], device[16];

    return read_text(address, "vendor", vendor, sizeof(vendor)) && !strcmp(vendor, "0x1af4") &&
           read_text(address, "device", device, sizeof(device)) && !strcmp(device, "0x1110");
}

/* The one with the lowest address. */
static bool find_first(char *address, size_t room)
{
    DIR *d = opendir(PCI);
    struct dirent *e;

    address[0] = 0;
    while (d && (e = readdir(d))) {
        if (is_ivshmem(e->d_name) && (!address[0] || strcmp(e->d_name, address) < 0)) {
            snprintf(address, room, "%s", e->d_name);
        }
    }
    if (d) {
        closedir(d);
    }
    return address[0];
}

static void *map(const char *address, const char *name, size_t *size)
{
    int fd = open_file(address, name, O_RDWR);
    struct stat st;
    void *p = MAP_FAILED;

    if (fd >= 0 && fstat(fd, &st) == 0) {
        *size = (size_t)st.st_size;
        p = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (fd >= 0) {
        close(fd);
    }
    return p;
}

/* /dev/uioN of the function; -1: it has none. */
static int open_uio(const char *address)
{
    char path[300];
    struct dirent *e;
    int fd = -1;
    DIR *d;

    snprintf(path, sizeof(path), PCI "/%s/uio", address);
    d = opendir(path);
    while (d && fd < 0 && (e = readdir(d))) {
        if (!strncmp(e->d_name, "uio", 3)) {
            snprintf(path, sizeof(path), "/dev/%.40s", e->d_name);
            fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        }
    }
    if (d) {
        closedir(d);
    }
    return fd;
}

/* uio_pci_generic switches INTx off at each interrupt: on again. */
static bool allow_interrupt(Guest *g)
{
    uint16_t command;

    if (pread(g->config, &command, 2, PCI_COMMAND) != 2) {
        return false;
    }
    command &= htole16((uint16_t)~INTX_DISABLE);
    return pwrite(g->config, &command, 2, PCI_COMMAND) == 2;
}

/* --- Ivshmem --- */

static int guest_peers(UNUSED Ivshmem *iv, UNUSED uint16_t *ids, UNUSED int max)
{
    return -ENOTSUP;
}

static int guest_peer_vectors(UNUSED const Ivshmem *iv, UNUSED unsigned peer)
{
    return -ENOTSUP;
}

static int guest_notify(Ivshmem *iv, unsigned peer, unsigned vector)
{
    if (peer > UINT16_MAX || vector > UINT16_MAX) {
        return -EINVAL;
    }
    ((Guest *)iv)->regs[IVSHMEM_DOORBELL / 4] = htole32(peer << 16 | vector);
    return 0;
}

static int guest_wait(Ivshmem *iv, int timeout_ms, uint32_t *vectors)
{
    Guest *g = (Guest *)iv;
    struct pollfd p = { g->uio, POLLIN, 0 };
    uint32_t count;
    int n;

    *vectors = 0;
    if (g->uio < 0) {
        struct timespec t = { 0, LOOK_AGAIN_NS };

        if (timeout_ms) {
            nanosleep(&t, NULL);
        }
        return timeout_ms != 0;
    }
    n = poll(&p, 1, timeout_ms);
    if (n <= 0) {
        return n == 0 ? 0 : errno == EINTR ? 1 : -errno;
    }
    if (read(g->uio, &count, sizeof(count)) != sizeof(count)) {
        return errno == EAGAIN ? 1 : -errno;
    }
    /* Reading it lets the line go; what comes from now on interrupts again. */
    *vectors = le32toh(g->regs[IVSHMEM_INTRSTATUS / 4]) & 1;
    return allow_interrupt(g) ? 1 : -EIO;
}

static int guest_fd(const Ivshmem *iv)
{
    int fd = ((const Guest *)iv)->uio;

    return fd >= 0 ? fd : -ENOTSUP;
}

static void guest_close(Ivshmem *iv)
{
    Guest *g = (Guest *)iv;

    if (g->uio >= 0) {
        g->regs[IVSHMEM_INTRMASK / 4] = 0;
        close(g->uio);
    }
    if (g->config >= 0) {
        close(g->config);
    }
    if (g->regs) {
        munmap((void *)g->regs, 4096);
    }
    free(g);
}

static const IvshmemOps guest_ops = {
    .peers = guest_peers, .peer_vectors = guest_peer_vectors, .notify = guest_notify, .wait = guest_wait,
    .fd = guest_fd, .close = guest_close,
};

static Ivshmem *open_sysfs(const char *address, char *err)
{
    Guest *g = calloc(1, sizeof(*g));
    char enabled[16];
    size_t regs_size;
    void *p;
    int fd;

    if (!g) {
        ivshmem_err(err, "no memory");
        return NULL;
    }
    g->iv.ops = &guest_ops;
    g->uio = g->config = -1;
    /* Without a driver its BARs aren't switched on. */
    fd = open_file(address, "enable", O_WRONLY);
    if (fd >= 0) {
        if (!read_text(address, "enable", enabled, sizeof(enabled)) || !strcmp(enabled, "0")) {
            if (write(fd, "1", 1) != 1) {
                ivshmem_err(err, "can't enable '%.40s': %s", address, strerror(errno));
                close(fd);
                goto fail;
            }
        }
        close(fd);
    }
    p = map(address, "resource0", &regs_size);
    if (p == MAP_FAILED) {
        ivshmem_err(err, "can't map the registers of '%.40s': %s", address, strerror(errno));
        goto fail;
    }
    g->regs = p;
    p = map(address, "resource2", &g->iv.size);
    if (p == MAP_FAILED) {
        ivshmem_err(err, "can't map the memory of '%.40s': %s", address, strerror(errno));
        goto fail;
    }
    g->iv.memory = p;
    g->iv.id = le32toh(g->regs[IVSHMEM_IVPOSITION / 4]);
    g->uio = open_uio(address);
    if (g->uio >= 0) {
        g->config = open_file(address, "config", O_RDWR);
        g->regs[IVSHMEM_INTRMASK / 4] = htole32(1);
        if (g->config < 0 || !allow_interrupt(g)) {
            ivshmem_err(err, "can't switch the interrupt of '%.40s' on: %s", address, strerror(errno));
            goto fail;
        }
    }
    return &g->iv;
fail:
    ivshmem_close(&g->iv);
    return NULL;
}

Ivshmem *ivshmem_open(const char *address, char *err)
{
    char first[280], driver[300];

    if (!address && !find_first(first, sizeof(first))) {
        ivshmem_err(err, "there is no ivshmem device (1af4:1110)");
        return NULL;
    }
    address = address ? address : first;
    if (!is_ivshmem(address)) {
        ivshmem_err(err, "'%.40s' is no ivshmem device (1af4:1110)", address);
        return NULL;
    }
    if (ivshmem_pci_link(address, "driver", driver, sizeof(driver)) && !strcmp(driver, "vfio-pci")) {
        return ivshmem_open_vfio(address, err);
    }
    return open_sysfs(address, err);
}
