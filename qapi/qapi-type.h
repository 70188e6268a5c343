/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema's types at run time: for each a table that says how its C form is
 * laid out, and the functions that read those tables: QObject to C and back,
 * copies, frees. The generator writes the tables and the C types. Libc only.
 *
 * C forms. Scalars and enums are held by value, with a `bool has_x` before
 * them when optional. Everything else is held by pointer, NULL when absent:
 * strings (malloc'd, so g_strdup's will do), structs, lists, QObjects. A list
 * is { size_t n; T *items }. A union's branches and an alternate's are held
 * inline in `u`; an alternate says by `alt` which one.
 *
 * "Slot" is the address of a member: where the scalar or the pointer is.
 */
#ifndef QAPI_QAPI_TYPE_H
#define QAPI_QAPI_TYPE_H

#include "util/osdep.h"
#include "qobject/error.h"
#include "qobject/qobject.h"

typedef enum {
    QAPI_STR, QAPI_NUMBER, QAPI_INT, QAPI_BOOL, QAPI_ANY, QAPI_NULL,
    QAPI_ENUM, QAPI_STRUCT, QAPI_ALTERNATE, QAPI_ARRAY,
} QapiKind;

typedef struct QapiType QapiType;

typedef struct QapiEnumValue {
    const char *name;
    const char *const *features;        /* NULL-terminated; NULL: none */
} QapiEnumValue;

typedef struct QapiMember {
    const char *name;
    const QapiType *type;
    size_t offset;
    ptrdiff_t has_offset;               /* of has_x, or -1 */
    bool optional;
    const char *const *features;
} QapiMember;

typedef struct QapiVariant {
    const char *name;
    int value;                          /* of the tag, or of `alt` */
    const QapiType *type;
    size_t offset;
} QapiVariant;

struct QapiType {
    const char *name;
    QapiKind kind;
    size_t size;                        /* of the C type itself, not of a pointer to it */
    const char *const *features;
    /* QAPI_INT */
    int64_t min;
    uint64_t max;
    bool is_size;                       /* strings may have a suffix: 4G */
    /* QAPI_ENUM */
    const QapiEnumValue *values;
    size_t n_values;
    /* QAPI_STRUCT, with those of its bases first; unions too */
    const QapiMember *members;
    size_t n_members;
    const char *tag;                    /* unions: the member that selects */
    size_t tag_offset;
    /* unions and QAPI_ALTERNATE, where `alt` is at offset 0 */
    const QapiVariant *variants;
    size_t n_variants;
    /* QAPI_ARRAY */
    const QapiType *element;
};

extern const QapiType qapi_type_str, qapi_type_number, qapi_type_int, qapi_type_int8,
    qapi_type_int16, qapi_type_int32, qapi_type_int64, qapi_type_uint8, qapi_type_uint16,
    qapi_type_uint32, qapi_type_uint64, qapi_type_size, qapi_type_bool, qapi_type_any,
    qapi_type_null;

#define QAPI_BUILTIN_LIST(name, ctype) \
    typedef struct name##List { size_t n; ctype *items; } name##List; \
    extern const QapiType qapi_type_##name##List;
QAPI_BUILTIN_LIST(str, char *)
QAPI_BUILTIN_LIST(number, double)
QAPI_BUILTIN_LIST(int, int64_t)
QAPI_BUILTIN_LIST(int8, int8_t)
QAPI_BUILTIN_LIST(int16, int16_t)
QAPI_BUILTIN_LIST(int32, int32_t)
QAPI_BUILTIN_LIST(int64, int64_t)
QAPI_BUILTIN_LIST(uint8, uint8_t)
QAPI_BUILTIN_LIST(uint16, uint16_t)
QAPI_BUILTIN_LIST(uint32, uint32_t)
QAPI_BUILTIN_LIST(uint64, uint64_t)
QAPI_BUILTIN_LIST(size, uint64_t)
QAPI_BUILTIN_LIST(bool, bool)
QAPI_BUILTIN_LIST(any, QObject *)
#undef QAPI_BUILTIN_LIST

/* Whether members of this type are held by pointer. */
bool qapi_is_pointer(const QapiType *type);
/* A value's name; "?" for one that isn't in the enum. Never NULL. */
const char *qapi_enum_name(const QapiType *type, int value);
/* -1 with *errp set when @name isn't one of @type; @what names the parameter. */
int qapi_enum_parse(const QapiType *type, const char *name, const char *what, Error **errp);

/* --------------------------------------------------- QObject to C form */

typedef enum {
    /*
     * From a command line: numbers and booleans may be written as strings
     * ("4G" for sizes; on, yes, true, y and off, no, false, n).
     */
    QAPI_DECODE_KEYVAL = 1,
    /*
     * From a server that may be newer than this schema: members that it doesn't have
     * are passed over, and a value that an enum doesn't have is the enum's __MAX.
     */
    QAPI_DECODE_TOLERANT = 2,
} QapiDecodeFlags;

/*
 * Fill the zero-initialised @slot from @obj. Strict: a missing, unknown or
 * wrong-typed member is an error that says which, what it had and what is
 * accepted. @name is the parameter's name, or NULL at the top ("input").
 * Nothing is left in @slot on failure.
 */
bool qapi_decode(const QapiType *type, const QObject *obj, const char *name, unsigned flags,
                 void *slot, Error **errp);
/* Struct or union @type from @dict into the zeroed struct at @out itself. */
bool qapi_decode_struct(const QapiType *type, const QDict *dict, unsigned flags, void *out,
                        Error **errp);

/* --------------------------------------------------- C form to QObject */

/* New reference; what @slot holds must be valid (no NULL where required). */
QObject *qapi_encode(const QapiType *type, const void *slot);
/* As qapi_encode for the struct at @in itself. */
QDict *qapi_encode_struct(const QapiType *type, const void *in);

/* ------------------------------------------------------------- memory */

/* Free a pointer-held value (NULL is allowed). */
void qapi_free(const QapiType *type, void *p);
/* Free what the slot holds, and zero it. */
void qapi_clear(const QapiType *type, void *slot);
/* Free what the struct at @p holds, but not @p. */
void qapi_clear_struct(const QapiType *type, void *p);
/* A deep copy of a pointer-held value; NULL gives NULL. */
void *qapi_clone(const QapiType *type, const void *p);
/* calloc that ends the program when there is no memory. */
void *qapi_alloc(size_t size);

/* Append to a list; @item's ownership moves to the list. */
void *qapi_list_grow(void *items, size_t n, size_t item_size);
#define qapi_list_append(list, item) \
    do { \
        (list)->items = qapi_list_grow((list)->items, (list)->n, sizeof(*(list)->items)); \
        (list)->items[(list)->n++] = (item); \
    } while (0)
/* A new zeroed T. */
#define qapi_new(T) ((T *)qapi_alloc(sizeof(T)))
/* Set an optional scalar. */
#define QAPI_SET(obj, member, value) ((obj)->has_##member = true, (obj)->member = (value))

static inline void qapi_free_strList(strList *p)
{
    qapi_free(&qapi_type_strList, p);
}

#endif
