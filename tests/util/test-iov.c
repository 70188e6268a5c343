/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include "util/iov.h"

TEST(iov, copies_cross_elements)
{
    char a[3], b[1], c[4], out[16] = { 0 };
    struct iovec iov[] = { { a, 3 }, { NULL, 0 }, { b, 1 }, { c, 4 } }, *p = iov, slice[4];
    size_t n = 4;

    check_int(t, iov_size(iov, 4), 8, "size");
    check_int(t, iov_from_buf(iov, 4, 0, "01234567", 8), 8, "scatter");
    check_mem(t, c, "4567", 4, "last element");
    check_int(t, iov_to_buf(iov, 4, 2, out, 16), 6, "gather stops at the end");
    check_mem(t, out, "234567", 6, "gathered");
    check_int(t, iov_to_buf(iov, 4, 8, out, 1), 0, "past the end");
    check_int(t, iov_slice(slice, 4, iov, 4, 2, 3), 3, "slice of three elements");
    check_int(t, iov_size(slice, 3), 3, "its size");
    check_int(t, iov_memset(iov, 4, 2, 'x', 3), 3, "memset");
    iov_to_buf(iov, 4, 0, out, 8);
    check_mem(t, out, "01xxx567", 8, "set");
    check_int(t, iov_drop_front(&p, &n, 5), 5, "front");
    check_int(t, n, 1, "one element left");
    check_int(t, iov_drop_back(p, &n, 1), 1, "back");
    check_int(t, iov_to_buf(p, n, 0, out, 16), 2, "left");
    check_mem(t, out, "56", 2, "what is left");
}

TEST(iov, vectors_grow)
{
    IoVector v, s;
    char data[40], out[8];

    io_vector_init(&v);
    io_vector_init(&s);
    for (int i = 0; i < 40; i++) {
        data[i] = i;
        io_vector_add(&v, &data[i], 1);
    }
    check_int(t, v.size, 40, "size");
    io_vector_add_slice(&s, &v, 10, 8);
    check_int(t, s.niov, 8, "elements of the slice");
    check_int(t, iov_to_buf(s.iov, s.niov, 0, out, 8), 8, "gather");
    check_mem(t, out, data + 10, 8, "content");
    io_vector_reset(&s);
    check_int(t, s.size, 0, "empty");
    io_vector_cleanup(&s);
    io_vector_cleanup(&v);
}
