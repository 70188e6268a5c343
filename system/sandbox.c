/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -sandbox, -chroot, -runas, -overcommit: what the emulator gives up before a guest runs.
 *
 * The filter allows all system calls but those that an emulator never needs: administration
 * of the host always, the rest by sub-options. A call that is refused ends the process,
 * but for those that libraries try with a fallback.
 */
#include "util/osdep.h"
#include <config.h>            /* configure's, not this room's */
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef CONFIG_SECCOMP
#include <seccomp.h>
#endif
#include "qobject/error.h"
#include "system/build.h"
#include "system/opts.h"
#include "util/lazy-lib.h"

typedef struct Sandbox {
    bool on, obsolete, elevate, children, spawn, resource;      /* true: denied */
} Sandbox;

/* "children", where it is possible (@third isn't NULL), allows us what our children can't do. */
static bool choice(const QDict *d, const char *key, bool *deny, bool *third, Error **errp)
{
    g_autofree char *v = opts_text(d, key);

    if (!v) {
        return true;
    }
    if (!strcmp(v, "deny") || !strcmp(v, "allow")) {
        *deny = !strcmp(v, "deny");
        return true;
    }
    if (third && !strcmp(v, "children")) {
        *deny = false;
        *third = true;
        return true;
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is '%s'; accepted: allow, deny%s", key, v,
               third ? ", children" : "");
    error_argument(errp, key, v, NULL);
    return false;
}

static bool parse(const QDict *d, Sandbox *s, Error **errp)
{
    static const char *const known[] = { "enable", "obsolete", "elevateprivileges", "spawn",
                                         "resourcecontrol", NULL };
    g_autofree char *enable = opts_text(d, "enable");

    *s = (Sandbox){ .obsolete = true };
    return opts_check_known(d, "-sandbox", known, errp) &&
           (!enable || opts_bool("enable", enable, &s->on, errp)) &&
           choice(d, "obsolete", &s->obsolete, NULL, errp) &&
           choice(d, "elevateprivileges", &s->elevate, &s->children, errp) &&
           choice(d, "spawn", &s->spawn, NULL, errp) &&
           choice(d, "resourcecontrol", &s->resource, NULL, errp);
}

#ifdef CONFIG_SECCOMP
#define CALLS(name, ...) \
    static const int name[] = { __VA_ARGS__ }

CALLS(administration,
    SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(syslog), SCMP_SYS(mount),
    SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load),
    SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(acct),
    SCMP_SYS(quotactl), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname), SCMP_SYS(ptrace), SCMP_SYS(iopl), SCMP_SYS(ioperm));
CALLS(obsolete,
    SCMP_SYS(readdir), SCMP_SYS(_sysctl), SCMP_SYS(bdflush), SCMP_SYS(create_module),
    SCMP_SYS(get_kernel_syms), SCMP_SYS(query_module), SCMP_SYS(sgetmask), SCMP_SYS(ssetmask),
    SCMP_SYS(sysfs), SCMP_SYS(uselib), SCMP_SYS(ustat));
CALLS(elevating,
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setpgid), SCMP_SYS(setsid), SCMP_SYS(setreuid),
    SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setfsuid),
    SCMP_SYS(setfsgid), SCMP_SYS(setgroups));
CALLS(spawning,
    SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(execve), SCMP_SYS(execveat));
/* Libraries ask for priorities and go on without. */
CALLS(resources,
    SCMP_SYS(setpriority), SCMP_SYS(sched_setparam), SCMP_SYS(sched_setscheduler),
    SCMP_SYS(sched_setaffinity), SCMP_SYS(sched_setattr), SCMP_SYS(ioprio_set));

static bool forbid(scmp_filter_ctx f, uint32_t action, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        /* Negative: this architecture hasn't got it. */
        if (calls[i] >= 0 && seccomp_rule_add(f, action, calls[i], 0) < 0) {
            return false;
        }
    }
    return true;
}

#define FORBID(f, action, calls) forbid(f, action, calls, ARRAY_SIZE(calls))

static bool install(const Sandbox *s, Error **errp)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    uint32_t end = SCMP_ACT_KILL_PROCESS;
    bool ok = f && seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
              FORBID(f, end, administration) &&
              (!s->obsolete || FORBID(f, end, obsolete)) &&
              (!s->elevate || FORBID(f, end, elevating)) &&
              (!s->resource || FORBID(f, SCMP_ACT_ERRNO(EPERM), resources));

    if (ok && s->spawn) {
        /* A new process is a clone without CLONE_THREAD; clone3's arguments can't be seen, and
         * without it glibc takes clone. */
        ok = FORBID(f, end, spawning) &&
             seccomp_rule_add(f, end, SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) == 0 &&
             seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
    }
    ok = ok && seccomp_load(f) == 0;
    if (!ok) {
        error_setf(errp, ERR_HOST, "the host's kernel doesn't take the filter of system calls");
    }
    if (f) {
        seccomp_release(f);
    }
    return ok;
}
#else
static bool install(UNUSED const Sandbox *s, Error **errp)
{
    error_setf(errp, ERR_NOT_SUPPORTED, "this program was built without libseccomp");
    return false;
}
#endif

static bool check(const QDict *d, UNUSED void *opaque, Error **errp)
{
    Sandbox s;

    if (!parse(d, &s, errp)) {
        return false;
    }
#ifndef CONFIG_SECCOMP
    return !s.on || install(&s, errp);
#else
    return true;
#endif
}

static bool start_sandbox(const QDict *d, UNUSED void *opaque, Error **errp)
{
    Sandbox s;

    if (!parse(d, &s, errp) || !s.on) {
        return *errp == NULL;
    }
    if ((s.children || s.elevate) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        error_set_errno(errp, errno, "can't forbid new privileges");
        return false;
    }
    return install(&s, errp);
}

/* "user" or "uid:gid". */
static bool find_user(const char *text, uid_t *uid, gid_t *gid, const char **name)
{
    struct passwd *pw = getpwnam(text);
    unsigned u, g;
    int n = 0;

    if (pw) {
        *uid = pw->pw_uid;
        *gid = pw->pw_gid;
        *name = pw->pw_name;
        return true;
    }
    if (sscanf(text, "%u:%u%n", &u, &g, &n) == 2 && !text[n]) {
        *uid = u;
        *gid = g;
        *name = NULL;
        return true;
    }
    return false;
}

static bool check_overcommit(const QDict *d, void *opaque, Error **errp)
{
    static const char *const known[] = { "mem-lock", "cpu-pm", NULL };
    g_autofree char *lock = opts_text(d, "mem-lock"), *pm = opts_text(d, "cpu-pm");
    bool ignored;

    return opts_check_known(d, "-overcommit", known, errp) &&
           (!lock || opts_bool("mem-lock", lock, opaque, errp)) &&
           (!pm || opts_bool("cpu-pm", pm, &ignored, errp));
}

/* Its server's files and socket belong to the user that starts it. */
static void check_smb(Config *c, const QList *networks, const char *option)
{
    QLIST_FOR_EACH(e, networks) {
        if (qdict_has(qobject_to_dict(e), "smb")) {
            Error *err = NULL;

            error_setf(&err, ERR_INVALID_ARGUMENT, "'smb' isn't possible with -%s", c->runas ? "runas" : "chroot");
            config_error(c, option, err);
        }
    }
}

void privileges_check(Config *c)
{
    const char *name;
    struct stat st;
    bool lock;
    uid_t uid;
    gid_t gid;

    config_make(c, "sandbox", c->sandbox, check, NULL);
    config_make(c, "overcommit", c->overcommit, check_overcommit, &lock);
    if (c->chroot && (stat(c->chroot, &st) < 0 || !S_ISDIR(st.st_mode))) {
        Error *err = NULL;

        error_setf(&err, ERR_FILE_NOT_FOUND, "there is no folder '%s'", c->chroot);
        config_error(c, "chroot", err);
    }
    if (c->runas && !find_user(c->runas, &uid, &gid, &name)) {
        Error *err = NULL;

        error_setf(&err, ERR_INVALID_ARGUMENT, "there is no user '%s'; accepted: NAME, UID:GID",
                   c->runas);
        config_error(c, "runas", err);
    }
    if (c->runas || c->chroot) {
        check_smb(c, c->netdevs, "netdev");
        check_smb(c, c->nics, "nic");
        check_smb(c, c->nets, "net");
    }
}

/* The lists of users and groups aren't there any more in another root. */
static bool become(const char *user, const char *root, Error **errp)
{
    const char *name;
    uid_t uid = 0;
    gid_t gid = 0;

    if (user && (!find_user(user, &uid, &gid, &name) ||
                 (name ? initgroups(name, gid) : setgroups(1, &gid)) < 0)) {
        error_set_errno(errp, errno, "can't become '%s'", user);
        return false;
    }
    if (root && (chroot(root) < 0 || chdir("/") < 0)) {
        error_set_errno(errp, errno, "can't go to '%s'", root);
        return false;
    }
    if (user && (setgid(gid) < 0 || setuid(uid) < 0)) {
        error_set_errno(errp, errno, "can't become '%s'", user);
        return false;
    }
    if (user && uid != 0 && setuid(0) == 0) {
        error_setf(errp, ERR_PERMISSION, "root's rights stay with '%s'", user);
        return false;
    }
    return true;
}

bool privileges_drop(Config *c)
{
    Error *err = NULL;
    bool lock = false;

    check_overcommit(c->overcommit, &lock, NULL);
    if (lock && mlockall(MCL_CURRENT | MCL_FUTURE) < 0) {
        error_set_errno(&err, errno, "can't keep the memory from being swapped");
        config_error(c, "overcommit", err);
        return false;
    }
    if (c->runas || c->chroot) {
        const char *missing = lazy_lib_load("");

        if (missing) {
            error_setf(&err, ERR_HOST, "a library is missing: %s", missing);
            config_error(c, c->runas ? "runas" : "chroot", err);
            return false;
        }
    }
    if (!become(c->runas, c->chroot, &err)) {
        config_error(c, c->runas ? "runas" : "chroot", err);
        return false;
    }
    return config_make(c, "sandbox", c->sandbox, start_sandbox, NULL);
}
