/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF kernels as flat images, and the PVH note in them.
 *
 * Sources: System V ABI, chapters 4 and 5 (ELF); Xen, docs/misc/pvh and
 * public/elfnote.h. Every number of the file is checked before it is used.
 */
#include "util/osdep.h"
#include "hw/i386/boot.h"

#include <elf.h>
#include <glib.h>
#include "util/bswap.h"

#define NOTE_PHYS32_ENTRY   18          /* XEN_ELFNOTE_PHYS32_ENTRY */
#define FLAT_MAX            (1 * GIB)

typedef struct Segment {
    uint32_t type;
    uint64_t offset, paddr, filesz, memsz;
} Segment;

typedef struct ElfFile {
    const uint8_t *image;
    size_t len;
    bool is64;
    uint64_t entry, phoff;
    unsigned phnum, phentsize;
} ElfFile;

static bool elf_open(ElfFile *e, const uint8_t *image, size_t len)
{
    *e = (ElfFile) { .image = image, .len = len };
    if (len < sizeof(Elf64_Ehdr) || memcmp(image, ELFMAG, SELFMAG) ||
        image[EI_DATA] != ELFDATA2LSB) {
        return false;
    }
    e->is64 = image[EI_CLASS] == ELFCLASS64;
    if (e->is64) {
        e->entry = load_le64(image + offsetof(Elf64_Ehdr, e_entry));
        e->phoff = load_le64(image + offsetof(Elf64_Ehdr, e_phoff));
        e->phnum = load_le16(image + offsetof(Elf64_Ehdr, e_phnum));
        e->phentsize = sizeof(Elf64_Phdr);
    } else {
        e->entry = load_le32(image + offsetof(Elf32_Ehdr, e_entry));
        e->phoff = load_le32(image + offsetof(Elf32_Ehdr, e_phoff));
        e->phnum = load_le16(image + offsetof(Elf32_Ehdr, e_phnum));
        e->phentsize = sizeof(Elf32_Phdr);
    }
    return e->phoff <= len && (uint64_t)e->phnum * e->phentsize <= len - e->phoff;
}

/* Program header @n; false when what it names isn't in the file. */
static bool elf_segment(const ElfFile *e, unsigned n, Segment *s)
{
    const uint8_t *p = e->image + e->phoff + n * e->phentsize;

    if (e->is64) {
        *s = (Segment) {
            load_le32(p + offsetof(Elf64_Phdr, p_type)),
            load_le64(p + offsetof(Elf64_Phdr, p_offset)),
            load_le64(p + offsetof(Elf64_Phdr, p_paddr)),
            load_le64(p + offsetof(Elf64_Phdr, p_filesz)),
            load_le64(p + offsetof(Elf64_Phdr, p_memsz)),
        };
    } else {
        *s = (Segment) {
            load_le32(p + offsetof(Elf32_Phdr, p_type)),
            load_le32(p + offsetof(Elf32_Phdr, p_offset)),
            load_le32(p + offsetof(Elf32_Phdr, p_paddr)),
            load_le32(p + offsetof(Elf32_Phdr, p_filesz)),
            load_le32(p + offsetof(Elf32_Phdr, p_memsz)),
        };
    }
    return s->offset <= e->len && s->filesz <= e->len - s->offset;
}

static uint32_t find_pvh_note(const uint8_t *p, uint64_t len)
{
    while (len >= 12) {
        uint64_t namesz = load_le32(p), descsz = load_le32(p + 4);
        uint64_t desc = 12 + ALIGN_UP(namesz, 4u), next = desc + ALIGN_UP(descsz, 4u);

        if (desc + descsz > len) {
            return 0;
        }
        if (load_le32(p + 8) == NOTE_PHYS32_ENTRY && namesz == 4 && !memcmp(p + 12, "Xen", 4) &&
            descsz >= 4) {
            return load_le32(p + desc);
        }
        if (next >= len) {
            return 0;
        }
        p += next;
        len -= next;
    }
    return 0;
}

uint32_t image_pvh_entry(const uint8_t *image, size_t len)
{
    uint32_t entry = 0;
    Segment s;
    ElfFile e;

    if (!elf_open(&e, image, len)) {
        return 0;
    }
    for (unsigned i = 0; i < e.phnum && !entry; i++) {
        if (elf_segment(&e, i, &s) && s.type == PT_NOTE) {
            entry = find_pvh_note(image + s.offset, s.filesz);
        }
    }
    return entry;
}

bool elf_flatten(const char *path, const uint8_t *image, size_t len, FlatImage *flat,
                 Error **errp)
{
    uint64_t lo = UINT64_MAX, hi = 0;
    Segment s;
    ElfFile e;

    if (!elf_open(&e, image, len)) {
        error_setf(errp, ERR_FILE_FORMAT, "'%s' is no little-endian ELF file", path);
        return false;
    }
    for (unsigned i = 0; i < e.phnum; i++) {
        if (!elf_segment(&e, i, &s) ||
            (s.type == PT_LOAD && (s.filesz > s.memsz || s.paddr > UINT32_MAX ||
                                   s.memsz > UINT32_MAX))) {
            error_setf(errp, ERR_FILE_FORMAT, "segment %u of the ELF file '%s' is broken", i, path);
            return false;
        }
        if (s.type == PT_LOAD && s.memsz) {
            lo = MIN(lo, s.paddr);
            hi = MAX(hi, s.paddr + s.memsz);
        }
    }
    if (lo >= hi || hi - lo > FLAT_MAX) {
        error_setf(errp, ERR_FILE_FORMAT, "the ELF file '%s' has %s to load", path,
                   lo >= hi ? "nothing" : "more than 1 GiB");
        return false;
    }
    flat->addr = lo;
    flat->size = hi - lo;
    flat->entry = e.entry;
    flat->data = g_malloc0(flat->size);
    for (unsigned i = 0; i < e.phnum; i++) {
        elf_segment(&e, i, &s);
        if (s.type == PT_LOAD && s.memsz) {
            memcpy(flat->data + (s.paddr - lo), image + s.offset, s.filesz);
        }
    }
    return true;
}
