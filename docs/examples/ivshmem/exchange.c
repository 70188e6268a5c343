/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages between guests and their host, by libivshmem. Each of PEERS programs, which have the ids 0 to PEERS-1,
 * sends ROUNDS messages to each other one and checks what comes back from them.
 *
 *   on the host:       exchange PEERS ROUNDS SOCKET
 *   in each guest:     exchange PEERS ROUNDS
 *
 * Build it with: cc -O2 -I. docs/examples/ivshmem/exchange.c libivshmem/[a-r]*.c -o exchange
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libivshmem/ivshmem.h"

#define PEERS_MAX   16

static void give_up(const char *what, int error)
{
    printf("exchange: %s: %s\n", what, strerror(error));
    exit(1);
}

/* Our rings to all others, which we format, and theirs to us. */
static void set_up(Ivshmem *iv, unsigned peers, IvshmemRing *out, IvshmemRing *in)
{
    unsigned us = ivshmem_id(iv);
    size_t bytes;

    for (unsigned i = 0; i < peers; i++) {
        void *at = ivshmem_ring_place(iv, peers, us, i, &bytes);

        if (!at) {
            give_up("too little memory", ENOSPC);
        }
        if (i != us && ivshmem_ring_create(&out[i], at, ivshmem_ring_fit(bytes)) < 0) {
            give_up("our ring", EINVAL);
        }
    }
    for (unsigned i = 0; i < peers; i++) {
        void *at = ivshmem_ring_place(iv, peers, i, us, &bytes);
        int n = -EAGAIN;

        while (i != us && (n = ivshmem_ring_attach(&in[i], at, bytes, false)) == -EAGAIN) {
            usleep(10000);      /* it isn't there yet */
        }
        if (i != us && n < 0) {
            give_up("their ring", -n);
        }
    }
}

static unsigned pattern(unsigned from, unsigned round)
{
    return from * 1000003u + round * 17u;
}

static void send_to(Ivshmem *iv, IvshmemRing *r, unsigned to, unsigned round)
{
    unsigned char text[600];
    unsigned len = 4 + round * 13 % (sizeof(text) - 4);
    int n;

    memset(text, (int)pattern(ivshmem_id(iv), round), len);
    n = ivshmem_send(iv, r, to, text, len, 60000);
    if (n < 0) {
        give_up("send", -n);
    }
}

static void receive_from(Ivshmem *iv, IvshmemRing *r, unsigned from, unsigned round)
{
    unsigned char text[600];
    int n = ivshmem_receive(iv, r, from, text, sizeof(text), 60000);

    if (n < 0) {
        give_up("receive", -n);
    }
    for (int i = 0; i < n; i++) {
        if ((unsigned)n != 4 + round * 13 % (sizeof(text) - 4) || text[i] != (unsigned char)pattern(from, round)) {
            give_up("not what was sent", EBADMSG);
        }
    }
}

int main(int argc, char **argv)
{
    unsigned peers = argc > 2 ? (unsigned)atoi(argv[1]) : 0, rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 0, us;
    IvshmemRing out[PEERS_MAX], in[PEERS_MAX];
    char err[IVSHMEM_ERR_LEN];
    Ivshmem *iv;

    if (peers < 2 || peers > PEERS_MAX || !rounds) {
        fprintf(stderr, "usage: exchange PEERS ROUNDS [SOCKET]\n");
        return 2;
    }
    iv = argc > 3 ? ivshmem_connect(argv[3], err) : ivshmem_open(NULL, err);
    if (!iv) {
        printf("exchange: %s\n", err);
        return 1;
    }
    us = ivshmem_id(iv);
    printf("exchange: id %u, %s\n", us, argc > 3 ? "on the host" : ivshmem_fd(iv) >= 0 ? "waits for interrupts" : "looks again and again");
    fflush(stdout);
    if (us >= peers) {
        give_up("our id", ERANGE);
    }
    set_up(iv, peers, out, in);
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < peers; i++) {
            if (i != us) {
                send_to(iv, &out[i], i, round);
            }
        }
        for (unsigned i = 0; i < peers; i++) {
            if (i != us) {
                receive_from(iv, &in[i], i, round);
            }
        }
    }
    printf("exchange: id %u has exchanged %u messages with each of %u\n", us, rounds, peers - 1);
    ivshmem_close(iv);
    return 0;
}
