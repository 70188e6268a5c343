/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ivshmem-server: the process that gives shared memory and doorbells to ivshmem-doorbell devices. */
#include "util/osdep.h"
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "libivshmem/server.h"

#define DEFAULT_PID_FILE    "/var/run/ivshmem-server.pid"
#define DEFAULT_SOCKET      "/tmp/ivshmem_socket"
#define DEFAULT_NAME        "ivshmem"
#define DEFAULT_SIZE        (4 * MIB)
#define SIZE_MAX_BYTES      (64 * GIB)

typedef struct Args {
    bool verbose, foreground;
    const char *pid_file, *socket, *name;
    IvshmemMemoryKind kind;
    uint64_t size;
    unsigned vectors, clients;
} Args;

static void usage(FILE *to)
{
    fprintf(to, "ivshmem-server: shared memory and doorbells for ivshmem-doorbell devices\n"
            "usage: ivshmem-server [OPTION]...\n\n"
            "  -h        this\n"
            "  -v        tell who comes and leaves\n"
            "  -F        stay in the foreground (without it: a daemon)\n"
            "  -p FILE   the daemon's process id goes there (%s)\n"
            "  -S PATH   unix socket to listen at (%s)\n"
            "  -M NAME   POSIX shared memory of that name (%s); it stays when the server ends\n"
            "  -m DIR    a file in this folder, of hugetlbfs for instance, instead\n"
            "  -a        a memfd instead: it has no name, and nobody can shrink it\n"
            "  -H        a memfd of the host's huge pages instead\n"
            "  -l SIZE   bytes of memory, a power of two; K, M, G may follow (%" PRIu64 ")\n"
            "  -n N      vectors of each client, 1 to %d (1)\n"
            "  -c N      clients at most, 1 to %d (that)\n",
            DEFAULT_PID_FILE, DEFAULT_SOCKET, DEFAULT_NAME, DEFAULT_SIZE, IVSHMEM_VECTORS_MAX,
            IVSHMEM_CLIENTS_MAX);
}

static bool bad(char option, const char *value, const char *accepted)
{
    fprintf(stderr, "ivshmem-server: -%c '%s'; accepted: %s\n", option, value, accepted);
    return false;
}

static bool parse_size(const char *text, uint64_t *size)
{
    char *end;
    unsigned shift = 0;

    errno = 0;
    *size = strtoull(text, &end, 10);
    switch (*end) {
    case 'k': case 'K': shift = 10; end++; break;
    case 'm': case 'M': shift = 20; end++; break;
    case 'g': case 'G': shift = 30; end++; break;
    }
    if (errno || end == text || *end || *text == '-' || *size > SIZE_MAX_BYTES >> shift) {
        return false;
    }
    *size <<= shift;
    return IS_POWER_OF_2(*size) && *size >= 4096;
}

static bool parse_count(const char *text, unsigned max, unsigned *n)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);

    *n = (unsigned)v;
    return end != text && !*end && *text != '-' && v >= 1 && v <= max;
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, Args *a)
{
    bool ok = true;
    int c;

    while ((c = getopt(argc, argv, "hvFp:S:M:m:aHl:n:c:")) != -1) {
        switch (c) {
        case 'h': usage(stdout); return 0;
        case 'v': a->verbose = true; break;
        case 'F': a->foreground = true; break;
        case 'p': a->pid_file = optarg; break;
        case 'S': a->socket = optarg; break;
        case 'M': a->kind = IVSHMEM_MEMORY_POSIX; a->name = optarg; break;
        case 'm': a->kind = IVSHMEM_MEMORY_DIR; a->name = optarg; break;
        case 'a': a->kind = IVSHMEM_MEMORY_MEMFD; a->name = NULL; break;
        case 'H': a->kind = IVSHMEM_MEMORY_HUGE; a->name = NULL; break;
        case 'l':
            ok = parse_size(optarg, &a->size) || bad('l', optarg, "a power of two, 4K to 64G");
            break;
        case 'n':
            ok = parse_count(optarg, IVSHMEM_VECTORS_MAX, &a->vectors) || bad('n', optarg, "1 to 2048");
            break;
        case 'c':
            ok = parse_count(optarg, IVSHMEM_CLIENTS_MAX, &a->clients) || bad('c', optarg, "1 to 65536");
            break;
        default: ok = false; break;
        }
        if (!ok) {
            return 1;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "ivshmem-server: '%s' is no option; ivshmem-server -h lists them\n", argv[optind]);
        return 1;
    }
    return -1;
}

static void log_line(UNUSED void *opaque, const char *text)
{
    fprintf(stderr, "ivshmem-server: %s\n", text);
}

/* Each client costs descriptors: as many as we may have. */
static void raise_limit(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

/* The parent ends when all is well; so who started it may connect. */
static bool become_daemon(const Args *a)
{
    int pid_fd = open(a->pid_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), null;
    char text[24];
    pid_t pid;

    if (pid_fd < 0) {
        fprintf(stderr, "ivshmem-server: can't write '%s': %s\n", a->pid_file, strerror(errno));
        return false;
    }
    pid = fork();
    if (pid < 0) {
        fprintf(stderr, "ivshmem-server: can't become a daemon: %s\n", strerror(errno));
        close(pid_fd);
        return false;
    }
    if (pid > 0) {
        _exit(0);
    }
    setsid();
    snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (write(pid_fd, text, strlen(text)) < 0) {
        perror("ivshmem-server: process id");
    }
    close(pid_fd);
    null = open("/dev/null", O_RDWR);
    if (chdir("/") == 0 && null >= 0) {
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        if (null > 2) {
            close(null);
        }
    }
    return true;
}

/* Until SIGTERM, SIGINT or SIGHUP. */
static void serve(IvshmemServer *s, const sigset_t *signals)
{
    struct pollfd p[] = { { .fd = ivshmem_server_fd(s), .events = POLLIN },
                          { .fd = signalfd(-1, signals, SFD_CLOEXEC), .events = POLLIN } };

    while (!(p[1].revents & POLLIN)) {
        if (poll(p, ARRAY_SIZE(p), -1) > 0) {
            ivshmem_server_run(s);
        }
    }
    close(p[1].fd);
}

int main(int argc, char **argv)
{
    Args a = { .pid_file = DEFAULT_PID_FILE, .socket = DEFAULT_SOCKET, .name = DEFAULT_NAME,
               .kind = IVSHMEM_MEMORY_POSIX, .size = DEFAULT_SIZE, .vectors = 1, .clients = IVSHMEM_CLIENTS_MAX };
    int status = parse(argc, argv, &a);
    IvshmemServerOptions o;
    IvshmemServer *s;
    char err[IVSHMEM_ERR_LEN];
    sigset_t signals;

    if (status >= 0) {
        return status;
    }
    raise_limit();
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    o = (IvshmemServerOptions){ .socket = a.socket, .vectors = a.vectors, .clients = a.clients,
                                .log = a.verbose ? log_line : NULL };
    o.memory = ivshmem_memory_new(a.kind, a.name, a.size, err);
    if (o.memory < 0) {
        log_line(NULL, err);
        return 1;
    }
    s = ivshmem_server_new(&o, err);
    if (!s) {
        log_line(NULL, err);
        return 1;
    }
    if (!a.foreground && !become_daemon(&a)) {
        ivshmem_server_free(s);
        return 1;
    }
    serve(s, &signals);
    ivshmem_server_free(s);
    if (!a.foreground) {
        unlink(a.pid_file);
    }
    return 0;
}
