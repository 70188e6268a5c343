/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared between the files of vmstate/ only. */
#ifndef VMSTATE_VMSTATE_INT_H
#define VMSTATE_VMSTATE_INT_H

#include "vmstate/vmstate.h"

struct VmWriter {
    GByteArray *out;
};

struct VmReader {
    const uint8_t *data;
    size_t len, pos;
    unsigned depth;             /* of nested structs */
};

struct VmPrinter {
    GString *out;
    unsigned indent;
    bool at_line_start;
};

#define VM_DEPTH_MAX    16

/* Where the elements of a field are; NULL if its pointer is. */
const void *vm_field_data(const VmField *f, const void *opaque);
/* How many there are; UINT64_MAX with errp set when the count is too high. */
uint64_t vm_field_count(const VmField *f, const void *opaque, Error **errp);
bool vm_field_exists(const VmField *f, const void *opaque, int version);

#endif
