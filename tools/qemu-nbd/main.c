/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-nbd: offers an image to others by NBD, with the emulator's own drivers and server. */
#include "util/osdep.h"
#include <fcntl.h>
#include <getopt.h>
#include <glib.h>
#include <signal.h>
#include <unistd.h>
#include "block/nbd.h"
#include "qapi/sockets.h"
#include "util/main-loop.h"

typedef struct Args {
    const char *image, *format, *name, *description, *socket, *address, *port, *cache, *pid_file, *bitmap;
    uint32_t shared;
    bool read_only, snapshot, persistent, fork, verbose, discard, allocation_depth;
} Args;

static const struct option long_options[] = {
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' },
    { "bind", required_argument, NULL, 'b' }, { "port", required_argument, NULL, 'p' },
    { "socket", required_argument, NULL, 'k' }, { "format", required_argument, NULL, 'f' },
    { "read-only", no_argument, NULL, 'r' }, { "export-name", required_argument, NULL, 'x' },
    { "description", required_argument, NULL, 'D' }, { "persistent", no_argument, NULL, 't' },
    { "shared", required_argument, NULL, 'e' }, { "nocache", no_argument, NULL, 'n' },
    { "cache", required_argument, NULL, 1 }, { "discard", required_argument, NULL, 2 },
    { "fork", no_argument, NULL, 3 }, { "pid-file", required_argument, NULL, 4 },
    { "bitmap", required_argument, NULL, 'B' }, { "allocation-depth", no_argument, NULL, 'A' },
    { "verbose", no_argument, NULL, 'v' }, { NULL, 0, NULL, 0 },
};

static void usage(void)
{
    printf("qemu-nbd: offers a disk image by NBD\nusage: qemu-nbd [OPTIONS] FILE\n\n"
           "  -p, --port=PORT          TCP port (default 10809)\n"
           "  -b, --bind=ADDRESS       address to listen at (default 0.0.0.0)\n"
           "  -k, --socket=PATH        a unix socket instead\n"
           "  -f, --format=FORMAT      format of the image (default: it is found out)\n"
           "  -r, --read-only          clients can't write\n"
           "  -x, --export-name=NAME   name of the export (default: empty)\n"
           "  -D, --description=TEXT   text for people\n"
           "  -B, --bitmap=NAME        a bitmap in the image, which clients can ask for\n"
           "  -A, --allocation-depth   clients can ask in which image of the chain data is\n"
           "  -e, --shared=NUM         how many clients at a time, 0 for any number (default 1)\n"
           "  -t, --persistent         don't end when the last client leaves\n"
           "  -n, --nocache            as --cache=none\n"
           "      --cache=MODE         none, writeback (default), writethrough, directsync, unsafe\n"
           "      --discard=MODE       ignore (default), unmap\n"
           "      --fork               go to the background when the server listens\n"
           "      --pid-file=PATH      write the process's id there\n"
           "  -V, --version            show the version\n"
           "  -h, --help               this\n");
}

static int fail(Error *err)
{
    fprintf(stderr, "qemu-nbd: %s\n", error_message(err));
    error_free(err);
    return 1;
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, Args *a)
{
    int o;

    while ((o = getopt_long(argc, argv, "hVb:p:k:f:rx:D:te:nvB:A", long_options, NULL)) >= 0) {
        switch (o) {
        case 'h': usage(); return 0;
        case 'V': printf("qemu-nbd 7.2.0 (qemu-system 0.1)\n"); return 0;
        case 'b': a->address = optarg; break;
        case 'p': a->port = optarg; break;
        case 'k': a->socket = optarg; break;
        case 'f': a->format = optarg; break;
        case 'r': a->read_only = true; break;
        case 'x': a->name = optarg; break;
        case 'D': a->description = optarg; break;
        case 't': a->persistent = true; break;
        case 'e': a->shared = strtoul(optarg, NULL, 10); break;
        case 'n': a->cache = "none"; break;
        case 'B': a->bitmap = optarg; break;
        case 'A': a->allocation_depth = true; break;
        case 'v': a->verbose = true; break;
        case 1: a->cache = optarg; break;
        case 2: a->discard = !strcmp(optarg, "unmap") || !strcmp(optarg, "on"); break;
        case 3: a->fork = true; break;
        case 4: a->pid_file = optarg; break;
        default: return 1;
        }
    }
    if (optind != argc - 1) {
        fprintf(stderr, "qemu-nbd: one image is needed\nTry 'qemu-nbd --help' for more information\n");
        return 1;
    }
    a->image = argv[optind];
    return -1;
}

static BlockNode *open_image(const Args *a, Error **errp)
{
    QDict *file = block_filename_options(a->image, errp), *d;
    bool direct = a->cache && (!strcmp(a->cache, "none") || !strcmp(a->cache, "directsync"));
    BlockNode *n;

    if (!file) {
        return NULL;
    }
    d = qdict_new();
    qdict_put(d, "file", file);
    if (a->format) {
        qdict_put_str(d, "driver", a->format);
    }
    qdict_put_bool(d, "read-only", a->read_only);
    qdict_put_bool(d, "cache.direct", direct);
    qdict_put_bool(d, "cache.no-flush", a->cache && !strcmp(a->cache, "unsafe"));
    qdict_put_str(d, "discard", a->discard ? "unmap" : "ignore");
    n = block_node_open(d, errp);
    qobject_unref(d);
    return n;
}

static SocketAddress *address(const Args *a, Error **errp)
{
    const char *host = a->address ? a->address : "0.0.0.0", *port = a->port ? a->port : "10809";
    char *text = a->socket ? g_strdup_printf("unix:%s", a->socket)
                 : g_strdup_printf(strchr(host, ':') ? "tcp:[%s]:%s" : "tcp:%s:%s", host, port);
    SocketAddress *s = socket_address_parse(text, errp);

    g_free(text);
    return s;
}

static void stop(UNUSED int sig)
{
    main_loop_quit();
}

static bool write_pid(const char *path)
{
    FILE *f = fopen(path, "w");

    if (!f) {
        perror(path);
        return false;
    }
    fprintf(f, "%ld\n", (long)getpid());
    return fclose(f) == 0;
}

/* The child goes on; the parent ends when the child says that it listens. */
static int to_background(void)
{
    int pipes[2];
    char ok = 1;
    pid_t pid;

    if (pipe(pipes) < 0) {
        return -1;
    }
    pid = fork();
    if (pid > 0) {
        close(pipes[1]);
        _exit(read(pipes[0], &ok, 1) == 1 ? ok : 1);
    }
    close(pipes[0]);
    if (pid == 0) {
        setsid();
    }
    return pid < 0 ? -1 : pipes[1];
}

static int serve(const Args *a, int parent)
{
    bool through = a->cache && (!strcmp(a->cache, "writethrough") || !strcmp(a->cache, "directsync"));
    NbdExportSpec spec = { .id = "export", .name = a->name ? a->name : "", .description = a->description,
                           .writable = !a->read_only, .write_through = through,
                           .allocation_depth = a->allocation_depth };
    SocketAddress *addr = NULL;
    BlockBitmap *bitmap = NULL;
    Error *err = NULL;
    bool ok;

    main_loop_init();
    spec.node = open_image(a, &err);
    if (spec.node && a->bitmap) {
        bitmap = nbd_find_bitmap(spec.node, a->bitmap, &err);
        spec.bitmaps = &bitmap;
        spec.n_bitmaps = 1;
    }
    ok = spec.node && (!a->bitmap || bitmap) && (addr = address(a, &err)) &&
         nbd_server_start(addr, NULL, NULL, a->shared, &err) && nbd_export_add(&spec, &err);
    qapi_free_SocketAddress(addr);
    if (!ok) {
        return fail(err);
    }
    block_node_unref(spec.node);
    if (a->pid_file && !write_pid(a->pid_file)) {
        return 1;
    }
    if (parent >= 0) {
        char good = 0;
        int null = open("/dev/null", O_RDWR);

        dup2(null, 0);
        dup2(null, 1);
        if (write(parent, &good, 1) != 1 || close(parent) < 0) {
            return 1;
        }
        dup2(null, 2);
    }
    if (!a->persistent) {
        nbd_server_on_idle(main_loop_quit);
    }
    main_loop_run();
    nbd_server_stop();
    block_close_all();
    return 0;
}

int main(int argc, char **argv)
{
    struct sigaction sa = { .sa_handler = stop };
    Args a = { .shared = 1 };
    int status = parse(argc, argv, &a), parent = -1;

    if (status >= 0) {
        return status;
    }
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (a.fork) {
        parent = to_background();
        if (parent < 0) {
            perror("qemu-nbd: fork");
            return 1;
        }
    }
    return serve(&a, parent);
}
