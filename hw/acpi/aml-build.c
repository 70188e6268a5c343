/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI Machine Language, from ACPI 6.0 chapter 20 ("AML"). */
#include "util/osdep.h"
#include "hw/acpi/aml-build.h"

#include "util/bswap.h"

/* AML 20.3: byte values. */
enum {
    OP_ZERO = 0x00, OP_ONE = 0x01, OP_NAME = 0x08, OP_BYTE = 0x0a, OP_WORD = 0x0b,
    OP_DWORD = 0x0c, OP_STRING = 0x0d, OP_QWORD = 0x0e, OP_SCOPE = 0x10, OP_BUFFER = 0x11,
    OP_PACKAGE = 0x12, OP_METHOD = 0x14, OP_DUAL_NAME = 0x2e, OP_MULTI_NAME = 0x2f,
    OP_EXT = 0x5b, OP_ARG0 = 0x68, OP_STORE = 0x70, OP_AND = 0x7b, OP_OR = 0x7d, OP_NOTIFY = 0x86,
    OP_CREATE_DWORD = 0x8a, OP_LLESS = 0x95, OP_LEQUAL = 0x93, OP_LNOT = 0x92,
    OP_LOCAL0 = 0x60, OP_ELSE = 0xa1, OP_IF = 0xa0, OP_RETURN = 0xa4,
    EXT_MUTEX = 0x01, EXT_ACQUIRE = 0x23, EXT_RELEASE = 0x27, EXT_REGION = 0x80, EXT_FIELD = 0x81, EXT_DEVICE = 0x82,
};
#define METHOD_SERIALIZED   BIT(3)
#define FIELD_BYTE_ACCESS   1           /* no lock, preserve */
#define FIELD_DWORD_ACCESS  3

void aml_init(Aml *a, GByteArray *out)
{
    *a = (Aml) { .out = out };
}

static void put(Aml *a, uint8_t byte)
{
    g_byte_array_append(a->out, &byte, 1);
}

/* AML 20.2.2: segments of four characters, padded with '_'. */
static void put_name(Aml *a, const char *name)
{
    unsigned segments = 1;

    while (*name == '\\' || *name == '^') {
        put(a, (uint8_t)*name++);
    }
    if (!*name) {
        put(a, OP_ZERO);
        return;
    }
    for (const char *p = name; *p; p++) {
        segments += *p == '.';
    }
    if (segments == 2) {
        put(a, OP_DUAL_NAME);
    } else if (segments > 2) {
        put(a, OP_MULTI_NAME);
        put(a, (uint8_t)segments);
    }
    for (; segments; segments--) {
        for (int i = 0; i < 4; i++) {
            put(a, *name && *name != '.' ? (uint8_t)*name++ : '_');
        }
        name += *name == '.';
    }
}

static void open_body(Aml *a)
{
    assert(a->depth < AML_MAX_DEPTH);
    a->open[a->depth++] = a->out->len;
}

/* AML 20.2.4: the length counts its own bytes. */
void aml_end(Aml *a)
{
    unsigned start, body, n, total;
    uint8_t enc[4];

    assert(a->depth);
    start = a->open[--a->depth];
    body = a->out->len - start;
    n = body + 1 < 1u << 6 ? 1 : body + 2 < 1u << 12 ? 2 : body + 3 < 1u << 20 ? 3 : 4;
    total = body + n;
    if (n == 1) {
        enc[0] = (uint8_t)total;
    } else {
        enc[0] = (uint8_t)((n - 1) << 6 | (total & 0x0f));
        for (unsigned i = 1; i < n; i++) {
            enc[i] = (uint8_t)(total >> (4 + (i - 1) * 8));
        }
    }
    g_byte_array_set_size(a->out, a->out->len + n);
    memmove(a->out->data + start + n, a->out->data + start, body);
    memcpy(a->out->data + start, enc, n);
}

void aml_scope(Aml *a, const char *name)
{
    put(a, OP_SCOPE);
    open_body(a);
    put_name(a, name);
}

void aml_device(Aml *a, const char *name)
{
    put(a, OP_EXT);
    put(a, EXT_DEVICE);
    open_body(a);
    put_name(a, name);
}

void aml_method(Aml *a, const char *name, unsigned args, bool serialized)
{
    put(a, OP_METHOD);
    open_body(a);
    put_name(a, name);
    put(a, (uint8_t)(args | (serialized ? METHOD_SERIALIZED : 0)));
}

void aml_if(Aml *a)
{
    put(a, OP_IF);
    open_body(a);
}

void aml_else(Aml *a)
{
    put(a, OP_ELSE);
    open_body(a);
}

void aml_package(Aml *a, uint8_t elements)
{
    put(a, OP_PACKAGE);
    open_body(a);
    put(a, elements);
}

void aml_name(Aml *a, const char *name)
{
    put(a, OP_NAME);
    put_name(a, name);
}

void aml_op_region(Aml *a, const char *name, uint8_t space, uint64_t offset, uint64_t len)
{
    put(a, OP_EXT);
    put(a, EXT_REGION);
    put_name(a, name);
    put(a, space);
    aml_int(a, offset);
    aml_int(a, len);
}

static void put_field(Aml *a, const char *region, uint8_t access, const char *const *names, uint8_t bits)
{
    put(a, OP_EXT);
    put(a, EXT_FIELD);
    open_body(a);
    put_name(a, region);
    put(a, access);
    for (; *names; names++) {
        put_name(a, *names);
        put(a, bits);           /* below 64: one byte */
    }
    aml_end(a);
}

void aml_field(Aml *a, const char *region, const char *const *names, uint8_t bits)
{
    put_field(a, region, FIELD_BYTE_ACCESS, names, bits);
}

void aml_dword_field(Aml *a, const char *region, const char *const *names)
{
    put_field(a, region, FIELD_DWORD_ACCESS, names, 32);
}

void aml_int(Aml *a, uint64_t v)
{
    unsigned size;

    if (v <= 1) {
        put(a, v ? OP_ONE : OP_ZERO);
        return;
    }
    size = v <= UINT8_MAX ? 1 : v <= UINT16_MAX ? 2 : v <= UINT32_MAX ? 4 : 8;
    put(a, size == 1 ? OP_BYTE : size == 2 ? OP_WORD : size == 4 ? OP_DWORD : OP_QWORD);
    for (unsigned i = 0; i < size; i++) {
        put(a, (uint8_t)(v >> i * 8));
    }
}

void aml_string(Aml *a, const char *text)
{
    put(a, OP_STRING);
    g_byte_array_append(a->out, (const uint8_t *)text, (guint)strlen(text) + 1);
}

/* ACPI 6.0, 19.3.4: three letters of five bits, four hex digits, swapped. */
void aml_eisaid(Aml *a, const char *id)
{
    uint32_t v = (uint32_t)(id[0] - 0x40) << 26 | (uint32_t)(id[1] - 0x40) << 21 |
                 (uint32_t)(id[2] - 0x40) << 16 | (uint32_t)strtoul(id + 3, NULL, 16);

    put(a, OP_DWORD);
    for (int i = 3; i >= 0; i--) {
        put(a, (uint8_t)(v >> i * 8));
    }
}

void aml_buffer(Aml *a, const void *data, size_t len)
{
    put(a, OP_BUFFER);
    open_body(a);
    aml_int(a, len);
    g_byte_array_append(a->out, data, (guint)len);
    aml_end(a);
}

void aml_ref(Aml *a, const char *name)
{
    put_name(a, name);
}

void aml_arg(Aml *a, unsigned n)
{
    put(a, (uint8_t)(OP_ARG0 + n));
}

void aml_notify(Aml *a)
{
    put(a, OP_NOTIFY);
}

void aml_call(Aml *a, const char *method)
{
    aml_ref(a, method);
}

void aml_store(Aml *a)
{
    put(a, OP_STORE);
}

void aml_return(Aml *a)
{
    put(a, OP_RETURN);
}

void aml_and(Aml *a)
{
    put(a, OP_AND);
}

void aml_or(Aml *a)
{
    put(a, OP_OR);
}

void aml_none(Aml *a)
{
    put(a, OP_ZERO);
}

void aml_equal(Aml *a)
{
    put(a, OP_LEQUAL);
}

void aml_not(Aml *a)
{
    put(a, OP_LNOT);
}

void aml_local(Aml *a, unsigned n)
{
    put(a, (uint8_t)(OP_LOCAL0 + n));
}

void aml_mutex(Aml *a, const char *name)
{
    put(a, OP_EXT);
    put(a, EXT_MUTEX);
    put_name(a, name);
    put(a, 0);                  /* sync level */
}

void aml_acquire(Aml *a, const char *name)
{
    put(a, OP_EXT);
    put(a, EXT_ACQUIRE);
    put_name(a, name);
    put(a, 0xff);               /* no time-out */
    put(a, 0xff);
}

void aml_release(Aml *a, const char *name)
{
    put(a, OP_EXT);
    put(a, EXT_RELEASE);
    put_name(a, name);
}

void aml_less(Aml *a)
{
    put(a, OP_LLESS);
}

void aml_create_dword_field(Aml *a)
{
    put(a, OP_CREATE_DWORD);
}

/* ---------------------------------------------- resources, ACPI 6.0, 6.4 */

static void add(GByteArray *r, const void *data, size_t len)
{
    g_byte_array_append(r, data, (guint)len);
}

/* 6.4.2.5: I/O port descriptor, 16 bits decoded. */
void res_io(GByteArray *r, uint16_t min, uint16_t max, uint8_t align, uint8_t len)
{
    uint8_t d[8] = { 0x47, 1 };

    store_le16(d + 2, min);
    store_le16(d + 4, max);
    d[6] = align;
    d[7] = len;
    add(r, d, sizeof(d));
}

/* 6.4.2.1: IRQ descriptor; without flags it is edge, high, exclusive. */
void res_irq(GByteArray *r, uint16_t mask, bool level_low_shared)
{
    uint8_t d[4] = { level_low_shared ? 0x23 : 0x22 };

    store_le16(d + 1, mask);
    d[3] = 0x18;
    add(r, d, level_low_shared ? 4 : 3);
}

/* 6.4.3.6: extended interrupt descriptor; the numbers start at offset 5. */
void res_interrupt(GByteArray *r, const uint32_t *irqs, uint8_t n)
{
    uint8_t d[5] = { 0x89, 0, 0, 0x09, n };     /* consumer, shared */
    uint8_t raw[4];

    store_le16(d + 1, (uint16_t)(2 + 4 * n));
    add(r, d, sizeof(d));
    for (uint8_t i = 0; i < n; i++) {
        store_le32(raw, irqs[i]);
        add(r, raw, sizeof(raw));
    }
}

/* 6.4.3.4: fixed 32-bit memory. */
void res_memory32(GByteArray *r, uint32_t addr, uint32_t len)
{
    uint8_t d[12] = { 0x86, 9, 0, 1 };

    store_le32(d + 4, addr);
    store_le32(d + 8, len);
    add(r, d, sizeof(d));
}

/* 6.4.3.5: address spaces; produced, minimum and maximum fixed. */
static void res_space(GByteArray *r, uint8_t tag, uint8_t size, uint8_t type, uint64_t min,
                      uint64_t max, bool cacheable)
{
    uint8_t d[6 + 5 * 8] = { tag }, flags = 0;

    flags = type == RES_MEMORY ? (cacheable ? 0x03 : 0x01) : type == RES_IO ? 0x03 : 0;
    store_le16(d + 1, (uint16_t)(3 + 5 * size));
    d[3] = type;
    d[4] = 0x0c;                        /* fixed both, positive decode, producer */
    d[5] = flags;
    store_le(d + 6 + size, size, min);  /* after the granularity */
    store_le(d + 6 + 2 * size, size, max);
    store_le(d + 6 + 4 * size, size, max - min + 1);
    add(r, d, 6 + 5u * size);
}

void res_word(GByteArray *r, uint8_t type, uint16_t min, uint16_t max)
{
    res_space(r, 0x88, 2, type, min, max, false);
}

void res_dword(GByteArray *r, uint8_t type, uint32_t min, uint32_t max, bool cacheable)
{
    res_space(r, 0x87, 4, type, min, max, cacheable);
}

void res_qword(GByteArray *r, uint8_t type, uint64_t min, uint64_t max, bool cacheable)
{
    res_space(r, 0x8a, 8, type, min, max, cacheable);
}

void aml_resources(Aml *a, GByteArray *r)
{
    static const uint8_t end_tag[] = { 0x79, 0x00 };    /* sum 0: not checked */

    add(r, end_tag, sizeof(end_tag));
    aml_buffer(a, r->data, r->len);
    g_byte_array_unref(r);
}
