/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "vmstate/vmstate.h"
#include "tests/lib/test.h"

#include "util/main-loop.h"
#include "vmstate/node.h"

typedef struct Part {
    uint16_t a;
    bool b;
} Part;

typedef struct Whole {
    bool flag;
    uint8_t u8, count;
    uint16_t u16;
    uint32_t u32, fifo[4], used;
    uint64_t u64;
    int32_t i32;
    int64_t i64;
    double f64;
    uint8_t bytes[6];
    uint16_t data[8];
    uint8_t *heap;
    Part part, parts[3];
    int mode;
    Timer timer;
    bool has_extra;
    uint32_t extra;
    int loads;
} Whole;

static const VmField part_fields[] = { VM_U16(Part, a), VM_BOOL(Part, b), VM_END };
static const VmState part_vm = { .version = 1, .fields = part_fields };

static const VmField extra_fields[] = { VM_U32(Whole, extra), VM_END };
static bool extra_needed(void *opaque)
{
    return ((Whole *)opaque)->has_extra;
}
static const VmState extra_vm = {
    1, extra_fields, .name = "extra", .needed = extra_needed,
};
static const VmState *const subs[] = { &extra_vm, NULL };

static const VmField whole_fields[] = {
    VM_BOOL(Whole, flag), VM_U8_RANGE(Whole, u8, 1, 200), VM_U8(Whole, count),
    VM_U16(Whole, u16), VM_U32(Whole, u32), VM_U32_ARRAY(Whole, fifo),
    VM_U64(Whole, u64), VM_I32(Whole, i32), VM_I64(Whole, i64), VM_F64(Whole, f64),
    VM_BUFFER(Whole, bytes), VM_VARRAY(Whole, data, count, 8), VM_U32(Whole, used),
    VM_VARRAY_PTR(Whole, heap, used, 16), VM_STRUCT(Whole, part, part_vm),
    VM_STRUCT_ARRAY(Whole, parts, part_vm), VM_ENUM(Whole, mode, 2),
    VM_TIMER(Whole, timer), VM_END
};

static bool whole_post_load(void *opaque, Error **errp)
{
    Whole *w = opaque;

    w->loads++;
    if (w->u16 == 0xdead) {
        error_setf(errp, ERR_STATE_INVALID, "u16 cannot be 0xdead");
        return false;
    }
    return true;
}

static const VmState whole_vm = {
    2, whole_fields, .post_load = whole_post_load, .subsections = subs,
};

static void nothing(UNUSED void *opaque)
{
}

static void whole_init(Whole *w, uint8_t *heap)
{
    memset(w, 0, sizeof(*w));
    w->heap = heap;
    timer_init_ns(&w->timer, CLOCK_VIRTUAL, nothing, NULL);
}

static void whole_fill(Whole *w)
{
    w->flag = true;
    w->u8 = 5;
    w->count = 3;
    w->u16 = 0x1234;
    w->u32 = 0x12345678;
    w->fifo[2] = 9;
    w->u64 = UINT64_C(0x123456789abcdef0);
    w->i32 = -1;
    w->i64 = INT64_MIN;
    w->f64 = -0.5;
    memcpy(w->bytes, "abcdef", 6);
    w->data[2] = 0xffff;
    w->used = 4;
    memcpy(w->heap, "heap", 4);
    w->part.a = 77;
    w->parts[2].b = true;
    w->mode = 2;
    timer_mod_ns(&w->timer, 123456789);
}

TEST(vmstate, save_load_save)
{
    g_autoptr(GByteArray) one = g_byte_array_new(), two = g_byte_array_new();
    uint8_t heap[2][16] = { { 0 } };
    Error *err = NULL;
    Whole a, b;
    size_t used;

    main_loop_init();
    whole_init(&a, heap[0]);
    whole_init(&b, heap[1]);
    whole_fill(&a);
    check_true(t, vm_save(&whole_vm, "whole", &a, one, &err), "saved");
    g_byte_array_append(one, (const guint8 *)"x", 1);
    check_true(t, vm_load(&whole_vm, "whole", &b, one->data, one->len, &used, &err),
               err ? error_message(err) : "loaded");
    check_int(t, used, one->len - 1, "and no byte more");
    check_true(t, b.i64 == INT64_MIN && b.f64 == -0.5 && b.data[2] == 0xffff &&
                  b.part.a == 77 && b.parts[2].b && !memcmp(heap[1], "heap", 4), "values");
    check_int(t, timer_expire_ns(&b.timer), 123456789, "timer");
    vm_save(&whole_vm, "whole", &b, two, &err);
    check_mem(t, two->data, one->data, two->len, "saved again it is the same");
    timer_del(&a.timer);
    timer_del(&b.timer);
}

TEST(vmstate, subsections)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    uint8_t heap[2][16] = { { 0 } };
    Error *err = NULL;
    Whole a, b;

    whole_init(&a, heap[0]);
    whole_init(&b, heap[1]);
    a.u8 = 1;
    a.has_extra = true;
    a.extra = 42;
    vm_save(&whole_vm, "whole", &a, out, &err);
    check_true(t, vm_load(&whole_vm, "whole", &b, out->data, out->len, NULL, &err), "loaded");
    check_int(t, b.extra, 42, "with its subsection");
}

TEST(vmstate, refuses)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    uint8_t heap[2][16] = { { 0 } };
    Error *err = NULL;
    Whole a, b;

    whole_init(&a, heap[0]);
    whole_init(&b, heap[1]);
    whole_fill(&a);
    timer_del(&a.timer);
    vm_save(&whole_vm, "whole", &a, out, NULL);
    check_true(t, !vm_load(&whole_vm, "other", &b, out->data, out->len, NULL, &err), "name");
    error_free(err);
    err = NULL;
    a.u8 = 201;
    g_byte_array_set_size(out, 0);
    vm_save(&whole_vm, "whole", &a, out, NULL);
    check_true(t, !vm_load(&whole_vm, "whole", &b, out->data, out->len, NULL, &err), "range");
    check_str(t, error_message(err), "whole: u8: 201 is out of range; accepted: 1 to 200",
              "names the field");
    error_free(err);
    err = NULL;
    a.u8 = 1;
    a.u16 = 0xdead;
    g_byte_array_set_size(out, 0);
    vm_save(&whole_vm, "whole", &a, out, NULL);
    check_true(t, !vm_load(&whole_vm, "whole", &b, out->data, out->len, NULL, &err),
               "post_load");
    error_free(err);
    err = NULL;
    a.count = 9;
    check_true(t, !vm_save(&whole_vm, "whole", &a, out, &err), "count beyond the array");
    error_free(err);
}

/* Every byte changed, every length: refused or loaded, never outside. */
TEST(vmstate, hostile_bytes)
{
    g_autoptr(GByteArray) good = g_byte_array_new();
    g_autofree uint8_t *bad = NULL;
    uint8_t heap[2][16] = { { 0 } };
    unsigned refused = 0;
    Whole a, b;

    whole_init(&a, heap[0]);
    whole_init(&b, heap[1]);
    whole_fill(&a);
    vm_save(&whole_vm, "whole", &a, good, NULL);
    bad = g_malloc(good->len);
    for (guint i = 0; i < good->len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            Error *err = NULL;

            memcpy(bad, good->data, good->len);
            bad[i] ^= BIT(bit);
            refused += !vm_load(&whole_vm, "whole", &b, bad, good->len, NULL, &err);
            error_free(err);
            check_true(t, b.mode <= 2, "no impossible enum");
        }
    }
    check_true(t, refused > good->len * 4, "names, kinds, counts and lengths");
    for (guint len = 0; len < good->len; len++) {
        g_autofree uint8_t *cut = g_memdup2(good->data, len);

        check_true(t, !vm_load(&whole_vm, "whole", &b, cut, len, NULL, NULL), "cut off");
    }
    timer_del(&a.timer);
    timer_del(&b.timer);
}

TEST(vmstate, shown)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    g_autoptr(StateNode) tree = NULL, blind = NULL, other = NULL;
    uint8_t heap[16] = { 0 };
    const StateNode *n;
    size_t index;
    Whole a;

    whole_init(&a, heap);
    whole_fill(&a);
    check_true(t, vm_peek(&whole_vm, "whole", &a, data, NULL), "saved without pre_save");
    tree = vm_show(&whole_vm, data->data, data->len, NULL);
    if (!check_true(t, tree, "shown")) {
        return;
    }
    check_u32(t, (uint32_t)state_get(tree, "parts[2].a", 99), 0, "structs in arrays");
    check_u32(t, (uint32_t)state_get(tree, "data[2]", 0), 0xffff, "as many as used");
    check_true(t, !state_find(tree, "data[3]", &index), "and no more");
    check_true(t, !state_find(tree, "data[", &index) && !state_find(tree, "data[x]", &index) &&
                  !state_find(tree, "nothing", &index), "paths that lead nowhere");
    n = state_find(tree, "bytes", &index);
    check_true(t, n && n->kind == STATE_BYTES && n->num_bytes == 6 && !memcmp(n->bytes, "abcdef", 6), "bytes");
    check_u32(t, (uint32_t)state_get(tree, "u16", 0), 0x1234, "a number");
    n = state_find(tree, "timer", &index);
    check_true(t, n && n->kind == STATE_TIME && n->u == 123456789, "a timer");
    blind = vm_show(NULL, data->data, data->len, NULL);
    check_true(t, blind && state_equal(tree, blind), "the saved form tells it all without the table");
    a.u16++;
    g_byte_array_set_size(data, 0);
    vm_peek(&whole_vm, "whole", &a, data, NULL);
    other = vm_show(&whole_vm, data->data, data->len, NULL);
    check_true(t, !state_equal(tree, other), "a change is seen");
    for (guint i = 0; i < data->len; i++) {
        g_autofree uint8_t *bad = g_memdup2(data->data, data->len);
        Error *err = NULL;

        bad[i] ^= 0xff;
        state_node_free(vm_show(i % 2 ? &whole_vm : NULL, bad, data->len, &err));
        error_free(err);
        check_true(t, !vm_show(&whole_vm, data->data, i, NULL), "cut off");
    }
    timer_del(&a.timer);
}
