/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -daemonize and -pidfile. The parent waits until the child says that its
 * sockets listen, and leaves with the child's status.
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "system/build.h"

static int ready_fd = -1;       /* registry: the pipe to the waiting parent */

static bool write_pidfile(Config *c)
{
    char text[32];
    int fd, n;

    if (!c->pidfile) {
        return true;
    }
    fd = open(c->pidfile, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600);
    n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (fd < 0 || write(fd, text, n) != n) {
        Error *err = NULL;

        error_set_errno(&err, errno, "can't write '%s'", c->pidfile);
        config_error(c, "pidfile", err);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    close(fd);
    return true;
}

bool daemonize_begin(Config *c)
{
    int fds[2];
    pid_t pid;
    Error *err = NULL;

    if (!c->daemonize) {
        return write_pidfile(c);
    }
    if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
        error_set_errno(&err, errno, "can't go to the background");
        config_error(c, "daemonize", err);
        return false;
    }
    if (pid > 0) {
        char status;
        ssize_t n;

        close(fds[1]);
        do {
            n = read(fds[0], &status, 1);
        } while (n < 0 && errno == EINTR);
        _exit(n == 1 && status == 0 ? 0 : 1);
    }
    close(fds[0]);
    ready_fd = fds[1];
    setsid();
    return write_pidfile(c);
}

void daemonize_ready(Config *c)
{
    char status = 0;
    int null;

    if (!c->daemonize || ready_fd < 0) {
        return;
    }
    null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    close(null);
    if (write(ready_fd, &status, 1) < 0) {
        return;         /* nobody waits any more */
    }
    close(ready_fd);
    ready_fd = -1;
}
