/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state: tables of fields, and walkers that save them to memory, load
 * them back with checks, and show them as JSON or as text.
 *
 *     static const VmField ex_fields[] = {
 *         VM_U8(ExState, command),
 *         VM_U32_ARRAY(ExState, fifo),                whole array
 *         VM_U16_RANGE(ExState, count, 0, 512),       others are refused
 *         VM_VARRAY(ExState, data, used, 512),        used elements of it
 *         VM_STRUCT_ARRAY(ExState, chan, chan_vm),
 *         VM_TIMER(ExState, timer),
 *         VM_END
 *     };
 *     .vm = { 1, ex_fields, .post_load = ex_post_load }
 *
 * The saved form names every field with its kind, so that a stream of other
 * shape is refused by name instead of being misread. Loading refuses values
 * outside a field's range and those post_load refuses; after a failed load
 * the state is undefined but memory-safe: reset it. Big lock.
 */
#ifndef VMSTATE_VMSTATE_H
#define VMSTATE_VMSTATE_H

#include "util/osdep.h"
#include <glib.h>
#include "qobject/error.h"
#include "util/timer.h"

struct QObject;
typedef struct VmState VmState;
typedef struct VmField VmField;
typedef struct VmKind VmKind;
typedef struct VmReader VmReader;
typedef struct VmWriter VmWriter;
typedef struct VmPrinter VmPrinter;

struct VmState {
    int version;                /* 1 and up; what is saved */
    const VmField *fields;      /* ends with VM_END */
    int min_version;            /* oldest that loads; 0: only .version */
    const char *name;           /* of a subsection; else set by the user */
    void (*pre_save)(void *opaque);
    bool (*pre_load)(void *opaque, Error **errp);
    bool (*post_load)(void *opaque, Error **errp);
    /* A subsection: is it there? NULL: always. */
    bool (*needed)(void *opaque);
    const VmState *const *subsections;      /* ends with NULL; may be NULL */
};

enum {
    VM_F_POINTER = BIT(0),      /* the field is a pointer to the elements */
    VM_F_ARRAY = BIT(1),
    VM_F_HEX = BIT(2),          /* shown in hex in the text view */
    VM_F_COUNT_32 = BIT(3),     /* the count is an uint32_t, else see size */
};

struct VmField {
    const char *name;
    const VmKind *kind;
    size_t offset;
    size_t size;                /* of one element, bytes */
    size_t num;                 /* elements; most there may be for a VARRAY */
    size_t count_offset;        /* VARRAY: where the count is */
    uint8_t count_size;         /* VARRAY: 1, 2 or 4 bytes; else 0 */
    uint32_t flags;
    int since;                  /* first version that has it; 0: all */
    uint64_t min, max;          /* numbers; max 0: no check */
    const VmState *vm;          /* of a struct's elements */
    const void *arg;            /* the kind's own (a register table, say) */
    bool (*exists)(void *opaque, int version);  /* NULL: always */
};

/* How one element is saved, loaded and shown. New kinds may come from rooms
 * above (register blocks, PCI devices). */
struct VmKind {
    const char *name;           /* goes into the saved form */
    bool (*save)(VmWriter *w, const VmField *f, const void *elem, Error **errp);
    bool (*load)(VmReader *r, const VmField *f, void *elem, Error **errp);
    struct QObject *(*json)(const VmField *f, const void *elem);
    void (*text)(VmPrinter *p, const VmField *f, const void *elem);
};

/* For kinds. Numbers travel big-endian. */
void vm_put_bytes(VmWriter *w, const void *data, size_t len);
void vm_put_u8(VmWriter *w, uint8_t v);
void vm_put_u16(VmWriter *w, uint16_t v);
void vm_put_u32(VmWriter *w, uint32_t v);
void vm_put_u64(VmWriter *w, uint64_t v);
bool vm_put_struct(VmWriter *w, const VmState *vm, const void *opaque,
                   Error **errp);
bool vm_get_bytes(VmReader *r, void *data, size_t len, Error **errp);
bool vm_get_u8(VmReader *r, uint8_t *v, Error **errp);
bool vm_get_u16(VmReader *r, uint16_t *v, Error **errp);
bool vm_get_u32(VmReader *r, uint32_t *v, Error **errp);
bool vm_get_u64(VmReader *r, uint64_t *v, Error **errp);
bool vm_get_struct(VmReader *r, const VmState *vm, void *opaque, Error **errp);
struct QObject *vm_struct_json(const VmState *vm, const void *opaque);
void vm_printf(VmPrinter *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
void vm_print_struct(VmPrinter *p, const VmState *vm, const void *opaque);

extern const VmKind vm_kind_bool, vm_kind_u8, vm_kind_u16, vm_kind_u32,
    vm_kind_u64, vm_kind_i32, vm_kind_i64, vm_kind_f64, vm_kind_buffer,
    vm_kind_struct, vm_kind_timer;

#define VM_ELEM_(S, f)      (((S *)0)->f)
#define VM_TYPED_(S, f, T) \
    (offsetof(S, f) + 0 * sizeof((T *)0 == &VM_ELEM_(S, f)))
#define VM_SCALAR_(S, f, T, K, ...) \
    { .name = #f, .kind = &K, .offset = VM_TYPED_(S, f, T), \
      .size = sizeof(T), .num = 1, __VA_ARGS__ }
#define VM_ARRAY_(S, f, T, K, ...) \
    { .name = #f, .kind = &K, \
      .offset = offsetof(S, f) + 0 * sizeof((T *)0 == &VM_ELEM_(S, f)[0]), \
      .size = sizeof(T), .num = ARRAY_SIZE(VM_ELEM_(S, f)), \
      .flags = VM_F_ARRAY, __VA_ARGS__ }

#define VM_BOOL(S, f)       VM_SCALAR_(S, f, bool, vm_kind_bool)
#define VM_U8(S, f)         VM_SCALAR_(S, f, uint8_t, vm_kind_u8)
#define VM_U16(S, f)        VM_SCALAR_(S, f, uint16_t, vm_kind_u16)
#define VM_U32(S, f)        VM_SCALAR_(S, f, uint32_t, vm_kind_u32)
#define VM_U64(S, f)        VM_SCALAR_(S, f, uint64_t, vm_kind_u64)
#define VM_I32(S, f)        VM_SCALAR_(S, f, int32_t, vm_kind_i32)
#define VM_I64(S, f)        VM_SCALAR_(S, f, int64_t, vm_kind_i64)
#define VM_F64(S, f)        VM_SCALAR_(S, f, double, vm_kind_f64)
/* A field of type int, or an enum; saved as 32 bits. */
#define VM_INT(S, f) \
    { .name = #f, .kind = &vm_kind_i32, .size = sizeof(int32_t), .num = 1, \
      .offset = offsetof(S, f) + \
                0 * sizeof(char[sizeof(VM_ELEM_(S, f)) == 4 ? 1 : -1]) }
#define VM_ENUM(S, f, last) \
    { .name = #f, .kind = &vm_kind_u32, .size = sizeof(uint32_t), .num = 1, \
      .offset = offsetof(S, f) + \
                0 * sizeof(char[sizeof(VM_ELEM_(S, f)) == 4 ? 1 : -1]), \
      .max = (last) }
/* Only @lo to @hi load. @hi is not 0. */
#define VM_U8_RANGE(S, f, lo, hi) \
    VM_SCALAR_(S, f, uint8_t, vm_kind_u8, .min = lo, .max = hi)
#define VM_U16_RANGE(S, f, lo, hi) \
    VM_SCALAR_(S, f, uint16_t, vm_kind_u16, .min = lo, .max = hi)
#define VM_U32_RANGE(S, f, lo, hi) \
    VM_SCALAR_(S, f, uint32_t, vm_kind_u32, .min = lo, .max = hi)
#define VM_U64_RANGE(S, f, lo, hi) \
    VM_SCALAR_(S, f, uint64_t, vm_kind_u64, .min = lo, .max = hi)
/* Since version @v of the table. */
#define VM_U8_V(S, f, v) \
    VM_SCALAR_(S, f, uint8_t, vm_kind_u8, .since = v)
#define VM_U32_V(S, f, v) \
    VM_SCALAR_(S, f, uint32_t, vm_kind_u32, .since = v)

#define VM_BOOL_ARRAY(S, f) VM_ARRAY_(S, f, bool, vm_kind_bool)
#define VM_U8_ARRAY(S, f)   VM_ARRAY_(S, f, uint8_t, vm_kind_u8)
#define VM_U16_ARRAY(S, f)  VM_ARRAY_(S, f, uint16_t, vm_kind_u16)
#define VM_U32_ARRAY(S, f)  VM_ARRAY_(S, f, uint32_t, vm_kind_u32)
#define VM_U64_ARRAY(S, f)  VM_ARRAY_(S, f, uint64_t, vm_kind_u64)
#define VM_I32_ARRAY(S, f)  VM_ARRAY_(S, f, int32_t, vm_kind_i32)
/* Bytes as one block: an array in the struct ... */
#define VM_BUFFER(S, f) \
    { .name = #f, .kind = &vm_kind_buffer, .offset = offsetof(S, f), \
      .size = sizeof(VM_ELEM_(S, f)), .num = 1 }
/* ... or behind a pointer, @bytes long. */
#define VM_BUFFER_PTR(S, f, bytes) \
    { .name = #f, .kind = &vm_kind_buffer, .offset = offsetof(S, f), \
      .size = (bytes), .num = 1, .flags = VM_F_POINTER }
/* Unsigned integers, as many as @count (an unsigned field that stands before
 * it in the table) says; at most @most. An array in the struct, or (_PTR) a
 * pointer to room for @most elements. */
#define VM_VARRAY_(S, f, count, most, fl) \
    { .name = #f, .offset = offsetof(S, f), \
      .kind = sizeof(VM_ELEM_(S, f)[0]) == 1 ? &vm_kind_u8 : \
              sizeof(VM_ELEM_(S, f)[0]) == 2 ? &vm_kind_u16 : \
              sizeof(VM_ELEM_(S, f)[0]) == 4 ? &vm_kind_u32 : &vm_kind_u64, \
      .size = sizeof(VM_ELEM_(S, f)[0]), .num = (most), \
      .count_offset = offsetof(S, count), \
      .count_size = sizeof(VM_ELEM_(S, count)), .flags = VM_F_ARRAY | (fl) }
#define VM_VARRAY(S, f, count, most)        VM_VARRAY_(S, f, count, most, 0)
#define VM_VARRAY_PTR(S, f, count, most) \
    VM_VARRAY_(S, f, count, most, VM_F_POINTER)
/* @desc is a VmState, not a pointer. */
#define VM_STRUCT(S, f, desc) \
    { .name = #f, .kind = &vm_kind_struct, .offset = offsetof(S, f), \
      .size = sizeof(VM_ELEM_(S, f)), .num = 1, .vm = &desc }
#define VM_STRUCT_PTR(S, f, desc) \
    { .name = #f, .kind = &vm_kind_struct, .offset = offsetof(S, f), \
      .size = sizeof(*VM_ELEM_(S, f)), .num = 1, .flags = VM_F_POINTER, \
      .vm = &desc }
#define VM_STRUCT_ARRAY(S, f, desc) \
    { .name = #f, .kind = &vm_kind_struct, .offset = offsetof(S, f), \
      .size = sizeof(VM_ELEM_(S, f)[0]), .flags = VM_F_ARRAY, \
      .num = ARRAY_SIZE(VM_ELEM_(S, f)), .vm = &desc }
#define VM_STRUCT_VARRAY(S, f, count, most, desc) \
    { .name = #f, .kind = &vm_kind_struct, .offset = offsetof(S, f), \
      .size = sizeof(VM_ELEM_(S, f)[0]), .num = (most), \
      .count_offset = offsetof(S, count), \
      .count_size = sizeof(VM_ELEM_(S, count)), .flags = VM_F_ARRAY, \
      .vm = &desc }
/* A timer's deadline, or that it isn't armed. A Timer (or _PTR: Timer *) that
 * was initialised before loading. */
#define VM_TIMER(S, f)      VM_SCALAR_(S, f, Timer, vm_kind_timer)
#define VM_TIMER_PTR(S, f) \
    { .name = #f, .kind = &vm_kind_timer, .offset = VM_TYPED_(S, f, Timer *), \
      .size = sizeof(Timer), .num = 1, .flags = VM_F_POINTER }
#define VM_TIMER_ARRAY(S, f)    VM_ARRAY_(S, f, Timer, vm_kind_timer)
#define VM_END  { .name = NULL }

/*
 * Walkers. @name is the section's name ("ex9050"); loading refuses another.
 * vm_load reads one section and says in *used how long it was.
 */
bool vm_save(const VmState *vm, const char *name, const void *opaque,
             GByteArray *out, Error **errp);
bool vm_load(const VmState *vm, const char *name, void *opaque,
             const void *data, size_t len, size_t *used, Error **errp);
/* A dict by field name; NULL never. */
struct QObject *vm_to_json(const VmState *vm, const void *opaque);
/* The table itself: names, kinds and sizes of its fields.  may be NULL. */
struct QObject *vm_describe(const VmState *vm, const char *name);
/* One line a field; caller frees with g_free(). */
char *vm_to_text(const VmState *vm, const void *opaque);

/* State that belongs to no device (the run state, say): saved with the
 * devices, in order of registration. */
void vm_register(const char *name, const VmState *vm, void *opaque);
void vm_unregister(const VmState *vm, void *opaque);
int vm_registered_foreach(int (*fn)(const char *name, const VmState *vm,
                                    void *opaque, void *user), void *user);

#endif
