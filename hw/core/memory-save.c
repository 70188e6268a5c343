/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "hw/core/memory-save.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <unistd.h>
#include "hw/core/cpu.h"
#include "qapi/commands-machine.h"
#include "qapi/qapi-command.h"
#include "util/coroutine.h"
#include "util/main-loop.h"
#include "util/thread-pool.h"

#define PIECE           (1024 * 1024)
/* A pipe whose reader takes nothing for so long. */
#define PATIENCE_MS     10000

typedef struct Save {
    MemorySave what;
    char *path;
    int fd;                     /* -1: not open */
    uint8_t *buf;               /* PIECE */
    size_t len;                 /* of what is written next */
    Error *err;
    QapiDeferred *answer;       /* NULL: somebody waits for over */
    bool over;
} Save;

/* --- in workers --- */

/* Without waiting for anybody at the other end of a pipe. */
static int open_file(void *opaque)
{
    Save *s = opaque;

    s->fd = open(s->path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0666);
    return s->fd < 0 ? -errno : 0;
}

static int write_piece(void *opaque)
{
    Save *s = opaque;

    for (size_t done = 0; done < s->len;) {
        ssize_t n = write(s->fd, s->buf + done, s->len - done);
        struct pollfd p = { .fd = s->fd, .events = POLLOUT };

        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            if (poll(&p, 1, PATIENCE_MS) == 0) {
                return -ETIMEDOUT;
            }
        } else if (n == 0 || errno != EINTR) {
            return n == 0 ? -ENOSPC : -errno;
        }
    }
    return 0;
}

static int close_file(void *opaque)
{
    Save *s = opaque;

    return close(s->fd) < 0 ? -errno : 0;
}

/* --- in the main loop --- */

static bool read_piece(Save *s, uint64_t addr)
{
    CPUState *cpu;

    if (!s->what.is_virtual) {
        /* What isn't there reads as whatever the bus gives, as in the reference. */
        memset(s->buf, 0, s->len);
        address_space_read(&address_space_memory, addr, MEM_ATTRS_DEBUG, s->buf, s->len);
        return true;
    }
    cpu = cpu_by_index(s->what.cpu_index);
    if (!cpu) {
        error_setf(&s->err, ERR_NO_SUCH_OBJECT, "CPU %d has gone", s->what.cpu_index);
        return false;
    }
    return cpu_memory_rw_debug(cpu, addr, s->buf, s->len, false, &s->err);
}

static void finish(Save *s)
{
    QapiDeferred *answer = s->answer;

    g_free(s->path);
    g_free(s->buf);
    if (answer) {
        Error *err = s->err;

        g_free(s);
        qapi_deferred_done(answer, err ? NULL : QOBJECT(qdict_new()), err);
    } else {
        s->over = true;
    }
}

static void coroutine_fn save_entry(void *opaque)
{
    Save *s = opaque;
    int r = thread_pool_co(open_file, s);

    if (r < 0) {
        error_set_errno(&s->err, -r, "Could not open '%s'", s->path);
    }
    for (int64_t done = 0; !s->err && done < s->what.size; done += s->len) {
        s->len = (size_t)MIN(s->what.size - done, (int64_t)PIECE);
        if (read_piece(s, s->what.addr + (uint64_t)done) && (r = thread_pool_co(write_piece, s)) < 0) {
            error_set_errno(&s->err, -r, "can't write '%s'", s->path);
        }
    }
    if (s->fd >= 0 && (r = thread_pool_co(close_file, s)) < 0 && !s->err) {
        error_set_errno(&s->err, -r, "can't write '%s'", s->path);
    }
    finish(s);
}

static Save *new_save(const MemorySave *what, Error **errp)
{
    Save *s;

    if (what->size < 0 || what->size > MEMORY_SAVE_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Parameter 'size' is %" PRId64 "; accepted: 0 to %" PRId64 " bytes",
                   what->size, MEMORY_SAVE_MAX);
        error_argument(errp, "size", NULL, "0 to 1 TiB");
        return NULL;
    }
    if (what->is_virtual && !cpu_by_index(what->cpu_index)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Parameter 'cpu-index' expects a CPU number");
        error_argument(errp, "cpu-index", NULL, "the number of a CPU");
        return NULL;
    }
    s = g_new0(Save, 1);
    s->what = *what;
    s->path = g_strdup(what->path);
    s->buf = g_malloc(PIECE);
    s->fd = -1;
    return s;
}

bool memory_save_wait(const MemorySave *what, Error **errp)
{
    Save *s = new_save(what, errp);
    bool ok;

    if (!s) {
        return false;
    }
    co_start(save_entry, s);
    main_loop_run_until(&s->over);
    ok = !s->err;
    error_propagate(errp, s->err);
    g_free(s);
    return ok;
}

/* The answer comes when it is done, if somebody can wait for it. */
static bool save(const MemorySave *what, Error **errp)
{
    Save *s = new_save(what, errp);
    QapiDeferred *answer = s ? qapi_defer() : NULL;

    if (s && !answer) {
        g_free(s->path);
        g_free(s->buf);
        g_free(s);
        return memory_save_wait(what, errp);
    }
    if (s) {
        s->answer = answer;
        co_start(save_entry, s);
    }
    return s;
}

bool qmp_memsave(int64_t val, int64_t size, const char *filename, bool has_cpu_index, int64_t cpu_index,
                 Error **errp)
{
    int64_t index = has_cpu_index ? cpu_index : 0;
    MemorySave what = { true, index >= 0 && index <= INT32_MAX ? (int)index : -1, (uint64_t)val, size,
                        filename };

    return save(&what, errp);
}

bool qmp_pmemsave(int64_t val, int64_t size, const char *filename, Error **errp)
{
    MemorySave what = { false, 0, (uint64_t)val, size, filename };

    return save(&what, errp);
}
