/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TCP server on the loopback interface, for the network test:
 *   tcp-peer PORT-FILE FILE COPY
 * Writes the port it got into PORT-FILE, sends FILE to the first that connects
 * and writes what the second sends into COPY. Ends with status 0 when both are
 * through, with 1 at any error.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static char buf[65536];

static int die(const char *what)
{
    perror(what);
    return 1;
}

static int port_file(const char *path, int port)
{
    char tmp[4096];
    FILE *f;

    snprintf(tmp, sizeof tmp, "%s.new", path);
    f = fopen(tmp, "w");
    if (!f || fprintf(f, "%d\n", port) < 0 || fclose(f) || rename(tmp, path))
        return -1;
    return 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof a;
    int s = socket(AF_INET, SOCK_STREAM, 0), c;
    ssize_t n;
    FILE *f;

    if (argc != 4) {
        fprintf(stderr, "usage: tcp-peer PORT-FILE FILE COPY\n");
        return 2;
    }
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof a) || listen(s, 2) ||
        getsockname(s, (struct sockaddr *)&a, &len) || port_file(argv[1], ntohs(a.sin_port)))
        return die("tcp-peer: listen");

    c = accept(s, 0, 0);
    f = fopen(argv[2], "rb");
    if (c < 0 || !f)
        return die(argv[2]);
    while ((n = (ssize_t)fread(buf, 1, sizeof buf, f)) > 0)
        for (ssize_t at = 0, w; at < n; at += w)
            if ((w = write(c, buf + at, (size_t)(n - at))) <= 0)
                return die("tcp-peer: send");
    fclose(f);
    close(c);

    c = accept(s, 0, 0);
    f = fopen(argv[3], "wb");
    if (c < 0 || !f)
        return die(argv[3]);
    while ((n = read(c, buf, sizeof buf)) > 0)
        if (fwrite(buf, 1, (size_t)n, f) != (size_t)n)
            return die(argv[3]);
    if (n < 0 || fclose(f))
        return die("tcp-peer: receive");
    close(c);
    return 0;
}
