/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-bridge-helper: makes a tap interface, puts it into a bridge, and sends its descriptor over a socket.
 *
 *     qemu-bridge-helper [--use-vnet] [--acl-file=FILE] --br=BRIDGE --fd=SOCKET
 *
 * It may be installed set-user-id root, so that users get interfaces in the bridges that the ACL file lets
 * them have, and nothing else. It uses the C library only, and trusts neither arguments nor environment.
 *
 * The ACL file (/etc/qemu/bridge.conf) has a rule a line: "allow BRIDGE", "deny BRIDGE", "allow all", "deny
 * all", "include FILE". A bridge is allowed when a rule allows it and no rule denies it.
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACL_FILE        "/etc/qemu/bridge.conf"
#define ACL_DEPTH       8       /* of includes */
#define ACL_RULES_MAX   4096

typedef struct Acl {
    const char *bridge;
    bool allowed, denied;
    unsigned rules;
} Acl;

static int fail(const char *fmt, ...) PRINTF_LIKE(1, 2);
static int fail(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fprintf(stderr, "qemu-bridge-helper: ");
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\n");
    va_end(ap);
    return 1;
}

static bool read_acl(Acl *a, const char *path, unsigned depth);

static bool take_rule(Acl *a, char *line, const char *path, unsigned number, unsigned depth)
{
    char *save = NULL, *verb = strtok_r(line, " \t\r\n", &save);
    char *what = verb ? strtok_r(NULL, " \t\r\n", &save) : NULL;
    bool match;

    if (!verb || *verb == '#') {
        return true;
    }
    if (!what || ++a->rules > ACL_RULES_MAX) {
        fail("%s:%u: %s", path, number, what ? "too many rules" : "a rule needs a bridge, all, or a file");
        return false;
    }
    match = !strcmp(what, "all") || !strcmp(what, a->bridge);
    if (!strcmp(verb, "allow")) {
        a->allowed |= match;
    } else if (!strcmp(verb, "deny")) {
        a->denied |= match;
    } else if (!strcmp(verb, "include")) {
        return read_acl(a, what, depth + 1);
    } else {
        fail("%s:%u: '%s' is no rule; accepted: allow, deny, include", path, number, verb);
        return false;
    }
    return true;
}

static bool read_acl(Acl *a, const char *path, unsigned depth)
{
    FILE *f = depth < ACL_DEPTH ? fopen(path, "re") : NULL;
    char line[1024];
    bool ok = true;

    if (!f) {
        fail("can't read '%s': %s", path, depth < ACL_DEPTH ? strerror(errno) : "too many includes");
        return false;
    }
    for (unsigned n = 1; ok && fgets(line, sizeof(line), f); n++) {
        /* The rest of a longer line would be read as a rule of its own. */
        if (strlen(line) == sizeof(line) - 1 && line[sizeof(line) - 2] != '\n') {
            fail("%s:%u: the line is too long; accepted: %zu characters", path, n, sizeof(line) - 2);
            ok = false;
        } else {
            ok = take_rule(a, line, path, n, depth);
        }
    }
    fclose(f);
    return ok;
}

static bool name_is_valid(const char *s)
{
    size_t len = strlen(s);

    return len && len < IFNAMSIZ && !strpbrk(s, "/ \t\n") && strcmp(s, ".") && strcmp(s, "..");
}

static int open_tap(bool vnet, struct ifreq *ifr)
{
    unsigned features = 0;
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        fail("can't open /dev/net/tun: %s", strerror(errno));
        return -1;
    }
    ifr->ifr_flags = IFF_TAP | IFF_NO_PI;
    if (vnet && ioctl(fd, TUNGETFEATURES, &features) == 0 && features & IFF_VNET_HDR) {
        ifr->ifr_flags |= IFF_VNET_HDR;
    }
    if (ioctl(fd, TUNSETIFF, ifr) < 0) {
        fail("can't make a tap device: %s", strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

/* The bridge's MTU is the lowest of its ports': the new one must not lower it. A bridge takes the lowest
 * address of its ports: a high one leaves it alone. */
static bool join_bridge(int ctl, const char *bridge, const char *tap)
{
    struct ifreq ifr = { 0 };

    memcpy(ifr.ifr_name, bridge, strlen(bridge));
    if (ioctl(ctl, SIOCGIFMTU, &ifr) < 0) {
        fail("there is no bridge '%s': %s", bridge, strerror(errno));
        return false;
    }
    memset(ifr.ifr_name, 0, IFNAMSIZ);
    memcpy(ifr.ifr_name, tap, strlen(tap));
    if (ioctl(ctl, SIOCSIFMTU, &ifr) < 0) {
        fail("can't set the MTU of '%s': %s", tap, strerror(errno));
        return false;
    }
    if (ioctl(ctl, SIOCGIFHWADDR, &ifr) == 0) {
        ifr.ifr_hwaddr.sa_data[0] = (char)0xfe;
        ioctl(ctl, SIOCSIFHWADDR, &ifr);
    }
    memset(&ifr, 0, sizeof(ifr));
    memcpy(ifr.ifr_name, bridge, strlen(bridge));
    ifr.ifr_ifindex = if_nametoindex(tap);
    if (ioctl(ctl, SIOCBRADDIF, &ifr) < 0) {
        fail("can't add '%s' to bridge '%s': %s", tap, bridge, strerror(errno));
        return false;
    }
    memset(&ifr, 0, sizeof(ifr));
    memcpy(ifr.ifr_name, tap, strlen(tap));
    if (ioctl(ctl, SIOCGIFFLAGS, &ifr) < 0) {
        return false;
    }
    ifr.ifr_flags |= IFF_UP;
    if (ioctl(ctl, SIOCSIFFLAGS, &ifr) < 0) {
        fail("can't bring '%s' up: %s", tap, strerror(errno));
        return false;
    }
    return true;
}

static bool send_fd(int sock, int fd)
{
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec iov = { &byte, 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                          .msg_controllen = sizeof(control) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    ssize_t n;

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(int));
    do {
        n = sendmsg(sock, &msg, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n == 1;
}

static int run(const char *bridge, const char *acl, int sock, bool vnet)
{
    struct ifreq ifr = { 0 };
    Acl a = { .bridge = bridge };
    int ctl, tap;

    if (!read_acl(&a, acl, 0)) {
        return 1;
    }
    if (a.denied || !a.allowed) {
        return fail("bridge '%s' isn't allowed by '%s'", bridge, acl);
    }
    ctl = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    tap = ctl < 0 ? -1 : open_tap(vnet, &ifr);
    if (tap < 0) {
        return 1;
    }
    ifr.ifr_name[IFNAMSIZ - 1] = '\0';
    if (!join_bridge(ctl, bridge, ifr.ifr_name)) {
        return 1;
    }
    /* The rest needs no right. */
    if (setgid(getgid()) < 0 || setuid(getuid()) < 0) {
        return fail("can't drop privileges: %s", strerror(errno));
    }
    return send_fd(sock, tap) ? 0 : fail("can't send the descriptor: %s", strerror(errno));
}

int main(int argc, char **argv)
{
    const char *bridge = NULL, *acl = ACL_FILE;
    bool vnet = false;
    char *end;
    long sock = -1;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--use-vnet")) {
            vnet = true;
        } else if (!strncmp(argv[i], "--br=", 5)) {
            bridge = argv[i] + 5;
        } else if (!strncmp(argv[i], "--fd=", 5)) {
            sock = strtol(argv[i] + 5, &end, 10);
            sock = *end || end == argv[i] + 5 || sock > INT32_MAX ? -1 : sock;
        } else if (!strncmp(argv[i], "--acl-file=", 11)) {
            /* Whoever runs with another's rights must not choose the rules. */
            if (getuid() != geteuid() || getgid() != getegid()) {
                return fail("--acl-file isn't accepted when set-user-id");
            }
            acl = argv[i] + 11;
        } else {
            return fail("usage: qemu-bridge-helper [--use-vnet] [--acl-file=FILE] --br=BRIDGE --fd=SOCKET");
        }
    }
    if (!bridge || !name_is_valid(bridge)) {
        return fail("--br=BRIDGE is needed, the name of an interface");
    }
    if (sock < 0) {
        return fail("--fd=SOCKET is needed, the number of an open unix socket");
    }
    return run(bridge, acl, sock, vnet);
}
