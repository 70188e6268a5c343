/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scattered buffers: arrays of struct iovec, and IoVector, one that grows.
 * Offsets and counts are in bytes; copies stop at the end of the array and
 * return how many bytes were done.
 */
#ifndef UTIL_IOV_H
#define UTIL_IOV_H

#include "util/osdep.h"
#include <sys/uio.h>

size_t iov_size(const struct iovec *iov, size_t niov);
size_t iov_to_buf(const struct iovec *iov, size_t niov, size_t offset,
                  void *buf, size_t len);
size_t iov_from_buf(const struct iovec *iov, size_t niov, size_t offset,
                    const void *buf, size_t len);
size_t iov_memset(const struct iovec *iov, size_t niov, size_t offset,
                  int byte, size_t len);
/* Describe [offset, offset + len) of @src in @dst, which has room for @max
 * elements; returns the number of elements used. No data is copied. */
size_t iov_slice(struct iovec *dst, size_t max, const struct iovec *src, size_t nsrc,
                 size_t offset, size_t len);
/* Drop @len bytes from the front or back; changes the array in place and
 * returns the bytes dropped. */
size_t iov_drop_front(struct iovec **iov, size_t *niov, size_t len);
size_t iov_drop_back(struct iovec *iov, size_t *niov, size_t len);

typedef struct IoVector {
    struct iovec *iov;          /* owned */
    size_t niov, room;
    size_t size;                /* sum of the lengths */
} IoVector;

void io_vector_init(IoVector *v);
void io_vector_cleanup(IoVector *v);    /* the array, not what it points to */
void io_vector_add(IoVector *v, void *base, size_t len);
/* Append [offset, offset + len) of @src. */
void io_vector_add_slice(IoVector *v, const IoVector *src, size_t offset, size_t len);
void io_vector_reset(IoVector *v);      /* empty; keeps the room */

#endif
