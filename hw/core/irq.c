/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt lines: free-standing ones, wiring, and those of devices. */
#include "util/osdep.h"
#include "hw/core/irq.h"
#include "hw/core/core-int.h"

IrqLine *irq_new(IrqHandler handler, void *opaque, int n)
{
    IrqLine *line = g_new0(IrqLine, 1);

    line->handler = handler;
    line->opaque = opaque;
    line->n = n;
    return line;
}

IrqLine **irq_new_array(IrqHandler handler, void *opaque, int n)
{
    IrqLine **lines = g_new0(IrqLine *, n);

    for (int i = 0; i < n; i++) {
        lines[i] = irq_new(handler, opaque, i);
    }
    return lines;
}

void irq_free(IrqLine *line)
{
    g_free(line);
}

void irq_free_array(IrqLine **lines, int n)
{
    for (int i = 0; lines && i < n; i++) {
        irq_free(lines[i]);
    }
    g_free(lines);
}

/* --- wiring: objects, so that they can go with their owner --- */

#define TYPE_IRQ_WIRE   "irq-wire"

typedef struct IrqWire {
    Object obj;
    IrqLine *out[2];
    IrqLine **in;
    int num_in;
    uint32_t *levels;           /* irq_or: a bit an input */
} IrqWire;

static void wire_finalize(Object *obj)
{
    IrqWire *w = (IrqWire *)obj;

    irq_free_array(w->in, w->num_in);
    g_free(w->levels);
}

static const TypeInfo wire_info = {
    .name = TYPE_IRQ_WIRE, .size = sizeof(IrqWire), .finalize = wire_finalize,
};
TYPE(wire_info)

static IrqWire *wire_new(void *owner, IrqHandler handler, int n)
{
    IrqWire *w = (IrqWire *)object_new(TYPE_IRQ_WIRE);

    w->in = irq_new_array(handler, w, n);
    w->num_in = n;
    if (owner) {
        object_add_child(owner, "irq-wire[*]", w);
        object_unref(w);
    }
    return w;
}

static void split_set(void *opaque, UNUSED int n, int level)
{
    IrqWire *w = opaque;

    irq_set(w->out[0], level);
    irq_set(w->out[1], level);
}

IrqLine *irq_split(void *owner, IrqLine *a, IrqLine *b)
{
    IrqWire *w = wire_new(owner, split_set, 1);

    w->out[0] = a;
    w->out[1] = b;
    return w->in[0];
}

static void invert_set(void *opaque, UNUSED int n, int level)
{
    irq_set(((IrqWire *)opaque)->out[0], !level);
}

IrqLine *irq_invert(void *owner, IrqLine *out)
{
    IrqWire *w = wire_new(owner, invert_set, 1);

    w->out[0] = out;
    return w->in[0];
}

static void or_set(void *opaque, int n, int level)
{
    IrqWire *w = opaque;
    bool any = false;

    if (level) {
        w->levels[n / 32] |= BIT(n % 32);
    } else {
        w->levels[n / 32] &= ~BIT(n % 32);
    }
    for (int i = 0; i < DIV_ROUND_UP(w->num_in, 32); i++) {
        any |= w->levels[i] != 0;
    }
    irq_set(w->out[0], any);
}

IrqLine **irq_or(void *owner, int n, IrqLine *out)
{
    IrqWire *w = wire_new(owner, or_set, n);

    w->levels = g_new0(uint32_t, DIV_ROUND_UP(n, 32));
    w->out[0] = out;
    return w->in;
}

/* --- lines of devices --- */

static IrqGroup *find_group(IrqGroup *g, const char *name)
{
    for (; g; g = g->next) {
        if (!g->dropped && !g_strcmp0(g->name, name)) {
            return g;
        }
    }
    return NULL;
}

static IrqGroup *get_group(Device *dev, IrqGroup **list, const char *name)
{
    IrqGroup *g = find_group(*list, name);

    if (!g) {
        g = g_new0(IrqGroup, 1);
        g->name = g_strdup(name);
        g->lines = g_ptr_array_new_with_free_func(g_free);
        g->pins = g_ptr_array_new();
        g->taps = g_ptr_array_new_with_free_func(g_free);
        g->from_realize = dev->realizing;
        g->next = *list;
        *list = g;
    }
    return g;
}

void device_init_irq_in_opaque(struct Device *dev, const char *name,
                               IrqHandler handler, void *opaque, int n)
{
    IrqGroup *g = get_group(dev, &dev->irqs_in, name);

    for (int i = 0; i < n; i++) {
        g_ptr_array_add(g->lines, irq_new(handler, opaque, g->lines->len));
    }
}

void device_init_irq_in(struct Device *dev, const char *name,
                        IrqHandler handler, int n)
{
    device_init_irq_in_opaque(dev, name, handler, dev, n);
}

void device_init_irq_out(struct Device *dev, const char *name, IrqLine **pins,
                         int n)
{
    IrqGroup *g = get_group(dev, &dev->irqs_out, name);

    for (int i = 0; i < n; i++) {
        pins[i] = NULL;
        g_ptr_array_add(g->pins, &pins[i]);
    }
}

IrqLine *device_irq_in(struct Device *dev, const char *name, int n)
{
    IrqGroup *g = find_group(dev->irqs_in, name);

    return g && n >= 0 && (guint)n < g->lines->len ? g_ptr_array_index(g->lines, n) : NULL;
}

static IrqLine **out_pin(struct Device *dev, const char *name, int n)
{
    IrqGroup *g = find_group(dev->irqs_out, name);

    return g && n >= 0 && (guint)n < g->pins->len ? g_ptr_array_index(g->pins, n) : NULL;
}

void device_connect_irq_out(struct Device *dev, const char *name, int n,
                            IrqLine *line)
{
    IrqLine **pin = out_pin(dev, name, n);

    assert(pin);
    *pin = line;
}

IrqLine *device_irq_out(struct Device *dev, const char *name, int n)
{
    IrqLine **pin = out_pin(dev, name, n);

    return pin ? *pin : NULL;
}

int device_num_irq_in(struct Device *dev, const char *name)
{
    IrqGroup *g = find_group(dev->irqs_in, name);

    return g ? (int)g->lines->len : 0;
}

int device_num_irq_out(struct Device *dev, const char *name)
{
    IrqGroup *g = find_group(dev->irqs_out, name);

    return g ? (int)g->pins->len : 0;
}

void device_drop_irqs(Device *dev)
{
    for (IrqGroup *g = dev->irqs_in; g; g = g->next) {
        g->dropped |= g->from_realize;
    }
    for (IrqGroup *g = dev->irqs_out; g; g = g->next) {
        g->dropped |= g->from_realize;
    }
}

static void free_groups(IrqGroup *g)
{
    while (g) {
        IrqGroup *next = g->next;

        g_ptr_array_unref(g->lines);
        g_ptr_array_unref(g->pins);
        g_ptr_array_unref(g->taps);
        g_free(g->name);
        g_free(g);
        g = next;
    }
}

void device_free_irqs(Device *dev)
{
    free_groups(dev->irqs_in);
    free_groups(dev->irqs_out);
}

/* --- interception --- */

typedef struct Tap {
    IrqObserver observer;
    void *opaque;
    int n;
    IrqLine behind;             /* the receiver as it was */
    IrqLine *out;               /* or the line that was connected, */
    IrqLine own;                /* and what is in its place */
} Tap;

static void tap_set(void *opaque, UNUSED int n, int level)
{
    Tap *tap = opaque;

    tap->observer(tap->opaque, tap->n, level);
    if (tap->behind.handler) {
        irq_set(&tap->behind, level);
    } else {
        irq_set(tap->out, level);
    }
}

static Tap *tap_new(IrqGroup *g, IrqObserver observer, void *opaque, int n)
{
    Tap *tap = g_new0(Tap, 1);

    g_ptr_array_add(g->taps, tap);
    tap->observer = observer;
    tap->opaque = opaque;
    tap->n = n;
    return tap;
}

bool device_intercept_irq_in(struct Device *dev, const char *name,
                             IrqObserver observer, void *opaque)
{
    IrqGroup *g = find_group(dev->irqs_in, name);

    for (guint i = 0; g && i < g->lines->len; i++) {
        IrqLine *line = g_ptr_array_index(g->lines, i);
        Tap *tap = tap_new(g, observer, opaque, i);

        tap->behind = *line;
        line->handler = tap_set;
        line->opaque = tap;
    }
    return g != NULL;
}

bool device_intercept_irq_out(struct Device *dev, const char *name,
                              IrqObserver observer, void *opaque)
{
    IrqGroup *g = find_group(dev->irqs_out, name);

    for (guint i = 0; g && i < g->pins->len; i++) {
        IrqLine **pin = g_ptr_array_index(g->pins, i);
        Tap *tap = tap_new(g, observer, opaque, i);

        tap->out = *pin;
        tap->own = (IrqLine){ .handler = tap_set, .opaque = tap };
        *pin = &tap->own;
    }
    return g != NULL;
}
