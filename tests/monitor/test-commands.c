/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands of the running emulator, by libqmp's typed calls: what they answer and do. */
#include "util/osdep.h"
#include <elf.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libqmp/qmp.h"
#include "qom/object.h"
#include "tests/lib/test.h"

#define WAIT_MS     20000
#define RAM_MIB     4

typedef struct Vm {
    pid_t pid;
    QmpClient *c;
    char *dir;
} Vm;

static bool vm_start_pc(Test *t, Vm *vm)
{
    int pair[2];
    char chardev[64];
    g_autofree char *second = NULL, *looker = NULL;
    Error *err = NULL;

    vm->dir = g_dir_make_tmp("commands-XXXXXX", NULL);
    second = g_strdup_printf("unix:%s/second,server=on,wait=off", vm->dir);
    looker = g_strdup_printf("socket,id=l,path=%s/looker,server=on,wait=off", vm->dir);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        return false;
    }
    vm->pid = fork();
    if (vm->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pair[1]);
        snprintf(chardev, sizeof(chardev), "socket,id=q,fd=%d", pair[0]);
        execl(test_qemu_bin(), "qemu-system-x86_64", "-M", "pc", "-m", G_STRINGIFY(RAM_MIB), "-display",
              "none", "-nodefaults", "-S", "-device", "virtio-rng-pci,id=rng", "-chardev", chardev,
              "-mon", "chardev=q,mode=control", "-qmp", second, "-chardev", looker,
              "-mon", "chardev=l,mode=control,permissions=read-only", NULL);
        _exit(127);
    }
    close(pair[0]);
    vm->c = qmp_client_new_fd(pair[1], WAIT_MS, &err);
    return check_true(t, vm->c != NULL, err ? error_message(err) : "it starts");
}

static void vm_end(Test *t, Vm *vm)
{
    int status;

    check_true(t, qmpc_quit(vm->c, NULL), "quit");
    qmp_client_free(vm->c);
    waitpid(vm->pid, &status, 0);
    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *socket = g_build_filename(vm->dir, i ? "looker" : "second", NULL);

        unlink(socket);
    }
    g_rmdir(vm->dir);
    g_free(vm->dir);
}

/* ------------------------------------------------------------------ dump */

static uint64_t dump(Test *t, Vm *vm, bool detach, bool has_format, DumpGuestMemoryFormat format,
                     char **text)
{
    g_autofree char *path = g_build_filename(vm->dir, "dump", NULL);
    g_autofree char *protocol = g_strconcat("file:", path, NULL);
    DumpQueryResult *r;
    Error *err = NULL;
    gsize len = 0;
    QDict *e;

    check_true(t, qmpc_dump_guest_memory(vm->c, false, protocol, true, detach, false, 0, false, 0,
                                         has_format, format, &err), err ? error_message(err) : "dump");
    error_free(err);
    e = qmp_wait_event(vm->c, "DUMP_COMPLETED", WAIT_MS, NULL);
    check_str(t, qdict_str_or(e, "data.result.status", ""), "completed", "DUMP_COMPLETED");
    qobject_unref(e);
    r = qmpc_query_dump(vm->c, NULL);
    check_true(t, r && r->status == DUMP_STATUS_COMPLETED && r->completed == r->total, "query-dump");
    qapi_free_DumpQueryResult(r);
    check_true(t, g_file_get_contents(path, text, &len, NULL), "the file is there");
    unlink(path);
    return len;
}

TEST(commands, dump_as_elf)
{
    Vm vm;
    char *text = NULL;
    uint64_t len;
    Elf32_Ehdr h;
    Elf32_Phdr p;

    if (!vm_start_pc(t, &vm)) {
        return;
    }
    len = dump(t, &vm, false, false, 0, &text);
    if (check_true(t, len > RAM_MIB * MIB, "all of memory is in it")) {
        memcpy(&h, text, sizeof(h));
        check_true(t, !memcmp(h.e_ident, ELFMAG, SELFMAG) && h.e_type == ET_CORE && h.e_machine == EM_386,
                   "a core file; the CPU is in real mode");
        memcpy(&p, text + h.e_phoff + sizeof(p), sizeof(p));
        check_true(t, h.e_phnum >= 3 && p.p_type == PT_LOAD && p.p_paddr == 0, "memory from address 0");
        memcpy(&p, text + h.e_phoff + (h.e_phnum - 1) * sizeof(p), sizeof(p));
        /* The reset vector: a far jump (SDM 3A 9.1.4). */
        check_true(t, p.p_paddr + p.p_filesz - 1 == UINT32_MAX &&
                   (uint8_t)text[p.p_offset + p.p_filesz - 16] == 0xea, "the BIOS at its end");
    }
    g_free(text);
    vm_end(t, &vm);
}

TEST(commands, dump_as_kdump)
{
    Vm vm;
    char *text = NULL;
    uint64_t len;

    if (!vm_start_pc(t, &vm)) {
        return;
    }
    len = dump(t, &vm, true, true, DUMP_GUEST_MEMORY_FORMAT_KDUMP_ZLIB, &text);
    check_true(t, len > 8192 && len < RAM_MIB * MIB, "it is compressed");
    check_true(t, len > 8192 && !strcmp(text, "makedumpfile") && !memcmp(text + 4096 + 16, "KDUMP   ", 8),
               "flattened, with its header");
    g_free(text);
    vm_end(t, &vm);
}

TEST(commands, dump_errors)
{
    Vm vm;
    Error *err = NULL;

    if (!vm_start_pc(t, &vm)) {
        return;
    }
    check_true(t, !qmpc_dump_guest_memory(vm.c, false, "nowhere", false, false, false, 0, false, 0, false, 0,
                                          &err), "no such protocol");
    check_str(t, error_message(err), "Parameter 'protocol' expects 'fd:' or 'file:'", "says so");
    error_free(err);
    err = NULL;
    check_true(t, !qmpc_dump_guest_memory(vm.c, false, "file:/no/such/folder/x", false, false, false, 0, false,
                                          0, false, 0, &err), "no such folder");
    error_free(err);
    err = NULL;
    check_true(t, !qmpc_dump_guest_memory(vm.c, true, "file:/tmp/x", false, false, false, 0, false, 0, true,
                                          DUMP_GUEST_MEMORY_FORMAT_KDUMP_ZLIB, &err), "kdump, paging");
    error_free(err);
    err = NULL;
    check_true(t, !qmpc_dump_guest_memory(vm.c, false, "file:/tmp/x", false, false, true, 0, false, 0, false, 0,
                                          &err) && error_code(err) == ERR_MISSING_ARGUMENT, "begin only");
    error_free(err);
    err = NULL;
    check_true(t, !qmpc_dump_guest_memory(vm.c, false, "file:/dev/full", false, false, false, 0, false, 0, false,
                                          0, &err) && strstr(error_message(err), "failed to save memory"),
               "a full disk");
    error_free(err);
    vm_end(t, &vm);
}

/* ------------------------------------------------------------ descriptors */

TEST(commands, sets_of_descriptors)
{
    Vm vm;
    AddfdInfo *a, *b;
    FdsetInfoList *list;
    g_autofree char *path = NULL, *name = NULL;
    ChardevBackend *backend;
    ChardevReturn *ret;
    Error *err = NULL;
    int fd;

    if (!vm_start_pc(t, &vm)) {
        return;
    }
    path = g_build_filename(vm.dir, "out", NULL);
    fd = open(path, O_CREAT | O_WRONLY | O_APPEND, 0600);
    qmp_client_attach_fd(vm.c, fd, NULL);
    a = qmpc_add_fd(vm.c, false, 0, "for writing", &err);
    check_true(t, a && a->fdset_id == 0, err ? error_message(err) : "the first set is 0");
    qmp_client_attach_fd(vm.c, fd, NULL);
    b = qmpc_add_fd(vm.c, true, 7, NULL, NULL);
    check_true(t, b && b->fdset_id == 7, "a number may be asked for");
    check_true(t, !qmpc_add_fd(vm.c, false, 0, NULL, &err), "nothing sent along");
    error_free(err);
    err = NULL;
    list = qmpc_query_fdsets(vm.c, NULL);
    check_true(t, list && list->n == 2 && !strcmp(list->items[0]->fds->items[0]->opaque, "for writing"),
               "query-fdsets");
    qapi_free_FdsetInfoList(list);

    name = g_strdup_printf("/dev/fdset/%d", 7);
    backend = qapi_new(ChardevBackend);
    backend->type = CHARDEV_BACKEND_KIND_FILE;
    backend->u.file.data = qapi_new(ChardevFile);
    backend->u.file.data->out = strdup(name);
    ret = qmpc_chardev_add(vm.c, "f", backend, &err);
    check_true(t, ret != NULL, err ? error_message(err) : "a file by its set");
    qapi_free_ChardevReturn(ret);
    qapi_free_ChardevBackend(backend);
    check_true(t, qmpc_remove_fd(vm.c, 7, true, b ? b->fd : 0, NULL), "remove-fd");
    check_true(t, qmpc_remove_fd(vm.c, 0, false, 0, NULL), "a whole set");
    check_true(t, !qmpc_remove_fd(vm.c, 0, false, 0, &err), "once");
    error_free(err);
    qapi_free_AddfdInfo(a);
    qapi_free_AddfdInfo(b);
    close(fd);
    unlink(path);
    vm_end(t, &vm);
}

/* ------------------------------------------------------------- CPU models */

TEST(commands, cpu_model_expansion)
{
    Vm vm;
    CpuModelInfo model = { .name = (char *)"qemu64" };
    CpuModelExpansionInfo *x;
    Error *err = NULL;

    if (!vm_start_pc(t, &vm)) {
        return;
    }
    x = qmpc_query_cpu_model_expansion(vm.c, CPU_MODEL_EXPANSION_TYPE_STATIC, &model, &err);
    check_true(t, x && !strcmp(x->model->name, "base"), "a static model stands on 'base'");
    check_true(t, x && qdict_bool_or(qobject_to_dict(x->model->props), "sse2", false) &&
               !qdict_bool_or(qobject_to_dict(x->model->props), "avx2", true), "features are told");
    qapi_free_CpuModelExpansionInfo(x);
    model.props = QOBJECT(qdict_from_fmt("{'avx2': true, 'vendor': 'GenuineIntel'}"));
    x = qmpc_query_cpu_model_expansion(vm.c, CPU_MODEL_EXPANSION_TYPE_FULL, &model, &err);
    check_true(t, x && !strcmp(x->model->name, "qemu64"), "full: the name stays");
    check_true(t, x && qdict_bool_or(qobject_to_dict(x->model->props), "avx2", false), "with changes");
    check_str(t, x ? qdict_str_or(qobject_to_dict(x->model->props), "vendor", "") : NULL, "GenuineIntel",
              "text, too");
    qapi_free_CpuModelExpansionInfo(x);
    qobject_unref(model.props);
    model.props = QOBJECT(qdict_from_fmt("{'no-such-feature': true}"));
    check_true(t, !qmpc_query_cpu_model_expansion(vm.c, 0, &model, &err) &&
               error_code(err) == ERR_NO_SUCH_PROPERTY, "unknown properties are refused");
    error_free(err);
    err = NULL;
    qobject_unref(model.props);
    model.props = NULL;
    model.name = (char *)"no-such-model";
    check_true(t, !qmpc_query_cpu_model_expansion(vm.c, 0, &model, &err), "so are models");
    error_free(err);
    vm_end(t, &vm);
}

/* --------------------------------------------------------------- the rest */

TEST(commands, virtio_and_text)
{
    Vm vm;
    VirtioInfoList *list;
    VirtioStatus *st;
    VirtQueueStatus *q;
    HumanReadableText *text;
    TraceEventInfoList *events;
    Error *err = NULL;

    if (!vm_start_pc(t, &vm)) {
        return;
    }
    list = qmpc_x_query_virtio(vm.c, NULL);
    if (check_true(t, list && list->n == 1, "one virtio device")) {
        const char *path = list->items[0]->path;

        st = qmpc_x_query_virtio_status(vm.c, path, NULL);
        check_true(t, st && st->device_id == 4 && st->num_vqs == 1, "its state");
        qapi_free_VirtioStatus(st);
        q = qmpc_x_query_virtio_queue_status(vm.c, path, 0, NULL);
        check_true(t, q && q->vring_num == q->vring_num_default, "its queue");
        qapi_free_VirtQueueStatus(q);
        check_true(t, !qmpc_x_query_virtio_queue_element(vm.c, path, 0, false, 0, &err), "no ring yet");
        error_free(err);
        err = NULL;
    }
    qapi_free_VirtioInfoList(list);
    text = qmpc_x_query_ramblock(vm.c, NULL);
    check_true(t, text && strstr(text->human_readable_text, "pc.ram"), "RAM blocks");
    qapi_free_HumanReadableText(text);
    text = qmpc_x_query_roms(vm.c, NULL);
    check_true(t, text && strstr(text->human_readable_text, "pc.bios"), "ROMs");
    qapi_free_HumanReadableText(text);
    check_true(t, qmpc_trace_event_set_state(vm.c, "guest_*", true, false, false, false, 0, NULL), "trace");
    events = qmpc_trace_event_get_state(vm.c, "guest_errors", false, 0, NULL);
    check_true(t, events && events->n == 1 && events->items[0]->state == TRACE_EVENT_STATE_ENABLED, "is on");
    qapi_free_TraceEventInfoList(events);
    check_true(t, !qmpc_trace_event_set_state(vm.c, "nosuch", true, false, false, false, 0, &err), "unknown");
    error_free(err);
    vm_end(t, &vm);
}

static bool hmp_says(Vm *vm, const char *line, const char *part)
{
    char *text = qmpc_human_monitor_command(vm->c, line, false, 0, NULL);
    bool ok = text && strstr(text, part);

    free(text);
    return ok;
}

/* The host has a node 0, or a kernel that doesn't know of nodes; containers may not let us ask. */
TEST(commands, memory_of_host_nodes)
{
    static const char *const refused[] = {
        "{'id': 'x', 'qom-type': 'memory-backend-ram', 'size': 4096, 'policy': 'bind'}",
        "{'id': 'x', 'qom-type': 'memory-backend-ram', 'size': 4096, 'host-nodes': [0]}",
        "{'id': 'x', 'qom-type': 'memory-backend-ram', 'size': 4096, 'policy': 'bind', 'host-nodes': [128]}",
        "{'id': 'x', 'qom-type': 'memory-backend-ram', 'size': 4096, 'policy': 'bind', 'host-nodes': ['a']}",
    };
    Vm vm;
    MemdevList *list;
    QObject *nodes;

    if (!vm_start_pc(t, &vm)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        check_true(t, !qmp_cmd_ok(vm.c, "object-add", qdict_from_fmt(refused[i]), NULL), refused[i]);
    }
    if (syscall(SYS_mbind, NULL, 0, 0, NULL, 0, 0) < 0 && errno == EPERM) {
        test_note(t, "mbind isn't permitted here");
        vm_end(t, &vm);
        return;
    }
    check_true(t, qmp_cmd_ok(vm.c, "object-add", qdict_from_fmt("{'id': 'm', 'qom-type': 'memory-backend-ram', 'size': 65536, "
                                                                "'policy': 'preferred', 'host-nodes': [0]}"), NULL), "node 0");
    list = qmpc_query_memdev(vm.c, NULL);
    check_true(t, list && list->n == 1 && list->items[0]->policy == HOST_MEM_POLICY_PREFERRED &&
                  list->items[0]->host_nodes->n == 1 && !list->items[0]->host_nodes->items[0], "it is told");
    qapi_free_MemdevList(list);
    nodes = qmp_cmd(vm.c, "qom-get", qdict_from_fmt("{'path': '/objects/m', 'property': 'host-nodes'}"), NULL);
    check_true(t, nodes && qobject_to_list(nodes) && qlist_size(qobject_to_list(nodes)) == 1, "as a property, too");
    qobject_unref(nodes);
    check_true(t, hmp_says(&vm, "info memdev", "host nodes: 0"), "for people");
    check_true(t, hmp_says(&vm, "object_add memory-backend-ram,id=n,size=64k,policy=bind,host-nodes=0-0", ""), "as text");
    check_true(t, hmp_says(&vm, "qom-get /objects/n policy", "bind"), "it is there");
    vm_end(t, &vm);
}

/* Three sessions: each has its own negotiation and answers, all hear of events, and none waits for another. */
TEST(commands, several_monitors_at_once)
{
    Vm vm;
    QmpClient *more[2];
    Error *err = NULL;

    if (!vm_start_pc(t, &vm)) {
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *address = g_strdup_printf("unix:%s/%s", vm.dir, i ? "looker" : "second");

        more[i] = qmp_client_new(address, WAIT_MS, &err);
        check_true(t, more[i] != NULL, err ? error_message(err) : "another session");
    }
    if (more[0] && more[1]) {
        check_true(t, qmpc_cont(more[0], NULL), "one lets the machine run");
        for (unsigned i = 0; i < 3; i++) {
            QDict *e = qmp_wait_event(i == 2 ? vm.c : more[i], "RESUME", WAIT_MS, NULL);

            check_true(t, e != NULL, "each hears of it");
            qobject_unref(e);
        }
        check_true(t, !qmpc_stop(more[1], &err), "one may only look");
        check_str(t, error_code_name(error_code(err)), "permission", "its error says so");
        error_free(err);
        err = NULL;
        for (unsigned i = 0; i < 50; i++) {
            StatusInfo *s = qmpc_query_status(more[i & 1], NULL);

            check_true(t, s && s->running, "in turns");
            qapi_free_StatusInfo(s);
        }
    }
    qmp_client_free(more[0]);
    check_true(t, qmpc_stop(vm.c, NULL), "one goes, the others stay");
    qmp_client_free(more[1]);
    vm_end(t, &vm);
}

TEST(commands, where_threads_wait)
{
    Vm vm;
    SyncProfile *p;

    if (!vm_start_pc(t, &vm)) {
        return;
    }
    check_true(t, hmp_says(&vm, "sync-profile", "sync-profile is off"), "off");
    check_true(t, hmp_says(&vm, "sync-profile perhaps", "Error"), "no such action");
    check_true(t, qmpc_x_sync_profile(vm.c, SYNC_PROFILE_ACTION_ON, NULL), "on");
    check_true(t, hmp_says(&vm, "sync-profile", "sync-profile is on"), "it is");
    p = qmpc_x_query_sync_profile(vm.c, false, false, false, false, true, 100, NULL);
    if (check_true(t, p && p->enabled && !p->lost && p->waits->n, "the main loop has waited for the big lock")) {
        bool big = false;

        for (size_t i = 0; i < p->waits->n; i++) {
            const SyncWaits *w = p->waits->items[i];

            big |= w->type == SYNC_OBJECT_TYPE_BIG_LOCK && strstr(w->site, "util/main-loop.c:") && w->count;
            check_true(t, !i || w->wait_ns <= p->waits->items[i - 1]->wait_ns, "the longest first");
        }
        check_true(t, big, "and that is told");
    }
    qapi_free_SyncProfile(p);
    check_true(t, hmp_says(&vm, "info sync-profile -m 100", "util/main-loop.c:"), "for people");
    check_true(t, hmp_says(&vm, "info sync-profile -n --json", "\"wait-ns\": "), "as JSON");
    check_true(t, qmpc_x_sync_profile(vm.c, SYNC_PROFILE_ACTION_OFF, NULL) &&
                  qmpc_x_sync_profile(vm.c, SYNC_PROFILE_ACTION_RESET, NULL), "off and reset");
    p = qmpc_x_query_sync_profile(vm.c, false, false, false, false, false, 0, NULL);
    check_true(t, p && !p->enabled && !p->waits->n, "nothing is left");
    qapi_free_SyncProfile(p);
    vm_end(t, &vm);
}

static void check_object_type(const Type *type, void *opaque)
{
    Test *t = opaque;

    if (type_is_user_creatable(type) && !type_is_abstract(type) &&
        qapi_enum_parse(&qapi_type_ObjectType, type_name(type), "qom-type", NULL) < 0) {
        test_fail(t, "'%s' isn't in the schema of object-add (qapi/objects.json)", type_name(type));
    }
}

TEST(commands, all_user_objects_are_in_the_schema)
{
    type_foreach(NULL, false, check_object_type, t);
    check_true(t, true, "looked at");
}
