/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev tap and bridge: a network interface of the host (Linux: Documentation/networking/tuntap).
 * With the device's virtio_net_hdr before each frame, checksums and segmentation go over it undone.
 */
#include "util/osdep.h"
#include "net/tap.h"

#include <fcntl.h>
#include <glib.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>
#include "net/net-frames.h"
#include "qapi/types-net.h"
#include "util/main-loop.h"

#define TAP_QUEUES_MAX  64
#define TAP_SCRIPT_UP   "/etc/qemu-ifup"
#define TAP_SCRIPT_DOWN "/etc/qemu-ifdown"
#define FRAMES_PER_RUN  64
#define TAP_BACKLOG     256     /* frames that wait for the host */

typedef struct TapNet {
    NetBackend *net;
    int fd;                     /* -1: none */
    FdWatch *watch;
    bool vnet_hdr, paused, disabled;
    char ifname[IFNAMSIZ];
    char *downscript;           /* of the first queue; NULL: none */
    GQueue out;                 /* GBytes: frames with their headers */
} TapNet;

/* --- frames --- */

static void update_watch(TapNet *t)
{
    if (t->watch) {
        fd_watch_set(t->watch, (t->paused ? 0 : FD_READ) | (t->out.length ? FD_WRITE : 0));
    }
}

static void read_frames(TapNet *t)
{
    uint8_t buf[NET_HDR_MIN + NET_FRAME_MAX];
    size_t head = t->vnet_hdr ? NET_HDR_MIN : 0;

    for (unsigned i = 0; i < FRAMES_PER_RUN && !t->disabled; i++) {
        NetOffload o;
        ssize_t n;

        t->paused = net_is_busy(t->net);
        if (t->paused) {
            break;
        }
        n = read(t->fd, buf, sizeof(buf));
        if (n <= (ssize_t)head) {
            break;
        }
        if (t->vnet_hdr) {
            net_hdr_decode(buf, &o);
        }
        net_deliver_offload(t->net, t->vnet_hdr && (o.flags || o.gso_type) ? &o : NULL, buf + head,
                            n - head);
    }
}

static void tap_ready(UNUSED int fd, unsigned events, void *opaque)
{
    TapNet *t = opaque;

    while (events & FD_WRITE && t->out.length) {
        GBytes *b = g_queue_peek_head(&t->out);

        if (write(t->fd, g_bytes_get_data(b, NULL), g_bytes_get_size(b)) < 0 && errno == EAGAIN) {
            break;
        }
        g_bytes_unref(g_queue_pop_head(&t->out));
    }
    if (events & FD_READ) {
        read_frames(t);
    }
    update_watch(t);
}

static void tap_send_offload(NetBackend *n, const NetOffload *o, const uint8_t *frame, size_t len)
{
    TapNet *t = n->state;
    uint8_t hdr[NET_HDR_MIN];
    struct iovec iov[2] = { { hdr, sizeof(hdr) }, { (void *)frame, len } };
    unsigned skip = t->vnet_hdr ? 0 : 1;
    ssize_t done;

    net_hdr_encode(hdr, sizeof(hdr), o);
    if (!t->out.length) {
        do {
            done = writev(t->fd, iov + skip, 2 - skip);
        } while (done < 0 && errno == EINTR);
        if (done >= 0 || errno != EAGAIN) {
            return;                             /* what the host refuses is lost */
        }
    }
    if (t->out.length < TAP_BACKLOG) {
        size_t total = len + (skip ? 0 : sizeof(hdr));
        uint8_t *copy = g_malloc(total);

        memcpy(copy, hdr, total - len);
        memcpy(copy + total - len, frame, len);
        g_queue_push_tail(&t->out, g_bytes_new_take(copy, total));
        update_watch(t);
    }
}

static void tap_send(NetBackend *n, const uint8_t *frame, size_t len)
{
    tap_send_offload(n, NULL, frame, len);
}

static void tap_resume(NetBackend *n)
{
    TapNet *t = n->state;

    if (t->paused) {
        t->paused = false;
        update_watch(t);
    }
}

/* --- offloads --- */

static void tap_set_device_can(NetBackend *n, unsigned can)
{
    unsigned flags = 0;

    if (can & NET_CAN_CSUM) {
        flags |= TUN_F_CSUM | (can & NET_CAN_TSO4 ? TUN_F_TSO4 : 0) | (can & NET_CAN_TSO6 ? TUN_F_TSO6 : 0) |
                 (can & NET_CAN_ECN && can & (NET_CAN_TSO4 | NET_CAN_TSO6) ? TUN_F_TSO_ECN : 0) |
                 (can & NET_CAN_UFO ? TUN_F_UFO : 0);
    }
    for (NetBackend *q = n; q; q = q->next_queue) {
        TapNet *t = q->state;

        if (t->vnet_hdr && ioctl(t->fd, TUNSETOFFLOAD, (long)flags) < 0) {
            /* Hosts from 4.14 on cut UDP no more, some older ones do. */
            ioctl(t->fd, TUNSETOFFLOAD, (long)(flags & ~TUN_F_UFO));
        }
    }
}

static void tap_enable_queue(NetBackend *n, bool on)
{
    TapNet *t = n->state;
    struct ifreq ifr = { .ifr_flags = on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

    if (net_queues(n->lead) > 1 && t->disabled == on && ioctl(t->fd, TUNSETQUEUE, &ifr) == 0) {
        t->disabled = !on;
    }
}

/* --- set-up --- */

/* @ifr is what the device says of itself. */
static void use_fd(NetBackend *n, int fd, const struct ifreq *ifr)
{
    TapNet *t = n->state;
    int size = NET_HDR_MIN;

    t->net = n;
    t->fd = fd;
    t->vnet_hdr = ifr->ifr_flags & IFF_VNET_HDR;
    memcpy(t->ifname, ifr->ifr_name, sizeof(t->ifname));
    t->ifname[IFNAMSIZ - 1] = '\0';
    g_queue_init(&t->out);
    if (t->vnet_hdr) {
        ioctl(fd, TUNSETVNETHDRSZ, &size);
        ioctl(fd, TUNSETOFFLOAD, 0L);
        n->can = n->gives = NET_CAN_CSUM | NET_CAN_TSO4 | NET_CAN_TSO6 | NET_CAN_ECN;
    }
    t->watch = fd_watch_new_on(main_event_loop(), fd, FD_READ, tap_ready, t);
}

/* A descriptor that somebody else has opened. */
static bool adopt_fd(NetBackend *n, int fd, const char *name, Error **errp)
{
    struct ifreq ifr = { 0 };

    if (ioctl(fd, TUNGETIFF, &ifr) < 0 || !(ifr.ifr_flags & IFF_TAP)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "file descriptor '%s' is no tap device", name);
        close(fd);
        return false;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    use_fd(n, fd, &ifr);
    return true;
}

static bool open_device(NetBackend *n, const NetdevTapOptions *o, const char *ifname, bool multi, Error **errp)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | (multi ? IFF_MULTI_QUEUE : 0) };
    unsigned features = 0;
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        error_set_errno(errp, errno, "can't open /dev/net/tun");
        return false;
    }
    if (ioctl(fd, TUNGETFEATURES, &features) == 0 && features & IFF_VNET_HDR &&
        (!o->has_vnet_hdr || o->vnet_hdr)) {
        ifr.ifr_flags |= IFF_VNET_HDR;
    } else if (o->has_vnet_hdr && o->vnet_hdr) {
        error_setf(errp, ERR_NOT_SUPPORTED, "vnet_hdr=1 requested, but the host's tap devices have none");
        close(fd);
        return false;
    }
    memcpy(ifr.ifr_name, ifname, MIN(strlen(ifname), IFNAMSIZ - 1));
    if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
        error_set_errno(errp, errno, "could not configure /dev/net/tun (%s)", ifname);
        close(fd);
        return false;
    }
    use_fd(n, fd, &ifr);
    return true;
}

static void tap_close(NetBackend *n)
{
    TapNet *t = n->state;

    fd_watch_remove(t->watch);
    t->watch = NULL;
    if (t->downscript) {
        tap_run_script(t->downscript, t->ifname, NULL);
    }
    g_free(t->downscript);
    t->downscript = NULL;
    if (t->fd > 0) {
        close(t->fd);
    }
    t->fd = -1;
    g_queue_clear_full(&t->out, (GDestroyNotify)g_bytes_unref);
}

/* What is given in vain, or can't be together. */
static bool check(const NetdevTapOptions *o, Error **errp)
{
    unsigned ways = !!o->fd + !!o->fds + !!o->helper;
    const char *bad = o->has_vhost && o->vhost ? "vhost" : o->vhostfd ? "vhostfd" : o->vhostfds ? "vhostfds"
                      : o->has_vhostforce && o->vhostforce ? "vhostforce" : NULL;

    if (bad) {
        error_setf(errp, ERR_NOT_SUPPORTED, "'%s' is not supported: frames go through the emulator", bad);
        return false;
    }
    if (ways > 1 || (ways && (o->ifname || o->script || o->downscript || o->has_queues)) ||
        ((o->fd || o->fds) && o->has_vnet_hdr)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "ifname=, script=, downscript=, vnet_hdr=, helper=, queues= "
                   "are not used with fd= or fds=, nor the first ones with helper=");
        return false;
    }
    if (o->ifname && strlen(o->ifname) >= IFNAMSIZ) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'ifname' is '%s'; accepted: up to %d bytes", o->ifname,
                   IFNAMSIZ - 1);
        return false;
    }
    if (o->has_queues && (!o->queues || o->queues > TAP_QUEUES_MAX)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'queues' is %u; accepted: 1 to %d", o->queues, TAP_QUEUES_MAX);
        return false;
    }
    return true;
}

static bool open_fds(NetBackend *n, const char *list, Error **errp)
{
    g_auto(GStrv) names = g_strsplit(list, ":", TAP_QUEUES_MAX + 1);

    if (g_strv_length(names) > TAP_QUEUES_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'fds' has more than %d descriptors", TAP_QUEUES_MAX);
        return false;
    }
    for (unsigned i = 0; names[i]; i++) {
        int fd = net_take_fd(names[i], errp);

        if (fd < 0 || !adopt_fd(i ? net_add_queue(n) : n, fd, names[i], errp)) {
            return false;
        }
    }
    return true;
}

static bool open_own(NetBackend *n, const NetdevTapOptions *o, Error **errp)
{
    unsigned queues = o->has_queues ? o->queues : 1;
    const char *script = o->script ? o->script : TAP_SCRIPT_UP;
    const char *down = o->downscript ? o->downscript : TAP_SCRIPT_DOWN;
    const char *ifname = o->ifname ? o->ifname : "";
    TapNet *t = n->state;

    for (unsigned i = 0; i < queues; i++) {
        if (!open_device(i ? net_add_queue(n) : n, o, ifname, queues > 1, errp)) {
            return false;
        }
        ifname = t->ifname;                     /* the one that the host chose */
    }
    if (*script && strcmp(script, "no") && !tap_run_script(script, t->ifname, errp)) {
        return false;
    }
    if (*down && strcmp(down, "no")) {
        t->downscript = g_strdup(down);
    }
    return true;
}

static bool open_as_told(NetBackend *n, const NetdevTapOptions *o, Error **errp)
{
    int sndbuf = o->has_sndbuf ? MIN(o->sndbuf, INT32_MAX) : 0, fd;
    bool ok;

    if (!check(o, errp)) {
        return false;
    }
    if (o->fd || o->fds) {
        ok = open_fds(n, o->fd ? o->fd : o->fds, errp);
    } else if (o->helper) {
        fd = tap_run_helper(o->helper, o->br ? o->br : TAP_BRIDGE_DEFAULT, errp);
        ok = fd >= 0 && adopt_fd(n, fd, "of the helper", errp);
    } else {
        ok = open_own(n, o, errp);
    }
    for (NetBackend *q = ok ? n : NULL; q; q = q->next_queue) {
        if (ioctl(((TapNet *)q->state)->fd, TUNSETSNDBUF, &(int){ sndbuf ? sndbuf : INT32_MAX }) < 0 &&
            sndbuf) {
            error_set_errno(errp, errno, "can't set 'sndbuf' to %d", sndbuf);
            ok = false;
        }
    }
    return ok;
}

static bool tap_open(NetBackend *n, const QDict *opts, Error **errp)
{
    NetdevTapOptions o = { 0 };
    bool ok;

    if (!net_decode(n, &qapi_type_NetdevTapOptions, opts, &o, errp)) {
        return false;
    }
    ok = open_as_told(n, &o, errp);
    qapi_clear_struct(&qapi_type_NetdevTapOptions, &o);
    for (NetBackend *q = ok ? NULL : n; q; q = q->next_queue) {
        tap_close(q);
    }
    return ok;
}

static bool bridge_open(NetBackend *n, const QDict *opts, Error **errp)
{
    NetdevBridgeOptions o = { 0 };
    int fd;

    if (!net_decode(n, &qapi_type_NetdevBridgeOptions, opts, &o, errp)) {
        return false;
    }
    fd = tap_run_helper(o.helper, o.br ? o.br : TAP_BRIDGE_DEFAULT, errp);
    qapi_clear_struct(&qapi_type_NetdevBridgeOptions, &o);
    return fd >= 0 && adopt_fd(n, fd, "of the helper", errp);
}

static char *tap_info(NetBackend *n)
{
    TapNet *t = n->state;

    return g_strdup_printf("ifname=%s%s", t->ifname, t->vnet_hdr ? ",vnet_hdr=on" : "");
}

static NetBackendType type_tap = {
    .name = "tap", .state_size = sizeof(TapNet), .open = tap_open, .close = tap_close,
    .send = tap_send, .send_offload = tap_send_offload, .resume = tap_resume,
    .set_device_can = tap_set_device_can, .enable_queue = tap_enable_queue, .info = tap_info,
};
static NetBackendType type_bridge = {
    .name = "bridge", .state_size = sizeof(TapNet), .open = bridge_open, .close = tap_close,
    .send = tap_send, .send_offload = tap_send_offload, .resume = tap_resume,
    .set_device_can = tap_set_device_can, .info = tap_info,
};

static void CONSTRUCTOR register_type(void)
{
    net_backend_type_register(&type_tap);
    net_backend_type_register(&type_bridge);
}
