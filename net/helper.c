/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "net/helper.h"

#include <glib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

char *net_helper_find(const char *name, const char *elsewhere)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *dir = g_path_get_dirname(self ? self : ".");
    char *const places[] = { g_build_filename(dir, name, NULL), g_build_filename(dir, "../libexec", name, NULL),
                             g_strdup(elsewhere) };
    char *found = NULL;

    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        if (!found && places[i] && access(places[i], X_OK) == 0) {
            found = g_strdup(places[i]);
        }
        g_free(places[i]);
    }
    return found;
}

void NORETURN net_helper_exec(char *const *argv, int keep)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int fd = 3, max = sysconf(_SC_OPEN_MAX); fd < MIN(max, 65536); fd++) {
        if (fd != keep) {
            close(fd);
        }
    }
    execv(argv[0], argv);
    _exit(127);
}

int net_helper_wait(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
