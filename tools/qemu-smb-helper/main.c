/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-smb-helper: keeps Samba for one user network.
 *
 *     qemu-smb-helper --fd=SOCKET --smbd=PROGRAM --server=ADDRESS --guest=ADDRESS [--rw=NAME:FOLDER | --ro=NAME:FOLDER]...
 *
 * It makes a private folder with a Unix socket, and says "ok PATH" or "error TEXT" in a line on SOCKET. For each connection to the path
 * it starts an smbd that serves this one connection. When the other end of SOCKET is closed, by intent or because the emulator was
 * killed, it ends all processes that came of this (it is the parent of those without one), removes the folder, and ends.
 *
 * No more than CONNECTIONS_MAX are served: then a new one takes the place of the oldest (a guest that was reset has left its
 * connections without a word).
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tools/qemu-smb-helper/helper.h"

#define CONNECTIONS_MAX 32

typedef struct Server {
    SmbHelper *helper;
    char preload[PATH_MAX + 64];        /* qemu-smb-peer.so */
    int listener, signals;
    pid_t smbds[CONNECTIONS_MAX];       /* the oldest first */
    unsigned n_smbds;
} Server;

bool smb_problem(SmbHelper *h, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(h->problem, sizeof(h->problem), fmt, ap);
    va_end(ap);
    return false;
}

/* --- arguments --- */

static bool add_share(SmbHelper *h, const char *text, bool read_only)
{
    SmbShare *s = &h->shares[h->n_shares];
    size_t n = strcspn(text, ":");

    if (h->n_shares == SHARES_MAX || !text[n] || n >= sizeof(s->name)) {
        return smb_problem(h, h->n_shares == SHARES_MAX ? "more than %d folders can't be shared"
                           : "the name of a share has more than %d letters",
                           h->n_shares == SHARES_MAX ? SHARES_MAX : (int)sizeof(s->name) - 1);
    }
    memcpy(s->name, text, n);
    s->path = text + n + 1;
    s->read_only = read_only;
    h->n_shares++;
    return true;
}

static const char *value(const char *arg, const char *key)
{
    size_t n = strlen(key);

    return strncmp(arg, key, n) ? NULL : arg + n;
}

static bool parse(SmbHelper *h, int argc, char **argv)
{
    bool ok = true;
    const char *v;

    for (int i = 1; ok && i < argc; i++) {
        if ((v = value(argv[i], "--fd="))) {
            h->control = atoi(v);
        } else if ((v = value(argv[i], "--smbd="))) {
            h->smbd = v;
        } else if ((v = value(argv[i], "--server="))) {
            h->server = v;
        } else if ((v = value(argv[i], "--guest="))) {
            h->guest = v;
        } else if ((v = value(argv[i], "--rw=")) || (v = value(argv[i], "--ro="))) {
            ok = add_share(h, v, argv[i][3] == 'o');
        } else {
            ok = smb_problem(h, "argument '%s'", argv[i]);
        }
    }
    return ok && (h->control > 2 && h->smbd && h->server && h->guest ? true : smb_problem(h, "an argument is missing"));
}

/* --- a connection --- */

static void NORETURN become_smbd(const Server *s, int fd, pid_t parent)
{
    const SmbHelper *h = s->helper;
    char config[128], number[32];
    char *argv[] = { (char *)h->smbd, "--foreground", "--no-process-group", "-s", config, "-l", (char *)h->folder, NULL };
    sigset_t none;
    struct stat st;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();                                   /* at its end it sends signals to its process group */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || fstat(fd, &st) < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0) {
        _exit(1);
    }
    snprintf(number, sizeof(number), "%llu", (unsigned long long)st.st_ino);
    smb_folder_path(h, "smb.conf", config, sizeof(config));
    setenv("QEMU_SMB_SOCKET", number, 1);
    setenv("QEMU_SMB_SERVER", h->server, 1);
    setenv("QEMU_SMB_GUEST", h->guest, 1);
    setenv("LD_PRELOAD", s->preload, 1);
    setenv("_NO_WINBINDD", "1", 1);             /* the host's users are none of ours */
    execv(argv[0], argv);
    _exit(1);
}

static void forget(Server *s, pid_t pid)
{
    for (unsigned i = 0; i < s->n_smbds; i++) {
        if (s->smbds[i] == pid) {
            s->n_smbds--;
            memmove(s->smbds + i, s->smbds + i + 1, (s->n_smbds - i) * sizeof(s->smbds[0]));
            return;
        }
    }
}

static void serve(Server *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
    pid_t self = getpid(), pid;

    if (fd < 0) {
        return;
    }
    if (s->n_smbds == CONNECTIONS_MAX) {
        kill(s->smbds[0], SIGTERM);
        forget(s, s->smbds[0]);
    }
    pid = fork();
    if (pid == 0) {
        become_smbd(s, fd, self);
    }
    if (pid > 0) {
        s->smbds[s->n_smbds++] = pid;
    }
    close(fd);
}

static void reap(Server *s)
{
    struct signalfd_siginfo info;
    pid_t pid;

    if (read(s->signals, &info, sizeof(info)) < 0) {
        return;
    }
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        forget(s, pid);
    }
}

/* --- beginning and end --- */

/* Beside this program, or where it is installed. */
static bool find_preload(Server *s)
{
    static const char *const places[] = { "%s/qemu-smb-peer.so", "%s/../lib/qemu-system/qemu-smb-peer.so" };
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    const char *dir;

    self[n < 0 ? 0 : n] = '\0';
    dir = dirname(self);
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        snprintf(s->preload, sizeof(s->preload), i == 0 ? places[0] : places[1], dir);
        if (access(s->preload, R_OK) == 0 && !strpbrk(s->preload, " :")) {
            return true;
        }
    }
    return smb_problem(s->helper, "qemu-smb-peer.so isn't beside qemu-smb-helper, or its path has a blank or a colon");
}

static bool listen_there(Server *s, struct sockaddr_un *a)
{
    a->sun_family = AF_UNIX;
    smb_folder_path(s->helper, "socket", a->sun_path, sizeof(a->sun_path));
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)a, sizeof(*a)) < 0 || listen(s->listener, 16) < 0) {
        return smb_problem(s->helper, "can't listen at '%s': %s", a->sun_path, strerror(errno));
    }
    return true;
}

/* Signals of the terminal aren't ours, and what starts smbds is the parent of all that come of them. */
static bool settle(Server *s)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    sigset_t mask;

    setsid();
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    s->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (null < 0 || s->signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
        return smb_problem(s->helper, "can't settle: %s", strerror(errno));
    }
    fcntl(s->helper->control, F_SETFD, FD_CLOEXEC);
    for (int fd = 0; fd <= 2; fd++) {
        dup2(null, fd);
    }
    return true;
}

/* Children of the children become ours when these end: until there are none. A kernel that doesn't list them (proc(5)) leaves us
 * those that we know. */
static void end_all(const Server *s)
{
    char path[64];
    int pid;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    for (unsigned i = 0; i < s->n_smbds; i++) {
        kill(s->smbds[i], SIGKILL);
    }
    do {
        FILE *f = fopen(path, "re");

        if (!f) {
            return;
        }
        while (fscanf(f, "%d", &pid) == 1) {
            kill(pid, SIGKILL);
        }
        fclose(f);
        pid = waitpid(-1, NULL, 0);
    } while (pid > 0 || (pid < 0 && errno == EINTR));
}

static void run(Server *s)
{
    struct pollfd p[] = { { s->helper->control, POLLIN, 0 }, { s->listener, POLLIN, 0 }, { s->signals, POLLIN, 0 } };
    char byte;

    for (;;) {
        if (poll(p, ARRAY_SIZE(p), -1) < 0) {
            continue;
        }
        if (p[0].revents && read(s->helper->control, &byte, 1) <= 0) {
            return;
        }
        if (p[1].revents) {
            serve(s);
        }
        if (p[2].revents) {
            reap(s);
        }
    }
}

int main(int argc, char **argv)
{
    SmbHelper h = { .control = -1 };
    Server s = { .helper = &h };
    struct sockaddr_un address = { 0 };
    bool ok = parse(&h, argc, argv) && settle(&s) && find_preload(&s) && smb_folder_make(&h) && listen_there(&s, &address);

    if (h.control < 0) {
        fprintf(stderr, "qemu-smb-helper is started by the emulator: -netdev user,smb=FOLDER\n");
        return 1;
    }
    dprintf(h.control, ok ? "ok %s\n" : "error %s\n", ok ? address.sun_path : h.problem);
    if (ok) {
        run(&s);
        close(s.listener);
        end_all(&s);
    }
    smb_folder_remove(&h);
    return ok ? 0 : 1;
}
