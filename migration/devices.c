/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "migration/devices.h"

#include "hw/core/state-view.h"
#include "memory/memory.h"
#include "qobject/qobject.h"
#include "util/rcu.h"

typedef struct Section {
    char *name;                 /* owned; as the next */
    uint8_t *data;
    size_t len;
} Section;

struct MigDevices {
    GPtrArray *sections;        /* of Section, in order */
    GHashTable *by_name;        /* to Section */
    QList *description;         /* owned; NULL when it was read */
    QList *memory;              /* owned; the same: where RAM is */
};

#define SECTIONS_MAX    65536

/* --------------------------------------------------- what this machine has */

/* Those that have any; owned. */
static GPtrArray *owners(void)
{
    GPtrArray *all = state_owners();

    for (guint i = all->len; i-- > 0; ) {
        if (!((StateOwner *)all->pdata[i])->vm) {
            g_ptr_array_remove_index(all, i);
        }
    }
    return all;
}

struct QList *mig_device_names(void)
{
    g_autoptr(GPtrArray) all = owners();
    QList *names = qlist_new();

    for (guint i = 0; i < all->len; i++) {
        qlist_append_str(names, ((StateOwner *)all->pdata[i])->name);
    }
    return names;
}

static bool missing_here(const char *name, Error **errp)
{
    error_setf(errp, ERR_STATE_INVALID,
               "the stream has the state of '%s', which this machine doesn't have", name);
    error_subject(errp, name);
    return false;
}

static bool missing_there(const char *name, Error **errp)
{
    error_setf(errp, ERR_STATE_INVALID, "the stream has no state of '%s', which this machine has",
               name);
    error_subject(errp, name);
    return false;
}

bool mig_device_names_check(const struct QList *names, Error **errp)
{
    g_autoptr(GPtrArray) all = owners();
    g_autoptr(GHashTable) here = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < all->len; i++) {
        g_hash_table_add(here, ((StateOwner *)all->pdata[i])->name);
    }
    QLIST_FOR_EACH(e, names) {
        const char *name = qobject_get_str(e, "devices", errp);

        if (!name) {
            return false;
        }
        if (!g_hash_table_remove(here, name)) {
            return missing_here(name, errp);
        }
    }
    for (guint i = 0; i < all->len; i++) {
        const char *name = ((StateOwner *)all->pdata[i])->name;

        if (g_hash_table_contains(here, name)) {
            return missing_there(name, errp);
        }
    }
    return true;
}

/* ---------------------------------------------------------------- sections */

static void section_free(void *p)
{
    Section *s = p;

    g_free(s->name);
    g_free(s->data);
    g_free(s);
}

MigDevices *mig_devices_new(void)
{
    MigDevices *d = g_new0(MigDevices, 1);

    d->sections = g_ptr_array_new_with_free_func(section_free);
    d->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    return d;
}

void mig_devices_free(MigDevices *d)
{
    if (d) {
        g_hash_table_unref(d->by_name);
        g_ptr_array_unref(d->sections);
        qobject_unref(d->description);
        qobject_unref(d->memory);
        g_free(d);
    }
}

static void add_section(MigDevices *d, char *name, uint8_t *data, size_t len)
{
    Section *s = g_new(Section, 1);

    *s = (Section){ name, data, len };
    g_ptr_array_add(d->sections, s);
    g_hash_table_insert(d->by_name, s->name, s);
}

/* Where CPUs find RAM and ROM, for those who read addresses in a stream: address, bytes, block and offset there. */
static QList *memory_map(void)
{
    QList *map = qlist_new();
    const FlatView *view;
    RCU_READ_GUARD();

    view = rcu_load(&address_space_memory.view);
    for (uint32_t i = 0; view && i < view->num; i++) {
        const MemSection *s = &view->sections[i];

        if (s->host) {
            QDict *d = qdict_new();

            qdict_put_uint(d, "address", s->start);
            qdict_put_uint(d, "size", s->last - s->start + 1);
            qdict_put_str(d, "ram", s->ram->id);
            qdict_put_uint(d, "offset", s->ram_offset);
            qdict_put_str(d, "region", memory_region_name(s->mr));
            qlist_append(map, d);
        }
    }
    return map;
}

MigDevices *mig_devices_save(Error **errp)
{
    g_autoptr(GPtrArray) all = owners();
    MigDevices *d = mig_devices_new();

    d->description = qlist_new();
    d->memory = memory_map();
    for (guint i = 0; i < all->len; i++) {
        const StateOwner *o = all->pdata[i];
        GByteArray *out = g_byte_array_new();
        gsize len;
        uint8_t *data;

        if (!vm_save(o->vm, o->name, o->opaque, out, errp)) {
            error_prepend(errp, "'%s' can't be saved: ", o->name);
            g_byte_array_unref(out);
            mig_devices_free(d);
            return NULL;
        }
        data = g_byte_array_steal(out, &len);
        g_byte_array_unref(out);
        add_section(d, g_strdup(o->name), data, len);
        qlist_append(d->description, vm_describe(o->vm, o->name));
    }
    return d;
}

bool mig_devices_write(const MigDevices *d, MigWriter *w, Error **errp)
{
    QDict *desc;
    bool ok;

    for (guint i = 0; i < d->sections->len; i++) {
        const Section *s = d->sections->pdata[i];

        mig_begin(w, MIG_DEVI);
        mig_put_u16(w, (uint16_t)strlen(s->name));
        mig_put(w, s->name, strlen(s->name));
        mig_put(w, s->data, s->len);
        if (!mig_end(w, errp)) {
            error_prepend(errp, "'%s': ", s->name);
            return false;
        }
    }
    desc = qdict_new();
    qdict_put(desc, "devices", qobject_ref(d->description));
    qdict_put(desc, "memory", qobject_ref(d->memory));
    ok = mig_put_json(w, MIG_DESC, QOBJECT(desc), errp);
    qobject_unref(desc);
    return ok;
}

bool mig_devices_read(MigDevices *d, MigReader *r, Error **errp)
{
    const char *at;
    uint16_t len;
    char *name;
    size_t left;

    if (!mig_get_u16(r, &len, errp) || !(at = mig_get(r, len, errp))) {
        return false;
    }
    name = g_strndup(at, len);
    if (!*name || strlen(name) != len || !g_utf8_validate(name, -1, NULL)) {
        error_setf(errp, ERR_STATE_INVALID, "a device of the stream has no valid name");
        g_free(name);
        return false;
    }
    if (g_hash_table_contains(d->by_name, name) || d->sections->len >= SECTIONS_MAX) {
        error_setf(errp, ERR_STATE_INVALID, "the stream has the state of '%s' twice", name);
        g_free(name);
        return false;
    }
    left = mig_left(r);
    add_section(d, name, g_memdup2(mig_get(r, left, NULL), left), left);
    return true;
}

void mig_devices_foreach(const MigDevices *d, void (*fn)(const char *name, const void *data, size_t len, void *opaque),
                         void *opaque)
{
    for (guint i = 0; i < d->sections->len; i++) {
        const Section *s = d->sections->pdata[i];

        fn(s->name, s->data, s->len, opaque);
    }
}

static StateOwner *find_owner(const GPtrArray *all, const char *name)
{
    for (guint i = 0; i < all->len; i++) {
        StateOwner *o = all->pdata[i];

        if (!strcmp(o->name, name)) {
            return o;
        }
    }
    return NULL;
}

bool mig_devices_load(MigDevices *d, Error **errp)
{
    g_autoptr(GPtrArray) all = owners();

    for (guint i = 0; i < d->sections->len; i++) {
        const Section *s = d->sections->pdata[i];

        if (!find_owner(all, s->name)) {
            return missing_here(s->name, errp);
        }
    }
    for (guint i = 0; i < all->len; i++) {
        const StateOwner *o = all->pdata[i];

        if (!g_hash_table_contains(d->by_name, o->name)) {
            return missing_there(o->name, errp);
        }
    }
    for (guint i = 0; i < d->sections->len; i++) {
        const Section *s = d->sections->pdata[i];
        const StateOwner *o = find_owner(all, s->name);
        size_t used;

        if (!vm_load(o->vm, o->name, o->opaque, s->data, s->len, &used, errp)) {
            error_subject(errp, s->name);
            return false;
        }
        if (used != s->len) {
            error_setf(errp, ERR_STATE_INVALID, "the state of '%s' has %zu bytes too many",
                       s->name, s->len - used);
            return false;
        }
    }
    return true;
}
