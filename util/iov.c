/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/iov.h"
#include "util/shared-mem.h"

size_t iov_size(const struct iovec *iov, size_t niov)
{
    size_t n = 0;

    for (size_t i = 0; i < niov; i++) {
        n += iov[i].iov_len;
    }
    return n;
}

/*
 * The next stretch of at most @len bytes at *offset behind element *i; moves
 * both on. 0 at the end.
 */
static size_t stretch(const struct iovec *iov, size_t niov, size_t *i, size_t *offset,
                      size_t len, char **p)
{
    size_t n;

    while (*i < niov && *offset >= iov[*i].iov_len) {
        *offset -= iov[*i].iov_len;
        ++*i;
    }
    if (*i == niov) {
        return 0;
    }
    *p = (char *)iov[*i].iov_base + *offset;
    n = MIN(len, iov[*i].iov_len - *offset);
    *offset += n;
    return n;
}

size_t iov_to_buf(const struct iovec *iov, size_t niov, size_t offset,
                  void *buf, size_t len)
{
    size_t i = 0, done = 0, n;
    char *p;

    while (done < len && (n = stretch(iov, niov, &i, &offset, len - done, &p))) {
        ram_copy((char *)buf + done, p, n);
        done += n;
    }
    return done;
}

size_t iov_from_buf(const struct iovec *iov, size_t niov, size_t offset,
                    const void *buf, size_t len)
{
    size_t i = 0, done = 0, n;
    char *p;

    while (done < len && (n = stretch(iov, niov, &i, &offset, len - done, &p))) {
        ram_copy(p, (const char *)buf + done, n);
        done += n;
    }
    return done;
}

size_t iov_memset(const struct iovec *iov, size_t niov, size_t offset,
                  int byte, size_t len)
{
    size_t i = 0, done = 0, n;
    char *p;

    while (done < len && (n = stretch(iov, niov, &i, &offset, len - done, &p))) {
        ram_fill(p, (uint8_t)byte, n);
        done += n;
    }
    return done;
}

size_t iov_slice(struct iovec *dst, size_t max, const struct iovec *src, size_t nsrc,
                 size_t offset, size_t len)
{
    size_t i = 0, used = 0, n;
    char *p;

    while (len && used < max && (n = stretch(src, nsrc, &i, &offset, len, &p))) {
        dst[used++] = (struct iovec){ p, n };
        len -= n;
    }
    return used;
}

size_t iov_drop_front(struct iovec **iov, size_t *niov, size_t len)
{
    size_t done = 0;

    while (*niov && done + (*iov)->iov_len <= len) {
        done += (*iov)->iov_len;
        ++*iov;
        --*niov;
    }
    if (*niov && done < len) {
        (*iov)->iov_base = (char *)(*iov)->iov_base + (len - done);
        (*iov)->iov_len -= len - done;
        done = len;
    }
    return done;
}

size_t iov_drop_back(struct iovec *iov, size_t *niov, size_t len)
{
    size_t done = 0;

    while (*niov && done + iov[*niov - 1].iov_len <= len) {
        done += iov[--*niov].iov_len;
    }
    if (*niov && done < len) {
        iov[*niov - 1].iov_len -= len - done;
        done = len;
    }
    return done;
}

void io_vector_init(IoVector *v)
{
    *v = (IoVector){ 0 };
}

void io_vector_cleanup(IoVector *v)
{
    free(v->iov);
    *v = (IoVector){ 0 };
}

void io_vector_add(IoVector *v, void *base, size_t len)
{
    if (v->niov == v->room) {
        v->room = v->room ? v->room * 2 : 8;
        v->iov = realloc(v->iov, v->room * sizeof(*v->iov));
        if (!v->iov) {
            abort();
        }
    }
    v->iov[v->niov++] = (struct iovec){ base, len };
    v->size += len;
}

void io_vector_add_slice(IoVector *v, const IoVector *src, size_t offset, size_t len)
{
    size_t i = 0, n;
    char *p;

    while (len && (n = stretch(src->iov, src->niov, &i, &offset, len, &p))) {
        io_vector_add(v, p, n);
        len -= n;
    }
}

void io_vector_reset(IoVector *v)
{
    v->niov = 0;
    v->size = 0;
}
