/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making the view of a device: saved state, its meaning, printers, and all that as the schema's types. */
#include "util/osdep.h"
#include "hw/core/state-view.h"
#include "hw/core/core-int.h"
#include "hw/core/state-int.h"
#include "hw/core/cpu.h"

#include "memory/memory.h"
#include "qobject/qobject.h"

/* Numbers of an array, and bytes, that are shown without "all". */
#define NUMBERS_SHOWN   256
#define BYTES_SHOWN     64

/* --- for printers --- */

bool state_view_read(const StateView *v, uint64_t addr, void *buf, size_t len)
{
    if (v->memory && v->memory->read(v->memory->opaque, addr, buf, len)) {
        return true;
    }
    memset(buf, 0, len);
    return false;
}

uint64_t state_view_get(const StateView *v, const char *fmt, ...)
{
    g_autofree char *path = NULL;
    va_list ap;

    if (!v->saved) {
        return 0;
    }
    va_start(ap, fmt);
    path = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    return state_get(v->saved, path, 0);
}

StateNode *state_view_add_set_bits(const StateView *v, StateNode *into, const char *name, const char *path)
{
    StateNode *n = state_add(into, name, STATE_ARRAY);
    size_t index;
    const StateNode *map = v->saved ? state_find(v->saved, path, &index) : NULL;

    for (size_t i = 0; map && i < map->num_numbers; i++) {
        for (unsigned bit = 0; bit < 32; bit++) {
            if (map->numbers[i] >> bit & 1) {
                state_add_number(n, 32 * i + bit);
            }
        }
    }
    return n;
}

/* --- as the schema's types --- */

static QObject *hex(const uint8_t *data, size_t len)
{
    g_autoptr(GString) s = g_string_sized_new(2 * len);

    for (size_t i = 0; i < len; i++) {
        g_string_append_printf(s, "%02x", data[i]);
    }
    return qstring_from(s->str);
}

static QObject *numbers(const StateNode *n, size_t count)
{
    QList *l = qlist_new();

    for (size_t i = 0; i < count; i++) {
        qlist_append(l, n->is_signed ? qnum_from_int((int64_t)n->numbers[i]) : qnum_from_uint(n->numbers[i]));
    }
    return QOBJECT(l);
}

static QObject *real(uint64_t bits)
{
    double d;

    memcpy(&d, &bits, sizeof(d));
    /* JSON has no infinities. */
    return d - d == 0 ? qnum_from_double(d) : qstring_from_printf("%g", d);
}

struct QObject *state_node_value(const StateNode *n, bool all)
{
    switch (n->kind) {
    case STATE_BOOL:
        return qbool_from(n->u);
    case STATE_UINT:
        return qnum_from_uint(n->u);
    case STATE_INT:
    case STATE_TIME:
        return qnum_from_int((int64_t)n->u);
    case STATE_REAL:
        return real(n->u);
    case STATE_TEXT:
        return qstring_from(n->text ? n->text : "");
    case STATE_BYTES:
        return n->payload && !all ? NULL : hex(n->bytes, all ? n->num_bytes : MIN(n->num_bytes, BYTES_SHOWN));
    case STATE_ARRAY:
        return n->num_fields || (n->payload && !all) ? NULL
               : numbers(n, all ? n->num_numbers : MIN(n->num_numbers, NUMBERS_SHOWN));
    default:
        return NULL;
    }
}

static char *dup_or_null(const char *text)
{
    return text ? strdup(text) : NULL;
}

static bool is_zero(const StateNode *n)
{
    if (n->u || n->num_bytes || (n->text && *n->text)) {
        return false;
    }
    for (size_t i = 0; i < n->num_numbers; i++) {
        if (n->numbers[i]) {
            return false;
        }
    }
    for (size_t i = 0; i < n->num_fields; i++) {
        if (!is_zero(n->fields[i])) {
            return false;
        }
    }
    return true;
}

/* Of a long table that was saved, slots that hold nothing say nothing. */
static bool leave_out(const StateNode *parent, const StateNode *n, bool all)
{
    return !all && parent->kind == STATE_ARRAY && parent->type && parent->num_fields > 8 && is_zero(n);
}

static DeviceStateFieldList *fields_of(const StateNode *n, const StateMemory *memory, bool all)
{
    DeviceStateFieldList *list = qapi_new(DeviceStateFieldList);

    for (size_t i = 0; i < n->num_fields; i++) {
        if (!leave_out(n, n->fields[i], all)) {
            qapi_list_append(list, state_node_field(n->fields[i], memory, all));
        }
    }
    return list;
}

static void set_count(DeviceStateField *f, const StateNode *n, bool all)
{
    size_t count = n->num_bytes + n->num_numbers;
    size_t shown = n->kind == STATE_BYTES ? BYTES_SHOWN : NUMBERS_SHOWN;

    if (count > (all ? SIZE_MAX : n->payload ? 0 : shown)) {
        QAPI_SET(f, count, count);
    }
}

static DeviceStateFlagList *flags_of(const StateNode *n)
{
    DeviceStateFlagList *list = qapi_new(DeviceStateFlagList);

    for (size_t i = 0; i < n->num_flags; i++) {
        DeviceStateFlag *flag = qapi_new(DeviceStateFlag);

        flag->name = strdup(n->flags[i].name);
        flag->value = n->flags[i].value;
        qapi_list_append(list, flag);
    }
    return list;
}

DeviceStateField *state_node_field(const StateNode *n, const StateMemory *memory, bool all)
{
    static const DeviceStateKind kinds[STATE__MAX] = {
        [STATE_BOOL] = DEVICE_STATE_KIND_BOOL, [STATE_UINT] = DEVICE_STATE_KIND_UNSIGNED,
        [STATE_INT] = DEVICE_STATE_KIND_SIGNED, [STATE_REAL] = DEVICE_STATE_KIND_REAL,
        [STATE_TIME] = DEVICE_STATE_KIND_TIME, [STATE_TEXT] = DEVICE_STATE_KIND_TEXT,
        [STATE_BYTES] = DEVICE_STATE_KIND_BYTES, [STATE_STRUCT] = DEVICE_STATE_KIND_STRUCT,
        [STATE_ARRAY] = DEVICE_STATE_KIND_ARRAY, [STATE_QUEUE] = DEVICE_STATE_KIND_QUEUE,
    };
    DeviceStateField *f = qapi_new(DeviceStateField);

    f->name = strdup(n->name);
    f->kind = kinds[n->kind];
    f->saved_as = dup_or_null(n->type);
    f->help = dup_or_null(n->help);
    if (n->bits) {
        QAPI_SET(f, bits, n->bits);
    }
    f->value = state_node_value(n, all);
    set_count(f, n, all);
    f->word = dup_or_null(n->word);
    f->meaning = dup_or_null(n->meaning);
    f->payload = dup_or_null(n->payload);
    if (n->num_flags) {
        f->flags = flags_of(n);
    }
    if (n->address && memory) {
        g_autofree char *where = memory->where(memory->opaque, n->u);

        f->region = strdup(where ? where : "nothing is there");
    }
    if (n->num_fields || n->kind == STATE_STRUCT || n->kind == STATE_QUEUE) {
        f->fields = fields_of(n, memory, all);
        if (f->fields->n != n->num_fields) {
            QAPI_SET(f, count, n->num_fields);
        }
    }
    return f;
}

static void add_section(DeviceStateInfo *info, const char *name, const char *help, const StateNode *n,
                        const StateMemory *memory, bool all)
{
    DeviceStateSection *s = qapi_new(DeviceStateSection);

    s->name = strdup(name);
    s->help = dup_or_null(help);
    s->fields = fields_of(n, memory, all);
    qapi_list_append(info->sections, s);
}

/* What the printers of the device's type say: a struct for each that says something, called as it is. */
static StateNode *print_sections(StateView *v)
{
    StateNode *root = state_node_new("");
    const DeviceType *chain[DEVICE_DEPTH_MAX];
    unsigned n = v->type && type_is_a(v->type, TYPE_DEVICE) ? device_type_chain(v->type, chain) : 0;

    for (unsigned i = 0; i < n; i++) {
        for (const StatePrinter *p = chain[i]->printers; p && p->name; p++) {
            StateNode *into = state_add_struct(root, p->name);

            into->help = p->help;
            p->print(v, into);
            if (!into->num_fields) {
                state_node_free(root->fields[--root->num_fields]);
            }
        }
    }
    return root;
}

DeviceStateInfo *state_view_make(const Type *type, Device *dev, const void *data, size_t len,
                                 const StateMemory *memory, bool all)
{
    DeviceStateInfo *info = qapi_new(DeviceStateInfo);
    g_autoptr(StateNode) saved = NULL, printed = NULL;
    StateView v = { dev, type, NULL, memory, all };

    info->sections = qapi_new(DeviceStateSectionList);
    info->type = strdup(type ? type_name(type) : "");
    if (data) {
        const VmState *vm = type && type_is_a(type, TYPE_DEVICE) ? device_type_vm(type) : NULL;
        Error *err = NULL;

        saved = vm_show(vm, data, len, &err);
        if (!saved) {
            info->error = strdup(error_message(err));
            error_free(err);
            return info;
        }
        add_section(info, "saved", NULL, saved, memory, all);
    }
    v.saved = saved;
    printed = print_sections(&v);
    for (size_t i = 0; i < printed->num_fields; i++) {
        add_section(info, printed->fields[i]->name, printed->fields[i]->help, printed->fields[i], memory, all);
    }
    return info;
}

/* --- of a device as it is now --- */

static bool live_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
    return address_space_peek(opaque, addr, buf, len);
}

static char *live_where(void *opaque, uint64_t addr)
{
    return address_space_where(opaque, addr);
}

/* Where the device's DMA goes: the nearest type that says so. */
static AddressSpace *dma_space(Device *dev)
{
    const DeviceType *chain[DEVICE_DEPTH_MAX];
    unsigned n = device_type_chain(dev->obj.type, chain);

    while (n--) {
        if (chain[n]->dma_space) {
            AddressSpace *as = chain[n]->dma_space(dev);

            return as ? as : &address_space_memory;
        }
    }
    return &address_space_memory;
}

typedef struct Look {
    Device *dev;
    bool all;
    DeviceStateInfo *info;
} Look;

static void look(Look *l)
{
    const VmState *vm = device_type_vm(l->dev->obj.type);
    StateMemory memory = { live_read, live_where, dma_space(l->dev) };
    g_autoptr(GByteArray) data = g_byte_array_new();
    g_autofree char *path = object_canonical_path(l->dev), *section = device_section_name(l->dev);
    Error *err = NULL;

    if (vm && !vm_peek(vm, section, l->dev, data, &err)) {
        l->info = state_view_make(l->dev->obj.type, l->dev, NULL, 0, &memory, l->all);
        l->info->error = strdup(error_message(err));
        error_free(err);
    } else {
        l->info = state_view_make(l->dev->obj.type, l->dev, vm ? data->data : NULL, data->len, &memory, l->all);
    }
    l->info->path = strdup(path ? path : "");
    l->info->id = dup_or_null(l->dev->id);
    l->info->section = vm ? strdup(section) : NULL;
}

static void look_parked(Look *l)
{
    LOOP_PARKED(device_io_loop(l->dev));

    look(l);
}

static void look_on_cpu(UNUSED CPUState *cpu, void *data)
{
    look(data);
}

DeviceStateInfo *device_state_info(Device *dev, bool all)
{
    Look l = { dev, all, NULL };

    if (object_is_a(dev, TYPE_CPU)) {
        run_on_cpu(CPU(dev), look_on_cpu, &l);
    } else {
        look_parked(&l);
    }
    return l.info;
}

StateNode *state_device_printed(Device *dev, const void *data, size_t len)
{
    const VmState *vm = device_type_vm(dev->obj.type);
    StateMemory memory = { live_read, live_where, dma_space(dev) };
    g_autoptr(StateNode) saved = vm && len ? vm_show(vm, data, len, NULL) : NULL;
    StateView v = { dev, dev->obj.type, saved, &memory, false };

    return print_sections(&v);
}
