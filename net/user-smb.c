/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev user,smb=: folders of the host by Samba. libslirp connects each guest's connection to a Unix socket of
 * qemu-smb-helper, which starts an smbd for it. The helper ends, with all that it has made, when its control socket does: that is
 * so even if this process is killed.
 */
#include "util/osdep.h"
#include "config.h"

#ifdef CONFIG_SLIRP
#include <arpa/inet.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "net/helper.h"
#include "net/user-int.h"
#include "net/user.h"

#define SHARE_NAME  "qemu"

typedef struct Share {
    char *name, *path;
    bool read_only;
} Share;

typedef struct UserSmb {
    GPtrArray *shares;          /* Share */
    struct in_addr server;
    int control;
    pid_t helper;
} UserSmb;

static GPtrArray *offers;       /* Share: what -share named */

static Share *share_new(const char *name, const char *path, bool read_only)
{
    Share *s = g_new(Share, 1);

    *s = (Share){ g_strdup(name), g_strdup(path), read_only };
    return s;
}

static void share_free(void *opaque)
{
    Share *s = opaque;

    g_free(s->name);
    g_free(s->path);
    g_free(s);
}

static void *share_copy(const void *opaque, UNUSED void *data)
{
    const Share *s = opaque;

    return share_new(s->name, s->path, s->read_only);
}

void user_smb_offer(const char *name, const char *path, bool read_only)
{
    if (!offers) {
        offers = g_ptr_array_new_with_free_func(share_free);
    }
    g_ptr_array_add(offers, share_new(name, path, read_only));
}

static char *find_smbd(void)
{
    static const char *const places[] = { "/usr/sbin/smbd", "/usr/local/samba/sbin/smbd" };

    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        if (access(places[i], X_OK) == 0) {
            return g_strdup(places[i]);
        }
    }
    return g_find_program_in_path("smbd");
}

/* What the helper is told; see its head. */
static GPtrArray *arguments(UserSmb *smb, struct in_addr guest, const char *helper, const char *smbd, int fd)
{
    GPtrArray *a = g_ptr_array_new_with_free_func(g_free);
    char text[INET_ADDRSTRLEN];

    g_ptr_array_add(a, g_strdup(helper));
    g_ptr_array_add(a, g_strdup_printf("--fd=%d", fd));
    g_ptr_array_add(a, g_strdup_printf("--smbd=%s", smbd));
    g_ptr_array_add(a, g_strdup_printf("--server=%s", inet_ntop(AF_INET, &smb->server, text, sizeof(text))));
    g_ptr_array_add(a, g_strdup_printf("--guest=%s", inet_ntop(AF_INET, &guest, text, sizeof(text))));
    for (guint i = 0; i < smb->shares->len; i++) {
        const Share *s = g_ptr_array_index(smb->shares, i);

        g_ptr_array_add(a, g_strdup_printf("--%s=%s:%s", s->read_only ? "ro" : "rw", s->name, s->path));
    }
    g_ptr_array_add(a, NULL);
    return a;
}

/* Its one line, without the line's end; "" when it ends without a word. */
static void read_line(int fd, char *line, size_t room)
{
    size_t n = 0;
    ssize_t r;

    while (n < room - 1) {
        r = read(fd, line + n, 1);
        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r <= 0 || line[n] == '\n') {
            break;
        }
        n++;
    }
    line[n] = '\0';
}

/* The path of its socket, in @path. */
static bool start_helper(User *u, char *path, size_t room, Error **errp)
{
    g_autofree char *helper = net_helper_find("qemu-smb-helper", NULL), *smbd = find_smbd();
    g_autoptr(GPtrArray) argv = NULL;
    char line[4096];
    int sv[2];

    if (!helper || !smbd) {
        error_setf(errp, ERR_FILE_NOT_FOUND, "there is no %s", helper ? "smbd" : "qemu-smb-helper");
        error_hint(errp, "%s", helper ? "Debian's package samba has it" : "it belongs beside the emulator");
        return false;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0) {
        error_set_errno(errp, errno, "can't make a pair of sockets");
        return false;
    }
    argv = arguments(u->smb, u->first_guest, helper, smbd, sv[1]);
    u->smb->control = sv[0];
    u->smb->helper = fork();
    if (u->smb->helper == 0) {
        fcntl(sv[1], F_SETFD, 0);
        net_helper_exec((char *const *)argv->pdata, sv[1]);
    }
    close(sv[1]);
    if (u->smb->helper < 0) {
        error_set_errno(errp, errno, "can't start '%s'", helper);
        return false;
    }
    read_line(sv[0], line, sizeof(line));
    if (!g_str_has_prefix(line, "ok ") || g_strlcpy(path, line + 3, room) >= room) {
        error_setf(errp, ERR_HOST, "%s", g_str_has_prefix(line, "error ") ? line + 6 : "the helper of Samba failed");
        return false;
    }
    return true;
}

static bool start(User *u, Error **errp)
{
    static const int ports[] = { 445, 139 };
    char path[108], text[INET_ADDRSTRLEN];

    if (!start_helper(u, path, sizeof(path), errp)) {
        return false;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
        if (slirp_add_unix(u->slirp, path, &u->smb->server, ports[i]) < 0) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "'smbserver' is '%s'; accepted: an address of the network that nothing"
                       " else has", inet_ntop(AF_INET, &u->smb->server, text, sizeof(text)));
            return false;
        }
    }
    return true;
}

bool user_smb_start(User *u, struct in_addr server, Error **errp)
{
    Error *err = NULL;

    if (!u->opts.smb && !offers) {
        return true;
    }
    u->smb = g_new0(UserSmb, 1);
    u->smb->server = server;
    u->smb->control = u->smb->helper = -1;
    u->smb->shares = offers ? g_ptr_array_copy(offers, share_copy, NULL) : g_ptr_array_new();
    g_ptr_array_set_free_func(u->smb->shares, share_free);
    if (u->opts.smb) {
        g_ptr_array_add(u->smb->shares, share_new(SHARE_NAME, u->opts.smb, false));
    }
    if (start(u, &err)) {
        return true;
    }
    user_smb_end(u);
    if (u->opts.smb) {
        error_propagate(errp, err);
        return false;
    }
    error_free(err);            /* an offer: there is 9P for them */
    return true;
}

void user_smb_end(User *u)
{
    if (!u->smb) {
        return;
    }
    if (u->smb->control >= 0) {
        close(u->smb->control);
    }
    if (u->smb->helper > 0) {
        net_helper_wait(u->smb->helper);
    }
    g_ptr_array_unref(u->smb->shares);
    g_clear_pointer(&u->smb, g_free);
}

char *user_smb_info(User *u)
{
    GString *s = g_string_new(NULL);
    char text[INET_ADDRSTRLEN];

    for (guint i = 0; u->smb && i < u->smb->shares->len; i++) {
        const Share *share = g_ptr_array_index(u->smb->shares, i);

        g_string_append_printf(s, "  \\\\%s\\%s: %s%s\n", inet_ntop(AF_INET, &u->smb->server, text, sizeof(text)),
                               share->name, share->path, share->read_only ? " (read only)" : "");
    }
    return g_string_free(s, false);
}
#endif
