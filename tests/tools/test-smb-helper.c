/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-smb-helper: an smbd for each connection, not too many of them, nothing left behind; wrong shares. */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/lib/test.h"

#define SMBD    "/usr/sbin/smbd"

typedef struct Helper {
    char *runtime;              /* where it makes its folder: short, a socket's name is in it */
    int control;
    pid_t pid;
    char line[512];             /* what it says */
} Helper;

static void read_line(Helper *h)
{
    size_t n = 0;

    while (n < sizeof(h->line) - 1 && read(h->control, h->line + n, 1) == 1 && h->line[n] != '\n') {
        n++;
    }
    h->line[n] = '\0';
}

static void helper_end(void *opaque)
{
    Helper *h = opaque;

    if (h->control >= 0) {
        close(h->control);
        waitpid(h->pid, NULL, 0);
    }
    g_rmdir(h->runtime);
    g_free(h->runtime);
    g_free(h);
}

/* @share: "--rw=NAME:FOLDER" */
static Helper *helper_new(Test *t, const char *smbd, const char *share)
{
    const char *build = g_getenv("BUILD_DIR");
    g_autofree char *program = g_strdup_printf("%s/qemu-smb-helper", build ? build : ".");
    g_autofree char *fd = NULL, *with = g_strdup_printf("--smbd=%s", smbd);
    Helper *h = g_new0(Helper, 1);
    int sv[2];

    h->runtime = g_strdup("/tmp/smb-test.XXXXXX");
    if (!check_true(t, g_mkdtemp(h->runtime), "a folder") ||
        !check_int(t, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0, "sockets")) {
        return NULL;
    }
    fd = g_strdup_printf("--fd=%d", sv[1]);
    h->control = sv[0];
    h->pid = fork();
    if (h->pid == 0) {
        fcntl(sv[1], F_SETFD, 0);
        setenv("XDG_RUNTIME_DIR", h->runtime, 1);
        execl(program, program, fd, with, "--server=10.0.2.4", "--guest=10.0.2.15", share, NULL);
        _exit(127);
    }
    close(sv[1]);
    test_at_end(t, helper_end, h);
    read_line(h);
    return h;
}

static int connect_to(Test *t, Helper *h)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(a.sun_path, h->line + 3, sizeof(a.sun_path));
    check_int(t, connect(fd, (struct sockaddr *)&a, sizeof(a)), 0, "connected");
    return fd;
}

/* The pids of the helper's children that are known so far. */
static GArray *children(Helper *h)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", (int)h->pid, (int)h->pid);
    GArray *pids = g_array_new(false, false, sizeof(int));
    g_autofree char *text = NULL;
    g_auto(GStrv) words = NULL;

    if (g_file_get_contents(path, &text, NULL, NULL)) {
        words = g_strsplit(text, " ", -1);
        for (unsigned i = 0; words[i]; i++) {
            int pid = atoi(words[i]);

            if (pid > 0) {
                g_array_append_val(pids, pid);
            }
        }
    }
    return pids;
}

/* The other end is closed, the helper has ended, its folder is gone, and so are @pids. */
static void check_gone(Test *t, Helper *h, GArray *pids)
{
    g_autoptr(GDir) dir = NULL;
    int status = -1;

    close(h->control);
    h->control = -1;
    check_int(t, waitpid(h->pid, &status, 0), h->pid, "it ends");
    check_int(t, status, 0, "well");
    dir = g_dir_open(h->runtime, 0, NULL);
    check_true(t, dir && !g_dir_read_name(dir), "its folder is gone");
    for (guint i = 0; i < pids->len; i++) {
        check_true(t, kill(g_array_index(pids, int, i), 0) < 0, "its children have ended");
    }
    g_array_unref(pids);
}

/* [MS-SMB2] 2.2.3: NEGOTIATE with the dialect 3.0.2; the answer starts with the same protocol id. */
static void negotiate(Test *t, int fd)
{
    static const uint8_t head[] = { 0, 0, 0, 102, 0xfe, 'S', 'M', 'B', 64 };
    uint8_t m[4 + 64 + 36 + 2] = { 0 }, answer[4 + 64], rest[1024];
    size_t len;

    memcpy(m, head, sizeof(head));
    m[4 + 64] = 36;             /* StructureSize */
    m[4 + 64 + 2] = 1;          /* DialectCount */
    m[4 + 64 + 4] = 1;          /* signing enabled */
    m[4 + 64 + 36] = 0x02;
    m[4 + 64 + 37] = 0x03;
    check_int(t, write(fd, m, sizeof(m)), sizeof(m), "a request");
    check_int(t, recv(fd, answer, sizeof(answer), MSG_WAITALL), sizeof(answer), "an answer");
    check_mem(t, answer + 4, head + 4, 4, "of SMB 2 or 3");
    len = MIN((size_t)answer[2] << 8 | answer[3], 64 + sizeof(rest)) - 64;
    check_int(t, recv(fd, rest, len, MSG_WAITALL), len, "to its end");
}

TEST(smb_helper, serves_and_leaves_nothing)
{
    g_autofree char *share = g_strdup_printf("--rw=qemu:%s", test_tmpdir(t));
    g_autofree char *link = NULL, *kept = g_build_filename(test_tmpdir(t), "kept", NULL);
    Helper *h;
    int a, b;

    if (access(SMBD, X_OK) != 0) {
        test_skip(t, "there is no smbd");
        return;
    }
    check_true(t, g_file_set_contents(kept, "x", 1, NULL), "a file");
    h = helper_new(t, SMBD, share);
    if (!h || !check_true(t, g_str_has_prefix(h->line, "ok /"), h->line)) {
        return;
    }
    a = connect_to(t, h);
    b = connect_to(t, h);
    negotiate(t, a);
    negotiate(t, b);
    check_gone(t, h, children(h));
    check_int(t, read(a, &(char){ 0 }, 1), 0, "connections end");
    check_true(t, access(kept, F_OK) == 0, "what was shared is still there");
    close(a);
    close(b);
}

TEST(smb_helper, not_too_many)
{
    g_autofree char *share = g_strdup_printf("--ro=docs:%s", test_tmpdir(t));
    g_autofree char *smbd = g_build_filename(test_tmpdir(t), "smbd", NULL);
    int fds[33];
    Helper *h;

    /* Leaves a process behind, as a daemon would. */
    check_true(t, g_file_set_contents(smbd, "#!/bin/sh\n(sleep 10000 <&- >&- &)\necho x\nexec sleep 10000\n", -1, NULL), "smbd");
    g_chmod(smbd, 0700);
    h = helper_new(t, smbd, share);
    if (!h || !check_true(t, g_str_has_prefix(h->line, "ok /"), h->line)) {
        return;
    }
    for (unsigned i = 0; i < 33; i++) {
        char byte;

        fds[i] = connect_to(t, h);
        check_int(t, read(fds[i], &byte, 1), 1, "served");
    }
    check_int(t, recv(fds[0], &(char[4]){ 0 }, 4, MSG_WAITALL), 1, "the oldest had to go, behind its line's end");
    check_int(t, recv(fds[1], &(char[4]){ 0 }, 1, MSG_WAITALL), 1, "the second's line");
    check_true(t, recv(fds[1], &(char){ 0 }, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN, "it stays");
    check_gone(t, h, children(h));
    for (unsigned i = 0; i < 33; i++) {
        close(fds[i]);
    }
}

TEST(smb_helper, refuses)
{
    static const char *const wrong[][2] = {
        { "--rw=qemu:/nonexistent", "error '/nonexistent' can't be shared: No such file or directory" },
        { "--rw=qemu:/dev/null", "error '/dev/null' can't be shared: it is no folder" },
        { "--rw=HOMES:/", "error no Samba share can have the name 'HOMES'" },
        { "--wx=a:/", "error argument '--wx=a:/'" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        Helper *h = helper_new(t, SMBD, wrong[i][0]);

        if (h) {
            g_autoptr(GDir) dir = g_dir_open(h->runtime, 0, NULL);
            int status = -1;

            check_str(t, h->line, wrong[i][1], wrong[i][0]);
            waitpid(h->pid, &status, 0);
            check_true(t, WIFEXITED(status) && WEXITSTATUS(status) == 1, "status 1");
            check_true(t, dir && !g_dir_read_name(dir), "no folder is left");
        }
    }
}
