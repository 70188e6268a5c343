/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types, objects, properties, and the object tree that the monitor shows.
 *
 * Types form a single-inheritance tree. They are registered by constructors
 * before main() (TYPE(info), or the macros of the rooms above: DEVICE_TYPE,
 * MACHINE_TYPE) and never go away. A type's properties are a static table; an
 * instance has those of its type and of all its ancestors, the children that
 * were put under it, and those added to it with object_add_property().
 *
 * Ownership: object_new() returns one reference; object_add_child() takes one
 * of its own; object_unparent() drops it. The object tree and all property
 * access belong to the big lock; object_ref/unref may be called anywhere.
 */
#ifndef QOM_OBJECT_H
#define QOM_OBJECT_H

#include "qobject/error.h"
#include "qom/property.h"

typedef struct Object Object;
typedef struct Type Type;
struct QDict;

#define TYPE_OBJECT     "object"
#define TYPE_CONTAINER  "container"

/* What a type is; static const data of the room that registers it. */
typedef struct TypeInfo {
    const char *name;
    const char *parent;         /* NULL: TYPE_OBJECT */
    const char *desc;
    size_t size;                /* of the instance; 0: the parent's */
    bool abstract;
    bool user_creatable;        /* may be made by -object; inherited */
    const Property *props;      /* ends with PROP_END; may be NULL */
    /* The parents' init run first, the parents' finalize last. */
    void (*init)(Object *obj);
    void (*finalize)(Object *obj);
    /* -object: after all properties were set. */
    bool (*complete)(Object *obj, Error **errp);
    /* -object: may it go? NULL: yes. */
    bool (*can_be_deleted)(Object *obj, Error **errp);
    /* What the room above wants to know of the type (a DeviceType, say). */
    const void *data;
} TypeInfo;

/* First member of every object; the fields are private to qom/. */
struct Object {
    const Type *type;
    _Atomic uint32_t ref;
    bool embedded;              /* storage belongs to somebody else */
    bool props_fixed;           /* realized: only PROP_F_RUNTIME may be set */
    Object *parent;             /* borrowed; the parent holds a reference */
    char *name;                 /* below parent; NULL without one */
    struct ObjectExtra *extra;  /* children and dynamic properties */
};

void type_register(const TypeInfo *info);
#define TYPE(info) \
    CONSTRUCTOR static void info##_register(void) { type_register(&info); }

/*
 * DEFINE_CAST(EX9050, Ex9050State, "ex9050") defines EX9050(obj): a pointer
 * to any struct that starts with the object, as Ex9050State *. Builds with
 * QOM_CHECK_CASTS check the type.
 */
#define DEFINE_CAST(NAME, Struct, type_name) \
    UNUSED static inline Struct *NAME(const void *obj) \
    { \
        return (Struct *)object_cast(obj, type_name); \
    }
void *object_cast_checked(const void *obj, const char *type);
static inline void *object_cast(const void *obj, UNUSED const char *type)
{
#ifdef QOM_CHECK_CASTS
    return object_cast_checked(obj, type);
#else
    return (void *)obj;
#endif
}

/* Types. Names are lent for ever. */
const Type *type_find(const char *name);            /* NULL if none has it */
const char *type_name(const Type *type);
const char *type_desc(const Type *type);            /* NULL if none */
const Type *type_parent(const Type *type);          /* NULL for "object" */
const TypeInfo *type_info(const Type *type);
bool type_is_abstract(const Type *type);
bool type_is_user_creatable(const Type *type);      /* by -object */
/* Is @type the type @ancestor or derived from it? */
bool type_is_a(const Type *type, const char *ancestor);
/* In order of name; @ancestor NULL for all types. */
void type_foreach(const char *ancestor, bool include_abstract,
                  void (*fn)(const Type *type, void *opaque), void *opaque);
/* The nearest definition, from @type upwards; NULL if there is none. */
const Property *type_find_property(const Type *type, const char *name);
/* Own properties first, then the parents'; hidden ones are left out. */
void type_property_foreach(const Type *type,
                           void (*fn)(const Property *prop, void *opaque),
                           void *opaque);

/* @type must exist and not be abstract: names from a program's own text. */
Object *object_new(const char *type);
/* Names from outside: NULL with ERR_NO_SUCH_TYPE or ERR_INVALID_ARGUMENT. */
Object *object_new_checked(const char *type, const char *ancestor,
                           Error **errp);
/* An object inside other storage of at least the type's size. It goes with
 * object_unref() like any other, but its storage isn't freed. */
void object_init_embedded(void *storage, size_t size, const char *type);
void *object_ref(void *obj);
void object_unref(void *obj);               /* NULL is allowed */
const char *object_type_name(const void *obj);
bool object_is_a(const void *obj, const char *type);

/* The tree. Paths are "/machine/peripheral/id"; the root is "/". */
Object *object_root(void);
/* The container at @path, made with its parents where missing. */
Object *object_container(const char *path);
/* Put @child under @parent; the name must be free there. "device[*]" takes
 * the lowest free number. */
void object_add_child(void *parent, const char *name, void *child);
/* Take it out of the tree and drop the parent's reference. */
void object_unparent(void *obj);
Object *object_child(const void *parent, const char *name);     /* NULL */
/* Until @fn returns other than 0, which is returned. Children may be
 * removed while it runs. */
int object_child_foreach(void *obj, int (*fn)(Object *child, void *opaque),
                         void *opaque);
int object_child_foreach_recursive(void *obj,
                                   int (*fn)(Object *child, void *opaque),
                                   void *opaque);
char *object_canonical_path(const void *obj);   /* caller frees; NULL outside */
/* An absolute path, or a partial one ("video0") that must match one object
 * only. NULL and, when it isn't NULL, *ambiguous says why. */
Object *object_resolve_path(const char *path, bool *ambiguous);
Object *object_resolve_path_type(const char *path, const char *type,
                                 bool *ambiguous);

/* Properties of an instance. Values are strict JSON types, except that _str
 * parses text as the command line has it ("on", "0x10", "16M", "id"). */
bool object_set(void *obj, const char *name, const struct QObject *value,
                Error **errp);
bool object_set_str(void *obj, const char *name, const char *value,
                    Error **errp);
bool object_set_bool(void *obj, const char *name, bool value, Error **errp);
bool object_set_uint(void *obj, const char *name, uint64_t value, Error **errp);
bool object_set_int(void *obj, const char *name, int64_t value, Error **errp);
bool object_set_link(void *obj, const char *name, void *target, Error **errp);
/* Each member of @dict; a string may stand for a number or a bool when
 * @from_text. Stops at the first that fails. */
bool object_set_dict(void *obj, const struct QDict *dict, bool from_text,
                     Error **errp);
/* The caller owns the result; NULL on error. */
struct QObject *object_get(void *obj, const char *name, Error **errp);
char *object_get_str(void *obj, const char *name, Error **errp);
bool object_get_bool(void *obj, const char *name, bool *value, Error **errp);
bool object_get_uint(void *obj, const char *name, uint64_t *value, Error **errp);
bool object_get_int(void *obj, const char *name, int64_t *value, Error **errp);
bool object_has_property(const void *obj, const char *name);
/* A property of this one instance; @prop must outlive it, get and set are
 * handed @prop, whose .arg is theirs. */
void object_add_property(void *obj, const Property *prop);

/* Give back what its chardev, drive, netdev and audiodev properties hold, and its
 * links to what -object made, before the object itself goes. */
void object_release_backends(void *obj);

/* What qom-list shows. @type is "child<TYPE>", "link<TYPE>", "bool" ... */
typedef struct ObjectPropertyInfo {
    const char *name, *type, *desc;     /* lent for the time of the call */
    bool readable, writable;
    const Property *prop;               /* NULL for a child */
} ObjectPropertyInfo;
void object_property_foreach(void *obj,
                             void (*fn)(const ObjectPropertyInfo *info,
                                        void *opaque),
                             void *opaque);

/* -object, object-add, object-del: they live under /objects. */
Object *user_object_new(const char *type, const char *id,
                        const struct QDict *props, bool from_text,
                        Error **errp);
bool user_object_delete(const char *id, Error **errp);
Object *user_object_find(const char *id, const char *type, Error **errp);
/* An id as users may write it: a letter, then letters, digits, "-._". */
bool id_is_valid(const char *id);

/* -global TYPE.PROP=VALUE; applied to each new instance of TYPE and of types
 * derived from it, after the defaults. Strings are copied. */
/* The same on behalf of the machine: what the user says goes before it, whenever it is said. */
void global_property_add_compat(const char *type, const char *prop, const char *value);
void global_property_add(const char *type, const char *prop,
                         const char *value);
/* The first -global that could not be applied to @obj sets @errp. */
bool object_apply_globals(void *obj, Error **errp);

#endif
