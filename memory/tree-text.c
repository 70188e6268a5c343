/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions and flat views as text, for "info mtree". */
#include "util/osdep.h"
#include "memory/memory.h"
#include "memory/memory-int.h"
#include "qom/object.h"

typedef struct Out {
    GString *text;
    unsigned flags;                 /* MEM_TREE_ */
} Out;

static const char *kind_name(const MemRegion *mr)
{
    static const char *const names[] = {
        [MEM_CONTAINER] = "container", [MEM_RAM] = "ram", [MEM_ROM] = "rom",
        [MEM_ROMD] = "romd", [MEM_MMIO] = "i/o", [MEM_ALIAS] = "alias",
        [MEM_IOMMU] = "iommu",
    };
    return names[mr->kind];
}

static void print_owner(Out *o, const MemRegion *mr)
{
    char *path = o->flags & MEM_TREE_OWNERS && mr->owner ? object_canonical_path(mr->owner) : NULL;

    if (path) {
        g_string_append_printf(o->text, " owner:{obj path=%s}", path);
    } else if (o->flags & MEM_TREE_OWNERS) {
        g_string_append(o->text, mr->owner ? " owner:{obj without a path}" : " orphan");
    }
    g_free(path);
}

static void print_tree(Out *o, const MemRegion *mr, hwaddr base, int depth)
{
    GString *out = o->text;
    hwaddr start = base + mr->addr, last = start + (mr->size ? size_last(mr->size) : 0);

    if (depth > 32) {
        return;
    }
    g_string_append_printf(out, "%*s%016" PRIx64 "-%016" PRIx64 " (prio %d, %s): ",
                           2 * depth + 2, "", start, last, mr->priority, kind_name(mr));
    if (mr->kind == MEM_ALIAS) {
        g_string_append_printf(out, "alias %s @%s %016" PRIx64 "-%016" PRIx64,
                               mr->name, mr->alias->name, mr->alias_offset,
                               mr->alias_offset + (mr->size ? size_last(mr->size) : 0));
    } else {
        g_string_append(out, mr->name);
    }
    g_string_append_printf(out, "%s%s", mr->readonly ? " [read-only]" : "",
                           mr->enabled ? "" : " [disabled]");
    print_owner(o, mr);
    g_string_append_c(out, '\n');
    for (const MemRegion *c = mr->children; c; c = c->next) {
        print_tree(o, c, start, depth + 1);
    }
}

/* Where an access to the section's first byte ends. */
static void print_target(GString *out, uint32_t number, const MemSection *s)
{
    g_string_append_printf(out, "    #%u ", number);
    if (s->host) {
        g_string_append_printf(out, "%sblock '%s' @%016" PRIx64 "\n", s->readonly ? "reads: " : "", s->ram->id, s->ram_offset);
    } else {
        g_string_append_printf(out, "%s of %s @%016" PRIx64 "\n", s->mr->kind == MEM_IOMMU ? "translation" : "functions",
                               s->mr->name, s->offset);
    }
}

/* A look-up halves what is left of the sections until one is. */
static void print_dispatch(GString *out, const FlatView *view)
{
    unsigned steps = 0;

    while (view->num >> steps) {
        steps++;
    }
    g_string_append_printf(out, "  Dispatch: %u sections, by address, found in up to %u steps\n", view->num, steps);
    for (uint32_t i = 0; i < view->num; i++) {
        print_target(out, i, &view->sections[i]);
    }
}

static void print_flat(Out *o, const FlatView *view)
{
    GString *out = o->text;

    if (!view || !view->num) {
        g_string_append(out, "  No rendered FlatView\n");
        return;
    }
    for (uint32_t i = 0; i < view->num; i++) {
        const MemSection *s = &view->sections[i];

        g_string_append_printf(out, "  %016" PRIx64 "-%016" PRIx64 " (prio %d, %s): %s",
                               s->start, s->last, s->mr->priority,
                               s->host && s->readonly ? "rom" : kind_name(s->mr),
                               s->mr->name);
        if (s->offset) {
            g_string_append_printf(out, " @%016" PRIx64, s->offset);
        }
        print_owner(o, s->mr);
        g_string_append_c(out, '\n');
    }
    if (o->flags & MEM_TREE_DISPATCH) {
        print_dispatch(out, view);
    }
}

static int print_space(AddressSpace *as, void *opaque)
{
    Out *o = opaque;

    g_string_append_printf(o->text, "address-space: %s\n", as->name);
    if (o->flags & MEM_TREE_FLAT) {
        print_flat(o, as->view);
    } else if (as->root) {
        print_tree(o, as->root, 0, 0);
    }
    g_string_append_c(o->text, '\n');
    return 0;
}

char *memory_tree_text(unsigned flags)
{
    Out o = { g_string_new(NULL), flags };

    address_space_foreach(print_space, &o);
    return g_string_free(o.text, FALSE);
}
