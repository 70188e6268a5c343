/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of devices' state by name, and what is different between two. They hold the saved forms, and what printers
 * made of them and of the guest's memory, which may be another when they are compared. */
#include "util/osdep.h"
#include "hw/core/state-view.h"

#include "hw/core/state-int.h"
#include "memory/memory.h"
#include "qapi/commands-device-state.h"
#include "util/timer.h"

#define SNAPSHOTS_MAX   16
#define BYTES_MAX       (256 * MIB)

typedef struct Saved {
    char *section;              /* owned; as data */
    const VmState *vm;          /* NULL: it has no saved state */
    const char *type;           /* "" for the state of no device */
    GByteArray *data;
    StateNode *printed;         /* owned; a struct of each printer; NULL: no device */
} Saved;

typedef struct Snapshot {
    char *name;                 /* owned */
    GPtrArray *devices;         /* of Saved */
    uint64_t bytes;
    int64_t clock_ns;
} Snapshot;

/* Registry by name, oldest first; big lock. */
static GPtrArray *snapshots;

static void saved_free(void *p)
{
    Saved *s = p;

    g_byte_array_unref(s->data);
    state_node_free(s->printed);
    g_free(s->section);
    g_free(s);
}

static void snapshot_free(Snapshot *s)
{
    if (s) {
        g_ptr_array_unref(s->devices);
        g_free(s->name);
        g_free(s);
    }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Snapshot, snapshot_free)

static Snapshot *find(const char *name, const char *argument, Error **errp)
{
    for (guint i = 0; snapshots && i < snapshots->len; i++) {
        Snapshot *s = snapshots->pdata[i];

        if (!strcmp(s->name, name)) {
            return s;
        }
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "there is no snapshot of devices called '%s'", name);
    error_argument(errp, argument, name, "a name that query-device-state-snapshots shows");
    return NULL;
}

/* Names of the sections of the devices at @path; NULL stands for all. */
static GHashTable *wanted_sections(const char *path, Error **errp)
{
    g_autoptr(GPtrArray) devices = state_devices(path, errp);
    GHashTable *set;

    if (!devices) {
        return NULL;
    }
    set = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < devices->len; i++) {
        g_hash_table_add(set, devices->pdata[i]);
    }
    return set;
}

static uint64_t size_of(const StateNode *n)
{
    uint64_t size = sizeof(*n) + n->num_bytes + n->num_numbers * sizeof(*n->numbers) + n->num_flags * sizeof(*n->flags) +
                    n->room * sizeof(*n->fields) + (n->text ? strlen(n->text) : 0);

    for (size_t i = 0; i < n->num_fields; i++) {
        size += size_of(n->fields[i]);
    }
    return size;
}

/* What is there now, without a name. */
static Snapshot *take(const char *path, Error **errp)
{
    g_autoptr(GPtrArray) owners = NULL;
    g_autoptr(GHashTable) wanted = path ? wanted_sections(path, errp) : NULL;
    g_autoptr(Snapshot) s = NULL;

    if (path && !wanted) {
        return NULL;
    }
    s = g_new0(Snapshot, 1);
    s->devices = g_ptr_array_new_with_free_func(saved_free);
    s->clock_ns = clock_get_ns(CLOCK_VIRTUAL);
    owners = state_owners();
    for (guint i = 0; i < owners->len; i++) {
        const StateOwner *o = owners->pdata[i];
        Saved *one;

        if (!(o->vm || o->dev) || (wanted && !g_hash_table_contains(wanted, o->dev)) || (o->dev && !o->dev->realized)) {
            continue;
        }
        one = g_new(Saved, 1);
        *one = (Saved){ g_strdup(o->name), o->vm, o->dev ? object_type_name(o->dev) : "", g_byte_array_new(), NULL };
        g_ptr_array_add(s->devices, one);
        if (!state_owner_peek(o, one->data, &one->printed, errp)) {
            return NULL;
        }
        s->bytes += one->data->len + (one->printed ? size_of(one->printed) : 0);
        if (s->bytes > BYTES_MAX) {
            error_setf(errp, ERR_OUT_OF_RANGE, "the devices have more than %" PRIu64 " MiB of state", BYTES_MAX / MIB);
            return NULL;
        }
    }
    return g_steal_pointer(&s);
}

bool qmp_device_state_snapshot(const char *name, const char *path, Error **errp)
{
    g_autoptr(Snapshot) s = NULL;
    uint64_t bytes;
    guint others = 0;

    if (!*name || strlen(name) > 255) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "a snapshot's name has 1 to 255 characters");
        error_argument(errp, "name", NULL, "1 to 255 characters");
        return false;
    }
    s = take(path, errp);
    if (!s) {
        return false;
    }
    s->name = g_strdup(name);
    bytes = s->bytes;
    for (guint i = 0; snapshots && i < snapshots->len; i++) {
        const Snapshot *other = snapshots->pdata[i];

        if (strcmp(other->name, name)) {
            bytes += other->bytes;
            others++;
        }
    }
    if (others >= SNAPSHOTS_MAX || bytes > BYTES_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "there are %u snapshots of devices; accepted: %d, of %" PRIu64 " MiB in all",
                   others, SNAPSHOTS_MAX, BYTES_MAX / MIB);
        error_hint(errp, "device-state-snapshot-delete makes room");
        return false;
    }
    if (!snapshots) {
        snapshots = g_ptr_array_new_with_free_func((GDestroyNotify)snapshot_free);
    }
    qmp_device_state_snapshot_delete(name, NULL);
    g_ptr_array_add(snapshots, g_steal_pointer(&s));
    return true;
}

bool qmp_device_state_snapshot_delete(const char *name, Error **errp)
{
    Snapshot *s = find(name, "name", errp);

    if (s) {
        g_ptr_array_remove(snapshots, s);
    }
    return s != NULL;
}

DeviceStateSnapshotInfoList *qmp_query_device_state_snapshots(UNUSED Error **errp)
{
    DeviceStateSnapshotInfoList *list = qapi_new(DeviceStateSnapshotInfoList);

    for (guint i = 0; snapshots && i < snapshots->len; i++) {
        const Snapshot *s = snapshots->pdata[i];
        DeviceStateSnapshotInfo *info = qapi_new(DeviceStateSnapshotInfo);

        info->name = strdup(s->name);
        info->devices = s->devices->len;
        info->size = s->bytes;
        info->clock = s->clock_ns;
        qapi_list_append(list, info);
    }
    return list;
}

/* ------------------------------------------------------------ differences */

static Saved *saved_of(const Snapshot *s, const char *section)
{
    for (guint i = 0; i < s->devices->len; i++) {
        Saved *one = s->devices->pdata[i];

        if (!strcmp(one->section, section)) {
            return one;
        }
    }
    return NULL;
}

/* A number of an array or a byte as a field of its own. */
static DeviceStateField *element_field(const StateNode *n, size_t index, const char *path)
{
    StateNode one = { .kind = n->is_signed ? STATE_INT : STATE_UINT, .bits = n->bits,
                      .u = state_number(n, index), .name = (char *)path };

    if (n->kind == STATE_BYTES) {
        one.bits = 8;
    }
    return state_node_field(&one, NULL, false);
}

DeviceStateField *state_field_at(const StateNode *n, size_t index, const char *path)
{
    return !n ? NULL : index == SIZE_MAX ? state_node_field(n, NULL, false) : element_field(n, index, path);
}

typedef struct Changes {
    DeviceStateChangeList *list;
    const char *printer;        /* who tells; NULL: the saved state */
} Changes;

static void add_change(const char *path, const StateNode *a, const StateNode *b, size_t index, void *opaque)
{
    const Changes *changes = opaque;
    DeviceStateChange *change = qapi_new(DeviceStateChange);

    change->printer = changes->printer ? strdup(changes->printer) : NULL;
    change->field = strdup(path);
    change->was = state_field_at(a, index, path);
    change->is = state_field_at(b, index, path);
    qapi_list_append(changes->list, change);
}

static const StateNode *printed_by(const StateNode *root, const char *name)
{
    for (size_t i = 0; root && i < root->num_fields; i++) {
        if (!strcmp(root->fields[i]->name, name)) {
            return root->fields[i];
        }
    }
    return NULL;
}

/* A printer that had nothing to say is one that said nothing. */
static void add_printed(DeviceStateChangeList *list, const StateNode *a, const StateNode *b)
{
    g_autoptr(StateNode) nothing = state_node_new("");

    for (size_t i = 0; a && i < a->num_fields; i++) {
        const char *name = a->fields[i]->name;
        const StateNode *is = printed_by(b, name);
        Changes changes = { list, name };

        state_diff(a->fields[i], is ? is : nothing, add_change, &changes);
    }
    for (size_t i = 0; b && i < b->num_fields; i++) {
        Changes changes = { list, b->fields[i]->name };

        if (!printed_by(a, changes.printer)) {
            state_diff(nothing, b->fields[i], add_change, &changes);
        }
    }
}

static char *path_of_section(const char *section)
{
    g_autoptr(GPtrArray) owners = state_owners();

    for (guint i = 0; i < owners->len; i++) {
        const StateOwner *o = owners->pdata[i];

        if (o->dev && !strcmp(o->name, section)) {
            return object_canonical_path(o->dev);
        }
    }
    return NULL;
}

static DeviceStateDifference *difference_new(const Saved *one)
{
    DeviceStateDifference *d = qapi_new(DeviceStateDifference);
    g_autofree char *path = path_of_section(one->section);

    d->section = strdup(one->section);
    d->path = path ? strdup(path) : NULL;
    d->type = strdup(one->type);
    d->changes = qapi_new(DeviceStateChangeList);
    return d;
}

static bool add_saved(DeviceStateChangeList *list, const Saved *was, const Saved *is, Error **errp)
{
    g_autoptr(StateNode) a = NULL, b = NULL;
    Changes changes = { list, NULL };

    if (!was->vm || !is->vm || (was->data->len == is->data->len && !memcmp(was->data->data, is->data->data, was->data->len))) {
        return true;
    }
    a = vm_show(was->vm, was->data->data, was->data->len, errp);
    b = a ? vm_show(is->vm, is->data->data, is->data->len, errp) : NULL;
    if (b) {
        state_diff(a, b, add_change, &changes);
    }
    return b;
}

static bool compare_one(DeviceStateDifferenceList *list, const Saved *was, const Saved *is, Error **errp)
{
    DeviceStateDifference *d = difference_new(is);

    if (!add_saved(d->changes, was, is, errp)) {
        qapi_free_DeviceStateDifference(d);
        return false;
    }
    add_printed(d->changes, was->printed, is->printed);
    if (d->changes->n) {
        qapi_list_append(list, d);
    } else {
        qapi_free_DeviceStateDifference(d);
    }
    return true;
}

static bool compare(DeviceStateDifferenceList *list, const Snapshot *from, const Snapshot *to, Error **errp)
{
    for (guint i = 0; i < from->devices->len; i++) {
        const Saved *was = from->devices->pdata[i], *is = saved_of(to, was->section);

        if (!is) {
            DeviceStateDifference *d = difference_new(was);

            d->gone = true;
            qapi_list_append(list, d);
        } else if (!compare_one(list, was, is, errp)) {
            return false;
        }
    }
    for (guint i = 0; i < to->devices->len; i++) {
        const Saved *is = to->devices->pdata[i];

        if (!saved_of(from, is->section)) {
            DeviceStateDifference *d = difference_new(is);

            d->new = true;
            qapi_list_append(list, d);
        }
    }
    return true;
}

/* The part of @s that is of the devices at @path. Borrows the states. */
static Snapshot *part_of(const Snapshot *s, const char *path, Error **errp)
{
    g_autoptr(GHashTable) wanted = wanted_sections(path, errp);
    g_autoptr(GPtrArray) owners = NULL;
    Snapshot *part;

    if (!wanted) {
        return NULL;
    }
    part = g_new0(Snapshot, 1);
    part->devices = g_ptr_array_new();
    owners = state_owners();
    for (guint i = 0; i < owners->len; i++) {
        const StateOwner *o = owners->pdata[i];
        Saved *one = o->dev && g_hash_table_contains(wanted, o->dev) ? saved_of(s, o->name) : NULL;

        if (one) {
            g_ptr_array_add(part->devices, one);
        }
    }
    return part;
}

DeviceStateDifferenceList *qmp_compare_device_state(const char *from, const char *to, const char *path,
                                                    Error **errp)
{
    const Snapshot *a = find(from, "from", errp), *b = NULL;
    g_autoptr(Snapshot) now = NULL, part_a = NULL, part_b = NULL;
    DeviceStateDifferenceList *list;

    if (!a) {
        return NULL;
    }
    if (to) {
        b = find(to, "to", errp);
    } else {
        b = now = take(path, errp);
        a = find(from, "from", errp);           /* taking may have waited for a CPU */
    }
    if (!a || !b) {
        return NULL;
    }
    if (path) {
        part_a = part_of(a, path, errp);
        part_b = part_a ? part_of(b, path, errp) : NULL;
        if (!part_b) {
            return NULL;
        }
        a = part_a;
        b = part_b;
    }
    list = qapi_new(DeviceStateDifferenceList);
    if (!compare(list, a, b, errp)) {
        qapi_free_DeviceStateDifferenceList(list);
        return NULL;
    }
    return list;
}
