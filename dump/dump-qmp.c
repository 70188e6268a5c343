/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump-guest-memory and what belongs to it. */
#include "util/osdep.h"
#include <fcntl.h>
#include <unistd.h>
#include "dump/dump.h"
#include "hw/core/machine.h"
#include "hw/core/runstate.h"
#include "memory/memory.h"
#include "qapi/commands-dump.h"
#include "qapi/events-dump.h"
#include "qapi/qapi-command.h"
#include "util/main-loop.h"
#include "util/rcu.h"
#include "util/thread.h"
#include "vmstate/blocker.h"

#define PAGE        4096

typedef struct Job {
    Dump dump;
    bool was_running;
    MigrationBlocker *blocker;
    QapiDeferred *reply;        /* NULL: nobody waits */
    Error *err;
} Job;

/* The one dump at a time; big lock. */
static struct {
    Job *job;                   /* NULL: none is being made */
    DumpStatus status;          /* of the last one */
    uint64_t completed, total;
} state;

bool dump_write(const Dump *d, const void *buf, size_t len, Error **errp)
{
    const uint8_t *p = buf;

    while (len) {
        ssize_t n = write(d->fd, p, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            error_set_errno(errp, n ? errno : ENOSPC, "dump: failed to save memory");
            return false;
        }
        p += n;
        len -= n;
    }
    return true;
}

void dump_read(hwaddr addr, void *buf, size_t len)
{
    memset(buf, 0, len);
    address_space_read(&address_space_memory, addr, MEM_ATTRS_DEBUG, buf, len);
}

/* ------------------------------------------------------- what to write */

static void add_range(Dump *d, hwaddr start, hwaddr last)
{
    DumpRange r;

    /* Whole pages: devices may have less of RAM. */
    start = (start + PAGE - 1) & ~(hwaddr)(PAGE - 1);
    if (last - start < PAGE - 1 || start > last) {
        return;
    }
    r = (DumpRange){ .start = start, .size = (last - start + 1) & ~(uint64_t)(PAGE - 1),
                     .offset = d->total };
    if (d->ranges->len) {
        DumpRange *before = &g_array_index(d->ranges, DumpRange, d->ranges->len - 1);

        if (before->start + before->size == r.start) {
            before->size += r.size;
            d->total += r.size;
            return;
        }
    }
    g_array_append_val(d->ranges, r);
    d->total += r.size;
}

/* All RAM and ROM that CPUs see, from @begin to @last. */
static void find_ranges(Dump *d, uint64_t begin, uint64_t last)
{
    const FlatView *view;

    rcu_read_lock();
    view = rcu_load(&address_space_memory.view);
    for (uint32_t i = 0; view && i < view->num; i++) {
        const MemSection *s = &view->sections[i];

        if (s->ram && s->start <= last && s->last >= begin) {
            add_range(d, MAX(s->start, begin), MIN(s->last, last));
        }
    }
    rcu_read_unlock();
}

#define MAPPINGS_MAX    (1024 * 1024)

static bool add_mapping(const CpuMapping *m, void *opaque)
{
    GArray *list = opaque;
    DumpMapping new = { m->vaddr, m->phys, m->size };

    if (list->len) {
        DumpMapping *before = &g_array_index(list, DumpMapping, list->len - 1);

        if (before->vaddr + before->size == new.vaddr && before->phys + before->size == new.phys) {
            before->size += new.size;
            return true;
        }
    }
    g_array_append_val(list, new);
    return list->len < MAPPINGS_MAX;
}

static void find_mappings(CPUState *cpu, void *opaque)
{
    Dump *d = opaque;

    d->mappings = g_array_new(false, false, sizeof(DumpMapping));
    if (cpu->ops->list_mappings) {
        cpu->ops->list_mappings(cpu, add_mapping, d->mappings);
    }
    if (!d->mappings->len) {                    /* paging is off */
        g_array_unref(d->mappings);
        d->mappings = NULL;
    }
}

/* ------------------------------------------------------------- running */

static void job_free(Job *job)
{
    if (job->dump.fd >= 0) {
        close(job->dump.fd);
    }
    g_array_unref(job->dump.ranges);
    if (job->dump.mappings) {
        g_array_unref(job->dump.mappings);
    }
    g_byte_array_unref(job->dump.notes);
    migration_del_blocker(job->blocker);
    g_free(job);
}

static void job_done(void *opaque)
{
    Job *job = opaque;
    DumpQueryResult result = { .status = job->err ? DUMP_STATUS_FAILED : DUMP_STATUS_COMPLETED,
                               .completed = (int64_t)job->dump.completed,
                               .total = (int64_t)job->dump.total };
    bool was_running = job->was_running;

    state.status = result.status;
    state.completed = job->dump.completed;
    state.total = job->dump.total;
    state.job = NULL;
    qapi_event_send_dump_completed(&result, job->err ? error_message(job->err) : NULL);
    qapi_deferred_done(job->reply, job->err ? NULL : QOBJECT(qdict_new()), job->err);
    job_free(job);
    if (was_running) {
        vm_start(NULL);
    }
}

static void *job_thread(void *opaque)
{
    Job *job = opaque;
    Error *err = NULL;

    if (job->dump.format == DUMP_GUEST_MEMORY_FORMAT_ELF) {
        dump_write_elf(&job->dump, &err);
    } else {
        dump_write_kdump(&job->dump, &err);
    }
    /* Some file systems tell only then that they are full. */
    if (close(job->dump.fd) < 0 && !err) {
        error_set_errno(&err, errno, "dump: failed to save memory");
    }
    job->dump.fd = -1;
    job->err = err;
    bh_once(NULL, job_done, job);
    return NULL;
}

/* -------------------------------------------------------------- checks */

static int open_target(const char *protocol, Error **errp)
{
    int fd;

    if (!strncmp(protocol, "fd:", 3)) {
        return qapi_take_fd(protocol + 3, errp);
    }
    if (strncmp(protocol, "file:", 5)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Parameter 'protocol' expects 'fd:' or 'file:'");
        error_argument(errp, "protocol", protocol, "file:PATH, fd:NAME");
        return -1;
    }
    fd = open(protocol + 5, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0) {
        error_set_errno(errp, errno, "Could not open '%s'", protocol + 5);
        return -1;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

static bool check_arguments(bool paging, bool has_begin, int64_t begin, bool has_length,
                            int64_t length, DumpGuestMemoryFormat format, Error **errp)
{
    if (format != DUMP_GUEST_MEMORY_FORMAT_ELF && (paging || has_begin || has_length)) {
        error_setf(errp, ERR_NOT_SUPPORTED,
                   "kdump-compressed format doesn't support paging or filter");
        return false;
    }
    if (has_begin != has_length) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "Parameter '%s' is missing",
                   has_begin ? "length" : "begin");
        error_argument(errp, has_begin ? "length" : "begin", NULL, "a number of bytes");
        return false;
    }
    if (has_begin && (begin < 0 || length <= 0)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Parameter '%s' expects a %s value",
                   begin < 0 ? "begin" : "length", begin < 0 ? "non-negative" : "positive");
        return false;
    }
    if (format != DUMP_GUEST_MEMORY_FORMAT_ELF && format != DUMP_GUEST_MEMORY_FORMAT_KDUMP_ZLIB) {
        error_setf(errp, ERR_NOT_SUPPORTED, "%s is not available now",
                   DumpGuestMemoryFormat_name(format));
        error_argument(errp, "format", DumpGuestMemoryFormat_name(format), "elf, kdump-zlib");
        return false;
    }
    if (state.job) {
        error_setf(errp, ERR_IN_USE, "there is a dump in process, please wait.");
        return false;
    }
    if (!current_machine() || runstate_check(RUN_STATE_INMIGRATE)) {
        error_setf(errp, ERR_WRONG_STATE, "Dump not allowed during incoming migration.");
        return false;
    }
    return true;
}

/* The machine stands still from here to job_done(). */
static bool prepare(Job *job, bool paging, uint64_t begin, uint64_t last, Error **errp)
{
    CPUState *first = cpu_by_index(0);

    if (!dump_add_notes(&job->dump, errp)) {
        return false;
    }
    find_ranges(&job->dump, begin, last);
    if (!job->dump.ranges->len) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Parameter 'begin' expects a valid address range");
        return false;
    }
    if (paging) {
        run_on_cpu(first, find_mappings, &job->dump);
    }
    return true;
}

bool qmp_dump_guest_memory(bool paging, const char *protocol, bool has_detach, bool detach,
                           bool has_begin, int64_t begin, bool has_length, int64_t length,
                           bool has_format, DumpGuestMemoryFormat format, Error **errp)
{
    uint64_t last = has_begin ? (uint64_t)begin + (uint64_t)length - 1 : UINT64_MAX;
    MigrationBlocker *blocker;
    Job *job;

    if (!has_format) {
        format = DUMP_GUEST_MEMORY_FORMAT_ELF;
    }
    if (!check_arguments(paging, has_begin, begin, has_length, length, format, errp)) {
        return false;
    }
    blocker = migration_add_blocker("a dump of guest memory is being made", errp);
    if (!blocker) {
        return false;
    }
    job = g_new0(Job, 1);
    job->blocker = blocker;
    job->dump.format = format;
    job->dump.ranges = g_array_new(false, false, sizeof(DumpRange));
    job->dump.notes = g_byte_array_new();
    job->dump.fd = open_target(protocol, errp);
    if (job->dump.fd < 0) {
        job_free(job);
        return false;
    }
    job->was_running = runstate_is_running();
    if (job->was_running) {
        vm_stop(RUN_STATE_SAVE_VM);
    }
    if (!prepare(job, paging, has_begin ? begin : 0, last, errp)) {
        if (job->was_running) {
            vm_start(NULL);
        }
        job_free(job);
        return false;
    }
    job->reply = has_detach && detach ? NULL : qapi_defer();
    state.job = job;
    state.status = DUMP_STATUS_ACTIVE;
    thread_create_detached("dump", job_thread, job);
    return true;
}

DumpQueryResult *qmp_query_dump(UNUSED Error **errp)
{
    DumpQueryResult *r = qapi_new(DumpQueryResult);

    r->status = state.status;
    r->completed = state.job ? (int64_t)state.job->dump.completed : (int64_t)state.completed;
    r->total = state.job ? (int64_t)state.job->dump.total : (int64_t)state.total;
    return r;
}

DumpGuestMemoryCapability *qmp_query_dump_guest_memory_capability(UNUSED Error **errp)
{
    DumpGuestMemoryCapability *c = qapi_new(DumpGuestMemoryCapability);

    c->formats = qapi_new(DumpGuestMemoryFormatList);
    qapi_list_append(c->formats, DUMP_GUEST_MEMORY_FORMAT_ELF);
    qapi_list_append(c->formats, DUMP_GUEST_MEMORY_FORMAT_KDUMP_ZLIB);
    return c;
}
