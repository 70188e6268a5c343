/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -object filter-dump: frames into a capture file (libpcap's format, draft-ietf-opsawg-pcap, sections 4
 * and 5; link type 1 is Ethernet).
 */
#include "util/osdep.h"
#include "net/filter.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PCAP_MAGIC      0xa1b2c3d4u     /* microseconds; the reader sees the byte order by it */
#define LINKTYPE_ETHERNET 1
#define MAXLEN_DEFAULT  65536

typedef struct FilterDump {
    NetFilter f;
    char *file;
    uint32_t maxlen;
    int fd;                     /* -1: none, or writing failed */
} FilterDump;
static FilterDump *FILTER_DUMP(const void *obj)
{
    return (FilterDump *)object_cast(obj, "filter-dump");
}

static bool write_all(FilterDump *d, struct iovec *iov, int n, size_t len)
{
    ssize_t done;

    do {
        done = writev(d->fd, iov, n);
    } while (done < 0 && errno == EINTR);
    if (done != (ssize_t)len) {
        close(d->fd);
        d->fd = -1;
        return false;
    }
    return true;
}

static bool dump_setup(NetFilter *f, Error **errp)
{
    FilterDump *d = FILTER_DUMP(f);
    struct { uint32_t magic; uint16_t major, minor; uint32_t zone, accuracy, snaplen, link; } head = {
        PCAP_MAGIC, 2, 4, 0, 0, d->maxlen, LINKTYPE_ETHERNET };
    struct iovec iov = { &head, sizeof(head) };

    if (!d->file) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "dump filter needs 'file' property set!");
        return false;
    }
    d->fd = open(d->file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
    if (d->fd < 0) {
        error_set_errno(errp, errno, "net dump: can't open '%s'", d->file);
        return false;
    }
    if (!write_all(d, &iov, 1, sizeof(head))) {
        error_set_errno(errp, errno, "net dump: can't write to '%s'", d->file);
        return false;
    }
    return true;
}

static void dump_cleanup(NetFilter *f)
{
    FilterDump *d = FILTER_DUMP(f);

    if (d->fd >= 0) {
        close(d->fd);
        d->fd = -1;
    }
}

static bool dump_frame(NetFilter *f, UNUSED NetDirection dir, UNUSED const NetOffload *o,
                       const uint8_t *frame, size_t len)
{
    FilterDump *d = FILTER_DUMP(f);
    uint32_t cap = MIN(len, d->maxlen), head[4];
    struct iovec iov[] = { { head, sizeof(head) }, { (void *)frame, cap } };
    struct timespec now;

    if (d->fd >= 0) {
        clock_gettime(CLOCK_REALTIME, &now);
        head[0] = now.tv_sec;
        head[1] = now.tv_nsec / 1000;
        head[2] = cap;
        head[3] = len;
        write_all(d, iov, 2, sizeof(head) + cap);
    }
    return false;
}

static void dump_init(Object *obj)
{
    FILTER_DUMP(obj)->fd = -1;
}

static const Property dump_props[] = {
    PROP_STR("file", FilterDump, file, NULL, "name of the file to write"),
    PROP_U32_RANGE("maxlen", FilterDump, maxlen, MAXLEN_DEFAULT, 1, NET_FRAME_MAX,
                   "bytes of each frame to keep"),
    PROP_END
};
static const NetFilterOps dump_ops = { .setup = dump_setup, .cleanup = dump_cleanup,
                                       .frame = dump_frame };
static const TypeInfo dump_type = {
    .name = "filter-dump", .parent = TYPE_NETFILTER, .desc = "writes frames to a capture file",
    .size = sizeof(FilterDump), .props = dump_props, .init = dump_init, .data = &dump_ops,
};
TYPE(dump_type)
