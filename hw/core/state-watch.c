/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches on fields of devices' saved state. While there is one, who holds the big lock is observed step by step
 * (util/main-loop.h): the saved form of each watched device is made anew after each step and compared with what it
 * was; only when the bytes differ are both decoded and the fields looked at. Without watches nothing is called.
 */
#include "util/osdep.h"
#include "hw/core/state-view.h"

#include "hw/core/cpu.h"
#include "hw/core/runstate.h"
#include "hw/core/state-int.h"
#include "qapi/commands-device-state.h"
#include "qapi/events-device-state.h"
#include "qobject/qobject.h"
#include "util/main-loop.h"

#define WATCHES_MAX     32

typedef struct Watch {
    char *id, *path, *field;    /* owned */
    DeviceStateWatchAction action;
    QObject *value;             /* owned; NULL: any change counts */
    uint64_t changes;
} Watch;

/* A device that is watched, and what it held after the last step. */
typedef struct Watched {
    Device *dev;                /* reference */
    GByteArray *was;
    GPtrArray *watches;         /* of Watch, owned */
} Watched;

/* Registry; big lock. */
static GPtrArray *watched;

static void watch_free(void *p)
{
    Watch *w = p;

    g_free(w->id);
    g_free(w->path);
    g_free(w->field);
    qobject_unref(w->value);
    g_free(w);
}

static void watched_free(void *p)
{
    Watched *d = p;

    g_ptr_array_unref(d->watches);
    g_byte_array_unref(d->was);
    object_unref(d->dev);
    g_free(d);
}

/* NULL when it can't be saved at this moment. */
static GByteArray *state_of(Device *dev)
{
    GByteArray *data = g_byte_array_new();

    if (vm_peek(device_type_vm(dev->obj.type), "", dev, data, NULL)) {
        return data;
    }
    g_byte_array_unref(data);
    return NULL;
}

static StateNode *decode(const Watched *d, const GByteArray *data)
{
    return vm_show(device_type_vm(d->dev->obj.type), data->data, data->len, NULL);
}

/* ------------------------------------------------------------- a change */

static bool same(const StateNode *a, size_t ai, const StateNode *b, size_t bi)
{
    if (!a || !b) {
        return a == b;
    }
    if (ai != SIZE_MAX || bi != SIZE_MAX) {
        return ai == bi && state_number(a, ai) == state_number(b, bi);
    }
    return state_equal(a, b);
}

static bool is_wanted(const Watch *w, const StateNode *n, size_t index)
{
    QOBJECT_AUTO QObject *value = NULL;

    if (!w->value) {
        return true;
    }
    if (!n) {
        return false;
    }
    value = index == SIZE_MAX ? state_node_value(n, true) : qnum_from_uint(state_number(n, index));
    return value && qobject_equal(value, w->value);
}

/* A CPU in the middle of an instruction ends it, and waits for the machine to stand. */
static void stop_machine(void)
{
    if (current_cpu) {
        current_cpu->stop = true;
        cpu_exit(current_cpu);
    }
    vm_stop_request(RUN_STATE_DEBUG);
}

static void tell(Watch *w, const StateNode *was, size_t was_index, const StateNode *is, size_t is_index)
{
    DeviceStateField *before = state_field_at(was, was_index, w->field);
    DeviceStateField *after = state_field_at(is, is_index, w->field);
    bool stop = w->action == DEVICE_STATE_WATCH_ACTION_STOP && runstate_is_running();
    bool by_cpu = current_cpu && current_cpu->ops->get_pc;

    w->changes++;
    qapi_event_send_device_state_changed(w->id, w->path, w->field, before, after, w->changes, by_cpu,
                                         by_cpu ? current_cpu->index : 0, by_cpu,
                                         by_cpu ? current_cpu->ops->get_pc(current_cpu) : 0, stop);
    if (stop) {
        stop_machine();
    }
    qapi_free_DeviceStateField(before);
    qapi_free_DeviceStateField(after);
}

static void compare(Watched *d, const GByteArray *now)
{
    g_autoptr(StateNode) was = decode(d, d->was), is = decode(d, now);

    for (guint i = 0; was && is && i < d->watches->len; i++) {
        Watch *w = d->watches->pdata[i];
        size_t ai, bi;
        const StateNode *a = state_find(was, w->field, &ai), *b = state_find(is, w->field, &bi);

        if (!same(a, ai, b, bi) && is_wanted(w, b, bi)) {
            tell(w, a, ai, b, bi);
        }
    }
}

static void step(void)
{
    for (guint i = 0; i < watched->len; i++) {
        Watched *d = watched->pdata[i];
        GByteArray *now = d->dev->realized ? state_of(d->dev) : NULL;

        if (now && (now->len != d->was->len || memcmp(now->data, d->was->data, now->len))) {
            compare(d, now);
            g_byte_array_unref(d->was);
            d->was = now;
        } else if (now) {
            g_byte_array_unref(now);
        }
    }
}

/* ------------------------------------------------------------- commands */

static Watched *find(const char *id, guint *index)
{
    for (guint i = 0; watched && i < watched->len; i++) {
        Watched *d = watched->pdata[i];

        for (*index = 0; *index < d->watches->len; ++*index) {
            if (!strcmp(((Watch *)d->watches->pdata[*index])->id, id)) {
                return d;
            }
        }
    }
    return NULL;
}

static guint count(void)
{
    guint n = 0;

    for (guint i = 0; watched && i < watched->len; i++) {
        n += ((Watched *)watched->pdata[i])->watches->len;
    }
    return n;
}

static Device *device_to_watch(const char *path, Error **errp)
{
    Device *dev = device_find(path);

    if (!dev || !dev->realized) {
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_DEVICE, "Device '%s' not found", path);
        error_argument(errp, "path", path, "the id or path of a device");
        return NULL;
    }
    if (object_is_a(dev, TYPE_CPU)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "'%s' is a CPU, which changes with each instruction", path);
        error_argument(errp, "path", path, "a device that is no CPU");
        error_hint(errp, "the gdb stub has watchpoints");
        return NULL;
    }
    if (device_io_loop(dev)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "'%s' is changed by its I/O thread, which isn't observed", path);
        error_argument(errp, "path", path, "a device without 'iothread'");
        return NULL;
    }
    if (!device_type_vm(dev->obj.type)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "device '%s' (%s) has no saved state", path, object_type_name(dev));
        error_argument(errp, "path", path, NULL);
        return NULL;
    }
    return dev;
}

static Watched *watched_of(Device *dev)
{
    for (guint i = 0; watched && i < watched->len; i++) {
        Watched *d = watched->pdata[i];

        if (d->dev == dev) {
            return d;
        }
    }
    return NULL;
}

/* With @field, which must be there now. */
static Watched *start_watching(Device *dev, const char *field, Error **errp)
{
    g_autoptr(GByteArray) data = state_of(dev);
    g_autoptr(StateNode) tree = data ? vm_show(device_type_vm(dev->obj.type), data->data, data->len, NULL) : NULL;
    Watched *d = watched_of(dev);
    size_t index;

    if (!tree || !*field || !state_find(tree, field, &index)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "device %s has no field '%s'", object_type_name(dev), field);
        error_argument(errp, "field", field, "the path of a saved field, such as a.b[2]");
        error_hint(errp, "query-device-state shows the fields");
        return NULL;
    }
    if (d) {
        return d;
    }
    d = g_new0(Watched, 1);
    d->dev = object_ref(dev);
    d->was = g_byte_array_ref(data);
    d->watches = g_ptr_array_new_with_free_func(watch_free);
    if (!watched) {
        watched = g_ptr_array_new_with_free_func(watched_free);
    }
    g_ptr_array_add(watched, d);
    return d;
}

bool qmp_device_state_watch(const char *id, const char *path, const char *field, bool has_action,
                            DeviceStateWatchAction action, const QObject *value, Error **errp)
{
    Device *dev;
    Watched *d;
    Watch *w;
    guint i;

    if (!*id || strlen(id) > 255 || find(id, &i)) {
        error_setf(errp, *id ? ERR_DUPLICATE_ID : ERR_INVALID_ARGUMENT, "there is a watch '%s', or it can't be", id);
        error_argument(errp, "id", id, "1 to 255 characters, other than those of a watch that is there");
        return false;
    }
    if (count() >= WATCHES_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "there are %u watches; accepted: %d", count(), WATCHES_MAX);
        error_hint(errp, "device-state-watch-delete makes room");
        return false;
    }
    dev = device_to_watch(path, errp);
    d = dev ? start_watching(dev, field, errp) : NULL;
    if (!d) {
        return false;
    }
    w = g_new0(Watch, 1);
    *w = (Watch){ .id = g_strdup(id), .path = object_canonical_path(dev), .field = g_strdup(field),
                  .action = has_action ? action : DEVICE_STATE_WATCH_ACTION_REPORT,
                  .value = value ? qobject_copy(value) : NULL };
    g_ptr_array_add(d->watches, w);
    big_lock_observe(step);
    return true;
}

bool qmp_device_state_watch_delete(const char *id, Error **errp)
{
    guint i;
    Watched *d = find(id, &i);

    if (!d) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "there is no watch '%s'", id);
        error_argument(errp, "id", id, "an id that query-device-state-watches shows");
        return false;
    }
    g_ptr_array_remove_index(d->watches, i);
    if (!d->watches->len) {
        g_ptr_array_remove(watched, d);
    }
    if (!watched->len) {
        big_lock_observe(NULL);
    }
    return true;
}

DeviceStateWatchInfoList *qmp_query_device_state_watches(UNUSED Error **errp)
{
    DeviceStateWatchInfoList *list = qapi_new(DeviceStateWatchInfoList);

    for (guint i = 0; watched && i < watched->len; i++) {
        Watched *d = watched->pdata[i];
        g_autoptr(StateNode) tree = decode(d, d->was);

        for (guint k = 0; k < d->watches->len; k++) {
            const Watch *w = d->watches->pdata[k];
            DeviceStateWatchInfo *info = qapi_new(DeviceStateWatchInfo);
            size_t index;
            const StateNode *n = tree ? state_find(tree, w->field, &index) : NULL;

            info->id = strdup(w->id);
            info->path = strdup(w->path);
            info->field = strdup(w->field);
            info->action = w->action;
            info->changes = w->changes;
            info->current = state_field_at(n, n ? index : SIZE_MAX, w->field);
            info->gone = !d->dev->realized;
            qapi_list_append(list, info);
        }
    }
    return list;
}
