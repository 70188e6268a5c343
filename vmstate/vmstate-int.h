/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared between the files of vmstate/ only. */
#ifndef VMSTATE_VMSTATE_INT_H
#define VMSTATE_VMSTATE_INT_H

#include "vmstate/vmstate.h"

struct VmWriter {
    GByteArray *out;
    bool peek;                  /* nothing may change */
};

struct VmReader {
    const uint8_t *data;
    size_t len, pos;
    unsigned depth;             /* of nested structs */
    size_t nodes;               /* made so far by vm_show() */
};

#define VM_DEPTH_MAX    16

/* Where the elements of a field are; NULL if its pointer is. */
const void *vm_field_data(const VmField *f, const void *opaque);
/* How many there are; UINT64_MAX with errp set when the count is too high. */
uint64_t vm_field_count(const VmField *f, const void *opaque, Error **errp);
/* One of vmstate/'s own; NULL if none has this name. */
const VmKind *vm_kind_find(const char *name);
/* At most 255 characters; empty at the end of a list. */
bool vm_get_name(VmReader *r, char name[256], Error **errp);
bool vm_field_exists(const VmField *f, const void *opaque, int version);

#endif
