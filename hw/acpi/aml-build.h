/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes ACPI Machine Language (ACPI 6.0 chapter 20). Terms are appended in
 * order; those with a body are opened and closed:
 *
 *     aml_device(a, "PCI0");
 *         aml_name(a, "_HID"); aml_eisaid(a, "PNP0A03");
 *     aml_end(a);
 *
 * A term that wants operands is followed by them. Names are paths as in ASL:
 * "\\_SB.PCI0", "^PRQ0", segments of up to four characters.
 */
#ifndef HW_ACPI_AML_BUILD_H
#define HW_ACPI_AML_BUILD_H

#include <glib.h>
#include "util/osdep.h"

#define AML_MAX_DEPTH   16

typedef struct Aml {
    GByteArray *out;
    unsigned open[AML_MAX_DEPTH];       /* where the bodies begin */
    unsigned depth;
} Aml;

/* Appends to @out. */
void aml_init(Aml *a, GByteArray *out);

/* With bodies. */
void aml_scope(Aml *a, const char *name);
void aml_device(Aml *a, const char *name);
void aml_method(Aml *a, const char *name, unsigned args, bool serialized);
void aml_if(Aml *a);                            /* condition follows */
void aml_else(Aml *a);                          /* after an if's end */
void aml_package(Aml *a, uint8_t elements);     /* elements follow */
void aml_end(Aml *a);

/* Named objects; the value follows. */
void aml_name(Aml *a, const char *name);
void aml_op_region(Aml *a, const char *name, uint8_t space, uint64_t offset, uint64_t len);
enum { AML_SPACE_MEMORY, AML_SPACE_IO, AML_SPACE_PCI_CONFIG };
/* Units of @bits each, one after the other, of byte access. */
void aml_field(Aml *a, const char *region, const char *const *names, uint8_t bits);

/* Words of 32 bits, accessed whole. */
void aml_dword_field(Aml *a, const char *region, const char *const *names);

/* Values and references. */
void aml_int(Aml *a, uint64_t v);
void aml_string(Aml *a, const char *text);
void aml_eisaid(Aml *a, const char *id);
void aml_buffer(Aml *a, const void *data, size_t len);
void aml_ref(Aml *a, const char *name);
void aml_arg(Aml *a, unsigned n);
void aml_local(Aml *a, unsigned n);

/* Statements and expressions; operands follow. */
void aml_store(Aml *a);                         /* source, destination */
void aml_return(Aml *a);
void aml_and(Aml *a);                           /* a, b, then aml_none or target */
void aml_or(Aml *a);
void aml_none(Aml *a);
void aml_notify(Aml *a);                        /* object, value */
void aml_call(Aml *a, const char *method);      /* arguments follow */
void aml_less(Aml *a);                          /* a, b */
void aml_equal(Aml *a);
void aml_not(Aml *a);
void aml_mutex(Aml *a, const char *name);
void aml_acquire(Aml *a, const char *name);     /* without end; the result is dropped */
void aml_release(Aml *a, const char *name);
void aml_create_dword_field(Aml *a);            /* buffer, index, then the name */

/*
 * Resource templates (ACPI 6.0, 6.4): collected on their own, then put as a
 * buffer with the end tag.
 */
void res_io(GByteArray *r, uint16_t min, uint16_t max, uint8_t align, uint8_t len);
void res_irq(GByteArray *r, uint16_t mask, bool level_low_shared);
void res_interrupt(GByteArray *r, const uint32_t *irqs, uint8_t n);    /* level, high, shared */
void res_memory32(GByteArray *r, uint32_t addr, uint32_t len);
enum { RES_MEMORY, RES_IO, RES_BUS };
void res_word(GByteArray *r, uint8_t type, uint16_t min, uint16_t max);
void res_dword(GByteArray *r, uint8_t type, uint32_t min, uint32_t max, bool cacheable);
void res_qword(GByteArray *r, uint8_t type, uint64_t min, uint64_t max, bool cacheable);
void aml_resources(Aml *a, GByteArray *r);      /* takes @r */

#endif
