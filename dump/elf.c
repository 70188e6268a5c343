/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ELF core files: header, program headers, notes, memory. */
#include "util/osdep.h"
#include <elf.h>
#include "dump/dump.h"
#include "util/bswap.h"

#define CHUNK   (64 * KIB)

/* In 32-bit mode with memory above 4 GiB the file must be a 64-bit one. */
static bool is_wide(const Dump *d)
{
    const DumpRange *last = &g_array_index(d->ranges, DumpRange, d->ranges->len - 1);

    return d->long_mode || last->start + last->size > UINT64_C(1) << 32;
}

static void put_phdr(GByteArray *b, bool wide, uint32_t type, uint64_t offset, uint64_t phys,
                     uint64_t vaddr, uint64_t size)
{
    if (wide) {
        Elf64_Phdr p = { .p_type = host_to_le32(type), .p_offset = host_to_le64(offset),
                         .p_paddr = host_to_le64(phys), .p_vaddr = host_to_le64(vaddr),
                         .p_filesz = host_to_le64(size), .p_memsz = host_to_le64(size) };

        g_byte_array_append(b, (void *)&p, sizeof(p));
    } else {
        Elf32_Phdr p = { .p_type = host_to_le32(type), .p_offset = host_to_le32(offset),
                         .p_paddr = host_to_le32(phys), .p_vaddr = host_to_le32(vaddr),
                         .p_filesz = host_to_le32(size), .p_memsz = host_to_le32(size) };

        g_byte_array_append(b, (void *)&p, sizeof(p));
    }
}

/* The pieces of ranges that mapping @m shows, one program header each. */
static unsigned put_mapping(const Dump *d, GByteArray *b, bool wide, uint64_t base,
                            const DumpMapping *m)
{
    unsigned n = 0;

    for (unsigned i = 0; i < d->ranges->len; i++) {
        const DumpRange *r = &g_array_index(d->ranges, DumpRange, i);
        hwaddr from = MAX(r->start, m->phys);
        hwaddr to = MIN(r->start + r->size, m->phys + m->size);

        if (from < to) {
            put_phdr(b, wide, PT_LOAD, base + r->offset + (from - r->start), from,
                     m->vaddr + (from - m->phys), to - from);
            n++;
        }
    }
    return n;
}

/* @base: where memory begins in the file. Returns how many there are. */
static unsigned put_phdrs(const Dump *d, GByteArray *b, bool wide, uint64_t base)
{
    unsigned n = 1;

    g_byte_array_set_size(b, 0);
    put_phdr(b, wide, PT_NOTE, base - d->notes->len, 0, 0, d->notes->len);
    for (unsigned i = 0; d->mappings && i < d->mappings->len; i++) {
        n += put_mapping(d, b, wide, base, &g_array_index(d->mappings, DumpMapping, i));
    }
    for (unsigned i = 0; !d->mappings && i < d->ranges->len; i++) {
        const DumpRange *r = &g_array_index(d->ranges, DumpRange, i);

        put_phdr(b, wide, PT_LOAD, base + r->offset, r->start, 0, r->size);
        n++;
    }
    return n;
}

static const unsigned char ident[EI_NIDENT] = {
    ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, 0, ELFDATA2LSB, EV_CURRENT,
};

/* ELF 4: with PN_XNUM program headers or more, section 0 has their number in sh_info. */
static bool write_headers(const Dump *d, bool wide, const GByteArray *phdrs, unsigned n,
                          Error **errp)
{
    bool many = n >= PN_XNUM;

    if (wide) {
        Elf64_Ehdr h = {
            .e_type = host_to_le16(ET_CORE),
            .e_machine = host_to_le16(d->long_mode ? EM_X86_64 : EM_386),
            .e_version = host_to_le32(EV_CURRENT), .e_ehsize = host_to_le16(sizeof(h)),
            .e_phoff = host_to_le64(sizeof(h) + (many ? sizeof(Elf64_Shdr) : 0)),
            .e_phentsize = host_to_le16(sizeof(Elf64_Phdr)),
            .e_phnum = host_to_le16(many ? PN_XNUM : n),
        };
        Elf64_Shdr sh = { .sh_info = host_to_le32(n) };

        memcpy(h.e_ident, ident, EI_NIDENT);
        h.e_ident[EI_CLASS] = ELFCLASS64;
        if (many) {
            h.e_shoff = host_to_le64(sizeof(h));
            h.e_shnum = host_to_le16(1);
            h.e_shentsize = host_to_le16(sizeof(sh));
        }
        if (!dump_write(d, &h, sizeof(h), errp) ||
            (many && !dump_write(d, &sh, sizeof(sh), errp))) {
            return false;
        }
    } else {
        Elf32_Ehdr h = {
            .e_type = host_to_le16(ET_CORE), .e_machine = host_to_le16(EM_386),
            .e_version = host_to_le32(EV_CURRENT), .e_ehsize = host_to_le16(sizeof(h)),
            .e_phoff = host_to_le32(sizeof(h) + (many ? sizeof(Elf32_Shdr) : 0)),
            .e_phentsize = host_to_le16(sizeof(Elf32_Phdr)),
            .e_phnum = host_to_le16(many ? PN_XNUM : n),
        };
        Elf32_Shdr sh = { .sh_info = host_to_le32(n) };

        memcpy(h.e_ident, ident, EI_NIDENT);
        h.e_ident[EI_CLASS] = ELFCLASS32;
        if (many) {
            h.e_shoff = host_to_le32(sizeof(h));
            h.e_shnum = host_to_le16(1);
            h.e_shentsize = host_to_le16(sizeof(sh));
        }
        if (!dump_write(d, &h, sizeof(h), errp) ||
            (many && !dump_write(d, &sh, sizeof(sh), errp))) {
            return false;
        }
    }
    return dump_write(d, phdrs->data, phdrs->len, errp) &&
           dump_write(d, d->notes->data, d->notes->len, errp);
}

static bool write_memory(Dump *d, Error **errp)
{
    g_autofree uint8_t *buf = g_malloc(CHUNK);

    for (unsigned i = 0; i < d->ranges->len; i++) {
        const DumpRange *r = &g_array_index(d->ranges, DumpRange, i);

        for (uint64_t at = 0; at < r->size; at += CHUNK) {
            size_t len = MIN(CHUNK, r->size - at);

            dump_read(r->start + at, buf, len);
            if (!dump_write(d, buf, len, errp)) {
                return false;
            }
            d->completed += len;
        }
    }
    return true;
}

bool dump_write_elf(Dump *d, Error **errp)
{
    g_autoptr(GByteArray) phdrs = g_byte_array_new();
    bool wide = is_wide(d);
    uint64_t head = wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
    unsigned n = put_phdrs(d, phdrs, wide, 0);

    if (n >= PN_XNUM) {
        head += wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
    }
    /* Once more, now that their size is known. */
    put_phdrs(d, phdrs, wide, head + phdrs->len + d->notes->len);
    return write_headers(d, wide, phdrs, n, errp) && write_memory(d, errp);
}
