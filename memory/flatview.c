/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address spaces: the region tree flattened into sorted ranges.
 *
 * A transaction's outermost commit renders the view of each address space,
 * tells the listeners what went and what came, and publishes the new view by
 * one pointer store. Address spaces that show the same root (a PCI function's
 * DMA space is mostly an alias of all system memory) share one view.
 */
#include "util/osdep.h"
#include "memory/memory.h"
#include "memory/memory-int.h"

#include "util/rcu.h"

AddressSpace address_space_memory, address_space_io;

static MemRegion memory_root, io_root;
static AddressSpace *all_spaces;
static unsigned transaction_depth;
static bool changed;

/* --- rendering --- */

static void add_section(GArray *out, guint at, const MemSection *from,
                        hwaddr start, hwaddr last)
{
    MemSection s = *from;
    hwaddr skip = start - from->start;

    s.start = start;
    s.last = last;
    s.offset += skip;
    s.ram_offset += skip;
    if (s.host) {
        s.host += skip;
    }
    g_array_insert_val(out, at, s);
}

/* Fill the gaps of @out in the range of @s: whoever came first stays. */
static void fill_gaps(GArray *out, const MemSection *s)
{
    hwaddr pos = s->start;
    guint i = 0;

    while (i < out->len && g_array_index(out, MemSection, i).last < pos) {
        i++;
    }
    for (; i < out->len; i++) {
        MemSection old = g_array_index(out, MemSection, i);

        if (old.start > s->last) {
            break;
        }
        if (old.start > pos) {
            add_section(out, i, s, pos, old.start - 1);
            i++;
        }
        if (old.last >= s->last) {
            return;
        }
        pos = old.last + 1;
    }
    add_section(out, i, s, pos, s->last);
}

/*
 * Render what a window onto @mr shows. The window is span + 1 bytes from
 * @off in the region, and begins at @start in the address space.
 */
static void render(GArray *out, MemRegion *mr, uint64_t off, hwaddr start,
                   uint64_t span, bool readonly, unsigned depth)
{
    uint64_t mr_last = size_last(mr->size);
    MemSection s;

    /* A ring of aliases is a board's mistake; it ends here. */
    if (!mr->enabled || !mr->size || off > mr_last || depth > 64) {
        return;
    }
    span = MIN(span, mr_last - off);
    readonly |= mr->readonly;

    if (mr->kind == MEM_ALIAS) {
        if (off <= UINT64_MAX - mr->alias_offset) {
            render(out, mr->alias, off + mr->alias_offset, start, span, readonly,
                   depth + 1);
        }
        return;
    }
    for (MemRegion *c = mr->children; c; c = c->next) {
        uint64_t c_last, lo, hi;

        if (!c->size) {
            continue;
        }
        c_last = c->addr + MIN(size_last(c->size), UINT64_MAX - c->addr);
        lo = MAX(off, c->addr);
        hi = MIN(off + span, c_last);
        if (lo <= hi) {
            render(out, c, lo - c->addr, start + (lo - off), hi - lo, readonly,
                   depth + 1);
        }
    }
    if (mr->kind == MEM_CONTAINER) {
        return;
    }
    s = (MemSection){
        .start = start, .last = start + span, .mr = mr, .offset = off,
        .readonly = readonly,
    };
    if (mr->ram) {
        s.ram = mr->ram;
        s.ram_offset = off;
        if (mr->kind != MEM_ROMD) {
            s.host = mr->ram->host + off;
        } else {
            s.readonly = true;
            s.host = mr->romd ? mr->ram->host + off : NULL;
        }
    }
    fill_gaps(out, &s);
}

/* Is @next the continuation of @s? */
static bool joins(const MemSection *s, const MemSection *next)
{
    return s->last + 1 == next->start && s->mr == next->mr &&
           s->offset + (s->last - s->start) + 1 == next->offset &&
           s->readonly == next->readonly && !s->host == !next->host;
}

static FlatView *view_new(MemRegion *root)
{
    g_autoptr(GArray) out = g_array_new(FALSE, FALSE, sizeof(MemSection));
    FlatView *view;

    if (root) {
        render(out, root, 0, 0, UINT64_MAX, false, 0);
    }
    view = g_malloc0(sizeof(*view) + out->len * sizeof(MemSection));
    for (guint i = 0; i < out->len; i++) {
        MemSection *s = &g_array_index(out, MemSection, i);

        if (view->num && joins(&view->sections[view->num - 1], s)) {
            view->sections[view->num - 1].last = s->last;
        } else {
            view->sections[view->num++] = *s;
        }
    }
    return view;
}

static void view_unref(FlatView *view)
{
    if (view && --view->ref == 0) {
        rcu_call(g_free, view);
    }
}

/* The region that alone makes up all of @mr; NULL if nothing shows. */
static MemRegion *resolve_root(MemRegion *mr)
{
    for (unsigned depth = 0; mr && depth < 16; depth++) {
        MemRegion *only = NULL;
        unsigned n = 0;

        if (!mr->enabled) {
            return NULL;
        }
        if (mr->readonly) {
            return mr;
        }
        if (mr->kind == MEM_ALIAS) {
            if (mr->alias_offset || mr->size < mr->alias->size) {
                return mr;
            }
            mr = mr->alias;
            continue;
        }
        if (mr->kind != MEM_CONTAINER) {
            return mr;
        }
        for (MemRegion *c = mr->children; c; c = c->next) {
            if (c->enabled && c->size) {
                only = c;
                n++;
            }
        }
        if (n == 0) {
            return NULL;
        }
        if (n > 1 || only->addr || only->size > mr->size) {
            return mr;
        }
        mr = only;
    }
    return mr;
}

/* --- transactions --- */

static bool same_section(const MemSection *a, const MemSection *b)
{
    return a->start == b->start && a->last == b->last && a->mr == b->mr &&
           a->offset == b->offset && a->host == b->host &&
           a->readonly == b->readonly;
}

static bool same_view(const FlatView *a, const FlatView *b)
{
    if (a->num != b->num) {
        return false;
    }
    for (uint32_t i = 0; i < a->num; i++) {
        if (!same_section(&a->sections[i], &b->sections[i])) {
            return false;
        }
    }
    return true;
}

/* Walk both sorted views at once; @added tells which of the two kinds of
 * difference is reported to @l. */
static void tell(MemListener *l, const FlatView *old, const FlatView *new,
                 bool added)
{
    const FlatView *mine = added ? new : old, *other = added ? old : new;
    void (*fn)(MemListener *, const MemSection *) =
        added ? l->region_add : l->region_del;
    uint32_t j = 0;

    if (!fn || !mine) {
        return;
    }
    for (uint32_t i = 0; i < mine->num; i++) {
        const MemSection *s = &mine->sections[i];

        while (other && j < other->num && other->sections[j].start < s->start) {
            j++;
        }
        if (!other || j == other->num || !same_section(s, &other->sections[j])) {
            fn(l, s);
        }
    }
}

/* Listeners are kept in order of rising priority. */
static void tell_reverse(MemListener *l, const FlatView *old, const FlatView *new)
{
    if (l) {
        tell_reverse(l->next, old, new);
        tell(l, old, new, false);
    }
}

static void space_update(AddressSpace *as, GHashTable *views)
{
    MemRegion *root = resolve_root(as->root);
    FlatView *old = as->view, *new = g_hash_table_lookup(views, root);

    if (!new) {
        new = view_new(root);
        if (old && same_view(old, new)) {
            g_free(new);
            new = old;
        }
        new->ref++;             /* the table's */
        g_hash_table_insert(views, root, new);
    }
    if (new == old) {
        return;
    }
    new->ref++;
    for (MemListener *l = as->listeners; l; l = l->next) {
        if (l->begin) {
            l->begin(l);
        }
    }
    tell_reverse(as->listeners, old, new);
    for (MemListener *l = as->listeners; l; l = l->next) {
        tell(l, old, new, true);
    }
    rcu_store(&as->view, new);
    for (MemListener *l = as->listeners; l; l = l->next) {
        if (l->commit) {
            l->commit(l);
        }
    }
    view_unref(old);
}

static void views_value_unref(gpointer view)
{
    view_unref(view);
}

static void update_all(void)
{
    g_autoptr(GHashTable) views =
        g_hash_table_new_full(NULL, NULL, NULL, views_value_unref);

    for (AddressSpace *as = all_spaces; as; as = as->next) {
        space_update(as, views);
    }
}

void memory_changed(void)
{
    changed = true;
}

void memory_transaction_begin(void)
{
    transaction_depth++;
}

void memory_transaction_commit(void)
{
    assert(transaction_depth > 0);
    if (transaction_depth > 1) {
        transaction_depth--;
        return;
    }
    /* A listener that changes the tree has its change seen in the next round. */
    while (changed) {
        changed = false;
        update_all();
    }
    transaction_depth--;
}

/* --- address spaces --- */

static void system_spaces_init(void)
{
    if (!memory_root.name) {
        memory_region_init(&memory_root, NULL, "system", UINT64_MAX);
        memory_region_init(&io_root, NULL, "io", 65536);
        address_space_init(&address_space_memory, &memory_root, "memory");
        address_space_init(&address_space_io, &io_root, "I/O");
    }
}

CONSTRUCTOR static void memory_start(void)
{
    system_spaces_init();
}

MemRegion *system_memory(void)
{
    system_spaces_init();
    return &memory_root;
}

MemRegion *system_io(void)
{
    system_spaces_init();
    return &io_root;
}

void address_space_init(AddressSpace *as, MemRegion *root, const char *name)
{
    AddressSpace **p = &all_spaces;

    *as = (AddressSpace){ .name = g_strdup(name), .root = root };
    while (*p) {
        p = &(*p)->next;
    }
    *p = as;
    memory_transaction_begin();
    memory_changed();
    memory_transaction_commit();
}

static void free_late(void *p)
{
    g_free(p);
}

void address_space_cleanup(AddressSpace *as)
{
    FlatView *old = as->view;

    if (!as->name) {
        return;
    }
    for (AddressSpace **p = &all_spaces; *p; p = &(*p)->next) {
        if (*p == as) {
            *p = as->next;
            break;
        }
    }
    rcu_store(&as->view, NULL);
    view_unref(old);
    rcu_call(free_late, (char *)as->name);
    as->name = NULL;
    as->root = NULL;
}

int address_space_foreach(int (*fn)(AddressSpace *as, void *opaque),
                          void *opaque)
{
    for (AddressSpace *as = all_spaces; as; as = as->next) {
        int ret = fn(as, opaque);

        if (ret) {
            return ret;
        }
    }
    return 0;
}

void memory_listener_add(AddressSpace *as, MemListener *l)
{
    MemListener **p = &as->listeners;

    while (*p && (*p)->priority <= l->priority) {
        p = &(*p)->next;
    }
    l->as = as;
    l->next = *p;
    *p = l;
    if (l->begin) {
        l->begin(l);
    }
    tell(l, NULL, as->view, true);
    if (l->commit) {
        l->commit(l);
    }
}

void memory_listener_del(MemListener *l)
{
    if (!l->as) {
        return;
    }
    for (MemListener **p = &l->as->listeners; *p; p = &(*p)->next) {
        if (*p == l) {
            *p = l->next;
            break;
        }
    }
    if (l->begin) {
        l->begin(l);
    }
    tell(l, l->as->view, NULL, false);
    if (l->commit) {
        l->commit(l);
    }
    l->as = NULL;
}
