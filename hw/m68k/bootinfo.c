/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading a Linux/m68k kernel (bootinfo.h). */
#include "util/osdep.h"
#include "hw/m68k/bootinfo.h"

#include <elf.h>
#include <glib.h>
#include <sys/random.h>
#include "util/bswap.h"

#define RECORDS_MAX     (32 * KIB)      /* a record's length is 16 bits */
#define SEED_BYTES      32

static uint8_t *read_file(const char *what, const char *path, gsize *len, Error **errp)
{
    g_autoptr(GError) gerr = NULL;
    char *data;

    if (!g_file_get_contents(path, &data, len, &gerr)) {
        error_setf(errp, ERR_FILE_NOT_FOUND, "could not load the %s: %s", what, gerr->message);
        return NULL;
    }
    return (uint8_t *)data;
}

typedef struct Segment {
    uint32_t offset, paddr, filesz, memsz;
} Segment;

/* Program header @n, if it is to be loaded and lies inside of the file and of 32 bits. */
static bool load_segment(const uint8_t *image, size_t len, unsigned n, Segment *s, bool *broken)
{
    uint32_t phoff = load_be32(image + offsetof(Elf32_Ehdr, e_phoff));
    uint64_t at = phoff + (uint64_t)n * sizeof(Elf32_Phdr);
    const uint8_t *ph = image + at;

    if (at + sizeof(Elf32_Phdr) > len) {
        *broken = true;
        return false;
    }
    if (load_be32(ph + offsetof(Elf32_Phdr, p_type)) != PT_LOAD) {
        return false;
    }
    s->offset = load_be32(ph + offsetof(Elf32_Phdr, p_offset));
    s->paddr = load_be32(ph + offsetof(Elf32_Phdr, p_paddr));
    s->filesz = load_be32(ph + offsetof(Elf32_Phdr, p_filesz));
    s->memsz = load_be32(ph + offsetof(Elf32_Phdr, p_memsz));
    if (s->filesz > s->memsz || (uint64_t)s->offset + s->filesz > len ||
        (uint64_t)s->paddr + s->memsz > UINT32_MAX) {
        *broken = true;
        return false;
    }
    return s->memsz != 0;
}

static bool parse_elf(M68kBoot *b, const char *path, const uint8_t *image, size_t len, Error **errp)
{
    uint32_t lo = UINT32_MAX, hi = 0;
    unsigned phnum;
    bool broken = false;
    Segment s;

    if (len < sizeof(Elf32_Ehdr) || memcmp(image, ELFMAG, SELFMAG) || image[EI_CLASS] != ELFCLASS32 ||
        image[EI_DATA] != ELFDATA2MSB || load_be16(image + offsetof(Elf32_Ehdr, e_machine)) != EM_68K ||
        load_be16(image + offsetof(Elf32_Ehdr, e_phentsize)) != sizeof(Elf32_Phdr)) {
        error_setf(errp, ERR_FILE_FORMAT, "kernel '%s' is no ELF file for the 68000 family", path);
        return false;
    }
    phnum = load_be16(image + offsetof(Elf32_Ehdr, e_phnum));
    for (unsigned i = 0; i < phnum; i++) {
        if (load_segment(image, len, i, &s, &broken)) {
            lo = MIN(lo, s.paddr);
            hi = MAX(hi, s.paddr + s.memsz);
        }
    }
    if (broken || lo >= hi || hi - lo > 256 * MIB) {
        error_setf(errp, ERR_FILE_FORMAT, "kernel '%s' has %s", path,
                   broken ? "a broken program header" : "nothing, or too much, to load");
        return false;
    }
    b->addr = lo;
    b->size = hi - lo;
    b->entry = load_be32(image + offsetof(Elf32_Ehdr, e_entry));
    b->image = g_malloc0(b->size);
    for (unsigned i = 0; i < phnum; i++) {
        if (load_segment(image, len, i, &s, &broken)) {
            memcpy(b->image + (s.paddr - lo), image + s.offset, s.filesz);
        }
    }
    return true;
}

void m68k_boot_free(M68kBoot *b)
{
    if (b) {
        g_free(b->image);
        g_free(b->initrd);
        g_byte_array_unref(b->records);
        g_free(b);
    }
}

M68kBoot *m68k_boot_load(const Machine *m, Error **errp)
{
    M68kBoot *b = g_new0(M68kBoot, 1);
    g_autofree uint8_t *image = NULL;
    gsize len;

    b->records = g_byte_array_new();
    b->seed = true;
    image = read_file("kernel", m->kernel, &len, errp);
    if (!image || !parse_elf(b, m->kernel, image, len, errp)) {
        m68k_boot_free(b);
        return NULL;
    }
    b->records_addr = ALIGN_UP(b->addr + b->size, 4);
    if (m->initrd) {
        b->initrd = read_file("initrd", m->initrd, &len, errp);
        if (!b->initrd) {
            m68k_boot_free(b);
            return NULL;
        }
        b->initrd_size = (uint32_t)MIN(len, UINT32_MAX);
    }
    if ((uint64_t)b->records_addr + RECORDS_MAX + b->initrd_size + 8 * KIB > m->ram_size) {
        error_setf(errp, ERR_OUT_OF_RANGE, "kernel and initrd don't fit into %" PRIu64 " MiB of RAM",
                   m->ram_size / MIB);
        m68k_boot_free(b);
        return NULL;
    }
    if (b->initrd) {
        b->initrd_addr = (uint32_t)((m->ram_size - b->initrd_size) & ~UINT64_C(4095));
    }
    return b;
}

/* A record: tag, length of all of it (a multiple of four), data. */
static void record(M68kBoot *b, uint16_t tag, const void *data, unsigned len)
{
    static const uint8_t zeros[4];
    uint8_t head[4];

    store_be16(head, tag);
    store_be16(head + 2, (uint16_t)(4 + ALIGN_UP(len, 4)));
    g_byte_array_append(b->records, head, 4);
    g_byte_array_append(b->records, data, len);
    g_byte_array_append(b->records, zeros, ALIGN_UP(len, 4) - len);
}

void m68k_boot_u32(M68kBoot *b, uint16_t tag, uint32_t v)
{
    uint8_t d[4];

    store_be32(d, v);
    record(b, tag, d, 4);
}

void m68k_boot_u32_pair(M68kBoot *b, uint16_t tag, uint32_t v, uint32_t w)
{
    uint8_t d[8];

    store_be32(d, v);
    store_be32(d + 4, w);
    record(b, tag, d, 8);
}

bool m68k_boot_finish(M68kBoot *b, const Machine *m, Error **errp)
{
    const char *append = m->append ? m->append : "";

    if (strlen(append) > RECORDS_MAX / 2) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the kernel's command line is longer than %u bytes",
                   (unsigned)RECORDS_MAX / 2);
        return false;
    }
    record(b, BI_COMMAND_LINE, append, (unsigned)strlen(append) + 1);
    if (b->initrd) {
        m68k_boot_u32_pair(b, BI_RAMDISK, b->initrd_addr, b->initrd_size);
    }
    return true;
}

void m68k_boot_place(const M68kBoot *b, const Machine *m)
{
    uint8_t *ram = memory_region_ram_ptr(m->ram);
    uint8_t *p = ram + b->records_addr;

    memcpy(ram + b->addr, b->image, b->size);
    memcpy(p, b->records->data, b->records->len);
    p += b->records->len;
    if (b->seed) {
        store_be16(p, BI_RNG_SEED);
        store_be16(p + 2, 4 + 4 + SEED_BYTES);
        store_be16(p + 4, SEED_BYTES);
        if (getrandom(p + 6, SEED_BYTES, 0) != SEED_BYTES) {
            memset(p + 6, 0, SEED_BYTES);
        }
        memset(p + 6 + SEED_BYTES, 0, 2);
        p += 8 + SEED_BYTES;
    }
    store_be32(p, BI_LAST);
    if (b->initrd) {
        memcpy(ram + b->initrd_addr, b->initrd, b->initrd_size);
    }
    /* Initial stack pointer and PC. The kernel lies above them. */
    store_be32(ram, b->records_addr);
    store_be32(ram + 4, b->entry);
    memory_region_set_dirty(m->ram, 0, m->ram_size);
}
