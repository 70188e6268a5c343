/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs test programs that speak TAP, some at a time, each with a time limit,
 * and prints what failed and one last line of sums.
 *
 * A program whose path ends in ".sh" runs with sh, any other with --tap. Tests
 * under guests/ get GUEST_TIMEOUT seconds, the others UNIT_TIMEOUT. A TAP
 * comment "# timeout: N" sets the limit of its program to N seconds.
 * The environment variable CHECK_JOBS says how many run together; CHECK_PATIENCE multiplies limits,
 * for programs that are slow by their build.
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNIT_TIMEOUT    60
#define GUEST_TIMEOUT   600
#define MAX_JOBS        64

typedef struct Job {
    const char *path;
    pid_t pid;
    int fd;
    double started, limit;      /* seconds */
    char *out;                  /* owned: all output so far */
    size_t len, size;
    bool timed_out;
} Job;

typedef struct Sums {
    unsigned passed, failed, skipped;
} Sums;

static int from_environment(const char *name, int otherwise)
{
    const char *env = getenv(name);

    return env && atoi(env) > 0 ? atoi(env) : otherwise;
}

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && !strcmp(s + n - m, end);
}

static bool start(Job *j, const char *path)
{
    int p[2];

    *j = (Job){ .path = path, .fd = -1, .started = now() };
    j->limit = from_environment("CHECK_PATIENCE", 1) *
               (strstr(path, "/guests/") ? GUEST_TIMEOUT : UNIT_TIMEOUT);
    if (pipe(p) < 0) {
        perror("tap-run: pipe");
        return false;
    }
    j->pid = fork();
    if (j->pid < 0) {
        perror("tap-run: fork");
        return false;
    }
    if (j->pid == 0) {
        int null = open("/dev/null", O_RDONLY);

        setpgid(0, 0);          /* so that a time-out reaches its children */
        dup2(null, 0);
        dup2(p[1], 1);
        dup2(p[1], 2);
        close(p[0]);
        close(p[1]);
        if (ends_with(path, ".sh")) {
            if (access(path, X_OK) == 0) {
                execl(path, path, (char *)NULL);        /* its first line says by what */
            }
            execlp("sh", "sh", path, (char *)NULL);
        } else {
            char exe[4096];

            snprintf(exe, sizeof(exe), "%s%s", path[0] == '/' ? "" : "./", path);
            execl(exe, exe, "--tap", (char *)NULL);
        }
        perror(path);
        _exit(127);
    }
    setpgid(j->pid, j->pid);
    close(p[1]);
    j->fd = p[0];
    fcntl(j->fd, F_SETFD, FD_CLOEXEC);
    return true;
}

/* A comment may change the limit while the program runs. */
static void look_for_limit(Job *j, size_t from)
{
    char *s = j->out + from, *at;
    int n;

    at = strstr(s, "# timeout: ");
    if (at && sscanf(at, "# timeout: %d", &n) == 1 && n > 0) {
        j->limit = n * from_environment("CHECK_PATIENCE", 1);
    }
}

/* False at end of file. */
static bool take_output(Job *j)
{
    ssize_t n;
    size_t from = j->len > 32 ? j->len - 32 : 0;

    if (j->size - j->len < 4096) {
        j->size = j->size ? j->size * 2 : 16384;
        j->out = realloc(j->out, j->size);
        assert(j->out);
    }
    n = read(j->fd, j->out + j->len, j->size - j->len - 1);
    if (n <= 0) {
        return n < 0 && errno == EINTR;
    }
    j->len += n;
    j->out[j->len] = 0;
    look_for_limit(j, from);
    return true;
}

static void finish(Job *j, Sums *sums)
{
    Sums s = { 0 };
    int status, plan = -1;
    const char *trouble = NULL;
    char why[64];

    while (waitpid(j->pid, &status, 0) < 0 && errno == EINTR) {
    }
    close(j->fd);
    for (char *line = j->out, *next; line && *line; line = next) {
        int n;

        next = strchr(line, '\n');
        next = next ? next + 1 : line + strlen(line);
        if (sscanf(line, "1..%d", &n) == 1) {
            plan = n;
        } else if (!strncmp(line, "not ok", 6)) {
            s.failed++;
        } else if (!strncmp(line, "ok", 2) && !(line[2] && !strchr(" \n", line[2]))) {
            char *skip = strcasestr(line, "# skip");

            if (skip && skip < next) {
                s.skipped++;
            } else {
                s.passed++;
            }
        }
    }
    if (j->timed_out) {
        snprintf(why, sizeof(why), "still running after %.0f s", j->limit);
        trouble = why;
    } else if (WIFSIGNALED(status)) {
        snprintf(why, sizeof(why), "ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
        trouble = why;
    } else if (WEXITSTATUS(status) && !s.failed) {
        snprintf(why, sizeof(why), "exit status %d", WEXITSTATUS(status));
        trouble = why;
    } else if (plan < 0) {
        trouble = "no TAP plan in the output";
    } else if ((unsigned)plan != s.passed + s.failed + s.skipped) {
        trouble = "fewer or more results than planned";
    }
    if (trouble) {
        s.failed++;
    }
    if (s.failed) {
        printf("---- %s: FAILED%s%s\n%s", j->path, trouble ? ": " : "",
               trouble ? trouble : "", j->out ? j->out : "");
        printf("---- end of %s\n", j->path);
    } else {
        printf("  ok      %s: %u passed%s (%.1f s)\n", j->path, s.passed,
               s.skipped ? ", some skipped" : "", now() - j->started);
    }
    fflush(stdout);
    sums->passed += s.passed;
    sums->failed += s.failed;
    sums->skipped += s.skipped;
    free(j->out);
}

int main(int argc, char **argv)
{
    Job jobs[MAX_JOBS];
    struct pollfd fds[MAX_JOBS];
    int limit = from_environment("CHECK_JOBS", (int)sysconf(_SC_NPROCESSORS_ONLN));
    int running = 0, next = 1;
    Sums sums = { 0 };

    if (argc < 2) {
        printf("no test's path matches\n0 passed, 0 failed, 0 skipped\n");
        return 2;
    }
    limit = limit < 1 ? 1 : MIN(limit, MAX_JOBS);
    while (running || next < argc) {
        while (running < limit && next < argc) {
            if (!start(&jobs[running], argv[next++])) {
                return 2;
            }
            running++;
        }
        for (int i = 0; i < running; i++) {
            fds[i] = (struct pollfd){ jobs[i].fd, POLLIN, 0 };
        }
        poll(fds, running, 500);
        for (int i = running - 1; i >= 0; i--) {
            Job *j = &jobs[i];

            if (!j->timed_out && now() - j->started > j->limit) {
                j->timed_out = true;
                kill(-j->pid, SIGKILL);
            }
            /* A killed program's pipe may live on in a child that left the group. */
            if ((fds[i].revents && !take_output(j)) ||
                (j->timed_out && !fds[i].revents)) {
                finish(j, &sums);
                *j = jobs[--running];
            }
        }
    }
    printf("%u passed, %u failed, %u skipped\n", sums.passed, sums.failed, sums.skipped);
    return sums.failed != 0;
}
