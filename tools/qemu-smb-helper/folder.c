/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The private folder: smb.conf (smb.conf(5)), links to what is shared, and smbd's own files. */
#include "util/osdep.h"
#include <ftw.h>
#include <limits.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/qemu-smb-helper/helper.h"

void smb_folder_path(const SmbHelper *h, const char *name, char *path, size_t room)
{
    snprintf(path, room, "%s/%s", h->folder, name);
}

/* Whether smb.conf can have it as it is, and a socket in it has a short enough name. */
static bool is_plain(const char *dir)
{
    return dir && *dir == '/' && strlen(dir) <= 40 &&
           dir[strspn(dir, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+")] == '\0';
}

static bool make_folder(SmbHelper *h)
{
    static const char *const inside[] = { "private", "run", "state", "cache", "rpc", "share" };
    const char *const places[] = { getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp" };
    char path[128];

    for (unsigned i = 0; i < ARRAY_SIZE(places) && !*h->folder; i++) {
        if (is_plain(places[i])) {
            snprintf(h->folder, sizeof(h->folder), "%s/qemu-smb.XXXXXX", places[i]);
            if (!mkdtemp(h->folder)) {
                *h->folder = '\0';
            }
        }
    }
    if (!*h->folder) {
        return smb_problem(h, "no folder for Samba's files can be made in $XDG_RUNTIME_DIR, $TMPDIR or /tmp: %s",
                           strerror(errno));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(inside); i++) {
        smb_folder_path(h, inside[i], path, sizeof(path));
        if (mkdir(path, 0700) < 0) {
            return smb_problem(h, "'%s' can't be made: %s", path, strerror(errno));
        }
    }
    return true;
}

/* Names that mean something else to Samba, or are there already. */
static bool name_is_good(SmbHelper *h, unsigned n)
{
    static const char *const taken[] = { "global", "homes", "printers", "print$", "ipc$", "netlogon", "sysvol" };
    const char *name = h->shares[n].name;

    for (unsigned i = 0; i < ARRAY_SIZE(taken); i++) {
        if (!strcasecmp(taken[i], name)) {
            return smb_problem(h, "no Samba share can have the name '%s'", name);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (!strcasecmp(h->shares[i].name, name)) {
            return smb_problem(h, "two Samba shares have the name '%s'", name);
        }
    }
    return *name != '\0';
}

/* A path may have characters that smb.conf can't: it names a link. */
static bool write_share(SmbHelper *h, FILE *f, unsigned n, const char *user)
{
    const SmbShare *s = &h->shares[n];
    char target[PATH_MAX], link[128], name[32];
    struct stat st;

    if (!name_is_good(h, n)) {
        return false;
    }
    if (!realpath(s->path, target) || stat(target, &st) < 0) {
        return smb_problem(h, "'%s' can't be shared: %s", s->path, strerror(errno));
    }
    if (!S_ISDIR(st.st_mode)) {
        return smb_problem(h, "'%s' can't be shared: it is no folder", s->path);
    }
    snprintf(name, sizeof(name), "share/%u", n);
    smb_folder_path(h, name, link, sizeof(link));
    if (symlink(target, link) < 0) {
        return smb_problem(h, "'%s' can't be made: %s", link, strerror(errno));
    }
    fprintf(f, "\n[%s]\npath = %s\nread only = %s\nguest ok = yes\nforce user = %s\n", s->name, link,
            s->read_only ? "yes" : "no", user);
    return true;
}

/* Somebody else, if there is anybody: to Samba a guest's account isn't the user who owns the files. */
static void choose_guest(const char *user, char *guest, size_t room)
{
    static const char *const names[] = { "nobody", "daemon" };

    snprintf(guest, room, "%s", user);
    for (unsigned i = 0; i < ARRAY_SIZE(names) && !strcmp(guest, user); i++) {
        if (getpwnam(names[i])) {
            snprintf(guest, room, "%s", names[i]);
        }
    }
}

static bool write_configuration(SmbHelper *h)
{
    /* One that no other program of the host's sees; guests need no password, and there are none; links lead nowhere outside; no
     * names, printers, domains. No caches in the guest: the host writes the same files. No connection is given to another smbd. */
    static const char global[] =
        "[global]\nserver role = standalone server\nworkgroup = WORKGROUP\nnetbios name = QEMU\nserver string = host\n"
        "map to guest = Bad User\nserver min protocol = NT1\nunix extensions = no\n"
        "private dir = %1$s/private\nlock directory = %1$s/run\npid directory = %1$s/run\n"
        "state directory = %1$s/state\ncache directory = %1$s/cache\nncalrpc dir = %1$s/rpc\n"
        "winbindd socket directory = %1$s/run\nlog file = %1$s/log\nmax log size = 100\nlog level = 0\n"
        "interfaces = lo\nbind interfaces only = yes\nmulticast dns register = no\n"
        "load printers = no\nprinting = bsd\nprintcap name = /dev/null\ndisable spoolss = yes\nusershare max shares = 0\n"
        "wide links = no\noplocks = no\nsmb2 leases = no\nserver multi channel support = no\nmap archive = no\ncreate mask = 0644\ndirectory mask = 0755\n"
        "guest account = %2$s\n";
    struct passwd *pw = getpwuid(geteuid());
    char path[128], user[256], guest[256];
    bool ok = true;
    FILE *f;

    if (!pw) {
        return smb_problem(h, "user %u has no name, which Samba needs", (unsigned)geteuid());
    }
    snprintf(user, sizeof(user), "%s", pw->pw_name);
    choose_guest(user, guest, sizeof(guest));
    smb_folder_path(h, "smb.conf", path, sizeof(path));
    f = fopen(path, "wxe");
    if (!f) {
        return smb_problem(h, "'%s' can't be made: %s", path, strerror(errno));
    }
    fprintf(f, global, h->folder, guest);
    for (unsigned i = 0; ok && i < h->n_shares; i++) {
        ok = write_share(h, f, i, user);
    }
    if (fclose(f) != 0 && ok) {
        ok = smb_problem(h, "'%s' can't be written: %s", path, strerror(errno));
    }
    return ok;
}

bool smb_folder_make(SmbHelper *h)
{
    return make_folder(h) && write_configuration(h);
}

static int remove_one(const char *path, UNUSED const struct stat *st, UNUSED int type, UNUSED struct FTW *ftw)
{
    remove(path);
    return 0;
}

void smb_folder_remove(SmbHelper *h)
{
    if (*h->folder) {
        nftw(h->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
}
