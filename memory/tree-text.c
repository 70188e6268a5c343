/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions and flat views as text, for "info mtree". */
#include "util/osdep.h"
#include "memory/memory.h"
#include "memory/memory-int.h"

static const char *kind_name(const MemRegion *mr)
{
    static const char *const names[] = {
        [MEM_CONTAINER] = "container", [MEM_RAM] = "ram", [MEM_ROM] = "rom",
        [MEM_ROMD] = "romd", [MEM_MMIO] = "i/o", [MEM_ALIAS] = "alias",
        [MEM_IOMMU] = "iommu",
    };
    return names[mr->kind];
}

static void print_tree(GString *out, const MemRegion *mr, hwaddr base, int depth)
{
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
    g_string_append_printf(out, "%s%s\n", mr->readonly ? " [read-only]" : "",
                           mr->enabled ? "" : " [disabled]");
    for (const MemRegion *c = mr->children; c; c = c->next) {
        print_tree(out, c, start, depth + 1);
    }
}

static void print_flat(GString *out, const FlatView *view)
{
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
        g_string_append_c(out, '\n');
    }
}

static int print_space(AddressSpace *as, void *opaque)
{
    struct { GString *out; bool flat; } *a = opaque;

    g_string_append_printf(a->out, "address-space: %s\n", as->name);
    if (a->flat) {
        print_flat(a->out, as->view);
    } else if (as->root) {
        print_tree(a->out, as->root, 0, 0);
    }
    g_string_append_c(a->out, '\n');
    return 0;
}

char *memory_tree_text(bool flat)
{
    struct { GString *out; bool flat; } a = { g_string_new(NULL), flat };

    address_space_foreach(print_space, &a);
    return g_string_free(a.out, FALSE);
}
