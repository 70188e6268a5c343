/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An ivshmem server by hand: what it says to one client, message by message. */
#ifndef TESTS_LIB_IVSHMEM_PEER_H
#define TESTS_LIB_IVSHMEM_PEER_H

#include "util/osdep.h"

/* Both ends of a connection; @client is for a program that this one starts, @server is not inherited. */
void ivshmem_pair(int *server, int *client);
/* One message, with @fd unless that is -1; stays the caller's. */
bool ivshmem_say(int server, int64_t number, int fd);
/* Version, @id, and a new memfd of @size bytes, or @memory if that isn't -1. The memory's descriptor. */
int ivshmem_hello(int server, uint16_t id, int memory, uint64_t size);
/* An eventfd, told as the next vector of @id. */
int ivshmem_vector(int server, uint16_t id);
/* The client's end of a server that has said it all: the client's id is 1, and peer 0 has a vector. */
int ivshmem_whole(void);

#endif
