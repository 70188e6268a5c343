/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owners, modes and device numbers that the guest has set, where it can't set the host's. Names and form are those
 * that QEMU documents, so that a share can be used by both:
 *   mapped-xattr  user.virtfs.uid, .gid, .mode (32 bits, little-endian), .rdev (64 bits)
 *   mapped-file   .virtfs_metadata/NAME in the object's directory: lines "virtfs.uid=N" and so on, decimal; for the root
 *                 .virtfs_metadata_root
 */
#include "util/osdep.h"
#include "fsdev/local.h"

#include <sys/xattr.h>
#include <unistd.h>
#include "util/bswap.h"

#define PREFIX      "user.virtfs."
#define FOLDER      ".virtfs_metadata"
#define ROOT_FILE   ".virtfs_metadata_root"
#define FILE_MAX    512

static const struct { unsigned bit; const char *name; unsigned bytes; } parts[] = {
    { MAP_UID, "uid", 4 }, { MAP_GID, "gid", 4 }, { MAP_MODE, "mode", 4 }, { MAP_RDEV, "rdev", 8 },
};

static void put_part(LocalMap *m, unsigned bit, uint64_t v)
{
    m->valid |= bit;
    switch (bit) {
    case MAP_UID: m->uid = (uint32_t)v; break;
    case MAP_GID: m->gid = (uint32_t)v; break;
    case MAP_MODE: m->mode = (uint32_t)v; break;
    case MAP_RDEV: m->rdev = v; break;
    }
}

static uint64_t get_part(const LocalMap *m, unsigned bit)
{
    switch (bit) {
    case MAP_UID: return m->uid;
    case MAP_GID: return m->gid;
    case MAP_MODE: return m->mode;
    default: return m->rdev;
    }
}

/* --- extended attributes --- */

static int xattr_get(int fd, unsigned wanted, LocalMap *m)
{
    ProcPath p = proc_path(fd);

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        uint8_t raw[8] = { 0 };
        char name[32];

        if (!(wanted & parts[i].bit)) {
            continue;
        }
        snprintf(name, sizeof(name), PREFIX "%s", parts[i].name);
        if (getxattr(p.text, name, raw, parts[i].bytes) == (ssize_t)parts[i].bytes) {
            put_part(m, parts[i].bit, load_le64(raw));
        }
    }
    return 0;
}

static int xattr_set(int fd, bool is_open, const LocalMap *m)
{
    ProcPath p = proc_path(fd);

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        uint8_t raw[8];
        char name[32];

        if (!(m->valid & parts[i].bit)) {
            continue;
        }
        snprintf(name, sizeof(name), PREFIX "%s", parts[i].name);
        store_le64(raw, get_part(m, parts[i].bit));
        if ((is_open ? fsetxattr(fd, name, raw, parts[i].bytes, 0)
                     : setxattr(p.text, name, raw, parts[i].bytes, 0)) < 0) {
            return -errno;
        }
    }
    return 0;
}

/* --- files --- */

/* The file that belongs to the object; @make: with its folder. */
static int open_map(int dir_fd, const char *name, int flags, bool make)
{
    int folder, fd;

    if (!name) {
        fd = openat(dir_fd, ROOT_FILE, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
        return fd < 0 ? -errno : fd;
    }
    if (make && mkdirat(dir_fd, FOLDER, 0700) < 0 && errno != EEXIST) {
        return -errno;
    }
    folder = openat(dir_fd, FOLDER, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) {
        return -errno;
    }
    fd = openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    fd = fd < 0 ? -errno : fd;
    close(folder);
    return fd;
}

static int file_get(int dir_fd, const char *name, LocalMap *m)
{
    int fd = open_map(dir_fd, name, O_RDONLY, false);
    char text[FILE_MAX], *save = NULL;
    ssize_t n;

    if (fd < 0) {
        return fd == -ENOENT ? 0 : fd;
    }
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[MAX(n, 0)] = 0;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
            size_t len = strlen(parts[i].name);

            if (!strncmp(line, "virtfs.", 7) && !strncmp(line + 7, parts[i].name, len) && line[7 + len] == '=') {
                put_part(m, parts[i].bit, strtoull(line + 8 + len, NULL, 10));
            }
        }
    }
    return 0;
}

static int file_set(int dir_fd, const char *name, const LocalMap *change)
{
    LocalMap m = { 0 };
    char text[FILE_MAX];
    size_t len = 0;
    int fd, r = file_get(dir_fd, name, &m);

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        if (change->valid & parts[i].bit) {
            put_part(&m, parts[i].bit, get_part(change, parts[i].bit));
        }
        if (m.valid & parts[i].bit) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "virtfs.%s=%" PRIu64 "\n", parts[i].name,
                                    get_part(&m, parts[i].bit));
        }
    }
    fd = open_map(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC, true);
    if (fd < 0) {
        return fd;
    }
    r = write(fd, text, len) == (ssize_t)len ? 0 : -EIO;
    close(fd);
    return r;
}

static int open_folder(int dir_fd)
{
    return openat(dir_fd, FOLDER, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* --- both --- */

int local_map_get(Local *l, int fd, int dir_fd, const char *name, unsigned wanted, LocalMap *m)
{
    *m = (LocalMap){ 0 };
    return l->model == FS_MAPPED_XATTR ? xattr_get(fd, wanted, m) :
           l->model == FS_MAPPED_FILE ? file_get(dir_fd, name, m) : 0;
}

int local_map_set(Local *l, int fd, bool is_open, int dir_fd, const char *name, const LocalMap *m)
{
    return l->model == FS_MAPPED_XATTR ? xattr_set(fd, is_open, m) :
           l->model == FS_MAPPED_FILE ? file_set(dir_fd, name, m) : 0;
}

/* What can't be done here leaves an object with the host's owner and mode; the object itself is where it should be. */
static void two_folders(Local *l, int dir_fd, const char *name, int to_fd, const char *new_name, bool move)
{
    int from, to;

    if (l->model != FS_MAPPED_FILE) {
        return;
    }
    if (mkdirat(to_fd, FOLDER, 0700) < 0 && errno != EEXIST) {
        return;
    }
    from = open_folder(dir_fd);
    to = open_folder(to_fd);
    if (to >= 0) {
        if (!move) {
            unlinkat(to, new_name, 0);
        }
        if (from < 0 || (move ? renameat(from, name, to, new_name)
                              : linkat(from, name, to, new_name, 0)) < 0) {
            unlinkat(to, new_name, 0);
        }
        close(to);
    }
    if (from >= 0) {
        close(from);
    }
}

void local_map_moved(Local *l, int dir_fd, const char *name, int to_fd, const char *new_name)
{
    two_folders(l, dir_fd, name, to_fd, new_name, true);
}

void local_map_linked(Local *l, int dir_fd, const char *name, int to_fd, const char *new_name)
{
    two_folders(l, dir_fd, name, to_fd, new_name, false);
}

void local_map_gone(Local *l, int dir_fd, const char *name)
{
    int folder = l->model == FS_MAPPED_FILE ? open_folder(dir_fd) : -1;

    if (folder >= 0) {
        unlinkat(folder, name, 0);
        close(folder);
    }
}

void local_map_empty(Local *l, int fd)
{
    if (l->model == FS_MAPPED_FILE) {
        unlinkat(fd, FOLDER, AT_REMOVEDIR);     /* fails while there is anything in it */
    }
}

bool local_map_hides(const Local *l, const char *name)
{
    return l->model == FS_MAPPED_FILE && (!strcmp(name, FOLDER) || !strcmp(name, ROOT_FILE));
}

bool local_map_hides_xattr(const Local *l, const char *name)
{
    return local_is_mapped(l) && g_str_has_prefix(name, PREFIX);
}

/* ACLs of a guest's users would mean the host's. */
bool local_map_xattr(const Local *l, const char *name, char *host, size_t room)
{
    bool acl = local_is_mapped(l) && g_str_has_prefix(name, "system.posix_acl_");

    if (local_map_hides_xattr(l, name)) {
        return false;
    }
    return snprintf(host, room, "%s%s", acl ? PREFIX : "", name) < (int)room;
}
