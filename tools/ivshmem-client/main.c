/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ivshmem-client: a peer for people and tests, which speaks to a server as a device would. */
#include "util/osdep.h"
#include <getopt.h>
#include <poll.h>
#include <unistd.h>
#include "libivshmem/ivshmem.h"

#define DEFAULT_SOCKET  "/tmp/ivshmem_socket"
#define MESSAGE_MAX     65536
#define PEERS_SHOWN     1024

typedef struct Client {
    Ivshmem *iv;
    unsigned peers;             /* of the rings' layout */
    bool verbose, failed, quit;
} Client;

static void usage(void)
{
    printf("ivshmem-client: a peer of ivshmem-doorbell devices\n"
           "usage: ivshmem-client [-h] [-v] [-S SOCKET] [COMMAND]...\n\n"
           "  -h         this\n"
           "  -v         tell who comes, leaves and rings\n"
           "  -S SOCKET  of the server (%s)\n\n"
           "Without commands it reads them from its input, a line each; 'help' lists them.\n"
           "Status: 0; 1 if a command has failed, or there is no server.\n", DEFAULT_SOCKET);
}

static void fail(Client *c, const char *what, int error)
{
    fprintf(stderr, "ivshmem-client: %s: %s\n", what, strerror(error));
    c->failed = true;
}

static bool number(const char *text, unsigned long max, unsigned long *n)
{
    char *end = NULL;

    *n = text ? strtoul(text, &end, 0) : 0;
    return text && end != text && !*end && *n <= max;
}

/* The words after the command. */
static bool numbers(Client *c, char **save, unsigned count, unsigned long max, unsigned long *n)
{
    for (unsigned i = 0; i < count; i++) {
        if (!number(strtok_r(NULL, " \t", save), max, &n[i])) {
            fprintf(stderr, "ivshmem-client: a number from 0 to %lu was expected\n", max);
            c->failed = true;
            return false;
        }
    }
    return true;
}

static int all_peers(Client *c, uint16_t *ids)
{
    int n = ivshmem_peers(c->iv, ids, PEERS_SHOWN);

    return MIN(n, PEERS_SHOWN);
}

static void do_dump(Client *c, UNUSED char **save)
{
    uint16_t ids[PEERS_SHOWN];
    int n = all_peers(c, ids);
    size_t size;

    ivshmem_memory(c->iv, &size);
    printf("our id: %u, %d vectors, %zu bytes of memory\n", ivshmem_id(c->iv),
           ivshmem_peer_vectors(c->iv, ivshmem_id(c->iv)), size);
    for (int i = 0; i < n; i++) {
        printf("peer %u: %d vectors\n", ids[i], ivshmem_peer_vectors(c->iv, ids[i]));
    }
}

static void ring(Client *c, unsigned peer, const char *vector)
{
    int n = ivshmem_peer_vectors(c->iv, peer), r = n < 0 ? n : 0;
    unsigned long v = 0;

    if (n >= 0 && !strcmp(vector, "all")) {
        for (int i = 0; i < n && r >= 0; i++) {
            r = ivshmem_notify(c->iv, peer, (unsigned)i);
        }
    } else if (n >= 0) {
        r = number(vector, UINT16_MAX, &v) ? ivshmem_notify(c->iv, peer, (unsigned)v) : -EINVAL;
    }
    if (r < 0) {
        fail(c, "int", -r);
    }
}

static void do_int(Client *c, char **save)
{
    const char *peer = strtok_r(NULL, " \t", save), *vector = strtok_r(NULL, " \t", save);
    uint16_t ids[PEERS_SHOWN];
    unsigned long id;

    if (peer && !strcmp(peer, "all")) {
        int n = all_peers(c, ids);

        for (int i = 0; i < n; i++) {
            ring(c, ids[i], vector ? vector : "all");
        }
    } else if (number(peer, UINT16_MAX, &id) && vector) {
        ring(c, (unsigned)id, vector);
    } else {
        fail(c, "int PEER VECTOR, int PEER all, int all", EINVAL);
    }
}

static void do_wait(Client *c, char **save)
{
    unsigned long ms;
    uint32_t vectors = 0;
    int r;

    if (!numbers(c, save, 1, INT32_MAX, &ms)) {
        return;
    }
    while ((r = ivshmem_wait(c->iv, (int)ms, &vectors)) > 0 && !vectors) {
    }
    if (r > 0) {
        printf("rung: 0x%x\n", vectors);
    } else {
        fail(c, "wait", r ? -r : ETIMEDOUT);
    }
}

/* until N [MS]: N others are there. */
static void do_until(Client *c, char **save)
{
    unsigned long n[2];
    int r = 1;

    if (!numbers(c, save, 2, INT32_MAX, n)) {
        return;
    }
    while (r > 0 && ivshmem_peers(c->iv, NULL, 0) != (int)n[0]) {
        r = ivshmem_wait(c->iv, (int)n[1], NULL);
    }
    if (r <= 0) {
        fail(c, "until", r ? -r : ETIMEDOUT);
    }
}

static volatile uint32_t *word_at(Client *c, unsigned long at)
{
    size_t size;
    uint8_t *p = ivshmem_memory(c->iv, &size);

    if (at % 4 || at > size - 4) {
        fail(c, "offset", ERANGE);
        return NULL;
    }
    return (volatile uint32_t *)(p + at);
}

static void do_read(Client *c, char **save)
{
    unsigned long at;
    volatile uint32_t *p;

    if (numbers(c, save, 1, SIZE_MAX - 1, &at) && (p = word_at(c, at))) {
        printf("0x%08x\n", *p);
    }
}

static void do_write(Client *c, char **save)
{
    unsigned long at, v;
    volatile uint32_t *p;

    if (numbers(c, save, 1, SIZE_MAX - 1, &at) && numbers(c, save, 1, UINT32_MAX, &v) &&
        (p = word_at(c, at))) {
        *p = (uint32_t)v;
    }
}

/* The ring between us and @peer; the producer formats it. */
static bool find_ring(Client *c, unsigned peer, bool produce, IvshmemRing *r)
{
    unsigned us = ivshmem_id(c->iv);
    size_t bytes;
    void *at = ivshmem_ring_place(c->iv, c->peers, produce ? us : peer, produce ? peer : us, &bytes);
    int n;

    if (!at) {
        fail(c, "no ring for these ids", ERANGE);
        return false;
    }
    n = ivshmem_ring_attach(r, at, bytes, produce);
    if (n == -EAGAIN && produce) {
        n = ivshmem_ring_create(r, at, ivshmem_ring_fit(bytes));
    }
    while (n == -EAGAIN) {
        poll(NULL, 0, 10);
        n = ivshmem_ring_attach(r, at, bytes, produce);
    }
    if (n < 0) {
        fail(c, "ring", -n);
    }
    return n >= 0;
}

static void do_send(Client *c, char **save)
{
    unsigned long peer;
    IvshmemRing r;
    const char *text;
    int n;

    if (!numbers(c, save, 1, UINT16_MAX, &peer) || !find_ring(c, (unsigned)peer, true, &r)) {
        return;
    }
    text = strtok_r(NULL, "", save);
    text = text ? text : "";
    n = ivshmem_send(c->iv, &r, (unsigned)peer, text, (uint32_t)strlen(text), 10000);
    if (n < 0) {
        fail(c, "send", -n);
    }
}

static void do_receive(Client *c, char **save)
{
    char text[MESSAGE_MAX];
    unsigned long peer;
    IvshmemRing r;
    int n;

    if (!numbers(c, save, 1, UINT16_MAX, &peer) || !find_ring(c, (unsigned)peer, false, &r)) {
        return;
    }
    n = ivshmem_receive(c->iv, &r, (unsigned)peer, text, sizeof(text), 60000);
    if (n < 0) {
        fail(c, "receive", -n);
    } else {
        printf("%.*s\n", n, text);
    }
}

static void do_peers(Client *c, char **save)
{
    unsigned long n;

    if (numbers(c, save, 1, UINT16_MAX, &n)) {
        c->peers = (unsigned)n;
    }
}

static void do_quit(Client *c, UNUSED char **save)
{
    c->quit = true;
}

static void do_help(Client *c, char **save);

static const struct { const char *name, *help; void (*run)(Client *c, char **save); } commands[] = {
    { "help", "                this", do_help },
    { "dump", "                ourselves and the peers", do_dump },
    { "int", "PEER VECTOR       ring it; 'all' for all vectors, or for all peers", do_int },
    { "wait", "MS               until we are rung; tells the vectors as bits", do_wait },
    { "until", "N MS            until N others are there, MS for each change", do_until },
    { "read", "OFFSET           a 32-bit word of the memory", do_read },
    { "write", "OFFSET VALUE", do_write },
    { "peers", "N               lay out rings for ids 0 to N-1 (3)", do_peers },
    { "send", "PEER TEXT        through our ring to the peer", do_send },
    { "receive", "PEER          a message from it", do_receive },
    { "quit", "", do_quit },
};

static void do_help(UNUSED Client *c, UNUSED char **save)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        printf("%s %s\n", commands[i].name, commands[i].help);
    }
}

static void run_line(Client *c, char *line)
{
    char *save = NULL, *word;

    line[strcspn(line, "\n")] = 0;
    word = strtok_r(line, " \t", &save);
    for (size_t i = 0; word && i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(word, commands[i].name)) {
            commands[i].run(c, &save);
            fflush(stdout);
            return;
        }
    }
    if (word) {
        fprintf(stderr, "ivshmem-client: unknown command '%s'; 'help' lists them\n", word);
        c->failed = true;
    }
}

/* Lines of the input, and what comes from the server meanwhile. */
static void interact(Client *c)
{
    struct pollfd p[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                          { .fd = ivshmem_fd(c->iv), .events = POLLIN } };
    char line[MESSAGE_MAX];
    uint32_t vectors;

    while (!c->quit && poll(p, ARRAY_SIZE(p), -1) >= 0) {
        if (p[1].revents) {
            int r = ivshmem_wait(c->iv, 0, &vectors);

            if (r < 0) {
                fail(c, "the server", -r);
                return;
            }
            if (c->verbose) {
                printf("peers: %d, rung: 0x%x\n", ivshmem_peers(c->iv, NULL, 0), vectors);
                fflush(stdout);
            }
        }
        if (p[0].revents) {
            if (!fgets(line, sizeof(line), stdin)) {
                return;
            }
            run_line(c, line);
        }
    }
}

int main(int argc, char **argv)
{
    const char *socket = DEFAULT_SOCKET;
    Client c = { .peers = 3 };
    char err[IVSHMEM_ERR_LEN];
    int o;

    while ((o = getopt(argc, argv, "+hvS:")) != -1) {
        switch (o) {
        case 'h': usage(); return 0;
        case 'v': c.verbose = true; break;
        case 'S': socket = optarg; break;
        default: return 1;
        }
    }
    setvbuf(stdin, NULL, _IONBF, 0);            /* poll sees what is not read */
    c.iv = ivshmem_connect(socket, err);
    if (!c.iv) {
        fprintf(stderr, "ivshmem-client: %s\n", err);
        return 1;
    }
    for (int i = optind; i < argc && !c.quit; i++) {
        char line[MESSAGE_MAX];

        snprintf(line, sizeof(line), "%s", argv[i]);
        run_line(&c, line);
    }
    if (optind == argc) {
        interact(&c);
    }
    ivshmem_close(c.iv);
    return c.failed;
}
