/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties: rows of a type's static table. Each row says name, kind, where
 * in the instance the value is, the default, and a line for the help text.
 *
 *     static const Property ex_props[] = {
 *         PROP_U8("revision", ExState, revision, 2, "value of REVID"),
 *         PROP_CHARDEV("chardev", ExState, chr, "back end of the line"),
 *         PROP_END
 *     };
 *
 * Strings (char *), links and back ends are owned by the instance: they are
 * released when it goes. Setting a property after the object was realized or
 * completed is refused, unless the row has PROP_F_RUNTIME.
 */
#ifndef QOM_PROPERTY_H
#define QOM_PROPERTY_H

#include "qobject/error.h"

struct Object;
struct QObject;
typedef struct Property Property;

typedef enum PropKind {
    PROP_KIND_END,
    PROP_KIND_BOOL,         /* bool */
    PROP_KIND_BIT32,        /* one bit of an uint32_t; a bool outside */
    PROP_KIND_BIT64,
    PROP_KIND_U8, PROP_KIND_U16, PROP_KIND_U32, PROP_KIND_U64,
    PROP_KIND_I32, PROP_KIND_I64,
    PROP_KIND_SIZE,         /* uint64_t; text may have a suffix K M G T P E */
    PROP_KIND_STR,          /* char *, NULL when unset */
    PROP_KIND_ENUM,         /* int, index into .names */
    PROP_KIND_MAC,          /* MacAddr; text "52:54:00:12:34:56" */
    PROP_KIND_LINK,         /* Object * of type .link_type; path or id */
    PROP_KIND_CHARDEV,      /* struct Chardev *; text is an id */
    PROP_KIND_DRIVE,        /* struct BlockBackend * */
    PROP_KIND_NETDEV,       /* struct NetBackend * */
    PROP_KIND_AUDIODEV,     /* struct AudioBackend * */
    PROP_KIND_CUSTOM,       /* .get and .set */
    PROP_KIND__MAX
} PropKind;

enum {
    PROP_F_RUNTIME = BIT(0),    /* may be set while the device runs */
    PROP_F_READ_ONLY = BIT(1),
    PROP_F_HIDDEN = BIT(2),     /* "x-" things: not in listings */
};

typedef struct MacAddr {
    uint8_t a[6];               /* in the order in which they are sent */
} MacAddr;

/* For PROP_KIND_ENUM with the usual three answers. */
typedef enum OnOffAuto {
    ON_OFF_AUTO_AUTO, ON_OFF_AUTO_ON, ON_OFF_AUTO_OFF,
} OnOffAuto;
extern const char *const on_off_auto_names[];

struct Property {
    const char *name;
    const char *desc;
    PropKind kind;
    uint32_t flags;                 /* PROP_F_... */
    size_t offset;
    uint8_t bit;                    /* PROP_KIND_BIT32, BIT64 */
    union {
        uint64_t u;
        int64_t i;
        bool b;
        const char *s;              /* text, also of SIZE-free kinds */
    } def;
    uint64_t min, max;              /* unsigned kinds; max 0: no limit */
    const char *const *names;       /* PROP_KIND_ENUM; ends with NULL */
    const char *type;               /* link type, or shown type of a CUSTOM */
    const void *arg;                /* PROP_KIND_CUSTOM: its own */
    /* The value is that of another object, which sees to its default and its
     * release: a part that the instance lends its name to. NULL: its own. */
    struct Object *(*part)(struct Object *obj);
    /* PROP_KIND_CUSTOM. get returns a new value; NULL with errp set. set
     * gets text as a string value. A NULL member: not readable/writable. */
    struct QObject *(*get)(struct Object *obj, const Property *prop,
                           Error **errp);
    bool (*set)(struct Object *obj, const Property *prop,
                const struct QObject *value, Error **errp);
    void (*release)(struct Object *obj, const Property *prop);
};

/* The field must have the type that the kind needs. */
#define PROP_AT(S, f, T) \
    (offsetof(S, f) + 0 * sizeof((T *)0 == &((S *)0)->f))

#define PROP_BOOL(n, S, f, d, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_BOOL, \
      .offset = PROP_AT(S, f, bool), .def.b = d }
#define PROP_BIT32(n, S, f, nr, d, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_BIT32, \
      .offset = PROP_AT(S, f, uint32_t), .bit = nr, .def.b = d }
#define PROP_BIT64(n, S, f, nr, d, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_BIT64, \
      .offset = PROP_AT(S, f, uint64_t), .bit = nr, .def.b = d }
#define PROP_UNSIGNED_(K, T, n, S, f, d, lo, hi, text) \
    { .name = n, .desc = text, .kind = K, .offset = PROP_AT(S, f, T), \
      .def.u = d, .min = lo, .max = hi }
#define PROP_U8(n, S, f, d, text) \
    PROP_UNSIGNED_(PROP_KIND_U8, uint8_t, n, S, f, d, 0, 0, text)
#define PROP_U16(n, S, f, d, text) \
    PROP_UNSIGNED_(PROP_KIND_U16, uint16_t, n, S, f, d, 0, 0, text)
#define PROP_U32(n, S, f, d, text) \
    PROP_UNSIGNED_(PROP_KIND_U32, uint32_t, n, S, f, d, 0, 0, text)
#define PROP_U64(n, S, f, d, text) \
    PROP_UNSIGNED_(PROP_KIND_U64, uint64_t, n, S, f, d, 0, 0, text)
#define PROP_SIZE(n, S, f, d, text) \
    PROP_UNSIGNED_(PROP_KIND_SIZE, uint64_t, n, S, f, d, 0, 0, text)
/* As above, values from @lo to @hi only. */
#define PROP_U8_RANGE(n, S, f, d, lo, hi, text) \
    PROP_UNSIGNED_(PROP_KIND_U8, uint8_t, n, S, f, d, lo, hi, text)
#define PROP_U16_RANGE(n, S, f, d, lo, hi, text) \
    PROP_UNSIGNED_(PROP_KIND_U16, uint16_t, n, S, f, d, lo, hi, text)
#define PROP_U32_RANGE(n, S, f, d, lo, hi, text) \
    PROP_UNSIGNED_(PROP_KIND_U32, uint32_t, n, S, f, d, lo, hi, text)
#define PROP_I32(n, S, f, d, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_I32, \
      .offset = PROP_AT(S, f, int32_t), .def.i = d }
#define PROP_I64(n, S, f, d, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_I64, \
      .offset = PROP_AT(S, f, int64_t), .def.i = d }
/* @d is a string literal or NULL. */
#define PROP_STR(n, S, f, d, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_STR, \
      .offset = PROP_AT(S, f, char *), .def.s = d }
/* @f is an int or an enum of that size. */
#define PROP_ENUM(n, S, f, d, table, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_ENUM, \
      .offset = offsetof(S, f), .def.i = d, .names = table }
#define PROP_ON_OFF_AUTO(n, S, f, d, text) \
    PROP_ENUM(n, S, f, d, on_off_auto_names, text)
#define PROP_MAC(n, S, f, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_MAC, \
      .offset = PROP_AT(S, f, MacAddr) }
/* @f is a pointer to the object. */
#define PROP_LINK(n, S, f, link_type, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_LINK, \
      .offset = offsetof(S, f), .type = link_type }
#define PROP_CHARDEV(n, S, f, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_CHARDEV, \
      .offset = offsetof(S, f) }
#define PROP_DRIVE(n, S, f, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_DRIVE, \
      .offset = offsetof(S, f) }
#define PROP_NETDEV(n, S, f, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_NETDEV, \
      .offset = offsetof(S, f) }
#define PROP_AUDIODEV(n, S, f, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_AUDIODEV, \
      .offset = offsetof(S, f) }
#define PROP_CUSTOM(n, shown_type, get_fn, set_fn, text) \
    { .name = n, .desc = text, .kind = PROP_KIND_CUSTOM, \
      .type = shown_type, .get = get_fn, .set = set_fn }
#define PROP_END    { .kind = PROP_KIND_END }

/*
 * How the rooms of the back ends (chardev, block, net, audio) make their
 * kind of property work; registered by a constructor there.
 */
typedef struct BackendKind {
    /* The back end @id for @owner, which from now on uses it; NULL with
     * errp set when there is none or somebody else has it. */
    void *(*attach)(struct Object *owner, const char *id, Error **errp);
    void (*detach)(struct Object *owner, void *backend);
    const char *(*id)(void *backend);
} BackendKind;
void backend_kind_register(PropKind kind, const BackendKind *ops);

/* "uint8", "str", "bool", "size", "link<T>" ...; lent for ever. */
const char *property_type_name(const Property *prop);
/* The default as a new value; NULL when there is none. */
struct QObject *property_default(const Property *prop);
/* What it accepts, for error messages and help; caller frees. */
char *property_accepts(const Property *prop);

#endif
