/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state: tables of fields, and walkers that save them to memory, load
 * them back with checks, and turn what was saved into named, typed values.
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
typedef struct VmMeaning VmMeaning;
typedef struct StateNode StateNode;

/* Bits of a value by name. */
typedef struct RegFlag {
    const char *name;
    uint32_t mask;              /* one bit, or the bits of a field */
} RegFlag;
#define FLAGS(...)  ((const RegFlag[]){ __VA_ARGS__, { NULL, 0 } })

/*
 * What a field of a table means to people: a row for each field that its name and number don't explain. All
 * members but the name are optional; docs/device-state.md has examples. For the elements of an array a row says what
 * each of them is.
 */
struct VmMeaning {
    const char *name;                   /* of the field */
    const char *help;                   /* what it is, as the data sheet calls it */
    const RegFlag *flags;
    const char *const *values;          /* names of the values from 0 up, num_values of them; NULL: no name */
    size_t num_values;
    const char *const *elements;        /* names of an array's elements, or of a buffer's bytes */
    size_t num_elements;
    const char *payload;                /* it is data and has no meaning to the device: what is in it */
    bool address;                       /* where the device's DMA goes */
    const char *(*word)(uint64_t value);        /* a name for a value; NULL: it has none */
    char *(*text)(uint64_t value);      /* the value in words; g_free(); NULL: nothing to say */
    /* More than that: members, a text that needs several bytes. @node is the field as it was saved. */
    void (*show)(StateNode *node);
    const void *arg;                    /* for kinds of fields (the registers of a PCI function) */
};
#define VALUES(...) \
    .values = (const char *const[]){ __VA_ARGS__ }, \
    .num_values = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)
#define ELEMENTS(...) \
    .elements = (const char *const[]){ __VA_ARGS__ }, \
    .num_elements = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)
#define MEANINGS(...)   ((const VmMeaning[]){ __VA_ARGS__, { .name = NULL } })

struct VmState {
    int version;                /* 1 and up; what is saved */
    const VmField *fields;      /* ends with VM_END */
    int min_version;            /* oldest that loads; 0: only .version */
    const char *name;           /* of a subsection; else set by the user */
    /* Brings the state into a form that can be saved; may end what is in flight. */
    void (*pre_save)(void *opaque);
    /* Copies what is kept elsewhere into fields of the table and does nothing else: called before saving, and
     * before the state is only looked at. */
    void (*gather)(void *opaque);
    bool (*pre_load)(void *opaque, Error **errp);
    bool (*post_load)(void *opaque, Error **errp);
    /* A subsection: is it there? NULL: always. */
    bool (*needed)(void *opaque);
    const VmState *const *subsections;      /* ends with NULL; may be NULL */
    const VmMeaning *meanings;              /* MEANINGS(...); may be NULL */
};

enum {
    VM_F_POINTER = BIT(0),      /* the field is a pointer to the elements */
    VM_F_ARRAY = BIT(1),
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
    /* Reads what save wrote, @bytes long, and fills @into: kind, value, fields. Needs no device. */
    bool (*show)(VmReader *r, const VmField *f, size_t bytes, StateNode *into, Error **errp);
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
/* What vm_put_struct() wrote, as fields of @into. @vm NULL: names and kinds are those of the saved form alone. */
bool vm_show_struct(VmReader *r, const VmState *vm, StateNode *into, Error **errp);

extern const VmKind vm_kind_bool, vm_kind_u8, vm_kind_u16, vm_kind_u32,
    vm_kind_u64, vm_kind_i32, vm_kind_i64, vm_kind_f64, vm_kind_buffer, vm_kind_bytes,
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
#define VM_BOOL_V(S, f, v) \
    VM_SCALAR_(S, f, bool, vm_kind_bool, .since = v)
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
#define VM_BUFFER_V(S, f, v) \
    { .name = #f, .kind = &vm_kind_buffer, .offset = offsetof(S, f), \
      .size = sizeof(VM_ELEM_(S, f)), .num = 1, .since = v }
/* ... or behind a pointer, @bytes long. */
#define VM_BUFFER_PTR(S, f, bytes) \
    { .name = #f, .kind = &vm_kind_buffer, .offset = offsetof(S, f), \
      .size = (bytes), .num = 1, .flags = VM_F_POINTER }
/* A GByteArray *, at most @most bytes; it exists before loading. */
#define VM_BYTES(S, f, most)    VM_SCALAR_(S, f, GByteArray *, vm_kind_bytes, .max = (most))
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
/* As vm_save(), without .pre_save: what is saved needn't be loadable, and nothing changes. */
bool vm_peek(const VmState *vm, const char *name, const void *opaque, GByteArray *out, Error **errp);
/*
 * A section that vm_save() or vm_peek() wrote, as a tree of named values (vmstate/node.h); its first bytes may come
 * from anywhere. @vm may be NULL, or have other fields than those that were saved. Freed with state_node_free().
 */
StateNode *vm_show(const VmState *vm, const void *data, size_t len, Error **errp);
/* The section's name, at most 65535 bytes; NULL if it isn't one. g_free(). */
char *vm_section_name(const void *data, size_t len);
/* The table itself: names, kinds and sizes of its fields.  may be NULL. */
struct QObject *vm_describe(const VmState *vm, const char *name);

/* State that belongs to no device (the run state, say): saved with the
 * devices, in order of registration. */
void vm_register(const char *name, const VmState *vm, void *opaque);
void vm_unregister(const VmState *vm, void *opaque);
int vm_registered_foreach(int (*fn)(const char *name, const VmState *vm,
                                    void *opaque, void *user), void *user);

#endif
