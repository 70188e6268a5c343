/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast TCP is between a guest and its host:
 *   netrate -s PORT-FILE              on the host: serves until it is killed; writes its port to the file
 *   netrate HOST PORT SECONDS         in the guest: receives, then sends, for so long each; prints MB/s
 *                                     and the round trips a second of one byte
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char buf[262144];

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static int die(const char *what)
{
    perror(what);
    return 1;
}

static int client(const char *host, int port, char what)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    inet_pton(AF_INET, host, &a.sin_addr);
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(s, (struct sockaddr *)&a, sizeof a) || write(s, &what, 1) != 1)
        exit(die("netrate: connect"));
    return s;
}

static void measure(const char *host, int port, double seconds, char what)
{
    int s = client(host, port, what);
    double start = now(), end;
    unsigned long long n = 0;
    ssize_t r;

    do {
        if (what == 'p')
            r = write(s, buf, 1) == 1 ? read(s, buf, 1) : -1;
        else
            r = what == 'd' ? read(s, buf, sizeof buf) : write(s, buf, sizeof buf);
        n += r > 0 ? r : 0;
    } while (r > 0 && (end = now()) < start + seconds);
    if (what == 'u') {                  /* until the other side has it all */
        shutdown(s, SHUT_WR);
        if (read(s, buf, 1) != 1)
            exit(die("netrate: the other side"));
        end = now();
    }
    close(s);
    if (what == 'p')
        printf("net round-trips/s %.6g\n", n / (end - start));
    else
        printf("net %s-MB/s %.6g\n", what == 'd' ? "down" : "up", n / (end - start) / 1e6);
    fflush(stdout);
}

static void serve(int c)
{
    char what;
    ssize_t r;

    if (read(c, &what, 1) != 1)
        return;
    if (what == 'd')
        while (write(c, buf, sizeof buf) > 0)
            ;
    else if (what == 'p')
        while (read(c, buf, 1) == 1 && write(c, buf, 1) == 1)
            ;
    else {
        while ((r = read(c, buf, sizeof buf)) > 0)
            ;
        if (write(c, buf, 1) != 1)
            return;
    }
}

static int server(const char *file)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof a;
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    FILE *f;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof a) || listen(s, 4) ||
        getsockname(s, (struct sockaddr *)&a, &len))
        return die("netrate: listen");
    f = fopen(file, "w");
    if (!f || fprintf(f, "%d\n", ntohs(a.sin_port)) < 0 || fclose(f))
        return die(file);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int c = accept(s, 0, 0);

        setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (fork() == 0) {
            close(s);
            serve(c);
            return 0;
        }
        close(c);
    }
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && !strcmp(argv[1], "-s"))
        return server(argv[2]);
    if (argc != 4) {
        fprintf(stderr, "usage: netrate -s PORT-FILE | HOST PORT SECONDS\n");
        return 2;
    }
    measure(argv[1], atoi(argv[2]), atof(argv[3]), 'd');
    measure(argv[1], atoi(argv[2]), atof(argv[3]), 'u');
    measure(argv[1], atoi(argv[2]), atof(argv[3]), 'p');
    return 0;
}
