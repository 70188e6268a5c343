/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qapi-gen: reads the QMP schema in the QAPI language and writes C and the
 * reference manual. Runs on the build host, ends with a message at the first
 * mistake in the schema, and never frees: it lives for a fraction of a second.
 *
 * parse.c makes values and documentation comments from text; schema.c makes
 * definitions from those and checks them; the out-*.c files write one kind of
 * output each.
 */
#ifndef QAPI_GEN_GEN_H
#define QAPI_GEN_GEN_H

#include "util/osdep.h"

/* ------------------------------------------------------------ parse.c */

typedef struct Loc {
    const char *file;
    int line;
} Loc;

typedef enum { V_STR, V_BOOL, V_LIST, V_DICT } ValueKind;

typedef struct Value Value;
struct Value {
    ValueKind kind;
    Loc loc;
    const char *str;            /* V_STR */
    bool b;                     /* V_BOOL */
    size_t n;                   /* V_LIST, V_DICT */
    const char **keys;          /* V_DICT, in the order of the text */
    Value **items;
};

/* One "@name: text" or "Tag: text" of a documentation comment. */
typedef struct DocPart {
    const char *name;           /* argument's or feature's name, or the tag */
    char *text;
} DocPart;

typedef struct DocParts {
    size_t n;
    DocPart *v;
} DocParts;

typedef struct Doc {
    Loc loc;
    const char *symbol;         /* NULL: free text, not about a definition */
    char *text;
    DocParts args;
    DocParts features;
    DocParts tags;              /* Returns, Errors, Since, Note, Example ... */
} Doc;

typedef struct Statement {
    Value *expr;                /* NULL: free documentation text */
    Doc *doc;                   /* may be NULL */
} Statement;

typedef struct Module {
    const char *name;           /* file name without folder and ".json" */
    const char *path;
    size_t n;
    Statement *v;
} Module;

NORETURN void fail_at(Loc loc, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Parse @path and, depth first, what it includes; each file once. */
void parse_file(const char *path);
extern Module *modules;
extern size_t n_modules;

Value *dict_get(const Value *dict, const char *key);
const char *dict_get_str(const Value *dict, const char *key);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *str_fmt(const char *fmt, ...) PRINTF_LIKE(1, 2);
#define LIST_ADD(list, item) \
    do { \
        (list)->v = xrealloc((list)->v, ((list)->n + 1) * sizeof(*(list)->v)); \
        (list)->v[(list)->n++] = (item); \
    } while (0)

/* ----------------------------------------------------------- schema.c */

typedef enum {
    T_BUILTIN, T_ENUM, T_STRUCT, T_UNION, T_ALTERNATE, T_ARRAY,
} TypeKind;

typedef struct Type Type;
typedef struct Names {
    size_t n;
    const char **v;
} Names;

typedef struct Member {
    Loc loc;
    const char *name;
    const char *c_name;
    Type *type;
    bool optional;
    Names features;
    const char *cond;           /* C preprocessor condition, or NULL */
} Member;

typedef struct Members {
    size_t n;
    Member *v;
} Members;

struct Type {
    TypeKind kind;
    Loc loc;
    const Module *module;       /* NULL: built in */
    const char *name;
    const char *c_name;         /* of the C type */
    const char *prefix;         /* T_ENUM: of the constants, with "_" */
    const char *cond;
    const Doc *doc;
    Names features;
    bool implicit;              /* made for a command's or event's arguments */

    const char *c_scalar;       /* T_BUILTIN: C type, or NULL for pointers */
    const char *descriptor;     /* T_BUILTIN: name of its QapiType */
    const char *alt_class;      /* T_BUILTIN: what an alternate goes by */

    Members own;                /* T_ENUM values, T_STRUCT, T_UNION's base members */
    Type *base;
    Members all;                /* with the base's members first */
    Members variants;           /* T_UNION by tag value, T_ALTERNATE */
    const Member *tag;
    Type *element;              /* T_ARRAY */
    const Value *expr;
    bool checked, checking, emitted;
};

typedef struct Command {
    Loc loc;
    const Module *module;
    const char *name;
    const char *c_name;
    Type *args;                 /* NULL: none */
    Type *ret;                  /* NULL: none */
    bool boxed, raw, oob, preconfig, coroutine, no_response;
    const char *cond;
    Names features;
    const Doc *doc;
} Command;

typedef struct Event {
    Loc loc;
    const Module *module;
    const char *name;
    const char *c_name;         /* lower case */
    Type *args;
    bool boxed;
    const char *cond;
    Names features;
    const Doc *doc;
} Event;

typedef struct Schema {
    struct { size_t n; Type **v; } types;       /* in the order of the text */
    struct { size_t n; Command *v; } commands;
    struct { size_t n; Event *v; } events;
} Schema;

extern Schema schema;
void schema_build(void);
bool type_is_pointer(const Type *type);     /* held by pointer in C structs */

/* ------------------------------------------------------------ names.c */

char *c_name(const char *name);             /* "a-b.c" -> "a_b_c" */
char *camel_to_upper(const char *name);     /* "RunState" -> "RUN_STATE" */
char *to_upper(const char *name);
char *to_lower(const char *name);

/* -------------------------------------------------------------- out.c */

typedef struct Out Out;
/* Text that becomes a file; it is only written if it differs from the old. */
Out *out_new(const char *dir, const char *name);
void out_printf(Out *out, const char *fmt, ...) PRINTF_LIKE(2, 3);
void out_if(Out *out, const char *cond);        /* NULL: nothing */
void out_endif(Out *out, const char *cond);
/* What has been written. */
const char *out_text(const Out *out);
void out_close(Out *out);

typedef struct GenOptions {
    const char *out_dir;
    const char *prefix;         /* of file names; "" for the real schema */
    const char *c_prefix;       /* of the schema's C symbol */
    const char *include_dir;    /* folder that generated headers are found under */
    const char *doc_dir;        /* NULL: no manual */
} GenOptions;
extern GenOptions gen_options;

void out_types(const Module *module);
void out_tables(const Module *module);
void out_commands(const Module *module);
void out_events(const Module *module);
void out_schema(void);
void out_manual(void);
void out_html(const char *markdown);         /* the same as a page for browsers */
void out_coverage(const char *path);
void out_client(void);
/* Shared by out_types and out_commands: "has_x, x" parameter lists. */
void out_params(Out *out, const Type *args, bool boxed, bool names_only, const char *from);
/* Struct and table of arguments that have no type of their own. */
void out_args(Out *out, const Type *args, const char *c_name);
const char *c_type_of(const Type *type);        /* of a member or parameter */
const char *descriptor_of(const Type *type);
void out_members(Out *out, const Type *type, const char *c_struct);
void out_struct_body(Out *out, const Type *type);

#endif
